package probe_test

import (
	"context"
	"encoding/json"
	"errors"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/relight-aws/relight/internal/probe"
)

func TestBeliefs(t *testing.T) {
	seen := map[string]bool{}
	for _, b := range probe.Beliefs() {
		if seen[b.ID] || !regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)+$`).MatchString(b.ID) || b.Text == "" || b.Ref == "" {
			t.Errorf("belief %+v is not usable", b)
		}
		seen[b.ID] = true
	}
}

// A run observes what the account answers, and leaves nothing.
func TestRun(t *testing.T) {
	a := newAccount()
	a.events = true
	before := a.State()
	rep, err := probe.Run(t.Context(), a.options())
	if err != nil || len(rep.Left) > 0 {
		t.Fatalf("%v, left %v", err, rep.Left)
	}
	if left := a.left(before); len(left) > 0 {
		t.Errorf("left %v", left)
	}
	verdicts := map[string]probe.Verdict{}
	for _, r := range rep.Results {
		verdicts[r.ID] = r.Verdict
		t.Logf("%-45s %-10s %s%s", r.ID, r.Verdict, r.Seen, r.Why)
		if (r.Verdict == probe.NotSeen) != (r.Why != "") || (r.Verdict == probe.NotSeen) == (r.Seen != "") {
			t.Errorf("%+v: either what was seen, or why not", r)
		}
	}
	for _, b := range probe.Beliefs() {
		if b.Unseen != "" && verdicts[b.ID] != probe.NotSeen || verdicts[b.ID] == "" {
			t.Errorf("%s: %q", b.ID, verdicts[b.ID])
		}
	}
	if n := rep.Count(probe.Agrees) + rep.Count(probe.Disagrees); n < 40 {
		t.Errorf("%d beliefs seen, want 40 at least", n)
	}
	for id, want := range map[string]probe.Verdict{
		"event-latency": probe.Agrees, "missing-vpc-fails-alone": probe.Agrees, "record-of-delete-flow-logs": probe.Agrees,
		"record-of-mute-rule": probe.Agrees, "mute-raises-no-direct-event": probe.Agrees, "closed-region-ec2": probe.Agrees,
		"group-with-disabled-key": probe.Agrees, "recreated-topic-reaches-old-subscription": probe.Agrees,
	} {
		if verdicts[id] != want {
			t.Errorf("%s: %s, want %s", id, verdicts[id], want)
		}
	}
	raw, err := json.Marshal(rep)
	if err != nil || strings.Contains(string(raw), account) {
		t.Errorf("%v, or the report has the account's number: %s", err, raw)
	}
}

// An answer that contradicts a belief is reported as that.
func TestDisagrees(t *testing.T) {
	a := newAccount()
	a.Doubt("missing-vpc-fails-its-item")
	before := a.State()
	rep, err := probe.Run(t.Context(), a.options())
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rep.Results {
		switch r.ID {
		case "missing-vpc-fails-alone":
			if r.Verdict != probe.Disagrees {
				t.Errorf("%+v", r)
			}
		case "record-of-mute-rule": // no event arrives
			if r.Verdict != probe.NotSeen {
				t.Errorf("%+v", r)
			}
		}
	}
	if left := a.left(before); len(left) > 0 {
		t.Errorf("left %v", left)
	}
}

// Whatever happens at whichever call, a run leaves nothing: an interruption, a
// refusal, or an answer that is lost after the call took effect.
func TestLeavesNothing(t *testing.T) {
	tests := map[string]func(a *accountUnderProbe, cancel func()) func(next func() error) error{
		"interrupted before": func(_ *accountUnderProbe, cancel func()) func(func() error) error {
			return func(next func() error) error { cancel(); return next() }
		},
		"refused": func(*accountUnderProbe, func()) func(func() error) error {
			return func(func() error) error { return refuse("InternalError") }
		},
		"answer lost": func(*accountUnderProbe, func()) func(func() error) error {
			return func(next func() error) error { return errors.Join(next(), errLost) }
		},
		"answer lost and interrupted": func(_ *accountUnderProbe, cancel func()) func(func() error) error {
			return func(next func() error) error { defer cancel(); return errors.Join(next(), errLost) }
		},
	}
	for name, disturb := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			calls := 1
			for at := 1; at <= calls; at++ {
				a := newAccount()
				ctx, cancel := context.WithCancel(t.Context())
				a.at, a.happen = at, disturb(a, cancel)
				before := a.State()
				rep, err := probe.Run(ctx, a.options())
				interrupted := ctx.Err() != nil
				cancel()
				if err != nil && (!interrupted || !errors.Is(err, context.Canceled)) || len(rep.Left) > 0 {
					t.Errorf("call %d: %v, left %v", at, err, rep.Left)
				}
				if left := a.left(before); len(left) > 0 {
					t.Fatalf("call %d: left %v", at, left)
				}
				calls = max(calls, a.calls)
			}
			if calls < 100 {
				t.Errorf("only %d calls", calls)
			}
		})
	}
}

// Whenever a run is killed, Clean removes what it left, and nothing else.
func TestKilled(t *testing.T) {
	t.Parallel()
	whole := newAccount()
	if _, err := probe.Run(t.Context(), whole.options()); err != nil {
		t.Fatal(err)
	}
	most := 0
	for at := 1; at <= whole.calls; at++ {
		a := newAccount()
		a.at, a.happen = at, func(next func() error) error {
			a.dead = true
			_ = next() // the call takes effect, and nobody reads the answer
			return errLost
		}
		others(t, a)
		before := a.State()
		_, _ = probe.Run(t.Context(), a.options()) // nobody sees the report
		most = max(most, len(a.left(before)))
		a.dead = false
		if _, left := probe.Clean(t.Context(), a.options()); len(left) > 0 {
			t.Fatalf("call %d: reports as left %v", at, left)
		}
		if left := a.left(before); len(left) > 0 {
			t.Fatalf("call %d: left %v", at, left)
		}
		after := a.State()
		for name := range before {
			if after[name] == "" {
				t.Fatalf("call %d: %s was removed", at, name)
			}
		}
	}
	if most < 15 {
		t.Errorf("the killed runs left %d resources at most, so the test shows little", most)
	}
}

// An interrupted run reports what it saw until then, as the whole run does, and
// of the rest that it was interrupted.
func TestInterruptedReport(t *testing.T) {
	t.Parallel()
	verdicts := func(rep probe.Report) map[string]probe.Result {
		results := map[string]probe.Result{}
		for _, r := range rep.Results {
			results[r.ID] = r
		}
		return results
	}
	whole := newAccount()
	whole.events = true
	rep, err := probe.Run(t.Context(), whole.options())
	if err != nil {
		t.Fatal(err)
	}
	want := verdicts(rep)
	seen := map[int]bool{}
	for at := 1; at <= whole.calls; at++ {
		a := newAccount()
		ctx, cancel := context.WithCancel(t.Context())
		a.events, a.at, a.happen = true, at, func(next func() error) error { cancel(); return next() }
		rep, _ := probe.Run(ctx, a.options())
		cancel()
		if len(rep.Results) != len(want) {
			t.Fatalf("call %d: %d beliefs, want %d", at, len(rep.Results), len(want))
		}
		for _, got := range rep.Results {
			interrupted := got.Verdict == probe.NotSeen && got.Why == "the run was interrupted before"
			if !interrupted && (got.Verdict != want[got.ID].Verdict || strings.Contains(got.Why, "cancel")) {
				t.Errorf("call %d: %+v, want %+v", at, got, want[got.ID])
			}
		}
		seen[rep.Count(probe.Agrees)+rep.Count(probe.Disagrees)] = true
	}
	if len(seen) < 20 {
		t.Errorf("the reports had %d different numbers of beliefs, want 20 at least", len(seen))
	}
}

// What cannot be removed is reported, and Clean removes it later. Clean removes
// nothing else.
func TestClean(t *testing.T) {
	a := newAccount()
	ops := []string{
		"DeleteFlowLogs", "DeleteVpc", "DeleteLogGroup", "DeleteAlarms", "DeleteAlarmMuteRule", "DeleteTopic", "DeleteTrail", "DeleteRole", "DeletePolicy",
		"ScheduleKeyDeletion",
	}
	for _, op := range ops {
		a.Deny(op)
	}
	others(t, a)
	before := a.State()
	rep, err := probe.Run(t.Context(), a.options())
	if err == nil || len(rep.Left) < 8 {
		t.Errorf("%v, left %v", err, rep.Left)
	}
	if len(a.left(before)) == 0 {
		t.Fatal("the run left nothing, so the test shows nothing")
	}
	for _, op := range ops {
		a.Allow(op)
	}
	removed, failed := probe.Clean(t.Context(), a.options())
	if len(failed) > 0 || len(removed) < 8 {
		t.Errorf("failed %v, removed %v", failed, removed)
	}
	if left := a.left(before); len(left) > 0 {
		t.Errorf("left %v", left)
	}
	for name := range before {
		if a.State()[name] == "" {
			t.Errorf("%s was removed", name)
		}
	}
	if removed, failed := probe.Clean(t.Context(), a.options()); len(failed) > 0 || len(removed) > 0 {
		t.Errorf("a second time: failed %v, removed %v", failed, removed)
	}
}

// Whenever the removal is abandoned, the report names all that is left, and why.
func TestAbandoned(t *testing.T) {
	t.Parallel()
	whole := newAccount()
	if _, err := probe.Run(t.Context(), whole.options()); err != nil {
		t.Fatal(err)
	}
	most := 0
	for at := 1; at <= whole.calls; at++ {
		a := newAccount()
		abandon := make(chan struct{})
		ctx, cancel := context.WithCancel(t.Context())
		a.at, a.happen = at, func(next func() error) error {
			defer cancel()
			close(abandon)
			return next()
		}
		o := a.options()
		o.Abandon = abandon
		before := a.State()
		rep, err := probe.Run(ctx, o)
		if err == nil {
			t.Errorf("call %d: no error", at)
		}
		left := a.left(before)
		most = max(most, len(left))
		reported(t, at, left, rep.Left)
		for _, line := range rep.Left {
			if !strings.HasSuffix(line, ": interrupted") {
				t.Errorf("call %d: %s", at, line)
			}
		}
	}
	if most < 15 {
		t.Errorf("the abandoned runs left %d resources at most, so the test shows little", most)
	}
}

// If an answer is lost and the run may not look for what the call made, the
// report says so.
func TestLost(t *testing.T) {
	t.Parallel()
	calls, lost := 1, 0
	for at := 1; at <= calls; at++ {
		a := newAccount()
		ctx, cancel := context.WithCancel(t.Context())
		a.at, a.happen = at, func(next func() error) error {
			defer cancel()
			a.Deny("DescribeVpcs")
			a.Deny("DescribeFlowLogs")
			return errors.Join(next(), errLost)
		}
		before := a.State()
		rep, _ := probe.Run(ctx, a.options())
		cancel()
		left := a.left(before)
		lost += len(left)
		reported(t, at, left, rep.Left)
		calls = max(calls, a.calls)
	}
	if lost == 0 {
		t.Error("nothing was lost, so the test shows nothing")
	}
}

// reported checks that a report has a line for everything that a run left.
func reported(t *testing.T, call int, left, lines []string) {
	t.Helper()
	for _, name := range left {
		text := name[strings.LastIndexAny(name, " /:")+1:]
		switch { // lines may have the kind alone
		case strings.Contains(name, " flow-log "):
			text = "flow log "
		case strings.Contains(name, " vpc "):
			text = "VPC "
		}
		if !slices.ContainsFunc(lines, func(line string) bool { return strings.Contains(line, text) }) {
			t.Errorf("call %d: %s is left, reported are %q", call, name, lines)
		}
	}
}

// others makes resources that are not of a run, though they look a little like
// it.
func others(t *testing.T, a *accountUnderProbe) {
	t.Helper()
	for _, name := range []string{"probe-relight-notes", "probe-relight", "relight-flow-logs", "probe-relight-abcdefgh-logs"} {
		if _, err := a.Logs.CreateLogGroup(t.Context(), &cloudwatchlogs.CreateLogGroupInput{LogGroupName: aws.String(name)}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := a.EC2.CreateVpc(t.Context(), &ec2.CreateVpcInput{CidrBlock: aws.String("10.254.0.0/28")}); err != nil {
		t.Fatal(err)
	}
}

// Waiting ends with its limit.
func TestWait(t *testing.T) {
	a := newAccount()
	o := a.options()
	o.Wait, o.Poll = 50*time.Millisecond, time.Millisecond
	begin := time.Now()
	if _, err := probe.Run(t.Context(), o); err != nil || time.Since(begin) > 5*time.Second {
		t.Errorf("%v after %s", err, time.Since(begin))
	}
}
