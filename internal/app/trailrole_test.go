package app_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/relight-aws/relight/events"
	"github.com/relight-aws/relight/internal/app"
	"github.com/relight-aws/relight/internal/catalog"
)

const auditRoleName = "audit-delivery"

func (w *world) denyTrailRole() {
	w.t.Helper()
	must(w.IAM.PutRolePolicy(w.t.Context(), &iam.PutRolePolicyInput{
		RoleName: aws.String(auditRoleName), PolicyName: aws.String("x"), PolicyDocument: aws.String(denyAll),
	}))
}

func (w *world) onTrailRole(policy string) {
	w.t.Helper()
	must(w.IAM.AttachRolePolicy(w.t.Context(), &iam.AttachRolePolicyInput{RoleName: aws.String(auditRoleName), PolicyArn: aws.String(policy)}))
}

// trailExtras leaves a managed policy on the trail's role that denies.
func trailExtras(w *world) {
	w.onTrailRole(w.policy("trail-extras", allowAll))
	w.version("trail-extras", denyAll, true)
}

// roleEvent returns the event of a call on a role or a policy.
func roleEvent(call, name string) []byte {
	return []byte(strings.NewReplacer(auditRoleName, name, policies+"trail-extras", name).Replace(string(events.Read(call + ".trail-role.json"))))
}

// People are notified of every change of a role that a trail delivers with, or of
// a policy on it, while the trail still seems to deliver; nobody is of other roles.
func TestTrailRole(t *testing.T) {
	t.Parallel()
	const atPath = "arn:aws:iam::111122223333:role/audit/delivery/deliver"
	tests := map[string]struct {
		do       func(*world)
		event    []byte
		messages int
		says     string
	}{
		"role of the trail":         {event: roleEvent("PutRolePolicy", auditRoleName), messages: 1, says: "Notice: PutRolePolicy of audit-delivery: "},
		"its name in other letters": {event: roleEvent("PutRolePolicy", "Audit-Delivery"), messages: 1, says: "of Audit-Delivery: "},
		"a Deny that CloudTrail has noticed": {
			do: (*world).denyTrailRole, event: roleEvent("PutRolePolicy", auditRoleName), messages: 1, says: "its events do not reach log group " + trailGroup,
		},
		"role that is gone": {
			do: func(w *world) { w.RemoveRole(auditRole) }, event: roleEvent("DeleteRole", auditRoleName), messages: 1, says: auditRole + " does not exist",
		},
		"role at a path": {
			do: func(w *world) {
				w.AddRole(atPath, 0)
				w.updateTrail(cloudtrail.UpdateTrailInput{CloudWatchLogsLogGroupArn: w.trail().CloudWatchLogsLogGroupArn, CloudWatchLogsRoleArn: aws.String(atPath)})
			},
			event: roleEvent("AttachRolePolicy", "deliver"), messages: 1, says: "of deliver: ",
		},
		"the role that it had before": {
			do: func(w *world) {
				w.AddRole(atPath, 0)
				w.updateTrail(cloudtrail.UpdateTrailInput{CloudWatchLogsLogGroupArn: w.trail().CloudWatchLogsLogGroupArn, CloudWatchLogsRoleArn: aws.String(atPath)})
			},
			event: roleEvent("AttachRolePolicy", auditRoleName),
		},
		"policy on the role": {do: trailExtras, event: roleEvent("CreatePolicyVersion", policies+"trail-extras"), messages: 1, says: "trail-extras: "},
		"boundary of the role": {
			do: func(w *world) {
				must(w.IAM.PutRolePermissionsBoundary(w.t.Context(), &iam.PutRolePermissionsBoundaryInput{
					RoleName: aws.String(auditRoleName), PermissionsBoundary: aws.String(w.policy("bounds", allowAll)),
				}))
				w.version("bounds", denyAll, true)
			},
			event: roleEvent("SetDefaultPolicyVersion", policies+"bounds"), messages: 1, says: "bounds: ",
		},
		"policy on another role": {
			do: func(w *world) {
				w.AddRole("arn:aws:iam::111122223333:role/checkout-service", 0)
				must(w.IAM.AttachRolePolicy(w.t.Context(), &iam.AttachRolePolicyInput{
					RoleName: aws.String("checkout-service"), PolicyArn: aws.String(w.policy("tables", allowAll)),
				}))
			},
			event: roleEvent("CreatePolicyVersion", policies+"tables"),
		},
		"policy of nobody":          {do: func(w *world) { w.policy("tables", allowAll) }, event: roleEvent("CreatePolicyVersion", policies+"tables")},
		"another role":              {event: roleEvent("PutRolePolicy", "checkout-service")},
		"role whose name begins so": {event: roleEvent("PutRolePolicy", auditRoleName+"-2")},
		"no trail": {
			do: func(w *world) { w.deleteTrail("audit") }, event: roleEvent("PutRolePolicy", auditRoleName),
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := healthy(t, few)
			if tt.do != nil {
				tt.do(w)
			}
			told, writes := len(w.Messages()), len(w.Writes())
			if again, errs := w.send(tt.event, true); len(again)+len(errs) > 0 {
				t.Fatal(again, errs)
			}
			got := w.Messages()[told:]
			if len(got) != tt.messages || tt.messages > 0 && (!strings.Contains(got[0].Text, tt.says) || !strings.Contains(got[0].Text, ":user/Alice from 192.0.2.10")) {
				t.Errorf("messages %+v, want %d that say %q", got, tt.messages, tt.says)
			}
			if len(w.Writes()) != writes {
				t.Errorf("writes %v, want none", w.Writes()[writes:])
			}
		})
	}
}

// The role is denied and let go between two sweeps, so no sweep sees anything, but
// each of the calls is reported.
func TestTrailRoleBetweenSweeps(t *testing.T) {
	t.Parallel()
	w := healthy(t, few)
	must(w.IAM.PutRolePolicy(t.Context(), &iam.PutRolePolicyInput{RoleName: aws.String(auditRoleName), PolicyName: aws.String("deliver"), PolicyDocument: aws.String(allowAll)}))
	must(w.IAM.UpdateAssumeRolePolicy(t.Context(), &iam.UpdateAssumeRolePolicyInput{
		RoleName:       aws.String(auditRoleName),
		PolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},"Action":"sts:AssumeRole"}}`),
	}))
	told := len(w.Messages())
	for range 3 {
		w.denyTrailRole()
		w.send(roleEvent("PutRolePolicy", auditRoleName), true)
		must(w.IAM.DeleteRolePolicy(t.Context(), &iam.DeleteRolePolicyInput{RoleName: aws.String(auditRoleName), PolicyName: aws.String("x")}))
		w.send(roleEvent("DeleteRolePolicy", auditRoleName), true)
		if s := w.sweep(app.Request{}); s.Findings != 0 {
			t.Errorf("a sweep finds %d: %+v", s.Findings, s)
		}
	}
	if got := len(w.Messages()) - told; got != 6 {
		t.Errorf("%d messages, want one for each call", got)
	}
}

// The function of the trails reads who has a policy first, so that an event about
// a policy that no role has costs one read.
func TestTrailRoleReads(t *testing.T) {
	t.Parallel()
	w := healthy(t, few)
	w.policy("tables", allowAll)
	for event, want := range map[string]int{
		string(roleEvent("CreatePolicyVersion", policies+"tables")): 1,
		string(roleEvent("PutRolePolicy", "checkout-service")):      1,
		string(roleEvent("PutRolePolicy", auditRoleName)):           4, // with the message
	} {
		before := w.Calls()
		if _, err := w.app(catalog.Function(catalog.Trails)).HandleEvent(t.Context(), []byte(event)); err != nil {
			t.Error(err)
		}
		if used := w.Calls().Since(before); used.Total("PutEvents") > want {
			t.Errorf("%v, want at most %d", used, want)
		}
	}
}
