package main

import (
	"errors"
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

// A sweep of several accounts has a line for each, and ends as its worst account does.
func TestSweepOfAccounts(t *testing.T) {
	s := app.Sweep{
		Account: "111122223333", Accounts: []app.Swept{
			{Account: "222233334444", Healthy: 3, Repaired: 1, Planned: 1},
			{Account: "333344445555", Unrestored: 1, Findings: 1},
			{Account: "444455556666", Unrestored: 1, Error: "list regions:\nno answer"},
		},
		Left: []string{"555566667777"},
	}
	var out strings.Builder
	if err := printSweep(&out, &flags{terminal: isTerminal}, s, "us-east-1", true); err != nil {
		t.Fatal(err)
	}
	want := `account 111122223333, home region us-east-1
0 healthy, 0 to restore, 0 restored, 0 not restored, 0 need action
account 222233334444: 3 healthy, 1 of 1 restored, 0 not restored, 0 need action
account 333344445555: 0 healthy, 0 of 0 restored, 1 not restored, 1 needs action
account 444455556666: 0 healthy, 0 of 0 restored, 1 not restored, 0 need action
  x list regions: no answer
no time was left for 1 of the accounts, which the next sweep begins with: 555566667777
`
	if got := out.String(); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
	err := unrestored(s)
	for _, want := range []string{"333344445555", "444455556666", "1 of the accounts"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	if err := seen(app.Sweep{Accounts: s.Accounts[:1]}); !errors.Is(err, errToDo) {
		t.Errorf("%v after a plan that would restore something in an account", err)
	}
	if err := seen(app.Sweep{Accounts: s.Accounts[2:]}); err == nil || !strings.Contains(err.Error(), "no answer") {
		t.Errorf("%v, want why an account was not read", err)
	}
	if err := errors.Join(seen(app.Sweep{}), unrestored(app.Sweep{})); err != nil {
		t.Error(err)
	}
}
