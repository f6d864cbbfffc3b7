package app

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/remedy"
)

// In a storm, events arrive faster than relight may restore. A function then puts events
// off: it sends one message to its own queue that comes back after a delay, and drops
// whatever the check that this message leads to will cover. So a storm costs a check or
// two instead of one for each event, and one notification instead of many. What is to be
// checked, and who called, is in the queue meanwhile. In the memory of a process alone are how
// many further calls there were, and details of what was restored, which the log has, too.
const (
	stormRuns   = 3 // checks of one place within stormWithin make a storm
	stormWithin = 2 * time.Second
	slowRuns    = 12 // within stormFull make one, too, and so does a full batch after three others, or two of alarms
	stormFull   = 10 * time.Second
	firstDelay  = 2 * time.Second        // of an event that is put off; each further time is four times as long
	mostDelay   = 16 * time.Second       // each time
	passTime    = 3 * time.Second        // for which a process is busy after it has passed a message to the other one
	stormShare  = 200 * time.Millisecond // for which a process that drops events leaves the next ones to the other
	stormCalm   = 2 * time.Second        // without an event, and the storm is over
	stormEchoes = time.Minute            // after one, in which what follows relight's own writes is put off
	oneLag      = time.Second            // longer than an observation and the first repair after it
	mostLags    = 6                      // lags that a process that knows no other may have, before its check
	sinceStep   = mostDelay              // so that what two processes put off at about the same time is equally old
	lookMargin  = 3 * time.Second        // by which a call is older than an observation that shows its effect
	mostPutOff  = 80 * time.Second       // altogether, however long the storm lasts
	guardPutOff = 30 * time.Second       // likewise for what relight itself consists of, and its way to people
	sweepLag    = 3 * time.Second        // of a sweep, which gives way to every run for events
	manyWrites  = 4                      // filters or alarms to restore, for which a sweep first waits whether an event's run does it
	mailRound   = 1                      // of the notification of a run that is put off: it waits about 8 seconds
	oneMessage  = 2 * time.Minute        // after a notification, the next ones about the place wait to become one
)

// patienceFor returns how long events of a kind may be put off altogether. What relight
// itself consists of, and its way to people, waits less.
func patienceFor(k catalog.Kind) time.Duration {
	if k == catalog.Topics || k == catalog.Guard {
		return guardPutOff
	}
	return mostPutOff
}

// followsWrite reports whether an event follows a write of relight's own: its record, or an
// event of CloudWatch's own, which follows any other change, too. Nobody is to be named for it.
func (a *App) followsWrite(c remedy.Cause) bool { return c.Actor == "" || a.ownWrite(c) }

// others reports whether somebody else made a call.
func (a *App) others(c remedy.Cause) bool { return !a.followsWrite(c) }

// widened returns the scope that is checked in a storm on a scope: all of relight's own
// alarms or filters, which costs no more calls than one of them, and whatever the scope
// names.
func (a *App) widened(s remedy.Scope) remedy.Scope {
	if s.Kind == catalog.FlowLogs {
		return s.Everything()
	}
	if s.Type == catalog.FilteredGroup {
		s.Type = catalog.LogGroup
	}
	want := a.reconciler.Want
	var own []string
	switch s.Type {
	case catalog.Alarm, catalog.Filter:
		for _, c := range slices.Concat(want.Controls, want.FlowLogControls) {
			own = append(own, want.Name(c.ID))
		}
	}
	if s.Type == catalog.Alarm {
		for _, row := range want.OwnAlarms() {
			own = append(own, want.Name(row.ID))
		}
	}
	names := append(s.Names.List(), own...)
	if s.Names != "" && len(names) <= remedy.MaxNames {
		s.Names = remedy.NamesOf(names...)
	}
	return s
}

// defers reports whether this function puts events off.
func (a *App) defers() bool { return a.deployment.Queue != "" }

// ease takes from a batch what needs no check of its own:
//
//   - what a check shows that was made, or is still to come, is dropped, if people read who
//     it was;
//   - what comes in a storm is put off;
//   - what was put off is put off again while its storm lasts.
//
// If nothing can be put off, everything is checked.
func (a *App) ease(ctx context.Context, in intake, full bool) intake {
	if !a.defers() {
		return in
	}
	e := easing{App: a, now: a.now(), full: full, out: in, later: &deferral{}, due: map[place]bool{}}
	e.out.looks, e.out.deferrals = nil, nil
	for _, d := range in.deferrals {
		e.deferral(ctx, d)
	}
	for _, l := range in.looks {
		e.event(l)
	}
	if e.dropped {
		_ = sleep(ctx, stormShare)
	}
	if len(e.later.Events) > 0 && !a.putOff(ctx, e.later) {
		e.out.looks, e.out.deferrals = append(e.out.looks, e.later.looks...), append(e.out.deferrals, e.later.from...)
	}
	return e.out
}

// An easing is the work of ease on one batch.
type easing struct {
	*App
	now     time.Time
	full    bool           // the batch has as many messages as it can have
	out     intake         // what is to be checked
	later   *deferral      // what is put off
	due     map[place]bool // where something was put off that is to be checked now
	dropped bool           // some events, because a check is still to come
}

func (e *easing) at(l look) *backlog { return e.backlogs.at(l.scope, e.now) }

// deferral decides about what was put off before.
func (e *easing) deferral(ctx context.Context, d *deferral) {
	e.meet(d.From, e.now)
	first := e.at(d.looks[0])
	had := len(d.Deeds) > 0 || d.Asked > 0
	if e.gather(d, e.now); d.Mail && had && len(d.Deeds) == 0 {
		unknown := func(l look) bool { return e.others(l.cause) && !e.at(l).told("by "+l.cause.Actor, e.now) }
		if !slices.ContainsFunc(d.looks, unknown) {
			return
		}
	}
	if len(d.Deeds) == 0 && !slices.ContainsFunc(d.looks, func(l look) bool { return !e.at(l).saw(l, d.Due, e.followsWrite(l.cause)) }) {
		return
	}
	known := len(first.covers) > 0 && !slices.ContainsFunc(d.looks, func(l look) bool { // by another one, no younger, that leads to the same check
		return !d.Mail && d.Since.Before(e.at(l).oldest) || !e.at(l).knows(l, e.followsWrite(l.cause))
	})
	if d.Asked > 0 && d.Asked < mostAsked && !known && e.pass(ctx, d) {
		return
	}
	switch ends := e.ends(d); {
	case known && (d.Asked > 0 || !ends):
		first.absorb(d)
	case ends:
		for _, l := range d.looks {
			b := e.at(l)
			b.clear()
			b.give(d)
			if e.due[placeOf(l.scope)] = true; !d.Mail {
				b.kept = nil
			}
		}
		e.out.looks, e.out.deferrals = append(e.out.looks, d.looks...), append(e.out.deferrals, d)
	default:
		lasts := len(first.covers) > 0 || first.lasts(e.now)
		if d.Mail { // events were not put off with it
			if d.Since = begun(e.now); lasts {
				d.Since = first.since
			}
		}
		if e.later.add(d); lasts && first.since.Before(e.later.Since) {
			e.later.Since = first.since
		}
		for _, l := range slices.Clone(d.looks) {
			e.at(l).give(d)
			e.at(l).putAll(e.later, l)
		}
	}
}

// ends reports whether what was put off is to be checked now: its storm is over, it has
// waited long enough, or it is a notification and there is no storm here.
func (e *easing) ends(d *deferral) bool {
	first := e.at(d.looks[0])
	seen := func(l look) bool { return e.now.Sub(e.at(l).seen) < stormCalm }
	lasts := e.now.Sub(e.busyUntil) < stormCalm || slices.ContainsFunc(d.looks, seen)
	waited := e.now.Sub(d.Since)
	return !lasts || waited >= patienceFor(d.looks[0].scope.Kind) || waited < 0 || d.Mail && len(first.covers) == 0 && !first.lasts(e.now)
}

// event decides about one look that an event asks for.
func (e *easing) event(l look) {
	b, own := e.at(l), e.followsWrite(l.cause)
	skip := func(why string) {
		e.log.Info("skipped event", "event_id", l.cause.EventID, "event", l.cause.EventName, "actor", l.cause.Actor, "reason", l.scope.String()+": "+why)
	}
	if !own {
		b.seen, b.latest = e.now, &l
	}
	switch {
	case e.due[placeOf(l.scope)]:
		e.out.looks = append(e.out.looks, l)
	case !l.cause.Time.IsZero() && b.saw(l, l.cause.Time.Add(lookMargin), own):
		skip("a check that began after the call covers it")
	case len(b.covers) > 0 && b.knows(l, own):
		if e.dropped = true; !own { // what follows relight's own writes is no further call of anybody's
			b.more++
		}
		skip("a check that is still to come covers it")
	case len(b.covers) > 0, b.busy(e.now, e.full, l.scope.Kind), own && e.now.Sub(b.stormed) < stormEchoes:
		if e.later.Whole = true; b.lasts(e.now) {
			if e.later.Since.IsZero() || b.since.Before(e.later.Since) {
				e.later.Since = b.since
			}
			e.later.Round = max(e.later.Round, b.round)
		}
		l.scope = e.widened(l.scope)
		b.putAll(e.later, l)
		skip("put off, to be checked with others")
	default:
		e.out.looks = append(e.out.looks, l)
	}
}

// begun returns since when something is put off that is put off now.
func begun(now time.Time) time.Time { return now.UTC().Truncate(sinceStep) }

// putOff sends what is put off to the function's own queue. It reports whether that
// succeeded.
func (a *App) putOff(ctx context.Context, later *deferral) bool {
	now := a.now()
	if later.Since.IsZero() {
		later.Since = begun(now)
	} else {
		later.Round++
	}
	due, last := dueAfter(now, later.Round), later.Since.Add(patienceFor(later.looks[0].scope.Kind))
	if soon := now.Add(time.Second); last.Before(soon) {
		last = soon
	}
	if later.again || last.Before(due) {
		due = last
	}
	a.gather(later, now)
	for _, l := range slices.Clone(later.looks) {
		b := a.backlogs.at(l.scope, now)
		if b.give(later); b.wide() {
			later.Wide, l.scope.Names = true, ""
			b.put(l)
		}
		if b.due.After(now.Add(time.Second)) && b.due.Before(last) { // what comes back together is one check and one notification
			due = b.due
		}
		a.attribute(later, l, now)
	}
	if !a.post(ctx, later, due) {
		for _, l := range later.looks { // nothing will come back that covers anything
			b := a.backlogs.at(l.scope, now)
			b.clear()
			b.kept = nil // it may have been too large
		}
		a.backlogs.at(later.looks[0].scope, now).absorb(later)
		return false
	}
	for _, l := range later.looks {
		b := a.backlogs.at(l.scope, now)
		if b.due.IsZero() || due.Before(b.due) {
			b.due = due
		}
		b.since, b.oldest, b.round, b.patience, b.stormed = later.Since, later.Since, later.Round, patienceFor(l.scope.Kind), now
	}
	return true
}

// attribute adds the latest call of others to a deferral that a write of relight's own led
// to: if the check finds something to restore, people should read who it was.
func (a *App) attribute(d *deferral, l look, now time.Time) {
	if b := a.backlogs.at(l.scope, now); a.followsWrite(l.cause) && b.latest != nil && now.Sub(b.seen) < mostPutOff {
		d.event(*b.latest)
	}
}

// post sends a deferral that comes back when it is due. It reports whether that succeeded.
func (a *App) post(ctx context.Context, d *deferral, due time.Time) bool {
	d.From, d.Due = a.id, due.UTC()
	body, err := json.Marshal(letter{d})
	switch {
	case err != nil:
	case len(body) > mostDeferred:
		err = fmt.Errorf("%d bytes are too many for a message", len(body))
	default:
		err = a.cloud.Defer(ctx, a.deployment.Queue, string(body), due.Sub(a.now()))
	}
	if err != nil {
		a.log.Error("not put off", "error", err.Error())
	}
	return err == nil
}

// dueAfter returns when what has been put off so often comes back. Processes that put
// something off at about the same time choose the same time, so that it comes back in one
// batch.
func dueAfter(now time.Time, round int) time.Time {
	delay := min(firstDelay<<min(2*round, 8), mostDelay)
	return now.Add(delay / 2).Truncate(delay).Add(delay)
}
