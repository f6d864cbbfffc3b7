package plan_test

import (
	"testing"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/plan"
)

func TestSurplus(t *testing.T) {
	weak := with(ours, func(fl *plan.FlowLog) { fl.TrafficType = catalog.TrafficAccept })
	short := with(ours, func(fl *plan.FlowLog) { fl.Format = "${version}" })
	newer := with(ours, func(fl *plan.FlowLog) { fl.ID = "fl-8" })
	theirs := with(ours, func(fl *plan.FlowLog) { fl.ID, fl.LogGroup, fl.Ours = "fl-1", "owner-logs", false })
	bucket := held // to S3
	pending := func(fl plan.FlowLog) plan.FlowLog {
		return with(fl, func(fl *plan.FlowLog) { fl.Delivery = "" })
	}
	fails := func(fl plan.FlowLog) plan.FlowLog {
		return with(fl, func(fl *plan.FlowLog) { fl.Delivery, fl.DeliveryError = "FAILED", "Access error" })
	}
	const (
		byOurs   = "fl-8 satisfies the policy and delivers)"
		byTheirs = "fl-1 satisfies the policy and delivers)"
		goes     = "delete flow-log fl-9 of vpc-1 (it is relight's own and "
	)
	tests := map[string]struct {
		logs    []plan.FlowLog
		config  func(*catalog.FlowLogSpec)
		days    int32 // retention of the owner's group; 0 for none such
		actions []string
	}{
		"ours alone":                            {logs: []plan.FlowLog{ours}},
		"two of ours":                           {logs: []plan.FlowLog{ours, newer}},
		"weak, and a newer of ours":             {logs: []plan.FlowLog{weak, newer}, actions: []string{goes + "records only ACCEPT; " + byOurs}},
		"short, and a newer of ours":            {logs: []plan.FlowLog{short, newer}, actions: []string{goes + "does not record account-id; " + byOurs}},
		"weak, and a newer that has not yet":    {logs: []plan.FlowLog{weak, pending(newer)}},
		"weak, and a newer that fails":          {logs: []plan.FlowLog{weak, fails(newer)}},
		"weak and failed, and a newer of ours":  {logs: []plan.FlowLog{fails(weak), newer}},
		"weak, and theirs":                      {logs: []plan.FlowLog{weak, theirs}, days: 365, actions: []string{goes + "records only ACCEPT; " + byTheirs}},
		"needless beside theirs":                {logs: []plan.FlowLog{ours, theirs}, days: 365, actions: []string{goes + "no longer needed: " + byTheirs}},
		"needless beside theirs, in disorder":   {logs: []plan.FlowLog{theirs, ours}, days: 365, actions: []string{goes + "no longer needed: " + byTheirs}},
		"before it delivers, and theirs":        {logs: []plan.FlowLog{pending(ours), theirs}, days: 365, actions: []string{goes + "no longer needed: " + byTheirs}},
		"ours failed, and theirs":               {logs: []plan.FlowLog{fails(ours), theirs}, days: 365},
		"theirs before it delivers":             {logs: []plan.FlowLog{ours, pending(theirs)}, days: 365},
		"theirs that fails":                     {logs: []plan.FlowLog{ours, fails(theirs)}, days: 365},
		"theirs to a group that is kept a week": {logs: []plan.FlowLog{ours, theirs}, days: 7},
		"theirs to a group that is not there":   {logs: []plan.FlowLog{ours, theirs}},
		"theirs to another account's group":     {logs: []plan.FlowLog{ours, with(theirs, func(fl *plan.FlowLog) { fl.LogGroup = "" })}},
		"theirs to a bucket":                    {logs: []plan.FlowLog{ours, bucket}},
		"weak, and theirs to a bucket":          {logs: []plan.FlowLog{weak, bucket}},
		"theirs to a bucket, allowed by the configuration": {
			logs:    []plan.FlowLog{ours, bucket},
			config:  func(s *catalog.FlowLogSpec) { s.Destinations = []string{catalog.ToCloudWatchLogs, catalog.ToS3} },
			actions: []string{goes + "no longer needed: " + byTheirs},
		},
		"one that carries our tag and goes to a bucket": {
			logs: []plan.FlowLog{weak, with(bucket, func(fl *plan.FlowLog) { fl.Ours = true })},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			want := policy(t)
			if tt.config != nil {
				tt.config(&want.FlowLogs)
			}
			got := flowLogs(want, vpcWith(tt.logs...))
			got.State.(*plan.FlowLogState).LogGroups["relight-flow-logs"] = plan.LogGroup{Name: "relight-flow-logs", RetentionDays: 365}
			delete(got.State.(*plan.FlowLogState).LogGroups, "owner-logs")
			if tt.days > 0 {
				got.State.(*plan.FlowLogState).LogGroups["owner-logs"] = plan.LogGroup{Name: "owner-logs", RetentionDays: tt.days}
			}
			says(t, "actions", of(t, want, got).Actions, tt.actions...)
			converges(t, want, got)

			got.Type = catalog.VPC
			says(t, "actions of an event's run", of(t, want, got).Actions)
		})
	}
}

// What stands on a VPC that is gone goes, if it is ours.
func TestLeftover(t *testing.T) {
	want := policy(t)
	got := flowLogs(want)
	got.State.(*plan.FlowLogState).Gone = []plan.VPC{{ID: "vpc-3"}, {ID: "vpc-2", FlowLogs: []plan.FlowLog{held, ours}}}
	for _, about := range []catalog.ResourceType{"", catalog.VPC, catalog.LogGroup} {
		got.Type = about
		p := of(t, want, got)
		says(t, "actions", p.Actions, "delete flow-log fl-9 of vpc-2 (it is relight's own, and the VPC no longer exists)")
		says(t, "skips", p.Skips, "vpc-2: it does not exist", "vpc-3: it does not exist")
	}
	converges(t, want, got)
}

func TestNoRoom(t *testing.T) {
	want := policy(t)
	want.FlowLogs.TrafficType = catalog.TrafficAll
	theirs := logOf(func(fl *plan.FlowLog) { fl.TrafficType = catalog.TrafficAccept })
	got := flowLogs(want, vpcWith(ours, theirs))
	p := of(t, want, got)
	says(t, "actions", p.Actions)
	says(t, "findings", p.Findings, "[vpc-full] vpc-1: no flow log satisfies the policy, and there is no room for another: "+
		"fl-1 records only ACCEPT, fl-9 records only REJECT. Delete fl-1, which does not satisfy the policy. "+
		"relight then creates a flow log that does, and removes its own fl-9 once the new one delivers.")
	if p.Healthy != 0 || !p.Findings[0].Alert {
		t.Errorf("%d held, told at once: %t", p.Healthy, p.Findings[0].Alert)
	}
	alone := of(t, want, flowLogs(want, vpcWith(theirs, with(theirs, func(fl *plan.FlowLog) { fl.ID = "fl-2" }))))
	if len(alone.Findings) != 0 || len(alone.Actions) != 2 {
		t.Errorf("without one of ours: actions %v, findings %v; want the attempt, which EC2 refuses", alone.Actions, alone.Findings)
	}
}
