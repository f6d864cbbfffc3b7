package stack

import (
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/relight-aws/relight/internal/catalog"
)

// newQueue adds a queue that passes each message to its function, after a delay
// if one is given. After catalog.MaxReceives attempts the message goes to dead.
//
// The visibility timeout is the minimum that the Lambda guide asks for: six
// times the function's timeout, plus the batch window. Source: AWS Lambda
// Developer Guide, "Creating and configuring an Amazon SQS event source
// mapping".
func newQueue(scope constructs.Construct, id, name string, delay time.Duration, dead awssqs.IQueue) awssqs.Queue {
	props := &awssqs.QueueProps{
		QueueName:         jsii.String(name),
		VisibilityTimeout: seconds(catalog.VisibilitySeconds * time.Second),
		DeadLetterQueue:   &awssqs.DeadLetterQueue{Queue: dead, MaxReceiveCount: jsii.Number(catalog.MaxReceives)},
		Encryption:        awssqs.QueueEncryption_SQS_MANAGED,
		EnforceSSL:        jsii.Bool(true),
	}
	if delay > 0 {
		props.DeliveryDelay = seconds(delay)
	}
	return awssqs.NewQueue(scope, jsii.String(id), props)
}

// newDeadLetters adds a queue for messages that need the attention of a person.
// The queue keeps messages for fourteen days, the maximum that SQS allows.
func newDeadLetters(scope constructs.Construct, id, name string) awssqs.Queue {
	return awssqs.NewQueue(scope, jsii.String(id), &awssqs.QueueProps{
		QueueName:       jsii.String(name),
		RetentionPeriod: seconds(catalog.DeadLetterSeconds * time.Second),
		Encryption:      awssqs.QueueEncryption_SQS_MANAGED,
		EnforceSSL:      jsii.Bool(true),
	})
}

// newUndelivered adds the dead-letter queue of the stack's schedule and of its
// rules, which are on the default bus and, if bus is not empty, on relight's
// own bus.
func newUndelivered(s awscdk.Stack, b catalog.Baseline, bus string) awssqs.Queue {
	q := newDeadLetters(s, "Undelivered", b.Name(catalog.Undelivered))
	admitRules(q, s, b.Prefix, true, bus)
	return q
}

// admitRules lets the stack's rules send to a queue: the rules on the default
// bus if onDefault is set, and the rules on relight's own bus if bus is not
// empty. One statement admits all of them by the beginning of their names,
// because a policy may have at most 20 statements and 10 conditions. Source:
// Amazon SQS Developer Guide, "Amazon SQS policy quotas".
func admitRules(q awssqs.Queue, s awscdk.Stack, prefix string, onDefault bool, bus string) {
	var rules []string
	if onDefault {
		rules = append(rules, arn(s, "events", *s.Region(), "rule/"+prefix+"-*"))
	}
	if bus != "" {
		rules = append(rules, arn(s, "events", *s.Region(), "rule/"+bus+"/"+prefix+"-*"))
	}
	st := awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Actions: jsii.Strings("sqs:SendMessage"), Resources: &[]*string{q.QueueArn()},
		Conditions: &map[string]any{"ArnLike": map[string]any{"aws:SourceArn": rules}},
	})
	st.AddServicePrincipal(jsii.String("events.amazonaws.com"), nil)
	q.AddToResourcePolicy(st)
}
