package plan

import (
	"slices"
	"strings"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/pattern"
)

// MeasuresAny reports whether a filter measures a control: one of relight's own its
// control, and any other whichever it is. No filter of relight's stands in for another.
func MeasuresAny(want catalog.Desired, f Filter) bool {
	if i := ownedBy(want, f); i >= 0 {
		return Measures(want.Controls[i], f) == ""
	}
	return slices.ContainsFunc(want.Controls, func(c catalog.Control) bool { return Measures(c, f) == "" })
}

// ownedBy returns the index of the control that a filter of relight's own is for, or
// -1 for a filter of others.
func ownedBy(want catalog.Desired, f Filter) int {
	id, ours := strings.CutPrefix(f.Name, want.Name(""))
	if !ours {
		return -1
	}
	return slices.IndexFunc(want.Controls, func(c catalog.Control) bool { return c.ID == id })
}

// sameMeaning reports whether a filter pattern means what a control's does. One that
// matches more does not: whoever may change an adopted filter could make it match so
// much that its alarm stays in ALARM, and notifies nobody of the next event. A twin is
// there for its text, so only that text is the same.
func sameMeaning(c catalog.Control, text string) bool {
	switch {
	case strings.TrimSpace(text) == strings.TrimSpace(c.Pattern):
		return true
	case c.Twin():
		return false
	}
	p, err := pattern.Parse(text)
	if err != nil || c.Sample != "" && !p.Matches(c.Sample) { // most patterns of others end here, cheaply
		return false
	}
	want, err := pattern.Parse(c.Pattern)
	return err == nil && pattern.Equal(want, p) == pattern.Yes
}

// altered returns why the pattern of relight's own filter is not the control's, or
// "" if it is: in meaning, and to the letter where Security Hub compares letters.
func altered(c catalog.Control, text string) string {
	switch {
	case strings.TrimSpace(text) == strings.TrimSpace(c.Pattern):
		return ""
	case !pattern.Same(text, c.Pattern):
		return "its pattern differs"
	case c.SecurityHub != "":
		return "its pattern is not written as Security Hub prints it"
	}
	return ""
}
