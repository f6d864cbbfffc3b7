package e2e

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	schedulertypes "github.com/aws/aws-sdk-go-v2/service/scheduler/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/lab"
)

// A part of relight itself, as an intruder cuts it.
type part struct {
	name string
	cut  func(t *testing.T, who *lab.Session) error
	says string // what the message about it contains
}

// parts returns the parts on which the function of a kind depends.
func (s stage) parts(t *testing.T, k catalog.Kind) []part {
	t.Helper()
	function := s.name(catalog.Function(k))
	queue := s.queues(t)[catalog.Function(k)]
	rules := func(t *testing.T, who *lab.Session, do func(rule *string) error) error {
		out, err := who.Events.ListRules(t.Context(), &eventbridge.ListRulesInput{NamePrefix: aws.String(function + "-")})
		if err == nil && len(out.Rules) == 0 {
			err = errors.New("there is no rule " + function + "-*")
		}
		for _, r := range out.Rules {
			err = errors.Join(err, do(r.Name))
		}
		return err
	}
	return []part{
		{name: "rules", says: "put rule " + function + "-", cut: func(t *testing.T, who *lab.Session) error {
			return rules(t, who, func(rule *string) error {
				_, err := who.Events.DisableRule(t.Context(), &eventbridge.DisableRuleInput{Name: rule})
				return err
			})
		}},
		{name: "targets", says: "point rule " + function + "-", cut: func(t *testing.T, who *lab.Session) error {
			return rules(t, who, func(rule *string) error {
				_, err := who.Events.RemoveTargets(t.Context(), &eventbridge.RemoveTargetsInput{Rule: rule, Ids: []string{catalog.TargetID}})
				return err
			})
		}},
		{name: "mapping", says: "event source mapping of queue " + function, cut: func(t *testing.T, who *lab.Session) error {
			out, err := who.Lambda.ListEventSourceMappings(t.Context(), &lambda.ListEventSourceMappingsInput{FunctionName: &function})
			if err != nil {
				return err
			}
			for _, m := range out.EventSourceMappings {
				if _, err := who.Lambda.UpdateEventSourceMapping(t.Context(), &lambda.UpdateEventSourceMappingInput{UUID: m.UUID, Enabled: aws.Bool(false)}); err != nil {
					return err
				}
			}
			return nil
		}},
		{name: "concurrency", says: "remove reserved concurrency of function " + function, cut: func(t *testing.T, who *lab.Session) error {
			_, err := who.Lambda.PutFunctionConcurrency(t.Context(), &lambda.PutFunctionConcurrencyInput{FunctionName: &function, ReservedConcurrentExecutions: aws.Int32(0)})
			return err
		}},
		{name: "queue policy", says: "Policy of queue " + function, cut: func(t *testing.T, who *lab.Session) error {
			_, err := who.SQS.SetQueueAttributes(t.Context(), &sqs.SetQueueAttributesInput{QueueUrl: &queue, Attributes: map[string]string{
				string(sqstypes.QueueAttributeNamePolicy): `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":["sqs:SendMessage","sqs:ReceiveMessage","sqs:DeleteMessage"],"Resource":"*"}]}`,
			}})
			return err
		}},
		{name: "schedules", says: "create schedule " + s.Prefix + "-", cut: func(t *testing.T, who *lab.Session) error {
			for _, name := range s.schedules(t) {
				if _, err := who.Scheduler.DeleteSchedule(t.Context(), &scheduler.DeleteScheduleInput{Name: aws.String(name)}); err != nil {
					return err
				}
			}
			return nil
		}},
		{name: "alarms", says: s.Prefix + "-sweep-not-", cut: func(t *testing.T, who *lab.Session) error {
			_, err := who.CloudWatch.DisableAlarmActions(t.Context(), &cloudwatch.DisableAlarmActionsInput{AlarmNames: s.ownAlarms(t)})
			return err
		}},
		// Not the guard's own: its role may create log groups, so Lambda creates that one
		// again with the next invocation.
		{name: "log group", says: s.logs(t, catalog.Function(catalog.Alarms)), cut: func(t *testing.T, who *lab.Session) error {
			_, err := who.Logs.DeleteLogGroup(t.Context(), &cloudwatchlogs.DeleteLogGroupInput{LogGroupName: aws.String(s.logs(t, catalog.Function(catalog.Alarms)))})
			return err
		}},
	}
}

// TestGuardCuts cuts each part of relight that the guard depends on, alone and each two
// together, and then attacks. A path that was not cut notices it: relight restores
// everything, and says so. If no event did it, a sweep does, provided that one of its
// schedules still runs.
func TestGuardCuts(t *testing.T) {
	s := shared
	s.drain(t)
	want := s.snapshot(t)
	var table strings.Builder
	parts := s.parts(t, catalog.Guard)
	for i, first := range parts {
		for _, second := range parts[i:] {
			cuts := []part{first, second}
			if first.name == second.name {
				cuts = cuts[:1]
			}
			name := first.name
			if len(cuts) == 2 {
				name += " and " + second.name
			}
			t.Run(name, func(t *testing.T) {
				by, took := s.cutAndAttack(t, want, cuts)
				fmt.Fprintf(&table, "| %s | %s | %.1f s |\n", name, by, took.Seconds())
			})
		}
	}
	t.Logf("what undid or reported which cuts:\n%s", &table)
}

// cutAndAttack cuts the parts, attacks, and waits until relight has restored
// everything. It returns what made it do so, and how long it took.
func (s stage) cutAndAttack(t *testing.T, want lab.Snapshot, cuts []part) (by string, took time.Duration) {
	t.Helper()
	s.drain(t)
	if _, err := s.Customer.Mail(t.Context(), s.Cloud.Root()); err != nil {
		t.Fatal(err)
	}
	intruder := s.Customer.Intruder.In(lab.Region)
	// A process that had the guard checked already does so again only in the next
	// interval.
	if err := s.Cloud.Emulator.Cold(t.Context()); err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	for _, c := range cuts {
		if err := c.cut(t, intruder); err != nil {
			t.Fatal(err)
		}
	}
	attack("logs DeleteMetricFilter, one")(t, intruder)
	var mail strings.Builder
	left := func(most time.Duration) (missing []string) {
		for end := time.Now().Add(most); ; time.Sleep(200 * time.Millisecond) {
			messages, err := s.Customer.Mail(t.Context(), s.Cloud.Root())
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range messages {
				mail.WriteString(m.Raw)
			}
			missing = nil
			for _, c := range cuts {
				if !strings.Contains(mail.String(), c.says) {
					missing = append(missing, "a message that says "+c.says)
				}
			}
			if len(missing) == 0 {
				if missing = s.snapshot(t).Diff(want); len(missing) == 0 {
					return nil
				}
			}
			if time.Now().After(end) {
				return missing
			}
		}
	}
	missing := left(10 * time.Second)
	by = "an event"
	if len(missing) > 0 && s.scheduled(t) {
		by = "the next sweep"
		s.invoke(t, catalog.Backfill, map[string]any{"mode": catalog.Repair})
		missing = left(10 * time.Second)
	}
	if len(missing) > 0 {
		t.Errorf("missing after %s: %v\nmessages: %s", by, missing, mail.String())
		by = "nothing"
		s.invoke(t, catalog.Backfill, map[string]any{}) // for the next cuts
	}
	return by, time.Since(begin)
}

// scheduled reports whether a schedule of the sweep runs.
func (s stage) scheduled(t *testing.T) bool {
	t.Helper()
	out, err := s.root.Scheduler.ListSchedules(t.Context(), &scheduler.ListSchedulesInput{NamePrefix: aws.String(s.Prefix + "-")})
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range out.Schedules {
		if one.State == schedulertypes.ScheduleStateEnabled && aws.ToString(one.Name) != s.name(catalog.Auditor) {
			return true
		}
	}
	return false
}
