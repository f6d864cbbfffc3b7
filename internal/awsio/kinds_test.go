package awsio

import (
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/relight-aws/relight/internal/catalog"
)

// unwanted are actions that no function carries out: a person does, with apply --prune.
var unwanted = []string{"DeleteAlarm", "DeleteFilter"}

// A function links no more than its kinds. So a kind has an applier for every action
// that its plans may contain, also for one on a resource of another kind, and has no
// other. The test follows what the planner of the kind calls, so it finds the actions
// that a plan can contain in any account.
func TestAppliersOfKinds(t *testing.T) {
	p := readPlanner(t)
	var of []catalog.Kind
	for _, k := range AllKinds() {
		of = append(of, k.Of)
		got := map[string]bool{}
		for _, a := range k.appliers {
			got[a.action.Name()] = true
		}
		want := p.actionsOf(reflect.TypeOf(k.state).Elem().Name())
		if len(want) == 0 {
			t.Errorf("found no actions of %s", k.Of)
		}
		for action := range want {
			if !got[action] && !slices.Contains(unwanted, action) {
				t.Errorf("a plan of %s may contain %s, for which the kind has no applier", k.Of, action)
			}
		}
		for action := range got {
			if !want[action] {
				t.Errorf("%s has an applier for %s, which none of its plans contains", k.Of, action)
			}
		}
	}
	if missing := slices.DeleteFunc(catalog.Kinds(), func(k catalog.Kind) bool { return slices.Contains(of, k) }); len(missing) > 0 || len(of) != len(catalog.Kinds()) {
		t.Errorf("kinds %v, without %v", of, missing)
	}
}

// A planner is what the sources of internal/plan declare.
type planner struct {
	calls   map[string][]string // by function, or method as "Type.Name": the functions and methods that it mentions
	makes   map[string][]string // likewise: the types of which it has literals
	actions map[string]bool     // the types with a method Step
}

// actionsOf returns the actions that the plans of a type of state may contain.
func (p planner) actionsOf(state string) map[string]bool {
	found, followed := map[string]bool{}, map[string]bool{}
	var follow func(function string)
	follow = func(function string) {
		if followed[function] {
			return
		}
		followed[function] = true
		for _, made := range p.makes[function] {
			if p.actions[made] {
				found[made] = true
			}
		}
		for _, called := range p.calls[function] {
			follow(called)
		}
	}
	follow(state + ".plan")
	return found
}

// nothing imports each package as an empty one: only what internal/plan itself declares
// matters, and the checker resolves that all the same.
type nothing struct{}

func (nothing) Import(path string) (*types.Package, error) {
	p := types.NewPackage(path, filepath.Base(path))
	p.MarkComplete()
	return p, nil
}

func readPlanner(t *testing.T) planner {
	t.Helper()
	names, err := filepath.Glob("../plan/*.go")
	if err != nil {
		t.Fatal(err)
	}
	fset := token.NewFileSet()
	var files []*ast.File
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(fset, name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	info := types.Info{Defs: map[*ast.Ident]types.Object{}, Uses: map[*ast.Ident]types.Object{}}
	checker := types.Config{Importer: nothing{}, Error: func(error) {}} // about what the imported packages lack
	_, _ = checker.Check("plan", fset, files, &info)
	p := planner{calls: map[string][]string{}, makes: map[string][]string{}, actions: map[string]bool{}}
	methods := map[string][]string{} // by name
	var bodies []*ast.FuncDecl
	for _, f := range files {
		for _, d := range f.Decls {
			if f, ok := d.(*ast.FuncDecl); ok {
				bodies = append(bodies, f)
				name := nameOf(info.Defs[f.Name].(*types.Func))
				methods[f.Name.Name] = append(methods[f.Name.Name], name)
				if of, ok := strings.CutSuffix(name, ".Step"); ok {
					p.actions[of] = true
				}
			}
		}
	}
	for _, body := range bodies {
		name := nameOf(info.Defs[body.Name].(*types.Func))
		ast.Inspect(body, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CompositeLit:
				if of, ok := n.Type.(*ast.Ident); ok {
					p.makes[name] = append(p.makes[name], of.Name)
				}
			case *ast.Ident:
				if f, ok := info.Uses[n].(*types.Func); ok {
					p.calls[name] = append(p.calls[name], nameOf(f))
				}
			case *ast.SelectorExpr:
				if info.Uses[n.Sel] == nil { // of what an imported package returned: any method of the name
					p.calls[name] = append(p.calls[name], methods[n.Sel.Name]...)
				}
			}
			return true
		})
	}
	return p
}

// nameOf returns the name of a function, or of a method as "Type.Name".
func nameOf(f *types.Func) string {
	of := f.Signature().Recv()
	if of == nil {
		return f.Name()
	}
	t := of.Type()
	if p, ok := t.(*types.Pointer); ok {
		t = p.Elem()
	}
	if named, ok := t.(*types.Named); ok {
		return named.Obj().Name() + "." + f.Name()
	}
	return f.Name()
}
