package docs_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/relight-aws/relight/internal/awstest"
	"github.com/relight-aws/relight/internal/probe"
)

// seenFile is the report of relight probe --output json, if somebody sent one.
const seenFile = "aws-seen.json"

// beliefs renders aws-beliefs.md.
func beliefs(p *page) { believed(p, seen(seenFile)) }

func believed(p *page, saw probed) {
	p.title("What relight believes about AWS", "internal/awstest/beliefs.go and codes.go, the clauses of internal/awstest/contract*.go and events/README.md")
	p.line("No AWS account takes part in relight's tests. They run against an account in memory, which does what")
	p.line("this page says. A belief has one of these grades:\n")
	count := map[awstest.Grade]int{}
	for _, b := range append(awstest.Beliefs(), awstest.Clauses()...) {
		count[b.Grade]++
	}
	p.head("Grade", "Meaning", "Beliefs")
	meaning := map[awstest.Grade]string{
		awstest.Assumed:    "no document and no record says so",
		awstest.Modelled:   "the API model says so",
		awstest.Documented: "a document of AWS says so",
		awstest.Recorded:   "the service was recorded as it did so, by others, who published the records",
	}
	for _, g := range awstest.Grades() {
		p.row("["+string(g)+"](#"+string(g)+")", meaning[g], strconv.Itoa(count[g]))
	}
	p.line("\n%s\n", saw.about)
	p.line("The tests run relight under the other way of every assumed belief on which a decision depends, and of")
	p.line("some that are modelled or documented, alone and together with others: the sweeps come to rest, nothing of")
	p.line("other people's is deleted, and what relight reports is true. Where that cannot be had, the row says so,")
	p.line("and why. `make beliefs` runs the long form.\n")
	p.line("*Decides in* names the file where a decision depends on the belief.")
	for _, g := range awstest.Grades() {
		p.line("\n## %s\n", strings.ToUpper(string(g[0]))+string(g[1:]))
		switch g {
		case awstest.Recorded:
			p.head("Belief", "Evidence", "Decides in", "Seen")
		case awstest.Assumed:
			p.head("Belief", "What speaks for it", "Decides in", "The other way, as tested", "What relight does then", "What would settle it", "Seen")
		default:
			p.head("Belief", "Evidence", "Decides in", "The other way, as tested", "What relight does then", "What would settle it", "Seen")
		}
		for _, b := range awstest.Beliefs() {
			if b.Grade != g {
				continue
			}
			cells := []string{`<a id="` + b.ID + `"></a>` + b.Says, b.Evidence, where(b.Decides)}
			if g != awstest.Recorded {
				other := b.Other + " (" + code(b.ID) + ")"
				if b.Other == "" {
					other = "Not in the account. " + b.Why
				}
				cells = append(cells, other, b.Then, b.Settles)
			}
			p.row(append(cells, saw.of(b.Probed))...)
		}
		p.line("\nError codes. One that is not listed decides nothing: relight tries again, and reports the failure in AWS's words.\n")
		p.head("Codes", "Of", "Evidence")
		for _, c := range awstest.ErrorCodes() {
			if c.Grade != g {
				continue
			}
			evidence := c.Evidence
			if c.Belief != "" {
				evidence += " Its other way: [" + c.Belief + "](#" + c.Belief + ")"
			}
			p.row(each(c.Names), c.Of, evidence)
		}
		p.line("\nClauses of the contract, which runs against the account in memory and against the local cloud:\n")
		p.head("Clause", "Source", "Its other way")
		for _, c := range awstest.Clauses() {
			if c.Grade != g {
				continue
			}
			other := ""
			if c.ID != "" {
				other = "[" + c.ID + "](#" + c.ID + ")"
			}
			p.row(c.Says, c.Evidence, other)
		}
	}
	samples(p)
}

// probed is a report of relight probe.
type probed struct {
	Region  string
	Ended   time.Time
	Results []struct {
		ID, Verdict, Seen string
		Seconds           *float64
	}
	about string // where the report is from
}

// seen returns the report in a file, which need not exist.
func seen(file string) probed {
	var saw probed
	switch raw, err := os.ReadFile(file); {
	case os.IsNotExist(err):
		saw.about = "Nobody has sent us what `relight probe` saw. With its report as docs/" + seenFile + ", this page shows it."
	case err != nil:
		panic(err)
	default:
		if err := json.Unmarshal(raw, &saw); err != nil {
			panic(err)
		}
		saw.about = "*Seen* is what `relight probe` saw in " + saw.Region + " on " + saw.Ended.Format(time.DateOnly) + "."
	}
	return saw
}

// of returns what was seen under some IDs.
func (s probed) of(ids []string) string {
	var out []string
	for _, r := range s.Results {
		if !slices.Contains(ids, r.ID) || r.Verdict == "not seen" {
			continue
		}
		text := r.Verdict + ": " + strings.Join(strings.Fields(r.Seen), " ") // a line break would end the row
		if r.Seconds != nil {
			text += fmt.Sprintf(" (%.1f s)", *r.Seconds)
		}
		out = append(out, text)
	}
	return strings.Join(out, "<br>")
}

// The page is generated from the report that relight probe writes: each row has
// what was seen of its belief.
func TestSeen(t *testing.T) {
	report := probe.Report{Region: "eu-west-1", Ended: time.Date(2026, 3, 3, 12, 0, 0, 0, time.UTC)}
	shown := map[string]string{} // by ID of the probe
	for i, b := range probe.Beliefs() {
		r := probe.Result{ID: b.ID, Ref: b.Ref, Belief: b.Text, Verdict: probe.NotSeen, Why: b.Unseen}
		if b.Unseen == "" && i%5 > 0 { // some were not seen, as after an interruption
			r.Verdict, r.Why = probe.Agrees, ""
			r.Seen = "the answer to\n" + b.ID + " | its end"
			shown[b.ID] = "agrees: the answer to " + b.ID + ` \| its end`
			if i%2 == 0 {
				r.Verdict, r.Seconds = probe.Disagrees, new(float64)
				*r.Seconds = 0.42
				shown[b.ID] = "dis" + shown[b.ID] + " (0.4 s)"
			}
		}
		report.Results = append(report.Results, r)
	}
	raw, err := json.Marshal(report)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), seenFile)
	if err := os.WriteFile(file, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	var p page
	believed(&p, seen(file))
	if want := "what `relight probe` saw in eu-west-1 on 2026-03-03."; !strings.Contains(p.String(), want) {
		t.Errorf("the page does not say %q", want)
	}
	rows := map[string]string{} // by ID of the belief
	for line := range strings.Lines(p.String()) {
		if _, rest, found := strings.Cut(line, `<a id="`); found {
			id, _, _ := strings.Cut(rest, `"`)
			rows[id] = line
		}
	}
	names := map[string]bool{}
	for _, b := range awstest.Beliefs() {
		var want []string
		for _, r := range probe.Beliefs() { // in the order of the report
			if slices.Contains(b.Probed, r.ID) {
				names[r.ID] = true
				if text := shown[r.ID]; text != "" {
					want = append(want, text)
				}
			}
		}
		if cell := "| " + strings.Join(want, "<br>") + " |\n"; !strings.HasSuffix(rows[b.ID], cell) {
			t.Errorf("the row of %s does not end in %q: %s", b.ID, cell, rows[b.ID])
		}
	}
	for _, b := range probe.Beliefs() {
		if !names[b.ID] {
			t.Errorf("what relight probe sees of %s is in no row", b.ID)
		}
	}
}

// A belief that relight probe would settle, as the page says, is one that it
// tries to see.
func TestProbeSettles(t *testing.T) {
	for _, b := range awstest.Beliefs() {
		tries := slices.ContainsFunc(probe.Beliefs(), func(r probe.Belief) bool { return r.Unseen == "" && slices.Contains(b.Probed, r.ID) })
		if strings.Contains(b.Settles, "relight probe") && !tries {
			t.Errorf("%s: relight probe does not do this: %s", b.ID, b.Settles)
		}
	}
}

func where(file string) string {
	if file == "nowhere" {
		return file
	}
	return code(file)
}

var sampleRow = regexp.MustCompile("(?m)^\\| `([A-Za-z0-9.-]+\\.json)` \\| [^|]* \\| ([^|]*) \\|")

// marks are the marks of events/README.md, the weakest first.
var marks = []struct{ mark, means string }{
	{"U", "Assumed"}, {"M", "Modelled"}, {"D", "Documented"}, {"F", "Recorded, of refused calls only"}, {"R", "Recorded"}, {"X", "Broken on purpose"},
}

// weakest returns the weakest mark of a shape; a shape "as …" has that of
// another sample.
func weakest(shape string) string {
	if strings.HasPrefix(shape, "X") {
		return "X"
	}
	for _, m := range marks {
		if regexp.MustCompile(`\b` + m.mark + `\b`).MatchString(shape) {
			return m.mark
		}
	}
	return ""
}

// samples writes how well the shape of each sample is known.
func samples(p *page) {
	raw, err := os.ReadFile("../events/README.md")
	if err != nil {
		panic(err)
	}
	p.line("\n## Shapes of records\n")
	p.line("How well the shape of each sample in [events](../events/README.md) is known; the weakest part counts.\n")
	p.head("Grade", "Samples")
	for _, m := range append(slices.Clone(marks), struct{ mark, means string }{"", "As another sample"}) {
		var names []string
		for _, row := range sampleRow.FindAllStringSubmatch(string(raw), -1) {
			if weakest(row[2]) == m.mark {
				names = append(names, row[1])
			}
		}
		if len(names) > 0 {
			p.row(m.means, each(names))
		}
	}
}

// Every sample has a mark, or the shape of another sample.
func TestEverySampleHasAMark(t *testing.T) {
	text := read(t, "../events/README.md")
	for _, row := range sampleRow.FindAllStringSubmatch(text, -1) {
		if weakest(row[2]) == "" && !strings.HasPrefix(row[2], "as ") {
			t.Errorf("the shape of %s has no mark: %q", row[1], row[2])
		}
	}
}
