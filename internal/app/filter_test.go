package app_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/google/go-cmp/cmp"

	"github.com/relight-aws/relight/events"
	"github.com/relight-aws/relight/internal/app"
)

const (
	beeper = "arn:aws:sqs:us-east-1:111122223333:beeper"

	// filtering has a subscriber that hears everything, and one that hears what is high.
	filtering = `{"subscribers":[{"protocol":"sqs","endpoint":"` + oncall + `"},{"protocol":"sqs","endpoint":"` + beeper + `","minimum":"high"}]}`

	highOnly = `{"severity":["critical","high",{"exists":false}]}`
)

// filterOf returns the filter policy of a subscription to the topic.
func (w *world) filterOf(endpoint string) string {
	w.t.Helper()
	out := must(w.SNS.GetSubscriptionAttributes(w.t.Context(), &sns.GetSubscriptionAttributesInput{SubscriptionArn: w.subscription(endpoint)}))
	return out.Attributes["FilterPolicyScope"] + " " + out.Attributes["FilterPolicy"]
}

// The filter policy of a configured subscriber is the configured one, neither weaker
// nor stricter. The first sweep sets it, and the event of each change restores it.
func TestFilterPolicyIsRestored(t *testing.T) {
	t.Parallel()
	w := healthy(t, filtering)
	if got := w.filterOf(beeper); got != "MessageAttributes "+highOnly {
		t.Fatalf("filter policy %q", got)
	}
	if got := w.filterOf(oncall); got != " " {
		t.Fatalf("the other one has the filter policy %q", got)
	}
	if s := w.sweep(app.Request{}); s.Planned > 0 || s.Findings > 0 {
		t.Fatalf("then %d planned: %+v", s.Planned, s.Reports)
	}
	healthy := w.State()
	for name, change := range map[string]func(){
		"removed":  func() { w.setSubscription(beeper, "FilterPolicy", "{}") },
		"stricter": func() { w.setSubscription(beeper, "FilterPolicy", `{"severity":["critical"]}`) },
		"weaker":   func() { w.setSubscription(beeper, "FilterPolicy", `{"severity":["info","low","high","critical"]}`) },
		"on another attribute": func() {
			w.setSubscription(beeper, "FilterPolicy", `{"actor":["nobody"]}`)
		},
		"of the body": func() {
			w.setSubscription(beeper, "FilterPolicyScope", "MessageBody")
		},
		"nested, of the body": func() {
			w.setSubscription(beeper, "FilterPolicyScope", "MessageBody")
			w.setSubscription(beeper, "FilterPolicy", `{"severity":{"none":["of these"]}}`)
		},
		"of the other one": func() { w.setSubscription(oncall, "FilterPolicy", highOnly) },
		"unsubscribed":     func() { w.unsubscribe(beeper) },
	} {
		t.Run(name, func(t *testing.T) {
			change()
			raw := events.Read("SetSubscriptionAttributes.filter-policy.json")
			if name == "unsubscribed" {
				raw = events.Read("Unsubscribe.ours.json")
			}
			if again, errs := w.send([]byte(strings.ReplaceAll(string(raw), "arn:aws:sns:us-east-1:111122223333:relight-alerts", w.topic)), true); len(again)+len(errs) > 0 {
				t.Fatal(again, errs)
			}
			if got := w.filterOf(beeper); got != "MessageAttributes "+highOnly {
				t.Errorf("filter policy %q", got)
			}
			if name == "unsubscribed" {
				return // the new subscription has an ARN of its own
			}
			if diff := cmp.Diff(healthy, w.State()); diff != "" {
				t.Errorf("(-healthy +now):\n%s", diff)
			}
		})
	}
	// The same in another form is the same.
	w.setSubscription(beeper, "FilterPolicy", `{ "severity" : [ {"exists": false}, "high", "critical" ] }`)
	if s := w.sweep(app.Request{}); s.Planned > 0 {
		t.Errorf("%d planned: %+v", s.Planned, s.Reports)
	}
}

// A sweep with filter policies makes no call more than one without.
func TestFilterPoliciesCostNoCalls(t *testing.T) {
	t.Parallel()
	calls := map[string]int{}
	for name, configuration := range map[string]string{"with": filtering, "without": strings.Replace(filtering, `,"minimum":"high"`, "", 1)} {
		w := healthy(t, configuration)
		before := w.Calls()
		w.sweep(app.Request{})
		calls[name] = w.Calls().Since(before).Total()
	}
	if calls["with"] != calls["without"] || calls["with"] == 0 {
		t.Errorf("calls %v", calls)
	}
}

// A subscriber with a filter policy hears no alarm by the topic, so every alarm also
// notifies the topic of last resort.
func TestAlarmsReachFilteredSubscribers(t *testing.T) {
	t.Parallel()
	w := deployed(t, filtering)
	w.withLastResort()
	if s := w.sweep(app.Request{}); s.Unrestored != 0 {
		t.Fatalf("first sweep left %v", unrestored(s))
	}
	out := must(w.CloudWatch.DescribeAlarms(t.Context(), &cloudwatch.DescribeAlarmsInput{AlarmNames: []string{rootUsage, "relight-iam-changes"}}))
	if len(out.MetricAlarms) == 0 {
		t.Fatal("no alarms")
	}
	for _, a := range out.MetricAlarms {
		if diff := cmp.Diff([]string{w.topic, w.last}, a.AlarmActions); diff != "" {
			t.Errorf("%s (-want +got):\n%s", aws.ToString(a.AlarmName), diff)
		}
	}
}

// A subscriber with a minimum hears what is as bad and no less, one without hears all.
// What nobody asked for is not sent, and everything critical goes to both topics.
func TestMinimumIsHeard(t *testing.T) {
	t.Parallel()
	w := deployed(t, filtering)
	w.withLastResort()
	if s := w.sweep(app.Request{}); s.Unrestored != 0 {
		t.Fatalf("first sweep left %v", unrestored(s))
	}
	for event, heard := range map[string]int{"DeleteMetricFilter.ours.json": 0, "StopLogging.name.json": 1} {
		before, all := w.Deliveries(beeper), w.Deliveries(oncall)
		harms[event].do(w)
		if again, errs := w.send(events.Read(event), true); len(again)+len(errs) > 0 {
			t.Fatal(again, errs)
		}
		if got := w.Deliveries(beeper) - before; got != heard {
			t.Errorf("%s: the one with a minimum heard %d messages, want %d", event, got, heard)
		}
		if got := w.Deliveries(oncall) - all; got == 0 {
			t.Errorf("%s: the other one heard nothing", event)
		}
	}
}
