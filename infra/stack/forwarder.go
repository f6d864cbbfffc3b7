package stack

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/aws-cdk-go/awscdk/v2/awseventstargets"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/relight-aws/relight/internal/catalog"
)

// Forwarder adds the stack of a further region, which sends events to relight's
// bus in the home region. The stack has its own topic, because alarms can notify
// only topics of their own region. The role and the rules have fixed names, so that
// relight can restore the rules.
//
// Unlike other targets, a bus accepts no retry policy, so an event that cannot
// be delivered becomes a dead letter after a day. Source: CDK API Reference,
// aws_events_targets.EventBusProps.
func Forwarder(app constructs.Construct, p Props, region string) awscdk.Stack {
	s := newStack(app, p, p.baseline().ForwarderName(region), region, "relight: forwards this region's events to "+p.homeName())
	homeRegion := p.Home
	if p.anywhere() {
		homeRegion = *awscdk.NewCfnParameter(s, jsii.String(catalog.ParamHome), &awscdk.CfnParameterProps{
			Description: jsii.String("The region of the stack " + p.baseline().StackName()), AllowedPattern: jsii.String("[a-z0-9-]+"),
		}).ValueAsString()
	}
	alerts := newAlerts(s, p.Config.Subscribers, awscdk.RemovalPolicy_DESTROY)
	if p.Plain != nil {
		subscribeEmail(s, alerts.topic)
	}
	undelivered := newUndelivered(s, p.baseline(), "")
	alerts.on(p.baseline().Name(catalog.Undelivered), catalog.UndeliveredAlarm().Of(*undelivered.QueueName()))
	bus := arn(s, "events", homeRegion, "event-bus/"+p.baseline().BusName())
	role := awsiam.NewRole(s, jsii.String("ForwardRole"), &awsiam.RoleProps{
		RoleName:       jsii.String(p.baseline().ForwardRole(region)),
		AssumedBy:      service("events.amazonaws.com", conditions{"StringEquals": {"aws:SourceAccount": *s.Account()}}),
		InlinePolicies: inline("forward", allow([]string{"events:PutEvents"}, []string{bus}, nil)),
	})
	home := awseventstargets.NewEventBus(
		awsevents.EventBus_FromEventBusArn(s, jsii.String("HomeBus"), jsii.String(bus)),
		&awseventstargets.EventBusProps{Role: role.WithoutPolicyUpdates(nil)},
	)
	output(s, catalog.OutputTopic, alerts.topic.TopicArn(), "The topic that receives this region's alarms")
	newRules(s, "Forward", nil, p.baseline().ForwarderRules(p.Home, region), home, undelivered)
	return s
}
