package stack

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/relight-aws/relight/internal/catalog"
)

// These limits say how long EventBridge tries to deliver an event; its default
// is a day. Within an hour the sweep has already run several times, and a
// person should know that delivery is broken. Source: EventBridge API
// Reference, RetryPolicy.
const (
	eventAge     = time.Hour
	eventRetries = 185
)

// newRules adds a rule for each pattern, from bus to target, and returns the
// rules. A nil bus is the region's default bus. Events that cannot be delivered
// go to undelivered. newRules sets undelivered in the template itself, because
// the CDK would add statements to its policy for each target that names it.
//
// The rules have fixed names that begin with name. CloudFormation would trim
// the name of the stack in names that it generates, and the policies of the
// queues admit the rules by the beginning of their names. Source:
// CloudFormation User Guide, "Name type": generated names have the name of the
// stack, and AWS documents no length up to which it stays whole.
func newRules(scope constructs.Construct, name, prefix string, bus awsevents.IEventBus, patterns []catalog.Pattern, target awsevents.IRuleTarget, undelivered awssqs.IQueue) []constructs.IDependable {
	var rules []constructs.IDependable
	for _, p := range patterns {
		props := &awsevents.RuleProps{
			RuleName:     jsii.String(ruleName(name, prefix, p)),
			Description:  jsii.String("Matches events that can undo a protection: " + p.DetailType[0] + " from " + p.Source[0]),
			EventPattern: eventPattern(p),
			Targets:      &[]awsevents.IRuleTarget{target},
		}
		if bus != nil {
			props.EventBus = bus
		}
		rule := awsevents.NewRule(scope, jsii.String(prefix+ruleID(p)), props)
		rule.Node().DefaultChild().(awsevents.CfnRule).AddPropertyOverride(jsii.String("Targets.0.DeadLetterConfig.Arn"), undelivered.QueueArn())
		rules = append(rules, rule)
	}
	return rules
}

// ruleName returns the name of a rule, which distinguishes the rules of one bus.
func ruleName(name, prefix string, p catalog.Pattern) string {
	if strings.HasSuffix(prefix, "Later") {
		name += "-later"
	}
	return name + "-" + ruleID(p)
}

// ruleID returns an ID that distinguishes the patterns of one kind. The ID does
// not depend on the calls in a pattern, so a new call updates a rule instead of
// replacing it.
func ruleID(p catalog.Pattern) string {
	id := strings.TrimPrefix(p.Source[0], "aws.")
	if p.DetailType[0] == catalog.AlarmChange {
		return id + "-changes"
	}
	switch narrow := p.Narrow(); narrow {
	case "":
		return id + "-calls"
	case "tagged":
		return id + "-tags"
	default:
		return id + "-" + strings.ReplaceAll(narrow, " ", "-")
	}
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
