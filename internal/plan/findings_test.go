package plan_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/plan"
)

var placeholder = regexp.MustCompile(`\{([a-z]+)\}`)

// placeholders returns the names that the texts of a finding have in braces.
func placeholders(f plan.FindingText) []string {
	var names []string
	for _, m := range placeholder.FindAllStringSubmatch(f.Subject+f.Problem+f.Remedy, -1) {
		names = append(names, m[1])
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Every row is complete, and its code is a name that people can search for.
func TestFindingTexts(t *testing.T) {
	shape := regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)+$`)
	seen := map[plan.Code]bool{}
	for _, f := range plan.FindingTexts() {
		if seen[f.Code] || !shape.MatchString(string(f.Code)) {
			t.Errorf("code %q is there twice, or is no kebab case", f.Code)
		}
		seen[f.Code] = true
		if f.Subject == "" || f.Problem == "" || strings.HasSuffix(f.Problem, ".") || !strings.HasSuffix(f.Remedy, ".") || !strings.HasSuffix(f.Why, ".") {
			t.Errorf("%s lacks a text, or a full stop, or has one too many: %+v", f.Code, f)
		}
		if !slices.Contains(catalog.Severities(), f.Severity) {
			t.Errorf("%s has the severity %q", f.Code, f.Severity)
		}
		if f.More != "" && !strings.HasSuffix(f.More, ".") {
			t.Errorf("%s has no full stop: %s", f.Code, f.More)
		}
	}
}

// What a finding says is filled in once: braces in a value stay as they are.
func TestNewFinding(t *testing.T) {
	got := plan.NewFinding(plan.TopicDenied, plan.Args{"topic": "arn:t", "statement": `{"Sid":"{denied}"}`, "denied": "it", "condition": "{}"})
	want := plan.Finding{
		Code: "topic-denied", Severity: catalog.High, Subject: "topic arn:t", Problem: `a statement of its policy can deny it, so relight removes it: {"Sid":"{denied}"}`, Alert: true,
		Remedy: "Find out who added it. If you need it, add it again with this condition, which spares AWS services and this account: {}.",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A site is a place in the code that makes a finding.
type site struct {
	where string
	keys  []string // of the literal
	more  bool     // what the literal goes to may add keys
}

// sites returns the places that make findings, by the name of the code's
// constant; "" for a code in a variable. It also returns every name that the
// code uses, the names of codes by constant, and the keys that are added later.
func sites(t *testing.T) (made map[string][]site, used map[string]bool, codes map[string]plan.Code, added []string) {
	t.Helper()
	made, used, codes = map[string][]site{}, map[string]bool{}, map[string]plan.Code{}
	files, err := filepath.Glob("../*/*.go")
	if err != nil {
		t.Fatal(err)
	}
	set := token.NewFileSet()
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(set, name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		own := filepath.Base(name) == "findings.go"
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.ValueSpec:
				if id, ok := n.Type.(*ast.Ident); ok && own && id.Name == "Code" {
					codes[n.Names[0].Name] = plan.Code(stringOf(n.Values[0]))
				}
			case *ast.AssignStmt:
				for _, to := range n.Lhs {
					if at, ok := to.(*ast.IndexExpr); ok && nameOf(at.X) == "values" {
						added = append(added, stringOf(at.Index))
					}
				}
			case *ast.CallExpr:
				fn := nameOf(n.Fun)
				note(made, set, n.Args, fn != "find" && fn != "NewFinding")
			case *ast.ReturnStmt:
				note(made, set, n.Results, true)
			case *ast.Ident:
				used[n.Name] = used[n.Name] || !own
			}
			return true
		})
	}
	return made, used, codes, added
}

// note adds a site where a list of expressions has a code and a literal of its
// values.
func note(made map[string][]site, set *token.FileSet, list []ast.Expr, more bool) {
	i := slices.IndexFunc(list, func(e ast.Expr) bool {
		lit, ok := e.(*ast.CompositeLit)
		return ok && nameOf(lit.Type) == "Args"
	})
	if i < 1 {
		return
	}
	code := nameOf(list[i-1])
	if code == "code" {
		code = ""
	}
	var keys []string
	for _, e := range list[i].(*ast.CompositeLit).Elts {
		keys = append(keys, stringOf(e.(*ast.KeyValueExpr).Key))
	}
	slices.Sort(keys)
	made[code] = append(made[code], site{set.Position(list[i].Pos()).String(), keys, more})
}

func nameOf(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return e.Sel.Name
	}
	return ""
}

func stringOf(e ast.Expr) string {
	lit, ok := e.(*ast.BasicLit)
	if !ok {
		return ""
	}
	s, _ := strconv.Unquote(lit.Value) // the parser has read it
	return s
}

// Every code is in the table and made somewhere, with a value for every
// placeholder and no other.
func TestEveryFindingIsMade(t *testing.T) {
	made, used, codes, added := sites(t)
	texts := map[plan.Code]plan.FindingText{}
	for _, f := range plan.FindingTexts() {
		texts[f.Code] = f
	}
	if got := slices.Sorted(maps.Values(codes)); !slices.Equal(got, slices.Sorted(maps.Keys(texts))) {
		t.Errorf("constants %v\ntable %v", got, slices.Sorted(maps.Keys(texts)))
	}
	for name, code := range codes {
		if !used[name] {
			t.Errorf("nothing makes %s", code)
		}
		at := made[name]
		if len(at) == 0 {
			at = made[""]
		}
		for _, s := range at {
			want := placeholders(texts[code])
			if s.more {
				want = slices.DeleteFunc(want, func(n string) bool { return slices.Contains(added, n) && !slices.Contains(s.keys, n) })
			}
			if !slices.Equal(s.keys, want) {
				t.Errorf("%s: %s has the values %v, want %v", s.where, code, s.keys, want)
			}
		}
	}
}
