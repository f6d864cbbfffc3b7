package plan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/relight-aws/relight/internal/catalog"
)

// DeleteAlarm deletes an alarm of relight's own that no control needs any more.
type DeleteAlarm struct {
	Name   string
	Reason string
}

// Step returns the action as a step of a plan.
func (a DeleteAlarm) Step() Step {
	return Step{Stage: remove, Do: "delete alarm " + a.Name, Target: a.Name, Reason: a.Reason}
}

// DeleteFilter deletes a metric filter of relight's own that no control needs any more.
type DeleteFilter struct {
	LogGroup string
	Name     string
	Reason   string
}

// Step returns the action as a step of a plan.
func (a DeleteFilter) Step() Step {
	return Step{Stage: remove, Do: fmt.Sprintf("delete metric-filter %s of %s", a.Name, a.LogGroup), Target: a.Name, Reason: a.Reason}
}

// ownName reports whether a filter is one of relight's by its name and its metric.
// Metric filters have no tags. Source: CloudWatch Logs API Reference, PutMetricFilter.
func (f Filter) ownName(want catalog.Desired) bool {
	return strings.HasPrefix(f.Name, want.Name("")) && len(f.Metrics) == 1 && f.Metrics[0].Namespace == want.Prefix && f.Metrics[0].Name == f.Name
}

// unwantedFilters adds the filters that relight created for controls that the
// configuration no longer wants, and those on log groups to which the trail delivered
// before. The latter are unwanted only once no filter of the trail's log group needs a repair.
func (p *Plan) unwantedFilters(want catalog.Desired, state *LogGroupState) {
	needed := func(of []catalog.Control, f Filter) bool {
		return slices.ContainsFunc(of, func(c catalog.Control) bool { return want.Name(c.ID) == f.Name })
	}
	for _, f := range state.Filters {
		if f.ownName(want) && !needed(want.Controls, f) {
			reason, _ := unneeded(want, f.Name)
			p.Unwanted = append(p.Unwanted, DeleteFilter{state.Trail.LogGroup, f.Name, reason})
		}
	}
	for _, f := range state.Writers {
		if len(p.Actions) == 0 && f.ownName(want) && !needed(want.FlowLogControls, f.Filter) {
			p.Unwanted = append(p.Unwanted, DeleteFilter{f.LogGroup, f.Name, "the trail delivers to " + state.Trail.LogGroup})
		}
	}
}

// unwantedAlarms adds the alarms that relight created for controls, or for metrics, that
// the configuration no longer wants. One on a metric that no longer measures a wanted
// control is unwanted only once no alarm needs a repair. Without a known trail, nothing is.
func (p *Plan) unwantedAlarms(want catalog.Desired, got Observed, state AlarmState, guards map[string]bool) {
	if !state.Full || state.Trail.LogGroup == "" {
		return
	}
	wanted := map[string]bool{}
	for _, c := range want.Controls {
		for _, m := range measuredBy(want, got.Adopted, c, state) {
			wanted[state.nameOf(want, c, m)] = true
		}
	}
	for name, a := range state.Alarms {
		onOurs := a.Namespace == want.Prefix && strings.HasPrefix(a.Metric, want.Name("")) && strings.HasPrefix(name, a.Metric)
		onTheirs := strings.HasPrefix(name, want.Name("")) && strings.HasSuffix(name, "-"+short(a.Namespace, a.Metric))
		if (onOurs || onTheirs) && !wanted[name] && !guards[name] {
			reason, replaced := unneeded(want, name)
			if !replaced || len(p.Actions) == 0 {
				p.Unwanted = append(p.Unwanted, DeleteAlarm{name, reason})
			}
		}
	}
}

// unneeded returns why relight's filter or alarm of a name is not wanted, and whether the
// control that it was made for still is.
func unneeded(want catalog.Desired, name string) (reason string, replaced bool) {
	is := func(c catalog.Control) bool {
		return name == want.Name(c.ID) || strings.HasPrefix(name, want.Name(c.ID)+"-")
	}
	if i := slices.IndexFunc(want.Controls, is); i >= 0 {
		return "it is on a metric that does not measure the control " + want.Controls[i].ID, true
	}
	if i := slices.IndexFunc(catalog.Controls(), is); i >= 0 {
		return "the control " + catalog.Controls()[i].ID + " is disabled", false
	}
	return "no control has its name", false
}
