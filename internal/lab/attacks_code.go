package lab

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"golang.org/x/sync/errgroup"

	"github.com/relight-aws/relight/internal/catalog"
)

// This file has the attacks that change what they have read, make calls at the
// same time or react to what relight does meanwhile, and what attacks leave
// behind.

// atOnce makes every call at the same time.
func atOnce(calls ...Call) doer {
	return func(ctx context.Context, s *Session, t Target) error {
		var group errgroup.Group
		for _, c := range calls {
			group.Go(func() error { return s.Make(ctx, t, c) })
		}
		return group.Wait()
	}
}

func createVPC(cidr string) input { return input{"CidrBlock": cidr} }

func tenVPCs() []Call {
	calls := make([]Call, 10)
	for i := range calls {
		calls[i] = sdk((*ec2.Client).CreateVpc, createVPC(fmt.Sprintf("10.%d.0.0/16", 100+i)))
	}
	return calls
}

// newVPCs is the aftermath of attacks that make VPCs: each new VPC gets flow
// logs like the others.
func newVPCs(ctx context.Context, s *Session, _ Target, want Snapshot) error {
	out, err := s.EC2.DescribeVpcs(ctx, &ec2.DescribeVpcsInput{})
	if err != nil {
		return err
	}
	for _, vpc := range out.Vpcs {
		key := "flow-logs " + s.Region + " " + aws.ToString(vpc.VpcId)
		if _, known := want[key]; !known {
			want[key] = likeOthers(want, s.Region, "vpc")
		}
	}
	return nil
}

// teardown makes the calls of a recorded teardown, in their order: a stack with
// its own VPC, flow log and log group is created and deleted. Between creation
// and deletion relight adds its own flow log to the VPC.
func teardown(ctx context.Context, s *Session, _ Target) error {
	const group = "network-flow-logs"
	if _, err := s.Logs.CreateLogGroup(ctx, &cloudwatchlogs.CreateLogGroupInput{LogGroupName: aws.String(group)}); err != nil {
		return err
	}
	others, err := s.EC2.DescribeFlowLogs(ctx, &ec2.DescribeFlowLogsInput{})
	if err != nil {
		return err
	}
	if len(others.FlowLogs) == 0 {
		return errors.New("there is no flow log to take a role from")
	}
	made, err := s.EC2.CreateVpc(ctx, &ec2.CreateVpcInput{CidrBlock: aws.String("10.77.0.0/16")})
	if err != nil {
		return err
	}
	vpc := aws.ToString(made.Vpc.VpcId)
	logged, err := s.EC2.CreateFlowLogs(ctx, &ec2.CreateFlowLogsInput{
		ResourceIds: []string{vpc}, ResourceType: ec2types.FlowLogsResourceTypeVpc, TrafficType: ec2types.TrafficTypeAll,
		LogGroupName: aws.String(group), DeliverLogsPermissionArn: others.FlowLogs[0].DeliverLogsPermissionArn,
	})
	if err != nil {
		return err
	}
	if len(logged.FlowLogIds) == 0 {
		return errors.New("the stack's own flow log was not created")
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(time.Second):
	}
	if _, err := s.EC2.DeleteFlowLogs(ctx, &ec2.DeleteFlowLogsInput{FlowLogIds: logged.FlowLogIds}); err != nil {
		return err
	}
	for timeout := time.After(healTimeout); ; {
		if ids, _ := s.flowLogs(ctx, "", vpc); len(ids) > 0 { // an error means that there are none
			break
		}
		select {
		case <-timeout:
			return errors.New("relight put no flow log on the VPC")
		case <-time.After(100 * time.Millisecond):
		}
	}
	if _, err := s.EC2.DeleteVpc(ctx, &ec2.DeleteVpcInput{VpcId: aws.String(vpc)}); err != nil {
		return err
	}
	_, err = s.Logs.DeleteLogGroup(ctx, &cloudwatchlogs.DeleteLogGroupInput{LogGroupName: aws.String(group)})
	return err
}

// narrowFlowLog is the aftermath of the attack that makes a narrower flow log:
// relight keeps it beside the flow log that it restores.
func narrowFlowLog(ctx context.Context, s *Session, t Target, want Snapshot) error {
	logs, err := s.describeFlowLogs(ctx, t.VPCs[0])
	if err != nil {
		return err
	}
	key := "flow-logs " + s.Region + " " + t.VPCs[0]
	for _, fl := range logs {
		if aws.ToString(fl.LogDestination) == "arn:aws:s3:::"+FlowLogBucket {
			want[key] = oneMore(want[key], flowLogLine(fl))
		}
	}
	return nil
}

func trailGroup(t Target) string   { return t.TrailLogGroup }
func flowLogGroup(t Target) string { return t.FlowLogLogGroup }

// deleteGroup deletes a log group. It switches deletion protection off first,
// and again if relight has restored the protection meanwhile.
func deleteGroup(group func(Target) string) doer {
	return func(ctx context.Context, s *Session, t Target) error {
		name, err := aws.String(group(t)), error(nil)
		for range 5 {
			_, err = s.Logs.DeleteLogGroup(ctx, &cloudwatchlogs.DeleteLogGroupInput{LogGroupName: name})
			if protected := new(logtypes.ValidationException); !errors.As(err, &protected) {
				return err
			}
			if _, err := s.Logs.PutLogGroupDeletionProtection(ctx, &cloudwatchlogs.PutLogGroupDeletionProtectionInput{
				LogGroupIdentifier: name, DeletionProtectionEnabled: aws.Bool(false),
			}); err != nil {
				return err
			}
		}
		return err
	}
}

// groupsProtected is the aftermath of attacks that delete log groups: relight
// protects the groups that it makes from deletion, whatever they were before.
func groupsProtected(groups ...func(Target) string) aftermath {
	return func(_ context.Context, s *Session, t Target, want Snapshot) error {
		for _, group := range groups {
			want.protected(s.Region, group(t), true)
		}
		return nil
	}
}

// replaceGroup deletes the trail's log group and makes one of the same name
// that has no filters and keeps its events for one day.
func replaceGroup(ctx context.Context, s *Session, t Target) error {
	if err := deleteGroup(trailGroup)(ctx, s, t); err != nil {
		return err
	}
	_, err := s.Logs.CreateLogGroup(ctx, &cloudwatchlogs.CreateLogGroupInput{LogGroupName: aws.String(t.TrailLogGroup)})
	if faster := new(logtypes.ResourceAlreadyExistsException); err != nil && !errors.As(err, &faster) {
		return err
	}
	return s.Make(ctx, t, sdk((*cloudwatchlogs.Client).PutRetentionPolicy, aDay("${trail-log-group}")))
}

// protectedIfOurs is the aftermath of replaceGroup: relight protects the group
// only if it made the group before the attack could, which the group's tag shows,
// or if a sweep has seen its tag on the group that an earlier attack deleted.
func protectedIfOurs(ctx context.Context, s *Session, t Target, want Snapshot) error {
	out, err := s.Logs.ListTagsForResource(ctx, &cloudwatchlogs.ListTagsForResourceInput{
		ResourceArn: aws.String("arn:aws:logs:" + s.Region + ":" + Account + ":log-group:" + t.TrailLogGroup),
	})
	if err != nil {
		return err
	}
	memory, err := s.SSM.GetParameter(ctx, &ssm.GetParameterInput{Name: aws.String("/" + t.Prefix + "/memory/trail")})
	if err != nil {
		return err
	}
	var remembered struct {
		OwnGroup bool `json:"ownGroup"`
	}
	if err := json.Unmarshal([]byte(aws.ToString(memory.Parameter.Value)), &remembered); err != nil {
		return err
	}
	_, tagged := out.Tags[catalog.OwnerTag]
	want.protected(s.Region, t.TrailLogGroup, tagged || remembered.OwnGroup)
	return nil
}

// putFilter overwrites a control's filter with a changed one.
func putFilter(control string, change func(*cloudwatchlogs.PutMetricFilterInput)) doer {
	return func(ctx context.Context, s *Session, t Target) error {
		out, err := s.Logs.DescribeMetricFilters(ctx, &cloudwatchlogs.DescribeMetricFiltersInput{
			LogGroupName: aws.String(t.TrailLogGroup), FilterNamePrefix: aws.String(t.Prefix + "-" + control),
		})
		if err != nil {
			return err
		}
		if len(out.MetricFilters) == 0 {
			return errors.New("there is no filter to change")
		}
		f := out.MetricFilters[0]
		in := &cloudwatchlogs.PutMetricFilterInput{
			LogGroupName: f.LogGroupName, FilterName: f.FilterName, FilterPattern: f.FilterPattern,
			MetricTransformations: slices.Clone(f.MetricTransformations),
		}
		change(in)
		_, err = s.Logs.PutMetricFilter(ctx, in)
		return err
	}
}

// putAlarm overwrites a control's alarm with a changed one.
func putAlarm(control string, change func(*cloudwatch.PutMetricAlarmInput)) doer {
	return func(ctx context.Context, s *Session, t Target) error {
		out, err := s.CloudWatch.DescribeAlarms(ctx, &cloudwatch.DescribeAlarmsInput{AlarmNames: []string{t.Prefix + "-" + control}})
		if err != nil {
			return err
		}
		if len(out.MetricAlarms) == 0 {
			return errors.New("there is no alarm to change")
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
		return err
	}
}

// shutTopic overwrites the topic's policy with one that lacks the statement for
// alarms.
func shutTopic(ctx context.Context, s *Session, t Target) error {
	topic, err := s.topic(ctx, t)
	if err != nil {
		return err
	}
	policy, sid, err := s.topicPolicy(ctx, t)
	if err != nil {
		return err
	}
	policy["Statement"] = slices.DeleteFunc(policy["Statement"].([]any), func(st any) bool {
		one, _ := st.(map[string]any)
		return one["Sid"] == sid
	})
	raw, err := json.Marshal(policy)
	if err != nil {
		return err
	}
	_, err = s.SNS.SetTopicAttributes(ctx, &sns.SetTopicAttributesInput{
		TopicArn: aws.String(topic), AttributeName: aws.String("Policy"), AttributeValue: aws.String(string(raw)),
	})
	return err
}

// denyTopic adds a statement to the topic's policy.
func denyTopic(statement map[string]any) doer {
	return func(ctx context.Context, s *Session, t Target) error {
		topic, err := s.topic(ctx, t)
		if err != nil {
			return err
		}
		policy, _, err := s.topicPolicy(ctx, t)
		if err != nil {
			return err
		}
		all, _ := policy["Statement"].([]any)
		policy["Statement"] = append(all, mergeInto(map[string]any{"Sid": "Hardening", "Effect": "Deny", "Resource": topic}, statement))
		raw, err := json.Marshal(policy)
		if err != nil {
			return err
		}
		_, err = s.SNS.SetTopicAttributes(ctx, &sns.SetTopicAttributesInput{
			TopicArn: aws.String(topic), AttributeName: aws.String("Policy"), AttributeValue: aws.String(string(raw)),
		})
		return err
	}
}

func mergeInto(m, more map[string]any) map[string]any {
	maps.Copy(m, more)
	return m
}

// deleteRole deletes the role's policy and then the role; a role with a policy
// cannot be deleted. It starts again if relight has restored the policy
// meanwhile.
func deleteRole(ctx context.Context, s *Session, t Target) error {
	name, err := s.deliveryRole(ctx, t)
	if err != nil {
		return err
	}
	role := aws.String(name)
	for range 5 {
		var gone *iamtypes.NoSuchEntityException
		if _, err := s.IAM.DeleteRolePolicy(ctx, &iam.DeleteRolePolicyInput{RoleName: role, PolicyName: aws.String(deliveryPolicy)}); err != nil && !errors.As(err, &gone) {
			return err
		}
		_, err := s.IAM.DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: role})
		if conflict := new(iamtypes.DeleteConflictException); !errors.As(err, &conflict) {
			return err
		}
	}
	return fmt.Errorf("relight restored a policy of role %s after each of five deletions", name)
}

// everything removes the log groups, flow logs and alarms of the home region
// at the same time.
func everything(ctx context.Context, s *Session, t Target) error {
	var group errgroup.Group
	group.Go(func() error {
		if err := deleteGroup(trailGroup)(ctx, s, t); err != nil {
			return err
		}
		return deleteGroup(flowLogGroup)(ctx, s, t)
	})
	group.Go(func() error {
		return atOnce(sdk((*ec2.Client).DeleteFlowLogs, input{"FlowLogIds": "${flow-logs}"}), sdk((*cloudwatch.Client).DeleteAlarms, input{"AlarmNames": "${alarms}"}))(ctx, s, t)
	})
	return group.Wait()
}

// dataEvents selects the data events of a bucket and no management events.
func dataEvents() types.EventSelector {
	return types.EventSelector{
		ReadWriteType: types.ReadWriteTypeWriteOnly, IncludeManagementEvents: aws.Bool(false),
		DataResources:                 []types.DataResource{{Type: aws.String("AWS::S3::Object"), Values: []string{"arn:aws:s3:::" + TrailBucket + "/"}}},
		ExcludeManagementEventSources: []string{},
	}
}

// dataEventsToo is the aftermath of the attack that makes the trail record only
// other data events: relight keeps those beside the management events and the data
// events that it remembers.
func dataEventsToo(_ context.Context, _ *Session, _ Target, want Snapshot) error {
	want.add("trail-selectors", "arn:aws:cloudtrail:"+Region+":"+Account+":trail/"+TrailName,
		[]types.EventSelector{managementEvents(), dataEvents(), audited(types.ReadWriteTypeAll)}, []types.AdvancedEventSelector(nil))
	return nil
}

// strangersChain replaces a control's filter and alarm by the intruder's, with a
// topic and a queue of the intruder's. It takes them away once relight's filter is
// back.
func strangersChain(ctx context.Context, s *Session, t Target) error {
	own := t.Prefix + "-root-usage"
	filters, err := s.Logs.DescribeMetricFilters(ctx, &cloudwatchlogs.DescribeMetricFiltersInput{LogGroupName: aws.String(t.TrailLogGroup), FilterNamePrefix: aws.String(own)})
	if err != nil || len(filters.MetricFilters) == 0 {
		return errors.Join(err, errors.New("there is no filter to replace"))
	}
	topic := "arn:aws:sns:" + s.Region + ":" + Account + ":ops-notify"
	queue := "arn:aws:sqs:" + s.Region + ":" + Account + ":oncall"
	if err := s.Make(ctx, t,
		sdk((*sns.Client).CreateTopic, input{"Name": "ops-notify"}),
		sdk((*sns.Client).Subscribe, input{"TopicArn": topic, "Protocol": "sqs", "Endpoint": queue}),
		sdk((*cloudwatchlogs.Client).PutMetricFilter, input{
			"LogGroupName": t.TrailLogGroup, "FilterName": "ops-root", "FilterPattern": *filters.MetricFilters[0].FilterPattern,
			"MetricTransformations": []input{{"MetricNamespace": "ops", "MetricName": "root", "MetricValue": "1"}},
		}),
		sdk((*cloudwatch.Client).PutMetricAlarm, input{
			"AlarmName": "ops-root", "Namespace": "ops", "MetricName": "root", "Statistic": "Sum", "Period": 300, "EvaluationPeriods": 1, "Threshold": 1,
			"ComparisonOperator": "GreaterThanOrEqualToThreshold", "TreatMissingData": "notBreaching", "AlarmActions": []string{topic},
		}),
		sdk((*cloudwatchlogs.Client).DeleteMetricFilter, input{"LogGroupName": t.TrailLogGroup, "FilterName": own}),
	); err != nil {
		return err
	}
	back := func() (bool, error) {
		out, err := s.Logs.DescribeMetricFilters(ctx, &cloudwatchlogs.DescribeMetricFiltersInput{LogGroupName: aws.String(t.TrailLogGroup), FilterNamePrefix: aws.String(own)})
		return err == nil && len(out.MetricFilters) > 0, err
	}
	return errors.Join(until(ctx, "relight's filter did not come back", back), s.Make(ctx, t,
		sdk((*cloudwatchlogs.Client).DeleteMetricFilter, input{"LogGroupName": t.TrailLogGroup, "FilterName": "ops-root"}),
		sdk((*cloudwatch.Client).DeleteAlarms, input{"AlarmNames": []string{"ops-root"}}),
		sdk((*sns.Client).DeleteTopic, input{"TopicArn": topic}),
	))
}

// strangersFlowLog puts a flow log of the intruder's on a VPC and deletes relight's.
// It takes its own away once relight's is back.
func strangersFlowLog(ctx context.Context, s *Session, t Target) error {
	made, err := s.EC2.CreateFlowLogs(ctx, &ec2.CreateFlowLogsInput{
		ResourceIds: []string{t.VPCs[0]}, ResourceType: ec2types.FlowLogsResourceTypeVpc, TrafficType: ec2types.TrafficTypeAll,
		LogDestinationType: ec2types.LogDestinationTypeS3, LogDestination: aws.String("arn:aws:s3:::" + FlowLogBucket),
	})
	if err != nil || len(made.FlowLogIds) == 0 {
		return errors.Join(err, errors.New("the intruder's flow log was not created"))
	}
	ours := func() (ids []string, err error) {
		logs, err := s.describeFlowLogs(ctx, t.VPCs[0])
		for _, fl := range logs {
			if id := aws.ToString(fl.FlowLogId); id != made.FlowLogIds[0] {
				ids = append(ids, id)
			}
		}
		return ids, err
	}
	ids, err := ours()
	if err != nil {
		return err
	}
	if _, err := s.EC2.DeleteFlowLogs(ctx, &ec2.DeleteFlowLogsInput{FlowLogIds: ids}); err != nil {
		return err
	}
	back := func() (bool, error) {
		ids, err := ours()
		return len(ids) > 0, err
	}
	err = until(ctx, "relight's flow log did not come back", back)
	_, gone := s.EC2.DeleteFlowLogs(ctx, &ec2.DeleteFlowLogsInput{FlowLogIds: made.FlowLogIds})
	return errors.Join(err, gone)
}

// until waits for a condition as long as a heal may take.
func until(ctx context.Context, otherwise string, is func() (bool, error)) error {
	for timeout := time.After(healTimeout); ; {
		if ok, err := is(); ok || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-timeout:
			return errors.New(otherwise)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// deleteKeyMaterial encrypts the trail's log group with a key whose material can be
// deleted at once, and deletes it.
func deleteKeyMaterial(ctx context.Context, s *Session, t Target) error {
	group, err := s.read(ctx, t, "trail-log-group")
	if err != nil {
		return err
	}
	made, err := s.KMS.CreateKey(ctx, &kms.CreateKeyInput{Origin: kmstypes.OriginTypeExternal})
	if err != nil {
		return err
	}
	if err := s.Make(ctx, t, sdk((*cloudwatchlogs.Client).AssociateKmsKey, input{"logGroupName": group, "kmsKeyId": *made.KeyMetadata.Arn})); err != nil {
		return err
	}
	_, err = s.KMS.DeleteImportedKeyMaterial(ctx, &kms.DeleteImportedKeyMaterialInput{KeyId: made.KeyMetadata.Arn})
	return err
}
