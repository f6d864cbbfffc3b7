package stack

import (
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/jsii-runtime-go"

	"github.com/relight-aws/relight/internal/catalog"
)

// arn returns an ARN in the stack's account.
func arn(s awscdk.Stack, service, region, resource string) string {
	return "arn:" + *s.Partition() + ":" + service + ":" + region + ":" + *s.Account() + ":" + resource
}

// conditions maps an operator to a key to a value, as IAM does.
type conditions = map[string]map[string]string

// allow returns a statement that allows actions on resources.
func allow(actions, resources []string, when conditions) awsiam.PolicyStatement {
	return awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Actions: jsii.Strings(actions...), Resources: jsii.Strings(resources...), Conditions: loose(when),
	})
}

// service returns a principal for an AWS service.
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

// inline returns the inline policies of a role. Inline policies are part of
// their role, so a resource that depends on the role finds the role complete,
// and a role that outlives the stack keeps its policies.
func inline(name string, statements ...awsiam.PolicyStatement) *map[string]awsiam.PolicyDocument {
	return &map[string]awsiam.PolicyDocument{
		name: awsiam.NewPolicyDocument(&awsiam.PolicyDocumentProps{Statements: &statements}),
	}
}

// statements converts grants to statements and replaces their placeholders.
func statements(grants []catalog.Grant, values map[string]string) []awsiam.PolicyStatement {
	var out []awsiam.PolicyStatement
	for _, g := range catalog.Merged(grants) {
		var resources []string
		for _, r := range g.Resources { // a value of several lines makes several resources
			resources = append(resources, strings.Split(catalog.Expand(r, values), "\n")...)
		}
		var when conditions
		if g.Condition != nil {
			when = catalog.ExpandConditions(g.Condition, values)
		}
		out = append(out, allow(g.Actions, resources, when))
	}
	return out
}
