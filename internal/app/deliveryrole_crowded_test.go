package app_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/google/go-cmp/cmp"

	"github.com/relight-aws/relight/events"
	"github.com/relight-aws/relight/internal/app"
)

// filler returns a policy of so many characters that harms nothing.
func filler(n int) string {
	const around = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:ListBucket","Resource":"arn:aws:s3:::%s"}]}`
	return fmt.Sprintf(around, strings.Repeat("x", n-len(around)+2))
}

// However the role's limits are used up, its own policy comes back.
func TestCrowdedDeliveryRole(t *testing.T) {
	t.Parallel()
	gone := func(w *world) {
		must(w.IAM.DeleteRolePolicy(w.t.Context(), &iam.DeleteRolePolicyInput{RoleName: aws.String(roleName), PolicyName: aws.String("deliver")}))
	}
	tests := map[string]func(*world){
		"by one policy": func(w *world) { gone(w); w.putRolePolicy("filler", filler(10240)) },
		"by many policies": func(w *world) {
			gone(w)
			for i := range 20 {
				w.putRolePolicy(fmt.Sprint("filler-", i), filler(512))
			}
		},
		"beside an emptied one": func(w *world) {
			w.putRolePolicy("deliver", `{"Statement":[]}`)
			w.putRolePolicy("filler", filler(10220))
		},
		"by one that denies": func(w *world) {
			gone(w)
			w.putRolePolicy("filler", strings.Replace(filler(10240), `"Allow","Action":"s3:ListBucket"`, `"Deny","NotAction":"s3:Lists"`, 1))
		},
		"by managed policies": func(w *world) {
			gone(w)
			for i := range 10 {
				w.attach(w.policy(fmt.Sprint("quarantine-", i), denyAll))
			}
		},
		"by all of it": func(w *world) {
			gone(w)
			w.trust("ec2.amazonaws.com")
			w.putRolePolicy("filler", filler(10240))
			w.bound(w.policy("bounds", denyAll))
			for i := range 10 {
				w.attach(w.policy(fmt.Sprint("quarantine-", i), denyAll))
			}
		},
	}
	for name, do := range tests {
		for _, by := range []string{"DeleteRolePolicy.ours.json", "the sweep"} {
			t.Run(name+", seen by "+by, func(t *testing.T) {
				t.Parallel()
				w := healthy(t, few)
				before := w.State()["role "+roleName]
				do(w)
				told := len(w.Messages())
				if by == "the sweep" {
					w.sweep(app.Request{})
				} else if again, errs := w.send(events.Read(by), true); len(again)+len(errs) > 0 {
					t.Fatal(again, errs)
				}
				after := w.State()["role "+roleName]
				if name == "by many policies" { // only as many go as have to
					if n := strings.Count(after, "filler-"); n == 0 || n == 20 {
						t.Errorf("%d fillers are left, want some", n)
					}
				} else if diff := cmp.Diff(before, after); diff != "" {
					t.Errorf("not restored (-before +after):\n%s", diff)
				}
				if !strings.Contains(after, `"deliver"`) {
					t.Error("the policy is not back")
				}
				if len(w.Messages()) == told {
					t.Error("nobody was notified")
				}
				if s := w.sweep(app.Request{}); s.Planned != 0 || s.Findings != 0 {
					t.Errorf("a sweep afterwards plans %d, finds %d", s.Planned, s.Findings)
				}
			})
		}
	}
}

// What makes room for the role's policy is first what goes in any case, and then what
// takes most: as little as possible of what somebody may need.
func TestWhatMakesRoom(t *testing.T) {
	t.Parallel()
	denying := strings.Replace(filler(4000), `"Allow","Action":"s3:ListBucket"`, `"Deny","NotAction":"s3:Lists"`, 1)
	for name, tt := range map[string]struct {
		policies map[string]string
		left     []string
	}{
		"the largest first":   {map[string]string{"a": filler(300), "b": filler(400), "c": filler(9000), "d": filler(300)}, []string{"a", "b", "d"}},
		"one that denies":     {map[string]string{"a": filler(6200), "z": denying}, []string{"a"}},
		"and then another":    {map[string]string{"a": filler(200), "b": filler(6000), "z": denying}, []string{"a", "b"}},
		"no more than needed": {map[string]string{"a": filler(5000), "b": filler(5200)}, []string{"a"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := healthy(t, few)
			must(w.IAM.DeleteRolePolicy(t.Context(), &iam.DeleteRolePolicyInput{RoleName: aws.String(roleName), PolicyName: aws.String("deliver")}))
			for policy, document := range tt.policies {
				w.putRolePolicy(policy, document)
			}
			w.send(events.Read("DeleteRolePolicy.ours.json"), true)
			w.PageSize(0)
			left := must(w.IAM.ListRolePolicies(t.Context(), &iam.ListRolePoliciesInput{RoleName: aws.String(roleName), MaxItems: aws.Int32(100)})).PolicyNames
			if want := append(slices.Clone(tt.left), "deliver"); !slices.Equal(left, slices.Sorted(slices.Values(want))) {
				t.Errorf("the role's policies are %v, want %v", left, want)
			}
		})
	}
}

// An event may have the role's name in other letters.
func TestDeliveryRoleInOtherLetters(t *testing.T) {
	t.Parallel()
	w := healthy(t, few)
	before := w.State()
	w.putRolePolicy("x", denyAll)
	raw := strings.ReplaceAll(string(events.Read("PutRolePolicy.denying.json")), roleName, strings.ToUpper(roleName))
	if again, errs := w.send([]byte(raw), true); len(again)+len(errs) > 0 {
		t.Fatal(again, errs)
	}
	if diff := cmp.Diff(before, w.State()); diff != "" {
		t.Errorf("not restored (-before +after):\n%s", diff)
	}
}

// A policy that only takes room is left while there is enough of it.
func TestFillerBesideTheRolesPolicy(t *testing.T) {
	t.Parallel()
	w := healthy(t, few)
	w.putRolePolicy("filler", filler(9000))
	before := w.State()
	w.sweep(app.Request{})
	if diff := cmp.Diff(before, w.State()); diff != "" {
		t.Errorf("changed (-before +after):\n%s", diff)
	}
}
