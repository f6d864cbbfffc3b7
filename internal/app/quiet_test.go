package app_test

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cloudwatchtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logstypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
)

// encrypt creates a key and sets it on a log group.
func (w *world) encrypt(group, key string) {
	w.t.Helper()
	w.AddKey(key)
	must(w.Logs.AssociateKmsKey(w.t.Context(), &cloudwatchlogs.AssociateKmsKeyInput{LogGroupName: aws.String(group), KmsKeyId: aws.String(key)}))
}

func (w *world) putAccountPolicy(of logstypes.PolicyType, name string, selection *string) {
	w.t.Helper()
	must(w.Logs.PutAccountPolicy(w.t.Context(), &cloudwatchlogs.PutAccountPolicyInput{
		PolicyName: aws.String(name), PolicyType: of, PolicyDocument: aws.String(`{"retentionInDays":30}`), SelectionCriteria: selection,
	}))
}

func (w *world) setState(alarm, state string) {
	w.t.Helper()
	must(w.CloudWatch.SetAlarmState(w.t.Context(), &cloudwatch.SetAlarmStateInput{
		AlarmName: aws.String(alarm), StateValue: cloudwatchtypes.StateValue(state), StateReason: aws.String("test"),
	}))
}

// muteRule adds a rule that mutes alarms every night.
func (w *world) muteRule(name string, alarms ...string) {
	w.t.Helper()
	must(w.CloudWatch.PutAlarmMuteRule(w.t.Context(), &cloudwatch.PutAlarmMuteRuleInput{
		Name: aws.String(name), MuteTargets: &cloudwatchtypes.MuteTargets{AlarmNames: alarms},
		Rule: &cloudwatchtypes.Rule{Schedule: &cloudwatchtypes.Schedule{Expression: aws.String("cron(0 0 * * *)"), Duration: aws.String("PT12H")}},
	}))
}
