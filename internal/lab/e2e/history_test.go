package e2e

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/lab"
)

// A historyEntry is what "relight history --output json" says of one thing that was done.
type historyEntry struct {
	Time      time.Time `json:"time"`
	Outcome   string    `json:"outcome"`
	Kind      string    `json:"kind"`
	Region    string    `json:"region"`
	Target    string    `json:"target"`
	Actor     string    `json:"actor"`
	SourceIP  string    `json:"source_ip"`
	Event     string    `json:"event"`
	EventTime time.Time `json:"event_time"`
	Lag       int64     `json:"lag_ms"`
}

// TestHistory makes ten different attacks. The history has each of them, with the caller,
// the time, how long it took and what became of it, and nothing that somebody else did.
func TestHistory(t *testing.T) {
	s := shared
	cli := build(t)
	s.drain(t)
	begin := time.Now()
	attacks := []struct {
		name, event string
		outcomes    []string
	}{
		{"ec2 DeleteFlowLogs, one", "DeleteFlowLogs", restored},
		{"ec2 CreateVpc", "CreateVpc", restored},
		{"logs DeleteMetricFilter, one", "DeleteMetricFilter", restored},
		{"logs PutRetentionPolicy, a day", "PutRetentionPolicy", restored},
		{"logs PutLogGroupDeletionProtection, off, flow logs'", "PutLogGroupDeletionProtection", restored},
		{"logs DisassociateKmsKey, the trail's", "DisassociateKmsKey", []string{"noticed"}},
		{"monitoring DeleteAlarms, one", "DeleteAlarms", restored},
		{"monitoring DisableAlarmActions, one", "DisableAlarmActions", restored},
		{"cloudtrail UpdateTrail, stripped", "UpdateTrail", restored},
		{"logs DeleteLogGroup, the trail's", "PutLogGroupDeletionProtection DeleteLogGroup", []string{"restored"}}, // one batch may have both calls
	}
	for _, at := range attacks {
		attack(at.name)(t, s.Customer.Intruder.In(lab.Region))
		time.Sleep(time.Second) // what the calls of one second do to one thing is one entry's
		s.drain(t)
	}
	var got struct {
		SchemaVersion int            `json:"schema_version"`
		Notes         []string       `json:"notes"`
		Entries       []historyEntry `json:"entries"`
	}
	out := s.relight(t, cli, s.Cloud.Root(), 0, "history", "--since", "1h", "--actor", "user/intruder", "--output", "json")
	if err := json.Unmarshal([]byte(out), &got); err != nil || got.SchemaVersion != 1 || len(got.Notes) > 0 {
		t.Fatalf("%v, schema %d, notes %v", err, got.SchemaVersion, got.Notes)
	}
	for _, at := range attacks {
		found := slices.IndexFunc(got.Entries, func(e historyEntry) bool {
			return e.Event != "" && strings.Contains(at.event, e.Event) && slices.Contains(at.outcomes, e.Outcome) && strings.HasSuffix(e.Actor, ":user/intruder") && e.SourceIP != "" &&
				e.Time.After(begin) && e.EventTime.After(begin.Add(-time.Second)) && e.Region == lab.Region && e.Kind != "" && e.Target != "" &&
				(e.Outcome == "noticed" || e.Lag > 0 && e.Lag < 60_000)
		})
		if found < 0 {
			t.Errorf("the history does not have %s", at.name)
		}
	}
	if t.Failed() {
		t.Log(out)
	}
	for _, e := range got.Entries {
		if !strings.HasSuffix(e.Actor, ":user/intruder") {
			t.Errorf("asked for one caller, it has %+v", e)
		}
	}
	t.Log("\n" + s.relight(t, cli, s.Cloud.Root(), 0, "history", "--since", "1h", "--actor", "intruder"))
}

// restored are the outcomes of what relight undid.
var restored = []string{"restored", "created"}

// TestStatus asks for the status when everything is healthy, and with a message that no
// function could handle.
func TestStatus(t *testing.T) {
	s := shared
	cli := build(t)
	s.drain(t)
	var began time.Time
	for range 2 { // the first one reports what earlier attacks left behind
		began = time.Now()
		s.invoke(t, catalog.Backfill, struct{}{})
		s.drain(t)
	}
	var got struct {
		Healthy   bool     `json:"healthy"`
		Problems  []string `json:"problems"`
		LastSweep struct {
			Finished  time.Time `json:"finished"`
			Protected int       `json:"protected"`
		} `json:"last_sweep"`
		DeadLetters []struct {
			Messages int `json:"messages"`
		} `json:"dead_letters"`
	}
	for end := time.Now().Add(30 * time.Second); !got.LastSweep.Finished.After(began) && time.Now().Before(end); { // the log may be late
		_ = json.Unmarshal([]byte(s.relight(t, cli, s.Cloud.Root(), -1, "status", "--output", "json")), &got)
	}
	out := s.relight(t, cli, s.Cloud.Root(), 0, "status", "--output", "json")
	if err := json.Unmarshal([]byte(out), &got); err != nil || !got.Healthy || time.Since(got.LastSweep.Finished) > 5*time.Minute || got.LastSweep.Protected == 0 || len(got.DeadLetters) == 0 {
		t.Errorf("%v: %s", err, out)
	}
	t.Log("\n" + s.relight(t, cli, s.Cloud.Root(), 0, "status"))

	url, err := s.root.SQS.GetQueueUrl(t.Context(), &sqs.GetQueueUrlInput{QueueName: aws.String(s.Prefix + "-" + catalog.DeadLetters(catalog.Alarms))})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.root.SQS.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: url.QueueUrl, MessageBody: aws.String("no event")}); err != nil {
		t.Fatal(err)
	}
	out = s.relight(t, cli, s.Cloud.Root(), 2, "status", "--output", "json")
	if err := json.Unmarshal([]byte(out), &got); err != nil || got.Healthy || !slices.ContainsFunc(got.Problems, func(p string) bool {
		return strings.Contains(p, "1 message is in relight-alarms-dead-letters")
	}) {
		t.Errorf("%v: %s", err, out)
	}
	if _, err := s.root.SQS.PurgeQueue(t.Context(), &sqs.PurgeQueueInput{QueueUrl: url.QueueUrl}); err != nil {
		t.Fatal(err)
	}
}
