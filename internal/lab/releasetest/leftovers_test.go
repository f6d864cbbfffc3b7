package releasetest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/relight-aws/relight/internal/lab"
)

// leftovers lists everything in every region that has relight's name or tag, service by
// service. A key that waits for its deletion is not left.
func leftovers(t *testing.T, cloud *lab.Cloud) (left []string) {
	t.Helper()
	regions, err := cloud.Root().In(lab.Region).EC2.DescribeRegions(t.Context(), &ec2.DescribeRegionsInput{})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range regions.Regions {
		left = append(left, leftIn(t, cloud.Root().In(aws.ToString(r.RegionName)))...)
	}
	roles := must(cloud.Root().In(lab.Region).IAM.ListRoles(t.Context(), &iam.ListRolesInput{}))(t)
	for _, r := range roles.Roles {
		if ours(r.RoleName) {
			left = append(left, "role "+*r.RoleName)
		}
	}
	return left
}

func ours(name *string) bool {
	s := aws.ToString(name)
	return s == "relight" || strings.Contains(s, "relight-")
}

func leftIn(t *testing.T, s *lab.Session) (left []string) {
	t.Helper()
	ctx := t.Context()
	note := func(sort string, names ...*string) {
		for _, name := range names {
			if ours(name) {
				left = append(left, fmt.Sprintf("%s %s in %s", sort, *name, s.Region))
			}
		}
	}
	for _, x := range must(s.Stacks.ListStacks(ctx, &cloudformation.ListStacksInput{}))(t).StackSummaries {
		if x.StackStatus != "DELETE_COMPLETE" {
			note("stack", x.StackName)
		}
	}
	for _, x := range must(s.Lambda.ListFunctions(ctx, &lambda.ListFunctionsInput{}))(t).Functions {
		note("function", x.FunctionName)
	}
	for _, x := range must(s.Lambda.ListEventSourceMappings(ctx, &lambda.ListEventSourceMappingsInput{}))(t).EventSourceMappings {
		note("mapping", x.FunctionArn)
	}
	for _, x := range must(s.Scheduler.ListSchedules(ctx, &scheduler.ListSchedulesInput{}))(t).Schedules {
		note("schedule", x.Name)
	}
	for _, x := range must(s.Events.ListEventBuses(ctx, &eventbridge.ListEventBusesInput{}))(t).EventBuses {
		note("bus", x.Name)
	}
	for _, x := range must(s.Events.ListRules(ctx, &eventbridge.ListRulesInput{}))(t).Rules {
		note("rule", x.Name)
	}
	for _, url := range must(s.SQS.ListQueues(ctx, &sqs.ListQueuesInput{}))(t).QueueUrls {
		note("queue", aws.String(url[strings.LastIndex(url, "/")+1:]))
	}
	for _, x := range must(s.SNS.ListTopics(ctx, &sns.ListTopicsInput{}))(t).Topics {
		note("topic", x.TopicArn)
	}
	for _, x := range must(s.SNS.ListSubscriptions(ctx, &sns.ListSubscriptionsInput{}))(t).Subscriptions {
		note("subscription", x.TopicArn)
	}
	for _, x := range must(s.CloudWatch.DescribeAlarms(ctx, &cloudwatch.DescribeAlarmsInput{}))(t).MetricAlarms {
		note("alarm", x.AlarmName)
	}
	for _, x := range must(s.Logs.DescribeLogGroups(ctx, &cloudwatchlogs.DescribeLogGroupsInput{}))(t).LogGroups {
		note("log group", x.LogGroupName)
	}
	for _, x := range must(s.Logs.DescribeMetricFilters(ctx, &cloudwatchlogs.DescribeMetricFiltersInput{}))(t).MetricFilters {
		note("metric filter", x.FilterName)
	}
	for _, x := range must(s.EC2.DescribeFlowLogs(ctx, &ec2.DescribeFlowLogsInput{}))(t).FlowLogs {
		note("flow log to", x.LogGroupName)
		for _, tag := range x.Tags {
			note("flow log with the tag", tag.Key)
		}
	}
	for _, x := range must(s.SSM.DescribeParameters(ctx, &ssm.DescribeParametersInput{}))(t).Parameters {
		if strings.HasPrefix(aws.ToString(x.Name), "/relight/") {
			left = append(left, "parameter "+*x.Name)
		}
	}
	for _, k := range must(s.KMS.ListKeys(ctx, &kms.ListKeysInput{}))(t).Keys {
		key := must(s.KMS.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: k.KeyId}))(t).KeyMetadata
		if key.KeyState != kmstypes.KeyStatePendingDeletion && strings.Contains(aws.ToString(key.Description), "relight") {
			left = append(left, "key "+*k.KeyId)
		}
	}
	return left
}

// must returns a function that returns v, and fails the test if there is an error.
func must[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}
