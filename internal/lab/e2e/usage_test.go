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
	"github.com/relight-aws/relight/internal/lab/tap"
)

// TestPolicies holds what the tap saw each function call against what its
// policy allows: nothing was refused, nothing is allowed that nothing uses
// unless the table says of that very action what checks it, or what it is for.
// What a kind's own function uses, the sweep may. It comes in the last
// of the files, after all tests that use anything.
func TestPolicies(t *testing.T) {
	s := shared
	s.drain(t)
	service := map[string]string{"monitoring": "cloudwatch"} // signing name to IAM prefix, where they differ
	byKinds := map[string]bool{}
	for _, f := range catalog.Functions() { // Backfill is the last
		used := map[string]bool{}
		for _, c := range s.Cloud.Tap.Calls(tap.ByRole(s.role(t, f), time.Time{})) {
			prefix := c.Service
			if p := service[prefix]; p != "" {
				prefix = p
			}
			action := prefix + ":" + c.Operation
			if strings.HasSuffix(action, "/invocations") { // a data event, which the tap lists by its path
				action = "lambda:InvokeFunction"
			}
			used[action], byKinds[action] = true, true
			if strings.Contains(c.ErrorCode, "Denied") || strings.Contains(c.ErrorCode, "Unauthorized") || strings.Contains(c.ErrorCode, "AuthorizationError") {
				t.Errorf("%s was refused %s: %s", f, c.Operation, c.ErrorCode)
			}
		}
		granted := map[string]bool{}
		for _, g := range catalog.Grants(f) {
			for _, action := range g.Actions {
				granted[action] = true
				_, name, _ := strings.Cut(action, ":")
				said := strings.Contains(g.Why, name+" is checked") || strings.Contains(g.Why, name+" is for")
				if !used[action] && !said && (f != catalog.Backfill || !byKinds[action]) {
					t.Errorf("%s may %s and never did; the table does not say why", f, action)
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
