package catalog

import (
	"reflect"
	"slices"
	"strings"
)

// A Grant is one statement of a function's policy. Names in ${} are the In…
// constants here and in deployment.go. The stack replaces them by values.
type Grant struct {
	Actions   []string
	Resources []string
	Condition map[string]map[string]string // operator to key to value; nil for none
	If        string                       // the configuration key that the statement requires; "" if every deployment has the statement
	Why       string                       // why the resource is not narrower, or why the statement is needed although few runs use it
	Hub       string                       // why the role in a guarded account of an organisation lacks the statement; "" if it has it
}

// These placeholders are in the resources and conditions of a Grant.
const (
	InPartition     = "${partition}"
	InAccount       = "${account}"
	InRegion        = "${region}"          // the home region
	InPrefix        = "${prefix}"          // Baseline.Prefix
	InTrailLogGroup = "${trail-log-group}" // the configured name, or "*" if relight discovers it at run time
	InTrailRole     = "${trail-role}"      // ARN of the configured role, or of any role if relight discovers it at run time
	InDeliveryRole  = "${delivery-role}"   // ARN
	InDeliveryName  = "${delivery-role-name}"
	InScheduleRole  = "${schedule-role}" // ARN of the role with which the schedule sweeps
	InTopic         = "${topic}"         // ARN
	InKey           = "${key}"           // ARN of the key that encrypts the topic
	InLastResort    = "${last-resort}"   // ARN of the topic of last resort
	InFarTopic      = "${far-topic}"     // ARN of the configured topic that carries the same
	InSpokeRole     = "${spoke-role}"    // the name of the role in guarded accounts
	InOrganization  = "${organization}"  // the ID of the organisation
	InSweepResults  = "${sweep-results}" // ARN of the bucket with what the sweeps of guarded accounts came to
)

const arn = "arn:" + InPartition + ":"

// These say why a guarded account has no such statement.
const (
	hubMemory = "relight remembers all accounts in the hub, where nobody of a guarded account can write"
	hubStack  = "only the hub has functions, schedules, mappings, a bus and the queues of functions; a guarded account has the rules and the queue of forwarders"
	hubTopics = "only the hub notifies people, from its own topics and bus"
)

var (
	trails   = arn + "cloudtrail:" + InRegion + ":" + InAccount + ":trail/*"
	memories = arn + "ssm:" + InRegion + ":" + InAccount + ":parameter/" + InPrefix + "/memory/*"
)

// trailReads lets a kind read what the trails do among which relight chooses.
var trailReads = Grant{
	Actions:   []string{"cloudtrail:GetTrailStatus", "cloudtrail:GetEventSelectors"},
	Resources: []string{arn + "cloudtrail:*:*:trail/*"},
	Why:       "GetTrailStatus is for doubt, and GetEventSelectors is for doubt: if several trails qualify, relight chooses by what they do; an organisation's trail, which may have another home region, belongs to the management account",
}

// trailList lets a kind find the account's trail.
var trailList = Grant{
	Actions:   []string{"cloudtrail:DescribeTrails", "logs:DescribeLogGroups"},
	Resources: []string{"*"},
	Why:       "AWS does not support resources for these listings",
}

// recall lets a kind read what relight remembers of the trail.
func recall(why string) Grant {
	return Grant{Actions: []string{"ssm:GetParameterHistory"}, Resources: []string{memories}, Why: why, Hub: hubMemory}
}

var trailLogGroup = arn + "logs:" + InRegion + ":" + InAccount + ":log-group:" + InTrailLogGroup

// managedPolicies matches every managed policy of the account.
const managedPolicies = arn + "iam::" + InAccount + ":policy/*"

// roleReads lets a function read the delivery role and the policies on it.
var roleReads = []Grant{
	{
		Actions:   []string{"iam:GetRole", "iam:GetRolePolicy", "iam:ListRolePolicies", "iam:ListAttachedRolePolicies"},
		Resources: []string{InDeliveryRole},
	},
	{
		Actions:   []string{"iam:GetRole"},
		Resources: []string{arn + "iam::" + InAccount + ":role/*/" + InDeliveryName},
		Why:       "GetRole is for a role at another path that has the delivery role's name: relight cannot create its own beside that one, and names it to people",
	},
	{
		Actions:   []string{"iam:GetPolicy", "iam:GetPolicyVersion"},
		Resources: []string{managedPolicies, arn + "iam::aws:policy/*"},
		Why:       "relight learns only at run time which managed policies are attached to the delivery role; GetPolicy is for an attached policy or the boundary, and GetPolicyVersion is for its document",
	},
}

// kindGrants returns the actions that each kind needs to observe and repair. It is a
// function so that what asks for no grants does not build them at its start.
// Source of the resource types: AWS Service Authorization Reference.
func kindGrants() map[Kind][]Grant {
	return map[Kind][]Grant{
		DeliveryRoles: append(slices.Clone(roleReads), Grant{
			Actions: []string{"ssm:GetParameterHistory"}, Resources: []string{memories}, If: KeyOrganization, Hub: hubMemory,
			Why: "GetParameterHistory is for whether the organisational units above an account have it guarded",
		}),
		FlowLogs: append([]Grant{
			{
				Actions:   []string{"kms:DescribeKey"},
				Resources: []string{arn + "kms:*:" + InAccount + ":key/*"},
				Why:       "DescribeKey is for finding out why relight's own flow log cannot deliver; like the reads of the delivery role, it is used only if a delivery has FAILED, and in a sweep if a log group has a key",
			},
			groupKeyPolicy,
			{
				Actions:   []string{"logs:DescribeAccountPolicies"},
				Resources: []string{"*"},
				Why:       "DescribeAccountPolicies is for what rewrites flow log records, in sweeps; AWS does not support resources for these listings",
			},
			{
				Actions:   []string{"ec2:DescribeVpcs", "ec2:DescribeFlowLogs"},
				Resources: []string{"*"},
				Why:       "EC2 does not support resources for these reads",
			},
			{
				Actions: []string{"ec2:CreateFlowLogs"},
				Resources: []string{
					arn + "ec2:*:" + InAccount + ":vpc/*",
					arn + "ec2:*:" + InAccount + ":vpc-flow-log/*",
				},
				Why: "any VPC of the account may lose its flow log, in any region",
			},
			{
				Actions:   []string{"ec2:CreateTags"},
				Resources: []string{arn + "ec2:*:" + InAccount + ":vpc-flow-log/*"},
				Why:       "CreateTags is checked inside CreateFlowLogs, and CreateTags is for relight's own flow log whose tag somebody removed, in any region",
			},
			{
				Actions:   []string{"ec2:DeleteFlowLogs"},
				Resources: []string{arn + "ec2:*:" + InAccount + ":vpc-flow-log/*"},
				Condition: map[string]map[string]string{"StringEquals": {"aws:ResourceTag/" + OwnerTag: InPrefix}},
				Why:       "relight deletes only its own flow logs, which have its tag: those of a deleted VPC, and in a sweep those that another flow log has replaced",
			},
			{
				Actions:   []string{"iam:PassRole"},
				Resources: []string{InDeliveryRole},
				Condition: map[string]map[string]string{"StringEquals": {"iam:PassedToService": "vpc-flow-logs.amazonaws.com"}},
				Why:       "PassRole is checked inside CreateFlowLogs, and relight never calls it",
			},
			{
				Actions:   []string{"ec2:DescribeSubnets"},
				Resources: []string{"*"},
				If:        KeySubnets,
				Why:       "EC2 does not support resources for this read",
			},
			{
				Actions:   []string{"ec2:CreateFlowLogs"},
				Resources: []string{arn + "ec2:*:" + InAccount + ":subnet/*"},
				If:        KeySubnets,
				Why:       "a tag may choose any subnet of the account, in any region",
			},
			{
				Actions:   []string{"ec2:DescribeNetworkInterfaces"},
				Resources: []string{"*"},
				If:        KeyInterfaces,
				Why:       "EC2 does not support resources for this read",
			},
			{
				Actions:   []string{"ec2:CreateFlowLogs"},
				Resources: []string{arn + "ec2:*:" + InAccount + ":network-interface/*"},
				If:        KeyInterfaces,
				Why:       "a tag may choose any network interface of the account, in any region",
			},
			{
				Actions:   []string{"logs:CreateLogDelivery", "logs:DeleteLogDelivery"},
				Resources: []string{"*"},
				If:        KeyToBucket,
				Why:       "CreateLogDelivery is checked inside CreateFlowLogs to a bucket and DeleteLogDelivery is checked inside DeleteFlowLogs, and relight calls neither; AWS does not support resources for them",
			},
			{
				Actions:   []string{"s3:GetBucketPolicy"},
				Resources: []string{InFlowLogBuckets},
				If:        KeyToBucket,
				Why:       "GetBucketPolicy is for whether the buckets of relight's own flow logs admit them; relight may not write a bucket's policy, and so EC2 cannot overwrite one in its name",
			},
			{
				Actions:   []string{"logs:CreateLogDelivery", "logs:DeleteLogDelivery"},
				Resources: []string{"*"},
				If:        KeyToStream,
				Why:       "CreateLogDelivery is checked inside CreateFlowLogs to a stream and DeleteLogDelivery is checked inside DeleteFlowLogs, and relight calls neither; AWS does not support resources for them",
			},
			{
				Actions:   []string{"firehose:TagDeliveryStream"},
				Resources: []string{InFlowLogStreams},
				If:        KeyToStream,
				Why:       "TagDeliveryStream is checked inside CreateFlowLogs: AWS tags the stream so that the service-linked role of log delivery may write to it",
			},
			{
				Actions:   []string{"iam:CreateServiceLinkedRole"},
				Resources: []string{arn + "iam::" + InAccount + ":role/aws-service-role/" + LogDeliveryService + "/*"},
				If:        KeyToStream,
				Why:       "CreateServiceLinkedRole is checked inside the first CreateFlowLogs to a stream of the account",
			},
			{
				Actions:   []string{"iam:PassRole"},
				Resources: []string{InFlowLogRoles},
				Condition: map[string]map[string]string{"StringEquals": {"iam:PassedToService": LogDeliveryService}},
				If:        KeyToAccount,
				Why:       "PassRole is checked inside CreateFlowLogs to a stream of another account, and relight never calls it",
			},
			{
				Actions:   []string{"logs:DescribeLogGroups"},
				Resources: []string{"*"},
				Why:       "CloudWatch Logs authorises this listing only for all log groups",
			},
			{
				Actions: []string{
					"logs:CreateLogGroup", "logs:PutRetentionPolicy", "logs:TagResource",
					"logs:ListTagsForResource", "logs:PutLogGroupDeletionProtection",
				},
				Resources: []string{arn + "logs:*:" + InAccount + ":log-group:*"},
				Why: "ListTagsForResource is for a log group that may have lost its deletion protection or its key; relight learns only at run time which log group is behind an owner's flow log, in any region; " +
					"TagResource is checked inside CreateLogGroup, and relight never calls it; " + protection,
			},
			{
				Actions:   []string{"logs:AssociateKmsKey"},
				Resources: []string{arn + "logs:*:" + InAccount + ":log-group:*"},
				If:        KeyKMSKeys,
				Why:       "relight restores the configured key on its own log groups, in any region",
			},
			{
				Actions:   []string{"logs:DisassociateKmsKey"},
				Resources: []string{arn + "logs:*:" + InAccount + ":log-group:" + InPrefix + "-*"},
				Why:       "relight takes a key off its own log group if the configuration names none, in any region",
			},
			{
				Actions:   []string{"logs:DeleteRetentionPolicy"},
				Resources: []string{arn + "logs:*:" + InAccount + ":log-group:*"},
				Why:       "DeleteRetentionPolicy is for relight's own log group, in any region, if it kept its logs for ever until somebody shortened that; the configuration may give it any name",
			},
			recall("GetParameterHistory is for the longest retention of a log group, in an event about the group, and for what others made that relight relies on"),
			{
				Actions:   []string{"logs:DescribeMetricFilters", "logs:PutMetricFilter"},
				Resources: []string{arn + "logs:*:" + InAccount + ":log-group:" + InFlowLogGroup, arn + "logs:*:" + InAccount + ":log-group:" + InFlowLogGroup + ":*"},
				If:        KeyRejectAlarm,
				Why:       "DescribeMetricFilters is for, and PutMetricFilter is for, the filter on rejected traffic, in any region",
			},
			{
				Actions:   []string{"cloudwatch:DescribeAlarms"},
				Resources: []string{"*"},
				If:        KeyRejectAlarm,
				Why:       "DescribeAlarms is for the alarm on rejected traffic; CloudWatch shows composite alarms, which share its names, only to callers with permission for all resources",
			},
			{
				Actions:   []string{"cloudwatch:PutMetricAlarm", "cloudwatch:TagResource", "cloudwatch:ListTagsForResource"},
				Resources: []string{arn + "cloudwatch:*:" + InAccount + ":alarm:" + InPrefix + "-" + RejectedTraffic + "*"},
				If:        KeyRejectAlarm,
				Why: "PutMetricAlarm is for the alarm on rejected traffic, in any region with a topic of relight's, under another name if an alarm of another type has its own; " +
					"TagResource is checked inside a PutMetricAlarm with tags, and ListTagsForResource is checked inside one whose alarm sends its tags along; relight never calls either",
			},
			{
				Actions:   []string{"cloudformation:DescribeStacks"},
				Resources: []string{arn + "cloudformation:*:" + InAccount + ":stack/" + InPrefix + "-*/*"},
				If:        KeyRejectAlarm,
				Why:       "DescribeStacks is for the topic that the alarm on rejected traffic notifies in the region of a forwarder; " + anyRegion,
				Hub:       "a guarded account has no forwarder with a topic",
			},
		}, roleReads...),
		Trails: {
			trailList,
			{
				Actions:   []string{"cloudtrail:CreateTrail"},
				Resources: []string{trails},
				Why:       "relight restores a deleted trail under its own name",
			},
			{
				Actions:   []string{"cloudtrail:StartLogging", "cloudtrail:UpdateTrail", "cloudtrail:PutEventSelectors"},
				Resources: []string{arn + "cloudtrail:" + InRegion + ":*:trail/*"},
				Why: "relight chooses the trail at run time; a delegated administrator's trail belongs to the management account, " +
					"and CloudTrail refuses these calls for a trail of any other account",
			},
			trailReads,
			{
				Actions:   []string{"logs:DescribeMetricFilters"},
				Resources: []string{trailLogGroup, trailLogGroup + ":*"},
				Why:       "relight's filters on the log group of a trail that records no management events show that relight protected the trail before; otherwise relight leaves it as it is",
			},
			{
				Actions:   []string{"iam:PassRole"},
				Resources: []string{InTrailRole},
				Condition: map[string]map[string]string{"StringEquals": {"iam:PassedToService": CloudTrailService}},
				Why:       "PassRole is checked inside UpdateTrail and CreateTrail, and relight never calls it; relight learns the trail's role only at run time unless trail.roleArn names it",
			},
			{
				Actions:   []string{"iam:GetRole"},
				Resources: []string{arn + "iam::" + InAccount + ":role/*"},
				Why:       "GetRole is for the trail's role, in sweeps, if somebody changed it, and if events do not reach the log group or CloudTrail refuses the role: it may be gone, and a role at another path may have its name; relight learns only at run time which role it is; GetRole is checked inside UpdateTrail and CreateTrail for an organisation trail too",
			},
			{
				Actions:   []string{"iam:ListEntitiesForPolicy"},
				Resources: []string{managedPolicies},
				Why:       "relight learns only at run time whether a managed policy that somebody changed is on the trail's role",
			},
			{
				Actions:   []string{"logs:CreateLogGroup", "logs:PutRetentionPolicy", "logs:TagResource", "logs:PutLogGroupDeletionProtection"},
				Resources: []string{trailLogGroup, trailLogGroup + ":*"},
				Why: "CloudTrail rejects a log group that does not exist: CreateLogGroup is for a log group that was deleted with the trail, and PutRetentionPolicy is for its retention; " +
					"TagResource is checked inside CreateLogGroup, and relight never calls it; " + protection,
			},
			{
				Actions:   []string{"organizations:ListAWSServiceAccessForOrganization"},
				Resources: []string{"*"},
				Why:       "ListAWSServiceAccessForOrganization is checked inside UpdateTrail and CreateTrail for an organisation trail, and relight never calls it; AWS does not support resources for it",
			},
			recall("relight restores a stripped or deleted trail from what it remembers of the trail"),
		},
		LogGroups: {
			trailReads,
			groupKeyPolicy,
			{
				Actions:   []string{"kms:DescribeKey"},
				Resources: []string{arn + "kms:" + InRegion + ":" + InAccount + ":key/*"},
				Why:       "DescribeKey is for the key of the trail's log group, in a sweep; whoever associates a key chooses it",
			},
			recall("GetParameterHistory is for choosing the protected trail if several trails qualify, or none, for knowing the log group that relight made if somebody removed its tag, for the longest retention of the log group, and for what others made that relight relies on"),
			{
				Actions:   []string{"logs:DeleteRetentionPolicy"},
				Resources: []string{trailLogGroup, trailLogGroup + ":*"},
				Why:       "DeleteRetentionPolicy is for a log group that kept its logs for ever until somebody shortened that",
			},
			{
				Actions:   []string{"cloudtrail:DescribeTrails", "logs:DescribeLogGroups"},
				Resources: []string{"*"},
				Why:       "AWS does not support resources for these listings",
			},
			{
				Actions: []string{
					"logs:CreateLogGroup", "logs:PutRetentionPolicy", "logs:TagResource",
					"logs:DescribeMetricFilters", "logs:PutMetricFilter",
					"logs:ListTagsForResource", "logs:PutLogGroupDeletionProtection",
				},
				Resources: []string{trailLogGroup, trailLogGroup + ":*"},
				Why:       "TagResource is checked inside CreateLogGroup, and TagResource is for the removed tag of a log group that relight made; " + protection,
			},
			{
				Actions:   []string{"logs:AssociateKmsKey"},
				Resources: []string{trailLogGroup, trailLogGroup + ":*"},
				If:        KeyKMSKeys,
				Why:       "relight restores the configured key on its own log groups",
			},
			{
				Actions:   []string{"logs:DisassociateKmsKey"},
				Resources: []string{trailLogGroup, trailLogGroup + ":*"},
				Why:       "DisassociateKmsKey is for the trail's log group if relight made it, and the configuration names no key",
			},
			{
				Actions:   []string{"logs:DescribeMetricFilters"},
				Resources: []string{"*"},
				Why:       "DescribeMetricFilters is for the filters of every log group in the home region: any of them may write into a metric of relight's, and hide events",
			},
			{
				Actions:   []string{"logs:DescribeAccountPolicies"},
				Resources: []string{"*"},
				Why:       "AWS does not support resources for these listings",
			},
			{
				Actions:   []string{"logs:GetTransformer"},
				Resources: []string{arn + "logs:" + InRegion + ":" + InAccount + ":log-group:*"},
				Why:       "CloudWatch Logs shows account-wide transformers only to callers that may read every group's transformer (API Reference, DescribeAccountPolicies)",
			},
		},
		Topics: {
			{
				Actions:   []string{"sns:GetTopicAttributes"},
				Resources: []string{InFarTopic},
				If:        KeyFarTopic,
				Why:       "each sweep checks whether it still admits relight's functions: GetTopicAttributes is for that",
				Hub:       hubTopics,
			},
			{
				Actions: []string{
					"sns:GetTopicAttributes", "sns:ListSubscriptionsByTopic",
					"sns:CreateTopic", "sns:TagResource", "sns:SetTopicAttributes", "sns:Subscribe",
				},
				Resources: []string{InTopic, InLastResort},
				Why:       "TagResource is checked inside CreateTopic, and relight never calls it",
			},
			{
				Actions:   []string{"sns:GetSubscriptionAttributes", "sns:SetSubscriptionAttributes"},
				Resources: []string{"*"},
				Why:       "SNS documents no narrower resource; relight uses these only on subscriptions of its topic",
			},
			{
				Actions:   []string{"kms:DescribeKey", "kms:GetKeyPolicy", "kms:CancelKeyDeletion", "kms:EnableKey"},
				Resources: []string{InKey},
				Why:       "while the key is disabled or scheduled for deletion, neither alarms nor relight can send notifications",
			},
		},
		Alarms: append([]Grant{
			trailReads,
			recall("GetParameterHistory is for choosing the protected trail if several trails qualify, or none, and for what others made that relight relies on"),
			{
				Actions:   []string{"cloudwatch:DescribeAlarms"},
				Resources: []string{"*"},
				Why:       "CloudWatch shows composite alarms only to callers with permission for all resources (API Reference, DescribeAlarms)",
			},
			{
				Actions:   []string{"cloudwatch:DescribeAlarmHistory"},
				Resources: []string{arn + "cloudwatch:" + InRegion + ":" + InAccount + ":alarm:*"},
				Why:       "DescribeAlarmHistory is for an alarm that is in ALARM, in sweeps: how long it was so within two days; an owner's alarm may have any name",
			},
			{
				Actions:   []string{"cloudwatch:GetMetricData"},
				Resources: []string{"*"},
				Why:       "GetMetricData is for finding negative values in the metrics of alarms that take the sum, in sweeps; AWS does not support resources for it",
			},
			{
				Actions:   []string{"cloudwatch:ListAlarmMuteRules"},
				Resources: []string{"*"},
				Why:       "AWS does not support resources for these listings",
			},
			{
				Actions:   []string{"cloudwatch:GetAlarmMuteRule"},
				Resources: []string{arn + "cloudwatch:" + InRegion + ":" + InAccount + ":alarm-mute-rule:*"},
				Why:       "the listing does not say which alarms a mute rule silences, and the caller who silences an alarm chooses the name of the rule",
			},
			{
				Actions:   []string{"cloudwatch:DeleteAlarmMuteRule"},
				Resources: []string{arn + "cloudwatch:" + InRegion + ":" + InAccount + ":alarm-mute-rule:*"},
				If:        KeyRemoveMutes,
				Why:       "the caller who silences an alarm chooses the name of the mute rule",
			},
			{
				Actions:   []string{"cloudwatch:PutCompositeAlarm"},
				Resources: []string{"*"},
				If:        KeyRemoveMutes,
				Why:       "CloudWatch accepts this call only with permission for all resources (API Reference, PutCompositeAlarm)",
			},
			{
				Actions:   []string{"cloudwatch:PutMetricAlarm", "cloudwatch:TagResource", "cloudwatch:ListTagsForResource"},
				Resources: []string{arn + "cloudwatch:" + InRegion + ":" + InAccount + ":alarm:" + InPrefix + "-*"},
				Why: "TagResource is checked inside a PutMetricAlarm with tags, and ListTagsForResource is checked inside " +
					"a PutMetricAlarm whose alarm sends its tags along; relight never calls either",
			},
			{
				Actions:   []string{"cloudtrail:DescribeTrails"},
				Resources: []string{"*"},
				Why:       "relight uses this to find the log group whose filters the alarms depend on, and only if an alarm that no event named is missing",
			},
			{
				Actions:   []string{"logs:DescribeMetricFilters"},
				Resources: []string{trailLogGroup, trailLogGroup + ":*"},
				Why:       "relight uses this in the same case as DescribeTrails",
			},
			{
				Actions:   []string{"sns:GetTopicAttributes", "sns:ListSubscriptionsByTopic"},
				Resources: []string{arn + "sns:" + InRegion + ":" + InAccount + ":*"},
				Why:       "GetTopicAttributes is for, and ListSubscriptionsByTopic is for, this alone: " + theirTopic,
			},
			{
				Actions:   []string{"sns:GetSubscriptionAttributes"},
				Resources: []string{"*"},
				Why:       "GetSubscriptionAttributes is for this alone: " + theirTopic + "; SNS documents no narrower resource",
			},
			{
				Actions:   []string{"kms:DescribeKey", "kms:GetKeyPolicy"},
				Resources: []string{arn + "kms:*:" + InAccount + ":key/*"},
				Why: "DescribeKey is for, and GetKeyPolicy is for, this alone: " + theirTopic + ", and if that topic, or a queue that is subscribed to it, is encrypted; " +
					"the queue may be in any region",
			},
		}, receiverReads...),
		Guard: {
			{
				Actions:   []string{"events:ListRules"},
				Resources: []string{"*"},
				Why:       "EventBridge does not support resources for this listing",
			},
			{
				Actions: []string{"events:ListTargetsByRule", "events:PutRule", "events:PutTargets"},
				Resources: []string{
					arn + "events:" + InRegion + ":" + InAccount + ":rule/" + InPrefix + "-*",
					arn + "events:" + InRegion + ":" + InAccount + ":rule/" + InPrefix + "/" + InPrefix + "-*",
				},
				Why: "relight restores its own rules, on the default bus and on its own",
				Hub: hubStack,
			},
			{
				Actions:   []string{"events:ListTargetsByRule", "events:PutRule", "events:PutTargets"},
				Resources: []string{arn + "events:*:" + InAccount + ":rule/" + InPrefix + "-forward-*"},
				If:        KeyForwarders,
				Why:       "relight restores the rules of its forwarders; " + anyRegion,
			},
			{
				Actions:   []string{"iam:PassRole"},
				Resources: []string{arn + "iam::" + InAccount + ":role/" + InPrefix + "-forward-*"},
				Condition: map[string]map[string]string{"StringEquals": {"iam:PassedToService": "events.amazonaws.com"}},
				If:        KeyForwarders,
				Why:       "PassRole is checked inside PutTargets, and relight never calls it; each of these roles, one for each forwarder, can do nothing but put events on relight's own bus",
			},
			{
				Actions:   []string{"sqs:GetQueueUrl", "sqs:GetQueueAttributes", "sqs:SetQueueAttributes"},
				Resources: []string{arn + "sqs:*:" + InAccount + ":" + InPrefix + "-" + Undelivered},
				If:        KeyForwarders,
				Why:       "relight restores the settings and the policy of the only queue of a forwarder; GetQueueUrl is for an event that names it; " + anyRegion,
			},
			{
				Actions:   []string{"cloudformation:DescribeStacks"},
				Resources: []string{arn + "cloudformation:*:" + InAccount + ":stack/" + InPrefix + "-*/*"},
				If:        KeyForwarders,
				Why:       "relight restores nothing of a forwarder that does not exist, or while CloudFormation is changing it; " + anyRegion,
				Hub:       "the stack of a guarded account may have any name, as that of a stack set has",
			},
			{
				Actions:   []string{"scheduler:GetSchedule", "scheduler:CreateSchedule", "scheduler:UpdateSchedule"},
				Resources: []string{arn + "scheduler:" + InRegion + ":" + InAccount + ":schedule/default/" + InPrefix + "-*"},
				Why:       "relight restores the schedules of its own sweep; the name of one depends on the code that it invokes",
				Hub:       hubStack,
			},
			{
				Actions:   []string{"iam:PassRole"},
				Resources: []string{InScheduleRole},
				Condition: map[string]map[string]string{"StringEquals": {"iam:PassedToService": "scheduler.amazonaws.com"}},
				Why:       "PassRole is checked inside CreateSchedule and UpdateSchedule, and relight never calls it; the role can do nothing but invoke the sweep",
				Hub:       hubStack,
			},
			{
				Actions:   []string{"cloudformation:DescribeStacks"},
				Resources: []string{arn + "cloudformation:" + InRegion + ":" + InAccount + ":stack/" + InPrefix + "/*"},
				Why:       "relight restores nothing of its stack while CloudFormation is changing it, and a sweep can be the first one only if the stack is new",
				Hub:       hubStack,
			},
			{
				Actions:   []string{"lambda:GetFunction", "lambda:DeleteFunctionConcurrency"},
				Resources: []string{ownFunctions},
				Why:       "a reserved concurrency of 0 stops a function; the stack reserves none, so relight removes it from its own functions. GetFunction also says whether code, role or settings changed without a deployment",
				Hub:       hubStack,
			},
			recall("GetParameterHistory is for what relight remembers of its own functions"),
			{
				Actions:   []string{"sqs:ListQueues"},
				Resources: []string{"*"},
				Why:       "SQS does not support resources for this listing",
				Hub:       "a guarded account has one queue of relight's in a region, whose name is known",
			},
			{
				Actions:   []string{"sqs:GetQueueUrl", "sqs:GetQueueAttributes", "sqs:SetQueueAttributes"},
				Resources: []string{arn + "sqs:" + InRegion + ":" + InAccount + ":" + InPrefix + "-*"},
				Why:       "relight restores the settings and policies of its own queues; GetQueueUrl is for a queue that an event names",
				Hub:       hubStack,
			},
			{
				Actions:   []string{"logs:DescribeLogGroups"},
				Resources: []string{"*"},
				Why:       "CloudWatch Logs authorises this listing only for all log groups",
			},
			{
				Actions:   []string{"logs:CreateLogGroup", "logs:PutRetentionPolicy"},
				Resources: []string{arn + "logs:" + InRegion + ":" + InAccount + ":log-group:" + FunctionLogs(InPrefix+"-*")},
				Why:       "relight restores the log groups of its own functions; a function without one writes neither logs nor metrics",
				Hub:       hubStack,
			},
			{
				Actions:   []string{"lambda:ListEventSourceMappings"},
				Resources: []string{"*"},
				Why:       "Lambda does not support resources for this listing",
				Hub:       hubStack,
			},
			{
				Actions:   []string{"lambda:CreateEventSourceMapping"},
				Resources: []string{"*"},
				Condition: ownMappings,
				Why:       "relight restores what passes the messages of its own queues to its own functions; Lambda supports no resource for CreateEventSourceMapping, and the condition names the functions",
				Hub:       hubStack,
			},
			{
				Actions:   []string{"lambda:UpdateEventSourceMapping"},
				Resources: []string{arn + "lambda:" + InRegion + ":" + InAccount + ":event-source-mapping:*"},
				Condition: ownMappings,
				Why:       "the same; the name of a mapping is an ID that Lambda makes up",
				Hub:       hubStack,
			},
		},
	}
}

// anyRegion says why the grants for forwarders name no region.
const anyRegion = "a list of the regions with forwarders may make the policy longer than IAM accepts, so the names say which"

// ownFunctions matches relight's own functions, and ownMappings what passes messages
// to them. Source: AWS Service Authorization Reference, AWS Lambda, condition keys.
const ownFunctions = arn + "lambda:" + InRegion + ":" + InAccount + ":function:" + InPrefix + "-*"

var ownMappings = map[string]map[string]string{"ArnLike": {"lambda:FunctionArn": ownFunctions}}

// groupKeyPolicy lets a sweep read whether the key of a log group admits CloudWatch
// Logs.
var groupKeyPolicy = Grant{
	Actions:   []string{"kms:GetKeyPolicy"},
	Resources: []string{arn + "kms:*:" + InAccount + ":key/*"},
	Why:       "GetKeyPolicy is for the keys of log groups, in a sweep; whoever associates a key chooses it",
}

// receiverReads lets a function read whether subscribed queues and functions admit
// a topic: an owner's topic that an alarm notifies, and in the sweep relight's own.
// The function of the topics reads none: no event that it serves is about them.
var receiverReads = []Grant{
	{
		Actions:   []string{"sqs:GetQueueUrl", "sqs:GetQueueAttributes"},
		Resources: []string{arn + "sqs:*:" + InAccount + ":*"},
		Why:       "GetQueueUrl is for, and GetQueueAttributes is for, a queue that is subscribed to a topic, in any region: " + receives,
	},
	{
		Actions:   []string{"lambda:GetPolicy"},
		Resources: []string{arn + "lambda:*:" + InAccount + ":function:*"},
		Why:       "GetPolicy is for a function that is subscribed to a topic, in any region: " + receives,
	},
}

const receives = "it receives messages only if its policy admits the topic"

const theirTopic = "an alarm that relight did not create satisfies its control only if its topic can deliver to a subscriber; " +
	"relight uses this only if no alarm of its own satisfies that control"

const protection = "relight restores deletion protection only where it was switched off: PutLogGroupDeletionProtection is for that, " +
	"and it is checked inside a CreateLogGroup that asks for protection as well (belief protection-needs-its-permission, assumed)"

// Some grants and watched calls require one of these configuration keys.
const (
	KeyKMSKeys     = "kmsKeys"
	KeyRemoveMutes = "alarms.removeMutes"
	KeyFarTopic    = "lastResort.topic"
	KeyRejectAlarm = "flowLogs.rejectAlarm"
	KeyExemptByTag = "flowLogs.exemptByTag"
	KeySubnets     = "flowLogs.subnets"
	KeyInterfaces  = "flowLogs.networkInterfaces"
	KeyPause       = "pause.by"

	KeyOrganization = "organization"

	// Some flow logs of relight's own go to a bucket, a stream, or a stream of another account.
	KeyToBucket  = "flowLogs.destination of a bucket"
	KeyToStream  = "flowLogs.destination of a stream"
	KeyToAccount = "flowLogs.destination.roleArn"

	KeyForwarders = "regions" // or the home region is not the one that raises the events of global services
)

// ChosenKey returns the configuration key that chooses resources of a type.
func ChosenKey(t ResourceType) string {
	return map[ResourceType]string{Subnet: KeySubnets, Interface: KeyInterfaces}[t]
}

// GrantKeys returns the configuration keys that some grants require.
func GrantKeys() []string {
	return []string{
		KeyKMSKeys, KeyRemoveMutes, KeyFarTopic, KeyRejectAlarm, KeyForwarders,
		KeySubnets, KeyInterfaces, KeyToBucket, KeyToStream, KeyToAccount, KeyPause, KeyOrganization,
	}
}

// Has reports whether the configuration has a key that grants or calls require. It
// does not know KeyForwarders, which depends on the home region.
func (b Baseline) Has(key string) bool {
	to := func(match func(FlowLogSpec) bool) bool { return slices.ContainsFunc(b.FlowLogs.All(""), match) }
	switch key {
	case KeyKMSKeys:
		return len(b.KMSKeys) > 0
	case KeyRemoveMutes:
		return b.RemoveMutes
	case KeyFarTopic:
		return b.FarTopic != ""
	case KeyRejectAlarm:
		return len(b.FlowLogControls) > 0
	case KeyExemptByTag:
		return b.FlowLogs.ExemptByTag
	case KeySubnets:
		return b.FlowLogs.Keeps(Subnet)
	case KeyInterfaces:
		return b.FlowLogs.Keeps(Interface)
	case KeyToBucket:
		return to(func(s FlowLogSpec) bool { return s.ToType() == ToS3 })
	case KeyToStream:
		return to(func(s FlowLogSpec) bool { return s.ToType() == ToFirehose })
	case KeyPause:
		return len(b.PauseBy) > 0
	case KeyOrganization:
		return b.Organization.On()
	case KeyToAccount:
		return to(func(s FlowLogSpec) bool { return s.To.Role != "" })
	}
	return false
}

// reportGrants lets every function notify people of what it did.
var reportGrants = []Grant{
	{
		Actions:   []string{"sns:Publish"},
		Resources: []string{InTopic, InLastResort},
		Hub:       hubTopics,
	},
	{
		Actions:   []string{"sns:Publish"},
		Resources: []string{InFarTopic},
		If:        KeyFarTopic,
		Why:       "it carries what the topic of last resort carries: Publish is for that",
		Hub:       hubTopics,
	},
	{
		Actions:   []string{"events:PutEvents"},
		Resources: []string{arn + "events:" + InRegion + ":" + InAccount + ":event-bus/default"},
		Condition: map[string]map[string]string{"StringEquals": {"events:source": EventSource}},
		Why:       "each notification is an event on the default bus too, for rules of your own; the condition keeps a function from forging the events of others",
		Hub:       hubTopics,
	},
	{
		Actions:   []string{"kms:GenerateDataKey", "kms:Decrypt"},
		Resources: []string{InKey},
		Condition: map[string]map[string]string{"StringLike": {"kms:ViaService": "sns." + InRegion + ".*"}}, // the domain differs between partitions; AWS sets this key
		Why:       "the topic is encrypted: GenerateDataKey is checked, and Decrypt is checked, when SNS calls KMS on behalf of the publisher",
		Hub:       hubTopics,
	},
}

// ownGrants lists the actions that the function of a kind has and the sweep
// does not: a caller that can write a role's policy and trust can give the role
// any permission. The sweep invokes that function instead.
var ownGrants = map[Kind][]Grant{
	DeliveryRoles: {
		{
			Actions: []string{
				"iam:CreateRole", "iam:TagRole", "iam:PutRolePolicy", "iam:UpdateAssumeRolePolicy",
				"iam:PutRolePermissionsBoundary", "iam:DeleteRolePermissionsBoundary", "iam:DeleteRolePolicy", "iam:DetachRolePolicy",
			},
			Resources: []string{InDeliveryRole},
			Why: "an intruder who takes over this function could use these actions to get more rights, so they apply only to this role. " +
				"relight removes policies from the role only if they unconditionally deny log delivery, cannot be read, or leave no room for the role's own policy. TagRole is for restoring removed tags, and for CreateRole; " +
				"PutRolePermissionsBoundary is for the configured boundary",
		},
	},
}

// sweepGrants lists the actions that only Backfill needs.
var sweepGrants = []Grant{
	{
		Actions:   []string{"lambda:InvokeFunction"},
		Resources: []string{arn + "lambda:" + InRegion + ":" + InAccount + ":function:" + InPrefix + "-" + string(DeliveryRoles)},
		Why:       "the sweep invokes the only function that may restore the delivery role, and only if the role has drift",
		Hub:       hubStack,
	},
	{
		Actions:   []string{"logs:TestMetricFilter"},
		Resources: []string{"*"},
		Why:       "TestMetricFilter is for relight drill, which tests each deployed pattern on a sample; it reads no log group, and CloudWatch Logs does not support resources for it",
		Hub:       "a drill tests the patterns in the hub, and needs no other account for that",
	},
	{
		Actions:   []string{"cloudwatch:SetAlarmState"},
		Resources: []string{arn + "cloudwatch:" + InRegion + ":" + InAccount + ":alarm:" + InPrefix + "-" + DrillAlarm},
		Why:       "SetAlarmState is for relight drill, which rings one alarm on relight itself, and no other",
		Hub:       "a drill rings an alarm on the stack in the hub",
	},
	{
		Actions:   []string{"s3:GetObject"},
		Resources: []string{InSweepResults + "/*"},
		If:        KeyOrganization,
		Why:       "GetObject is for what the sweeps of the guarded accounts came to, which Step Functions writes to a bucket of the stack",
		Hub:       "the results are in the hub alone",
	},
	{
		Actions:   []string{"ec2:DescribeRegions"},
		Resources: []string{"*"},
		Why:       "EC2 does not support resources for these reads",
	},
	{
		Actions:   []string{"cloudwatch:PutMetricAlarm", "cloudwatch:TagResource", "cloudwatch:ListTagsForResource"},
		Resources: []string{arn + "cloudwatch:*:" + InAccount + ":alarm:" + InPrefix + "-" + Undelivered + "*"},
		If:        KeyForwarders,
		Why: "the sweep restores the alarm of each forwarder, under another name if an alarm of another type has its own; TagResource is checked inside a PutMetricAlarm with tags, " +
			"and ListTagsForResource is checked inside one whose alarm sends its tags along; relight never calls either; " + anyRegion,
		Hub: "no alarm watches the queue of a guarded account, where no topic need be: the sweep is to read how many events are in it",
	},
	{
		Actions:   []string{"cloudtrail:LookupEvents"},
		Resources: []string{"*"},
		Why:       "LookupEvents is for naming the caller who redirected the trail, or undid what a sweep restored without an event; AWS does not support resources for it",
	},
	{
		Actions:   []string{"ssm:PutParameter"},
		Resources: []string{memories},
		Why:       "the sweep remembers a trail that it finds healthy, the longest retentions, what others made that it relies on, and which findings it has reported, so that it reports a new finding although others are still open; functions that events start must not write this memory",
		Hub:       hubMemory,
	},
}

// checkGrant lets a function have another one check relight's own stack.
var checkGrant = Grant{
	Actions: []string{"lambda:InvokeFunction"},
	Resources: []string{
		arn + "lambda:" + InRegion + ":" + InAccount + ":function:" + InPrefix + "-" + string(Guard),
		arn + "lambda:" + InRegion + ":" + InAccount + ":function:" + InPrefix + "-" + string(Backfill),
	},
	Why: "once in each interval between sweeps, a function that handled events has the guard check relight's own stack, or the sweep if the guard does not answer: an intruder may have cut both from their events and schedules",
	Hub: hubStack,
}

// pauseGrant lets a function that restores a pausable kind read whether it is paused.
var pauseGrant = Grant{
	Actions:   []string{"ssm:GetParameterHistory"},
	Resources: []string{arn + "ssm:" + InRegion + ":" + InAccount + ":parameter/" + InPrefix + "/pause"},
	If:        KeyPause,
	Why:       "a function that is about to write reads whether somebody paused relight, and who; no function may write this",
	Hub:       "the hub decides whether relight is paused",
}

// spokeGrant lets the function of a kind act in the guarded accounts of an organisation. An account
// that leaves the organisation is out of reach. Source: IAM User Guide, "AWS global
// condition context keys", aws:ResourceOrgID, documented.
var spokeGrant = Grant{
	Actions:   []string{"sts:AssumeRole", "sts:TagSession"},
	Resources: []string{arn + "iam::*:role/" + InSpokeRole},
	Condition: map[string]map[string]string{"StringEquals": {"aws:ResourceOrgID": InOrganization}},
	If:        KeyOrganization,
	Why: "the function assumes this one role in each account that it guards, which the condition keeps in the organisation; which accounts those are, the configuration says. " +
		"TagSession is checked inside AssumeRole: the tags say which function acts, and relight never calls it",
	Hub: "a session in a guarded account acts in that account alone",
}

// OnlyInSpokes returns the statements that only the role in a guarded account has.
func OnlyInSpokes() []Grant {
	role := arn + "iam::" + InAccount + ":role/"
	return []Grant{{
		Actions:   []string{"iam:GetRole", "iam:GetRolePolicy", "iam:ListRolePolicies", "iam:ListAttachedRolePolicies"},
		Resources: []string{role + InSpokeRole, role + InPrefix + "-forward-*"},
		Why: "the guard compares this role, and the roles of the rules that send events to the hub, with the template: GetRole is for that, and so are GetRolePolicy, ListRolePolicies and ListAttachedRolePolicies. " +
			"relight may write none of them",
	}}
}

// Grants returns the statements of a function's policy, each once. It leaves
// out a statement that requires a configuration key if the key is not among
// keys.
func Grants(f Function, keys ...string) []Grant {
	if f == Auditor {
		return slices.Clone(auditorGrants)
	}
	var grants []Grant
	of := kindGrants()
	off := func(g Grant) bool { return g.If != "" && !slices.Contains(keys, g.If) }
	for _, k := range f.Kinds() {
		for _, g := range of[k] {
			if off(g) {
				continue
			}
			if !slices.ContainsFunc(grants, func(h Grant) bool { return reflect.DeepEqual(h.bare(), g.bare()) }) {
				grants = append(grants, g)
			}
		}
		if f != Backfill {
			grants = append(grants, ownGrants[k]...)
		}
	}
	if f == Backfill {
		grants = append(grants, slices.DeleteFunc(slices.Clone(sweepGrants), off)...)
	}
	if slices.ContainsFunc(f.Kinds(), func(k Kind) bool { return slices.Contains(Pausable(), k) }) && !off(pauseGrant) {
		grants = append(grants, pauseGrant)
	}
	if f.ChecksGuard() {
		grants = append(grants, checkGrant)
	}
	if (f == Backfill || Kind(f).InSpokes()) && !off(spokeGrant) {
		grants = append(grants, spokeGrant)
	}
	grants = append(grants, slices.DeleteFunc(slices.Clone(reportGrants), off)...)
	for i := 0; i < len(grants); {
		if rest := slices.Delete(slices.Clone(grants), i, i+1); slices.ContainsFunc(rest, grants[i].within) {
			grants = rest
			continue
		}
		i++
	}
	return grants
}

// within reports whether another grant allows everything that g does, whatever the
// configuration is. The policy of a role has a limit, and the sweep's has the grants of every kind.
func (g Grant) within(other Grant) bool {
	return other.Condition == nil && (other.If == "" || other.If == g.If) &&
		!slices.ContainsFunc(g.Actions, func(a string) bool { return !slices.Contains(other.Actions, a) }) &&
		!slices.ContainsFunc(g.Resources, func(r string) bool {
			return !slices.ContainsFunc(other.Resources, func(pattern string) bool { return like(pattern, r) })
		})
}

// bare returns a grant without its reasons.
func (g Grant) bare() Grant {
	g.Why, g.Hub = "", ""
	return g
}

// Never lists the actions that relight must never grant to a function.
var Never = []string{
	"cloudtrail:DeleteTrail", "cloudtrail:StopLogging",
	"logs:DeleteLogGroup", "logs:DeleteMetricFilter",
	"cloudwatch:DeleteAlarms", "cloudwatch:PutAlarmMuteRule",
}

// ExpandConditions returns the conditions with each placeholder in their values
// replaced, as Expand does.
func ExpandConditions(conditions map[string]map[string]string, values map[string]string) map[string]map[string]string {
	out := map[string]map[string]string{}
	for operator, keys := range conditions {
		out[operator] = map[string]string{}
		for k, v := range keys {
			out[operator][k] = Expand(v, values)
		}
	}
	return out
}

// Expand returns s with each placeholder replaced by its value.
func Expand(s string, values map[string]string) string {
	keys := make([]string, 0, len(values))
	for k := range values {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, k := range keys {
		s = strings.ReplaceAll(s, k, values[k])
	}
	return s
}
