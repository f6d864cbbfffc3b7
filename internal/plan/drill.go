package plan

import (
	"slices"

	"github.com/relight-aws/relight/internal/catalog"
)

// A Link is one link of the chain from a record of the trail to people, and how it
// answered in a drill.
type Link struct {
	Link    string `json:"link"` // "filter", "alarm", "topic" or "subscribers"
	Subject string `json:"subject"`
	Silent  string `json:"silent,omitempty"` // why it did not answer; "" if it did
}

// String returns the link and what it is, as "filter relight-root-usage".
func (l Link) String() string { return l.Link + " " + l.Subject }

// FirstSilent returns the finding about the first link that did not answer. It
// returns false if all of them did.
func FirstSilent(links []Link) (Finding, bool) {
	i := slices.IndexFunc(links, func(l Link) bool { return l.Silent != "" })
	if i < 0 {
		return Finding{}, false
	}
	return NewFinding(DrillSilent, Args{"link": links[i].String(), "why": links[i].Silent}), true
}

// DrilledFilter returns the deployed filter that a drill tests for a control:
// relight's own, or one that measures it. It returns false if there is none.
func DrilledFilter(want catalog.Desired, control catalog.Control, filters []Filter) (Filter, bool) {
	i := slices.IndexFunc(filters, func(f Filter) bool { return f.Name == want.Name(control.ID) })
	if i < 0 {
		i = slices.IndexFunc(filters, func(f Filter) bool { return Measures(control, f) == "" })
	}
	if i < 0 {
		return Filter{}, false
	}
	return filters[i], true
}
