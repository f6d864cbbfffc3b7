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
const measured = "28 November 2026, on a busy machine with 2 cores"

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
	return h.Attack == at.Name && h.Client == at.Client() && h.Account == at.Account && h.Region == at.Region
}

func demo(p *page) {
	run, err := figures()
	if err != nil {
		p.line("demo.json cannot be read: %v", err)
	}
	all, reported := counted()
	p.title("Demo", "internal/lab/attacks.go, internal/lab/attacks_spoke.go and docs/demo.json")
	p.line("`make demo` runs an [organisation](organization.md) of three AWS accounts on this machine: relight is")
	p.line("deployed into one of them, the hub, and guards the two others. The demo attacks %d times, with two AWS", all)
	p.line("clients and in two regions: [the hub](#attacks) %d times, [what relight protects](#in-guarded-accounts) in the", len(lab.Attacks()))
	p.line("guarded accounts %d times, and [what connects them](#cut-wires) with the hub %d times. relight must restore", len(lab.SpokeAttacks()), len(lab.Cuts()))
	p.line("%d attacks and report %d. The demo waits for each, and the plain AWS CLI checks the accounts before and after.\n", all-reported, reported)
	p.line("The figures are one recorded run of %s. \"—\"", measured)
	p.line("means that the run did not have the attack. The milliseconds run from the attack's first call")
	p.line("to the end of the last restoring call, or to the notification.")
	p.line("The accounts are an emulator: AWS adds the time from CloudTrail to EventBridge. AWS publishes no")
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
	for _, at := range lab.Attacks() {
		restored, ms := recorded(run, at)
		p.row(at.Name, technique(at.Technique), at.Client(), at.Region, string(at.Outcome()), restored, ms, each(undo(at)))
	}
	guarded(p, run)
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

// guarded writes what the demo does to guarded accounts.
func guarded(p *page, run lab.Run) {
	p.line("\n## In guarded accounts\n")
	p.line("An intruder with every right in a guarded account attacks what relight protects there. A function of the hub must restore")
	p.line("it, in a session of the role `relight-spoke` of that account, or report it with the account. No function may write in")
	p.line("another guarded account. The first account owns a trail, the second one owns none.\n")
	p.head("Attack", "Technique", "Client", "Account", "Region", "Outcome", "Restoring calls", "ms", "A person undoes it with")
	for _, at := range lab.SpokeAttacks() {
		restored, ms := recorded(run, at)
		p.row(at.Name, technique(at.Technique), at.Client(), at.Account, at.Region, string(at.Outcome()), restored, ms, each(undo(at)))
	}
	p.line("\n## Cut wires\n")
	p.line("The same intruder cuts what connects the account with the hub: [its wires](organization.md#the-wires-of-a-guarded-account).")
	p.line("relight must put a rule or a queue back. It may write none of these roles, so it must report what is cut, with the")
	p.line("finding, the account, who made the call, and what to do. If the cut keeps all events of the account from the hub, a *sweep* must")
	p.line("notice it, and the message names no caller: the demo starts that sweep at once, and on AWS it starts within `sweepMinutes`.\n")
	p.head("Attack", "Technique", "Client", "Account", "Region", "Noticed by", "Restoring calls, or the finding", "ms", "A person undoes it with")
	for _, at := range lab.Cuts() {
		by := "an event"
		if at.Swept {
			by = "a sweep"
		}
		did, ms := recorded(run, at)
		if at.Reported {
			var findings []string
			for _, code := range at.Findings {
				findings = append(findings, "[`"+code+"`](operations.md#"+code+")")
			}
			did = strings.Join(findings, " or ")
		}
		p.row(at.Name, technique(at.Technique), at.Client(), at.Account, at.Region, by, did, ms, each(undo(at)))
	}
}

// counted returns how many attacks the demo has, and how many of them are only reported.
func counted() (all, reported int) {
	attacks := lab.AllAttacks()
	for _, at := range attacks {
		if at.Reported {
			reported++
		}
	}
	return len(attacks), reported
}

// recorded returns the restoring calls and the milliseconds of an attack in a run.
func recorded(run lab.Run, at lab.Attack) (restored, ms string) {
	i := slices.IndexFunc(run.Attacks, func(h lab.Heal) bool { return of(h, at) })
	if i < 0 || !run.Attacks[i].Healed && !run.Attacks[i].Reported {
		return "—", "—"
	}
	return strings.Join(run.Attacks[i].Restored, ", "), fmt.Sprint(run.Attacks[i].Millis)
}

// undo returns the calls with which a person undoes an attack.
func undo(at lab.Attack) (calls []string) {
	for _, c := range at.Undo {
		calls = append(calls, c.String())
	}
	return calls
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
		if !slices.ContainsFunc(lab.AllAttacks(), func(at lab.Attack) bool { return of(h, at) && at.Reported == h.Reported && at.Reported != h.Healed }) {
			t.Errorf("demo.json: %s by %s in %s is no attack of the demo, or failed: record a new run", h.Attack, h.Client, h.Region)
		}
	}
}

// README.md counts the attacks as the demo does, and those in its figures as the recorded run.
func TestReadmeCountsAttacks(t *testing.T) {
	run, err := figures()
	if err != nil {
		t.Fatal(err)
	}
	measured := 0
	for _, h := range run.Attacks {
		if h.Reported {
			measured++
		}
	}
	all, reported := counted()
	readme := strings.Join(strings.Fields(read(t, "../README.md")), " ")
	for _, want := range []string{
		fmt.Sprintf("[%d times](docs/demo.md)", all),
		fmt.Sprintf("%d of these on the two accounts that it guards from a third", all-len(lab.Attacks())),
		fmt.Sprintf("relight has to heal %d of the attacks and can only report %d.", all-reported, reported),
		fmt.Sprintf("| what relight only reports | %d |", measured),
	} {
		if !strings.Contains(readme, want) {
			t.Errorf("README.md does not say %q", want)
		}
	}
}
