package plan_test

import (
	"testing"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/plan"
)

// What relight created for a control that the configuration no longer has is only listed,
// since others may use it.
func TestUnwanted(t *testing.T) {
	want, c := control(t)
	disabled := catalog.Controls()[0]
	if disabled.ID == c.ID {
		t.Fatal("they are the same control")
	}
	hashed := with(theirAlarm(want, disabled), func(a *plan.Alarm) {
		a.Name = plan.AlarmName(want, disabled, plan.Metric{Namespace: a.Namespace, Name: a.Metric})
	})
	own := func(id string) plan.Alarm { return alarmFor(want, catalog.Control{ID: id}) }
	stack := plan.Alarm{Name: "relight-unrestored", Namespace: catalog.MetricNamespace, Metric: "Unrestored"}
	const disabledAlarm = "delete alarm relight-unauthorized-api-calls (the control unauthorized-api-calls is disabled)"
	tests := map[string]struct {
		found    []plan.Alarm
		unwanted []string
	}{
		"nothing":                      {},
		"of a disabled control":        {[]plan.Alarm{own(disabled.ID)}, []string{disabledAlarm}},
		"of a control that was added":  {[]plan.Alarm{own("their-own-control")}, []string{"delete alarm relight-their-own-control (no control has its name)"}},
		"on the metric of another's":   {[]plan.Alarm{hashed}, []string{"delete alarm " + hashed.Name + " (the control unauthorized-api-calls is disabled)"}},
		"of another prefix":            {found: []plan.Alarm{with(own(disabled.ID), func(a *plan.Alarm) { a.Name = "sentinel-x" })}},
		"relight's own health":         {found: []plan.Alarm{stack}},
		"theirs, on another metric":    {found: []plan.Alarm{with(own(disabled.ID), func(a *plan.Alarm) { a.Namespace = "theirs" })}},
		"theirs, on relight's metric":  {found: []plan.Alarm{with(own(disabled.ID), func(a *plan.Alarm) { a.Name = "mine" })}},
		"theirs, with a similar name":  {found: []plan.Alarm{{Name: "relight-checkout", Namespace: "checkout", Metric: "latency"}}},
		"of this control and disabled": {[]plan.Alarm{own(disabled.ID), own(c.ID)}, []string{disabledAlarm}},
	}
	for name, tt := range tests {
		p := of(t, want, alarms([]plan.Filter{filterFor(want, c)}, append(tt.found, alarmFor(want, c))...))
		says(t, name, p.Unwanted, tt.unwanted...)
		if len(p.Actions) > 0 || len(p.Findings) > 0 {
			t.Errorf("%s: actions %v, findings %v", name, p.Actions, p.Findings)
		}
	}
	filter := func(change func(*plan.Filter)) plan.Filter { return with(filterFor(want, disabled), change) }
	for name, tt := range map[string]struct {
		filter plan.Filter
		listed bool
	}{
		"of a disabled control":     {filter(func(*plan.Filter) {}), true},
		"with another pattern":      {filter(func(f *plan.Filter) { f.Pattern = "ERROR" }), true},
		"theirs":                    {theirFilter(disabled), false},
		"theirs, on another metric": {filter(metric(func(m *plan.Metric) { m.Namespace = "theirs" })), false},
	} {
		p := of(t, want, logGroup(filterFor(want, c), tt.filter))
		var unwanted []string
		if tt.listed {
			unwanted = []string{"delete metric-filter relight-unauthorized-api-calls of " + group + " (the control unauthorized-api-calls is disabled)"}
		}
		says(t, "filter "+name, p.Unwanted, unwanted...)
		if len(p.Actions) > 0 || len(p.Findings) > 0 {
			t.Errorf("filter %s: actions %v, findings %v", name, p.Actions, p.Findings)
		}
	}
}

// While the trail or one of the filters is missing, nothing that a healthy account
// would want is unwanted: what replaces it is not proven.
func TestUnwantedOnlyIfReplaced(t *testing.T) {
	want, c := control(t)
	moved := plan.GroupFilter{LogGroup: "before", Filter: filterFor(want, c)}
	theirs := plan.GroupFilter{LogGroup: "before", Filter: with(filterFor(want, c), func(f *plan.Filter) { f.Name = "theirs" })}
	for name, tt := range map[string]struct {
		filters  []plan.Filter
		unwanted []string
	}{
		"the trail's group has the filter": {[]plan.Filter{filterFor(want, c)}, []string{"delete metric-filter relight-root-usage of before (the trail delivers to " + group + ")"}},
		"it lost the filter":               {},
	} {
		got := logGroup(tt.filters...)
		got.State.(*plan.LogGroupState).Writers = []plan.GroupFilter{moved, theirs}
		says(t, name, of(t, want, got).Unwanted, tt.unwanted...)
	}
	hashed := with(theirAlarm(want, c), func(a *plan.Alarm) {
		a.Name = plan.AlarmName(want, c, plan.Metric{Namespace: a.Namespace, Name: a.Metric})
	})
	for name, tt := range map[string]struct {
		got      plan.Observed
		unwanted []string
	}{
		"relight's alarm is healthy": {alarms([]plan.Filter{filterFor(want, c)}, hashed, alarmFor(want, c)), []string{"delete alarm " + hashed.Name + " (it is on a metric that does not measure the control root-usage)"}},
		"it is missing":              {got: alarms([]plan.Filter{filterFor(want, c)}, hashed)},
	} {
		says(t, name, of(t, want, tt.got).Unwanted, tt.unwanted...)
		lost := tt.got
		lost.State.(*plan.AlarmState).Trail = plan.TrailLogs{Elsewhere: "there is no trail"}
		says(t, name+", without the trail", of(t, want, lost).Unwanted)
	}
}
