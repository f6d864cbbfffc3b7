package catalog

import (
	"reflect"
	"slices"
	"strings"
)

// A Grant is one statement of a function's policy. Names in ${} are the In…
// constants here and in deployment.go; the stack fills them in.
type Grant struct {
	Actions   []string
	Resources []string
	Condition map[string]map[string]string // operator to key to value; nil for none
	If        string                       // the key of the configuration that it is granted with; "" for always
	Why       string                       // why no narrower resource will do, or why it is allowed though few runs use it
}

// Placeholders in Grant resources and conditions.
const (
	InPartition     = "${partition}"
	InAccount       = "${account}"
	InRegion        = "${region}"          // the home region
	InPrefix        = "${prefix}"          // Policy.Prefix
	InTrailLogGroup = "${trail-log-group}" // the configured name, or "*": it is discovered at run time
	InTrailRole     = "${trail-role}"      // ARN of the configured role, or of any: it is discovered at run time
	InDeliveryRole  = "${delivery-role}"   // ARN
	InTopic         = "${topic}"           // ARN
	InKey           = "${key}"             // ARN of the topic's key
)

const arn = "arn:" + InPartition + ":"

var (
	trails   = arn + "cloudtrail:" + InRegion + ":" + InAccount + ":trail/*"
	memories = arn + "ssm:" + InRegion + ":" + InAccount + ":parameter/" + InPrefix + "/memory/trail"
)

// recall lets a kind read what is remembered of the trail.
func recall(why string) Grant {
	return Grant{Actions: []string{"ssm:GetParameter"}, Resources: []string{memories}, Why: why}
}

var trailLogGroup = arn + "logs:" + InRegion + ":" + InAccount + ":log-group:" + InTrailLogGroup

// managedPolicies is any managed policy of the account.
const managedPolicies = arn + "iam::" + InAccount + ":policy/*"

// roleReads lets the delivery role be looked at, with the policies on it.
var roleReads = []Grant{
	{
		Actions:   []string{"iam:GetRole", "iam:GetRolePolicy", "iam:ListRolePolicies", "iam:ListAttachedRolePolicies"},
		Resources: []string{InDeliveryRole},
	},
	{
		Actions:   []string{"iam:GetPolicy", "iam:GetPolicyVersion"},
		Resources: []string{managedPolicies, arn + "iam::aws:policy/*"},
		Why:       "which managed policy somebody attaches to the delivery role is known only at run time; GetPolicy is for one that is attached or its boundary, and so GetPolicyVersion is for its document",
	},
}

// kindGrants lists what each kind's observation and repair may call. Source
// of the resource types: AWS Service Authorization Reference.
var kindGrants = map[Kind][]Grant{
	DeliveryRoles: roleReads,
	FlowLogs: append([]Grant{
		{
			Actions:   []string{"kms:DescribeKey"},
			Resources: []string{arn + "kms:*:" + InAccount + ":key/*"},
			Why:       "DescribeKey is for saying why a flow log of relight's own cannot deliver; only where one FAILED, as the reads of the delivery role",
		},
		{
			Actions:   []string{"ec2:DescribeVpcs", "ec2:DescribeFlowLogs"},
			Resources: []string{"*"},
			Why:       "EC2 reads take no resource",
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
			Condition: map[string]map[string]string{"StringEquals": {"ec2:CreateAction": "CreateFlowLogs"}},
			Why:       "tags only in the call that creates the flow log: CreateTags is checked inside it, never a call of its own",
		},
		{
			Actions:   []string{"ec2:DeleteFlowLogs"},
			Resources: []string{arn + "ec2:*:" + InAccount + ":vpc-flow-log/*"},
			Condition: map[string]map[string]string{"StringEquals": {"aws:ResourceTag/" + OwnerTag: InPrefix}},
			Why:       "only relight's own, by their tag: those of a VPC that is gone, and in a sweep those that another one has replaced",
		},
		{
			Actions:   []string{"iam:PassRole"},
			Resources: []string{InDeliveryRole},
			Condition: map[string]map[string]string{"StringEquals": {"iam:PassedToService": "vpc-flow-logs.amazonaws.com"}},
			Why:       "PassRole is checked inside CreateFlowLogs, never a call of its own",
		},
		{
			Actions:   []string{"logs:DescribeLogGroups"},
			Resources: []string{"*"},
			Why:       "CloudWatch Logs authorises the listing as a whole",
		},
		{
			Actions: []string{
				"logs:CreateLogGroup", "logs:PutRetentionPolicy", "logs:TagResource",
				"logs:ListTagsForResource", "logs:PutLogGroupDeletionProtection",
			},
			Resources: []string{arn + "logs:*:" + InAccount + ":log-group:*"},
			Why: "the log group behind an owner's flow log is known only at run time, in any region; " +
				"TagResource is checked inside CreateLogGroup, never a call of its own; " + protection,
		},
		{
			Actions:   []string{"logs:AssociateKmsKey"},
			Resources: []string{arn + "logs:*:" + InAccount + ":log-group:*"},
			If:        KeyKMSKeys,
			Why:       "puts the configured key back on a log group of relight's, in any region",
		},
	}, roleReads...),
	Trails: {
		{
			Actions:   []string{"cloudtrail:DescribeTrails", "logs:DescribeLogGroups"},
			Resources: []string{"*"},
			Why:       "listings take no resource",
		},
		{
			Actions: []string{
				"cloudtrail:GetTrailStatus", "cloudtrail:GetEventSelectors",
				"cloudtrail:StartLogging", "cloudtrail:UpdateTrail", "cloudtrail:PutEventSelectors", "cloudtrail:CreateTrail",
			},
			Resources: []string{trails},
			Why:       "the trail is chosen at run time, and comes back under its own name",
		},
		{
			Actions:   []string{"iam:PassRole"},
			Resources: []string{InTrailRole},
			Condition: map[string]map[string]string{"StringEquals": {"iam:PassedToService": CloudTrailService}},
			Why:       "PassRole is checked inside UpdateTrail and CreateTrail, never a call of its own; the trail's role is known only at run time unless trail.roleArn names it",
		},
		{
			Actions:   []string{"logs:CreateLogGroup", "logs:PutRetentionPolicy", "logs:TagResource", "logs:PutLogGroupDeletionProtection"},
			Resources: []string{trailLogGroup, trailLogGroup + ":*"},
			Why: "CloudTrail takes no log group that does not exist: CreateLogGroup is for one that went with the trail, PutRetentionPolicy is for the same; " +
				"TagResource is checked inside CreateLogGroup, never a call of its own; " + protection,
		},
		{
			Actions:   []string{"organizations:ListAWSServiceAccessForOrganization"},
			Resources: []string{"*"},
			Why:       "ListAWSServiceAccessForOrganization is checked inside UpdateTrail and CreateTrail of an organisation's trail, never a call of its own; it takes no resource",
		},
		{
			Actions:   []string{"iam:GetRole"},
			Resources: []string{arn + "iam::" + InAccount + ":role/aws-service-role/" + CloudTrailService + "/*"},
			Why:       "GetRole is checked inside UpdateTrail and CreateTrail of an organisation's trail, never a call of its own",
		},
		recall("a trail that was stripped or deleted comes back as it is remembered"),
	},
	LogGroups: {
		recall("GetParameter is for doubt: which trail is guarded, where several or none qualify"),
		{
			Actions:   []string{"cloudtrail:DescribeTrails", "logs:DescribeLogGroups"},
			Resources: []string{"*"},
			Why:       "listings take no resource",
		},
		{
			Actions: []string{
				"logs:CreateLogGroup", "logs:PutRetentionPolicy", "logs:TagResource",
				"logs:DescribeMetricFilters", "logs:PutMetricFilter",
				"logs:ListTagsForResource", "logs:PutLogGroupDeletionProtection",
			},
			Resources: []string{trailLogGroup, trailLogGroup + ":*"},
			Why:       "TagResource is checked inside CreateLogGroup, never a call of its own; " + protection,
		},
		{
			Actions:   []string{"logs:AssociateKmsKey"},
			Resources: []string{trailLogGroup, trailLogGroup + ":*"},
			If:        KeyKMSKeys,
			Why:       "puts the configured key back on a log group of relight's",
		},
		{
			Actions:   []string{"logs:DescribeAccountPolicies"},
			Resources: []string{"*"},
			Why:       "listings take no resource",
		},
		{
			Actions:   []string{"logs:GetTransformer"},
			Resources: []string{arn + "logs:" + InRegion + ":" + InAccount + ":log-group:*"},
			Why:       "CloudWatch Logs shows account-wide transformers only to those who may read any group's (API Reference, DescribeAccountPolicies)",
		},
	},
	Topics: {
		{
			Actions: []string{
				"sns:GetTopicAttributes", "sns:ListSubscriptionsByTopic",
				"sns:CreateTopic", "sns:TagResource", "sns:SetTopicAttributes", "sns:Subscribe",
			},
			Resources: []string{InTopic},
			Why:       "TagResource is checked inside CreateTopic, never a call of its own",
		},
		{
			Actions:   []string{"sns:GetSubscriptionAttributes", "sns:SetSubscriptionAttributes"},
			Resources: []string{"*"},
			Why:       "SNS documents no resource to narrow these to; they are used on subscriptions of the topic only",
		},
		{
			Actions:   []string{"kms:DescribeKey", "kms:GetKeyPolicy", "kms:CancelKeyDeletion", "kms:EnableKey"},
			Resources: []string{InKey},
			Why:       "a key that is disabled, or waits for its deletion, silences alarms and messages alike",
		},
	},
	Alarms: {
		recall("GetParameter is for doubt: which trail is guarded, where several or none qualify"),
		{
			Actions:   []string{"cloudwatch:DescribeAlarms"},
			Resources: []string{"*"},
			Why:       "CloudWatch shows composite alarms only with a permission for everything (API Reference, DescribeAlarms)",
		},
		{
			Actions:   []string{"cloudwatch:ListAlarmMuteRules"},
			Resources: []string{"*"},
			Why:       "listings take no resource",
		},
		{
			Actions:   []string{"cloudwatch:DeleteAlarmMuteRule"},
			Resources: []string{arn + "cloudwatch:" + InRegion + ":" + InAccount + ":alarm-mute-rule:*"},
			If:        KeyRemoveMutes,
			Why:       "whoever silences an alarm chooses the rule's name",
		},
		{
			Actions:   []string{"cloudwatch:PutCompositeAlarm"},
			Resources: []string{"*"},
			If:        KeyRemoveMutes,
			Why:       "CloudWatch takes it only with a permission for everything (API Reference, PutCompositeAlarm)",
		},
		{
			Actions:   []string{"cloudwatch:PutMetricAlarm", "cloudwatch:TagResource", "cloudwatch:ListTagsForResource"},
			Resources: []string{arn + "cloudwatch:" + InRegion + ":" + InAccount + ":alarm:" + InPrefix + "-*"},
			Why: "TagResource is checked inside a PutMetricAlarm that carries tags, and ListTagsForResource is checked inside " +
				"one whose alarm sends its tags along, never calls of their own",
		},
		{
			Actions:   []string{"cloudtrail:DescribeTrails"},
			Resources: []string{"*"},
			Why:       "finds the log group whose filters the alarms depend on; only if one of relight's alarms is missing that no event named",
		},
		{
			Actions:   []string{"logs:DescribeMetricFilters"},
			Resources: []string{trailLogGroup, trailLogGroup + ":*"},
			Why:       "as DescribeTrails",
		},
		{
			Actions:   []string{"sns:GetTopicAttributes"},
			Resources: []string{arn + "sns:" + InRegion + ":" + InAccount + ":*"},
			Why:       "another alarm satisfies its control only if its own topic reaches somebody; as DescribeTrails",
		},
	},
}

const protection = "protection is put back only where it was switched off, and whether PutLogGroupDeletionProtection " +
	"is checked inside a CreateLogGroup that asks for it is unverified"

// Keys of the configuration that some grants come with.
const (
	KeyKMSKeys     = "kmsKeys"
	KeyRemoveMutes = "alarms.removeMutes"
)

// GrantKeys returns the keys of the configuration that some grants come with.
func GrantKeys() []string { return []string{KeyKMSKeys, KeyRemoveMutes} }

// reportGrants lets every function tell people what it did.
var reportGrants = []Grant{
	{
		Actions:   []string{"sns:Publish"},
		Resources: []string{InTopic},
	},
	{
		Actions:   []string{"kms:GenerateDataKey", "kms:Decrypt"},
		Resources: []string{InKey},
		Condition: map[string]map[string]string{"StringEquals": {"kms:ViaService": "sns." + InRegion + ".amazonaws.com"}},
		Why:       "the topic is encrypted: GenerateDataKey is checked, and Decrypt is checked, as SNS calls KMS in the publisher's name",
	},
}

// ownGrants lists what the function of a kind may do and the sweep may not:
// who may write a role's policy and trust may make it anything. The sweep has
// it done by that function.
var ownGrants = map[Kind][]Grant{
	DeliveryRoles: {
		{
			Actions: []string{
				"iam:CreateRole", "iam:TagRole", "iam:PutRolePolicy", "iam:UpdateAssumeRolePolicy",
				"iam:PutRolePermissionsBoundary", "iam:DeleteRolePermissionsBoundary", "iam:DeleteRolePolicy", "iam:DetachRolePolicy",
			},
			Resources: []string{InDeliveryRole},
			Why: "a way to more rights for whoever takes this function over, so it is pinned to the one role. " +
				"Policies are only taken off it where they deny what delivery needs without a condition. TagRole is for tags that somebody took, and within CreateRole; " +
				"PutRolePermissionsBoundary is for the configured boundary",
		},
	},
}

// sweepGrants is what only Backfill needs.
var sweepGrants = []Grant{
	{
		Actions:   []string{"lambda:InvokeFunction"},
		Resources: []string{arn + "lambda:" + InRegion + ":" + InAccount + ":function:" + InPrefix + "-" + string(DeliveryRoles)},
		Why:       "makes the one function that may restore the delivery role do so; only if the role is not as desired",
	},
	{
		Actions:   []string{"ec2:DescribeRegions"},
		Resources: []string{"*"},
		Why:       "EC2 reads take no resource",
	},
	{
		Actions:   []string{"cloudtrail:LookupEvents"},
		Resources: []string{"*"},
		Why:       "LookupEvents is for naming who pointed the trail elsewhere; it takes no resource",
	},
	{
		Actions:   []string{"ssm:PutParameter"},
		Resources: []string{memories},
		Why:       "what a sweep finds healthy is remembered; no function that events start may write it",
	},
	{
		Actions:   []string{"ssm:GetParameter", "ssm:PutParameter"},
		Resources: []string{arn + "ssm:" + InRegion + ":" + InAccount + ":parameter/" + InPrefix + "/memory/findings"},
		Why:       "remembers the findings that people were notified of, so that a new one is reported although others persist",
	},
}

// Grants returns the statements of a function's policy, each once, those that
// come only with a key of the configuration where it is among the keys.
func Grants(f Function, keys ...string) []Grant {
	var grants []Grant
	for _, k := range f.Kinds() {
		for _, g := range kindGrants[k] {
			if g.If != "" && !slices.Contains(keys, g.If) {
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
		grants = append(grants, sweepGrants...)
	}
	return append(grants, reportGrants...)
}

// bare returns a grant without its reason.
func (g Grant) bare() Grant {
	g.Why = ""
	return g
}

// Never lists the actions that no function may ever be granted.
var Never = []string{
	"cloudtrail:DeleteTrail", "cloudtrail:StopLogging",
	"logs:DeleteLogGroup", "logs:DeleteMetricFilter",
	"cloudwatch:DeleteAlarms", "cloudwatch:PutAlarmMuteRule",
}

// ExpandConditions returns conditions with each placeholder in their values
// replaced.
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

// Expand replaces each placeholder in s by its value.
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
