package lab

import (
	"context"
	"errors"
	"fmt"
	"strings"

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
)

// Leftovers lists everything in every region that has relight's name or tag, service by
// service. A key that waits for its deletion is not left.
func (c *Cloud) Leftovers(ctx context.Context) ([]string, error) {
	var v survey
	for _, r := range read(c.Root().In(Region).EC2.DescribeRegions(ctx, &ec2.DescribeRegionsInput{}))(&v).Regions {
		v.region(ctx, c.Root().In(aws.ToString(r.RegionName)))
	}
	for _, r := range read(c.Root().In(Region).IAM.ListRoles(ctx, &iam.ListRolesInput{}))(&v).Roles {
		if ours(r.RoleName) {
			v.left = append(v.left, "role "+*r.RoleName)
		}
	}
	return v.left, errors.Join(v.errs...)
}

// A survey is what was found, and what could not be read.
type survey struct {
	left []string
	errs []error
}

// read returns a function that returns an answer, or an empty one if there is an error.
func read[T any](out *T, err error) func(*survey) *T {
	return func(v *survey) *T {
		if err != nil {
			v.errs = append(v.errs, err)
			return new(T)
		}
		return out
	}
}

func ours(name *string) bool {
	s := aws.ToString(name)
	return s == "relight" || strings.Contains(s, "relight-")
}

func (v *survey) region(ctx context.Context, s *Session) {
	note := func(sort string, names ...*string) {
		for _, name := range names {
			if ours(name) {
				v.left = append(v.left, fmt.Sprintf("%s %s in %s", sort, *name, s.Region))
			}
		}
	}
	for _, x := range read(s.Stacks.ListStacks(ctx, &cloudformation.ListStacksInput{}))(v).StackSummaries {
		if x.StackStatus != "DELETE_COMPLETE" {
			note("stack", x.StackName)
		}
	}
	for _, x := range read(s.Lambda.ListFunctions(ctx, &lambda.ListFunctionsInput{}))(v).Functions {
		note("function", x.FunctionName)
	}
	for _, x := range read(s.Lambda.ListEventSourceMappings(ctx, &lambda.ListEventSourceMappingsInput{}))(v).EventSourceMappings {
		note("mapping", x.FunctionArn)
	}
	for _, x := range read(s.Scheduler.ListSchedules(ctx, &scheduler.ListSchedulesInput{}))(v).Schedules {
		note("schedule", x.Name)
	}
	for _, x := range read(s.Events.ListEventBuses(ctx, &eventbridge.ListEventBusesInput{}))(v).EventBuses {
		note("bus", x.Name)
	}
	for _, x := range read(s.Events.ListRules(ctx, &eventbridge.ListRulesInput{}))(v).Rules {
		note("rule", x.Name)
	}
	for _, url := range read(s.SQS.ListQueues(ctx, &sqs.ListQueuesInput{}))(v).QueueUrls {
		note("queue", aws.String(url[strings.LastIndex(url, "/")+1:]))
	}
	for _, x := range read(s.SNS.ListTopics(ctx, &sns.ListTopicsInput{}))(v).Topics {
		note("topic", x.TopicArn)
	}
	for _, x := range read(s.SNS.ListSubscriptions(ctx, &sns.ListSubscriptionsInput{}))(v).Subscriptions {
		note("subscription", x.TopicArn)
	}
	for _, x := range read(s.CloudWatch.DescribeAlarms(ctx, &cloudwatch.DescribeAlarmsInput{}))(v).MetricAlarms {
		note("alarm", x.AlarmName)
	}
	for _, x := range read(s.Logs.DescribeLogGroups(ctx, &cloudwatchlogs.DescribeLogGroupsInput{}))(v).LogGroups {
		note("log group", x.LogGroupName)
	}
	for _, x := range read(s.Logs.DescribeMetricFilters(ctx, &cloudwatchlogs.DescribeMetricFiltersInput{}))(v).MetricFilters {
		note("metric filter", x.FilterName)
	}
	for _, x := range read(s.EC2.DescribeFlowLogs(ctx, &ec2.DescribeFlowLogsInput{}))(v).FlowLogs {
		note("flow log to", x.LogGroupName)
		for _, tag := range x.Tags {
			note("flow log with the tag", tag.Key)
		}
	}
	for _, x := range read(s.SSM.DescribeParameters(ctx, &ssm.DescribeParametersInput{}))(v).Parameters {
		if strings.HasPrefix(aws.ToString(x.Name), "/relight/") {
			v.left = append(v.left, "parameter "+*x.Name)
		}
	}
	for _, k := range read(s.KMS.ListKeys(ctx, &kms.ListKeysInput{}))(v).Keys {
		key := read(s.KMS.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: k.KeyId}))(v).KeyMetadata
		if key.KeyState != kmstypes.KeyStatePendingDeletion && strings.Contains(aws.ToString(key.Description), "relight") {
			v.left = append(v.left, "key "+*k.KeyId)
		}
	}
}
