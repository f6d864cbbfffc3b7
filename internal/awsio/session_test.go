package awsio

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/google/go-cmp/cmp"

	"github.com/relight-aws/relight/internal/awstest"
	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/remedy"
)

const (
	memberAccount = "444455556666"
	memberRole    = "arn:aws:iam::" + memberAccount + ":role/relight-spoke"
	hubSession    = "arn:aws:sts::" + account + ":assumed-role/relight-flowlogs/relight-flowlogs"
)

// member returns a hub's Cloud of a guarded account, the organisation, and both accounts.
// The role in the guarded account has the trust policy.
func member(t *testing.T, trust string, s Session) (c *Cloud, org *awstest.Organization, hub, guarded *awstest.Account) {
	t.Helper()
	hub, guarded = awstest.New(account, home), awstest.New(memberAccount, home)
	guarded.AddRegion("eu-west-1", "opt-in-not-required")
	guarded.AddVPC(home, "vpc-1")
	if _, err := guarded.IAM.CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: aws.String("relight-spoke"), AssumeRolePolicyDocument: aws.String(trust)}); err != nil {
		t.Fatal(err)
	}
	org = awstest.NewOrganization("o-a1b2c3d4e5", hub, guarded)
	from := &Cloud{Config: org.ConfigOf(hubSession), Want: catalog.Desired{Deployment: catalog.Deployment{Account: account, HomeRegion: home, SweepRole: "arn:aws:iam::" + account + ":role/relight-flowlogs"}}}
	s.Role, s.Name, s.Function = memberRole, "relight-flowlogs", catalog.Function(catalog.FlowLogs)
	return &Cloud{Config: from.Assume(s), Want: catalog.Desired{Deployment: catalog.Deployment{Account: memberAccount, HomeRegion: home}}, Hub: from}, org, hub, guarded
}

// trusting returns a trust policy that admits the hub for an action under conditions.
func trusting(statements ...string) string {
	for i, s := range statements {
		action, condition, _ := strings.Cut(s, " ")
		statements[i] = `{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::` + account + `:root"},"Action":"` + action + `","Condition":` + condition + `}`
	}
	return `{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}`
}

var trustsHub = trusting("sts:AssumeRole {}", "sts:TagSession {}")

// The regions of an account share one session, which is replaced before it expires, and a
// Cloud of which nothing is asked opens none.
func TestSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		run := 0
		c, org, hub, guarded := member(t, trustsHub, Session{Run: func(context.Context) string { run++; return fmt.Sprint("run-", run) }})
		ask := func() {
			t.Helper()
			for _, region := range []string{home, "eu-west-1"} {
				if _, err := c.in(memberAccount, region).ec2().DescribeVpcs(t.Context(), &ec2.DescribeVpcsInput{}); err != nil {
					t.Fatal(err)
				}
			}
		}
		if len(org.Sessions()) > 0 {
			t.Error("a session that nothing needs")
		}
		ask()
		time.Sleep(44 * time.Minute)
		ask()
		time.Sleep(2 * time.Minute)
		ask()
		var want []awstest.Session
		for _, run := range []string{"run-1", "run-2"} {
			want = append(want, awstest.Session{
				By: hubSession, Role: memberRole, Name: "relight-flowlogs", Tags: map[string]string{"relight-function": "flowlogs", "relight-run": run},
			})
		}
		if diff := cmp.Diff(want, org.Sessions()); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if n := guarded.Calls()["DescribeVpcs"]; n != 6 || hub.Calls()["DescribeVpcs"] > 0 {
			t.Errorf("%d reads in the guarded account, %d in the hub", n, hub.Calls()["DescribeVpcs"])
		}
	})
}

// A refused session is an error of its own call, and not of the one that needed it.
func TestClosed(t *testing.T) {
	for name, tt := range map[string]struct {
		trust, external string
		fault           string
		closed          bool
		class           remedy.Class
	}{
		"open":                  {trust: trustsHub},
		"with an external ID":   {trust: trusting(`sts:AssumeRole {"StringEquals":{"sts:ExternalId":"x"}}`, "sts:TagSession {}"), external: "x"},
		"without it":            {trust: trusting(`sts:AssumeRole {"StringEquals":{"sts:ExternalId":"x"}}`, "sts:TagSession {}"), closed: true, class: remedy.Terminal},
		"no tags":               {trust: trusting("sts:AssumeRole {}"), closed: true, class: remedy.Terminal},
		"tags of others":        {trust: trusting("sts:AssumeRole {}", `sts:TagSession {"ForAllValues:StringEquals":{"aws:TagKeys":["relight-run"]}}`), closed: true, class: remedy.Terminal},
		"of another function":   {trust: trusting("sts:AssumeRole {}", `sts:TagSession {"StringNotEquals":{"aws:RequestTag/relight-function":"flowlogs"}}`), closed: true, class: remedy.Terminal},
		"of another role":       {trust: trusting(`sts:AssumeRole {"ArnEquals":{"aws:PrincipalArn":"arn:aws:iam::`+account+`:role/relight-alarms"}}`, "sts:TagSession {}"), closed: true, class: remedy.Terminal},
		"another organisation":  {trust: trusting(`sts:AssumeRole {"StringEquals":{"aws:PrincipalOrgID":"o-0000000000"}}`, "sts:TagSession {}"), closed: true, class: remedy.Terminal},
		"an unknown condition":  {trust: trusting(`sts:AssumeRole {"IpAddress":{"aws:SourceIp":"192.0.2.0/24"}}`, "sts:TagSession {}"), closed: true, class: remedy.Terminal},
		"no region":             {trust: trustsHub, fault: "RegionDisabledException", closed: true, class: remedy.Terminal},
		"a fault of the moment": {trust: trustsHub, fault: "ServiceUnavailableException", class: remedy.Transient},
	} {
		t.Run(name, func(t *testing.T) {
			c, _, hub, guarded := member(t, tt.trust, Session{ExternalID: tt.external})
			if tt.fault != "" {
				hub.Fail("AssumeRole", tt.fault)
			}
			_, err := c.in(memberAccount, home).ec2().DescribeVpcs(t.Context(), &ec2.DescribeVpcsInput{})
			role, why, closed := Closed(err)
			if closed != tt.closed || remedy.ClassOf(err) != tt.class || closed && (role != memberRole || !strings.HasPrefix(why, "sts.AssumeRole: ")) {
				t.Errorf("%v: closed %t, role %q, %q, class %s", err, closed, role, why, remedy.ClassOf(err))
			}
			if err != nil && guarded.Calls()["DescribeVpcs"] > 0 {
				t.Error("the call was made without a session")
			}
		})
	}
}

// A session that AWS knows no more, because its role is gone or was made again, is replaced
// once, and the new one says whether relight is let in.
func TestSessionOfDeletedRole(t *testing.T) {
	for _, code := range []string{"InvalidClientTokenId", "UnrecognizedClientException", "AuthFailure", "AccessDenied"} {
		for name, tt := range map[string]struct {
			gone     bool
			refusals int
			sessions int
			closed   bool
			ok       bool
		}{
			"made again":       {refusals: 1, sessions: 2, ok: true},
			"gone":             {gone: true, refusals: 1, sessions: 1, closed: true},
			"still not known":  {refusals: 2, sessions: 2},
			"and then refused": {refusals: 3, sessions: 2},
		} {
			t.Run(code+" "+name, func(t *testing.T) {
				c, org, _, guarded := member(t, trustsHub, Session{})
				ask := func() error {
					_, err := c.in(memberAccount, home).ec2().DescribeVpcs(t.Context(), &ec2.DescribeVpcsInput{})
					return err
				}
				if err := ask(); err != nil {
					t.Fatal(err)
				}
				if tt.gone {
					guarded.RemoveRole(memberRole)
				}
				guarded.Fail("DescribeVpcs", slices.Repeat([]string{code}, tt.refusals)...)
				err := ask()
				_, _, closed := Closed(err)
				if code == "AccessDenied" { // of a session that AWS knows
					tt.ok, tt.closed, tt.sessions = false, false, 1
				}
				if closed != tt.closed || (err == nil) != tt.ok || err != nil && remedy.ClassOf(err) != remedy.Terminal {
					t.Errorf("%v: closed %t, want %t; want success %t", err, closed, tt.closed, tt.ok)
				}
				if n := len(org.Sessions()); n != tt.sessions {
					t.Errorf("%d sessions, want %d", n, tt.sessions)
				}
			})
		}
	}
}

// What relight remembers of a guarded account is in the hub, where only the sweep's role
// counts.
func TestMemoryOfGuardedAccount(t *testing.T) {
	c, _, hub, guarded := member(t, trustsHub, Session{})
	if err := c.Remember(t.Context(), home, "/relight/memory/x", "text"); err != nil {
		t.Fatal(err)
	}
	note, err := c.Recall(t.Context(), home, "/relight/memory/x")
	if err != nil || note.Text != "text" || note.Foreign != "" {
		t.Errorf("%+v, %v", note, err)
	}
	if _, err := c.in(memberAccount, home).recallTrail(t.Context()); err != nil {
		t.Error(err)
	}
	if hub.Calls()["PutParameter"] != 1 || hub.Calls()["GetParameterHistory"] != 2 || guarded.Calls().Total("CreateRole") > 0 {
		t.Errorf("hub %v, guarded account %v", hub.Calls(), guarded.Calls())
	}
}
