package prowler

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/relight-aws/relight/internal/audit"
	"github.com/relight-aws/relight/internal/audit/audittest"
	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/lab"
)

// The version is one exact version of Prowler 5.
func TestVersion(t *testing.T) {
	if !regexp.MustCompile(`^5\.\d+\.\d+$`).MatchString(Version()) || strings.Count(requirements, "\n") != 1 {
		t.Errorf("requirements.txt does not pin one version of Prowler 5: %q", requirements)
	}
}

// There is a question about every control of CIS 5.0, with checks of its own.
func TestQuestions(t *testing.T) {
	cis, _ := catalog.FrameworkByID("cis-5.0")
	var want []string
	for _, c := range catalog.Controls() {
		if len(cis.Requires(c.ID)) > 0 {
			want = append(want, c.ID)
		}
	}
	if diff := cmp.Diff(want, Controls()); diff != "" {
		t.Errorf("controls (-want +got):\n%s", diff)
	}
	seen := map[string]bool{}
	for _, q := range Questions() {
		for _, id := range append([]string{q.ID}, q.Checks...) {
			if seen[id] {
				t.Errorf("%s is there twice", id)
			}
			seen[id] = true
		}
	}
}

// Every known difference is one, after an attack of the lab, and there is one reason
// for it.
func TestDifferences(t *testing.T) {
	seen := map[[2]string]bool{}
	for _, d := range Differences() {
		if !slices.ContainsFunc(append(lab.Attacks(), lab.Variants()...), func(at lab.Attack) bool { return at.Name == d.Attack }) {
			t.Errorf("there is no attack %q", d.Attack)
		}
		if d.Why == "" {
			t.Errorf("%s has no reason", d.Attack)
		}
		for _, q := range d.Questions {
			a := Answer{Question: q, Prowler: d.Prowler, Relight: d.Relight}
			if seen[[2]string{d.Attack, q}] || !a.Differ() || !slices.ContainsFunc(Questions(), func(other Question) bool { return other.ID == q }) {
				t.Errorf("%s: %+v is there twice, is no difference, or no question", d.Attack, a)
			}
			seen[[2]string{d.Attack, q}] = true
			if got, known := Known(a, []string{"another", d.Attack}); !known || got.Attack != d.Attack {
				t.Errorf("%s: %+v is not known", d.Attack, a)
			}
			if _, known := Known(a, []string{"another"}); known {
				t.Errorf("%+v is known without its attack", a)
			}
			a.Prowler, a.Relight = a.Relight, a.Prowler
			if _, known := Known(a, []string{d.Attack}); known {
				t.Errorf("%s: %+v is known the other way round", d.Attack, a)
			}
		}
	}
}

// passing returns a finding that passes for every check of Prowler's, for two VPCs.
func passing() (found []Finding) {
	for _, q := range Questions() {
		for _, check := range q.Checks {
			switch q.ID {
			case catalog.FlowLogsCheck:
				found = append(found, Finding{check, "PASS", "vpc/vpc-1"}, Finding{check, "PASS", "vpc/vpc-2"}, Finding{check, "PASS", "vpc/vpc-3"})
			case retention:
				found = append(found, Finding{check, "PASS", "log-group:relight-flow-logs"}, Finding{check, "FAIL", "log-group:another"})
			default:
				found = append(found, Finding{check, "PASS", "anything"})
			}
		}
	}
	return found
}

// A finding, or a link, changes the answer to its own question and to no other.
func TestCompare(t *testing.T) {
	fail := func(check, resource string) []Finding { return append(passing(), Finding{check, "FAIL", resource}) }
	healthy := audittest.Healthy()
	breaks := func(control, resource string, link audit.Link) audit.Report {
		rep := healthy
		rep.Checks = slices.Clone(rep.Checks)
		for i, c := range rep.Checks {
			if c.Control != control || !strings.HasPrefix(c.Resource, resource) {
				continue
			}
			c.Status, c.Broken, c.Steps = audit.Fail, link, slices.Clone(c.Steps)
			at := slices.IndexFunc(c.Steps, func(s audit.Step) bool { return s.Link == link })
			c.Steps[at].Status = audit.Fail
			for j := range c.Steps[at+1:] {
				c.Steps[at+1+j].Status = audit.NotReached
			}
			rep.Checks[i] = c
		}
		return rep
	}
	everywhere := func(link audit.Link) audit.Report {
		rep := healthy
		rep.Checks = slices.Clone(rep.Checks)
		for _, id := range Controls() {
			broken := breaks(id, "", link)
			for i, c := range broken.Checks {
				if c.Control == id {
					rep.Checks[i] = c
				}
			}
		}
		return rep
	}
	tests := []struct {
		name  string
		found []Finding
		rep   audit.Report
		want  map[string]Answer // by question and VPC, those that do not pass in both
	}{
		{"healthy", passing(), healthy, nil},
		{
			"no findings about organizations", slices.DeleteFunc(passing(), func(f Finding) bool { return strings.Contains(f.Check, "organizations") }), healthy,
			map[string]Answer{"organizations-changes": {Prowler: Silent, Relight: Pass}},
		},
		{"a finding of one control", fail("cloudwatch_log_metric_filter_root_usage", "x"), healthy, map[string]Answer{"root-usage": {Prowler: Fail, Relight: Pass}}},
		{
			"a finding that only a person can judge", append(passing(), Finding{"cloudtrail_multi_region_enabled", "MANUAL", "x"}), healthy,
			map[string]Answer{trail: {Prowler: Fail, Relight: Pass}},
		},
		{"a finding of one of two checks", fail("cloudwatch_alarm_actions_enabled", "x"), healthy, map[string]Answer{alarmActions: {Prowler: Fail, Relight: Pass}}},
		{"a finding of the other", fail("cloudwatch_alarm_actions_alarm_state_configured", "x"), healthy, map[string]Answer{alarmActions: {Prowler: Fail, Relight: Pass}}},
		{"a finding of one VPC", fail("vpc_flow_logs_enabled", "vpc/vpc-1"), healthy, map[string]Answer{"vpc-flow-logs vpc-1": {Prowler: Fail, Relight: Pass}}},
		{
			"the retention of flow logs", fail("cloudwatch_log_group_retention_policy_specific_days_enabled", "log-group:relight-flow-logs"), healthy,
			map[string]Answer{retention: {Prowler: Fail, Relight: Pass}},
		},
		{"a check that nobody asks", fail("another", "x"), healthy, nil},
		{"the alarm of one control", passing(), breaks("root-usage", "", audit.Alarm), map[string]Answer{"root-usage": {Prowler: Pass, Relight: Fail}}},
		{"the actions of one alarm", passing(), breaks("root-usage", "", audit.Actions), map[string]Answer{
			"root-usage": {Prowler: Pass, Relight: Fail}, alarmActions: {Prowler: Pass, Relight: Fail},
		}},
		{"the retention of a VPC's flow log", passing(), breaks(catalog.FlowLogsCheck, "vpc-1", audit.Retention), map[string]Answer{
			"vpc-flow-logs vpc-1": {Prowler: Pass, Relight: Fail}, retention: {Prowler: Pass, Relight: Fail},
		}},
		{"the events of the trail", passing(), everywhere(audit.Events), with(map[string]Answer{
			managementEvents: {Prowler: Pass, Relight: Fail}, logGroup: {Prowler: Pass, Relight: Silent}, alarmActions: {Prowler: Pass, Relight: Silent},
		})},
		{"the trail", passing(), everywhere(audit.Trail), with(map[string]Answer{
			trail: {Prowler: Pass, Relight: Fail}, managementEvents: {Prowler: Pass, Relight: Fail},
			logGroup: {Prowler: Pass, Relight: Silent}, alarmActions: {Prowler: Pass, Relight: Silent},
		})},
		{"the log group", passing(), everywhere(audit.LogGroup), with(map[string]Answer{
			logGroup: {Prowler: Pass, Relight: Fail}, alarmActions: {Prowler: Pass, Relight: Silent},
		})},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := map[string]Answer{}
			for _, a := range Compare(tt.found, tt.rep) {
				if a.Prowler != Pass || a.Relight != Pass {
					key := strings.TrimSpace(a.Question + " " + a.VPC)
					if want := a.Prowler != a.Relight && a.Relight != Silent; a.Differ() != want {
						t.Errorf("%s: Differ is %t", key, a.Differ())
					}
					a.Question, a.VPC = "", ""
					got[key] = a
				}
			}
			if len(tt.want)+len(got) > 0 {
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Errorf("answers (-want +got):\n%s", diff)
				}
			}
		})
	}
}

// with adds that every control fails in relight alone.
func with(answers map[string]Answer) map[string]Answer {
	for _, id := range Controls() {
		answers[id] = Answer{Prowler: Pass, Relight: Fail}
	}
	return answers
}
