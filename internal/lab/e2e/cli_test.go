package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/relight-aws/relight/internal/app"
	"github.com/relight-aws/relight/internal/lab"
	"github.com/relight-aws/relight/internal/lab/tap"
)

// TestCLI plans, applies, replays and backfills from a terminal while the
// functions receive no events.
func TestCLI(t *testing.T) {
	s := shared
	s.drain(t)
	s.listening(t, false)
	defer s.listening(t, true)
	defer s.purge(t)
	intruder := s.Customer.Intruder.In(lab.Region)
	cli := build(t)

	s.relight(t, cli, s.Cloud.Root(), 0, "plan")
	if out := s.relight(t, cli, s.Cloud.Root(), 1, "apply"); !strings.Contains(out, "--yes") {
		t.Errorf("apply without a terminal does not say how:\n%s", out)
	}
	attack("monitoring DisableAlarmActions, one")(t, intruder)
	attack("ec2 DeleteFlowLogs, one")(t, intruder)
	out := s.relight(t, cli, s.Cloud.Root(), 2, "plan", "--regions", lab.Region)
	for _, want := range []string{"put alarm relight-cloudtrail-changes", "its actions are disabled", "create flow-log on vpc-", "2 to restore, 0 restored"} {
		if !strings.Contains(out, want) {
			t.Errorf("plan does not say %q:\n%s", want, out)
		}
	}
	event := filepath.Join(t.TempDir(), "event.json")
	raw, err := json.Marshal(s.findEvent(t, func(name, _ string, _ tap.Event) bool { return name == "DisableAlarmActions" }))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(event, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	s.relight(t, cli, s.Cloud.Root(), 2, "backfill", "--plan")
	if out := s.relight(t, cli, s.Cloud.Root(), 0, "replay", event); !strings.Contains(out, "1 to restore") {
		t.Errorf("replay does not plan:\n%s", out)
	}
	sample := filepath.Join("..", "..", "..", "events", "DisableAlarmActions.foreign.json")
	if sample, err = filepath.Abs(sample); err != nil {
		t.Fatal(err)
	}
	if out := s.relight(t, cli, s.Cloud.Root(), 0, "replay", "--here", sample); strings.Contains(out, "not this deployment's") || !strings.Contains(out, "alarms") {
		t.Errorf("replay --here does not look:\n%s", out)
	}
	if out := s.relight(t, cli, s.Cloud.Root(), 0, "replay", "--repair", event); !strings.Contains(out, "1 restored") {
		t.Errorf("replay --repair does not restore:\n%s", out)
	}
	if out := s.relight(t, cli, s.Cloud.Root(), 0, "apply", "--yes", "--kinds", "flowlogs", "--regions", lab.Region); !strings.Contains(out, "1 restored") {
		t.Errorf("apply does not restore:\n%s", out)
	}
	attack("logs DeleteMetricFilter, one")(t, intruder)
	var sweep app.Sweep
	if err := json.Unmarshal([]byte(s.relight(t, cli, s.Cloud.Root(), 0, "backfill", "--output", "json")), &sweep); err != nil || sweep.Repaired != 1 {
		t.Errorf("backfill restored %d, %v; want 1", sweep.Repaired, err)
	}
	s.relight(t, cli, s.Cloud.Root(), 0, "plan")
}

// build returns the path of a new CLI binary.
func build(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "relight")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", path, "../../../cmd/relight").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return path
}

// TestCLIWithoutDeployment plans an account that has neither a trail nor
// relight: the CLI reports what is missing and what to do first.
func TestCLIWithoutDeployment(t *testing.T) {
	s := shared
	cli := build(t)
	other := s.Cloud.Root()
	other.AccessKey = "444455556666"
	tests := []struct {
		code int
		args []string
		want []string
	}{
		{2, []string{"plan", "--regions", lab.Region}, []string{
			"create flow-log on vpc-", "create log-group relight-flow-logs with 365 days of retention",
			"it has no multi-region trail", "relight is not deployed here: make deploy",
		}},
		{1, []string{"apply", "--yes", "--kinds", "flowlogs", "--regions", lab.Region}, []string{"there is no function named relight-backfill in " + lab.Region}},
		{1, []string{"backfill"}, []string{"there is no function named relight-backfill in " + lab.Region}},
		{1, []string{"plan", "--regions", "xx-nowhere-1"}, []string{"region xx-nowhere-1 is not enabled for account 444455556666"}},
	}
	for _, tt := range tests {
		out := s.relight(t, cli, other, tt.code, tt.args...)
		for _, want := range tt.want {
			if !strings.Contains(out, want) {
				t.Errorf("relight %s does not say %q:\n%s", strings.Join(tt.args, " "), want, out)
			}
		}
	}
}

// relight runs the CLI as a principal and returns its complete output. It wants an exit
// code, unless that is negative.
func (s stage) relight(t *testing.T, cli string, who lab.Principal, want int, args ...string) string {
	t.Helper()
	dir := t.TempDir()
	if !slices.Contains(args, "--config") { // the default configuration, and not the deployed one
		file := filepath.Join(dir, "defaults.json")
		if err := os.WriteFile(file, []byte("{}"), 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(slices.Clone(args), "--config", file)
	}
	cmd := exec.CommandContext(t.Context(), cli, args...)
	cmd.Dir = dir
	cmd.Env = who.Environ(lab.Region)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	code := 0
	if err := cmd.Run(); err != nil {
		exit := new(exec.ExitError)
		if !errors.As(err, &exit) {
			t.Fatal(err)
		}
		code = exit.ExitCode()
	}
	if code != want && want >= 0 {
		t.Errorf("relight %s ended with %d, want %d: %s%s", strings.Join(args, " "), code, want, out.String(), errs.String())
	}
	return out.String() + errs.String()
}
