package plan_test

import (
	"maps"
	"slices"
	"strings"
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
		Statistic: c.Statistic(), Period: 300, Comparison: "GreaterThanOrEqualToThreshold", Threshold: 1, Periods: 1, Datapoints: 1,
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
	"a dimension":          {func(a *plan.Alarm) { a.Dimensions = map[string]string{"LogGroupName": "g"} }, "its dimension LogGroupName selects a metric without data"},
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

// otherAlarms are at least as sensitive as wanted, but not as configured: sound
// if they are somebody else's, and restored if they are relight's.
var otherAlarms = map[string]struct {
	change func(*plan.Alarm)
	reason string
}{
	"a lower threshold":       {func(a *plan.Alarm) { a.Threshold = 0.5 }, "its condition is GreaterThanOrEqualToThreshold 0.5 in 300 s"},
	"above none":              {func(a *plan.Alarm) { a.Comparison, a.Threshold = "GreaterThanThreshold", 0 }, "its condition is GreaterThanThreshold 0 in 300 s"},
	"above a part":            {func(a *plan.Alarm) { a.Comparison, a.Threshold = "GreaterThanThreshold", 0.9 }, "its condition is GreaterThanThreshold 0.9 in 300 s"},
	"a shorter period":        {func(a *plan.Alarm) { a.Period = 60 }, "its condition is GreaterThanOrEqualToThreshold 1 in 60 s"},
	"missing data is missing": {func(a *plan.Alarm) { a.Missing = "missing" }, "it treats missing data as missing"},
	"missing data not told":   {func(a *plan.Alarm) { a.Missing = "" }, "it treats missing data as missing"},
}

// soundAlarms are as wanted, whoever they belong to.
var soundAlarms = map[string]func(*plan.Alarm){
	"as wanted":               func(*plan.Alarm) {},
	"datapoints not told":     func(a *plan.Alarm) { a.Datapoints = 0 },
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
		differing := maps.Clone(weakAlarms)
		maps.Copy(differing, otherAlarms)
		for how, tt := range differing {
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
		a.Dimensions, a.Other = map[string]string{"d": "v"}, "metric math"
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

// An alarm has room for five actions. If others take all of it, relight removes
// one that reaches nobody, or else the last, and says so at once.
func TestOwnAlarmWithoutRoom(t *testing.T) {
	want, c := control(t)
	five := []string{"arn:1", "arn:2", "arn:3", "arn:4", "arn:5"}
	sound := plan.Topic{Exists: true, Admits: true, Confirmed: 1}
	full := with(alarmFor(want, c), func(a *plan.Alarm) { a.AlarmActions = five })
	tests := map[string]struct {
		alarm   plan.Alarm
		topics  map[string]plan.Topic
		removed string
		reason  string
	}{
		"sound but for that":      {alarm: full, removed: "arn:5", reason: "it notifies nobody"},
		"silenced too":            {alarm: with(full, func(a *plan.Alarm) { a.ActionsEnabled = false }), removed: "arn:5", reason: "its actions are disabled"},
		"dulled too":              {alarm: with(full, func(a *plan.Alarm) { a.Threshold = 99 }), removed: "arn:5", reason: "its condition is GreaterThanOrEqualToThreshold 99 in 300 s"},
		"one topic is gone":       {full, map[string]plan.Topic{"arn:2": {}, "arn:5": sound}, "arn:2", "it notifies nobody"},
		"one topic is shut":       {full, map[string]plan.Topic{"arn:3": {Exists: true, Confirmed: 1}, "arn:4": sound}, "arn:3", "it notifies nobody"},
		"nobody confirmed one":    {full, map[string]plan.Topic{"arn:1": {Exists: true, Admits: true, Pending: 2}}, "arn:1", "it notifies nobody"},
		"several reach nobody":    {full, map[string]plan.Topic{"arn:1": {}, "arn:2": {}, "arn:5": sound}, "arn:2", "it notifies nobody"},
		"every topic is somebody": {full, map[string]plan.Topic{"arn:1": sound, "arn:2": sound, "arn:3": sound, "arn:4": sound, "arn:5": sound}, "arn:5", "it notifies nobody"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			for look, got := range map[string]plan.Observed{"named": named([]string{full.Name}, tt.alarm), "full": alarms([]plan.Filter{filterFor(want, c)}, tt.alarm)} {
				got.State.(*plan.AlarmState).Topics = tt.topics
				p := of(t, want, got)
				says(t, look+": findings", p.Findings, "[alarm-actions-full] alarm relight-root-usage: its 5 actions leave no room for relight's topic, so relight removes "+tt.removed+
					". Find out who added the actions. If the removed one is needed, remove another and add it again: an alarm takes 5 for each state.")
				says(t, look+": actions", p.Actions, "put alarm relight-root-usage on relight/relight-root-usage ("+tt.reason+")")
				kept := append(slices.DeleteFunc(slices.Clone(five), func(a string) bool { return a == tt.removed }), topic)
				if put := p.Actions[0].(plan.PutAlarm).Alarm.AlarmActions; !slices.Equal(put, kept) || !p.Findings[0].Alert || p.Healthy != 0 {
					t.Errorf("%s: actions %v, want %v; alerts %t; %d healthy", look, put, kept, p.Findings[0].Alert, p.Healthy)
				}
				converges(t, want, got)
			}
			if !slices.Equal(full.AlarmActions, []string{"arn:1", "arn:2", "arn:3", "arn:4", "arn:5"}) {
				t.Errorf("the observed actions became %v", full.AlarmActions)
			}
		})
	}
}

// If an alarm of another type has the name of relight's, the control gets its
// alarm under another name, always the same, and people are notified.
func TestAlarmNameTaken(t *testing.T) {
	want, c := control(t)
	own := want.Name(c.ID)
	look := func(filters []plan.Filter, taken map[string]string, found ...plan.Alarm) plan.Observed {
		got := alarms(filters, found...)
		got.State.(*plan.AlarmState).Taken = taken
		return got
	}
	ours, theirs := []plan.Filter{filterFor(want, c)}, []plan.Filter{theirFilter(c)}
	first := of(t, want, look(ours, map[string]string{own: "log alarm"})).Actions[0].Step().Target
	hashed := plan.AlarmName(want, c, theirFilter(c).Metrics[0])
	tests := map[string]struct {
		filters []plan.Filter
		taken   map[string]string
		on      string // the metric
	}{
		"by a composite alarm":       {ours, map[string]string{own: "composite alarm"}, "relight/" + own},
		"by a log alarm":             {ours, map[string]string{own: "log alarm"}, "relight/" + own},
		"and the next name too":      {ours, map[string]string{own: "composite alarm", first: "log alarm"}, "relight/" + own},
		"before there is a filter":   {nil, map[string]string{own: "composite alarm"}, "relight/" + own},
		"on the metric of another's": {theirs, map[string]string{hashed: "composite alarm"}, "CISBenchmark/root_usage_metric"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := look(tt.filters, tt.taken)
			p := of(t, want, got)
			if len(p.Actions) != 1 || len(p.Findings) != 1 || !p.Findings[0].Alert || p.Findings[0].Code != plan.AlarmNameTaken {
				t.Fatalf("actions %v, findings %v; want one of each", text(p.Actions), p.Findings)
			}
			target := p.Actions[0].Step().Target
			if tt.taken[target] != "" || !strings.HasPrefix(target, own+"-") || !strings.Contains(p.Actions[0].Step().String(), " on "+tt.on+" ") {
				t.Errorf("%s, want it under a free name on %s", p.Actions[0].Step(), tt.on)
			}
			if !strings.Contains(p.Findings[0].String(), "so relight's alarm is "+target) {
				t.Errorf("finding %s", p.Findings[0])
			}
			converges(t, want, got)
			after := apply(t, got, p)
			if p := of(t, want, after); p.Healthy != 1 || len(p.Findings) != 1 || p.Findings[0].Alert || len(p.Skips) > 0 {
				t.Errorf("afterwards %d healthy, findings %v, skips %v", p.Healthy, p.Findings, p.Skips)
			}
			dull := clone(after)
			dull.State.(*plan.AlarmState).Alarms[target] = with(dull.State.(*plan.AlarmState).Alarms[target], func(a *plan.Alarm) { a.Threshold = 99 })
			if p := of(t, want, dull); len(p.Actions) != 1 || p.Actions[0].Step().Target != target {
				t.Errorf("dulled: actions %v, want %s", text(p.Actions), target)
			}
		})
	}
	asked := look(ours, map[string]string{own: "composite alarm"}, with(alarmFor(want, c), func(a *plan.Alarm) { a.Name = first }))
	asked.Type, asked.Asked = catalog.CompositeAlarm, []string{own}
	if p := of(t, want, asked); len(p.Findings) != 1 || !p.Findings[0].Alert {
		t.Errorf("an event about the name: findings %v, want one that alerts", p.Findings)
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
	sound := maps.Clone(soundAlarms)
	for how, tt := range otherAlarms {
		sound[how] = tt.change
	}
	for how, change := range sound {
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

// A count that has to come together in one period is split by a shorter one. An
// alarm of relight's is exactly as configured, even if it was more sensitive.
func TestThresholdAboveOne(t *testing.T) {
	want, c := control(t)
	want.Controls[0].Threshold, c.Threshold = 5, 5
	tests := map[string]struct {
		change       func(*plan.Alarm)
		ours, theirs bool // it holds
	}{
		"as wanted":        {func(a *plan.Alarm) { a.Threshold = 5 }, true, true},
		"one is enough":    {func(*plan.Alarm) {}, false, true},
		"above four":       {func(a *plan.Alarm) { a.Comparison, a.Threshold = "GreaterThanThreshold", 4 }, false, true},
		"above five":       {func(a *plan.Alarm) { a.Comparison, a.Threshold = "GreaterThanThreshold", 5 }, false, false},
		"six":              {func(a *plan.Alarm) { a.Threshold = 6 }, false, false},
		"in a shorter one": {func(a *plan.Alarm) { a.Threshold, a.Period = 5, 60 }, false, false},
		"the largest":      {func(a *plan.Alarm) { a.Threshold, a.Statistic = 5, "Maximum" }, false, false},
		"any of one":       {func(a *plan.Alarm) { a.Statistic = "Maximum" }, false, true},
		"above nothing":    {func(a *plan.Alarm) { a.Statistic, a.Comparison, a.Threshold = "Maximum", "GreaterThanThreshold", 0.5 }, false, true},
		"above one":        {func(a *plan.Alarm) { a.Statistic, a.Comparison, a.Threshold = "Maximum", "GreaterThanThreshold", 1 }, false, false},
	}
	for how, tt := range tests {
		p := of(t, want, named([]string{want.Name(c.ID)}, with(alarmFor(want, c), tt.change)))
		if (len(p.Actions) == 0) != tt.ours {
			t.Errorf("ours, %s: actions %v, want it to hold: %t", how, p.Actions, tt.ours)
		}
		theirs := reachable(alarms([]plan.Filter{theirFilter(c)}, with(theirAlarm(want, c), tt.change)), plan.Topic{Exists: true, Admits: true, Confirmed: 1})
		if p := of(t, want, theirs); (len(p.Actions) == 0) != tt.theirs {
			t.Errorf("theirs, %s: actions %v, want it to hold: %t", how, p.Actions, tt.theirs)
		}
	}
}

// The alarm of a control for which one event is enough takes the largest value,
// which no negative one lowers. An alarm of an earlier version is changed; one of
// somebody else's may take the sum, as CIS prints it.
func TestStatistic(t *testing.T) {
	want, c := control(t)
	sum := func(a *plan.Alarm) { a.Statistic = "Sum" }
	p := of(t, want, named([]string{want.Name(c.ID)}, with(alarmFor(want, c), sum)))
	says(t, "actions", p.Actions, "put alarm relight-root-usage on relight/relight-root-usage (its statistic is Sum)")
	if put, ok := p.Actions[0].(plan.PutAlarm); !ok || put.Alarm.Statistic != "Maximum" {
		t.Errorf("puts %+v", p.Actions[0])
	}
	theirs := reachable(alarms([]plan.Filter{theirFilter(c)}, with(theirAlarm(want, c), sum)), plan.Topic{Exists: true, Admits: true, Confirmed: 1})
	says(t, "actions", of(t, want, theirs).Actions)
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

// The alarm of the control that watches relight itself notifies both topics; those of
// the others notify the first alone.
func TestTamperingNotifiesBothTopics(t *testing.T) {
	const last = "arn:aws:sns:us-east-1:111122223333:relight-last-resort"
	all := policy(t)
	all.LastResort = last
	for id, topics := range map[string][]string{"tampering": {topic, last}, "root-usage": {topic}} {
		want := all
		i := slices.IndexFunc(all.Controls, func(c catalog.Control) bool { return c.ID == id })
		want.Controls = all.Controls[i : i+1]
		filters := []plan.Filter{filterFor(want, want.Controls[0])}
		p := of(t, want, alarms(filters))
		if len(p.Actions) != 1 {
			t.Fatalf("%s: actions %v, want its alarm", id, p.Actions)
		}
		made := p.Actions[0].(plan.PutAlarm).Alarm
		if !slices.Equal(made.AlarmActions, topics) {
			t.Errorf("%s notifies %q, want %q", id, made.AlarmActions, topics)
		}
		if p := of(t, want, alarms(filters, made)); len(p.Actions) > 0 {
			t.Errorf("%s: a second run plans %v", id, p.Actions)
		}
		for i := range topics {
			less := made
			less.AlarmActions = slices.Delete(slices.Clone(topics), i, i+1)
			p := of(t, want, alarms(filters, less))
			if len(p.Actions) != 1 || len(p.Actions[0].(plan.PutAlarm).Alarm.AlarmActions) != len(topics) {
				t.Errorf("%s without %s: actions %v", id, topics[i], p.Actions)
			}
		}
	}
}
