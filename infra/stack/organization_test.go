package stack_test

import (
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/relight-aws/relight/infra/stack"
	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/config"
	"github.com/relight-aws/relight/internal/spoke"
)

// hub has the stacks of the hub of an organisation, with the fast path in one more region,
// and events of new VPCs that wait.
var hub = sync.OnceValue(func() app { return synth(hubConfig, stack.ARM64, home) })

const hubConfig = `{"regions": ["` + remote + `"], "flowLogs": {"graceSeconds": 300}, "organization": {"id": "o-a1b2c3d4e5", "hubAccount": "111122223333"}}`

// The bus of a hub admits its own account, and the other accounts of the organisation.
// Without an organisation, it admits its own account alone (TestRules).
func TestBusOfTheHub(t *testing.T) {
	_, bus := hub()["relight"].only(t, "AWS::Events::EventBus")
	const own = "arn:${AWS::Partition}:events:" + home + ":${AWS::AccountId}:event-bus/relight"
	var got any
	if err := json.Unmarshal([]byte(text(bus.Properties["Policy"])), &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"Version": "2012-10-17", "Statement": []any{
		map[string]any{"Sid": "AllowThisAccount", "Effect": "Allow", "Action": "events:PutEvents", "Resource": own, "Principal": map[string]any{"AWS": "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"}},
		map[string]any{
			"Sid": "AllowTheOrganization", "Effect": "Allow", "Action": "events:PutEvents", "Resource": own, "Principal": "*",
			"Condition": map[string]any{"StringEquals": map[string]any{"aws:PrincipalOrgID": "o-a1b2c3d4e5"}},
		},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A guarded account trusts the roles of the hub's functions by the names that they have
// there. A deployment without an organisation leaves their names to CloudFormation.
func TestRolesOfTheHub(t *testing.T) {
	c, err := config.Parse([]byte(hubConfig))
	if err != nil {
		t.Fatal(err)
	}
	raw, err := spoke.Template(c, home)
	if err != nil {
		t.Fatal(err)
	}
	var account template
	if err := json.Unmarshal(raw, &account); err != nil {
		t.Fatal(err)
	}
	var trusted, named []string
	for _, arn := range list(at(account.Resources["Role"].Properties, "AssumeRolePolicyDocument", "Statement", 0, "Condition", "ArnEquals", "aws:PrincipalArn")) {
		_, name, _ := strings.Cut(text(at(arn, "Fn::Sub")), "111122223333:role/")
		trusted = append(trusted, name)
	}
	s := hub()["relight"].template
	for _, f := range catalog.Functions() {
		_, fn := s.function(t, "relight-"+string(f))
		role := strings.TrimSuffix(strings.TrimPrefix(text(fn.Properties["Role"]), "${"), ".Arn}")
		named = append(named, text(s.Resources[role].Properties["RoleName"]))
	}
	slices.Sort(trusted)
	slices.Sort(named)
	if diff := cmp.Diff(trusted, named); diff != "" || len(named) != len(catalog.Functions()) {
		t.Errorf("(-trusted +named):\n%s", diff)
	}
	for id, r := range defaults()["relight"].of("AWS::IAM::Role") {
		if r.Properties["RoleName"] != nil {
			t.Errorf("%s has the name %v", id, r.Properties["RoleName"])
		}
	}
}

// Each function of a hub that acts in guarded accounts may assume their role, in its
// organisation, and no other. A deployment without an organisation may assume none.
func TestHubAssumesOneRole(t *testing.T) {
	const assumes = "sts:AssumeRole"
	s := hub()["relight"].template
	for _, f := range catalog.Functions() {
		_, fn := s.function(t, "relight-"+string(f))
		role := strings.TrimSuffix(strings.TrimPrefix(text(fn.Properties["Role"]), "${"), ".Arn}")
		var got []any
		for _, st := range s.allowed(role) {
			if slices.Contains(texts(at(st, "Action")), assumes) {
				got = append(got, map[string]any{"may": texts(at(st, "Action")), "on": text(at(st, "Resource")), "if": at(st, "Condition"), "effect": at(st, "Effect")})
			}
		}
		want := []any{map[string]any{
			"may": []string{assumes, "sts:TagSession"}, "on": "arn:${AWS::Partition}:iam::*:role/relight-spoke", "effect": "Allow",
			"if": map[string]any{"StringEquals": map[string]any{"aws:ResourceOrgID": "o-a1b2c3d4e5"}},
		}}
		if f != catalog.Backfill && !catalog.Kind(f).InSpokes() {
			want = nil
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", f, diff)
		}
	}
	plain := defaults()["relight"].template
	for id := range plain.of("AWS::IAM::Role") {
		for _, st := range plain.allowed(id) {
			if slices.Contains(texts(at(st, "Action")), assumes) {
				t.Errorf("%s may assume %s", id, text(at(st, "Resource")))
			}
		}
	}
}

// The rules on the hub's bus match every event that a guarded account sends, in each of its
// regions and whether it owns a trail, and each event reaches every kind that it can harm.
func TestRulesOfTheHub(t *testing.T) {
	c, err := config.Parse([]byte(hubConfig))
	if err != nil {
		t.Fatal(err)
	}
	b := c.Baseline()
	s := hub()["relight"].template
	bus, _ := s.only(t, "AWS::Events::EventBus")
	taken := map[string][]string{} // by kind, with the sources and calls that its rules match
	for _, r := range s.of("AWS::Events::Rule") {
		if r.Properties["EventBusName"] == nil || text(r.Properties["EventBusName"]) != ref(bus) {
			continue
		}
		kind, _, _ := strings.Cut(strings.TrimPrefix(text(r.Properties["Name"]), "relight-"), "-")
		p := r.Properties["EventPattern"]
		for _, source := range texts(at(p, "source")) {
			for _, call := range append(texts(at(p, "detail", "eventName")), text(at(p, "detail-type", 0))) {
				taken[kind] = append(taken[kind], source+" "+call)
			}
		}
	}
	sent := 0
	for _, region := range b.SpokeRegions(home) {
		for _, owner := range []bool{false, true} {
			for _, r := range b.SpokeRules(home, region, owner) {
				calls := []string{r.Pattern.DetailType[0]}
				if r.Pattern.Detail != nil {
					calls = r.Pattern.Detail.EventName
				}
				for _, call := range calls {
					sent++
					var kinds []catalog.Kind
					for _, row := range b.Calls() {
						if row.Source == r.Pattern.Source[0] && row.DetailType == r.Pattern.DetailType[0] && (row.Name == call || row.Name == "") {
							kinds = append(kinds, row.Kinds...)
						}
					}
					n := 0
					for _, k := range kinds {
						if row := r.Pattern.Source[0] + " " + call; slices.Contains(taken[string(k)], row) {
							n++
						} else if k != catalog.Guard || r.Pattern.Source[0] != "aws.logs" { // the logs of functions are the hub's
							t.Errorf("in %s, no rule takes %s to %s", region, row, k)
						}
					}
					if n == 0 {
						t.Errorf("in %s, no rule takes %s %s", region, r.Pattern.Source[0], call)
					}
				}
			}
		}
	}
	if sent == 0 {
		t.Error("a guarded account sends nothing")
	}
	for _, source := range []string{"aws.lambda", "aws.ssm", "aws.scheduler"} {
		for kind, rows := range taken {
			if slices.ContainsFunc(rows, func(row string) bool { return strings.HasPrefix(row, source+" ") }) {
				t.Errorf("%s takes events of %s, which no guarded account sends", kind, source)
			}
		}
	}
}

// allowed returns the statements of a role's inline policy, and of the stack's policies that
// are attached to it.
func (s template) allowed(role string) []any {
	p := s.Resources[role].Properties
	all := list(at(p, "Policies", 0, "PolicyDocument", "Statement"))
	for _, attached := range list(at(p, "ManagedPolicyArns")) {
		id := strings.TrimSuffix(strings.TrimPrefix(text(attached), "${"), "}")
		all = append(all, list(at(s.Resources[id].Properties, "PolicyDocument", "Statement"))...)
	}
	return all
}
