package audit

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/plan"
)

// anyFormat is a format without fields: no framework asks for one.
const anyFormat = "-"

// flowLogChecks returns a check for each VPC of a region.
func flowLogChecks(want catalog.Desired, got Observed, r Region, required map[string][]string) (checks []Check) {
	a := auditor{want: want, got: got}
	check := Check{Control: catalog.FlowLogsCheck, Title: "VPC flow logs", Requirements: required, Region: r.Name}
	if u := a.unread(FlowLog, r.Name, ""); u != nil {
		check.conclude([]Step{*u}, flowLogs)
		check.Remedy, check.Command = grant()
		return []Check{check}
	}
	vpcs := slices.Clone(r.VPCs)
	slices.SortFunc(vpcs, func(a, b plan.Network) int { return cmp.Compare(a.ID, b.ID) })
	for _, vpc := range vpcs {
		c := check
		c.Resource = vpc.ID
		switch {
		case vpc.Owner != "" && vpc.Owner != got.Account:
			c.Status, c.Problem = NotApplicable, "the VPC is of account "+vpc.Owner+", which shares it"
		case slices.Contains(want.FlowLogs.ExemptVPCs, vpc.ID):
			c.Status, c.Problem = NotApplicable, "the configuration exempts the VPC"
		case want.FlowLogs.ExemptByTag && vpc.Exempt:
			c.Status, c.Problem = NotApplicable, "the tag "+catalog.ExemptTag+" exempts the VPC"
		default:
			c.conclude(a.flowLog(r, vpc), flowLogs)
			if c.Broken != "" {
				c.Remedy, c.Command = flowLogRemedy(want, r.Name, vpc, c)
			}
		}
		checks = append(checks, c)
	}
	return checks
}

// flowLog returns the chain of the VPC's flow log that comes farthest.
func (a auditor) flowLog(r Region, vpc plan.Network) (best []Step) {
	spec := catalog.FlowLogSpec{TrafficType: catalog.TrafficReject, Format: anyFormat}
	var weak []string
	for _, fl := range vpc.FlowLogs {
		if why := plan.Satisfies(spec, fl); why != "" {
			weak = append(weak, fl.ID+" "+why)
			continue
		}
		if steps := a.flowLogSteps(r, fl); best == nil || reached(steps) > reached(best) {
			best = steps
		}
	}
	if best != nil {
		return best
	}
	problem := "the VPC has no flow log"
	if len(weak) > 0 {
		slices.Sort(weak)
		problem = fmt.Sprintf("no flow log of the VPC records rejected traffic: %v", weak)
	}
	return []Step{{Link: FlowLog, Status: Fail, Resource: vpc.ID, Problem: problem}}
}

func (a auditor) flowLogSteps(r Region, fl plan.FlowLog) []Step {
	evidence := map[string]string{
		"FlowLogStatus": fl.Status, "TrafficType": fl.TrafficType, "LogDestinationType": fl.Destination, "LogDestination": cmp.Or(fl.Where, fl.LogGroup),
	}
	steps := []Step{{Link: FlowLog, Status: Pass, Resource: fl.ID, Evidence: evidence}}
	where := Step{Link: Destination, Status: Pass, Resource: cmp.Or(fl.LogGroup, fl.Where)}
	group, exists := r.LogGroups[fl.LogGroup]
	switch u := a.unread(Destination, r.Name, ""); {
	case fl.LogGroup == "":
	case u != nil:
		u.Resource = fl.LogGroup
		return append(steps, *u)
	case !exists:
		where.Status, where.Problem = Fail, "log group "+fl.LogGroup+" does not exist"
		return append(steps, where)
	}
	steps = append(steps, where)
	delivery := Step{Link: Delivery, Status: Pass, Resource: fl.ID, Evidence: map[string]string{"DeliverLogsStatus": fl.Delivery}}
	if fl.Failed() {
		delivery.Status, delivery.Problem = Fail, "flow log "+fl.ID+" cannot deliver: "+cmp.Or(fl.DeliveryError, fl.Delivery)
		return append(steps, delivery)
	}
	steps = append(steps, delivery)
	keep := Step{Link: Retention, Status: Pass, Resource: where.Resource}
	switch days := a.want.FlowLogs.RetentionDays; {
	case fl.LogGroup == "": // a bucket's or a stream's own affair
	case group.RetentionDays == 0:
		keep.Evidence = map[string]string{"retentionInDays": "never expire"}
	default:
		keep.Evidence = map[string]string{"retentionInDays": strconv.Itoa(int(group.RetentionDays))}
		if group.RetentionDays < days {
			keep.Status, keep.Problem = Fail, fmt.Sprintf("log group %s keeps its records for %d days, not %d", fl.LogGroup, group.RetentionDays, days)
		}
	}
	return append(steps, keep)
}
