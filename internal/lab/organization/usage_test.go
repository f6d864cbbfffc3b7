package organization

import (
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/lab"
	"github.com/relight-aws/relight/internal/lab/tap"
)

// A span is from an attack after which AWS has to refuse calls in an account until what
// undid it was done.
type span struct {
	account  string
	from, to time.Time
}

// shut are the spans in which an account had the roles that the attacks on them left.
var shut []span

// covers reports whether a call was about an account that was shut: one in that account, or
// one that opens a session there, of which the tap does not say which account it names.
func (s span) covers(c tap.Call) bool {
	return (c.Account == s.account || c.Operation == "AssumeRole") && !c.Time.Before(s.from) && !c.Time.After(s.to)
}

// refused returns the actions that AWS refused although no attack on a role was the reason.
// The bucket of the flow logs is the hub's, so that S3 shows its policy to nobody else. And two
// instances may delete one flow log at the same time: what is gone has no tag that allows it.
func refused(calls []tap.Call) map[string]string {
	usage := lab.UsageOf(slices.DeleteFunc(slices.Clone(calls), func(c tap.Call) bool {
		return slices.ContainsFunc(shut, func(s span) bool { return s.covers(c) })
	}))
	maps.DeleteFunc(usage.Refused, func(action, _ string) bool {
		return action == "s3:GetBucketPolicy" || action == "ec2:DeleteFlowLogs" && usage.Allowed[action]
	})
	return usage.Refused
}

// TestPolicies compares what the tap saw each role call in each account with what the
// policies of the role allow there. AWS refused nothing, but for what an attack had taken
// from a role at the time, and no policy allows anything that is unused unless the table
// says what checks it or what it is for. That of a function in its own account is compared
// with what is unused in package e2e; here, only what it may do because of the organisation
// has to be used. This test is in the last file, so that it runs after all tests that make
// calls.
func TestPolicies(t *testing.T) {
	must(t, arena.Settle(t.Context()))
	keys := append(lab.GrantKeys(), catalog.KeyOrganization, catalog.KeyForwarders)
	for role, deployed := range arena.Deployment.Functions {
		f := catalog.Function(strings.TrimPrefix(deployed.Name, arena.Prefix+"-"))
		calls := arena.Cloud.Tap.Calls(tap.ByRole(role, time.Time{}))
		compare(t, lab.Account, role, calls)
		if f != catalog.Backfill && !catalog.Kind(f).InSpokes() {
			continue
		}
		var joined []catalog.Grant
		for _, g := range catalog.Grants(f, keys...) {
			if g.If == catalog.KeyOrganization {
				joined = append(joined, g)
			}
		}
		for _, action := range lab.UsageOf(calls).Unexplained(joined) {
			t.Errorf("%s may call %s in the hub and never did; the table does not say why", f, action)
		}
	}

	every, owner := catalog.SpokeGrants(keys...)
	together := lab.UsageOf(nil)
	for _, who := range arena.Spokes {
		role := "arn:aws:iam::" + who.Account + ":role/relight-" + catalog.SpokeRole
		calls := arena.Cloud.Tap.Calls(tap.ByRole(role, time.Time{}))
		compare(t, who.Account, role, calls)
		usage := lab.UsageOf(calls)
		maps.Copy(together.Used, usage.Used)
		fmt.Fprintf(os.Stderr, "in %s, the functions used %s\n", who.Account, strings.Join(slices.Sorted(maps.Keys(usage.Used)), " "))
		if who.TrailLogGroup != "" {
			for _, action := range usage.Unexplained(owner) {
				if !later()[action] {
					t.Errorf("in %s, which owns a trail, %s is allowed and never used; the table does not say why", who.Account, action)
				}
			}
		}
	}
	for _, action := range together.Unexplained(every) {
		t.Errorf("in guarded accounts, %s is allowed and never used; the table does not say why", action)
	}
}

// later returns the actions of kinds that the hub does not restore in guarded accounts so far.
func later() map[string]bool {
	actions := map[string]bool{}
	for _, k := range catalog.Kinds() {
		if !k.InSpokes() {
			maps.Copy(actions, lab.Actions(catalog.Grants(catalog.Function(k))))
		}
	}
	return actions
}

// compare compares calls of a role with its policies in the account of the role.
func compare(t *testing.T, account, arn string, calls []tap.Call) {
	t.Helper()
	role := arn[strings.LastIndex(arn, "/")+1:]
	for action, code := range refused(calls) {
		t.Errorf("%s was refused %s: %s", arn, action, code)
	}
	granted, err := arena.Cloud.RootOf(account).In(lab.Region).Granted(context.WithoutCancel(t.Context()), role)
	must(t, err)
	for _, action := range slices.Sorted(maps.Keys(lab.UsageOf(calls).Used)) {
		if !granted[action] {
			t.Errorf("%s called %s, which its policies do not grant", arn, action)
		}
	}
	for _, c := range calls {
		if c.Account != account {
			t.Errorf("%s called %s %s in account %s", arn, c.Service, c.Operation, c.Account)
		}
	}
}

// Only AWS acts with the role of the rules and with that of the flow logs, so the tap sees
// no call of theirs. Each may do what AWS says that its service needs for that, and nothing
// else. Sources: Amazon EventBridge User Guide, "Sending and receiving events between AWS
// accounts"; Amazon VPC User Guide, "IAM role for publishing flow logs to CloudWatch Logs".
func TestRolesOfServices(t *testing.T) {
	want := map[string][]string{
		"relight-forward-" + lab.Region:       {"events:PutEvents"},
		"relight-forward-" + lab.SecondRegion: {"events:PutEvents"},
		"relight-delivery":                    {"logs:CreateLogStream", "logs:DescribeLogGroups", "logs:DescribeLogStreams", "logs:PutLogEvents"},
	}
	for _, who := range arena.Spokes {
		for role, actions := range want {
			granted, err := arena.Cloud.RootOf(who.Account).In(lab.Region).Granted(t.Context(), role)
			must(t, err)
			if got := slices.Sorted(maps.Keys(granted)); !slices.Equal(got, actions) {
				t.Errorf("in %s, %s may %v, want %v", who.Account, role, got, actions)
			}
			if calls := arena.Cloud.Tap.Calls(tap.ByRole("arn:aws:iam::"+who.Account+":role/"+role, time.Time{})); len(calls) > 0 {
				t.Errorf("in %s, somebody acts with %s: %v", who.Account, role, operations(calls))
			}
		}
	}
}
