package docs_test

import (
	"fmt"
	"slices"
	"strings"

	"github.com/relight-aws/relight/internal/catalog"
)

func controls(p *page) {
	rows := catalog.Controls()
	groups := benchmarkGroups(rows)
	p.title("Controls", "internal/catalog/controls.go")
	p.line("relight protects %d controls. Each has a metric filter on the trail's log group and an", len(rows))
	p.line("alarm on the filter's metric. Filter, metric and alarm are all named `<prefix>-<id>`. An")
	p.line("alarm on the metric of somebody else's filter has a [hash](adr/0005-alarm-names.md) at the")
	p.line("end of its name. The columns give the section in each version of the CIS AWS Foundations")
	p.line("Benchmark, and the Security Hub control that, by its documentation, passes with this pattern.\n")
	p.line("Every alarm: %s of at least %v in one period of %d s, missing data %s. With a threshold above 1",
		catalog.AlarmMaximum, catalog.AlarmThreshold, catalog.AlarmPeriod, code(catalog.AlarmMissing))
	p.line("it is the %s, which [negative values can lower](adr/0018-what-data-cannot-undo.md).", catalog.AlarmSum)
	p.line("You can [configure](configuration.md) threshold and period per control.\n")
	p.line("The last control, `tampering`, is of no benchmark. It measures calls that cut relight itself: on rules,")
	p.line("schedules, functions, queues, topics, subscriptions, alarms, mappings and roles whose names begin with the prefix,")
	p.line("unless CloudFormation made them. Its alarm notifies both topics, and needs neither EventBridge nor a function. It")
	p.line("also rings once when relight undoes such a call, and when somebody [pauses](operations.md#pausing-it) relight.\n")
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
	frameworks(p, rows)
	rejectedTraffic(p)
	p.line("\n## Patterns\n")
	p.line("Patterns are compared by what they mean: quotes, order, white space and parentheses do not matter. relight's own filter")
	p.line("has to mean the same as the pattern below, and to be the same text where there is a Security Hub control. Somebody")
	p.line("else's filter satisfies a control if its pattern means the same and nothing narrows it; a twin for Security Hub needs the same")
	p.line("text. An audit also passes a pattern that matches more, but not any event; relight relies on none of those. `relight controls test --event FILE` says what an event trips, and why not the")
	p.line("others. A pattern has at most %d characters.", catalog.PatternLimit)
	for _, c := range rows {
		p.line("\n### %s\n\n```\n%s\n```", c.ID, c.Pattern)
	}
}

// frameworks writes the requirements of the frameworks that are no CIS benchmark.
func frameworks(p *page, rows []catalog.Control) {
	p.line("\n## Frameworks\n")
	p.line("`relight audit --framework ID` checks these. The IDs of requirements are those that the sources publish; the benchmarks and")
	p.line("standards themselves were not read. A control that no source maps has no requirement, which does not mean that the standard")
	p.line("has none. In each version of the benchmark, flow logs of VPCs have a section of their own.\n")
	p.head("Framework", "Requirements", "Flow logs", "Source of the IDs")
	for _, f := range catalog.Frameworks() {
		var sets []string // of requirements
		with := map[string][]string{}
		n := 0
		for _, c := range rows {
			if set := strings.Join(f.Requires(c.ID), ", "); set != "" {
				if n++; with[set] == nil {
					sets = append(sets, set)
				}
				with[set] = append(with[set], code(c.ID))
			}
		}
		for i, set := range sets {
			sets[i] = strings.Join(with[set], ", ") + ": " + set
		}
		requirements := strings.Join(sets, "; ")
		if n > 10 {
			requirements = fmt.Sprintf("%d controls, as above", n)
		}
		p.row(code(f.ID)+" "+f.Title, requirements, strings.Join(f.Requires(catalog.FlowLogsCheck), ", "), f.Source)
	}
}

// rejectedTraffic describes the control that most deployments do not have.
func rejectedTraffic(p *page) {
	c := catalog.RejectControl(catalog.DefaultFlowLogFormat, catalog.RejectThreshold, catalog.RejectPeriod)
	p.line("\n## The alarm on rejected traffic\n")
	p.line("With `flowLogs.rejectAlarm`, relight has one more control, %s, on the log group to which its own flow", code(c.ID))
	p.line("logs deliver. No benchmark asks for it. It is off by default: in each region, the metric and the alarm cost money, and how")
	p.line("much rejected traffic is normal differs from account to account.\n")
	p.line("- **Where.** In the home region and in each region with a forwarder, if relight's own flow logs deliver there. An alarm can")
	p.line("  notify only a topic of its own region, and relight has none elsewhere. The sweep says so of each other region in which flow logs")
	p.line("  deliver; add the region to `regions`. Where events reach relight, they restore filter and alarm within seconds; each sweep does everywhere.")
	p.line("- **What it counts.** The records of relight's log group whose action is REJECT: not those of flow logs that deliver")
	p.line("  elsewhere. The filter's pattern names the fields of `flowLogs.format` in their order, since CloudWatch Logs knows the words of a record")
	p.line("  by their place alone. A flow log in this log group with other fields is a finding (`flowlog-uncounted`). A format without")
	p.line("  `${action}` is refused. With the default format, the pattern is:\n\n```\n%s\n```\n", c.Pattern)
	p.line("- **The metric has no dimensions, and neither has the alarm.** The published guide for this alarm gives it the dimension")
	p.line("  `LogGroupName`, which the filter's metric does not have: that alarm never rings.")
	p.line("- **When it rings.** When the records of one period of %d s number %v or more. The threshold is a judgement, not a measurement:", c.Period, c.Threshold)
	p.line("  a scan of all 65,535 TCP ports of one interface exceeds it, and a hundred public addresses may each get a hundred unsolicited")
	p.line("  probes in a period before it rings. One record stands for all packets of one flow in one aggregation interval. The period")
	p.line("  is longer than that of the other alarms: a record has the time at which its interval began, and arrives up to a quarter of an hour later.")
	p.line("- **To find your own threshold,** let it run for two weeks, look at the largest Sum of the metric `<prefix>/<prefix>-%s`,", c.ID)
	p.line("  and set `flowLogs.rejectAlarm.threshold` to twice that. An alarm that stays in ALARM for a day notifies nobody of what comes next:")
	p.line("  in the home region the sweep reports that (`alarm-stuck`).")
	p.line("- **What is not watched.** Negative values in the metric, which lower the sum, and outside the home region mute rules,")
	p.line("  suppressors and an alarm that stays in ALARM. If you switch the option off, filter and alarm stay until you delete them.")
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
