package probe

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsarn "github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	trailtypes "github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	alarmtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	eventtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	snstypes "github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

// clients are the SDK's clients of one region.
type clients struct {
	ec2        *ec2.Client
	logs       *cloudwatchlogs.Client
	cloudwatch *cloudwatch.Client
	cloudtrail *cloudtrail.Client
	sns        *sns.Client
	sqs        *sqs.Client
	kms        *kms.Client
	iam        *iam.Client
	s3         *s3.Client
	events     *eventbridge.Client
}

func newClients(cfg aws.Config) clients {
	return clients{
		ec2: ec2.NewFromConfig(cfg), logs: cloudwatchlogs.NewFromConfig(cfg), cloudwatch: cloudwatch.NewFromConfig(cfg),
		cloudtrail: cloudtrail.NewFromConfig(cfg), sns: sns.NewFromConfig(cfg), sqs: sqs.NewFromConfig(cfg), kms: kms.NewFromConfig(cfg),
		iam: iam.NewFromConfig(cfg), s3: s3.NewFromConfig(cfg), events: eventbridge.NewFromConfig(cfg),
	}
}

// A kind is one type of resource that a run makes.
type kind struct {
	name string

	// find returns the IDs of what runs made whose tags begin with a prefix.
	find func(ctx context.Context, c *clients, prefix string) ([]string, error)

	// remove removes one resource. It may fail with the code for a missing one.
	remove func(ctx context.Context, c *clients, id string) error
}

// The kinds, in the order in which a run may need them: an earlier one is
// removed after a later one.
func kinds() []kind {
	return []kind{
		queueKind, ruleKind, bucketKind, keyKind, policyKind, roleKind, groupKind, trailKind, topicKind, subscriptionKind, alarmKind, muteKind, vpcKind, flowLogKind,
	}
}

var queueKind = kind{
	"SQS queue",
	func(ctx context.Context, c *clients, prefix string) (found []string, err error) {
		p := sqs.NewListQueuesPaginator(c.sqs, &sqs.ListQueuesInput{QueueNamePrefix: &prefix, MaxResults: aws.Int32(1000)})
		for p.HasMorePages() {
			out, err := p.NextPage(ctx)
			if err != nil {
				return nil, err
			}
			for _, url := range out.QueueUrls {
				tags, err := c.sqs.ListQueueTags(ctx, &sqs.ListQueueTagsInput{QueueUrl: &url})
				if err != nil && !missing(err) {
					return nil, err
				}
				if err == nil && ours(url[strings.LastIndex(url, "/")+1:], tags.Tags[Tag], prefix) {
					found = append(found, url)
				}
			}
		}
		return found, nil
	},
	func(ctx context.Context, c *clients, id string) error {
		if !strings.Contains(id, "/") { // a name, if the answer that has the URL was lost
			out, err := c.sqs.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: &id})
			if err != nil {
				return err
			}
			id = *out.QueueUrl
		}
		_, err := c.sqs.DeleteQueue(ctx, &sqs.DeleteQueueInput{QueueUrl: &id})
		return err
	},
}

// target is the ID of a rule's only target.
const target = "queue"

var ruleKind = kind{
	"EventBridge rule",
	func(ctx context.Context, c *clients, prefix string) (found []string, err error) {
		in := &eventbridge.ListRulesInput{NamePrefix: &prefix}
		for {
			out, err := c.events.ListRules(ctx, in)
			if err != nil {
				return nil, err
			}
			for _, rule := range out.Rules {
				tags, err := c.events.ListTagsForResource(ctx, &eventbridge.ListTagsForResourceInput{ResourceARN: rule.Arn})
				if err != nil && !missing(err) {
					return nil, err
				}
				if err == nil && ours(*rule.Name, tagOf(tags.Tags, func(t eventtypes.Tag) (*string, *string) { return t.Key, t.Value }), prefix) {
					found = append(found, *rule.Name)
				}
			}
			if in.NextToken = out.NextToken; in.NextToken == nil {
				return found, nil
			}
		}
	},
	func(ctx context.Context, c *clients, id string) error {
		if _, err := c.events.RemoveTargets(ctx, &eventbridge.RemoveTargetsInput{Rule: &id, Ids: []string{target}}); err != nil {
			return err
		}
		_, err := c.events.DeleteRule(ctx, &eventbridge.DeleteRuleInput{Name: &id})
		return err
	},
}

var bucketKind = kind{
	"S3 bucket",
	func(ctx context.Context, c *clients, prefix string) (found []string, err error) {
		out, err := c.s3.ListBuckets(ctx, &s3.ListBucketsInput{})
		if err != nil {
			return nil, err
		}
		for _, b := range out.Buckets {
			if !strings.HasPrefix(*b.Name, prefix) {
				continue
			}
			tags, err := c.s3.GetBucketTagging(ctx, &s3.GetBucketTaggingInput{Bucket: b.Name})
			if err != nil && !missing(err) {
				return nil, err
			}
			if err == nil && ours(*b.Name, tagOf(tags.TagSet, func(t s3types.Tag) (*string, *string) { return t.Key, t.Value }), prefix) {
				found = append(found, *b.Name)
			}
		}
		return found, nil
	},
	func(ctx context.Context, c *clients, id string) error {
		p := s3.NewListObjectsV2Paginator(c.s3, &s3.ListObjectsV2Input{Bucket: &id})
		for p.HasMorePages() {
			out, err := p.NextPage(ctx)
			if err != nil {
				return err
			}
			for _, o := range out.Contents {
				if _, err := c.s3.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &id, Key: o.Key}); err != nil {
					return err
				}
			}
		}
		_, err := c.s3.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: &id})
		return err
	},
}

var keyKind = kind{
	"KMS key",
	func(ctx context.Context, c *clients, prefix string) (found []string, err error) {
		p := kms.NewListKeysPaginator(c.kms, &kms.ListKeysInput{})
		for p.HasMorePages() {
			out, err := p.NextPage(ctx)
			if err != nil {
				return nil, err
			}
			for _, key := range out.Keys {
				tags, err := c.kms.ListResourceTags(ctx, &kms.ListResourceTagsInput{KeyId: key.KeyId})
				if err != nil {
					continue // many keys show their tags to their administrators only; a run's key shows them to the account
				}
				tag := tagOf(tags.Tags, func(t kmstypes.Tag) (*string, *string) { return t.TagKey, t.TagValue })
				if !ours(tag, tag, prefix) {
					continue
				}
				state, err := c.kms.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: key.KeyId})
				if err != nil {
					return nil, err
				}
				if state.KeyMetadata.KeyState != kmstypes.KeyStatePendingDeletion {
					found = append(found, *state.KeyMetadata.Arn)
				}
			}
		}
		return found, nil
	},
	func(ctx context.Context, c *clients, id string) error {
		_, err := c.kms.ScheduleKeyDeletion(ctx, &kms.ScheduleKeyDeletionInput{KeyId: &id, PendingWindowInDays: aws.Int32(7)}) // the shortest wait
		if codeOf(err) == "KMSInvalidStateException" {
			return nil // it is scheduled already
		}
		return err
	},
}

var roleKind = kind{
	"IAM role",
	func(ctx context.Context, c *clients, prefix string) (found []string, err error) {
		p := iam.NewListRolesPaginator(c.iam, &iam.ListRolesInput{})
		for p.HasMorePages() {
			out, err := p.NextPage(ctx)
			if err != nil {
				return nil, err
			}
			for _, role := range out.Roles {
				if !strings.HasPrefix(*role.RoleName, prefix) {
					continue
				}
				one, err := c.iam.GetRole(ctx, &iam.GetRoleInput{RoleName: role.RoleName}) // ListRoles shows no tags
				if err != nil && !missing(err) {
					return nil, err
				}
				if err == nil && ours(*role.RoleName, tagOf(one.Role.Tags, func(t iamtypes.Tag) (*string, *string) { return t.Key, t.Value }), prefix) {
					found = append(found, *role.RoleName)
				}
			}
		}
		return found, nil
	},
	func(ctx context.Context, c *clients, id string) error {
		out, err := c.iam.ListRolePolicies(ctx, &iam.ListRolePoliciesInput{RoleName: &id})
		if err != nil {
			return err
		}
		for _, name := range out.PolicyNames {
			if _, err := c.iam.DeleteRolePolicy(ctx, &iam.DeleteRolePolicyInput{RoleName: &id, PolicyName: &name}); err != nil && !missing(err) {
				return err
			}
		}
		_, err = c.iam.DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: &id})
		return err
	},
}

var policyKind = kind{
	"IAM policy",
	func(ctx context.Context, c *clients, prefix string) (found []string, err error) {
		p := iam.NewListPoliciesPaginator(c.iam, &iam.ListPoliciesInput{Scope: "Local"})
		for p.HasMorePages() {
			out, err := p.NextPage(ctx)
			if err != nil {
				return nil, err
			}
			for _, policy := range out.Policies {
				if !strings.HasPrefix(*policy.PolicyName, prefix) {
					continue
				}
				one, err := c.iam.GetPolicy(ctx, &iam.GetPolicyInput{PolicyArn: policy.Arn}) // ListPolicies shows no tags
				if err != nil && !missing(err) {
					return nil, err
				}
				if err == nil && ours(*policy.PolicyName, tagOf(one.Policy.Tags, func(t iamtypes.Tag) (*string, *string) { return t.Key, t.Value }), prefix) {
					found = append(found, *policy.Arn)
				}
			}
		}
		return found, nil
	},
	func(ctx context.Context, c *clients, id string) error {
		out, err := c.iam.ListPolicyVersions(ctx, &iam.ListPolicyVersionsInput{PolicyArn: &id})
		if err != nil {
			return err
		}
		for _, v := range out.Versions {
			if v.IsDefaultVersion {
				continue
			}
			if _, err := c.iam.DeletePolicyVersion(ctx, &iam.DeletePolicyVersionInput{PolicyArn: &id, VersionId: v.VersionId}); err != nil {
				return err
			}
		}
		_, err = c.iam.DeletePolicy(ctx, &iam.DeletePolicyInput{PolicyArn: &id})
		return err
	},
}

var groupKind = kind{
	"log group",
	func(ctx context.Context, c *clients, prefix string) (found []string, err error) {
		p := cloudwatchlogs.NewDescribeLogGroupsPaginator(c.logs, &cloudwatchlogs.DescribeLogGroupsInput{LogGroupNamePrefix: &prefix})
		for p.HasMorePages() {
			out, err := p.NextPage(ctx)
			if err != nil {
				return nil, err
			}
			for _, g := range out.LogGroups {
				tags, err := c.logs.ListTagsForResource(ctx, &cloudwatchlogs.ListTagsForResourceInput{ResourceArn: aws.String(strings.TrimSuffix(*g.Arn, ":*"))})
				if err != nil && !missing(err) {
					return nil, err
				}
				if err == nil && ours(*g.LogGroupName, tags.Tags[Tag], prefix) {
					found = append(found, *g.LogGroupName)
				}
			}
		}
		return found, nil
	},
	func(ctx context.Context, c *clients, id string) error {
		_, err := c.logs.PutLogGroupDeletionProtection(ctx, &cloudwatchlogs.PutLogGroupDeletionProtectionInput{
			LogGroupIdentifier: &id, DeletionProtectionEnabled: aws.Bool(false),
		})
		if missing(err) {
			return err
		}
		_, deletion := c.logs.DeleteLogGroup(ctx, &cloudwatchlogs.DeleteLogGroupInput{LogGroupName: &id})
		return deletion // it fails if the protection is still on
	},
}

var trailKind = kind{
	"CloudTrail trail",
	func(ctx context.Context, c *clients, prefix string) (found []string, err error) {
		out, err := c.cloudtrail.DescribeTrails(ctx, &cloudtrail.DescribeTrailsInput{IncludeShadowTrails: aws.Bool(false)})
		if err != nil {
			return nil, err
		}
		for _, t := range out.TrailList {
			if !strings.HasPrefix(*t.Name, prefix) {
				continue
			}
			tags, err := c.cloudtrail.ListTags(ctx, &cloudtrail.ListTagsInput{ResourceIdList: []string{*t.TrailARN}})
			if err != nil && !missing(err) {
				return nil, err
			}
			if err == nil && len(tags.ResourceTagList) == 1 &&
				ours(*t.Name, tagOf(tags.ResourceTagList[0].TagsList, func(t trailtypes.Tag) (*string, *string) { return t.Key, t.Value }), prefix) {
				found = append(found, *t.Name)
			}
		}
		return found, nil
	},
	func(ctx context.Context, c *clients, id string) error {
		_, err := c.cloudtrail.DeleteTrail(ctx, &cloudtrail.DeleteTrailInput{Name: &id})
		return err
	},
}

var topicKind = kind{
	"SNS topic",
	func(ctx context.Context, c *clients, prefix string) (found []string, err error) {
		p := sns.NewListTopicsPaginator(c.sns, &sns.ListTopicsInput{})
		for p.HasMorePages() {
			out, err := p.NextPage(ctx)
			if err != nil {
				return nil, err
			}
			for _, t := range out.Topics {
				name := (*t.TopicArn)[strings.LastIndex(*t.TopicArn, ":")+1:]
				if !strings.HasPrefix(name, prefix) {
					continue
				}
				tags, err := c.sns.ListTagsForResource(ctx, &sns.ListTagsForResourceInput{ResourceArn: t.TopicArn})
				if err != nil && !missing(err) {
					return nil, err
				}
				if err == nil && ours(name, tagOf(tags.Tags, func(t snstypes.Tag) (*string, *string) { return t.Key, t.Value }), prefix) {
					found = append(found, *t.TopicArn)
				}
			}
		}
		return found, nil
	},
	func(ctx context.Context, c *clients, id string) error {
		// The topic's deletion may leave its subscriptions (D4).
		p := sns.NewListSubscriptionsByTopicPaginator(c.sns, &sns.ListSubscriptionsByTopicInput{TopicArn: &id})
		for p.HasMorePages() {
			out, err := p.NextPage(ctx)
			if err != nil {
				return err
			}
			for _, s := range out.Subscriptions {
				if err := subscriptionKind.remove(ctx, c, aws.ToString(s.SubscriptionArn)); err != nil {
					return err
				}
			}
		}
		_, err := c.sns.DeleteTopic(ctx, &sns.DeleteTopicInput{TopicArn: &id})
		return err
	},
}

// A subscription has no tag. It is a run's own if its topic and its queue both
// have the names that the run gives. Its topic's removal may leave it (D4), so
// it is removed first.
var subscriptionKind = kind{
	"SNS subscription",
	func(ctx context.Context, c *clients, prefix string) (found []string, err error) {
		p := sns.NewListSubscriptionsPaginator(c.sns, &sns.ListSubscriptionsInput{})
		for p.HasMorePages() {
			out, err := p.NextPage(ctx)
			if err != nil {
				return nil, err
			}
			for _, s := range out.Subscriptions {
				topic := aws.ToString(s.TopicArn)
				topic = topic[strings.LastIndex(topic, ":")+1:]
				run, named := strings.CutSuffix(topic, "-topic")
				if named && ours(topic, run, prefix) && strings.HasSuffix(aws.ToString(s.Endpoint), ":"+run+"-queue") {
					found = append(found, aws.ToString(s.SubscriptionArn))
				}
			}
		}
		return found, nil
	},
	func(ctx context.Context, c *clients, id string) error {
		if id == "" || !strings.HasPrefix(id, "arn:") {
			return nil // refused, or pending: it goes with its topic
		}
		_, err := c.sns.Unsubscribe(ctx, &sns.UnsubscribeInput{SubscriptionArn: &id})
		return err
	},
}

var alarmKind = kind{
	"CloudWatch alarm",
	func(ctx context.Context, c *clients, prefix string) (found []string, err error) {
		p := cloudwatch.NewDescribeAlarmsPaginator(c.cloudwatch, &cloudwatch.DescribeAlarmsInput{AlarmNamePrefix: &prefix})
		for p.HasMorePages() {
			out, err := p.NextPage(ctx)
			if err != nil {
				return nil, err
			}
			for _, a := range out.MetricAlarms {
				tags, err := c.cloudwatch.ListTagsForResource(ctx, &cloudwatch.ListTagsForResourceInput{ResourceARN: a.AlarmArn})
				if err != nil && !missing(err) {
					return nil, err
				}
				if err == nil && ours(*a.AlarmName, tagOf(tags.Tags, func(t alarmtypes.Tag) (*string, *string) { return t.Key, t.Value }), prefix) {
					found = append(found, *a.AlarmName)
				}
			}
		}
		return found, nil
	},
	func(ctx context.Context, c *clients, id string) error {
		_, err := c.cloudwatch.DeleteAlarms(ctx, &cloudwatch.DeleteAlarmsInput{AlarmNames: []string{id}})
		return err
	},
}

var muteKind = kind{
	"alarm mute rule",
	func(ctx context.Context, c *clients, prefix string) (found []string, err error) {
		p := cloudwatch.NewListAlarmMuteRulesPaginator(c.cloudwatch, &cloudwatch.ListAlarmMuteRulesInput{})
		for p.HasMorePages() {
			out, err := p.NextPage(ctx)
			if err != nil {
				return nil, err
			}
			for _, m := range out.AlarmMuteRuleSummaries {
				arn := aws.ToString(m.AlarmMuteRuleArn)
				if name := arn[strings.LastIndex(arn, ":")+1:]; ours(name, "", prefix) {
					found = append(found, name)
				}
			}
		}
		return found, nil
	},
	func(ctx context.Context, c *clients, id string) error {
		_, err := c.cloudwatch.DeleteAlarmMuteRule(ctx, &cloudwatch.DeleteAlarmMuteRuleInput{AlarmMuteRuleName: &id})
		return err
	},
}

var vpcKind = kind{
	"VPC",
	func(ctx context.Context, c *clients, prefix string) (found []string, err error) {
		p := ec2.NewDescribeVpcsPaginator(c.ec2, &ec2.DescribeVpcsInput{Filters: tagged})
		for p.HasMorePages() {
			out, err := p.NextPage(ctx)
			if err != nil {
				return nil, err
			}
			for _, v := range out.Vpcs {
				if tag := ec2TagOf(v.Tags); ours(tag, tag, prefix) {
					found = append(found, *v.VpcId)
				}
			}
		}
		return found, nil
	},
	func(ctx context.Context, c *clients, id string) error {
		_, err := c.ec2.DeleteVpc(ctx, &ec2.DeleteVpcInput{VpcId: &id})
		return err
	},
}

var flowLogKind = kind{
	"flow log",
	func(ctx context.Context, c *clients, prefix string) (found []string, err error) {
		p := ec2.NewDescribeFlowLogsPaginator(c.ec2, &ec2.DescribeFlowLogsInput{Filter: tagged})
		for p.HasMorePages() {
			out, err := p.NextPage(ctx)
			if err != nil {
				return nil, err
			}
			for _, fl := range out.FlowLogs {
				if tag := ec2TagOf(fl.Tags); ours(tag, tag, prefix) {
					found = append(found, *fl.FlowLogId)
				}
			}
		}
		return found, nil
	},
	func(ctx context.Context, c *clients, id string) error {
		out, err := c.ec2.DeleteFlowLogs(ctx, &ec2.DeleteFlowLogsInput{FlowLogIds: []string{id}})
		if err != nil {
			return err
		}
		for _, item := range out.Unsuccessful {
			if code := aws.ToString(item.Error.Code); !strings.HasSuffix(code, ".NotFound") {
				return errors.New(code + ": " + aws.ToString(item.Error.Message))
			}
		}
		return nil
	},
}

// tagged are EC2's filters for what has the tag.
var tagged = []ec2types.Filter{{Name: aws.String("tag-key"), Values: []string{Tag}}}

func ec2TagOf(tags []ec2types.Tag) string {
	return tagOf(tags, func(t ec2types.Tag) (*string, *string) { return t.Key, t.Value })
}

// tagOf returns the value of the tag that every resource of a run has, or "".
func tagOf[T any](tags []T, pair func(T) (key, value *string)) string {
	for _, t := range tags {
		if k, v := pair(t); aws.ToString(k) == Tag {
			return aws.ToString(v)
		}
	}
	return ""
}

// number matches the number of a run and, for a named resource, the rest of its
// name.
var number = regexp.MustCompile(`^[a-z2-7]{8}(-[a-z0-9-]+)?$`)

// ours reports whether a name and the value of the tag are those of a run whose
// tag begins with a prefix: "probe-relight-", or the whole tag of one run. A
// resource that cannot show its tag passes "" and counts by its name.
func ours(name, tag, prefix string) bool {
	rest, found := strings.CutPrefix(name, prefix)
	if !found || tag != "" && name != tag && !strings.HasPrefix(name, tag+"-") {
		return false
	}
	if tag == "" && !strings.HasSuffix(name, muteSuffix) {
		return false
	}
	return rest == "" || strings.HasPrefix(rest, "-") || number.MatchString(rest)
}

func (r *run) arn(service, resource string) string {
	a := awsarn.ARN{Partition: r.partition, Service: service, Region: r.AWS.Region, AccountID: r.Account, Resource: resource}
	switch service {
	case "iam":
		a.Region = ""
	case "s3":
		a.Region, a.AccountID = "", ""
	}
	return a.String()
}

// missing reports whether AWS refused a call because the resource is not there.
func missing(err error) bool {
	code := codeOf(err)
	return slices.Contains([]string{
		"ResourceNotFoundException", "ResourceNotFound", "NotFoundException", "NotFound", "NoSuchEntity", "NoSuchEntityException",
		"NoSuchBucket", "NoSuchTagSet", "TrailNotFoundException", "AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist",
	}, code) || strings.HasSuffix(code, ".NotFound")
}
