package app_test

import (
	"encoding/json"
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
)

// twoVoices returns a healthy account in which relight has both topics.
func twoVoices(t *testing.T) *world {
	t.Helper()
	w := deployed(t, few)
	w.withLastResort()
	w.PageSize(0)
	if s := w.sweep(app.Request{}); s.Unrestored != 0 {
		t.Fatalf("first sweep left %v", unrestored(s))
	}
	return w
}

// heard returns the messages that a topic took since there were so many.
func (w *world) heard(topic string, since int) (texts []string) {
	for _, m := range w.Messages()[since:] {
		if m.Topic == topic {
			texts = append(texts, m.Text)
		}
	}
	return texts
}

// Whatever keeps the topic from taking a message, the topic of last resort takes it
// and says so. The run does not fail, since people know, but the metric rings.
func TestLastResortTakesWhatTheTopicRefuses(t *testing.T) {
	t.Parallel()
	for name, cut := range map[string]func(w *world){
		"denied": func(w *world) { w.Fail("Publish", "AuthorizationError") },
		"deleted": func(w *world) {
			must(w.SNS.DeleteTopic(w.t.Context(), &sns.DeleteTopicInput{TopicArn: aws.String(w.topic)}))
		},
		"key closed": func(w *world) {
			must(w.KMS.DisableKey(w.t.Context(), &kms.DisableKeyInput{KeyId: aws.String(topicKey)}))
		},
		"key removed": func(w *world) {
			must(w.KMS.ScheduleKeyDeletion(w.t.Context(), &kms.ScheduleKeyDeletionInput{KeyId: aws.String(topicKey)}))
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := twoVoices(t)
			told := len(w.Messages())
			w.deleteFlowLogs(home, "vpc-1")
			cut(w)
			if _, errs := w.send(events.Read("DeleteFlowLogs.one.json"), false); len(errs) > 0 {
				t.Error(errs)
			}
			if got := w.heard(w.topic, told); len(got) > 0 {
				t.Fatalf("the topic took %q", got)
			}
			got := w.heard(w.last, told)
			if len(got) != 1 || !strings.HasPrefix(got[0], "The topic "+w.topic+" refused this message: ") || !strings.Contains(got[0], "\nRestored: ") {
				t.Errorf("the topic of last resort took %q", got)
			}
			if !strings.Contains(w.log.String(), `"Untold":1`) {
				t.Error("the metric does not say that the topic refused a message")
			}
		})
	}
}

// If both refuse a message, the run fails as it does without a second topic.
func TestNoTopicTakesIt(t *testing.T) {
	t.Parallel()
	w := twoVoices(t)
	w.deleteFlowLogs(home, "vpc-1")
	w.Deny("Publish")
	if _, errs := w.send(events.Read("DeleteFlowLogs.one.json"), false); len(errs) != 1 {
		t.Errorf("errors %v, want one", errs)
	}
}

// Both topics take a message about the topic. A message about anything else goes to
// the topic alone.
func TestLastResortHearsOfTheTopic(t *testing.T) {
	t.Parallel()
	w := twoVoices(t)
	told := len(w.Messages())
	w.deleteFlowLogs(home, "vpc-1")
	w.send(events.Read("DeleteFlowLogs.one.json"), false)
	if got := w.heard(w.last, told); len(got) > 0 {
		t.Errorf("about a flow log, the topic of last resort took %q", got)
	}
	told = len(w.Messages())
	w.setTopic("Policy", "{}")
	w.send(events.Read("SetTopicAttributes.policy.json"), false)
	if a, b := w.heard(w.topic, told), w.heard(w.last, told); len(a) != 1 || len(b) != 1 || b[0] != "This is about relight itself, so all its topics carry it.\n\n"+a[0] {
		t.Errorf("about the topic: %q and %q", a, b)
	}
}

// Whatever is done to the topic of last resort is undone, by the event and by the
// sweep, and the topic says so.
func TestLastResortRestored(t *testing.T) {
	t.Parallel()
	set := func(name, value string) func(w *world) {
		return func(w *world) {
			must(w.SNS.SetTopicAttributes(w.t.Context(), &sns.SetTopicAttributesInput{TopicArn: aws.String(w.last), AttributeName: aws.String(name), AttributeValue: aws.String(value)}))
		}
	}
	for name, tt := range map[string]struct {
		call string
		do   func(w *world)
	}{
		"deleted": {"DeleteTopic", func(w *world) {
			must(w.SNS.DeleteTopic(w.t.Context(), &sns.DeleteTopicInput{TopicArn: aws.String(w.last)}))
		}},
		"policy": {"SetTopicAttributes", set("Policy", "{}")},
		"a key":  {"SetTopicAttributes", set("KmsMasterKeyId", "arn:aws:kms:us-east-1:444455556666:key/theirs")},
		"subscription": {"Unsubscribe", func(w *world) {
			for _, s := range must(w.SNS.ListSubscriptionsByTopic(w.t.Context(), &sns.ListSubscriptionsByTopicInput{TopicArn: aws.String(w.last)})).Subscriptions {
				must(w.SNS.Unsubscribe(w.t.Context(), &sns.UnsubscribeInput{SubscriptionArn: s.SubscriptionArn}))
			}
		}},
	} {
		for _, by := range []string{"event", "sweep"} {
			t.Run(name+" by "+by, func(t *testing.T) {
				w := twoVoices(t)
				before, told := w.State(), len(w.Messages())
				tt.do(w)
				if cmp.Equal(before, w.State()) {
					t.Fatal("the attack changed nothing")
				}
				if by == "sweep" {
					w.sweep(app.Request{})
				} else {
					named := `{"topicArn":"` + w.last + `","subscriptionArn":"` + w.last + `:0a1b2c3d-5e6f-4a7b-8c9d-0e1f2a3b4c5d"}`
					if _, errs := w.send([]byte(call("aws.sns", tt.call, `"requestParameters":`+named)), false); len(errs) > 0 {
						t.Error(errs)
					}
				}
				if diff := cmp.Diff(before, w.State()); diff != "" {
					t.Errorf("(-before +after):\n%s", diff)
				}
				if got := w.heard(w.topic, told); len(got) != 1 || !strings.Contains(got[0], w.last) && !strings.Contains(got[0], "Restored: subscription of ") {
					t.Errorf("the topic took %q", got)
				}
				if s := w.sweep(app.Request{}); s.Planned > 0 {
					t.Errorf("the next sweep plans %d", s.Planned)
				}
			})
		}
	}
}

// Each notification is an event on the default bus too. A bus that refuses it fails
// nothing, and the log says so.
func TestEvents(t *testing.T) {
	t.Parallel()
	w := twoVoices(t)
	before := len(w.Events())
	w.deleteFlowLogs(home, "vpc-1")
	w.send(events.Read("DeleteFlowLogs.one.json"), false)
	w.Deny("CreateFlowLogs")
	w.deleteFlowLogs(home, "vpc-1")
	w.send(events.Read("DeleteFlowLogs.one.json"), false)
	w.Allow("CreateFlowLogs")
	w.send(events.Read("EnableRegion.opted-in.json"), false)
	var kinds []string
	for _, e := range w.Events()[before:] {
		kinds = append(kinds, e.Source+": "+e.DetailType)
		var detail struct {
			Account, Subject, Text string
			Causes                 []struct{ Event string }
		}
		if err := json.Unmarshal([]byte(e.Detail), &detail); err != nil || detail.Account != account || !strings.HasPrefix(detail.Subject, "[relight ") || detail.Text == "" || len(detail.Causes) != 1 {
			t.Errorf("%v: %s", err, e.Detail)
		}
		if again, errs := w.send([]byte(`{"id":"e","detail-type":"`+e.DetailType+`","source":"relight","account":"111122223333","region":"us-east-1","detail":`+e.Detail+`}`), true); len(again)+len(errs) > 0 {
			t.Errorf("relight's own event: %v, %v", again, errs)
		}
	}
	want := []string{"relight: " + catalog.EventRestored, "relight: " + catalog.EventNotRestored, "relight: " + catalog.EventFinding}
	if !slices.Equal(kinds, want) {
		t.Errorf("events %v, want %v", kinds, want)
	}
	w.RefuseEvents()
	w.deleteFlowLogs(home, "vpc-2")
	if _, errs := w.send(events.Read("DeleteFlowLogs.one.json"), false); len(errs) > 0 {
		t.Error(errs)
	}
	if !strings.Contains(w.log.String(), "event not sent") {
		t.Error("the log does not say that the bus refused an event")
	}
}

// An owner's topic in another account and region carries what the topic of last
// resort does. The sweep says when that ends, and leaves the topic as it is.
func TestFarTopic(t *testing.T) {
	t.Parallel()
	const there = second
	far := "arn:aws:sns:" + there + ":444455556666:security"
	w := deployed(t, strings.TrimSuffix(few, "}")+`,"lastResort":{"topic":"`+far+`"}}`)
	w.withLastResort()
	w.PageSize(0)
	w.AddTopicOf("444455556666", there, "security", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow",`+
		`"Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":["sns:Publish","sns:GetTopicAttributes"],"Resource":"`+far+`"}]}`)
	if s := w.sweep(app.Request{}); s.Unrestored != 0 || strings.Contains(findings(s), far) {
		t.Fatalf("first sweep: %v, %s", unrestored(s), findings(s))
	}
	told := len(w.Messages())
	w.setTopic("Policy", "{}")
	w.send(events.Read("SetTopicAttributes.policy.json"), false)
	if got := w.heard(far, told); len(got) != 1 || !strings.Contains(got[0], "\nRestored: ") {
		t.Errorf("about the topic, the owner's topic took %q", got)
	}
	must(w.In(there).SNS.DeleteTopic(t.Context(), &sns.DeleteTopicInput{TopicArn: aws.String(far)}))
	if got := findings(w.sweep(app.Request{})); !strings.Contains(got, far+": it does not exist") {
		t.Errorf("the owner's topic is gone, and the sweep finds %q", got)
	}
	told = len(w.Messages())
	w.setTopic("Policy", "{}")
	w.send(events.Read("SetTopicAttributes.policy.json"), false)
	if got := w.heard(w.last, told); len(got) != 1 || !strings.Contains(got[0], "[last-topic-refused] topic "+far) {
		t.Errorf("the owner's topic refused a message, and that of last resort took %q", got)
	}
}
