package probe

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	alarmtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logstypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"github.com/relight-aws/relight/internal/catalog"
)

// rights is the name of a role's only inline policy.
const rights = "rights"

// roles makes a role that flow logs and trails may use, and one that they may
// not.
func (r *run) roles(ctx context.Context) error {
	services := []string{"vpc-flow-logs.amazonaws.com", "cloudtrail.amazonaws.com"}
	err := r.role(ctx, "role", &r.roleARN, services)
	err = errors.Join(err, r.role(ctx, "locked", &r.lockedARN, []string{"ec2.amazonaws.com"}))
	if err != nil {
		return err
	}
	if r.policyARN != "" {
		_ = r.spread(ctx, func() error { // only its record counts
			_, err := r.iam.PutRolePermissionsBoundary(ctx, &iam.PutRolePermissionsBoundaryInput{
				RoleName: aws.String(r.name("locked")), PermissionsBoundary: &r.policyARN,
			})
			return err
		})
	}
	name := r.name("role")
	policy := document(map[string]any{
		"Effect": "Allow", "Resource": "*",
		"Action": []string{"logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogGroups", "logs:DescribeLogStreams"},
	})
	if _, err := r.iam.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: &name, PolicyName: aws.String(rights), PolicyDocument: &policy}); err != nil {
		return err
	}
	reads := 0
	took, shown, err := r.until(ctx, min(propagation, r.Wait), func() (bool, error) {
		reads++
		_, err := r.iam.GetRolePolicy(ctx, &iam.GetRolePolicyInput{RoleName: &name, PolicyName: aws.String(rights)})
		if missing(err) {
			return false, nil
		}
		return err == nil, err
	})
	if err != nil {
		return err
	}
	r.saw("iam-reads-lag", shown, "GetRolePolicy showed a new policy after %d reads, %s: %t", reads, round(took), shown)
	r.measured("iam-reads-lag", took)
	return nil
}

// role makes a role that services may assume.
func (r *run) role(ctx context.Context, suffix string, arn *string, services []string) error {
	name := r.name(suffix)
	return r.make(ctx, roleKind, name, func(ctx context.Context) (string, error) {
		trust := document(map[string]any{"Effect": "Allow", "Principal": map[string]any{"Service": services}, "Action": "sts:AssumeRole"})
		out, err := r.iam.CreateRole(ctx, &iam.CreateRoleInput{
			RoleName: &name, AssumeRolePolicyDocument: &trust, Tags: []iamtypes.Tag{{Key: aws.String(Tag), Value: &r.tag}},
		})
		if err != nil {
			return "", err
		}
		*arn = *out.Role.Arn
		return "", nil
	})
}

// policyVersions makes a policy with two versions, for the records of these
// calls. It comes before the roles, because one of them is bounded by it.
func (r *run) policyVersions(ctx context.Context) error {
	name := r.name("policy")
	arn := r.arn("iam", "policy/"+name)
	allow := func(action string) *string {
		return aws.String(document(map[string]any{"Effect": "Allow", "Action": action, "Resource": "*"}))
	}
	err := r.make(ctx, policyKind, arn, func(ctx context.Context) (string, error) {
		_, err := r.iam.CreatePolicy(ctx, &iam.CreatePolicyInput{
			PolicyName: &name, PolicyDocument: allow("logs:DescribeLogGroups"), Tags: []iamtypes.Tag{{Key: aws.String(Tag), Value: &r.tag}},
		})
		return "", err
	})
	if err != nil {
		return err
	}
	r.policyARN = arn
	version, err := r.iam.CreatePolicyVersion(ctx, &iam.CreatePolicyVersionInput{
		PolicyArn: &arn, PolicyDocument: allow("logs:DescribeLogStreams"), SetAsDefault: false,
	})
	if err != nil {
		return err
	}
	_, err = r.iam.SetDefaultPolicyVersion(ctx, &iam.SetDefaultPolicyVersionInput{PolicyArn: &arn, VersionId: version.PolicyVersion.VersionId})
	return err
}

// key makes a key that CloudTrail and CloudWatch Logs may use.
func (r *run) key(ctx context.Context) error {
	policy := document(map[string]any{
		"Effect": "Allow", "Action": "kms:*", "Resource": "*",
		"Principal": map[string]any{"AWS": r.arn("iam", "root"), "Service": []string{"cloudtrail.amazonaws.com", logsPrincipal(r.AWS.Region)}},
	})
	return r.make(ctx, keyKind, "", func(ctx context.Context) (string, error) {
		out, err := r.kms.CreateKey(ctx, &kms.CreateKeyInput{
			Policy: &policy, Description: aws.String("relight probe, to be deleted"),
			Tags: []kmstypes.Tag{{TagKey: aws.String(Tag), TagValue: &r.tag}},
		})
		if err != nil {
			return "", err
		}
		r.keyARN = *out.KeyMetadata.Arn
		return r.keyARN, nil
	})
}

// logsPrincipal returns the service principal of CloudWatch Logs in a region.
// Source: terraform-provider-aws, aws_service_principal, which follows the
// region-info of the CDK.
func logsPrincipal(region string) string {
	domain := "amazonaws.com"
	switch in, _ := catalog.PartitionOf(region); in.ID {
	case "aws-cn":
		domain = "amazonaws.com.cn"
	case "aws-iso":
		domain = "c2s.ic.gov"
	case "aws-iso-b":
		domain = "sc2s.sgov.gov"
	}
	return "logs." + region + "." + domain
}

// group makes a log group.
func (r *run) group(ctx context.Context, suffix string, class logstypes.LogGroupClass, key string) error {
	name := r.name(suffix)
	return r.make(ctx, groupKind, name, func(ctx context.Context) (string, error) {
		in := &cloudwatchlogs.CreateLogGroupInput{LogGroupName: &name, LogGroupClass: class, Tags: map[string]string{Tag: r.tag}}
		if key != "" {
			in.KmsKeyId = &key
		}
		_, err := r.logs.CreateLogGroup(ctx, in)
		return "", err
	})
}

// logGroups makes log groups of two classes and calls what relight restores
// them with.
func (r *run) logGroups(ctx context.Context) error {
	out, err := r.logs.DescribeLogGroups(ctx, &cloudwatchlogs.DescribeLogGroupsInput{LogGroupNamePrefix: aws.String(r.name("none"))})
	if err != nil {
		r.accepted("no-group-is-no-error", err)
	} else {
		r.saw("no-group-is-no-error", len(out.LogGroups) == 0, "%d log groups and no error", len(out.LogGroups))
	}
	if err := r.group(ctx, "logs", logstypes.LogGroupClassStandard, ""); err != nil {
		return err
	}
	group := aws.String(r.name("logs"))
	transformer, err := r.logs.GetTransformer(ctx, &cloudwatchlogs.GetTransformerInput{LogGroupIdentifier: group})
	if err == nil {
		r.saw("no-transformer-is-an-error", false, "an answer with %d processors", len(transformer.TransformerConfig))
	} else {
		r.refusal("no-transformer-is-an-error", err, "ResourceNotFoundException")
	}
	if err := r.group(ctx, "rare", logstypes.LogGroupClassInfrequentAccess, ""); err == nil {
		_, err := r.logs.PutMetricFilter(ctx, &cloudwatchlogs.PutMetricFilterInput{
			LogGroupName: aws.String(r.name("rare")), FilterName: aws.String(r.name("filter")), FilterPattern: aws.String("probe"),
			MetricTransformations: []logstypes.MetricTransformation{{
				MetricName: aws.String("probe"), MetricNamespace: &r.tag, MetricValue: aws.String("1"),
			}},
		})
		r.refusal("filter-on-infrequent-access", err, "InvalidOperationException")
	}
	if _, err := r.logs.PutLogGroupDeletionProtection(ctx, &cloudwatchlogs.PutLogGroupDeletionProtectionInput{
		LogGroupIdentifier: group, DeletionProtectionEnabled: aws.Bool(true),
	}); err == nil {
		_, err := r.logs.DeleteLogGroup(ctx, &cloudwatchlogs.DeleteLogGroupInput{LogGroupName: group})
		r.refusal("protected-group-code", err, "ValidationException")
	} else {
		r.unseen("protected-group-code", said(err))
	}
	// Only the records of these calls count.
	_, key := r.logs.AssociateKmsKey(ctx, &cloudwatchlogs.AssociateKmsKeyInput{LogGroupName: group, KmsKeyId: &r.keyARN})
	_, transform := r.logs.PutTransformer(ctx, &cloudwatchlogs.PutTransformerInput{
		LogGroupIdentifier: group, TransformerConfig: []logstypes.Processor{{ParseJSON: &logstypes.ParseJSON{}}},
	})
	_, mask := r.logs.PutDataProtectionPolicy(ctx, &cloudwatchlogs.PutDataProtectionPolicyInput{LogGroupIdentifier: group, PolicyDocument: r.masking()})
	return errors.Join(key, transform, mask)
}

// masking returns a data protection policy. Source: CloudWatch Logs API
// Reference, PutDataProtectionPolicy.
func (r *run) masking() *string {
	id := "arn:" + r.partition + ":dataprotection::aws:data-identifier/EmailAddress"
	return aws.String(`{"Name":"probe","Version":"2021-06-01","Statement":[` +
		`{"Sid":"audit","DataIdentifier":["` + id + `"],"Operation":{"Audit":{"FindingsDestination":{}}}},` +
		`{"Sid":"mask","DataIdentifier":["` + id + `"],"Operation":{"Deidentify":{"MaskConfig":{}}}}]}`)
}

// muteSuffix ends the name of the run's mute rule, which cannot show its tag.
const muteSuffix = "-mute"

// alarms makes an alarm and mutes it.
func (r *run) alarms(ctx context.Context) error {
	tags := []alarmtypes.Tag{{Key: aws.String(Tag), Value: &r.tag}}
	alarm := func(suffix string, actions ...string) error {
		name := r.name(suffix)
		return r.make(ctx, alarmKind, name, func(ctx context.Context) (string, error) {
			_, err := r.cloudwatch.PutMetricAlarm(ctx, &cloudwatch.PutMetricAlarmInput{
				AlarmName: &name, MetricName: aws.String("probe"), Namespace: &r.tag, Statistic: alarmtypes.StatisticSum,
				Period: aws.Int32(300), EvaluationPeriods: aws.Int32(1), Threshold: aws.Float64(1), TreatMissingData: aws.String("notBreaching"),
				ComparisonOperator: alarmtypes.ComparisonOperatorGreaterThanOrEqualToThreshold, AlarmActions: actions, Tags: tags,
			})
			return "", err
		})
	}
	elsewhere := "us-west-2"
	if r.AWS.Region == elsewhere {
		elsewhere = "us-east-1"
	}
	there := strings.Replace(r.topicARN, ":"+r.AWS.Region+":", ":"+elsewhere+":", 1)
	r.refusal("alarm-action-in-another-region", alarm("elsewhere", there), "ValidationError")
	if err := alarm("alarm"); err != nil {
		return err
	}
	mute := r.tag + muteSuffix
	if err := r.make(ctx, muteKind, mute, func(ctx context.Context) (string, error) {
		_, err := r.cloudwatch.PutAlarmMuteRule(ctx, &cloudwatch.PutAlarmMuteRuleInput{
			Name: &mute, Tags: tags, MuteTargets: &alarmtypes.MuteTargets{AlarmNames: []string{r.name("alarm")}},
			Rule: &alarmtypes.Rule{Schedule: &alarmtypes.Schedule{Expression: aws.String("cron(* * * * *)"), Duration: aws.String("PT1H")}},
		})
		return "", err
	}); err != nil {
		return err
	}
	out, err := r.cloudwatch.ListAlarmMuteRules(ctx, &cloudwatch.ListAlarmMuteRulesInput{
		AlarmName: aws.String(r.name("alarm")),
		Statuses:  []alarmtypes.AlarmMuteRuleStatus{alarmtypes.AlarmMuteRuleStatusActive, alarmtypes.AlarmMuteRuleStatusScheduled},
	})
	if err != nil {
		return err
	}
	r.saw("mute-rules-by-alarm", len(out.AlarmMuteRuleSummaries) > 0, "%d rules", len(out.AlarmMuteRuleSummaries))
	return nil
}

// topic deletes a topic that has a subscription and makes it again.
func (r *run) topic(ctx context.Context) error {
	if err := r.makeTopic(ctx); err != nil {
		return err
	}
	subscribe := func(protocol, endpoint string) error {
		return r.make(ctx, subscriptionKind, "", func(ctx context.Context) (string, error) {
			out, err := r.sns.Subscribe(ctx, &sns.SubscribeInput{
				TopicArn: &r.topicARN, Protocol: &protocol, Endpoint: &endpoint, ReturnSubscriptionArn: true,
			})
			if err != nil {
				return "", err
			}
			if protocol == "sqs" {
				r.subscription = *out.SubscriptionArn
			}
			return *out.SubscriptionArn, nil
		})
	}
	given := "https://Relight-Probe.example.com/Path" // RFC 2606 reserves the name; nobody confirms it
	if err := subscribe("https", given); err != nil {
		r.unseen("endpoint-keeps-its-case", said(err))
	} else if out, err := r.sns.ListSubscriptionsByTopic(ctx, &sns.ListSubscriptionsByTopicInput{TopicArn: &r.topicARN}); err == nil {
		for _, s := range out.Subscriptions {
			if e := aws.ToString(s.Endpoint); strings.EqualFold(e, given) {
				r.saw("endpoint-keeps-its-case", e == given, "given %s, listed %s", given, e)
			}
		}
	}
	if err := subscribe("sqs", r.queueARN); err != nil {
		return err
	}
	if _, err := r.sns.DeleteTopic(ctx, &sns.DeleteTopicInput{TopicArn: &r.topicARN}); err != nil {
		return err
	}
	r.topicDeleted = time.Now()
	_, err := r.sns.GetSubscriptionAttributes(ctx, &sns.GetSubscriptionAttributesInput{SubscriptionArn: &r.subscription})
	r.accepted("subscription-outlives-topic", err)
	if missing(err) {
		r.saw("old-subscription-lasts", false, "gone at once")
	}
	if err := r.makeTopic(ctx); err != nil {
		return err
	}
	list, err := r.sns.ListSubscriptionsByTopic(ctx, &sns.ListSubscriptionsByTopicInput{TopicArn: &r.topicARN})
	if err != nil {
		return err
	}
	r.saw("recreated-topic-lists-nothing", len(list.Subscriptions) == 0, "%d subscriptions", len(list.Subscriptions))
	text := "message after the topic was made again"
	if _, err := r.sns.Publish(ctx, &sns.PublishInput{TopicArn: &r.topicARN, Message: &text}); err != nil {
		return err
	}
	_, ok, err := r.arrived(ctx, min(time.Minute, r.Wait), func(e event) bool { return e.Message == text })
	if err == nil {
		r.saw("recreated-topic-reaches-old-subscription", ok, "the message arrived: %t", ok)
	}
	return err
}

func (r *run) makeTopic(ctx context.Context) error {
	name := r.name("topic")
	return r.make(ctx, topicKind, r.topicARN, func(ctx context.Context) (string, error) {
		_, err := r.sns.CreateTopic(ctx, &sns.CreateTopicInput{Name: &name, Tags: snsTags(r.tag)})
		return "", err
	})
}

// oldSubscription checks the deleted topic's subscription once more.
func (r *run) oldSubscription(ctx context.Context) error {
	if _, done := r.results["old-subscription-lasts"]; done {
		return nil
	}
	if r.topicDeleted.IsZero() {
		return errors.New("no topic was deleted")
	}
	_, there, err := r.until(ctx, min(r.Wait, max(0, time.Minute-time.Since(r.topicDeleted))), func() (bool, error) {
		_, err := r.sns.GetSubscriptionAttributes(ctx, &sns.GetSubscriptionAttributesInput{SubscriptionArn: &r.subscription})
		return missing(err), ctx.Err()
	})
	if err != nil {
		return err
	}
	age := time.Since(r.topicDeleted)
	switch {
	case there:
		r.saw("old-subscription-lasts", age > time.Minute, "gone when the topic had been deleted for %s", round(age))
	case age > time.Minute:
		r.saw("old-subscription-lasts", true, "there when the topic had been deleted for %s", round(age))
	default:
		r.unseen("old-subscription-lasts", fmt.Sprintf("still there after %s; the run waits no longer", round(age)))
		return nil
	}
	r.measured("old-subscription-lasts", age)
	return nil
}

// closedRegions makes reading calls in a region that the account has not
// enabled.
func (r *run) closedRegions(ctx context.Context) error {
	out, err := r.ec2.DescribeRegions(ctx, &ec2.DescribeRegionsInput{AllRegions: aws.Bool(true)})
	if err != nil {
		return err
	}
	cfg := r.AWS.Copy()
	cfg.Region = ""
	for _, region := range out.Regions {
		if aws.ToString(region.OptInStatus) == "not-opted-in" {
			cfg.Region = *region.RegionName
		}
	}
	if cfg.Region == "" {
		return errors.New("the account has enabled every region")
	}
	c := newClients(cfg)
	_, err = c.ec2.DescribeVpcs(ctx, &ec2.DescribeVpcsInput{})
	r.refusal("closed-region-ec2", err, "AuthFailure")
	_, err = c.logs.DescribeLogGroups(ctx, &cloudwatchlogs.DescribeLogGroupsInput{})
	r.refusal("closed-region-logs", err, "UnrecognizedClientException")
	_, err = c.sns.GetTopicAttributes(ctx, &sns.GetTopicAttributesInput{TopicArn: aws.String(strings.Replace(r.topicARN, ":"+r.AWS.Region+":", ":"+cfg.Region+":", 1))})
	r.refusal("closed-region-sns", err, "InvalidClientTokenId")
	_, err = c.cloudwatch.DescribeAlarms(ctx, &cloudwatch.DescribeAlarmsInput{})
	r.refusal("closed-region-cloudwatch", err, "InvalidClientTokenId")
	return ctx.Err()
}
