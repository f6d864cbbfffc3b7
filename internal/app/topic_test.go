package app_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/google/go-cmp/cmp"

	"github.com/relight-aws/relight/events"
	"github.com/relight-aws/relight/internal/app"
	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/report"
)

const mail = "oncall@example.com"

func (w *world) setTopic(name, value string) {
	w.t.Helper()
	must(w.SNS.SetTopicAttributes(w.t.Context(), &sns.SetTopicAttributesInput{
		TopicArn: aws.String(w.topic), AttributeName: aws.String(name), AttributeValue: aws.String(value),
	}))
}

func (w *world) deleteTopic() {
	w.t.Helper()
	must(w.SNS.DeleteTopic(w.t.Context(), &sns.DeleteTopicInput{TopicArn: aws.String(w.topic)}))
}

// subscription returns the ARN of a subscription to relight's topic.
func (w *world) subscription(endpoint string) *string {
	w.t.Helper()
	in := &sns.ListSubscriptionsByTopicInput{TopicArn: aws.String(w.topic)}
	for pages := sns.NewListSubscriptionsByTopicPaginator(w.SNS, in); pages.HasMorePages(); {
		out := must(pages.NextPage(w.t.Context()))
		for _, s := range out.Subscriptions {
			if strings.EqualFold(*s.Endpoint, endpoint) {
				return s.SubscriptionArn
			}
		}
	}
	w.t.Fatalf("%s is not subscribed", endpoint)
	return nil
}

func (w *world) unsubscribe(endpoint string) {
	w.t.Helper()
	must(w.SNS.Unsubscribe(w.t.Context(), &sns.UnsubscribeInput{SubscriptionArn: w.subscription(endpoint)}))
}

func (w *world) setSubscription(endpoint, name, value string) {
	w.t.Helper()
	must(w.SNS.SetSubscriptionAttributes(w.t.Context(), &sns.SetSubscriptionAttributesInput{
		SubscriptionArn: w.subscription(endpoint), AttributeName: aws.String(name), AttributeValue: aws.String(value),
	}))
}

// findings returns the findings of a sweep about the topic, one per line.
func findings(s app.Sweep) string {
	var all []string
	for _, r := range s.Reports {
		for _, f := range r.Findings {
			all = append(all, f.Subject+": "+f.Problem)
		}
	}
	return strings.Join(all, "\n")
}

// Every sweep reports what only a person can fix about the topic, until the
// person fixes it. Meanwhile relight does not repeat its writes.
func TestTopicFindings(t *testing.T) {
	t.Parallel()
	both := `{"subscribers":[{"protocol":"sqs","endpoint":"` + oncall + `"},{"protocol":"email","endpoint":"` + mail + `"}]}`
	const alone = `{"subscribers":[{"protocol":"email","endpoint":"` + mail + `"}]}`
	deny := func(statement string) func(*world) {
		return func(w *world) {
			policy := must(w.SNS.GetTopicAttributes(w.t.Context(), &sns.GetTopicAttributesInput{TopicArn: aws.String(w.topic)})).Attributes["Policy"]
			w.setTopic("Policy", strings.TrimSuffix(policy, "]}")+`,{"Sid":"theirs","Effect":"Deny","Principal":"*","Action":"sns:Publish",`+
				`"Resource":"`+w.topic+`"`+statement+`}]}`)
		}
	}
	tests := []struct {
		name    string
		config  string
		arrange func(*world)
		want    string // findings; "" for none
		repairs int    // of the first sweep
	}{
		{name: "healthy", config: both, arrange: func(*world) {}},
		{name: "nobody subscribed", config: `{"subscribers":[]}`, arrange: func(*world) {}, want: "it has no subscribers"},
		{
			name: "somebody else is subscribed", config: `{"subscribers":[]}`,
			arrange: func(w *world) { w.subscribe("sqs", "arn:aws:sqs:us-east-1:111122223333:theirs") },
		},
		{
			name: "mail unsubscribed by its link", config: both, repairs: 1, want: "subscriber email " + mail + ": its subscription waits for confirmation",
			arrange: func(w *world) { w.unsubscribe(mail) },
		},
		{
			name: "nobody confirmed", config: alone, repairs: 1, want: "no subscriber has confirmed",
			arrange: func(w *world) { w.unsubscribe(mail) },
		},
		{name: "key closed to alarms", config: both, want: "its policy does not allow cloudwatch.amazonaws.com kms:Decrypt", arrange: func(w *world) {
			must(w.KMS.PutKeyPolicy(w.t.Context(), &kms.PutKeyPolicyInput{
				KeyId: aws.String(topicKey), Policy: aws.String(strings.Replace(keyPolicy, "cloudwatch.", "events.", 1)),
			}))
		}},
		{name: "denied to others", config: both, arrange: deny(`,"Condition":{"StringNotEquals":{"aws:PrincipalAccount":"111122223333"},"BoolIfExists":{"aws:PrincipalIsAWSService":"false"}}`)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := healthy(t, tt.config)
			tt.arrange(w)
			s := w.sweep(app.Request{})
			for range 2 {
				if s.Unrestored != 0 || s.Repaired != tt.repairs {
					t.Errorf("%d repaired, %d unrestored; want %d, 0", s.Repaired, s.Unrestored, tt.repairs)
				}
				if got := findings(s); !strings.Contains(got, tt.want) || tt.want == "" && got != "" {
					t.Errorf("findings %q, want %q", got, tt.want)
				}
				tt.repairs = 0
				s = w.sweep(app.Request{})
			}
			w.Confirm(w.topic)
			if got := findings(w.sweep(app.Request{})); strings.Contains(got, "confirm") {
				t.Errorf("confirmed, but findings %q", got)
			}
		})
	}
}

// A Deny that can keep relight's roles, alarms or the owner from the topic is removed
// after the event, and reported with who added it and with the condition that spares
// them. So is a policy that denies relight to read it, or that relight cannot read.
func TestTopicDenied(t *testing.T) {
	t.Parallel()
	deny := func(rest string) string {
		return `{"Version":"2012-10-17","Statement":[{"Sid":"theirs","Effect":"Deny",` + rest + `,"Resource":"arn:aws:sns:us-east-1:111122223333:relight-alerts"}]}`
	}
	for name, tt := range map[string]struct {
		policy string
		fails  string // with the denial, on the first attempt
		said   string
	}{
		"everybody":              {deny(`"Principal":"*","Action":"sns:*"`), "", "can deny cloudwatch.amazonaws.com sns:Publish"},
		"relight's roles":        {deny(`"Principal":{"AWS":"arn:aws:iam::111122223333:role/relight-TopicsRole1A2B-3c4d"},"Action":"sns:SetTopicAttributes"`), "", "can deny relight's roles sns:SetTopicAttributes"},
		"everybody but services": {deny(`"Principal":"*","Action":"sns:Publish","Condition":{"BoolIfExists":{"aws:PrincipalIsAWSService":"false"}}`), "", `"StringNotEquals": {"aws:PrincipalAccount": "111122223333"}`},
		"reading":                {deny(`"Principal":"*","Action":"sns:GetTopicAttributes"`), "GetTopicAttributes", "relight replaces it"},
		"listing":                {deny(`"Principal":"*","NotAction":["sns:Publish","sns:*TopicAttributes"]`), "ListSubscriptionsByTopic", "can deny relight's roles sns:Subscribe"},
		"unreadable":             {`{"Version":"2012-10-17","Statement":[{"Sid":"theirs","Effect":"Deny","Principal":{"AWS":{"x":"*"}},"Action":"sns:*"}]}`, "", "relight cannot read its policy"},
	} {
		for _, by := range []string{"event", "sweep"} {
			t.Run(name+", by "+by, func(t *testing.T) {
				w := healthy(t, few)
				w.setTopic("Policy", tt.policy)
				told := len(w.Messages())
				if tt.fails != "" {
					w.Fail(tt.fails, "AuthorizationError: User: a is not authorized to perform: b on resource: c with an explicit deny in a resource-based policy")
				}
				if by == "event" {
					w.send(events.Read("SetTopicAttributes.policy.json"), true)
				} else {
					w.sweep(app.Request{})
				}
				policy := must(w.SNS.GetTopicAttributes(t.Context(), &sns.GetTopicAttributesInput{TopicArn: aws.String(w.topic)})).Attributes["Policy"]
				if strings.Contains(policy, `"theirs"`) || !strings.Contains(policy, `"AllowAlarmsOfThisAccount"`) {
					t.Errorf("the policy is %s", policy)
				}
				if said := w.told(told); !strings.Contains(said, tt.said) {
					t.Errorf("messages %q, want %q", said, tt.said)
				}
				if s := w.sweep(app.Request{}); s.Planned != 0 || s.Unrestored != 0 {
					t.Errorf("afterwards a sweep plans %d and leaves %v", s.Planned, unrestored(s))
				}
			})
		}
	}
}

// A topic that relight may not read for another reason is not rewritten.
func TestTopicUnreadNotRewritten(t *testing.T) {
	t.Parallel()
	w := healthy(t, few)
	w.Deny("GetTopicAttributes")
	before := w.Calls()
	if s := w.sweep(app.Request{}); s.Unrestored == 0 || w.Calls().Since(before)["SetTopicAttributes"] > 0 {
		t.Errorf("%+v, calls %v", s, w.Calls().Since(before))
	}
}

// A notification to a deleted topic is lost and counted. Once the topic is
// restored, the notification about it is sent and says who has to confirm.
func TestTopicGone(t *testing.T) {
	t.Parallel()
	w := healthy(t, `{"subscribers":[{"protocol":"email","endpoint":"`+mail+`"}]}`)
	w.deleteTopic()
	w.deleteAlarms(rootUsage)
	told := len(w.Messages())
	_, err := w.app("alarms").HandleEvent(t.Context(), events.Read("DeleteAlarms.one.json"))
	if err == nil || len(w.Messages()) != told || !strings.Contains(w.log.String(), `"Untold":1`) {
		t.Errorf("%v, messages %+v; want a message that could not be sent", err, w.Messages()[told:])
	}
	if _, err := w.app("topics").HandleEvent(t.Context(), events.Read("DeleteTopic.ours.json")); err != nil {
		t.Error(err)
	}
	m := w.Messages()[told:]
	if len(m) != 1 || !strings.Contains(m[0].Text, "Restored: topic ") || !strings.Contains(m[0].Text, "its subscription waits for confirmation") {
		t.Errorf("messages %+v, want one about the topic and its subscriber", m)
	}
}

// relight does not subscribe anybody to a topic that it could not create, and
// reports only the first failure.
func TestTopicRefused(t *testing.T) {
	t.Parallel()
	w := healthy(t, "")
	w.deleteTopic()
	w.Deny("CreateTopic")
	before := w.Calls()
	w.send(events.Read("DeleteTopic.ours.json"), true)
	if n := w.Calls().Since(before)["Subscribe"]; n > 0 {
		t.Errorf("%d calls of Subscribe", n)
	}
	if !strings.Contains(w.log.String(), "allow sns:CreateTopic on "+w.topic) {
		t.Error("the log does not say what to allow")
	}
}

// keyAttacks are the calls on the topic's key that stop its notifications.
var keyAttacks = map[string]func(*world){
	"DisableKey": func(w *world) {
		must(w.KMS.DisableKey(w.t.Context(), &kms.DisableKeyInput{KeyId: aws.String(topicKey)}))
	},
	"ScheduleKeyDeletion": func(w *world) {
		must(w.KMS.ScheduleKeyDeletion(w.t.Context(), &kms.ScheduleKeyDeletionInput{KeyId: aws.String(topicKey)}))
	},
}

// An event about another key causes no call. An event about the topic's key
// makes relight restore the key and notify people through the topic, which
// works again.
func TestKeyEvents(t *testing.T) {
	t.Parallel()
	_, id, _ := strings.Cut(topicKey, "/")
	for op, attack := range keyAttacks {
		for name, ours := range map[string]bool{topicKey: true, id: true, "another": false, "alias/relight": false} {
			t.Run(op+" "+name, func(t *testing.T) {
				w := healthy(t, "")
				state := w.State()
				attack(w)
				before, told := w.Calls(), len(w.Messages())
				event := []byte(`{"id":"e","detail-type":"AWS API Call via CloudTrail","source":"aws.kms","account":"111122223333","region":"us-east-1",
				"detail":{"eventName":"` + op + `","requestParameters":{"keyId":"` + name + `"}}}`)
				if _, err := w.app("topics").HandleEvent(t.Context(), event); err != nil {
					t.Error(err)
				}
				used, m := w.Calls().Since(before), w.Messages()[told:]
				if !ours {
					if len(used) > 0 {
						t.Errorf("calls %v", used)
					}
					return
				}
				if diff := cmp.Diff(state, w.State()); diff != "" {
					t.Errorf("not as before (-want +got):\n%s", diff)
				}
				if len(m) != 1 || !strings.Contains(m[0].Text, "enable") || !strings.Contains(m[0].Text, topicKey+" (its state is") {
					t.Errorf("messages %+v, want one of the key", m)
				}
				before = w.Calls()
				if _, err := w.app("topics").HandleEvent(t.Context(), event); err != nil { // the event arrives late or again
					t.Error(err)
				}
				if again := w.Calls().Since(before); again["EnableKey"]+again["CancelKeyDeletion"] > 0 {
					t.Errorf("calls %v for a key that works", again)
				}
			})
		}
	}
}

// The sweep also restores the key, before anything else, and reports it.
func TestKeySweep(t *testing.T) {
	t.Parallel()
	for op, attack := range keyAttacks {
		t.Run(op, func(t *testing.T) {
			w := healthy(t, "")
			state := w.State()
			attack(w)
			w.unsubscribe(oncall)
			told, written := len(w.Messages()), len(w.Writes())
			if s := w.sweep(app.Request{}); s.Repaired != 2 || s.Unrestored != 0 {
				t.Errorf("%d repaired, %d unrestored; want 2, 0", s.Repaired, s.Unrestored)
			}
			if diff := cmp.Diff(state, w.State()); diff != "" {
				t.Errorf("not as before (-want +got):\n%s", diff)
			}
			if last := w.Writes()[written:]; last[len(last)-1].Op == "EnableKey" {
				t.Errorf("writes %v, want the key first", last)
			}
			if m := w.Messages()[told:]; len(m) != 1 || !strings.Contains(m[0].Text, topicKey+" (its state is") {
				t.Errorf("messages %+v, want one of the key", m)
			}
		})
	}
}

// relight cannot read a key whose policy does not admit the account. It reports
// that and still restores the topic.
func TestKeyOutOfReach(t *testing.T) {
	t.Parallel()
	for _, op := range []string{"DescribeKey", "GetKeyPolicy"} {
		t.Run(op, func(t *testing.T) {
			w := healthy(t, "")
			w.Deny(op)
			w.deleteTopic()
			s := w.sweep(app.Request{Kinds: []catalog.Kind{catalog.Topics}})
			out, err := w.SNS.GetTopicAttributes(t.Context(), &sns.GetTopicAttributesInput{TopicArn: aws.String(w.topic)})
			if err != nil || out.Attributes["KmsMasterKeyId"] != topicKey {
				t.Errorf("the topic is not restored: %v, %v", out, err)
			}
			said := slices.ContainsFunc(s.Reports[0].Findings, func(f report.Finding) bool {
				return f.Subject == "key "+topicKey && strings.Contains(f.Problem, "kms."+op)
			})
			if !said || s.Unrestored != 0 {
				t.Errorf("reported %t, %d unrestored: %+v", said, s.Unrestored, s.Reports)
			}
		})
	}
}

// If somebody cancels the deletion of the key between the observation and the
// repair, relight still tries to enable the key. It reports a key that is not
// enabled.
func TestKeyCancelledMeanwhile(t *testing.T) {
	t.Parallel()
	w := healthy(t, "")
	keyAttacks["ScheduleKeyDeletion"](w)
	w.Fail("CancelKeyDeletion", "KMSInvalidStateException")
	before := w.Calls()
	if s := w.sweep(app.Request{}); s.Unrestored != 1 {
		t.Errorf("%d unrestored, want the key", s.Unrestored)
	}
	if used := w.Calls().Since(before); used["EnableKey"] == 0 {
		t.Errorf("calls %v, want EnableKey tried", used)
	}
	if s := w.sweep(app.Request{}); s.Repaired != 1 || s.Unrestored != 0 {
		t.Errorf("then %d repaired, %d unrestored; want 1, 0", s.Repaired, s.Unrestored)
	}
}

// relight does not change a subscriber that somebody else added, whatever filter
// policy that subscriber has, nor raw delivery to a configured one. A sweep reports
// both, although messages reach the configured subscriber.
func TestForeignSubscriber(t *testing.T) {
	t.Parallel()
	w := healthy(t, "")
	const theirs = "arn:aws:sqs:us-east-1:111122223333:theirs"
	w.subscribe("sqs", theirs)
	w.subscribe("sqs", theirs+"-too")
	if s := w.sweep(app.Request{}); s.Planned > 0 || s.Findings > 0 {
		t.Errorf("%+v", s.Reports)
	}
	w.setSubscription(theirs, "FilterPolicy", `{"severity":["high"]}`)
	w.setSubscription(theirs+"-too", "RawMessageDelivery", "true") // as they like
	w.setSubscription(oncall, "RawMessageDelivery", "true")
	before := w.State()
	s := w.sweep(app.Request{})
	if got := findings(s); s.Planned > 0 || s.Findings != 2 || !strings.Contains(got, theirs+`: its filter policy lets only some messages`) || !strings.Contains(got, oncall+": it receives raw messages") {
		t.Errorf("%d planned, findings %q", s.Planned, got)
	}
	if diff := cmp.Diff(before, w.State()); diff != "" {
		t.Errorf("changed (-before +after):\n%s", diff)
	}
}

// relight's statement comes back although SNS refuses what others added to the
// policy: a statement about a user who was deleted since, or any other. Statements
// that SNS takes stay, and people are notified of those that do not.
func TestTopicPolicyThatIsRefused(t *testing.T) {
	t.Parallel()
	const user = "arn:aws:iam::111122223333:user/gone"
	statement := func(sid, who string) string {
		return `{"Sid":"` + sid + `","Effect":"Allow","Principal":{"AWS":"` + who + `"},"Action":"sns:Subscribe","Resource":"arn:aws:sns:us-east-1:111122223333:relight-alerts"}`
	}
	for name, tt := range map[string]struct {
		statements []string
		codes      []string
		left, out  []string // statements that stay, and that do not
	}{
		"a deleted user":           {statements: []string{statement("theirs", "*"), statement("dead", user)}, left: []string{"theirs"}, out: []string{"dead"}},
		"only a deleted user":      {statements: []string{statement("dead", user)}, out: []string{"dead"}},
		"something unknown":        {statements: []string{statement("theirs", "*"), statement("other", "111122223333")}, codes: []string{"InvalidParameter"}, out: []string{"theirs", "other"}},
		"a deleted user, and more": {statements: []string{statement("theirs", "*"), statement("dead", user)}, codes: []string{"InvalidParameter", "InvalidParameter"}, out: []string{"theirs", "dead"}},
		"nothing of others":        {},
	} {
		for _, by := range []string{"event", "sweep"} {
			t.Run(name+", by "+by, func(t *testing.T) {
				w := healthy(t, few)
				w.setTopic("Policy", `{"Version":"2012-10-17","Statement":[`+strings.Join(tt.statements, ",")+`]}`)
				w.ForgetPrincipal(user)
				w.Fail("SetTopicAttributes", tt.codes...)
				told := len(w.Messages())
				if by == "event" {
					w.send(events.Read("SetTopicAttributes.policy.json"), true)
				} else {
					w.sweep(app.Request{})
				}
				policy := must(w.SNS.GetTopicAttributes(t.Context(), &sns.GetTopicAttributesInput{TopicArn: aws.String(w.topic)})).Attributes["Policy"]
				for _, sid := range append(tt.left, "AllowAlarmsOfThisAccount", "AllowPublishThroughSSLOnly") {
					if !strings.Contains(policy, `"`+sid+`"`) {
						t.Errorf("the policy lacks %s: %s", sid, policy)
					}
				}
				for _, sid := range tt.out {
					if strings.Contains(policy, `"`+sid+`"`) || !strings.Contains(w.told(told)+w.log.String(), sid) {
						t.Errorf("%s is in the policy, or nobody is notified: %s", sid, policy)
					}
				}
				if s := w.sweep(app.Request{}); s.Planned != 0 || s.Unrestored != 0 {
					t.Errorf("afterwards a sweep plans %d and leaves %v", s.Planned, unrestored(s))
				}
			})
		}
	}
}

// People learn at once that somebody made SNS try HTTP subscribers less often.
func TestDeliveryPolicyReported(t *testing.T) {
	t.Parallel()
	w := healthy(t, "")
	w.setTopic("DeliveryPolicy", `{"http":{"defaultHealthyRetryPolicy":{"numRetries":0}}}`)
	told := len(w.Messages())
	w.send(events.Read("SetTopicAttributes.policy.json"), true)
	if mail := w.Messages()[told:]; len(mail) != 1 || !strings.Contains(mail[0].Text, `wait between messages: {"http":`) {
		t.Errorf("messages %+v", mail)
	}
}
