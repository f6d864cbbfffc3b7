package stack

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatchactions"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssns"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/relight-aws/relight/internal/config"
)

// alerts is how people hear of trouble: a topic and the key it is encrypted
// with.
type alerts struct {
	stack awscdk.Stack
	topic awssns.Topic
	key   awskms.Key
}

// newAlerts adds a topic that the account's alarms in this region may publish
// to.
//
// CloudWatch can publish to an encrypted topic only if the key is the
// customer's own and its policy admits CloudWatch; with aws/sns the action
// fails, and only the alarm's history says so. Source: AWS re:Post Knowledge
// Center, "Why didn't I receive an SNS notification for my CloudWatch alarm".
//
// Whose alarms may publish is the topic's policy to say. The key goes by the
// topic, which SNS names whenever it uses a key: aws:SourceArn is documented
// for CloudWatch's call to SNS and not for the one to KMS, and where KMS did
// not get it every alarm would be mute. Sources: Amazon SNS Developer Guide,
// "Example cases for Amazon SNS access control"; Amazon GameLift Servers
// FlexMatch guide, "Set up an SNS topic with server-side encryption".
//
// Subscribers are part of the topic, not resources of their own: removed from
// the configuration they are unsubscribed, and a topic that outlives its stack
// keeps them. Source: CloudFormation, AWS::SNS::Topic, Subscription.
func newAlerts(s awscdk.Stack, subscribers []config.Subscriber, removal awscdk.RemovalPolicy) alerts {
	a := alerts{stack: s}
	a.key = awskms.NewKey(s, jsii.String("Key"), &awskms.KeyProps{
		Description:       jsii.String("Encrypts the topic of " + *s.StackName()),
		EnableKeyRotation: jsii.Bool(true),
		RemovalPolicy:     removal,
	})
	a.key.AddToResourcePolicy(a.admit(conditions{
		"StringLike": {"kms:EncryptionContext:aws:sns:topicArn": arn(s, "sns", *s.Region(), "*")},
	}, "*", "kms:Decrypt", "kms:GenerateDataKey*"), jsii.Bool(false))

	a.topic = awssns.NewTopic(s, jsii.String("Topic"), &awssns.TopicProps{MasterKey: a.key, EnforceSSL: jsii.Bool(true)})
	a.topic.AddToResourcePolicy(a.admit(conditions{
		"StringEquals": {"aws:SourceAccount": *s.Account()},
		"ArnLike":      {"aws:SourceArn": arn(s, "cloudwatch", *s.Region(), "alarm:*")},
	}, *a.topic.TopicArn(), "sns:Publish"))
	a.topic.ApplyRemovalPolicy(removal)
	// Without its policy a topic that outlives the stack would be shut again.
	a.topic.Node().FindChild(jsii.String("Policy")).(awssns.TopicPolicy).ApplyRemovalPolicy(removal)

	var subscriptions []any
	for _, to := range subscribers {
		subscriptions = append(subscriptions, awssns.CfnTopic_SubscriptionProperty{
			Protocol: jsii.String(to.Protocol), Endpoint: jsii.String(to.Endpoint),
		})
	}
	if subscriptions != nil {
		a.topic.Node().DefaultChild().(awssns.CfnTopic).SetSubscription(subscriptions)
	}
	return a
}

// admit returns a statement that lets CloudWatch act.
func (a alerts) admit(when conditions, resource string, actions ...string) awsiam.PolicyStatement {
	st := allow(actions, []string{resource}, when)
	st.AddServicePrincipal(jsii.String("cloudwatch.amazonaws.com"), nil)
	return st
}

// on adds an alarm that tells the topic's subscribers when metric is above
// zero in each of the given number of its periods. What is not measured is
// not trouble: queues and functions at rest send nothing.
func (a alerts) on(scope constructs.Construct, id string, metric awscloudwatch.IMetric, periods float64, description string) {
	awscloudwatch.NewAlarm(scope, jsii.String(id), &awscloudwatch.AlarmProps{
		AlarmDescription:   jsii.String(description),
		Metric:             metric,
		Threshold:          jsii.Number(0),
		ComparisonOperator: awscloudwatch.ComparisonOperator_GREATER_THAN_THRESHOLD,
		EvaluationPeriods:  jsii.Number(periods),
		TreatMissingData:   awscloudwatch.TreatMissingData_NOT_BREACHING,
	}).AddAlarmAction(awscloudwatchactions.NewSnsAction(a.topic))
}
