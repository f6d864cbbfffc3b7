package stack_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/config"
)

// The alarms of the home stack are those that relight restores, with the names and
// queues that its functions learn from their environment.
func TestStackAlarms(t *testing.T) {
	for _, tt := range []struct {
		app    app
		config string
		home   string
	}{
		{defaults(), `{}`, "relight"},
		{custom(), `{"prefix": "acme", "sweepMinutes": 30, "modes": {"alarms": "off"}, "audit": {"securityHub": {"hours": 6}}}`, "acme"},
	} {
		c, err := config.Parse([]byte(tt.config))
		if err != nil {
			t.Fatal(err)
		}
		s := tt.app[tt.home]
		var queues string
		for id, fn := range s.of("AWS::Lambda::Function") {
			names := text(at(fn.Properties, "Environment", "Variables", catalog.EnvDeadLetters))
			if queues != "" && names != queues {
				t.Errorf("%s: %s has the queues %s, another function %s", tt.home, id, names, queues)
			}
			queues = names
		}
		want := c.Desired(catalog.Deployment{Topic: "t", DeadLetters: config.DeadLetters(queues)})
		if len(want.OwnAlarms()) != len(want.StackAlarms) {
			t.Errorf("%s: the functions do not learn every queue from %s", tt.home, queues)
		}
		checkAlarms(t, tt.home, s.template, want)
	}
}

// The alarm of each forwarder is the one that relight restores there, and an output
// says which topic it notifies.
func TestForwarderAlarms(t *testing.T) {
	for name, s := range defaults() {
		if s.region == home {
			continue
		}
		want := catalog.Desired{Baseline: catalog.Baseline{Prefix: "relight", Regions: []string{s.region}}, Deployment: catalog.Deployment{HomeRegion: home}}
		checkAlarms(t, name, s.template, want.OfForwarder(s.region, "t"))
		for id, a := range s.of("AWS::CloudWatch::Alarm") {
			if got, topic := text(at(a.Properties, "AlarmActions", 0)), text(at(s.Outputs[catalog.OutputTopic], "Value")); got != topic || topic == "" {
				t.Errorf("%s: %s notifies %s, and the output is %s", name, id, got, topic)
			}
		}
	}
}

// checkAlarms compares the alarms of a stack with those that relight restores.
func checkAlarms(t *testing.T, stack string, s template, want catalog.Desired) {
	t.Helper()
	queueName := func(v any) string {
		for id, q := range s.of("AWS::SQS::Queue") {
			if name := text(q.Properties["QueueName"]); text(v) == "${"+id+".QueueName}" && name == want.DeadLetters[catalog.Undelivered] {
				return name
			}
		}
		return text(v)
	}
	rows := map[string]catalog.StackAlarm{}
	for _, row := range want.OwnAlarms() {
		row.OfQueue, row.Both = false, false
		rows[want.Name(row.ID)] = row
	}
	made := map[string]catalog.StackAlarm{}
	for _, r := range s.of("AWS::CloudWatch::Alarm") {
		p := r.Properties
		name := text(p["AlarmName"])
		row := catalog.StackAlarm{
			ID: strings.TrimPrefix(name, want.Name("")), Namespace: text(p["Namespace"]), Metric: text(p["MetricName"]), Statistic: text(p["Statistic"]),
			Period: int32(seconds(p["Period"])), Periods: int32(seconds(p["EvaluationPeriods"])), Comparison: text(p["ComparisonOperator"]),
			Threshold: seconds(p["Threshold"]), Missing: text(p["TreatMissingData"]), Description: text(p["AlarmDescription"]),
		}
		for _, d := range list(p["Dimensions"]) {
			if row.Dimensions == nil {
				row.Dimensions = map[string]string{}
			}
			row.Dimensions[text(at(d, "Name"))] = queueName(at(d, "Value"))
		}
		made[name] = row
	}
	if diff := cmp.Diff(rows, made); diff != "" {
		t.Errorf("%s (-table +template):\n%s", stack, diff)
	}
}

// CloudFormation deletes what could restore an alarm before the alarms.
func TestStackAlarmsGoLast(t *testing.T) {
	s := defaults()["relight"]
	alarms := slices.Sorted(maps.Keys(s.of("AWS::CloudWatch::Alarm")))
	waits := func(id string) bool {
		after := s.Resources[id].DependsOn
		return !slices.ContainsFunc(alarms, func(a string) bool { return !slices.Contains(after, a) })
	}
	restorers := 0
	for id, m := range s.of("AWS::Lambda::EventSourceMapping") {
		if strings.Contains(text(m.Properties["FunctionName"]), "alarms") {
			if restorers++; !waits(id) {
				t.Errorf("%s depends on %v, want every alarm", id, s.Resources[id].DependsOn)
			}
		}
	}
	for id := range s.of("AWS::Scheduler::Schedule") {
		if restorers++; !waits(id) {
			t.Errorf("%s depends on %v, want every alarm", id, s.Resources[id].DependsOn)
		}
	}
	if restorers < 2 {
		t.Errorf("%d restorers, want the mapping of the alarms and the schedules", restorers)
	}
}
