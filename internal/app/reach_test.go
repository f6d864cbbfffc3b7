package app_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"github.com/relight-aws/relight/events"
	"github.com/relight-aws/relight/internal/app"
	"github.com/relight-aws/relight/internal/awstest"
	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/config"
)

// theirKey is the key of an owner's topic.
const theirKey = "arn:aws:kms:us-east-1:111122223333:key/99999999-5e6f-4a7b-8c9d-0e1f2a3b4c5d"

// encrypt encrypts an owner's topic with a key, which has the policy of
// relight's own, changed.
func encrypt(change func(w *world), edits ...string) func(*world, string) {
	return func(w *world, topic string) {
		w.AddKey(theirKey)
		must(w.KMS.PutKeyPolicy(w.t.Context(), &kms.PutKeyPolicyInput{
			KeyId: aws.String(theirKey), Policy: aws.String(strings.NewReplacer(edits...).Replace(keyPolicy)),
		}))
		setTheirs(w, topic, "KmsMasterKeyId", theirKey)
		if change != nil {
			change(w)
		}
	}
}

func setTheirs(w *world, topic, name, value string) {
	w.t.Helper()
	must(w.SNS.SetTopicAttributes(w.t.Context(), &sns.SetTopicAttributesInput{
		TopicArn: aws.String(topic), AttributeName: aws.String(name), AttributeValue: aws.String(value),
	}))
}

// allowing gives an owner's topic one statement with conditions for everybody,
// and denying adds one that denies to it.
func allowing(condition string) func(*world, string) {
	return func(w *world, topic string) {
		setTheirs(w, topic, "Policy", fmt.Sprintf(`{"Statement":[{"Effect":"Allow","Principal":"*","Action":"sns:Publish","Resource":%q,"Condition":{%s}}]}`, topic, condition))
	}
}

func denying(condition string) func(*world, string) {
	return func(w *world, topic string) {
		setTheirs(w, topic, "Policy", fmt.Sprintf(`{"Statement":[{"Effect":"Allow","Principal":{"Service":"cloudwatch.amazonaws.com"},"Action":"sns:Publish","Resource":%[1]q},`+
			`{"Effect":"Deny","Principal":"*","Action":"sns:Publish","Resource":%[1]q,"Condition":{%[2]s}}]}`, topic, condition))
	}
}

// An alarm of somebody else satisfies its control only if what it sends can
// reach a subscriber. Otherwise relight adds an alarm of its own beside it,
// which notifies relight's topic. It writes nothing else, and nothing twice.
func TestTheirTopicDelivers(t *testing.T) {
	t.Parallel()
	keyState := func(state kmstypes.KeyState) func(*world) {
		return func(w *world) { w.SetKeyState(theirKey, state) }
	}
	const queue = "arn:aws:sqs:us-east-1:111122223333:theirs0" // the subscriber of AddTopic
	subs := func(w *world, topic string) []string {
		var all []string
		for pages := sns.NewListSubscriptionsByTopicPaginator(w.SNS, &sns.ListSubscriptionsByTopicInput{TopicArn: aws.String(topic)}); pages.HasMorePages(); {
			for _, s := range must(pages.NextPage(w.t.Context())).Subscriptions {
				all = append(all, *s.SubscriptionArn)
			}
		}
		return all
	}
	tests := map[string]struct {
		arrange func(w *world, topic string)
		holds   bool
	}{
		"as made":   {func(*world, string) {}, true},
		"encrypted": {encrypt(nil), true},
		"encrypted, key by its ID": {func(w *world, topic string) {
			encrypt(nil)(w, topic)
			setTheirs(w, topic, "KmsMasterKeyId", theirKey[strings.LastIndex(theirKey, "/")+1:])
		}, true},
		"encrypted, key by its alias": {func(w *world, topic string) {
			encrypt(nil)(w, topic)
			w.AddAlias("alias/theirs", theirKey)
			setTheirs(w, topic, "KmsMasterKeyId", "alias/theirs")
		}, true},
		"a key for this topic":               {encrypt(nil, `"Resource":"*"}]}`, `"Resource":"*","Condition":{"StringEquals":{"kms:EncryptionContext:aws:sns:topicArn":"arn:aws:sns:us-east-1:111122223333:theirs"}}}]}`), true},
		"a key for another topic":            {encrypt(nil, `"Resource":"*"}]}`, `"Resource":"*","Condition":{"StringEquals":{"kms:EncryptionContext:aws:sns:topicArn":"arn:aws:sns:us-east-1:111122223333:theirs2"}}}]}`), false},
		"a key for another account's alarms": {encrypt(nil, `"Resource":"*"}]}`, `"Resource":"*","Condition":{"StringEquals":{"aws:SourceAccount":"444455556666"}}}]}`), false},
		"AWS's key":                          {func(w *world, topic string) { setTheirs(w, topic, "KmsMasterKeyId", "alias/aws/sns") }, false},
		"AWS's key, by ARN": {func(w *world, topic string) {
			setTheirs(w, topic, "KmsMasterKeyId", "arn:aws:kms:us-east-1:111122223333:alias/aws/sns")
		}, false},
		"key with the default policy": {encrypt(nil, "cloudwatch.", "events."), false},
		"key without Decrypt":         {encrypt(nil, "kms:Decrypt", "kms:Encrypt"), false},
		"key without GenerateDataKey": {encrypt(nil, "kms:GenerateDataKey*", "kms:Encrypt"), false},
		"key denied":                  {encrypt(nil, `{"Effect":"Allow","Principal":{"AWS"`, `{"Effect":"Deny","Principal":"*","Action":"kms:Decrypt","Resource":"*"},{"Effect":"Allow","Principal":{"AWS"`), false},
		"key disabled":                {encrypt(keyState(kmstypes.KeyStateDisabled)), false},
		"key waits for its deletion":  {encrypt(keyState(kmstypes.KeyStatePendingDeletion)), false},
		"key's replicas wait":         {encrypt(keyState(kmstypes.KeyStatePendingReplicaDeletion)), false},
		"key without material":        {encrypt(keyState(kmstypes.KeyStatePendingImport)), false},
		"key gone":                    {func(w *world, topic string) { setTheirs(w, topic, "KmsMasterKeyId", theirKey) }, false},
		"an alias of nothing":         {func(w *world, topic string) { setTheirs(w, topic, "KmsMasterKeyId", "alias/nothing") }, false},
		"a name that is no key":       {func(w *world, topic string) { setTheirs(w, topic, "KmsMasterKeyId", "none") }, false},
		"a key of another account": {func(w *world, topic string) {
			setTheirs(w, topic, "KmsMasterKeyId", strings.Replace(theirKey, account, other, 1))
		}, false},
		"a key of another region": {func(w *world, topic string) {
			encrypt(nil)(w, topic)
			setTheirs(w, topic, "KmsMasterKeyId", strings.Replace(theirKey, home, second, 1))
		}, false},
		"an asymmetric key":                     {encrypt(func(w *world) { w.SetKeySpec(theirKey, kmstypes.KeySpecRsa2048) }), false},
		"a key for codes":                       {encrypt(func(w *world) { w.SetKeySpec(theirKey, kmstypes.KeySpecHmac256) }), false},
		"a key in a store that is out of reach": {encrypt(keyState(kmstypes.KeyStateUnavailable)), false},
		"key that relight cannot see":           {encrypt(func(w *world) { w.Deny("DescribeKey") }), false},
		"key policy out of reach":               {encrypt(func(w *world) { w.Deny("GetKeyPolicy") }), false},

		"anybody of the account":         {allowing(`"StringEquals":{"AWS:SourceOwner":"111122223333"}`), true},
		"source account":                 {allowing(`"StringEquals":{"aws:SourceAccount":["444455556666","111122223333"]}`), true},
		"any alarm":                      {allowing(`"ArnLike":{"aws:SourceArn":"arn:aws:cloudwatch:*:111122223333:alarm:*"}`), true},
		"this alarm":                     {allowing(`"ArnLike":{"aws:SourceArn":"arn:aws:cloudwatch:us-east-1:111122223333:alarm:their-alarm"}`), true},
		"an organisation, unread":        {allowing(`"StringEquals":{"aws:SourceOrgID":"o-1"}`), false},
		"until a time":                   {allowing(`"DateLessThan":{"aws:CurrentTime":"2020-01-01T00:00:00Z"}`), false},
		"on behalf of somebody":          {allowing(`"Bool":{"aws:ViaAWSService":"true"}`), false},
		"another alarm":                  {allowing(`"ArnLike":{"aws:SourceArn":"arn:aws:cloudwatch:us-east-1:111122223333:alarm:checkout"}`), false},
		"an alarm's ARN with a star":     {allowing(`"StringEquals":{"aws:SourceArn":"arn:aws:cloudwatch:us-east-1:111122223333:alarm:*"}`), false},
		"alarms of another region":       {allowing(`"ArnLike":{"aws:SourceArn":"arn:aws:cloudwatch:eu-west-1:111122223333:alarm:*"}`), false},
		"alarms of another account":      {allowing(`"ArnEquals":{"aws:SourceArn":"arn:aws:cloudwatch:us-east-1:444455556666:alarm:*"}`), false},
		"source owner is an ARN":         {allowing(`"StringEquals":{"AWS:SourceOwner":"arn:aws:iam::111122223333:root"}`), false},
		"another source account":         {allowing(`"StringEquals":{"aws:SourceAccount":"444455556666"}`), false},
		"principals of the organisation": {allowing(`"StringEquals":{"aws:PrincipalOrgID":"o-1"}`), false},
		"their paths":                    {allowing(`"ForAnyValue:StringLike":{"aws:PrincipalOrgPaths":"o-1/*"}`), false},
		"principals of the account":      {allowing(`"StringEquals":{"aws:PrincipalAccount":"111122223333"}`), false},
		"principals with a tag":          {allowing(`"StringEquals":{"aws:PrincipalTag/team":"ops"}`), false},
		"one network":                    {allowing(`"IpAddress":{"aws:SourceIp":"192.0.2.0/24"}`), false},
		"one endpoint":                   {allowing(`"StringEquals":{"aws:SourceVpce":"vpce-1"}`), false},
		"only without TLS":               {allowing(`"Bool":{"aws:SecureTransport":"false"}`), false},
		"only with MFA":                  {allowing(`"Bool":{"aws:MultiFactorAuthPresent":"true"}`), false},
		"only to subscribe":              {allowing(`"StringEquals":{"sns:Protocol":"email"}`), false},

		"denied without TLS":               {denying(`"Bool":{"aws:SecureTransport":"false"}`), true},
		"people outside, denied":           {denying(`"StringNotEquals":{"aws:PrincipalOrgID":"o-1"},"BoolIfExists":{"aws:PrincipalIsAWSService":"false"}`), true},
		"another account, denied":          {denying(`"StringNotEquals":{"aws:SourceAccount":"111122223333"}`), true},
		"another alarm, denied":            {denying(`"ArnLike":{"aws:SourceArn":"arn:aws:cloudwatch:us-east-1:111122223333:alarm:checkout"}`), true},
		"all outside, denied":              {denying(`"StringNotEquals":{"aws:PrincipalOrgID":"o-1"}`), false},
		"all outside if known, denied":     {denying(`"StringNotEqualsIfExists":{"aws:PrincipalOrgID":"o-1"}`), false},
		"all without MFA, denied":          {denying(`"BoolIfExists":{"aws:MultiFactorAuthPresent":"false"}`), false},
		"other networks, denied":           {denying(`"NotIpAddress":{"aws:SourceIp":"192.0.2.0/24"}`), false},
		"other endpoints, denied":          {denying(`"StringNotEquals":{"aws:SourceVpce":"vpce-1"}`), false},
		"other people, denied":             {denying(`"ArnNotLike":{"aws:PrincipalArn":"arn:aws:iam::111122223333:role/ops"}`), false},
		"this account, denied":             {denying(`"StringEquals":{"aws:SourceAccount":"111122223333"}`), false},
		"this alarm, denied":               {denying(`"ArnLike":{"aws:SourceArn":"arn:aws:cloudwatch:*:*:alarm:their-*"}`), false},
		"since a time, denied":             {denying(`"DateGreaterThan":{"aws:CurrentTime":"2020-01-01T00:00:00Z"}`), false},
		"this account as a number, denied": {denying(`"StringEquals":{"aws:SourceAccount":111122223333}`), false},
		"other paths, any, denied":         {denying(`"ForAnyValue:StringNotLikeIfExists":{"aws:PrincipalOrgPaths":"o-1/*"}`), false},
		"a policy that cannot be read":     {func(w *world, _ string) { w.Deny("GetTopicAttributes") }, false},

		"nobody confirmed": {func(w *world, topic string) {
			must(w.SNS.Unsubscribe(w.t.Context(), &sns.UnsubscribeInput{SubscriptionArn: aws.String(subs(w, topic)[0])}))
			must(w.SNS.Subscribe(w.t.Context(), &sns.SubscribeInput{TopicArn: aws.String(topic), Protocol: aws.String("email"), Endpoint: aws.String(mail)}))
		}, false},
		"subscriber filters": {func(w *world, topic string) {
			must(w.SNS.SetSubscriptionAttributes(w.t.Context(), &sns.SetSubscriptionAttributesInput{
				SubscriptionArn: aws.String(subs(w, topic)[0]), AttributeName: aws.String("FilterPolicy"), AttributeValue: aws.String(`{"none":["of these"]}`),
			}))
		}, false},
		"one subscriber filters, one does not": {func(w *world, topic string) {
			must(w.SNS.SetSubscriptionAttributes(w.t.Context(), &sns.SetSubscriptionAttributesInput{
				SubscriptionArn: aws.String(subs(w, topic)[0]), AttributeName: aws.String("FilterPolicy"), AttributeValue: aws.String(`{"none":["of these"]}`),
			}))
			must(w.SNS.Subscribe(w.t.Context(), &sns.SubscribeInput{TopicArn: aws.String(topic), Protocol: aws.String("sms"), Endpoint: aws.String("+15550100")}))
		}, true},
		"subscription ended": {func(w *world, topic string) { w.EndSubscription(topic, queue) }, false},
		"subscription of another account": {func(w *world, topic string) {
			must(w.SNS.Unsubscribe(w.t.Context(), &sns.UnsubscribeInput{SubscriptionArn: aws.String(subs(w, topic)[0])}))
			w.SubscribeFrom(other, topic, "sqs", "arn:aws:sqs:us-east-1:444455556666:theirs")
		}, false},
	}
	c := catalog.Controls()[2]
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			w := deployed(t, "")
			topic := w.AddTopic(home, "theirs", 1)
			w.putFilter(trailGroup, filterOf("their-filter", c.Pattern, "theirs", "root"))
			w.putAlarm(alarmOn("their-alarm", "theirs", "root", topic))
			tt.arrange(w, topic)
			if s := w.sweep(app.Request{Kinds: []catalog.Kind{catalog.LogGroups, catalog.Alarms}}); s.Unrestored != 0 {
				t.Errorf("left %d unrestored: %v", s.Unrestored, unrestored(s))
			}
			added := slices.ContainsFunc(w.Alarms(home), func(n string) bool { return strings.HasPrefix(n, "relight-"+c.ID) })
			if added == tt.holds {
				t.Errorf("relight added an alarm: %t, want %t", added, !tt.holds)
			}
			if s := w.sweep(app.Request{Kinds: []catalog.Kind{catalog.LogGroups, catalog.Alarms}}); s.Planned != 0 {
				t.Errorf("a second sweep plans %d actions: %+v", s.Planned, s.Reports)
			}
		})
	}
}

// An intruder's own filter, alarm and topic do not make up for relight's filter
// if the topic keeps alarms out: people are notified.
func TestDecoyTopic(t *testing.T) {
	t.Parallel()
	c := catalog.Controls()[0]
	w := healthy(t, "")
	topic := w.AddTopic(home, "decoy", 1)
	encrypt(nil, "cloudwatch.", "events.")(w, topic)
	w.putFilter(trailGroup, filterOf("decoy", c.Pattern, "decoy", "decoy"))
	w.putAlarm(alarmOn("decoy", "decoy", "decoy", topic))
	filterDeleted("relight-" + c.ID).do(w)
	told := len(w.Messages())
	if s := w.sweep(app.Request{}); s.Repaired != 1 || s.Unrestored != 0 || len(w.Messages()) == told {
		t.Errorf("%d repaired, %d unrestored, messages %+v", s.Repaired, s.Unrestored, w.Messages()[told:])
	}
	if !slices.ContainsFunc(w.Alarms(home), func(n string) bool { return strings.HasPrefix(n, "relight-"+c.ID+"-") }) {
		t.Errorf("alarms %v, want one of relight's on the metric of the decoy", w.Alarms(home))
	}
}

// Only topics that decide cost anything: while relight's own alarm satisfies a
// control, its topic, or that of another alarm, is not read for it.
func TestTheirTopicIsNotReadInVain(t *testing.T) {
	t.Parallel()
	c := catalog.Controls()[2]
	w := healthy(t, "")
	w.putAlarm(alarmOn("their-alarm", "relight", "relight-"+c.ID, w.AddTopic(home, "theirs", 1)))
	before := w.Calls()
	w.sweep(app.Request{Kinds: []catalog.Kind{catalog.Alarms}})
	if used := w.Calls().Since(before); used["GetTopicAttributes"]+used["DescribeKey"]+used["ListSubscriptionsByTopic"] > 0 {
		t.Errorf("calls %v", used)
	}
}

// A subscriber whose subscription another account owns, or that has ended, is
// reported. relight does not subscribe it again, and restores everything else
// of the topic.
func TestSubscriptionsOutOfReach(t *testing.T) {
	t.Parallel()
	const hook = "https://example.com/hook"
	abroad := "arn:aws:sqs:us-east-1:" + other + ":central"
	tests := []struct {
		name, protocol, endpoint string
		arrange                  func(*world)
		want, not                string
		repairs                  int
	}{
		{
			name: "a central account's queue, by its owner", protocol: "sqs", endpoint: abroad, want: "account " + other + " subscribed it",
			arrange: func(w *world) { w.SubscribeFrom(other, w.topic, "sqs", abroad) }, not: "link",
		},
		{
			name: "an address that another account took over", protocol: "https", endpoint: hook, want: "account " + other + " subscribed it",
			arrange: func(w *world) { w.SubscribeFrom(other, w.topic, "https", hook); w.Confirm(w.topic) },
		},
		{
			name: "one's own queue that another account took over", protocol: "sqs", endpoint: "arn:aws:sqs:us-east-1:111122223333:second",
			want: "account " + other + " subscribed it, and nobody has confirmed it yet", not: "link",
			arrange: func(w *world) {
				w.SubscribeFrom(other, w.topic, "sqs", "arn:aws:sqs:us-east-1:111122223333:second")
			},
		},
		{
			name: "a subscription that its owner ended", protocol: "sqs", endpoint: abroad, want: "its subscription has ended", not: "link",
			arrange: func(w *world) { w.SubscribeFrom(other, w.topic, "sqs", abroad); w.EndSubscription(w.topic, abroad) },
		},
		{
			name: "a mail that left by the link and is still listed", protocol: "email", endpoint: mail, want: "its subscription has ended", not: "confirmation link",
			arrange: func(w *world) { w.subscribe("email", mail); w.Confirm(w.topic); w.EndSubscription(w.topic, mail) },
		},
		{
			name: "an address that left by the link", protocol: "https", endpoint: hook, want: "its subscription has ended", not: "confirmation link",
			arrange: func(w *world) { w.subscribe("https", hook); w.Confirm(w.topic); w.EndSubscription(w.topic, hook) },
		},
		{
			name: "a queue of another account that has to confirm", protocol: "sqs", endpoint: abroad, repairs: 1,
			want: "its subscription waits for confirmation", not: "link", arrange: func(*world) {},
		},
		{
			name: "attributes that relight may not read", protocol: "sqs", endpoint: "arn:aws:sqs:us-east-1:111122223333:second", want: "relight cannot read whether it receives every message: sns.GetSubscriptionAttributes",
			arrange: func(w *world) {
				w.subscribe("sqs", "arn:aws:sqs:us-east-1:111122223333:second")
				w.Deny("GetSubscriptionAttributes")
			},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := healthy(t, "")
			tt.arrange(w)
			w.config.Subscribers = append(w.config.Subscribers, config.Subscriber{Protocol: tt.protocol, Endpoint: tt.endpoint})
			w.setTopic("KmsMasterKeyId", "")
			s := w.sweep(app.Request{Kinds: []catalog.Kind{catalog.Topics}})
			if s.Repaired != tt.repairs+1 || s.Unrestored != 0 {
				t.Errorf("%d repaired, %d unrestored; want %d, 0: %v", s.Repaired, s.Unrestored, tt.repairs+1, unrestored(s))
			}
			for range 2 {
				text := fmt.Sprintf("%+v", s.Reports)
				if got := findings(s); !strings.Contains(got, tt.want) || tt.not != "" && strings.Contains(text, tt.not) {
					t.Errorf("findings %q, want %q and nothing of %q in %s", got, tt.want, tt.not, text)
				}
				before := len(w.Writes())
				if s = w.sweep(app.Request{Kinds: []catalog.Kind{catalog.Topics}}); len(w.Writes()) > before || s.Unrestored != 0 {
					t.Errorf("writes %v, %d unrestored: %v", w.Writes()[before:], s.Unrestored, unrestored(s))
				}
			}
		})
	}
}

// Subscriptions of a deleted topic deliver what the restored one sends, so
// messages may come twice: people are notified of that.
func TestMessagesTwice(t *testing.T) {
	t.Parallel()
	w := healthy(t, "")
	w.deleteTopic()
	before := w.Deliveries(oncall)
	told := len(w.Messages())
	if _, err := w.app("topics").HandleEvent(t.Context(), events.Read("DeleteTopic.ours.json")); err != nil {
		t.Error(err)
	}
	m := w.Messages()[told:]
	if len(m) != 1 || w.Deliveries(oncall)-before != 2 {
		t.Fatalf("%d messages, delivered %d times; want one, twice", len(m), w.Deliveries(oncall)-before)
	}
	if !strings.Contains(m[0].Text, "may arrive twice") {
		t.Errorf("message %q does not say that it may arrive twice", m[0].Text)
	}
	if s := w.sweep(app.Request{}); s.Findings != 0 || s.Planned != 0 {
		t.Errorf("then %+v", s)
	}
}

// relight's key is put back on the topic only while it works. While it does not,
// the topic keeps the key, or none, that somebody set.
func TestDeadKeyIsNotPutBack(t *testing.T) {
	t.Parallel()
	for _, current := range []string{"", theirKey, "alias/aws/sns"} {
		for _, event := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s %t", current, event), func(t *testing.T) {
				w := healthy(t, "")
				w.AddKey(theirKey)
				w.SetKeyState(topicKey, kmstypes.KeyStateUnavailable)
				w.setTopic("KmsMasterKeyId", current)
				before := len(w.Writes())
				var text string
				if event {
					w.send(events.Read("SetTopicAttributes.key.json"), false)
					text = w.log.String()
				} else {
					text = findings(w.sweep(app.Request{}))
				}
				if got := w.Writes()[before:]; slices.ContainsFunc(got, func(c awstest.Write) bool { return c.Op == "SetTopicAttributes" }) {
					t.Errorf("writes %v", got)
				}
				if !strings.Contains(text, "relight does not put its own key back") || strings.Contains(text, "nothing can be published") {
					t.Errorf("reported %q", text)
				}
				w.SetKeyState(topicKey, kmstypes.KeyStateEnabled)
				if s := w.sweep(app.Request{}); s.Repaired != 1 || s.Findings != 0 {
					t.Errorf("with a key that works, %d repaired, findings %q; want 1, none", s.Repaired, findings(s))
				}
			})
		}
	}
}

// A topic that is made again while its key does not work is made without it, so
// that it can notify.
func TestTopicGoneWithItsKey(t *testing.T) {
	t.Parallel()
	w := healthy(t, "")
	w.SetKeyState(topicKey, kmstypes.KeyStateUnavailable)
	w.deleteTopic()
	told := len(w.Messages())
	if s := w.sweep(app.Request{}); s.Unrestored != 0 || len(w.Messages()) == told {
		t.Errorf("%d unrestored, messages %+v", s.Unrestored, w.Messages()[told:])
	}
	w.SetKeyState(topicKey, kmstypes.KeyStateEnabled)
	if s := w.sweep(app.Request{}); s.Repaired != 1 || s.Findings != 0 {
		t.Errorf("with a key that works, %d repaired, findings %q; want 1, none", s.Repaired, findings(s))
	}
}

// The deletion of a multi-Region key waits for its replicas, and can be
// cancelled meanwhile.
func TestReplicatedKey(t *testing.T) {
	t.Parallel()
	w := healthy(t, "")
	state := w.State()
	w.SetKeyState(topicKey, kmstypes.KeyStatePendingReplicaDeletion)
	if s := w.sweep(app.Request{}); s.Repaired != 1 || s.Unrestored != 0 || s.Findings != 0 {
		t.Errorf("%d repaired, %d unrestored, findings %q", s.Repaired, s.Unrestored, findings(s))
	}
	if after := w.State(); after["key "+topicKey] != state["key "+topicKey] {
		t.Errorf("key %s, want %s", after["key "+topicKey], state["key "+topicKey])
	}
}
