package app

import (
	"context"
	"slices"
	"time"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/plan"
	"github.com/relight-aws/relight/internal/remedy"
)

// adopting lists the kinds that may rely on what others made.
var adopting = []catalog.Kind{catalog.FlowLogs, catalog.LogGroups, catalog.Alarms}

// firstWithin is how long after the creation of its stack a sweep may be the first of
// a deployment: the schedule starts one as soon as the stack is there.
func firstWithin(g catalog.GuardSpec) time.Duration {
	return max(30*time.Minute, 2*time.Duration(g.SweepMinutes)*time.Minute)
}

// adoptedBySweep reads what relight relies on that others made. The first sweep of a
// deployment adopts what it finds: then every scope is pending.
func (a *App) adoptedBySweep(ctx context.Context, p *parts, regions []string) (plan.Adopted, error) {
	adopted, err := p.cloud.RecallAdopted(ctx, a.deployment.HomeRegion)
	if err != nil || adopted.Note.Known {
		return adopted, err
	}
	if adopted.First, err = a.first(ctx, p); err != nil || !adopted.First {
		return adopted, err
	}
	adopted.Unreadable = "" // an earlier deployment wrote it
	for _, s := range a.scopes(p, Request{Kinds: adopting}, regions) {
		adopted.Pending = append(adopted.Pending, s.String())
	}
	return adopted, nil
}

// A beginning is the Applier of a sweep, which may be a first one.
type beginning struct {
	remedy.Applier
	begin func()
}

// Apply applies the actions, after begin if one of them remembers something.
func (b *beginning) Apply(ctx context.Context, s remedy.Scope, actions []plan.Action) []remedy.Outcome {
	if slices.ContainsFunc(actions, plan.Remembers) {
		b.begin()
	}
	return b.Applier.Apply(ctx, s, actions)
}

// begin remembers that a first sweep has everything to adopt, before a run of it remembers
// anything: if the sweep ends early, the next one is no first one, and would make relight's own
// beside what others made.
func (a *App) begin(ctx context.Context, p *parts, adopted func() (plan.Adopted, error)) {
	first, err := adopted()
	if err != nil || !first.First {
		return
	}
	if err := p.cloud.Remember(ctx, a.deployment.HomeRegion, p.cloud.Want.AdoptedMemory(), first.Encode()); err != nil {
		a.log.Error("adopted memory", "class", remedy.ClassOf(err).String(), "error", err.Error())
	}
}

// first reports whether no sweep of this deployment has been. That nothing is
// remembered proves nothing, since anybody may delete a parameter: relight's stack has
// to be new as well, or in a guarded account the role that lets relight in. Only whoever
// replaces these can change when they were created. Before a deployment, a plan shows what
// its first sweep would do.
func (a *App) first(ctx context.Context, p *parts) (bool, error) {
	want := p.cloud.Want
	if p.guarded() || a.deployment.Topic != "" || a.deployment.Schedule != "" {
		created, err := p.created(ctx)
		if err != nil && remedy.ClassOf(err).Retry() {
			return false, err
		}
		if err != nil || a.now().Sub(created) > firstWithin(want.Guard) {
			return false, nil //nolint:nilerr // a stack that cannot be read, or is gone, counts as old
		}
	}
	remembered := []string{want.AdoptedMemory(), want.TrailMemory()}
	if !p.guarded() { // of which relight remembers findings before it lets the hub in: that it does not
		remembered = append(remembered, want.FindingsMemory())
	}
	for _, name := range remembered {
		note, err := p.cloud.Recall(ctx, a.deployment.HomeRegion, name)
		if err != nil && remedy.ClassOf(err).Retry() {
			return false, err
		}
		if err != nil || note.Known {
			return false, nil //nolint:nilerr // what cannot be read may be something
		}
	}
	return true, nil
}

// adopt remembers what a sweep relies on that others made, and reports it, and the
// retentions that it saw: no later sweep learns a shorter one. What the sweep could not
// observe stays pending. It also reports a memory that somebody else wrote, that
// somebody deleted or that cannot be used.
func (a *App) adopt(ctx context.Context, p *parts, with remedy.Reconciler, reports []remedy.Report) {
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
	case note.Missing() && !adopted.First:
		reports[0].Plan.Add(missing(parameter, "Now relight relies on nothing that others made, and makes its own. It remembers the retentions and its own functions as they are: compare those of the log groups with what you expect, and look for calls that changed the functions"))
	}
	before := adopted.Resources
	for _, r := range reports {
		if r.Err == nil {
			adopted.Floors = adopted.Floors.Raise(r.Plan.Kept)
			adopted.Functions = adopted.Functions.With(r.Plan.Functions)
		}
		if scope := r.Scope.String(); r.Err == nil && slices.Contains(adopted.Pending, scope) {
			adopted.Resources = adopted.Resources.With(r.Plan.Adopts.Without(with.Want.Adopt))
			adopted.Pending = slices.DeleteFunc(slices.Clone(adopted.Pending), func(s string) bool { return s == scope })
		}
	}
	adopted.Memories = written(with, adopted.Memories, reports)
	text := adopted.Encode()
	if text == note.Text && note.Foreign == "" {
		return
	}
	if err := p.cloud.Remember(ctx, a.deployment.HomeRegion, parameter, text); err != nil {
		a.log.Error("adopted memory", "class", remedy.ClassOf(err).String(), "error", err.Error())
		return
	}
	if fresh := adopted.Resources.Without(before); !fresh.Empty() {
		do := plan.Adopt{Parameter: parameter, Resources: fresh, Reason: "the first sweep found them; to rely on less, run relight accept --remove " + fresh.Flags()}
		reports[0].Plan.Actions = append(reports[0].Plan.Actions, do)
		reports[0].Outcomes = append(reports[0].Outcomes, remedy.Outcome{Action: do})
	}
}

// written returns which of the memories besides the adopted one exist after a sweep,
// given those that existed before, and reports those that were deleted since.
func written(with remedy.Reconciler, before []string, reports []remedy.Report) []string {
	now := slices.Clone(before)
	for _, r := range reports {
		if r.Err != nil || r.Plan.Memory == nil {
			continue
		}
		name, known := with.Want.TrailMemory(), slices.Contains(before, with.Want.TrailMemory())
		wrote := slices.ContainsFunc(r.Outcomes, func(o remedy.Outcome) bool { return o.Err == nil && plan.Remembers(o.Action) })
		if known && r.Plan.Memory.Missing() {
			reports[0].Plan.Add(missing(name, "Now relight remembers the trail as it is: compare its bucket, key, role and topic with what you expect"))
			now = slices.DeleteFunc(now, func(n string) bool { return n == name && !wrote }) // reported once
		}
		if !known && (r.Plan.Memory.Known || wrote) {
			now = append(now, name)
		}
	}
	return now
}

// missing reports a memory that somebody deleted.
func missing(parameter, lost string) plan.Finding {
	return plan.NewFinding(plan.MemoryMissing, plan.Args{"parameter": parameter, "lost": lost})
}
