package main

import (
	"strings"
	"testing"

	"github.com/relight-aws/relight/internal/app"
	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/report"
)

// The columns are aligned for every kind.
func TestColumns(t *testing.T) {
	const region = "us-east-1"
	at := -1
	for _, k := range catalog.Kinds() {
		var out strings.Builder
		p := printer{w: &out}
		p.report(report.View{Kind: string(k), Region: region})
		if i := strings.Index(out.String(), region); p.err != nil || at >= 0 && i != at {
			t.Errorf("the region of %s is at column %d, want %d: %q, %v", k, i, at, out.String(), p.err)
		} else {
			at = i
		}
	}
}

// The text of a sweep says, for each kind and in total, what is healthy, what
// relight would restore and what needs action. An action that only remembers
// does not count as restoring.
func TestSweepText(t *testing.T) {
	var out strings.Builder
	alarm := report.Action{Action: "put alarm a on n/m (no alarm watches x)", Restores: true}
	memory := report.Action{Action: "remember trail t in p: bucket b, log-group g (it is not remembered yet)"}
	finding := report.Finding{Code: "topic-no-subscribers", Subject: "topic t", Problem: "it has no subscribers", Remedy: "Add subscribers."}
	err := printSweep(&out, &flags{terminal: isTerminal}, app.Sweep{
		Account: "111122223333", Healthy: 19, Planned: 1, Findings: 1, NotOptedIn: []string{"af-south-1"},
		Reports: []report.View{
			{Kind: "trails", Region: "us-east-1", Healthy: 1, Actions: []report.Action{memory}},
			{Kind: "alarms", Region: "us-east-1", Healthy: 18, Actions: []report.Action{alarm}, Findings: []report.Finding{finding}, ReliesOn: "metric filters ops"},
			{Kind: "flowlogs", Region: "eu-west-1"},
		},
	}, "us-east-1", true)
	want := `account 111122223333, home region us-east-1
trails        us-east-1       1 healthy, 1 to remember
  + remember trail t in p: bucket b, log-group g (it is not remembered yet)
alarms        us-east-1       18 healthy, 1 to restore, 1 needs action
  + put alarm a on n/m (no alarm watches x)
  ! [topic-no-subscribers] topic t: it has no subscribers
    Add subscribers.
  · relies on what others made: metric filters ops
nothing to protect in eu-west-1
skipped, not enabled for this account: af-south-1
19 healthy, 1 to restore, 0 restored, 0 not restored, 1 needs action
`
	if got := out.String(); err != nil || got != want {
		t.Errorf("%v, got:\n%s\nwant:\n%s", err, got, want)
	}
}

// The text of an event's run says who made the call, and what people should
// check because of it, even if there is nothing to restore.
func TestEventText(t *testing.T) {
	var out strings.Builder
	cause := report.Cause{EventName: "PutBucketPolicy", Names: []string{"audit"}, Actor: "principal AIDAX of account 444455556666\u202e", SourceIP: "198.51.100.7"}
	p := printer{w: &out}
	p.report(report.View{
		Kind: "trails", Region: "us-east-1", Healthy: 1, Causes: []report.Cause{cause, {EventName: "StopLogging"}},
		Notices: []report.Notice{{Cause: cause, Advice: "Read its new policy."}},
	})
	want := `trails        us-east-1       1 healthy
  < PutBucketPolicy of audit by principal AIDAX of account 444455556666  from 198.51.100.7
  < StopLogging by unknown from unknown
  ! PutBucketPolicy of audit: Read its new policy.
`
	if got := out.String(); p.err != nil || got != want {
		t.Errorf("%v, got:\n%s\nwant:\n%s", p.err, got, want)
	}
}
