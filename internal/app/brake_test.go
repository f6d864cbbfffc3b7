package app_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"

	"github.com/relight-aws/relight/events"
	"github.com/relight-aws/relight/internal/app"
	"github.com/relight-aws/relight/internal/catalog"
)

// relight restores a target that somebody keeps changing back at first for
// every event, and then only in the sweep. People are notified once, and the
// notification names who makes the change.
func TestFight(t *testing.T) {
	t.Parallel()
	w := healthy(t, "")
	function := w.app(catalog.Function(catalog.Alarms)) // stays warm
	undo := func() (writes, messages int) {
		t.Helper()
		must(w.CloudWatch.DeleteAlarms(t.Context(), &cloudwatch.DeleteAlarmsInput{AlarmNames: []string{rootUsage}}))
		before, told := len(w.Writes()), len(w.Messages())
		if _, err := function.HandleEvent(t.Context(), batch(events.Read("DeleteAlarms.one.json"))); err != nil {
			t.Fatal(err)
		}
		return len(w.Writes()) - before, len(w.Messages()) - told
	}
	for round := range 15 {
		wantWrites, wantMessages := 1, 1
		if round >= 12 {
			wantWrites, wantMessages = 0, 0
		}
		if round == 12 {
			wantMessages = 1
		}
		if writes, messages := undo(); writes != wantWrites || messages != wantMessages {
			t.Errorf("round %d: %d writes and %d messages, want %d and %d", round, writes, messages, wantWrites, wantMessages)
		}
		w.now = w.now.Add(10 * time.Second)
	}
	last := w.Messages()[len(w.Messages())-1].Text
	for _, want := range []string{"NOT restored: alarm " + rootUsage, "left to the sweep", "What: DeleteAlarms of relight-root-usage\n", "Who: arn:"} {
		if !strings.Contains(last, want) {
			t.Errorf("the last message does not say %q: %s", want, last)
		}
	}
	if s := w.sweep(app.Request{}); s.Repaired != 1 {
		t.Errorf("the sweep restored %d, want the alarm", s.Repaired)
	}
	w.now = w.now.Add(10 * time.Minute)
	if writes, _ := undo(); writes != 1 {
		t.Errorf("%d writes after ten minutes without changes, want 1", writes)
	}
}

// The brake does not apply to a repair that the sweep hands over, because the
// brake leaves targets to the sweep.
func TestHandOverIsNotBraked(t *testing.T) {
	t.Parallel()
	w := healthy(t, "")
	function := w.app(catalog.Function(catalog.DeliveryRoles)) // stays warm
	undone := 0
	for ; undone < 20; undone++ {
		w.trust("ec2.amazonaws.com")
		before := len(w.Writes())
		if _, err := function.HandleEvent(t.Context(), batch(events.Read("UpdateAssumeRolePolicy.ours.json"))); err != nil {
			t.Fatal(err)
		}
		if len(w.Writes()) == before {
			break
		}
	}
	before := len(w.Writes())
	_, err := function.HandleEvent(t.Context(), []byte(`{"repair":"deliveryroles"}`))
	if got := w.Writes()[before:]; undone != 12 || err != nil || len(got) != 1 {
		t.Errorf("braked after %d repairs, then handed over: writes %v, %v; want 12 and the trust", undone, got, err)
	}
}

// Whoever undoes the topic often enough does not silence relight: topic, policy,
// key and subscribers are restored every time.
func TestNoBrakeOnTheTopic(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		event []byte
		undo  func(*world)
	}{
		{"topic", events.Read("DeleteTopic.ours.json"), (*world).deleteTopic},
		{"policy", events.Read("SetTopicAttributes.policy.json"), func(w *world) { w.setTopic("Policy", `{"Version":"2012-10-17","Statement":[]}`) }},
		{"key of the topic", events.Read("SetTopicAttributes.key.json"), func(w *world) { w.setTopic("KmsMasterKeyId", "") }},
		{"key", []byte(call("aws.kms", "DisableKey", `"requestParameters":{"keyId":"`+topicKey+`"}`)), keyAttacks["DisableKey"]},
		{"subscriber", events.Read("Unsubscribe.ours.json"), func(w *world) { w.unsubscribe(oncall) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := healthy(t, "")
			function := w.app(catalog.Function(catalog.Topics)) // stays warm
			for round := range 20 {
				tt.undo(w)
				before := len(w.Writes())
				if _, err := function.HandleEvent(t.Context(), batch(tt.event)); err != nil {
					t.Fatal(err)
				}
				if len(w.Writes()) == before {
					t.Fatalf("round %d: nothing was restored", round)
				}
			}
		})
	}
}
