package plan

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/iampolicy"
)

// TopicState is what was observed of relight's own topic.
type TopicState struct {
	Elsewhere     string // why nothing was looked at, where that is in order
	Exists        bool
	Policy        string    // JSON
	Key           string    // what it is encrypted with: an ARN, ID or alias; "" for nothing
	KeyState      string    // of the wanted key, as KMS calls it; "" where it was not read
	KeyPolicy     string    // of the wanted key, JSON; "" where it was not read
	Unread        []Finding // about the key, where it may not be read
	Subscriptions []Subscription
}

// Kind returns the kind that the state is of.
func (*TopicState) Kind() catalog.Kind { return catalog.Topics }

// A Subscription is one of a topic's.
type Subscription struct {
	ARN      string // "" while Pending
	Protocol string
	Endpoint string
	Pending  bool   // waits for its owner to confirm
	Filter   string // filter policy, JSON; "" for none or where it was not read
}

// States of a key: one that works, and those that a call undoes. Sources: KMS
// API Reference, KeyMetadata, CancelKeyDeletion and EnableKey.
const (
	KeyEnabled  = "Enabled"
	keyDisabled = "Disabled"
	keyDying    = "PendingDeletion"
)

// EnableTopicKey makes the key of relight's topic usable again.
type EnableTopicKey struct {
	Key    string // ARN
	Cancel bool   // it waits for its deletion, and is disabled once that is cancelled
	Reason string
}

// Step returns the action as a step of a plan.
func (a EnableTopicKey) Step() Step {
	do := "enable key "
	if a.Cancel {
		do = "cancel the deletion of, and enable, key "
	}
	return Step{Stage: unlock, Do: do + a.Key, Target: a.Key, Reason: a.Reason}
}

// CreateTopic creates relight's topic again, as the stack did.
type CreateTopic struct {
	Topic  string // ARN
	Policy string // JSON
	Key    string // ARN
	Tags   map[string]string
	Reason string
}

// Step returns the action as a step of a plan.
func (a CreateTopic) Step() Step {
	return Step{Stage: create, Do: "create topic " + a.Topic, Target: a.Topic, Reason: a.Reason, Makes: a.Topic}
}

// SetTopicPolicy writes a topic's policy as a whole.
type SetTopicPolicy struct {
	Topic  string // ARN
	Policy string // JSON
	Reason string
}

// Step returns the action as a step of a plan.
func (a SetTopicPolicy) Step() Step {
	return Step{Stage: configure, Do: "set policy of topic " + a.Topic, Target: a.Topic, Reason: a.Reason}
}

// SetTopicKey encrypts a topic with a key.
type SetTopicKey struct {
	Topic  string // ARN
	Key    string // ARN
	Reason string
}

// Step returns the action as a step of a plan.
func (a SetTopicKey) Step() Step {
	return Step{Stage: configure, Do: fmt.Sprintf("set key of topic %s to %s", a.Topic, a.Key), Target: a.Topic, Reason: a.Reason}
}

// Subscribe subscribes somebody to a topic.
type Subscribe struct {
	Topic      string // ARN
	Subscriber catalog.Subscriber
	Reason     string
}

// Step returns the action as a step of a plan.
func (a Subscribe) Step() Step {
	who := a.Subscriber.Protocol + " " + a.Subscriber.Endpoint
	return Step{Stage: protect, Do: fmt.Sprintf("subscribe %s to topic %s", who, a.Topic), Target: who, Reason: a.Reason, Needs: a.Topic}
}

// ClearFilterPolicy lets a subscriber hear everything again.
type ClearFilterPolicy struct {
	Subscription string // ARN
	Subscriber   catalog.Subscriber
	Reason       string
}

// Step returns the action as a step of a plan.
func (a ClearFilterPolicy) Step() Step {
	return Step{Stage: protect, Do: fmt.Sprintf("clear filter-policy of %s %s", a.Subscriber.Protocol, a.Subscriber.Endpoint), Target: a.Subscription, Reason: a.Reason}
}

// plan plans relight's own topic:
//
//	nothing deployed, another topic or key   left alone
//	missing                                  created, with policy and key, and everyone subscribed
//	a statement of ours missing or narrowed  put back, everybody else's kept
//	policy that cannot be read               a finding: writing it would lose what others added
//	somebody denies alarms                   a finding
//	another key, or none                     ours again
//	our key
//	  disabled                               enabled, before everything else
//	  waiting for its deletion               its deletion cancelled, and enabled
//	  in another state                       a finding
//	  closed to alarms by its policy         a finding: whose key it is, is not relight's to say
//	a configured subscriber
//	  not subscribed                         subscribed; a finding where that waits for a person
//	  not confirmed                          a finding until it is
//	  behind a filter policy                 the filter policy is cleared
//	nobody confirmed                         a finding
//	subscribers of others                    left alone
func (observed *TopicState) plan(want catalog.Desired, got Observed) Plan {
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
	if state.Exists {
		p.topicHealth(want, state)
	} else {
		p.Actions = append(p.Actions, CreateTopic{
			Topic: want.Topic, Policy: freshPolicy(want.Topic), Key: want.TopicKey, Tags: want.Tags, Reason: "it does not exist",
		})
	}
	p.topicKey(want, state)
	p.subscribers(want, state)
	return p
}

// topicKey plans the key that the topic is encrypted with, as far as it was
// read.
func (p *Plan) topicKey(want catalog.Desired, state TopicState) {
	subject := "key " + want.TopicKey
	for _, f := range state.Unread {
		f.Alert = true
		p.Findings = append(p.Findings, f)
	}
	switch state.KeyState {
	case "", KeyEnabled:
	case keyDisabled, keyDying:
		p.Actions = append(p.Actions, EnableTopicKey{
			Key: want.TopicKey, Cancel: state.KeyState == keyDying, Reason: "its state is " + state.KeyState + ": nothing can be published to the topic",
		})
	default:
		p.Findings = append(p.Findings, Finding{
			Subject: subject, Alert: true,
			Problem: "its state is " + state.KeyState + ": nothing can be published to the topic",
			Remedy:  "See with aws kms describe-key what it waits for, and find out who did it. If it is deleted, deploy anew under another prefix.",
		})
	}
	if state.KeyPolicy == "" {
		return
	}
	if why := admitsToKey(state.KeyPolicy, want.TopicKey); why != "" {
		p.Findings = append(p.Findings, Finding{
			Subject: subject, Alert: true,
			Problem: why + ": no alarm can tell anybody",
			Remedy:  "Put the statement of docs/operations.md into it with aws kms put-key-policy, and find out who took it out.",
		})
	}
}

// topicHealth plans the attributes of a topic that exists.
func (p *Plan) topicHealth(want catalog.Desired, state TopicState) {
	subject := "topic " + want.Topic
	healthy := true
	switch policy, err := iampolicy.Parse(state.Policy); {
	case err != nil:
		healthy = false
		p.Findings = append(p.Findings, Finding{
			Subject: subject, Problem: "its policy cannot be read: " + err.Error(), Alert: true,
			Remedy: "Write it anew, with the statements of docs/operations.md: relight would lose what others added.",
		})
	default:
		missing := restorePolicy(&policy, want.Topic)
		if len(missing) > 0 {
			healthy = false
			p.Actions = append(p.Actions, SetTopicPolicy{
				Topic: want.Topic, Policy: policy.String(), Reason: "it lacks " + strings.Join(missing, " and "),
			})
		}
		for _, st := range policy.Statements {
			if mayDeny(st, want.Topic, arnOf(want.Topic).AccountID) {
				healthy = false
				p.Findings = append(p.Findings, Finding{
					Subject: subject, Problem: "the statement " + cmp.Or(st.Sid, st.String()) + " of its policy can deny alarms", Alert: true,
					Remedy: "Take it out with aws sns remove-permission, or let it spare " + catalog.AlarmService + ".",
				})
			}
		}
	}
	if want.TopicKey != "" && !IsKey(state.Key, want.TopicKey) {
		healthy = false
		p.Actions = append(p.Actions, SetTopicKey{
			Topic: want.Topic, Key: want.TopicKey, Reason: "it is encrypted with " + cmp.Or(state.Key, "nothing"),
		})
	}
	if healthy {
		p.Held++
	}
}

// restorePolicy adds to a policy the statements of relight's own that it
// lacks, in place of those of the same name, and returns their names.
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

// freshPolicy returns the policy of a new topic, which has its account's
// default until then.
func freshPolicy(topic string) string {
	var p iampolicy.Document
	restorePolicy(&p, topic)
	return p.String()
}

// subscribers plans who is told.
func (p *Plan) subscribers(want catalog.Desired, state TopicState) {
	subject := "topic " + want.Topic
	reached, waiting := false, false
	for _, s := range state.Subscriptions {
		reached = reached || !s.Pending
		waiting = waiting || s.Pending
	}
	for _, who := range want.Subscribers {
		i := slices.IndexFunc(state.Subscriptions, func(s Subscription) bool { return SameSubscriber(who, s) })
		waits := false
		switch {
		case i < 0:
			p.Actions = append(p.Actions, Subscribe{Topic: want.Topic, Subscriber: who, Reason: "it is not subscribed"})
			waits = needsPerson(who, want.Topic)
			reached = reached || !waits
		case state.Subscriptions[i].Pending:
			waits = true
		case state.Subscriptions[i].Filter != "":
			s := state.Subscriptions[i]
			p.Actions = append(p.Actions, ClearFilterPolicy{Subscription: s.ARN, Subscriber: who, Reason: "it hears only " + s.Filter})
		default:
			p.Held++
		}
		if waits {
			waiting = true
			p.Findings = append(p.Findings, Finding{
				Subject: "subscriber " + who.Protocol + " " + who.Endpoint, Problem: "it waits for confirmation",
				Remedy: "Open the confirmation link that SNS sent; it is good for two days.",
			})
		}
	}
	switch {
	case reached:
	case waiting:
		p.Findings = append(p.Findings, Finding{Subject: subject, Problem: "no subscriber has confirmed", Remedy: "Open the confirmation link that SNS sent; it is good for two days."})
	default:
		p.Findings = append(p.Findings, Finding{Subject: subject, Problem: "nobody is subscribed to it", Remedy: "Name somebody in the configuration: subscribers. Then deploy."})
	}
}

// needsPerson reports whether a new subscription waits for its owner: mail,
// web and whatever is another account's. Source: Amazon SNS API Reference,
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

// SameSubscriber reports whether a subscription is somebody's. SNS may show
// an endpoint in another form than it was given: mail in another case, a
// phone number without its blanks, a URL without its password; that it does
// is unverified, and a comparison that is too strict would subscribe for ever.
func SameSubscriber(who catalog.Subscriber, s Subscription) bool {
	return who.Protocol == s.Protocol && endpointOf(who.Protocol, who.Endpoint) == endpointOf(s.Protocol, s.Endpoint)
}

func endpointOf(protocol, endpoint string) string {
	switch protocol {
	case "email", "email-json":
		return strings.ToLower(endpoint)
	case "sms":
		return strings.Map(func(r rune) rune {
			if r < '0' || r > '9' {
				return -1
			}
			return r
		}, endpoint)
	case "http", "https":
		scheme, rest, _ := strings.Cut(endpoint, "://")
		host, path, _ := strings.Cut(rest, "/")
		return scheme + "://" + host[strings.LastIndex(host, "@")+1:] + "/" + path
	}
	return endpoint
}
