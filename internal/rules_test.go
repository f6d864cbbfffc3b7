// Package internal_test holds rules about the whole repository: who may import
// whom, what the pure packages may not know, and what every kind must have.
//
// The rules read the sources and do not ask go list: go test remembers which
// files a test has read and runs it again when one changes, while it cannot
// see what a command of the test's read. A rule broken yesterday would pass
// from the cache.
package internal_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/config"
)

const (
	module   = "github.com/relight-aws/relight/"
	root     = ".."
	services = "github.com/aws/aws-sdk-go-v2/service/"
)

// A source is one Go file that is not a test.
type source struct {
	name  string // from the root of the repository
	lines int
	file  *ast.File
}

// imports returns what a file imports.
func (s source) imports() []string {
	var paths []string
	for _, spec := range s.file.Imports {
		p, _ := strconv.Unquote(spec.Path.Value) // the parser has read it
		paths = append(paths, p)
	}
	return paths
}

// packages returns the sources of the repository by folder. Folders that git
// does not know, or that hold other people's Go, are left out.
func packages(t *testing.T) map[string][]source {
	t.Helper()
	found := map[string][]source{}
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			base := d.Name()
			if name != root && (strings.HasPrefix(base, ".") || slices.Contains([]string{"node_modules", "testdata", "cdk.out"}, base)) {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		raw, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, raw, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		found[path.Dir(rel)] = append(found[path.Dir(rel)], source{rel, strings.Count(string(raw), "\n"), file})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// layers says, for each folder and those below it, what its packages may
// import beside the standard library: packages of this module, and modules
// of others by prefix. The longest folder that fits counts.
var layers = map[string][]string{
	"events":           {},
	"internal/catalog": {"internal/lazy"}, // the stack reads it too
	"internal/config":  {"internal/catalog", "internal/lazy", "internal/pattern"},
	"internal/lazy":    {},
	"internal/order":   {},
	"internal/pattern": {"internal/lazy"},
	"internal/release": {},
	"internal/version": {},
	"internal/audit":   {"internal/catalog", "internal/pattern", "internal/plan"},
	// What renders a report is the command's. Of the functions, the auditor alone links
	// findings, which it publishes.
	"internal/audit/audittest": {"internal/audit", "internal/catalog", "internal/plan"},
	"internal/audit/finding":   {"internal/audit", "internal/catalog"},
	"internal/audit/page":      {"internal/audit", "internal/catalog"},
	"internal/iampolicy":       {"internal/lazy"},
	// The template of a guarded account, of which the functions know nothing.
	"internal/spoke":   {"internal/catalog", "internal/config"},
	"internal/plan":    {"internal/catalog", "internal/iampolicy", "internal/lazy", "internal/order", "internal/pattern", "github.com/aws/aws-sdk-go-v2/aws/arn"},
	"internal/remedy":  {"internal/catalog", "internal/order", "internal/plan"},
	"internal/trigger": {"internal/catalog", "internal/lazy", "internal/remedy", "github.com/aws/aws-sdk-go-v2/aws/arn"},
	"internal/report":  {"internal/catalog", "internal/lazy", "internal/order", "internal/plan", "internal/remedy", "internal/version"},
	"internal/awsio": {
		"internal/audit", "internal/catalog", "internal/plan", "internal/remedy",
		"github.com/aws/aws-sdk-go-v2/", "github.com/aws/smithy-go", "golang.org/x/",
		"internal/order",
	},
	// The client of Security Hub, apart from the others because of its size.
	"internal/awsio/hub": {
		"internal/audit/finding", "internal/awsio", "internal/remedy",
		"github.com/aws/aws-sdk-go-v2/aws", "github.com/aws/aws-sdk-go-v2/service/securityhub",
	},
	// The calls that no function may make.
	"internal/awsio/remove": {
		"internal/awsio", "internal/catalog",
		"github.com/aws/aws-sdk-go-v2/", "github.com/aws/smithy-go", "golang.org/x/sync/errgroup",
	},
	"internal/awsio/prune": {"internal/awsio", "internal/catalog", "internal/plan", "internal/remedy", "github.com/aws/aws-sdk-go-v2/"},
	// What asks the functions' logs. Only the command line links it.
	"internal/awsio/insights": {"github.com/aws/aws-sdk-go-v2/aws", "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"},
	"internal/publish": {
		"internal/app", "internal/audit", "internal/audit/finding", "internal/awsio", "internal/awsio/hub", "internal/catalog",
		"github.com/aws/aws-lambda-go/lambda",
	},
	"internal/app": {
		"internal/audit", "internal/awsio", "internal/catalog", "internal/config", "internal/plan", "internal/remedy", "internal/report", "internal/trigger", "internal/version",
		"github.com/aws/aws-lambda-go/events", "github.com/aws/aws-lambda-go/lambdacontext", "github.com/aws/aws-sdk-go-v2/aws", "github.com/aws/aws-sdk-go-v2/credentials", "golang.org/x/",
		"internal/order",
	},
	"internal/probe": {"internal/catalog", "github.com/aws/aws-sdk-go-v2/", "github.com/aws/smithy-go"},
	"internal/awstest": {
		"internal/catalog", "internal/pattern",
		"github.com/aws/aws-sdk-go-v2/", "github.com/aws/smithy-go",
	},
	// The model of what is between an account and the functions.
	"internal/bench":             {"internal/awstest", "internal/catalog", "github.com/aws/"},
	"internal/bench/emptylambda": {"github.com/aws/aws-lambda-go/lambda", "github.com/aws/aws-sdk-go-v2/config"},
	"internal/bench/startup":     {"internal/bench", "internal/catalog", "internal/release"},
	// The local cloud stands where AWS does: it never sees the stack it is
	// given, and its tap knows nothing of relight.
	"internal/lab":     {"events", "internal/catalog", "internal/lab/", "github.com/aws/", "golang.org/x/"},
	"internal/lab/tap": {"internal/lab/tap", "github.com/aws/smithy-go"},
	// What another scanner says of an account, against an audit.
	"internal/lab/prowler": {"internal/audit", "internal/catalog"},
	"internal/serve":       {"internal/app", "internal/awsio", "internal/catalog", "github.com/aws/aws-lambda-go/lambda"},
	"functions":            {"internal/awsio", "internal/serve"},
	"functions/audit":      {"internal/publish"},
	"infra":                {"infra/", "internal/catalog", "internal/config", "internal/release", "internal/version", "github.com/aws/aws-cdk-go/", "github.com/aws/constructs-go/", "github.com/aws/jsii-runtime-go"},
	"cmd": {
		"events", "internal/app", "internal/audit", "internal/audit/finding", "internal/audit/page", "internal/awsio", "internal/awsio/insights", "internal/awsio/prune", "internal/awsio/remove", "internal/catalog", "internal/config", "internal/lab", "internal/pattern", "internal/probe", "internal/remedy", "internal/report", "internal/spoke", "internal/version",
		"github.com/", "golang.org/x/",
	},
}

func TestImports(t *testing.T) {
	for dir, sources := range packages(t) {
		layer := dir
		for layers[layer] == nil && layer != "." {
			layer = path.Dir(layer)
		}
		allowed, ok := layers[layer]
		if !ok {
			t.Errorf("%s has no row in layers", dir)
		}
		for _, s := range sources {
			for _, p := range s.imports() {
				if !may(allowed, p) {
					t.Errorf("%s imports %s, which the row of %s does not allow", s.name, p, layer)
				}
			}
		}
	}
}

// may reports whether an import is of the standard library or allowed.
func may(allowed []string, imported string) bool {
	own, ours := strings.CutPrefix(imported, module)
	if first, _, _ := strings.Cut(imported, "/"); !ours && !strings.Contains(first, ".") {
		return true
	}
	return slices.ContainsFunc(allowed, func(a string) bool {
		if ours {
			return own == a || strings.HasSuffix(a, "/") && strings.HasPrefix(own, a)
		}
		return strings.HasPrefix(imported, a)
	})
}

// What the functions link talks to AWS in one place, so that errors, retries
// and paging are decided once. The client of Security Hub is in a package of its own
// below that place, whose settings it uses: it is large, and the auditor alone needs it.
// The auditor links nothing that runs the other functions.
func TestOneEdgeToAWS(t *testing.T) {
	all := packages(t)
	for _, f := range catalog.Binaries() {
		linked := map[string]bool{}
		var link func(dir string)
		link = func(dir string) {
			if linked[dir] {
				return
			}
			linked[dir] = true
			for _, s := range all[dir] {
				for _, p := range s.imports() {
					if own, ok := strings.CutPrefix(p, module); ok {
						link(own)
					}
				}
			}
		}
		link("functions/" + string(f))
		audits := f == catalog.Auditor
		if !linked["internal/awsio"] || linked["internal/lab"] || linked["internal/awstest"] || linked["internal/probe"] || linked["internal/audit/page"] ||
			linked["internal/audit/finding"] != audits || linked["internal/awsio/hub"] != audits || linked["internal/serve"] == audits {
			t.Errorf("%s links %v", f, slices.Sorted(maps.Keys(linked)))
		}
		for dir := range linked {
			for _, s := range all[dir] {
				for _, p := range s.imports() {
					if hub := strings.HasPrefix(p, services+"securityhub"); strings.HasPrefix(p, services) && (hub || dir != "internal/awsio") && (!hub || dir != "internal/awsio/hub") {
						t.Errorf("%s imports %s; only internal/awsio may, and the client of Security Hub only internal/awsio/hub", s.name, p)
					}
				}
			}
		}
	}
}

// A plan depends on its arguments alone, and a catalog is data.
func TestPure(t *testing.T) {
	all := packages(t)
	for dir, banned := range map[string][]string{
		"internal/plan":      {"context", "crypto/rand", "io", "log", "log/slog", "math/rand", "math/rand/v2", "net", "net/http", "os", "sync", "time"},
		"internal/iampolicy": {"context", "crypto/rand", "io", "log", "log/slog", "math/rand", "math/rand/v2", "net", "net/http", "os", "sync", "time"},
		"internal/pattern":   {"context", "crypto/rand", "io", "log", "log/slog", "math/rand", "math/rand/v2", "net", "net/http", "os", "sync", "time"},
		"internal/catalog":   {"context", "crypto/rand", "io", "log", "log/slog", "math/rand", "math/rand/v2", "net", "net/http", "os", "sync", "time"},
		"internal/trigger":   {"context", "log", "log/slog", "net", "net/http", "os"},
		"internal/remedy":    {"log", "log/slog", "net", "net/http", "os"},
	} {
		for _, s := range all[dir] {
			for _, p := range s.imports() {
				if slices.Contains(banned, p) {
					t.Errorf("%s imports %s", s.name, p)
				}
			}
		}
	}
	for _, dir := range []string{"internal/trigger", "internal/remedy", "internal/report"} {
		for _, s := range all[dir] {
			ast.Inspect(s.file, func(n ast.Node) bool {
				sel, ok := n.(*ast.SelectorExpr)
				if !ok {
					return true
				}
				if pkg, ok := sel.X.(*ast.Ident); ok && pkg.Name == "time" && slices.Contains([]string{"Now", "Since", "Until", "After", "Sleep"}, sel.Sel.Name) {
					t.Errorf("%s reads the clock with time.%s; it comes as an argument", s.name, sel.Sel.Name)
				}
				return true
			})
		}
	}
}

// Nothing happens before main, and no ARN is right in one partition only.
func TestSources(t *testing.T) {
	for dir, sources := range packages(t) {
		ours := !strings.HasPrefix(dir, "internal/lab") && dir != "internal/awstest" // which stand for AWS's commercial partition
		for _, s := range sources {
			ast.Inspect(s.file, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.FuncDecl:
					if n.Name.Name == "init" && n.Recv == nil {
						t.Errorf("%s has an init", s.name)
					}
				case *ast.BasicLit:
					if ours && n.Kind == token.STRING && strings.Contains(n.Value, "arn:aws:") {
						t.Errorf("%s spells the partition: %s", s.name, n.Value)
					}
				}
				return true
			})
		}
	}
}

func TestPackagesAreDocumented(t *testing.T) {
	for dir, sources := range packages(t) {
		if !slices.ContainsFunc(sources, func(s source) bool { return s.file.Doc != nil }) {
			t.Errorf("package %s has no doc comment", dir)
		}
	}
}

// A function's main is wiring only.
func TestMainsAreShort(t *testing.T) {
	all := packages(t)
	for _, f := range catalog.Binaries() {
		sources := all["functions/"+string(f)]
		if len(sources) != 1 || sources[0].lines > 40 {
			t.Errorf("functions/%s has %d files, want one main.go of at most 40 lines", f, len(sources))
		}
	}
	for dir := range all {
		if name, ok := strings.CutPrefix(dir, "functions/"); ok && !slices.Contains(catalog.Binaries(), catalog.Function(name)) {
			t.Errorf("%s is no function of the catalog", dir)
		}
	}
}

// A resource kind is a slice with the same file name in every stage.
func TestSlices(t *testing.T) {
	all := packages(t)
	for _, k := range catalog.Kinds() {
		file := strings.TrimSuffix(string(k), "s") + ".go"
		for _, stage := range []string{"internal/catalog", "internal/plan", "internal/awsio", "internal/awstest"} {
			if !slices.ContainsFunc(all[stage], func(s source) bool { return path.Base(s.name) == file }) {
				t.Errorf("kind %s has no %s/%s", k, stage, file)
			}
		}
	}
}

// A new kind that misses the catalog or a function is found here; one that is
// not observed, planned or applied fails the sweeps of internal/app.
func TestEveryKindGoesThrough(t *testing.T) {
	c, err := config.Parse(nil)
	if err != nil {
		t.Fatal(err)
	}
	all := packages(t)
	shared := catalog.Grants(catalog.Function("no kind"))
	for _, k := range catalog.Kinds() {
		f := catalog.Function(k)
		if !slices.Contains(catalog.Functions(), f) || !slices.Contains(catalog.Backfill.Kinds(), k) {
			t.Errorf("%s is served by no function, or not swept", k)
		}
		if len(catalog.Grants(f)) <= len(shared) {
			t.Errorf("%s has no grants of its own", k)
		}
		if !slices.ContainsFunc(catalog.Calls, func(call catalog.Call) bool { return slices.Contains(call.Kinds, k) }) || len(catalog.PatternsOf(catalog.Calls, k)) == 0 {
			t.Errorf("%s watches no call", k)
		}
		if c.Mode(k) != catalog.Repair {
			t.Errorf("%s is not repaired by default", k)
		}
		if all["functions/"+string(k)] == nil {
			t.Errorf("%s has no functions/%s", k, k)
		}
	}
}

// Every regular expression compiles: those of internal/lazy do it only when they are used.
func TestPatterns(t *testing.T) {
	compiled := 0
	for dir, sources := range packages(t) {
		consts := map[string]ast.Expr{}
		for _, s := range sources {
			for _, d := range s.file.Decls {
				if group, ok := d.(*ast.GenDecl); ok && group.Tok == token.CONST {
					for _, spec := range group.Specs {
						for i, value := range spec.(*ast.ValueSpec).Values {
							consts[spec.(*ast.ValueSpec).Names[i].Name] = value
						}
					}
				}
			}
		}
		var text func(e ast.Expr) (string, bool)
		text = func(e ast.Expr) (string, bool) {
			switch e := e.(type) {
			case *ast.BasicLit:
				s, err := strconv.Unquote(e.Value)
				return s, err == nil
			case *ast.BinaryExpr:
				left, ok := text(e.X)
				right, also := text(e.Y)
				return left + right, ok && also
			case *ast.Ident:
				value, ok := consts[e.Name]
				if !ok {
					return "", false
				}
				return text(value)
			}
			return "", false
		}
		for _, s := range sources {
			ast.Inspect(s.file, func(n ast.Node) bool {
				if f, ok := n.(*ast.FuncDecl); ok && f.Name.Name == "shape" { // which has the pattern from its callers
					return false
				}
				call, ok := n.(*ast.CallExpr)
				if !ok {
					return true
				}
				name := ""
				switch f := call.Fun.(type) {
				case *ast.SelectorExpr:
					if of, ok := f.X.(*ast.Ident); ok {
						name = of.Name + "." + f.Sel.Name
					}
				case *ast.Ident:
					name = f.Name
				}
				if name != "lazy.Compile" && (name != "shape" || dir != "internal/catalog") {
					return true
				}
				compiled++
				pattern, ok := text(call.Args[0])
				if !ok {
					t.Errorf("%s compiles a pattern that is no constant of its package", s.name)
				}
				if _, err := regexp.Compile(pattern); err != nil {
					t.Errorf("%s: %v", s.name, err)
				}
				return true
			})
		}
	}
	if compiled < 60 {
		t.Errorf("found %d patterns", compiled)
	}
}
