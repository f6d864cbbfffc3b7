// Package plan compares what is wanted with what was observed and decides
// what to do. Its functions are pure: time, account facts and observations
// arrive as arguments, and equal arguments give equal plans.
package plan

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/relight-aws/relight/internal/catalog"
)

// Observed is one look at an account's region. Only the state of the kind
// that was looked at is set: a nil state was not read, which is not the same
// as empty.
type Observed struct {
	Account string // 12 digits
	Region  string
	Type    catalog.ResourceType // of Asked; "" where everything of the kind was looked at
	Asked   []string             // the names that the look was about; none for all of the type

	FlowLogs      *FlowLogState
	Trails        *TrailState
	LogGroups     *LogGroupState
	Topics        *TopicState
	Alarms        *AlarmState
	DeliveryRoles *DeliveryRoleState
}

// A Plan is what a run would do and say, in a fixed order. A kind has
// converged when its plan has no actions.
type Plan struct {
	Actions  []Action
	Findings []Finding // what only a person can mend
	Skips    []Skip    // what was left alone on purpose
	Touched  []string  // of Observed.Asked, what a protection leans on
	Held     int       // protections found in place
}

// An Action is one change relight would make. Its String is one line for an
// operator, with the reason.
type Action interface {
	fmt.Stringer
	Target() string // the name or ID of what is changed
	before() int    // place in the order of actions; what others lean on comes first
}

// Key tells an action from others whatever its reason, which a second look
// may word in another way.
func Key(a Action) string { return fmt.Sprintf("%T %s", a, a.Target()) }

// Places in the order of actions.
const (
	groupFirst = iota
	retentionNext
	trailNext
	loggingNext
	selectorsNext
	protectionLast
	removalAfter
	memoryLast // of an account that is whole
)

// A Finding is a fault that only a person can mend.
type Finding struct {
	Subject string // what it is about: "topic arn:…", "flow log fl-1 of vpc-1"
	Problem string
	Remedy  string // what to do, as a sentence
	Alert   bool   // people hear of it as soon as an event leads to it, not only by the sweep's alarm
}

// String returns the finding as one line.
func (f Finding) String() string { return f.Subject + ": " + f.Problem + ". " + f.Remedy }

// A Skip is a resource that was left alone on purpose.
type Skip struct {
	Subject string
	Reason  string
}

// String returns the skip as one line.
func (s Skip) String() string { return s.Subject + ": " + s.Reason }

// Of plans one kind. It returns an error if that kind was not observed.
func Of(kind catalog.Kind, want catalog.Desired, got Observed) (Plan, error) {
	switch {
	case kind == catalog.DeliveryRoles && got.DeliveryRoles != nil:
		return DeliveryRoles(want, got), nil
	case kind == catalog.FlowLogs && got.FlowLogs != nil:
		return FlowLogs(want, got), nil
	case kind == catalog.Trails && got.Trails != nil:
		return Trails(want, got), nil
	case kind == catalog.LogGroups && got.LogGroups != nil:
		return LogGroups(want, got), nil
	case kind == catalog.Topics && got.Topics != nil:
		return Topics(want, got), nil
	case kind == catalog.Alarms && got.Alarms != nil:
		return Alarms(want, got), nil
	}
	return Plan{}, fmt.Errorf("plan %s: it was not observed", kind)
}

// touch notes which of the names that the look was about are among those that
// a protection leans on.
func (p *Plan) touch(got Observed, of catalog.ResourceType, names ...string) {
	for _, n := range names {
		if got.Type == of && slices.Contains(got.Asked, n) && !slices.Contains(p.Touched, n) {
			p.Touched = append(p.Touched, n)
		}
	}
	slices.Sort(p.Touched)
}

// sorted puts every list of a plan in its fixed order.
func sorted(p Plan) Plan {
	slices.SortFunc(p.Actions, func(a, b Action) int {
		return cmp.Or(cmp.Compare(a.before(), b.before()), cmp.Compare(a.String(), b.String()))
	})
	slices.SortFunc(p.Findings, func(a, b Finding) int { return cmp.Compare(a.String(), b.String()) })
	slices.SortFunc(p.Skips, func(a, b Skip) int { return cmp.Compare(a.String(), b.String()) })
	return p
}
