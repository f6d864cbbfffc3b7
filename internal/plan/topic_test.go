package plan_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/plan"
)

// The two statements that a topic's policy has to have, and one of an owner's.
const (
	noTLS  = `{"Action":"sns:Publish","Condition":{"Bool":{"aws:SecureTransport":"false"}},"Effect":"Deny","Principal":{"AWS":"*"},"Resource":"` + topic + `","Sid":"AllowPublishThroughSSLOnly"}`
	admits = `{"Action":"sns:Publish","Condition":{"ArnLike":{"aws:SourceArn":"arn:aws:cloudwatch:us-east-1:111122223333:alarm:*"},` +
		`"StringEquals":{"aws:SourceAccount":"111122223333"}},"Effect":"Allow","Principal":{"Service":"cloudwatch.amazonaws.com"},` +
		`"Resource":"` + topic + `","Sid":"AllowAlarmsOfThisAccount"}`
	theirs = `{"Sid":"theirs","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"sns:Subscribe","Resource":"` + topic + `"}`
)

func policyOf(statements ...string) string {
	return `{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}`
}

var (
	queue   = catalog.Subscriber{Protocol: "sqs", Endpoint: "arn:aws:sqs:us-east-1:111122223333:oncall"}
	mailbox = catalog.Subscriber{Protocol: "email", Endpoint: "oncall@example.com"}
)

func subscribed(who catalog.Subscriber) plan.Subscription {
	return plan.Subscription{ARN: topic + ":1", Protocol: who.Protocol, Endpoint: who.Endpoint}
}

// topics returns a healthy topic with a subscriber, changed.
func topics(change func(*plan.TopicState)) plan.Observed {
	s := plan.TopicState{
		Exists: true, Policy: policyOf(noTLS, admits), Key: topicKey, KeyState: plan.KeyEnabled,
		Subscriptions: []plan.Subscription{subscribed(queue)},
	}
	if change != nil {
		change(&s)
	}
	return plan.Observed{Account: account, Region: region, State: &s}
}

func TestTopics(t *testing.T) {
	const (
		statement = "set policy of topic " + topic + " (it lacks the statement "
		waits     = "[subscriber-unconfirmed] subscriber email oncall@example.com: its subscription waits for confirmation. Open the confirmation link that SNS sent. It is valid for two days."
		nobody    = "[topic-unconfirmed] topic " + topic + ": no subscriber has confirmed. Open the confirmation link that SNS sent, or for a queue or function, use the token that it sent. Both are valid for two days."
		token     = "[subscriber-token-unused] subscriber sqs arn:aws:sqs:us-east-1:111122223333:oncall: its subscription waits for confirmation. Read the token in the message that SNS sent to the queue or function, and use it: aws sns confirm-subscription. It is valid for two days."
		recreated = "[topic-recreated] topic " + topic + ": somebody deleted it; subscriptions of the deleted topic may go on delivering, so messages may arrive twice, and subscribers that SNS does not list may receive them. " +
			"Expect messages twice for a while. If a stranger may have been subscribed, find the ARN of the subscription in CloudTrail (Subscribe) and end it: aws sns unsubscribe --subscription-arn ARN."
		create    = "create topic " + topic + " (it does not exist)"
		subscribe = "subscribe sqs arn:aws:sqs:us-east-1:111122223333:oncall to topic " + topic + " (it is not subscribed)"
		useless   = ": nothing can be published to the topic"
		remedyOff = "See with aws kms describe-key what it waits for, and find out who did it. If the key is deleted, deploy again under another prefix."
	)
	foreign := func(and string) string {
		return "[subscriber-of-another-account] subscriber sqs arn:aws:sqs:us-east-1:111122223333:oncall: account 444455556666 subscribed it" + and + ", so relight can neither read nor change its filter policy. " +
			"If account 444455556666 is yours, check the filter policy there: aws sns get-subscription-attributes. If not, find out who let it subscribe, and configure another endpoint: a new subscription of this one would still be account 444455556666's."
	}
	pager := catalog.Subscriber{Protocol: "sms", Endpoint: "+15555550100", Filter: `{"severity":["critical","high",{"exists":false}]}`}
	paged := func(filter string, ofBody bool) func(*plan.TopicState) {
		return func(s *plan.TopicState) {
			s.Subscriptions = append(s.Subscriptions, plan.Subscription{ARN: topic + ":9", Protocol: "sms", Endpoint: pager.Endpoint, Filter: filter, OfBody: ofBody})
		}
	}
	tests := map[string]struct {
		change   func(*plan.TopicState)
		want     []catalog.Subscriber // beside the queue
		actions  []string
		findings []string
		held     int
	}{
		"healthy":        {held: 2},
		"somebody else":  {change: func(s *plan.TopicState) { s.Policy = policyOf(noTLS, theirs, admits) }, held: 2},
		"not read":       {change: func(s *plan.TopicState) { s.KeyState = "" }, held: 2},
		"key by its ID":  {change: func(s *plan.TopicState) { s.Key = topicKey[strings.LastIndex(topicKey, "/")+1:] }, held: 2},
		"gone":           {change: func(s *plan.TopicState) { *s = plan.TopicState{KeyState: plan.KeyEnabled} }, actions: []string{create, subscribe}, findings: []string{recreated}},
		"admits nobody":  {change: func(s *plan.TopicState) { s.Policy = policyOf(noTLS) }, actions: []string{statement + "AllowAlarmsOfThisAccount)"}, held: 1},
		"without TLS":    {change: func(s *plan.TopicState) { s.Policy = policyOf(admits) }, actions: []string{statement + "AllowPublishThroughSSLOnly)"}, held: 1},
		"without policy": {change: func(s *plan.TopicState) { s.Policy = "" }, actions: []string{statement + "AllowPublishThroughSSLOnly and AllowAlarmsOfThisAccount)"}, held: 1},
		"unreadable": {
			change:   func(s *plan.TopicState) { s.Policy = "{" },
			actions:  []string{"set policy of topic " + topic + " (relight cannot read it: unexpected end of JSON input)"},
			findings: []string{"[topic-policy-unreadable] topic " + topic + ": relight cannot read its policy (unexpected end of JSON input), so relight replaces it: {. Find out who changed it: in CloudTrail, look for SetTopicAttributes. If it had statements of yours, add them again."},
			held:     1,
		},
		"hidden, and nothing to remove": {
			change:   func(s *plan.TopicState) { s.Hidden, s.Subscriptions = "no", nil },
			actions:  []string{"set policy of topic " + topic + " (it denies relight to read it)"},
			findings: []string{"[topic-policy-unreadable] topic " + topic + ": relight cannot read its policy (no), so relight replaces it: unknown. Find out who changed it: in CloudTrail, look for SetTopicAttributes. If it had statements of yours, add them again."},
		},
		"hidden, and something to restore": {
			change:  func(s *plan.TopicState) { s.Hidden, s.Subscriptions, s.Policy = "no", nil, policyOf(admits) },
			actions: []string{statement + "AllowPublishThroughSSLOnly)"},
		},
		"hidden": {
			change: func(s *plan.TopicState) {
				*s = plan.TopicState{Exists: true, Hidden: "no", Subscriptions: nil}
			},
			actions:  []string{"set policy of topic " + topic + " (it denies relight to read it)"},
			findings: []string{"[topic-policy-unreadable] topic " + topic + ": relight cannot read its policy (no), so relight replaces it: unknown. Find out who changed it: in CloudTrail, look for SetTopicAttributes. If it had statements of yours, add them again."},
		},
		"AWS's key": {
			change:  func(s *plan.TopicState) { s.Key = "alias/aws/sns" },
			actions: []string{"set key of topic " + topic + " to " + topicKey + " (it is encrypted with alias/aws/sns)"}, held: 1,
		},
		"no key": {
			change:  func(s *plan.TopicState) { s.Key = "" },
			actions: []string{"set key of topic " + topic + " to " + topicKey + " (it is encrypted with no key)"}, held: 1,
		},
		"key disabled": {
			change:  func(s *plan.TopicState) { s.KeyState = "Disabled" },
			actions: []string{"enable key " + topicKey + " (its state is Disabled" + useless + ")"}, held: 2,
		},
		"key about to be deleted": {
			change:  func(s *plan.TopicState) { s.KeyState = "PendingDeletion" },
			actions: []string{"cancel the deletion of, and enable, key " + topicKey + " (its state is PendingDeletion" + useless + ")"}, held: 2,
		},
		"key unavailable": {
			change:   func(s *plan.TopicState) { s.KeyState = "Unavailable" },
			findings: []string{"[topic-key-unusable] key " + topicKey + ": its state is Unavailable" + useless + ". " + remedyOff}, held: 2,
		},
		"key disabled, and all else gone": {
			change:   func(s *plan.TopicState) { *s = plan.TopicState{KeyState: "Disabled"} },
			actions:  []string{"enable key " + topicKey + " (its state is Disabled" + useless + ")", create, subscribe},
			findings: []string{recreated},
		},
		"not subscribed": {
			change: func(s *plan.TopicState) { s.Subscriptions = nil }, actions: []string{subscribe}, held: 1,
		},
		"waits": {change: func(s *plan.TopicState) { s.Subscriptions[0].Pending = true }, held: 1, findings: []string{token, nobody}},
		"another account's": {
			change:   func(s *plan.TopicState) { s.Subscriptions[0].Owner = "444455556666" },
			findings: []string{foreign("")}, held: 1,
		},
		"another account's, which waits": {
			change:   func(s *plan.TopicState) { s.Subscriptions[0].Owner, s.Subscriptions[0].Pending = "444455556666", true },
			findings: []string{foreign(", and nobody has confirmed it yet"), nobody}, held: 1,
		},
		"ended": {
			change: func(s *plan.TopicState) { s.Subscriptions[0].Deleted = true },
			findings: []string{
				"[subscriber-deleted] subscriber sqs arn:aws:sqs:us-east-1:111122223333:oncall: its subscription has ended, but SNS still lists it as Deleted: it receives nothing, and subscribing it again does not bring it back. " +
					"Use the token of the last message that SNS sent to the endpoint (aws sns confirm-subscription), or configure another endpoint.",
				"[topic-no-subscribers] topic " + topic + ": it has no subscribers. Add subscribers to the configuration, then deploy.",
			}, held: 1,
		},
		"ended, and subscribed again": {
			change: func(s *plan.TopicState) {
				s.Subscriptions = []plan.Subscription{{Protocol: "sqs", Endpoint: queue.Endpoint, Deleted: true}, subscribed(queue), {Protocol: "sqs", Endpoint: queue.Endpoint, Pending: true}}
			},
			held: 2,
		},
		"key's replicas wait": {
			change:  func(s *plan.TopicState) { s.KeyState = "PendingReplicaDeletion" },
			actions: []string{"cancel the deletion of, and enable, key " + topicKey + " (its state is PendingReplicaDeletion" + useless + ")"}, held: 2,
		},
		"dead key, and another on the topic": {
			change: func(s *plan.TopicState) { s.Key, s.KeyState = "alias/theirs", "Deleted" }, held: 1,
			findings: []string{"[topic-key-replaced] topic " + topic + ": it is encrypted with alias/theirs, and relight does not put its own key back: the state of " + topicKey + " is Deleted. " +
				"Make relight's key work again (see with aws kms describe-key what it waits for); relight then puts it back. Until then, the key of the topic must admit CloudWatch: see docs/operations.md#the-keys-policy."},
		},
		"dead key, and all else gone": {
			change:  func(s *plan.TopicState) { *s = plan.TopicState{KeyState: "Deleted"} },
			actions: []string{create, subscribe},
			findings: []string{
				"[topic-key-replaced] topic " + topic + ": it is encrypted with no key, and relight does not put its own key back: the state of " + topicKey + " is Deleted. " +
					"Make relight's key work again (see with aws kms describe-key what it waits for); relight then puts it back. Until then, the key of the topic must admit CloudWatch: see docs/operations.md#the-keys-policy.",
				recreated,
			},
		},
		"disabled key, and another on the topic": {
			change: func(s *plan.TopicState) { s.Key, s.KeyState = "alias/theirs", "Disabled" }, held: 1,
			actions: []string{
				"enable key " + topicKey + " (its state is Disabled" + useless + ")",
				"set key of topic " + topic + " to " + topicKey + " (it is encrypted with alias/theirs)",
			},
		},
		"a mailbox": {want: []catalog.Subscriber{mailbox}, actions: []string{"subscribe email oncall@example.com to topic " + topic + " (it is not subscribed)"}, findings: []string{waits}, held: 2},
		"a mailbox that waits": {
			want: []catalog.Subscriber{mailbox}, findings: []string{waits}, held: 2,
			change: func(s *plan.TopicState) {
				s.Subscriptions = append(s.Subscriptions, plan.Subscription{Protocol: "email", Endpoint: "OnCall@example.com", Pending: true})
			},
		},
		"filtered": {
			change:  func(s *plan.TopicState) { s.Subscriptions[0].Filter = `{"a":["b"]}` },
			actions: []string{`clear filter-policy of sqs arn:aws:sqs:us-east-1:111122223333:oncall (its filter policy lets only some messages through: {"a":["b"]})`}, held: 1,
		},
		"filtered by the body": {
			change: func(s *plan.TopicState) {
				s.Subscriptions[0].Filter, s.Subscriptions[0].OfBody = `{"a":{"b":["c"]}}`, true
			},
			actions: []string{`clear filter-policy of sqs arn:aws:sqs:us-east-1:111122223333:oncall (its filter policy lets only some messages through: {"a":{"b":["c"]}})`}, held: 1,
		},
		"not asked for its filter policy": {
			want: []catalog.Subscriber{pager}, held: 3,
			change: func(s *plan.TopicState) {
				s.Subscriptions = append(s.Subscriptions, plan.Subscription{ARN: topic + ":9", Protocol: "sms", Endpoint: pager.Endpoint, Unasked: true})
			},
		},
		"as configured, in another form": {
			want: []catalog.Subscriber{pager}, held: 3, change: paged(`{ "severity": ["high", {"exists": false}, "critical"] }`, false),
		},
		"not filtered": {
			want: []catalog.Subscriber{pager}, held: 2, change: paged("", false),
			actions: []string{"set filter-policy of sms +15555550100 to " + pager.Filter + " (it has no filter policy)"},
		},
		"stricter than configured": {
			want: []catalog.Subscriber{pager}, held: 2, change: paged(`{"severity":["critical",{"exists":false}]}`, false),
			actions: []string{"set filter-policy of sms +15555550100 to " + pager.Filter + ` (its filter policy is {"severity":["critical",{"exists":false}]})`},
		},
		"weaker than configured": {
			want: []catalog.Subscriber{pager}, held: 2, change: paged(`{"severity":[{"exists":true}]}`, false),
			actions: []string{"set filter-policy of sms +15555550100 to " + pager.Filter + ` (its filter policy is {"severity":[{"exists":true}]})`},
		},
		"as configured, but of the body": {
			want: []catalog.Subscriber{pager}, held: 2, change: paged(pager.Filter, true),
			actions: []string{"set filter-policy of sms +15555550100 to " + pager.Filter + " (its filter policy chooses by the body of messages: " + pager.Filter + ")"},
		},
		"filtered and not subscribed": {
			want: []catalog.Subscriber{pager}, held: 2,
			actions: []string{"subscribe sms +15555550100 to topic " + topic + " with filter-policy " + pager.Filter + " (it is not subscribed)"},
		},
		"filtered, and another account's": {
			want: []catalog.Subscriber{pager}, held: 2,
			change: func(s *plan.TopicState) {
				s.Subscriptions = append(s.Subscriptions, plan.Subscription{ARN: topic + ":9", Protocol: "sms", Endpoint: pager.Endpoint, Owner: "444455556666"})
			},
			findings: []string{strings.ReplaceAll(foreign(""), queue.String(), pager.String())},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			want := policy(t)
			want.Subscribers = append([]catalog.Subscriber{queue}, tt.want...)
			p := of(t, want, topics(tt.change))
			says(t, "actions", p.Actions, tt.actions...)
			says(t, "findings", p.Findings, tt.findings...)
			if p.Healthy != tt.held {
				t.Errorf("%d held, want %d", p.Healthy, tt.held)
			}
		})
	}
}

func TestNobodySubscribed(t *testing.T) {
	p := of(t, policy(t), topics(func(s *plan.TopicState) { s.Subscriptions = nil }))
	says(t, "findings", p.Findings, "[topic-no-subscribers] topic "+topic+": it has no subscribers. Add subscribers to the configuration, then deploy.")
}

func TestTopicElsewhere(t *testing.T) {
	p := of(t, policy(t), plan.Observed{Asked: []string{topic}, State: &plan.TopicState{Elsewhere: "nothing is deployed"}})
	says(t, "actions", p.Actions)
	says(t, "skips", p.Skips, "topic: nothing is deployed")
	if p.Touched != nil {
		t.Errorf("touched %v", p.Touched)
	}
}

// written returns the statements of the policy that a plan writes.
func written(t *testing.T, p plan.Plan) []string {
	t.Helper()
	var text string
	for _, a := range p.Actions {
		switch a := a.(type) {
		case plan.SetTopicPolicy:
			text = a.Policy
		case plan.CreateTopic:
			text = a.Policy
		}
	}
	var doc struct {
		ID        string `json:"Id"`
		Version   string
		Statement []json.RawMessage
	}
	if err := json.Unmarshal([]byte(text), &doc); err != nil {
		t.Fatalf("policy %q: %v", text, err)
	}
	out := []string{doc.Version + " " + doc.ID}
	for _, st := range doc.Statement {
		out = append(out, string(st))
	}
	return out
}

// A policy is put back from what it is: others' statements stay as they are,
// ours take the place of what goes by their name.
func TestTopicPolicyKeepsOthers(t *testing.T) {
	narrowed := strings.Replace(admits, "alarm:*", "alarm:none", 1)
	turned := strings.Replace(admits, "Allow", "Deny", 1)
	tests := map[string]struct {
		policy string
		want   []string
	}{
		"gone":        {"", []string{"2012-10-17 ", noTLS, admits}},
		"theirs":      {policyOf(theirs), []string{"2012-10-17 ", theirs, noTLS, admits}},
		"one":         {`{"Version":"2008-10-17","Id":"x","Statement":` + theirs + `}`, []string{"2008-10-17 x", theirs, noTLS, admits}},
		"narrowed":    {policyOf(narrowed, theirs, noTLS), []string{"2012-10-17 ", theirs, noTLS, admits}},
		"turned":      {policyOf(turned, noTLS), []string{"2012-10-17 ", noTLS, admits}},
		"not refused": {policyOf(strings.Replace(noTLS, "sns:Publish", "sns:Subscribe", 1), admits), []string{"2012-10-17 ", admits, noTLS}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			p := of(t, policy(t), topics(func(s *plan.TopicState) { s.Policy, s.Exists = tt.policy, name != "gone" }))
			if got := written(t, p); !slices.Equal(got, tt.want) {
				t.Errorf("writes\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(tt.want, "\n"))
			}
			if len(p.Findings) > 0 && name != "gone" && name != "turned" { // then only that messages may arrive twice, or that a Deny is removed
				t.Errorf("findings %v", p.Findings)
			}
		})
	}
}

// What serves as a statement of ours, whoever wrote it.
func TestTopicStatementsServe(t *testing.T) {
	edit := func(pairs ...string) string { return strings.NewReplacer(pairs...).Replace(admits) }
	tests := map[string]struct {
		statement string
		serves    bool
	}{
		"another name":           {edit("AllowAlarmsOfThisAccount", "mine"), true},
		"no name":                {edit(`,"Sid":"AllowAlarmsOfThisAccount"`, ""), true},
		"any action":             {edit("sns:Publish", "SNS:*"), true},
		"actions":                {edit(`"sns:Publish"`, `["sns:Subscribe","sns:Pub*"]`), true},
		"any topic":              {edit(`"Resource":"`+topic, `"Resource":"arn:aws:sns:*`), true},
		"everybody":              {edit(`{"Service":"cloudwatch.amazonaws.com"}`, `"*"`), true},
		"services":               {edit(`"cloudwatch.amazonaws.com"`, `["a","cloudwatch.amazonaws.com"]`), true},
		"account alone":          {edit(`"ArnLike":{"aws:SourceArn":"arn:aws:cloudwatch:us-east-1:111122223333:alarm:*"},`, ""), true},
		"in other case":          {edit("aws:SourceAccount", "AWS:sourceaccount"), true},
		"values in a list":       {edit(`"111122223333"}`, `["111122223333"]}`), true},
		"another action":         {edit("sns:Publish", "sns:Subscribe"), false},
		"but this action":        {edit(`"Action":"sns:Publish"`, `"NotAction":"sns:publish"`), false},
		"another topic":          {edit(`"Resource":"`+topic, `"Resource":"`+topic+"2"), false},
		"but this topic":         {edit(`"Resource":`, `"NotResource":`), false},
		"another service":        {edit("cloudwatch.amazonaws.com", "events.amazonaws.com"), false},
		"but this service":       {edit(`"Principal"`, `"NotPrincipal"`), false},
		"another account":        {edit(`"aws:SourceAccount":"111122223333"`, `"aws:SourceAccount":"444455556666"`), false},
		"some alarms":            {edit("alarm:*", "alarm:none"), false},
		"another condition":      {edit(`"StringEquals":{`, `"StringEquals":{"aws:PrincipalOrgID":"o-1",`), false},
		"the condition reversed": {edit("StringEquals", "StringNotEquals"), false},
	}
	for name, tt := range tests {
		p := of(t, policy(t), topics(func(s *plan.TopicState) { s.Policy = policyOf(noTLS, tt.statement) }))
		if got := len(p.Actions) == 0; got != tt.serves {
			t.Errorf("%s: serves %t, want %t: %v", name, got, tt.serves, text(p.Actions))
		}
	}
}

// A statement that can deny alarms, relight's roles or the account's owner what they
// need of the topic is removed and reported. Any other Deny stays.
func TestTopicDenials(t *testing.T) {
	deny := func(rest string) string { return `{"Sid":"theirs","Effect":"Deny",` + rest + `}` }
	all := `"Principal":"*","Action":"sns:Publish","Resource":"` + topic + `"`
	when := func(c string) string { return deny(all + `,"Condition":` + c) }
	tests := map[string]struct {
		statement string
		found     bool
	}{
		"everybody":             {deny(all), true},
		"any principal":         {deny(strings.Replace(all, `"*"`, `{"AWS":"*"}`, 1)), true},
		"CloudWatch":            {deny(strings.Replace(all, `"*"`, `{"Service":"cloudwatch.amazonaws.com"}`, 1)), true},
		"all but somebody":      {deny(strings.Replace(all, `"Principal":"*"`, `"NotPrincipal":{"AWS":"arn:aws:iam::111122223333:root"}`, 1)), true},
		"all but subscribing":   {deny(strings.Replace(all, `"Action":"sns:Publish"`, `"NotAction":"sns:Subscribe"`, 1)), true},
		"everything":            {deny(strings.Replace(all, "sns:Publish", "*", 1)), true},
		"on no resource":        {deny(`"Principal":"*","Action":"sns:Publish"`), true},
		"in this account":       {when(`{"StringNotEquals":{"aws:SourceAccount":"444455556666"}}`), true},
		"of a condition":        {when(`{"DateGreaterThan":{"aws:CurrentTime":"2020-01-01T00:00:00Z"}}`), true},
		"this account":          {when(`{"StringEquals":{"aws:SourceAccount":"111122223333"}}`), true},
		"with TLS":              {when(`{"Bool":{"aws:SecureTransport":"true"}}`), true},
		"with TLS or not":       {when(`{"Bool":{"aws:SecureTransport":["true","false"]}}`), true},
		"without TLS":           {when(`{"Bool":{"aws:SecureTransport":false}}`), false},
		"people":                {when(`{"StringNotEquals":{"aws:PrincipalOrgID":"o-1"},"BoolIfExists":{"aws:PrincipalIsAWSService":"false"}}`), true},
		"outsiders":             {when(`{"StringNotEquals":{"aws:PrincipalOrgID":"o-1"}}`), true},
		"a network":             {when(`{"NotIpAddress":{"aws:SourceIp":"192.0.2.0/24"}}`), true},
		"one alarm":             {when(`{"ArnLike":{"aws:SourceArn":"arn:aws:cloudwatch:*:*:alarm:relight-root-usage"}}`), true},
		"other alarms":          {when(`{"ArnLike":{"aws:SourceArn":"arn:aws:cloudwatch:*:444455556666:alarm:*"}}`), false},
		"who has MFA":           {when(`{"Bool":{"aws:MultiFactorAuthPresent":"true"}}`), true},
		"another account":       {when(`{"StringEquals":{"AWS:SourceAccount":"444455556666"}}`), false},
		"but this account":      {when(`{"StringNotEquals":{"aws:SourceAccount":["444455556666","111122223333"]}}`), true},
		"somebody":              {deny(strings.Replace(all, `"*"`, `{"AWS":"arn:aws:iam::111122223333:root"}`, 1)), true},
		"another service":       {deny(strings.Replace(all, `"*"`, `{"Service":"events.amazonaws.com"}`, 1)), false},
		"all but CloudWatch":    {deny(strings.Replace(all, `"Principal":"*"`, `"NotPrincipal":{"Service":"cloudwatch.amazonaws.com"}`, 1)), true},
		"subscribing":           {deny(strings.Replace(all, "sns:Publish", "sns:Subscribe", 1)), true},
		"a role of relight":     {deny(strings.Replace(all, `"*"`, `{"AWS":["arn:aws:iam::111122223333:user/a","arn:aws:iam::111122223333:role/relight-TopicsRole1A2B-3c4d"]}`, 1)), true},
		"a session of relight":  {deny(strings.Replace(all, `"*"`, `{"AWS":"arn:aws:sts::111122223333:assumed-role/relight-TopicsRole1A2B/relight-topics"}`, 1)), true},
		"the account's number":  {deny(strings.Replace(all, `"*"`, `{"AWS":"111122223333"}`, 1)), true},
		"all but a role":        {deny(strings.Replace(all, `"Principal":"*"`, `"NotPrincipal":{"AWS":["arn:aws:iam::111122223333:root","arn:aws:iam::111122223333:role/relight-TopicsRole1A2B-3c4d"],"Service":"cloudwatch.amazonaws.com"}`, 1)), true},
		"all but everybody":     {deny(strings.Replace(all, `"Principal":"*"`, `"NotPrincipal":{"AWS":"*"}`, 1)), false},
		"another role":          {deny(strings.Replace(all, `"*"`, `{"AWS":"arn:aws:iam::111122223333:role/app"}`, 1)), false},
		"a role not of relight": {deny(strings.Replace(all, `"*"`, `{"AWS":"arn:aws:iam::111122223333:role/relighter"}`, 1)), false},
		"another's account":     {deny(strings.Replace(all, `"*"`, `{"AWS":["444455556666","arn:aws:iam::444455556666:role/relight-TopicsRole1A2B-3c4d"]}`, 1)), false},
		"a deleted role":        {deny(strings.Replace(all, `"*"`, `{"AWS":"AROAEXAMPLEEXAMPLE123"}`, 1)), false},
		"another identity":      {deny(strings.Replace(all, `"*"`, `{"Federated":"cognito-identity.amazonaws.com"}`, 1)), false},
		"reading":               {deny(strings.Replace(all, "sns:Publish", "SNS:GetTopicAttributes", 1)), true},
		"setting":               {deny(strings.Replace(all, "sns:Publish", "sns:Set*", 1)), true},
		"listing":               {deny(strings.Replace(all, "sns:Publish", "sns:?ist*", 1)), true},
		"all but publishing":    {deny(strings.Replace(all, `"Action":"sns:Publish"`, `"NotAction":["sns:Publish","sns:Subscribe"]`, 1)), true},
		"deleting":              {deny(strings.Replace(all, "sns:Publish", "sns:DeleteTopic", 1)), false},
		"sparing only services": {when(`{"BoolIfExists":{"aws:PrincipalIsAWSService":"false"}}`), true},
		"as relight says":       {when(`{"BoolIfExists":{"aws:PrincipalIsAWSService":"false"},"StringNotEquals":{"aws:PrincipalAccount":"111122223333"}}`), false},
		"but relight's roles":   {when(`{"ArnNotLike":{"aws:PrincipalArn":"arn:aws:iam::111122223333:role/relight-*"},"Bool":{"aws:PrincipalIsAWSService":"false"}}`), true},
		"but them and root":     {when(`{"ArnNotLike":{"aws:PrincipalArn":["arn:aws:iam::111122223333:role/relight-*","arn:aws:iam::111122223333:root"]},"Bool":{"aws:PrincipalIsAWSService":"false"}}`), false},
		"but one of its roles":  {when(`{"ArnNotLike":{"aws:PrincipalArn":["arn:aws:iam::111122223333:role/relight-TopicsRole*","arn:aws:iam::111122223333:root"]},"Bool":{"aws:PrincipalIsAWSService":"false"}}`), true},
		"a role by condition":   {when(`{"StringLike":{"aws:PrincipalArn":"*:role/relight-Backfill*"}}`), true},
		"another by condition":  {when(`{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::111122223333:role/app"}}`), false},
		"whoever has no source": {when(`{"Null":{"aws:SourceArn":"true"}}`), true},
		"no assumed roles":      {when(`{"StringEquals":{"aws:PrincipalType":"AssumedRole"}}`), true},
		"unsafe subscriptions":  {deny(strings.Replace(all, "sns:Publish", "sns:Subscribe", 1) + `,"Condition":{"StringNotEquals":{"sns:Protocol":"https"}}`), true},
		"an unknown key":        {when(`{"StringEquals":{"aws:KeyOfTomorrow":"x"}}`), true},
		"an unknown operator":   {when(`{"StringSoundsLike":{"aws:SourceAccount":"444455556666"}}`), true},
		"by tags":               {when(`{"StringEquals":{"aws:PrincipalTag/team":"app"}}`), true},
		"through services":      {when(`{"Bool":{"aws:ViaAWSService":"true"}}`), true},
		"another topic":         {deny(strings.Replace(all, topic, topic+"2", 1)), false},
		"allowed to everybody":  {strings.Replace(deny(all), "Deny", "Allow", 1), false},
		"all but this resource": {deny(strings.Replace(all, `"Resource"`, `"NotResource"`, 1)), false},
	}
	for name, tt := range tests {
		p := of(t, policy(t), topics(func(s *plan.TopicState) { s.Policy = policyOf(noTLS, tt.statement, admits) }))
		found := slices.ContainsFunc(p.Findings, func(f plan.Finding) bool { return f.Alert && strings.Contains(f.Problem, `"Sid":"theirs"`) })
		removed := len(p.Actions) == 1 && slices.Equal(written(t, p)[1:], []string{noTLS, admits})
		if found != tt.found || removed != tt.found || len(p.Actions) > 0 != tt.found {
			t.Errorf("%s: found %t, removed %t, want %t; actions %v", name, found, removed, tt.found, text(p.Actions))
		}
	}
}

// A key that CloudWatch may not use is a finding: whose key it is, is not
// relight's to say.
func TestTopicKeyPolicy(t *testing.T) {
	const (
		root = `{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"kms:*","Resource":"*"}`
		use  = `{"Effect":"Allow","Principal":{"Service":"cloudwatch.amazonaws.com"},"Action":["kms:Decrypt","kms:GenerateDataKey*"],"Resource":"*",` +
			`"Condition":{"StringLike":{"kms:EncryptionContext:aws:sns:topicArn":"arn:aws:sns:us-east-1:111122223333:*"}}}`
		lacks = "its policy does not allow cloudwatch.amazonaws.com kms:"
	)
	edit := func(pairs ...string) string { return policyOf(root, strings.NewReplacer(pairs...).Replace(use)) }
	tests := map[string]struct{ policy, problem string }{
		"not read":             {},
		"as deployed":          {policy: policyOf(root, use)},
		"any use":              {policy: edit(`["kms:Decrypt","kms:GenerateDataKey*"]`, `"kms:*"`)},
		"everybody":            {policy: edit(`{"Service":"cloudwatch.amazonaws.com"}`, `{"AWS":"*"}`)},
		"in two statements":    {policy: policyOf(root, strings.Replace(use, `"kms:Decrypt",`, "", 1), strings.Replace(use, `,"kms:GenerateDataKey*"`, "", 1))},
		"by its ARN":           {policy: edit(`"Resource":"*"`, `"Resource":"`+topicKey+`"`)},
		"the account alone":    {policyOf(root), lacks + "Decrypt"},
		"another service":      {edit("cloudwatch.", "events."), lacks + "Decrypt"},
		"without Decrypt":      {edit("kms:Decrypt", "kms:Encrypt"), lacks + "Decrypt"},
		"without new keys":     {edit(`,"kms:GenerateDataKey*"`, ""), lacks + "GenerateDataKey"},
		"another resource":     {edit(`"Resource":"*"`, `"Resource":"`+topic+`"`), lacks + "Decrypt"},
		"denied":               {policyOf(root, use, `{"Effect":"Deny","Principal":"*","Action":"kms:GenerateDataKey","Resource":"*"}`), "its policy denies cloudwatch.amazonaws.com kms:GenerateDataKey; its policy denies relight's roles kms:GenerateDataKey"},
		"denied on condition":  {policy: policyOf(root, use, `{"Effect":"Deny","Principal":"*","Action":"kms:*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"false"}}}`)},
		"of the organisation":  {edit(`"Condition":{"StringLike":{"kms:EncryptionContext:aws:sns:topicArn":"arn:aws:sns:us-east-1:111122223333:*"}}`, `"Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-1"}}`), lacks + "Decrypt"},
		"of another topic":     {edit(`us-east-1:111122223333:*"`, `us-east-1:111122223333:theirs"`), lacks + "Decrypt"},
		"of this account":      {policy: edit(`"Condition":{`, `"Condition":{"StringEquals":{"aws:SourceAccount":"111122223333"},`)},
		"of another account":   {edit(`"Condition":{`, `"Condition":{"StringEquals":{"aws:SourceAccount":"444455556666"},`), lacks + "Decrypt"},
		"as AWS's own keys do": {edit(`"Condition":{`, `"Condition":{"StringEquals":{"kms:CallerAccount":"111122223333","kms:ViaService":"sns.us-east-1.amazonaws.com"},`), lacks + "Decrypt"},
		"denied to outsiders":  {policyOf(root, use, `{"Effect":"Deny","Principal":"*","Action":"kms:*","Resource":"*","Condition":{"StringNotEquals":{"aws:PrincipalOrgID":"o-1"}}}`), "its policy denies cloudwatch.amazonaws.com kms:Decrypt; its policy can deny relight's roles kms:Decrypt; its policy can deny the account's owner kms:DescribeKey"},
		"denied at times":      {policyOf(root, use, `{"Effect":"Deny","Principal":"*","Action":"kms:*","Resource":"*","Condition":{"DateGreaterThan":{"aws:CurrentTime":"2020-01-01T00:00:00Z"}}}`), "its policy can deny cloudwatch.amazonaws.com kms:Decrypt; its policy can deny relight's roles kms:Decrypt; its policy can deny the account's owner kms:DescribeKey"},
		"without the account":  {policyOf(use), "its policy does not allow relight's roles kms:Decrypt; its policy does not allow the account's owner kms:DescribeKey"},
		"roles by name":        {policyOf(root, use, `{"Effect":"Deny","Principal":{"AWS":"arn:aws:iam::111122223333:role/relight-TopicsRole1A2B"},"Action":"kms:Enable*","Resource":"*"}`), "its policy can deny relight's roles kms:EnableKey"},
		"denied past SNS":      {policyOf(root, use, `{"Effect":"Deny","Principal":{"AWS":"*"},"Action":["kms:Decrypt","kms:GenerateDataKey*"],"Resource":"*","Condition":{"StringNotLikeIfExists":{"kms:ViaService":"sns.*"},"Bool":{"aws:PrincipalIsAWSService":"false"}}}`), ""},
		"another role":         {policyOf(root, use, `{"Effect":"Deny","Principal":{"AWS":"arn:aws:iam::111122223333:role/app"},"Action":"kms:*","Resource":"*"}`), ""},
		"another account's":    {policyOf(root, use, `{"Effect":"Deny","Principal":"*","Action":"kms:*","Resource":"*","Condition":{"StringNotEqualsIfExists":{"aws:PrincipalAccount":"111122223333"},"BoolIfExists":{"aws:PrincipalIsAWSService":"false"}}}`), ""},
		"unreadable":           {"{", "its policy cannot be read: unexpected end of JSON input"},
	}
	for name, tt := range tests {
		p := of(t, policy(t), topics(func(s *plan.TopicState) { s.KeyPolicy = tt.policy }))
		var want []string
		if tt.problem != "" {
			want = []string{"[topic-key-denied] key " + topicKey + ": it keeps out who needs it: " + tt.problem + ". " +
				"Restore the policy of docs/operations.md#the-keys-policy with aws kms put-key-policy, and find out who changed it."}
		}
		if got := text(p.Findings); !slices.Equal(got, want) || len(p.Actions) > 0 {
			t.Errorf("%s: findings %q, want %q; actions %v", name, got, want, text(p.Actions))
		}
		for _, f := range p.Findings {
			if !f.Alert {
				t.Errorf("%s: nobody hears at once", name)
			}
		}
	}
}

// SNS may show an endpoint in another form than it was given.
func TestSameSubscriber(t *testing.T) {
	tests := []struct {
		protocol, given, shown string
		same                   bool
	}{
		{"email", "OnCall@Example.com", "oncall@example.com", true},
		{"email", "a@example.com", "b@example.com", false},
		{"sms", "+49 (30) 555-0100", "+49305550100", true},
		{"https", "https://me:secret@example.com/hook", "https://me:****@example.com/hook", true},
		{"https", "https://example.com/hook", "https://example.com/other@hook", false},
		{"https", "HTTPS://Example.com/Hook", "https://example.com/hook", true},
		{"sqs", "arn:aws:sqs:us-east-1:111122223333:A", "arn:aws:sqs:us-east-1:111122223333:a", false},
	}
	for _, tt := range tests {
		who := catalog.Subscriber{Protocol: tt.protocol, Endpoint: tt.given}
		if got := plan.SameSubscriber(who, plan.Subscription{Protocol: tt.protocol, Endpoint: tt.shown}); got != tt.same {
			t.Errorf("%s and %s: same %t, want %t", tt.given, tt.shown, got, tt.same)
		}
	}
	if plan.SameSubscriber(mailbox, plan.Subscription{Protocol: "email-json", Endpoint: mailbox.Endpoint}) {
		t.Error("another protocol is another subscriber")
	}
}

// An owner's topic that carries what the topic of last resort does is judged as
// relight's functions see it, and never changed.
func TestFarTopic(t *testing.T) {
	const (
		far   = "arn:aws:sns:eu-west-1:444455556666:security"
		near  = "arn:aws:sns:eu-west-1:111122223333:security"
		admit = `{"Sid":"relight","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":["sns:Publish","sns:GetTopicAttributes"],"Resource":"` + far + `"}`
		deny  = `{"Sid":"no","Effect":"Deny","Principal":"*","Action":"sns:*","Resource":"*"}`
	)
	for name, tt := range map[string]struct {
		topic  string
		change func(*plan.FarTopic)
		want   plan.Code
	}{
		"healthy":        {far, func(*plan.FarTopic) {}, ""},
		"unread":         {far, func(f *plan.FarTopic) { f.Unread = "AuthorizationError" }, plan.LastTopicUnread},
		"gone":           {far, func(f *plan.FarTopic) { f.Exists = false }, plan.LastTopicMissing},
		"does not admit": {far, func(f *plan.FarTopic) { f.Policy = policyOf() }, plan.LastTopicClosed},
		"admits another": {far, func(f *plan.FarTopic) { f.Policy = strings.ReplaceAll(f.Policy, "111122223333", "777788889999") }, plan.LastTopicClosed},
		"denies":         {far, func(f *plan.FarTopic) { f.Policy = policyOf(admit, deny) }, plan.LastTopicClosed},
		"no policy":      {far, func(f *plan.FarTopic) { f.Policy = "{" }, plan.LastTopicClosed},
		"by an organisation": {far, func(f *plan.FarTopic) {
			f.Policy = policyOf(`{"Effect":"Allow","Principal":"*","Action":"sns:Publish","Resource":"` + far + `","Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-1234567890"}}}`)
		}, ""},
		"default policy": {far, func(f *plan.FarTopic) {
			f.Policy = policyOf(`{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"SNS:Publish","Resource":"` + far + `","Condition":{"StringEquals":{"AWS:SourceOwner":"444455556666"}}}`)
		}, plan.LastTopicClosed},
		"encrypted":              {far, func(f *plan.FarTopic) { f.Key = "arn:aws:kms:eu-west-1:444455556666:key/theirs" }, plan.LastTopicEncrypted},
		"AWS's key, elsewhere":   {far, func(f *plan.FarTopic) { f.Key = "alias/aws/sns" }, plan.LastTopicEncrypted},
		"unheard":                {far, func(f *plan.FarTopic) { f.Confirmed = false }, plan.LastTopicUnheard},
		"own account":            {near, func(f *plan.FarTopic) { f.Policy = policyOf() }, ""},
		"own account, AWS's key": {near, func(f *plan.FarTopic) { f.Key = "alias/aws/sns" }, ""},
		"own account, denies":    {near, func(f *plan.FarTopic) { f.Policy = policyOf(deny) }, plan.LastTopicClosed},
		"relight's own":          {topic, func(*plan.FarTopic) {}, plan.LastTopicOwn},
	} {
		f := plan.FarTopic{Exists: true, Policy: policyOf(admit), Confirmed: true}
		tt.change(&f)
		want := policy(t)
		want.Subscribers, want.FarTopic = nil, tt.topic
		p := of(t, want, topics(func(s *plan.TopicState) { s.Far = &f }))
		var codes []string
		for _, f := range p.Findings {
			codes = append(codes, string(f.Code))
		}
		if got := strings.Join(codes, " "); got != string(tt.want) || len(p.Actions) > 0 {
			t.Errorf("%s: findings %q, want %q; actions %v", name, got, tt.want, p.Actions)
		}
	}
}

// A delivery policy with which HTTP subscribers lose messages, or get them slowly, is a
// finding for either topic. One that is at least as good as SNS's own is not.
func TestTopicDeliveryPolicy(t *testing.T) {
	for delivery, found := range map[string]bool{
		"": false,
		`{"http":{"defaultHealthyRetryPolicy":{"minDelayTarget":20,"maxDelayTarget":20,"numRetries":3}}}`:                  false,
		`{"http":{"defaultHealthyRetryPolicy":{"numRetries":50},"disableSubscriptionOverrides":true}}`:                     false,
		`{"http":{"defaultRequestPolicy":{"headerContentType":"application/json"}}}`:                                       false,
		`{"http":{"defaultHealthyRetryPolicy":{"minDelayTarget":1,"maxDelayTarget":1,"numRetries":0}}}`:                    true,
		`{"http":{"defaultThrottlePolicy":{"maxReceivesPerSecond":1}}}`:                                                    true,
		`{"http":{"defaultHealthyRetryPolicy":{"numRetries":3},"defaultThrottlePolicy":{"maxReceivesPerSecond":1000000}}}`: true,
		`{"http":`: true,
	} {
		for name, observed := range map[string]plan.Observed{
			"the topic": topics(func(s *plan.TopicState) { s.Delivery = delivery }),
			"that of last resort": topics(func(s *plan.TopicState) {
				last := *s
				last.Delivery, last.Key = delivery, ""
				s.Last = &last
			}),
		} {
			p := of(t, policy(t), observed)
			got := slices.ContainsFunc(p.Findings, func(f plan.Finding) bool { return f.Code == plan.TopicDeliveryPolicy && f.Alert })
			if got != found {
				t.Errorf("%s: %s: found %t, want %t", name, delivery, got, found)
			}
		}
	}
}
