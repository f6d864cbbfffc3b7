// Package docs_test renders the pages that come from the catalog, and holds
// what people read against what the code has.
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
	"controls.md":    controls,
	"calls.md":       calls,
	"permissions.md": permissions,
}

func TestGenerated(t *testing.T) {
	for name, render := range pages {
		var p page
		render(&p)
		if *update {
			if err := os.WriteFile(name, []byte(p.String()), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		got, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != p.String() {
			t.Errorf("docs/%s is not what the catalog says: go test ./docs -update", name)
		}
	}
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

func controls(p *page) {
	rows := catalog.Controls()
	groups := benchmarkGroups(rows)
	p.title("Controls", "internal/catalog/controls.go")
	p.line("relight holds %d controls: a metric filter on the trail's log group and an alarm", len(rows))
	p.line("on its metric, for each. Filter, metric and alarm are all named `<prefix>-<id>`; an")
	p.line("alarm on the metric of somebody else's filter has a [hash](adr/0005-alarm-names.md) behind it.")
	p.line("Columns give the section in each version of the CIS AWS Foundations Benchmark, and")
	p.line("the Security Hub control that by its documentation passes with this pattern.\n")
	p.line("Every alarm: %s of at least %v in one period of %d s, missing data %s.",
		catalog.AlarmStatistic, catalog.AlarmThreshold, catalog.AlarmPeriod, code(catalog.AlarmMissing))
	p.line("Threshold and period can be [configured](../README.md#configuration) per control.\n")
	head := []string{"ID", "What it measures"}
	for _, g := range groups {
		head = append(head, "CIS "+span(g))
	}
	p.head(append(head, "Security Hub")...)
	for _, c := range rows {
		cells := []string{code(c.ID), c.Title}
		for _, g := range groups {
			cells = append(cells, c.CIS[g[0]])
		}
		p.row(append(cells, c.SecurityHub)...)
	}
	p.line("\n## Patterns\n")
	p.line("A filter of somebody else's holds a control if its pattern is the one below up to")
	p.line("white space and nothing narrows it. A pattern takes %d characters at most.", catalog.PatternLimit)
	for _, c := range rows {
		p.line("\n### %s\n\n```\n%s\n```", c.ID, c.Pattern)
	}
}

// benchmarkGroups returns the benchmark versions in runs whose sections are
// the same for every control.
func benchmarkGroups(rows []catalog.Control) [][]string {
	var groups [][]string
	for _, v := range catalog.Benchmarks {
		same := len(groups) > 0 && !slices.ContainsFunc(rows, func(c catalog.Control) bool {
			return c.CIS[v] != c.CIS[groups[len(groups)-1][0]]
		})
		if same {
			groups[len(groups)-1] = append(groups[len(groups)-1], v)
		} else {
			groups = append(groups, []string{v})
		}
	}
	return groups
}

func span(versions []string) string {
	if len(versions) == 1 {
		return versions[0]
	}
	return versions[0] + "–" + versions[len(versions)-1]
}

func calls(p *page) {
	p.title("Watched calls", "internal/catalog/calls.go")
	p.line("What can undo or blind a protection, and which kinds look when it happens. An event only")
	p.line("says where to look: a name that is not found where it should be widens the look to")
	p.line("everything of its type. Refused calls (`errorCode`) do not match the rules. Of those with")
	p.line("a \"yes\" people are told even where nothing was to be restored, if a protection leans on")
	p.line("what they were made on.\n")
	p.head("Source", "Call", "Kinds that look", "What it names", "Where in the event's detail", "Told")
	for _, c := range slices.Concat(catalog.Calls, catalog.TagCalls) {
		where := "nowhere: all of the region"
		if len(c.Path) > 0 {
			where = code(strings.Join(c.Path, "."))
		}
		told := ""
		if c.Advice != "" {
			told = "yes"
		}
		p.row(code(c.Source), cmp.Or(code(c.Name), c.DetailType), each(names(c.Kinds)), strings.ReplaceAll(string(c.Type), "-", " "), where, told)
	}
	p.line("\nCreateTags and DeleteTags are watched only where `flowLogs.exemptByTag` is true.")
	p.line("\n## Event patterns\n")
	p.line("The rules on each region's default bus, one per source and detail type. Further")
	p.line("regions forward only what harms regional kinds (%s). The events of IAM and", strings.Join(regional(), ", "))
	p.line("Account Management are raised in us-east-1 alone; where home is another region, a")
	p.line("forwarder there sends those too.")
	for _, k := range catalog.Kinds() {
		p.line("\n### %s\n\n```", k)
		for _, pattern := range catalog.Patterns(k) {
			p.line("%s", pattern)
		}
		p.line("```")
	}
	p.line("\nWith `flowLogs.exemptByTag`, also:\n\n```")
	for _, pattern := range catalog.PatternsOf(catalog.TagCalls, catalog.Kinds()...) {
		p.line("%s", pattern)
	}
	p.line("```")
	p.line("\nWith `flowLogs.graceSeconds`, the events of these calls come by a rule and a queue of")
	p.line("their own, which holds them for that long: %s.", strings.Join(newborn(), ", "))
}

func newborn() []string {
	var out []string
	for _, c := range catalog.Calls {
		if c.Newborn() {
			out = append(out, code(c.Name))
		}
	}
	return out
}

func names(kinds []catalog.Kind) []string {
	var out []string
	for _, k := range kinds {
		out = append(out, string(k))
	}
	return out
}

func regional() []string {
	return names(slices.DeleteFunc(catalog.Kinds(), func(k catalog.Kind) bool { return !k.Regional() }))
}

func permissions(p *page) {
	p.title("Permissions", "internal/catalog/permissions.go and deployment.go")
	p.line("Every function has a role of its own with these statements and nothing else. Those")
	p.line("marked *configured* come only with that key of the configuration.")
	p.line("Placeholders: `${region}` is the home region, `${trail-log-group}` the configured")
	p.line("name, or `*` where it is discovered; the others say what they are.\n")
	p.line("## Actions by function\n")
	actionTable(p)
	p.line("\n## Never granted\n")
	for _, a := range catalog.Never {
		p.line("- %s", code(a))
	}
	for _, f := range catalog.Functions() {
		p.line("\n## %s\n", f)
		p.head("Actions", "Resources", "Only if", "Why so")
		for _, g := range append(catalog.Grants(f, catalog.GrantKeys()...), catalog.RuntimeGrants(f)...) {
			p.row(each(g.Actions), each(g.Resources), each(conditions(g)), g.Why)
		}
	}
}

// actionTable writes which function may call what.
func actionTable(p *page) {
	granted := map[string]map[catalog.Function]bool{}
	head := []string{"Action"}
	for _, f := range catalog.Functions() {
		head = append(head, string(f))
		for _, g := range append(catalog.Grants(f, catalog.GrantKeys()...), catalog.RuntimeGrants(f)...) {
			for _, a := range g.Actions {
				if granted[a] == nil {
					granted[a] = map[catalog.Function]bool{}
				}
				granted[a][f] = true
			}
		}
	}
	p.head(head...)
	for _, a := range sortedKeys(granted) {
		cells := []string{code(a)}
		for _, f := range catalog.Functions() {
			cell := ""
			if granted[a][f] {
				cell = "●"
			}
			cells = append(cells, cell)
		}
		p.row(cells...)
	}
}

func conditions(g catalog.Grant) []string {
	var out []string
	for _, operator := range sortedKeys(g.Condition) {
		for _, key := range sortedKeys(g.Condition[operator]) {
			out = append(out, key+" = "+g.Condition[operator][key])
		}
	}
	if g.If != "" {
		out = append(out, "configured: "+g.If)
	}
	return out
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// README.md names every key of the configuration, every watched call and
// every kind, and nothing that is granted is missing from its table.
func TestReadmeIsComplete(t *testing.T) {
	readme := read(t, "../README.md")
	want := func(what, literal string) {
		t.Helper()
		if !strings.Contains(readme, literal) {
			t.Errorf("README.md does not name the %s %s", what, literal)
		}
	}
	for _, k := range keys("", reflect.TypeFor[config.Config]()) {
		want("key", code(k))
	}
	for _, c := range slices.Concat(catalog.Calls, catalog.TagCalls) {
		want("call", code(cmp.Or(c.Name, c.DetailType)))
	}
	for _, k := range catalog.Kinds() {
		want("kind", code(string(k)))
	}
	for _, a := range catalog.Never {
		want("action", code(a))
	}
	for _, f := range catalog.Functions() {
		for _, g := range catalog.Grants(f, catalog.GrantKeys()...) {
			for _, a := range g.Actions {
				want("action", code(a))
			}
		}
	}
}

// The configuration that README.md shows is a good one.
func TestReadmeConfiguration(t *testing.T) {
	_, example, found := strings.Cut(read(t, "../README.md"), "```json\n{")
	if !found {
		t.Fatal("README.md shows no configuration")
	}
	example, _, _ = strings.Cut(example, "```")
	file := filepath.Join(t.TempDir(), "cdk.json")
	if err := os.WriteFile(file, []byte("{"+example), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := config.Load(file); err != nil {
		t.Error(err)
	}
}

// keys returns the keys of a configuration as README.md spells them:
// "flowLogs.trafficType", "controls.<id>.disabled", "subscribers[].protocol".
func keys(prefix string, t reflect.Type) []string {
	var all []string
	for f := range t.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		inner, at := f.Type, prefix+name
		switch {
		case inner.Kind() == reflect.Map && inner.Elem().Kind() == reflect.Struct:
			inner, at = inner.Elem(), at+".<id>"
		case inner.Kind() == reflect.Slice && inner.Elem().Kind() == reflect.Struct:
			inner, at = inner.Elem(), at+"[]"
		}
		if inner.Kind() == reflect.Struct {
			all = append(all, keys(at+".", inner)...)
		} else {
			all = append(all, at)
		}
	}
	return all
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

// anchors returns the headings of a page as GitHub spells them in links.
func anchors(text string) []string {
	var out []string
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
