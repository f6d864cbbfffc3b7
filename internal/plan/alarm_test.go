package plan_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/plan"
)

const theirTopic = "arn:aws:sns:us-east-1:111122223333:security"

// alarmFor is relight's own alarm for a control, on relight's own metric.
func alarmFor(want catalog.Desired, c catalog.Control) plan.Alarm {
	return plan.Alarm{
		Name: want.Name(c.ID), Namespace: want.Prefix, Metric: want.Name(c.ID), Description: "relight: " + c.Title,
		Statistic: "Sum", Period: 300, Comparison: "GreaterThanOrEqualToThreshold", Threshold: 1, Periods: 1, Datapoints: 1,
		Missing: "notBreaching", ActionsEnabled: true, AlarmActions: []string{topic},
	}
}

// theirAlarm is an alarm of somebody else's on the metric of theirFilter.
func theirAlarm(want catalog.Desired, c catalog.Control) plan.Alarm {
	return with(alarmFor(want, c), func(a *plan.Alarm) {
		a.Name, a.Namespace, a.Metric, a.AlarmActions = "root", "CISBenchmark", "root_usage_metric", []string{theirTopic}
	})
}

// reachable returns a full observation in which their topic has a health.
func reachable(got plan.Observed, t plan.Topic) plan.Observed {
	got.State.(*plan.AlarmState).Topics[theirTopic] = t
	return got
}

// weakAlarms are the ways in which an alarm of anybody's measures less or
// says less.
var weakAlarms = map[string]struct {
	change func(*plan.Alarm)
	reason string
}{
	"another metric":       {func(a *plan.Alarm) { a.Metric = "m" }, "it watches relight/m"},
	"another namespace":    {func(a *plan.Alarm) { a.Namespace = "n" }, "it watches n/relight-root-usage"},
	"metric math":          {func(a *plan.Alarm) { a.Other = "metric math" }, "it evaluates metric math"},
	"a dimension":          {func(a *plan.Alarm) { a.Dimensions = []string{"LogGroupName"} }, "its dimension LogGroupName selects a metric without data"},
	"a unit":               {func(a *plan.Alarm) { a.Unit = "Count" }, "its unit Count selects a metric without data"},
	"another statistic":    {func(a *plan.Alarm) { a.Statistic = "Average" }, "its statistic is Average"},
	"no statistic":         {func(a *plan.Alarm) { a.Statistic = "" }, "its statistic is "},
	"a higher threshold":   {func(a *plan.Alarm) { a.Threshold = 1.5 }, "its condition is GreaterThanOrEqualToThreshold 1.5 in 300 s"},
	"a threshold of none":  {func(a *plan.Alarm) { a.Threshold = 0 }, "its condition is GreaterThanOrEqualToThreshold 0 in 300 s"},
	"a threshold below":    {func(a *plan.Alarm) { a.Threshold = -1 }, "its condition is GreaterThanOrEqualToThreshold -1 in 300 s"},
	"strictly above":       {func(a *plan.Alarm) { a.Comparison = "GreaterThanThreshold" }, "its condition is GreaterThanThreshold 1 in 300 s"},
	"above less than none": {func(a *plan.Alarm) { a.Comparison, a.Threshold = "GreaterThanThreshold", -1 }, "its condition is GreaterThanThreshold -1 in 300 s"},
	"below":                {func(a *plan.Alarm) { a.Comparison = "LessThanThreshold" }, "its condition is LessThanThreshold 1 in 300 s"},
	"a longer period":      {func(a *plan.Alarm) { a.Period = 600 }, "its condition is GreaterThanOrEqualToThreshold 1 in 600 s"},
	"less than a minute":   {func(a *plan.Alarm) { a.Period = 10 }, "its condition is GreaterThanOrEqualToThreshold 1 in 10 s"},
	"several periods":      {func(a *plan.Alarm) { a.Periods = 2 }, "it evaluates 2 periods"},
	"any of several":       {func(a *plan.Alarm) { a.Periods = 5 }, "it evaluates 5 periods"},
	"missing data ignored": {func(a *plan.Alarm) { a.Missing = "ignore" }, "it treats missing data as ignore"},
	"missing data rings":   {func(a *plan.Alarm) { a.Missing = "breaching" }, "it treats missing data as breaching"},
	"actions disabled":     {func(a *plan.Alarm) { a.ActionsEnabled = false }, "its actions are disabled"},
	"no actions":           {func(a *plan.Alarm) { a.AlarmActions = nil }, "it notifies nobody"},
	"other actions":        {func(a *plan.Alarm) { a.AlarmActions = []string{"arn:aws:lambda:us-east-1:111122223333:function:f"} }, "it notifies nobody"},
	"OK actions only":      {func(a *plan.Alarm) { a.OKActions, a.AlarmActions = a.AlarmActions, nil }, "it notifies nobody"},
}

// soundAlarms are at least as sensitive as wanted.
var soundAlarms = map[string]func(*plan.Alarm){
	"as wanted":               func(*plan.Alarm) {},
	"a lower threshold":       func(a *plan.Alarm) { a.Threshold = 0.5 },
	"above none":              func(a *plan.Alarm) { a.Comparison, a.Threshold = "GreaterThanThreshold", 0 },
	"above a part":            func(a *plan.Alarm) { a.Comparison, a.Threshold = "GreaterThanThreshold", 0.9 },
	"a shorter period":        func(a *plan.Alarm) { a.Period = 60 },
	"datapoints not told":     func(a *plan.Alarm) { a.Datapoints = 0 },
	"missing data is missing": func(a *plan.Alarm) { a.Missing = "missing" },
	"missing data not told":   func(a *plan.Alarm) { a.Missing = "" },
	"the unit of no unit":     func(a *plan.Alarm) { a.Unit = "None" },
	"more actions":            func(a *plan.Alarm) { a.AlarmActions = []string{"arn:1", "arn:2", "arn:3", "arn:4", a.AlarmActions[0]} },
	"actions of other states": func(a *plan.Alarm) { a.OKActions, a.InsufficientActions = []string{"arn:1"}, []string{"arn:2"} },
	"another description":     func(a *plan.Alarm) { a.Description = "call Bob" },
}

// An event's run, which reads the named alarms only, and a sweep decide the
// same about an alarm of ours: otherwise they would change it for ever.
func TestOwnAlarms(t *testing.T) {
	want, c := control(t)
	name := want.Name(c.ID)
	looks := map[string]func(plan.Alarm) plan.Observed{
		"named": func(a plan.Alarm) plan.Observed { return named([]string{name}, a) },
		"full":  func(a plan.Alarm) plan.Observed { return alarms([]plan.Filter{filterFor(want, c)}, a) },
		"full, before there is a filter": func(a plan.Alarm) plan.Observed {
			return alarms(nil, a)
		},
		"full, while the filter is weak": func(a plan.Alarm) plan.Observed {
			return alarms([]plan.Filter{with(filterFor(want, c), weakFilters["field selection"].change), theirFilter(c)}, a)
		},
		"full, beside their filter": func(a plan.Alarm) plan.Observed {
			return alarms([]plan.Filter{theirFilter(c), filterFor(want, c)}, a)
		},
	}
	for look, observe := range looks {
		for how, tt := range weakAlarms {
			weak := with(alarmFor(want, c), tt.change)
			p := of(t, want, observe(weak))
			if len(p.Actions) != 1 || p.Healthy != 0 {
				t.Errorf("%s, %s: %d held, actions %v, want it put back", look, how, p.Healthy, p.Actions)
				continue
			}
			says(t, look+", "+how, p.Actions, "put alarm "+name+" on relight/"+name+" ("+tt.reason+")")
			converges(t, want, observe(weak))
		}
		for how, change := range soundAlarms {
			if p := of(t, want, observe(with(alarmFor(want, c), change))); len(p.Actions) > 0 || p.Healthy != 1 {
				t.Errorf("%s, %s: %d held, actions %v, want none", look, how, p.Healthy, p.Actions)
			}
		}
	}
}

// A repair keeps what is the owner's.
func TestOwnAlarmKeepsExtras(t *testing.T) {
	want, c := control(t)
	extra := []string{"arn:1", "arn:2"}
	weak := with(alarmFor(want, c), func(a *plan.Alarm) {
		a.Namespace, a.Metric, a.Statistic, a.Unit, a.Comparison, a.Missing = "n", "m", "Average", "Bytes", "LessThanThreshold", "ignore"
		a.Period, a.Threshold, a.Periods, a.Datapoints, a.ActionsEnabled = 86400, 1e9, 10, 10, false
		a.Dimensions, a.Other = []string{"d"}, "metric math"
		a.AlarmActions, a.OKActions, a.InsufficientActions, a.Description = extra, extra, extra[:1], "call Bob"
	})
	repaired := with(alarmFor(want, c), func(a *plan.Alarm) {
		a.AlarmActions, a.OKActions, a.InsufficientActions, a.Description = []string{"arn:1", "arn:2", topic}, extra, extra[:1], "call Bob"
	})
	p := of(t, want, named([]string{weak.Name}, weak))
	put := p.Actions[0].(plan.PutAlarm)
	if diff := cmp.Diff(repaired, put.Alarm); diff != "" {
		t.Errorf("the alarm put (-want +got):\n%s", diff)
	}
	if put.Tags[catalog.OwnerTag] != want.Prefix {
		t.Errorf("put with tags %v", put.Tags)
	}
	if !slices.Equal(weak.AlarmActions, extra) {
		t.Errorf("the observed actions became %v", weak.AlarmActions)
	}
}

// An alarm has room for five actions. Where the owner's take it all, that is
// a finding, and everything else is put back all the same.
func TestOwnAlarmWithoutRoom(t *testing.T) {
	want, c := control(t)
	five := []string{"arn:1", "arn:2", "arn:3", "arn:4", "arn:5"}
	const finding = "[alarm-actions-full] alarm relight-root-usage: its 5 actions leave no room for relight's topic. Remove an action: an alarm takes 5 for each state."
	full := with(alarmFor(want, c), func(a *plan.Alarm) { a.AlarmActions = five })
	tests := map[string]struct {
		alarm   plan.Alarm
		actions []string
	}{
		"sound but for that": {alarm: full},
		"muted too":          {with(full, func(a *plan.Alarm) { a.ActionsEnabled = false }), []string{"put alarm relight-root-usage on relight/relight-root-usage (its actions are disabled)"}},
		"dulled too":         {with(full, func(a *plan.Alarm) { a.Threshold = 99 }), []string{"put alarm relight-root-usage on relight/relight-root-usage (its condition is GreaterThanOrEqualToThreshold 99 in 300 s)"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := named([]string{tt.alarm.Name}, tt.alarm)
			p := of(t, want, got)
			says(t, "findings", p.Findings, finding)
			says(t, "actions", p.Actions, tt.actions...)
			if p.Healthy != 0 {
				t.Errorf("%d held", p.Healthy)
			}
			converges(t, want, got)
		})
	}
}

func TestMissingAlarms(t *testing.T) {
	want, c := control(t)
	name := want.Name(c.ID)
	hashed := plan.AlarmName(want, c, theirFilter(c).Metrics[0])
	const reason = " (no alarm watches usage of the root account)"
	tests := map[string]struct {
		got     plan.Observed
		actions []string
	}{
		"named":                        {named([]string{name}), []string{"put alarm " + name + " on relight/" + name + reason}},
		"named, beside a foreign name": {named([]string{"checkout-latency", name}), []string{"put alarm " + name + " on relight/" + name + reason}},
		"not named":                    {got: named([]string{"checkout-latency"})},
		"full":                         {alarms([]plan.Filter{filterFor(want, c)}), []string{"put alarm " + name + " on relight/" + name + reason}},
		"full, without a filter":       {alarms(nil), []string{"put alarm " + name + " on relight/" + name + reason}},
		"full, on their filter":        {alarms([]plan.Filter{theirFilter(c)}), []string{"put alarm " + hashed + " on CISBenchmark/root_usage_metric" + reason}},
		"full, ours before theirs":     {alarms([]plan.Filter{theirFilter(c), filterFor(want, c)}), []string{"put alarm " + name + " on relight/" + name + reason}},
		"full, their filter on our metric": {
			alarms([]plan.Filter{theirFilter(c), with(filterFor(want, c), func(f *plan.Filter) { f.Name = "second" })}),
			[]string{"put alarm " + name + " on relight/" + name + reason},
		},
		"full, two filters on one metric": {
			alarms([]plan.Filter{theirFilter(c), with(theirFilter(c), func(f *plan.Filter) { f.Name = "again" })}),
			[]string{"put alarm " + hashed + " on CISBenchmark/root_usage_metric" + reason},
		},
	}
	for how, tt := range tests {
		t.Run(how, func(t *testing.T) {
			p := of(t, want, tt.got)
			says(t, "actions", p.Actions, tt.actions...)
			for _, a := range p.Actions {
				own := alarmFor(want, c)
				own.Name, own.Namespace, own.Metric = a.Step().Target, a.(plan.PutAlarm).Alarm.Namespace, a.(plan.PutAlarm).Alarm.Metric
				if diff := cmp.Diff(own, a.(plan.PutAlarm).Alarm); diff != "" {
					t.Errorf("the alarm put (-want +got):\n%s", diff)
				}
			}
			converges(t, want, tt.got)
		})
	}
}

// A weak alarm on a metric that two filters write is put back once.
func TestAlarmOnAMetricOfTwoFilters(t *testing.T) {
	want, c := control(t)
	second := with(filterFor(want, c), func(f *plan.Filter) { f.Name = "second" })
	for _, filters := range [][]plan.Filter{{filterFor(want, c), second}, {second}, {second, theirFilter(c)}} {
		got := alarms(filters, with(alarmFor(want, c), func(a *plan.Alarm) { a.ActionsEnabled = false }))
		if p := of(t, want, got); len(p.Actions) != 1 {
			t.Errorf("%d filters: actions %v, want one", len(filters), p.Actions)
		}
	}
	twice := []plan.Filter{theirFilter(c), with(theirFilter(c), func(f *plan.Filter) { f.Name = "again" })}
	hashed := with(theirAlarm(want, c), func(a *plan.Alarm) { a.Name = plan.AlarmName(want, c, theirFilter(c).Metrics[0]) })
	if p := of(t, want, alarms(twice, hashed)); len(p.Actions) != 1 {
		t.Errorf("theirs twice: actions %v, want one", p.Actions)
	}
}

// A control is held by anybody's alarm that is sensitive enough and whose
// topic reaches somebody; where it does not, ours is made beside it.
func TestTheirAlarms(t *testing.T) {
	want, c := control(t)
	hashed := plan.AlarmName(want, c, theirFilter(c).Metrics[0])
	healthy := plan.Topic{Exists: true, Admits: true, Confirmed: 1}
	filters := []plan.Filter{theirFilter(c)}
	topics := map[string]struct {
		topic plan.Topic
		holds bool
	}{
		"healthy":        {healthy, true},
		"gone":           {plan.Topic{}, false},
		"shut":           {plan.Topic{Exists: true, Why: "policy", Confirmed: 1}, false},
		"unsubscribed":   {plan.Topic{Exists: true, Admits: true}, false},
		"never answered": {plan.Topic{Exists: true, Admits: true, Pending: 3}, false},
	}
	for how, tt := range topics {
		got := reachable(alarms(filters, theirAlarm(want, c)), tt.topic)
		p := of(t, want, got)
		if (len(p.Actions) == 0 && p.Healthy == 1) != tt.holds || len(p.Actions) > 0 && p.Actions[0].Step().Target != hashed {
			t.Errorf("their topic %s: %d held, actions %v; want it to hold: %t", how, p.Healthy, p.Actions, tt.holds)
		}
		converges(t, want, got)
	}
	for how, tt := range weakAlarms {
		theirs := with(theirAlarm(want, c), tt.change)
		got := reachable(alarms(filters, theirs), healthy)
		p := of(t, want, got)
		if len(p.Actions) != 1 || p.Actions[0].Step().Target != hashed {
			t.Errorf("theirs, %s: actions %v, want %s", how, p.Actions, hashed)
		}
		if diff := cmp.Diff(theirs, apply(t, got, p).State.(*plan.AlarmState).Alarms["root"]); diff != "" {
			t.Errorf("theirs, %s, was touched:\n%s", how, diff)
		}
		converges(t, want, got)
	}
	for how, change := range soundAlarms {
		got := reachable(alarms(filters, with(theirAlarm(want, c), change)), healthy)
		if p := of(t, want, got); len(p.Actions) > 0 || p.Healthy != 1 {
			t.Errorf("theirs, %s: %d held, actions %v, want none", how, p.Healthy, p.Actions)
		}
	}
}

// An alarm may name the unit that its own filter writes, and no other.
func TestTheirAlarmOfAUnit(t *testing.T) {
	want, c := control(t)
	counting := with(theirFilter(c), metric(func(m *plan.Metric) { m.Unit = "Count" }))
	for unit, holds := range map[string]bool{"": true, "Count": true, "None": false, "Bytes": false} {
		got := reachable(alarms([]plan.Filter{counting}, with(theirAlarm(want, c), func(a *plan.Alarm) { a.Unit = unit })),
			plan.Topic{Exists: true, Admits: true, Confirmed: 1})
		if p := of(t, want, got); (len(p.Actions) == 0) != holds {
			t.Errorf("unit %q on a metric in Count: actions %v, want it to hold: %t", unit, p.Actions, holds)
		}
	}
}

// A count that has to come together in one period is split by a shorter one.
func TestThresholdAboveOne(t *testing.T) {
	want, c := control(t)
	want.Controls[0].Threshold, c.Threshold = 5, 5
	tests := map[string]struct {
		change func(*plan.Alarm)
		holds  bool
	}{
		"as wanted":        {func(a *plan.Alarm) { a.Threshold = 5 }, true},
		"one is enough":    {func(*plan.Alarm) {}, true},
		"above four":       {func(a *plan.Alarm) { a.Comparison, a.Threshold = "GreaterThanThreshold", 4 }, true},
		"above five":       {func(a *plan.Alarm) { a.Comparison, a.Threshold = "GreaterThanThreshold", 5 }, false},
		"six":              {func(a *plan.Alarm) { a.Threshold = 6 }, false},
		"in a shorter one": {func(a *plan.Alarm) { a.Threshold, a.Period = 5, 60 }, false},
	}
	for how, tt := range tests {
		p := of(t, want, named([]string{want.Name(c.ID)}, with(alarmFor(want, c), tt.change)))
		if (len(p.Actions) == 0) != tt.holds {
			t.Errorf("%s: actions %v, want it to hold: %t", how, p.Actions, tt.holds)
		}
	}
}

func TestAlarmName(t *testing.T) {
	want, c := control(t)
	tests := []struct{ namespace, name, alarm string }{
		{"relight", "relight-root-usage", "relight-root-usage"},
		{"CISBenchmark", "root_usage_metric", "relight-root-usage-90d33e1a"},
		{"LogMetrics", "root_usage_metric", "relight-root-usage-cc04b2c6"},
		{"CISBenchmark", "relight-root-usage", ""}, // ours by name alone
	}
	seen := map[string]bool{}
	for _, tt := range tests {
		got := plan.AlarmName(want, c, plan.Metric{Namespace: tt.namespace, Name: tt.name, Unit: "Count"})
		if tt.alarm != "" && got != tt.alarm {
			t.Errorf("%s/%s: alarm %s, want %s: a changed name leaves alarms behind", tt.namespace, tt.name, got, tt.alarm)
		}
		if seen[got] {
			t.Errorf("%s/%s: alarm %s stands on another metric too", tt.namespace, tt.name, got)
		}
		seen[got] = true
	}
}
