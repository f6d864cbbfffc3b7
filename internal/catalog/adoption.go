package catalog

import (
	"slices"
	"strings"
)

// An Adoption names what others made and relight may rely on.
type Adoption struct {
	Filters  []string `json:"filters,omitempty"`  // names of metric filters on the trail's log group
	Topics   []string `json:"topics,omitempty"`   // ARNs of topics that others' alarms notify
	FlowLogs []string `json:"flowLogs,omitempty"` // ARNs of the log groups, buckets and streams that others' flow logs deliver to
}

// Empty reports whether nothing is named.
func (a Adoption) Empty() bool { return len(a.Filters)+len(a.Topics)+len(a.FlowLogs) == 0 }

// Sorted returns an adoption with each name once, in order.
func (a Adoption) Sorted() Adoption {
	for _, list := range []*[]string{&a.Filters, &a.Topics, &a.FlowLogs} {
		*list = slices.Compact(slices.Sorted(slices.Values(*list)))
	}
	return a
}

// With returns an adoption that names what either names.
func (a Adoption) With(b Adoption) Adoption {
	return Adoption{
		Filters: slices.Concat(a.Filters, b.Filters), Topics: slices.Concat(a.Topics, b.Topics), FlowLogs: slices.Concat(a.FlowLogs, b.FlowLogs),
	}.Sorted()
}

// Without returns an adoption without what b names.
func (a Adoption) Without(b Adoption) Adoption {
	drop := func(list, gone []string) []string {
		return slices.DeleteFunc(slices.Clone(list), func(name string) bool { return slices.Contains(gone, name) })
	}
	return Adoption{Filters: drop(a.Filters, b.Filters), Topics: drop(a.Topics, b.Topics), FlowLogs: drop(a.FlowLogs, b.FlowLogs)}.Sorted()
}

// String names everything in words.
func (a Adoption) String() string {
	var parts []string
	for _, p := range []struct {
		what  string
		names []string
	}{{"metric filters ", a.Filters}, {"alarms that notify ", a.Topics}, {"flow logs to ", a.FlowLogs}} {
		if len(p.names) > 0 {
			parts = append(parts, p.what+strings.Join(p.names, ", "))
		}
	}
	return strings.Join(parts, "; ")
}

// Flags returns the flags with which relight accept adopts all of it.
func (a Adoption) Flags() string {
	var flags []string
	for _, p := range []struct {
		flag  string
		names []string
	}{{"--filters ", a.Filters}, {"--topics ", a.Topics}, {"--flow-logs ", a.FlowLogs}} {
		if len(p.names) > 0 {
			flags = append(flags, p.flag+strings.Join(p.names, ","))
		}
	}
	return strings.Join(flags, " ")
}

// AdoptedMemory returns the name of the parameter that stores what relight adopted, and
// the longest retentions that its sweeps have seen.
func (b Baseline) AdoptedMemory() string { return b.Memories() + "adopted" }
