package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/relight-aws/relight/internal/report"
)

// healthyStatus returns the status of a deployment in which everything is healthy.
func healthyStatus() status {
	now := time.Date(2026, 3, 3, 12, 15, 0, 0, time.UTC)
	lag := int64(4200)
	return status{
		Account: "111122223333", Region: "eu-west-1", Stack: "relight", Version: "1.2.3", Time: now,
		Sweep:       &sweepStatus{Began: now.Add(-4 * time.Minute), Finished: now.Add(-3 * time.Minute), Protected: 142, Restored: 1},
		Event:       &entry{Time: now.Add(-2 * time.Hour), Event: "DeleteAlarms", Actor: "arn:aws:iam::111122223333:user/Alice", Outcome: report.Restored, Lag: &lag},
		Queues:      []queueStatus{{Name: "relight-alarms", Messages: 2, Oldest: 3}, {Name: "relight-trails"}},
		DeadLetters: []queueStatus{{Name: "relight-alarms-dead-letters"}},
		Subscribers: []subscriberState{{"arn:aws:sns:eu-west-1:111122223333:t", "email", "alice@example.com", true}},
		compared:    "; the local file differs in 2 values: see relight config",
	}
}

func TestStatus(t *testing.T) {
	const interval = 15 * time.Minute
	var out strings.Builder
	for _, tt := range []struct {
		name   string
		change func(*status)
		want   string // a part of the only problem; "" for healthy
	}{
		{"healthy", func(*status) {}, ""},
		{"never swept", func(s *status) { s.Sweep, s.Version = nil, "" }, "no sweep of everything has finished"},
		{"swept long ago", func(s *status) { s.Sweep.Finished = s.Time.Add(-2 * time.Hour) }, "the last sweep finished 2h ago, and should every 15m"},
		{"unrestored", func(s *status) { s.Sweep.Unrestored = 3 }, "could not restore 3"},
		{"observed", func(s *status) { s.Sweep.Planned = 3 }, "would have restored 3, but the mode is observe"},
		{"a finding", func(s *status) { s.Sweep.Findings = 1 }, "1 finding of the last sweep"},
		{"a late message", func(s *status) { s.Queues[1].Oldest = 3600 }, "the oldest message in relight-trails is 60m old"},
		{"a dead letter", func(s *status) { s.DeadLetters[0].Messages = 1 }, "1 message is in relight-alarms-dead-letters"},
		{"an alarm", func(s *status) { s.Alarms = []alarmStatus{{Name: "relight-untold", State: "ALARM"}} }, "the alarm relight-untold is in ALARM"},
		{"no alarm", func(s *status) { s.Alarms = []alarmStatus{{Name: "relight-untold", State: "missing"}} }, "the alarm relight-untold does not exist"},
		{"paused", func(s *status) { s.Pause, s.paused = &report.Pause{}, "until noon" }, "relight is paused until noon"},
		{"a pending subscriber", func(s *status) { s.Subscribers[0].Confirmed = false }, "email alice@example.com has not confirmed"},
	} {
		s := healthyStatus()
		tt.change(&s)
		s.judge(interval)
		if tt.want == "" && !s.Healthy || tt.want != "" && (s.Healthy || len(s.Problems) != 1 || !strings.Contains(s.Problems[0], tt.want)) {
			t.Errorf("%s: healthy %t, problems %q; want %q", tt.name, s.Healthy, s.Problems, tt.want)
		}
	}
	bad := healthyStatus()
	bad.Sweep.Findings, bad.Sweep.Unrestored, bad.DeadLetters[0].Messages, bad.Event = 1, 1, 2, nil
	bad.Open = []string{"[topic-denied] topic relight: \u202eits policy denies publishing. Change it."}
	hub := healthyStatus()
	hub.Accounts = []accountStatus{
		{Account: hub.Account, Healthy: 142, Checked: &hub.Sweep.Finished, Wires: "intact"},
		{Account: "222233334444", Healthy: 31, ToRestore: 1, NeedsAction: 2, Checked: &hub.Sweep.Finished, Wires: "cut", Why: "[spoke-role-changed] role relight-spoke: it differs"},
		{Account: "333344445555", Wires: "unknown", Why: "the last sweep could not sweep it: list regions: no answer"},
		{Account: "444455556666", ToRestore: 2, Checked: &hub.Sweep.Began, Wires: "intact"},
	}
	many := healthyStatus()
	for i := range 40 {
		many.Accounts = append(many.Accounts, accountStatus{Account: fmt.Sprint(100000000000 + i), Healthy: 3, Checked: &many.Sweep.Finished, Wires: "intact"})
		if i > 20 {
			many.Accounts[i].NeedsAction, many.Accounts[i].Why = 1, "[topic-denied] a topic"
		}
	}
	for _, s := range []status{healthyStatus(), bad, hub, many} {
		s.judge(interval)
		if err := printStatus(&out, s, false); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join("testdata", "status.txt")
	if *update {
		if err := os.WriteFile(path, []byte(out.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), out.String()); diff != "" {
		t.Errorf("%s, rewritten by go test -update (-want +got):\n%s", path, diff)
	}
}

func TestStatusNeedsADeployment(t *testing.T) {
	fakeAWS(t, "")
	if code, _, stderr := relight(t, "status"); code != exitError || !strings.Contains(stderr, "relight is not deployed") {
		t.Errorf("exit code %d: %s", code, stderr)
	}
}
