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
	inOurs := with(ours, func(fl *plan.FlowLog) {
		fl.ID, fl.TrafficType, fl.Role, fl.Ours = "fl-1", catalog.TrafficAll, "arn:aws:iam::111122223333:role/theirs", false
	})
	theirs := with(inOurs, func(fl *plan.FlowLog) { fl.LogGroup = "owner-logs" })
	bucket := held // to S3
	young := func(fl plan.FlowLog) plan.FlowLog {
		return with(fl, func(fl *plan.FlowLog) { fl.Age = catalog.ProvenAfter - 1 })
	}
	unknown := func(fl plan.FlowLog) plan.FlowLog {
		return with(fl, func(fl *plan.FlowLog) { fl.Delivery = "" })
	}
	troubled := func(fl plan.FlowLog) plan.FlowLog {
		return with(fl, func(fl *plan.FlowLog) { fl.DeliveryError = "Rate limited" })
	}
	adopted := with(bucket, func(fl *plan.FlowLog) { fl.Where = "arn:aws:s3:::adopted" })
	all := func(fl *plan.FlowLog) { fl.ID, fl.TrafficType = "fl-8", catalog.TrafficAll }
	minute := func(s *catalog.FlowLogSpec) { s.Aggregation = 60 }
	aMinute := func(fl *plan.FlowLog) { fl.Aggregation = 60 }
	moved := func(fl *plan.FlowLog) { fl.LogGroup = "old-flow-logs" }
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
		"ours alone":                           {logs: []plan.FlowLog{ours}},
		"two of ours":                          {logs: []plan.FlowLog{ours, newer}},
		"weak, and a newer of ours":            {logs: []plan.FlowLog{weak, newer}, actions: []string{goes + "records only ACCEPT; " + byOurs}},
		"short, and a newer of ours":           {logs: []plan.FlowLog{short, newer}, actions: []string{goes + "does not record account-id; " + byOurs}},
		"weak, and a young one of ours":        {logs: []plan.FlowLog{weak, young(newer)}},
		"weak, and one of unknown delivery":    {logs: []plan.FlowLog{weak, unknown(newer)}},
		"weak, and a newer that fails":         {logs: []plan.FlowLog{weak, fails(newer)}},
		"weak, and a newer with an error":      {logs: []plan.FlowLog{weak, troubled(newer)}},
		"weak and failed, and a newer of ours": {logs: []plan.FlowLog{fails(weak), newer}, actions: []string{goes + "records only ACCEPT; " + byOurs}},
		"weak, and theirs in our group":        {logs: []plan.FlowLog{weak, inOurs}, actions: []string{goes + "records only ACCEPT; " + byTheirs}},
		"needless beside theirs in our group":  {logs: []plan.FlowLog{ours, inOurs}, actions: []string{goes + "no longer needed; " + byTheirs}},
		"needless beside theirs, in disorder":  {logs: []plan.FlowLog{inOurs, ours}, actions: []string{goes + "no longer needed; " + byTheirs}},
		"young, and theirs in our group":       {logs: []plan.FlowLog{young(ours), inOurs}, actions: []string{goes + "no longer needed; " + byTheirs}},
		"theirs in our group, young":           {logs: []plan.FlowLog{ours, young(inOurs)}},
		"theirs in our group, failing":         {logs: []plan.FlowLog{ours, fails(inOurs)}},
		"theirs in our group, with an error":   {logs: []plan.FlowLog{ours, troubled(inOurs)}},
		"ours failed, and theirs in our group": {logs: []plan.FlowLog{fails(ours), inOurs}},
		"theirs to a group that is kept":       {logs: []plan.FlowLog{ours, theirs}, days: 3653},
		"weak, and theirs to a kept group":     {logs: []plan.FlowLog{weak, theirs}, days: 3653},
		"theirs to a kept group, with a list":  {logs: []plan.FlowLog{ours, theirs}, days: 3653, config: func(s *catalog.FlowLogSpec) { s.Destinations = []string{catalog.ToCloudWatchLogs} }},
		"theirs to another account's group":    {logs: []plan.FlowLog{ours, with(theirs, func(fl *plan.FlowLog) { fl.LogGroup = "" })}},
		"theirs to a bucket":                   {logs: []plan.FlowLog{ours, bucket}},
		"weak, and theirs to a bucket":         {logs: []plan.FlowLog{weak, bucket}},
		"theirs to a bucket of a type that the configuration allows": {
			logs:   []plan.FlowLog{ours, bucket},
			config: func(s *catalog.FlowLogSpec) { s.Destinations = []string{catalog.ToCloudWatchLogs, catalog.ToS3} },
		},
		"theirs to an adopted bucket": {
			logs: []plan.FlowLog{ours, adopted}, actions: []string{goes + "no longer needed; " + byTheirs},
		},
		"theirs to an adopted bucket, young":   {logs: []plan.FlowLog{ours, young(adopted)}},
		"theirs to an adopted bucket, failing": {logs: []plan.FlowLog{ours, fails(adopted)}},

		// What relight created by an earlier configuration.
		"ours in the old group, and a new one": {
			logs: []plan.FlowLog{with(ours, moved), newer}, actions: []string{goes + "goes to old-flow-logs; " + byOurs},
		},
		"ours in the old group, failing, and a new one": {
			logs: []plan.FlowLog{fails(with(ours, moved)), newer}, actions: []string{goes + "fails to deliver; " + byOurs},
		},
		"ours in the old group, failing, and a young one": {logs: []plan.FlowLog{fails(with(ours, moved)), young(newer)}},
		"ours of ALL, and a new one": {
			logs: []plan.FlowLog{with(ours, func(fl *plan.FlowLog) { fl.TrafficType = catalog.TrafficAll }), newer}, actions: []string{goes + "records ALL; " + byOurs},
		},
		"ours of another interval, and one of ALL": {
			logs: []plan.FlowLog{ours, with(with(ours, all), aMinute)}, config: minute, actions: []string{goes + "aggregates over 600 seconds; " + byOurs},
		},
		"ours of another interval, and a young one of ALL":       {logs: []plan.FlowLog{ours, young(with(with(ours, all), aMinute))}, config: minute},
		"ours of ALL beside theirs in the way":                   {logs: []plan.FlowLog{with(ours, all), with(theirs, func(fl *plan.FlowLog) { fl.LogGroup, fl.TrafficType, fl.Format = ours.LogGroup, "REJECT", "${version}" })}},
		"ours in the old group, and a new one with another role": {logs: []plan.FlowLog{with(ours, moved), with(newer, func(fl *plan.FlowLog) { fl.Role = "arn:r" })}},
		"ours that fails with another role, and ours of ALL": {
			logs: []plan.FlowLog{fails(with(ours, func(fl *plan.FlowLog) { fl.Role = "arn:r" })), with(ours, all)}, actions: []string{goes + "fails to deliver; " + byOurs},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			want := policy(t)
			if tt.config != nil {
				tt.config(&want.FlowLogs)
			}
			got := flowLogs(want, vpcWith(tt.logs...))
			got.Adopted.Resources.FlowLogs = []string{"arn:aws:s3:::adopted"}
			got.State.(*plan.FlowLogState).LogGroups["relight-flow-logs"] = plan.LogGroup{Name: "relight-flow-logs", RetentionDays: 365}
			delete(got.State.(*plan.FlowLogState).LogGroups, "owner-logs")
			got.State.(*plan.FlowLogState).LogGroups["owner-logs"] = plan.LogGroup{Name: "owner-logs", RetentionDays: 365}
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
	got.State.(*plan.FlowLogState).Gone = []plan.Network{{ID: "vpc-3"}, {ID: "vpc-2", FlowLogs: []plan.FlowLog{held, ours}}}
	for _, about := range []catalog.ResourceType{"", catalog.VPC, catalog.LogGroup} {
		got.Type = about
		p := of(t, want, got)
		says(t, "actions", p.Actions, "delete flow-log fl-9 of vpc-2 (it is relight's own, and vpc-2 no longer exists)")
		says(t, "skips", p.Skips, "vpc-2: it does not exist", "vpc-3: it does not exist")
	}
	converges(t, want, got)
}
