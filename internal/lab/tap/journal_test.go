package tap

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func deleteGroup(name string) wire {
	return wire{service: "logs", headers: target("Logs_20140328.DeleteLogGroup"), body: `{"logGroupName":"` + name + `"}`}
}

// A client that has the reply finds the call in the journal.
func TestCalls(t *testing.T) {
	f := newFake(t)
	start := time.Now()
	var notified []Call
	stop := f.tap.OnCall(func(c Call) { notified = append(notified, c) })

	f.status, f.body = 400, `{"__type":"ThrottlingException"}`
	w := wire{service: "logs", key: lambda, headers: target("Logs_20140328.DeleteLogGroup"), body: `{"logGroupName":"g"}`}
	w.headers["Amz-Sdk-Invocation-Id"], w.headers["Amz-Sdk-Request"] = "i-1", "attempt=1; max=3"
	f.send(w)
	f.status, f.body = 200, "{}"
	w.headers["Amz-Sdk-Request"] = "attempt=2; max=3"
	f.send(w)
	f.send(wire{service: "ec2", headers: form(), body: "Action=DescribeVpcs"})
	stop()
	f.send(wire{service: "lambda", path: "2015-03-31/functions/fn/invocations"})

	if len(notified) != 3 || notified[2].Seq != 3 {
		t.Errorf("notified of %+v, want the first three calls", notified)
	}
	calls := f.tap.Calls(ByRole("arn:aws:iam::111122223333:role/fn-role", start))
	if len(calls) != 2 || Invocations(calls) != 1 {
		t.Fatalf("%d calls of the role in %d invocations, want 2 in 1", len(calls), Invocations(calls))
	}
	if got := f.tap.Calls(ByRole("arn:aws:iam::111122223333:role/fn-role", time.Now())); len(got) != 0 {
		t.Errorf("%d calls since now, want none", len(got))
	}
	first := calls[0]
	first.Time, first.Took, first.UserAgent, first.EventIDs = time.Time{}, 0, "", nil
	want := Call{
		Seq: 1, Service: "logs", Operation: "DeleteLogGroup", Region: "eu-west-1", Account: account,
		Principal: "arn:aws:sts::111122223333:assumed-role/fn-role/fn", Role: "arn:aws:iam::111122223333:role/fn-role",
		Status: 400, ErrorCode: "ThrottlingException", InvocationID: "i-1", Attempt: 1,
		Write: true, Params: map[string]any{"logGroupName": "g"},
	}
	if d := cmp.Diff(want, first); d != "" {
		t.Errorf("call (-want +got):\n%s", d)
	}
	events := f.events()
	if len(events) != 2 || events[1].ID != calls[1].EventIDs[0] {
		t.Errorf("events %+v are not those of the calls %+v", events, calls)
	}
	if all := f.tap.Calls(nil); len(all) != 4 || all[3].Operation != "POST /2015-03-31/functions/fn/invocations" || all[3].Write {
		t.Errorf("calls %+v", all)
	}
	if f.asked != 2 {
		t.Errorf("asked %d times who a key is, want 2", f.asked)
	}
}

// Calls without an invocation ID are counted one by one.
func TestInvocationsWithoutIDs(t *testing.T) {
	if got := Invocations([]Call{{}, {}, {InvocationID: "a"}, {InvocationID: "a"}}); got != 3 {
		t.Errorf("got %d, want 3", got)
	}
}

// Events keep the order of the replies, and an event that a bus refused at
// first is not lost.
func TestEventsInOrder(t *testing.T) {
	f := newFake(t)
	failures := 2
	f.putErr = func(Event) error {
		if failures--; failures >= 0 {
			return errors.New("connection refused")
		}
		return nil
	}
	f.body = "{}"
	var want []string
	for i := range 20 {
		f.send(deleteGroup(fmt.Sprint(i)))
		calls := f.tap.Calls(nil)
		want = append(want, calls[len(calls)-1].EventIDs...)
	}
	var got []string
	for _, e := range f.events() {
		got = append(got, e.ID)
	}
	if d := cmp.Diff(want, got); d != "" || len(want) != 20 {
		t.Errorf("events (-want +got):\n%s", d)
	}
	if len(f.tap.Events()) != 20 || len(f.tap.Errs()) != 0 {
		t.Errorf("%d events, errors %v", len(f.tap.Events()), f.tap.Errs())
	}
}

// An event that no bus will ever accept does not delay the next event, and the
// tap reports it.
func TestRefusedEvent(t *testing.T) {
	f := newFake(t)
	var notified error
	f.tap.OnError(func(err error) { notified = err })
	first := true
	f.putErr = func(Event) error {
		if first {
			first = false
			return fmt.Errorf("%w: no such account", ErrRefused)
		}
		return nil
	}
	f.body = "{}"
	f.send(deleteGroup("a"))
	f.send(deleteGroup("b"))
	if got := f.events(); len(got) != 1 {
		t.Errorf("%d events on the bus, want 1", len(got))
	}
	if errs := f.tap.Errs(); len(errs) != 1 || !errors.Is(errs[0], ErrRefused) || !errors.Is(notified, ErrRefused) {
		t.Errorf("errors %v, notified of %v", errs, notified)
	}
}

// Close reports the events that it could not deliver.
func TestCloseIsBounded(t *testing.T) {
	f := newFake(t)
	f.putErr = func(Event) error { return errors.New("connection refused") }
	f.body = "{}"
	f.send(deleteGroup("a"))
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := f.tap.Close(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Close: %v, want the deadline", err)
	}
}

// A call without a reply is recorded, and raises no event, because its effect
// is unknown.
func TestNoReply(t *testing.T) {
	f := newFake(t)
	f.status = 0
	resp := f.send(deleteGroup("a"))
	calls := f.tap.Calls(nil)
	if resp.StatusCode != 502 || len(calls) != 1 || calls[0].ErrorCode != "NoReply" || len(f.tap.Errs()) != 1 {
		t.Errorf("status %d, calls %+v, errors %v", resp.StatusCode, calls, f.tap.Errs())
	}
	if got := f.events(); len(got) != 0 {
		t.Errorf("events %+v, want none", got)
	}
}

// A call continues and raises its event even if its client disconnects.
func TestClientGone(t *testing.T) {
	f := newFake(t)
	f.body = "{}"
	ctx, cancel := context.WithCancel(t.Context())
	f.during = func() {
		cancel()
		time.Sleep(50 * time.Millisecond)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, f.front.URL, strings.NewReader(`{"logGroupName":"g"}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+root+"/20261121/eu-west-1/logs/aws4_request")
	req.Header.Set("X-Amz-Target", "Logs_20140328.DeleteLogGroup")
	if _, err := http.DefaultClient.Do(req); !errors.Is(err, context.Canceled) {
		t.Fatalf("%v, want a client that gave up", err)
	}
	for range 100 {
		if len(f.tap.Calls(nil)) > 0 {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if got := f.events(); len(got) != 1 || len(f.tap.Errs()) != 0 {
		t.Errorf("%d events, want 1; errors %v", len(got), f.tap.Errs())
	}
}
