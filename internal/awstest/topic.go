package awstest

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
)

// A Message is what was published to a topic.
type Message struct {
	Topic, Subject, Text string
}

// A topic is an SNS topic with its subscriptions.
type topic struct {
	attributes         map[string]string
	confirmed, pending int
}

func (t *topic) state() any {
	return map[string]any{"attributes": t.attributes, "confirmed": t.confirmed, "pending": t.pending}
}

// admits is a topic policy that lets CloudWatch's alarms publish. Source:
// AWS re:Post, "Why didn't I receive an SNS notification for my CloudWatch
// alarm trigger".
const admits = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"cloudwatch.amazonaws.com"},"Action":"sns:Publish","Resource":"*"}]}`

// AddTopic makes a topic that CloudWatch may publish to, with confirmed
// subscribers. It returns its ARN.
func (a *Account) AddTopic(regionName, name string, confirmed int) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	arn := "arn:aws:sns:" + regionName + ":" + a.ID + ":" + name
	a.regions[regionName].topics[arn] = &topic{attributes: map[string]string{"Policy": admits}, confirmed: confirmed}
	return arn
}

// Messages returns what was published, in order.
func (a *Account) Messages() []Message {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.messages)
}

func noTopic(op string) error { return refuse(op, "NotFound", "Topic does not exist") }

// CreateTopic creates a topic, or returns the one of that name. Without a
// policy of its own it has one that admits the account's principals. Sources:
// Amazon SNS API Reference, CreateTopic; Amazon SNS Developer Guide, "Default
// topic policy".
func (a *Account) CreateTopic(ctx context.Context, in *sns.CreateTopicInput, opts ...func(*sns.Options)) (*sns.CreateTopicOutput, error) {
	const op = "CreateTopic"
	r, end, err := a.begin(ctx, op, snsRegion(opts))
	defer end()
	if err != nil {
		return nil, err
	}
	arn := "arn:aws:sns:" + r.name + ":" + a.ID + ":" + aws.ToString(in.Name)
	if r.topics[arn] == nil {
		attributes := map[string]string{"Policy": `{"Version":"2008-10-17","Id":"__default_policy_ID","Statement":[{"Sid":"__default_statement_ID",` +
			`"Effect":"Allow","Principal":{"AWS":"*"},"Action":["SNS:Publish","SNS:Subscribe"],"Resource":"` + arn +
			`","Condition":{"StringEquals":{"AWS:SourceOwner":"` + a.ID + `"}}}]}`}
		maps.Copy(attributes, in.Attributes)
		r.topics[arn] = &topic{attributes: attributes}
		a.wrote(op, r, arn)
	}
	return &sns.CreateTopicOutput{TopicArn: aws.String(arn)}, nil
}

// DeleteTopic deletes a topic with its subscriptions; one that is not there
// is no error. Source: Amazon SNS API Reference, DeleteTopic.
func (a *Account) DeleteTopic(ctx context.Context, in *sns.DeleteTopicInput, opts ...func(*sns.Options)) (*sns.DeleteTopicOutput, error) {
	const op = "DeleteTopic"
	r, end, err := a.begin(ctx, op, snsRegion(opts))
	defer end()
	if err != nil {
		return nil, err
	}
	if arn := aws.ToString(in.TopicArn); r.topics[arn] != nil {
		delete(r.topics, arn)
		a.wrote(op, r, arn)
	}
	return &sns.DeleteTopicOutput{}, nil
}

// Subscribe adds a subscriber: a queue or function at once, any other only
// once its owner confirms, which here nobody does. Source: Amazon SNS API
// Reference, Subscribe.
func (a *Account) Subscribe(ctx context.Context, in *sns.SubscribeInput, opts ...func(*sns.Options)) (*sns.SubscribeOutput, error) {
	const op = "Subscribe"
	r, end, err := a.begin(ctx, op, snsRegion(opts))
	defer end()
	if err != nil {
		return nil, err
	}
	arn := aws.ToString(in.TopicArn)
	t := r.topics[arn]
	if t == nil {
		return nil, noTopic(op)
	}
	a.wrote(op, r, arn)
	if p := aws.ToString(in.Protocol); p != "sqs" && p != "lambda" {
		t.pending++
		return &sns.SubscribeOutput{SubscriptionArn: aws.String("pending confirmation")}, nil
	}
	t.confirmed++
	return &sns.SubscribeOutput{SubscriptionArn: aws.String(arn + ":" + strconv.Itoa(t.confirmed))}, nil
}

// GetTopicAttributes returns a topic's attributes, all of them text.
func (a *Account) GetTopicAttributes(ctx context.Context, in *sns.GetTopicAttributesInput, opts ...func(*sns.Options)) (*sns.GetTopicAttributesOutput, error) {
	const op = "GetTopicAttributes"
	r, end, err := a.begin(ctx, op, snsRegion(opts))
	defer end()
	if err != nil {
		return nil, err
	}
	t := r.topics[aws.ToString(in.TopicArn)]
	if t == nil {
		return nil, noTopic(op)
	}
	attributes := maps.Clone(t.attributes)
	attributes["TopicArn"] = *in.TopicArn
	attributes["SubscriptionsConfirmed"] = strconv.Itoa(t.confirmed)
	attributes["SubscriptionsPending"] = strconv.Itoa(t.pending)
	attributes["SubscriptionsDeleted"] = "0"
	return &sns.GetTopicAttributesOutput{Attributes: attributes}, nil
}

// SetTopicAttributes sets one attribute of a topic.
func (a *Account) SetTopicAttributes(ctx context.Context, in *sns.SetTopicAttributesInput, opts ...func(*sns.Options)) (*sns.SetTopicAttributesOutput, error) {
	const op = "SetTopicAttributes"
	r, end, err := a.begin(ctx, op, snsRegion(opts))
	defer end()
	if err != nil {
		return nil, err
	}
	t := r.topics[aws.ToString(in.TopicArn)]
	if t == nil {
		return nil, noTopic(op)
	}
	t.attributes[aws.ToString(in.AttributeName)] = aws.ToString(in.AttributeValue)
	a.wrote(op, r, *in.TopicArn)
	return &sns.SetTopicAttributesOutput{}, nil
}

// Publish keeps a message. A subject is a line of up to 100 ASCII characters,
// a message has up to 256 KB. Source: Amazon SNS API Reference, Publish.
func (a *Account) Publish(ctx context.Context, in *sns.PublishInput, opts ...func(*sns.Options)) (*sns.PublishOutput, error) {
	const op = "Publish"
	r, end, err := a.begin(ctx, op, snsRegion(opts))
	defer end()
	if err != nil {
		return nil, err
	}
	subject, message := aws.ToString(in.Subject), aws.ToString(in.Message)
	odd := strings.ContainsFunc(subject, func(c rune) bool { return c > unicode.MaxASCII || unicode.IsControl(c) })
	switch {
	case r.topics[aws.ToString(in.TopicArn)] == nil:
		return nil, noTopic(op)
	case in.Subject != nil && (odd || subject == "" || len(subject) > 100):
		return nil, refuse(op, "InvalidParameter", "Invalid parameter: Subject")
	case message == "" || len(message) > 256*1024:
		return nil, refuse(op, "InvalidParameter", "Invalid parameter: Message")
	}
	a.messages = append(a.messages, Message{*in.TopicArn, subject, message})
	return &sns.PublishOutput{MessageId: aws.String(strconv.Itoa(len(a.messages)))}, nil
}

func snsRegion(opts []func(*sns.Options)) string {
	var o sns.Options
	for _, f := range opts {
		f(&o)
	}
	return o.Region
}
