package app_test

import (
	"encoding/json"
	"strings"
	"testing"
	"testing/synctest"

	lambdaevents "github.com/aws/aws-lambda-go/events"

	"github.com/relight-aws/relight/events"
	"github.com/relight-aws/relight/internal/app"
)

// received returns a batch of one event that SQS delivers for the given time.
func received(t *testing.T, times string, body []byte) json.RawMessage {
	t.Helper()
	raw, err := json.Marshal(lambdaevents.SQSEvent{Records: []lambdaevents.SQSMessage{{
		MessageId: "m", Body: string(body), Attributes: map[string]string{"ApproximateReceiveCount": times},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// What AWS refuses for a while is reported if it still fails when the event comes again.
func TestNotRestoredIsSaidTheSecondTime(t *testing.T) {
	t.Parallel()
	for times, want := range map[string]int{"1": 0, "2": 1, "": 1} {
		w := healthy(t, few)
		w.deleteFlowLogs(home, "vpc-1")
		w.Fail("CreateFlowLogs", "RequestLimitExceeded")
		told := len(w.Messages())
		res, err := w.app("flowlogs").HandleEvent(t.Context(), received(t, times, events.Read("DeleteFlowLogs.one.json")))
		if again := res.(lambdaevents.SQSEventResponse).BatchItemFailures; err != nil || len(again) != 1 {
			t.Errorf("delivery %q: %v, %v; want it again", times, again, err)
		}
		if got := len(w.Messages()) - told; got != want {
			t.Errorf("delivery %q: %d messages, want %d:\n%s", times, got, want, w.told(told))
		}
		told = len(w.Messages())
		w.send(events.Read("DeleteFlowLogs.one.json"), true)
		if said := w.told(told); !strings.Contains(said, "flow log deleted by user/Alice: undone") {
			t.Errorf("delivery %q, and once more: %s", times, said)
		}
	}
}

// What fails for good, and what is about relight itself, does not wait.
func TestNotRestoredForGoodIsSaidAtOnce(t *testing.T) {
	t.Parallel()
	w := healthy(t, few)
	w.deleteFlowLogs(home, "vpc-1")
	w.Deny("CreateFlowLogs")
	told := len(w.Messages())
	if _, err := w.app("flowlogs").HandleEvent(t.Context(), received(t, "1", events.Read("DeleteFlowLogs.one.json"))); err != nil {
		t.Fatal(err)
	}
	if said := w.told(told); !strings.Contains(said, "[relight CRITICAL] flow log deleted by user/Alice: NOT undone") {
		t.Errorf("messages: %s", said)
	}
}

// relight's own calls are no cause. Whoever uses the name of one of its sessions in
// another role is named, and so is what relight never does.
func TestOwnWritesAreNoCause(t *testing.T) {
	t.Parallel()
	session := func(event, role string) []byte {
		raw := events.Read(event)
		var e map[string]any
		if err := json.Unmarshal(raw, &e); err != nil {
			t.Fatal(err)
		}
		e["detail"].(map[string]any)["userIdentity"] = map[string]any{
			"type": "AssumedRole", "arn": "arn:aws:sts::111122223333:assumed-role/" + role + "/relight-loggroups", "accountId": account,
		}
		out, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	const ours, others = "relight-loggroupsRole1A2B3C4D-5E6F7A8B", "anything"
	for _, tt := range []struct {
		event, role string
		named       bool
	}{{"PutMetricFilter.narrowed.json", ours, false}, {"DeleteMetricFilter.ours.json", ours, true}, {"PutMetricFilter.narrowed.json", others, true}, {"DeleteMetricFilter.ours.json", others, true}} {
		event, named := tt.event, tt.named
		w := healthy(t, few)
		harms[event].do(w)
		told := len(w.Messages())
		both := batch(session(event, tt.role), events.Read("DeleteLogGroup.trail.json"))
		if _, err := w.app("loggroups").HandleEvent(t.Context(), both); err != nil {
			t.Fatal(err)
		}
		said := w.told(told)
		if got := strings.Contains(said, tt.role+"/relight-loggroups"); got != named || said == "" {
			t.Errorf("%s: the message names relight's session: %t, want %t\n%s", event, got, named, said)
		}
	}
}

// A verification that reads too early looks again before people read that something is
// not restored.
func TestEarlyVerificationSaysNothingUntrue(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := healthy(t, "")
		w.deleteAlarms(rootUsage)
		w.Lag(1) // the verification sees the account as it was before
		told := len(w.Messages())
		w.send(events.Read("DeleteAlarms.one.json"), true)
		w.Lag(0)
		if said := w.told(told); !strings.Contains(said, "alarm deleted by user/Alice: undone") || strings.Contains(said, "NOT") {
			t.Errorf("messages: %s", said)
		}
	})
}

// A control that the configuration has since this sweep alone is created, and restored
// from then on.
func TestNewControlIsCreated(t *testing.T) {
	t.Parallel()
	w := healthy(t, `{"controls":{"root-usage":{"disabled":true}}}`)
	w.deleteAlarms("relight-root-usage")
	w.config = deployed(t, "").config
	told := len(w.Messages())
	w.sweep(app.Request{})
	if said := w.told(told); !strings.Contains(said, "Created: alarm relight-root-usage") || strings.Contains(said, "Restored: ") || !strings.Contains(said, "[relight INFO] ") {
		t.Errorf("messages: %s", said)
	}
	w.deleteAlarms("relight-root-usage")
	told = len(w.Messages())
	w.sweep(app.Request{})
	if said := w.told(told); !strings.Contains(said, "Restored: alarm relight-root-usage") || !strings.Contains(said, "[relight LOW] ") {
		t.Errorf("messages: %s", said)
	}
}
