package lab

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	cloudtrailtypes "github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"golang.org/x/sync/errgroup"
)

const (
	goSDK  = "Go SDK"
	awsCLI = "aws CLI"
)

// Attacks returns the demo's attacks: every watched call at least once, and
// mixed ones beside them.
func Attacks() []Attack {
	return slices.Concat([]Attack{
		heals("ec2 CreateVpc", goSDK, Region, createVPCs(1)),
		heals("ec2 CreateVpc", awsCLI, Region, cliCreateVPC),
		heals("ec2 CreateVpc", goSDK, SecondRegion, createVPCs(1)),
		heals("ec2 CreateVpc, ten at once", goSDK, Region, createVPCs(10)),
		heals("ec2 CreateDefaultVpc", awsCLI, Region, createDefaultVPC),
		{Name: "ec2 DeleteVpc, the end of a recorded teardown", Client: goSDK, Region: Region, Do: teardown, Harmless: true},
		heals("ec2 DeleteFlowLogs, one", goSDK, Region, deleteFlowLogs(1)),
		heals("ec2 DeleteFlowLogs, all", goSDK, SecondRegion, deleteFlowLogs(0)),
		heals("logs DeleteLogGroup, the flow logs'", goSDK, Region, deleteGroups(flowLogGroup)),
		heals("logs DeleteLogGroup, the trail's", goSDK, Region, deleteGroups(trailGroup)),
		heals("logs DeleteLogGroup and CreateLogGroup, kept a day", goSDK, Region, replaceLogGroup),
		heals("logs PutRetentionPolicy, a day", goSDK, Region, shortenRetention(trailGroup)),
		heals("logs PutRetentionPolicy, a day, flow logs'", goSDK, SecondRegion, shortenRetention(flowLogGroup)),
		heals("logs PutLogGroupDeletionProtection, off, flow logs'", awsCLI, Region, cliUnprotect(flowLogGroup)),
		reports("logs AssociateKmsKey, another account's", goSDK, Region, takeKey, dropKey),
		reports("logs DisassociateKmsKey, the trail's", awsCLI, Region, cliDropKey, nil),
		reports("logs DeleteLogStream, the trail's", goSDK, Region, deleteStream, nil),
		reports("logs DeleteSubscriptionFilter, the trail's", goSDK, Region, deleteFeed, nil),
		reports("logs PutDataProtectionPolicy, the trail's", goSDK, Region, mask, unmask),
		reports("logs PutTransformer, the trail's", goSDK, Region, transform, untransform),
		reports("logs PutAccountPolicy, masking everything", goSDK, Region, maskAll, unmaskAll),
		heals("logs DeleteMetricFilter, one", awsCLI, Region, cliDeleteFilter("root-usage")),
		heals("logs PutMetricFilter, another pattern", goSDK, Region, putFilter("iam-changes", func(in *cloudwatchlogs.PutMetricFilterInput) {
			in.FilterPattern = aws.String("{ $.eventName = NoSuchCall }")
		})),
		heals("logs PutMetricFilter, a field selection", goSDK, Region, putFilter("vpc-changes", func(in *cloudwatchlogs.PutMetricFilterInput) {
			in.FieldSelectionCriteria = aws.String(`@aws.region = "xx-none-1"`)
		})),
		heals("logs PutMetricFilter, counting nothing", goSDK, Region, putFilter("nacl-changes", func(in *cloudwatchlogs.PutMetricFilterInput) {
			in.MetricTransformations[0].MetricValue = aws.String("0")
		})),
		heals("sns DeleteTopic", goSDK, Region, deleteTopic),
		heals("sns SetTopicAttributes, a policy without alarms", goSDK, Region, shutTopic),
		{Name: "sns SetTopicAttributes, no key", Client: awsCLI, Region: Region, Do: cliTopicKey, Harmless: true}, // messages arrive all the same
		// The outside check looks at no keys, the snapshots do.
		{Name: "kms DisableKey, the topic's", Client: awsCLI, Region: Region, Do: onTopicKey("disable-key"), Harmless: true},
		{Name: "kms ScheduleKeyDeletion, the topic's", Client: awsCLI, Region: Region, Do: onTopicKey("schedule-key-deletion", "--pending-window-in-days", "7"), Harmless: true},
		heals("sns RemovePermission, the alarms'", awsCLI, Region, cliRemovePermission),
		heals("sns Unsubscribe, the queue", goSDK, Region, unsubscribe("sqs")),
		heals("sns Unsubscribe, the mail", goSDK, Region, unsubscribe("email")),
		heals("sns SetSubscriptionAttributes, a filter policy", awsCLI, Region, cliFilterPolicy),
		heals("monitoring DeleteAlarms, one", awsCLI, Region, cliAlarms("delete-alarms", "root-usage")),
		heals("monitoring DeleteAlarms, all in one call", goSDK, Region, deleteAllAlarms),
		heals("monitoring DisableAlarmActions, one", awsCLI, Region, cliAlarms("disable-alarm-actions", "cloudtrail-changes")),
		heals("monitoring DisableAlarmActions, all", goSDK, Region, disableAllAlarms),
		heals("monitoring PutMetricAlarm, a threshold of 1000", goSDK, Region, putAlarm("config-changes", func(in *cloudwatch.PutMetricAlarmInput) {
			in.Threshold = aws.Float64(1000)
		})),
		heals("monitoring PutMetricAlarm, a dimension", goSDK, Region, putAlarm("network-gateway-changes", func(in *cloudwatch.PutMetricAlarmInput) {
			in.Dimensions = []cwtypes.Dimension{{Name: aws.String("LogGroupName"), Value: aws.String("trail")}}
		})),
		heals("monitoring PutMetricAlarm, telling nobody", goSDK, Region, putAlarm("s3-bucket-policy-changes", func(in *cloudwatch.PutMetricAlarmInput) {
			in.AlarmActions = nil
		})),
		heals("cloudtrail StopLogging", awsCLI, Region, stopLogging),
		heals("cloudtrail UpdateTrail, stripped", goSDK, Region, updateTrail(&cloudtrail.UpdateTrailInput{
			IsMultiRegionTrail: aws.Bool(false), IncludeGlobalServiceEvents: aws.Bool(false), EnableLogFileValidation: aws.Bool(false),
			CloudWatchLogsLogGroupArn: aws.String(""), CloudWatchLogsRoleArn: aws.String(""),
		})),
		reports("cloudtrail UpdateTrail, to another bucket", goSDK, Region, anotherBucket, ownBucket),
		heals("cloudtrail DeleteTrail", awsCLI, Region, deleteTrail),
		heals("cloudtrail DeleteTrail, pointed at another bucket before", goSDK, Region, redirectAndDelete),
		heals("cloudtrail PutEventSelectors, only reads, and none of KMS", goSDK, Region, putSelectors(cloudtrailtypes.EventSelector{
			ReadWriteType: cloudtrailtypes.ReadWriteTypeReadOnly, ExcludeManagementEventSources: []string{"kms.amazonaws.com"},
		})),
		heals("cloudtrail PutEventSelectors, no management events", goSDK, Region, unmanaged),
		heals("iam DeleteRole, with its policies", goSDK, Region, deleteRole),
		heals("iam DeleteRolePolicy", awsCLI, Region, cliDeleteRolePolicy),
		heals("iam PutRolePolicy, one that denies", goSDK, Region, denyInline),
		heals("iam AttachRolePolicy, one that denies", goSDK, Region, attachDenying),
		heals("iam DetachRolePolicy, and its own policy gone", goSDK, Region, detachAll),
		heals("iam UpdateAssumeRolePolicy, for another service", awsCLI, Region, cliTrust),
		heals("iam PutRolePermissionsBoundary, one that denies", goSDK, Region, boundToNothing),
		heals("iam DeleteRolePermissionsBoundary, and its own policy gone", goSDK, Region, unbound),
		heals("iam CreatePolicyVersion, of a policy that is attached", goSDK, Region, versionThatDenies(true)),
		heals("iam SetDefaultPolicyVersion, of a policy that is attached", goSDK, Region, versionThatDenies(false)),
	}, watched(), []Attack{
		reports("monitoring SetAlarmState, to ALARM", awsCLI, Region, cliSetState("root-usage", "ALARM"), resetState("root-usage")),
		reports("monitoring PutAlarmMuteRule, for half a day", goSDK, Region, muteAlarms, unmuteAlarms),
		reports("monitoring PutCompositeAlarm, with a suppressor", goSDK, Region, suppress, unsuppress),
		heals("all of it at once", goSDK, Region, everything),
		heals("ec2 DeleteFlowLogs, a narrower one in its place", goSDK, Region, narrowFlowLogs),
	})
}

type doer = func(context.Context, *Session, Target) (Aftermath, error)

func trailGroup(t Target) string   { return t.TrailLogGroup }
func flowLogGroup(t Target) string { return t.FlowLogLogGroup }

// logged is the aftermath of new VPCs: each has flow logs like the others.
func logged(region string, vpcs ...string) Aftermath {
	return func(want Snapshot) {
		for _, id := range vpcs {
			want["flow-logs "+region+" "+id] = likeOthers(want, region)
		}
	}
}

func createVPCs(n int) doer {
	return func(ctx context.Context, s *Session, _ Target) (Aftermath, error) {
		made := make([]string, n)
		var group errgroup.Group
		for i := range n {
			group.Go(func() error {
				out, err := s.EC2.CreateVpc(ctx, &ec2.CreateVpcInput{CidrBlock: aws.String(fmt.Sprintf("10.%d.0.0/16", 100+i))})
				if err == nil {
					made[i] = aws.ToString(out.Vpc.VpcId)
				}
				return err
			})
		}
		err := group.Wait()
		return logged(s.Region, made...), err
	}
}

// teardown makes the calls of a recorded teardown, in their order: a stack with
// a VPC, a flow log and a log group of its own comes and goes. Between the two
// relight has put a flow log of its own on the VPC.
func teardown(ctx context.Context, s *Session, _ Target) (Aftermath, error) {
	const group = "network-flow-logs"
	if _, err := s.Logs.CreateLogGroup(ctx, &cloudwatchlogs.CreateLogGroupInput{LogGroupName: aws.String(group)}); err != nil {
		return nil, err
	}
	others, err := s.EC2.DescribeFlowLogs(ctx, &ec2.DescribeFlowLogsInput{})
	if err != nil {
		return nil, err
	}
	if len(others.FlowLogs) == 0 {
		return nil, errors.New("there is no flow log to take a role from")
	}
	made, err := s.EC2.CreateVpc(ctx, &ec2.CreateVpcInput{CidrBlock: aws.String("10.77.0.0/16")})
	if err != nil {
		return nil, err
	}
	vpc := aws.ToString(made.Vpc.VpcId)
	logged, err := s.EC2.CreateFlowLogs(ctx, &ec2.CreateFlowLogsInput{
		ResourceIds: []string{vpc}, ResourceType: ec2types.FlowLogsResourceTypeVpc, TrafficType: ec2types.TrafficTypeAll,
		LogGroupName: aws.String(group), DeliverLogsPermissionArn: others.FlowLogs[0].DeliverLogsPermissionArn,
	})
	if err != nil {
		return nil, err
	}
	if len(logged.FlowLogIds) == 0 {
		return nil, errors.New("the stack's own flow log was not created")
	}
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-time.After(time.Second):
	}
	if _, err := s.EC2.DeleteFlowLogs(ctx, &ec2.DeleteFlowLogsInput{FlowLogIds: logged.FlowLogIds}); err != nil {
		return nil, err
	}
	for timeout := time.After(healTimeout); ; {
		if ids, _ := flowLogsOf(ctx, s, []string{vpc}); len(ids) > 0 { // an error is that there are none
			break
		}
		select {
		case <-timeout:
			return nil, errors.New("the VPC got no flow log of relight's")
		case <-time.After(100 * time.Millisecond):
		}
	}
	if _, err := s.EC2.DeleteVpc(ctx, &ec2.DeleteVpcInput{VpcId: aws.String(vpc)}); err != nil {
		return nil, err
	}
	_, err = s.Logs.DeleteLogGroup(ctx, &cloudwatchlogs.DeleteLogGroupInput{LogGroupName: aws.String(group)})
	return nil, err
}

func cliCreateVPC(ctx context.Context, s *Session, _ Target) (Aftermath, error) {
	id, err := s.AWS(ctx, "ec2", "create-vpc", "--cidr-block", "10.200.0.0/16", "--query", "Vpc.VpcId", "--output", "text")
	return logged(s.Region, id), err
}

func createDefaultVPC(ctx context.Context, s *Session, _ Target) (Aftermath, error) {
	id, err := s.AWS(ctx, "ec2", "create-default-vpc", "--query", "Vpc.VpcId", "--output", "text")
	return logged(s.Region, id), err
}

// deleteFlowLogs deletes the flow logs of the first n VPCs, of all for 0.
func deleteFlowLogs(n int) doer {
	return func(ctx context.Context, s *Session, t Target) (Aftermath, error) {
		vpcs := t.VPCs
		if n > 0 {
			vpcs = vpcs[:n]
		}
		ids, err := flowLogsOf(ctx, s, vpcs)
		if err != nil {
			return nil, err
		}
		_, err = s.EC2.DeleteFlowLogs(ctx, &ec2.DeleteFlowLogsInput{FlowLogIds: ids})
		return nil, err
	}
}

func describeFlowLogs(ctx context.Context, s *Session, filter string, values []string) ([]ec2types.FlowLog, error) {
	out, err := s.EC2.DescribeFlowLogs(ctx, &ec2.DescribeFlowLogsInput{
		Filter: []ec2types.Filter{{Name: aws.String(filter), Values: values}},
	})
	if err != nil {
		return nil, err
	}
	return out.FlowLogs, nil
}

func flowLogsOf(ctx context.Context, s *Session, vpcs []string) ([]string, error) {
	logs, err := describeFlowLogs(ctx, s, "resource-id", vpcs)
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, fl := range logs {
		ids = append(ids, aws.ToString(fl.FlowLogId))
	}
	if len(ids) == 0 {
		return nil, errors.New("there are no flow logs to delete")
	}
	return ids, nil
}

// narrowFlowLogs replaces a VPC's flow log by one that records only accepted
// traffic. That one is somebody's, and stays beside the one that comes back.
func narrowFlowLogs(ctx context.Context, s *Session, t Target) (Aftermath, error) {
	before, err := flowLogsOf(ctx, s, t.VPCs[:1])
	if err != nil {
		return nil, err
	}
	out, err := s.EC2.CreateFlowLogs(ctx, &ec2.CreateFlowLogsInput{
		ResourceIds: t.VPCs[:1], ResourceType: ec2types.FlowLogsResourceTypeVpc, TrafficType: ec2types.TrafficTypeAccept,
		LogDestinationType: ec2types.LogDestinationTypeS3, LogDestination: aws.String("arn:aws:s3:::trail-" + Account),
	})
	if err != nil {
		return nil, err
	}
	if len(out.Unsuccessful) > 0 {
		return nil, errors.New(aws.ToString(out.Unsuccessful[0].Error.Message))
	}
	narrow, err := describeFlowLogs(ctx, s, "flow-log-id", out.FlowLogIds)
	if err != nil {
		return nil, err
	}
	_, err = s.EC2.DeleteFlowLogs(ctx, &ec2.DeleteFlowLogsInput{FlowLogIds: before})
	return func(want Snapshot) {
		key := "flow-logs " + s.Region + " " + t.VPCs[0]
		want[key] = oneMore(want[key], flowLogLine(narrow[0]))
	}, err
}

// deleteGroups deletes log groups. What comes back in their place is
// protected from deletion, whatever they were.
func deleteGroups(groups ...func(Target) string) doer {
	return func(ctx context.Context, s *Session, t Target) (Aftermath, error) {
		for _, group := range groups {
			if err := deleteGroup(ctx, s, group(t)); err != nil {
				return nil, err
			}
		}
		return func(want Snapshot) {
			for _, group := range groups {
				want.protected(s.Region, group(t), true)
			}
		}, nil
	}
}

// deleteGroup deletes a log group. Where that is protected from it, the
// protection goes first, again if it comes back meanwhile.
func deleteGroup(ctx context.Context, s *Session, group string) error {
	var err error
	for range 5 {
		_, err = s.Logs.DeleteLogGroup(ctx, &cloudwatchlogs.DeleteLogGroupInput{LogGroupName: aws.String(group)})
		if protected := new(logtypes.ValidationException); !errors.As(err, &protected) {
			return err
		}
		if err := protectGroup(ctx, s, group, false); err != nil {
			return err
		}
	}
	return err
}

func protectGroup(ctx context.Context, s *Session, group string, on bool) error {
	_, err := s.Logs.PutLogGroupDeletionProtection(ctx, &cloudwatchlogs.PutLogGroupDeletionProtectionInput{
		LogGroupIdentifier: aws.String(group), DeletionProtectionEnabled: aws.Bool(on),
	})
	return err
}

// replaceLogGroup deletes the trail's group and makes one of the same name
// without filters, kept for a day. It is the intruder's, and nobody protects
// it, unless relight was faster.
func replaceLogGroup(ctx context.Context, s *Session, t Target) (Aftermath, error) {
	if err := deleteGroup(ctx, s, t.TrailLogGroup); err != nil {
		return nil, err
	}
	_, err := s.Logs.CreateLogGroup(ctx, &cloudwatchlogs.CreateLogGroupInput{LogGroupName: aws.String(t.TrailLogGroup)})
	faster := new(logtypes.ResourceAlreadyExistsException)
	ours := errors.As(err, &faster)
	if err != nil && !ours {
		return nil, err
	}
	_, err = shortenRetention(trailGroup)(ctx, s, t)
	return func(want Snapshot) { want.protected(s.Region, t.TrailLogGroup, ours) }, err
}

func shortenRetention(group func(Target) string) doer {
	return func(ctx context.Context, s *Session, t Target) (Aftermath, error) {
		_, err := s.Logs.PutRetentionPolicy(ctx, &cloudwatchlogs.PutRetentionPolicyInput{
			LogGroupName: aws.String(group(t)), RetentionInDays: aws.Int32(1),
		})
		return nil, err
	}
}

func cliDeleteFilter(control string) doer {
	return func(ctx context.Context, s *Session, t Target) (Aftermath, error) {
		_, err := s.AWS(ctx, "logs", "delete-metric-filter", "--log-group-name", t.TrailLogGroup, "--filter-name", t.Prefix+"-"+control)
		return nil, err
	}
}

// putFilter writes a control's filter again, changed.
func putFilter(control string, change func(*cloudwatchlogs.PutMetricFilterInput)) doer {
	return func(ctx context.Context, s *Session, t Target) (Aftermath, error) {
		out, err := s.Logs.DescribeMetricFilters(ctx, &cloudwatchlogs.DescribeMetricFiltersInput{
			LogGroupName: aws.String(t.TrailLogGroup), FilterNamePrefix: aws.String(t.Prefix + "-" + control),
		})
		if err != nil {
			return nil, err
		}
		if len(out.MetricFilters) == 0 {
			return nil, errors.New("there is no filter to change")
		}
		f := out.MetricFilters[0]
		in := &cloudwatchlogs.PutMetricFilterInput{
			LogGroupName: f.LogGroupName, FilterName: f.FilterName, FilterPattern: f.FilterPattern,
			MetricTransformations: slices.Clone(f.MetricTransformations),
		}
		change(in)
		_, err = s.Logs.PutMetricFilter(ctx, in)
		return nil, err
	}
}

func cliAlarms(command, control string) doer {
	return func(ctx context.Context, s *Session, t Target) (Aftermath, error) {
		_, err := s.AWS(ctx, "cloudwatch", command, "--alarm-names", t.Prefix+"-"+control)
		return nil, err
	}
}

func alarmNames(ctx context.Context, s *Session, t Target) ([]string, error) {
	out, err := s.CloudWatch.DescribeAlarms(ctx, &cloudwatch.DescribeAlarmsInput{
		AlarmNamePrefix: aws.String(t.Prefix + "-"), MaxRecords: aws.Int32(100),
	})
	if err != nil {
		return nil, err
	}
	var names []string
	for _, a := range out.MetricAlarms {
		if aws.ToString(a.Namespace) == t.Prefix && aws.ToString(a.MetricName) == aws.ToString(a.AlarmName) { // a control's, not one of the stack's own
			names = append(names, aws.ToString(a.AlarmName))
		}
	}
	return names, nil
}

func deleteAllAlarms(ctx context.Context, s *Session, t Target) (Aftermath, error) {
	names, err := alarmNames(ctx, s, t)
	if err != nil {
		return nil, err
	}
	_, err = s.CloudWatch.DeleteAlarms(ctx, &cloudwatch.DeleteAlarmsInput{AlarmNames: names})
	return nil, err
}

func disableAllAlarms(ctx context.Context, s *Session, t Target) (Aftermath, error) {
	names, err := alarmNames(ctx, s, t)
	if err != nil {
		return nil, err
	}
	_, err = s.CloudWatch.DisableAlarmActions(ctx, &cloudwatch.DisableAlarmActionsInput{AlarmNames: names})
	return nil, err
}

// putAlarm writes a control's alarm again, changed.
func putAlarm(control string, change func(*cloudwatch.PutMetricAlarmInput)) doer {
	return func(ctx context.Context, s *Session, t Target) (Aftermath, error) {
		name := t.Prefix + "-" + control
		out, err := s.CloudWatch.DescribeAlarms(ctx, &cloudwatch.DescribeAlarmsInput{AlarmNames: []string{name}})
		if err != nil {
			return nil, err
		}
		if len(out.MetricAlarms) == 0 {
			return nil, errors.New("there is no alarm to change")
		}
		a := out.MetricAlarms[0]
		in := &cloudwatch.PutMetricAlarmInput{
			AlarmName: a.AlarmName, AlarmDescription: a.AlarmDescription, Namespace: a.Namespace, MetricName: a.MetricName,
			Statistic: a.Statistic, Period: a.Period, ComparisonOperator: a.ComparisonOperator, Threshold: a.Threshold,
			EvaluationPeriods: a.EvaluationPeriods, DatapointsToAlarm: a.DatapointsToAlarm, TreatMissingData: a.TreatMissingData,
			ActionsEnabled: a.ActionsEnabled, AlarmActions: a.AlarmActions, OKActions: a.OKActions,
			InsufficientDataActions: a.InsufficientDataActions,
		}
		change(in)
		_, err = s.CloudWatch.PutMetricAlarm(ctx, in)
		return nil, err
	}
}

// topicOf returns the topic that a control's alarm tells.
func topicOf(ctx context.Context, s *Session, t Target) (string, error) {
	out, err := s.CloudWatch.DescribeAlarms(ctx, &cloudwatch.DescribeAlarmsInput{AlarmNames: []string{t.Prefix + "-root-usage"}})
	if err != nil {
		return "", err
	}
	if len(out.MetricAlarms) == 0 || len(out.MetricAlarms[0].AlarmActions) == 0 {
		return "", errors.New("no alarm names a topic")
	}
	return out.MetricAlarms[0].AlarmActions[0], nil
}

func deleteTopic(ctx context.Context, s *Session, t Target) (Aftermath, error) {
	topic, err := topicOf(ctx, s, t)
	if err != nil {
		return nil, err
	}
	_, err = s.SNS.DeleteTopic(ctx, &sns.DeleteTopicInput{TopicArn: aws.String(topic)})
	return nil, err
}

// A topicStatement is one of a topic's policy.
type topicStatement = map[string]any

// policyOf returns a topic's policy, and the statement in it that admits
// CloudWatch.
func policyOf(ctx context.Context, s *Session, topic string) (policy map[string]any, alarms topicStatement, err error) {
	out, err := s.SNS.GetTopicAttributes(ctx, &sns.GetTopicAttributesInput{TopicArn: aws.String(topic)})
	if err != nil {
		return nil, nil, err
	}
	if err := json.Unmarshal([]byte(out.Attributes["Policy"]), &policy); err != nil {
		return nil, nil, fmt.Errorf("read policy of %s: %w", topic, err)
	}
	statements, _ := policy["Statement"].([]any)
	for _, st := range statements {
		if st, _ := st.(topicStatement); strings.Contains(fmt.Sprint(st["Principal"]), "cloudwatch.amazonaws.com") {
			return policy, st, nil
		}
	}
	return nil, nil, errors.New("the topic's policy does not admit CloudWatch")
}

// shutTopic writes the topic's policy without what admits alarms.
func shutTopic(ctx context.Context, s *Session, t Target) (Aftermath, error) {
	topic, err := topicOf(ctx, s, t)
	if err != nil {
		return nil, err
	}
	policy, alarms, err := policyOf(ctx, s, topic)
	if err != nil {
		return nil, err
	}
	policy["Statement"] = slices.DeleteFunc(policy["Statement"].([]any), func(st any) bool {
		st2, _ := st.(topicStatement)
		return st2["Sid"] == alarms["Sid"]
	})
	raw, err := json.Marshal(policy)
	if err != nil {
		return nil, err
	}
	_, err = s.SNS.SetTopicAttributes(ctx, &sns.SetTopicAttributesInput{
		TopicArn: aws.String(topic), AttributeName: aws.String("Policy"), AttributeValue: aws.String(string(raw)),
	})
	return nil, err
}

func cliTopicKey(ctx context.Context, s *Session, t Target) (Aftermath, error) {
	topic, err := topicOf(ctx, s, t)
	if err != nil {
		return nil, err
	}
	_, err = s.AWS(ctx, "sns", "set-topic-attributes", "--topic-arn", topic, "--attribute-name", "KmsMasterKeyId", "--attribute-value", "")
	return nil, err
}

// onTopicKey makes a call on the key of relight's topic.
func onTopicKey(command string, args ...string) doer {
	return func(ctx context.Context, s *Session, t Target) (Aftermath, error) {
		topic, err := topicOf(ctx, s, t)
		if err != nil {
			return nil, err
		}
		key, err := s.AWS(ctx, "sns", "get-topic-attributes", "--topic-arn", topic, "--query", "Attributes.KmsMasterKeyId", "--output", "text")
		if err != nil {
			return nil, err
		}
		_, err = s.AWS(ctx, append([]string{"kms", command, "--key-id", key}, args...)...)
		return nil, err
	}
}

func cliRemovePermission(ctx context.Context, s *Session, t Target) (Aftermath, error) {
	topic, err := topicOf(ctx, s, t)
	if err != nil {
		return nil, err
	}
	_, alarms, err := policyOf(ctx, s, topic)
	if err != nil {
		return nil, err
	}
	_, err = s.AWS(ctx, "sns", "remove-permission", "--topic-arn", topic, "--label", fmt.Sprint(alarms["Sid"]))
	return nil, err
}

// subscriptionOf returns a confirmed subscription of the topic, by protocol.
func subscriptionOf(ctx context.Context, s *Session, t Target, protocol string) (string, error) {
	topic, err := topicOf(ctx, s, t)
	if err != nil {
		return "", err
	}
	out, err := s.SNS.ListSubscriptionsByTopic(ctx, &sns.ListSubscriptionsByTopicInput{TopicArn: aws.String(topic)})
	if err != nil {
		return "", err
	}
	for _, sub := range out.Subscriptions {
		if arn := aws.ToString(sub.SubscriptionArn); aws.ToString(sub.Protocol) == protocol && strings.HasPrefix(arn, "arn:") {
			return arn, nil
		}
	}
	return "", fmt.Errorf("nobody is subscribed by %s and has confirmed", protocol)
}

func unsubscribe(protocol string) doer {
	return func(ctx context.Context, s *Session, t Target) (Aftermath, error) {
		sub, err := subscriptionOf(ctx, s, t, protocol)
		if err != nil {
			return nil, err
		}
		_, err = s.SNS.Unsubscribe(ctx, &sns.UnsubscribeInput{SubscriptionArn: aws.String(sub)})
		return nil, err
	}
}

func cliFilterPolicy(ctx context.Context, s *Session, t Target) (Aftermath, error) {
	sub, err := subscriptionOf(ctx, s, t, "sqs")
	if err != nil {
		return nil, err
	}
	_, err = s.AWS(ctx, "sns", "set-subscription-attributes", "--subscription-arn", sub,
		"--attribute-name", "FilterPolicy", "--attribute-value", `{"severity":["none"]}`)
	return nil, err
}

// everything puts all the lights of the home region out together.
func everything(ctx context.Context, s *Session, t Target) (Aftermath, error) {
	var group errgroup.Group
	deletion := deleteGroups(trailGroup, flowLogGroup)
	var after Aftermath
	group.Go(func() (err error) {
		after, err = deletion(ctx, s, t)
		return err
	})
	for _, do := range []doer{deleteFlowLogs(0), deleteAllAlarms} {
		group.Go(func() error {
			_, err := do(ctx, s, t)
			return err
		})
	}
	err := group.Wait()
	return after, err
}

func stopLogging(ctx context.Context, s *Session, _ Target) (Aftermath, error) {
	_, err := s.AWS(ctx, "cloudtrail", "stop-logging", "--name", TrailName)
	return nil, err
}

func deleteTrail(ctx context.Context, s *Session, _ Target) (Aftermath, error) {
	_, err := s.AWS(ctx, "cloudtrail", "delete-trail", "--name", TrailName)
	return nil, err
}

func updateTrail(in *cloudtrail.UpdateTrailInput) doer {
	return func(ctx context.Context, s *Session, _ Target) (Aftermath, error) {
		in.Name = aws.String(TrailName)
		_, err := s.CloudTrail.UpdateTrail(ctx, in)
		return nil, err
	}
}

// spareBucket is one of the intruder's.
const spareBucket = "elsewhere-" + Account

// anotherBucket points the trail at a bucket of the intruder's. That is not
// relight's to change back.
func anotherBucket(ctx context.Context, s *Session, t Target) (Aftermath, error) {
	if _, err := s.AWS(ctx, "s3", "mb", "s3://"+spareBucket); err != nil {
		return nil, err
	}
	if _, err := s.AWS(ctx, "s3api", "put-bucket-policy", "--bucket", spareBucket, "--policy", *TrailBucketPolicy(spareBucket)); err != nil {
		return nil, err
	}
	return updateTrail(&cloudtrail.UpdateTrailInput{S3BucketName: aws.String(spareBucket)})(ctx, s, t)
}

// ownBucket points the trail back at its owner's bucket.
func ownBucket(ctx context.Context, s *Session, t Target) error {
	if _, err := updateTrail(&cloudtrail.UpdateTrailInput{S3BucketName: aws.String(TrailBucket)})(ctx, s, t); err != nil {
		return err
	}
	_, err := s.AWS(ctx, "s3", "rb", "s3://"+spareBucket, "--force")
	return err
}

// redirectAndDelete would have the trail come back with the intruder's bucket,
// were that what is remembered.
func redirectAndDelete(ctx context.Context, s *Session, t Target) (Aftermath, error) {
	if _, err := anotherBucket(ctx, s, t); err != nil {
		return nil, err
	}
	return deleteTrail(ctx, s, t)
}

func putSelectors(selectors ...cloudtrailtypes.EventSelector) doer {
	return func(ctx context.Context, s *Session, _ Target) (Aftermath, error) {
		_, err := s.CloudTrail.PutEventSelectors(ctx, &cloudtrail.PutEventSelectorsInput{TrailName: aws.String(TrailName), EventSelectors: selectors})
		return nil, err
	}
}

// unmanaged has the trail record nothing but the data events of a bucket.
// Those are somebody's choice and stay, beside the management events.
func unmanaged(ctx context.Context, s *Session, t Target) (Aftermath, error) {
	data := cloudtrailtypes.EventSelector{
		ReadWriteType: cloudtrailtypes.ReadWriteTypeWriteOnly, IncludeManagementEvents: aws.Bool(false),
		DataResources:                 []cloudtrailtypes.DataResource{{Type: aws.String("AWS::S3::Object"), Values: []string{"arn:aws:s3:::" + TrailBucket + "/"}}},
		ExcludeManagementEventSources: []string{},
	}
	managed := cloudtrailtypes.EventSelector{
		ReadWriteType: cloudtrailtypes.ReadWriteTypeAll, IncludeManagementEvents: aws.Bool(true),
		DataResources: []cloudtrailtypes.DataResource{}, ExcludeManagementEventSources: []string{},
	}
	_, err := putSelectors(data)(ctx, s, t)
	return func(want Snapshot) {
		want.add("trail-selectors", "arn:aws:cloudtrail:"+Region+":"+Account+":trail/"+TrailName,
			[]cloudtrailtypes.EventSelector{managed, data}, []cloudtrailtypes.AdvancedEventSelector(nil))
	}, err
}
