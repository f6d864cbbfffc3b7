package labtest

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/securityhub"
	hubtypes "github.com/aws/aws-sdk-go-v2/service/securityhub/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"github.com/relight-aws/relight/internal/lab"
)

// A policy for one resource allows calls on that resource and on no other.
func TestPoliciesForOneResource(t *testing.T) {
	const region, name = "ap-northeast-1", "pinned"
	place := region + ":" + lab.Account
	ctx, cfg := t.Context(), config(region)
	_, err := cloudwatch.NewFromConfig(cfg).PutMetricAlarm(ctx, alarm(name))
	must(t, err)
	topic, err := sns.NewFromConfig(cfg).CreateTopic(ctx, &sns.CreateTopicInput{Name: aws.String(name)})
	must(t, err)
	_, err = iam.NewFromConfig(cfg).CreateRole(ctx, &iam.CreateRoleInput{
		RoleName: aws.String(name), Path: aws.String("/p/"), AssumeRolePolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[]}`),
	})
	must(t, err)
	newTrailOwner(t, region, "pinned-trail").create()
	id := vpc(t, ec2.NewFromConfig(cfg))
	cli(t, region, "ssm", "put-parameter", "--name", "/pinned", "--type", "String", "--value", "v")
	key := cli(t, region, "kms", "create-key", "--query", "KeyMetadata.KeyId", "--output", "text")
	cli(t, region, "kms", "create-alias", "--alias-name", "alias/pinned", "--target-key-id", key)

	_, err = securityhub.NewFromConfig(cfg).EnableSecurityHub(ctx, &securityhub.EnableSecurityHubInput{})
	must(t, err)

	user := newUser(t, name)
	sdk := config(region, user.key, user.secret, "")
	byCLI := func(call string) func() error { return func() error { return user.run(t, region, call) } }
	tests := []struct {
		name, resource string
		call           func() error
	}{
		{"alarm", "arn:aws:cloudwatch:" + place + ":alarm:pinned", func() error {
			_, err := cloudwatch.NewFromConfig(sdk).DescribeAlarms(ctx, &cloudwatch.DescribeAlarmsInput{AlarmNames: []string{name}})
			return err
		}},
		{"every alarm", "arn:aws:cloudwatch:" + place + ":alarm:*", func() error {
			_, err := cloudwatch.NewFromConfig(sdk).DescribeAlarms(ctx, &cloudwatch.DescribeAlarmsInput{})
			return err
		}},
		{"alarm by JSON", "arn:aws:cloudwatch:" + place + ":alarm:pinned", byCLI("cloudwatch disable-alarm-actions --alarm-names pinned")},
		{"mute rule", "arn:aws:cloudwatch:" + place + ":alarm-mute-rule:pinned", func() error {
			_, err := cloudwatch.NewFromConfig(sdk).DeleteAlarmMuteRule(ctx, &cloudwatch.DeleteAlarmMuteRuleInput{AlarmMuteRuleName: aws.String(name)})
			return err
		}},
		{"log group", "arn:aws:logs:" + place + ":log-group:pinned-trail", func() error {
			_, err := cloudwatchlogs.NewFromConfig(sdk).GetDataProtectionPolicy(ctx, &cloudwatchlogs.GetDataProtectionPolicyInput{LogGroupIdentifier: aws.String("pinned-trail")})
			return err
		}},
		{"VPC", "arn:aws:ec2:" + place + ":vpc/" + id, func() error {
			_, err := ec2.NewFromConfig(sdk).CreateTags(ctx, &ec2.CreateTagsInput{Resources: []string{id}, Tags: []ec2types.Tag{{Key: aws.String("k"), Value: aws.String("v")}}})
			return err
		}},
		{"role", "arn:aws:iam::" + lab.Account + ":role/p/pinned", func() error {
			_, err := iam.NewFromConfig(sdk).GetRole(ctx, &iam.GetRoleInput{RoleName: aws.String(name)})
			return err
		}},
		{"topic", *topic.TopicArn, func() error {
			_, err := sns.NewFromConfig(sdk).SetTopicAttributes(ctx, &sns.SetTopicAttributesInput{TopicArn: topic.TopicArn, AttributeName: aws.String("DisplayName"), AttributeValue: aws.String("d")})
			return err
		}},
		{"trail", "arn:aws:cloudtrail:" + place + ":trail/pinned-trail", func() error {
			_, err := cloudtrail.NewFromConfig(sdk).GetTrailStatus(ctx, &cloudtrail.GetTrailStatusInput{Name: aws.String("pinned-trail")})
			return err
		}},
		{"rule", "arn:aws:events:" + place + ":rule/pinned", func() error {
			_, err := eventbridge.NewFromConfig(sdk).PutRule(ctx, &eventbridge.PutRuleInput{Name: aws.String(name), EventPattern: aws.String(`{"source":["x"]}`)})
			return err
		}},
		{"parameter", "arn:aws:ssm:" + place + ":parameter/pinned", byCLI("ssm get-parameter --name /pinned")},
		{"bucket", "arn:aws:s3:::pinned-trail", byCLI("s3api get-bucket-location --bucket pinned-trail")},
		{"key by its alias", "arn:aws:kms:" + place + ":key/" + key, byCLI("kms describe-key --key-id alias/pinned")},
		{"findings of the account's product", "arn:aws:securityhub:" + place + ":product/" + lab.Account + "/default", func() error {
			_, err := securityhub.NewFromConfig(sdk).BatchImportFindings(ctx, &securityhub.BatchImportFindingsInput{Findings: []hubtypes.AwsSecurityFinding{finding("pinned", region)}})
			return err
		}},
		{"account", "arn:aws:account::" + lab.Account + ":account", byCLI("account get-region-opt-status --region-name us-east-1")},
	}
	for _, tt := range tests {
		user.policy(t, tt.resource)
		if err := tt.call(); err != nil {
			t.Errorf("%s with a policy for it: %v", tt.name, err)
		}
		user.policy(t, tt.resource+"-other")
		if err := tt.call(); err == nil || !denied.MatchString(err.Error()) {
			t.Errorf("%s with a policy for another: %v, want it denied", tt.name, err)
		}
	}
}

// A call on several resources has to be allowed on each.
func TestPoliciesForSeveralResources(t *testing.T) {
	const region = "ap-northeast-1"
	user := newUser(t, "several")
	c := cloudwatch.NewFromConfig(config(region, user.key, user.secret, ""))
	disable := func(names ...string) error {
		_, err := c.DisableAlarmActions(t.Context(), &cloudwatch.DisableAlarmActionsInput{AlarmNames: names})
		return err
	}
	user.policy(t, "arn:aws:cloudwatch:"+region+":"+lab.Account+":alarm:relight-*")
	must(t, disable("relight-a", "relight-b"))
	wantCode(t, disable("relight-a", "other"), "AccessDeniedException")

	user.policy(t, "arn:aws:cloudwatch:"+region+":"+lab.Account+":alarm-mute-rule:*")
	_, err := c.PutAlarmMuteRule(t.Context(), &cloudwatch.PutAlarmMuteRuleInput{
		Name: aws.String("r"), MuteTargets: &cwtypes.MuteTargets{AlarmNames: []string{"relight-a"}},
		Rule: &cwtypes.Rule{Schedule: &cwtypes.Schedule{Expression: aws.String("cron(* * * * *)"), Duration: aws.String("PT1H")}},
	})
	wantCode(t, err, "AccessDeniedException")
}

// A policy may depend on the tags of a flow log.
func TestPolicyForTaggedFlowLogs(t *testing.T) {
	const region = "ap-northeast-1"
	root := ec2.NewFromConfig(config(region))
	in := flowLog(role(t, "flow-tagged", "vpc-flow-logs.amazonaws.com", "logs:*"), vpc(t, root))
	in.TagSpecifications = []ec2types.TagSpecification{{ResourceType: ec2types.ResourceTypeVpcFlowLog, Tags: []ec2types.Tag{{Key: aws.String("owner"), Value: aws.String("me")}}}}
	mine, err := root.CreateFlowLogs(t.Context(), in)
	must(t, err)
	in.TrafficType, in.TagSpecifications = ec2types.TrafficTypeAll, nil
	other, err := root.CreateFlowLogs(t.Context(), in)
	must(t, err)
	user := newUser(t, "tagged")
	user.put(t, `{"Effect":"Allow","Action":"ec2:DeleteFlowLogs","Resource":"arn:aws:ec2:*:`+lab.Account+`:vpc-flow-log/*","Condition":{"StringEquals":{"aws:ResourceTag/owner":"me"}}}`)
	c := ec2.NewFromConfig(config(region, user.key, user.secret, ""))
	_, err = c.DeleteFlowLogs(t.Context(), &ec2.DeleteFlowLogsInput{FlowLogIds: other.FlowLogIds})
	wantCode(t, err, "UnauthorizedOperation")
	_, err = c.DeleteFlowLogs(t.Context(), &ec2.DeleteFlowLogsInput{FlowLogIds: mine.FlowLogIds})
	must(t, err)
}

// denied matches the errors of calls that IAM refuses, in each service's words.
var denied = regexp.MustCompile(`AccessDenied|UnauthorizedOperation|AuthorizationError`)

// An iamUser is a user with an access key and one inline policy.
type iamUser struct{ name, key, secret string }

func newUser(t *testing.T, name string) iamUser {
	t.Helper()
	c := iam.NewFromConfig(config(lab.Region))
	_, err := c.CreateUser(t.Context(), &iam.CreateUserInput{UserName: &name})
	must(t, err)
	key, err := c.CreateAccessKey(t.Context(), &iam.CreateAccessKeyInput{UserName: &name})
	must(t, err)
	return iamUser{name, *key.AccessKey.AccessKeyId, *key.AccessKey.SecretAccessKey}
}

// policy allows the user all actions on one resource.
func (u iamUser) policy(t *testing.T, resource string) {
	t.Helper()
	u.put(t, fmt.Sprintf(`{"Effect":"Allow","Action":"*","Resource":%q}`, resource))
}

// put gives the user a policy with one statement.
func (u iamUser) put(t *testing.T, statement string) {
	t.Helper()
	_, err := iam.NewFromConfig(config(lab.Region)).PutUserPolicy(t.Context(), &iam.PutUserPolicyInput{
		UserName: &u.name, PolicyName: aws.String("p"), PolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[` + statement + `]}`),
	})
	must(t, err)
}

// run makes a call with the AWS CLI as the user.
func (u iamUser) run(t *testing.T, region, call string) error {
	p := cloud.Root()
	p.AccessKey, p.Secret = u.key, u.secret
	cmd := exec.CommandContext(t.Context(), filepath.Join(venv(), "bin", "aws"), strings.Fields(call)...)
	cmd.Env = p.Environ(region)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("aws %s: %w: %s", call, err, out)
	}
	return nil
}
