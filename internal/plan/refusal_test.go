package plan_test

import (
	"strings"
	"testing"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/plan"
)

// A refused duplicate is a success only if the VPC has what was wanted.
func TestAfterDuplicate(t *testing.T) {
	narrow := with(ours, func(fl *plan.FlowLog) { fl.ID, fl.Format, fl.Ours = "fl-1", "${version}", false })
	all := func(fl *plan.FlowLog) { fl.ID, fl.TrafficType = "fl-8", catalog.TrafficAll }
	fails := func(fl *plan.FlowLog) { fl.Delivery = "FAILED" }
	const (
		done, unseen = "done", "unseen"
		inTheWay     = "Delete fl-1: aws ec2 delete-flow-logs --flow-log-ids fl-1. relight then creates a flow log of "
	)
	tests := map[string]struct {
		wanted  string // REJECT if ""
		tried   string // wanted if ""
		renews  bool
		minute  bool
		logs    []plan.FlowLog
		follows string // a traffic, or the remedy's beginning
	}{
		"one that satisfies the policy":          {logs: []plan.FlowLog{ours}, follows: done},
		"theirs that satisfies the policy":       {logs: []plan.FlowLog{held}, follows: done},
		"nothing yet":                            {follows: unseen},
		"another destination only":               {logs: []plan.FlowLog{with(narrow, func(fl *plan.FlowLog) { fl.LogGroup = "theirs" })}, follows: unseen},
		"a narrow one":                           {logs: []plan.FlowLog{narrow}, follows: catalog.TrafficAll},
		"one that fails":                         {logs: []plan.FlowLog{with(ours, fails)}, follows: catalog.TrafficAll},
		"a narrow one, with ALL refused too":     {logs: []plan.FlowLog{narrow}, tried: catalog.TrafficAll, follows: inTheWay + "REJECT"},
		"two narrow ones":                        {logs: []plan.FlowLog{narrow, with(narrow, all)}, follows: inTheWay + "REJECT"},
		"a narrow one of other traffic":          {logs: []plan.FlowLog{with(narrow, func(fl *plan.FlowLog) { fl.TrafficType = catalog.TrafficAccept })}, follows: catalog.TrafficAll},
		"one of other traffic, ALL refused too":  {logs: []plan.FlowLog{with(narrow, func(fl *plan.FlowLog) { fl.TrafficType = catalog.TrafficAccept })}, tried: catalog.TrafficAll, follows: inTheWay + "REJECT"},
		"ALL is wanted, a narrow one":            {wanted: catalog.TrafficAll, logs: []plan.FlowLog{with(narrow, func(fl *plan.FlowLog) { fl.TrafficType = catalog.TrafficAll })}, follows: inTheWay + "ALL"},
		"ALL is wanted, nothing yet":             {wanted: catalog.TrafficAll, follows: unseen},
		"a renewal, before it shows":             {renews: true, minute: true, logs: []plan.FlowLog{ours}, follows: catalog.TrafficAll},
		"a renewal that somebody made meanwhile": {renews: true, logs: []plan.FlowLog{ours}, follows: done},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			spec := policy(t).FlowLogs
			if tt.wanted != "" {
				spec.TrafficType = tt.wanted
			}
			if tt.minute {
				spec.Aggregation = 60
			}
			if tt.tried == "" {
				tt.tried = spec.TrafficType
			}
			way := plan.CreateFlowLog{On: "vpc-1", Spec: spec, Reason: "fl-1 does not record action", Renews: tt.renews}.AfterDuplicate(tt.tried, tt.logs)
			got := way.Traffic
			switch {
			case way.Done:
				got = done
			case way.Finding != nil:
				got = way.Finding.Remedy
				if !way.Finding.Alert || !strings.Contains(way.Finding.String(), "[flowlog-in-the-way] vpc-1: EC2 refuses relight's flow log as a duplicate of fl-1, which is not as the configuration says: fl-1 does not record action.") {
					t.Errorf("finding %+v", way.Finding)
				}
			case way.Traffic == "":
				got = unseen
			}
			if !strings.HasPrefix(got, tt.follows) {
				t.Errorf("%q follows, want %q", got, tt.follows)
			}
		})
	}
}

// What to delete is said from EC2's refusal, however many flow logs a VPC can have.
func TestAfterLimit(t *testing.T) {
	weak := with(ours, func(fl *plan.FlowLog) { fl.TrafficType = catalog.TrafficAccept })
	theirs := with(weak, func(fl *plan.FlowLog) { fl.ID, fl.Ours = "fl-1", false })
	theirsToo := with(theirs, func(fl *plan.FlowLog) { fl.ID = "fl-2" })
	tests := map[string]struct {
		logs   []plan.FlowLog
		renews bool
		remedy string // "" for no finding
	}{
		"two of theirs":             {logs: []plan.FlowLog{theirsToo, theirs}, remedy: "Delete fl-1 or fl-2. "},
		"ours and theirs":           {logs: []plan.FlowLog{weak, theirs}, remedy: "Delete fl-1. "},
		"three":                     {logs: []plan.FlowLog{weak, theirs, theirsToo}, remedy: "Delete fl-1 or fl-2. "},
		"ours alone":                {logs: []plan.FlowLog{weak}, remedy: "Delete fl-9. "},
		"a renewal":                 {logs: []plan.FlowLog{ours, theirs}, renews: true, remedy: "Delete fl-9. "},
		"nothing that EC2 shows us": {},
	}
	for name, tt := range tests {
		f := plan.CreateFlowLog{On: "vpc-1", Spec: policy(t).FlowLogs, Reason: "why", Renews: tt.renews}.AfterLimit(tt.logs)
		switch {
		case (f == nil) != (tt.remedy == ""):
			t.Errorf("%s: finding %v", name, f)
		case f != nil && (!f.Alert || !strings.HasPrefix(f.Remedy, tt.remedy) || f.Problem != "EC2 refuses relight's flow log, because there is no room for another: why"):
			t.Errorf("%s: %+v", name, f)
		}
	}
}
