package awstest_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cloudwatchtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logstypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/google/go-cmp/cmp"

	"github.com/relight-aws/relight/internal/awstest"
)

// must returns the result of a call that cannot fail.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// A clone has what the account had, behaves as the account does, and neither changes
// with the other.
func TestClone(t *testing.T) {
	acct := awstest.New(account, home)
	acct.AddRole(role, 0)
	acct.AddBucket("contract-trails")
	acct.OpenBucket("contract-flow-logs", false)
	acct.AddVPC(home, "vpc-1")
	function := acct.AddFunction(home, "contract", "live")
	must(acct.Logs.CreateLogGroup(t.Context(), &cloudwatchlogs.CreateLogGroupInput{LogGroupName: aws.String("g"), Tags: map[string]string{"a": "b"}}))
	putFilter := func(c *awstest.Account, pattern string) {
		must(c.Logs.PutMetricFilter(t.Context(), &cloudwatchlogs.PutMetricFilterInput{
			LogGroupName: aws.String("g"), FilterName: aws.String("f"), FilterPattern: aws.String(pattern),
			MetricTransformations: []logstypes.MetricTransformation{{MetricNamespace: aws.String("n"), MetricName: aws.String("m"), MetricValue: aws.String("1")}},
		}))
	}
	putFilter(acct, "ERROR")
	must(create(acct, t, "vpc-1"))
	trail := must(acct.CloudTrail.CreateTrail(t.Context(), &cloudtrail.CreateTrailInput{Name: aws.String("audit"), S3BucketName: aws.String("contract-trails")})).TrailARN
	putAlarm := func(c *awstest.Account, threshold float64) {
		must(c.CloudWatch.PutMetricAlarm(t.Context(), &cloudwatch.PutMetricAlarmInput{
			AlarmName: aws.String("a"), Namespace: aws.String("n"), MetricName: aws.String("m"), Statistic: cloudwatchtypes.StatisticSum, Period: aws.Int32(60),
			EvaluationPeriods: aws.Int32(1), Threshold: aws.Float64(threshold), ComparisonOperator: cloudwatchtypes.ComparisonOperatorGreaterThanThreshold,
		}))
	}
	putAlarm(acct, 1)

	before, calls := acct.State(), acct.Calls()
	c := acct.Clone()
	if diff := cmp.Diff(before, c.State()); diff != "" {
		t.Errorf("not the same (-account +clone):\n%s", diff)
	}
	awstest.Contract(t, awstest.Implementation{
		Clients: c.Clients, Account: account, Region: home, Role: role, TrailRole: role, Bucket: "contract-trails", LogBucket: "contract-flow-logs", Function: function, Alias: "live",
	})

	putFilter(c, "WARNING")
	putAlarm(c, 2)
	must(c.CloudTrail.StartLogging(t.Context(), &cloudtrail.StartLoggingInput{Name: trail}))
	must(c.EC2.CreateTags(t.Context(), &ec2.CreateTagsInput{Resources: []string{"vpc-1"}, Tags: []types.Tag{{Key: aws.String("a"), Value: aws.String("b")}}}))
	must(c.EC2.DeleteFlowLogs(t.Context(), &ec2.DeleteFlowLogsInput{FlowLogIds: c.FlowLogs(home, "vpc-1")}))
	must(c.IAM.PutRolePolicy(t.Context(), &iam.PutRolePolicyInput{RoleName: aws.String("delivery"), PolicyName: aws.String("p"), PolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]}`)}))
	c.AddTopic(home, "topic", 1)
	changed := c.State()
	if diff := cmp.Diff(before, acct.State()); diff != "" {
		t.Errorf("the account changed with its clone (-before +after):\n%s", diff)
	}
	if diff := cmp.Diff(calls, acct.Calls()); diff != "" {
		t.Errorf("the account counts its clone's calls (-before +after):\n%s", diff)
	}
	putFilter(acct, "FATAL")
	acct.AddVPC(home, "vpc-2")
	if diff := cmp.Diff(changed, c.State()); diff != "" {
		t.Errorf("the clone changed with the account (-before +after):\n%s", diff)
	}
}
