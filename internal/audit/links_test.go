package audit_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/relight-aws/relight/internal/audit"
	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/plan"
)

const (
	account = "111122223333"
	home    = "us-east-1"
	group   = "trail-logs"
	topic   = "arn:aws:sns:us-east-1:111122223333:alerts"
)

// whole is an account in which one control, root usage, and one VPC pass.
func whole() (catalog.Desired, audit.Observed) {
	all := catalog.Controls()
	c := all[slices.IndexFunc(all, func(c catalog.Control) bool { return c.ID == "root-usage" })]
	var want catalog.Desired
	want.Prefix, want.Controls = "relight", []catalog.Control{c}
	want.FlowLogs = catalog.FlowLogSpec{TrafficType: catalog.TrafficReject, LogGroup: "flow-logs", RetentionDays: 365}
	trail := plan.Trail{
		ARN: "arn:aws:cloudtrail:us-east-1:111122223333:trail/audit", HomeRegion: home, MultiRegion: true,
		LogGroupARN: "arn:aws:logs:us-east-1:111122223333:log-group:" + group,
	}
	return want, audit.Observed{
		Account: account, Home: home, Time: time.Unix(1_700_000_000, 0),
		Choice: plan.TrailChoice{Trail: &trail}, Trails: []plan.Trail{trail},
		Health:   plan.Healths{trail.ARN: {Status: plan.TrailStatus{Logging: true}, Selectors: plan.DefaultSelectors()}},
		LogGroup: group, Exists: true,
		Filters: []plan.Filter{{Name: "root", Pattern: c.Pattern, Metrics: []plan.Metric{{Namespace: "CIS", Name: "root", Value: "1"}}}},
		Alarms: map[string]plan.Alarm{"root": {
			Name: "root", Namespace: "CIS", Metric: "root", Statistic: "Sum", Period: 300, Periods: 1, Threshold: 1,
			Comparison: catalog.AlarmComparison, ActionsEnabled: true, AlarmActions: []string{topic},
		}},
		Topics:    map[string]plan.Topic{topic: {Exists: true, Admits: true, Confirmed: 1}},
		Receivers: map[string]string{topic: "email security@example.com"},
		Regions: []audit.Region{{
			Name:      home,
			VPCs:      []plan.Network{{ID: "vpc-1", Owner: account, FlowLogs: []plan.FlowLog{{ID: "fl-1", Status: "ACTIVE", Delivery: "SUCCESS", TrafficType: "ALL", Destination: catalog.ToCloudWatchLogs, LogGroup: "flow-logs"}}}},
			LogGroups: map[string]plan.LogGroup{"flow-logs": {Name: "flow-logs"}},
		}},
	}
}

// TestLinks has what no scene of a whole account shows by itself. Each row names the
// control's link that is broken, or the VPC's, with its status and a part of the problem.
func TestLinks(t *testing.T) {
	vpc := func(o *audit.Observed) *plan.Network { return &o.Regions[0].VPCs[0] }
	health := func(o *audit.Observed, change func(*plan.TrailHealth)) {
		h := o.Health[o.Trails[0].ARN]
		change(&h)
		o.Health[o.Trails[0].ARN] = h
	}
	alarm := func(o *audit.Observed, change func(*plan.Alarm)) {
		a := o.Alarms["root"]
		change(&a)
		o.Alarms["root"] = a
	}
	const other = "arn:aws:sns:us-east-1:444455556666:theirs"
	for name, tt := range map[string]struct {
		change  func(*catalog.Desired, *audit.Observed)
		control string // "link status"; "" for pass
		vpc     string
		says    string
	}{
		"whole":           {func(*catalog.Desired, *audit.Observed) {}, "", "", ""},
		"another home":    {func(_ *catalog.Desired, o *audit.Observed) { o.Choice.Trail.HomeRegion = "eu-west-1" }, "trail fail", "", "belongs to eu-west-1"},
		"no trail at all": {func(_ *catalog.Desired, o *audit.Observed) { o.Choice, o.Trails = plan.TrailChoice{}, nil }, "trail fail", "", "has no trail"},
		"one region": {func(_ *catalog.Desired, o *audit.Observed) {
			o.Trails[0].MultiRegion, o.Choice = false, plan.TrailChoice{}
		}, "trail fail", "", "one region only"},
		"status not read": {func(_ *catalog.Desired, o *audit.Observed) { o.Health = nil }, "logging unknown", "", "was not read"},
		"group not there": {func(_ *catalog.Desired, o *audit.Observed) { o.Exists = false }, "log group fail", "", "does not exist"},
		"group of another": {func(_ *catalog.Desired, o *audit.Observed) {
			o.Choice.Trail.LogGroupARN = "arn:aws:logs:us-east-1:444455556666:log-group:x"
		}, "log group fail", "", "another account or region"},
		"delivery to group": {func(_ *catalog.Desired, o *audit.Observed) {
			health(o, func(h *plan.TrailHealth) { h.Status.LogsError = "AccessDenied" })
		}, "log group fail", "", "AccessDenied"},
		"their topic": {func(_ *catalog.Desired, o *audit.Observed) {
			alarm(o, func(a *plan.Alarm) { a.AlarmActions = []string{other} })
		}, "topic unknown", "", "another account"},
		"a second, good topic": {func(_ *catalog.Desired, o *audit.Observed) {
			alarm(o, func(a *plan.Alarm) { a.AlarmActions = []string{other, topic} })
		}, "", "", ""},
		"an action that is no topic": {func(_ *catalog.Desired, o *audit.Observed) {
			alarm(o, func(a *plan.Alarm) { a.AlarmActions = []string{"arn:aws:swf:us-east-1:111122223333:action/x"} })
		}, "actions fail", "", "no action that is a topic"},
		"topic keeps this alarm out": {func(_ *catalog.Desired, o *audit.Observed) {
			o.Topics[topic] = plan.Topic{Exists: true, Admits: true, KeepsOut: []string{"root"}, Why: "a Deny", Confirmed: 1}
		}, "topic fail", "", "a Deny"},
		"a good alarm beside a weak one": {func(_ *catalog.Desired, o *audit.Observed) {
			weak := o.Alarms["root"]
			weak.Name, weak.Threshold = "a-weak", 100
			o.Alarms["a-weak"] = weak
		}, "", "", ""},
		"shared VPC": {func(_ *catalog.Desired, o *audit.Observed) { vpc(o).Owner, vpc(o).FlowLogs = "444455556666", nil }, "", " not applicable", "444455556666"},
		"exempt VPC": {func(w *catalog.Desired, o *audit.Observed) {
			w.FlowLogs.ExemptVPCs, vpc(o).FlowLogs = []string{"vpc-1"}, nil
		}, "", " not applicable", "configuration exempts"},
		"a tag, unasked": {func(_ *catalog.Desired, o *audit.Observed) { vpc(o).Exempt, vpc(o).FlowLogs = true, nil }, "", "flow log fail", "no flow log"},
		"exempt by tag": {func(w *catalog.Desired, o *audit.Observed) {
			w.FlowLogs.ExemptByTag, vpc(o).Exempt, vpc(o).FlowLogs = true, true, nil
		}, "", " not applicable", "tag"},
		"to a bucket": {func(_ *catalog.Desired, o *audit.Observed) {
			vpc(o).FlowLogs[0].LogGroup, vpc(o).FlowLogs[0].Destination, vpc(o).FlowLogs[0].Where = "", catalog.ToS3, "arn:aws:s3:::logs"
		}, "", "", ""},
		"not active":       {func(_ *catalog.Desired, o *audit.Observed) { vpc(o).FlowLogs[0].Status = "ENDED" }, "", "flow log fail", "is ENDED"},
		"accepted only":    {func(_ *catalog.Desired, o *audit.Observed) { vpc(o).FlowLogs[0].TrafficType = "ACCEPT" }, "", "flow log fail", "records only ACCEPT"},
		"few fields":       {func(_ *catalog.Desired, o *audit.Observed) { vpc(o).FlowLogs[0].Format = "${action}" }, "", "", ""},
		"flow logs' group": {func(_ *catalog.Desired, o *audit.Observed) { o.Regions[0].LogGroups = nil }, "", "destination fail", "does not exist"},
		"region not read": {func(_ *catalog.Desired, o *audit.Observed) {
			o.Unread = []audit.Unread{{Link: audit.FlowLog, Region: home, Action: "ec2:DescribeVpcs", Error: "denied"}}
		}, "", "flow log unknown", "ec2:DescribeVpcs"},
		"topic not read": {func(_ *catalog.Desired, o *audit.Observed) {
			o.Unread = []audit.Unread{{Link: audit.Topic, Region: home, Subject: topic, Action: "sns:GetTopicAttributes", Error: "denied"}}
		}, "topic unknown", "", "sns:GetTopicAttributes"},
		"unread elsewhere": {func(_ *catalog.Desired, o *audit.Observed) {
			o.Unread = []audit.Unread{{Link: audit.FlowLog, Region: "eu-west-1", Error: "denied"}}
		}, "", "", ""},
		"another's account": {func(_ *catalog.Desired, o *audit.Observed) {
			o.Choice = plan.TrailChoice{Elsewhere: "not applicable: the organisation's"}
		}, " not applicable", "", "organisation"},
	} {
		t.Run(name, func(t *testing.T) {
			want, got := whole()
			tt.change(&want, &got)
			f, _ := catalog.FrameworkByID("cis-5.0")
			rep := audit.Of(want, got, audit.Options{Frameworks: []catalog.Framework{f}})
			if len(rep.Checks) != 2 {
				t.Fatalf("%d checks: %+v", len(rep.Checks), rep.Checks)
			}
			for _, c := range rep.Checks {
				result := tt.control
				if c.Control == catalog.FlowLogsCheck {
					result = tt.vpc
				}
				if result == "" {
					result = " pass"
				}
				if is := string(c.Broken) + " " + string(c.Status); is != result {
					t.Errorf("%s is %q, want %q: %s", c.Control, is, result, c.Problem)
				}
				if c.Status != audit.Pass && !strings.Contains(c.Problem, tt.says) {
					t.Errorf("%s: problem %q, want %q", c.Control, c.Problem, tt.says)
				}
			}
			if passed := tt.control+tt.vpc == "" || strings.HasSuffix(tt.control+tt.vpc, "not applicable"); rep.Passed() != passed {
				t.Errorf("the report passes: %t, want %t", rep.Passed(), passed)
			}
		})
	}
}

// A report is the same for the same observation, worst first, and its totals are those
// of its checks.
func TestReport(t *testing.T) {
	want, got := whole()
	got.Regions[0].VPCs = append(got.Regions[0].VPCs, plan.Network{ID: "vpc-0", Owner: account}, plan.Network{ID: "vpc-2", Owner: "444455556666"})
	rep := audit.Of(want, got, audit.Options{Frameworks: catalog.Frameworks()})
	order := []audit.Status{audit.Fail, audit.Unknown, audit.NotApplicable, audit.Pass}
	totals := map[audit.Status]int{}
	last := 0
	for _, c := range rep.Checks {
		totals[c.Status]++
		if at := slices.Index(order, c.Status); at < last {
			t.Errorf("%s %s comes after a better one", c.Control, c.Resource)
		} else {
			last = at
		}
	}
	for s, n := range rep.Totals {
		if totals[s] != n || n == 0 {
			t.Errorf("%d are %s, want %d", n, s, totals[s])
		}
	}
	for _, m := range rep.Frameworks {
		if m.Totals[audit.Fail] != 1 { // every framework wants flow logs
			t.Errorf("%s: %v", m.ID, m.Totals)
		}
	}
}

// A command can be pasted into a shell: names that others chose stay one word.
func TestCommands(t *testing.T) {
	want, got := whole()
	evil := `x; rm -rf / '"$(id)`
	got.Alarms = map[string]plan.Alarm{}
	got.Filters[0].Metrics[0].Namespace = evil
	f, _ := catalog.FrameworkByID("cis-5.0")
	rep := audit.Of(want, got, audit.Options{Frameworks: []catalog.Framework{f}})
	if c := rep.Checks[0]; c.Broken != audit.Alarm || !strings.Contains(c.Command, ` --namespace 'x; rm -rf / '\''"$(id)' --metric-name root `) {
		t.Errorf("%s: %s", c.Broken, c.Command)
	}
}
