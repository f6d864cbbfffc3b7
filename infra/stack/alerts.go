package stack

import (
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssns"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/config"
)

// alerts is how alarms and relight notify people: a topic and the key that
// encrypts it.
type alerts struct {
	stack awscdk.Stack
	topic awssns.Topic
	last  awssns.Topic // of last resort; nil in a forwarder's stack
	key   awskms.Key
}

// newAlerts adds a topic to which the account's alarms in this region may
// publish.
//
// CloudWatch can publish to an encrypted topic only if the key is customer
// managed and its policy admits CloudWatch. With aws/sns the alarm action
// fails, and only the alarm's history says so. Source: AWS re:Post Knowledge
// Center, "Why didn't I receive an SNS notification for my CloudWatch alarm".
//
// The topic's policy decides whose alarms may publish. The key's policy checks
// the topic, which SNS names whenever it uses a key. It does not check
// aws:SourceArn, which AWS documents for CloudWatch's call to SNS but not for
// the call to KMS: if KMS did not receive it, no alarm could send a
// notification. Sources: Amazon SNS Developer Guide, "Example cases for Amazon
// SNS access control"; Amazon GameLift Servers FlexMatch guide, "Set up an SNS
// topic with server-side encryption".
//
// The functions that restore the topic and its key, or publish to the topic,
// use the key with the permissions of their own roles: the key's policy leaves
// that to IAM. Publishers need kms:GenerateDataKey* and kms:Decrypt. AWS
// documents no permission on the key for CreateTopic and SetTopicAttributes.
// Sources: Amazon SNS Developer Guide, "Managing Amazon SNS encryption keys and
// costs"; AWS KMS Developer Guide, "Default key policy".
//
// Subscribers are part of the topic and not separate resources. CloudFormation
// unsubscribes a subscriber that is removed from the configuration, and a topic
// that outlives its stack keeps its subscribers. Source: CloudFormation,
// AWS::SNS::Topic, Subscription.
func newAlerts(s awscdk.Stack, subscribers []config.Subscriber, removal awscdk.RemovalPolicy) alerts {
	a := alerts{stack: s}
	a.key = awskms.NewKey(s, jsii.String("Key"), &awskms.KeyProps{
		Description:       jsii.String(catalog.KeyDescription(*s.StackName())),
		EnableKeyRotation: jsii.Bool(true),
		RemovalPolicy:     removal,
	})
	use := statements([]catalog.Grant{catalog.TopicKeyGrant}, map[string]string{
		catalog.InPartition: *s.Partition(), catalog.InAccount: *s.Account(), catalog.InRegion: *s.Region(),
	})[0]
	use.AddServicePrincipal(jsii.String(catalog.AlarmService), nil)
	a.key.AddToResourcePolicy(use, jsii.Bool(false))

	a.topic = a.newTopic("Topic", a.key, subscribers, removal)
	return a
}

// lastResort adds the topic of last resort, which has no key that somebody could
// close.
func (a *alerts) lastResort(subscribers []config.Subscriber, removal awscdk.RemovalPolicy) {
	a.last = a.newTopic("LastResort", nil, subscribers, removal)
}

// newTopic adds a topic with relight's policy and its subscribers.
func (a alerts) newTopic(id string, key awskms.IKey, subscribers []config.Subscriber, removal awscdk.RemovalPolicy) awssns.Topic {
	topic := awssns.NewTopic(a.stack, jsii.String(id), &awssns.TopicProps{MasterKey: key})
	for _, st := range catalog.TopicPolicy {
		topic.AddToResourcePolicy(a.statement(st, topic))
	}
	topic.ApplyRemovalPolicy(removal)
	// Without its policy, a topic that outlives the stack would be closed to
	// CloudWatch again.
	topic.Node().FindChild(jsii.String("Policy")).(awssns.TopicPolicy).ApplyRemovalPolicy(removal)

	var subscriptions []any
	for _, to := range subscribers {
		subscriptions = append(subscriptions, awssns.CfnTopic_SubscriptionProperty{
			Protocol: jsii.String(to.Protocol), Endpoint: jsii.String(to.Endpoint),
		})
	}
	if subscriptions != nil {
		topic.Node().DefaultChild().(awssns.CfnTopic).SetSubscription(subscriptions)
	}
	a.admit(topic, subscribers, removal)
	return topic
}

// admit lets the topic, and no other, invoke the subscribers that are functions of
// the stack's region and account. Each permission adds a statement to the policy of
// the function, version or alias, and leaves the others as they are. It outlives the
// stack where the topic does. The synthesis does not know the account, so a condition
// compares it: CloudFormation can add no permission in another account.
//
// There is no such resource for a queue: the policy of AWS::SQS::QueuePolicy and of
// AWS::SQS::QueueInlinePolicy is a queue's whole policy, and would replace its owner's.
// Sources: AWS Lambda Developer Guide, "Working with resource-based policies in
// Lambda"; Amazon SQS API Reference, SetQueueAttributes, Policy.
func (a alerts) admit(topic awssns.Topic, subscribers []config.Subscriber, removal awscdk.RemovalPolicy) {
	scope := constructs.NewConstruct(a.stack, jsii.String("Admitted"+strings.TrimPrefix(*topic.Node().Id(), "Topic")))
	for _, to := range subscribers {
		at := strings.Split(to.Endpoint, ":") // arn, partition, service, region, account and so on
		if to.Protocol != "lambda" || at[3] != *a.stack.Region() {
			continue
		}
		permission := awslambda.NewCfnPermission(scope, jsii.String(to.Endpoint), &awslambda.CfnPermissionProps{
			Action: jsii.String("lambda:InvokeFunction"), FunctionName: jsii.String(to.Endpoint),
			Principal: jsii.String(catalog.Deliverer(at[3], at[3])), SourceArn: topic.TopicArn(),
		})
		permission.CfnOptions().SetCondition(awscdk.NewCfnCondition(scope, jsii.String("Account of "+to.Endpoint), &awscdk.CfnConditionProps{
			Expression: awscdk.Fn_ConditionEquals(a.stack.Account(), at[4]),
		}))
		permission.ApplyRemovalPolicy(removal, nil)
	}
}

// statement converts a statement of the topic's policy.
func (a alerts) statement(from catalog.TopicStatement, topic awssns.Topic) awsiam.PolicyStatement {
	st := statements([]catalog.Grant{from.Grant}, map[string]string{
		catalog.InPartition: *a.stack.Partition(), catalog.InAccount: *a.stack.Account(),
		catalog.InRegion: *a.stack.Region(), catalog.InTopic: *topic.TopicArn(),
	})[0]
	st.SetSid(jsii.String(from.Sid))
	if from.Effect == "Deny" {
		st.SetEffect(awsiam.Effect_DENY)
	}
	if from.Service == "" {
		st.AddAnyPrincipal()
	} else {
		st.AddServicePrincipal(jsii.String(from.Service), nil)
	}
	return st
}

// on adds an alarm on relight itself. It has a fixed name, so that relight can
// restore it.
func (a alerts) on(name string, row catalog.StackAlarm) awscloudwatch.CfnAlarm {
	var dimensions []any
	for _, d := range slices.Sorted(maps.Keys(row.Dimensions)) {
		dimensions = append(dimensions, awscloudwatch.CfnAlarm_DimensionProperty{Name: jsii.String(d), Value: jsii.String(row.Dimensions[d])})
	}
	props := &awscloudwatch.CfnAlarmProps{
		AlarmName: jsii.String(name), AlarmDescription: jsii.String(row.Description),
		Namespace: jsii.String(row.Namespace), MetricName: jsii.String(row.Metric),
		Statistic: jsii.String(row.Statistic), Period: jsii.Number(float64(row.Period)), EvaluationPeriods: jsii.Number(float64(row.Periods)), DatapointsToAlarm: jsii.Number(float64(row.Periods)),
		ComparisonOperator: jsii.String(row.Comparison), Threshold: jsii.Number(row.Threshold), TreatMissingData: jsii.String(row.Missing),
		AlarmActions: &[]any{a.topic.TopicArn()},
	}
	if row.Both {
		props.AlarmActions = &[]any{a.topic.TopicArn(), a.last.TopicArn()}
	}
	if dimensions != nil {
		props.Dimensions = dimensions
	}
	return awscloudwatch.NewCfnAlarm(a.stack, jsii.String("Alarm-"+row.ID), props)
}
