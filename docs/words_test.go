package docs_test

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// retired are words and turns that cost a reader a second look, and what to
// write instead.
var retired = []struct{ shape, instead string }{
	{`\bmend(s|ed|ing)?\b`, "fix, restore; needs action"},
	{`\bin place\b`, "healthy"},
	{`\bfor you to\b`, "needs action"},
	{`\bstill to do\b`, "still to restore"},
	{`\btold\b`, "reported, notified"},
	{`\btell(s|ing)?\b`, "report, notify, say"},
	{`\bof which there (is|are|was) no\b`, "AWS publishes no …"},
	{`\banew\b`, "again, from scratch"},
	{`\b(hold|holds|held|holding)\b`, "protect, satisfy, keep; healthy"},
	{`\blean(s|ed|ing)? on\b`, "depend on"},
	{`\blooked at\b`, "checked, read"},
	{`\b(something|nothing) to look at\b`, "needs attention"},
	{`\b(has|have) stood\b`, "has been"},
	{`\bleft alone\b`, "skipped"},
	{`\bneedless\b`, "redundant"},
	{`\bnobody hears\b`, "nobody is notified"},
	{`(?:^|[.:;|] )who(ever)? (may|was|deletes|empties|takes|steals|knows|could|strips|wants)\b`, "a sentence with a named subject"},
	{`\b(some|such) [a-z]+ no [a-z]+ [a-z]+s\b`, "subject, verb, object"},
}

// wordsOf blanks what people do not write: generated blocks, code and the
// targets of links.
func wordsOf(text string) string {
	text = regexp.MustCompile(`(?s)<!-- (\w+): generated -->.*?<!-- /\w+ -->`).ReplaceAllStringFunc(text, blank)
	text = regexp.MustCompile("(?s)```.*?```").ReplaceAllStringFunc(text, blank)
	text = regexp.MustCompile("`[^`\n]*`").ReplaceAllString(text, "``")
	return regexp.MustCompile(`\]\([^)\s]+\)`).ReplaceAllString(text, "]()")
}

// blank returns the line breaks of a text, so that line numbers stay.
func blank(s string) string { return strings.Repeat("\n", strings.Count(s, "\n")) }

// latest returns a changelog up to its second version.
func latest(text string) string {
	parts := strings.SplitAfterN(text, "\n## ", 3)
	return strings.Join(parts[:min(2, len(parts))], "")
}

// What people read says it in plain English at first reading: none of the
// retired words is in it.
func TestRetiredWords(t *testing.T) {
	var shapes []*regexp.Regexp
	for _, r := range retired {
		shapes = append(shapes, regexp.MustCompile(`(?i)`+strings.ReplaceAll(r.shape, " ", `\s+`))) // a line may break anywhere
	}
	files := []string{"../README.md", "../CONTRIBUTING.md", "../SECURITY.md", "../CHANGELOG.md", "../events/README.md"}
	for _, pattern := range []string{"*.md", "adr/*.md"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, found...)
	}
	for _, file := range files {
		if _, generated := pages[file]; generated {
			continue
		}
		text := read(t, file)
		if filepath.Base(file) == "CHANGELOG.md" {
			text = latest(text)
		}
		text = wordsOf(text)
		for i, shape := range shapes {
			for _, at := range shape.FindAllStringIndex(text, -1) {
				line := strings.Count(text[:at[0]], "\n") + 1
				t.Errorf("%s:%d says %q: %s", file, line, text[at[0]:at[1]], retired[i].instead)
			}
		}
	}
}
