package catalog_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/relight-aws/relight/internal/catalog"
)

// The IDs that the configuration takes are those of the frameworks.
func TestFrameworkIDs(t *testing.T) {
	var want []string
	for _, f := range catalog.Frameworks() {
		want = append(want, f.ID)
	}
	if got := catalog.FrameworkIDs(); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// Every framework requires flow logs, each requirement is of a control that exists,
// and the CIS sections are as in the benchmark.
func TestFrameworks(t *testing.T) {
	known := []string{catalog.FlowLogsCheck}
	for _, c := range catalog.Controls() {
		known = append(known, c.ID)
	}
	var ids []string
	for _, f := range catalog.Frameworks() {
		ids = append(ids, f.ID)
		if f.Title == "" || f.Source == "" || len(f.Requires(catalog.FlowLogsCheck)) == 0 {
			t.Errorf("%s lacks title, source or flow logs", f.ID)
		}
		n := 0
		for _, id := range known {
			for _, r := range f.Requires(id) {
				if n++; r == "" {
					t.Errorf("%s has an empty requirement for %s", f.ID, id)
				}
			}
		}
		if f.CIS() && n < 15 {
			t.Errorf("%s has %d requirements", f.ID, n)
		}
	}
	want := []string{"cis-1.2", "cis-1.3", "cis-1.4", "cis-1.5", "cis-2.0", "cis-3.0", "cis-4.0", "cis-5.0", "cis-6.0", "cis-7.0", "security-hub", "nist-800-53-r5", "pci-3.2.1", "pci-4.0"}
	if !slices.Equal(ids, want) {
		t.Errorf("frameworks %v, want %v", ids, want)
	}
	for _, row := range []struct{ framework, control, requirement string }{
		{"cis-1.2", "root-usage", "3.3"},
		{"CIS-5.0", "organizations-changes", "4.15"},
		{"cis-1.2", "organizations-changes", ""},
		{"cis-7.0", "vpc-flow-logs", "4.7"},
		{"cis-4.0", "vpc-flow-logs", "3.7"},
		{"cis-5.0", "security-group-changes-securityhub", ""},
		{"cis-5.0", "tampering", ""},
		{"security-hub", "security-group-changes-securityhub", "CloudWatch.10"},
		{"security-hub", "security-group-changes", ""},
		{"security-hub", "vpc-flow-logs", "EC2.6"},
		{"pci-3.2.1", "root-usage", "7.2.1"},
		{"pci-4.0", "root-usage", ""},
	} {
		f, known := catalog.FrameworkByID(row.framework)
		if got := strings.Join(f.Requires(row.control), ","); !known || got != row.requirement {
			t.Errorf("%s requires %s as %q, want %q", row.framework, row.control, got, row.requirement)
		}
	}
	if _, known := catalog.FrameworkByID("cis-9"); known {
		t.Error("there is a CIS 9")
	}
	hub, _ := catalog.FrameworkByID("security-hub")
	for n := 1; n <= 14; n++ {
		id := "CloudWatch." + []string{"", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14"}[n]
		if !slices.ContainsFunc(known, func(c string) bool { return slices.Contains(hub.Requires(c), id) }) {
			t.Errorf("no control is %s", id)
		}
	}
}
