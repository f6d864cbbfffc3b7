package app_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cloudwatchtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/google/go-cmp/cmp"

	"github.com/relight-aws/relight/internal/app"
	"github.com/relight-aws/relight/internal/catalog"
)

// Whatever is done to the alarms on relight itself is undone: by the event within
// the budget of an alarm, and without it by the sweep; in an account without a trail
// too. The sweep of a healthy account makes no call more for it.
func TestStackAlarmsRestored(t *testing.T) {
	t.Parallel()
	attacks := map[string]struct {
		call string // its CloudTrail name
		do   func(w *world, names []string)
	}{
		"muted":   {"DisableAlarmActions", func(w *world, names []string) { w.mute(names...) }},
		"deleted": {"DeleteAlarms", func(w *world, names []string) { w.deleteAlarms(names...) }},
		"pointed elsewhere": {"PutMetricAlarm", func(w *world, names []string) {
			for _, name := range names {
				w.changeAlarm(name, func(in *cloudwatch.PutMetricAlarmInput) {
					in.Dimensions = []cloudwatchtypes.Dimension{{Name: aws.String("FunctionName"), Value: aws.String("other")}}
				})
			}
		}},
		"deaf": {"PutMetricAlarm", func(w *world, names []string) {
			for _, name := range names {
				w.changeAlarm(name, func(in *cloudwatch.PutMetricAlarmInput) { in.Threshold = aws.Float64(1e9) })
			}
		}},
	}
	for how, tt := range attacks {
		for _, trail := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, trail %t", how, trail), func(t *testing.T) {
				w := healthy(t, few)
				w.PageSize(0)
				if !trail {
					w.deleteTrail("audit")
					w.forget()
					w.sweep(app.Request{})
				}
				want := w.config.Desired(w.deployment(home))
				var names []string
				for _, row := range want.OwnAlarms() {
					names = append(names, want.Name(row.ID))
				}
				before := w.State()

				for _, name := range names[:2] {
					tt.do(w, []string{name})
					named := map[string]any{"alarmName": name}
					if how == "muted" || how == "deleted" {
						named = map[string]any{"alarmNames": []string{name}}
					}
					parameters, _ := json.Marshal(named)
					used := w.Calls()
					if again, errs := w.send([]byte(call("aws.monitoring", tt.call, `"requestParameters":`+string(parameters))), true); len(again)+len(errs) > 0 {
						t.Fatal(again, errs)
					}
					if n := w.Calls().Since(used).Total("Publish", "PutEvents"); n > 3 {
						t.Errorf("the event took %d calls: %v", n, w.Calls().Since(used))
					}
					if diff := cmp.Diff(before, w.State()); diff != "" {
						t.Errorf("after the event of %s (-before +after):\n%s", name, diff)
					}
				}
				tt.do(w, names)
				if s := w.sweep(app.Request{}); s.Repaired != len(names) {
					t.Errorf("the sweep repaired %d, want %d", s.Repaired, len(names))
				}
				if diff := cmp.Diff(before, w.State()); diff != "" {
					t.Errorf("after the sweep (-before +after):\n%s", diff)
				}
			})
		}
	}
}

// An event about somebody else's alarm restores the stack's too: every alarm of
// relight is read then.
func TestStackAlarmBesideAForeignOne(t *testing.T) {
	t.Parallel()
	w := healthy(t, few)
	before := w.State()
	w.mute("relight-untold")
	w.send([]byte(call("aws.monitoring", "DisableAlarmActions", `"requestParameters":{"alarmNames":["checkout-latency"]}`)), true)
	if diff := cmp.Diff(before, w.State()); diff != "" {
		t.Errorf("(-before +after):\n%s", diff)
	}
}

// Each finished sweep of everything is counted, and no other: whoever cuts the
// schedule cannot keep the alarm on silence quiet by asking for less.
func TestSweepsAreCounted(t *testing.T) {
	t.Parallel()
	regional := []string{home, second}
	for name, tt := range map[string]struct {
		req  app.Request
		want int
	}{
		"of the schedule": {app.Request{Kinds: catalog.Kinds(), Mode: "repair"}, 1},
		"by hand":         {app.Request{}, 1},
		"of a kind":       {app.Request{Kinds: []catalog.Kind{catalog.Topics}}, 0},
		"of regions":      {app.Request{Regions: regional}, 0},
		"only planned":    {app.Request{Mode: "plan"}, 0},
	} {
		w := healthy(t, few)
		before := strings.Count(w.log.String(), `"Sweeps":1`)
		w.sweep(tt.req)
		if got := strings.Count(w.log.String(), `"Sweeps":1`) - before; got != tt.want {
			t.Errorf("%s: counted %d, want %d", name, got, tt.want)
		}
	}
	w := healthy(t, few)
	before := w.log.String()
	ctx, cancel := context.WithCancel(t.Context())
	if _, err := w.app(catalog.Backfill).Sweep(ctx, app.Request{}, func(int, int) { cancel() }); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(strings.TrimPrefix(w.log.String(), before), `"Sweeps":1`) {
		t.Error("a sweep that was cut off counts")
	}
}
