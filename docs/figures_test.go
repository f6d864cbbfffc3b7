package docs_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/relight-aws/relight/internal/bench"
)

// A table has the figures of some workloads: the first part of a figure's name is the
// file's, the last part is the column, and what is between them is the row.
type table struct {
	rows  []string
	cells map[string]map[string]string // by row and column
}

// workloads returns the figures of the files that match a pattern.
func workloads(pattern string) (table, error) {
	var all []bench.Figure
	files, err := filepath.Glob(filepath.Join("figures", pattern))
	if err != nil {
		return table{}, err
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			return table{}, err
		}
		figures, err := bench.Parse(string(raw))
		if err != nil {
			return table{}, err
		}
		all = append(all, figures...)
	}
	return tableOf(all), nil
}

func tableOf(figures []bench.Figure) table {
	all := table{cells: map[string]map[string]string{}}
	for _, f := range figures {
		first, last := strings.Index(f.Name, "/"), strings.LastIndex(f.Name, "/")
		row, column := f.Name[min(first+1, last):last], f.Name[last+1:]
		if all.cells[row] == nil {
			all.rows, all.cells[row] = append(all.rows, row), map[string]string{}
		}
		all.cells[row][column] = number(f.Value)
	}
	return all
}

func number(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

// cell returns a figure, or a dash if the workload does not have it.
func (t table) cell(row, column string) string {
	if v := t.cells[row][column]; v != "" {
		return v
	}
	return "—"
}

// write writes a table with these columns, under these heads.
func (t table) write(p *page, first string, heads map[string]string, columns ...string) {
	head := []string{first}
	for _, c := range columns {
		head = append(head, heads[c])
	}
	p.head(head...)
	for _, row := range t.rows {
		cells := []string{strings.TrimSuffix(row, "-vpcs")}
		for _, c := range columns {
			cells = append(cells, t.cell(row, c))
		}
		p.row(cells...)
	}
	p.line("")
}

// numbers renders docs/figures.md.
func numbers(p *page) {
	load := func(pattern string) table {
		t, err := workloads(pattern)
		if err != nil {
			p.line("%s cannot be read: %v", pattern, err)
		}
		return t
	}
	p.title("Figures", "docs/figures")
	p.line("How many calls relight makes, how long it takes, and what it needs. To repeat them: `make bench`, which prints a figure a line, as name, value")
	p.line("and unit. It needs Go, and Linux for the start of functions.\n")
	p.line("All but the [measured](#measured) ones and the [latency](#from-attack-to-repair) are exact: relight's own code runs on a strict account in memory, in virtual time, so that they are the same on")
	p.line("every machine. A test compares them with what is recorded in `docs/figures`, and fails when one")
	p.line("grows. Where time is given, each call to AWS takes %d ms, and an event comes a second after its call; AWS publishes neither. The account throttles as AWS's quotas say.\n", 20)

	p.line("## A backfill\n")
	p.line("A region with this many VPCs, of which one has a flow log; a sweep of the region's flow logs protects the others and looks again. The calls of EC2 are what")
	p.line("grows: a CreateFlowLogs for 300 VPCs, and pages of 1,000. *All calls* includes the notification.")
	p.line("The last columns are the calls of one event in that account afterwards. CreateVpc costs the same in any account;")
	p.line("DeleteFlowLogs names no VPC, so relight reads the region's: its VPCs once, its flow logs twice.\n")
	load("backfill.txt").write(p, "VPCs", map[string]string{
		"CreateFlowLogs": "CreateFlowLogs", "DescribeVpcs": "DescribeVpcs", "DescribeFlowLogs": "DescribeFlowLogs", "all": "All calls", "time": "Seconds",
		"then-CreateVpc": "Then: CreateVpc", "then-DeleteFlowLogs": "Then: DeleteFlowLogs",
	}, "CreateFlowLogs", "DescribeVpcs", "DescribeFlowLogs", "all", "time", "then-CreateVpc", "then-DeleteFlowLogs")

	p.line("## An organisation\n")
	p.line("500 accounts with 17 regions and 20 VPCs each, 10,000 VPCs in all, are swept by eight processes at once, as `organization.concurrency` has it by default: first without a flow log, and then as they should be. The *floor* is the")
	p.line("time of one account times the accounts for each process, or what it takes to remember something of each account in the hub, where AWS lets an account write three parameters a second:")
	p.line("the first sweep waits for that. A call that AWS refuses because of it comes again after a random while, so these figures differ by some per cent from run to run. `make test` sweeps 201 of the accounts, and checks only that it takes at most 1.2 times the floor.\n")
	organization := load("organization.txt")
	organization.write(p, "Sweep", map[string]string{
		"took": "Seconds", "floor": "Floor", "one-account": "One account alone", "remembered": "Parameters written", "throttled": "Throttled calls",
	}, "took", "floor", "one-account", "remembered", "throttled")

	organizationCost(p, 500, organization, load("machine.txt"))

	p.line("## Every filter and alarm\n")
	p.line("All of relight's filters and alarms are deleted. CloudWatch allows 5 PutMetricFilter and 3 PutMetricAlarm a second; relight leaves a fifth of")
	p.line("each quota to the account's owner. The *floor* is the time that this takes at least, if no call comes at once. *Together* means that two instances of each function and the sweep")
	p.line("are at work at the same time, which is the most that may happen. Throttled calls are those that AWS would refuse;")
	p.line("the SDK's own retries are left out. *Controls left* are those of which something was not restored.\n")
	load("pace-*.txt").write(p, "At work", map[string]string{
		"filters": "Filters: seconds", "filters-floor": "Floor", "filters-written": "PutMetricFilter", "alarms": "Alarms: seconds", "alarms-floor": "Floor", "alarms-written": "PutMetricAlarm", "throttled": "Throttled calls", "unprotected": "Controls left",
	}, "filters", "filters-floor", "filters-written", "alarms", "alarms-floor", "alarms-written", "throttled", "unprotected")

	if storms := load("storm-*.txt"); len(storms.rows) > 0 {
		p.line("## Storms\n")
		p.line("An attacker makes that many calls within a minute. Each call becomes an event of CloudTrail, and one of CloudWatch for each alarm; so do relight's own writes. SQS")
		p.line("delivers them in batches of at most ten to two instances of each function. The columns of functions are all of their calls to AWS.")
		p.line("*Restored after* is the time from the attacker's last call until everything was as before. What two instances do at the same instant is in no order, so these figures")
		p.line("may differ by a quarter from run to run, and the messages by one.\n")
		heads := map[string]string{"messages": "Messages to people", "throttled": "Throttled calls", "restored-after": "Restored after, s", "events": "Events"}
		var columns []string
		for _, row := range storms.rows {
			for c := range storms.cells[row] {
				if name, of := strings.CutPrefix(c, "relight-"); of && !slices.Contains(columns, c) {
					heads[c] = "Calls of " + name
					columns = append(columns, c)
				}
			}
		}
		slices.Sort(columns)
		storms.write(p, "Calls of the attacker", heads, append(columns, "events", "throttled", "messages", "restored-after")...)
		p.line("A hundred unreadable messages in each queue, and as many deletions of the same names in another region, change the calls of a function by some ten at most, and nothing else of note.\n")
	}

	measuredFigures(p)
	latencies(p)

	p.line("## Each event\n")
	p.line("What one attack costs, by its [sample event](../events/README.md): the calls of all functions that look at it, with the check after the repair and without")
	p.line("notifications; how many calls follow one another before the first write that restores something; and messages to people. On AWS a call within a region usually takes some ten")
	p.line("milliseconds, and that many times this is what relight adds to the time that CloudTrail takes. A dash means that there is nothing to restore.\n")
	load("events.txt").write(p, "Event", map[string]string{"calls": "Calls", "before-write": "Calls before the write", "messages": "Messages"}, "calls", "before-write", "messages")
}

// meanings say what the measured figures mean to an operator, by the beginning of their
// names.
var meanings = []struct{ of, what string }{
	{"memory/", "what a sweep of that many VPCs can reach at once, the account's own copy of the new flow logs included, and without the SDK's decoding of a page"},
	{"time/parse-and-plan-one-event", "what relight computes for an event, beside its calls"},
	{"time/plan-10000-vpcs", "what a sweep of such a region computes"},
	{"time/compare-every-pattern", "whether the filters of all controls mean what they should"},
	{"time/compare-a-policy", "whether a policy means what it should"},
	{"allocations/", "the same, in allocations of memory"},
}

// ofFunction reports whether a figure is of a function's package or start.
func ofFunction(f bench.Figure) bool {
	return strings.HasPrefix(f.Name, "package/") || strings.HasPrefix(f.Name, "start/")
}

// dated returns the figures of a file whose first line says when and where they were
// measured.
func dated(p *page, name string) (when string, figures []bench.Figure) {
	raw, err := os.ReadFile("figures/" + name + ".txt")
	if err != nil {
		p.line("%v", err)
		return "", nil
	}
	when, lines, _ := strings.Cut(string(raw), "\n")
	if figures, err = bench.Parse(lines); err != nil {
		p.line("%v", err)
	}
	return when, figures
}

// measuredFigures writes what was measured on one machine.
func measuredFigures(p *page) {
	when, figures := dated(p, "measured")
	p.line("## Measured\n")
	p.line("On %s. These differ from machine to machine and from run to run. To record them: `make bench RECORD=1`.\n", strings.TrimPrefix(when, "# "))
	p.head("Figure", "Value", "Unit", "What it is")
	for _, f := range figures {
		for _, m := range meanings {
			if strings.HasPrefix(f.Name, m.of) {
				p.row(code(f.Name), number(f.Value), f.Unit, m.what)
			}
		}
	}
	p.line("")
	functions := tableOf(slices.DeleteFunc(figures, func(f bench.Figure) bool { return !ofFunction(f) }))
	if len(functions.rows) == 0 {
		return
	}
	slices.Sort(functions.rows)
	p.line("Each function's package, which Lambda loads at a cold start, and a start of its process, the median of some: until it first asks for work, and its memory by")
	p.line("then. Lambda adds a time of its own. *Empty* is a function in Go that does nothing but load the SDK's configuration. A function has %d MB.\n", 256)
	functions.write(p, "Function", map[string]string{
		"arm64": "Package for arm64, bytes", "x86_64": "For x86_64, bytes", "to-first-poll": "Start, ms", "of-empty-function": "Times that of empty", "resident": "Resident, MiB", "peak": "At most, MiB",
	}, "arm64", "x86_64", "to-first-poll", "of-empty-function", "resident", "peak")
}

// The recorded measurements say when and where they were made, and each is explained.
func TestMeasuredFigures(t *testing.T) {
	raw := read(t, "figures/measured.txt")
	if !strings.HasPrefix(raw, "# ") || !strings.Contains(raw[:strings.Index(raw, "\n")], "cores") {
		t.Errorf("figures/measured.txt begins with %.60q, want the date and the machine", raw)
	}
	figures, err := bench.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range figures {
		if !ofFunction(f) && !slices.ContainsFunc(meanings, func(m struct{ of, what string }) bool { return strings.HasPrefix(f.Name, m.of) }) {
			t.Errorf("nothing says what %s is", fmt.Sprint(f))
		}
	}
}
