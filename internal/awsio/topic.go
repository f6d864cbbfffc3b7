package awsio

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"
	smithy "github.com/aws/smithy-go"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/plan"
	"github.com/relight-aws/relight/internal/remedy"
)

func (r *region) sns() *sns.Client { return client(r, sns.NewFromConfig) }

var topicKind = kindOf(
	(*region).observeTopics,
	each((*region).enableTopicKey),
	each((*region).createTopic),
	each((*region).setTopicPolicy),
	each((*region).setTopicKey),
	each((*region).subscribe),
	each((*region).clearFilterPolicy),
)

// describeTopics reads the health of the topics in this region of this account;
// relight cannot read other topics.
func (r *region) describeTopics(ctx context.Context, topics []string) (map[string]plan.Topic, error) {
	found := map[string]plan.Topic{}
	for _, topic := range topics {
		at, err := arn.Parse(topic)
		if err != nil || at.Service != "sns" || at.Region != r.name || at.AccountID != r.account {
			continue
		}
		attributes, exists, err := r.topicAttributes(ctx, topic)
		if err != nil {
			return nil, err
		}
		if found[topic] = (plan.Topic{}); exists {
			found[topic] = topicOf(attributes)
		}
	}
	return found, nil
}

// topicAttributes returns the attributes of a topic, and whether it exists.
func (r *region) topicAttributes(ctx context.Context, topic string) (attributes map[string]string, exists bool, err error) {
	out, err := r.sns().GetTopicAttributes(ctx, &sns.GetTopicAttributesInput{TopicArn: aws.String(topic)})
	if err != nil {
		return nil, false, gone(err)
	}
	return out.Attributes, true, nil
}

func topicOf(attributes map[string]string) plan.Topic {
	t := plan.Topic{Exists: true, Why: admits(attributes)}
	t.Admits = t.Why == ""
	t.Confirmed, _ = strconv.Atoi(attributes["SubscriptionsConfirmed"]) // absent counts as none
	t.Pending, _ = strconv.Atoi(attributes["SubscriptionsPending"])
	return t
}

// admits returns what prevents CloudWatch from publishing to a topic, or "".
// Sources: AWS re:Post, "Why didn't I receive an SNS notification for my
// CloudWatch alarm trigger" (policy, and the AWS managed key that CloudWatch
// may not use).
func admits(attributes map[string]string) string {
	if strings.HasSuffix(attributes["KmsMasterKeyId"], "alias/aws/sns") {
		return "it is encrypted with the key alias/aws/sns, which CloudWatch may not use"
	}
	return plan.AdmitsAlarms(attributes["Policy"])
}

// observeTopics reads relight's own topic if the scope is about it: its
// attributes, its subscriptions, the filter policies of the configured
// subscribers and, unless the event is about the topic, its key with the key's
// policy.
func (r *region) observeTopics(ctx context.Context, s remedy.Scope) (*plan.TopicState, error) {
	if why := r.notOurTopic(s); why != "" {
		return &plan.TopicState{Elsewhere: why}, nil
	}
	attributes, exists, err := r.topicAttributes(ctx, r.Want.Topic)
	if err != nil {
		return nil, err
	}
	state := &plan.TopicState{Exists: exists, Policy: attributes["Policy"], Key: attributes["KmsMasterKeyId"]}
	if exists {
		if state.Subscriptions, err = r.describeSubscriptions(ctx); err != nil {
			return nil, err
		}
	}
	if s.Type != catalog.Topic && r.Want.TopicKey != "" {
		if err := r.describeTopicKey(ctx, state); err != nil { // its policy may lock the account out
			if state.Unread, err = unread(plan.TopicKeyUnread, plan.Args{"key": r.Want.TopicKey}, err); err != nil {
				return nil, err
			}
		}
	}
	return state, nil
}

// describeTopicKey reads the topic's key, and the key's policy if the key
// exists.
func (r *region) describeTopicKey(ctx context.Context, state *plan.TopicState) (err error) {
	if state.KeyState, err = r.keyState(ctx, r.Want.TopicKey); err != nil || state.KeyState == keyGone {
		return err
	}
	state.KeyPolicy, err = r.keyPolicy(ctx, r.Want.TopicKey)
	return err
}

// notOurTopic returns why a scope does not concern relight's topic, or "". It
// makes no call: the deployment contains the topic and its key.
func (r *region) notOurTopic(s remedy.Scope) string {
	names := s.Names.List()
	ours := func(is func(name string) bool) bool { return len(names) == 0 || slices.ContainsFunc(names, is) }
	switch {
	case r.Want.Topic == "":
		return "relight is not deployed, so it has no topic"
	case s.Type == catalog.Topic && !ours(func(n string) bool { return n == r.Want.Topic || strings.HasPrefix(n, r.Want.Topic+":") }):
		return "the event is about another topic"
	case s.Type == catalog.Key && !ours(func(n string) bool { return plan.IsKey(n, r.Want.TopicKey) }):
		return "the event is about another key"
	}
	return ""
}

// SNS lists these words instead of an ARN. The API model of ConfirmSubscription
// and many clients contain the first; the second was seen for a subscription
// that has been removed.
const (
	pendingARN = "PendingConfirmation"
	deletedARN = "Deleted"
)

// describeSubscriptions returns the topic's subscriptions.
func (r *region) describeSubscriptions(ctx context.Context) ([]plan.Subscription, error) {
	var all []plan.Subscription
	in := &sns.ListSubscriptionsByTopicInput{TopicArn: aws.String(r.Want.Topic)}
	for page, err := range pages(ctx, sns.NewListSubscriptionsByTopicPaginator(r.sns(), in)) {
		if err != nil {
			return nil, again(err)
		}
		for _, sub := range page.Subscriptions {
			got := plan.Subscription{ARN: aws.ToString(sub.SubscriptionArn), Protocol: aws.ToString(sub.Protocol), Endpoint: aws.ToString(sub.Endpoint)}
			switch got.ARN {
			case deletedARN:
				continue
			case pendingARN:
				got.ARN, got.Pending = "", true
			}
			gone := false
			wanted := slices.ContainsFunc(r.Want.Subscribers, func(who catalog.Subscriber) bool { return plan.SameSubscriber(who, got) })
			if wanted && !got.Pending {
				if got.Filter, gone, err = r.filterPolicy(ctx, got.ARN); err != nil {
					return nil, err
				}
			}
			if !gone {
				all = append(all, got)
			}
		}
	}
	return all, nil
}

// filterPolicy returns the filter policy of a subscription, "" for none, and
// whether the subscription was deleted after it was listed. An empty object
// filters nothing: clients write one to remove a filter policy. Source: Amazon
// SNS Developer Guide, "Use SetSubscriptionAttributes with an AWS SDK or CLI".
func (r *region) filterPolicy(ctx context.Context, subscription string) (filter string, gone bool, err error) {
	out, err := r.sns().GetSubscriptionAttributes(ctx, &sns.GetSubscriptionAttributesInput{SubscriptionArn: aws.String(subscription)})
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

// topicThere occurs in SNS's message about a topic that exists with other
// attributes or tags; the error code has other meanings too. The message
// appears in public reports and is unverified.
const topicThere = "already exists"

// createTopic creates the topic under its old name, and so with its old ARN. If
// somebody else has created the topic since relight read it, createTopic does
// not change it: the next observation finds what it lacks.
func (r *region) createTopic(ctx context.Context, a plan.CreateTopic) error {
	in := &sns.CreateTopicInput{
		Name:       aws.String(resourceOf(a.Topic, "")),
		Attributes: map[string]string{"Policy": a.Policy},
		Tags:       tagList(a.Tags, func(k, v *string) types.Tag { return types.Tag{Key: k, Value: v} }),
	}
	if a.Key != "" {
		in.Attributes["KmsMasterKeyId"] = a.Key
	}
	_, err := r.sns().CreateTopic(about(ctx, a.Topic), in)
	if api, ok := errors.AsType[smithy.APIError](err); ok && strings.Contains(api.ErrorMessage(), topicThere) {
		return nil
	}
	return err
}

func (r *region) setTopicPolicy(ctx context.Context, a plan.SetTopicPolicy) error {
	return r.setTopic(ctx, a.Topic, "Policy", a.Policy)
}

func (r *region) setTopicKey(ctx context.Context, a plan.SetTopicKey) error {
	return r.setTopic(ctx, a.Topic, "KmsMasterKeyId", a.Key)
}

func (r *region) setTopic(ctx context.Context, topic, name, value string) error {
	_, err := r.sns().SetTopicAttributes(ctx, &sns.SetTopicAttributesInput{
		TopicArn: aws.String(topic), AttributeName: aws.String(name), AttributeValue: aws.String(value),
	})
	return again(err)
}

func (r *region) subscribe(ctx context.Context, a plan.Subscribe) error {
	_, err := r.sns().Subscribe(ctx, &sns.SubscribeInput{
		TopicArn: aws.String(a.Topic), Protocol: aws.String(a.Subscriber.Protocol), Endpoint: aws.String(a.Subscriber.Endpoint),
	})
	return again(err)
}

func (r *region) clearFilterPolicy(ctx context.Context, a plan.ClearFilterPolicy) error {
	_, err := r.sns().SetSubscriptionAttributes(ctx, &sns.SetSubscriptionAttributesInput{
		SubscriptionArn: aws.String(a.Subscription), AttributeName: aws.String("FilterPolicy"), AttributeValue: aws.String("{}"),
	})
	return again(err)
}

// Publish sends a message to a topic, in the topic's own region.
func (c *Cloud) Publish(ctx context.Context, topic, subject, message string) error {
	at, err := arn.Parse(topic)
	if err != nil {
		return notDeployed("sns.Publish", topic, "topic")
	}
	_, err = c.home(at.Region).sns().Publish(ctx, &sns.PublishInput{
		TopicArn: aws.String(topic), Subject: aws.String(subject), Message: aws.String(message),
	})
	return bare(err)
}
