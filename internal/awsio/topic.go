package awsio

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"iter"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"
	smithy "github.com/aws/smithy-go"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/order"
	"github.com/relight-aws/relight/internal/plan"
	"github.com/relight-aws/relight/internal/remedy"
)

func (r *region) sns() *sns.Client { return client(r, sns.NewFromConfig) }

// Topics returns the kind whose plans restore relight's topics.
func Topics() Kind {
	return kindOf(
		catalog.Topics,
		(*region).observeTopics,
		each((*region).enableTopicKey),
		each((*region).createTopic),
		each((*region).setTopicPolicy),
		each((*region).setTopicKey),
		each((*region).subscribe),
		each((*region).setFilterPolicy),
	)
}

// describeTopics reads whether what CloudWatch sends for alarms reaches somebody
// by the topics in this region of this account; relight cannot read other topics.
// The alarms that notify a topic are given by their names. relight counts only
// what it can show: a topic, key or subscription that it may not read reaches
// nobody, and costs no more than an alarm of relight's own beside that one.
func (rs receivers) describeTopics(ctx context.Context, topics map[string][]string) (map[string]plan.Topic, error) {
	found := map[string]plan.Topic{}
	for _, topic := range sortedKeys(topics) {
		at, err := arn.Parse(topic)
		if err != nil || at.Service != "sns" || at.Region != rs.name || at.AccountID != rs.account {
			continue
		}
		got, err := rs.describeTopic(ctx, topic, topics[topic])
		if why, err := denial(err); err != nil {
			return nil, err
		} else if why != "" {
			got = plan.Topic{Exists: true, Why: why}
		}
		found[topic] = got
	}
	return found, nil
}

// denial returns the text of an error that is permanent, and any other error
// unchanged.
func denial(err error) (string, error) {
	if e, ok := errors.AsType[*remedy.Error](err); ok && !e.Class.Retry() {
		return "relight cannot read it: " + lasting(err), nil
	}
	return "", err
}

// describeTopic reads as little as it takes: the attributes, then the key if the
// policy admits an alarm, then subscriptions until one receives everything.
func (rs receivers) describeTopic(ctx context.Context, topic string, alarms []string) (plan.Topic, error) {
	attributes, exists, err := rs.topicAttributes(ctx, topic)
	if err != nil || !exists {
		return plan.Topic{}, err
	}
	t := topicOf(attributes, topic, alarms)
	if key := attributes["KmsMasterKeyId"]; key != "" && t.Reaches("") {
		if t.Why, err = rs.keyKeepsOut(ctx, key, topic, alarms); err != nil {
			return t, err
		}
		t.Admits = t.Why == ""
	}
	if t.Reaches("") {
		hears, err := rs.anyHears(ctx, topic)
		if err != nil {
			return t, err
		}
		if !hears {
			t.Confirmed = 0
		}
	}
	return t, nil
}

// keyKeepsOut returns why CloudWatch cannot use the key of a topic, or "".
func (r *region) keyKeepsOut(ctx context.Context, key, topic string, alarms []string) (string, error) {
	arn, state, err := r.describeKey(ctx, key)
	if err != nil || state != plan.KeyEnabled {
		return "the state of its key is " + state, err
	}
	policy, err := r.keyPolicy(ctx, arn)
	if err != nil {
		return "", err
	}
	for _, alarm := range alarms {
		if why := plan.AdmitsToKey(policy, arn, topic, alarm); why != "" {
			return why, nil
		}
	}
	return "", nil
}

// anyHears reports whether a topic has a confirmed subscription that receives
// every message, as far as relight can show it.
func (rs receivers) anyHears(ctx context.Context, topic string) (bool, error) {
	receiver, err := rs.hearing(ctx, topic)
	return receiver != "", err
}

// hearing returns protocol and endpoint of a subscription that receives every
// message, or "".
func (rs receivers) hearing(ctx context.Context, topic string) (receiver string, err error) {
	var failed error
	i, err := rs.firstHearing(ctx, topic, func(yield func(int, *plan.Subscription) bool) {
		n := 0
		for s, err := range rs.subscriptions(ctx, topic) {
			if failed = err; err != nil {
				return
			}
			receiver = s.Protocol + " " + s.Endpoint
			if !yield(n, &s) {
				return
			}
			n++
		}
	})
	if i < 0 {
		receiver = ""
	}
	return receiver, cmp.Or(err, failed)
}

// topicAttributes returns the attributes of a topic, and whether it exists.
func (r *region) topicAttributes(ctx context.Context, topic string) (attributes map[string]string, exists bool, err error) {
	out, err := r.sns().GetTopicAttributes(ctx, &sns.GetTopicAttributesInput{TopicArn: aws.String(topic)})
	if err != nil {
		return nil, false, gone(err)
	}
	return out.Attributes, true, nil
}

// topicOf returns what a topic's attributes say about alarms of these names. A
// key that CloudWatch may never use is among it; other keys have to be read. A
// FIFO topic counts as one that no alarm can notify (belief
// alarms-cannot-notify-fifo-topics, assumed): if one can, relight's own alarm is one
// too many, which is better than none. Source: AWS re:Post, "Why didn't I receive
// an SNS notification for my CloudWatch alarm trigger" (policy, and the AWS
// managed key).
func topicOf(attributes map[string]string, topic string, alarms []string) plan.Topic {
	t := plan.Topic{Exists: true}
	t.Confirmed, _ = strconv.Atoi(attributes["SubscriptionsConfirmed"]) // absent counts as none
	t.Pending, _ = strconv.Atoi(attributes["SubscriptionsPending"])
	for _, alarm := range alarms {
		if why := plan.AdmitsAlarm(attributes["Policy"], topic, alarm); why == "" {
			t.Admits = true
		} else {
			t.Why, t.KeepsOut = why, append(t.KeepsOut, alarm)
		}
	}
	switch {
	case strings.HasSuffix(attributes["KmsMasterKeyId"], "alias/aws/sns"):
		t.Admits, t.Why = false, "it is encrypted with the key alias/aws/sns, which CloudWatch may not use"
	case attributes["FifoTopic"] == "true" || strings.HasSuffix(topic, ".fifo"):
		t.Admits, t.Why = false, "it is a FIFO topic, and no document of AWS says that an alarm can notify one"
	}
	if t.Admits {
		t.Why = ""
	}
	return t
}

// observeTopics reads relight's own topic if the scope is about it: its
// attributes, its subscriptions, the filter policies, queues and functions of the
// configured subscribers, and its key with the key's policy. For an event about the
// topic it reads the state of the key only if the topic has lost the key. If the topic's
// attributes have to be restored, it leaves the filter policies to the observation after
// the repair. For events it leaves queues and functions to the sweep: no event that it
// watches changes them.
//
// It reads the topic of last resort in the same way, if the scope is about that, and
// in a sweep the attributes of the configured topic that carries the same.
func (r *region) observeTopics(ctx context.Context, s remedy.Scope) (*plan.TopicState, error) {
	state, err := r.observeTopic(ctx, s)
	if err != nil || r.Want.LastResort == "" {
		return state, err
	}
	if r.Want.FarTopic != "" && s.Type == "" && state.Elsewhere == "" {
		state.Far = r.farTopic(ctx)
	}
	last := r.lastResort().in(r.account, r.name)
	if last.notOurTopic(s) == "" {
		state.Last, err = last.observeTopic(ctx, s)
	}
	return state, err
}

// farTopic reads an owner's topic in its own region. Whatever keeps relight from it
// does not keep relight's own topics from being restored.
func (r *region) farTopic(ctx context.Context) *plan.FarTopic {
	parsed, _ := arn.Parse(r.Want.FarTopic) // the configuration checks it
	at := r.in(r.account, parsed.Region)
	attributes, exists, err := at.topicAttributes(ctx, r.Want.FarTopic)
	if err != nil {
		return &plan.FarTopic{Unread: lasting(err)}
	}
	return &plan.FarTopic{
		Exists: exists, Policy: attributes["Policy"], Key: attributes["KmsMasterKeyId"],
		Confirmed: !slices.Contains([]string{"", "0"}, attributes["SubscriptionsConfirmed"]),
	}
}

// lastResort returns the same account with the topic of last resort as its topic.
func (c *Cloud) lastResort() *Cloud {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.last == nil {
		c.last = &Cloud{Config: c.Config, Want: c.Want.OfLastResort(), Pace: c.Pace, Now: c.Now}
	}
	return c.last
}

func (r *region) observeTopic(ctx context.Context, s remedy.Scope) (*plan.TopicState, error) {
	if why := r.notOurTopic(s); why != "" {
		return &plan.TopicState{Elsewhere: why}, nil
	}
	list := sync.OnceValues(func() ([]plan.Subscription, error) { return r.listSubscriptions(ctx) })
	reads := []func() error{}
	if ofSubscriptions(s, r.Want.Topic) { // then the topic still exists, most likely
		reads = append(reads, func() error {
			_, _ = list() // an error matters only if the topic exists
			return nil
		})
	}
	var attributes map[string]string
	var exists bool
	err := atOnce(append(reads, func() (err error) {
		attributes, exists, err = r.topicAttributes(ctx, r.Want.Topic)
		return err
	})...)
	if why := deniedByItself(err); why != "" {
		return &plan.TopicState{Exists: true, Hidden: why}, nil
	}
	if err != nil {
		return nil, err
	}
	state := &plan.TopicState{Exists: exists, Policy: attributes["Policy"], Key: attributes["KmsMasterKeyId"], Delivery: attributes["DeliveryPolicy"]}
	replaced := exists && !plan.IsKey(state.Key, r.Want.TopicKey) // whether the key is put back depends on its state
	ofTopic := s.Type == catalog.Topic
	var key, subscriptions error
	filters := !ofTopic || !exists || !state.Drifts(r.Want)
	_ = atOnce(
		func() error {
			if exists {
				state.Subscriptions, subscriptions = r.describeSubscriptions(ctx, list, filters, s.Type == "")
			}
			return nil
		},
		func() error {
			if r.Want.TopicKey != "" && (!ofTopic || replaced) {
				state.KeyState, state.KeyPolicy, key = r.describeTopicKey(ctx, !ofTopic)
			}
			return nil
		},
	)
	if state.Hidden = deniedByItself(subscriptions); state.Hidden != "" {
		return state, nil
	}
	if subscriptions != nil {
		return nil, subscriptions
	}
	if key != nil { // its policy may lock the account out
		if state.Unread, err = unread(plan.TopicKeyUnread, plan.Args{"key": r.Want.TopicKey}, key); err != nil {
			return nil, err
		}
	}
	return state, nil
}

// ofSubscriptions reports whether an event is about subscriptions to a topic, and not
// about the topic itself.
func ofSubscriptions(s remedy.Scope, topic string) bool {
	return s.Type == catalog.Topic && s.Names != "" && !slices.Contains(s.Names.List(), topic)
}

// byResourcePolicy occurs in AWS's message about a call that the policy of the
// resource itself denies. Source: IAM User Guide, "Troubleshoot access denied error
// messages".
const byResourcePolicy = "explicit deny in a resource-based policy"

// deniedByItself returns the message of an error that says that the policy of the
// resource denies the call, or "".
func deniedByItself(err error) string {
	api, ok := errors.AsType[smithy.APIError](err)
	if ok && slices.Contains(deniedCodes, api.ErrorCode()) && strings.Contains(api.ErrorMessage(), byResourcePolicy) {
		return api.ErrorMessage()
	}
	return ""
}

// describeTopicKey reads the topic's key, and the key's policy if it is asked for
// and the key exists.
func (r *region) describeTopicKey(ctx context.Context, withPolicy bool) (state, policy string, err error) {
	if state, err = r.keyState(ctx, r.Want.TopicKey); err != nil || !withPolicy || state == keyGone {
		return state, "", err
	}
	policy, err = r.keyPolicy(ctx, r.Want.TopicKey)
	return state, policy, err
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

// SNS lists these words instead of an ARN. Sources: for the first, the API model
// of ConfirmSubscription; both recorded 2026-09-23 (radkawar/stackd).
const (
	pendingARN = "PendingConfirmation"
	deletedARN = "Deleted"
)

// subscriptions returns the subscriptions of a topic of this account, without
// their filter policies.
func (r *region) subscriptions(ctx context.Context, topic string) iter.Seq2[plan.Subscription, error] {
	return func(yield func(plan.Subscription, error) bool) {
		in := &sns.ListSubscriptionsByTopicInput{TopicArn: aws.String(topic)}
		for page, err := range pages(ctx, sns.NewListSubscriptionsByTopicPaginator(r.sns(), in)) {
			if err != nil {
				yield(plan.Subscription{}, err)
				return
			}
			page := order.By(slices.Clone(page.Subscriptions), func(a, b types.Subscription) int { return cmp.Compare(readsOf(a), readsOf(b)) })
			for _, sub := range page {
				got := plan.Subscription{ARN: aws.ToString(sub.SubscriptionArn), Protocol: aws.ToString(sub.Protocol), Endpoint: aws.ToString(sub.Endpoint)}
				if owner := aws.ToString(sub.Owner); owner != r.account {
					got.Owner = owner
				}
				switch got.ARN {
				case deletedARN:
					got.ARN, got.Deleted = "", true
				case pendingARN:
					got.ARN, got.Pending = "", true
				}
				if !yield(got, nil) {
					return
				}
			}
		}
	}
}

// readsOf returns how many further reads it takes to judge whether an endpoint lets a
// topic in: whoever needs one subscription that receives, asks about the others first.
func readsOf(sub types.Subscription) int {
	switch aws.ToString(sub.Protocol) {
	case "lambda":
		return 1
	case "sqs":
		return 2
	}
	return 0
}

// listSubscriptions returns the subscriptions of relight's topic, without their filter
// policies.
func (r *region) listSubscriptions(ctx context.Context) (all []plan.Subscription, err error) {
	for got, err := range r.subscriptions(ctx, r.Want.Topic) {
		if err != nil {
			return nil, again(err)
		}
		all = append(all, got)
	}
	return all, nil
}

// describeSubscriptions returns the listed subscriptions of relight's topic, with the
// filter policies of the configured subscribers if they are asked for. What relight
// may not read does not keep the topic from being restored. Only the account that
// called Subscribe may read a filter policy. If receivers are asked for, it also
// reads the queues and functions behind those subscriptions. It then reads the filter
// policies of other subscribers and, if no message can reach any of the configured
// ones, whether one of the others receives every message. Source:
// recorded 2026-09-23 (radkawar/stackd).
func (r *region) describeSubscriptions(ctx context.Context, list func() ([]plan.Subscription, error), filters, behind bool) ([]plan.Subscription, error) {
	listed, err := list()
	if err != nil {
		return nil, err
	}
	who := func(s plan.Subscription) int {
		return slices.IndexFunc(r.Want.Subscribers, func(who catalog.Subscriber) bool { return plan.SameSubscriber(who, s) })
	}
	lost := make([]bool, len(listed)) // deleted since they were listed
	read := func(rs receivers, i int, s plan.Subscription) (err error) {
		s.Unasked = !filters
		if configured := who(s); filters && configured >= 0 {
			lost[i], err = rs.subscription(ctx, &s, behind, r.Want.Subscribers[configured])
		}
		listed[i] = s
		return err
	}
	rs := r.receivers()
	if behind { // one may be behind several subscriptions
		for i := 0; i < len(listed) && err == nil; i++ {
			err = read(rs, i, listed[i])
		}
	} else {
		err = eachAtOnce(listed, func(i int, s plan.Subscription) error { return read(r.receivers(), i, s) })
	}
	if err != nil {
		return nil, err
	}
	var all []plan.Subscription
	var rest []int // indexes of those that are not configured
	reached := false
	for i, s := range listed {
		switch {
		case lost[i]:
			continue
		case who(s) >= 0:
			reached = reached || s.Delivers(r.Want.Topic)
		default:
			rest = append(rest, len(all))
		}
		all = append(all, s)
	}
	if !behind {
		return all, nil
	}
	if reached { // those of others are read for people alone
		for _, i := range rest[:min(len(rest), othersRead)] {
			if gone, err := rs.subscription(ctx, &all[i], false, catalog.Subscriber{}); err != nil {
				return nil, err
			} else if gone {
				all[i].Pending = true // it delivers nothing
			}
		}
		return all, nil
	}
	hears, err := rs.firstHearing(ctx, r.Want.Topic, func(yield func(int, *plan.Subscription) bool) {
		for _, i := range rest {
			if !yield(i, &all[i]) {
				return
			}
		}
	})
	for _, i := range rest {
		all[i].Unproven = i != hears
	}
	return all, err
}

// filterPolicy reads the filter policy of a subscription and whether it delivers raw
// messages. It reports whether the subscription was deleted after it was listed. An
// empty object
// filters nothing: clients write one to remove a filter policy. Source: Amazon
// SNS Developer Guide, "Use SetSubscriptionAttributes with an AWS SDK or CLI".
func (r *region) filterPolicy(ctx context.Context, s *plan.Subscription) (gone bool, err error) {
	out, err := r.sns().GetSubscriptionAttributes(ctx, &sns.GetSubscriptionAttributesInput{SubscriptionArn: aws.String(s.ARN)})
	if remedy.ClassOf(err) == remedy.Missing {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	s.Filter = strings.TrimSpace(out.Attributes["FilterPolicy"])
	var object map[string]any
	if json.Unmarshal([]byte(s.Filter), &object) == nil && len(object) == 0 {
		s.Filter = ""
	}
	s.OfBody, s.Raw = out.Attributes[filterScope] == "MessageBody", out.Attributes["RawMessageDelivery"] == "true"
	return false, nil
}

const (
	filterPolicy = "FilterPolicy"
	filterScope  = "FilterPolicyScope"
)

// topicThere occurs in SNS's message about a topic or subscription that exists with
// other attributes or tags; the error code has other meanings too. Source: recorded
// 2025-10-13 and 2026-02-06 (localstack/localstack).
const topicThere = "already exists"

// createTopic creates the topic under its old name, and so with its old ARN. If
// somebody else has created the topic since relight read it, createTopic does
// not change it: the next observation finds what it lacks, also if SNS refuses its
// key or its tags.
func (r *region) createTopic(ctx context.Context, a plan.CreateTopic) error {
	parts := []string{partTags}
	if a.Key != "" {
		parts = append(parts, partKey)
	}
	without, refusal, err := createWithout(func(without []string) error {
		in := &sns.CreateTopicInput{Name: aws.String(resourceOf(a.Topic, "")), Attributes: map[string]string{"Policy": a.Policy}}
		if !slices.Contains(without, partTags) {
			in.Tags = tagList(a.Tags, func(k, v *string) types.Tag { return types.Tag{Key: k, Value: v} })
		}
		if a.Key != "" && !slices.Contains(without, partKey) {
			in.Attributes["KmsMasterKeyId"] = a.Key
		}
		_, err := r.sns().CreateTopic(about(ctx, a.Topic), in)
		if api, ok := errors.AsType[smithy.APIError](err); ok && strings.Contains(api.ErrorMessage(), topicThere) {
			return nil
		}
		return err
	}, blamesPart, parts...)
	return cmp.Or(err, incomplete("the topic", without, refusal, ""))
}

// setTopicPolicy sets a policy. If SNS refuses what is in it, setTopicPolicy sets
// one without statements of others, and returns the refusal.
func (r *region) setTopicPolicy(ctx context.Context, a plan.SetTopicPolicy) error {
	refusal := r.setTopic(ctx, a.Topic, "Policy", a.Policy)
	for err, i := refusal, 0; err != nil && i < len(a.Instead); i++ {
		if remedy.ClassOf(err) != remedy.Terminal || slices.Contains(deniedCodes, codeOf(err)) {
			return err
		}
		if err = r.setTopic(ctx, a.Topic, "Policy", a.Instead[i].Policy); err == nil {
			return partly(noting(refusal, "relight left out the statements "+strings.Join(a.Instead[i].Lacks, ", ")))
		}
	}
	return refusal
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
	in := &sns.SubscribeInput{
		TopicArn: aws.String(a.Topic), Protocol: aws.String(a.Subscriber.Protocol), Endpoint: aws.String(a.Subscriber.Endpoint),
	}
	if a.Subscriber.Filter != "" {
		in.Attributes = map[string]string{filterPolicy: a.Subscriber.Filter}
	}
	_, err := r.sns().Subscribe(ctx, in)
	if api, ok := errors.AsType[smithy.APIError](err); ok && strings.Contains(api.ErrorMessage(), topicThere) {
		return nil // somebody was faster, and the next observation finds its filter policy
	}
	return again(err)
}

// setFilterPolicy sets a filter policy over attributes. SNS checks a filter policy
// against the scope, and a change of the scope against the filter policy, so one over
// the body of messages goes first. Source: Amazon SNS Developer Guide, "Filter policy
// constraints in Amazon SNS": no nested keys over attributes.
func (r *region) setFilterPolicy(ctx context.Context, a plan.SetFilterPolicy) error {
	set := [][2]string{{filterPolicy, cmp.Or(a.Subscriber.Filter, "{}")}}
	if a.OfBody && a.Subscriber.Filter != "" {
		set = [][2]string{{filterPolicy, "{}"}, {filterScope, "MessageAttributes"}, set[0]}
	}
	for _, attribute := range set {
		_, err := r.sns().SetSubscriptionAttributes(ctx, &sns.SetSubscriptionAttributesInput{
			SubscriptionArn: aws.String(a.Subscription), AttributeName: aws.String(attribute[0]), AttributeValue: aws.String(attribute[1]),
		})
		if err != nil {
			return again(err)
		}
	}
	return nil
}

// Publish sends a message to a topic, in the topic's own region.
func (c *Cloud) Publish(ctx context.Context, topic string, n remedy.Notification) error {
	at, err := arn.Parse(topic)
	if err != nil {
		return notDeployed("sns.Publish", topic, "topic")
	}
	in := &sns.PublishInput{
		TopicArn: aws.String(topic), Subject: aws.String(n.Subject), Message: aws.String(n.Message), MessageAttributes: map[string]types.MessageAttributeValue{},
	}
	if n.Structured {
		in.MessageStructure = aws.String("json")
	}
	for _, a := range n.Attributes {
		kind := "String"
		if a.List {
			kind = "String.Array"
		}
		in.MessageAttributes[a.Name] = types.MessageAttributeValue{DataType: aws.String(kind), StringValue: aws.String(a.Text())}
	}
	_, err = c.home(at.Region).sns().Publish(ctx, in)
	return bare(err)
}
