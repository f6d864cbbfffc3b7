package stack_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/relight-aws/relight/internal/catalog"
)

// rules returns the event patterns of the rules on a bus that have the given
// target, sorted. It reports rules with another number of targets, without
// the retry policy or without a dead-letter queue.
func rules(t *testing.T, s template, bus, target string) []string {
	t.Helper()
	var patterns []string
	for id, r := range s.of("AWS::Events::Rule") {
		on := ""
		if b := r.Properties["EventBusName"]; b != nil {
			on = text(b)
		}
		if on != bus || text(at(r.Properties, "Targets", 0, "Arn")) != target {
			continue
		}
		if n := len(list(r.Properties["Targets"])); n != 1 || r.Properties["State"] != "ENABLED" {
			t.Errorf("%s: %d targets in state %v, want 1 in state ENABLED", id, n, r.Properties["State"])
		}
		want := `{"MaximumEventAgeInSeconds":3600,"MaximumRetryAttempts":185}`
		if strings.Contains(target, ":event-bus/") {
			want = "null" // EventBridge takes none for a bus
		}
		if got := text(at(r.Properties, "Targets", 0, "RetryPolicy")); got != want {
			t.Errorf("%s: retry policy %s, want %s", id, got, want)
		}
		dead := text(at(r.Properties, "Targets", 0, "DeadLetterConfig", "Arn"))
		if !slices.ContainsFunc(ids(s.of("AWS::SQS::Queue")), func(q string) bool { return dead == arn(q) }) {
			t.Errorf("%s: dead letters go to %s, want a queue of the stack", id, dead)
		}
		patterns = append(patterns, text(r.Properties["EventPattern"]))
	}
	slices.Sort(patterns)
	return patterns
}

func wantPatterns(t *testing.T, kinds ...catalog.Kind) []string {
	t.Helper()
	var want []string
	for _, p := range catalog.Patterns(kinds...) {
		var sorted any // by key, as text renders the template's
		if err := json.Unmarshal([]byte(p.String()), &sorted); err != nil {
			t.Fatal(err)
		}
		want = append(want, text(sorted))
	}
	slices.Sort(want)
	return want
}

// Each kind's queue hears exactly of the catalog's calls, and of those
// forwarded from other regions only if the kind is regional.
func TestRules(t *testing.T) {
	s := defaults()["relight"].template
	bus, b := s.only(t, "AWS::Events::EventBus")
	if b.Properties["Name"] != "relight" {
		t.Errorf("bus is named %v, want relight: forwarders build its ARN", b.Properties["Name"])
	}
	total := 0
	for _, k := range catalog.Kinds() {
		fn, _ := s.function(t, "relight-"+string(k))
		target := arn(s.queue(t, fn))
		got := rules(t, s, "", target)
		if diff := cmp.Diff(wantPatterns(t, k), got); diff != "" {
			t.Errorf("%s (-catalog +rules):\n%s", k, diff)
		}
		var want []string
		if k.Regional() {
			want = wantPatterns(t, k)
		}
		forwarded := rules(t, s, ref(bus), target)
		if diff := cmp.Diff(want, forwarded); diff != "" {
			t.Errorf("%s, forwarded (-catalog +rules):\n%s", k, diff)
		}
		total += len(got) + len(forwarded)
	}
	if n := len(s.of("AWS::Events::Rule")); n != total {
		t.Errorf("%d rules, want the %d of the kinds and no more", n, total)
	}
	if n := len(s.of("AWS::Events::EventBusPolicy")); n != 0 {
		t.Errorf("%d bus policies: the bus is this account's only", n)
	}
}

func TestForwarder(t *testing.T) {
	s := custom()["acme-"+remote].template
	bus := "arn:${AWS::Partition}:events:" + home + ":${AWS::AccountId}:event-bus/acme"
	if diff := cmp.Diff(wantPatterns(t, catalog.FlowLogs), rules(t, s, "", bus)); diff != "" {
		t.Errorf("(-catalog +rules):\n%s", diff)
	}
	roleID, role := s.only(t, "AWS::IAM::Role")
	for id, r := range s.of("AWS::Events::Rule") {
		if got := text(at(r.Properties, "Targets", 0, "RoleArn")); got != arn(roleID) {
			t.Errorf("%s: role %s, want %s: a bus in another region needs one", id, got, arn(roleID))
		}
	}
	got := statements(t, role.Properties)
	if want := []string{"events:PutEvents on " + bus}; !slices.Equal(got, want) {
		t.Errorf("role may %v, want %v", got, want)
	}
	if len(s.of("AWS::IAM::Policy")) != 0 {
		t.Error("the role is given more elsewhere")
	}
	if len(s.of("AWS::Lambda::Function")) != 0 {
		t.Error("a forwarder has functions, want rules only")
	}
}

// What is off is not watched.
func TestOff(t *testing.T) {
	s := custom()["acme"].template
	for id, r := range s.of("AWS::Lambda::Function") {
		if r.Properties["FunctionName"] == "acme-alarms" {
			t.Errorf("%s: alarms are off", id)
		}
	}
	for id, r := range s.of("AWS::Events::Rule") {
		if p := text(r.Properties["EventPattern"]); strings.Contains(p, "aws.monitoring") {
			t.Errorf("%s watches %s: alarms are off", id, p)
		}
	}
}
