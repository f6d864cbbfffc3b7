package e2e

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/lab"
	"github.com/relight-aws/relight/internal/lab/tap"
)

// TestBudgets limits the number of AWS calls in one run for one event; the tap
// counts them. The event source mappings are off meanwhile, and the test hands
// each function the event that the attack raised, so that no other run is in
// progress. The notification about a repair follows the run and does not count.
func TestBudgets(t *testing.T) {
	s := shared
	s.drain(t)
	s.listening(t, false)
	defer s.listening(t, true)
	defer s.purge(t)

	controls := len(catalog.Controls())
	tests := []struct {
		name     string
		attack   func(*testing.T, *lab.Session)
		event    string
		function catalog.Function
		calls    int // at most
		heals    bool
	}{
		{"a VPC", attack("ec2 CreateVpc"), "CreateVpc", "flowlogs", 7, true},
		{"one alarm", attack("monitoring DeleteAlarms, one"), "DeleteAlarms", "alarms", 3, true},
		{"all alarms", attack("monitoring DeleteAlarms, all in one call"), "DeleteAlarms", "alarms", controls + 2, true},
		{"the trail's log group", attack("logs DeleteLogGroup, the trail's"), "DeleteLogGroup", "loggroups", controls + 9, true},
		{"somebody's log group", deleteForeignGroup, "DeleteLogGroup", "loggroups", 1, false},
		{"somebody's log group, flow logs", deleteForeignGroup, "DeleteLogGroup", "flowlogs", 1, false},
		{"somebody's alarm", deleteForeignAlarm, "DeleteAlarms", "alarms", 1, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			begin := time.Now()
			tt.attack(t, s.Customer.Intruder.In(lab.Region))
			event := s.lastRaised(t, tt.event, begin)
			since := time.Now()
			s.invoke(t, tt.function, event)
			calls, published := s.calls(t, tt.function, since)
			if n := tap.Invocations(calls); n > tt.calls {
				t.Errorf("%d calls, want at most %d: %s", n, tt.calls, names(calls))
			}
			if writes := len(writesOf(calls)); tt.heals != (writes > 0) {
				t.Errorf("%d writes, want some: %t: %s", writes, tt.heals, names(calls))
			}
			if tt.heals != (published == 1) || published > 1 {
				t.Errorf("%d messages, want one: %t", published, tt.heals)
			}
			t.Logf("%d calls: %s", tap.Invocations(calls), names(calls))
		})
	}
	t.Run("an echo", func(t *testing.T) {
		for _, f := range []catalog.Function{"loggroups", "alarms"} {
			since := time.Now()
			s.invoke(t, f, s.ownEvent(t, f))
			if calls, published := s.calls(t, f, since); len(writesOf(calls)) > 0 || published > 0 {
				t.Errorf("%s answered its own event with %s", f, names(writesOf(calls)))
			}
		}
	})
	t.Run("backfill", func(t *testing.T) {
		attack("ec2 DeleteFlowLogs, one")(t, s.Customer.Intruder.In(lab.Region))
		since := time.Now()
		s.invoke(t, catalog.Backfill, map[string]any{"kinds": []string{"flowlogs"}, "regions": []string{lab.Region}})
		counts := map[string]int{}
		calls, _ := s.calls(t, catalog.Backfill, since)
		for _, c := range calls {
			counts[c.Operation]++
		}
		if counts["CreateFlowLogs"] != 1 || counts["DescribeVpcs"] != 1 || counts["DescribeFlowLogs"] != 2 {
			t.Errorf("%v; want one CreateFlowLogs, VPCs read once and flow logs twice", counts)
		}
	})
	broken, err := s.Verify(t.Context())
	if err != nil || len(broken) > 0 {
		t.Errorf("left broken: %v, %v", broken, err)
	}
}

// attack returns a function that carries out one of the demo's attacks.
func attack(name string) func(*testing.T, *lab.Session) {
	return func(t *testing.T, intruder *lab.Session) {
		t.Helper()
		for _, at := range append(lab.Attacks(), lab.Variants()...) {
			if at.Name == name && at.Region == intruder.Region {
				if err := at.CarryOut(t.Context(), intruder, shared.Target(intruder.Region)); err != nil {
					t.Fatal(err)
				}
				return
			}
		}
		t.Fatalf("there is no attack %q", name)
	}
}

func deleteForeignGroup(t *testing.T, s *lab.Session) {
	t.Helper()
	name := aws.String("/checkout/requests")
	if _, err := s.Logs.CreateLogGroup(t.Context(), &cloudwatchlogs.CreateLogGroupInput{LogGroupName: name}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Logs.DeleteLogGroup(t.Context(), &cloudwatchlogs.DeleteLogGroupInput{LogGroupName: name}); err != nil {
		t.Fatal(err)
	}
}

func deleteForeignAlarm(t *testing.T, s *lab.Session) {
	t.Helper()
	name := "checkout-latency"
	if _, err := s.CloudWatch.PutMetricAlarm(t.Context(), &cloudwatch.PutMetricAlarmInput{
		AlarmName: &name, Namespace: aws.String("checkout"), MetricName: aws.String("latency"), Statistic: cwtypes.StatisticAverage,
		Period: aws.Int32(60), EvaluationPeriods: aws.Int32(1), Threshold: aws.Float64(2),
		ComparisonOperator: cwtypes.ComparisonOperatorGreaterThanThreshold,
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.CloudWatch.DeleteAlarms(t.Context(), &cloudwatch.DeleteAlarmsInput{AlarmNames: []string{name}}); err != nil {
		t.Fatal(err)
	}
}

// lastRaised returns the last event with a name since a time, once it is on its
// bus.
func (s stage) lastRaised(t *testing.T, name string, since time.Time) tap.Event {
	t.Helper()
	return s.findEvent(t, func(eventName, _ string, e tap.Event) bool {
		return eventName == name && !e.Time.Before(since.Truncate(time.Second))
	})
}

// ownEvent returns an event that one of the function's own writes raised.
func (s stage) ownEvent(t *testing.T, f catalog.Function) tap.Event {
	t.Helper()
	role := s.role(t, f)
	return s.findEvent(t, func(_, issuer string, _ tap.Event) bool { return issuer == role })
}

func (s stage) findEvent(t *testing.T, accept func(eventName, issuer string, e tap.Event) bool) tap.Event {
	t.Helper()
	if err := s.Cloud.Tap.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	var found *tap.Event
	for _, e := range s.Cloud.Tap.Events() {
		var detail struct {
			EventName    string
			UserIdentity struct {
				SessionContext struct{ SessionIssuer struct{ ARN string } }
			}
		}
		if json.Unmarshal(e.Detail, &detail) == nil && accept(detail.EventName, detail.UserIdentity.SessionContext.SessionIssuer.ARN, e) {
			found = &e
		}
	}
	if found == nil {
		t.Fatal("no such event was raised")
	}
	return *found
}
