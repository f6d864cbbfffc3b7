package app_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cftypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/relight-aws/relight/internal/app"
	"github.com/relight-aws/relight/internal/catalog"
)

// memories returns the parameters in which relight remembers something now.
func (w *world) memories() []string {
	w.t.Helper()
	var names []string
	want := w.config.Baseline()
	for _, name := range []string{want.AdoptedMemory(), want.TrailMemory(), want.FindingsMemory()} {
		if _, err := w.SSM.GetParameter(w.t.Context(), &ssm.GetParameterInput{Name: aws.String(name)}); err == nil {
			names = append(names, name)
		}
	}
	return names
}

func (w *world) deleteParameters(names ...string) {
	w.t.Helper()
	for _, name := range names {
		must(w.SSM.DeleteParameter(w.t.Context(), &ssm.DeleteParameterInput{Name: aws.String(name)}))
	}
}

// stackOf makes relight's stack one of that age.
func (w *world) stackOf(age time.Duration) {
	w.SetStack(home, cftypes.Stack{StackName: aws.String("relight"), StackStatus: cftypes.StackStatusCreateComplete, CreationTime: aws.Time(w.now.Add(-age))})
}

// Somebody who deletes every memory and relight's own, and makes others in their
// place, is not taken for an account before its first sweep.
func TestEveryMemoryDeleted(t *testing.T) {
	t.Parallel()
	for name, hide := range map[string]func(*world){
		"the stack is old":         func(*world) {},
		"the stack was updated":    func(w *world) { w.stackOf(2 * time.Hour) },
		"the stack cannot be read": func(w *world) { w.Deny("DescribeStacks") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := healthy(t, few)
			if name != "the stack cannot be read" { // otherwise it is as young as it can be
				w.anHour()
			}
			memories := w.memories()
			if len(memories) != 3 {
				t.Fatalf("memories %v", memories)
			}
			w.deleteParameters(memories...)
			w.chain("ops")
			must(w.Logs.DeleteMetricFilter(t.Context(), &cloudwatchlogs.DeleteMetricFilterInput{LogGroupName: aws.String(trailGroup), FilterName: aws.String(rootUsage)}))
			w.deleteAlarms(rootUsage)
			w.createGroup(home, "ops-logs")
			w.createFlowLog(home, "vpc-1", "ALL", "ops-logs")
			w.deleteOwnFlowLog(home, "vpc-1")
			hide(w)
			told := w.mailOf(func() { w.sweep(app.Request{}) })
			w.Allow("DescribeStacks")
			if !w.hasFilter(rootUsage) || !w.hasAlarm(rootUsage) || len(w.FlowLogs(home, "vpc-1")) != 2 {
				t.Errorf("filter %t, alarm %t, flow logs %v", w.hasFilter(rootUsage), w.hasAlarm(rootUsage), w.FlowLogs(home, "vpc-1"))
			}
			if strings.Contains(told, "rely on these") || !strings.Contains(told, "[memory-missing] memory "+adoptedMemory) {
				t.Errorf("people read %q", told)
			}
			if s := w.sweep(app.Request{}); s.Planned != 0 || s.Findings != 0 {
				t.Errorf("afterwards %+v", s)
			}
		})
	}
}

// The first sweep is the one that finds a new stack, and no memory that this
// deployment's sweep wrote. A deployment after cdk destroy is a new one.
func TestFirstSweepIsKnownBy(t *testing.T) {
	t.Parallel()
	earlier := "arn:aws:sts::" + account + ":assumed-role/relight-backfill-earlier/relight-backfill"
	tests := map[string]struct {
		arrange func(*world)
		first   bool
	}{
		"a new stack":               {func(*world) {}, true},
		"half an hour old":          {func(w *world) { w.stackOf(30 * time.Minute) }, true},
		"older":                     {func(w *world) { w.stackOf(31 * time.Minute) }, false},
		"older, with rare sweeps":   {func(w *world) { w.config.SweepMinutes = 60; w.stackOf(2 * time.Hour) }, true},
		"no stack of relight's":     {func(w *world) { w.noStack() }, false},
		"an earlier deployment's":   {func(w *world) { w.putAs(earlier, adoptedMemory, `{"v":1,"filters":["gone"]}`) }, true},
		"the same, on an old stack": {func(w *world) { w.putAs(earlier, adoptedMemory, `{"v":1,"filters":["ops"]}`); w.stackOf(time.Hour) }, false},
		"this sweep wrote a memory": {func(w *world) { w.putAs(sessionOf(catalog.Backfill), adoptedMemory, `{"v":1}`) }, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := deployed(t, few)
			w.chain("ops")
			tt.arrange(w)
			told := w.mailOf(func() { w.sweep(app.Request{}) })
			if adopts := strings.Contains(told, "rely on these, which others made: metric filters ops"); adopts != tt.first || w.hasFilter(rootUsage) == tt.first {
				t.Errorf("adopts %t, filter of its own %t; people read %q", adopts, w.hasFilter(rootUsage), told)
			}
			if s := w.sweep(app.Request{}); tt.first && (s.Planned != 0 || s.Findings != 0) {
				t.Errorf("afterwards %+v", s)
			}
		})
	}
}

// noStack takes relight's stack away.
func (w *world) noStack() {
	w.DeleteStack(home, "relight")
}

// A memory that existed and does not exist any more was deleted: it is reported
// once, and written again where there is something to remember.
func TestMemoryDeleted(t *testing.T) {
	t.Parallel()
	w := healthy(t, few)
	w.anHour()
	written := w.memories()
	for _, name := range written {
		told := w.mailOf(func() { w.deleteParameters(name); w.sweep(app.Request{}) })
		if got := strings.Contains(told, "[memory-missing] memory "+name); got == (name == findingsMemory) {
			t.Errorf("%s: people read %q", name, told)
		}
		if told := w.mailOf(func() { w.sweep(app.Request{}) }); told != "" {
			t.Errorf("%s: again %q", name, told)
		}
		if now := w.memories(); !slices.Contains(now, name) {
			t.Errorf("%s was not written again: %v", name, now)
		}
	}
}
