package docs_test

import (
	"strings"
)

// latencies writes how long a protection stays away on the local cloud, before and after
// the queues stopped gathering events.
func latencies(p *page) {
	when, figures := dated(p, "latency")
	medians := map[string]map[string]string{}
	var attacks []string
	for _, f := range figures {
		attack, build, _ := strings.Cut(f.Name, "/")
		if medians[attack] == nil {
			medians[attack] = map[string]string{}
			attacks = append(attacks, attack)
		}
		medians[attack][build] = number(f.Value)
	}
	p.line("## From attack to repair\n")
	p.line("How long a single protection stays away on the [local cloud](demo.md): from the answer to its deletion to the answer to the call that restored it, in milliseconds, the")
	p.line("median of 15. Two builds of relight take turns, each in its own account. The old one has its queues gather events for a second.")
	p.line("AWS adds the time from CloudTrail to EventBridge. %s To measure another checkout beside this one:\n", strings.TrimPrefix(when, "# "))
	p.line("```sh\ngo test ./internal/lab/speed -run TestAgainst -v -against PATH -record $PWD/docs/figures/latency.txt\n```\n")
	p.head("Attack", "Old", "New")
	for _, attack := range attacks {
		p.row(strings.Replace(attack, "-", " ", 1), medians[attack]["old"], medians[attack]["new"])
	}
	p.line("")
}
