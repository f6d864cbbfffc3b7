package app

import (
	"context"
	"time"

	"github.com/relight-aws/relight/internal/awsio"
	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/plan"
	"github.com/relight-aws/relight/internal/remedy"
)

// These limit how long a function waits while another checks relight's own stack.
const (
	guardTime = 15 * time.Second // for the guard's function, whose check takes about two seconds
	spareTime = 5 * time.Second  // of a function's time; with less left, the next batch has the stack checked
)

// checkGuard has another function check relight's own stack after this function has
// handled events, once in each interval between sweeps. So nobody can silence relight
// by cutting both paths to the guard, its queue and the schedules: any event that
// still reaches any function starts a check all the same, and the check restores both.
//
// The guard's function checks. If it does not answer, the sweep's function does. If
// that one does not answer either, people are notified: nothing restores the stack.
// While a storm uses up the concurrency of the region, the next batch asks again.
func (a *App) checkGuard(ctx context.Context) {
	interval := time.Duration(a.config.SweepMinutes) * time.Minute
	deadline, limited := ctx.Deadline()
	if !a.checksGuard || a.config.Mode(catalog.Guard) == catalog.Off || a.now().Sub(a.guardChecked) < interval || limited && time.Until(deadline) < spareTime {
		return
	}
	a.guardChecked = a.now()
	s := remedy.Scope{Account: a.deployment.Account, Region: a.deployment.HomeRegion, Kind: catalog.Guard}
	waiting, cancel := context.WithTimeout(ctx, guardTime)
	defer cancel()
	guard := a.cloud.CheckGuard(waiting, s.Region)
	if guard == nil {
		return
	}
	sweep := a.cloud.SweepKind(ctx, s.Region, s.Kind)
	if sweep == nil {
		a.log.Warn("the guard's function did not answer, so the sweep's function checked relight's own stack", "error", guard.Error())
		return
	}
	if awsio.Crowded(guard) || awsio.Crowded(sweep) {
		a.guardChecked = time.Time{}
		a.log.Warn("nothing checked relight's own stack, because the concurrency of Lambda is used up", "error", sweep.Error())
		return
	}
	rep := remedy.Report{Scope: s, Mode: catalog.Repair}
	rep.Plan.Add(plan.NewFinding(plan.GuardSilent, plan.Args{"guard": guard.Error(), "sweep": sweep.Error()}))
	unsent := a.reporter.Notify(ctx, map[remedy.Scope]bool{s: true}, rep)
	a.reporter.Record(ctx, rep, unsent, a.now())
}
