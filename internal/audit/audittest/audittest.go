// Package audittest makes reports of audits for tests: of a healthy account, and of
// one in which something of each sort is broken.
package audittest

import (
	"strconv"
	"time"

	"github.com/relight-aws/relight/internal/audit"
	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/plan"
)

const (
	account = "111122223333"
	home    = "us-east-1"
	second  = "eu-west-1"
	third   = "eu-central-1"
	group   = "cloudtrail/audit"
	flows   = "relight-flow-logs"
)

// Hostile is a name that an intruder might give a resource: markup, quotes, and a
// mark that turns the direction of the text.
const Hostile = `"><script>document.title="x"</script><img src=x onerror=alert(1)>'` + "\u202egpj"

// want is the desired state of an account whose configuration is empty.
func want() catalog.Desired {
	d := catalog.Desired{
		Baseline: catalog.Baseline{
			Prefix: catalog.DefaultPrefix, Controls: catalog.Controls(),
			FlowLogs: catalog.FlowLogSpec{LogGroup: flows, RetentionDays: 365, TrafficType: catalog.TrafficReject},
		},
		Deployment: catalog.Deployment{Account: account, HomeRegion: home},
	}
	d.Topic = d.ARN("sns", "relight")
	return d
}

// Observed returns what an audit reads of a healthy account: the chain of every
// control, three VPCs in two regions, and a region without VPCs.
func Observed() audit.Observed {
	trail, topic := want().ARN("cloudtrail", "trail/audit"), want().Topic
	t := plan.Trail{
		ARN: trail, HomeRegion: home, MultiRegion: true, GlobalEvents: true, Validation: true,
		LogGroupARN: want().ARN("logs", "log-group:"+group),
	}
	got := audit.Observed{
		Account: account, Home: home, Time: time.Date(2026, 3, 14, 9, 26, 53, 589, time.UTC),
		Choice: plan.TrailChoice{Trail: &t}, Trails: []plan.Trail{t},
		Health: plan.Healths{trail: {
			Status: plan.TrailStatus{Logging: true}, Selectors: plan.Selectors{Basic: []plan.Selector{{Management: true, ReadWrite: "All"}}},
		}},
		LogGroup: group, Exists: true, Alarms: map[string]plan.Alarm{},
		Topics:    map[string]plan.Topic{topic: {Exists: true, Admits: true, Confirmed: 1}},
		Receivers: map[string]string{topic: "email oncall@example.com"},
	}
	for _, c := range want().Controls {
		name := want().Name(c.ID)
		got.Filters = append(got.Filters, plan.Filter{
			Name: name, Pattern: c.Pattern, Metrics: []plan.Metric{{Namespace: catalog.DefaultPrefix, Name: name, Value: "1", Unit: plan.NoUnit}},
		})
		got.Alarms[name] = plan.Alarm{
			Name: name, Namespace: catalog.DefaultPrefix, Metric: name, Statistic: c.Statistic(), Period: c.Period, Threshold: c.Threshold,
			Comparison: catalog.AlarmComparison, Periods: catalog.AlarmPeriods, Missing: catalog.AlarmMissing,
			ActionsEnabled: true, AlarmActions: []string{topic},
		}
	}
	vpcs := func(ids ...string) (list []plan.Network) {
		for _, id := range ids {
			list = append(list, plan.Network{ID: id, Owner: account, FlowLogs: []plan.FlowLog{{
				ID: "fl-of-" + id, Status: "ACTIVE", Delivery: "SUCCESS", TrafficType: catalog.TrafficReject, LogGroup: flows, Destination: "cloud-watch-logs",
			}}})
		}
		return list
	}
	groups := map[string]plan.LogGroup{flows: {Name: flows, RetentionDays: 365}}
	got.Regions = []audit.Region{
		{Name: third},
		{Name: second, VPCs: vpcs("vpc-3"), LogGroups: groups},
		{Name: home, VPCs: vpcs("vpc-1", "vpc-2"), LogGroups: groups},
	}
	return got
}

// Healthy returns the report of the healthy account for all frameworks.
func Healthy() audit.Report { return Of(Observed(), catalog.Frameworks()...) }

// Broken returns a report for all frameworks with checks of every status, that break at
// several links, and with names as an intruder may choose them.
func Broken() audit.Report {
	got := Observed()
	got.Filters = got.Filters[1:] // of the first control
	name := want().Name(got.Filters[0].Name[len(catalog.DefaultPrefix)+1:])
	alarm := got.Alarms[name]
	alarm.ActionsEnabled = false
	got.Alarms[name] = alarm
	hostile := got.Filters[2]
	old := hostile.Name
	hostile.Name, hostile.Metrics = Hostile, []plan.Metric{{Namespace: "theirs", Name: Hostile, Value: "1", Unit: plan.NoUnit}}
	got.Filters[2] = hostile
	delete(got.Alarms, old)
	got.Regions[2].VPCs[1].FlowLogs = nil
	got.Regions[1].VPCs[0].Owner = "444455556666"
	got.Unread = []audit.Unread{{Link: audit.FlowLog, Region: third, Action: "ec2:DescribeVpcs", Error: "AccessDenied: " + Hostile}}
	return Of(got, catalog.Frameworks()...)
}

// Example returns a report for CIS 5.0 as docs/audit.md shows it.
func Example() audit.Report {
	got := Observed()
	name := want().Name("root-usage")
	alarm := got.Alarms[name]
	alarm.ActionsEnabled = false
	got.Alarms[name] = alarm
	got.Regions[2].VPCs[1].FlowLogs = nil
	got.Unread = []audit.Unread{{Link: audit.FlowLog, Region: third, Action: "ec2:DescribeVpcs", Error: "UnauthorizedOperation"}}
	f, _ := catalog.FrameworkByID("cis-5.0")
	return Of(got, f)
}

// Member returns the report of an account whose trail is the organisation's.
func Member() audit.Report {
	got := Observed()
	got.Choice = plan.TrailChoice{Elsewhere: "the trail is of account 444455556666"}
	return Of(got, catalog.Frameworks()...)
}

// Many returns the report of an account with n VPCs without a flow log.
func Many(n int) audit.Report {
	got := Observed()
	for i := range n {
		got.Regions[2].VPCs = append(got.Regions[2].VPCs, plan.Network{ID: "vpc-" + strconv.Itoa(1000+i), Owner: account})
	}
	f, _ := catalog.FrameworkByID("cis-5.0")
	return Of(got, f)
}

// Of returns the report of what an audit read.
func Of(got audit.Observed, frameworks ...catalog.Framework) audit.Report {
	return audit.Of(want(), got, audit.Options{Frameworks: frameworks})
}
