package awsio

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cloudwatchtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/relight-aws/relight/internal/awstest"
	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/plan"
	"github.com/relight-aws/relight/internal/remedy"
)

const (
	account = "111122223333"
	home    = "us-east-1"
	role    = "arn:aws:iam::111122223333:role/delivery"
)

// cloud returns a Cloud on an account that has more than one of everything.
func cloud(t *testing.T) (*Cloud, *awstest.Account) {
	t.Helper()
	acct := awstest.New(account, home)
	acct.PageSize(0)
	acct.AddVPC(home, "vpc-1", "vpc-2", "vpc-3")
	acct.AddRole(role, 0)
	acct.AddTrailTo("audit", "trail")
	c := &Cloud{
		Kinds:  AllKinds(),
		Config: acct.Config(),
		Want: catalog.Desired{
			Baseline: catalog.Baseline{
				Prefix: "ours", Tags: map[string]string{catalog.OwnerTag: "ours"}, Controls: catalog.Controls(),
				FlowLogs: catalog.FlowLogSpec{TrafficType: "REJECT", LogGroup: "flows", RetentionDays: 365, Aggregation: 600},
				LogGroup: catalog.LogGroupSpec{RetentionDays: 365},
			},
			Deployment: catalog.Deployment{Topic: acct.AddTopic(home, "ours", 1), DeliveryRole: role},
		},
	}
	r := remedy.Reconciler{Observer: c, Applier: c, Want: c.Want}
	for _, k := range catalog.Kinds() {
		if rep := r.Run(t.Context(), scope(k), catalog.Repair); rep.Failures() != nil || len(rep.Remaining) > 0 {
			t.Fatalf("%s: %v, remaining %v", k, rep.Failures(), rep.Remaining)
		}
	}
	return c, acct
}

func scope(k catalog.Kind) remedy.Scope {
	return remedy.Scope{Account: account, Region: home, Kind: k}
}

// An account reads the same however its listings are split into pages.
func TestPages(t *testing.T) {
	c, acct := cloud(t)
	for _, k := range catalog.Kinds() {
		acct.PageSize(0)
		want, err := c.Observe(t.Context(), scope(k))
		if err != nil {
			t.Fatal(err)
		}
		for _, size := range []int{1, 2, 7} {
			acct.PageSize(size)
			got, err := c.Observe(t.Context(), scope(k))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s in pages of %d (-all at once +paged):\n%s", k, size, diff)
			}
		}
	}
}

// A scope with names reads what it names and no more.
func TestNamedReads(t *testing.T) {
	tests := []struct {
		scope remedy.Scope
		calls awstest.Calls
	}{
		{
			remedy.Scope{Kind: catalog.FlowLogs, Type: catalog.VPC, Names: "vpc-1"},
			awstest.Calls{"DescribeVpcs": 1, "DescribeFlowLogs": 1, "DescribeLogGroups": 1},
		},
		{
			remedy.Scope{Kind: catalog.FlowLogs, Type: catalog.LogGroup, Names: "somebody's"},
			awstest.Calls{"DescribeFlowLogs": 1},
		},
		{
			remedy.Scope{Kind: catalog.FlowLogs, Type: catalog.LogGroup, Names: "flows"},
			awstest.Calls{"DescribeVpcs": 1, "DescribeFlowLogs": 2, "DescribeLogGroups": 1},
		},
		{
			remedy.Scope{Kind: catalog.LogGroups, Type: catalog.LogGroup, Names: "somebody's"},
			awstest.Calls{"DescribeTrails": 1},
		},
		{
			remedy.Scope{Kind: catalog.LogGroups, Type: catalog.LogGroup, Names: "trail"},
			awstest.Calls{"DescribeTrails": 1, "DescribeLogGroups": 1, "DescribeMetricFilters": 1},
		},
		{
			remedy.Scope{Kind: catalog.Alarms, Type: catalog.Alarm, Names: "ours-root-usage\nours-vpc-changes"},
			awstest.Calls{"DescribeAlarms": 1},
		},
		{
			remedy.Scope{Kind: catalog.Alarms, Type: catalog.Alarm, Names: "somebody's"},
			awstest.Calls{"DescribeAlarms": 1},
		},
		{
			remedy.Scope{Kind: catalog.Alarms},
			awstest.Calls{"DescribeTrails": 1, "DescribeMetricFilters": 1, "DescribeAlarms": 1, "ListAlarmMuteRules": 1},
		},
		{
			remedy.Scope{Kind: catalog.Alarms, Type: catalog.MutedAlarm, Names: "somebody's"},
			awstest.Calls{"DescribeAlarms": 1},
		},
		{
			remedy.Scope{Kind: catalog.Alarms, Type: catalog.MutedAlarm, Names: "ours-root-usage\nours-vpc-changes\nsomebody's"},
			awstest.Calls{"DescribeAlarms": 1, "ListAlarmMuteRules": 1},
		},
		{
			remedy.Scope{Kind: catalog.Alarms, Type: catalog.CompositeAlarm, Names: "somebody's"},
			awstest.Calls{"DescribeAlarms": 1},
		},
		{
			remedy.Scope{Kind: catalog.LogGroups, Type: catalog.LogGroup},
			awstest.Calls{"DescribeTrails": 1, "DescribeLogGroups": 1, "DescribeMetricFilters": 1, "GetTransformer": 1, "DescribeAccountPolicies": 1},
		},
	}
	c, acct := cloud(t)
	for _, tt := range tests {
		tt.scope.Account, tt.scope.Region = account, home
		before := acct.Calls()
		if _, err := c.Observe(t.Context(), tt.scope); err != nil {
			t.Errorf("%s: %v", tt.scope, err)
		}
		if diff := cmp.Diff(tt.calls, acct.Calls().Since(before)); diff != "" {
			t.Errorf("%s: calls (-want +got):\n%s", tt.scope, diff)
		}
	}
}

// An event about somebody else's alarm reads no mute rules, even if one of
// relight's alarms is missing and relight reads everything else.
func TestForeignAlarmReadsNoMutes(t *testing.T) {
	c, acct := cloud(t)
	if _, err := acct.CloudWatch.DeleteAlarms(t.Context(), &cloudwatch.DeleteAlarmsInput{AlarmNames: []string{"ours-root-usage"}}); err != nil {
		t.Fatal(err)
	}
	for of, reads := range map[catalog.ResourceType]int{catalog.Alarm: 0, catalog.MutedAlarm: 1, catalog.CompositeAlarm: 1} {
		before := acct.Calls()
		got, err := c.Observe(t.Context(), remedy.Scope{Account: account, Region: home, Kind: catalog.Alarms, Type: of, Names: "somebody's"})
		if n := acct.Calls().Since(before)["ListAlarmMuteRules"]; err != nil || !got.State.(*plan.AlarmState).Full || n != reads {
			t.Errorf("%s: %d reads of mute rules, want %d; everything: %t, %v", of, n, reads, got.State.(*plan.AlarmState).Full, err)
		}
	}
}

// Mute rules are found whether relight asks for each rule or for each alarm, and it
// asks for what is fewer.
func TestMutesAreFound(t *testing.T) {
	const rules = 3
	type calls = awstest.Calls
	tests := map[string]struct {
		asked []string
		gone  bool // the first rule, after it was listed
		found map[string][]string
		calls calls
	}{
		"fewer rules": {
			asked: []string{"a", "b", "c", "d"}, found: map[string][]string{"rule-0": {"a"}, "rule-1": {"a", "b"}}, calls: calls{"ListAlarmMuteRules": 1, "GetAlarmMuteRule": rules},
		},
		"one rule is deleted meanwhile": {
			asked: []string{"a", "b", "c", "d"}, gone: true, found: map[string][]string{"rule-1": {"a", "b"}}, calls: calls{"ListAlarmMuteRules": 1, "GetAlarmMuteRule": rules},
		},
		"fewer alarms": {asked: []string{"b", "c"}, found: map[string][]string{"rule-1": {"b"}}, calls: calls{"ListAlarmMuteRules": 3}},
		"one alarm":    {asked: []string{"a"}, found: map[string][]string{"rule-0": {"a"}, "rule-1": {"a"}}, calls: calls{"ListAlarmMuteRules": 1}},
		"no alarms":    {found: map[string][]string{}, calls: calls{}},
	}
	for name, tt := range tests {
		c, acct := cloud(t)
		for _, alarm := range []string{"a", "b", "c", "d", "theirs"} {
			if _, err := acct.CloudWatch.PutMetricAlarm(t.Context(), &cloudwatch.PutMetricAlarmInput{
				AlarmName: aws.String(alarm), MetricName: aws.String("m"), Namespace: aws.String("n"), Statistic: cloudwatchtypes.StatisticSum, Period: aws.Int32(60),
				EvaluationPeriods: aws.Int32(1), Threshold: aws.Float64(1), ComparisonOperator: cloudwatchtypes.ComparisonOperatorGreaterThanThreshold,
			}); err != nil {
				t.Fatal(err)
			}
		}
		for rule, of := range [rules][]string{{"a"}, {"theirs", "b", "a"}, {"theirs"}} {
			muteRule(t, acct, fmt.Sprintf("rule-%d", rule), of...)
		}
		if tt.gone {
			acct.Fail("GetAlarmMuteRule", "ResourceNotFoundException")
		}
		before := acct.Calls()
		got, err := c.in(account, home).mutes(t.Context(), tt.asked)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		found := map[string][]string{}
		for _, r := range got {
			found[r.Name] = r.Alarms
		}
		if diff := cmp.Diff(tt.found, found); diff != "" {
			t.Errorf("%s: rules (-want +got):\n%s", name, diff)
		}
		if diff := cmp.Diff(tt.calls, acct.Calls().Since(before)); diff != "" {
			t.Errorf("%s: calls (-want +got):\n%s", name, diff)
		}
	}
}

// muteRule mutes alarms every night.
func muteRule(t *testing.T, acct *awstest.Account, name string, alarms ...string) {
	t.Helper()
	if _, err := acct.CloudWatch.PutAlarmMuteRule(t.Context(), &cloudwatch.PutAlarmMuteRuleInput{
		Name: aws.String(name), MuteTargets: &cloudwatchtypes.MuteTargets{AlarmNames: alarms},
		Rule: &cloudwatchtypes.Rule{Schedule: &cloudwatchtypes.Schedule{Expression: aws.String("cron(0 0 * * *)"), Duration: aws.String("PT12H")}},
	}); err != nil {
		t.Fatal(err)
	}
}

// A failed read that only explains does not stop repairs: if the error is
// permanent, it becomes a finding, and relight restores everything that needs
// it. relight retries a read that may succeed later.
func TestReadsThatOnlyExplain(t *testing.T) {
	for op, tt := range map[string]struct {
		kind    catalog.Kind
		problem string
	}{
		"ListAlarmMuteRules":      {catalog.Alarms, "relight cannot read whether mute rules silence them: cloudwatch.ListAlarmMuteRules: "},
		"GetAlarmMuteRule":        {catalog.Alarms, "relight cannot read whether mute rules silence them: cloudwatch.GetAlarmMuteRule: "},
		"GetTransformer":          {catalog.LogGroups, "relight cannot read whether a transformer rewrites its logs: logs.GetTransformer: "},
		"DescribeAccountPolicies": {catalog.LogGroups, "relight cannot read whether an account-wide policy rewrites its logs: logs.DescribeAccountPolicies: "},
	} {
		for code, fails := range map[string]bool{
			"AccessDenied": false, "AccessDeniedException": false, "InvalidAction": false, "UnknownOperationException": false, "ThrottlingException": true, "SomethingNew": true,
		} {
			c, acct := cloud(t)
			muteRule(t, acct, "nights", "ours-vpc-changes")
			var err error
			if tt.kind == catalog.Alarms {
				_, err = acct.CloudWatch.DeleteAlarms(t.Context(), &cloudwatch.DeleteAlarmsInput{AlarmNames: []string{"ours-root-usage"}})
			} else {
				_, err = acct.Logs.DeleteMetricFilter(t.Context(), &cloudwatchlogs.DeleteMetricFilterInput{LogGroupName: aws.String("trail"), FilterName: aws.String("ours-root-usage")})
			}
			if err != nil {
				t.Fatal(err)
			}
			acct.Fail(op, slices.Repeat([]string{code}, 9)...)
			rep := remedy.Reconciler{Observer: c, Applier: c, Want: c.Want}.Run(t.Context(), scope(tt.kind), catalog.Repair)
			found := slices.ContainsFunc(rep.Plan.Findings, func(f plan.Finding) bool { return f.Problem == tt.problem+code+": made to fail by the test" })
			if (rep.Err != nil) != fails || found == fails || !fails && rep.Repaired() != 1 {
				t.Errorf("%s %s: error %v, %d restored, findings %v", op, code, rep.Err, rep.Repaired(), rep.Plan.Findings)
			}
		}
	}
}

// relight waits, up to a limit, for a VPC that an event names and EC2 does not
// show yet. It does not wait for a VPC that is not named.
func TestWaitsForVPC(t *testing.T) {
	tests := []struct {
		reads int // reads that do not show the VPC
		gone  bool
		waits time.Duration
	}{
		{0, false, 0},
		{1, false, 500 * time.Millisecond},
		{3, false, 3500 * time.Millisecond},
		{9, true, 3500 * time.Millisecond},
	}
	for _, tt := range tests {
		synctest.Test(t, func(t *testing.T) {
			c, acct := cloud(t)
			c.Pace = &Pace{}
			acct.Lag(tt.reads)
			acct.AddVPC(home, "vpc-new")
			start := time.Now()
			got, err := c.Observe(t.Context(), remedy.Scope{
				Account: account, Region: home, Kind: catalog.FlowLogs, Type: catalog.VPC, Names: remedy.NamesOf("vpc-1", "vpc-new"),
			})
			if err != nil {
				t.Fatal(err)
			}
			if gone := slices.ContainsFunc(got.State.(*plan.FlowLogState).Gone, func(v plan.Network) bool { return v.ID == "vpc-new" }); gone != tt.gone || time.Since(start) != tt.waits {
				t.Errorf("hidden from %d reads: gone %t after %v, want %t after %v", tt.reads, gone, time.Since(start), tt.gone, tt.waits)
			}
		})
	}
}

// A batch with more VPCs than one call takes, one of them unknown to EC2: the
// others get their flow logs, whichever way EC2 reports the unknown one.
func TestUnknownVPCInBatch(t *testing.T) {
	for _, whole := range []bool{false, true} {
		c, acct := cloud(t)
		var actions []plan.Action
		for _, id := range []string{"vpc-a", "vpc-b", "vpc-c", "vpc-gone", "vpc-d"} {
			if id != "vpc-gone" {
				acct.AddVPC(home, id)
			}
			actions = append(actions, plan.CreateFlowLog{On: id, Role: role, Spec: c.Want.FlowLogs})
		}
		if whole {
			acct.Doubt("missing-vpc-fails-its-item")
		}
		for _, out := range c.Apply(t.Context(), scope(catalog.FlowLogs), actions) {
			id := out.Action.Step().Target
			if made := len(acct.FlowLogs(home, id)) == 1; made != (id != "vpc-gone") || made != (out.Err == nil) {
				t.Errorf("%s, whole call fails: %t: made %t, error %v", id, whole, made, out.Err)
			}
			if out.Err != nil && remedy.ClassOf(out.Err) != remedy.Transient {
				t.Errorf("%v is %s, want transient: the next run sees whether the VPC is gone", out.Err, remedy.ClassOf(out.Err))
			}
		}
	}
}

// A flow log that somebody else deleted a moment ago does not keep the others from
// being deleted, whichever way EC2 reports it.
func TestDeletedFlowLogInBatch(t *testing.T) {
	for _, whole := range []bool{false, true} {
		c, acct := cloud(t)
		if whole {
			acct.Doubt("missing-vpc-fails-its-item", "flow-log-limit-fails-its-item")
		}
		actions := []plan.Action{plan.DeleteFlowLog{ID: "fl-gone"}}
		for _, vpc := range []string{"vpc-1", "vpc-2", "vpc-3"} {
			actions = append(actions, plan.DeleteFlowLog{ID: acct.FlowLogs(home, vpc)[0], On: vpc})
		}
		for _, out := range c.Apply(t.Context(), scope(catalog.FlowLogs), actions) {
			a := out.Action.(plan.DeleteFlowLog)
			if out.Err != nil || a.On != "" && len(acct.FlowLogs(home, a.On)) != 0 {
				t.Errorf("whole call fails: %t: %s: %v", whole, a.ID, out.Err)
			}
		}
	}
}

// Each repair has its own client token, so that EC2 does not answer it with a
// flow log that has been deleted since.
func TestFreshTokens(t *testing.T) {
	c, acct := cloud(t)
	acct.AddVPC(home, "vpc-new")
	for range 3 {
		if out := c.Apply(t.Context(), scope(catalog.FlowLogs), []plan.Action{plan.CreateFlowLog{On: "vpc-new", Role: role, Spec: c.Want.FlowLogs}}); out[0].Err != nil {
			t.Error(out[0].Err)
		}
		ids := acct.FlowLogs(home, "vpc-new")
		if len(ids) != 1 {
			t.Fatalf("flow logs %v, want one", ids)
		}
		if _, err := acct.EC2.DeleteFlowLogs(t.Context(), &ec2.DeleteFlowLogsInput{FlowLogIds: ids}); err != nil {
			t.Fatal(err)
		}
	}
}

// If a role cannot be created, relight does not try to write its policy: that
// would fail with an error that is worth another run, while the first error is
// not.
func TestRoleThatCannotBeCreated(t *testing.T) {
	c, acct := cloud(t)
	acct.Deny("CreateRole")
	spec := plan.DeliveryRoleSpec{Name: "gone", Path: "/", Trust: `{"Version":"2012-10-17","Statement":[]}`}
	before := acct.Calls()
	for _, out := range c.Apply(t.Context(), scope(catalog.DeliveryRoles), []plan.Action{
		plan.CreateDeliveryRole{Role: spec}, plan.PutRolePolicy{Role: spec.Name, Name: catalog.DeliveryPolicy, Document: spec.Trust},
	}) {
		if remedy.ClassOf(out.Err) != remedy.Terminal {
			t.Errorf("%s: %v is %s, want terminal", out.Action.Step(), out.Err, remedy.ClassOf(out.Err))
		}
	}
	if calls := acct.Calls().Since(before); calls["PutRolePolicy"] > 0 {
		t.Errorf("calls %v", calls)
	}
}

// Without a deployment there is no role and no topic, and the error says so.
func TestNotDeployed(t *testing.T) {
	c, acct := cloud(t)
	c.Want.Topic, c.Want.DeliveryRole = "", ""
	before := acct.State()
	spec := c.Want.FlowLogs
	outcomes := c.Apply(t.Context(), scope(catalog.FlowLogs), []plan.Action{
		plan.PutAlarm{Alarm: plan.Alarm{Name: "ours-root-usage"}}, plan.CreateFlowLog{On: "vpc-1", Spec: spec},
	})
	for _, out := range outcomes {
		if remedy.ClassOf(out.Err) != remedy.Terminal {
			t.Errorf("%s: %v is %s, want terminal", out.Action.Step(), out.Err, remedy.ClassOf(out.Err))
		}
	}
	if diff := cmp.Diff(before, acct.State()); diff != "" {
		t.Errorf("changed (-before +after):\n%s", diff)
	}
}

func TestFlowLogForm(t *testing.T) {
	created := time.Date(2026, 3, 3, 12, 0, 0, 0, time.UTC)
	c := &Cloud{
		Want: catalog.Desired{
			Baseline:   catalog.Baseline{Prefix: "ours", FlowLogs: catalog.FlowLogSpec{LogGroup: "flows"}},
			Deployment: catalog.Deployment{DeliveryRole: role},
		},
		Now: func() time.Time { return created.Add(90 * time.Minute) },
	}
	r := c.in(account, home)
	tag := func(k, v string) types.Tag { return types.Tag{Key: aws.String(k), Value: aws.String(v)} }
	tests := []struct {
		name string
		in   types.FlowLog
		want plan.FlowLog
	}{
		{
			"nothing but defaults",
			types.FlowLog{},
			plan.FlowLog{Destination: catalog.ToCloudWatchLogs, Format: catalog.DefaultFlowLogFormat},
		},
		{
			"group by name",
			types.FlowLog{LogGroupName: aws.String("g"), LogFormat: aws.String("${version}")},
			plan.FlowLog{Destination: catalog.ToCloudWatchLogs, LogGroup: "g", Format: "${version}"},
		},
		{
			"group by ARN",
			types.FlowLog{LogDestination: aws.String("arn:aws-cn:logs:r:1:log-group:/a/b:*")},
			plan.FlowLog{Destination: catalog.ToCloudWatchLogs, LogGroup: "/a/b", Format: catalog.DefaultFlowLogFormat},
		},
		{
			"another account's group",
			types.FlowLog{LogGroupName: aws.String("g"), DeliverCrossAccountRole: aws.String("arn:aws:iam::2:role/r")},
			plan.FlowLog{Destination: catalog.ToCloudWatchLogs, Format: catalog.DefaultFlowLogFormat},
		},
		{
			"bucket",
			types.FlowLog{LogDestinationType: types.LogDestinationTypeS3, LogDestination: aws.String("arn:aws:s3:::b")},
			plan.FlowLog{Destination: catalog.ToS3, Format: catalog.DefaultFlowLogFormat},
		},
		{
			"created before",
			types.FlowLog{CreationTime: &created, MaxAggregationInterval: aws.Int32(60)},
			plan.FlowLog{Destination: catalog.ToCloudWatchLogs, Format: catalog.DefaultFlowLogFormat, Age: 5400, Aggregation: 60},
		},
		{
			"created by a clock that is ahead",
			types.FlowLog{CreationTime: aws.Time(created.Add(2 * time.Hour))},
			plan.FlowLog{Destination: catalog.ToCloudWatchLogs, Format: catalog.DefaultFlowLogFormat},
		},
		{
			"ours, by its destination",
			types.FlowLog{LogGroupName: aws.String("flows"), Tags: []types.Tag{tag("a", "b"), tag("relight", "ours")}},
			plan.FlowLog{Destination: catalog.ToCloudWatchLogs, LogGroup: "flows", Format: catalog.DefaultFlowLogFormat, Ours: true},
		},
		{
			"ours, by its role",
			types.FlowLog{LogGroupName: aws.String("old"), DeliverLogsPermissionArn: aws.String(role), Tags: []types.Tag{tag("relight", "ours")}},
			plan.FlowLog{Destination: catalog.ToCloudWatchLogs, LogGroup: "old", Role: role, Format: catalog.DefaultFlowLogFormat, Ours: true},
		},
		{
			"theirs, with our tag",
			types.FlowLog{LogGroupName: aws.String("theirs"), DeliverLogsPermissionArn: aws.String("arn:r"), Tags: []types.Tag{tag("relight", "ours")}},
			plan.FlowLog{Destination: catalog.ToCloudWatchLogs, LogGroup: "theirs", Role: "arn:r", Format: catalog.DefaultFlowLogFormat},
		},
		{
			"theirs to a bucket, with our tag",
			types.FlowLog{LogDestinationType: types.LogDestinationTypeS3, LogDestination: aws.String("arn:aws:s3:::b"), Tags: []types.Tag{tag("relight", "ours")}},
			plan.FlowLog{Destination: catalog.ToS3, Format: catalog.DefaultFlowLogFormat},
		},
		{
			"theirs in another account's group of the same name, with our tag",
			types.FlowLog{LogGroupName: aws.String("flows"), DeliverCrossAccountRole: aws.String("arn:aws:iam::2:role/r"), Tags: []types.Tag{tag("relight", "ours")}},
			plan.FlowLog{Destination: catalog.ToCloudWatchLogs, Format: catalog.DefaultFlowLogFormat},
		},
		{
			"another prefix's",
			types.FlowLog{Tags: []types.Tag{tag("relight", "theirs")}},
			plan.FlowLog{Destination: catalog.ToCloudWatchLogs, Format: catalog.DefaultFlowLogFormat},
		},
	}
	for _, tt := range tests {
		if diff := cmp.Diff(tt.want, r.flowLog(tt.in), cmpopts.IgnoreFields(plan.FlowLog{}, "Where")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

func TestAlarmForm(t *testing.T) {
	tests := []struct {
		in   cloudwatchtypes.MetricAlarm
		want string // Other
	}{
		{cloudwatchtypes.MetricAlarm{}, ""},
		{cloudwatchtypes.MetricAlarm{Metrics: []cloudwatchtypes.MetricDataQuery{{}}}, "metric math"},
		{cloudwatchtypes.MetricAlarm{ExtendedStatistic: aws.String("p90")}, "p90"},
		{cloudwatchtypes.MetricAlarm{EvaluationWindow: &cloudwatchtypes.EvaluationWindowMemberSlidingWindow{}}, ""},
		{cloudwatchtypes.MetricAlarm{EvaluationWindow: &cloudwatchtypes.EvaluationWindowMemberWallClockWindow{}}, "a fixed window"},
		{cloudwatchtypes.MetricAlarm{WarmUpConfiguration: &cloudwatchtypes.WarmUpConfiguration{WarmUpPeriodDurationInMinutes: aws.Int32(5)}}, ""},
		{
			cloudwatchtypes.MetricAlarm{WarmUpConfiguration: &cloudwatchtypes.WarmUpConfiguration{
				WarmUpPeriodDurationInMinutes: aws.Int32(5), OnlyStartEvaluatingAfterWarmUpPeriodEnds: aws.Bool(true),
			}},
			"nothing for 5 minutes",
		},
	}
	for _, tt := range tests {
		if got := alarmOf(tt.in).Other; got != tt.want {
			t.Errorf("alarm evaluates %q, want %q", got, tt.want)
		}
	}
}

func TestTopicForm(t *testing.T) {
	statement := func(s string) map[string]string {
		return map[string]string{"Policy": `{"Statement":` + s + `}`, "SubscriptionsConfirmed": "2", "SubscriptionsPending": "1"}
	}
	const service = `"Principal":{"Service":["a","cloudwatch.amazonaws.com"]}`
	tests := []struct {
		name       string
		attributes map[string]string
		admits     bool
	}{
		{"service, one statement", statement(`{"Effect":"Allow",` + service + `,"Action":"sns:Publish"}`), true},
		{"in any case", statement(`[{"Effect":"Allow",` + service + `,"Action":["SNS:Publish"]}]`), true},
		{"anyone", statement(`[{"Effect":"Allow","Principal":"*","Action":"sns:*"}]`), true},
		{"any principal of AWS", statement(`[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"*"}]`), true},
		{"another service", statement(`[{"Effect":"Allow","Principal":{"Service":"events.amazonaws.com"},"Action":"sns:Publish"}]`), false},
		{"another action", statement(`[{"Effect":"Allow",` + service + `,"Action":"sns:Subscribe"}]`), false},
		{"denied", statement(`[{"Effect":"Allow",` + service + `,"Action":"*"},{"Effect":"Deny","Principal":"*","Action":"sns:Publish"}]`), false},
		{"denied on a condition", statement(`[{"Effect":"Allow",` + service + `,"Action":"*"},{"Effect":"Deny","Principal":"*","Action":"*","Condition":{"Bool":{"aws:SecureTransport":"false"}}}]`), true},
		{"FIFO", map[string]string{"FifoTopic": "true", "Policy": `{"Statement":{"Effect":"Allow","Principal":"*","Action":"*"}}`}, false},
		{"no policy", map[string]string{}, false},
		{"no JSON", map[string]string{"Policy": "{"}, false},
		{"AWS's key", map[string]string{"KmsMasterKeyId": "alias/aws/sns", "Policy": `{"Statement":{"Effect":"Allow","Principal":"*","Action":"*"}}`}, false},
		{"a key of one's own, which has to be read", map[string]string{"KmsMasterKeyId": "arn:aws:kms:r:1:key/x", "Policy": `{"Statement":{"Effect":"Allow","Principal":"*","Action":"*"}}`}, true},
	}
	for _, tt := range tests {
		got := topicOf(tt.attributes, "arn:aws:sns:us-east-1:111122223333:theirs", []string{"root"})
		if got.Admits != tt.admits || (got.Why == "") != tt.admits {
			t.Errorf("%s: admits %t (%s), want %t", tt.name, got.Admits, got.Why, tt.admits)
		}
	}
	got := topicOf(statement(`[]`), "arn:aws:sns:us-east-1:111122223333:theirs", []string{"root"})
	if diff := cmp.Diff(plan.Topic{Exists: true, KeepsOut: []string{"root"}, Confirmed: 2, Pending: 1}, got, cmpopts.IgnoreFields(plan.Topic{}, "Why")); diff != "" {
		t.Errorf("topic (-want +got):\n%s", diff)
	}
}

func TestRegions(t *testing.T) {
	c, acct := cloud(t)
	acct.AddRegion("eu-west-1", "opt-in-not-required")
	acct.AddRegion("eu-south-1", "opted-in")
	acct.AddRegion("af-south-1", "not-opted-in")
	enabled, disabled, err := c.Regions(t.Context(), home)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([][]string{{"eu-south-1", "eu-west-1", home}, {"af-south-1"}}, [][]string{enabled, disabled}); diff != "" {
		t.Errorf("regions (-want +got):\n%s", diff)
	}
}
