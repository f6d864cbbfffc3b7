package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/spf13/cobra"

	"github.com/relight-aws/relight/internal/app"
	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/config"
)

// relight runs a command line in an empty directory without AWS credentials.
func relight(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = run(t.Context(), args, &out, &errs)
	return code, out.String(), errs.String()
}

func noAWS(t *testing.T) {
	t.Helper()
	t.Chdir(t.TempDir())
	for _, kv := range os.Environ() {
		if name, _, _ := strings.Cut(kv, "="); strings.HasPrefix(name, "AWS_") {
			t.Setenv(name, "")
			os.Unsetenv(name)
		}
	}
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	t.Setenv("AWS_CONFIG_FILE", os.DevNull)
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", os.DevNull)
}

func TestBadInput(t *testing.T) {
	noAWS(t)
	bad := filepath.Join(t.TempDir(), "bad.json")
	if err := os.WriteFile(bad, []byte(`{"prefx": "x", "sweepMinutes": 1, "regions": ["Ireland"]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	mixed := filepath.Join(t.TempDir(), "mixed.json")
	if err := os.WriteFile(mixed, []byte(`{"regions": ["eu-west-1"]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		args []string
		env  string // AWS_REGION
		want []string
	}{
		{[]string{"plan"}, "", []string{"no region", "AWS_REGION"}},
		{[]string{"plan"}, "eu-west-1", []string{"no usable AWS credentials", "aws sso login"}},
		{[]string{"plan", "--kinds", "alarm"}, "eu-west-1", []string{`no kind "alarm"`, "alarms"}},
		{[]string{"plan", "--config", bad}, "eu-west-1", []string{`did you mean "prefix"?`, "sweepMinutes 1", `"Ireland"`}},
		{[]string{"plan", "--config", mixed}, "us-gov-west-1", []string{"does not fit the home region us-gov-west-1", `"eu-west-1" is in partition aws,`}},
		{[]string{"plan", "--config", "nowhere.json"}, "eu-west-1", []string{"nowhere.json"}},
		{[]string{"controls", "--cis", "9.9"}, "", []string{"--cis 9.9", "5.0"}},
		{[]string{"controls", "--output", "yaml"}, "", []string{"--output yaml: use text, json\n"}},
		{[]string{"controls", "--output", "asff"}, "", []string{"--output asff: use text, json\n"}},
		{[]string{"audit", "--output", "yaml"}, "", []string{"--output yaml: use text, json, asff, ocsf\n"}},
		{[]string{"replay"}, "", []string{"at least 1 arg"}},
		{[]string{"probe"}, "", []string{"not a terminal", "--yes"}},
		{[]string{"probe", "--clean"}, "", []string{"not a terminal", "--yes"}},
		{[]string{"heal"}, "", []string{`unknown command "heal"`}},
	}
	for _, tt := range tests {
		t.Run(strings.Join(tt.args, " "), func(t *testing.T) {
			t.Setenv("AWS_REGION", tt.env)
			code, _, stderr := relight(t, tt.args...)
			if code != exitError {
				t.Errorf("exit code %d, want %d", code, exitError)
			}
			for _, want := range tt.want {
				if !strings.Contains(stderr, want) {
					t.Errorf("stderr does not say %q: %s", want, stderr)
				}
			}
		})
	}
}

// The command line refuses what the stack refuses, with every problem at once.
func TestRefusedConfiguration(t *testing.T) {
	dir, err := filepath.Abs("../../internal/config/testdata")
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile(filepath.Join(dir, "refused.txt"))
	if err != nil {
		t.Fatal(err)
	}
	noAWS(t)
	t.Setenv("AWS_REGION", "us-gov-west-1")
	for _, command := range []string{"controls", "plan", "apply", "audit", "backfill", "config", "drill", "accept", "scp"} {
		code, stdout, stderr := relight(t, command, "--config", filepath.Join(dir, "refused.json"))
		_, problems, _ := strings.Cut(string(want), ".json: ")
		if code != exitError || stdout != "" || !strings.HasSuffix(stderr, problems) {
			t.Errorf("%s: exit code %d, want %d; stdout %q; stderr:\n%s", command, code, exitError, stdout, stderr)
		}
	}
}

// An interrupted command reports the interruption and no other error.
func TestInterrupted(t *testing.T) {
	noAWS(t)
	t.Setenv("AWS_REGION", "eu-west-1")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out, errs bytes.Buffer
	if code := run(ctx, []string{"plan"}, &out, &errs); code != exitError || errs.String() != "relight: interrupted\n" {
		t.Errorf("exit code %d, want %d: %s", code, exitError, errs.String())
	}
}

// Only yes is yes. An interruption ends the question.
func TestAsked(t *testing.T) {
	ask := func(ctx context.Context, in io.Reader) bool {
		cmd := &cobra.Command{}
		cmd.SetContext(ctx)
		cmd.SetIn(in)
		cmd.SetErr(io.Discard)
		return asked(cmd, "Really?")
	}
	for answer, want := range map[string]bool{"yes\n": true, "yes": true, "y\n": false, "\n": false, "": false, "yes, no\n": false} {
		if got := ask(t.Context(), strings.NewReader(answer)); got != want {
			t.Errorf("answer %q counts as yes: %t", answer, got)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	silent, typed := io.Pipe()
	defer typed.Close()
	time.AfterFunc(10*time.Millisecond, cancel)
	if ask(ctx, silent) || ask(ctx, strings.NewReader("yes\n")) {
		t.Error("an interruption counts as yes")
	}
}

func TestControls(t *testing.T) {
	noAWS(t)
	local(t, `{"controls":{"root-usage":{"threshold":5,"periodSeconds":60},"iam-changes":{"disabled":true}},"addControls":[{"id":"mine","pattern":"ERROR"}]}`)
	code, stdout, _ := relight(t, "controls", "--output", "json")
	var got struct {
		Version  int       `json:"schema_version"`
		Controls []control `json:"controls"`
	}
	dec := json.NewDecoder(strings.NewReader(stdout))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&got); code != 0 || err != nil || got.Version != 1 || len(got.Controls) != len(catalog.Controls())+1 {
		t.Errorf("exit code %d, version %d, %d controls, %v", code, got.Version, len(got.Controls), err)
	}
	_, stdout, _ = relight(t, "controls", "--cis", "7.0")
	if strings.Count(stdout, "\n") != len(got.Controls)+1 {
		t.Errorf("table:\n%s", stdout)
	}
	for _, want := range []string{`(?m)^5\.\d+ .*1 in 5m0s`, `root-usage +5 in 1m0s`, `iam-changes +disabled`, `mine +1 in 5m0s +mine`} {
		if !regexp.MustCompile(want).MatchString(stdout) {
			t.Errorf("the table does not match %s:\n%s", want, stdout)
		}
	}
}

// A probe does not start with a prefix that is relight's own.
func TestProbePrefix(t *testing.T) {
	noAWS(t)
	t.Setenv("AWS_REGION", "eu-west-1")
	for prefix, want := range map[string]string{
		"relight": "relight's own", "relight-probe": "relight's own", "rel": "no usable AWS credentials", "probe-relight": "no usable AWS credentials",
		"Probe": "lower-case", "x": "3 to 40", strings.Repeat("x", 41): "3 to 40",
	} {
		code, _, stderr := relight(t, "probe", "--yes", "--prefix", prefix)
		if code != exitError || !strings.Contains(stderr, want) {
			t.Errorf("--prefix %s: exit code %d, want %q: %s", prefix, code, want, stderr)
		}
	}
}

// TestControlsTest: a file in any of its forms, and what is none.
func TestControlsTest(t *testing.T) {
	noAWS(t)
	file := func(content string) string {
		name := filepath.Join(t.TempDir(), "event.json")
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	const record = `{"eventSource":"cloudtrail.amazonaws.com","eventName":"StopLogging"}`
	for content, want := range map[string][]string{
		record: {"  + cloudtrail-changes (", `· cmk-disabled-or-deleted: $.eventName is "StopLogging", none of "DisableKey", "ScheduleKeyDeletion"; $.eventSource is "cloudtrail.amazonaws.com", not "kms.amazonaws.com"`, "1 of 19 controls count this event"},
		`{"version":"0","detail-type":"AWS API Call via CloudTrail","detail":` + record + `}`: {"  + cloudtrail-changes (", "1 of 19"},
		`{"Records":[` + record + `,{"eventName":"DeleteVpc"}]}`:                              {"event 1 of 2", "event 2 of 2", "  + vpc-changes"},
		`{"eventName":"DescribeVpcs"}`:                                                        {"0 of 19", "$.errorCode does not exist"},
		"a line of text":                                                                      {"0 of 19", "no JSON object"},
	} {
		code, stdout, stderr := relight(t, "controls", "test", "--event", file(content))
		for _, w := range want {
			if code != 0 || !strings.Contains(stdout, w) {
				t.Errorf("%s: exit code %d, %s, want %q:\n%s", content, code, stderr, w, stdout)
			}
		}
	}
	code, stdout, _ := relight(t, "controls", "test", "--event", file(record), "--control", "cloudtrail-changes,root-usage", "-o", "json")
	var got struct{ Results []tripped }
	if err := json.Unmarshal([]byte(stdout), &got); code != 0 || err != nil || len(got.Results) != 2 || !got.Results[0].Trips || got.Results[1].Trips || got.Results[1].Why == "" {
		t.Errorf("exit code %d, %v:\n%s", code, err, stdout)
	}
	mine := file(`{"addControls":[{"id":"mine","pattern":"{ $.a = b) }"}]}`)
	for want, args := range map[string][]string{
		"--event is missing":   {},
		"no such file":         {"--event", "gone.json"},
		"it is empty":          {"--event", file(" \n")},
		"and is none":          {"--event", file(`{"a":`)},
		"no Records":           {"--event", file(`{"Records":[]}`)},
		"use one of":           {"--event", file(record), "--control", "root"},
		"column 10: } is miss": {"--event", file(record), "--config", mine},
		"\n             ^":     {"--event", file(record), "--config", mine},
	} {
		if code, _, stderr := relight(t, append([]string{"controls", "test"}, args...)...); code != exitError || !strings.Contains(stderr, want) {
			t.Errorf("%v: exit code %d, %q, want %q", args, code, stderr, want)
		}
	}
}

// An interrupted command that a function carries on says so, and how to see it.
func TestRunsOn(t *testing.T) {
	fakeAWS(t, templateOf(t, `{}`))
	ctx, cancel := context.WithCancel(t.Context())
	invoked := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // the server sees the end of the connection only after the body
		close(invoked)
		<-r.Context().Done()
	}))
	defer server.Close()
	t.Setenv("AWS_ENDPOINT_URL_LAMBDA", server.URL)
	cmd := &cobra.Command{}
	cmd.SetContext(ctx)
	cmd.SetErr(io.Discard)
	cfg, err := awsconfig.LoadDefaultConfig(ctx)
	if err != nil {
		t.Fatal(err)
	}
	c, err := config.Parse(nil)
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		<-invoked
		cancel()
	}()
	_, err = invoke[app.Sweep](cmd, &account{aws: cfg, config: c}, app.Request{})
	if !isRunsOn(err) || !strings.Contains(err.Error(), "relight-backfill runs on") || !strings.Contains(err.Error(), "relight history") {
		t.Errorf("interrupted: %v", err)
	}
}

// Lines are coloured on a terminal alone, and not with NO_COLOR.
func TestColour(t *testing.T) {
	for name, tt := range map[string]struct {
		terminal       bool
		noColor, termi string
		want           string
	}{
		"a terminal": {true, "", "xterm", "\x1b[32m  + put alarm\x1b[0m\n1 healthy\n"},
		"a file":     {false, "", "xterm", "  + put alarm\n1 healthy\n"},
		"NO_COLOR":   {true, "1", "xterm", "  + put alarm\n1 healthy\n"},
		"a dumb one": {true, "", "dumb", "  + put alarm\n1 healthy\n"},
	} {
		t.Setenv("NO_COLOR", tt.noColor)
		t.Setenv("TERM", tt.termi)
		f := &flags{terminal: func(io.Writer) bool { return tt.terminal }}
		var out bytes.Buffer
		p := f.printer(&out)
		p.line("  + %s", "put alarm")
		p.line("1 healthy")
		if out.String() != tt.want {
			t.Errorf("%s: %q, want %q", name, out.String(), tt.want)
		}
	}
}

// A shell completes the values of flags that have a few.
func TestCompletion(t *testing.T) {
	noAWS(t)
	for args, want := range map[string]string{
		"plan --kinds fl": "flowlogs", "backfill --kinds al": "alarms", "audit --framework a": "all", "plan --output j": "json",
		"controls --cis 7": "7.0", "controls test --control root-u": "root-usage",
	} {
		if _, stdout, _ := relight(t, append([]string{"__complete"}, strings.Fields(args)...)...); !strings.Contains(stdout, want) {
			t.Errorf("%s completes to %q, want %s", args, stdout, want)
		}
	}
}
