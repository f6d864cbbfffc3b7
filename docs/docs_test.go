// Package docs_test renders the pages that are generated from the code, and
// compares what people read with what the code has.
package docs_test

import (
	"cmp"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/config"
)

var update = flag.Bool("update", false, "rewrite the generated pages")

// pages are the generated pages by file name, and what renders each.
var pages = map[string]func(*page){
	"controls.md":      controls,
	"calls.md":         calls,
	"permissions.md":   permissions,
	"configuration.md": configuration,
	"demo.md":          demo,
	"aws-beliefs.md":   beliefs,
	"prowler.md":       scanner,
	"figures.md":       numbers,
}

// blocks are the generated parts of pages that are otherwise written by hand.
// A block stands between the lines "<!-- name: generated -->" and
// "<!-- /name -->".
var blocks = []struct {
	file, name string
	render     func(*page)
}{
	{"operations.md", "message", message},
	{"operations.md", "findings", findings},
	{"rollout.md", "cost", cost},
	{"messages.md", "severity", severities},
	{"release.md", "parameter", parameter},
	{"operations.md", "leftovers", leftovers},
	{"messages.md", "document", sampleDocument},
	{"messages.md", "attributes", attributes},
}

func TestGenerated(t *testing.T) {
	for name, render := range pages {
		var p page
		render(&p)
		same(t, name, p.String())
	}
	for _, b := range blocks {
		var p page
		b.render(&p)
		text := read(t, b.file)
		begin, rest, found := strings.Cut(text, "<!-- "+b.name+": generated -->\n")
		_, end, closed := strings.Cut(rest, "<!-- /"+b.name+" -->\n")
		if !found || !closed {
			t.Errorf("docs/%s has no block %s", b.file, b.name)
			continue
		}
		same(t, b.file, begin+"<!-- "+b.name+": generated -->\n"+p.String()+"<!-- /"+b.name+" -->\n"+end)
	}
}

// same checks that a file has the text that was rendered for it, and with
// -update writes it first.
func same(t *testing.T, name, want string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(name, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if read(t, name) != want {
		t.Errorf("docs/%s is not what the code says: go test ./docs -update", name)
	}
}

// leftovers lists what relight remove takes for relight's, and what of it stays.
func leftovers(p *page) {
	p.head("resource", "where", "is relight's if", "goes")
	for _, l := range catalog.Leftovers() {
		where := "every region"
		if l.Home {
			where = "home region"
		}
		p.row(string(l.Sort), where, l.Marks, cmp.Or(l.Stays, "yes"))
	}
}

// parameter lists what the parameter of a release's templates may change.
func parameter(p *page) {
	for _, path := range config.AtDeployment() {
		p.line("- `%s`", path)
	}
}

// message shows the message that the tests of internal/report compare with.
func message(p *page) {
	raw, err := os.ReadFile("../internal/report/testdata/messages/trail-stopped.txt")
	if err != nil {
		panic(err)
	}
	p.line("\n```\n%s```\n", raw)
}

// A page is Markdown in the making.
type page struct{ strings.Builder }

func (p *page) line(format string, args ...any) { fmt.Fprintf(p, format+"\n", args...) }

func (p *page) title(title, from string) {
	p.line("<!-- Generated from %s: go test ./docs -update -->\n", from)
	p.line("# %s\n", title)
}

// row writes one line of a table. The bar, which ends a cell, is escaped.
func (p *page) row(cells ...string) {
	for i, c := range cells {
		cells[i] = strings.ReplaceAll(c, "|", `\|`)
	}
	p.line("| %s |", strings.Join(cells, " | "))
}

func (p *page) head(cells ...string) {
	p.row(cells...)
	p.line("|%s", strings.Repeat("---|", len(cells)))
}

func code(s string) string {
	if s == "" {
		return ""
	}
	return "`" + s + "`"
}

// each returns the items as code, one below the other in a cell.
func each(items []string) string {
	out := make([]string, len(items))
	for i, item := range items {
		out[i] = code(item)
	}
	return strings.Join(out, "<br>")
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// The pages name every key of the configuration, every watched call, every
// action that is granted or never granted, and every kind.
func TestPagesAreComplete(t *testing.T) {
	want := func(page, what, literal string) {
		t.Helper()
		if !strings.Contains(read(t, page), literal) {
			t.Errorf("%s does not name the %s %s", page, what, literal)
		}
	}
	for _, k := range keys("", reflect.TypeFor[config.Config]()) {
		want("configuration.md", "key", code(k))
	}
	for _, c := range catalog.Calls {
		want("calls.md", "call", cmp.Or(code(c.Name), c.DetailType))
	}
	for _, k := range catalog.Kinds() {
		want("../README.md", "kind", code(string(k)))
		want("operations.md", "kind", code(string(k)))
	}
	for _, a := range catalog.Never {
		want("../README.md", "action", code(a))
		want("permissions.md", "action", code(a))
	}
	for _, f := range catalog.Binaries() {
		for _, g := range append(catalog.Grants(f, catalog.GrantKeys()...), catalog.RuntimeGrants(f)...) {
			for _, a := range g.Actions {
				want("permissions.md", "action", code(a))
			}
		}
	}
}

var link = regexp.MustCompile(`\]\(([^)\s]+)\)|(?:src|srcset)="([^"]+)"`)

// Every link inside the repository leads somewhere.
func TestLinks(t *testing.T) {
	var files []string
	for _, pattern := range []string{"../*.md", "*.md", "adr/*.md", "../events/*.md"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, found...)
	}
	for _, file := range files {
		for _, m := range link.FindAllStringSubmatch(read(t, file), -1) {
			target := m[1] + m[2]
			if strings.Contains(target, "://") {
				continue
			}
			name, anchor, _ := strings.Cut(target, "#")
			to := file
			if name != "" {
				to = filepath.Join(filepath.Dir(file), name)
			}
			if _, err := os.Stat(to); err != nil {
				t.Errorf("%s links to %s, which is not there", file, target)
			} else if anchor != "" && !slices.Contains(anchors(read(t, to)), anchor) {
				t.Errorf("%s links to %s, which has no such heading", file, target)
			}
		}
	}
}

var heading = regexp.MustCompile(`(?m)^#+ (.+)$`)

var anchor = regexp.MustCompile(`<a id="([^"]+)"></a>`)

// anchors returns the headings of a page as GitHub spells them in links, and the
// anchors that it sets itself.
func anchors(text string) []string {
	var out []string
	for _, m := range anchor.FindAllStringSubmatch(text, -1) {
		out = append(out, m[1])
	}
	for _, m := range heading.FindAllStringSubmatch(text, -1) {
		out = append(out, strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case strings.ContainsRune("`.,:;?!()/'’\"+*<>", r):
				return -1
			}
			return r
		}, strings.ToLower(m[1])))
	}
	return out
}

func read(t *testing.T, name string) string {
	t.Helper()
	raw, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}
