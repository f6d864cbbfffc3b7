// Package plan compares the desired state with the observed one and decides
// what to do. Its functions are pure: time, account facts and observations
// arrive as arguments, and equal arguments give equal plans.
package plan

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/order"
)

// A State is what was observed of one kind. Each kind plans itself, so no other
// code needs to know which kinds exist.
type State interface {
	Kind() catalog.Kind
	// plan returns what the state needs. The observation around it says which
	// account and region it is of, and which names it is about.
	plan(want catalog.Desired, at Observed) Plan
}

// Observed is one observation of an account's region.
type Observed struct {
	Account string // 12 digits
	Region  string
	Type    catalog.ResourceType // of Asked; "" where everything of the kind was read
	Asked   []string             // the names that were asked about; none for all of the type
	State   State                // nil where nothing was read, which is not the same as empty
	Adopted Adopted              // what relight remembers, if NeedsAdopted or NeedsFloors
}

// Of plans one kind, in the plan's fixed order. It returns an error if that kind
// was not observed.
func Of(kind catalog.Kind, want catalog.Desired, got Observed) (Plan, error) {
	if got.State == nil || got.State.Kind() != kind {
		return Plan{}, fmt.Errorf("plan %s: it was not observed", kind)
	}
	return sorted(got.State.plan(want, got)), nil
}

// A Plan is what a run would do and report, in a fixed order. A kind has
// converged when its plan has no actions.
type Plan struct {
	Actions  []Action
	Unwanted []Action  // removals of what relight made and the configuration no longer wants: only a person makes them
	Findings []Finding // what only a person can fix
	Skips    []Skip    // what relight leaves as it is on purpose
	Touched  []string  // the names of Observed.Asked that a protection depends on
	Healthy  int       // protections that need nothing
	Kept     []Kept    // retentions of log groups that protections depend on
	Named    []string  // IDs of subnets and network interfaces that the configuration names, and that were found

	Adopts catalog.Adoption // what others made and the plan relies on
	Memory *Note            // what is remembered of the trail; nil if it was not read

	Functions Functions // what to remember of relight's own functions
}

// An Action is one change relight would make.
type Action interface{ Step() Step }

// A Step describes an action.
type Step struct {
	Stage  Stage
	Do     string // what it does, without the reason: "create topic arn:…"
	Thing  string // what comes back, before its target: "metric filter"; "" if something goes away
	Target string // the name, ID or ARN of what it changes
	Reason string
	Makes  string // what it creates and later steps may need; "" for nothing
	Needs  string // what must exist first, if an earlier step creates it; "" for nothing
	Quiet  bool   // people need not be notified that relight remembers this
}

// String returns the step as one line for an operator.
func (s Step) String() string { return s.Do + " (" + s.Reason + ")" }

// Restores reports whether a step restores a protection. Remembering one does
// not.
func (s Step) Restores() bool { return s.Stage != remember }

// Steps returns the steps of actions.
func Steps(actions []Action) []Step {
	steps := make([]Step, len(actions))
	for i, a := range actions {
		steps[i] = a.Step()
	}
	return steps
}

// Key identifies an action whatever its reason, which may differ when the same
// resource is planned again.
func Key(a Action) string { return fmt.Sprintf("%T %s", a, a.Step().Target) }

// A Stage is a place in the order of actions: what others depend on comes
// first.
type Stage uint8

// The stages of a plan, in order. An action belongs to the first one that fits.
const (
	unlock       Stage = iota // a key without which no notification can be sent
	create                    // what other actions of the plan need: a role, log group or topic
	configure                 // settings of what exists or was created before
	updateTrail               // the trail itself, created or changed
	startLogging              // of a trail that exists by now
	selectEvents              // of a trail that exists by now
	protect                   // protections: what somebody would miss if it were gone
	remove                    // what is no longer needed after the steps before
	renew                     // what replaces a protection that still works
	remember                  // a memory of a healthy protection
)

// Remaining returns the actions of a second plan that the applied first one
// should have made unnecessary. A removal, a renewal or a memory that only became
// due by the repair does not count: the next sweep does it.
func Remaining(first, second Plan) []Action {
	return slices.DeleteFunc(slices.Clone(second.Actions), func(a Action) bool {
		return a.Step().Stage >= remove && !slices.ContainsFunc(first.Actions, func(b Action) bool { return Key(a) == Key(b) })
	})
}

// A Finding is a problem that only a person can fix.
type Finding struct {
	Code     Code
	Severity catalog.Severity
	Subject  string // what it is about: "topic arn:…", "flow log fl-1 of vpc-1"
	Problem  string
	Remedy   string // what to do, as sentences
	Alert    bool   // notify people as soon as an event leads to it, not only by the sweep's alarm
}

// String returns the finding as one line: "[code] subject: problem. Remedy."
func (f Finding) String() string {
	return "[" + string(f.Code) + "] " + f.Subject + ": " + f.Problem + ". " + f.Remedy
}

// A Skip is a resource that relight leaves as it is on purpose.
type Skip struct {
	Subject string
	Reason  string
}

// String returns the skip as one line.
func (s Skip) String() string { return s.Subject + ": " + s.Reason }

// touch notes which of the names that were asked about a protection depends on.
func (p *Plan) touch(got Observed, of catalog.ResourceType, names ...string) {
	for _, n := range names {
		if got.Type == of && slices.Contains(got.Asked, n) && !slices.Contains(p.Touched, n) {
			p.Touched = append(p.Touched, n)
		}
	}
	slices.Sort(p.Touched)
}

// Add adds findings that only the repair brought to light. It leaves the actions in their
// order, which that of their outcomes follows.
func (p *Plan) Add(findings ...Finding) {
	p.Findings = append(p.Findings, findings...)
	sortFindings(p.Findings)
}

func sortFindings(findings []Finding) {
	order.By(findings, func(a, b Finding) int { return cmp.Compare(a.String(), b.String()) })
}

// sorted puts every list of a plan in its fixed order.
func sorted(p Plan) Plan {
	for _, actions := range [][]Action{p.Actions, p.Unwanted} {
		order.By(actions, func(a, b Action) int {
			s, t := a.Step(), b.Step()
			return cmp.Or(cmp.Compare(s.Stage, t.Stage), cmp.Compare(s.String(), t.String()))
		})
	}
	sortFindings(p.Findings)
	order.By(p.Kept, func(a, b Kept) int { return cmp.Or(cmp.Compare(a.Region, b.Region), cmp.Compare(a.Group, b.Group)) })
	order.By(p.Skips, func(a, b Skip) int { return cmp.Compare(a.String(), b.String()) })
	return p
}
