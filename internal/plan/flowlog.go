package plan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/relight-aws/relight/internal/catalog"
)

// FlowLogState is what was observed of the VPCs in scope.
type FlowLogState struct {
	VPCs      []VPC
	Gone      []VPC               // named by the scope or by one of relight's flow logs, but not known to EC2
	LogGroups map[string]LogGroup // by name: those that flow logs deliver to, and relight's own if it exists
	Buckets   []string            // that flow logs deliver to; read if the scope is about buckets

	// What relight's own flow logs need to deliver; read only if one FAILED.
	Role *DeliveryRoleState
	Keys map[string]string // ARN of a log group's key to what is wrong with it; "" for nothing
}

// Kind returns the kind that the state is of.
func (*FlowLogState) Kind() catalog.Kind { return catalog.FlowLogs }

// A VPC is a virtual network and the flow logs on it.
type VPC struct {
	ID       string
	Owner    string // account ID
	Exempt   bool   // has the tag that exempts it, if the configuration allows such a tag
	FlowLogs []FlowLog
}

// A FlowLog is one VPC flow log, as EC2 describes it.
type FlowLog struct {
	ID            string
	Status        string // ACTIVE is the only documented value
	Delivery      string // DeliverLogsStatus: SUCCESS, FAILED, or "" before the first delivery
	DeliveryError string // Rate limited, Access error, Unknown error
	TrafficType   string
	Format        string
	Destination   string // destination type
	LogGroup      string // name; "" for other destinations
	Role          string // ARN of the role it delivers with; "" for none
	Ours          bool   // has relight's tag
}

// Deliveries.
const (
	failed   = "FAILED"
	delivers = "SUCCESS"
)

// Failed reports whether EC2 says that the flow log cannot deliver.
func (fl FlowLog) Failed() bool { return fl.Delivery == failed }

// CreateFlowLog puts a flow log on a VPC.
type CreateFlowLog struct {
	VPC    string
	Spec   catalog.FlowLogSpec
	Role   string // ARN of the role that delivers; "" if nothing is deployed
	Tags   map[string]string
	Reason string
}

// Step returns the action as a step of a plan.
func (a CreateFlowLog) Step() Step {
	return Step{Stage: protect, Do: fmt.Sprintf("create flow-log on %s to %s", a.VPC, a.Spec.LogGroup), Target: a.VPC, Reason: a.Reason}
}

// plan plans the flow logs of the observed VPCs and the log groups behind
// them:
//
//	the VPC does not exist                  relight's flow logs on it are deleted, if AWS left any
//	the VPC is exempt or shared             skipped; a finding if an event names a VPC that a tag exempts
//	a flow log satisfies the policy         healthy; only its log group is planned
//	relight's flow log FAILED               a finding: EC2 refuses a duplicate, and the cause is elsewhere
//	no flow log satisfies the policy        relight's flow log is created beside the others; a finding
//	                                        if there is no room for it
//
// An observation of everything also plans the removals that surplus returns.
//
// The log group of relight's own flow log always has to be healthy. That of any
// other flow log has to be only if the VPC has no other healthy one.
func (state *FlowLogState) plan(want catalog.Desired, got Observed) Plan {
	p := Plan{Touched: state.watched(want, got)}
	needed := map[string]bool{} // names of log groups that have to be healthy
	for _, vpc := range state.Gone {
		p.Actions = append(p.Actions, leftover(vpc)...)
		p.Skips = append(p.Skips, Skip{vpc.ID, "it does not exist"})
	}
	for _, vpc := range state.VPCs {
		if reason := skipped(want.FlowLogs, got.Account, vpc); reason != "" {
			p.Skips = append(p.Skips, Skip{vpc.ID, reason})
			if justExempted(want.FlowLogs, got, vpc) {
				p.find(VPCExemptByTag, Args{"vpc": vpc.ID, "tag": catalog.ExemptTag})
			}
			continue
		}
		if got.Type == "" {
			removals := surplus(want.FlowLogs, state.LogGroups, vpc)
			p.Actions = append(p.Actions, removals...)
			vpc.FlowLogs = without(vpc.FlowLogs, removals)
		}
		reason, broken := unsatisfied(want.FlowLogs, vpc.FlowLogs)
		sound := slices.ContainsFunc(vpc.FlowLogs, func(fl FlowLog) bool {
			group, exists := state.LogGroups[fl.LogGroup]
			return satisfies(want.FlowLogs, fl) == "" && fl.Delivery != failed &&
				(fl.LogGroup == "" || exists && keeps(group, want.FlowLogs.RetentionDays))
		})
		for _, fl := range vpc.FlowLogs {
			if fl.Delivery == failed {
				p.Findings = append(p.Findings, deliveryFailure(want, state, vpc, fl))
			}
			if fl.LogGroup != "" && satisfies(want.FlowLogs, fl) == "" && (fl.Ours || !sound) {
				needed[fl.LogGroup] = true
			}
		}
		switch {
		case reason == "":
			p.Healthy++
		case broken:
			needed[want.FlowLogs.LogGroup] = true
		default:
			if own, others := noRoom(vpc); own != "" {
				p.find(VPCFull, Args{"vpc": vpc.ID, "reason": reason, "own": own, "others": others})
				continue
			}
			needed[want.FlowLogs.LogGroup] = true
			p.Actions = append(p.Actions, CreateFlowLog{VPC: vpc.ID, Spec: want.FlowLogs, Role: want.DeliveryRole, Tags: want.Tags, Reason: reason})
		}
	}
	for name := range needed {
		group, exists := state.LogGroups[name]
		p.touch(got, catalog.LogGroup, name)
		p.logGroup(want, got, logGroupWant{name, want.FlowLogs.RetentionDays, byFlowLogs}, group, exists)
	}
	return p
}

// watched returns which of the buckets, keys and regions that were asked about
// flow logs depend on. relight changes none of them.
func (state *FlowLogState) watched(want catalog.Desired, got Observed) []string {
	var touched []string
	for _, name := range got.Asked {
		if got.Type == catalog.Bucket && slices.Contains(state.Buckets, name) ||
			got.Type == catalog.Key && IsKey(name, want.KMSKeys[got.Region]) ||
			got.Type == catalog.Region { // an enabled region is protected, even if it is empty
			touched = append(touched, name)
		}
	}
	return touched
}

// skipped returns why relight does not protect a VPC, or "".
func skipped(want catalog.FlowLogSpec, account string, vpc VPC) string {
	switch {
	case slices.Contains(want.ExemptVPCs, vpc.ID):
		return "exempt by configuration"
	case want.ExemptByTag && vpc.Exempt:
		return "exempt by its tag " + catalog.ExemptTag
	case vpc.Owner != "" && vpc.Owner != account:
		return "shared by account " + vpc.Owner + ", and only that account can log it"
	}
	return ""
}

// justExempted reports whether a tag exempts a VPC that an event names: the VPC
// was created with the tag, or tagged, a moment ago. Sweeps only skip it.
func justExempted(want catalog.FlowLogSpec, got Observed, vpc VPC) bool {
	return want.ExemptByTag && vpc.Exempt && got.Type == catalog.VPC && slices.Contains(got.Asked, vpc.ID) &&
		!slices.Contains(want.ExemptVPCs, vpc.ID)
}

// unsatisfied returns why no flow log satisfies the policy, or "" if one does.
// It reports as broken a flow log that fails to deliver, satisfies the policy
// otherwise, and keeps relight from creating its own: EC2 refuses that as a
// duplicate if both go to relight's log group, and the broken one is relight's
// own or records the same traffic.
func unsatisfied(want catalog.FlowLogSpec, logs []FlowLog) (reason string, broken bool) {
	var reasons []string
	for _, fl := range logs {
		why := satisfies(want, fl)
		if why == "" && fl.Delivery != failed {
			return "", false
		}
		if why == "" {
			why = "fails to deliver"
			broken = broken || fl.LogGroup == want.LogGroup && (fl.Ours || fl.TrafficType == want.TrafficType)
		}
		reasons = append(reasons, fl.ID+" "+why)
	}
	if len(reasons) == 0 {
		return "no flow log covers " + want.TrafficType, false
	}
	slices.Sort(reasons)
	return strings.Join(reasons, ", "), broken
}

// satisfies returns why a flow log does not satisfy the policy, or "". It does
// not consider whether the flow log delivers.
func satisfies(want catalog.FlowLogSpec, fl FlowLog) string {
	if fl.Status != "ACTIVE" {
		return "is " + fl.Status
	}
	if fl.TrafficType != want.TrafficType && fl.TrafficType != catalog.TrafficAll {
		return "records only " + fl.TrafficType
	}
	for _, field := range catalog.FormatFields(want.WantFormat()) {
		if !strings.Contains(fl.Format, "${"+field+"}") {
			return "does not record " + field
		}
	}
	if len(want.Destinations) > 0 && !slices.Contains(want.Destinations, fl.Destination) {
		return "goes to " + fl.Destination
	}
	return ""
}
