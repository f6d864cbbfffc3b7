package app

import (
	"context"
	"slices"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/plan"
	"github.com/relight-aws/relight/internal/remedy"
)

// paused reads whether relight is paused. Nothing of it is kept between runs: a pause, and
// its end, count for the next run.
func (a *App) paused(ctx context.Context) (*remedy.Pause, []plan.Finding) {
	return a.cloud.Paused(ctx, a.deployment.HomeRegion)
}

// aboutPause reports whether an event names the parameter that pauses relight.
func (a *App) aboutPause(s remedy.Scope) bool {
	want := a.reconciler.Want
	return want.Has(catalog.KeyPause) && s.Account == want.Account && s.Type == catalog.Parameter && slices.Contains(s.Names.List(), want.PauseParameter())
}

// startSweep has everything swept after somebody wrote the parameter that pauses relight.
// The sweep notifies people of the pause, or restores what there is to restore at its
// end. If no sweep starts, the schedule's does both.
func (a *App) startSweep(ctx context.Context) error {
	err := a.cloud.StartSweep(ctx, a.deployment.HomeRegion)
	if err != nil {
		a.log.Error("no sweep after a pause was written", "class", remedy.ClassOf(err).String(), "error", err.Error())
	}
	return err
}

// mark sets the pause on the reports of a sweep that it covers, also where nothing had to be
// restored, and adds what a person should know of the parameter to the first one that restores.
func (a *App) mark(pause *remedy.Pause, found []plan.Finding, reports []remedy.Report) {
	for i, r := range reports {
		if pause.Covers(r.Scope.Kind, r.Scope.Region) && a.config.Mode(r.Scope.Kind) == catalog.Repair {
			reports[i].Pause = pause
		}
	}
	if len(reports) == 0 {
		return
	}
	first := max(0, slices.IndexFunc(reports, func(r remedy.Report) bool { return r.Mode == catalog.Repair }))
	reports[first].Plan.Add(found...)
	for _, f := range found {
		a.log.Warn("finding", "scope", reports[first].Scope.String(), "code", string(f.Code), "finding", f.String())
	}
}

// pauseKey is where marks have the pause of which people were notified, as one line. The
// account of a scope comes before it.
const pauseKey = "/pause"

// pauseNews makes a pause of which no sweep has notified people news of the first report
// that it covers, and the end of one that people know news of the first report. It updates
// the marks. Only a sweep of everything is one after a pause.
func (a *App) pauseNews(before, now marks, fresh map[remedy.Scope]bool, reports []remedy.Report, whole bool) {
	key := a.deployment.Account + pauseKey
	known := before[key]
	i := slices.IndexFunc(reports, func(r remedy.Report) bool { return r.Pause != nil })
	switch {
	case i >= 0 && !slices.Contains(known, reports[i].Pause.String()):
		now[key] = []string{reports[i].Pause.String()}
		fresh[reports[i].Scope] = true
	case i < 0 && len(known) > 0 && whole && !unreadPause(reports):
		delete(now, key)
		reports[0].Ended = known[0]
		fresh[reports[0].Scope] = true
	}
}

// firstPaused returns the scope of the first report that a pause covers. That a guarded
// account is paused, the report of the hub says.
func (p *parts) firstPaused(reports []remedy.Report) map[remedy.Scope]bool {
	fresh := map[remedy.Scope]bool{}
	if p.guarded() {
		return fresh
	}
	if i := slices.IndexFunc(reports, func(r remedy.Report) bool { return r.Pause != nil }); i >= 0 {
		fresh[reports[i].Scope] = true
	}
	return fresh
}

// unreadPause reports whether a sweep could not read whether relight is paused.
func unreadPause(reports []remedy.Report) bool {
	return slices.ContainsFunc(reports, func(r remedy.Report) bool {
		return slices.ContainsFunc(r.Plan.Findings, func(f plan.Finding) bool { return f.Code == plan.PauseUnread })
	})
}
