package catalog

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
