package awstest

import (
	"cmp"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsarn "github.com/aws/aws-sdk-go-v2/aws/arn"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"

	"github.com/relight-aws/relight/internal/catalog"
)

// A Message is what was published to a topic.
type Message struct {
	Topic, Subject string
	Text           string            // what an email subscriber gets
	Default        string            // what a subscriber with a protocol gets for which the message has no text of its own
	Attributes     map[string]string // values by name
}

// A topic is an SNS topic with its subscriptions.
type topic struct {
	attributes map[string]string
	tags       map[string]string
	subs       map[string]subscription // by ARN
}

type subscription struct {
	protocol, endpoint string
	owner              string // account that called Subscribe; "" for the topic's
	pending            bool
	deleted            bool // it ended, and is still listed
	attributes         map[string]string
}

func (t *topic) count() (confirmed, pending, deleted int) {
	for _, s := range t.subs {
		switch {
		case s.deleted:
			deleted++
		case s.pending:
			pending++
		default:
			confirmed++
		}
	}
	return confirmed, pending, deleted
}

func (t *topic) state() any {
	subs := []string{}
	for _, s := range t.subs {
		line := s.protocol + " " + s.endpoint
		if s.pending {
			line += " pending"
		}
		if s.deleted {
			line += " deleted"
		}
		if s.owner != "" {
			line += " of " + s.owner
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
// subscribers: queues that it may send to. It returns the topic's ARN.
func (a *Account) AddTopic(regionName, name string, confirmed int) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	arn := a.arn("sns", regionName, name)
	t := &topic{attributes: map[string]string{"Policy": admits(arn)}, subs: map[string]subscription{}}
	for i := range confirmed {
		t.subs[arn+":"+strconv.Itoa(i)] = subscription{protocol: "sqs", endpoint: a.addQueue(regionName, name+strconv.Itoa(i), arn)}
	}
	a.regions[regionName].topics[arn] = t
	return arn
}

// AddTopicOf makes a topic of another account, with that policy and a confirmed
// subscriber. It returns the topic's ARN.
func (a *Account) AddTopicOf(owner, regionName, name, policy string) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	arn := strings.Replace(a.arn("sns", regionName, name), a.ID, owner, 1)
	a.regions[regionName].topics[arn] = &topic{
		attributes: map[string]string{"Policy": policy},
		subs:       map[string]subscription{arn + ":0": {protocol: "email", endpoint: "security@example.com"}},
	}
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

// SubscribeFrom subscribes an endpoint to a topic by a call of another account,
// which then owns the subscription. A queue or function of that account needs no
// confirmation, every other endpoint does. An endpoint that is subscribed already
// keeps its subscription. Source: recorded 2026-09-23 (radkawar/stackd).
func (a *Account) SubscribeFrom(owner, arn, protocol, endpoint string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, r := range a.regions {
		t := r.topics[arn]
		if t == nil || t.has(protocol, endpoint) {
			continue
		}
		of, _ := awsarn.Parse(endpoint)
		t.subs[arn+":"+a.newID("sub")] = subscription{protocol: protocol, endpoint: endpoint, owner: owner, pending: of.AccountID != owner}
	}
}

// EndSubscription ends the subscription of an endpoint as its own account, or
// the unsubscribe link of a message, does: the topic still lists it, as Deleted.
// Sources: recorded 2026-09-22 and 2026-09-23 (radkawar/stackd).
func (a *Account) EndSubscription(arn, endpoint string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, r := range a.regions {
		if t := r.topics[arn]; t != nil {
			for id, s := range t.subs {
				switch {
				case s.endpoint != endpoint:
				case strings.HasPrefix(s.protocol, "email") && a.doubts(leftAddressStays):
					delete(t.subs, id)
				default:
					s.deleted, s.pending = true, false
					t.subs[id] = s
				}
			}
		}
	}
}

// Deliveries returns how many messages subscriptions delivered to an endpoint.
func (a *Account) Deliveries(endpoint string) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.delivered[endpoint]
}

func (t *topic) has(protocol, endpoint string) bool {
	for _, s := range t.subs {
		if s.protocol == protocol && s.endpoint == endpoint {
			return true
		}
	}
	return false
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
// Amazon SNS API Reference, CreateTopic; the refusal and the default policy,
// recorded 2025-10-13 and 2026-02-06 (localstack/localstack).
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
	if len(tags) > 0 && c.denied["TagResource"] { // Amazon SNS Developer Guide, "Amazon SNS topic tagging"
		return nil, refuse(deniedCode(sns.ServiceID), notAuthorized, "sns:TagResource")
	}
	if p, given := in.Attributes["Policy"]; given && !goodPolicy(p, arn) {
		return nil, errBadPolicy
	}
	attributes := map[string]string{"Policy": `{"Version":"2008-10-17","Id":"__default_policy_ID","Statement":[{"Sid":"__default_statement_ID",` +
		`"Effect":"Allow","Principal":{"AWS":"*"},"Action":["SNS:GetTopicAttributes","SNS:SetTopicAttributes",` +
		`"SNS:AddPermission","SNS:RemovePermission","SNS:DeleteTopic","SNS:Subscribe","SNS:ListSubscriptionsByTopic","SNS:Publish"],"Resource":"` + arn +
		`","Condition":{"StringEquals":{"AWS:SourceOwner":"` + c.ID + `"}}}]}`}
	maps.Copy(attributes, in.Attributes)
	c.topics[arn] = &topic{attributes: attributes, tags: tags, subs: map[string]subscription{}}
	c.wrote(arn)
	return &sns.CreateTopicOutput{TopicArn: aws.String(arn)}, nil
}

var errBadPolicy = refuse("InvalidParameter", "Invalid parameter: Policy Error: null")

// ForgetPrincipal makes the policies of topics name a principal as they do once it
// is deleted. Source: IAM User Guide, "AWS JSON policy elements: Principal": the
// unique ID shows instead of the ARN.
func (a *Account) ForgetPrincipal(arn string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, r := range a.regions {
		for _, t := range r.topics {
			t.attributes["Policy"] = strings.ReplaceAll(t.attributes["Policy"], `"`+arn+`"`, `"AIDAEXAMPLEEXAMPLE123"`)
		}
	}
}

// goodPolicy reports whether SNS accepts a policy: each statement needs a Sid
// of its own, has to be about this topic, and must not name a principal that is
// deleted. Sources: Amazon SNS Developer
// Guide, "Amazon SNS API permissions: Actions and resources reference";
// hashicorp/terraform-provider-aws issues 26041 and 38178 (PrincipalNotFound).
func goodPolicy(text, arn string) bool {
	if strings.Contains(text, `"AIDA`) {
		return false
	}
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

// deleteTopic deletes a topic; a topic that does not exist is no error. Its
// confirmed subscriptions are no longer listed, but still answer, and deliver
// what is published to a new topic of the same name. Sources: Amazon SNS API
// Reference, DeleteTopic ("asynchronously"); recorded 2026-01-12
// (localstack/localstack) and 2026-09-14 (radkawar/stackd).
func deleteTopic(c *request, in *sns.DeleteTopicInput) error {
	if arn := *in.TopicArn; c.topics[arn] != nil {
		if c.ghosts == nil {
			c.ghosts = map[string]map[string]subscription{}
		}
		if c.ghosts[arn] == nil {
			c.ghosts[arn] = map[string]subscription{}
		}
		maps.Copy(c.ghosts[arn], c.topics[arn].subs)
		maps.DeleteFunc(c.ghosts[arn], func(_ string, s subscription) bool { return s.pending || s.deleted || c.doubts(oldSubscriptions) })
		delete(c.topics, arn)
		c.wrote(arn)
	}
	return nil
}

// subscribe adds a subscriber, or returns the existing subscription. A queue or
// function of the account and a phone are subscribed at once, any other
// subscriber only after its owner confirms. A subscription that another account
// owns, or that has ended, stays as it is. Sources: Amazon SNS API Reference,
// Subscribe; recorded 2026-09-23 (radkawar/stackd), for queues and functions. It refuses
// a subscription that exists with other attributes; source: recorded
// (localstack/localstack).
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
	for name, value := range in.Attributes {
		if err := goodAttribute(name, value, in.Attributes[scopeAttribute]); err != nil {
			return nil, err
		}
	}
	for id, s := range t.subs {
		if s.protocol == protocol && s.endpoint == endpoint {
			if !s.pending && len(in.Attributes) > 0 && !maps.Equal(in.Attributes, s.attributes) {
				return nil, refuse("InvalidParameter", "Invalid parameter: Attributes Reason: Subscription already exists with different attributes")
			}
			return answer(id, s.pending)
		}
	}
	id := arn + ":" + c.newID("sub")
	t.subs[id] = subscription{protocol: protocol, endpoint: endpoint, pending: pending, attributes: maps.Clone(in.Attributes)}
	c.wrote(arn)
	return answer(id, pending)
}

// listSubscriptionsByTopic lists a topic's subscriptions, 100 a page; a
// subscription that is pending or has ended has a word instead of its ARN.
// Sources: Amazon SNS API Reference, ListSubscriptionsByTopic; recorded
// 2018-07-25 (cloud-custodian) and 2026-09-23 (radkawar/stackd).
func listSubscriptionsByTopic(c *request, in *sns.ListSubscriptionsByTopicInput) (*sns.ListSubscriptionsByTopicOutput, error) {
	t := c.topics[*in.TopicArn]
	if t == nil {
		return nil, errNoTopic
	}
	all := map[string]types.Subscription{}
	for id, s := range t.subs {
		sub := types.Subscription{
			SubscriptionArn: aws.String(id), TopicArn: in.TopicArn, Owner: aws.String(cmp.Or(s.owner, c.ID)),
			Protocol: aws.String(s.protocol), Endpoint: aws.String(s.endpoint),
		}
		switch {
		case s.deleted:
			sub.SubscriptionArn = aws.String("Deleted")
		case s.pending:
			sub.SubscriptionArn = aws.String("PendingConfirmation")
		}
		if s.owner != "" && s.protocol != "sqs" && s.protocol != "lambda" && c.doubts(addressOwnerShows) {
			sub.Owner = aws.String(c.ID)
		}
		if strings.HasPrefix(s.protocol, "email") && strings.ToLower(s.endpoint) != s.endpoint && c.doubts(endpointsAsGiven) {
			sub.Endpoint = aws.String(strings.ToLower(s.endpoint))
		}
		all[id] = sub
	}
	list, token, err := paged(c, page{token: in.NextToken, usual: 100, limit: "InvalidParameter", bad: "InvalidParameter"}, all)
	return &sns.ListSubscriptionsByTopicOutput{Subscriptions: list, NextToken: token}, err
}

// sub returns a confirmed subscription and where it is kept. It refuses the
// caller's account a subscription that another account owns. Source: recorded
// 2026-09-23 (radkawar/stackd), with every permission.
func (c *request) sub(id *string) (subs map[string]subscription, s subscription, err error) {
	places := slices.Collect(maps.Values(c.ghosts))
	for _, t := range c.topics {
		places = append(places, t.subs)
	}
	for _, subs := range places {
		switch s, ok := subs[aws.ToString(id)]; {
		case !ok || s.pending || s.deleted:
		case s.owner != "":
			return nil, s, refuse("AuthorizationError", "Not authorized to access this subscription")
		default:
			return subs, s, nil
		}
	}
	return nil, s, errNoSubscription
}

var errNoSubscription = refuse("NotFound", "Subscription does not exist")

// getSubscriptionAttributes returns a confirmed subscription's attributes.
func getSubscriptionAttributes(c *request, in *sns.GetSubscriptionAttributesInput) (*sns.GetSubscriptionAttributesOutput, error) {
	_, s, err := c.sub(in.SubscriptionArn)
	if err != nil {
		return nil, err
	}
	attributes := map[string]string{
		"SubscriptionArn": *in.SubscriptionArn, "Owner": c.ID, "Protocol": s.protocol, "Endpoint": s.endpoint,
		"PendingConfirmation": "false", "RawMessageDelivery": "false",
	}
	maps.Copy(attributes, s.attributes)
	attributes[scopeAttribute] = cmp.Or(attributes[scopeAttribute], "MessageAttributes")
	if attributes[filterAttribute] == "" { // recorded 2024-05-14 (localstack/localstack)
		delete(attributes, scopeAttribute)
	}
	return &sns.GetSubscriptionAttributesOutput{Attributes: attributes}, nil
}

// setSubscriptionAttributes sets one attribute of a subscription; an empty
// filter policy removes the filter policy. Source: Amazon SNS Developer Guide,
// "Use SetSubscriptionAttributes with an AWS SDK or CLI".
func setSubscriptionAttributes(c *request, in *sns.SetSubscriptionAttributesInput) error {
	subs, s, err := c.sub(in.SubscriptionArn)
	name, value := *in.AttributeName, aws.ToString(in.AttributeValue)
	if err != nil {
		return err
	}
	scope := s.attributes[scopeAttribute]
	if name == scopeAttribute {
		if err := goodAttribute(filterAttribute, cmp.Or(s.attributes[filterAttribute], "{}"), value); err != nil {
			return err
		}
	}
	if err := goodAttribute(name, value, scope); err != nil {
		return err
	}
	s.attributes = maps.Clone(s.attributes)
	if s.attributes == nil {
		s.attributes = map[string]string{}
	}
	s.attributes[name] = value
	if name == filterAttribute && value == "{}" || name == scopeAttribute && value == "MessageAttributes" {
		delete(s.attributes, name)
	}
	subs[*in.SubscriptionArn] = s
	c.wrote(*in.SubscriptionArn)
	return nil
}

const (
	filterAttribute = "FilterPolicy"
	scopeAttribute  = "FilterPolicyScope"
)

// goodAttribute refuses what is no attribute of a subscription, and a filter policy that
// its scope does not take: over attributes, each key has a list of values that is not
// empty, and there are five keys and 150 combinations at most. Sources: Amazon SNS
// Developer Guide, "Filter policy constraints in Amazon SNS"; recorded 2024-05-14
// (localstack/localstack).
func goodAttribute(name, value, scope string) error {
	switch {
	case !slices.Contains([]string{"DeliveryPolicy", filterAttribute, scopeAttribute, "RawMessageDelivery", "RedrivePolicy"}, name),
		name == scopeAttribute && value != "MessageAttributes" && value != "MessageBody":
		return refuse("InvalidParameter", "Invalid parameter: %s", name)
	case name != filterAttribute:
		return nil
	}
	var object map[string]any
	if json.Unmarshal([]byte(value), &object) != nil {
		return refuse("InvalidParameter", "Invalid parameter: FilterPolicy: failed to parse JSON.")
	}
	if scope == "MessageBody" {
		return nil
	}
	combinations := 1
	for _, values := range object {
		list, isList := values.([]any)
		if !isList {
			return refuse("InvalidParameter", "Invalid parameter: Filter policy scope MessageAttributes does not support nested filter policy")
		}
		if len(list) == 0 {
			return refuse("InvalidParameter", "Invalid parameter: FilterPolicy: Empty arrays are not allowed")
		}
		combinations *= len(list)
	}
	if len(object) > 5 || combinations > 150 {
		return refuse("InvalidParameter", "Invalid parameter: FilterPolicy: Filter policy is too complex")
	}
	return nil
}

// unsubscribe removes a confirmed subscription; a subscription that does not
// exist is no error. A subscription that another account owns stays listed as
// Deleted. Sources: Amazon SNS API Reference, Unsubscribe; recorded 2025-10-06
// (localstack/localstack), 2026-09-14 and 2026-09-23 (radkawar/stackd).
func unsubscribe(c *request, in *sns.UnsubscribeInput) error {
	id := *in.SubscriptionArn
	subs, _, err := c.sub(in.SubscriptionArn)
	switch {
	case err == nil:
		delete(subs, id)
		c.wrote(id)
	case !errors.Is(err, errNoSubscription):
		for _, t := range c.topics {
			if s, ok := t.subs[id]; ok {
				s.deleted = true
				t.subs[id] = s
				c.wrote(id)
			}
		}
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
	confirmed, pending, deleted := t.count()
	attributes["SubscriptionsConfirmed"] = strconv.Itoa(confirmed)
	attributes["SubscriptionsPending"] = strconv.Itoa(pending)
	attributes["SubscriptionsDeleted"] = strconv.Itoa(deleted)
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
	if *in.AttributeName == "KmsMasterKeyId" && aws.ToString(in.AttributeValue) == "" { // the topic is not encrypted any more (belief)
		delete(t.attributes, *in.AttributeName)
	}
	c.wrote(*in.TopicArn)
	return nil
}

// publish stores a message, and delivers it to every confirmed subscription
// without a filter policy, also to those of a deleted topic of the name. A subject is one line of up to 100 ASCII
// characters, a message has up to 256 KB with its attributes, and one of the structure
// json has a text for each protocol and a default. Source: Amazon SNS API Reference,
// Publish and MessageAttributeValue.
func publish(c *request, in *sns.PublishInput) (*sns.PublishOutput, error) {
	subject, message := aws.ToString(in.Subject), *in.Message
	texts := map[string]string{"default": message}
	var noTexts error
	if structure := aws.ToString(in.MessageStructure); structure == "json" {
		texts = map[string]string{}
		noTexts = json.Unmarshal([]byte(message), &texts)
	} else if structure != "" {
		noTexts = errNoTopic
	}
	size, attributes := len(message), map[string]string{}
	for name, a := range in.MessageAttributes {
		value := aws.ToString(a.StringValue)
		attributes[name] = value
		size += len(name) + len(aws.ToString(a.DataType)) + len(value)
		list := aws.ToString(a.DataType) == "String.Array"
		if value == "" || list && (json.Unmarshal([]byte(value), new([]string)) != nil) {
			return nil, refuse("ParameterValueInvalid", "Invalid parameter: attribute")
		}
	}
	odd := strings.ContainsFunc(subject, func(c rune) bool { return c > unicode.MaxASCII || unicode.IsControl(c) })
	switch {
	case c.topics[aws.ToString(in.TopicArn)] == nil:
		return nil, errNoTopic
	case c.unusable(c.topics[*in.TopicArn].attributes["KmsMasterKeyId"]):
		return nil, refuse("KMSDisabled", "the key is not enabled")
	case in.Subject != nil && (odd || subject == "" || len(subject) > 100):
		return nil, refuse("InvalidParameter", "Invalid parameter: Subject")
	case message == "" || size > 256*1024:
		return nil, refuse("InvalidParameter", "Invalid parameter: Message")
	case noTexts != nil || texts["default"] == "":
		return nil, refuse("InvalidParameter", "Invalid parameter: Message Structure - No default entry in JSON message body")
	}
	c.deliver(Message{*in.TopicArn, subject, cmp.Or(texts["email"], texts["default"]), texts["default"], attributes})
	return &sns.PublishOutput{MessageId: aws.String(strconv.Itoa(len(c.messages)))}, nil
}

// deliver takes a message for a topic, delivers it, and counts both.
func (c *request) deliver(m Message) {
	c.messages = append(c.messages, m)
	c.count(m.Topic, "NumberOfMessagesPublished")
	if c.delivered == nil {
		c.delivered = map[string]int{}
	}
	for _, subs := range []map[string]subscription{c.topics[m.Topic].subs, c.ghosts[m.Topic]} {
		for _, s := range subs {
			switch at, _ := awsarn.Parse(s.endpoint); {
			case s.pending || s.deleted || !s.takes(m.Attributes):
			case s.protocol == "sqs" && at.AccountID == c.ID && c.regions[at.Region].queues[at.Resource] == nil:
				c.count(m.Topic, "NumberOfNotificationsFailed")
			default:
				c.delivered[s.endpoint]++
				c.count(m.Topic, "NumberOfNotificationsDelivered")
			}
		}
	}
}

// takes reports whether the filter policy of a subscription lets a message with these
// attributes through. One over the body, and one that cannot be read, lets nothing through.
func (s subscription) takes(attributes map[string]string) bool {
	filter, err := catalog.ParseFilterPolicy(s.attributes[filterAttribute])
	if err != nil || s.attributes[filterAttribute] != "" && s.attributes[scopeAttribute] == "MessageBody" {
		return false
	}
	values := map[string][]string{}
	for name, value := range attributes {
		var list []string
		if json.Unmarshal([]byte(value), &list) != nil {
			list = []string{value}
		}
		values[name] = list
	}
	return filter.Passes(values)
}

// ring publishes an alarm to the topics among its actions that take it. Source:
// CloudWatch User Guide, "Notifying users on alarm changes".
func (c *request) ring(al cwtypes.MetricAlarm) {
	for _, topic := range al.AlarmActions {
		t := c.topics[topic]
		if t != nil && aws.ToBool(al.ActionsEnabled) && !c.unusable(t.attributes["KmsMasterKeyId"]) && admitsAlarms(t.attributes["Policy"]) {
			c.deliver(Message{Topic: topic, Subject: "ALARM: " + *al.AlarmName, Text: aws.ToString(al.StateReason), Default: aws.ToString(al.StateReason)})
		}
	}
}

// admitsAlarms reports whether a policy of a topic, which may have conditions about
// encrypted transport and the alarm's account alone, lets CloudWatch publish.
func admitsAlarms(text string) bool {
	var p struct {
		Statement []struct {
			Effect    string
			Principal any
			Condition map[string]any
		}
	}
	admits := false
	if json.Unmarshal([]byte(text), &p) != nil {
		return false
	}
	for _, st := range p.Statement {
		switch who, _ := json.Marshal(st.Principal); {
		case st.Effect == "Deny" && len(st.Condition) == 0:
			return false
		case st.Effect == "Allow" && strings.Contains(string(who), "cloudwatch.amazonaws.com"):
			admits = true
		}
	}
	return admits
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
