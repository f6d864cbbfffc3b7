package awsio

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"
	smithy "github.com/aws/smithy-go"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/plan"
	"github.com/relight-aws/relight/internal/remedy"
)

// topicAPI is what this file needs of *sns.Client, and no more.
type topicAPI interface {
	GetTopicAttributes(context.Context, *sns.GetTopicAttributesInput, ...func(*sns.Options)) (*sns.GetTopicAttributesOutput, error)
	ListSubscriptionsByTopic(context.Context, *sns.ListSubscriptionsByTopicInput, ...func(*sns.Options)) (*sns.ListSubscriptionsByTopicOutput, error)
	GetSubscriptionAttributes(context.Context, *sns.GetSubscriptionAttributesInput, ...func(*sns.Options)) (*sns.GetSubscriptionAttributesOutput, error)
	CreateTopic(context.Context, *sns.CreateTopicInput, ...func(*sns.Options)) (*sns.CreateTopicOutput, error)
	SetTopicAttributes(context.Context, *sns.SetTopicAttributesInput, ...func(*sns.Options)) (*sns.SetTopicAttributesOutput, error)
	Subscribe(context.Context, *sns.SubscribeInput, ...func(*sns.Options)) (*sns.SubscribeOutput, error)
	SetSubscriptionAttributes(context.Context, *sns.SetSubscriptionAttributesInput, ...func(*sns.Options)) (*sns.SetSubscriptionAttributesOutput, error)
	Publish(context.Context, *sns.PublishInput, ...func(*sns.Options)) (*sns.PublishOutput, error)
}

var _ topicAPI = (*sns.Client)(nil)

// describeTopics reads the health of those topics that are of the scope's
// account and region; relight can vouch for no others.
func (c *Cloud) describeTopics(ctx context.Context, s remedy.Scope, arns []string) (map[string]plan.Topic, error) {
	topics := map[string]plan.Topic{}
	for _, arn := range arns {
		parts := strings.Split(arn, ":")
		if len(parts) != 6 || parts[2] != "sns" || parts[3] != s.Region || parts[4] != s.Account {
			continue
		}
		out, err := call(ctx, c.Pace, place{s.Region, "sns.GetTopicAttributes", arn}, c.Clients.SNS.GetTopicAttributes,
			&sns.GetTopicAttributesInput{TopicArn: aws.String(arn)}, snsIn(s.Region))
		if remedy.ClassOf(err) == remedy.Missing {
			topics[arn] = plan.Topic{}
			continue
		}
		if err != nil {
			return nil, err
		}
		topics[arn] = topicOf(out.Attributes)
	}
	return topics, nil
}

func topicOf(attributes map[string]string) plan.Topic {
	t := plan.Topic{Exists: true, Why: admits(attributes)}
	t.Admits = t.Why == ""
	t.Confirmed, _ = strconv.Atoi(attributes["SubscriptionsConfirmed"]) // absent counts as none
	t.Pending, _ = strconv.Atoi(attributes["SubscriptionsPending"])
	return t
}

// admits returns what keeps CloudWatch from publishing to a topic, or "".
// Sources: AWS re:Post, "Why didn't I receive an SNS notification for my
// CloudWatch alarm trigger" (policy, and the AWS managed key that CloudWatch
// may not use).
func admits(attributes map[string]string) string {
	if strings.HasSuffix(attributes["KmsMasterKeyId"], "alias/aws/sns") {
		return "it is encrypted with the key alias/aws/sns, which CloudWatch may not use"
	}
	return plan.AdmitsAlarms(attributes["Policy"])
}

// observeTopics reads relight's own topic, where the scope is about it: its
// attributes, its subscriptions, the filter policies of those the
// configuration names and, unless the event was about the topic, its key with
// the key's policy.
func (c *Cloud) observeTopics(ctx context.Context, s remedy.Scope) (*plan.TopicState, error) {
	topic := c.Want.Topic
	if why := c.notOurTopic(s); why != "" {
		return &plan.TopicState{Elsewhere: why}, nil
	}
	state := &plan.TopicState{}
	out, err := call(ctx, c.Pace, place{s.Region, "sns.GetTopicAttributes", topic}, c.Clients.SNS.GetTopicAttributes,
		&sns.GetTopicAttributesInput{TopicArn: aws.String(topic)}, snsIn(s.Region))
	switch {
	case remedy.ClassOf(err) == remedy.Missing:
	case err != nil:
		return nil, err
	default:
		state.Exists, state.Policy, state.Key = true, out.Attributes["Policy"], out.Attributes["KmsMasterKeyId"]
		if state.Subscriptions, err = c.describeSubscriptions(ctx, s.Region); err != nil {
			return nil, err
		}
	}
	if s.Type != catalog.Topic && c.Want.TopicKey != "" {
		if err := c.describeTopicKey(ctx, s.Region, state); err != nil { // its policy may shut the account out
			if state.Unread, err = unread("key "+c.Want.TopicKey, "it can be used", err); err != nil {
				return nil, err
			}
		}
	}
	return state, nil
}

// describeTopicKey reads the topic's key, with its policy where it exists.
func (c *Cloud) describeTopicKey(ctx context.Context, region string, state *plan.TopicState) (err error) {
	if state.KeyState, err = c.keyState(ctx, region, c.Want.TopicKey); err != nil || state.KeyState == keyGone {
		return err
	}
	state.KeyPolicy, err = c.keyPolicy(ctx, region, c.Want.TopicKey)
	return err
}

// notOurTopic returns why a scope has nothing to do with relight's topic, or
// "". It takes no call: the deployment knows its topic and key.
func (c *Cloud) notOurTopic(s remedy.Scope) string {
	names := s.Names.List()
	ours := func(is func(name string) bool) bool { return len(names) == 0 || slices.ContainsFunc(names, is) }
	switch {
	case c.Want.Topic == "":
		return "nothing is deployed; the deployment makes it"
	case s.Type == catalog.Topic && !ours(func(n string) bool { return n == c.Want.Topic || strings.HasPrefix(n, c.Want.Topic+":") }):
		return "the event is about another topic"
	case s.Type == catalog.Key && !ours(func(n string) bool { return plan.IsKey(n, c.Want.TopicKey) }):
		return "the event is about another key"
	}
	return ""
}

// Words in place of an ARN. The first is in the API model of ConfirmSubscription
// and in many clients, the second was seen for what has been unsubscribed.
const (
	pendingARN = "PendingConfirmation"
	deletedARN = "Deleted"
)

// describeSubscriptions returns the topic's subscriptions.
func (c *Cloud) describeSubscriptions(ctx context.Context, region string) ([]plan.Subscription, error) {
	var all []plan.Subscription
	in := &sns.ListSubscriptionsByTopicInput{TopicArn: aws.String(c.Want.Topic)}
	for {
		out, err := call(ctx, c.Pace, place{region, "sns.ListSubscriptionsByTopic", c.Want.Topic}, c.Clients.SNS.ListSubscriptionsByTopic, in, snsIn(region))
		if err != nil {
			return nil, again(err)
		}
		for _, sub := range out.Subscriptions {
			got := plan.Subscription{ARN: aws.ToString(sub.SubscriptionArn), Protocol: aws.ToString(sub.Protocol), Endpoint: aws.ToString(sub.Endpoint)}
			switch got.ARN {
			case deletedARN:
				continue
			case pendingARN:
				got.ARN, got.Pending = "", true
			}
			gone := false
			wanted := slices.ContainsFunc(c.Want.Subscribers, func(who catalog.Subscriber) bool { return plan.SameSubscriber(who, got) })
			if wanted && !got.Pending {
				if got.Filter, gone, err = c.filterPolicy(ctx, region, got.ARN); err != nil {
					return nil, err
				}
			}
			if !gone {
				all = append(all, got)
			}
		}
		if aws.ToString(out.NextToken) == "" {
			return all, nil
		}
		in.NextToken = out.NextToken
	}
}

// filterPolicy returns the filter policy of a subscription, "" for none, and
// whether the subscription has gone meanwhile. An empty object filters
// nothing. Source: Amazon SNS Developer Guide, "Use SetSubscriptionAttributes
// with an AWS SDK or CLI": it is how a filter policy is removed.
func (c *Cloud) filterPolicy(ctx context.Context, region, arn string) (filter string, gone bool, err error) {
	out, err := call(ctx, c.Pace, place{region, "sns.GetSubscriptionAttributes", arn}, c.Clients.SNS.GetSubscriptionAttributes,
		&sns.GetSubscriptionAttributesInput{SubscriptionArn: aws.String(arn)}, snsIn(region))
	if remedy.ClassOf(err) == remedy.Missing {
		return "", true, nil
	}
	if err != nil {
		return "", false, err
	}
	filter = strings.TrimSpace(out.Attributes["FilterPolicy"])
	var object map[string]any
	if json.Unmarshal([]byte(filter), &object) == nil && len(object) == 0 {
		filter = ""
	}
	return filter, false, nil
}

const createTopicOp = "sns.CreateTopic"

// topicThere is in SNS's message about a topic that exists with other
// attributes or tags, whose code has other meanings too. The message is seen
// in public reports and unverified.
const topicThere = "already exists"

// createTopic creates the topic under its old name, and so with its old ARN.
// One that somebody else created meanwhile is left as it is: the next look
// plans what it lacks.
func (c *Cloud) createTopic(ctx context.Context, region string, a plan.CreateTopic) error {
	in := &sns.CreateTopicInput{
		Name:       aws.String(a.Topic[strings.LastIndex(a.Topic, ":")+1:]),
		Attributes: map[string]string{"Policy": a.Policy},
	}
	if a.Key != "" {
		in.Attributes["KmsMasterKeyId"] = a.Key
	}
	for _, k := range sortedKeys(a.Tags) {
		in.Tags = append(in.Tags, types.Tag{Key: aws.String(k), Value: aws.String(a.Tags[k])})
	}
	_, err := call(ctx, c.Pace, place{region, createTopicOp, a.Topic}, c.Clients.SNS.CreateTopic, in, snsIn(region))
	if api, ok := errors.AsType[smithy.APIError](err); ok && strings.Contains(api.ErrorMessage(), topicThere) {
		return nil
	}
	return err
}

func (c *Cloud) setTopic(ctx context.Context, region, topic, name, value string) error {
	_, err := call(ctx, c.Pace, place{region, "sns.SetTopicAttributes", topic}, c.Clients.SNS.SetTopicAttributes,
		&sns.SetTopicAttributesInput{TopicArn: aws.String(topic), AttributeName: aws.String(name), AttributeValue: aws.String(value)}, snsIn(region))
	return again(err)
}

func (c *Cloud) subscribe(ctx context.Context, region string, a plan.Subscribe) error {
	_, err := call(ctx, c.Pace, place{region, "sns.Subscribe", a.Topic}, c.Clients.SNS.Subscribe,
		&sns.SubscribeInput{TopicArn: aws.String(a.Topic), Protocol: aws.String(a.Subscriber.Protocol), Endpoint: aws.String(a.Subscriber.Endpoint)}, snsIn(region))
	return again(err)
}

func (c *Cloud) clearFilterPolicy(ctx context.Context, region string, a plan.ClearFilterPolicy) error {
	_, err := call(ctx, c.Pace, place{region, "sns.SetSubscriptionAttributes", a.Subscription}, c.Clients.SNS.SetSubscriptionAttributes,
		&sns.SetSubscriptionAttributesInput{
			SubscriptionArn: aws.String(a.Subscription), AttributeName: aws.String("FilterPolicy"), AttributeValue: aws.String("{}"),
		}, snsIn(region))
	return again(err)
}

// Publish sends a message to a topic, in the topic's own region.
func (c *Cloud) Publish(ctx context.Context, topic, subject, message string) error {
	parts := strings.Split(topic, ":")
	if len(parts) != 6 {
		return notDeployed("sns.Publish", topic, "topic")
	}
	_, err := call(ctx, c.Pace, place{parts[3], "sns.Publish", topic}, c.Clients.SNS.Publish,
		&sns.PublishInput{TopicArn: aws.String(topic), Subject: aws.String(subject), Message: aws.String(message)}, snsIn(parts[3]))
	return err
}
