package plan

import (
	"maps"
	"slices"
	"strings"

	"github.com/relight-aws/relight/internal/catalog"
)

// Adopted is what sweeps have seen and relight goes by. It names what others made and
// relight may rely on: what the configuration names, what the first sweep found, and
// what a person accepted since. Anybody can make a filter, an alarm or a flow log that
// satisfies the policy, and delete it a moment after relight found its own redundant.
// It has the longest retentions and relight's own functions, too: one read is enough
// for all.
type Adopted struct {
	Resources  catalog.Adoption
	Pending    []string // scopes that no sweep has observed yet: what it finds there is adopted
	Memories   []string // the other parameters that a sweep has found written: a missing one was deleted
	Floors     Floors
	Functions  Functions
	All        bool   // everything counts: what is found is adopted
	First      bool   // this is the first sweep of a deployment
	Unreadable string // why the memory cannot be used, which is not the same as nothing
	Note       Note
}

// adoptedMemory is what a parameter has of Adopted.
type adoptedMemory struct {
	Version int `json:"v"`
	catalog.Adoption
	Pending   []string  `json:"pending,omitempty"`
	Memories  []string  `json:"memories,omitempty"`
	Groups    Floors    `json:"groups,omitempty"`
	Functions Functions `json:"functions,omitempty"`
}

// RecallAdopted reads what relight adopted from a note.
func RecallAdopted(n Note) Adopted {
	a := Adopted{Note: n}
	var m adoptedMemory
	if a.Unreadable = n.read(&m, &m.Version); a.Unreadable == "" {
		a.Resources, a.Pending, a.Memories, a.Floors, a.Functions = m.Adoption, m.Pending, m.Memories, m.Groups, m.Functions
	}
	return a
}

// Encode returns the text that RecallAdopted reads. The retention of a log group
// without room in a parameter is left out, the last by name first.
func (a Adopted) Encode() string {
	m := adoptedMemory{memoryVersion, a.Resources.Sorted(), slices.Sorted(slices.Values(a.Pending)), slices.Sorted(slices.Values(a.Memories)), maps.Clone(a.Floors), a.Functions}
	for {
		text := packed(m)
		if len(text) <= catalog.MemoryChars || len(m.Groups) == 0 {
			return text
		}
		delete(m.Groups, slices.Max(slices.Collect(maps.Keys(m.Groups))))
	}
}

// For returns what counts in one scope.
func (a Adopted) For(scope string) Adopted {
	a.All = a.All || slices.Contains(a.Pending, scope)
	return a
}

// filter, topic and flowLogs report whether one of these counts.
func (a Adopted) filter(name string) bool { return a.All || slices.Contains(a.Resources.Filters, name) }

func (a Adopted) topic(arn string) bool { return a.All || slices.Contains(a.Resources.Topics, arn) }

func (a Adopted) flowLogs(arn string) bool {
	return a.All || slices.Contains(a.Resources.FlowLogs, arn)
}

// adopts notes what a plan relies on, and that was not adopted before.
func (p *Plan) adopts(filters, topics, flowLogs []string) {
	p.Adopts = p.Adopts.With(catalog.Adoption{Filters: filters, Topics: topics, FlowLogs: flowLogs})
}

// notAdopted reports what would satisfy the policy if it were adopted, in the run
// that makes relight's own instead.
func (p *Plan) notAdopted(what catalog.Adoption) {
	if what = what.Sorted(); !what.Empty() {
		p.find(NotAdopted, Args{"things": what.String(), "flags": what.Flags()})
	}
}

// NeedsAdopted reports whether the plan of an observation depends on what relight
// adopted.
func NeedsAdopted(want catalog.Desired, got Observed) bool {
	switch s := got.State.(type) {
	case *LogGroupState:
		return slices.ContainsFunc(want.Controls, func(c catalog.Control) bool {
			own := slices.ContainsFunc(s.Filters, func(f Filter) bool { return f.Name == want.Name(c.ID) })
			return !own && len(othersMeasure(want, c, s.Filters)) > 0
		})
	case *FlowLogState:
		return slices.ContainsFunc(s.Networks, func(n Network) bool {
			want := want.For(n.ID, got.Region)
			return slices.ContainsFunc(n.FlowLogs, func(fl FlowLog) bool { return !relies(want, Adopted{}, fl) && Satisfies(want.FlowLogs, fl) == "" })
		})
	case *AlarmState:
		return slices.ContainsFunc(want.Controls, func(c catalog.Control) bool { return len(othersMeasure(want, c, s.Filters)) > 0 })
	}
	return false
}

// othersMeasure returns the names of the filters that measure a control and are not
// relight's.
func othersMeasure(want catalog.Desired, c catalog.Control, filters []Filter) []string {
	var names []string
	for _, f := range filters {
		if ownedBy(want, f) < 0 && Measures(c, f) == "" {
			names = append(names, f.Name)
		}
	}
	slices.Sort(names)
	return names
}

// An Adopt makes relight rely on what others made.
type Adopt struct {
	Parameter string
	Resources catalog.Adoption
	Reason    string
}

// Step returns the action as a step of a plan.
func (a Adopt) Step() Step {
	return Step{Stage: remember, Do: "rely on these, which others made: " + strings.TrimSpace(a.Resources.String()), Target: a.Parameter, Reason: a.Reason}
}
