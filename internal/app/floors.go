package app

import (
	"context"

	"github.com/relight-aws/relight/internal/plan"
	"github.com/relight-aws/relight/internal/remedy"
)

// floors reads the longest retentions that sweeps have seen.
func (a *App) floors(ctx context.Context) (plan.Floors, error) {
	return a.cloud.RecallFloors(ctx, a.deployment.HomeRegion)
}

// learned is what a sweep found of the memory of retentions.
type learned struct {
	read  bool // and it could be used
	note  plan.Note
	wrote bool
}

// learn remembers the retentions that a sweep saw, if one is longer than before, and
// reports a memory that somebody else wrote or that cannot be used. No later sweep
// learns a shorter one.
func (a *App) learn(ctx context.Context, with remedy.Reconciler, reports []remedy.Report) (got learned) {
	var seen []plan.Kept
	for _, r := range reports {
		if r.Err == nil {
			seen = append(seen, r.Plan.Kept...)
		}
	}
	if with.Forgets || len(seen) == 0 {
		return got
	}
	floors, err := with.Floors(ctx)
	if err != nil {
		a.log.Error("retention memory", "class", remedy.ClassOf(err).String(), "error", err.Error())
		return got
	}
	adopted, err := with.Adopted(ctx)
	if err == nil && adopted.First {
		floors = floors.Afresh()
	}
	parameter := with.Want.RetentionMemory()
	if floors.Unreadable != "" {
		reports[0].Plan.Add(plan.NewFinding(plan.MemoryUnusable, plan.Args{"parameter": parameter, "error": floors.Unreadable}))
	} else if floors.Note.Foreign != "" {
		reports[0].Plan.Add(plan.NewFinding(plan.MemoryForeign, plan.Args{"parameter": parameter, "by": floors.Note.Foreign}))
	}
	got.read, got.note = floors.Unreadable == "", floors.Note
	text := floors.Raise(seen)
	if text == "" {
		return got
	}
	if err := a.cloud.Remember(ctx, a.deployment.HomeRegion, parameter, text); err != nil {
		a.log.Error("retention memory", "class", remedy.ClassOf(err).String(), "error", err.Error())
		return got
	}
	got.wrote = true
	return got
}
