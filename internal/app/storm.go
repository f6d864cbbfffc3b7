package app

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
	"time"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/plan"
	"github.com/relight-aws/relight/internal/remedy"
)

// In a storm, events arrive faster than relight may restore. A function then puts events
// off: it sends one message to its own queue that comes back after a delay, and drops
// whatever the check that this message leads to will cover. So a storm costs a check or
// two instead of one for each event, and one notification instead of many. What is to be
// checked, and who called, is in the queue meanwhile. In the memory of a process alone are how
// many further calls there were, and details of what was restored, which the log has, too.
const (
	stormRuns   = 3                      // checks of one place within stormWithin make a storm
	stormWithin = 2 * time.Second        //
	slowRuns    = 12                     // within stormFull make one, too, and so does a full batch after three others
	stormFull   = 10 * time.Second       //
	firstDelay  = 2 * time.Second        // of an event that is put off; each further time is twice as long
	mostDelay   = 16 * time.Second       // at once
	stormShare  = 200 * time.Millisecond // for which a process that drops events leaves the next ones to the other
	stormCalm   = 2 * time.Second        // without an event, and the storm is over
	mostPutOff  = time.Minute            // altogether, however long the storm lasts
	sweepLag    = 3 * time.Second        // of a sweep, which gives way to every run for events
	manyWrites  = 4                      // filters or alarms to restore, for which a sweep first waits whether an event's run does it
	mailRound   = 2                      // of the notification of a run that is put off: it waits about 8 seconds
	oneMessage  = 2 * time.Minute        // after a notification, the next ones about the place wait to become one
)

// These limit what is put off in one message. What is larger than SQS took in every queue
// before it raised its limit of 262,144 bytes is not put off. Source: Amazon SQS Developer
// Guide, "Amazon SQS message quotas".
const (
	mostDeferred = 200_000 // bytes
	mostCallers  = 50      // of a place; the log has the others
	mostDeeds    = 300     // likewise
	mostSaid     = 1000    // of what people were notified of at a place
	mostRounds   = 16
	mostMore     = 1_000_000
	mostNamed    = 50 // of a place; more are everything of the type
)

// A deferral is what a function has put off. It travels as a message on the function's
// queue. Its events are read as those of any other message are, and what it says was
// restored is reported only if the check finds it so: whoever can write to the queue
// gains no more than a check.
type deferral struct {
	Since  time.Time         `json:"since"`           // when the first of its events was put off
	Round  int               `json:"round"`           // how often they have been
	Whole  bool              `json:"whole,omitempty"` // check everything of the types, not only what is named
	Mail   bool              `json:"mail,omitempty"`  // only a notification was put off, so events are not
	More   int               `json:"more,omitempty"`  // further calls, by the same callers as the events
	Events []json.RawMessage `json:"events"`          // EventBridge envelopes
	Deeds  []deed            `json:"deeds,omitempty"` // of earlier runs, of which people have not been notified

	again bool          // it was checked before, and somebody undid that repair, too: then it waits as long as may be
	lag   time.Duration // in giving way to checks of other deferrals
	looks []look        // that its events ask for
	from  []*deferral   // those that it continues
}

// A deed is what an earlier run restored, with where.
type deed struct {
	Account string       `json:"account"`
	Region  string       `json:"region"`
	Kind    catalog.Kind `json:"kind"`
	remedy.Deed
}

// letter is the body of a deferral's message. No EventBridge envelope has its member.
type letter struct {
	Deferral *deferral `json:"relight-deferral"`
}

// deferralOf returns the deferral in a message, or nil if the message is an event.
func deferralOf(body string) *deferral {
	var l letter
	if json.Unmarshal([]byte(body), &l) != nil || l.Deferral == nil || len(l.Deferral.Events) == 0 {
		return nil
	}
	h := fnv.New32a()
	_, _ = h.Write([]byte(body))
	d := l.Deferral // somebody else may have written it
	d.lag = time.Duration(h.Sum32()%2000+1) * time.Millisecond
	d.Round, d.More = min(max(d.Round, 0), mostRounds), min(max(d.More, 0), mostMore)
	return d
}

// add continues another deferral.
func (d *deferral) add(o *deferral) {
	if d.Since.IsZero() || o.Since.Before(d.Since) {
		d.Since = o.Since
	}
	d.Round, d.Whole, d.More = max(d.Round, o.Round), d.Whole || o.Whole, d.More+o.More
	d.Deeds, d.from = fewer(append(d.Deeds, o.Deeds...)), append(d.from, o)
	for _, l := range o.looks {
		d.event(l)
	}
}

// event adds a look, and its event unless that is there already.
func (d *deferral) event(l look) {
	d.looks = append(d.looks, l)
	if !slices.ContainsFunc(d.Events, func(e json.RawMessage) bool { return bytes.Equal(e, l.event) }) {
		d.Events = append(d.Events, l.event)
	}
}

// A place is where events are put off together.
type place struct {
	account, region string
	kind            catalog.Kind
}

func placeOf(s remedy.Scope) place { return place{s.Account, s.Region, s.Kind} }

// A backlog is what a process knows about the events of a place.
type backlog struct {
	runs     []time.Time     // of the latest checks for calls that others made
	seen     time.Time       // when the latest event of others arrived
	due      time.Time       // until then, a deferral is on its way; zero for none
	was      time.Time       // when the one before was due, if this process did not get it; zero for none
	since    time.Time       // of the storm
	patience time.Duration   // for how long it may be put off
	round    int             // of the latest deferral
	covers   []remedy.Scope  // by the check that the deferral leads to
	callers  map[string]bool // whom the deferral names, with what they called
	latest   *look           // of others
	kept     []look          // of each caller, one of those that this process has put off in the storm
	more     int             // events that were dropped because of the deferral

	mail     time.Time            // until then, a deferral is on its way of which people are to be notified
	mailed   []look               // that it asks for
	deeds    []deed               // which the next notification has, too; the log has them in any case
	check    remedy.Scope         // that one of these leads to, without deeds
	checkDue time.Time            // when that comes back
	notified time.Time            // when people were last notified about the place
	said     map[string]time.Time // when they last read a finding, a notice or, after "by ", of a caller
}

// backlogs are those of a process. A function handles one batch after the other, so
// nothing locks them.
type backlogs map[place]*backlog

// at returns the backlog of a scope's place. What was due has come back, to this process
// or another one.
func (bs backlogs) at(s remedy.Scope, now time.Time) *backlog {
	b := bs[placeOf(s)]
	if b == nil {
		b = &backlog{said: map[string]time.Time{}}
		bs[placeOf(s)] = b
	}
	if !b.due.IsZero() && !now.Before(b.due) {
		was := b.due
		b.clear()
		b.was = was
	}
	return b
}

// told reports whether people read something about the place lately.
func (b *backlog) told(what string, now time.Time) bool {
	at, known := b.said[what]
	return known && now.Sub(at) < mostPutOff+oneMessage
}

// clear forgets the deferral.
func (b *backlog) clear() { b.due, b.was, b.covers, b.callers = time.Time{}, time.Time{}, nil, nil }

// give moves the number of calls that nobody listed to a deferral.
func (b *backlog) give(d *deferral) { d.More, b.more = d.More+b.more, 0 }

// gather leaves those deeds of a deferral of which people have not been notified, and adds
// those that this process has kept: one notification is enough for all.
func (b *backlog) gather(d *deferral, now time.Time) {
	d.Deeds = slices.DeleteFunc(fewer(append(d.Deeds, b.deeds...)), func(done deed) bool { return b.told(key(done.Deed), now) })
	b.deeds = nil
}

// key tells a deed from others of the same target.
func key(d remedy.Deed) string { return d.At.UTC().Format(time.RFC3339Nano) + " " + d.Do }

// fewer returns each of some deeds once, and no more than fit a message.
func fewer(deeds []deed) []deed {
	seen := map[deed]bool{}
	deeds = slices.DeleteFunc(deeds, func(d deed) bool {
		known := seen[d]
		seen[d] = true
		return known
	})
	return deeds[:min(len(deeds), mostDeeds)]
}

// patienceFor returns how long events of a kind may be put off altogether. What relight
// itself consists of, and its way to people, waits less.
func patienceFor(k catalog.Kind) time.Duration {
	if k == catalog.Topics || k == catalog.Guard {
		return mostPutOff / 2
	}
	return mostPutOff
}

// lasts reports whether a storm is not over that this process has put something off in.
// What another process has got may be put off, too, or may be done.
func (b *backlog) lasts(now time.Time) bool {
	return !b.was.IsZero() && now.Sub(b.was) < stormCalm && now.Sub(b.since) < b.patience
}

// busy reports whether events come faster than they can be handled one by one.
func (b *backlog) busy(now time.Time, full bool) bool {
	fast, slow := 0, 0
	for _, at := range b.runs {
		if now.Sub(at) < stormWithin {
			fast++
		}
		if now.Sub(at) < stormFull {
			slow++
		}
	}
	return b.lasts(now) || fast >= stormRuns || slow >= slowRuns || full && slow > 2
}

// ran notes that a check for calls that others made has ended.
func (b *backlog) ran(at time.Time) {
	if b.runs = append(b.runs, at); len(b.runs) > slowRuns {
		b.runs = b.runs[1:]
	}
}

// put adds a look to what the deferral covers.
func (b *backlog) put(l look) {
	if b.callers == nil {
		b.callers = map[string]bool{}
	}
	key := callerOf(l.cause)
	b.callers[key] = true
	b.covers = remedy.Merge(append(b.covers, l.scope))
	if !slices.ContainsFunc(b.kept, func(k look) bool { return callerOf(k.cause) == key && k.scope.Type == l.scope.Type }) && len(b.kept) < mostCallers {
		b.kept = append(b.kept, l)
	}
}

// callerOf returns who made a call. Of a call that people are to check, they need to know
// which it was and on what, too.
func callerOf(c remedy.Cause) string {
	if c.Advice != "" {
		return c.Actor + "\n" + c.EventName + "\n" + string(c.Names)
	}
	return c.Actor
}

// knows reports whether the deferral covers a look and names its caller, if anybody is to
// be named.
func (b *backlog) knows(l look, own bool) bool {
	covered := slices.ContainsFunc(b.covers, func(s remedy.Scope) bool { return s.Covers(l.scope) })
	return covered && (own && l.cause.Advice == "" || b.callers[callerOf(l.cause)] || len(b.callers) >= mostCallers)
}

// followsWrite reports whether an event follows a write of relight's own: its record, or an
// event of CloudWatch's own, which follows any other change, too. Nobody is to be named for it.
func (a *App) followsWrite(c remedy.Cause) bool { return c.Actor == "" || a.ownWrite(c) }

// widened returns the scope that is checked in a storm on a scope: all of relight's own
// alarms or filters, which costs no more calls than one of them, and whatever the scope
// names.
func (a *App) widened(s remedy.Scope) remedy.Scope {
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

// wide reports whether a deferral covers so many names that a check of everything costs
// less than to name them all.
func (b *backlog) wide() bool {
	return slices.ContainsFunc(b.covers, func(s remedy.Scope) bool { return len(s.Names.List()) > mostNamed })
}

// defers reports whether this function puts events off.
func (a *App) defers() bool { return a.deployment.Queue != "" }

// ease takes from a batch what needs no check of its own:
//
//   - what a check that is still to come covers is dropped, if people will read who it was;
//   - what comes in a storm is put off;
//   - what was put off is put off again while its storm lasts.
//
// If nothing can be put off, everything is checked.
func (a *App) ease(ctx context.Context, in intake, full bool) intake {
	if !a.defers() {
		return in
	}
	now := a.now()
	out := in
	out.looks, out.deferrals = nil, nil
	later, due, dropped := &deferral{}, map[place]bool{}, false
	for _, d := range in.deferrals {
		at := func(l look) *backlog { return a.backlogs.at(l.scope, now) }
		if d.Mail && len(d.Deeds) > 0 {
			if at(d.looks[0]).gather(d, now); len(d.Deeds) == 0 && !slices.ContainsFunc(d.looks, func(l look) bool { return !at(l).told("by "+l.cause.Actor, now) }) {
				continue
			}
		}
		lasts := now.Sub(a.busyUntil) < stormCalm || slices.ContainsFunc(d.looks, func(l look) bool { return now.Sub(at(l).seen) < stormCalm })
		switch {
		case !lasts, now.Sub(d.Since) >= patienceFor(d.looks[0].scope.Kind), d.Since.After(now), d.Mail && len(at(d.looks[0]).covers) == 0:
			at(d.looks[0]).gather(d, now)
			for _, l := range d.looks {
				at(l).clear()
				at(l).give(d)
				at(l).kept = nil
				due[placeOf(l.scope)] = true
			}
			out.looks = append(out.looks, d.looks...)
			out.deferrals = append(out.deferrals, d)
		case len(d.Deeds) == 0 && !slices.ContainsFunc(d.looks, func(l look) bool {
			return d.Since.Before(at(l).since) || !at(l).knows(l, a.followsWrite(l.cause))
		}):
			at(d.looks[0]).more += d.More // another deferral, no younger, leads to the same check
		default:
			later.add(d)
			for _, l := range slices.Clone(d.looks) { // with whatever else this process has put off: so its next letters are known
				b := at(l)
				b.give(d)
				for _, k := range append(slices.Clone(b.kept), l) {
					b.put(k)
					later.event(k)
				}
			}
		}
	}
	for _, l := range in.looks {
		b, own := a.backlogs.at(l.scope, now), a.followsWrite(l.cause)
		skip := func(why string) {
			a.log.Info("skipped event", "event_id", l.cause.EventID, "event", l.cause.EventName, "actor", l.cause.Actor, "reason", l.scope.String()+": "+why)
		}
		if !own {
			b.seen, b.latest = now, &l
		}
		switch {
		case due[placeOf(l.scope)]:
			out.looks = append(out.looks, l)
		case len(b.covers) > 0 && b.knows(l, own):
			if dropped = true; !own { // what follows relight's own writes is no further call of anybody's
				b.more++
			}
			skip("a check that is still to come covers it")
		case len(b.covers) > 0, b.busy(now, full):
			if later.Whole = true; b.lasts(now) {
				later.Since, later.Round = b.since, max(later.Round, b.round)
			}
			l.scope = a.widened(l.scope)
			b.put(l)
			later.event(l)
			skip("put off, to be checked with others")
		default:
			out.looks = append(out.looks, l)
		}
	}
	if dropped {
		_ = sleep(ctx, stormShare)
	}
	if len(later.Events) > 0 && !a.putOff(ctx, later) {
		out.looks, out.deferrals = append(out.looks, later.looks...), append(out.deferrals, later.from...)
	}
	return out
}

// putOff sends what is put off to the function's own queue. It reports whether that
// succeeded.
func (a *App) putOff(ctx context.Context, later *deferral) bool {
	now := a.now()
	if later.Since.IsZero() {
		later.Since = now.UTC()
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
	for _, l := range slices.Clone(later.looks) {
		b := a.backlogs.at(l.scope, now)
		if b.give(later); b.wide() {
			l.scope.Names = ""
			b.put(l)
		}
		if b.due.After(now.Add(time.Second)) && b.due.Before(last) { // what comes back together is one check and one notification
			due = b.due
		}
		if l.cause.Actor == "" && b.latest != nil && now.Sub(b.seen) < mostPutOff { // people should read who it was
			later.event(*b.latest)
		}
	}
	if !a.post(ctx, later, due) {
		for _, l := range later.looks { // nothing will come back that covers anything
			a.backlogs.at(l.scope, now).clear()
		}
		return false
	}
	for _, l := range later.looks {
		b := a.backlogs.at(l.scope, now)
		if b.due.IsZero() || due.Before(b.due) {
			b.due = due
		}
		b.since, b.round, b.patience = later.Since, later.Round, patienceFor(l.scope.Kind)
	}
	return true
}

// post sends a deferral that comes back when it is due. It reports whether that succeeded.
func (a *App) post(ctx context.Context, d *deferral, due time.Time) bool {
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
	delay := min(firstDelay<<min(round, 8), mostDelay)
	return now.Add(delay / 2).Truncate(delay).Add(delay)
}

// quiet reports whether people may be notified of a run later, together with others: a
// notification about the place was sent a moment ago, or only the record that is still to come
// says who it was; everything is restored, and nothing else is new. What is about relight itself does not wait.
func (a *App) quiet(rep remedy.Report) bool {
	now := a.now()
	if !a.defers() || rep.Scope.Kind == catalog.Topics || rep.Scope.Kind == catalog.Guard {
		return false
	}
	b := a.backlogs.at(rep.Scope, now)
	named := slices.ContainsFunc(rep.Causes, func(c remedy.Cause) bool { return c.Actor != "" })
	if named && (b.notified.IsZero() || now.Sub(b.notified) >= oneMessage) {
		return false
	}
	if rep.Repaired() == 0 || rep.Failures() != nil || len(rep.Remaining) > 0 && !left(rep) || rep.Pause != nil || len(rep.Learned()) > 0 {
		return false
	}
	return !slices.ContainsFunc(sayings(rep), func(s string) bool { return !b.told(s, now) })
}

// reportOr records a run and notifies people of it, or puts that off: because people
// were notified of the same a moment ago, or because somebody undoes the repair while it
// is made, and the events of that are still to come.
func (a *App) reportOr(ctx context.Context, in intake, rep remedy.Report) {
	if len(in.deferrals) == 0 && a.quiet(rep) && a.mail(ctx, in, rep, a.deeds(rep)) || a.undone(rep) && a.lookLater(ctx, in, rep) {
		a.reporter.Record(ctx, rep, nil, a.now())
		return
	}
	if a.defers() && leftAll(rep) {
		if a.mail(ctx, in, rep, nil) {
			a.reporter.Record(ctx, rep, nil, a.now())
			return
		}
		rep = a.check(ctx, timeFor(ctx, 0), a.reconciler, rep.Scope, catalog.Repair, rep.Causes...)
	}
	rep.Undone = len(in.deferrals) > 0 && a.unnamed(rep)
	if a.defers() && left(rep) && !a.mail(ctx, in, rep, nil) { // whatever happens to the runs that restore the rest
		rep = a.check(ctx, timeFor(ctx, 0), a.reconciler, rep.Scope, catalog.Repair, rep.Causes...)
	}
	if a.report(ctx, rep) == nil && (rep.Undone || rep.Repaired()+len(rep.Earlier)+len(sayings(rep)) > 0) {
		a.noteNotified(rep)
	}
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
		return c.Actor != "" && !a.session(c.Actor) && !b.told("by "+c.Actor, a.now()) && slices.ContainsFunc(append(c.Names.List(), c.Parts.List()...), func(name string) bool {
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
	later, known := &deferral{Since: now.UTC(), Mail: true, Whole: true, Deeds: fewer(done)}, len(done) > 0 && now.Before(b.mail)
	for _, l := range in.looks {
		if rep.Scope.Covers(l.scope) {
			l.scope = a.widened(l.scope)
			known = known && b.mails(l)
			later.event(l)
		}
	}
	if known {
		b.deeds = fewer(append(b.deeds, done...))
		return true
	}
	if !a.post(ctx, later, due) {
		return false
	}
	if len(done) == 0 {
		b.check, b.checkDue = a.widened(rep.Scope), due
	}
	b.mail, b.mailed = due, later.looks
	return true
}

// mails reports whether the notification that has been put off names a look's caller, and
// its check reads what the look names.
func (b *backlog) mails(l look) bool {
	names := func(m look) bool { return callerOf(m.cause) == callerOf(l.cause) }
	reads := func(m look) bool { return m.scope.Covers(l.scope) }
	return slices.ContainsFunc(b.mailed, names) && slices.ContainsFunc(b.mailed, reads)
}

// flush sends what this process has kept for a notification that has come meanwhile without
// it.
func (a *App) flush(ctx context.Context) {
	now := a.now()
	for _, b := range a.backlogs {
		if len(b.deeds) == 0 || now.Before(b.mail) {
			continue
		}
		later := &deferral{Since: now.UTC(), Mail: true, Whole: true, Deeds: b.deeds}
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

type lagKey struct{}

// withLag returns a context for the checks of a batch. If something was put off, these give
// way to another process's with the same, and each has a lag of its own.
func withLag(ctx context.Context, in intake) context.Context {
	if len(in.deferrals) == 0 {
		return ctx
	}
	return context.WithValue(ctx, lagKey{}, in.deferrals[0].lag)
}

func lagOf(ctx context.Context) time.Duration {
	lag, _ := ctx.Value(lagKey{}).(time.Duration)
	return lag
}

// sayings returns the findings and notices of a report.
func sayings(rep remedy.Report) []string {
	var all []string
	for _, f := range rep.Plan.Findings {
		all = append(all, f.String())
	}
	for _, c := range rep.Notices() {
		all = append(all, callerOf(c))
	}
	return all
}

// noteNotified notes that people were notified of a run.
func (a *App) noteNotified(rep remedy.Report) {
	b := a.backlogs.at(rep.Scope, a.now())
	if b.notified = a.now(); len(b.said) > mostSaid {
		clear(b.said)
	}
	for _, s := range sayings(rep) {
		b.said[s] = b.notified
	}
	for _, c := range rep.Causes {
		b.said["by "+c.Actor] = b.notified
	}
	for _, done := range rep.Earlier {
		b.said[key(done)] = b.notified
	}
}

// noteChecked notes that a run has ended.
func (a *App) noteChecked(in intake, rep remedy.Report) {
	b := a.backlogs.at(rep.Scope, a.now())
	if len(in.deferrals) == 0 && slices.ContainsFunc(rep.Causes, func(c remedy.Cause) bool { return c.Actor != "" && !a.session(c.Actor) }) {
		b.ran(a.now())
	}
}

// deeds returns what a run restored, and what it was to report of earlier runs.
func (a *App) deeds(rep remedy.Report) []deed {
	all, now := slices.Clone(rep.Earlier), a.now().UTC()
	for i, done := range rep.Restored() {
		if o := rep.Outcomes[i]; done && o.Restores() {
			step := o.Action.Step()
			all = append(all, remedy.Deed{At: now, Thing: step.Thing, Target: step.Target, Do: step.Do, Reason: step.Reason})
		}
	}
	out := make([]deed, len(all))
	for i, d := range all {
		out[i] = deed{rep.Scope.Account, rep.Scope.Region, rep.Scope.Kind, d}
	}
	return out
}

// earlier adds to reports what earlier runs restored, as far as the checks found it to be
// so, and how many calls were behind it besides the causes.
func (in intake) earlier(reports []remedy.Report) {
	for _, d := range in.deferrals {
		for _, done := range d.Deeds {
			here := func(r remedy.Report) bool {
				return r.Scope.Account == done.Account && r.Scope.Region == done.Region && r.Scope.Kind == done.Kind
			}
			missing := func(r remedy.Report) bool {
				return here(r) && (r.Err != nil || slices.ContainsFunc(r.Plan.Actions, func(a plan.Action) bool { return a.Step().Target == done.Target }))
			}
			i := slices.IndexFunc(reports, func(r remedy.Report) bool { return here(r) && looksAt(r.Scope, done.Target) })
			if i < 0 || slices.ContainsFunc(reports, missing) || slices.Contains(reports[i].Earlier, done.Deed) {
				continue
			}
			reports[i].Earlier = append(reports[i].Earlier, done.Deed)
		}
		for i, r := range reports {
			if slices.ContainsFunc(d.looks, func(l look) bool { return r.Scope.Covers(l.scope) }) {
				reports[i].More += d.More
				break
			}
		}
	}
}

// looksAt reports whether a check of a scope reads a target. That of a log group reads its
// filters.
func looksAt(s remedy.Scope, target string) bool {
	return s.Names == "" || s.Type == catalog.FilteredGroup || s.Type == catalog.LogGroup && s.Kind == catalog.LogGroups || slices.Contains(s.Names.List(), target)
}

// alone reports whether this process is likely to be the only one at work on its queue. If
// it is not, it may use half of what relight uses of a quota.
func (a *App) alone(in intake) bool {
	now, others := a.now(), 0
	for _, l := range in.looks {
		if !a.session(l.cause.Actor) {
			others++
		}
	}
	if others == 0 {
		return true
	}
	busy := now.Sub(a.lastBatch) < time.Second
	a.lastBatch = now
	return others == 1 && len(in.deferrals) == 0 && !busy
}
