package plan_test

import (
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/plan"
)

// stackWant returns a policy with every alarm of the stack and no control, and
// those alarms as the stack creates them.
func stackWant(t testing.TB) (catalog.Desired, []plan.Alarm) {
	t.Helper()
	want := policy(t)
	want.Controls = nil
	want.StackAlarms, want.DeadLetters = want.AlarmsOfStack(catalog.Kinds(), 900), map[string]string{}
	for _, row := range want.StackAlarms {
		if row.OfQueue {
			want.DeadLetters[row.ID] = "relight-queue-of-" + row.ID
		}
	}
	var all []plan.Alarm
	for _, row := range want.OwnAlarms() {
		all = append(all, plan.Alarm{
			Name: want.Name(row.ID), Namespace: row.Namespace, Metric: row.Metric, Dimensions: row.Dimensions, Description: row.Description,
			Statistic: row.Statistic, Period: row.Period, Comparison: row.Comparison, Threshold: row.Threshold, Periods: row.Periods,
			Missing: row.Missing, ActionsEnabled: true, AlarmActions: []string{topic},
		})
	}
	return want, all
}

// weakStackAlarms are the ways in which an alarm of the stack notices less, later
// or says less.
var weakStackAlarms = map[string]func(*plan.Alarm){
	"another metric":      func(a *plan.Alarm) { a.Metric += "s" },
	"another namespace":   func(a *plan.Alarm) { a.Namespace = "n" },
	"metric math":         func(a *plan.Alarm) { a.Other = "metric math" },
	"another dimension":   func(a *plan.Alarm) { a.Dimensions = map[string]string{"d": "v"} },
	"one dimension more":  func(a *plan.Alarm) { a.Dimensions = maps.Clone(a.Dimensions); put(&a.Dimensions, "d", "v") },
	"another value":       func(a *plan.Alarm) { a.Dimensions = maps.Clone(a.Dimensions); put(&a.Dimensions, "QueueName", "other") },
	"a unit":              func(a *plan.Alarm) { a.Unit = "Count" },
	"another statistic":   func(a *plan.Alarm) { a.Statistic = "Minimum" },
	"a higher threshold":  func(a *plan.Alarm) { a.Threshold++ },
	"a lower threshold":   func(a *plan.Alarm) { a.Threshold-- },
	"another comparison":  func(a *plan.Alarm) { a.Comparison = "LessThanLowerOrGreaterThanUpperThreshold" },
	"a longer period":     func(a *plan.Alarm) { a.Period *= 2 },
	"a shorter period":    func(a *plan.Alarm) { a.Period /= 2 },
	"more periods":        func(a *plan.Alarm) { a.Periods++ },
	"fewer datapoints":    func(a *plan.Alarm) { a.Periods, a.Datapoints = a.Periods+1, a.Periods },
	"missing is missing":  func(a *plan.Alarm) { a.Missing = "missing" },
	"missing rings":       func(a *plan.Alarm) { a.Missing = "breaching" },
	"actions disabled":    func(a *plan.Alarm) { a.ActionsEnabled = false },
	"no actions":          func(a *plan.Alarm) { a.AlarmActions = nil },
	"another topic":       func(a *plan.Alarm) { a.AlarmActions = []string{theirTopic} },
	"other states only":   func(a *plan.Alarm) { a.OKActions, a.AlarmActions = a.AlarmActions, nil },
	"no room for a topic": func(a *plan.Alarm) { a.AlarmActions = []string{"arn:1", "arn:2", "arn:3", "arn:4", "arn:5"} },
}

func put(m *map[string]string, key, value string) {
	if *m == nil {
		*m = map[string]string{}
	}
	(*m)[key] = value
}

// looks are an event's look at one alarm, a sweep's, and a sweep's in an account
// whose trail is not for relight to protect.
func stackLooks(name string, all []plan.Alarm) map[string]plan.Observed {
	elsewhere := alarms(nil, all...)
	elsewhere.State.(*plan.AlarmState).Trail = plan.TrailLogs{Elsewhere: "it is the management account's"}
	return map[string]plan.Observed{"named": named([]string{name}, all...), "full": alarms(nil, all...), "without a trail": elsewhere}
}

// Whatever is changed of an alarm of the stack is put back, and what others added
// to it stays.
func TestStackAlarms(t *testing.T) {
	want, sound := stackWant(t)
	for i, a := range sound {
		for how, change := range weakStackAlarms {
			all := slices.Clone(sound)
			all[i] = with(a, change)
			if how == "missing rings" && a.Missing == "breaching" {
				continue
			}
			for look, got := range stackLooks(a.Name, all) {
				p := of(t, want, got)
				if len(p.Actions) != 1 {
					t.Errorf("%s of %s, %s: actions %v, want it put back", how, a.Name, look, p.Actions)
					continue
				}
				converges(t, want, got)
			}
		}
		missing := slices.Delete(slices.Clone(sound), i, i+1)
		for look, got := range stackLooks(a.Name, missing) {
			p := of(t, want, got)
			if len(p.Actions) != 1 {
				t.Errorf("%s is missing, %s: actions %v, want it put back", a.Name, look, p.Actions)
				continue
			}
			back := p.Actions[0].(plan.PutAlarm).Alarm
			back.Datapoints = 0
			if diff := cmp.Diff(a, back); diff != "" {
				t.Errorf("%s, %s (-want +got):\n%s", a.Name, look, diff)
			}
		}
	}
	for look, got := range stackLooks(sound[0].Name, sound) {
		healthy := len(sound)
		if look == "named" {
			healthy = 1
		}
		if p := of(t, want, got); len(p.Actions) > 0 || p.Healthy != healthy {
			t.Errorf("%s: %d healthy, actions %v; want %d, none", look, p.Healthy, p.Actions, healthy)
		}
	}
}

// What others added to an alarm of the stack stays, and one that has been in ALARM
// for long is no finding: it stays there as long as the findings do.
func TestStackAlarmsOfOwners(t *testing.T) {
	want, all := stackWant(t)
	for i := range all {
		all[i].AlarmActions, all[i].OKActions, all[i].Description = []string{"arn:1", topic}, []string{"arn:2"}, "call Bob"
		all[i].InAlarmFor = 2 * catalog.StuckAfter
	}
	if p := of(t, want, alarms(nil, all...)); len(p.Actions)+len(p.Findings) > 0 {
		t.Errorf("actions %v, findings %v; want none", p.Actions, p.Findings)
	}
	all[0].ActionsEnabled = false
	p := of(t, want, alarms(nil, all...))
	if a := p.Actions[0].(plan.PutAlarm).Alarm; !slices.Equal(a.AlarmActions, []string{"arn:1", topic}) || !slices.Equal(a.OKActions, []string{"arn:2"}) || a.Description != "call Bob" {
		t.Errorf("the repair puts %+v", a)
	}
}

// Before relight is deployed, nothing of the stack is planned.
func TestStackAlarmsOfNoStack(t *testing.T) {
	want, _ := stackWant(t)
	want.Deployment = catalog.Deployment{DeadLetters: want.DeadLetters}
	if p := of(t, want, alarms(nil)); len(p.Actions) > 0 {
		t.Errorf("actions %v, want none", p.Actions)
	}
}

// An alarm of another type takes the name of one of the stack's alarms, and a mute
// rule or a suppressor covers one.
func TestStackAlarmsSilenced(t *testing.T) {
	want, all := stackWant(t)
	name := all[0].Name
	got := alarms(nil, all[1:]...)
	got.State.(*plan.AlarmState).Taken = map[string]string{name: "composite alarm"}
	p := of(t, want, got)
	if len(p.Actions) != 1 || len(p.Findings) != 1 || p.Findings[0].Code != plan.AlarmNameTaken || !p.Findings[0].Alert {
		t.Errorf("taken: actions %v, findings %v", p.Actions, p.Findings)
	}
	converges(t, want, got)

	got = alarms(nil, all...)
	state := got.State.(*plan.AlarmState)
	state.Mutes = []plan.MuteRule{{Name: "quiet", Alarms: []string{name}, Kind: "RECURRING"}}
	state.Composites = []plan.Composite{{Name: "c", Rule: `ALARM("` + name + `")`, Suppressor: "s"}}
	if p := of(t, want, got); len(p.Findings) != 2 {
		t.Errorf("silenced: findings %v, want two", p.Findings)
	}
}
