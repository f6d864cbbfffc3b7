package stack_test

import (
	"strings"
	"testing"

	"github.com/relight-aws/relight/internal/catalog"
)

// Without the option, the stack has nothing of it.
func TestNoAudits(t *testing.T) {
	for name, s := range defaults() {
		for id, r := range s.Resources {
			if strings.HasPrefix(strings.ToLower(id), "audit") || strings.Contains(text(r.Properties["FunctionName"]), "audit") || strings.Contains(text(r.Properties["AlarmName"]), "audit") {
				t.Errorf("%s has %s", name, id)
			}
		}
	}
}

// With it, a schedule invokes the function, and what goes wrong is seen by people: alarms
// are about audits that fail and that do not start, and the stack's dead-letter queue has
// what could not be delivered.
func TestAudits(t *testing.T) {
	s := custom()["acme"].template
	id, fn := s.function(t, "acme-audit")
	var schedule map[string]any
	for _, r := range s.of("AWS::Scheduler::Schedule") {
		if r.Properties["Description"] == catalog.AuditDescription {
			schedule = r.Properties
		}
	}
	if text(schedule["Name"]) != "acme-audit" || text(schedule["ScheduleExpression"]) != "rate(6 hours)" || schedule["StartDate"] != nil ||
		text(at(schedule, "FlexibleTimeWindow", "Mode")) != "FLEXIBLE" || at(schedule, "FlexibleTimeWindow", "MaximumWindowInMinutes") != 15.0 {
		t.Errorf("%v", schedule)
	}
	if got := text(at(schedule, "Target", "Arn")); got != arn(id) {
		t.Errorf("the schedule invokes %s, want %s", got, arn(id))
	}
	undelivered := ""
	for q, r := range s.of("AWS::SQS::Queue") {
		if r.Properties["QueueName"] == "acme-undelivered" {
			undelivered = arn(q)
		}
	}
	if got := text(at(schedule, "Target", "DeadLetterConfig", "Arn")); got != undelivered || undelivered == "" {
		t.Errorf("dead letters go to %s, want %s", got, undelivered)
	}
	role := s.Resources[strings.Trim(strings.TrimSuffix(text(at(schedule, "Target", "RoleArn")), ".Arn}"), "${}")]
	var may []string
	for _, line := range statements(t, role.Properties) {
		if strings.HasPrefix(line, "lambda:InvokeFunction on ") {
			may = append(may, line)
		}
	}
	if len(may) != 1 || !strings.Contains(may[0], ":function:acme-audit") || !strings.Contains(may[0], ":function:acme-backfill") {
		t.Errorf("the schedules' role may %q", may)
	}
	own := s.Resources[strings.TrimSuffix(strings.TrimPrefix(text(fn.Properties["Role"]), "${"), ".Arn}")]
	product := "securityhub:BatchImportFindings on arn:${AWS::Partition}:securityhub:" + home + ":${AWS::AccountId}:product/${AWS::AccountId}/default"
	writes := 0
	for _, line := range statements(t, own.Properties) {
		if line == product {
			writes++
		}
		for _, action := range strings.Split(strings.Split(line, " on ")[0], ",") {
			if _, name, _ := strings.Cut(action, ":"); !strings.HasPrefix(name, "Get") && !strings.HasPrefix(name, "Describe") && !strings.HasPrefix(name, "List") && line != product && !strings.Contains(line, "log-group:/aws/lambda/acme-audit") {
				t.Errorf("the function may %s", line)
			}
		}
	}
	if writes != 1 {
		t.Errorf("the function may not import findings: %v", statements(t, own.Properties))
	}
	alarms := map[string]map[string]any{}
	for _, r := range s.of("AWS::CloudWatch::Alarm") {
		alarms[text(r.Properties["AlarmName"])] = r.Properties
	}
	if a := alarms["acme-audit-errors"]; text(a["MetricName"]) != "Errors" || len(list(a["AlarmActions"])) != 1 {
		t.Errorf("%v", a)
	}
	if a := alarms["acme-audit-not-started"]; text(a["MetricName"]) != "Invocations" || seconds(a["Period"]) != 6*3600 || text(a["TreatMissingData"]) != "breaching" || len(list(a["AlarmActions"])) != 2 {
		t.Errorf("%v", a)
	}
}
