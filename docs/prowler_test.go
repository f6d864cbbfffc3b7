package docs_test

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/lab/prowler"
)

// compared returns the recorded comparison with Prowler.
func compared() (run prowler.Run, err error) {
	raw, err := os.ReadFile("prowler.json")
	if err != nil {
		return run, err
	}
	return run, json.Unmarshal(raw, &run)
}

// scanner renders prowler.md.
func scanner(p *page) {
	run, err := compared()
	if err != nil {
		panic(err)
	}
	states, checks, agreed, differ, unreached, seconds := len(run.States), 0, 0, 0, 0, 0
	for _, q := range prowler.Questions() {
		checks += len(q.Checks)
	}
	for _, s := range run.States {
		agreed, differ, unreached, seconds = agreed+s.Agreed, differ+len(s.Differ), unreached+s.Unreached, seconds+s.Seconds
	}
	p.title("relight audit and Prowler", "internal/lab/prowler and docs/prowler.json")
	p.line("`make prowler` installs Prowler %s with pip in a virtual environment of its own, `build/prowler`, deploys", run.Version)
	p.line("relight into the AWS account that runs on this machine, and lets Prowler and `relight audit` check it: first")
	p.line("healthy, then after attacks, while relight restores nothing. It fails if the two contradict each other where")
	p.line("the [table of differences](#differences) does not say so, and if they agree where it says otherwise. It is no part of `make test`,")
	p.line("because the installation takes some minutes and 2.3 GB.\n")
	p.line("The figures are one recorded run of %s, on a machine with 2 cores. It asked the %d questions below in %d states", run.Date, len(prowler.Questions()), states)
	p.line("of the account. **%d answers agree and %d differ**, each for a reason in the table; %d are about links that", agreed, differ, unreached)
	p.line("`relight audit` did not reach, because an earlier one was broken. In the healthy account all %d answers agree.", run.States[0].Agreed)
	p.line("Prowler took %d s for a state on average.\n", seconds/states)
	p.line("## What both know\n")
	p.line("%d of Prowler's checks answer these questions. One is about each VPC. Where a question has two checks, each", checks)
	p.line("answers a part of it.\n")
	p.head("Question", "What answers it in relight", "Prowler's checks")
	for _, q := range prowler.Questions() {
		relight := "the check of the control"
		switch links := q.Links(); {
		case q.ID == catalog.FlowLogsCheck:
			relight = "the check of the VPC"
		case len(links) == 1:
			relight = "the link `" + string(links[0]) + "`"
		case len(links) > 1:
			var names []string
			for _, l := range links {
				names = append(names, code(string(l)))
			}
			relight = "the links " + strings.Join(names, ", ")
		}
		p.row(question(q.ID), relight, each(q.Checks))
	}
	p.line("\nProwler also fails the log groups of relight's own functions in its check of the retention: they keep 90")
	p.line("days. It skips VPCs without network interfaces, unless it is started with `--scan-unused-services`, as here.\n")
	p.line("## Differences\n")
	p.line("The attacks are those of the [demo](demo.md), and a few others.\n")
	p.head("After", "Question", "Prowler", "relight", "Why")
	for _, d := range prowler.Differences() {
		of := question(d.Questions[0])
		if len(d.Questions) > 1 {
			of = "every control"
		}
		p.row(d.Attack, of, string(d.Prowler), string(d.Relight), d.Why)
	}
	p.line("\n## States\n")
	p.line("Each state is the healthy account after these attacks.\n")
	p.head("After", "Agree", "Differ", "Not reached")
	for _, s := range run.States {
		after := "nothing"
		if len(s.Attacks) > 0 {
			after = strings.Join(s.Attacks, "<br>")
		}
		p.row(after, fmt.Sprint(s.Agreed), fmt.Sprint(len(s.Differ)), fmt.Sprint(s.Unreached))
	}
	p.line("\nTo record new figures, also after a new version in `internal/lab/prowler/requirements.txt`:\n")
	p.line("```sh\nmake prowler RECORD=docs/prowler.json\ngo test ./docs -update\n```")
}

func question(id string) string {
	for _, c := range append(prowler.Controls(), catalog.FlowLogsCheck) {
		if c == id {
			return code(id)
		}
	}
	return id
}

// The recorded run is of the version that is pinned, its healthy account has no
// difference, and it saw each known one.
func TestRecordedComparison(t *testing.T) {
	run, err := compared()
	if err != nil {
		t.Fatal(err)
	}
	if run.Version != prowler.Version() || len(run.States[0].Attacks)+len(run.States[0].Differ) > 0 {
		t.Errorf("prowler.json is of version %s, want %s; first state %+v", run.Version, prowler.Version(), run.States[0])
	}
	want, got := map[string]bool{}, map[string]bool{}
	for _, d := range prowler.Differences() {
		for _, q := range d.Questions {
			want[d.Attack+": "+q] = true
		}
	}
	for _, s := range run.States {
		for _, a := range s.Differ {
			d, known := prowler.Known(a, s.Attacks)
			if !known {
				t.Errorf("after %q: %+v is in no row of the differences", s.Attacks, a)
			}
			got[d.Attack+": "+a.Question] = true
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("differences (-known +seen):\n%s", diff)
	}
}
