package bench_test

import (
	"flag"
	"fmt"
	"math"
	"testing"

	"github.com/relight-aws/relight/events"
	"github.com/relight-aws/relight/internal/bench"
	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/config"
	"github.com/relight-aws/relight/internal/iampolicy"
	"github.com/relight-aws/relight/internal/pattern"
	"github.com/relight-aws/relight/internal/plan"
	"github.com/relight-aws/relight/internal/trigger"
)

var measured = flag.Bool("measured", false, "measure how long relight computes on this machine, and print it")

// timed are what relight computes, by name. Each is done once for an event or a sweep.
var timed = []struct {
	name string
	do   func(b *testing.B)
}{
	{"parse-and-plan-one-event", func(b *testing.B) {
		raw := events.Read("CreateVpc.default.json")
		want, got := region(1)
		for b.Loop() {
			if _, err := trigger.Parse(raw); err != nil {
				b.Fatal(err)
			}
			planned(b, want, got)
		}
	}},
	{"plan-10000-vpcs", func(b *testing.B) {
		want, got := region(10000)
		for b.Loop() {
			planned(b, want, got)
		}
	}},
	{"compare-every-pattern", func(b *testing.B) {
		controls := catalog.Controls()
		for b.Loop() {
			for _, c := range controls {
				if !pattern.Same(c.Pattern, " "+c.Pattern) {
					b.Fatal(c.ID)
				}
			}
		}
	}},
	{"compare-a-policy", func(b *testing.B) {
		policy := plan.DeliveryRoleOf(desired()).Policy
		for b.Loop() {
			if !iampolicy.Same(policy, " "+policy) {
				b.Fatal(policy)
			}
		}
	}},
}

// desired returns the desired state of the default configuration.
func desired() catalog.Desired {
	cfg, err := config.Parse(nil)
	if err != nil {
		panic(err) // the empty configuration is a good one
	}
	return cfg.Desired(catalog.Deployment{Account: account, HomeRegion: home, DeliveryRole: "arn:aws:iam::" + account + ":role/relight-flow-logs-delivery"})
}

// region returns a region with VPCs of which none has a flow log.
func region(vpcs int) (catalog.Desired, plan.Observed) {
	state := &plan.FlowLogState{LogGroups: map[string]plan.LogGroup{}}
	for i := range vpcs {
		state.Networks = append(state.Networks, plan.Network{ID: fmt.Sprintf("vpc-%08x", i), Owner: account})
	}
	return desired(), plan.Observed{Account: account, Region: home, State: state}
}

func planned(b *testing.B, want catalog.Desired, got plan.Observed) {
	b.Helper()
	if p, err := plan.Of(catalog.FlowLogs, want, got); err != nil || len(p.Actions) == 0 {
		b.Fatalf("%v, %d actions", err, len(p.Actions))
	}
}

// What is measured works; -measured also prints how long it takes.
func TestMeasured(t *testing.T) {
	if !*measured {
		if err := flag.Set("test.benchtime", "1x"); err != nil {
			t.Fatal(err)
		}
	}
	for _, m := range timed {
		r := testing.Benchmark(m.do)
		if r.N == 0 {
			t.Errorf("%s failed", m.name)
		}
		if *measured {
			fmt.Print(bench.Lines([]bench.Figure{
				{Name: "time/" + m.name, Value: math.Round(float64(r.T.Microseconds())/float64(r.N)*10) / 10, Unit: "µs"},
				{Name: "allocations/" + m.name, Value: float64(r.AllocsPerOp()), Unit: "allocations"},
			}))
		}
	}
}
