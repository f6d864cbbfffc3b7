package app

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/plan"
	"github.com/relight-aws/relight/internal/remedy"
)

// quiet reports whether people may be notified of a run later, together with others: a
// notification about the place was sent a moment ago, or only the record that is still to come
// says who it was; everything is restored, and nothing else is new. What is about relight's stack and
// its way to people does not wait; what is about its alarms does.
func (a *App) quiet(rep remedy.Report) bool {
	now := a.now()
	if !a.defers() || rep.Scope.Kind == catalog.Topics || rep.Scope.Kind == catalog.Guard {
		return false
	}
	b := a.backlogs.at(rep.Scope, now)
	if slices.ContainsFunc(rep.Causes, a.others) && (b.notified.IsZero() || now.Sub(b.notified) >= oneMessage) {
		return false
	}
	if rep.Repaired() == 0 || rep.Failures() != nil || len(rep.Remaining) > 0 && !left(rep) || rep.Pause != nil || len(rep.Learned()) > 0 {
		return false
	}
	return !slices.ContainsFunc(sayings(rep), func(s string) bool { return !b.told(s, now) })
}

// reportOr records a run and notifies people of it, or puts that off: because people were
// notified of the same a moment ago, or because somebody undoes the repair while it is made,
// and the events of that are still to come. It returns the run, or the one that repeated it.
func (a *App) reportOr(ctx context.Context, in intake, rep remedy.Report) remedy.Report {
	later := func() remedy.Report {
		a.reporter.Record(ctx, rep, nil, a.now())
		return rep
	}
	again := func() { // nothing else restores what was left to others
		rep = a.check(ctx, timeFor(ctx, 0), a.of(rep.Scope.Account).reconciler, rep.Scope, catalog.Repair, rep.Causes...)
	}
	if (len(in.deferrals) == 0 || in.storm(rep.Scope) && !slices.ContainsFunc(rep.Causes, a.others)) && a.quiet(rep) && a.mail(ctx, in, rep, a.deeds(rep)) || a.undone(rep) && a.lookLater(ctx, in, rep) {
		return later()
	}
	if a.defers() && leftAll(rep) {
		if a.mail(ctx, in, rep, nil) {
			return later()
		}
		again()
	}
	rep.Undone = len(in.deferrals) > 0 && a.unnamed(rep)
	if (rep.Undone || in.storm(rep.Scope) && onlyEarlier(rep)) && a.ask(ctx, in, rep) {
		return later()
	}
	if a.defers() && left(rep) && !a.mail(ctx, in, rep, nil) {
		again()
	}
	if a.report(ctx, rep) == nil && (rep.Undone || rep.Repaired()+len(rep.Earlier)+len(sayings(rep)) > 0) {
		a.noteNotified(in, rep)
	}
	return rep
}

// unnamed reports whether a run found undone what somebody had done to relight's own alarms
// or filters, or to what a protection depends on, whom no message has named. Other runs
// restored it, and knew of other callers.
func (a *App) unnamed(rep remedy.Report) bool {
	if rep.Scope.Kind == catalog.Guard || rep.Repaired()+len(rep.Earlier) > 0 || rep.Failures() != nil || len(rep.Remaining) > 0 {
		return false
	}
	b := a.backlogs.at(rep.Scope, a.now())
	return slices.ContainsFunc(rep.Causes, func(c remedy.Cause) bool {
		names := append(c.Names.List(), c.Parts.List()...)
		if rep.Scope.Kind == catalog.LogGroups { // the log group of flow logs has relight's prefix and is another kind's
			names = slices.DeleteFunc(c.Parts.List(), func(name string) bool { return !strings.HasPrefix(name, a.reconciler.Want.Name("")) })
		}
		return a.others(c) && !b.told("by "+c.Actor, a.now()) && slices.ContainsFunc(names, func(name string) bool {
			return strings.HasPrefix(name, a.reconciler.Want.Name("")) || slices.Contains(rep.Plan.Touched, name)
		})
	})
}

// mail has a scope checked and people notified of deeds later. It reports whether they will
// be. Events that come meanwhile are handled all the same.
func (a *App) mail(ctx context.Context, in intake, rep remedy.Report, done []deed) bool {
	now := a.now()
	b, due := a.backlogs.at(rep.Scope, now), dueAfter(now, mailRound)
	if len(done) == 0 && now.Before(b.checkDue) && b.check.Covers(rep.Scope) {
		return true
	}
	later, known := &deferral{Since: begun(now), Mail: true, Whole: true, Deeds: fewer(done)}, len(done) > 0 && now.Before(b.mail)
	if len(done) > 0 && !slices.ContainsFunc(rep.Causes, a.others) {
		later.Asked = 1
	}
	for _, l := range in.looks {
		if rep.Scope.Covers(l.scope) {
			l.scope = a.widened(l.scope)
			known = known && b.mails(l)
			later.event(l)
			a.attribute(later, l, now)
		}
	}
	switch {
	case known && b.bare: // another process may get that message, and then knows of no deeds
		due = b.mail
	case known:
		b.deeds = fewer(append(b.deeds, done...))
		return true
	}
	if !a.post(ctx, later, due) {
		return false
	}
	if len(done) == 0 {
		b.check, b.checkDue = a.widened(rep.Scope), due
	}
	b.mail, b.mailed, b.bare = due, later.looks, len(done) == 0
	return true
}

// onlyEarlier reports whether all that is to be said of a run is what earlier ones did.
func onlyEarlier(rep remedy.Report) bool {
	return len(rep.Earlier) > 0 && rep.Repaired() == 0 && rep.Failures() == nil && len(rep.Remaining) == 0 && len(sayings(rep)) == 0
}

// ask puts a run's notification off that would only name callers and what they had changed:
// the process that restored it may get it, and has notified people. It reports whether it did.
func (a *App) ask(ctx context.Context, in intake, rep remedy.Report) bool {
	now := a.now()
	later := &deferral{Since: begun(now), Mail: true, Whole: true, More: rep.More, Deeds: a.deeds(rep)}
	for _, d := range in.deferrals {
		later.Asked = max(later.Asked, d.Asked)
	}
	for _, l := range in.looks {
		if rep.Scope.Covers(l.scope) {
			later.event(l)
		}
	}
	return later.Asked < mostAsked && a.pass(ctx, later)
}

// pass sends a deferral to the other process, which gets it because this one stays busy
// until then. It reports whether that succeeded.
func (a *App) pass(ctx context.Context, d *deferral) bool {
	d.Asked++
	if !a.post(ctx, d, a.now().Add(time.Second)) {
		return false
	}
	a.passed = true
	return true
}

// flush sends what this process has kept for a notification that has come meanwhile without
// it.
func (a *App) flush(ctx context.Context) {
	now := a.now()
	for _, b := range a.backlogs {
		if len(b.deeds) == 0 || len(b.mailed) == 0 || now.Before(b.mail) || len(b.covers) > 0 || b.lasts(now) {
			continue
		}
		later := &deferral{Since: begun(now), Mail: true, Whole: true, Deeds: b.deeds}
		for _, l := range b.mailed {
			later.event(l)
		}
		if due := dueAfter(now, mailRound); a.post(ctx, later, due) {
			b.deeds, b.mail = nil, due
		}
	}
}

// lookLater has a run's scope checked later. It reports whether it will be: not for ever.
func (a *App) lookLater(ctx context.Context, in intake, rep remedy.Report) bool {
	now := a.now()
	b := a.backlogs.at(rep.Scope, now)
	later, known := &deferral{Deeds: a.deeds(rep), More: rep.More, Whole: true}, len(b.covers) > 0
	if now.Sub(b.since) < b.patience {
		later.Since, later.Round = b.since, b.round
	}
	for _, d := range in.deferrals {
		if later.Since.IsZero() || d.Since.Before(later.Since) {
			later.Since = d.Since
		}
		later.Round = max(later.Round, d.Round)
	}
	if !later.Since.IsZero() && now.Sub(later.Since) >= patienceFor(rep.Scope.Kind) {
		return false
	}
	for _, l := range in.looks {
		if rep.Scope.Covers(l.scope) {
			l.scope = a.widened(l.scope)
			known = known && b.knows(l, a.followsWrite(l.cause))
			b.put(l)
			later.event(l)
		}
	}
	if known && len(later.Deeds) == 0 && !later.Since.Before(b.since) {
		b.more += later.More
		return true
	}
	later.again = len(in.deferrals) > 0
	return a.putOff(ctx, later)
}

// left reports whether all that the verification of a run still found to do was left to other
// runs.
func left(rep remedy.Report) bool {
	tried := func(r plan.Action) bool {
		return slices.ContainsFunc(rep.Outcomes, func(o remedy.Outcome) bool { return plan.Key(o.Action) == plan.Key(r) })
	}
	return len(rep.Remaining) > 0 && len(rep.Outcomes) < len(rep.Plan.Actions) && !slices.ContainsFunc(rep.Remaining, tried)
}

// leftAll reports whether a run has left everything to other runs.
func leftAll(rep remedy.Report) bool {
	return rep.Mode == catalog.Repair && rep.Err == nil && rep.Pause == nil && len(rep.Plan.Actions) > 0 && len(rep.Outcomes) == 0
}

// undone reports whether AWS accepted every repair of a run and its verification did not
// find all of it: somebody undid it, or a read came too early.
func (a *App) undone(rep remedy.Report) bool {
	return a.defers() && len(rep.Remaining) > 0 && !left(rep) && rep.Failures() == nil && rep.Pause == nil && rep.Scope.Kind != catalog.Topics && rep.Scope.Kind != catalog.Guard
}
