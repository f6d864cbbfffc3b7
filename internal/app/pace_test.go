package app_test

import (
	"math"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"

	"github.com/relight-aws/relight/events"
	"github.com/relight-aws/relight/internal/app"
	"github.com/relight-aws/relight/internal/awstest"
	"github.com/relight-aws/relight/internal/bench"
	"github.com/relight-aws/relight/internal/catalog"
)

// paced are the writes whose quotas decide how long the restoration of every filter and
// alarm takes, with the calls per second that AWS allows. See the quotas of
// internal/awstest for the sources.
var paced = []struct {
	op     string
	name   string
	quota  float64
	kind   catalog.Kind
	sample string // an event after which a run restores everything of the kind
}{
	{"PutMetricFilter", "filters", 5, catalog.LogGroups, "DeleteMetricFilter.null-parameters.json"},
	{"PutMetricAlarm", "alarms", 3, catalog.Alarms, "DeleteAlarms.all.json"},
}

// paceShare is the part of a quota that relight uses, as internal/awsio has it.
const paceShare = 0.8

// To restore every filter and every alarm takes hardly longer than AWS's quotas and
// relight's share of them ask for, and no call is throttled: alone, and with two instances of
// each function and the sweep at work at the same time.
func TestFiguresOfPace(t *testing.T) {
	for _, p := range []pace{{"alone", (*world).loseAll, 0}, {"together", (*world).loseAllTogether, stormSlack}} {
		t.Run(p.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { keptWithin(t, "pace-"+p.name, p.run(t), p.slack) })
		})
	}
}

// A pace is a loss of every filter and alarm.
type pace struct {
	name  string
	lose  func(*world, *testing.T) time.Time
	slack float64 // of the figures
}

// mostPace is how many times as long as relight's share of the quotas asks for the
// restoration may take.
const mostPace = 1.1

// loseAll deletes every filter and alarm, with one event for all of each. It returns when
// the functions got these.
func (w *world) loseAll(t *testing.T) time.Time {
	t.Helper()
	for _, filter := range ours() {
		must(w.Logs.DeleteMetricFilter(t.Context(), &cloudwatchlogs.DeleteMetricFilterInput{LogGroupName: aws.String(trailGroup), FilterName: aws.String(filter)}))
	}
	w.deleteAlarms(ours()...)
	began := time.Now()
	w.Latency, w.Drift = latency, latency/10
	var all sync.WaitGroup
	for _, p := range paced {
		time.Sleep(latency / 3) // what begins at once repeats in no order
		all.Go(func() {
			if _, err := w.instance(catalog.Function(p.kind)).HandleEvent(t.Context(), batch(events.Read(p.sample))); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	return began
}

// loseAllTogether has an attacker delete the filters one by one, and the alarms in one call.
// The events of these calls, and CloudWatch's own, come to two instances of each function while a sweep runs.
// It returns when the first ones came.
func (w *world) loseAllTogether(t *testing.T) time.Time {
	t.Helper()
	w.Latency, w.Drift = latency, latency/10
	cloud := w.cloud()
	defer cloud.Close()
	by := awstest.NewClients(w.ConfigOf(attacker))
	began := time.Now().Add(bench.EventDelay)
	var all sync.WaitGroup
	all.Go(func() {
		must(by.CloudWatch.DeleteAlarms(t.Context(), &cloudwatch.DeleteAlarmsInput{AlarmNames: ours()}))
	})
	for _, filter := range ours() {
		must(by.Logs.DeleteMetricFilter(t.Context(), &cloudwatchlogs.DeleteMetricFilterInput{LogGroupName: aws.String(trailGroup), FilterName: aws.String(filter)}))
	}
	time.Sleep(time.Until(began))
	all.Go(func() {
		if _, err := w.instance(catalog.Backfill).Sweep(t.Context(), app.Request{}, nil); err != nil {
			t.Error(err)
		}
	})
	all.Wait()
	if !cloud.Settle(time.Hour) {
		t.Error("it does not end")
	}
	return began
}

// run returns the figures of a loss of every filter and alarm.
func (s pace) run(t *testing.T) []bench.Figure {
	t.Helper()
	name := s.name
	w := healthy(t, "")
	w.PageSize(0)
	w.timed()
	w.Throttles = func(caller string) bool { return caller != attacker }
	writes, at := map[string]int{}, map[string]time.Time{}
	var mu sync.Mutex
	watch := func(c awstest.Call) {
		mu.Lock()
		defer mu.Unlock()
		if c.Err == nil && c.Caller != attacker {
			writes[c.Op]++
			at[c.Op] = time.Now()
		}
	}
	w.Watch = watch
	began := s.lose(w, t)
	w.Latency, w.Throttles, w.Watch = 0, nil, nil
	gaps := w.gaps()
	if throttled := w.Throttled(); len(gaps) > 0 || throttled.Total() > 0 {
		t.Errorf("%s: not protected %v, throttled %v", name, gaps, throttled)
	}
	figures := []bench.Figure{{Name: "pace/" + name + "/unprotected", Value: float64(len(gaps)), Unit: "controls"}}
	for _, p := range paced {
		floor := float64(len(ours())) / (p.quota * paceShare)
		took := at[p.op].Sub(began).Seconds()
		if took > mostPace*floor {
			t.Errorf("%s: %s took %.2f s, want at most %.1f times %.2f s", name, p.name, took, mostPace, floor)
		}
		figures = append(figures,
			bench.Figure{Name: "pace/" + name + "/" + p.name, Value: round(took), Unit: "s"},
			bench.Figure{Name: "pace/" + name + "/" + p.name + "-floor", Value: round(floor), Unit: "s"},
			bench.Figure{Name: "pace/" + name + "/" + p.name + "-written", Value: float64(writes[p.op]), Unit: "calls"},
			bench.Figure{Name: "pace/" + name + "/" + p.name + "-throttled", Value: float64(w.Throttled()[p.op]), Unit: "calls"},
		)
	}
	return append(figures, bench.Figure{Name: "pace/" + name + "/throttled", Value: float64(w.Throttled().Total()), Unit: "calls"})
}

// round rounds to a hundredth.
func round(v float64) float64 { return math.Round(v*100) / 100 }
