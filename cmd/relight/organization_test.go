package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"

	"github.com/relight-aws/relight/internal/app"
	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/config"
	"github.com/relight-aws/relight/internal/report"
)

const (
	theHub    = "111122223333"
	theFirst  = "222233334444"
	theSecond = "333344445555"
	theThird  = "444455556666"
	aHub      = `{"organization":{"id":"o-a1b2c3d4e5","hubAccount":"111122223333","accounts":["222233334444","333344445555","444455556666"]}}`
)

// A stepFunctions answers for Step Functions. Each time somebody reads its execution, one more cell
// is done; when none is left, it has succeeded.
type stepFunctions struct {
	mu     sync.Mutex
	rounds [][]app.Swept // what comes of each cell; one with an Error fails
	own    app.Swept
	ends   string // the status with which the execution ends; "" for SUCCEEDED
	silent bool   // it says no reason
	gone   int    // accounts that are suspended
	cut    int    // after so many bytes, its sum cuts reasons
	denied string // an operation that AWS denies
	before func(n int)
	calls  []string
	ticks  int
	name   string // of the execution, once it has begun
	input  string
}

const ticking = 7 * time.Second // passes with each read

var atFirst = time.Date(2026, 3, 3, 12, 0, 0, 0, time.UTC)

// now returns the time in the world of the execution.
func (s *stepFunctions) now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.time(s.ticks)
}

func (s *stepFunctions) time(ticks int) time.Time { return atFirst.Add(time.Duration(ticks) * ticking) }

// cells returns how many cells of a round are done, and whether it has begun. The accounts are
// found after the first tick.
func (s *stepFunctions) cells(round int) (done int, begun bool) {
	left := s.ticks - 2
	for i, cells := range s.rounds[:round+1] {
		if i == round {
			return min(max(left, 0), len(cells)), left >= 0
		}
		left -= len(cells) + 1
	}
	return 0, false
}

func (s *stepFunctions) over() bool {
	done, _ := s.cells(len(s.rounds) - 1)
	return done == len(s.rounds[len(s.rounds)-1])
}

func (s *stepFunctions) output() string {
	sum := app.Gathered{Cells: []app.Cell{}, Own: &s.own, Suspended: s.gone}
	rows := map[string]int{}
	for _, cells := range s.rounds {
		for _, c := range cells {
			if c.Error != "" {
				if s.cut > 0 {
					c.Error = c.Error[:s.cut]
				}
				sum.Unswept = append(sum.Unswept, app.Unswept{Account: c.Account, Error: c.Error})
				continue
			}
			c.Reports = nil
			if i, known := rows[c.Account]; known {
				sum.Swept[i] = sum.Swept[i].And(c)
				continue
			}
			rows[c.Account] = len(sum.Swept)
			sum.Swept = append(sum.Swept, c)
		}
	}
	raw, _ := json.Marshal(sum)
	return string(raw)
}

func (s *stepFunctions) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	op := strings.TrimPrefix(r.Header.Get("X-Amz-Target"), "AWSStepFunctions.")
	if s.before != nil {
		s.before(len(s.calls))
	}
	s.calls = append(s.calls, op)
	var in struct{ Name, Input, StateMachineArn, ExecutionArn, MapRunArn, StatusFilter string }
	_ = json.NewDecoder(r.Body).Decode(&in)
	answer := func(v any) {
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		_ = json.NewEncoder(w).Encode(v)
	}
	refuse := func(code string) {
		w.WriteHeader(http.StatusBadRequest)
		answer(map[string]string{"__type": code, "message": "no"})
	}
	epoch := func(t time.Time) float64 { return float64(t.Unix()) }
	const arns = "arn:aws:states:eu-west-1:111122223333:"
	execution := func() string { return arns + "execution:relight-sweep:" + s.name }
	run := func(i int) string { return fmt.Sprintf("%smapRun:relight-sweep/Accounts:%d", arns, i) }
	status := func() string {
		if !s.over() {
			return "RUNNING"
		}
		if s.ends != "" {
			return s.ends
		}
		return "SUCCEEDED"
	}
	switch {
	case op == s.denied:
		refuse("AccessDeniedException")
	case op == "StartExecution" && in.StateMachineArn != arns+"stateMachine:relight-sweep":
		refuse("StateMachineDoesNotExist")
	case op == "StartExecution":
		s.name, s.input = in.Name, in.Input
		answer(map[string]any{"executionArn": execution(), "startDate": epoch(atFirst)})
	case op == "ListExecutions" && in.MapRunArn == "":
		found := []any{}
		if s.name != "" && (in.StatusFilter == "" || in.StatusFilter == status()) {
			found = append(found, map[string]any{"executionArn": execution(), "name": s.name, "status": status(), "startDate": epoch(atFirst), "stateMachineArn": in.StateMachineArn})
		}
		answer(map[string]any{"executions": found})
	case op == "DescribeExecution" && s.name != "" && in.ExecutionArn == execution():
		s.ticks++
		out := map[string]any{"executionArn": execution(), "name": s.name, "status": status(), "startDate": epoch(atFirst), "input": s.input, "stateMachineArn": arns + "stateMachine:relight-sweep"}
		switch status() {
		case "RUNNING":
		case "SUCCEEDED":
			out["output"], out["stopDate"] = s.output(), epoch(s.time(s.ticks))
		default:
			if out["stopDate"] = epoch(s.time(s.ticks)); s.silent {
				break
			}
			out["error"], out["cause"], out["stopDate"] = "States.Runtime", "somebody changed it", epoch(s.time(s.ticks))
		}
		answer(out)
	case op == "ListMapRuns":
		runs := []any{}
		for i := range s.rounds {
			if _, begun := s.cells(i); begun {
				runs = append(runs, map[string]any{"mapRunArn": run(i), "executionArn": in.ExecutionArn, "startDate": epoch(s.time(i + 1)), "stateMachineArn": "x"})
			}
		}
		slices.Reverse(runs)
		answer(map[string]any{"mapRuns": runs})
	case op == "DescribeMapRun":
		for i, cells := range s.rounds {
			if in.MapRunArn != run(i) {
				continue
			}
			done, _ := s.cells(i)
			failed := 0
			for _, c := range cells[:done] {
				if c.Error != "" {
					failed++
				}
			}
			zero := map[string]any{"pending": len(cells) - done, "running": min(2, len(cells)-done), "succeeded": done - failed, "failed": failed, "timedOut": 0, "aborted": 0, "total": len(cells), "resultsWritten": 0}
			out := map[string]any{"mapRunArn": run(i), "executionArn": execution(), "status": "RUNNING", "startDate": epoch(s.time(i + 1)), "maxConcurrency": 8, "toleratedFailureCount": 0, "toleratedFailurePercentage": 100, "itemCounts": zero, "executionCounts": zero}
			if done == len(cells) {
				out["status"], out["stopDate"] = "SUCCEEDED", epoch(s.time(s.ticks))
			}
			answer(out)
			return
		}
		refuse("ResourceNotFound")
	case op == "ListExecutions":
		children := []any{}
		for i, cells := range s.rounds {
			done, _ := s.cells(i)
			for n := range cells {
				if in.MapRunArn != run(i) || n > done {
					continue
				}
				state := "SUCCEEDED"
				if n == done {
					state = "RUNNING"
				} else if cells[n].Error != "" {
					state = "FAILED"
				}
				children = append(children, map[string]any{"executionArn": fmt.Sprintf("%sexecution:relight-sweep/Accounts:%d-%d", arns, i, n), "name": fmt.Sprint(n), "status": state, "startDate": epoch(atFirst), "stateMachineArn": "x"})
			}
		}
		answer(map[string]any{"executions": children})
	case op == "DescribeExecution":
		var i, n int
		if _, err := fmt.Sscanf(in.ExecutionArn, arns+"execution:relight-sweep/Accounts:%d-%d", &i, &n); err != nil {
			refuse("ExecutionDoesNotExist")
			return
		}
		c := s.rounds[i][n]
		out := map[string]any{"executionArn": in.ExecutionArn, "status": "SUCCEEDED", "startDate": epoch(atFirst), "stateMachineArn": "x", "input": `{"cell":{"account":"` + c.Account + `"},"request":{}}`}
		if c.Error != "" {
			out["status"], out["error"], out["cause"] = "FAILED", "Lambda.Unknown", `{"errorMessage":"`+c.Error+`"}`
		} else {
			raw, _ := json.Marshal(c)
			out["output"] = string(raw)
		}
		answer(out)
	default:
		refuse("ValidationException")
	}
}

// shut is the report of an account that lets relight not in.
var shut = report.View{
	Kind: "flowlogs", Region: "eu-west-1", Error: "list regions: sts.AssumeRole arn:aws:iam::333344445555:role/relight-spoke: AccessDenied",
	Findings: []report.Finding{{Code: "account-closed", Subject: "account 333344445555", Problem: "relight can restore nothing in it", Remedy: "Deploy there the template that relight spoke-template prints."}},
}

// someCells are the results of three accounts in two rounds.
func someCells() [][]app.Swept {
	alarm := report.View{Kind: "alarms", Region: "eu-west-1", Healthy: 17, Actions: []report.Action{{Action: "put alarm relight-root-usage (no alarm watches it)", Restores: true, Done: true}}}
	return [][]app.Swept{{
		{Account: theFirst, Healthy: 20, Repaired: 1, Planned: 1, Waited: 9, Reports: []report.View{alarm}, Rest: []string{"flowlogs/eu-west-1"}},
		{Account: theSecond, Unrestored: 1, Findings: 1, Why: "[account-closed] account 333344445555: relight can restore nothing in it", Reports: []report.View{shut}},
		{Account: theThird, Error: "list regions: no answer"},
	}, {
		{Account: theFirst, Healthy: 4},
	}}
}

// serve has a stepFunctions answer the commands of a test in a hub, whose clock is its own.
func (s *stepFunctions) serve(t *testing.T) (*account, *flags, *cobra.Command, *bytes.Buffer, *bytes.Buffer) {
	t.Helper()
	fakeAWS(t, templateOf(t, aHub))
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	t.Setenv("AWS_ENDPOINT_URL_SFN", server.URL)
	cfg, err := awsconfig.LoadDefaultConfig(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	c, err := config.Parse([]byte(aHub))
	if err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	cmd := &cobra.Command{}
	cmd.SetContext(t.Context())
	cmd.SetOut(&out)
	cmd.SetErr(&errs)
	acct := &account{aws: cfg, config: c, deployment: catalog.Deployment{Account: theHub, HomeRegion: "eu-west-1"}}
	f := &flags{terminal: func(io.Writer) bool { return false }, every: time.Millisecond, now: s.now, output: "text"}
	return acct, f, cmd, &out, &errs
}

// What a backfill of an organisation shows while it runs and at its end: to a log, on a terminal,
// and without the right to see inside of the execution.
func TestOrganizationProgress(t *testing.T) {
	path, err := filepath.Abs(filepath.Join("testdata", "organization.txt"))
	if err != nil {
		t.Fatal(err)
	}
	flowLog := report.View{Kind: "flowlogs", Region: "us-east-1", Healthy: 3, Actions: []report.Action{{Action: "create flow-log on vpc-1 (none covers REJECT)", Restores: true}}}
	var all strings.Builder
	for _, tt := range []struct {
		name     string
		terminal bool
		change   func(*stepFunctions)
		mode     string
		details  bool
		code     error
		said     string // by the error
	}{
		{name: "to a log", mode: "repair", said: "1 account was not swept: see the errors above"},
		{name: "on a terminal", terminal: true, mode: "repair", said: "1 not restored in 1 account"},
		{name: "a plan, with details", mode: "plan", details: true, change: func(s *stepFunctions) {
			s.rounds = [][]app.Swept{{{Account: theFirst, Healthy: 3, Planned: 1, Reports: []report.View{flowLog}}, {Account: theSecond, Healthy: 5}}}
		}, code: errToDo},
		{name: "a repair, with details that do not fit", mode: "repair", details: true, change: func(s *stepFunctions) {
			s.rounds = [][]app.Swept{{{Account: theFirst, Healthy: 3, Planned: 1, Repaired: 1, Reports: []report.View{flowLog}, More: 2}}}
		}},
		{name: "everything is healthy, and two accounts are suspended", mode: "plan", change: func(s *stepFunctions) {
			s.gone = 2
			s.rounds = [][]app.Swept{{{Account: theFirst, Healthy: 3}, {Account: theSecond, Healthy: 5}}}
		}},
		{name: "the children may not be seen", mode: "repair", change: func(s *stepFunctions) { s.denied = "ListMapRuns" }, said: "1 account was not swept"},
		{name: "the execution fails", mode: "repair", change: func(s *stepFunctions) { s.ends = "FAILED" }, said: "States.Runtime: somebody changed it"},
	} {
		s := &stepFunctions{rounds: someCells(), own: app.Swept{Account: theHub, Healthy: 42}}
		if tt.change != nil {
			tt.change(s)
		}
		acct, f, cmd, out, errs := s.serve(t)
		f.terminal = func(io.Writer) bool { return tt.terminal }
		t.Setenv("NO_COLOR", "1")
		err := acct.sweepOrganization(cmd, f, app.Request{Mode: tt.mode}, accountFlags{details: tt.details})
		if tt.code != nil && !errors.Is(err, tt.code) || tt.said != "" && (err == nil || !strings.Contains(err.Error(), tt.said)) || tt.code == nil && tt.said == "" && err != nil {
			t.Errorf("%s: %v, want %v %q", tt.name, err, tt.code, tt.said)
		}
		said := strings.NewReplacer(s.name, "NAME", "\r\x1b[K", "\n[rewritten] ").Replace(errs.String() + "--\n" + out.String())
		fmt.Fprintf(&all, "# %s\n%s--\n%v\n\n", tt.name, said, err)
	}
	if *update {
		if err := os.WriteFile(path, []byte(all.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), all.String()); diff != "" {
		t.Errorf("%s, rewritten by go test -update (-want +got):\n%s", path, diff)
	}
}

// Where no line is rewritten, there are few: what changes at once is one line, and the last one
// is always there.
func TestPlainProgress(t *testing.T) {
	var out strings.Builder
	l := &live{w: &out}
	for i, state := range []string{"a", "a", "b", "b", "c", "d", "e", "f", "g"} {
		l.show(atFirst.Add(time.Duration(i)*time.Second), i/4, state, fmt.Sprint(i))
	}
	l.done()
	l.done()
	if want := "a; 0\nc; 4\ng; 8\n"; out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
}

// Ctrl-C at any time leaves an execution that has begun running, and says how to see it again; one
// that has not begun does not begin. Nothing ever ends an execution.
func TestInterruptionLeavesItRunning(t *testing.T) {
	begun := 0
	for at := -1; ; at++ { // the call at which the interruption comes; -1 is before the first one
		s := &stepFunctions{rounds: someCells(), own: app.Swept{Account: theHub}}
		acct, f, cmd, _, _ := s.serve(t)
		ctx, interrupt := context.WithCancel(t.Context())
		reached := false
		s.before = func(n int) {
			if n == at {
				reached = true
				interrupt()
			}
		}
		if at < 0 {
			interrupt()
		}
		cmd.SetContext(ctx)
		err := acct.sweepOrganization(cmd, f, app.Request{Mode: "repair"}, accountFlags{})
		over := s.over()
		s.before = nil
		if at >= 0 && !reached {
			if isRunsOn(err) || err == nil {
				t.Errorf("without an interruption: %v", err)
			}
			break
		}
		switch {
		case at < 0 && (s.name != "" || err == nil || isRunsOn(err)):
			t.Errorf("interrupted before the start: %v, and execution %q has begun", err, s.name)
		case at >= 0 && (!isRunsOn(err) || !strings.Contains(err.Error(), "interrupted: execution "+s.name+" of relight-sweep ") || !over && !strings.Contains(err.Error(), "runs on to its end") || !strings.Contains(err.Error(), "relight backfill --watch "+s.name)):
			t.Errorf("interrupted at call %d, after %v: %v", at, s.calls, err)
		}
		if slices.Contains(s.calls, "StopExecution") {
			t.Errorf("interrupted at call %d: %v", at, s.calls)
		}
		if s.name == "" {
			continue
		}
		begun++
		again := &cobra.Command{}
		again.SetContext(t.Context())
		var out bytes.Buffer
		again.SetOut(&out)
		again.SetErr(io.Discard)
		if err := watchExecution(again, f, nil, false); err == nil || !strings.Contains(out.String(), "account "+theThird+": not swept") {
			t.Errorf("afterwards, --watch says: %v\n%s", err, out.String())
		}
	}
	if begun < 20 {
		t.Errorf("only %d executions were interrupted", begun)
	}
}

// The filters are the input of the state machine. What does not exist, or is not guarded, is an
// error that says so before anything begins.
func TestOrganizationFilters(t *testing.T) {
	const unit, below, denied = "ou-a1b2-c3d4e5f6", "ou-a1b2-22222222", "ou-a1b2-33333333"
	units := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var in struct{ ParentId string } //nolint:revive // as AWS spells it
		_ = json.NewDecoder(r.Body).Decode(&in)
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		refuse := func(code string) {
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprintf(w, `{"__type":%q,"Message":"no"}`, code)
		}
		switch listing := strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".ListAccountsForParent"); {
		case in.ParentId == denied:
			refuse("AccessDeniedException")
		case in.ParentId != unit && in.ParentId != below:
			refuse("ParentNotFoundException")
		case listing && in.ParentId == unit:
			fmt.Fprintf(w, `{"Accounts":[{"Id":%q,"Status":"ACTIVE"},{"Id":"555566667777","Status":"ACTIVE"},{"Id":%q,"State":"SUSPENDED"}]}`, theSecond, theThird)
		case listing:
			fmt.Fprintf(w, `{"Accounts":[{"Id":%q,"State":"ACTIVE"}]}`, theFirst)
		case in.ParentId == unit:
			fmt.Fprintf(w, `{"OrganizationalUnits":[{"Id":%q}]}`, below)
		default:
			fmt.Fprint(w, `{"OrganizationalUnits":[]}`)
		}
	}))
	defer units.Close()
	regions := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `<DescribeRegionsResponse><regionInfo><item><regionName>eu-west-1</regionName><optInStatus>opt-in-not-required</optInStatus></item>`+
			`<item><regionName>af-south-1</regionName><optInStatus>not-opted-in</optInStatus></item></regionInfo></DescribeRegionsResponse>`)
	}))
	defer regions.Close()
	for args, tt := range map[string]struct {
		input string   // of the execution, or "" for none
		want  []string // of what is said
	}{
		"backfill": {`{"mode":"repair"}`, nil},
		"plan":     {`{"mode":"plan"}`, nil},
		"backfill --plan --accounts 333344445555,222233334444 --kinds alarms,flowlogs --regions eu-west-1": {`{"accounts":["222233334444","333344445555"],"kinds":["alarms","flowlogs"],"regions":["eu-west-1"],"mode":"plan"}`, nil},
		"plan --ous " + unit:                                      {`{"accounts":["222233334444","333344445555"],"mode":"plan"}`, nil},
		"backfill --accounts 111122223333 --ous " + below:         {`{"accounts":["111122223333","222233334444"],"mode":"repair"}`, nil},
		"backfill --ous ou-a1b2-44444444":                         {"", []string{"there is no root or organisational unit ou-a1b2-44444444"}},
		"backfill --ous " + denied:                                {"", []string{"organizations:ListAccountsForParent", "--accounts instead"}},
		"backfill --ous security":                                 {"", []string{`--ous: "security" is not the ID`}},
		"backfill --accounts 12,555566667777":                     {"", []string{`"12" is not the ID of an account`, "account 555566667777 is not guarded, as organization in the deployed configuration says"}},
		"backfill --regions af-south-1":                           {`{"regions":["af-south-1"],"mode":"repair"}`, nil}, // some account may have enabled it
		"plan --regions eu-west-1,eu-west-9":                      {"", []string{"there is no region eu-west-9: use one such as eu-west-1"}},
		"backfill --kinds lights":                                 {"", []string{`there is no kind "lights"`}},
		"backfill --account 222233334444 --accounts 333344445555": {"", []string{"leave out --accounts"}},
		"plan --account 222233334444 --details":                   {"", []string{"leave out --details"}},
		"backfill --watch --plan":                                 {"", []string{"[plan watch]"}},
		"backfill --local":                                        {"", []string{"--local needs --role", "relight-spoke admits the functions of the hub alone", "OrganizationAccountAccessRole"}},
		"backfill --local --role relight-spoke":                   {"", []string{"relight-spoke admits the functions of the hub alone: name another role"}},
		"backfill --local --role arn:aws:iam::1:role/r":           {"", []string{"is not the name of a role"}},
		"backfill --local --role r --accounts 555566667777":       {"", []string{"account 555566667777 is not guarded"}},
		"backfill --local --account 222233334444":                 {"", []string{"[account local]"}},
		"backfill --role r":                                       {"", []string{"--role is for --local"}},
		"backfill extra":                                          {"", []string{"extra"}},
		"backfill --watch gone":                                   {"", []string{"relight-sweep has no execution gone"}},
		"backfill --watch":                                        {"", []string{"relight-sweep has not been started"}},
	} {
		t.Run(args, func(t *testing.T) {
			s := &stepFunctions{rounds: [][]app.Swept{{}}, ticks: 5, own: app.Swept{Account: theHub}}
			s.serve(t)
			t.Setenv("AWS_ENDPOINT_URL_ORGANIZATIONS", units.URL)
			t.Setenv("AWS_ENDPOINT_URL_EC2", regions.URL)
			code, _, stderr := relight(t, strings.Fields(args)...)
			if want := map[bool]int{true: 0, false: exitError}[tt.input != ""]; code != want || s.input != tt.input {
				t.Errorf("exit code %d and input %s, want %d and %s: %s", code, s.input, want, tt.input, stderr)
			}
			for _, want := range tt.want {
				if !strings.Contains(stderr, want) {
					t.Errorf("it does not say %q: %s", want, stderr)
				}
			}
		})
	}
}

// Elsewhere than in a hub, the flags of a hub are refused.
func TestFlagsOfAHub(t *testing.T) {
	for _, args := range []string{"backfill --accounts 222233334444", "backfill --ous ou-a1b2-c3d4e5f6", "backfill --local --role r", "plan --details", "plan --account 222233334444"} {
		fakeAWS(t, templateOf(t, `{}`))
		if code, _, stderr := relight(t, strings.Fields(args)...); code != exitError || !strings.Contains(stderr, "is for the hub of an organisation, and the deployed configuration has no organization") {
			t.Errorf("%s: exit code %d: %s", args, code, stderr)
		}
	}
	fakeAWS(t, "AccessDenied")
	if code, _, stderr := relight(t, "backfill", "--accounts", theFirst); code != exitError || !strings.Contains(stderr, "whether this is one cannot be read") {
		t.Errorf("exit code %d: %s", code, stderr)
	}
	if code, _, stderr := relight(t, "backfill"); code != exitError || !strings.Contains(stderr, "whether this is the hub of an organisation cannot be read") || !strings.Contains(stderr, "invoke relight-backfill") {
		t.Errorf("exit code %d: %s", code, stderr)
	}
}

// A plan as JSON is whole: what did not fit into the answers, the function plans once more.
func TestWholePlan(t *testing.T) {
	s := &stepFunctions{rounds: [][]app.Swept{{{Account: theFirst, Planned: 2, More: 1}, {Account: theSecond, Healthy: 1}}}, own: app.Swept{Account: theHub, Reports: []report.View{{Kind: "guard"}}}}
	acct, f, cmd, out, _ := s.serve(t)
	var asked []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw, _ := io.ReadAll(r.Body)
		asked = append(asked, string(raw))
		_ = json.NewEncoder(w).Encode(app.Sweep{Account: theFirst, Reports: []report.View{{Kind: "trails", Healthy: 1}, {Kind: "flowlogs", Actions: []report.Action{{Action: "a"}, {Action: "b"}}}}})
	}))
	defer server.Close()
	t.Setenv("AWS_ENDPOINT_URL_LAMBDA", server.URL)
	cfg, err := awsconfig.LoadDefaultConfig(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	acct.aws, f.output = cfg, "json"
	if err := acct.sweepOrganization(cmd, f, app.Request{Mode: "plan", Regions: nil, Kinds: []catalog.Kind{catalog.FlowLogs}}, accountFlags{}); !errors.Is(err, errToDo) {
		t.Error(err)
	}
	var got organizationSweep
	if err := json.Unmarshal(out.Bytes(), &got); err != nil || len(got.Accounts) != 3 || len(got.Accounts[0].Reports) != 1 || len(got.Accounts[1].Reports) != 1 || len(got.Accounts[1].Reports[0].Actions) != 2 || got.Accounts[1].More != 0 {
		t.Errorf("%v: %+v", err, got)
	}
	if want := []string{`{"account":"222233334444","kinds":["flowlogs"],"mode":"plan"}`}; !slices.Equal(asked, want) {
		t.Errorf("the function was asked %q, want %q", asked, want)
	}
}

// A sweep from this terminal names each account that it could not sweep, and each that it did
// not because it was interrupted.
func TestLocalFailures(t *testing.T) {
	for name, tt := range map[string]struct {
		interrupted bool
		out         []string
		said        string
	}{
		"no rights":   {false, []string{"account " + theHub + ": not swept", "account " + theThird + ": not swept\n  x your credentials cannot assume the role people there: ", "4 not swept"}, "4 accounts were not swept"},
		"interrupted": {true, []string{"account " + theHub + ": not swept\n  x interrupted", "account " + theThird + ": not swept\n  x interrupted"}, "interrupted"},
	} {
		s := &stepFunctions{}
		acct, f, cmd, out, errs := s.serve(t)
		ctx, interrupt := context.WithCancel(t.Context())
		defer interrupt()
		if cmd.SetContext(ctx); tt.interrupted {
			interrupt()
		}
		err := acct.sweepLocally(cmd, f, app.Request{Mode: "plan"}, accountFlags{}, "people")
		for _, want := range tt.out {
			if !strings.Contains(out.String(), want) {
				t.Errorf("%s: it does not say %q:\n%s", name, want, out)
			}
		}
		if err == nil || !strings.Contains(err.Error(), tt.said) || len(s.calls) > 0 || !tt.interrupted && !strings.Contains(errs.String(), "4 of 4 accounts") {
			t.Errorf("%s: %v, %v: %s", name, err, s.calls, errs)
		}
	}
}

// The JSON has every account, with its reports.
func TestOrganizationJSON(t *testing.T) {
	s := &stepFunctions{rounds: someCells(), own: app.Swept{Account: theHub, Healthy: 42}}
	acct, f, cmd, out, _ := s.serve(t)
	f.output = "json"
	if err := acct.sweepOrganization(cmd, f, app.Request{Mode: "repair"}, accountFlags{}); err == nil {
		t.Error("no error although an account was not swept")
	}
	var got struct {
		Version int `json:"schema_version"`
		organizationSweep
	}
	dec := json.NewDecoder(out)
	dec.DisallowUnknownFields()
	if err := dec.Decode(&got); err != nil || got.Version != 1 || got.Status != "SUCCEEDED" || got.Execution != s.name || len(got.Accounts) != 3 || got.Accounts[0].Account != theHub || len(got.Unswept) != 1 {
		t.Errorf("%v: %+v", err, got)
	}
	if a := got.Accounts[1]; a.Account != theFirst || a.Healthy != 24 || a.Repaired != 1 || len(a.Reports) != 1 || len(a.Rest) != 0 {
		t.Errorf("%+v", a)
	}
}

// An execution that somebody stopped says no reason, and swept nobody knows what: it is no success.
func TestStoppedExecution(t *testing.T) {
	for _, ends := range []string{"ABORTED", "TIMED_OUT"} {
		for _, mode := range []string{"repair", "plan"} {
			s := &stepFunctions{rounds: [][]app.Swept{{{Account: theFirst, Healthy: 3}}}, ends: ends, silent: true}
			acct, f, cmd, out, _ := s.serve(t)
			err := acct.sweepOrganization(cmd, f, app.Request{Mode: mode}, accountFlags{})
			if err == nil || errors.Is(err, errToDo) || !strings.Contains(err.Error(), ends) {
				t.Errorf("%s that is %s: %v, want an error that says so\n%s", mode, ends, err, out.String())
			}
		}
	}
}

// The sum of all accounts has the beginning of a reason only, and what to do stands at its end.
func TestWholeReason(t *testing.T) {
	const why = "list regions: ec2.DescribeRegions eu-west-1: denied (allow ec2:DescribeRegions in the role's policy)"
	s := &stepFunctions{rounds: [][]app.Swept{{{Account: theThird, Error: why}}}, cut: 20}
	acct, f, cmd, out, _ := s.serve(t)
	if err := acct.sweepOrganization(cmd, f, app.Request{Mode: "repair"}, accountFlags{}); err == nil || !strings.Contains(out.String(), why) {
		t.Errorf("%v, want all of %q\n%s", err, why, out.String())
	}
}
