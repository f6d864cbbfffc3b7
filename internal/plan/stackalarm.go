package plan

import (
	"cmp"
	"maps"
	"slices"

	"github.com/relight-aws/relight/internal/catalog"
)

// stackName returns the name of an alarm of the stack, or the name under which
// relight restores it if an alarm of another type has its name.
func (state *AlarmState) stackName(want catalog.Desired, row catalog.StackAlarm) string {
	name := want.Name(row.ID)
	return state.free(name, name, Metric{Namespace: row.Namespace, Name: row.Metric})
}

// stackAlarms plans the alarms on relight itself, and returns their names. The
// stack created them: relight restores one that is missing or differs, and keeps
// what others added to its actions.
func (p *Plan) stackAlarms(want catalog.Desired, state AlarmState) (names []string) {
	for _, row := range want.OwnAlarms() {
		if !state.Full && !slices.Contains(state.Named, want.Name(row.ID)) {
			continue
		}
		name := state.stackName(want, row)
		names = append(names, name)
		got, exists := state.Alarms[name]
		topics := []string{want.Topic}
		if row.Both && want.LastResort != "" {
			topics = append(topics, want.LastResort)
		}
		reason := differsFromStack(row, got, func(actions []string) bool {
			return !slices.ContainsFunc(topics, func(t string) bool { return !slices.Contains(actions, t) })
		})
		if !exists {
			reason = "it is missing"
		}
		if reason == "" {
			p.Healthy++
			continue
		}
		a := Alarm{
			Name: name, Namespace: row.Namespace, Metric: row.Metric, Dimensions: row.Dimensions,
			Statistic: row.Statistic, Period: row.Period, Comparison: row.Comparison, Threshold: row.Threshold,
			Periods: row.Periods, Datapoints: row.Periods, Missing: row.Missing, ActionsEnabled: true,
			AlarmActions: slices.Clone(got.AlarmActions), OKActions: got.OKActions, InsufficientActions: got.InsufficientActions,
			Description: cmp.Or(got.Description, row.Description), TagsSent: got.TagsSent,
		}
		for _, t := range topics {
			p.notify(&a, t, topics, state.Topics)
		}
		p.Actions = append(p.Actions, PutAlarm{Alarm: a, Topic: want.Topic, Tags: want.Tags, Reason: reason})
	}
	return names
}

// differsFromStack returns why an alarm of the stack is not as the stack created it,
// or "" if it is.
func differsFromStack(row catalog.StackAlarm, a Alarm, notifies func(actions []string) bool) string {
	switch {
	case a.Other != "":
		return "it evaluates " + a.Other
	case a.Namespace != row.Namespace || a.Metric != row.Metric:
		return "it watches " + a.Namespace + "/" + a.Metric
	case !maps.Equal(a.Dimensions, row.Dimensions):
		return "its dimensions select another metric"
	case a.Unit != "":
		return "its unit " + a.Unit + " selects a metric without data"
	case a.Statistic != row.Statistic:
		return "its statistic is " + a.Statistic
	case a.Comparison != row.Comparison || a.Threshold != row.Threshold || a.Period != row.Period:
		return condition(a)
	case a.Periods != row.Periods || cmp.Or(a.Datapoints, a.Periods) != row.Periods:
		return evaluates(a)
	case a.Missing != row.Missing:
		return "it treats missing data as " + cmp.Or(a.Missing, "missing")
	case !a.ActionsEnabled:
		return "its actions are disabled"
	case !notifies(a.AlarmActions):
		return "it does not notify every topic of relight"
	}
	return ""
}
