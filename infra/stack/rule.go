package stack

import (
	"encoding/json"

	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/relight-aws/relight/internal/catalog"
)

// newRules adds rules, from bus to target, and returns them. A nil bus is the
// region's default bus. The constructs' IDs begin with prefix. Events that cannot be delivered
// go to undelivered. newRules sets undelivered in the template itself, because
// the CDK would add statements to its policy for each target that names it.
//
// The rules have fixed names. CloudFormation would trim
// the name of the stack in names that it generates, and the policies of the
// queues admit the rules by the beginning of their names. Source:
// CloudFormation User Guide, "Name type": generated names have the name of the
// stack, and AWS documents no length up to which it stays whole.
func newRules(scope constructs.Construct, prefix string, bus awsevents.IEventBus, from []catalog.Rule, target awsevents.IRuleTarget, undelivered awssqs.IQueue) []constructs.IDependable {
	var rules []constructs.IDependable
	for _, r := range from {
		props := &awsevents.RuleProps{
			RuleName:     jsii.String(r.Name),
			Description:  jsii.String(r.Description()),
			EventPattern: eventPattern(r.Pattern),
			Targets:      &[]awsevents.IRuleTarget{target},
		}
		if bus != nil {
			props.EventBus = bus
		}
		rule := awsevents.NewRule(scope, jsii.String(prefix+catalog.RuleID(r.Pattern)), props)
		rule.Node().DefaultChild().(awsevents.CfnRule).AddPropertyOverride(jsii.String("Targets.0.DeadLetterConfig.Arn"), undelivered.QueueArn())
		rules = append(rules, rule)
	}
	return rules
}

func eventPattern(p catalog.Pattern) *awsevents.EventPattern {
	out := &awsevents.EventPattern{Source: jsii.Strings(p.Source...), DetailType: jsii.Strings(p.DetailType...)}
	if p.Detail == nil {
		return out
	}
	raw, err := json.Marshal(p.Detail)
	if err != nil { // strings, slices of strings and maps of them always marshal
		panic(err)
	}
	var detail map[string]any
	if err := json.Unmarshal(raw, &detail); err != nil {
		panic(err)
	}
	out.Detail = &detail
	return out
}
