package e2e

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	ebtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	schedulertypes "github.com/aws/aws-sdk-go-v2/service/scheduler/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/lab"
)

// ways are the two ways from relight to people: its two topics, and the default bus.
type ways struct {
	topic, key, last string // ARNs
	events           string // URL of the queue of an owner's own rule
}

// ways returns the ways to people. An owner's own rule carries relight's events
// to a queue until the test ends.
func (s stage) ways(t *testing.T) ways {
	t.Helper()
	config, err := s.root.Lambda.GetFunctionConfiguration(t.Context(), &lambda.GetFunctionConfigurationInput{FunctionName: aws.String(s.name("topics"))})
	if err != nil {
		t.Fatal(err)
	}
	env := config.Environment.Variables
	const name = lab.Mailbox + "-events"
	made, err := s.root.SQS.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String(name), Attributes: map[string]string{
		"Policy": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"events.amazonaws.com"},"Action":"sqs:SendMessage","Resource":"*"}]}`,
	}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.root.Events.PutRule(t.Context(), &eventbridge.PutRuleInput{Name: aws.String(name), EventPattern: aws.String(`{"source":["relight"]}`)}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.root.Events.PutTargets(t.Context(), &eventbridge.PutTargetsInput{Rule: aws.String(name), Targets: []ebtypes.Target{
		{Id: aws.String("queue"), Arn: aws.String("arn:aws:sqs:" + lab.Region + ":" + lab.Account + ":" + name)},
	}}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		bg, root := context.WithoutCancel(t.Context()), s.root
		if _, err := root.Events.RemoveTargets(bg, &eventbridge.RemoveTargetsInput{Rule: aws.String(name), Ids: []string{"queue"}}); err != nil {
			t.Error(err)
		}
		if _, err := root.Events.DeleteRule(bg, &eventbridge.DeleteRuleInput{Name: aws.String(name)}); err != nil {
			t.Error(err)
		}
		if _, err := root.SQS.DeleteQueue(bg, &sqs.DeleteQueueInput{QueueUrl: made.QueueUrl}); err != nil {
			t.Error(err)
		}
	})
	return ways{topic: env[catalog.EnvTopic], key: env[catalog.EnvTopicKey], last: env[catalog.EnvLastResort], events: aws.ToString(made.QueueUrl)}
}

// carried removes the messages from the mailbox and from the queue of events, and
// adds their texts to those of each way.
func (s stage) carried(t *testing.T, w ways, texts map[string]string) {
	t.Helper()
	mail, err := s.Customer.Mail(t.Context(), s.Cloud.Root())
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range mail {
		texts[m.Topic] += m.Message + "\n"
		if d := m.Document; d.Severity != "" && (m.Attributes["severity"].Value != d.Severity || m.Attributes["outcome"].Value != d.Outcome) {
			t.Errorf("the document says %s, %s, and the attributes %v", d.Severity, d.Outcome, m.Attributes)
		}
	}
	for _, body := range s.receiveAll(t, w.events) {
		var e struct{ Detail struct{ Text string } }
		if err := json.Unmarshal([]byte(body), &e); err != nil {
			t.Fatal(err)
		}
		texts[w.events] += e.Detail.Text + "\n"
	}
}

// TestSecondWayOut cuts the first way to people and then deletes a metric filter. The topic
// of last resort says so, or who cut the first way, and so does the default bus.
// A kind that is deaf does not restore what was cut, so that the first way stays cut.
func TestSecondWayOut(t *testing.T) {
	s := shared
	w := s.ways(t)
	intruder := s.Customer.Intruder.In(lab.Region)
	set := func(name, value string) error {
		_, err := intruder.SNS.SetTopicAttributes(t.Context(), &sns.SetTopicAttributesInput{TopicArn: aws.String(w.topic), AttributeName: aws.String(name), AttributeValue: aws.String(value)})
		return err
	}
	const attacked = "What: DeleteMetricFilter"
	refused := "The topic " + w.topic + " refused this message: "
	for _, tt := range []struct {
		name string
		deaf []catalog.Kind
		cut  func(t *testing.T) error
		last string // what the topic of last resort says
	}{
		{"denied", []catalog.Kind{catalog.Topics}, func(*testing.T) error {
			return set("Policy", `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"sns:Publish","Resource":"`+w.topic+`"}]}`)
		}, refused},
		{"key disabled", []catalog.Kind{catalog.Topics}, func(t *testing.T) error {
			_, err := intruder.KMS.DisableKey(t.Context(), &kms.DisableKeyInput{KeyId: aws.String(w.key)})
			return err
		}, refused},
		{"subscribers gone", nil, func(t *testing.T) error {
			all, err := intruder.SNS.ListSubscriptionsByTopic(t.Context(), &sns.ListSubscriptionsByTopicInput{TopicArn: aws.String(w.topic)})
			if err != nil {
				return err
			}
			for _, sub := range all.Subscriptions {
				if _, err := intruder.SNS.Unsubscribe(t.Context(), &sns.UnsubscribeInput{SubscriptionArn: sub.SubscriptionArn}); err != nil {
					return err
				}
			}
			return nil
		}, "What: Unsubscribe"},
		{"alarms muted", nil, func(t *testing.T) error {
			_, err := intruder.CloudWatch.DisableAlarmActions(t.Context(), &cloudwatch.DisableAlarmActionsInput{AlarmNames: s.ownAlarms(t)})
			return err
		}, "What: DisableAlarmActions"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s.drain(t)
			want := s.snapshot(t)
			texts := map[string]string{}
			s.carried(t, w, texts)
			clear(texts)
			if len(tt.deaf) > 0 {
				s.listening(t, false, tt.deaf...)
			}
			if err := tt.cut(t); err != nil {
				t.Fatal(err)
			}
			attack("logs DeleteMetricFilter, one")(t, intruder)
			for end := time.Now().Add(time.Minute); !strings.Contains(texts[w.last], tt.last) || !strings.Contains(texts[w.events], attacked); {
				if time.Now().After(end) {
					t.Errorf("the topic of last resort says %q, the bus %q; want %q and %q", texts[w.last], texts[w.events], tt.last, attacked)
					break
				}
				time.Sleep(100 * time.Millisecond)
				s.carried(t, w, texts)
			}
			if len(tt.deaf) > 0 {
				if texts[w.topic] != "" || !strings.Contains(texts[w.last], attacked) {
					t.Errorf("the topic says %q, and that of last resort %q", texts[w.topic], texts[w.last])
				}
				s.listening(t, true, tt.deaf...)
			}
			s.restored(t, want)
		})
	}
}

// TestDeadMan cuts both ways to people and every schedule while no function receives
// an event, so that nothing of relight runs. The dead man's alarms ring after two
// intervals, which are shortened to ten seconds.
func TestDeadMan(t *testing.T) {
	s := shared
	w := s.ways(t)
	s.drain(t)
	want := s.snapshot(t)
	intruder := s.Customer.Intruder.In(lab.Region)
	var alarms []string
	for _, a := range (catalog.Baseline{Prefix: s.Prefix}).AlarmsOfStack(catalog.Kinds(), 0) {
		if a.Missing == "breaching" {
			alarms = append(alarms, s.Prefix+"-"+a.ID)
		}
	}
	s.listening(t, false)
	defer s.listening(t, true) // also if the test fails
	for _, name := range s.schedules(t) {
		was, err := intruder.Scheduler.GetSchedule(t.Context(), &scheduler.GetScheduleInput{Name: aws.String(name)})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := intruder.Scheduler.UpdateSchedule(t.Context(), &scheduler.UpdateScheduleInput{
			Name: was.Name, ScheduleExpression: was.ScheduleExpression, FlexibleTimeWindow: was.FlexibleTimeWindow, Target: was.Target,
			Description: was.Description, State: schedulertypes.ScheduleStateDisabled,
		}); err != nil {
			t.Fatal(err)
		}
	}
	for _, topic := range []string{w.topic, w.last} {
		if _, err := intruder.SNS.DeleteTopic(t.Context(), &sns.DeleteTopicInput{TopicArn: aws.String(topic)}); err != nil {
			t.Fatal(err)
		}
	}
	for _, a := range s.describe(t, alarms) {
		if !slices.Contains(a.AlarmActions, w.topic) || !slices.Contains(a.AlarmActions, w.last) || a.StateValue == cwtypes.StateValueAlarm {
			t.Errorf("%s is %s and notifies %v; want both topics, and no alarm yet", *a.AlarmName, a.StateValue, a.AlarmActions)
		}
		if _, err := s.root.CloudWatch.PutMetricAlarm(t.Context(), &cloudwatch.PutMetricAlarmInput{
			AlarmName: a.AlarmName, AlarmDescription: a.AlarmDescription, Namespace: a.Namespace, MetricName: a.MetricName, Dimensions: a.Dimensions,
			Statistic: a.Statistic, EvaluationPeriods: a.EvaluationPeriods, DatapointsToAlarm: a.DatapointsToAlarm, Threshold: a.Threshold,
			ComparisonOperator: a.ComparisonOperator, TreatMissingData: a.TreatMissingData, AlarmActions: a.AlarmActions, ActionsEnabled: a.ActionsEnabled,
			Period: aws.Int32(10), // the interval
		}); err != nil {
			t.Fatal(err)
		}
	}
	begin := time.Now()
	s.until(t, 30*time.Second, alarms, cwtypes.StateValueAlarm)
	t.Logf("the alarms rang after %.0f s", time.Since(begin).Seconds())

	s.listening(t, true)
	s.restored(t, want)
	s.invoke(t, catalog.Backfill, map[string]any{})
	s.until(t, 30*time.Second, alarms, cwtypes.StateValueOk)
}

// until waits until alarms have a state.
func (s stage) until(t *testing.T, most time.Duration, alarms []string, state cwtypes.StateValue) {
	t.Helper()
	if len(alarms) != 2 {
		t.Fatalf("alarms %v, want two", alarms)
	}
	for end := time.Now().Add(most); ; time.Sleep(time.Second) {
		all := s.describe(t, alarms)
		is := func(a cwtypes.MetricAlarm) bool { return a.StateValue == state }
		if len(all) == len(alarms) && !slices.ContainsFunc(all, func(a cwtypes.MetricAlarm) bool { return !is(a) }) {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("after %s, not all of %v are %s: %+v", most, alarms, state, all)
		}
	}
}

// ownAlarms returns the names of the alarms on relight itself.
func (s stage) ownAlarms(t *testing.T) (names []string) {
	t.Helper()
	for _, a := range (catalog.Baseline{Prefix: s.Prefix}).AlarmsOfStack(catalog.Kinds(), 0) {
		names = append(names, s.Prefix+"-"+a.ID)
	}
	return names
}

func (s stage) describe(t *testing.T, names []string) []cwtypes.MetricAlarm {
	t.Helper()
	out, err := s.root.CloudWatch.DescribeAlarms(t.Context(), &cloudwatch.DescribeAlarmsInput{AlarmNames: names})
	if err != nil {
		t.Fatal(err)
	}
	return out.MetricAlarms
}

// schedules returns the names of relight's schedules: both of the sweep, and that of
// the digest.
func (s stage) schedules(t *testing.T) (names []string) {
	t.Helper()
	out, err := s.root.Scheduler.ListSchedules(t.Context(), &scheduler.ListSchedulesInput{NamePrefix: aws.String(s.Prefix + "-")})
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range out.Schedules {
		if name := aws.ToString(one.Name); name != s.name(catalog.Auditor) { // which the guard leaves to an alarm
			names = append(names, name)
		}
	}
	if len(names) != 3 {
		t.Fatalf("schedules %v, want three", names)
	}
	return names
}

func (s stage) snapshot(t *testing.T) lab.Snapshot {
	t.Helper()
	snap, err := s.Customer.Snapshot(t.Context(), s.Cloud.Root())
	if err != nil {
		t.Fatal(err)
	}
	return snap
}

// restored waits until the account is as it was, with the subscriptions that their
// owners have to confirm.
func (s stage) restored(t *testing.T, want lab.Snapshot) {
	t.Helper()
	for end := time.Now().Add(40 * time.Second); ; time.Sleep(250 * time.Millisecond) {
		if err := s.Cloud.ConfirmSubscriptions(t.Context()); err != nil {
			t.Fatal(err)
		}
		diff := s.snapshot(t).Diff(want)
		if len(diff) == 0 {
			return
		}
		if time.Now().After(end) {
			t.Errorf("left behind: %v", diff)
			return
		}
	}
}
