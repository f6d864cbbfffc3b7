package catalog

import (
	"fmt"
	"slices"
)

// An AuditSpec says which audits the stack publishes. The zero value is for none.
type AuditSpec struct {
	Frameworks []string // IDs
	Hours      int      // between two audits
}

// These limit the hours between two audits: the alarm that notices that there are none
// has them as its period, of which CloudWatch takes a day at most. Source: CloudWatch API
// Reference, PutMetricAlarm, Period and EvaluationPeriods.
const (
	AuditHours     = 24 // the default
	MostAuditHours = 24
)

// On reports whether the stack publishes audits.
func (a AuditSpec) On() bool { return a.Hours > 0 }

// ScheduleExpression returns when the schedule audits.
func (a AuditSpec) ScheduleExpression() string {
	if a.Hours == 1 {
		return "rate(1 hour)"
	}
	return fmt.Sprintf("rate(%d hours)", a.Hours)
}

// These describe the schedule of the audits. Its window delays each audit by up to a
// quarter of an hour, and so the first one until the first sweep is over, mostly.
const (
	AuditDescription = "relight: an audit whose findings Security Hub gets"
	AuditWindow      = 15 // minutes
)

// AuditName returns the name of the schedule of the audits.
func (b Baseline) AuditName() string { return b.Name("audit") }

// listGateways is for what relight audit lists on request only. No finding is about it.
const listGateways = "ec2:DescribeTransitGateways"

// auditorGrants lists what Auditor may do: read what relight audit reads, and import
// what it finds. It notifies nobody: an alarm does if it fails.
//
// The resource of the import is the default product of the account, as IAM names it:
// recorded in aws-samples/automated-security-helper-pipeline, issue 1 (2024-10-10).
var auditorGrants = []Grant{
	{
		Actions:   slices.DeleteFunc(slices.Clone(AuditActions), func(a string) bool { return a == listGateways }),
		Resources: []string{"*"},
		Why: "the reads of relight audit, which learns only from what it has read which trails, topics, keys and subscribers it reads, in any region; " +
			"GetEventSelectors is for a trail with selectors of its own, DescribeKey is for and GetKeyPolicy is for the key of a topic, GetPolicy is for a subscribed function, and GetQueueUrl is for and GetQueueAttributes is for a subscribed queue",
	},
	{
		Actions:   []string{"securityhub:BatchImportFindings"},
		Resources: []string{arn + "securityhub:" + InRegion + ":" + InAccount + ":product/" + InAccount + "/default"},
		Why:       "it publishes the findings in the home region, as those of the account's own product",
	},
}

// AuditActions are the IAM actions that relight audit uses. None of them writes. An
// audit learns which topics, keys and subscribers it reads only from what it has read, so
// the policy names no resources. Source: AWS Service Authorization Reference.
var AuditActions = []string{
	"cloudtrail:DescribeTrails",
	"cloudtrail:GetEventSelectors",
	"cloudtrail:GetTrailStatus",
	"cloudwatch:DescribeAlarms",
	"ec2:DescribeFlowLogs",
	"ec2:DescribeRegions",
	listGateways,
	"ec2:DescribeVpcs",
	"kms:DescribeKey",
	"kms:GetKeyPolicy",
	"lambda:GetPolicy",
	"logs:DescribeLogGroups",
	"logs:DescribeMetricFilters",
	"sns:GetSubscriptionAttributes",
	"sns:GetTopicAttributes",
	"sns:ListSubscriptionsByTopic",
	"sqs:GetQueueAttributes",
	"sqs:GetQueueUrl",
}
