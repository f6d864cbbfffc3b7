package stack

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/jsii-runtime-go"

	"github.com/relight-aws/relight/internal/catalog"
)

// newDeliveryRole adds the role with which VPC flow logs of every region
// deliver to the configured log group. It outlives the stack, as the flow
// logs do. What it is made of is the catalog's, which the function that
// restores it reads too.
func newDeliveryRole(s awscdk.Stack, p Props) awsiam.Role {
	group := p.baseline().FlowLogs.LogGroup
	values := map[string]string{
		catalog.InPartition: *s.Partition(), catalog.InAccount: *s.Account(), catalog.InFlowLogGroup: group,
	}
	role := awsiam.NewRole(s, jsii.String("DeliveryRole"), &awsiam.RoleProps{
		Description:    jsii.String(catalog.DeliveryDescription(group)),
		AssumedBy:      service(catalog.FlowLogService, catalog.ExpandConditions(catalog.DeliveryTrust(), values)),
		InlinePolicies: inline(catalog.DeliveryPolicy, statements(catalog.DeliveryGrants(), values)...),
	})
	role.ApplyRemovalPolicy(awscdk.RemovalPolicy_RETAIN_ON_UPDATE_OR_DELETE)
	return role
}
