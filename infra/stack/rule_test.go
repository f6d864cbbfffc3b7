package stack_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/relight-aws/relight/infra/stack"
	"github.com/relight-aws/relight/internal/catalog"
)

// rules returns the sorted event patterns of the rules on a bus that have the
// given target. It reports rules that have another number of targets, no retry
// policy or no dead-letter queue.
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
			want = "null" // EventBridge accepts no retry policy for a bus
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

// patternsOf renders patterns as rules does, sorted.
func patternsOf(t *testing.T, patterns ...[]catalog.Pattern) []string {
	t.Helper()
	var want []string
	for _, p := range slices.Concat(patterns...) {
		want = append(want, sorted(t, p))
	}
	slices.Sort(want)
	return want
}

func globalPatterns(kinds ...catalog.Kind) []catalog.Pattern {
	return catalog.PatternsOf(catalog.GlobalCalls(catalog.Baseline{}.Calls()), kinds...)
}

func regionalPatterns(kinds ...catalog.Kind) []catalog.Pattern {
	return catalog.PatternsOf(catalog.RegionalCalls(catalog.Baseline{}.Calls()), kinds...)
}

// The queue of each kind receives exactly the events of the catalog's calls and
// of the calls that other regions forward. Those are all calls of a regional
// kind, and the calls of global services that are raised elsewhere.
func TestRules(t *testing.T) {
	for _, a := range []app{defaults(), american()} {
		checkRules(t, a["relight"])
	}
}

func checkRules(t *testing.T, st synthesized) {
	t.Helper()
	s := st.template
	bus, b := s.only(t, "AWS::Events::EventBus")
	if b.Properties["Name"] != "relight" {
		t.Errorf("bus is named %v, want relight: forwarders build its ARN", b.Properties["Name"])
	}
	total := 0
	for _, k := range catalog.Kinds() {
		fn, _ := s.function(t, "relight-"+string(k))
		target := arn(s.queue(t, fn))
		here, elsewhere := regionalPatterns(k), globalPatterns(k)
		if st.region == global {
			here, elsewhere = append(here, elsewhere...), nil
		}
		if k.Regional() {
			elsewhere = append(elsewhere, regionalPatterns(k)...)
		}
		got := rules(t, s, "", target)
		if diff := cmp.Diff(patternsOf(t, here), got); diff != "" {
			t.Errorf("%s in %s (-catalog +rules):\n%s", k, st.region, diff)
		}
		forwarded := rules(t, s, ref(bus), target)
		if diff := cmp.Diff(patternsOf(t, elsewhere), forwarded); diff != "" {
			t.Errorf("%s in %s, forwarded (-catalog +rules):\n%s", k, st.region, diff)
		}
		total += len(got) + len(forwarded)
	}
	if n := len(s.of("AWS::Events::Rule")); n != total {
		t.Errorf("%d rules, want the %d of the kinds and no more", n, total)
	}
	if n := len(s.of("AWS::Events::EventBusPolicy")); n != 0 {
		t.Errorf("%d bus policies: only this account uses the bus", n)
	}
}

// A listed region forwards the calls that harm regional kinds. The region that
// raises the events of global services forwards those events, whether it is
// listed or not.
func TestForwarders(t *testing.T) {
	all := catalog.Kinds()
	withoutAlarms := slices.DeleteFunc(slices.Clone(all), func(k catalog.Kind) bool { return k == catalog.Alarms })
	regional := slices.DeleteFunc(slices.Clone(all), func(k catalog.Kind) bool { return !k.Regional() })
	both := func() app {
		return synth(`{"regions": ["`+global+`"]}`, stack.ARM64, home)
	}
	tests := []struct {
		app        app
		name, home string
		prefix     string
		want       []string
		stacks     int
	}{
		{defaults(), "relight-" + global, home, "relight", patternsOf(t, globalPatterns(all...)), 2},
		{custom(), "acme-" + remote, home, "acme", patternsOf(t, regionalPatterns(regional...)), 3},
		{custom(), "acme-" + global, home, "acme", patternsOf(t, globalPatterns(withoutAlarms...)), 3},
		{american(), "relight-" + home, global, "relight", patternsOf(t, regionalPatterns(regional...)), 2},
		{both(), "relight-" + global, home, "relight", patternsOf(t, regionalPatterns(regional...), globalPatterns(all...)), 2},
	}
	for _, tt := range tests {
		if len(tt.app) != tt.stacks {
			t.Errorf("%d stacks beside %s, want %d", len(tt.app), tt.name, tt.stacks)
		}
		checkForwarder(t, tt.app[tt.name].template, "arn:${AWS::Partition}:events:"+tt.home+":${AWS::AccountId}:event-bus/"+tt.prefix, tt.want)
	}
	if a := synth(`{"skipRegions": ["`+global+`"]}`, stack.ARM64, home); len(a) != 1 {
		t.Errorf("%d stacks, want only the home stack, because nothing can be deployed in a skipped region", len(a))
	}
}

func checkForwarder(t *testing.T, s template, bus string, want []string) {
	t.Helper()
	if diff := cmp.Diff(want, rules(t, s, "", bus)); diff != "" {
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
		t.Error("the role has more permissions in a separate policy")
	}
	if len(s.of("AWS::Lambda::Function")) != 0 {
		t.Error("a forwarder has functions, want rules only")
	}
}

// The stack does not watch a kind that is off.
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
