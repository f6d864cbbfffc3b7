package plan

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/iampolicy"
	"github.com/relight-aws/relight/internal/lazy"
)

// TopicState is what was observed of relight's own topic.
type TopicState struct {
	Elsewhere     string // why there is nothing to plan here; "" if there is
	Exists        bool
	Policy        string    // JSON
	Hidden        string    // how the policy denied relight to read the topic or its subscriptions; then only Policy was read, if at all. "" if it did not
	Key           string    // what it is encrypted with: an ARN, ID or alias; "" for nothing
	Delivery      string    // delivery policy, JSON: how HTTP endpoints are tried; "" for SNS's own
	KeyState      string    // of the desired key, as KMS calls it; "" if it was not read, which it always was if Key is another
	KeyPolicy     string    // of the desired key, JSON; "" if it was not read
	Unread        []Finding // about the key, if relight may not read it
	Subscriptions []Subscription
	Last          *TopicState // the topic of last resort; nil if there is none or the scope is not about it
	Far           *FarTopic   // the owner's topic that carries the same; nil if there is none or it was not read
}

// A FarTopic is an owner's topic, in another account or region, that carries what the
// topic of last resort does. relight changes nothing of it.
type FarTopic struct {
	Exists    bool
	Unread    string // why relight could not read it; "" if it did
	Policy    string // JSON
	Key       string // what it is encrypted with: an ARN, ID or alias; "" for nothing
	Confirmed bool   // it has a confirmed subscriber
}

// Kind returns the kind that the state is of.
func (*TopicState) Kind() catalog.Kind { return catalog.Topics }

// A Subscription is a subscription to a topic.
type Subscription struct {
	ARN      string // "" while Pending, or if Deleted
	Protocol string
	Endpoint string
	Owner    string    // account that called Subscribe, if that is not the topic's account; only it can read the filter policy
	Pending  bool      // waits for confirmation
	Deleted  bool      // it has ended, and SNS still lists it
	Filter   string    // filter policy, JSON; "" for none or if it was not read
	OfBody   bool      // the filter policy chooses by the body of messages, not by their attributes
	Unasked  bool      // the filter policy was not asked for
	Raw      bool      // raw message delivery: without SNS's envelope, subject and topic
	Receiver *Receiver // the queue or function behind it; nil if it has none or was not read
	Unread   []Finding // about the filter policy and the receiver, if relight may not read them
	Unproven bool      // relight looked whether it receives every message, and cannot show it
}

// Hears reports whether a subscription to a topic has been shown to receive every
// message. One that another account owns has not: its filter policy cannot be read.
func (s Subscription) Hears(topic string) bool {
	return s.Delivers(topic) && s.Owner == "" && s.Filter == "" && len(s.Unread) == 0 &&
		(s.Receiver == nil || s.Receiver.Unknown(topic) == "")
}

// Differs reports whether a subscription has another filter policy than the configured
// one of its subscriber, as far as that was read.
func (s Subscription) Differs(who catalog.Subscriber) bool {
	return len(s.Unread) == 0 && !s.Unasked && (!catalog.SameFilterPolicy(s.Filter, who.Filter) || s.Filter != "" && s.OfBody)
}

// Delivers reports whether a subscription to a topic is confirmed, and nothing
// that was read of its queue or function keeps messages out.
func (s Subscription) Delivers(topic string) bool {
	return !s.Pending && !s.Deleted && !s.Unproven && (s.Receiver == nil || len(s.Receiver.Deaf(topic)) == 0)
}

// States of a key: the usable one, and those that a call can undo. Sources: KMS
// API Reference, KeyMetadata, CancelKeyDeletion and EnableKey; for a key with
// replicas, recorded 2026-09-12 (radkawar/stackd).
const (
	KeyEnabled      = "Enabled"
	keyDisabled     = "Disabled"
	keyDying        = "PendingDeletion"
	keyReplicaDying = "PendingReplicaDeletion"
)

// EnableTopicKey makes the key of relight's topic usable again.
type EnableTopicKey struct {
	Key    string // ARN
	Cancel bool   // it waits for its deletion; once that is cancelled, it is disabled
	Reason string
}

// Step returns the action as a step of a plan.
func (a EnableTopicKey) Step() Step {
	do := "enable key "
	if a.Cancel {
		do = "cancel the deletion of, and enable, key "
	}
	return Step{Thing: "key", Stage: unlock, Do: do + a.Key, Target: a.Key, Reason: a.Reason, Makes: a.Key}
}

// CreateTopic creates relight's topic as the stack did.
type CreateTopic struct {
	Topic  string // ARN
	Policy string // JSON
	Key    string // ARN
	Tags   map[string]string
	Reason string
}

// Step returns the action as a step of a plan.
func (a CreateTopic) Step() Step {
	return Step{Thing: "topic", Stage: create, Do: "create topic " + a.Topic, Target: a.Topic, Reason: a.Reason, Makes: a.Topic}
}

// SetTopicPolicy replaces a topic's policy.
type SetTopicPolicy struct {
	Topic   string          // ARN
	Policy  string          // JSON
	Instead []ShorterPolicy // to set if SNS refuses Policy, in this order
	Reason  string
}

// A ShorterPolicy is a policy without some statements that others added.
type ShorterPolicy struct {
	Policy string   // JSON
	Lacks  []string // the statements that it lacks: each by its Sid, or as JSON if it has none
}

// Step returns the action as a step of a plan.
func (a SetTopicPolicy) Step() Step {
	return Step{Thing: "policy of topic", Stage: configure, Do: "set policy of topic " + a.Topic, Target: a.Topic, Reason: a.Reason}
}

// SetTopicKey encrypts a topic with a key.
type SetTopicKey struct {
	Topic  string // ARN
	Key    string // ARN; "" for no key
	Reason string
}

// Step returns the action as a step of a plan.
func (a SetTopicKey) Step() Step {
	return Step{Thing: "key of topic", Stage: configure, Do: fmt.Sprintf("set key of topic %s to %s", a.Topic, cmp.Or(a.Key, "none")), Target: a.Topic, Reason: a.Reason, Needs: a.Key}
}

// Subscribe subscribes an endpoint to a topic.
type Subscribe struct {
	Topic      string // ARN
	Subscriber catalog.Subscriber
	Reason     string
}

// Step returns the action as a step of a plan.
func (a Subscribe) Step() Step {
	who := a.Subscriber.String()
	do := fmt.Sprintf("subscribe %s to topic %s", who, a.Topic)
	if a.Subscriber.Filter != "" {
		do += " with filter-policy " + a.Subscriber.Filter
	}
	return Step{Thing: "subscription of", Stage: protect, Do: do, Target: who, Reason: a.Reason, Needs: a.Topic}
}

// SetFilterPolicy gives a subscription the filter policy of its subscriber, or removes
// the one that it has, so that it receives every message.
type SetFilterPolicy struct {
	Subscription string // ARN
	Subscriber   catalog.Subscriber
	OfBody       bool // the present one chooses by the body of messages
	Reason       string
}

// Step returns the action as a step of a plan.
func (a SetFilterPolicy) Step() Step {
	do := fmt.Sprintf("clear filter-policy of %s", a.Subscriber)
	if a.Subscriber.Filter != "" {
		return Step{
			Thing: "filter policy of", Stage: protect, Do: fmt.Sprintf("set filter-policy of %s to %s", a.Subscriber, a.Subscriber.Filter),
			Target: a.Subscription, Reason: a.Reason,
		}
	}
	return Step{Stage: protect, Do: do, Target: a.Subscription, Reason: a.Reason}
}

// plan plans relight's own topic:
//
//	nothing deployed, or another topic or key      skipped
//	the topic does not exist                       created with policy and, if it works, key; configured subscribers restored;
//	                                               a finding, since subscriptions of the deleted topic still deliver
//	relight's statement is missing or narrowed     restored; the statements of others are kept, unless SNS
//	                                               refuses the policy with them
//	its policy cannot be parsed, or denies         rewritten with relight's statements alone, and a finding
//	relight to read it
//	a statement can deny alarms, relight's roles   removed, and a finding
//	or the account's owner what they need
//	it has another key, or none                    relight's key is restored, unless that does not work and cannot
//	                                               be made to: a finding
//	its delivery policy tries HTTP endpoints       a finding: SNS does not document how to remove one
//	less often than SNS does, or slowly
//	relight's key
//	  is disabled                                  enabled, before everything else
//	  waits for its deletion                       the deletion is cancelled and the key enabled
//	  is in another state                          a finding
//	  keeps alarms, relight's roles or the owner   a finding: the owner of the key decides on its policy
//	  out by its policy
//	a configured subscriber
//	  is not subscribed                            subscribed; a finding if its owner has to confirm
//	  has not confirmed                            a finding
//	  has another filter policy than configured    the configured one is restored, or none
//	  is a queue or function that does not admit   a finding: its owner decides on its policy
//	  the topic, or whose key does not
//	  is such a one of another account             skipped: it confirmed with what the topic delivered, and no more can be read
//	  was subscribed by another account            a finding: only that account can read the filter policy
//	  has a subscription that has ended            a finding: subscribing again does not bring it back
//	no subscriber has confirmed, or can be shown   a finding
//	to receive every message
//	a configured subscriber gets raw messages      a finding: its owner may want that
//	a subscriber that is not configured            left as it is; a finding if it has a filter policy
//
// and the topic of last resort in the same way, except that it has no key. The topic
// of an owner that carries the same is only reported: if it does not exist, keeps
// relight out by its policy or its key, or has no confirmed subscriber.
func (observed *TopicState) plan(want catalog.Desired, got Observed) Plan {
	p := observed.own(want, got)
	if observed.Far != nil {
		p.farTopic(want, *observed.Far)
	}
	return p
}

// farTopic reports why messages of relight's do not reach people by an owner's topic.
func (p *Plan) farTopic(want catalog.Desired, far FarTopic) {
	denial := farTopicKeepsOut(want, far.Policy)
	switch {
	case want.FarTopic == want.Topic || want.FarTopic == want.LastResort:
		p.find(LastTopicOwn, Args{"topic": want.FarTopic})
	case far.Unread != "":
		p.find(LastTopicUnread, Args{"topic": want.FarTopic, "error": far.Unread})
	case !far.Exists:
		p.find(LastTopicMissing, Args{"topic": want.FarTopic})
	case denial != "":
		p.find(LastTopicClosed, Args{"topic": want.FarTopic, "denial": denial, "account": arnOf(want.Topic).AccountID, "partition": arnOf(want.Topic).Partition})
	case far.Key != "" && (far.Key != managedTopicKey || arnOf(want.FarTopic).AccountID != arnOf(want.Topic).AccountID):
		p.find(LastTopicEncrypted, Args{"topic": want.FarTopic, "key": far.Key})
	case !far.Confirmed:
		p.find(LastTopicUnheard, Args{"topic": want.FarTopic})
	}
}

// managedTopicKey is the key that AWS manages for SNS. It admits every principal of
// its account that may use SNS, and no other. Source: AWS KMS Developer Guide, "AWS
// managed keys"; Amazon SNS Developer Guide, "Managing Amazon SNS encryption keys and
// costs".
const managedTopicKey = "alias/aws/sns"

// own plans relight's own topics.
func (observed *TopicState) own(want catalog.Desired, got Observed) Plan {
	if observed.Last == nil {
		return observed.one(want, got)
	}
	p := observed.Last.one(want.OfLastResort(), got)
	if observed.Elsewhere == "" {
		first := observed.one(want, got)
		p.Actions, p.Findings, p.Skips = slices.Concat(first.Actions, p.Actions), slices.Concat(first.Findings, p.Findings), slices.Concat(first.Skips, p.Skips)
		p.Touched, p.Healthy = slices.Concat(first.Touched, p.Touched), first.Healthy+p.Healthy
	}
	return p
}

// one plans one of relight's topics.
func (observed *TopicState) one(want catalog.Desired, got Observed) Plan {
	var p Plan
	state := *observed
	if state.Elsewhere != "" {
		p.Skips = append(p.Skips, Skip{"topic", state.Elsewhere})
		return p
	}
	for _, n := range got.Asked {
		if n == want.Topic || strings.HasPrefix(n, want.Topic+":") || IsKey(n, want.TopicKey) {
			p.Touched = append(p.Touched, n)
		}
	}
	switch {
	case state.Hidden != "" && state.Policy != "" && !p.topicPolicy(want, state): // the rest is read once the policy admits relight
		return p
	case state.Hidden != "":
		p.Actions = append(p.Actions, SetTopicPolicy{Topic: want.Topic, Policy: freshPolicy(want.Topic), Reason: "it denies relight to read it"})
		p.find(TopicPolicyUnreadable, Args{"topic": want.Topic, "error": state.Hidden, "policy": "unknown"})
		return p
	case state.Exists:
		p.topicHealth(want, state)
	default:
		a := CreateTopic{Topic: want.Topic, Policy: freshPolicy(want.Topic), Key: want.TopicKey, Tags: want.Tags, Reason: "it does not exist"}
		if deadKey(state.KeyState) {
			a.Key = ""
			p.keyReplaced(want, state)
		}
		p.Actions = append(p.Actions, a)
		p.find(TopicRecreated, Args{"topic": want.Topic})
	}
	p.topicKey(want, state)
	p.subscribers(want, state)
	return p
}

// topicKey plans the key that encrypts the topic, as far as it was read.
func (p *Plan) topicKey(want catalog.Desired, state TopicState) {
	p.Findings = append(p.Findings, state.Unread...)
	switch {
	case state.KeyState == "", state.KeyState == KeyEnabled:
	case !deadKey(state.KeyState):
		p.Actions = append(p.Actions, EnableTopicKey{
			Key: want.TopicKey, Cancel: state.KeyState != keyDisabled, Reason: "its state is " + state.KeyState + ": nothing can be published to the topic",
		})
	case !IsKey(state.Key, want.TopicKey): // the topic is not encrypted with it
		return
	default:
		p.find(TopicKeyUnusable, Args{"key": want.TopicKey, "state": state.KeyState})
	}
	if state.KeyPolicy == "" {
		return
	}
	if denials := keepOutOfKey(want, state.KeyPolicy); len(denials) > 0 {
		p.find(TopicKeyDenied, Args{"key": want.TopicKey, "denial": strings.Join(denials, "; ")})
	}
}

// deadKey reports whether a key in a state does not work, and relight cannot
// change that.
func deadKey(state string) bool {
	return !slices.Contains([]string{"", KeyEnabled, keyDisabled, keyDying, keyReplicaDying}, state)
}

// topicHealth plans the attributes of a topic that exists.
func (p *Plan) topicHealth(want catalog.Desired, state TopicState) {
	healthy := p.topicPolicy(want, state)
	if losesMessages(state.Delivery) {
		p.find(TopicDeliveryPolicy, Args{"topic": want.Topic, "policy": excerpt(state.Delivery)})
	}
	switch {
	case want.TopicKey == "" && want.Topic == want.LastResort && state.Key != "":
		healthy = false
		p.Actions = append(p.Actions, SetTopicKey{Topic: want.Topic, Reason: "it is encrypted with " + state.Key + ", and has to work whatever happens to a key"})
	case want.TopicKey == "" || IsKey(state.Key, want.TopicKey):
	case deadKey(state.KeyState):
		healthy = false
		p.keyReplaced(want, state)
	default:
		healthy = false
		p.Actions = append(p.Actions, SetTopicKey{
			Topic: want.Topic, Key: want.TopicKey, Reason: "it is encrypted with " + cmp.Or(state.Key, "no key"),
		})
	}
	if healthy {
		p.Healthy++
	}
}

// Drifts reports whether something of the attributes of a topic that exists has to be
// restored, other than its subscriptions and the state of its key.
func (observed *TopicState) Drifts(want catalog.Desired) bool {
	var p Plan
	p.topicHealth(want, *observed)
	return len(p.Actions) > 0
}

// losesMessages reports whether a delivery policy makes SNS give up on an HTTP endpoint
// earlier than its own does, or wait between messages. One that cannot be read counts as
// such. Source: Amazon SNS Developer Guide, "Creating an HTTP/S delivery policy", with the
// default of three retries.
func losesMessages(policy string) bool {
	if policy == "" {
		return false
	}
	const retries = 3
	var p struct {
		HTTP struct {
			Retry    *struct{ NumRetries *int } `json:"defaultHealthyRetryPolicy"`
			Throttle *struct {
				PerSecond *float64 `json:"maxReceivesPerSecond"`
			} `json:"defaultThrottlePolicy"`
		}
	}
	if json.Unmarshal([]byte(policy), &p) != nil {
		return true
	}
	return p.HTTP.Retry != nil && p.HTTP.Retry.NumRetries != nil && *p.HTTP.Retry.NumRetries < retries ||
		p.HTTP.Throttle != nil && p.HTTP.Throttle.PerSecond != nil
}

// topicPolicy plans the policy of relight's topic, and reports whether it needs
// nothing. The topic is relight's own, so relight removes what keeps out somebody
// who needs it, whoever wrote that.
func (p *Plan) topicPolicy(want catalog.Desired, state TopicState) (healthy bool) {
	rewrite := func(policy iampolicy.Document, reason string) {
		p.Actions = append(p.Actions, SetTopicPolicy{Topic: want.Topic, Policy: policy.String(), Instead: shorter(policy, want.Topic), Reason: reason})
	}
	policy, err := iampolicy.Parse(state.Policy)
	if err != nil {
		policy = iampolicy.Document{}
		restorePolicy(&policy, want.Topic)
		rewrite(policy, "relight cannot read it: "+err.Error())
		p.find(TopicPolicyUnreadable, Args{"topic": want.Topic, "error": err.Error(), "policy": excerpt(state.Policy)})
		return false
	}
	var reasons []string
	asks := neededBy(want)
	policy.Statements = slices.DeleteFunc(policy.Statements, func(st iampolicy.Statement) bool {
		who := shutsOut(st, asks)
		if who == "" {
			return false
		}
		reasons = append(reasons, "the statement "+cmp.Or(st.Sid, "without a Sid")+" can deny "+who)
		p.find(TopicDenied, Args{"topic": want.Topic, "statement": excerpt(st.String()), "denied": who, "condition": sparing(want.Topic)})
		return true
	})
	if missing := restorePolicy(&policy, want.Topic); len(missing) > 0 {
		reasons = append(reasons, "it lacks the statement "+strings.Join(missing, " and "))
	}
	if len(reasons) > 0 {
		rewrite(policy, strings.Join(reasons, "; "))
	}
	return len(reasons) == 0
}

// excerpt returns the beginning of what somebody else wrote, so that a message has
// room for what to do about it.
func excerpt(text string) string {
	const most = 300
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "…"
}

// keyReplaced adds the finding that the topic keeps another key, or none, since
// relight's does not work.
func (p *Plan) keyReplaced(want catalog.Desired, state TopicState) {
	p.find(TopicKeyReplaced, Args{"topic": want.Topic, "current": cmp.Or(state.Key, "no key"), "key": want.TopicKey, "state": state.KeyState})
}

// restorePolicy adds to a policy those of relight's statements that it lacks,
// replacing statements of the same name, and returns their names.
func restorePolicy(got *iampolicy.Document, topic string) []string {
	var missing []string
	for _, w := range catalog.TopicPolicy {
		want := topicStatement(w, topic)
		if slices.ContainsFunc(got.Statements, func(st iampolicy.Statement) bool { return st.Serves(want, topic) }) {
			continue
		}
		missing = append(missing, w.Sid)
		got.Statements = slices.DeleteFunc(got.Statements, func(st iampolicy.Statement) bool { return st.Sid == w.Sid })
		got.Statements = append(got.Statements, want)
	}
	return missing
}

// shorter returns the policies to set if SNS refuses one: without the statements
// about principals that were deleted, which SNS shows and does not accept; and with
// relight's own statements alone, since one statement of others must not keep
// relight's from coming back. Source: hashicorp/terraform-provider-aws issues 26041
// and 38178.
func shorter(policy iampolicy.Document, topic string) []ShorterPolicy {
	var choices []ShorterPolicy
	for _, drop := range []func(iampolicy.Statement) bool{
		func(st iampolicy.Statement) bool {
			return slices.ContainsFunc([]*iampolicy.Principal{st.Principal, st.NotPrincipal}, func(p *iampolicy.Principal) bool {
				return p != nil && slices.ContainsFunc(p.AWS, uniqueID.MatchString)
			})
		},
		func(st iampolicy.Statement) bool {
			return !slices.ContainsFunc(catalog.TopicPolicy, func(w catalog.TopicStatement) bool { return st.Serves(topicStatement(w, topic), topic) })
		},
	} {
		kept, lacks := policy, []string(nil)
		kept.Statements = slices.DeleteFunc(slices.Clone(policy.Statements), func(st iampolicy.Statement) bool {
			if drop(st) {
				lacks = append(lacks, cmp.Or(st.Sid, st.String()))
				return true
			}
			return false
		})
		if len(lacks) > 0 {
			choices = append(choices, ShorterPolicy{kept.String(), lacks})
		}
	}
	return choices
}

// uniqueID matches how a policy names a user or role that was deleted. Source: IAM
// User Guide, "IAM identifiers", unique identifiers.
var uniqueID = lazy.Compile(`^A[A-Z0-9]{15,}$`)

// freshPolicy returns the policy of a new topic, which would otherwise have the
// default of its account.
func freshPolicy(topic string) string {
	var p iampolicy.Document
	restorePolicy(&p, topic)
	return p.String()
}

// subscribers plans who is notified.
func (p *Plan) subscribers(want catalog.Desired, state TopicState) {
	reached, confirmed, waiting := false, false, false
	for _, s := range state.Subscriptions {
		reached = reached || s.Delivers(want.Topic)
		confirmed = confirmed || !s.Pending && !s.Deleted
		waiting = waiting || s.Pending
	}
	for _, s := range state.Subscriptions {
		who := catalog.Subscriber{Protocol: s.Protocol, Endpoint: s.Endpoint}
		configured := slices.ContainsFunc(want.Subscribers, func(who catalog.Subscriber) bool { return SameSubscriber(who, s) })
		switch {
		case s.Filter != "" && !configured:
			p.find(SubscriberFiltered, Args{"subscriber": who.String(), "filter": excerpt(s.Filter), "subscription": s.ARN})
		case s.Raw && configured:
			p.find(SubscriberRaw, Args{"subscriber": who.String(), "subscription": s.ARN})
		}
	}
	for _, who := range want.Subscribers {
		s, exists := subscriptionOf(who, state.Subscriptions)
		healthy := p.receiver(want, who, s)
		waits := false
		switch {
		case !exists:
			p.Actions = append(p.Actions, Subscribe{Topic: want.Topic, Subscriber: who, Reason: "it is not subscribed"})
			waits = needsPerson(who, want.Topic)
			reached = reached || !waits
		case s.Deleted:
			p.find(SubscriberDeleted, Args{"subscriber": who.String()})
		case s.Owner != "" && s.Pending:
			p.find(SubscriberForeign, Args{"subscriber": who.String(), "owner": s.Owner, "and": ", and nobody has confirmed it yet"})
		case s.Owner != "":
			p.find(SubscriberForeign, Args{"subscriber": who.String(), "owner": s.Owner, "and": ""})
		case s.Pending:
			waits = true
		case s.Differs(who):
			reason := "its filter policy lets only some messages through: " + s.Filter
			switch {
			case s.Filter == "":
				reason = "it has no filter policy"
			case who.Filter != "" && s.OfBody:
				reason = "its filter policy chooses by the body of messages: " + s.Filter
			case who.Filter != "":
				reason = "its filter policy is " + s.Filter
			}
			p.Actions = append(p.Actions, SetFilterPolicy{Subscription: s.ARN, Subscriber: who, OfBody: s.OfBody, Reason: reason})
		case healthy:
			p.Healthy++
		}
		if waits {
			waiting = true
			if who.Protocol == "sqs" || who.Protocol == "lambda" {
				p.find(SubscriberTokenUnused, Args{"subscriber": who.String()})
			} else {
				p.find(SubscriberUnconfirmed, Args{"subscriber": who.String()})
			}
		}
	}
	switch {
	case reached:
	case confirmed:
		p.find(TopicUnheard, Args{"topic": want.Topic})
	case waiting:
		p.find(TopicUnconfirmed, Args{"topic": want.Topic})
	default:
		p.find(TopicNoSubscribers, Args{"topic": want.Topic})
	}
}

// receiver reports what was read of a configured subscriber's filter policy, queue
// or function, and whether nothing of it keeps messages out.
func (p *Plan) receiver(want catalog.Desired, who catalog.Subscriber, s Subscription) (healthy bool) {
	findings := s.Unread
	if s.Receiver != nil {
		findings = slices.Concat(findings, s.Receiver.Deaf(want.Topic))
		if why := s.Receiver.Unknown(want.Topic); why != "" {
			p.Skips = append(p.Skips, Skip{"subscriber " + who.String(), why})
		}
	}
	p.Findings = append(p.Findings, findings...)
	return len(findings) == 0
}

// subscriptionOf returns the subscription of a subscriber. If SNS lists several,
// the one that delivers counts, then the one that waits.
func subscriptionOf(who catalog.Subscriber, all []Subscription) (best Subscription, exists bool) {
	rank := func(s Subscription) int {
		switch {
		case s.Deleted:
			return 1
		case s.Pending:
			return 2
		case s.Owner != "":
			return 3
		}
		return 4
	}
	for _, s := range all {
		if SameSubscriber(who, s) && (!exists || rank(s) > rank(best)) {
			best, exists = s, true
		}
	}
	return best, exists
}

// needsPerson reports whether the owner of a new subscription has to confirm it:
// for email, for HTTP and for anything of another account. Source: Amazon SNS API Reference,
// Subscribe.
func needsPerson(who catalog.Subscriber, topic string) bool {
	switch who.Protocol {
	case "email", "email-json", "http", "https":
		return true
	case "sqs", "lambda":
		return arnOf(who.Endpoint).AccountID != arnOf(topic).AccountID
	}
	return false
}

// SameSubscriber reports whether a subscription is a subscriber's.
func SameSubscriber(who catalog.Subscriber, s Subscription) bool {
	return who.Is(s.Protocol, s.Endpoint)
}
