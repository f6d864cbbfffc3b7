package e2e

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/relight-aws/relight/events"
	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/config"
	"github.com/relight-aws/relight/internal/lab"
	"github.com/relight-aws/relight/internal/lab/tap"
)

// TestRules puts every sample on the bus of its region. Exactly the queues of
// the kinds that it can harm receive it, through the deployed rules and, from
// the second region, the deployed forwarder.
func TestRules(t *testing.T) {
	s := shared
	s.drain(t)
	s.listening(t, false)
	defer s.listening(t, true)
	defer s.purge(t)

	watched := watchedCalls(t)
	want := map[string][]catalog.Function{} // by sample
	sample := map[string]string{}           // by event ID
	matched := map[string]bool{}            // rows of the table that some sample matched
	for _, name := range events.All() {
		var e tap.Event
		if strings.HasPrefix(name, "Malformed.") {
			continue // such an event is never on a bus, where details are objects
		}
		if err := json.Unmarshal(events.Read(name), &e); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if e.Account != lab.Account {
			continue // other accounts have their own buses
		}
		if sample[e.ID] != "" {
			t.Fatalf("%s and %s have one ID", name, sample[e.ID])
		}
		sample[e.ID] = name
		want[name] = expected(e, watched, matched)
		if err := s.Cloud.Emulator.Put(t.Context(), e); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	for _, c := range watched {
		if !matched[c.Source+c.Name] {
			t.Errorf("no sample of %s %s reached a rule", c.Source, c.Name)
		}
	}
	got := map[string][]catalog.Function{}
	for function, url := range s.queues(t) {
		for _, body := range s.receiveAll(t, url) {
			var e struct{ ID string }
			if err := json.Unmarshal([]byte(body), &e); err != nil {
				t.Fatal(err)
			}
			got[sample[e.ID]] = append(got[sample[e.ID]], function)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		slices.Sort(got[name])
		if !slices.Equal(got[name], want[name]) {
			t.Errorf("%s reached %v, want %v", name, got[name], want[name])
		}
	}
}

// forwarded are the types of the parts of a forwarder.
var forwarded = []catalog.ResourceType{catalog.EventRule, catalog.SQSQueue, catalog.Stack}

// watchedCalls returns the calls that the lab's deployment watches.
func watchedCalls(t *testing.T) []catalog.Call {
	t.Helper()
	raw, err := json.Marshal(lab.Config())
	if err != nil {
		t.Fatal(err)
	}
	c, err := config.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return c.Baseline().Calls()
}

// expected returns the functions whose queues an event has to reach. It reads
// the event itself, not any pattern.
func expected(e tap.Event, watched []catalog.Call, matched map[string]bool) []catalog.Function {
	var record struct{ EventName, ErrorCode string }
	_ = json.Unmarshal(e.Detail, &record) // a detail of another shape has neither
	var to []catalog.Function
	for _, c := range watched {
		if c.Tagged && !slices.ContainsFunc(c.Tags, func(tag string) bool { return strings.Contains(string(e.Detail), `"`+tag+`"`) }) {
			continue
		}
		if c.Memory && !strings.Contains(string(e.Detail), `"/relight/memory/`) {
			continue
		}
		if c.Source != e.Source || c.DetailType != e.DetailType || c.Name != "" && c.Name != record.EventName || record.ErrorCode != "" {
			continue
		}
		for _, k := range c.Kinds {
			if e.Region == lab.Region || k.Regional() || k == catalog.Guard && slices.Contains(forwarded, c.Type) {
				to = append(to, catalog.Function(k))
				matched[c.Source+c.Name] = true
			}
		}
	}
	slices.Sort(to)
	return slices.Compact(to) // several rows of one call are one rule
}

// receiveAll removes and returns every message of a queue.
func (s stage) receiveAll(t *testing.T, url string) []string {
	t.Helper()
	var bodies []string
	for {
		out, err := s.root.SQS.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: aws.String(url), MaxNumberOfMessages: 10})
		if err != nil {
			t.Fatal(err)
		}
		if len(out.Messages) == 0 {
			return bodies
		}
		for _, m := range out.Messages {
			bodies = append(bodies, strings.TrimSpace(aws.ToString(m.Body)))
			if _, err := s.root.SQS.DeleteMessage(t.Context(), &sqs.DeleteMessageInput{QueueUrl: aws.String(url), ReceiptHandle: m.ReceiptHandle}); err != nil {
				t.Fatal(err)
			}
		}
	}
}
