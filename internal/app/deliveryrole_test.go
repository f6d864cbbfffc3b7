package app_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/google/go-cmp/cmp"

	"github.com/relight-aws/relight/events"
	"github.com/relight-aws/relight/internal/app"
	"github.com/relight-aws/relight/internal/catalog"
)

const (
	roleName = "relight-flow-logs-delivery"
	policies = "arn:aws:iam::111122223333:policy/"
	denyAll  = `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"logs:*","Resource":"*"}]}`
	allowAll = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"logs:*","Resource":"*"}]}`
)

var roleDeleted = attack{do: func(w *world) {
	must(w.IAM.DeleteRolePolicy(w.t.Context(), &iam.DeleteRolePolicyInput{RoleName: aws.String(roleName), PolicyName: aws.String("deliver")}))
	must(w.IAM.DeleteRole(w.t.Context(), &iam.DeleteRoleInput{RoleName: aws.String(roleName)}))
}}

func (w *world) putRolePolicy(name, document string) {
	w.t.Helper()
	must(w.IAM.PutRolePolicy(w.t.Context(), &iam.PutRolePolicyInput{
		RoleName: aws.String(roleName), PolicyName: aws.String(name), PolicyDocument: aws.String(document),
	}))
}

// policy creates a managed policy and returns its ARN.
func (w *world) policy(name, document string) string {
	w.t.Helper()
	return *must(w.IAM.CreatePolicy(w.t.Context(), &iam.CreatePolicyInput{PolicyName: aws.String(name), PolicyDocument: aws.String(document)})).Policy.Arn
}

func (w *world) version(name, document string, inForce bool) {
	w.t.Helper()
	must(w.IAM.CreatePolicyVersion(w.t.Context(), &iam.CreatePolicyVersionInput{
		PolicyArn: aws.String(policies + name), PolicyDocument: aws.String(document), SetAsDefault: inForce,
	}))
}

func (w *world) attach(arn string) {
	w.t.Helper()
	must(w.IAM.AttachRolePolicy(w.t.Context(), &iam.AttachRolePolicyInput{RoleName: aws.String(roleName), PolicyArn: aws.String(arn)}))
}

func (w *world) bound(arn string) {
	w.t.Helper()
	must(w.IAM.PutRolePermissionsBoundary(w.t.Context(), &iam.PutRolePermissionsBoundaryInput{
		RoleName: aws.String(roleName), PermissionsBoundary: aws.String(arn),
	}))
}

func (w *world) trust(service string) {
	w.t.Helper()
	must(w.IAM.UpdateAssumeRolePolicy(w.t.Context(), &iam.UpdateAssumeRolePolicyInput{
		RoleName:       aws.String(roleName),
		PolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Service":"` + service + `"},"Action":"sts:AssumeRole"}}`),
	}))
}

// relight keeps the owners' policies on the role that do not prevent delivery.
func TestOwnersPoliciesStay(t *testing.T) {
	t.Parallel()
	w := healthy(t, "")
	w.putRolePolicy("extras", allowAll)
	w.putRolePolicy("elsewhere", `{"Version":"2012-10-17","Statement":[
		{"Effect":"Deny","Action":"logs:PutLogEvents","Resource":"arn:aws:logs:*:*:log-group:payments:*"},
		{"Effect":"Deny","Action":"s3:*","Resource":"*"},
		{"Effect":"Deny","NotAction":"logs:*","Resource":"*"},
		{"Effect":"Deny","Action":"logs:*","NotResource":["arn:aws:logs:*:111122223333:log-group:relight-*","*"]}]}`)
	w.attach(w.policy("extras", allowAll))
	must(w.IAM.TagRole(t.Context(), &iam.TagRoleInput{
		RoleName: aws.String(roleName), Tags: []iamtypes.Tag{{Key: aws.String("team"), Value: aws.String("network")}},
	}))
	before, writes := w.State(), len(w.Writes())
	if s := w.sweep(app.Request{}); s.Planned != 0 || s.Unrestored != 0 || len(w.Writes()) != writes {
		t.Errorf("a sweep plans %d and writes %v: %+v", s.Planned, w.Writes()[writes:], s)
	}
	if diff := cmp.Diff(before, w.State()); diff != "" {
		t.Errorf("changed (-before +after):\n%s", diff)
	}
}

// The sweep checks the role first and invokes its function to restore it. Then
// it checks the flow logs, which depend on the role.
func TestSweepHandsTheRoleOver(t *testing.T) {
	t.Parallel()
	w := healthy(t, "")
	before := w.State()
	roleDeleted.do(w)
	w.deleteFlowLogs(home, "vpc-1")
	w.deleteFlowLogs(second, "vpc-3")
	told := len(w.Messages())
	s := w.sweep(app.Request{})
	if diff := cmp.Diff(before, w.State()); diff != "" || s.Unrestored != 0 || s.Repaired != 4 {
		t.Errorf("repaired %d, left %d; not restored (-before +after):\n%s", s.Repaired, s.Unrestored, diff)
	}
	if !slices.Equal(w.invoked, []string{"deliveryroles"}) {
		t.Errorf("invoked %v, want deliveryroles once", w.invoked)
	}
	if got := len(w.Messages()) - told; got != 1 {
		t.Errorf("%d messages, want one: %+v", got, w.Messages()[told:])
	}
	if s := w.sweep(app.Request{}); s.Planned != 0 || len(w.invoked) != 1 {
		t.Errorf("a sweep afterwards plans %d actions and invokes %v", s.Planned, w.invoked)
	}
}

// The sweep reports what the role's function is not allowed to restore.
func TestHandOverFails(t *testing.T) {
	t.Parallel()
	w := healthy(t, "")
	w.trust("ec2.amazonaws.com")
	w.Deny("UpdateAssumeRolePolicy")
	s := w.sweep(app.Request{})
	if s.Unrestored == 0 {
		t.Errorf("nothing is reported as unrestored: %+v", s)
	}
	if log := w.log.String(); !strings.Contains(log, "it failed: ") || !strings.Contains(log, "allow iam:UpdateAssumeRolePolicy on "+roleName) {
		t.Errorf("the log does not name the missing permission: %s", log)
	}
	w.Allow("UpdateAssumeRolePolicy")
	if s := w.sweep(app.Request{}); s.Unrestored != 0 {
		t.Errorf("%d unrestored", s.Unrestored)
	}
	if _, err := w.app("alarms").HandleEvent(t.Context(), []byte(`{"repair":"deliveryroles"}`)); err == nil {
		t.Error("another kind's function accepted the repair of the role")
	}
}

// relight restores a configured boundary. It only reports a boundary that
// denies the role what delivery needs.
func TestBoundary(t *testing.T) {
	t.Parallel()
	w := deployed(t, `{"permissionsBoundary":"`+policies+`bounds"}`)
	w.policy("bounds", allowAll)
	if s := w.sweep(app.Request{}); s.Unrestored != 0 || !strings.Contains(w.State()["role "+roleName], `"boundary":"`+policies+`bounds"`) {
		t.Fatalf("left %d; the role is %s", s.Unrestored, w.State()["role "+roleName])
	}
	w.version("bounds", denyAll, true)
	raw := []byte(`{"id":"e","detail-type":"AWS API Call via CloudTrail","source":"aws.iam","account":"111122223333","region":"us-east-1",
		"detail":{"eventName":"CreatePolicyVersion","requestParameters":{"policyArn":"` + policies + `bounds"}}}`)
	told, writes := len(w.Messages()), len(w.Writes())
	w.send(raw, true)
	m := w.Messages()[told:]
	if len(m) != 2 || !strings.Contains(m[0].Text, "permissions boundary "+policies+"bounds: it keeps flow logs from delivering: it denies logs:CreateLogStream") ||
		!strings.Contains(m[1].Text, "Notice: CreatePolicyVersion of "+policies+"bounds") { // it bounds the roles of relight's functions too
		t.Errorf("messages %+v, want one that says what the boundary denies, and one that it is relight's own", m)
	}
	if got := w.Writes()[writes:]; len(got) > 0 {
		t.Errorf("writes %v, want none", got)
	}
}

// IAM's events come from us-east-1, whatever the home region is. Other events
// from us-east-1 are dropped unless the region is listed.
func TestGlobalEvents(t *testing.T) {
	t.Parallel()
	w := healthy(t, "")
	w.config.Regions = nil
	w.AddRegion("eu-central-1", "opt-in-not-required")
	abroad := func() *app.App { return w.appAt("eu-central-1", catalog.Function(catalog.DeliveryRoles)) }
	res, err := abroad().HandleEvent(t.Context(), events.Read("DeleteRole.ours.json"))
	if err != nil || len(res.(app.Result).Reports) != 1 || res.(app.Result).Reports[0].Region != "eu-central-1" {
		t.Errorf("%+v, %v; want a check of the home region", res, err)
	}
	res, err = w.appAt("eu-central-1", catalog.Function(catalog.FlowLogs)).HandleEvent(t.Context(), events.Read("CreateVpc.default.json"))
	if err != nil || len(res.(app.Result).Reports) != 0 || len(res.(app.Result).Ignored) != 1 {
		t.Errorf("%+v, %v; want it dropped: us-east-1 is not listed", res, err)
	}
}

// A policy that revokes sessions issued before now is not a finding. One that
// also revokes future sessions is.
func TestRevokedSessions(t *testing.T) {
	t.Parallel()
	w := healthy(t, "")
	revoke := func(at time.Time) {
		w.putRolePolicy("AWSRevokeOlderSessions", `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":["*"],"Resource":["*"],
			"Condition":{"DateLessThan":{"aws:TokenIssueTime":"`+at.UTC().Format("2006-01-02T15:04:05.000Z")+`"}}}]}`)
	}
	for after, findings := range map[time.Duration]int{-time.Second: 0, time.Hour: 1} {
		revoke(w.now.Add(after))
		if s := w.sweep(app.Request{Kinds: []catalog.Kind{catalog.DeliveryRoles}}); s.Findings != findings || s.Planned != 0 {
			t.Errorf("revoked %s from now: %d findings, %d planned; want %d findings", after, s.Findings, s.Planned, findings)
		}
	}
}

// moveRole makes a role under the same name at another path.
func (w *world) moveRole(arn string) (namesake string) {
	w.t.Helper()
	name := arn[strings.LastIndex(arn, "/")+1:]
	w.RemoveRole(arn)
	out := must(w.IAM.CreateRole(w.t.Context(), &iam.CreateRoleInput{
		RoleName: aws.String(name), Path: aws.String("/x/"),
		AssumeRolePolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Service":"vpc-flow-logs.amazonaws.com"},"Action":"sts:AssumeRole"}}`),
	}))
	return *out.Role.Arn
}

// A role at another path has the delivery role's name, so relight cannot create
// its own again. It says so, whatever led to the check, leaves the other role as it
// is, and creates its own once that one is gone.
func TestDeliveryRoleAtAnotherPath(t *testing.T) {
	t.Parallel()
	for _, by := range []string{"DeleteRole.ours.json", "the sweep", "a race"} {
		t.Run(by, func(t *testing.T) {
			w := healthy(t, "")
			before := w.State()
			namesake := w.moveRole(role)
			moved, told := w.State()["role "+roleName], len(w.Messages())
			switch by {
			case "the sweep":
				if s := w.sweep(app.Request{}); s.Findings == 0 || s.Healthy >= len(before) {
					t.Errorf("%+v", s)
				}
			case "a race": // the other role comes after relight's check
				w.Fail("GetRole", "NoSuchEntity")
				fallthrough
			default:
				if again, errs := w.send(events.Read("DeleteRole.ours.json"), true); len(again)+len(errs) > 0 {
					t.Error(again, errs)
				}
			}
			m := w.Messages()[told:]
			if len(m) != 1 || !strings.Contains(m[0].Text, namesake) || !strings.Contains(m[0].Text, "delete-role --role-name "+roleName) || strings.Contains(m[0].Text, "Restored: ") {
				t.Errorf("messages %+v, want one that names %s and the remedy", m, namesake)
			}
			if got := w.State()["role "+roleName]; got != moved {
				t.Errorf("the other role changed from %s to %s", moved, got)
			}
			if s := w.sweep(app.Request{}); s.Planned != 0 || s.Findings == 0 {
				t.Errorf("a sweep plans %d and finds %d, want only the finding", s.Planned, s.Findings)
			}
			w.RemoveRole(namesake)
			w.send(events.Read("DeleteRole.ours.json"), true)
			if diff := cmp.Diff(before, w.State()); diff != "" {
				t.Errorf("not restored (-before +after):\n%s", diff)
			}
		})
	}
}

// A flow log that cannot deliver because of that names the role, too.
func TestFlowLogOfARoleAtAnotherPath(t *testing.T) {
	t.Parallel()
	w := healthy(t, "")
	namesake := w.moveRole(role)
	w.anHour()
	s := w.sweep(app.Request{Kinds: []catalog.Kind{catalog.FlowLogs}, Regions: []string{home}})
	if s.Findings != 2 || !strings.Contains(s.Reports[0].Findings[0].Problem, role+" does not exist") || !strings.Contains(s.Reports[0].Findings[0].Problem, namesake) {
		t.Errorf("%+v", s.Reports)
	}
}
