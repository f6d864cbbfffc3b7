package labtest

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

// Mute rules made through either protocol read back, are listed by the alarms
// that they mute, and report whether they mute now.
func TestMuteRules(t *testing.T) {
	const region = "eu-west-2"
	c := cloudwatch.NewFromConfig(config(region))
	put := func(name, expression, duration string, alarms ...string) error {
		_, err := c.PutAlarmMuteRule(t.Context(), &cloudwatch.PutAlarmMuteRuleInput{
			Name: &name, Description: aws.String("d"), ExpireDate: aws.Time(time.Now().Add(time.Hour)),
			Rule:        &types.Rule{Schedule: &types.Schedule{Expression: &expression, Duration: &duration}},
			MuteTargets: &types.MuteTargets{AlarmNames: alarms},
		})
		return err
	}
	must(t, put("always", "cron(* * * * *)", "PT1H", "x", "y"))
	must(t, put("later", "at(2999-01-01T00:00)", "P1D", "x"))
	cli(t, region, "cloudwatch", "put-alarm-mute-rule", "--name", "over", "--rule", "Schedule={Expression=at(2020-01-01T00:00),Duration=PT1M}",
		"--mute-targets", "AlarmNames=y")
	wantCode(t, put("never", "rate(1 minute)", "PT1H", "x"), "ValidationError")
	wantCode(t, put("never", "cron(* * * * *)", "P16D", "x"), "ValidationError")

	for name, status := range map[string]types.AlarmMuteRuleStatus{
		"always": types.AlarmMuteRuleStatusActive, "later": types.AlarmMuteRuleStatusScheduled, "over": types.AlarmMuteRuleStatusExpired,
	} {
		got, err := c.GetAlarmMuteRule(t.Context(), &cloudwatch.GetAlarmMuteRuleInput{AlarmMuteRuleName: &name})
		must(t, err)
		if got.Status != status || !strings.HasSuffix(*got.AlarmMuteRuleArn, ":alarm-mute-rule:"+name) || got.LastUpdatedTimestamp == nil || len(got.MuteTargets.AlarmNames) == 0 {
			t.Errorf("%s: %+v, want status %s", name, got, status)
		}
		viaJSON := cli(t, region, "cloudwatch", "get-alarm-mute-rule", "--alarm-mute-rule-name", name, "--query", "Status", "--output", "text")
		if viaJSON != string(status) {
			t.Errorf("%s by JSON: %s, want %s", name, viaJSON, status)
		}
	}
	for alarm, want := range map[string]int{"x": 2, "y": 2, "z": 0, "": 3} {
		var got int
		in := &cloudwatch.ListAlarmMuteRulesInput{MaxRecords: aws.Int32(1)}
		if alarm != "" {
			in.AlarmName = &alarm
		}
		for pages := cloudwatch.NewListAlarmMuteRulesPaginator(c, in); pages.HasMorePages(); {
			page, err := pages.NextPage(t.Context())
			must(t, err)
			got += len(page.AlarmMuteRuleSummaries)
		}
		if got != want {
			t.Errorf("%d rules mute %q, want %d", got, alarm, want)
		}
	}
	for range 2 { // the second deletion has no effect
		_, err := c.DeleteAlarmMuteRule(t.Context(), &cloudwatch.DeleteAlarmMuteRuleInput{AlarmMuteRuleName: aws.String("always")})
		must(t, err)
	}
	_, err := c.GetAlarmMuteRule(t.Context(), &cloudwatch.GetAlarmMuteRuleInput{AlarmMuteRuleName: aws.String("always")})
	wantCode(t, err, "ResourceNotFoundException")
}

// A muted alarm changes its state and sends no notification.
func TestMutedAlarm(t *testing.T) {
	cfg := config("eu-west-2")
	c, topics, queues := cloudwatch.NewFromConfig(cfg), sns.NewFromConfig(cfg), sqs.NewFromConfig(cfg)
	topic, err := topics.CreateTopic(t.Context(), &sns.CreateTopicInput{Name: aws.String("muted")})
	must(t, err)
	queue, err := queues.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String("muted"), Attributes: map[string]string{
		"Policy": `{"Statement":[{"Effect":"Allow","Principal":{"Service":"sns.amazonaws.com"},"Action":"sqs:SendMessage","Resource":"*"}]}`,
	}})
	must(t, err)
	_, err = topics.Subscribe(t.Context(), &sns.SubscribeInput{
		TopicArn: topic.TopicArn, Protocol: aws.String("sqs"),
		Endpoint: aws.String(strings.Replace(*topic.TopicArn, ":sns:", ":sqs:", 1)),
	})
	must(t, err)
	in := alarm("muted")
	in.AlarmActions = []string{*topic.TopicArn}
	_, err = c.PutMetricAlarm(t.Context(), in)
	must(t, err)
	notified := func() int {
		for _, state := range []types.StateValue{types.StateValueOk, types.StateValueAlarm} {
			_, err := c.SetAlarmState(t.Context(), &cloudwatch.SetAlarmStateInput{AlarmName: in.AlarmName, StateValue: state, StateReason: aws.String("r")})
			must(t, err)
		}
		got, err := queues.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: queue.QueueUrl, MaxNumberOfMessages: 10})
		must(t, err)
		return len(got.Messages)
	}
	if got := notified(); got != 1 {
		t.Fatalf("%d notifications, want 1", got)
	}
	_, err = c.PutAlarmMuteRule(t.Context(), &cloudwatch.PutAlarmMuteRuleInput{
		Name: aws.String("mute"), MuteTargets: &types.MuteTargets{AlarmNames: []string{"muted"}},
		Rule: &types.Rule{Schedule: &types.Schedule{Expression: aws.String("cron(* * * * *)"), Duration: aws.String("PT1M")}},
	})
	must(t, err)
	if got := notified(); got != 0 {
		t.Errorf("%d notifications while muted, want none", got)
	}
}

// A composite alarm reads back with what suppresses its actions.
func TestCompositeAlarm(t *testing.T) {
	c := cloudwatch.NewFromConfig(config("eu-west-2"))
	for _, name := range []string{"child", "quiet"} {
		_, err := c.PutMetricAlarm(t.Context(), alarm(name))
		must(t, err)
	}
	in := &cloudwatch.PutCompositeAlarmInput{
		AlarmName: aws.String("whole"), AlarmRule: aws.String(`ALARM("child")`), AlarmDescription: aws.String("d"), ActionsEnabled: aws.Bool(false),
		AlarmActions: []string{"arn:aws:sns:eu-west-2:111122223333:a"}, OKActions: []string{"arn:aws:sns:eu-west-2:111122223333:b"},
		InsufficientDataActions: []string{"arn:aws:sns:eu-west-2:111122223333:c"},
		ActionsSuppressor:       aws.String("quiet"), ActionsSuppressorWaitPeriod: aws.Int32(60), ActionsSuppressorExtensionPeriod: aws.Int32(120),
	}
	describe := func() types.CompositeAlarm {
		out, err := c.DescribeAlarms(t.Context(), &cloudwatch.DescribeAlarmsInput{AlarmTypes: []types.AlarmType{types.AlarmTypeCompositeAlarm}})
		must(t, err)
		if len(out.CompositeAlarms) != 1 {
			t.Fatalf("%d composite alarms, want 1", len(out.CompositeAlarms))
		}
		return out.CompositeAlarms[0]
	}
	_, err := c.PutCompositeAlarm(t.Context(), in)
	must(t, err)
	if got := describe(); aws.ToString(got.ActionsSuppressor) != "quiet" || aws.ToInt32(got.ActionsSuppressorWaitPeriod) != 60 ||
		aws.ToInt32(got.ActionsSuppressorExtensionPeriod) != 120 || *got.AlarmRule != *in.AlarmRule || *got.AlarmDescription != "d" ||
		*got.ActionsEnabled || got.AlarmActions[0] != in.AlarmActions[0] || got.OKActions[0] != in.OKActions[0] || got.InsufficientDataActions[0] != in.InsufficientDataActions[0] {
		t.Errorf("alarm %+v", got)
	}
	in.ActionsSuppressor, in.ActionsSuppressorWaitPeriod, in.ActionsSuppressorExtensionPeriod = nil, nil, nil
	_, err = c.PutCompositeAlarm(t.Context(), in)
	must(t, err)
	if got := describe(); got.ActionsSuppressor != nil {
		t.Errorf("alarm %+v kept its suppressor", got)
	}
}

// An alarm reports since when it has been in its state; an update does not
// change that time.
func TestAlarmStateTransition(t *testing.T) {
	c := cloudwatch.NewFromConfig(config("eu-west-2"))
	put := func() {
		_, err := c.PutMetricAlarm(t.Context(), alarm("transition"))
		must(t, err)
	}
	set := func(state types.StateValue) {
		_, err := c.SetAlarmState(t.Context(), &cloudwatch.SetAlarmStateInput{AlarmName: aws.String("transition"), StateValue: state, StateReason: aws.String("r")})
		must(t, err)
	}
	since := func() time.Time {
		out, err := c.DescribeAlarms(t.Context(), &cloudwatch.DescribeAlarmsInput{AlarmNames: []string{"transition"}})
		must(t, err)
		return aws.ToTime(out.MetricAlarms[0].StateTransitionedTimestamp)
	}
	put()
	first := since()
	time.Sleep(1100 * time.Millisecond) // the emulator counts in seconds
	put()
	set(types.StateValueInsufficientData)
	if got := since(); first.IsZero() || !got.Equal(first) {
		t.Errorf("in its state since %v after an update, want %v", got, first)
	}
	set(types.StateValueAlarm)
	if got := since(); !got.After(first) {
		t.Errorf("in its new state since %v, want later than %v", got, first)
	}
}
