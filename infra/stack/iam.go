package stack

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/jsii-runtime-go"

	"github.com/relight-aws/relight/internal/catalog"
)

// arn returns an ARN of the stack's account.
func arn(s awscdk.Stack, service, region, resource string) string {
	return "arn:" + *s.Partition() + ":" + service + ":" + region + ":" + *s.Account() + ":" + resource
}

// conditions is operator to key to value, as IAM has them.
type conditions = map[string]map[string]string

// allow returns a statement that lets actions be taken on resources.
func allow(actions, resources []string, when conditions) awsiam.PolicyStatement {
	return awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Actions: jsii.Strings(actions...), Resources: jsii.Strings(resources...), Conditions: loose(when),
	})
}

// service returns a principal that is an AWS service.
func service(name string, when conditions) awsiam.IPrincipal {
	return awsiam.NewServicePrincipal(jsii.String(name), &awsiam.ServicePrincipalOpts{Conditions: loose(when)})
}

func loose(c conditions) *map[string]any {
	if c == nil {
		return nil
	}
	m := make(map[string]any, len(c))
	for operator, keys := range c {
		m[operator] = keys
	}
	return &m
}

// inline returns the policies of a role that has one. Policies are part of
// their role, so that whatever needs the role finds it able to act, and a
// role that outlives the stack keeps it.
func inline(name string, statements ...awsiam.PolicyStatement) *map[string]awsiam.PolicyDocument {
	return &map[string]awsiam.PolicyDocument{
		name: awsiam.NewPolicyDocument(&awsiam.PolicyDocumentProps{Statements: &statements}),
	}
}

// statements fills in the placeholders of grants.
func statements(grants []catalog.Grant, values map[string]string) []awsiam.PolicyStatement {
	var out []awsiam.PolicyStatement
	for _, g := range grants {
		resources := make([]string, len(g.Resources))
		for i, r := range g.Resources {
			resources[i] = catalog.Expand(r, values)
		}
		var when conditions
		if g.Condition != nil {
			when = catalog.ExpandConditions(g.Condition, values)
		}
		out = append(out, allow(g.Actions, resources, when))
	}
	return out
}
