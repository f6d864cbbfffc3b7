package awstest

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsarn "github.com/aws/aws-sdk-go-v2/aws/arn"
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

// admits returns a topic policy that allows CloudWatch's alarms to publish.
// Source: AWS re:Post, "Why didn't I receive an SNS notification for my
// CloudWatch alarm trigger".
func admits(arn string) string {
	return `{"Version":"2012-10-17","Statement":[{"Sid":"alarms","Effect":"Allow","Principal":{"Service":"cloudwatch.amazonaws.com"},` +
		`"Action":"sns:Publish","Resource":"` + arn + `"}]}`
}

// AddTopic makes a topic that CloudWatch may publish to, with confirmed
// subscribers. It returns the topic's ARN.
func (a *Account) AddTopic(regionName, name string, confirmed int) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	arn := a.arn("sns", regionName, name)
	t := &topic{attributes: map[string]string{"Policy": admits(arn)}, subs: map[string]subscription{}}
	for i := range confirmed {
		t.subs[arn+":"+strconv.Itoa(i)] = subscription{protocol: "sqs", endpoint: a.arn("sqs", regionName, name+strconv.Itoa(i))}
	}
	a.regions[regionName].topics[arn] = t
	return arn
}

// Confirm confirms a topic's pending subscriptions, as their owners would.
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

var errNoTopic = refuse("NotFound", "Topic does not exist")

// createTopic creates a topic, or returns the existing topic of that name if it
// has the requested attributes and tags. A topic without a policy of its own
// gets the default policy, which admits the account's principals. Sources:
// Amazon SNS API Reference, CreateTopic; Amazon SNS Developer Guide, "Default
// topic policy". The text of the refusal is unverified.
func createTopic(c *request, in *sns.CreateTopicInput) (*sns.CreateTopicOutput, error) {
	arn := c.arn("sns", c.name, *in.Name)
	tags := map[string]string{}
	for _, t := range in.Tags {
		tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	if t := c.topics[arn]; t != nil {
		for k, v := range in.Attributes {
			if t.attributes[k] != v {
				return nil, refuse("InvalidParameter", "Invalid parameter: Attributes Reason: Topic already exists with different attributes")
			}
		}
		if len(tags) > 0 && !maps.Equal(tags, t.tags) {
			return nil, refuse("InvalidParameter", "Invalid parameter: Tags Reason: Topic already exists with different tags")
		}
		return &sns.CreateTopicOutput{TopicArn: aws.String(arn)}, nil
	}
	if p, given := in.Attributes["Policy"]; given && !goodPolicy(p, arn) {
		return nil, errBadPolicy
	}
	attributes := map[string]string{"Policy": `{"Version":"2008-10-17","Id":"__default_policy_ID","Statement":[{"Sid":"__default_statement_ID",` +
		`"Effect":"Allow","Principal":{"AWS":"*"},"Action":["SNS:Publish","SNS:Subscribe"],"Resource":"` + arn +
		`","Condition":{"StringEquals":{"AWS:SourceOwner":"` + c.ID + `"}}}]}`}
	maps.Copy(attributes, in.Attributes)
	c.topics[arn] = &topic{attributes: attributes, tags: tags, subs: map[string]subscription{}}
	c.wrote(arn)
	return &sns.CreateTopicOutput{TopicArn: aws.String(arn)}, nil
}

var errBadPolicy = refuse("InvalidParameter", "Invalid parameter: Policy Error: null")

// goodPolicy reports whether SNS accepts a policy: each statement needs a Sid
// of its own and has to be about this topic. Source: Amazon SNS Developer
// Guide, "Amazon SNS API permissions: Actions and resources reference".
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

// deleteTopic deletes a topic with its subscriptions; a topic that does not
// exist is no error. Source: Amazon SNS API Reference, DeleteTopic.
func deleteTopic(c *request, in *sns.DeleteTopicInput) error {
	if arn := *in.TopicArn; c.topics[arn] != nil {
		delete(c.topics, arn)
		c.wrote(arn)
	}
	return nil
}

// subscribe adds a subscriber, or returns the existing subscription. A queue or
// function of the account and a phone are subscribed at once, any other
// subscriber only after its owner confirms. Source: Amazon SNS API Reference,
// Subscribe.
func subscribe(c *request, in *sns.SubscribeInput) (*sns.SubscribeOutput, error) {
	arn := *in.TopicArn
	t := c.topics[arn]
	protocol, endpoint := *in.Protocol, aws.ToString(in.Endpoint)
	pending := false
	switch protocol {
	case "sqs", "lambda":
		of, err := awsarn.Parse(endpoint)
		if err != nil || of.Service != protocol {
			return nil, refuse("InvalidParameter", "Invalid parameter: Endpoint")
		}
		pending = of.AccountID != c.ID
	case "email", "email-json", "http", "https":
		pending = true
	case "sms":
	default:
		return nil, refuse("InvalidParameter", "Invalid parameter: Protocol")
	}
	switch {
	case t == nil:
		return nil, errNoTopic
	case endpoint == "":
		return nil, refuse("InvalidParameter", "Invalid parameter: Endpoint")
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
	id := arn + ":" + c.newID("sub")
	t.subs[id] = subscription{protocol: protocol, endpoint: endpoint, pending: pending}
	c.wrote(arn)
	return answer(id, pending)
}

// listSubscriptionsByTopic lists a topic's subscriptions, 100 a page; a pending
// subscription has a word instead of its ARN. Source: Amazon SNS API Reference,
// ListSubscriptionsByTopic; the word appears in many clients.
func listSubscriptionsByTopic(c *request, in *sns.ListSubscriptionsByTopicInput) (*sns.ListSubscriptionsByTopicOutput, error) {
	t := c.topics[*in.TopicArn]
	if t == nil {
		return nil, errNoTopic
	}
	all := map[string]types.Subscription{}
	for id, s := range t.subs {
		sub := types.Subscription{
			SubscriptionArn: aws.String(id), TopicArn: in.TopicArn, Owner: aws.String(c.ID),
			Protocol: aws.String(s.protocol), Endpoint: aws.String(s.endpoint),
		}
		if s.pending {
			sub.SubscriptionArn = aws.String("PendingConfirmation")
		}
		all[id] = sub
	}
	list, token, err := paged(c, page{token: in.NextToken, usual: 100, limit: "InvalidParameter", bad: "InvalidParameter"}, all)
	return &sns.ListSubscriptionsByTopicOutput{Subscriptions: list, NextToken: token}, err
}

// sub returns the topic of a subscription, or nil if there is none.
func (r *region) sub(id *string) *topic {
	for _, t := range r.topics {
		if s, ok := t.subs[aws.ToString(id)]; ok && !s.pending {
			return t
		}
	}
	return nil
}

var errNoSubscription = refuse("NotFound", "Subscription does not exist")

// getSubscriptionAttributes returns a confirmed subscription's attributes.
func getSubscriptionAttributes(c *request, in *sns.GetSubscriptionAttributesInput) (*sns.GetSubscriptionAttributesOutput, error) {
	t := c.sub(in.SubscriptionArn)
	if t == nil {
		return nil, errNoSubscription
	}
	s := t.subs[*in.SubscriptionArn]
	attributes := map[string]string{
		"SubscriptionArn": *in.SubscriptionArn, "Owner": c.ID, "Protocol": s.protocol, "Endpoint": s.endpoint,
		"PendingConfirmation": "false", "RawMessageDelivery": "false",
	}
	maps.Copy(attributes, s.attributes)
	return &sns.GetSubscriptionAttributesOutput{Attributes: attributes}, nil
}

// setSubscriptionAttributes sets one attribute of a subscription; an empty
// filter policy removes the filter policy. Source: Amazon SNS Developer Guide,
// "Use SetSubscriptionAttributes with an AWS SDK or CLI".
func setSubscriptionAttributes(c *request, in *sns.SetSubscriptionAttributesInput) error {
	t := c.sub(in.SubscriptionArn)
	name, value := *in.AttributeName, aws.ToString(in.AttributeValue)
	switch {
	case t == nil:
		return errNoSubscription
	case !slices.Contains([]string{"DeliveryPolicy", "FilterPolicy", "FilterPolicyScope", "RawMessageDelivery", "RedrivePolicy"}, name),
		name == "FilterPolicy" && !json.Valid([]byte(value)):
		return refuse("InvalidParameter", "Invalid parameter: %s", name)
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
	c.wrote(*in.SubscriptionArn)
	return nil
}

// unsubscribe removes a confirmed subscription; a subscription that does not
// exist is no error. Source: Amazon SNS API Reference, Unsubscribe; the second
// half is unverified.
func unsubscribe(c *request, in *sns.UnsubscribeInput) error {
	if t := c.sub(in.SubscriptionArn); t != nil {
		delete(t.subs, *in.SubscriptionArn)
		c.wrote(*in.SubscriptionArn)
	}
	return nil
}

// removePermission removes the statement with a given Sid from a topic's
// policy. Source: Amazon SNS API Reference, RemovePermission.
func removePermission(c *request, in *sns.RemovePermissionInput) error {
	t := c.topics[*in.TopicArn]
	if t == nil {
		return errNoTopic
	}
	var p map[string]any
	if err := json.Unmarshal([]byte(t.attributes["Policy"]), &p); err != nil {
		panic("awstest: a topic's policy is no JSON: " + err.Error())
	}
	statements, _ := p["Statement"].([]any)
	p["Statement"] = slices.DeleteFunc(statements, func(st any) bool {
		object, _ := st.(map[string]any)
		return object["Sid"] == *in.Label
	})
	raw, _ := json.Marshal(p) // it was JSON a moment ago
	t.attributes["Policy"] = string(raw)
	c.wrote(*in.TopicArn)
	return nil
}

// getTopicAttributes returns a topic's attributes, all of them as text.
func getTopicAttributes(c *request, in *sns.GetTopicAttributesInput) (*sns.GetTopicAttributesOutput, error) {
	t := c.topics[*in.TopicArn]
	if t == nil {
		return nil, errNoTopic
	}
	attributes := maps.Clone(t.attributes)
	attributes["TopicArn"] = *in.TopicArn
	confirmed, pending := t.count()
	attributes["SubscriptionsConfirmed"] = strconv.Itoa(confirmed)
	attributes["SubscriptionsPending"] = strconv.Itoa(pending)
	attributes["SubscriptionsDeleted"] = "0"
	return &sns.GetTopicAttributesOutput{Attributes: attributes}, nil
}

// setTopicAttributes sets one attribute of a topic.
func setTopicAttributes(c *request, in *sns.SetTopicAttributesInput) error {
	t := c.topics[*in.TopicArn]
	if t == nil {
		return errNoTopic
	}
	if *in.AttributeName == "Policy" && !goodPolicy(aws.ToString(in.AttributeValue), *in.TopicArn) {
		return errBadPolicy
	}
	t.attributes[*in.AttributeName] = aws.ToString(in.AttributeValue)
	c.wrote(*in.TopicArn)
	return nil
}

// publish stores a message. A subject is one line of up to 100 ASCII
// characters, a message has up to 256 KB. Source: Amazon SNS API Reference,
// Publish.
func publish(c *request, in *sns.PublishInput) (*sns.PublishOutput, error) {
	subject, message := aws.ToString(in.Subject), *in.Message
	odd := strings.ContainsFunc(subject, func(c rune) bool { return c > unicode.MaxASCII || unicode.IsControl(c) })
	switch {
	case c.topics[aws.ToString(in.TopicArn)] == nil:
		return nil, errNoTopic
	case c.unusable(c.topics[*in.TopicArn].attributes["KmsMasterKeyId"]):
		return nil, refuse("KMSDisabled", "the key is not enabled")
	case in.Subject != nil && (odd || subject == "" || len(subject) > 100):
		return nil, refuse("InvalidParameter", "Invalid parameter: Subject")
	case message == "" || len(message) > 256*1024:
		return nil, refuse("InvalidParameter", "Invalid parameter: Message")
	}
	c.messages = append(c.messages, Message{*in.TopicArn, subject, message})
	return &sns.PublishOutput{MessageId: aws.String(strconv.Itoa(len(c.messages)))}, nil
}

// unusable reports whether a topic's key belongs to the account and is not
// enabled. Source: Amazon SNS API Reference, Publish, errors.
func (a *Account) unusable(key string) bool {
	arn, found := a.key(&key)
	return key != "" && found && a.keys[arn] != kmstypes.KeyStateEnabled
}

// topicOperations are the operations that this file answers.
var topicOperations = []operation{
	handle(createTopic),
	act[sns.DeleteTopicOutput](deleteTopic),
	handle(subscribe),
	handle(listSubscriptionsByTopic),
	handle(getSubscriptionAttributes),
	act[sns.SetSubscriptionAttributesOutput](setSubscriptionAttributes),
	act[sns.UnsubscribeOutput](unsubscribe),
	act[sns.RemovePermissionOutput](removePermission),
	handle(getTopicAttributes),
	act[sns.SetTopicAttributesOutput](setTopicAttributes),
	handle(publish),
}
