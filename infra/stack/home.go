package stack

import (
	"maps"
	"slices"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/config"
)

// Home adds the stack of the home region, which watches, restores and reports.
func Home(app constructs.Construct, p Props) awscdk.Stack {
	s := newStack(app, p, p.baseline().StackName(), p.Home, "relight: turns this account's audit lights back on")
	packages, overlay := p.parameters(s)
	alerts := newAlerts(s, p.Config.Subscribers, awscdk.RemovalPolicy_RETAIN_ON_UPDATE_OR_DELETE)
	alerts.lastResort(p.Config.LastSubscribers(), awscdk.RemovalPolicy_RETAIN_ON_UPDATE_OR_DELETE)
	undelivered := newUndelivered(s, p.baseline(), p.baseline().BusName())
	bus := awsevents.NewEventBus(s, jsii.String("Bus"), &awsevents.EventBusProps{EventBusName: jsii.String(p.baseline().BusName())})
	admitForwarders(s, bus, p.baseline())
	starts, machine := p.scheduled()
	l := lambdas{
		Props: p, stack: s, packages: packages, overlay: overlay, alerts: alerts, undelivered: undelivered,
		delivery: newDeliveryRole(s, p), scheduler: newScheduleRole(s, starts, machine, undelivered),
		dead: map[string]awssqs.IQueue{catalog.Undelivered: undelivered}, functions: &[]awslambda.Function{},
	}

	if p.baseline().Organization.On() {
		l.results = newResults(s)
	}
	role, scheduled := l.sweep()
	l.sweepRole = role
	var before []constructs.IDependable // of the first sweep
	var restorers, mappings []constructs.Construct
	var guard constructs.IDependable
	if p.Config.Trail.Create {
		before = append(before, newTrail(s, p))
	}
	for _, k := range p.kinds() {
		fn := l.forKind(k)
		if k == catalog.Alarms {
			restorers = fn.mappings
		}
		if k == catalog.Guard {
			guard = fn.fn
		}
		for _, m := range fn.mappings {
			before = append(before, m)
		}
		mappings = append(mappings, fn.mappings...)
		for _, feed := range []struct {
			prefix string
			later  bool
			bus    awsevents.IEventBus // nil for the default bus
			target awsevents.IRuleTarget
		}{
			{"Rule", false, nil, fn.target},
			{"Later", true, nil, fn.later},
			{"Forwarded", false, bus, fn.target},
			{"ForwardedLater", true, bus, fn.later},
		} {
			before = append(before, newRules(fn.scope, feed.prefix, feed.bus, p.rules(k, feed.later, feed.bus != nil), feed.target, undelivered)...)
		}
	}
	if guard != nil {
		for _, m := range mappings { // a function that handles events asks the guard to check
			m.Node().AddDependency(guard)
		}
	}
	if p.baseline().Audit.On() {
		l.audits()
	}
	scheduled(before, restorers)

	if p.Config.Dashboard == nil || *p.Config.Dashboard {
		l.dashboard()
	}

	output(s, catalog.OutputTopic, alerts.topic.TopicArn(), "The topic that receives alarms and relight's notifications")
	output(s, catalog.OutputLastResort, alerts.last.TopicArn(), "The topic of last resort, which carries what the other refuses")
	output(s, catalog.OutputDeliveryRole, l.delivery.RoleArn(), "The role that VPC flow logs use to deliver")
	record(s, p.Config)
	return s
}

// record writes what the configuration says beyond the defaults into the template's
// metadata, one key for each value: "cdk diff" shows each that changes on a line of its
// own. All texts are JSON. CloudFormation does not change metadata alone, and need not:
// the files of the functions have the configuration too.
func record(s awscdk.Stack, c config.Config) {
	s.AddMetadata(jsii.String(catalog.ConfigSchemaKey), catalog.ConfigSchema)
	facts := c.Facts()
	for _, path := range slices.Sorted(maps.Keys(facts)) {
		s.AddMetadata(jsii.String(catalog.ConfigKey+path), facts[path])
	}
}

// admitForwarders lets this account send events to the bus. Within an account
// the role of a forwarder's rules should be enough. The policy says the same
// from the other side, and admits nobody else but the accounts of the configured
// organisation. An event that a caller puts there has the caller's account, and no source of
// AWS's: PutEvents refuses those (NotAuthorizedForSourceException, as others observed).
// Sources: Amazon EventBridge User Guide, "Sending and receiving events between AWS
// Regions", "Permissions for event buses" and "Events structure reference", account,
// documented.
//
// The policy is text, and the bus has no description, because CloudFormation's
// schema of a bus in GovCloud accepts nothing else. Source: cfn-lint 1.51.5,
// schemas of us-gov-east-1 and us-gov-west-1.
func admitForwarders(s awscdk.Stack, bus awsevents.EventBus, b catalog.Baseline) {
	name := arn(s, "events", *s.Region(), "event-bus/"+b.BusName())
	admitted := []any{map[string]any{
		"Sid": "AllowThisAccount", "Effect": "Allow", "Action": "events:PutEvents",
		"Principal": map[string]any{"AWS": "arn:" + *s.Partition() + ":iam::" + *s.Account() + ":root"},
		"Resource":  name,
	}}
	if b.Organization.On() {
		admitted = append(admitted, map[string]any{
			"Sid": "AllowTheOrganization", "Effect": "Allow", "Action": "events:PutEvents", "Principal": "*", "Resource": name,
			"Condition": conditions{"StringEquals": {"aws:PrincipalOrgID": b.Organization.ID}},
		})
	}
	bus.Node().DefaultChild().(awsevents.CfnEventBus).SetPolicy(s.ToJsonString(map[string]any{"Version": "2012-10-17", "Statement": admitted}, nil))
}

func output(s awscdk.Stack, id string, value *string, description string) {
	awscdk.NewCfnOutput(s, jsii.String(id), &awscdk.CfnOutputProps{Value: value, Description: jsii.String(description)})
}

// rules returns the rules that feed a queue of a kind, from relight's own bus if
// own is set, and else from the default bus.
func (p Props) rules(k catalog.Kind, later, own bool) []catalog.Rule {
	return slices.DeleteFunc(p.baseline().Rules(p.Home), func(r catalog.Rule) bool {
		return r.Kind != k || r.Later != later || (r.Bus != "") != own
	})
}
