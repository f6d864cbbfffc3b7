package awstest_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	cloudtrailtypes "github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cloudwatchtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	smithy "github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"

	"github.com/relight-aws/relight/internal/awstest"
)

const (
	account = "111122223333"
	home    = "us-east-1"
	role    = "arn:aws:iam::111122223333:role/delivery"
)

func TestContract(t *testing.T) {
	acct := awstest.New(account, home)
	acct.AddRole(role, 0)
	acct.AddBucket("contract-trails")
	acct.OpenBucket("contract-flow-logs", false)
	awstest.Contract(t, awstest.Implementation{
		Clients: acct.Clients,
		Account: account, Region: home, Role: role, TrailRole: role, Bucket: "contract-trails", LogBucket: "contract-flow-logs",
		Function: acct.AddFunction(home, "contract", "live"), Alias: "live",
	})
}

func code(err error) string {
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		return api.ErrorCode()
	}
	return fmt.Sprint(err)
}

func create(acct *awstest.Account, t *testing.T, vpcs ...string) (*ec2.CreateFlowLogsOutput, error) {
	t.Helper()
	return acct.EC2.CreateFlowLogs(t.Context(), &ec2.CreateFlowLogsInput{
		ResourceIds: vpcs, ResourceType: types.FlowLogsResourceTypeVpc, TrafficType: types.TrafficTypeAll,
		LogGroupName: aws.String("g"), DeliverLogsPermissionArn: aws.String(role),
	})
}

// Faults occur in the order in which they were requested, and do not change the
// account.
func TestFaults(t *testing.T) {
	acct := awstest.New(account, home)
	acct.AddVPC(home, "vpc-1", "vpc-2")
	acct.AddRole(role, 1)
	acct.Fail("CreateFlowLogs", "RequestLimitExceeded", "", awstest.AssumeRole)
	acct.Refuse("vpc-1", "InternalError")
	before := acct.State()
	for _, want := range []string{"RequestLimitExceeded", "InvalidParameter", "InvalidParameter"} {
		if _, err := create(acct, t, "vpc-1", "vpc-2"); code(err) != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
	if diff := cmp.Diff(before, acct.State()); diff != "" {
		t.Errorf("refused calls changed (-before +after):\n%s", diff)
	}
	out, err := create(acct, t, "vpc-1", "vpc-2")
	if err != nil || len(out.FlowLogIds) != 1 || len(out.Unsuccessful) != 1 {
		t.Errorf("%+v, %v; want one made, one refused", out, err)
	}
	acct.Deny("CreateFlowLogs")
	if _, err := create(acct, t, "vpc-1"); code(err) != "UnauthorizedOperation" {
		t.Errorf("%v, want UnauthorizedOperation", err)
	}
	acct.Allow("CreateFlowLogs")
	if _, err := create(acct, t, "vpc-1"); err != nil {
		t.Error(err)
	}
	if got := acct.Calls()["CreateFlowLogs"]; got != 6 {
		t.Errorf("%d calls counted, want 6", got)
	}
	if diff := cmp.Diff([]awstest.Write{{"CreateFlowLogs", home, "vpc-2"}, {"CreateFlowLogs", home, "vpc-1"}}, acct.Writes()); diff != "" {
		t.Errorf("writes (-want +got):\n%s", diff)
	}
}

// A role that does not exist cannot be assumed, however long the caller waits.
func TestUnknownRole(t *testing.T) {
	acct := awstest.New(account, home)
	acct.AddVPC(home, "vpc-1")
	for range 3 {
		if _, err := create(acct, t, "vpc-1"); code(err) != "InvalidParameter" {
			t.Errorf("%v, want InvalidParameter", err)
		}
	}
}

// A client token with other parameters is a mistake, not a repetition.
func TestClientTokenMismatch(t *testing.T) {
	acct := awstest.New(account, home)
	acct.AddVPC(home, "vpc-1")
	acct.AddRole(role, 0)
	in := &ec2.CreateFlowLogsInput{
		ResourceIds: []string{"vpc-1"}, ResourceType: types.FlowLogsResourceTypeVpc, TrafficType: types.TrafficTypeAll, ClientToken: aws.String("t"),
		LogGroupName: aws.String("g"), DeliverLogsPermissionArn: aws.String(role),
	}
	if _, err := acct.EC2.CreateFlowLogs(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	in.TrafficType = types.TrafficTypeReject
	if _, err := acct.EC2.CreateFlowLogs(t.Context(), in); code(err) != "IdempotentParameterMismatch" {
		t.Errorf("%v, want IdempotentParameterMismatch", err)
	}
}

// A shared VPC is visible, but cannot get a flow log.
func TestSharedVPC(t *testing.T) {
	acct := awstest.New(account, home)
	acct.AddSharedVPC(home, "vpc-1", "444455556666")
	acct.AddRole(role, 0)
	out, err := create(acct, t, "vpc-1")
	if err != nil || len(out.Unsuccessful) != 1 || *out.Unsuccessful[0].Error.Code != "UnauthorizedOperation" {
		t.Errorf("%+v, %v; want it refused in-band", out, err)
	}
}

// Listings lag writes by the requested number of listings, each counted from
// its first page to its last.
func TestLag(t *testing.T) {
	acct := awstest.New(account, home)
	acct.AddVPC(home, "vpc-1", "vpc-2")
	acct.Lag(2)
	acct.AddVPC(home, "vpc-3")
	for _, want := range []int{2, 2, 3, 3} {
		seen := 0
		for pages := ec2.NewDescribeVpcsPaginator(acct.EC2, &ec2.DescribeVpcsInput{}); pages.HasMorePages(); {
			out, err := pages.NextPage(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			seen += len(out.Vpcs)
		}
		if seen != want {
			t.Errorf("%d VPCs, want %d", seen, want)
		}
	}
}

func TestBadTokens(t *testing.T) {
	acct := awstest.New(account, home)
	_, vpcs := acct.EC2.DescribeVpcs(t.Context(), &ec2.DescribeVpcsInput{NextToken: aws.String("x")})
	_, alarms := acct.CloudWatch.DescribeAlarms(t.Context(), &cloudwatch.DescribeAlarmsInput{NextToken: aws.String("DescribeVpcs/x")})
	_, groups := acct.Logs.DescribeLogGroups(t.Context(), &cloudwatchlogs.DescribeLogGroupsInput{NextToken: aws.String("x")})
	_, few := acct.EC2.DescribeVpcs(t.Context(), &ec2.DescribeVpcsInput{MaxResults: aws.Int32(4)})
	got := []string{code(vpcs), code(alarms), code(groups), code(few)}
	want := []string{"InvalidNextToken", "InvalidNextToken", "InvalidParameterException", "InvalidParameterValue"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("codes (-want +got):\n%s", diff)
	}
}

// An overwritten alarm keeps its state and its tags.
func TestAlarmUpdate(t *testing.T) {
	acct := awstest.New(account, home)
	put := func(tag string) {
		_, err := acct.CloudWatch.PutMetricAlarm(t.Context(), &cloudwatch.PutMetricAlarmInput{
			AlarmName: aws.String("a"), Namespace: aws.String("n"), MetricName: aws.String("m"), Statistic: cloudwatchtypes.StatisticSum,
			Period: aws.Int32(60), EvaluationPeriods: aws.Int32(1), Threshold: aws.Float64(1),
			ComparisonOperator: cloudwatchtypes.ComparisonOperatorGreaterThanThreshold,
			Tags:               []cloudwatchtypes.Tag{{Key: aws.String("by"), Value: aws.String(tag)}},
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	put("first")
	before := acct.State()
	put("second")
	if diff := cmp.Diff(before, acct.State()); diff != "" {
		t.Errorf("tags changed (-before +after):\n%s", diff)
	}
}

func TestAlarmValidation(t *testing.T) {
	bad := map[string]func(*cloudwatch.PutMetricAlarmInput){
		"no name":              func(in *cloudwatch.PutMetricAlarmInput) { in.AlarmName = aws.String("") },
		"no metric":            func(in *cloudwatch.PutMetricAlarmInput) { in.MetricName = nil },
		"two statistics":       func(in *cloudwatch.PutMetricAlarmInput) { in.ExtendedStatistic = aws.String("p90") },
		"odd period":           func(in *cloudwatch.PutMetricAlarmInput) { in.Period = aws.Int32(61) },
		"more than a day":      func(in *cloudwatch.PutMetricAlarmInput) { in.EvaluationPeriods = aws.Int32(1500) },
		"too many datapoints":  func(in *cloudwatch.PutMetricAlarmInput) { in.DatapointsToAlarm = aws.Int32(2) },
		"missing data":         func(in *cloudwatch.PutMetricAlarmInput) { in.TreatMissingData = aws.String("x") },
		"topic elsewhere":      func(in *cloudwatch.PutMetricAlarmInput) { in.AlarmActions = []string{"arn:aws:sns:eu-west-1:1:t"} },
		"action that is no ID": func(in *cloudwatch.PutMetricAlarmInput) { in.AlarmActions = []string{"topic"} },
	}
	acct := awstest.New(account, home)
	for name, change := range bad {
		in := &cloudwatch.PutMetricAlarmInput{
			AlarmName: aws.String("a"), Namespace: aws.String("n"), MetricName: aws.String("m"), Statistic: cloudwatchtypes.StatisticSum,
			Period: aws.Int32(60), EvaluationPeriods: aws.Int32(1), Threshold: aws.Float64(1),
			ComparisonOperator: cloudwatchtypes.ComparisonOperatorGreaterThanThreshold,
		}
		change(in)
		if _, err := acct.CloudWatch.PutMetricAlarm(t.Context(), in); code(err) != "ValidationError" {
			t.Errorf("%s: %v, want ValidationError", name, err)
		}
	}
	if n := len(acct.State()); n != 0 {
		t.Errorf("%d resources were made", n)
	}
}

// Trails are listed in their home region, and as shadow trails elsewhere unless
// the request excludes them.
func TestTrails(t *testing.T) {
	acct := awstest.New(account, home)
	acct.AddRegion("eu-west-1", "opted-in")
	acct.AddTrailTo("everywhere", "group")
	acct.AddTrail(cloudtrailtypes.Trail{Name: aws.String("local"), TrailARN: aws.String("arn:local"), HomeRegion: aws.String(home)})
	tests := []struct {
		region  string
		shadows *bool
		want    int
	}{
		{home, nil, 2},
		{"eu-west-1", nil, 1},
		{"eu-west-1", aws.Bool(true), 1},
		{"eu-west-1", aws.Bool(false), 0},
	}
	for _, tt := range tests {
		out, err := acct.In(tt.region).CloudTrail.DescribeTrails(t.Context(), &cloudtrail.DescribeTrailsInput{IncludeShadowTrails: tt.shadows})
		if err != nil || len(out.TrailList) != tt.want {
			t.Errorf("%+v: %d trails, %v", tt, len(out.TrailList), err)
		}
	}
}

// Regions are separate, and a region that is not opted into refuses every call.
func TestRegions(t *testing.T) {
	acct := awstest.New(account, home)
	acct.AddRegion("eu-west-1", "opted-in")
	acct.AddRegion("af-south-1", "not-opted-in")
	acct.AddVPC("eu-west-1", "vpc-1")
	for region, want := range map[string]string{home: "0 <nil>", "eu-west-1": "1 <nil>", "af-south-1": "0 AuthFailure", "mars-1": "0 AuthFailure"} {
		out, err := acct.In(region).EC2.DescribeVpcs(t.Context(), &ec2.DescribeVpcsInput{})
		n := 0
		if out != nil {
			n = len(out.Vpcs)
		}
		if got := fmt.Sprint(n, " ", code(err)); got != want {
			t.Errorf("%s: %s, want %s", region, got, want)
		}
	}
}

// A protected log group cannot be deleted.
func TestDeletionProtection(t *testing.T) {
	acct := awstest.New(account, home)
	_, err := acct.Logs.CreateLogGroup(t.Context(), &cloudwatchlogs.CreateLogGroupInput{LogGroupName: aws.String("g"), DeletionProtectionEnabled: aws.Bool(true)})
	if err != nil {
		t.Fatal(err)
	}
	_, err = acct.Logs.DeleteLogGroup(t.Context(), &cloudwatchlogs.DeleteLogGroupInput{LogGroupName: aws.String("g")})
	if code(err) != "ValidationException" {
		t.Errorf("%v, want ValidationException", err)
	}
}

// CloudWatch Logs takes only a key that exists, is enabled and admits it. Only
// the code for a closed policy is not in the API reference.
func TestLogGroupKeys(t *testing.T) {
	const key = "arn:aws:kms:us-east-1:111122223333:key/0a1b2c3d-5e6f-4a7b-8c9d-0e1f2a3b4c5d"
	tests := map[string]struct {
		spoil func(*awstest.Account) error
		want  string
	}{
		"usable": {func(acct *awstest.Account) error { acct.AddKey(key); return nil }, "<nil>"},
		"gone":   {func(*awstest.Account) error { return nil }, "InvalidParameterException"},
		"disabled": {func(acct *awstest.Account) error {
			acct.AddKey(key)
			_, err := acct.KMS.DisableKey(t.Context(), &kms.DisableKeyInput{KeyId: aws.String(key)})
			return err
		}, "InvalidParameterException"},
		"closed": {func(acct *awstest.Account) error {
			acct.AddKey(key)
			_, err := acct.KMS.PutKeyPolicy(t.Context(), &kms.PutKeyPolicyInput{KeyId: aws.String(key), Policy: aws.String("{}")})
			return err
		}, "AccessDeniedException"},
	}
	for name, tt := range tests {
		acct := awstest.New(account, home)
		if err := tt.spoil(acct); err != nil {
			t.Fatal(err)
		}
		_, err := acct.Logs.CreateLogGroup(t.Context(), &cloudwatchlogs.CreateLogGroupInput{LogGroupName: aws.String("g"), KmsKeyId: aws.String(key)})
		if code(err) != tt.want {
			t.Errorf("%s, at creation: %v, want %q", name, err, tt.want)
		}
		_, _ = acct.Logs.CreateLogGroup(t.Context(), &cloudwatchlogs.CreateLogGroupInput{LogGroupName: aws.String("g")})
		_, err = acct.Logs.AssociateKmsKey(t.Context(), &cloudwatchlogs.AssociateKmsKeyInput{LogGroupName: aws.String("g"), KmsKeyId: aws.String(key)})
		if code(err) != tt.want {
			t.Errorf("%s, afterwards: %v, want %q", name, err, tt.want)
		}
	}
}

// The race detector checks this test.
func TestConcurrentUse(t *testing.T) {
	acct := awstest.New(account, home)
	acct.AddRole(role, 0)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			id := fmt.Sprintf("vpc-%d", i)
			acct.AddVPC(home, id)
			if _, err := create(acct, t, id); err != nil {
				t.Error(err)
			}
			acct.State()
			acct.Calls()
		})
	}
	wg.Wait()
	if n := len(acct.Writes()); n != 8 {
		t.Errorf("%d writes, want 8", n)
	}
}

// An operation that nobody answers fails, and the error names it. A test may
// answer it, and its answer may call the account.
func TestHandle(t *testing.T) {
	acct := awstest.New(account, home)
	in := &ec2.DescribeImagesInput{ImageIds: []string{"ami-1"}}
	if _, err := acct.EC2.DescribeImages(t.Context(), in); err == nil || !strings.Contains(err.Error(), "does not answer DescribeImages of EC2") {
		t.Errorf("%v, want an error that names the operation", err)
	}
	awstest.Handle(acct, func(ctx context.Context, in *ec2.DescribeImagesInput) (*ec2.DescribeImagesOutput, error) {
		_, err := acct.EC2.DescribeVpcs(ctx, &ec2.DescribeVpcsInput{})
		return &ec2.DescribeImagesOutput{Images: []types.Image{{ImageId: aws.String(in.ImageIds[0])}}}, err
	})
	out, err := acct.EC2.DescribeImages(t.Context(), in)
	if err != nil || len(out.Images) != 1 || *out.Images[0].ImageId != "ami-1" {
		t.Errorf("%+v, %v; want the test's answer", out, err)
	}
	if diff := cmp.Diff(awstest.Calls{"DescribeVpcs": 1}, acct.Calls()); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
}

// A call whose context has ended changes nothing and returns an error.
func TestCanceled(t *testing.T) {
	acct := awstest.New(account, home)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := acct.EC2.CreateVpc(ctx, &ec2.CreateVpcInput{CidrBlock: aws.String("10.0.0.0/16")})
	if !errors.Is(err, context.Canceled) || len(acct.State()) != 0 {
		t.Errorf("%v, %v; want it canceled", err, acct.State())
	}
}
