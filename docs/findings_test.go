package docs_test

import (
	"regexp"
	"slices"
	"testing"

	"github.com/relight-aws/relight/internal/plan"
)

// findings writes the table of findings. Names in braces stand for values.
func findings(p *page) {
	p.line("\nNames in braces stand for values of the finding.\n")
	p.head("Code", "Severity", "Finding", "Why", "What to do")
	for _, f := range plan.FindingTexts() {
		do := f.Remedy
		if f.More != "" {
			do += " " + f.More
		}
		p.row(`<a id="`+string(f.Code)+`"></a>`+code(string(f.Code)), string(f.Severity), f.Subject+": "+f.Problem, f.Why, do)
	}
	p.line("")
}

// Every code has one entry in the table, to which a link can lead, and every
// entry is of a code.
func TestEveryFindingIsDocumented(t *testing.T) {
	var want []string
	for _, f := range plan.FindingTexts() {
		want = append(want, string(f.Code))
	}
	var got []string
	text := read(t, "operations.md")
	for _, m := range regexp.MustCompile("(?m)^\\| <a id=\"([^\"]+)\"></a>`([^`]+)` \\|").FindAllStringSubmatch(text, -1) {
		if m[1] != m[2] {
			t.Errorf("the entry of %s has the anchor %s", m[2], m[1])
		}
		got = append(got, m[2])
	}
	if !slices.Equal(got, want) {
		t.Errorf("docs/operations.md has entries for %v, want %v", got, want)
	}
	for _, c := range want {
		if !slices.Contains(anchors(text), c) {
			t.Errorf("no link leads to %s", c)
		}
	}
}
