package internal_test

import (
	"go/ast"
	"go/token"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// retired are words and turns of phrase that cost a reader a second look, and
// what to write instead. docs/words_test.go has those of the documents.
var retired = []struct{ shape, instead string }{
	{`\bmend(s|ed|ing)?\b`, "fix, restore; needs action"},
	{`\bin place\b`, "healthy"},
	{`\bfor you to\b`, "needs action"},
	{`\b(still|something|nothing) to do\b`, "still to restore"},
	{`\btold\b`, "reported, notified"},
	{`\btell(s|ing)?\b`, "report, notify, say"},
	{`\bof which\b`, "a sentence of its own"},
	{`\banew\b`, "again, from scratch"},
	{`\b(hold|holds|held|holding)\b`, "protect, satisfy, keep; healthy"},
	{`\blean(s|ed|ing)? on\b`, "depend on"},
	{`\bst(and|ands|ood) on\b`, "depend on"},
	{`\b(has|have) stood\b`, "has been"},
	{`\blook(s|ed|ing)? at\b`, "check, read"},
	{`\bto look at\b`, "needs attention"},
	{`\bleft alone\b`, "skipped"},
	{`\botherwise than\b`, "differs, was changed"},
	{`\bneedless\b`, "no longer needed"},
	{`\bhears?\b`, "is notified, receives"},
	{`\bunless it is meant\b`, "unless it is intended"},
	{`\bt(ake|akes|aken) (it|them|its \w+|the \w+) off\b`, "remove"},
	{`\b(as|than) wanted\b`, "desired"},
	{`\bwhich alone\b`, "only … can"},
}

// people reports whether people read a package's texts: not those of the local
// cloud and of the account in memory, which are for who works on relight.
func people(dir string) bool {
	return !strings.HasPrefix(dir, "internal/lab") && dir != "internal/awstest"
}

// Whatever people read says it in plain English: no text of the code has one of
// the retired words. Texts of findings and steps are among them.
func TestRetiredWords(t *testing.T) {
	var shapes []*regexp.Regexp
	for _, r := range retired {
		shapes = append(shapes, regexp.MustCompile(`(?i)`+r.shape))
	}
	for dir, sources := range packages(t) {
		if !people(dir) {
			continue
		}
		for _, s := range sources {
			for _, text := range texts(s.file) {
				for i, shape := range shapes {
					if found := shape.FindString(text); found != "" {
						t.Errorf("%s says %q: %s\n%s", s.name, found, retired[i].instead, text)
					}
				}
			}
		}
	}
}

// texts returns the string literals of a file, and what a plus joins of them.
// Tags of fields and paths of imports are none.
func texts(file *ast.File) []string {
	var out []string
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.ImportSpec:
			return false
		case *ast.Field:
			n.Tag = nil
		case *ast.BasicLit, *ast.BinaryExpr:
			if text, ok := joined(n.(ast.Expr)); ok {
				out = append(out, text)
			}
		}
		return true
	})
	return out
}

// joined returns the text of a literal, or of literals and other values that a
// plus joins. A value stands as "…".
func joined(e ast.Expr) (string, bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		text, err := strconv.Unquote(e.Value)
		return text, e.Kind == token.STRING && err == nil
	case *ast.BinaryExpr:
		left, l := joined(e.X)
		right, r := joined(e.Y)
		if e.Op != token.ADD || !l && !r {
			return "", false
		}
		if !l {
			left = "…"
		}
		if !r {
			right = "…"
		}
		return left + right, true
	}
	return "", false
}

// The scan reads what it claims to: a text in two pieces, and no tag.
func TestTexts(t *testing.T) {
	for _, sources := range packages(t) {
		for _, s := range sources {
			if s.name == "internal/plan/findings.go" {
				if !slices.ContainsFunc(texts(s.file), func(text string) bool { return strings.HasPrefix(text, "its bucket is {now}") }) {
					t.Error("the texts of findings are not among those that are read")
				}
				return
			}
		}
	}
	t.Error("there are no texts of findings")
}
