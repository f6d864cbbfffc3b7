package stack_test

import (
	"encoding/json"
	"maps"
	"regexp"
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
	return catalog.PatternsOf(catalog.GlobalCalls(catalog.Baseline{Prefix: "relight"}.Calls()), kinds...)
}

func regionalPatterns(kinds ...catalog.Kind) []catalog.Pattern {
	return catalog.PatternsOf(catalog.RegionalCalls(catalog.Baseline{Prefix: "relight"}.Calls()), kinds...)
}

// forwarderPatterns match the calls that can change a forwarder: on its rules, its
// queue and its stack.
func forwarderPatterns() []catalog.Pattern {
	parts := []catalog.ResourceType{catalog.EventRule, catalog.SQSQueue, catalog.Stack}
	return catalog.PatternsOf(slices.DeleteFunc(slices.Clone(catalog.Calls), func(c catalog.Call) bool { return !slices.Contains(parts, c.Type) }), catalog.Guard)
}

// The queue of each kind receives exactly the events of the catalog's calls and
// of the calls that other regions forward. Those are all calls of a regional
// kind, the calls of global services that are raised elsewhere, and calls on the
// forwarders.
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
		if k == catalog.Guard {
			elsewhere = append(elsewhere, forwarderPatterns()...)
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
	// Only this account may send to the bus.
	var document any
	if err := json.Unmarshal([]byte(text(b.Properties["Policy"])), &document); err != nil {
		t.Errorf("policy of the bus: %v", err)
	}
	policy := list(at(document, "Statement"))
	if len(policy) != 1 || len(s.of("AWS::Events::EventBusPolicy")) != 0 {
		t.Errorf("policy of the bus is %s, want one statement", text(policy))
	}
	for key, want := range map[string]string{
		"Effect": "Allow", "Action": "events:PutEvents", "Resource": "arn:${AWS::Partition}:events:" + st.region + ":${AWS::AccountId}:event-bus/relight",
	} {
		if got := text(at(policy, 0, key)); got != want {
			t.Errorf("%s in the policy of the bus is %s, want %s", key, got, want)
		}
	}
	if got := text(at(policy, 0, "Principal", "AWS")); got != "arn:${AWS::Partition}:iam::${AWS::AccountId}:root" {
		t.Errorf("the bus admits %s, want this account", got)
	}
	names := map[string]bool{} // of rules, with their bus
	for id, r := range s.of("AWS::Events::Rule") {
		name := text(r.Properties["EventBusName"]) + "/" + text(r.Properties["Name"])
		if names[name] {
			t.Errorf("%s: another rule is named %s too", id, name)
		}
		names[name] = true
	}
}

// A listed region forwards the calls that harm regional kinds. The region that
// raises the events of global services forwards those events, whether it is
// listed or not. Each forwards the calls on the forwarder itself.
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
		want := slices.Sorted(slices.Values(slices.Concat(tt.want, patternsOf(t, forwarderPatterns()))))
		checkForwarder(t, tt.app[tt.name].template, "arn:${AWS::Partition}:events:"+tt.home+":${AWS::AccountId}:event-bus/"+tt.prefix, want)
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

// Every stack is in the partition of the home region, and names services as that
// partition does: those that the stacks name end in amazonaws.com in each.
// Source: terraform-provider-aws, aws_service_principal, which follows the
// region-info of the CDK.
func TestPartitions(t *testing.T) {
	service := regexp.MustCompile(`"Service":"([^"]*)"`)
	services := func(name string, s synthesized) {
		raw, err := json.Marshal(s.raw)
		if err != nil {
			t.Fatal(err)
		}
		all := service.FindAllSubmatch(raw, -1)
		for _, m := range all {
			if !strings.HasSuffix(string(m[1]), ".amazonaws.com") {
				t.Errorf("%s in %s names the service %s", name, s.region, m[1])
			}
		}
		if len(all) == 0 {
			t.Errorf("%s in %s names no service", name, s.region)
		}
	}
	for home, want := range map[string][]string{
		"eusc-de-east-1": {"relight"},
		"us-iso-east-1":  {"relight"},
		"us-isof-east-1": {"relight", "relight-us-isof-south-1"},
	} {
		app := synth(`{"homeRegion":"`+home+`"}`, stack.ARM64, home)
		if got := slices.Sorted(maps.Keys(app)); !slices.Equal(got, want) {
			t.Errorf("home region %s has stacks %v, want %v", home, got, want)
		}
		for name, s := range app {
			services(name, s)
		}
	}
	for _, f := range full {
		for name, s := range f.app() {
			services(name, s)
			in, ok := catalog.PartitionOf(s.region)
			if !ok || in.ID != f.partition {
				t.Errorf("%s is in %s, want a region of %s", name, s.region, f.partition)
			}
		}
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
