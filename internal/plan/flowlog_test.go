package plan_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/plan"
)

// held is a flow log that satisfies the default policy, at a destination that
// needs no log group.
var held = plan.FlowLog{
	ID: "fl-1", Status: "ACTIVE", Age: catalog.ProvenAfter, Delivery: "SUCCESS", TrafficType: catalog.TrafficReject,
	Format: catalog.DefaultFlowLogFormat, Destination: catalog.ToS3,
}

// ours is the flow log that relight creates.
var ours = with(held, func(fl *plan.FlowLog) {
	fl.ID, fl.Destination, fl.LogGroup, fl.Role, fl.Ours = "fl-9", catalog.ToCloudWatchLogs, "relight-flow-logs", role, true
})

// with returns a copy of v, changed.
func with[T any](v T, change func(*T)) T {
	change(&v)
	return v
}

func logOf(change func(*plan.FlowLog)) plan.FlowLog { return with(held, change) }

func vpcWith(logs ...plan.FlowLog) plan.Network {
	return plan.Network{ID: "vpc-1", Owner: account, FlowLogs: logs}
}

func TestFlowLogsSatisfy(t *testing.T) {
	shuffled := strings.Fields(catalog.DefaultFlowLogFormat)
	shuffled[0], shuffled[13] = shuffled[13], shuffled[0]
	tests := map[string]struct {
		want   func(*catalog.FlowLogSpec)
		log    plan.FlowLog
		reason string // of the flow log created; "" if none is
	}{
		"as wanted":                  {log: held},
		"ALL covers REJECT":          {log: logOf(func(fl *plan.FlowLog) { fl.TrafficType = catalog.TrafficAll })},
		"ACCEPT does not":            {log: logOf(func(fl *plan.FlowLog) { fl.TrafficType = catalog.TrafficAccept }), reason: "fl-1 records only ACCEPT"},
		"REJECT does not cover ALL":  {want: func(s *catalog.FlowLogSpec) { s.TrafficType = catalog.TrafficAll }, log: held, reason: "fl-1 records only REJECT"},
		"not active":                 {log: logOf(func(fl *plan.FlowLog) { fl.Status = "CREATING" }), reason: "fl-1 is CREATING"},
		"before its first delivery":  {log: logOf(func(fl *plan.FlowLog) { fl.Delivery = "" })},
		"delivery failed":            {log: logOf(func(fl *plan.FlowLog) { fl.Delivery = "FAILED" }), reason: "fl-1 fails to deliver"},
		"more fields than wanted":    {log: logOf(func(fl *plan.FlowLog) { fl.Format += " ${vpc-id}" })},
		"fields in another order":    {log: logOf(func(fl *plan.FlowLog) { fl.Format = strings.Join(shuffled, " ") })},
		"a field short":              {log: logOf(func(fl *plan.FlowLog) { fl.Format = strings.Replace(fl.Format, " ${action}", "", 1) }), reason: "fl-1 does not record action"},
		"a field of the policy's":    {want: func(s *catalog.FlowLogSpec) { s.Format = "${flow-direction}" }, log: held, reason: "fl-1 does not record flow-direction"},
		"any destination":            {log: logOf(func(fl *plan.FlowLog) { fl.Destination = catalog.ToFirehose })},
		"a destination not allowed":  {want: func(s *catalog.FlowLogSpec) { s.Destinations = []string{catalog.ToCloudWatchLogs} }, log: held, reason: "fl-1 goes to s3"},
		"one of those allowed":       {want: func(s *catalog.FlowLogSpec) { s.Destinations = []string{catalog.ToCloudWatchLogs, catalog.ToS3} }, log: held},
		"longer aggregation is fine": {want: func(s *catalog.FlowLogSpec) { s.Aggregation = 60 }, log: held},
		"an error without a status":  {log: logOf(func(fl *plan.FlowLog) { fl.Delivery, fl.DeliveryError = "", "Access error" }), reason: "fl-1 fails to deliver"},
		"an error beside a success":  {log: logOf(func(fl *plan.FlowLog) { fl.DeliveryError = "Access error" }), reason: "fl-1 fails to deliver"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			want := policy(t)
			if tt.want != nil {
				tt.want(&want.FlowLogs)
			}
			got := flowLogs(want, vpcWith(tt.log))
			p := of(t, want, got)
			if tt.reason == "" {
				says(t, "actions", p.Actions)
			} else {
				says(t, "actions", p.Actions,
					"create log-group relight-flow-logs with 365 days of retention (it does not exist; flow logs need it)",
					"create flow-log on vpc-1 to relight-flow-logs ("+tt.reason+")")
			}
			if wantHeld := map[bool]int{true: 1, false: 0}[tt.reason == ""]; p.Healthy != wantHeld {
				t.Errorf("%d held, want %d", p.Healthy, wantHeld)
			}
			converges(t, want, got)
		})
	}
}

// Why none of several satisfies is said in one order.
func TestFlowLogsSaySeveralReasons(t *testing.T) {
	want := policy(t)
	a := logOf(func(fl *plan.FlowLog) { fl.ID, fl.TrafficType = "fl-a", catalog.TrafficAccept })
	b := logOf(func(fl *plan.FlowLog) { fl.ID, fl.Delivery = "fl-b", "FAILED" })
	for _, logs := range [][]plan.FlowLog{{a, b}, {b, a}} {
		says(t, "actions", of(t, want, flowLogs(want, vpcWith(logs...))).Actions[1:],
			"create flow-log on vpc-1 to relight-flow-logs (fl-a records only ACCEPT, fl-b fails to deliver)")
	}
}

func TestFlowLogsOfNone(t *testing.T) {
	want := policy(t)
	got := flowLogs(want, vpcWith())
	p := of(t, want, got)
	says(t, "actions", p.Actions,
		"create log-group relight-flow-logs with 365 days of retention (it does not exist; flow logs need it)",
		"create flow-log on vpc-1 to relight-flow-logs (no flow log covers REJECT)")
	create := p.Actions[1].(plan.CreateFlowLog)
	if create.Role != role || create.Tags[catalog.OwnerTag] != "relight" {
		t.Errorf("created with role %q and tags %v", create.Role, create.Tags)
	}
	converges(t, want, got)
}

func TestFlowLogsLeftAlone(t *testing.T) {
	want := policy(t)
	want.FlowLogs.ExemptVPCs = []string{"vpc-2"}
	got := flowLogs(want,
		plan.Network{ID: "vpc-2", Owner: account},
		plan.Network{ID: "vpc-3", Owner: other},
		plan.Network{ID: "vpc-2b", FlowLogs: []plan.FlowLog{held}}, // an owner EC2 does not tell is this account
	)
	got.State.(*plan.FlowLogState).Gone = []plan.Network{{ID: "vpc-4"}}
	p := of(t, want, got)
	says(t, "actions", p.Actions)
	says(t, "skips", p.Skips,
		"vpc-2: exempt by configuration",
		"vpc-3: shared by account 444455556666, and only that account can log it",
		"vpc-4: it does not exist")
	if p.Healthy != 1 {
		t.Errorf("%d held, want the one VPC that was judged", p.Healthy)
	}
}

// A flow log that EC2 calls ACTIVE and that delivers nothing is told of, and
// ours is made beside it where EC2 takes it.
func TestFlowLogsThatFail(t *testing.T) {
	fail := func(fl *plan.FlowLog) { fl.Delivery, fl.DeliveryError = "FAILED", "Access error" }
	const theirs = "[flowlog-to-s3-failed] flow log fl-1 of vpc-1: its delivery is FAILED (Access error). " +
		"Check its bucket, the bucket's policy, which must admit delivery.logs.amazonaws.com, and the bucket's key."
	const inGroup = "[flowlog-failed] flow log fl-9 of vpc-1: its delivery is FAILED (Access error). Check, in this order: its role " + role + " " +
		"(it must exist, trust vpc-flow-logs.amazonaws.com and be allowed to write there), the log group relight-flow-logs, and the group's key."
	tests := map[string]struct {
		logs     []plan.FlowLog
		actions  []string
		findings []string
	}{
		"the owner's alone": {
			logs:     []plan.FlowLog{with(held, fail)},
			actions:  []string{"create log-group relight-flow-logs with 365 days of retention (it does not exist; flow logs need it)", "create flow-log on vpc-1 to relight-flow-logs (fl-1 fails to deliver)"},
			findings: []string{theirs},
		},
		"the owner's beside one that holds": {
			logs:     []plan.FlowLog{with(held, fail), with(held, func(fl *plan.FlowLog) { fl.ID = "fl-2" })},
			findings: []string{theirs},
		},
		"ours": {
			logs:     []plan.FlowLog{with(ours, fail)},
			findings: []string{inGroup},
		},
		"ours that has lost its tag": {
			logs:     []plan.FlowLog{with(ours, func(fl *plan.FlowLog) { fail(fl); fl.Ours = false })},
			findings: []string{inGroup},
		},
		"ours, with an earlier deployment's role": { // EC2 refuses a duplicate, and accepts one that records ALL
			logs:    []plan.FlowLog{with(ours, func(fl *plan.FlowLog) { fail(fl); fl.Role = "arn:r" })},
			actions: []string{"create flow-log on vpc-1 to relight-flow-logs (fl-9 fails to deliver)"},
			findings: []string{"[flowlog-role-foreign] flow log fl-9 of vpc-1: its delivery is FAILED (Access error): it delivers with arn:r, which is not this deployment's role. " +
				"Delete it, or wait: relight deletes it once a flow log of its own has delivered for an hour."},
		},
		"theirs in our log group, with a role that may not": {
			logs:     []plan.FlowLog{with(ours, func(fl *plan.FlowLog) { fail(fl); fl.Role, fl.Ours = "arn:r", false })},
			actions:  []string{"create flow-log on vpc-1 to relight-flow-logs (fl-9 fails to deliver)"},
			findings: []string{strings.Replace(inGroup, role, "arn:r", 1)},
		},
		"the owner's, with an error message only": {
			logs: []plan.FlowLog{with(held, func(fl *plan.FlowLog) { fl.DeliveryError = "Access error" })},
			actions: []string{
				"create log-group relight-flow-logs with 365 days of retention (it does not exist; flow logs need it)",
				"create flow-log on vpc-1 to relight-flow-logs (fl-1 fails to deliver)",
			},
			findings: []string{strings.Replace(theirs, "FAILED", "SUCCESS", 1)},
		},
		"the owner's in our log group, of more traffic": {
			logs: []plan.FlowLog{with(ours, func(fl *plan.FlowLog) {
				fail(fl)
				fl.Ours, fl.TrafficType = false, catalog.TrafficAll
			})},
			actions:  []string{"create flow-log on vpc-1 to relight-flow-logs (fl-9 fails to deliver)"},
			findings: []string{inGroup},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			want := policy(t)
			got := flowLogs(want, vpcWith(tt.logs...))
			p := of(t, want, got)
			says(t, "actions", p.Actions, tt.actions...)
			says(t, "findings", p.Findings, tt.findings...)
			converges(t, want, got)
		})
	}
}

func TestDeliveryFailureSaysWhatToDo(t *testing.T) {
	tests := map[string]string{
		"Access error":  "FAILED (Access error). Check its bucket",
		"Rate limited":  "FAILED (Rate limited). Ask for a higher CloudWatch Logs quota",
		"Unknown error": "FAILED (Unknown error). Check its bucket",
		"":              "FAILED. Check its bucket",
	}
	for message, want := range tests {
		got := flowLogs(policy(t), vpcWith(logOf(func(fl *plan.FlowLog) { fl.Delivery, fl.DeliveryError = "FAILED", message })))
		p := of(t, policy(t), got)
		if len(p.Findings) != 1 || !strings.Contains(p.Findings[0].String(), want) {
			t.Errorf("%q: findings %v, want %s", message, p.Findings, want)
		}
	}
}

// The log group behind a flow log is part of it, as far as the flow log is
// needed.
func TestFlowLogGroups(t *testing.T) {
	theirs := with(ours, func(fl *plan.FlowLog) { fl.ID, fl.LogGroup, fl.Ours = "fl-2", "owner-logs", false })
	const gone = -1
	tests := map[string]struct {
		logs      []plan.FlowLog
		retention map[string]int32 // by log group; gone for none
		actions   []string
	}{
		"kept for ever":                         {logs: []plan.FlowLog{ours}, retention: map[string]int32{"relight-flow-logs": 0}},
		"kept longer":                           {logs: []plan.FlowLog{ours}, retention: map[string]int32{"relight-flow-logs": 3653}},
		"kept as long":                          {logs: []plan.FlowLog{ours}, retention: map[string]int32{"relight-flow-logs": 365}},
		"kept shorter":                          {logs: []plan.FlowLog{ours}, retention: map[string]int32{"relight-flow-logs": 7}, actions: []string{"raise retention of log-group relight-flow-logs to 365 days (it keeps logs for 7 days; flow logs need 365)"}},
		"missing":                               {logs: []plan.FlowLog{ours}, retention: map[string]int32{"relight-flow-logs": gone}, actions: []string{"create log-group relight-flow-logs with 365 days of retention (it does not exist; flow logs need it)"}},
		"the owner's shorter":                   {logs: []plan.FlowLog{theirs}, retention: map[string]int32{"owner-logs": 7}, actions: []string{"raise retention of log-group owner-logs to 365 days (it keeps logs for 7 days; flow logs need 365)"}},
		"the owner's missing":                   {logs: []plan.FlowLog{theirs}, retention: map[string]int32{"owner-logs": gone}, actions: []string{"create log-group owner-logs with 365 days of retention (it does not exist; flow logs need it)"}},
		"the owner's shorter, beside one at S3": {logs: []plan.FlowLog{theirs, held}, retention: map[string]int32{"owner-logs": 7}},
		"the owner's shorter, beside ours":      {logs: []plan.FlowLog{theirs, ours}, retention: map[string]int32{"owner-logs": 7}},
		"the owner's shorter, beside one that fails": {
			logs:      []plan.FlowLog{theirs, logOf(func(fl *plan.FlowLog) { fl.Delivery = "FAILED" })},
			retention: map[string]int32{"owner-logs": 7},
			actions:   []string{"raise retention of log-group owner-logs to 365 days (it keeps logs for 7 days; flow logs need 365)"},
		},
		"ours shorter, beside one at S3": {logs: []plan.FlowLog{ours, held}, retention: map[string]int32{"relight-flow-logs": 7}, actions: []string{
			"raise retention of log-group relight-flow-logs to 365 days (it keeps logs for 7 days; flow logs need 365)",
		}},
		"of a flow log that satisfies nothing": {
			logs:      []plan.FlowLog{with(theirs, func(fl *plan.FlowLog) { fl.TrafficType = catalog.TrafficAccept })},
			retention: map[string]int32{"owner-logs": 7, "relight-flow-logs": 365},
			actions:   []string{"create flow-log on vpc-1 to relight-flow-logs (fl-2 records only ACCEPT)"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			want := policy(t)
			got := flowLogs(want, vpcWith(tt.logs...))
			for name, days := range tt.retention {
				got.State.(*plan.FlowLogState).LogGroups[name] = plan.LogGroup{Name: name, RetentionDays: days}
				if days == gone {
					delete(got.State.(*plan.FlowLogState).LogGroups, name)
				}
			}
			says(t, "actions", of(t, want, got).Actions, tt.actions...)
			converges(t, want, got)
		})
	}
}

// A tag exempts only where the policy allows it, and people are told where an
// event names the VPC.
func TestExemptByTag(t *testing.T) {
	const finding = "[vpc-exempt-by-tag] vpc-1: its tag relight:exempt exempts it from having a flow log. If it should not be exempt, remove the tag: " +
		"aws ec2 delete-tags --resources vpc-1 --tags Key=relight:exempt. The event of that call, or else the next sweep, restores its flow log."
	tests := []struct {
		name    string
		allowed bool
		tagged  bool
		listed  bool
		of      catalog.ResourceType
		asked   []string
		skip    string
		told    bool
	}{
		{name: "a sweep", allowed: true, tagged: true, skip: "vpc-1: exempt by its tag relight:exempt"},
		{name: "an event about it", allowed: true, tagged: true, of: catalog.VPC, asked: []string{"vpc-1"}, skip: "vpc-1: exempt by its tag relight:exempt", told: true},
		{name: "an event about all", allowed: true, tagged: true, of: catalog.VPC, skip: "vpc-1: exempt by its tag relight:exempt"},
		{name: "an event about its group", allowed: true, tagged: true, of: catalog.LogGroup, asked: []string{"vpc-1"}, skip: "vpc-1: exempt by its tag relight:exempt"},
		{name: "exempt by configuration too", allowed: true, tagged: true, listed: true, of: catalog.VPC, asked: []string{"vpc-1"}, skip: "vpc-1: exempt by configuration"},
		{name: "not allowed", tagged: true, of: catalog.VPC, asked: []string{"vpc-1"}},
		{name: "not tagged", allowed: true, of: catalog.VPC, asked: []string{"vpc-1"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			want := policy(t)
			want.FlowLogs.ExemptByTag = tt.allowed
			if tt.listed {
				want.FlowLogs.ExemptVPCs = []string{"vpc-1"}
			}
			got := flowLogs(want, plan.Network{ID: "vpc-1", Owner: account, Exempt: tt.tagged})
			got.Type, got.Asked = tt.of, tt.asked
			p := of(t, want, got)
			var skips, findings []string
			if tt.skip != "" {
				skips = []string{tt.skip}
			}
			if tt.told {
				findings = []string{finding}
			}
			says(t, "skips", p.Skips, skips...)
			says(t, "findings", p.Findings, findings...)
			if made := len(p.Actions) > 0; made != (tt.skip == "") {
				t.Errorf("actions %v with skips %v", p.Actions, p.Skips)
			}
		})
	}
}

// Buckets, keys and regions are only watched: a plan says which of those an
// event named a flow log leans on, and nothing else.
func TestFlowLogsWatch(t *testing.T) {
	const id, arn = "1234abcd-12ab-34cd-56ef-1234567890ab", "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
	tests := []struct {
		of      catalog.ResourceType
		asked   []string
		touched []string
	}{
		{catalog.Bucket, []string{"checkout-assets", "logs"}, []string{"logs"}},
		{catalog.Bucket, nil, nil},
		{catalog.Key, []string{id}, []string{id}},
		{catalog.Key, []string{arn}, []string{arn}},
		{catalog.Key, []string{"90ab", "alias/logs", "arn:aws:kms:eu-west-1:111122223333:key/" + id}, nil},
		{catalog.Region, []string{"af-south-1"}, []string{"af-south-1"}},
		{catalog.VPC, []string{"vpc-1"}, nil},
		{catalog.LogGroup, []string{"logs"}, nil},
	}
	for _, tt := range tests {
		want := policy(t)
		want.KMSKeys = map[string]string{region: arn, "eu-west-1": "arn:aws:kms:eu-west-1:111122223333:key/other"}
		got := flowLogs(want)
		got.Type, got.Asked, got.State.(*plan.FlowLogState).Buckets = tt.of, tt.asked, []string{"logs", "more-logs"}
		p := of(t, want, got)
		if diff := cmp.Diff(tt.touched, p.Touched); diff != "" {
			t.Errorf("%s %v: touched (-want +got):\n%s", tt.of, tt.asked, diff)
		}
		if len(p.Actions)+len(p.Findings)+len(p.Skips) > 0 {
			t.Errorf("%s %v: %+v, want nothing to do", tt.of, tt.asked, p)
		}
		want.KMSKeys = nil
		if p := of(t, want, got); tt.of == catalog.Key && len(p.Touched) > 0 {
			t.Errorf("without keys of its own: touched %v", p.Touched)
		}
	}
}

func BenchmarkFlowLogs(b *testing.B) {
	for _, n := range []int{1, 1000} {
		b.Run(fmt.Sprintf("vpcs=%d", n), func(b *testing.B) {
			want := policy(b)
			vpcs := make([]plan.Network, n)
			for i := range vpcs {
				vpcs[i] = plan.Network{ID: fmt.Sprintf("vpc-%04x", i), Owner: account}
				if i%2 == 1 {
					vpcs[i].FlowLogs = []plan.FlowLog{ours}
				}
			}
			got := flowLogs(want, vpcs...)
			for b.Loop() {
				if _, err := plan.Of(got.State.Kind(), want, got); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// relight's own flow log is what the configuration says, once EC2 accepts it: the
// old one stays until the new one has proven itself.
func TestRenewal(t *testing.T) {
	all := with(ours, func(fl *plan.FlowLog) { fl.ID, fl.TrafficType = "fl-8", catalog.TrafficAll })
	moved := with(ours, func(fl *plan.FlowLog) { fl.LogGroup = "old-flow-logs" })
	minute := func(s *catalog.FlowLogSpec) { s.Aggregation = 60 }
	const create = "create flow-log on vpc-1 to relight-flow-logs (fl-9 is relight's own and "
	tests := map[string]struct {
		logs   []plan.FlowLog
		config func(*catalog.FlowLogSpec)
		action string // "" for none
	}{
		"as configured":                      {logs: []plan.FlowLog{ours}},
		"another interval":                   {logs: []plan.FlowLog{ours}, config: minute, action: create + "aggregates over 600 seconds)"},
		"another interval, of theirs":        {logs: []plan.FlowLog{with(ours, func(fl *plan.FlowLog) { fl.Ours = false })}, config: minute},
		"another interval, ALL beside it":    {logs: []plan.FlowLog{ours, with(all, func(fl *plan.FlowLog) { fl.Aggregation, fl.Age = 60, 0 })}, config: minute},
		"another interval, a new beside it":  {logs: []plan.FlowLog{ours, with(ours, func(fl *plan.FlowLog) { fl.ID, fl.Aggregation, fl.Age = "fl-8", 60, 0 })}, config: minute},
		"another log group":                  {logs: []plan.FlowLog{moved}, action: create + "goes to old-flow-logs)"},
		"another log group, of theirs":       {logs: []plan.FlowLog{with(moved, func(fl *plan.FlowLog) { fl.Ours = false })}},
		"another log group, a new beside it": {logs: []plan.FlowLog{moved, with(ours, func(fl *plan.FlowLog) { fl.ID, fl.Age = "fl-8", 0 })}},
		"more traffic":                       {logs: []plan.FlowLog{with(all, func(fl *plan.FlowLog) { fl.ID = "fl-9" })}, action: create + "records ALL)"},
		"more traffic, with theirs in the way": {logs: []plan.FlowLog{all, with(ours, func(fl *plan.FlowLog) {
			fl.ID, fl.Format, fl.Ours = "fl-1", "${version}", false
		})}},
		"more traffic, wanted": {logs: []plan.FlowLog{all}, config: func(s *catalog.FlowLogSpec) { s.TrafficType = catalog.TrafficAll }},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			want := policy(t)
			if tt.config != nil {
				tt.config(&want.FlowLogs)
			}
			got := flowLogs(want, vpcWith(tt.logs...))
			got.State.(*plan.FlowLogState).LogGroups["relight-flow-logs"] = plan.LogGroup{Name: "relight-flow-logs", RetentionDays: 365}
			var actions []string
			if tt.action != "" {
				actions = []string{tt.action}
			}
			p := of(t, want, got)
			says(t, "actions", p.Actions, actions...)
			if p.Healthy != 1 {
				t.Errorf("%d healthy, want the VPC: it has a flow log that satisfies the policy", p.Healthy)
			}
			converges(t, want, got)

			got.Type = catalog.VPC
			says(t, "actions of an event's run", of(t, want, got).Actions)
		})
	}
}

// A newly exempt VPC keeps relight's flow log, and the plan lists it as unwanted.
func TestExemptKeepsOurs(t *testing.T) {
	want := policy(t)
	want.FlowLogs.ExemptVPCs = []string{"vpc-1"}
	p := of(t, want, flowLogs(want, vpcWith(ours, held)))
	says(t, "skips", p.Skips, "vpc-1: exempt by configuration")
	says(t, "unwanted", p.Unwanted, "delete flow-log fl-9 of vpc-1 (it is relight's own, and vpc-1 is exempt by configuration)")

	want = policy(t)
	want.FlowLogs.ExemptByTag = true
	tagged := vpcWith(ours, held)
	tagged.Exempt = true
	p = of(t, want, flowLogs(want, tagged))
	says(t, "skips by tag", p.Skips, "vpc-1: exempt by its tag "+catalog.ExemptTag+"; relight's own flow log stays until somebody deletes it: aws ec2 delete-flow-logs --flow-log-ids fl-9")
	says(t, "unwanted by tag", p.Unwanted)
	says(t, "actions", p.Actions)
}

// A flow log of relight's own to a stream of another account has the role that the
// configuration names. If it fails, another one would fail as well.
func TestFailingStreamOfAnotherAccount(t *testing.T) {
	const sender, stream = "arn:aws:iam::" + account + ":role/to-stream", "arn:aws:firehose:us-east-1:444455556666:deliverystream/flow-logs"
	want := policy(t)
	want.FlowLogs.To = catalog.Destined{ARN: stream, Role: sender, CrossAccountRole: "arn:aws:iam::444455556666:role/receive"}
	failing := with(held, func(fl *plan.FlowLog) {
		fl.Destination, fl.Where, fl.Role, fl.Ours, fl.Delivery, fl.DeliveryError = catalog.ToFirehose, stream, sender, true, "FAILED", "Access error"
	})
	p := of(t, want, flowLogs(want, vpcWith(failing)))
	says(t, "actions", p.Actions)
	if len(p.Findings) != 1 || p.Findings[0].Code != plan.FlowLogToFirehoseFailed {
		t.Errorf("findings %v, want only %s", p.Findings, plan.FlowLogToFirehoseFailed)
	}
}
