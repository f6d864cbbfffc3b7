// Package remedy brings scopes to their desired state: it observes, plans,
// applies, verifies and reports. Event functions, sweep, backfill and CLI differ
// only in where their scopes come from and in their mode.
package remedy

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/plan"
)

// An Observer reads what a scope names. A failed or partial read is an error,
// never a smaller account.
type Observer interface {
	Observe(ctx context.Context, s Scope) (plan.Observed, error)
}

// An Applier carries out actions and returns one outcome for each, in order.
// A failed action does not stop the ones after it.
type Applier interface {
	Apply(ctx context.Context, s Scope, actions []plan.Action) []Outcome
}

// A Memory keeps what sweeps learn about healthy protections, so that broken ones
// can be restored. It may add to the desired state and never weakens it.
type Memory interface {
	// Recall returns what is remembered under a name, and whether anything is.
	// An error means that this is not known, which is not the same as nothing.
	Recall(ctx context.Context, region, name string) (plan.Note, error)
	// Remember keeps a value under a name and replaces what was there.
	Remember(ctx context.Context, region, name, value string) error
}

// An Outcome is the result of one action.
type Outcome struct {
	Action plan.Action
	Err    error // an *Error, or nil
	Told   bool  // people have just been notified of this failure

	Findings []plan.Finding // what AWS's answer shows that only a person can fix
}

// Planned returns how many actions of the plan restore a protection.
func (r Report) Planned() int {
	n := 0
	for _, a := range r.Plan.Actions {
		if a.Step().Restores() {
			n++
		}
	}
	return n
}

// Restores reports whether the action restores a protection, if it succeeds.
func (o Outcome) Restores() bool { return o.Action.Step().Restores() }

// A Cause is an event that started a run. It is for people, and never decides what the
// result is. It decides when: what a run leaves to the runs for other events, and what waits
// to be reported together.
type Cause struct {
	EventID   string
	EventName string
	Names     Names            // of the resources that the call changed; none if the event does not say
	Parts     Names            // what the call changed in them: the metric filters of a log group; none if the event does not say
	Advice    string           // what a person should do about such a call, whatever relight restores; "" for nothing
	Severity  catalog.Severity // of a call with advice
	Makes     bool             // the call created what it names
	Past      bool             // a sweep found it in CloudTrail's event history; no event announced it
	Fresh     bool             // the event is delivered for the first time, and again if its run fails for a while
	Actor     string           // who made the call: an ARN first if the event has one; "" if the event does not say
	SourceIP  string
	Time      time.Time // when the call was made
}

// A Deed is what an earlier run did to restore a protection, as its step says.
type Deed struct {
	At     time.Time `json:"at"` // when; whoever undoes it again makes another deed
	Thing  string    `json:"thing"`
	Target string    `json:"target"`
	Do     string    `json:"do"`
	Reason string    `json:"reason"`
}

// A Report says what one run found, did and could not do.
type Report struct {
	Scope     Scope
	Mode      catalog.Mode
	Plan      plan.Plan
	Outcomes  []Outcome     // one per action; none if nothing was applied
	Remaining []plan.Action // what the verification still found to do
	Pruned    []Outcome     // of Plan.Unwanted, if a person asked for it
	Causes    []Cause
	Looked    time.Time // when the observation began that the plan is of
	Calls     int       // to AWS that the run made
	Earlier   []Deed    // of runs before, of which people have not been notified; this run found it so
	Undone    bool      // runs before restored what the causes changed, and people do not know the callers
	More      int       // calls behind Earlier and this run besides Causes, by the same callers; at least so many
	Err       error     // what kept the run from observing or verifying

	Unfinished bool     // the run is not over, and only its causes are known
	Again      bool     // the run is repeated soon, because what failed may succeed then
	Waits      int      // actions that failed and are left to that repetition
	New        []string // names of what the configuration wants since this sweep alone, so that it never was there
	First      bool     // no sweep of the deployment has been before, so what was missing never was there

	Pause *Pause // why the run restored nothing, or only relight's own alarms; nil if nothing pauses it
	Ended string // the pause that a sweep found to be over, as one line; "" for none
}

// Postponed returns the actions that the run did not carry out because of a pause, and
// that restore a protection.
func (r Report) Postponed() []plan.Action {
	if r.Pause == nil || r.Mode != catalog.Repair {
		return nil
	}
	var left []plan.Action
	for _, a := range r.Plan.Actions[min(len(r.Outcomes), len(r.Plan.Actions)):] {
		if a.Step().Restores() {
			left = append(left, a)
		}
	}
	return left
}

// Failures returns the error of the run and of every failed action, joined.
func (r Report) Failures() error {
	errs := []error{r.Err}
	for _, o := range slices.Concat(r.Outcomes, r.Pruned) {
		errs = append(errs, o.Err)
	}
	return errors.Join(errs...)
}

// Restored reports for each outcome whether its action succeeded and does not
// remain to be done: AWS may answer that a resource exists and mean another one.
func (r Report) Restored() []bool {
	left := map[string]bool{}
	for _, a := range r.Remaining {
		left[plan.Key(a)] = true
	}
	restored := make([]bool, len(r.Outcomes))
	for i, o := range r.Outcomes {
		restored[i] = o.Err == nil && !left[plan.Key(o.Action)]
	}
	return restored
}

// Learned returns the actions that only remembered something, and succeeded. They
// are reported, since later repairs depend on them, unless people know already.
func (r Report) Learned() []plan.Action {
	var learned []plan.Action
	for _, o := range r.Outcomes {
		if o.Err == nil && !o.Restores() && !o.Action.Step().Quiet {
			learned = append(learned, o.Action)
		}
	}
	return learned
}

// Repaired returns how many protections were restored.
func (r Report) Repaired() int {
	n := 0
	for i, done := range r.Restored() {
		if done && r.Outcomes[i].Restores() {
			n++
		}
	}
	return n
}

// Notices returns the causes that are reported even if nothing had to be restored:
// calls with advice, made on something that a protection depends on, or on
// something that the event does not name. If the run could not find out what
// protections depend on, all of its calls with advice are reported.
func (r Report) Notices() []Cause {
	var notices []Cause
	unseen := r.Unfinished || r.Err != nil && len(r.Outcomes) == 0
	for _, c := range r.Causes {
		names := c.Names.List()
		all := r.Scope.Names == "" // merged from too many names to check each: better report too much
		touched := len(names) == 0 || all || slices.ContainsFunc(names, func(n string) bool { return slices.Contains(r.Plan.Touched, n) })
		if c.Advice != "" && (touched || unseen) {
			notices = append(notices, c)
		}
	}
	return notices
}

// Alerts reports whether an event is, or led to, something that needs attention
// soon.
func (r Report) Alerts() bool {
	alert := slices.ContainsFunc(r.Plan.Findings, func(f plan.Finding) bool { return f.Alert })
	return alert && len(r.Causes) > 0 || len(r.Notices()) > 0
}

// A Reconciler runs scopes against one account.
type Reconciler struct {
	Observer Observer
	Applier  Applier
	Want     catalog.Desired
	Adopted  func(context.Context) (plan.Adopted, error)    // reads what relight relies on that others made, and the longest retentions; nil for nothing
	Paused   func(context.Context) (*Pause, []plan.Finding) // reads whether relight is paused, before a run writes; nil for never
	Forgets  bool                                           // it may not write what relight remembers, and leaves that to the deployed sweep

	Now func() time.Time // the clock of Report.Looked

	// Yield waits, and returns true to look again, while another run is restoring the same.
	// It gets how often this run has looked, and what there is to do. nil for never.
	Yield func(ctx context.Context, looks int, todo []plan.Action) bool

	// Part returns what of a plan this run carries out; the verification reports the rest.
	// nil for everything.
	Part func(todo []plan.Action) []plan.Action
}

// Run brings one scope to its desired state, or in mode Observe only plans it.
// The causes go into the report and decide nothing. After a repair it observes and
// plans again, because a successful reply does not prove the result. What remains
// then is reported and is no error, since reads lag writes.
//
// Nobody reads whether relight is paused until there is something to write. A pause
// leaves nothing but the alarms on relight itself to be restored.
func (r Reconciler) Run(ctx context.Context, s Scope, mode catalog.Mode, causes ...Cause) Report {
	rep := Report{Scope: s, Mode: mode, Causes: causes}
	r = r.Once(ctx) // for both observations
	seen := &sight{}
	ctx = context.WithValue(ctx, sightKey{}, seen)
	look := func() {
		if r.Now != nil {
			rep.Looked = r.Now()
		}
		rep.Plan, rep.Err = r.plan(ctx, s)
	}
	look()
	for looks := 1; r.Yield != nil && mode == catalog.Repair && rep.Err == nil && len(rep.Plan.Actions) > 0 && r.Yield(ctx, looks, rep.Plan.Actions); looks++ {
		look()
	}
	if rep.Err != nil || mode != catalog.Repair || len(rep.Plan.Actions) == 0 {
		return rep
	}
	todo, postponed := r.unpaused(ctx, &rep)
	if r.Part != nil {
		todo = rep.part(r.Part(todo))
	}
	if len(todo) == 0 {
		return rep
	}
	rep.Outcomes = r.Applier.Apply(ctx, s, todo)
	var found []plan.Finding
	for _, o := range rep.Outcomes {
		found = append(found, o.Findings...)
	}
	rep.Plan.Add(found...)
	again, err := r.verify(ctx, s, seen, todo)
	if err != nil {
		rep.Err = fmt.Errorf("verify: %w", err)
	}
	rep.Remaining = slices.DeleteFunc(plan.Remaining(rep.Plan, again), postponed)
	return rep
}

// verify observes and plans again after a repair. If something of the repair is left to do
// and an observer relied on what it had read before, it reads all of it again.
func (r Reconciler) verify(ctx context.Context, s Scope, seen *sight, done []plan.Action) (plan.Plan, error) {
	seen.before = seen.state
	again, err := r.plan(ctx, s)
	left := func(a plan.Action) bool {
		return slices.ContainsFunc(done, func(d plan.Action) bool { return plan.Key(d) == plan.Key(a) })
	}
	if err == nil && seen.used && slices.ContainsFunc(again.Actions, left) {
		seen.before = nil
		return r.plan(ctx, s)
	}
	return again, err
}

// part puts the actions that a run carries out before the others of its plan, and returns
// them: outcomes are of the first actions.
func (r *Report) part(todo []plan.Action) []plan.Action {
	doing := map[string]bool{}
	for _, a := range todo {
		doing[plan.Key(a)] = true
	}
	r.Plan.Actions = slices.Concat(todo, slices.DeleteFunc(slices.Clone(r.Plan.Actions), func(a plan.Action) bool { return doing[plan.Key(a)] }))
	return todo
}

// A sight is what a run has observed.
type sight struct {
	state  plan.State // latest
	before plan.State // what the verification may rely on
	used   bool       // it did
}

type sightKey struct{}

// Before returns what a run observed before its repair, for an observation that
// verifies it, or nil. What a repair cannot change need not be read again.
func Before(ctx context.Context) plan.State {
	seen, ok := ctx.Value(sightKey{}).(*sight)
	if !ok || seen.before == nil {
		return nil
	}
	seen.used = true
	return seen.before
}

// unpaused returns the actions of a report's plan that no pause postpones, and which it
// does. The plan then has the others last. If relight cannot read whether it is paused,
// it is not.
func (r Reconciler) unpaused(ctx context.Context, rep *Report) (todo []plan.Action, postponed func(plan.Action) bool) {
	all := rep.Plan.Actions
	none := func(plan.Action) bool { return false }
	if r.Paused == nil || !slices.Contains(catalog.Pausable(), rep.Scope.Kind) {
		return all, none
	}
	pause, found := r.Paused(ctx)
	rep.Plan.Add(found...)
	if !pause.Covers(rep.Scope.Kind, rep.Scope.Region) {
		return all, none
	}
	rep.Pause = pause
	own := map[string]bool{}
	for _, row := range r.Want.OwnAlarms() {
		own[r.Want.Name(row.ID)] = true
	}
	postponed = func(a plan.Action) bool { return !own[a.Step().Target] }
	todo = slices.DeleteFunc(slices.Clone(all), postponed)
	rep.Plan.Actions = slices.Concat(todo, slices.DeleteFunc(slices.Clone(all), func(a plan.Action) bool { return !postponed(a) }))
	return todo, postponed
}

// Once returns a Reconciler whose runs together read no more than once what relight
// remembers.
func (r Reconciler) Once(ctx context.Context) Reconciler {
	if read := r.Adopted; read != nil {
		once := sync.OnceValues(func() (plan.Adopted, error) { return read(ctx) })
		r.Adopted = func(context.Context) (plan.Adopted, error) { return once() }
	}
	return r
}

func (r Reconciler) plan(ctx context.Context, s Scope) (plan.Plan, error) {
	got, err := r.Observer.Observe(recalling(ctx, r.Adopted), s)
	if err != nil {
		return plan.Plan{}, fmt.Errorf("observe %s: %w", s, err)
	}
	if seen, ok := ctx.Value(sightKey{}).(*sight); ok {
		seen.state = got.State
	}
	if r.Adopted != nil && (plan.NeedsAdopted(r.Want, got) || plan.NeedsFloors(got)) {
		adopted, err := r.Adopted(ctx)
		if err != nil {
			return plan.Plan{}, fmt.Errorf("recall what was adopted for %s: %w", s, err)
		}
		got.Adopted = adopted.For(s.String())
	}
	got.Adopted.Resources = got.Adopted.Resources.With(r.Want.Adopt)
	p, err := plan.Of(s.Kind, r.Want, got)
	if r.Forgets {
		p.Actions = slices.DeleteFunc(p.Actions, plan.Remembers)
	}
	return p, err
}

type recallKey struct{}

// recalling returns a context for an observation that may depend on what relight
// remembers.
func recalling(ctx context.Context, read func(context.Context) (plan.Adopted, error)) context.Context {
	if read == nil {
		return ctx
	}
	return context.WithValue(ctx, recallKey{}, read)
}

// Recall reads what relight remembers, for an observation that depends on it. The runs
// of a sweep read it once.
func Recall(ctx context.Context) (plan.Adopted, error) {
	read, ok := ctx.Value(recallKey{}).(func(context.Context) (plan.Adopted, error))
	if !ok {
		return plan.Adopted{Unreadable: "the run has no memory"}, nil
	}
	return read(ctx)
}
