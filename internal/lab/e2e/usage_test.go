package e2e

import (
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/lab/tap"
)

// apiDate is the end of the names that Lambda's calls have in records.
var apiDate = regexp.MustCompile(`\d{8}(v\d)?$`)

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
	service := map[string]string{"monitoring": "cloudwatch"} // signing name to IAM prefix, if they differ
	byKinds := map[string]bool{}
	for _, f := range catalog.Binaries() { // Backfill comes after the kinds
		used, allowed, refused := map[string]bool{}, map[string]bool{}, map[string]string{}
		for _, c := range s.Cloud.Tap.Calls(tap.ByRole(s.role(t, f), time.Time{})) {
			prefix := c.Service
			if p := service[prefix]; p != "" {
				prefix = p
			}
			action := prefix + ":" + c.Operation
			action = apiDate.ReplaceAllString(action, "")
			if strings.HasSuffix(action, "/invocations") { // a data event, which the tap lists by its path
				action = "lambda:InvokeFunction"
			}
			used[action], byKinds[action] = true, true
			if slices.Contains(deniedByAttacks, action) {
				continue
			}
			if strings.Contains(c.ErrorCode, "Denied") || strings.Contains(c.ErrorCode, "Unauthorized") || strings.Contains(c.ErrorCode, "AuthorizationError") {
				refused[action] = c.ErrorCode
			} else {
				allowed[action] = true
			}
		}
		for action, code := range refused {
			// Two instances may delete one flow log at the same time, and what is gone has no tag that allows it.
			if action != "ec2:DeleteFlowLogs" || !allowed[action] {
				t.Errorf("%s was refused %s: %s", f, action, code)
			}
		}
		granted := map[string]bool{}
		for _, g := range catalog.RuntimeGrants(f) {
			if slices.Contains(g.Resources, catalog.InOwnQueue) { // Lambda itself makes the other calls
				granted[g.Actions[0]] = true
			}
		}
		for _, g := range catalog.Grants(f, catalog.KeySubnets, catalog.KeyInterfaces, catalog.KeyToBucket, catalog.KeyToStream) { // as lab.Config has them
			for _, action := range g.Actions {
				granted[action] = true
				_, name, _ := strings.Cut(action, ":")
				said := strings.Contains(g.Why, name+" is checked") || strings.Contains(g.Why, name+" is for")
				if !used[action] && !said && (f != catalog.Backfill || !byKinds[action]) {
					t.Errorf("%s may call %s and never did; the table does not say why", f, action)
				}
			}
		}
		for _, action := range slices.Sorted(maps.Keys(used)) {
			if !granted[action] {
				t.Errorf("%s called %s, which the table does not grant", f, action)
			}
		}
		fmt.Fprintf(os.Stderr, "%s used %s\n", f, strings.Join(slices.Sorted(maps.Keys(used)), " "))
	}
}
