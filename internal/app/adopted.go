package app

import (
	"context"
	"slices"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/plan"
	"github.com/relight-aws/relight/internal/remedy"
)

// adopting lists the kinds that may rely on what others made.
var adopting = []catalog.Kind{catalog.FlowLogs, catalog.LogGroups, catalog.Alarms}

// adopted reads what relight relies on that others made. Functions that events start
// adopt nothing.
func (a *App) adopted(ctx context.Context) (plan.Adopted, error) {
	adopted, err := a.cloud.RecallAdopted(ctx, a.deployment.HomeRegion)
	adopted.Pending = nil
	return adopted, err
}

// adoptedBySweep reads what relight relies on that others made. The first sweep of a
// deployment adopts what it finds: then every scope is pending. It is the first one if
// relight remembers nothing at all, so an intruder who deletes one memory gains nothing.
func (a *App) adoptedBySweep(ctx context.Context, regions []string) (plan.Adopted, error) {
	adopted, err := a.cloud.RecallAdopted(ctx, a.deployment.HomeRegion)
	if err != nil || adopted.Unreadable != "" || adopted.Note.Known {
		return adopted, err
	}
	for _, name := range []string{a.reconciler.Want.TrailMemory(), a.reconciler.Want.RetentionMemory(), a.reconciler.Want.FindingsMemory()} {
		note, err := a.cloud.Recall(ctx, a.deployment.HomeRegion, name)
		if err != nil && remedy.ClassOf(err).Retry() {
			return adopted, err
		}
		if err != nil || note.Known || note.Foreign != "" {
			return adopted, nil //nolint:nilerr // what cannot be read may be something
		}
	}
	for _, s := range a.scopes(Request{Kinds: adopting}, regions) {
		adopted.Pending = append(adopted.Pending, s.String())
	}
	return adopted, nil
}

// adopt remembers what a sweep relies on that others made, and reports it. What the
// sweep could not observe stays pending. It also reports a memory that somebody else
// wrote or that cannot be used.
func (a *App) adopt(ctx context.Context, with remedy.Reconciler, reports []remedy.Report) {
	if with.Forgets || len(reports) == 0 {
		return
	}
	adopted, err := with.Adopted(ctx)
	if err != nil {
		a.log.Error("adopted memory", "class", remedy.ClassOf(err).String(), "error", err.Error())
		return
	}
	parameter, note := with.Want.AdoptedMemory(), adopted.Note
	switch {
	case adopted.Unreadable != "":
		reports[0].Plan.Add(plan.NewFinding(plan.MemoryUnusable, plan.Args{"parameter": parameter, "error": adopted.Unreadable}))
		return
	case note.Foreign != "":
		reports[0].Plan.Add(plan.NewFinding(plan.MemoryForeign, plan.Args{"parameter": parameter, "by": note.Foreign}))
	}
	before := adopted.Resources
	for _, r := range reports {
		if scope := r.Scope.String(); r.Err == nil && slices.Contains(adopted.Pending, scope) {
			adopted.Resources = adopted.Resources.With(r.Plan.Adopts.Without(with.Want.Adopt))
			adopted.Pending = slices.DeleteFunc(slices.Clone(adopted.Pending), func(s string) bool { return s == scope })
		}
	}
	text := adopted.Encode()
	if text == note.Text && note.Foreign == "" {
		return
	}
	if err := a.cloud.Remember(ctx, a.deployment.HomeRegion, parameter, text); err != nil {
		a.log.Error("adopted memory", "class", remedy.ClassOf(err).String(), "error", err.Error())
		return
	}
	if fresh := adopted.Resources.Without(before); !fresh.Empty() {
		do := plan.Adopt{Parameter: parameter, Resources: fresh, Reason: "the first sweep found them; to rely on less, run relight accept --remove " + fresh.Flags()}
		reports[0].Plan.Actions = append(reports[0].Plan.Actions, do)
		reports[0].Outcomes = append(reports[0].Outcomes, remedy.Outcome{Action: do})
	}
}
