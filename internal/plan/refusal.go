package plan

import (
	"slices"
	"strings"

	"github.com/relight-aws/relight/internal/catalog"
)

// A Way is what follows if EC2 refuses a flow log as a duplicate. At most one
// member is set; none means that nothing of what EC2 shows is in the way, so that
// its reads lag behind its writes.
type Way struct {
	Done    bool     // the VPC has what was to be created
	Traffic string   // of the flow log that may be created instead
	Finding *Finding // what only a person can fix
}

// AfterDuplicate returns what follows if EC2 refuses the flow log, with some
// traffic, as a duplicate, and the VPC has these flow logs:
//
//	one of them is what was to be created         done: another run was faster
//	none goes to its destination                  EC2 does not show it yet
//	none goes there with ALL, which was not tried  ALL is no duplicate, and satisfies the policy
//	otherwise                                     a finding that names what to delete
func (a CreateFlowLog) AfterDuplicate(traffic string, logs []FlowLog) Way {
	done := func(fl FlowLog) bool { return works(a.Spec, fl) }
	if a.Renews {
		done = func(fl FlowLog) bool { return outdated(a.Spec, fl) == "" }
	}
	of := func(traffic string) []string {
		return idsOf(logs, func(fl FlowLog) bool { return duplicate(a.Spec, traffic, fl) })
	}
	blockers := of(a.Spec.TrafficType)
	if len(blockers) == 0 {
		blockers = idsOf(logs, func(fl FlowLog) bool { return fl.Into(a.Spec) })
	}
	switch {
	case slices.ContainsFunc(logs, done):
		return Way{Done: true}
	case len(blockers) == 0:
		return Way{}
	case traffic != catalog.TrafficAll && len(of(catalog.TrafficAll)) == 0:
		return Way{Traffic: catalog.TrafficAll}
	}
	f := NewFinding(FlowLogInTheWay, Args{
		"on": a.On, "reason": a.Reason, "flowlogs": strings.Join(blockers, " "), "traffic": a.Spec.TrafficType, "where": a.Spec.Where(),
	})
	return Way{Finding: &f}
}

// AfterLimit returns the finding that follows if EC2 refuses the flow log because
// the VPC has too many, or nil if EC2 shows none to delete. relight does not delete
// its own first: that would leave the VPC with less for a while, perhaps for ever.
func (a CreateFlowLog) AfterLimit(logs []FlowLog) *Finding {
	needless := func(fl FlowLog) bool { return !works(a.Spec, fl) }
	choice := idsOf(logs, func(fl FlowLog) bool { return needless(fl) && !fl.Ours })
	switch {
	case a.Renews:
		choice = own(logs)
	case len(choice) == 0:
		choice = idsOf(logs, needless)
	}
	if len(choice) == 0 {
		return nil
	}
	f := NewFinding(VPCFull, Args{"on": a.On, "reason": a.Reason, "flowlogs": strings.Join(choice, " or ")})
	return &f
}
