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
	Gone      []VPC               // that the scope names, or that flow logs of relight's stand on, and EC2 does not know
	LogGroups map[string]LogGroup // by name: those behind the flow logs, and relight's own if it exists
	Buckets   []string            // that flow logs deliver to; read where the scope is about buckets

	// What the delivery of relight's own hangs on; read only where one FAILED.
	Role *DeliveryRoleState
	Keys map[string]string // ARN of a log group's key to what is wrong with it; "" for nothing
}

// Kind returns the kind that the state is of.
func (*FlowLogState) Kind() catalog.Kind { return catalog.FlowLogs }

// A VPC is a virtual network and the flow logs on it.
type VPC struct {
	ID       string
	Owner    string // account ID
	Exempt   bool   // carries the tag that exempts it, where the policy knows one
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
	Ours          bool   // carries relight's tag
}

// Deliveries.
const (
	failed   = "FAILED"
	delivers = "SUCCESS"
)

// Failed reports whether EC2 says that it cannot deliver.
func (fl FlowLog) Failed() bool { return fl.Delivery == failed }

// CreateFlowLog puts a flow log on a VPC.
type CreateFlowLog struct {
	VPC    string
	Spec   catalog.FlowLogSpec
	Role   string // ARN of the role that delivers; "" where nothing is deployed
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
//	gone                      relight's own on it are deleted, should AWS leave any
//	exempt or shared          left alone, and said so; a finding where an event names one that a tag exempts
//	one that satisfies        nothing, but for the log group behind it
//	ours is there but FAILED  a finding: EC2 refuses its twin, and the cause is elsewhere
//	none that satisfies       one of ours beside what is there; a finding where ours has no room
//
// A look at everything also takes away what surplus says.
//
// The log group behind a flow log of ours has to be sound; those behind the
// owner's only where no other flow log of the VPC holds without them.
func (state *FlowLogState) plan(want catalog.Desired, got Observed) Plan {
	p := Plan{Touched: state.watched(want, got)}
	needed := map[string]bool{} // names of log groups that flow logs deliver to
	for _, vpc := range state.Gone {
		p.Actions = append(p.Actions, leftover(vpc)...)
		p.Skips = append(p.Skips, Skip{vpc.ID, "it is gone"})
	}
	for _, vpc := range state.VPCs {
		if reason := leaveAlone(want.FlowLogs, got.Account, vpc); reason != "" {
			p.Skips = append(p.Skips, Skip{vpc.ID, reason})
			if f, told := exempted(want.FlowLogs, got, vpc); told {
				p.Findings = append(p.Findings, f)
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
			p.Held++
		case broken:
			needed[want.FlowLogs.LogGroup] = true
		default:
			if f, full := noRoom(vpc, reason); full {
				p.Findings = append(p.Findings, f)
				continue
			}
			needed[want.FlowLogs.LogGroup] = true
			p.Actions = append(p.Actions, CreateFlowLog{VPC: vpc.ID, Spec: want.FlowLogs, Role: want.DeliveryRole, Tags: want.Tags, Reason: reason})
		}
	}
	for name := range needed {
		group, exists := state.LogGroups[name]
		p.touch(got, catalog.LogGroup, name)
		p.logGroup(want, got, logGroupWant{name, want.FlowLogs.RetentionDays, "flow logs"}, group, exists)
	}
	return p
}

// watched returns those of the buckets, keys and regions that the look was
// about which flow logs lean on. Nothing about them is relight's to mend.
func (state *FlowLogState) watched(want catalog.Desired, got Observed) []string {
	var touched []string
	for _, name := range got.Asked {
		if got.Type == catalog.Bucket && slices.Contains(state.Buckets, name) ||
			got.Type == catalog.Key && IsKey(name, want.KMSKeys[got.Region]) ||
			got.Type == catalog.Region { // what is enabled is to be held, whatever is there
			touched = append(touched, name)
		}
	}
	return touched
}

// leaveAlone returns why a VPC is none of relight's business, or "".
func leaveAlone(want catalog.FlowLogSpec, account string, vpc VPC) string {
	switch {
	case slices.Contains(want.ExemptVPCs, vpc.ID):
		return "exempt by configuration"
	case want.ExemptByTag && vpc.Exempt:
		return "exempt by its tag " + catalog.ExemptTag
	case vpc.Owner != "" && vpc.Owner != account:
		return "shared by account " + vpc.Owner + ", which alone can log it"
	}
	return ""
}

// exempted returns the finding about a VPC that a tag exempts and an event
// names: it was made with the tag, or given it, a moment ago. Sweeps only count
// it.
func exempted(want catalog.FlowLogSpec, got Observed, vpc VPC) (Finding, bool) {
	told := want.ExemptByTag && vpc.Exempt && got.Type == catalog.VPC && slices.Contains(got.Asked, vpc.ID) &&
		!slices.Contains(want.ExemptVPCs, vpc.ID)
	return Finding{
		Subject: vpc.ID,
		Problem: "its tag " + catalog.ExemptTag + " exempts it from having a flow log",
		Remedy: "If it should not be exempt, remove the tag: aws ec2 delete-tags --resources " + vpc.ID +
			" --tags Key=" + catalog.ExemptTag + ". The next sweep, or the event of that call, then covers it.",
		Alert: true,
	}, told
}

// unsatisfied returns why no flow log satisfies the policy, or "" if one
// does. It reports as broken a flow log that would satisfy it if only it
// delivered, where creating ours is refused as its duplicate: it goes to our
// log group, and is ours or records the same traffic.
func unsatisfied(want catalog.FlowLogSpec, logs []FlowLog) (reason string, broken bool) {
	var reasons []string
	for _, fl := range logs {
		why := satisfies(want, fl)
		if why == "" && fl.Delivery != failed {
			return "", false
		}
		if why == "" {
			why = "delivery failed"
			broken = broken || fl.LogGroup == want.LogGroup && (fl.Ours || fl.TrafficType == want.TrafficType)
		}
		reasons = append(reasons, fl.ID+" "+why)
	}
	if len(reasons) == 0 {
		return "none covers " + want.TrafficType, false
	}
	slices.Sort(reasons)
	return strings.Join(reasons, ", "), broken
}

// satisfies returns what a flow log lacks of the policy, its delivery aside,
// or "".
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
