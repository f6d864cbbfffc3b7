package awsio

import (
	"errors"
	"go/parser"
	"go/token"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	smithy "github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/relight-aws/relight/internal/awstest"
	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/plan"
	"github.com/relight-aws/relight/internal/remedy"
)

// The error of every call names the operation as IAM policies do, and the
// target of the call. So does an error that the SDK finds itself.
func TestErrorsOfCalls(t *testing.T) {
	acct := awstest.New(account, home)
	c := &Cloud{Config: acct.Config(), Kinds: AllKinds(), Want: catalog.Desired{Baseline: catalog.Baseline{Prefix: "ours"}}}
	for _, op := range []string{
		"CreateFlowLogs", "DescribeAlarms", "PutMetricAlarm", "DeleteAlarmMuteRule", "GetAlarmMuteRule", "DescribeLogGroups", "PutMetricFilter", "CreateTrail", "StartLogging",
		"CreateTopic", "Subscribe", "SetSubscriptionAttributes", "DetachRolePolicy", "GetPolicy", "DescribeKey", "GetParameterHistory",
		"DescribeRegions", "DescribeTrails", "Publish",
	} {
		acct.Deny(op)
	}
	const topic, trail, policy = "arn:aws:sns:us-east-1:1:ours", "arn:aws:cloudtrail:us-east-1:1:trail/audit", "arn:aws:iam::1:policy/deny"
	r := c.in(account, home)
	tests := []struct {
		call       func() error
		op, target string
	}{
		{func() error {
			_, err := r.ec2().CreateFlowLogs(t.Context(), &ec2.CreateFlowLogsInput{ResourceIds: []string{"vpc-1"}, ResourceType: "VPC", LogGroupName: aws.String("g")})
			return err
		}, "ec2.CreateFlowLogs", home},
		{func() error {
			_, err := r.cloudwatch().DescribeAlarms(t.Context(), &cloudwatch.DescribeAlarmsInput{AlarmNames: []string{"a"}})
			return err
		}, "cloudwatch.DescribeAlarms", home},
		{func() error {
			_, err := r.cloudwatch().PutMetricAlarm(t.Context(), &cloudwatch.PutMetricAlarmInput{
				AlarmName: aws.String("a"), ComparisonOperator: "GreaterThanThreshold", EvaluationPeriods: aws.Int32(1),
			})
			return err
		}, "cloudwatch.PutMetricAlarm", "a"},
		{func() error {
			_, err := r.readMutes(t.Context(), []plan.MuteRule{{Name: "night"}}, []string{"a"})
			return err
		}, "cloudwatch.GetAlarmMuteRule", "night"},
		{func() error { return r.deleteMuteRule(t.Context(), plan.DeleteMuteRule{Rule: "night"}) }, "cloudwatch.DeleteAlarmMuteRule", "night"},
		{func() error {
			_, err := r.logs().DescribeLogGroups(t.Context(), &cloudwatchlogs.DescribeLogGroupsInput{})
			return err
		}, "logs.DescribeLogGroups", home},
		{func() error {
			_, err := r.logs().DescribeLogGroups(t.Context(), &cloudwatchlogs.DescribeLogGroupsInput{LogGroupNamePrefix: aws.String("g")})
			return err
		}, "logs.DescribeLogGroups", "g"},
		{func() error {
			return r.putFilter(t.Context(), plan.PutFilter{LogGroup: "g", Filter: plan.Filter{Name: "f", Metrics: []plan.Metric{{}}}})
		}, "logs.PutMetricFilter", "f"},
		{func() error {
			_, err := r.logs().PutRetentionPolicy(t.Context(), &cloudwatchlogs.PutRetentionPolicyInput{LogGroupName: aws.String("g")}) // no days
			return err
		}, "logs.PutRetentionPolicy", "g"},
		{func() error { return r.createTrail(t.Context(), plan.CreateTrail{Trail: plan.Trail{ARN: trail}}) }, "cloudtrail.CreateTrail", trail},
		{func() error {
			_, err := r.cloudtrail().StartLogging(t.Context(), &cloudtrail.StartLoggingInput{Name: aws.String(trail)})
			return err
		}, "cloudtrail.StartLogging", trail},
		{func() error { return r.createTopic(t.Context(), plan.CreateTopic{Topic: topic}) }, "sns.CreateTopic", topic},
		{func() error {
			_, err := r.sns().Subscribe(t.Context(), &sns.SubscribeInput{TopicArn: aws.String(topic), Protocol: aws.String("email")})
			return err
		}, "sns.Subscribe", topic},
		{func() error {
			return r.setFilterPolicy(t.Context(), plan.SetFilterPolicy{Subscription: topic + ":1"})
		}, "sns.SetSubscriptionAttributes", topic + ":1"},
		{func() error { return r.detachRolePolicy(t.Context(), plan.DetachRolePolicy{Role: "r", Policy: policy}) }, "iam.DetachRolePolicy", "r"},
		{func() error {
			_, err := r.iam().GetPolicy(t.Context(), &iam.GetPolicyInput{PolicyArn: aws.String(policy)})
			return err
		}, "iam.GetPolicy", policy},
		{func() error {
			_, err := r.kms().DescribeKey(t.Context(), &kms.DescribeKeyInput{KeyId: aws.String("k")})
			return err
		}, "kms.DescribeKey", "k"},
		{func() error {
			_, err := r.ssm().GetParameterHistory(t.Context(), &ssm.GetParameterHistoryInput{Name: aws.String("/p")})
			return err
		}, "ssm.GetParameterHistory", "/p"},
		{func() error { return c.HandOver(t.Context(), home, catalog.HandOver{Repair: catalog.Trails}) }, "lambda.InvokeFunction", "ours-trails"},
	}
	for _, tt := range tests {
		e, ok := errors.AsType[*remedy.Error](tt.call())
		if !ok || e.Op != tt.op || e.Target != tt.target {
			t.Errorf("%v, want one of %s %s", e, tt.op, tt.target)
		}
	}
	_, recall := c.Recall(t.Context(), home, "/p")
	_, _, regions := c.Regions(t.Context(), home)
	_, observe := c.Observe(t.Context(), scope(catalog.Trails))
	for want, err := range map[string]error{
		"ssm.GetParameterHistory /p: ": recall, "ec2.DescribeRegions " + home + ": ": regions, "cloudtrail.DescribeTrails " + home + ": ": observe,
		"cloudtrail.CreateTrail " + trail + ": ": c.Apply(t.Context(), scope(catalog.Trails), []plan.Action{plan.CreateTrail{Trail: plan.Trail{ARN: trail, Bucket: "b"}}})[0].Err,
		"sns.Publish " + topic + ": ":            c.Publish(t.Context(), topic, remedy.Notification{Subject: "s", Message: "m"}),
	} {
		if err == nil || !strings.HasPrefix(err.Error(), want) || strings.Contains(err.Error(), "operation error") {
			t.Errorf("%v, want %s and the cause alone", err, want)
		}
	}
}

// A service without a row in the table of targets has the first text of its input.
func TestTargetOfAnyService(t *testing.T) {
	type input struct {
		Limit        *int32
		RecorderName *string
		Role         *string
		hidden       *string
	}
	r := &region{name: home}
	tests := map[string]struct {
		service string
		input   any
		want    string
	}{
		"first text":  {"config", &input{RecorderName: aws.String("default"), Role: aws.String("role"), hidden: aws.String("x")}, "default"},
		"no text":     {"config", &input{hidden: aws.String("x")}, home},
		"in the list": {"sns", &sns.SetSubscriptionAttributesInput{AttributeName: aws.String("FilterPolicy"), SubscriptionArn: aws.String("arn")}, "arn"},
		"of many":     {"ec2", &ec2.CreateFlowLogsInput{LogGroupName: aws.String("g")}, home},
	}
	for name, tt := range tests {
		if got := r.targetOf(t.Context(), tt.service, tt.input); got != tt.want {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
}

// Every service has the prefix that its grants have, so that an error names the
// action to allow.
func TestPrefixes(t *testing.T) {
	ids := map[string]string{
		"cloudtrail": cloudtrail.ServiceID, "cloudwatch": cloudwatch.ServiceID, "cloudwatchlogs": cloudwatchlogs.ServiceID, "ec2": ec2.ServiceID,
		"iam": iam.ServiceID, "kms": kms.ServiceID, "lambda": lambda.ServiceID, "sns": sns.ServiceID, "sqs": sqs.ServiceID, "ssm": ssm.ServiceID,
		"cloudformation": cloudformation.ServiceID, "eventbridge": eventbridge.ServiceID, "scheduler": scheduler.ServiceID, "s3": s3.ServiceID, "sts": sts.ServiceID,
	}
	granted := map[string]bool{}
	for _, f := range catalog.Functions() {
		for _, g := range catalog.Grants(f, catalog.GrantKeys()...) {
			for _, action := range g.Actions {
				prefix, _, _ := strings.Cut(action, ":")
				granted[prefix] = true
			}
		}
	}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, spec := range file.Imports {
			_, service, ours := strings.Cut(strings.Trim(spec.Path.Value, `"`), "aws-sdk-go-v2/service/")
			service, _, _ = strings.Cut(service, "/") // its types too
			if !ours {
				continue
			}
			if id, known := ids[service]; !known || !granted[prefixOf(id)] {
				t.Errorf("%s imports %s, whose prefix is %q: add it to this test, and to prefixes if its grants have another", name, service, prefixOf(id))
			}
		}
	}
}

// What cannot be read of the memory has the same text each time: a request's ID
// in it would make one standing finding news at every sweep.
func TestUnreadableMemoryIsTheSameTwice(t *testing.T) {
	c, acct := cloud(t)
	acct.Deny("GetParameterHistory")
	text := func() string {
		got, err := c.in(account, home).recallTrail(t.Context())
		if err != nil || got.Unreadable == "" {
			t.Fatalf("%+v, %v; want an unreadable memory", got, err)
		}
		return got.Unreadable
	}
	withID := &remedy.Error{Op: "ssm.GetParameterHistory", Err: &smithyhttp.ResponseError{
		Err: &smithy.GenericAPIError{Code: "AccessDeniedException", Message: "no"}, Response: &smithyhttp.Response{Response: &http.Response{StatusCode: 400}},
	}}
	if got := lasting(withID); got != "ssm.GetParameterHistory: AccessDeniedException: no" {
		t.Errorf("%q has more than the call, the code and the message", got)
	}
	if first := text(); first != text() || !strings.HasPrefix(first, "ssm.GetParameterHistory: AccessDenied") {
		t.Errorf("%q, then %q", first, text())
	}
}

// Each region of each account has its own clients, which are made once.
func TestRegionsOfAccounts(t *testing.T) {
	var c Cloud
	one := c.in(account, home)
	if c.in(account, home) != one {
		t.Error("a region's clients are made again")
	}
	if c.in(account, "eu-west-1") == one || c.in("444455556666", home) == one {
		t.Error("two regions share their clients")
	}
}

// Calls wait for the quota of their account, region and operation.
func TestCallsArePaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &Cloud{Config: awstest.New(account, home).Config(), Pace: &Pace{}}
		start := time.Now()
		for _, where := range []*region{c.in(account, home), c.in("444455556666", home)} {
			for range 10 {
				if _, _, err := where.describeFilters(t.Context(), "g"); err != nil {
					t.Fatal(err)
				}
			}
		}
		if got := time.Since(start); got < 7*time.Second || got > 9*time.Second { // 2 at once, then 2 a second, twice
			t.Errorf("20 reads of filters took %v, want 7 to 9 s", got)
		}
	})
}
