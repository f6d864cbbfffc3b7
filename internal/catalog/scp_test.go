package catalog_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/relight-aws/relight/internal/catalog"
)

// The policy denies each call that the guard watches, on a resource with the prefix,
// and exempts relight's own roles and those that are allowed, which it guards too.
func TestSCPDeniesWhatTheGuardWatches(t *testing.T) {
	const deployer = "arn:aws:iam::*:role/deployer"
	policy, err := catalog.Baseline{Prefix: "watch", Boundary: "arn:aws:iam::111122223333:policy/bounds-of-watch"}.SCP("aws", []string{deployer})
	if err != nil {
		t.Fatal(err)
	}
	resources := policy[0].Resource.([]string)
	for _, c := range catalog.Calls {
		if !slices.Equal(c.Kinds, []catalog.Kind{catalog.Guard}) {
			continue
		}
		if !slices.ContainsFunc(policy, func(st catalog.SCPStatement) bool { return slices.Contains(st.Action, c.Permission()) }) {
			t.Errorf("%s of %s is not denied", c.Name, c.Source)
		}
		service, _, _ := strings.Cut(c.Permission(), ":")
		if !slices.ContainsFunc(resources, func(r string) bool { return strings.HasPrefix(r, "arn:aws:"+service+":") }) {
			t.Errorf("no resource of %s", service)
		}
	}
	for _, r := range resources {
		if r != deployer && !strings.Contains(r, "watch") {
			t.Errorf("%s is not only relight's", r)
		}
	}
	if !slices.Contains(resources, deployer) {
		t.Error("somebody else may change the role that is allowed")
	}
	for _, st := range policy {
		if st.Sid == "GuardPause" {
			continue
		}
		exempt, _ := st.Condition["ArnNotLike"]["aws:PrincipalArn"].([]string)
		if !slices.Equal(exempt, []string{"arn:aws:iam::*:role/watch-*", deployer}) || st.Effect != "Deny" {
			t.Errorf("%s: %s, but not to %q", st.Sid, st.Effect, exempt)
		}
		for _, action := range st.Action {
			if name := action[strings.Index(action, ":")+1:]; strings.ContainsAny(name, "0123456789*") {
				t.Errorf("%s is no action", action)
			}
		}
	}
}

// The policy fits AWS's limit with the longest prefix, in the partition with the
// longest ID, with room for several roles. One that does not fit is refused.
func TestSCPFits(t *testing.T) {
	b := catalog.Baseline{Prefix: strings.Repeat("p", 20), Boundary: "arn:aws:iam::111122223333:policy/" + strings.Repeat("b", 64)}
	longest := slices.MaxFunc(catalog.PartitionIDs(), func(a, b string) int { return len(a) - len(b) })
	role := "arn:" + longest + ":iam::111122223333:role/" + strings.Repeat("r", 64)
	policy, err := b.SCP(longest, []string{role, role + "2", role + "3"})
	if n := len(catalog.SCPText(policy)); err != nil || n > catalog.SCPLimit {
		t.Errorf("%d characters, %v", n, err)
	}
	var many []string
	for range 30 {
		role += "r"
		many = append(many, role)
	}
	if _, err := b.SCP(longest, many); err == nil {
		t.Error("a policy that AWS refuses is printed")
	}
}

// Only those who may pause relight may write what pauses it, and nobody else may change
// their roles. If nobody may, nobody is exempt.
func TestSCPGuardsThePause(t *testing.T) {
	const operator = "arn:aws:iam::111122223333:role/operator"
	for _, by := range [][]string{nil, {operator, "arn:aws:iam::111122223333:user/ops/*"}} {
		policy, err := catalog.Baseline{Prefix: "watch", PauseBy: by}.SCP("aws", []string{"arn:aws:iam::*:role/deployer"})
		if err != nil {
			t.Fatal(err)
		}
		st := policy[len(policy)-1]
		exempt, _ := st.Condition["ArnNotLike"]["aws:PrincipalArn"].([]string)
		if st.Resource != "arn:aws:ssm:*:*:parameter/watch/pause" || !slices.Equal(exempt, by) || len(st.Condition) != min(1, len(by)) {
			t.Errorf("%+v, want it for everybody but %q", st, by)
		}
		for _, action := range []string{"ssm:PutParameter", "ssm:DeleteParameter", "ssm:DeleteParameters", "ssm:LabelParameterVersion"} {
			if !slices.Contains(st.Action, action) {
				t.Errorf("%s is not denied", action)
			}
		}
		if got := slices.Contains(policy[0].Resource.([]string), operator); got != (by != nil) {
			t.Errorf("the operator's role is guarded: %t", got)
		}
	}
}
