package docs_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/relight-aws/relight/internal/lab"
)

// measured says when and where demo.json was recorded. Change both together.
const measured = "27 November 2026, on a busy machine with 2 cores"

// figures returns the recorded run of the demo.
func figures() (run lab.Run, err error) {
	raw, err := os.ReadFile("demo.json")
	if err != nil {
		return run, err
	}
	return run, json.Unmarshal(raw, &run)
}

// of reports whether a figure is of an attack.
func of(h lab.Heal, at lab.Attack) bool {
	return h.Attack == at.Name && h.Client == at.Client() && h.Region == at.Region
}

func demo(p *page) {
	run, err := figures()
	if err != nil {
		p.line("demo.json cannot be read: %v", err)
	}
	attacks := lab.Attacks()
	reported := 0
	for _, at := range attacks {
		if at.Reported {
			reported++
		}
	}
	p.title("Demo", "internal/lab/attacks.go and docs/demo.json")
	p.line("`make demo` deploys relight into an AWS account that runs on this machine and attacks it %d", len(attacks))
	p.line("times, with two AWS clients and in two regions. relight must restore %d attacks and report", len(attacks)-reported)
	p.line("%d. The demo waits for each, and the plain AWS CLI checks the account before and after.\n", reported)
	p.line("The figures are one recorded run of %s. \"—\"", measured)
	p.line("means that the run did not have the attack. The milliseconds run from the attack's first call")
	p.line("to the end of the last restoring call, or to the notification.")
	p.line("The account is an emulator: AWS adds the time from CloudTrail to EventBridge. AWS publishes no")
	p.line("latency for this, and we have not measured it.\n")
	p.line("To record new figures, run this, change the date in `docs/demo_test.go` and generate the page:\n")
	p.line("```sh\nmake demo                                                # set up what the demo needs\nbuild/relight lab demo --output json > docs/demo.json\ngo test ./docs -update\n```")
	if len(run.Away) > 0 {
		p.line("\n## One at a time\n")
		p.line("After the attacks, the demo deletes one alarm, one metric filter and one flow log in turn, %d", run.Away[0].Rounds)
		p.line("times each. The figure is the median from the answer to the deletion to the answer to the call")
		p.line("that restored it.\n")
		p.head("Attack", "Restoring call", "ms")
		for _, one := range run.Away {
			p.row(one.Attack, one.Restored, fmt.Sprint(one.Millis))
		}
	}
	p.line("\n## Attacks\n")
	p.line("Each attack has the [technique](#techniques) of MITRE ATT&CK that says what becomes of the")
	p.line("account. The last column lists the calls with which a person undoes what relight only reports.\n")
	p.line("**Outcome** is what relight must do: an attack is *restored*, and reported with who made it,")
	p.line("or it is *only reported*. Attacks that are [neither](#what-relight-does-not-see) follow.\n")
	p.head("Attack", "Technique", "Client", "Region", "Outcome", "Restoring calls", "ms", "A person undoes it with")
	for _, at := range attacks {
		restored, ms := "—", "—"
		if i := slices.IndexFunc(run.Attacks, func(h lab.Heal) bool { return of(h, at) }); i >= 0 && (run.Attacks[i].Healed || run.Attacks[i].Reported) {
			restored, ms = strings.Join(run.Attacks[i].Restored, ", "), fmt.Sprint(run.Attacks[i].Millis)
		}
		var undo []string
		for _, c := range at.Undo {
			undo = append(undo, c.String())
		}
		p.row(at.Name, technique(at.Technique), at.Client(), at.Region, string(at.Outcome()), restored, ms, each(undo))
	}
	p.line("\n## What relight does not see\n")
	p.line("These attacks on what relight protects are neither restored nor reported when they are made.")
	p.line("The [threat model](threat-model.md#what-it-cannot-see) has the others.\n")
	p.head("Attack", "Technique", "Outcome", "Why", "What a sweep may find afterwards")
	for _, l := range lab.Limits() {
		p.row(l.Attack, technique(l.Technique), string(lab.Neither), l.Why, cmp.Or(l.Left, "nothing"))
	}
	p.line("\n## Techniques\n")
	p.line("From the [Enterprise matrix](https://attack.mitre.org/matrices/enterprise/). Version 19 of")
	p.line("ATT&CK, of April 2026, gave some techniques new IDs. An attack without a technique is what an")
	p.line("owner does too.\n")
	p.head("ID", "Technique", "ID since version 19")
	for _, k := range lab.Techniques() {
		p.row(technique(k.ID), k.Name, technique(k.Renamed))
	}
}

// technique returns a link to a technique's page.
func technique(id string) string {
	if id == "" {
		return ""
	}
	return "[" + id + "](https://attack.mitre.org/techniques/" + strings.ReplaceAll(id, ".", "/") + "/)"
}

// TestDemoFigures fails where the recorded run has an attack that the demo no
// longer has, or one that failed.
func TestDemoFigures(t *testing.T) {
	run, err := figures()
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range run.Attacks {
		if !slices.ContainsFunc(lab.Attacks(), func(at lab.Attack) bool { return of(h, at) && at.Reported == h.Reported && at.Reported != h.Healed }) {
			t.Errorf("demo.json: %s by %s in %s is no attack of the demo, or failed: record a new run", h.Attack, h.Client, h.Region)
		}
	}
}

// README.md counts the attacks as the demo does.
func TestReadmeCountsAttacks(t *testing.T) {
	reported := 0
	attacks := lab.Attacks()
	for _, at := range attacks {
		if at.Reported {
			reported++
		}
	}
	readme := strings.Join(strings.Fields(read(t, "../README.md")), " ")
	for _, want := range []string{
		fmt.Sprintf("[%d times](docs/demo.md)", len(attacks)),
		fmt.Sprintf("relight has to heal %d of the attacks and can only report %d.", len(attacks)-reported, reported),
		fmt.Sprintf("| what relight only reports | %d |", reported),
	} {
		if !strings.Contains(readme, want) {
			t.Errorf("README.md does not say %q", want)
		}
	}
}
