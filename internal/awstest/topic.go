package awstest

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/aws/aws-sdk-go-v2/aws"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"
)

// A Message is what was published to a topic.
type Message struct {
	Topic, Subject, Text string
}

// A topic is an SNS topic with its subscriptions.
type topic struct {
	attributes map[string]string
	tags       map[string]string
	subs       map[string]subscription // by ARN
}

type subscription struct {
	protocol, endpoint string
	pending            bool
	attributes         map[string]string
}

func (t *topic) count() (confirmed, pending int) {
	for _, s := range t.subs {
		if s.pending {
			pending++
		} else {
			confirmed++
		}
	}
	return confirmed, pending
}

func (t *topic) state() any {
	subs := []string{}
	for _, s := range t.subs {
		line := s.protocol + " " + s.endpoint
		if s.pending {
			line += " pending"
		}
		if len(s.attributes) > 0 {
			line += " " + text(s.attributes)
		}
		subs = append(subs, line)
	}
	slices.Sort(subs)
	attributes := maps.Clone(t.attributes)
	attributes["Policy"] = text(json.RawMessage(attributes["Policy"])) // whatever the order of its members
	return map[string]any{"attributes": attributes, "tags": t.tags, "subscriptions": subs}
}

// admits returns a topic policy that lets CloudWatch's alarms publish. Source:
// AWS re:Post, "Why didn't I receive an SNS notification for my CloudWatch
// alarm trigger".
func admits(arn string) string {
	return `{"Version":"2012-10-17","Statement":[{"Sid":"alarms","Effect":"Allow","Principal":{"Service":"cloudwatch.amazonaws.com"},` +
		`"Action":"sns:Publish","Resource":"` + arn + `"}]}`
}

// AddTopic makes a topic that CloudWatch may publish to, with confirmed
// subscribers. It returns its ARN.
func (a *Account) AddTopic(regionName, name string, confirmed int) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	arn := "arn:aws:sns:" + regionName + ":" + a.ID + ":" + name
	t := &topic{attributes: map[string]string{"Policy": admits(arn)}, subs: map[string]subscription{}}
	for i := range confirmed {
		t.subs[arn+":"+strconv.Itoa(i)] = subscription{protocol: "sqs", endpoint: "arn:aws:sqs:" + regionName + ":" + a.ID + ":" + name + strconv.Itoa(i)}
	}
	a.regions[regionName].topics[arn] = t
	return arn
}

// Confirm does what the owners of a topic's subscriptions do who wait for it.
func (a *Account) Confirm(arn string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, r := range a.regions {
		if t := r.topics[arn]; t != nil {
			for id, s := range t.subs {
				s.pending = false
				t.subs[id] = s
			}
		}
	}
}

// Messages returns what was published, in order.
func (a *Account) Messages() []Message {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.messages)
}

func noTopic(op string) error { return refuse(op, "NotFound", "Topic does not exist") }

// CreateTopic creates a topic, or returns the one of that name if it has the
// attributes and tags asked for. Without a policy of its own it has one that
// admits the account's principals. Sources: Amazon SNS API Reference,
// CreateTopic; Amazon SNS Developer Guide, "Default topic policy". The text
// of the refusal is unverified.
func (a *Account) CreateTopic(ctx context.Context, in *sns.CreateTopicInput, opts ...func(*sns.Options)) (*sns.CreateTopicOutput, error) {
	const op = "CreateTopic"
	r, end, err := a.begin(ctx, op, snsRegion(opts))
	defer end()
	if err != nil {
		return nil, err
	}
	arn := "arn:aws:sns:" + r.name + ":" + a.ID + ":" + aws.ToString(in.Name)
	tags := map[string]string{}
	for _, t := range in.Tags {
		tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	if t := r.topics[arn]; t != nil {
		for k, v := range in.Attributes {
			if t.attributes[k] != v {
				return nil, refuse(op, "InvalidParameter", "Invalid parameter: Attributes Reason: Topic already exists with different attributes")
			}
		}
		if len(tags) > 0 && !maps.Equal(tags, t.tags) {
			return nil, refuse(op, "InvalidParameter", "Invalid parameter: Tags Reason: Topic already exists with different tags")
		}
		return &sns.CreateTopicOutput{TopicArn: aws.String(arn)}, nil
	}
	if p, given := in.Attributes["Policy"]; given && !goodPolicy(p, arn) {
		return nil, badPolicy(op)
	}
	attributes := map[string]string{"Policy": `{"Version":"2008-10-17","Id":"__default_policy_ID","Statement":[{"Sid":"__default_statement_ID",` +
		`"Effect":"Allow","Principal":{"AWS":"*"},"Action":["SNS:Publish","SNS:Subscribe"],"Resource":"` + arn +
		`","Condition":{"StringEquals":{"AWS:SourceOwner":"` + a.ID + `"}}}]}`}
	maps.Copy(attributes, in.Attributes)
	r.topics[arn] = &topic{attributes: attributes, tags: tags, subs: map[string]subscription{}}
	a.wrote(op, r, arn)
	return &sns.CreateTopicOutput{TopicArn: aws.String(arn)}, nil
}

func badPolicy(op string) error {
	return refuse(op, "InvalidParameter", "Invalid parameter: Policy Error: null")
}

// goodPolicy reports whether SNS takes a policy: each statement of a name of
// its own, about this topic. Source: Amazon SNS Developer Guide, "Amazon SNS
// API permissions: Actions and resources reference".
func goodPolicy(text, arn string) bool {
	var p struct {
		Statement []struct {
			Sid, Effect string
			Resource    string
		}
	}
	if json.Unmarshal([]byte(text), &p) != nil {
		return false
	}
	sids := map[string]bool{}
	for _, st := range p.Statement {
		if sids[st.Sid] && st.Sid != "" || st.Resource != "" && st.Resource != arn || st.Effect == "" {
			return false
		}
		sids[st.Sid] = true
	}
	return true
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

// Subscribe adds a subscriber, or returns the one that is there: a queue or
// function of the account and a phone at once, any other only once its owner
// confirms. Source: Amazon SNS API Reference, Subscribe.
func (a *Account) Subscribe(ctx context.Context, in *sns.SubscribeInput, opts ...func(*sns.Options)) (*sns.SubscribeOutput, error) {
	const op = "Subscribe"
	r, end, err := a.begin(ctx, op, snsRegion(opts))
	defer end()
	if err != nil {
		return nil, err
	}
	arn := aws.ToString(in.TopicArn)
	t := r.topics[arn]
	protocol, endpoint := aws.ToString(in.Protocol), aws.ToString(in.Endpoint)
	pending := false
	switch protocol {
	case "sqs", "lambda":
		if parts := strings.Split(endpoint, ":"); len(parts) < 6 || parts[2] != protocol {
			return nil, refuse(op, "InvalidParameter", "Invalid parameter: Endpoint")
		} else if parts[4] != a.ID {
			pending = true
		}
	case "email", "email-json", "http", "https":
		pending = true
	case "sms":
	default:
		return nil, refuse(op, "InvalidParameter", "Invalid parameter: Protocol")
	}
	switch {
	case t == nil:
		return nil, noTopic(op)
	case endpoint == "":
		return nil, refuse(op, "InvalidParameter", "Invalid parameter: Endpoint")
	}
	answer := func(id string, pending bool) (*sns.SubscribeOutput, error) {
		if pending {
			id = "pending confirmation"
		}
		return &sns.SubscribeOutput{SubscriptionArn: aws.String(id)}, nil
	}
	for id, s := range t.subs {
		if s.protocol == protocol && s.endpoint == endpoint {
			return answer(id, s.pending)
		}
	}
	id := arn + ":" + a.newID("sub")
	t.subs[id] = subscription{protocol: protocol, endpoint: endpoint, pending: pending}
	a.wrote(op, r, arn)
	return answer(id, pending)
}

// ListSubscriptionsByTopic lists a topic's subscriptions, 100 a page; those
// that wait have a word in place of their ARN. Source: Amazon SNS API
// Reference, ListSubscriptionsByTopic; the word is seen in many clients.
func (a *Account) ListSubscriptionsByTopic(ctx context.Context, in *sns.ListSubscriptionsByTopicInput, opts ...func(*sns.Options)) (*sns.ListSubscriptionsByTopicOutput, error) {
	const op = "ListSubscriptionsByTopic"
	r, end, err := a.begin(ctx, op, snsRegion(opts))
	defer end()
	if err != nil {
		return nil, err
	}
	t := r.topics[aws.ToString(in.TopicArn)]
	if t == nil {
		return nil, noTopic(op)
	}
	all := map[string]types.Subscription{}
	for id, s := range t.subs {
		sub := types.Subscription{
			SubscriptionArn: aws.String(id), TopicArn: in.TopicArn, Owner: aws.String(a.ID),
			Protocol: aws.String(s.protocol), Endpoint: aws.String(s.endpoint),
		}
		if s.pending {
			sub.SubscriptionArn = aws.String("PendingConfirmation")
		}
		all[id] = sub
	}
	list, token, err := paged(a, page{op: op, token: in.NextToken, usual: 100, limit: "InvalidParameter", bad: "InvalidParameter"}, all)
	return &sns.ListSubscriptionsByTopicOutput{Subscriptions: list, NextToken: token}, err
}

// sub returns the topic that a subscription is of, nil for none.
func (r *region) sub(id *string) *topic {
	for _, t := range r.topics {
		if s, ok := t.subs[aws.ToString(id)]; ok && !s.pending {
			return t
		}
	}
	return nil
}

func noSubscription(op string) error { return refuse(op, "NotFound", "Subscription does not exist") }

// GetSubscriptionAttributes returns a confirmed subscription's attributes.
func (a *Account) GetSubscriptionAttributes(ctx context.Context, in *sns.GetSubscriptionAttributesInput, opts ...func(*sns.Options)) (*sns.GetSubscriptionAttributesOutput, error) {
	const op = "GetSubscriptionAttributes"
	r, end, err := a.begin(ctx, op, snsRegion(opts))
	defer end()
	if err != nil {
		return nil, err
	}
	t := r.sub(in.SubscriptionArn)
	if t == nil {
		return nil, noSubscription(op)
	}
	s := t.subs[*in.SubscriptionArn]
	attributes := map[string]string{
		"SubscriptionArn": *in.SubscriptionArn, "Owner": a.ID, "Protocol": s.protocol, "Endpoint": s.endpoint,
		"PendingConfirmation": "false", "RawMessageDelivery": "false",
	}
	maps.Copy(attributes, s.attributes)
	return &sns.GetSubscriptionAttributesOutput{Attributes: attributes}, nil
}

// SetSubscriptionAttributes sets one attribute of a subscription; an empty
// filter policy takes it away. Source: Amazon SNS Developer Guide, "Use
// SetSubscriptionAttributes with an AWS SDK or CLI".
func (a *Account) SetSubscriptionAttributes(ctx context.Context, in *sns.SetSubscriptionAttributesInput, opts ...func(*sns.Options)) (*sns.SetSubscriptionAttributesOutput, error) {
	const op = "SetSubscriptionAttributes"
	r, end, err := a.begin(ctx, op, snsRegion(opts))
	defer end()
	if err != nil {
		return nil, err
	}
	t := r.sub(in.SubscriptionArn)
	name, value := aws.ToString(in.AttributeName), aws.ToString(in.AttributeValue)
	switch {
	case t == nil:
		return nil, noSubscription(op)
	case !slices.Contains([]string{"DeliveryPolicy", "FilterPolicy", "FilterPolicyScope", "RawMessageDelivery", "RedrivePolicy"}, name),
		name == "FilterPolicy" && !json.Valid([]byte(value)):
		return nil, refuse(op, "InvalidParameter", "Invalid parameter: %s", name)
	}
	s := t.subs[*in.SubscriptionArn]
	s.attributes = maps.Clone(s.attributes)
	if s.attributes == nil {
		s.attributes = map[string]string{}
	}
	s.attributes[name] = value
	if name == "FilterPolicy" && value == "{}" {
		delete(s.attributes, name)
	}
	t.subs[*in.SubscriptionArn] = s
	a.wrote(op, r, *in.SubscriptionArn)
	return &sns.SetSubscriptionAttributesOutput{}, nil
}

// Unsubscribe removes a confirmed subscription; one that is not there is no
// error. Source: Amazon SNS API Reference, Unsubscribe, unverified for the
// latter.
func (a *Account) Unsubscribe(ctx context.Context, in *sns.UnsubscribeInput, opts ...func(*sns.Options)) (*sns.UnsubscribeOutput, error) {
	const op = "Unsubscribe"
	r, end, err := a.begin(ctx, op, snsRegion(opts))
	defer end()
	if err != nil {
		return nil, err
	}
	if t := r.sub(in.SubscriptionArn); t != nil {
		delete(t.subs, *in.SubscriptionArn)
		a.wrote(op, r, *in.SubscriptionArn)
	}
	return &sns.UnsubscribeOutput{}, nil
}

// RemovePermission takes the statement of a name out of a topic's policy.
// Source: Amazon SNS API Reference, RemovePermission.
func (a *Account) RemovePermission(ctx context.Context, in *sns.RemovePermissionInput, opts ...func(*sns.Options)) (*sns.RemovePermissionOutput, error) {
	const op = "RemovePermission"
	r, end, err := a.begin(ctx, op, snsRegion(opts))
	defer end()
	if err != nil {
		return nil, err
	}
	t := r.topics[aws.ToString(in.TopicArn)]
	if t == nil {
		return nil, noTopic(op)
	}
	var p map[string]any
	if err := json.Unmarshal([]byte(t.attributes["Policy"]), &p); err != nil {
		panic("awstest: a topic's policy is no JSON: " + err.Error())
	}
	statements, _ := p["Statement"].([]any)
	p["Statement"] = slices.DeleteFunc(statements, func(st any) bool {
		object, _ := st.(map[string]any)
		return object["Sid"] == aws.ToString(in.Label)
	})
	raw, _ := json.Marshal(p) // it was JSON a moment ago
	t.attributes["Policy"] = string(raw)
	a.wrote(op, r, *in.TopicArn)
	return &sns.RemovePermissionOutput{}, nil
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
	confirmed, pending := t.count()
	attributes["SubscriptionsConfirmed"] = strconv.Itoa(confirmed)
	attributes["SubscriptionsPending"] = strconv.Itoa(pending)
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
	if aws.ToString(in.AttributeName) == "Policy" && !goodPolicy(aws.ToString(in.AttributeValue), *in.TopicArn) {
		return nil, badPolicy(op)
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
	case a.unusable(r.topics[*in.TopicArn].attributes["KmsMasterKeyId"]):
		return nil, refuse(op, "KMSDisabled", "the key is not enabled")
	case in.Subject != nil && (odd || subject == "" || len(subject) > 100):
		return nil, refuse(op, "InvalidParameter", "Invalid parameter: Subject")
	case message == "" || len(message) > 256*1024:
		return nil, refuse(op, "InvalidParameter", "Invalid parameter: Message")
	}
	a.messages = append(a.messages, Message{*in.TopicArn, subject, message})
	return &sns.PublishOutput{MessageId: aws.String(strconv.Itoa(len(a.messages)))}, nil
}

// unusable reports whether a topic's key is one that the account has and that
// is not enabled. Source: Amazon SNS API Reference, Publish, errors.
func (a *Account) unusable(key string) bool {
	arn, found := a.key(&key)
	return key != "" && found && a.keys[arn] != kmstypes.KeyStateEnabled
}

func snsRegion(opts []func(*sns.Options)) string {
	var o sns.Options
	for _, f := range opts {
		f(&o)
	}
	return o.Region
}
