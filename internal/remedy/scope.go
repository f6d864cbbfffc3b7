package remedy

import (
	"cmp"
	"slices"
	"strings"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/order"
)

// A Scope says what to check, never what to do. It contains nothing from the
// event and is comparable, so that a burst of events collapses into a few scopes.
type Scope struct {
	Account string // 12 digits
	Region  string
	Kind    catalog.Kind
	Type    catalog.ResourceType // of Names; "" means everything of the kind, and what it depends on
	Names   Names                // none means everything of the type
}

// String returns the scope as one word:
// "111122223333/eu-west-1/flowlogs/vpc:vpc-1,vpc-2". Whatever is kept by scope is
// kept by this, and so by account.
func (s Scope) String() string {
	out := s.Account + "/" + s.Region + "/" + string(s.Kind)
	if s.Type != "" {
		out += "/" + string(s.Type)
	}
	if s.Names != "" {
		out += ":" + strings.Join(s.Names.List(), ",")
	}
	return out
}

// Everything returns the scope that the sweep uses: everything of the kind.
func (s Scope) Everything() Scope {
	s.Type, s.Names = "", ""
	return s
}

// Names is a set of names in comparable form: sorted, one per line. No AWS name
// that relight handles can contain a line break.
type Names string

// NamesOf returns the set of the given names.
func NamesOf(names ...string) Names {
	names = slices.Clone(names)
	slices.Sort(names)
	return Names(strings.Join(slices.Compact(names), "\n"))
}

// List returns the names, sorted.
func (n Names) List() []string {
	if n == "" {
		return nil
	}
	return strings.Split(string(n), "\n")
}

// MaxNames is the most names that a merged scope keeps. With more names, reading
// everything costs less than asking by name. DescribeAlarms takes 100.
const MaxNames = catalog.AlarmsPerCall

// Merge merges scopes so that no two cover the same type of resource in the same
// region, and returns them sorted. It unites their names. If one of the scopes has
// no names, or there are more than MaxNames, the merged scope covers everything of
// the type. A scope without a type covers every other scope of its kind, and one of
// log groups those about their filters.
func Merge(scopes []Scope) []Scope {
	everything := map[Scope]bool{}
	names := map[Scope][]string{} // by scope without its names; nil means all
	for _, s := range scopes {
		if s.Type == "" {
			everything[s.Everything()] = true
			continue
		}
		key := s
		key.Names = ""
		have, seen := names[key]
		switch {
		case s.Names == "", seen && have == nil:
			names[key] = nil
		default:
			names[key] = append(have, s.Names.List()...)
		}
	}
	for key, list := range names {
		wide := key
		wide.Type = catalog.LogGroup
		have, seen := names[wide]
		if key.Type != catalog.FilteredGroup || !seen {
			continue
		}
		if names[wide] = append(have, list...); have == nil || list == nil {
			names[wide] = nil
		}
		delete(names, key)
	}
	merged := make([]Scope, 0, len(everything)+len(names))
	for s := range everything {
		merged = append(merged, s)
	}
	for key, list := range names {
		if everything[key.Everything()] {
			continue
		}
		if set := NamesOf(list...); len(set.List()) <= MaxNames {
			key.Names = set
		}
		merged = append(merged, key)
	}
	order.By(merged, func(a, b Scope) int { return cmp.Compare(a.String(), b.String()) })
	return merged
}

// Covers reports whether a run of s checks everything that o names.
func (s Scope) Covers(o Scope) bool {
	if s.Account != o.Account || s.Region != o.Region || s.Kind != o.Kind {
		return false
	}
	if s.Type == "" {
		return true
	}
	if s.Type == catalog.LogGroup && o.Type == catalog.FilteredGroup {
		o.Type = s.Type
	}
	if s.Type != o.Type || s.Names == "" {
		return s.Type == o.Type
	}
	have := s.Names.List()
	return o.Names != "" && !slices.ContainsFunc(o.Names.List(), func(n string) bool { return !slices.Contains(have, n) })
}
