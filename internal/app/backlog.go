package app

import (
	"slices"
	"time"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/remedy"
)

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
	since    time.Time       // of the storm, as far as this process knows
	oldest   time.Time       // Since of the deferral that covers all of covers
	patience time.Duration   // for how long it may be put off
	round    int             // of the latest deferral
	covers   []remedy.Scope  // by the check that the deferral leads to
	callers  map[string]bool // whom the deferral names, with what they called
	latest   *look           // of others
	stormed  time.Time       // when this process last put something off, or checked what was
	kept     []look          // of each caller, one of those that this process has put off in the storm
	more     int             // events that were dropped because of the deferral

	mail     time.Time            // until then, a deferral is on its way of which people are to be notified
	mailed   []look               // that it asks for
	bare     bool                 // it has no deeds
	deeds    []deed               // which the next notification has, too; the log has them in any case
	check    remedy.Scope         // that one of these leads to, without deeds
	checkDue time.Time            // when that comes back
	notified time.Time            // when people were last notified about the place
	said     map[string]time.Time // when they last read a finding, a notice or, after "by ", of a caller
	views    []view               // latest first
}

// A view is a check of this process after which everything was as it should be.
type view struct {
	scope remedy.Scope
	at    time.Time // when it began to read
}

// mostViews is how many views of a place a process keeps.
const mostViews = 4

// saw reports whether a view that began after a time shows all that a call can have changed,
// and people have been notified of the caller since.
func (b *backlog) saw(l look, after time.Time, own bool) bool {
	return slices.ContainsFunc(b.views, func(v view) bool {
		what := "by " + l.cause.Actor
		if l.cause.Advice != "" {
			what = callerOf(l.cause)
		}
		return v.scope.Covers(l.scope) && !after.IsZero() && !l.cause.Makes && !after.After(v.at) &&
			(own && l.cause.Advice == "" || !b.said[what].Before(v.at))
	})
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

// absorb adds what a deferral of the same is to report to what this process has kept.
func (b *backlog) absorb(d *deferral) {
	b.more, b.deeds = b.more+d.More, fewer(append(b.deeds, d.Deeds...))
}

// gather leaves those deeds of a deferral of which people have not been notified, and adds
// those that this process has kept: one notification is enough for all. The notification at
// the end of a storm counts calls and lists what it restored itself, so it stands for what
// was restored before at the hands of its callers.
func (a *App) gather(d *deferral, now time.Time) {
	at := func(l look) *backlog { return a.backlogs.at(l.scope, now) }
	var told time.Time // for all callers
	for i, l := range slices.DeleteFunc(slices.Clone(d.looks), func(l look) bool { return !a.others(l.cause) }) {
		if said := at(l).said["storm by "+l.cause.Actor]; i == 0 || said.Before(told) {
			told = said
		}
	}
	if !slices.ContainsFunc(d.looks, func(l look) bool { return a.others(l.cause) }) {
		told = at(d.looks[0]).said["storm by "]
	}
	for _, l := range d.looks {
		d.Deeds, at(l).deeds = append(d.Deeds, at(l).deeds...), nil
	}
	d.Deeds = slices.DeleteFunc(fewer(d.Deeds), func(done deed) bool {
		return at(d.looks[0]).told(key(done.Deed), now) || done.At.Before(told)
	})
}

// lasts reports whether a storm is not over that this process has put something off in.
// What another process has got may be put off, too, or may be done.
func (b *backlog) lasts(now time.Time) bool {
	return !b.was.IsZero() && now.Sub(b.was) < stormCalm && now.Sub(b.since) < b.patience
}

// busy reports whether events come faster than they can be handled one by one. A full batch
// about alarms, of which AWS allows the fewest writes, says so sooner.
func (b *backlog) busy(now time.Time, full bool, k catalog.Kind) bool {
	fast, slow := 0, 0
	for _, at := range b.runs {
		if now.Sub(at) < stormWithin {
			fast++
		}
		if now.Sub(at) < stormFull {
			slow++
		}
	}
	return b.lasts(now) || fast >= stormRuns || slow >= slowRuns || full && (slow > 2 || k == catalog.Alarms && slow > 1)
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
	if !slices.ContainsFunc(b.kept, func(k look) bool { return callerOf(k.cause) == key && k.scope.Covers(l.scope) }) && len(b.kept) < mostCallers && len(l.event) <= mostKept {
		b.kept = append(b.kept, l)
	}
}

// putAll adds a look to a deferral, with whatever else this process has put off in the
// storm: so one deferral covers all of it, and its earlier ones are known when they come
// back.
func (b *backlog) putAll(d *deferral, l look) {
	for _, k := range append(slices.Clone(b.kept), l) {
		b.put(k)
		d.event(k)
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
	return covered && (own && l.cause.Advice == "" || b.callers[callerOf(l.cause)] || len(b.callers) >= mostCallers && l.cause.Advice == "")
}

// wide reports whether a deferral covers so many names that a check of everything costs
// less than to name them all.
func (b *backlog) wide() bool {
	return slices.ContainsFunc(b.covers, func(s remedy.Scope) bool { return s.Names == "" || len(s.Names.List()) > mostNamed })
}

// mails reports whether the notification that has been put off names a look's caller, and
// its check reads what the look names.
func (b *backlog) mails(l look) bool {
	names := func(m look) bool { return callerOf(m.cause) == callerOf(l.cause) }
	reads := func(m look) bool { return m.scope.Covers(l.scope) }
	return slices.ContainsFunc(b.mailed, names) && slices.ContainsFunc(b.mailed, reads)
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
func (a *App) noteNotified(in intake, rep remedy.Report) {
	b := a.backlogs.at(rep.Scope, a.now())
	if b.notified = a.now(); len(b.said) > mostSaid {
		clear(b.said)
	}
	for _, s := range sayings(rep) {
		b.said[s] = b.notified
	}
	for _, c := range rep.Causes {
		if b.said["by "+c.Actor] = b.notified; in.storm(rep.Scope) {
			b.said["storm by "+c.Actor], b.said["storm by "] = b.notified, b.notified
		}
	}
	for _, done := range rep.Earlier {
		b.said[key(done)] = b.notified
	}
}

// noteChecked notes that a run has ended.
func (a *App) noteChecked(in intake, rep remedy.Report) {
	b := a.backlogs.at(rep.Scope, a.now())
	if len(in.deferrals) == 0 && rep.Calls > 0 && slices.ContainsFunc(rep.Causes, func(c remedy.Cause) bool { return c.Actor != "" && !a.session(c.Actor) }) {
		b.ran(a.now())
	}
	if in.storm(rep.Scope) {
		b.stormed = a.now()
	}
	if rep.Mode == catalog.Repair && rep.Failures() == nil && rep.Pause == nil && len(rep.Remaining) == 0 && len(rep.Outcomes) == len(rep.Plan.Actions) {
		b.views = slices.Insert(b.views, 0, view{rep.Scope, rep.Looked})
		b.views = b.views[:min(len(b.views), mostViews)]
	}
}
