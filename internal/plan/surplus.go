package plan

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/order"
)

// DeleteFlowLog deletes a flow log of relight's own that is no longer needed.
type DeleteFlowLog struct {
	ID     string
	On     string
	Reason string
}

// Step returns the action as a step of a plan.
func (a DeleteFlowLog) Step() Step {
	return Step{Stage: remove, Do: fmt.Sprintf("delete flow-log %s of %s", a.ID, a.On), Target: a.ID, Reason: a.Reason}
}

// leftover returns the removals of relight's own flow logs on a VPC, subnet or network
// interface that no longer exists, if AWS leaves any there (belief flow-logs-go-with-their-vpc,
// assumed).
func leftover(n Network) []Action {
	var actions []Action
	for _, fl := range n.FlowLogs {
		if fl.Ours {
			actions = append(actions, DeleteFlowLog{ID: fl.ID, On: n.ID, Reason: "it is relight's own, and " + n.ID + " no longer exists"})
		}
	}
	return actions
}

// surplus returns the removal of one of relight's own flow logs, if another flow
// log of the VPC is proven:
//
//	relight's does not satisfy the policy, another is proven         relight's is deleted
//	relight's satisfies it, another that is not relight's is proven  relight's is deleted
//	relight's is outdated, a newer of relight's is proven            relight's older one is deleted
//	relight's fails, and a new one would fail as well                it stays, with its finding
//	another satisfies the policy but is not proven                   both stay
func surplus(want catalog.Desired, adopted Adopted, n Network) []Action {
	logs := order.By(slices.Clone(n.FlowLogs), func(a, b FlowLog) int { return cmp.Compare(a.ID, b.ID) })
	for _, fl := range logs {
		old := outdated(want.FlowLogs, fl)
		if !fl.Ours || fl.Failed() && old == "" && !foreign(want, fl) {
			continue
		}
		for _, by := range logs {
			if by.ID == fl.ID || !proven(want, adopted, by) || works(want.FlowLogs, fl) && by.Ours && !renewed(want, fl, by) {
				continue
			}
			why := "no longer needed"
			switch weak := Satisfies(want.FlowLogs, fl); {
			case weak != "":
				why = weak
			case fl.Failed():
				why = "fails to deliver"
			case by.Ours:
				why = old
			}
			return []Action{DeleteFlowLog{ID: fl.ID, On: n.ID, Reason: "it is relight's own and " + why + "; " + by.ID + " satisfies the policy and delivers"}}
		}
	}
	return nil
}

// renewed reports whether one of relight's own flow logs replaces another that
// works: it is as the configuration says, or it stands in for that one.
func renewed(want catalog.Desired, fl, by FlowLog) bool {
	if outdated(want.FlowLogs, fl) == "" || foreign(want, by) {
		return false
	}
	return outdated(want.FlowLogs, by) == "" || inPlace(want.FlowLogs, by) && !inPlace(want.FlowLogs, fl)
}

// proven reports whether a flow log is known to do the work of relight's own. It
// satisfies the policy, EC2 has called its delivery a success for long enough,
// and it goes to a destination that the configuration names or that was adopted.
// Any other is not trusted however long it keeps its records, because an intruder can
// create it. What the first sweep is about to adopt does not count: it deletes nothing.
func proven(want catalog.Desired, adopted Adopted, fl FlowLog) bool {
	return works(want.FlowLogs, fl) && fl.Delivery == delivers && fl.Age >= catalog.ProvenAfter &&
		(home(want, fl) || slices.Contains(adopted.Resources.FlowLogs, fl.Where))
}

// without returns the flow logs that are not to be deleted.
func without(logs []FlowLog, removals []Action) []FlowLog {
	return slices.DeleteFunc(slices.Clone(logs), func(fl FlowLog) bool {
		return slices.ContainsFunc(removals, func(a Action) bool { return a.Step().Target == fl.ID })
	})
}
