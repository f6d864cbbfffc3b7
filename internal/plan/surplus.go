package plan

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/relight-aws/relight/internal/catalog"
)

// DeleteFlowLog takes away a flow log of relight's own that is of no use any
// more.
type DeleteFlowLog struct {
	ID     string
	VPC    string
	Reason string
}

// Step returns the action as a step of a plan.
func (a DeleteFlowLog) Step() Step {
	return Step{Stage: remove, Do: fmt.Sprintf("delete flow-log %s of %s", a.ID, a.VPC), Target: a.ID, Reason: a.Reason}
}

// leftover returns what takes relight's own flow logs off a VPC that is gone.
// Whether AWS leaves any there is unverified.
func leftover(vpc VPC) []Action {
	var actions []Action
	for _, fl := range vpc.FlowLogs {
		if fl.Ours {
			actions = append(actions, DeleteFlowLog{ID: fl.ID, VPC: vpc.ID, Reason: "relight's own, and the VPC is gone"})
		}
	}
	return actions
}

// surplus returns what takes a flow log of relight's own off a VPC where
// another one has been proven to do its work, one at most:
//
//	ours does not satisfy the policy, another is proven    ours goes
//	ours satisfies it, another that is not ours is proven  ours goes
//	ours has FAILED, whatever else                         it stays, with its finding
//	another satisfies and is not proven                    both stay
//
// Proven is one that satisfies the policy, that delivers, and that goes where
// relight can tell it is kept: to a log group of this account that exists and
// keeps it long enough, or to a type of destination that the configuration
// lists. A bucket that the configuration says nothing about may be anybody's,
// and must not put relight's own flow log out.
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
			reason := "relight's own, and needless: " + by.ID + " satisfies the policy and delivers"
			if weak != "" {
				reason = "relight's own, and it " + weak + ": " + by.ID + " satisfies the policy and delivers"
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

// noRoom returns the finding about a VPC whose slots are taken, one of them by
// a flow log of relight's own that no longer satisfies the policy; false where
// it is otherwise. To delete ours first would leave the VPC with less for a
// while, perhaps for good.
func noRoom(vpc VPC, reason string) (Finding, bool) {
	i := slices.IndexFunc(vpc.FlowLogs, func(fl FlowLog) bool { return fl.Ours })
	if len(vpc.FlowLogs) < catalog.FlowLogsPerVPC || i < 0 {
		return Finding{}, false
	}
	var others []string
	for _, fl := range vpc.FlowLogs {
		if fl.ID != vpc.FlowLogs[i].ID {
			others = append(others, fl.ID)
		}
	}
	slices.Sort(others)
	return Finding{
		Subject: vpc.ID,
		Problem: "no flow log satisfies the policy, and there is no room for another: " + reason,
		Remedy: fmt.Sprintf("Delete %s, which is not of any use to the policy: relight makes one that is, and takes its own %s away once that delivers.",
			strings.Join(others, " or "), vpc.FlowLogs[i].ID),
		Alert: true,
	}, true
}

// without returns flow logs but those that are to be deleted.
func without(logs []FlowLog, removals []Action) []FlowLog {
	return slices.DeleteFunc(slices.Clone(logs), func(fl FlowLog) bool {
		return slices.ContainsFunc(removals, func(a Action) bool { return a.Step().Target == fl.ID })
	})
}
