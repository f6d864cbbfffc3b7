package catalog

// FlowLogService is the principal that delivers flow logs. The delivery role
// trusts it.
const FlowLogService = "vpc-flow-logs.amazonaws.com"

// DeliveryPolicy is the name of the delivery role's inline policy.
const DeliveryPolicy = "deliver"

// InlinePolicyChars is how many characters the inline policies of a role may have
// together, without white space. Source: IAM User Guide, "IAM and AWS STS quotas".
const InlinePolicyChars = 10240

// InFlowLogGroup is the placeholder for FlowLogSpec.LogGroup in grants.
const InFlowLogGroup = "${flow-log-group}"

// DeliveryTrust returns the conditions under which FlowLogService may assume
// the delivery role: only for flow logs of this account, in any region. Source:
// Amazon VPC User Guide, "IAM role for publishing flow logs to CloudWatch Logs".
func DeliveryTrust() map[string]map[string]string {
	return map[string]map[string]string{
		"StringEquals": {"aws:SourceAccount": InAccount},
		"ArnLike":      {"aws:SourceArn": arn + "ec2:*:" + InAccount + ":vpc-flow-log/*"},
	}
}

// DeliveryGrants returns the statements of DeliveryPolicy.
//
// AWS's documented minimum includes logs:CreateLogGroup. relight leaves it out,
// because the service would use it to recreate a deleted group, without
// retention, before relight does. Source: Amazon VPC User Guide, "IAM role for
// publishing flow logs to CloudWatch Logs"; terraform-aws-vpc issues 435 and
// 550.
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
			Why:       "CloudWatch Logs authorises this listing only for all log groups. Source: Service Authorization Reference, CloudWatch Logs",
		},
	}
}

// DeliveryDescription returns the description of the delivery role.
func DeliveryDescription(logGroup string) string { return "VPC flow logs deliver to " + logGroup }
