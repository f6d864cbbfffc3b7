package catalog

// FlowLogService is the service that delivers flow logs, as roles trust it.
const FlowLogService = "vpc-flow-logs.amazonaws.com"

// DeliveryPolicy is the name of the delivery role's inline policy.
const DeliveryPolicy = "deliver"

// InFlowLogGroup is a placeholder of DeliveryGrants: FlowLogSpec.LogGroup.
const InFlowLogGroup = "${flow-log-group}"

// DeliveryTrust is when the delivery role may be assumed by FlowLogService:
// for flow logs of this account, in any region. Source: Amazon VPC User Guide,
// "IAM role for publishing flow logs to CloudWatch Logs".
func DeliveryTrust() map[string]map[string]string {
	return map[string]map[string]string{
		"StringEquals": {"aws:SourceAccount": InAccount},
		"ArnLike":      {"aws:SourceArn": arn + "ec2:*:" + InAccount + ":vpc-flow-log/*"},
	}
}

// DeliveryGrants returns the statements of DeliveryPolicy.
//
// AWS's documented minimum has logs:CreateLogGroup too. It is left out: with
// it the service recreates a deleted group, without retention, before relight
// does. Source: Amazon VPC User Guide, "IAM role for publishing flow logs to
// CloudWatch Logs"; terraform-aws-vpc issues 435 and 550.
func DeliveryGrants() []Grant {
	group := arn + "logs:*:" + InAccount + ":log-group:" + InFlowLogGroup
	return []Grant{
		{
			Actions:   []string{"logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"},
			Resources: []string{group, group + ":*"},
		},
		{
			Actions:   []string{"logs:DescribeLogGroups"},
			Resources: []string{"*"},
			Why:       "the listing is authorised as a whole. Source: Service Authorization Reference, CloudWatch Logs",
		},
	}
}

// DeliveryDescription says what the delivery role is for.
func DeliveryDescription(logGroup string) string { return "VPC flow logs deliver to " + logGroup }
