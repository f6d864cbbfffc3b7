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

// How long EventBridge tries to deliver an event. After an hour the sweep has
// been there several times, and a person should know that delivery is broken;
// the default is a day. Source: EventBridge API Reference, RetryPolicy.
const (
	eventAge     = time.Hour
	eventRetries = 185
)

// newRules adds a rule for each pattern, from bus to target, and returns
// them. No bus means the region's default bus. What cannot be delivered goes
// to undelivered, whose policy the CDK would add to if it knew.
func newRules(scope constructs.Construct, prefix string, bus awsevents.IEventBus, patterns []catalog.Pattern, target awsevents.IRuleTarget, undelivered awssqs.IQueue) []constructs.IDependable {
	var rules []constructs.IDependable
	for _, p := range patterns {
		props := &awsevents.RuleProps{
			Description:  jsii.String("What can undo a protection: " + p.DetailType[0] + " from " + p.Source[0]),
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

// ruleID tells the patterns of one kind apart, whatever calls they list, so
// that a new call updates a rule instead of replacing it.
func ruleID(p catalog.Pattern) string {
	id := strings.TrimPrefix(p.Source[0], "aws.")
	if p.DetailType[0] == catalog.AlarmChange {
		return id + "-changes"
	}
	if p.Tagged() {
		return id + "-tags"
	}
	return id + "-calls"
}

func eventPattern(p catalog.Pattern) *awsevents.EventPattern {
	out := &awsevents.EventPattern{Source: jsii.Strings(p.Source...), DetailType: jsii.Strings(p.DetailType...)}
	if p.Detail == nil {
		return out
	}
	raw, err := json.Marshal(p.Detail)
	if err != nil { // strings, slices and maps of them always marshal
		panic(err)
	}
	var detail map[string]any
	if err := json.Unmarshal(raw, &detail); err != nil {
		panic(err)
	}
	out.Detail = &detail
	return out
}
