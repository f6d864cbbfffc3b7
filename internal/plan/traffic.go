package plan

import (
	"slices"
	"strings"

	"github.com/relight-aws/relight/internal/catalog"
)

// Records is what was observed of the controls on the records of relight's own flow
// logs in a region.
type Records struct {
	Flow    bool        // flow logs deliver to the log group; read where no VPC was
	Topic   string      // ARN of relight's topic in the region; "" where it has none
	Filters []Filter    // every metric filter of the log group
	Alarms  *AlarmState // relight's alarms of the controls
}

// records plans the filters and the alarms of the controls on the records of
// relight's own flow logs, in a region in which they deliver. These are rows like
// those on the trail's log group, and planned as those are, but only relight's own
// filter and alarm count:
//
//	relight has no topic in the region     skipped: its alarm could notify nobody
//	relight's filter is gone or differs    put
//	relight's alarm is gone or differs     put; what others added to it is kept
//	a flow log delivers another format     a finding: the pattern matches none of its records
//	a filter of others on the group        a finding
//	 writes into relight's metric
func (p *Plan) records(want catalog.Desired, got Observed, state *FlowLogState, needed bool) {
	if len(want.FlowLogControls) == 0 || !needed && (state.Records == nil || !state.Records.Flow) {
		return
	}
	if !want.HasTopic(got.Region) {
		if got.Type == "" {
			p.Skips = append(p.Skips, Skip{"alarm on rejected traffic", "relight has no topic in " + got.Region + ", and an alarm can notify only a topic of its own region: add the region to regions of the configuration"})
		}
		return
	}
	p.uncounted(want, state)
	at := state.Records
	if at == nil || at.Topic == "" && want.Topic != "" {
		return
	}
	group := want.FlowLogs.LogGroup
	want, got.Adopted = want.OnFlowLogs(at.Topic), Adopted{}
	for _, c := range want.Controls {
		p.touch(got, catalog.Filter, want.Name(c.ID))
		if reason, _ := unmeasured(want, got.Adopted, c, at.Filters); reason != "" {
			p.Actions = append(p.Actions, PutFilter{LogGroup: group, Filter: ownFilter(want, c, at.Filters), Reason: reason})
		} else {
			p.Healthy++
		}
		names, _ := p.alarm(want, got, c, *at.Alarms)
		p.touch(got, catalog.Alarm, names...)
	}
	p.taken(want, got, *at.Alarms)
	on := &LogGroupState{Trail: TrailLogs{LogGroup: group}, Group: LogGroup{Name: group}, Filters: at.Filters}
	p.crowded(on)
	p.poisoned(want, on)
}

// uncounted reports the flow logs whose records the controls cannot count: they deliver
// to relight's log group, but in another format than the configured one, and relight
// does not replace them, because more fields than it asks for satisfy the policy.
func (p *Plan) uncounted(want catalog.Desired, state *FlowLogState) {
	for _, n := range state.Networks {
		for _, fl := range n.FlowLogs {
			if fl.Into(want.FlowLogs) && works(want.FlowLogs, fl) &&
				!slices.Equal(catalog.FormatFields(fl.Format), catalog.FormatFields(want.FlowLogs.WantFormat())) {
				p.find(FlowLogUncounted, Args{"flowlog": fl.ID, "on": n.ID, "group": fl.LogGroup, "format": strings.TrimSpace(fl.Format)})
			}
		}
	}
}
