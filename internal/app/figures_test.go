package app_test

import (
	"flag"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/relight-aws/relight/events"
	"github.com/relight-aws/relight/internal/app"
	"github.com/relight-aws/relight/internal/awsio"
	"github.com/relight-aws/relight/internal/awstest"
	"github.com/relight-aws/relight/internal/bench"
	"github.com/relight-aws/relight/internal/catalog"
)

var (
	record   = flag.Bool("record", false, "record the figures of the workloads that run")
	show     = flag.Bool("show", false, "print the figures of the workloads that run")
	measured = flag.Bool("measured", false, "run the workloads that take long, and measure memory")
)

// records is where the figures of workloads are recorded.
const records = "../../docs/figures"

// kept compares the figures of a workload with the recorded ones, and with -record
// records them first.
func kept(t *testing.T, workload string, figures []bench.Figure) {
	t.Helper()
	keptWithin(t, workload, figures, 0)
}

// keptWithin does so for figures that may differ by a part of them from run to run. Those
// that are named, which differ by more, are recorded and not compared.
func keptWithin(t *testing.T, workload string, figures []bench.Figure, slack float64, loose ...string) {
	t.Helper()
	file := filepath.Join(records, workload+".txt")
	if *record {
		if err := os.WriteFile(file, []byte(bench.Lines(figures)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	shown(figures...)
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	recorded, err := bench.Parse(string(raw))
	if err != nil {
		t.Fatal(err)
	}
	compared := func(of []bench.Figure) []bench.Figure {
		return slices.DeleteFunc(slices.Clone(of), func(f bench.Figure) bool { return slices.Contains(loose, f.Name) })
	}
	for _, line := range bench.Compare(compared(recorded), compared(figures), slack) {
		t.Errorf("%s; to record it: go test ./internal/app -run Figures -record && go test ./docs -update", line)
	}
}

// A tick is how long a call takes where calls that wait for one another are counted: the
// time until a call begins is the number of calls before it. It is short, so that no
// run is longer than relight's own patience.
const tick = time.Millisecond

// What each sample's attack costs until it is undone: AWS calls, the verification
// included, and how many of them follow one another before the first write that restores
// something. Notifications are counted apart.
func TestFiguresOfEvents(t *testing.T) {
	t.Parallel()
	var figures []bench.Figure
	for _, name := range slices.Sorted(maps.Keys(harms)) {
		if harms[name].do == nil {
			continue // the sample says nothing that an account can show
		}
		synctest.Test(t, func(t *testing.T) {
			calls, before, messages := costOf(t, name)
			workload := "event/" + strings.TrimSuffix(name, ".json")
			figures = append(figures, bench.Figure{Name: workload + "/calls", Value: float64(calls), Unit: "calls"})
			if before >= 0 {
				figures = append(figures, bench.Figure{Name: workload + "/before-write", Value: float64(before), Unit: "round-trips"})
			}
			figures = append(figures, bench.Figure{Name: workload + "/messages", Value: float64(messages), Unit: "messages"})
		})
	}
	kept(t, "events", figures)
}

// costOf returns what a sample's attack costs: before is negative if nothing was
// restored.
func costOf(t *testing.T, name string) (calls, before, messages int) {
	t.Helper()
	a := harms[name]
	w := healthy(t, either(a.config, watchful))
	w.PageSize(0)
	a.do(w)
	told, counted := len(w.Messages()), w.Calls()
	w.Latency = tick
	before = -1
	for _, k := range catalog.Kinds() {
		began := time.Now()
		w.Watch = func(c awstest.Call) {
			after := int(c.Began.Sub(began) / tick)
			if len(c.Writes) > 0 && c.Op != "PutParameter" && (before < 0 || after < before) { // a parameter is memory
				before = after
			}
		}
		if _, err := w.app(catalog.Function(k)).HandleEvent(t.Context(), events.Read(name)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	return w.Calls().Since(counted).Total("Publish", "PutEvents"), before, len(w.Messages()) - told
}

// What it costs to protect a region's VPCs that have no flow log, and what an event
// costs there afterwards. The memory is the most that is reachable at once, the
// account's new flow logs included; a process has up to twice as much, and what it had
// at its start.
func TestFiguresOfBackfill(t *testing.T) {
	var figures []bench.Figure
	for _, vpcs := range []int{10, 1000, 10000} {
		synctest.Test(t, func(t *testing.T) { figures = append(figures, backfilled(t, vpcs)...) })
	}
	kept(t, "backfill", figures)
}

// backfilled returns the figures of a region with so many VPCs, one of which has a flow
// log.
func backfilled(t *testing.T, vpcs int) []bench.Figure {
	t.Helper()
	w := healthy(t, "")
	w.PageSize(0)
	w.pace = &awsio.Pace{}
	for i := range vpcs - 1 { // and vpc-3
		w.AddVPC(second, fmt.Sprintf("vpc-%08x", i))
	}
	name := fmt.Sprintf("backfill/%d-vpcs/", vpcs)
	w.Latency = latency
	began, before := time.Now(), w.Calls()
	memory := watchMemory(w)
	s := w.sweep(app.Request{Kinds: []catalog.Kind{catalog.FlowLogs}, Regions: []string{second}})
	took := time.Since(began)
	if s.Repaired != vpcs-1 || s.Unrestored != 0 {
		t.Errorf("repaired %d, left %d; want %d, 0", s.Repaired, s.Unrestored, vpcs-1)
	}
	used := w.Calls().Since(before)
	if vpcs == 10000 && (used["CreateFlowLogs"] != 34 || used.Total() > 70) {
		t.Errorf("%d calls %v, want 34 CreateFlowLogs and at most 70 in all", used.Total(), used)
	}
	var figures []bench.Figure
	for _, op := range slices.Sorted(maps.Keys(used)) {
		figures = append(figures, bench.Figure{Name: name + op, Value: float64(used[op]), Unit: "calls"})
	}
	figures = append(figures,
		bench.Figure{Name: name + "all", Value: float64(used.Total()), Unit: "calls"},
		bench.Figure{Name: name + "time", Value: took.Seconds(), Unit: "s"},
	)
	memory(t, vpcs)
	for _, event := range []string{"CreateVpc.second-region.json", "DeleteFlowLogs.second-region.json"} {
		harms[event].do(w)
		before := w.Calls()
		if _, err := w.app(catalog.Function(catalog.FlowLogs)).HandleEvent(t.Context(), events.Read(event)); err != nil {
			t.Error(err)
		}
		call, _, _ := strings.Cut(event, ".")
		figures = append(figures, bench.Figure{Name: name + "then-" + call, Value: float64(w.Calls().Since(before).Total("Publish", "PutEvents")), Unit: "calls"})
	}
	return figures
}

// latency is how long each call takes where a workload's time is measured: a usual
// time of AWS's answers within a region, of which AWS publishes none.
const latency = 20 * time.Millisecond

// mostMemory is how much memory a backfill may need, in MB, which is half of what a
// function has; startMemory is what a process has when it starts.
const (
	mostMemory  = 128
	startMemory = 25
)

// watchMemory measures the memory of what follows, if asked to, until the function that
// it returns is called. That function checks it.
func watchMemory(w *world) func(t *testing.T, vpcs int) {
	if !*measured {
		return func(*testing.T, int) {}
	}
	start := reachable()
	peak := start
	w.Watch = func(awstest.Call) { peak = max(peak, reachable()) }
	return func(t *testing.T, vpcs int) {
		t.Helper()
		w.Watch = nil
		mb := float64(peak-start) / 1e6
		if 2*mb+startMemory > mostMemory {
			t.Errorf("%d VPCs need %.1f MB", vpcs, mb)
		}
		shown(bench.Figure{Name: fmt.Sprintf("memory/backfill-%d-vpcs", vpcs), Value: math.Round(mb*10) / 10, Unit: "MB"})
	}
}

// reachable returns how many bytes are reachable.
func reachable() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// shown prints figures, if asked to.
func shown(figures ...bench.Figure) {
	if *show {
		fmt.Print(bench.Lines(figures))
	}
}
