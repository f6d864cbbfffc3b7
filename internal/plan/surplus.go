package plan

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/relight-aws/relight/internal/catalog"
)

// DeleteFlowLog deletes a flow log of relight's own that is no longer needed.
type DeleteFlowLog struct {
	ID     string
	VPC    string
	Reason string
}

// Step returns the action as a step of a plan.
func (a DeleteFlowLog) Step() Step {
	return Step{Stage: remove, Do: fmt.Sprintf("delete flow-log %s of %s", a.ID, a.VPC), Target: a.ID, Reason: a.Reason}
}

// leftover returns the removals of relight's own flow logs on a VPC that no
// longer exists. Whether AWS leaves any there is unverified.
func leftover(vpc VPC) []Action {
	var actions []Action
	for _, fl := range vpc.FlowLogs {
		if fl.Ours {
			actions = append(actions, DeleteFlowLog{ID: fl.ID, VPC: vpc.ID, Reason: "it is relight's own, and the VPC no longer exists"})
		}
	}
	return actions
}

// surplus returns the removal of one of relight's own flow logs, if another flow
// log of the VPC is proven:
//
//	relight's does not satisfy the policy, another is proven        relight's is deleted
//	relight's satisfies it, another that is not relight's is proven  relight's is deleted
//	relight's FAILED                                                 it stays, with its finding
//	another satisfies the policy but is not proven                   both stay
//
// A flow log is proven if it satisfies the policy, delivers, and goes where its
// records are known to be kept: to a log group of this account that exists and
// keeps them long enough, or to a type of destination that the configuration
// lists. A bucket that the configuration does not mention may belong to anybody,
// so a flow log to it never replaces relight's own.
func surplus(want catalog.FlowLogSpec, groups map[string]LogGroup, vpc VPC) []Action {
	logs := slices.SortedFunc(slices.Values(vpc.FlowLogs), func(a, b FlowLog) int { return cmp.Compare(a.ID, b.ID) })
	for _, fl := range logs {
		if !fl.Ours || fl.Delivery == failed {
			continue
		}
		weak := satisfies(want, fl)
		for _, by := range logs {
			if by.ID == fl.ID || !proven(want, groups, by) || weak == "" && by.Ours {
				continue
			}
			reason := "it is relight's own and no longer needed: " + by.ID + " satisfies the policy and delivers"
			if weak != "" {
				reason = "it is relight's own and " + weak + "; " + by.ID + " satisfies the policy and delivers"
			}
			return []Action{DeleteFlowLog{ID: fl.ID, VPC: vpc.ID, Reason: reason}}
		}
	}
	return nil
}

func proven(want catalog.FlowLogSpec, groups map[string]LogGroup, fl FlowLog) bool {
	if satisfies(want, fl) != "" || fl.Delivery != delivers {
		return false
	}
	if fl.LogGroup == "" {
		return fl.Destination != catalog.ToCloudWatchLogs && slices.Contains(want.Destinations, fl.Destination)
	}
	group, exists := groups[fl.LogGroup]
	return exists && keeps(group, want.RetentionDays)
}

// noRoom returns the ID of relight's own flow log and those of the others, if
// they take all slots of a VPC and none satisfies the policy; "" otherwise. To
// delete relight's own first would leave the VPC with less for a while, perhaps
// for ever.
func noRoom(vpc VPC) (own, others string) {
	i := slices.IndexFunc(vpc.FlowLogs, func(fl FlowLog) bool { return fl.Ours })
	if len(vpc.FlowLogs) < catalog.FlowLogsPerVPC || i < 0 {
		return "", ""
	}
	own = vpc.FlowLogs[i].ID
	var rest []string
	for _, fl := range vpc.FlowLogs {
		if fl.ID != own {
			rest = append(rest, fl.ID)
		}
	}
	slices.Sort(rest)
	return own, strings.Join(rest, " or ")
}

// without returns the flow logs that are not to be deleted.
func without(logs []FlowLog, removals []Action) []FlowLog {
	return slices.DeleteFunc(slices.Clone(logs), func(fl FlowLog) bool {
		return slices.ContainsFunc(removals, func(a Action) bool { return a.Step().Target == fl.ID })
	})
}
