package report_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/plan"
	"github.com/relight-aws/relight/internal/remedy"
	"github.com/relight-aws/relight/internal/report"
)

var update = flag.Bool("update", false, "rewrite the golden files")

var (
	scope = remedy.Scope{Account: "111122223333", Region: "us-east-1", Kind: catalog.LogGroups, Type: catalog.LogGroup, Names: "trail"}
	cause = remedy.Cause{
		EventID: "e-1", EventName: "DeleteMetricFilter", Actor: "arn:aws:iam::111122223333:user/Alice",
		SourceIP: "192.0.2.10", Time: time.Date(2026, 3, 3, 12, 18, 42, 0, time.UTC),
	}
	denied = &remedy.Error{
		Op: "logs.PutMetricFilter", Target: "relight-b", Class: remedy.Terminal, Hint: "allow the action in the role's policy",
		Err: errors.New("AccessDeniedException: no"),
	}
)

func put(name string) plan.Action {
	return plan.PutFilter{LogGroup: "trail", Filter: plan.Filter{Name: name}, Reason: "no filter measures it"}
}

// full returns a report with an entry in every part: relight restored
// relight-a, AWS refused relight-b, and AWS accepted relight-c although it is
// still missing.
func full() remedy.Report {
	direct := remedy.Cause{EventID: "e-2", EventName: catalog.AlarmChange, Time: cause.Time.Add(-time.Second)}
	return remedy.Report{
		Scope: scope, Mode: catalog.Repair,
		Plan: plan.Plan{
			Actions:  []plan.Action{put("relight-a"), put("relight-b"), put("relight-c")},
			Findings: []plan.Finding{plan.NewFinding(plan.TopicNoSubscribers, plan.Args{"topic": "relight"})},
			Skips:    []plan.Skip{{Subject: "vpc-1", Reason: "exempt by configuration"}},
			Healthy:  15,
		},
		Outcomes:  []remedy.Outcome{{Action: put("relight-a")}, {Action: put("relight-b"), Err: denied}, {Action: put("relight-c")}},
		Remaining: []plan.Action{put("relight-b"), put("relight-c")},
		Causes:    []remedy.Cause{cause, direct},
	}
}

func planned() remedy.Report {
	r := full()
	r.Mode, r.Outcomes, r.Remaining, r.Causes = catalog.Observe, nil, nil, nil
	return r
}

func unread() remedy.Report {
	return remedy.Report{Scope: scope.Everything(), Mode: catalog.Repair, Err: errors.New("observe loggroups/us-east-1: throttled"), Causes: []remedy.Cause{cause}}
}

// golden compares got with a file. With -update it rewrites the file.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s, rewritten by go test -update (-want +got):\n%s", path, diff)
	}
}

func TestView(t *testing.T) {
	for name, r := range map[string]remedy.Report{"full": full(), "planned": planned(), "unread": unread()} {
		var out bytes.Buffer
		enc := json.NewEncoder(&out)
		enc.SetIndent("", "  ")
		enc.SetEscapeHTML(false)
		if err := enc.Encode(report.ViewOf(r)); err != nil {
			t.Fatal(err)
		}
		golden(t, name+".json", out.Bytes())
	}
}

// An empty list is present in the JSON, so readers need not check for it.
func TestViewOfNothing(t *testing.T) {
	raw, err := json.Marshal(report.ViewOf(remedy.Report{Scope: scope}))
	if err != nil {
		t.Fatal(err)
	}
	for _, list := range []string{`"actions":[]`, `"findings":[]`, `"skipped":[]`} {
		if !strings.Contains(string(raw), list) {
			t.Errorf("%s lacks %s", raw, list)
		}
	}
}

func TestUnrestored(t *testing.T) {
	tests := map[string]struct {
		r    remedy.Report
		want int
	}{
		"at rest":                {remedy.Report{}, 0},
		"planned only":           {planned(), 0},
		"failed, and remaining":  {full(), 2},
		"unread":                 {unread(), 1},
		"remaining, never tried": {remedy.Report{Remaining: []plan.Action{put("a"), put("b")}}, 2},
		"not verified":           {remedy.Report{Outcomes: []remedy.Outcome{{Action: put("a")}}, Err: errors.New("verify")}, 1},
		"all restored":           {remedy.Report{Outcomes: []remedy.Outcome{{Action: put("a")}, {Action: put("b")}}}, 0},
	}
	for name, tt := range tests {
		if got := report.Unrestored(tt.r); got != tt.want {
			t.Errorf("%s: %d, want %d", name, got, tt.want)
		}
	}
}

var discard = slog.New(slog.DiscardHandler)
