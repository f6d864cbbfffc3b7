package app_test

import (
	"encoding/json"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"

	"github.com/relight-aws/relight/events"
	"github.com/relight-aws/relight/internal/awsio"
)

// echoWait is how long the run of an echo waits for the run that caused it.
const echoWait = 21 * time.Second

// An echo waits longer than relight needs to create every filter and every
// alarm at the pace that AWS allows. If more controls make this test fail,
// raise echoPause.
func TestEchoOutlastsTheRepair(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := healthy(t, "")
		w.PageSize(0)
		w.pace = &awsio.Pace{}
		w.deleteGroup(home, trailGroup)
		var all []string
		for _, name := range w.Alarms(home) {
			if strings.HasPrefix(name, "relight-") {
				all = append(all, name)
			}
		}
		w.deleteAlarms(all...)
		named, _ := json.Marshal(map[string]any{"alarmNames": all})
		begin := time.Now()
		for _, event := range [][]byte{events.Read("DeleteLogGroup.trail.json"), []byte(call("aws.monitoring", "DeleteAlarms", `"requestParameters":`+string(named)))} {
			if _, errs := w.send(event, true); len(errs) > 0 {
				t.Fatal(errs)
			}
		}
		if took := time.Since(begin); took > echoWait || took < 5*time.Second { // a shorter run was not paced
			t.Errorf("%d controls took %v to restore, and an echo waits %v", len(ours()), took, echoWait)
		}
		if gaps := w.gaps(); len(gaps) > 0 {
			t.Errorf("not protected: %v", gaps)
		}
	})
}

// A run that only relight's own writes caused waits for the run that makes
// those writes. Then it restores what is still missing.
func TestEchoGivesWay(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		event  string
		healed time.Duration // when the other run completes; 0 for never
		wait   time.Duration
		writes int
		told   int // messages
	}{
		{"other run at work", "PutMetricFilter.echo.json", time.Second, 3 * time.Second, 0, 0},
		{"no other run", "PutMetricFilter.echo.json", 0, echoWait, 1, 1},
		{"not an echo", "DeleteMetricFilter.ours.json", 0, 0, 1, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := healthy(t, "")
				removed := must(w.Logs.DescribeMetricFilters(t.Context(), &cloudwatchlogs.DescribeMetricFiltersInput{
					LogGroupName: aws.String(trailGroup), FilterNamePrefix: aws.String(rootUsage),
				})).MetricFilters[0]
				must(w.Logs.DeleteMetricFilter(t.Context(), &cloudwatchlogs.DeleteMetricFilterInput{
					LogGroupName: aws.String(trailGroup), FilterName: aws.String(rootUsage),
				}))
				before, messages := len(w.Writes()), len(w.Messages())
				if tt.healed > 0 {
					before++
					go func() {
						time.Sleep(tt.healed)
						w.putFilter(trailGroup, removed)
					}()
				}
				begin := time.Now()
				if _, errs := w.send(events.Read(tt.event), true); len(errs) > 0 {
					t.Fatal(errs)
				}
				if took := time.Since(begin); took != tt.wait {
					t.Errorf("took %v, want %v", took, tt.wait)
				}
				writes, told := len(w.Writes())-before, len(w.Messages())-messages
				if writes != tt.writes || told != tt.told {
					t.Errorf("%d writes and %d messages, want %d and %d", writes, told, tt.writes, tt.told)
				}
				if gaps := w.gaps(); len(gaps) > 0 {
					t.Errorf("not protected: %v", gaps)
				}
			})
		})
	}
}

// relight drops an event from a region that the configuration does not name,
// and logs the region.
func TestUncoveredRegion(t *testing.T) {
	t.Parallel()
	w := deployed(t, "")
	w.config.Regions = nil
	before := len(w.Writes())
	if again, errs := w.send(events.Read("CreateVpc.second-region.json"), true); len(again)+len(errs) > 0 {
		t.Errorf("again %v, errors %v; want it dropped", again, errs)
	}
	if writes := w.Writes()[before:]; len(writes) > 0 {
		t.Errorf("writes %v, want none", writes)
	}
	if log := w.log.String(); !strings.Contains(log, "region eu-west-1 is not among the configured ones") {
		t.Errorf("log does not say why: %s", log)
	}
}
