package app

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"

	"github.com/relight-aws/relight/internal/awsio"
	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/plan"
	"github.com/relight-aws/relight/internal/remedy"
)

// handOver is the Applier of the deployed sweep. For kinds that only their own
// function may repair, it invokes that function. The function observes and
// plans by itself, so it receives only the kind.
type handOver struct {
	remedy.Applier
	hub *awsio.Cloud
}

// Apply applies the actions, or invokes the function that is allowed to.
func (h handOver) Apply(ctx context.Context, s remedy.Scope, actions []plan.Action) []remedy.Outcome {
	if !s.Kind.HandsOver() {
		return h.Applier.Apply(ctx, s, actions)
	}
	err := h.hub.HandOver(ctx, h.hub.Want.HomeRegion, catalog.HandOver{Repair: s.Kind, Account: s.Account})
	outcomes := make([]remedy.Outcome, len(actions))
	for i, a := range actions {
		outcomes[i] = remedy.Outcome{Action: a, Err: err}
	}
	return outcomes
}

// handedOver reports whether raw is another function's request to repair a kind, and
// returns it.
func handedOver(raw []byte) (catalog.HandOver, bool) {
	var req catalog.HandOver
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	err := dec.Decode(&req)
	return req, err == nil && req.Repair != ""
}

// handleHandOver repairs everything of a kind. If the sweep may not, it asked for
// the repair and sends the notification. It uses no brake, because the brake leaves
// targets to the sweep, and this repair takes the place of one.
func (a *App) handleHandOver(ctx context.Context, req catalog.HandOver) error {
	k := req.Repair
	s := remedy.Scope{Account: cmp.Or(req.Account, a.deployment.Account), Region: a.deployment.HomeRegion, Kind: k}
	if reason := a.handles(s, true); reason != "" {
		return fmt.Errorf("repair %s: %s", s, reason)
	}
	unbraked := a.of(s.Account).reconciler
	unbraked.Applier = a.of(s.Account).cloud
	rep, err := a.run(ctx, timeFor(ctx, 0), unbraked, s, catalog.Repair)
	if !k.HandsOver() {
		unsent := a.reporter.Notify(ctx, map[remedy.Scope]bool{s: a.aboutSweep(rep)}, rep)
		if unsent != nil {
			a.reporter.RecordUnsent(ctx, unsent, a.now())
		}
	}
	return err
}

// aboutSweep reports whether a run has found something about the sweep's function of
// which this process has not notified people. What a sweep finds, it reports itself; that
// it was replaced or deleted, no sweep can be relied on to report.
func (a *App) aboutSweep(rep remedy.Report) bool {
	fresh := false
	sweep := a.reconciler.Want.FunctionName(catalog.Backfill)
	for _, f := range rep.Plan.Findings {
		if about := f.String(); f.Subject == "function "+sweep && !a.found[about] {
			if a.found == nil {
				a.found = map[string]bool{}
			}
			a.found[about], fresh = true, true
		}
	}
	return fresh
}
