// Package remedy brings scopes to their desired state: it observes, plans,
// applies, looks again and reports. Event functions, sweep, backfill and CLI
// differ only in where their scopes come from and in mode.
package remedy

import (
	"context"
	"errors"
	"fmt"
	"slices"
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

// A Memory keeps what sweeps learn of healthy protections, for the repair of
// broken ones. What it holds may add to what policy asks; nothing in it may
// weaken that.
type Memory interface {
	// Recall returns what is remembered under a name, and whether anything is.
	// An error means that it is not known, which is not the same as nothing.
	Recall(ctx context.Context, region, name string) (value string, known bool, err error)
	// Remember keeps a value under a name, in place of what was there.
	Remember(ctx context.Context, region, name, value string) error
}

// An Outcome is what became of one action.
type Outcome struct {
	Action plan.Action
	Err    error // an *Error, or nil
	Told   bool  // people have just heard of this failure
}

// Planned returns how many actions of the plan bring a protection back.
func (r Report) Planned() int {
	n := 0
	for _, a := range r.Plan.Actions {
		if a.Step().Restores() {
			n++
		}
	}
	return n
}

// Restores reports whether the action brings a protection back, if it succeeds.
func (o Outcome) Restores() bool { return o.Action.Step().Restores() }

// A Cause is an event that made a run look: for people, not for decisions.
type Cause struct {
	EventID   string
	EventName string
	Names     Names  // of what the call was made on; none where the event does not say
	Advice    string // what a person should do about such a call, whatever relight could restore; "" for nothing
	Actor     string // ARN of who made the call; "" where the event does not say
	SourceIP  string
	Time      time.Time // when the call was made
}

// A Report is what one run saw, did and could not do.
type Report struct {
	Scope     Scope
	Mode      catalog.Mode
	Plan      plan.Plan
	Outcomes  []Outcome     // one per action; none where nothing was applied
	Remaining []plan.Action // what a second look still found to do
	Causes    []Cause
	Err       error // what kept the run from observing or verifying
}

// Failures returns the error of the run and of every failed action, joined.
func (r Report) Failures() error {
	errs := []error{r.Err}
	for _, o := range r.Outcomes {
		errs = append(errs, o.Err)
	}
	return errors.Join(errs...)
}

// Restored reports of each outcome whether its action succeeded and is not
// still to do: AWS may answer that a thing exists, and mean another.
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

// Learned returns the actions that only kept a memory, and did: people hear of
// what is learned, since it is what a repair goes by.
func (r Report) Learned() []plan.Action {
	var learned []plan.Action
	for _, o := range r.Outcomes {
		if o.Err == nil && !o.Restores() {
			learned = append(learned, o.Action)
		}
	}
	return learned
}

// Repaired returns how many protections are restored.
func (r Report) Repaired() int {
	n := 0
	for i, done := range r.Restored() {
		if done && r.Outcomes[i].Restores() {
			n++
		}
	}
	return n
}

// Notices returns the causes that people are told of even where there was
// nothing to restore: calls with advice, made on something that a protection
// leans on or on nothing that the event names.
func (r Report) Notices() []Cause {
	var notices []Cause
	for _, c := range r.Causes {
		names := c.Names.List()
		all := r.Scope.Names == "" // merged from too many names to ask about each: rather tell too much
		touched := len(names) == 0 || all || slices.ContainsFunc(names, func(n string) bool { return slices.Contains(r.Plan.Touched, n) })
		if c.Advice != "" && touched && r.Err == nil {
			notices = append(notices, c)
		}
	}
	return notices
}

// Alerts reports whether an event is, or led to, something that people should
// look at soon.
func (r Report) Alerts() bool {
	alert := slices.ContainsFunc(r.Plan.Findings, func(f plan.Finding) bool { return f.Alert })
	return alert && len(r.Causes) > 0 || len(r.Notices()) > 0
}

// A Reconciler runs scopes against one account.
type Reconciler struct {
	Observer Observer
	Applier  Applier
	Want     catalog.Desired
}

// Run brings one scope to its desired state, or in mode Observe only plans it.
// The causes go into the report and decide nothing. After a repair it looks again: replies are promises, the account is the
// proof. What remains then is reported and not an error, since reads lag
// writes.
func (r Reconciler) Run(ctx context.Context, s Scope, mode catalog.Mode, causes ...Cause) Report {
	rep := Report{Scope: s, Mode: mode, Causes: causes}
	rep.Plan, rep.Err = r.plan(ctx, s)
	if rep.Err != nil || mode != catalog.Repair || len(rep.Plan.Actions) == 0 {
		return rep
	}
	rep.Outcomes = r.Applier.Apply(ctx, s, rep.Plan.Actions)
	again, err := r.plan(ctx, s)
	if err != nil {
		rep.Err = fmt.Errorf("verify: %w", err)
	}
	rep.Remaining = plan.Remaining(rep.Plan, again)
	return rep
}

func (r Reconciler) plan(ctx context.Context, s Scope) (plan.Plan, error) {
	got, err := r.Observer.Observe(ctx, s)
	if err != nil {
		return plan.Plan{}, fmt.Errorf("observe %s: %w", s, err)
	}
	return plan.Of(s.Kind, r.Want, got)
}
