package catalog_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/relight-aws/relight/internal/catalog"
)

func TestControls(t *testing.T) {
	rows := catalog.Controls()
	ids := map[string]bool{}
	securityHub := map[string]string{}
	sections := map[string]map[string]bool{} // by version
	twins := 0
	for _, c := range rows {
		if ids[c.ID] {
			t.Errorf("control %s appears twice", c.ID)
		}
		ids[c.ID] = true
		if n := len([]rune(c.Pattern)); n == 0 || n > catalog.PatternLimit {
			t.Errorf("%s: pattern of %d characters, want 1 to %d", c.ID, n, catalog.PatternLimit)
		}
		if strings.Count(c.Pattern, "(") != strings.Count(c.Pattern, ")") || strings.Count(c.Pattern, `"`)%2 != 0 {
			t.Errorf("%s: unbalanced pattern %s", c.ID, c.Pattern)
		}
		for version, section := range c.CIS {
			if sections[version] == nil {
				sections[version] = map[string]bool{}
			}
			if sections[version][section] {
				t.Errorf("%s: section %s of CIS %s has two controls", c.ID, section, version)
			}
			sections[version][section] = true
		}
		if strings.HasSuffix(c.ID, "-securityhub") && len(c.CIS) == 0 && c.SecurityHub != "" {
			twins++
		}
		if c.SecurityHub != "" {
			if other := securityHub[c.SecurityHub]; other != "" {
				t.Errorf("%s and %s both claim %s", c.ID, other, c.SecurityHub)
			}
			securityHub[c.SecurityHub] = c.ID
		}
	}
	for _, version := range catalog.Benchmarks {
		want := 15
		if version == "1.2" {
			want = 14 // Organizations came with 1.3
		}
		if len(sections[version]) != want {
			t.Errorf("%d controls of CIS %s, want its %d", len(sections[version]), version, want)
		}
	}
	if twins != 3 {
		t.Errorf("%d Security Hub twins, want 3", twins)
	}
	if len(securityHub) != 14 {
		t.Errorf("%d Security Hub controls, want CloudWatch.1 to CloudWatch.14", len(securityHub))
	}
}

func TestSections(t *testing.T) {
	byID := map[string]catalog.Control{}
	for _, c := range catalog.Controls() {
		byID[c.ID] = c
	}
	tests := []struct{ id, version, section string }{
		{"root-usage", "1.2", "3.3"},
		{"root-usage", "5.0", "4.3"},
		{"root-usage", "7.0", "5.3"},
		{"organizations-changes", "1.2", ""}, // came with 1.3
		{"organizations-changes", "1.3", "4.15"},
		{"route-table-changes-securityhub", "5.0", ""}, // a twin has no section
	}
	for _, tt := range tests {
		if got := byID[tt.id].CIS[tt.version]; got != tt.section {
			t.Errorf("%s in CIS %s is section %q, want %q", tt.id, tt.version, got, tt.section)
		}
	}
}

// relight watches calls on tags only if tags can exempt VPCs. A separate rule
// matches them, and only if they name the tag.
func TestTagCalls(t *testing.T) {
	var p catalog.Baseline
	plain := catalog.PatternsOf(p.Calls(), catalog.FlowLogs)
	if slices.ContainsFunc(p.Calls(), func(c catalog.Call) bool { return c.Name == "CreateTags" || c.Name == "DeleteTags" }) {
		t.Error("relight watches tags although no tag exempts a VPC")
	}
	p.FlowLogs.ExemptByTag = true
	all := catalog.PatternsOf(p.Calls(), catalog.FlowLogs)
	if len(all) != len(plain)+1 {
		t.Fatalf("%d patterns, want one more than %d", len(all), len(plain))
	}
	want := `{"source":["aws.ec2"],"detail-type":["AWS API Call via CloudTrail"],"detail":{"eventName":["CreateTags","DeleteTags"],` +
		`"errorCode":[{"exists":false}],"requestParameters":{"tagSet":{"items":{"key":["relight:exempt"]}}}}}`
	if got := all[len(all)-1].String(); got != want {
		t.Errorf("pattern %s, want %s", got, want)
	}
}

func TestNewborn(t *testing.T) {
	var got []string
	for _, c := range catalog.Calls {
		if c.Newborn {
			got = append(got, c.Name)
		}
	}
	if !slices.Equal(got, []string{"CreateVpc", "CreateDefaultVpc"}) {
		t.Errorf("events of %v wait", got)
	}
}

// For each kind that a call can harm, a rule matches the call. No rule matches
// a refused call.
func TestPatternsCoverCalls(t *testing.T) {
	for _, c := range catalog.Calls {
		for _, k := range c.Kinds {
			if !slices.ContainsFunc(catalog.PatternsOf(catalog.Calls, k), func(p catalog.Pattern) bool {
				return (p.Narrow() == "tagged") == c.Tagged && strings.HasPrefix(p.Narrow(), "memory") == c.Memory && p.Source[0] == c.Source && p.DetailType[0] == c.DetailType &&
					(c.Name == "" || slices.Contains(p.Detail.EventName, c.Name))
			}) {
				t.Errorf("no %s pattern matches %s %s", k, c.Source, c.Name)
			}
		}
	}
	for _, k := range catalog.Kinds() {
		for _, p := range catalog.PatternsOf(catalog.Calls, k) {
			// 2,048 characters: EventBridge quota, "Event pattern size".
			if s := p.String(); len(s) > 2048 || !json.Valid([]byte(s)) {
				t.Errorf("%s: pattern of %d characters: %s", k, len(s), s)
			}
			if p.Detail != nil && (len(p.Detail.ErrorCode) != 1 || p.Detail.ErrorCode[0]["exists"]) {
				t.Errorf("%s: %s matches refused calls", k, p)
			}
		}
	}
}

// The auditor serves no kind, asks no other function for anything, and may do what an
// audit does and import findings.
func TestAuditor(t *testing.T) {
	f := catalog.Auditor
	if len(f.Kinds()) != 0 || f.ChecksGuard() || slices.Contains(catalog.Functions(), f) || !slices.Contains(catalog.Binaries(), f) {
		t.Errorf("it serves %v and checks the guard: %t; functions %v, binaries %v", f.Kinds(), f.ChecksGuard(), catalog.Functions(), catalog.Binaries())
	}
	var may []string
	for _, g := range catalog.Grants(f, catalog.GrantKeys()...) {
		may = append(may, g.Actions...)
	}
	want := append(slices.Clone(catalog.AuditActions), "securityhub:BatchImportFindings")
	want = slices.DeleteFunc(want, func(a string) bool { return a == "ec2:DescribeTransitGateways" }) // which no finding is about
	if !slices.Equal(may, want) {
		t.Errorf("it may %v, want %v", may, want)
	}
}

func TestGrants(t *testing.T) {
	for _, f := range catalog.Binaries() {
		for _, g := range catalog.Grants(f) {
			for _, a := range g.Actions {
				if slices.Contains(catalog.Never, a) || strings.Contains(a, "*") {
					t.Errorf("%s is granted %s", f, a)
				}
			}
			for _, r := range g.Resources {
				if r == "*" && g.Why == "" {
					t.Errorf("%s: %v on every resource, without a reason", f, g.Actions)
				}
				if strings.HasPrefix(r, "arn:aws:") {
					t.Errorf("%s: %s spells the partition", f, r)
				}
			}
		}
	}
}

// Own knows which of the watched calls the functions may make.
func TestOwn(t *testing.T) {
	granted := map[string]bool{}
	for _, f := range catalog.Functions() {
		for _, g := range catalog.Grants(f, catalog.GrantKeys()...) {
			for _, a := range g.Actions {
				_, call, _ := strings.Cut(a, ":")
				granted[call] = true
			}
		}
	}
	for _, c := range catalog.Calls {
		if got := catalog.Own(c.Name); got != granted[c.Name] {
			t.Errorf("Own(%q) = %t, want %t", c.Name, got, granted[c.Name])
		}
	}
}

// Every kind comes after the kinds it depends on.
func TestKindsAreInOrder(t *testing.T) {
	kinds := catalog.Kinds()
	for i, k := range kinds {
		for _, before := range k.After() {
			if !slices.Contains(kinds[:i], before) {
				t.Errorf("%s depends on %s, which does not come before it", k, before)
			}
		}
	}
}

// SNS names a region in its principal only between two regions of which one has to
// be enabled: that one, or the receiver's.
func TestDeliverer(t *testing.T) {
	tests := []struct{ topic, receiver, want string }{
		{"us-east-1", "us-east-1", "sns.amazonaws.com"},
		{"af-south-1", "af-south-1", "sns.amazonaws.com"},
		{"us-east-1", "ap-southeast-2", "sns.amazonaws.com"},
		{"eu-north-1", "us-west-2", "sns.amazonaws.com"},
		{"us-east-1", "af-south-1", "sns.af-south-1.amazonaws.com"},
		{"ap-east-1", "us-east-1", "sns.ap-east-1.amazonaws.com"},
		{"ap-east-1", "eu-south-2", "sns.eu-south-2.amazonaws.com"},
		{"ap-southeast-3", "ap-southeast-1", "sns.ap-southeast-3.amazonaws.com"},
		{"mx-central-1", "ca-west-1", "sns.ca-west-1.amazonaws.com"},
		{"cn-north-1", "cn-northwest-1", "sns.amazonaws.com"},
		{"us-gov-west-1", "us-gov-east-1", "sns.amazonaws.com"},
		{"us-east-1", "nowhere", "sns.amazonaws.com"},
	}
	for _, tt := range tests {
		if got := catalog.Deliverer(tt.topic, tt.receiver); got != tt.want {
			t.Errorf("from %s to %s: %s, want %s", tt.topic, tt.receiver, got, tt.want)
		}
	}
}

// relight watches the calls on the control on flow log records only where there is one.
func TestRecordCalls(t *testing.T) {
	names := func(b catalog.Baseline) (found []string) {
		for _, c := range b.Calls() {
			if c.If == catalog.KeyRejectAlarm {
				found = append(found, c.Name)
			}
		}
		return found
	}
	if got := names(catalog.Baseline{}); len(got) > 0 {
		t.Errorf("without the control, relight watches %v", got)
	}
	on := catalog.Baseline{FlowLogControls: []catalog.Control{catalog.RejectControl(catalog.DefaultFlowLogFormat, 1, 60)}}
	want := []string{"PutMetricFilter", "DeleteMetricFilter", "PutMetricAlarm", "DeleteAlarms", "DisableAlarmActions"}
	if got := names(on); !slices.Equal(got, want) {
		t.Errorf("relight watches %v, want %v", got, want)
	}
}
