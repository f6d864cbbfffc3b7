package stack

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/jsii-runtime-go"

	"github.com/relight-aws/relight/internal/catalog"
)

// newDeliveryRole adds the role that VPC flow logs of every region use to
// deliver to the configured log group. The role outlives the stack, as the flow
// logs do. Its parts come from the catalog, which the function that restores
// the role reads too.
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
