package e2e

import (
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

// deniedByAttacks are the actions that attacks deny by the topic's policy.
var deniedByAttacks = []string{"sns:ListSubscriptionsByTopic", "sns:Publish"}

// TestPolicies compares what the tap saw each function call with what its
// policy allows. No call was refused, and a policy allows nothing that is
// unused unless the table explains for that action what checks it or what it is
// for. The sweep may do what a kind's own function does. This test is in the
// last file, so that it runs after all tests that make calls.
func TestPolicies(t *testing.T) {
	s := shared
	s.drain(t)
	byKinds := map[string]bool{}
	for _, f := range catalog.Binaries() { // Backfill comes after the kinds
		usage := lab.UsageOf(s.Cloud.Tap.Calls(tap.ByRole(s.role(t, f), time.Time{})))
		maps.Copy(byKinds, usage.Used)
		for action, code := range usage.Refused {
			// Two instances may delete one flow log at the same time, and what is gone has no tag that allows it.
			if !slices.Contains(deniedByAttacks, action) && (action != "ec2:DeleteFlowLogs" || !usage.Allowed[action]) {
				t.Errorf("%s was refused %s: %s", f, action, code)
			}
		}
		granted := map[string]bool{}
		for _, g := range catalog.RuntimeGrants(f) {
			if slices.Contains(g.Resources, catalog.InOwnQueue) { // Lambda itself makes the other calls
				granted[g.Actions[0]] = true
			}
		}
		grants := catalog.Grants(f, lab.GrantKeys()...)
		maps.Copy(granted, lab.Actions(grants))
		for _, action := range usage.Unexplained(grants) {
			if f != catalog.Backfill || !byKinds[action] {
				t.Errorf("%s may call %s and never did; the table does not say why", f, action)
			}
		}
		for _, action := range slices.Sorted(maps.Keys(usage.Used)) {
			if !granted[action] {
				t.Errorf("%s called %s, which the table does not grant", f, action)
			}
		}
		fmt.Fprintf(os.Stderr, "%s used %s\n", f, strings.Join(slices.Sorted(maps.Keys(usage.Used)), " "))
	}
}
