package stack

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/jsii-runtime-go"
)

// newDeliveryRole adds the role with which VPC flow logs of every region
// deliver to the configured log group. It outlives the stack, as the flow
// logs do.
//
// AWS's documented minimum has logs:CreateLogGroup too. It is left out: with
// it the service recreates a deleted group, without retention, before relight
// does. Source: Amazon VPC User Guide, "IAM role for publishing flow logs to
// CloudWatch Logs"; terraform-aws-vpc issues 435 and 550.
func newDeliveryRole(s awscdk.Stack, p Props) awsiam.Role {
	group := arn(s, "logs", "*", "log-group:"+p.policy().FlowLogs.LogGroup)
	role := awsiam.NewRole(s, jsii.String("DeliveryRole"), &awsiam.RoleProps{
		Description: jsii.String("VPC flow logs deliver to " + p.policy().FlowLogs.LogGroup),
		AssumedBy: service("vpc-flow-logs.amazonaws.com", conditions{
			"StringEquals": {"aws:SourceAccount": *s.Account()},
			"ArnLike":      {"aws:SourceArn": arn(s, "ec2", "*", "vpc-flow-log/*")},
		}),
		InlinePolicies: inline("deliver",
			allow([]string{"logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"}, []string{group, group + ":*"}, nil),
			// The listing is authorised as a whole. Source: Service
			// Authorization Reference, CloudWatch Logs.
			allow([]string{"logs:DescribeLogGroups"}, []string{"*"}, nil),
		),
	})
	role.ApplyRemovalPolicy(awscdk.RemovalPolicy_RETAIN_ON_UPDATE_OR_DELETE)
	return role
}
