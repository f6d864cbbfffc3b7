package app_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	cloudtrailtypes "github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/relight-aws/relight/events"
	"github.com/relight-aws/relight/internal/app"
	"github.com/relight-aws/relight/internal/awstest"
	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/report"
)

// The budgets limit the AWS calls of one event's runs, including the check
// after the repair. Notifications are counted separately: a run that repaired
// sends one, and any other run sends none.
func TestBudgets(t *testing.T) {
	t.Parallel()
	echo := attack{do: func(*world) {}}
	controls := len(catalog.Controls())
	tests := []struct {
		event    string
		attack   attack
		calls    int // maximum for all functions together
		perRun   int // maximum reads of one function's run if it has nothing to restore; 0 for any number
		messages int
	}{
		{event: "CreateVpc.default.json", attack: harms["CreateVpc.default.json"], calls: 7, messages: 1},
		{event: "CreateDefaultVpc.default.json", attack: harms["CreateDefaultVpc.default.json"], calls: 7, messages: 1},
		{event: "DeleteFlowLogs.one.json", attack: harms["DeleteFlowLogs.one.json"], calls: 7, messages: 1},
		{event: "DeleteFlowLogs.several.json", attack: harms["DeleteFlowLogs.several.json"], calls: 7, messages: 1},
		{event: "DeleteAlarms.one.json", attack: harms["DeleteAlarms.one.json"], calls: 3, messages: 1},
		{event: "AlarmChange.delete.json", attack: harms["DeleteAlarms.one.json"], calls: 3, messages: 1},
		{event: "DisableAlarmActions.one.json", attack: harms["DisableAlarmActions.one.json"], calls: 3, messages: 1},
		{event: "PutMetricAlarm.weakened.json", attack: harms["PutMetricAlarm.weakened.json"], calls: 3, messages: 1},
		{event: "DeleteAlarms.all.json", attack: harms["DeleteAlarms.all.json"], calls: controls + 2, messages: 1},
		{event: "DeleteLogGroup.trail.json", attack: harms["DeleteLogGroup.trail.json"], calls: controls + 9, messages: 1}, // one of them for the longest retention seen

		{event: "DeleteVpc.logged.json", attack: harms["DeleteVpc.logged.json"], calls: 11, messages: 1},
		{event: "DeleteVpc.bare.json", attack: echo, calls: 5}, // four of them make sure that the VPC does not exist

		{event: "PutBucketPolicy.logs.json", attack: flowLogsToBucket, perRun: 1, calls: 2, messages: 2}, // the trail depends on the bucket too
		{event: "PutBucketPolicy.foreign.json", attack: flowLogsToBucket, perRun: 1, calls: 2},
		{event: "DisableKey.foreign.json", attack: echo, perRun: 2, calls: 3}, // the key may be that of a log group: one read more for each function
		{event: "EnableRegion.opted-in.json", attack: echo, perRun: 1, calls: 2, messages: 1},
		{event: "DeleteRole.ours.json", attack: roleDeleted, calls: 8, messages: 1},
		{event: "PutRolePolicy.denying.json", attack: harms["PutRolePolicy.denying.json"], calls: 11, messages: 1},
		{event: "UpdateAssumeRolePolicy.ours.json", attack: harms["UpdateAssumeRolePolicy.ours.json"], calls: 10, messages: 1},

		{event: "StopLogging.name.json", attack: harms["StopLogging.name.json"], calls: 9, messages: 1},
		{event: "UpdateTrail.stripped.json", attack: harms["UpdateTrail.stripped.json"], calls: 10, messages: 1},
		{event: "UpdateTrail.bucket.json", attack: harms["UpdateTrail.bucket.json"], calls: 4, messages: 1},
		{event: "DeleteTrail.arn.json", attack: harms["DeleteTrail.arn.json"], calls: 9, messages: 1},
		{event: "PutEventSelectors.excluded.json", attack: harms["PutEventSelectors.excluded.json"], calls: 9, messages: 1},

		{event: "StopLogging.foreign.json", attack: harms["StopLogging.foreign.json"], calls: 1, perRun: 1},
		{event: "UpdateTrail.foreign.json", attack: harms["UpdateTrail.foreign.json"], calls: 1, perRun: 1},
		{event: "DeleteTrail.foreign.json", attack: harms["DeleteTrail.foreign.json"], calls: 1, perRun: 1},
		{event: "PutEventSelectors.foreign.json", attack: harms["PutEventSelectors.foreign.json"], calls: 1, perRun: 1},
		{event: "UpdateTrail.echo.json", attack: echo, calls: 8}, // checked twice: once to see whether the repair is complete
		{event: "PutEventSelectors.echo.json", attack: echo, calls: 8},
		{event: "DeleteTopic.ours.json", attack: harms["DeleteTopic.ours.json"], calls: 6, messages: 1},
		{event: "SetTopicAttributes.key.json", attack: harms["SetTopicAttributes.key.json"], calls: 7, messages: 1},
		{event: "Unsubscribe.ours.json", attack: harms["Unsubscribe.ours.json"], calls: 6, messages: 1},
		{event: "SetSubscriptionAttributes.filter-policy.json", attack: harms["SetSubscriptionAttributes.filter-policy.json"], calls: 7, messages: 1},

		{event: "CreateTrail.decoy.json", attack: echo, calls: 1, perRun: 1, messages: 1},
		{event: "CreateTrail.protected.json", attack: echo, calls: 1, perRun: 1}, // as relight's own call does
		{event: "PutDestinationPolicy.security.json", attack: echo, messages: 1},
		{event: "DeleteAccountPolicy.feed.json", attack: echo, perRun: 8, calls: 8, messages: 1}, // the trail's group is checked; in other regions nothing is
		{event: "PutTransformer.foreign.json", attack: echo, calls: 2, perRun: 1},
		{event: "PutSubscriptionFilter.foreign.json", attack: echo, calls: 2, perRun: 1},
		{event: "PutBucketVersioning.logs.json", attack: flowLogsToBucket, perRun: 1, calls: 2, messages: 2},
		{event: "PutBucketNotification.logs.json", attack: flowLogsToBucket, perRun: 1, calls: 2, messages: 2},
		{event: "PutBucketLogging.logs.json", attack: flowLogsToBucket, perRun: 1, calls: 2, messages: 2},
		{event: "PutBucketVersioning.foreign.json", attack: flowLogsToBucket, perRun: 1, calls: 2},
		{event: "PutResourcePolicy.denying.json", attack: echo, messages: 1}, // in other regions nothing is read either
		{event: "PutDataProtectionPolicy.foreign-topic.json", attack: echo},
		{event: "DisableRegion.opted-in.json", attack: echo, perRun: 1, calls: 2, messages: 1},
		{event: "UpdateEventBus.default.json", attack: echo, messages: 1},
		{event: "UpdateEventBus.foreign.json", attack: echo},
		{event: "StartMessageMoveTask.ours.json", attack: echo, calls: 3, messages: 1}, // as PurgeQueue
		{event: "StartMessageMoveTask.foreign.json", attack: echo},
		{event: "SetStackPolicy.foreign.json", attack: echo},

		{event: "DeleteTopic.foreign.json", attack: echo},
		{event: "SetTopicAttributes.foreign.json", attack: echo},
		{event: "RemovePermission.foreign.json", attack: echo},
		{event: "Unsubscribe.foreign.json", attack: echo},
		{event: "SetSubscriptionAttributes.foreign.json", attack: echo},
		{event: "CreateLogGroup.foreign.json", attack: echo, calls: 2, perRun: 1},
		{event: "DeleteLogGroup.foreign.json", attack: harms["DeleteLogGroup.foreign.json"], calls: 2, perRun: 1},
		{event: "PutRetentionPolicy.foreign.json", attack: harms["PutRetentionPolicy.foreign.json"], calls: 2, perRun: 1},
		{event: "PutMetricFilter.foreign.json", attack: echo, calls: 1, perRun: 1},
		{event: "DeleteMetricFilter.foreign.json", attack: echo, calls: 1, perRun: 1},
		{event: "PutMetricAlarm.foreign.json", attack: harms["PutMetricAlarm.foreign.json"], calls: 1, perRun: 1},
		{event: "DeleteAlarms.foreign.json", attack: harms["DeleteAlarms.foreign.json"], calls: 1, perRun: 1},
		{event: "DisableAlarmActions.foreign.json", attack: harms["DisableAlarmActions.foreign.json"], calls: 1, perRun: 1},
		{event: "AlarmChange.foreign.json", attack: harms["AlarmChange.foreign.json"], calls: 1, perRun: 1},
		{event: "PutRolePolicy.trail-role.json", attack: harms["PutRolePolicy.trail-role.json"], calls: 4, messages: 1},
		{event: "CreatePolicyVersion.trail-role.json", attack: harms["CreatePolicyVersion.trail-role.json"], calls: 6, messages: 1},
		{event: "UpdateFunctionCode20150331v2.ours.json", attack: echo, messages: 1},
		{event: "UpdateFunctionCode20150331v2.foreign.json", attack: echo},
		{event: "DeleteQueue.ours.json", attack: echo, calls: 3, messages: 1},
		{event: "SetQueueAttributes.ours.json", attack: guardHarms["SetQueueAttributes.ours.json"], calls: 7, messages: 1},
		{event: "SetQueueAttributes.foreign.json", attack: echo},
		{event: "DisableRule.forwarder.json", attack: guardHarms["DisableRule.forwarder.json"], calls: 9, messages: 1},
		{event: "SetQueueAttributes.forwarder.json", attack: guardHarms["SetQueueAttributes.forwarder.json"], calls: 9, messages: 1},
		{event: "PurgeQueue.foreign.json", attack: echo},
		{event: "UpdateEventSourceMapping20150331.ours.json", attack: guardHarms["UpdateEventSourceMapping20150331.ours.json"], calls: 5, messages: 1},
		{event: "UpdateEventSourceMapping20150331.foreign.json", attack: echo},
		{event: "CreateEventSourceMapping20150331.foreign.json", attack: echo},
		{event: "DeleteRole.foreign.json", attack: echo, calls: 1, perRun: 1},
		{event: "PutRolePolicy.foreign.json", attack: echo, calls: 1, perRun: 1},
		{event: "AttachRolePolicy.foreign.json", attack: echo, calls: 1, perRun: 1},
		{event: "UpdateAssumeRolePolicy.foreign.json", attack: echo, calls: 1, perRun: 1},
		{event: "PutRolePermissionsBoundary.foreign.json", attack: echo, calls: 1, perRun: 1},
		{event: "CreatePolicyVersion.foreign.json", attack: echo, calls: 2, perRun: 1},
		{event: "SetDefaultPolicyVersion.foreign.json", attack: echo, calls: 2, perRun: 1},
	}
	for _, tt := range tests {
		t.Run(tt.event, func(t *testing.T) {
			w := healthy(t, "")
			for i := range 60 { // no budget grows with the account
				w.AddVPC(home, fmt.Sprintf("vpc-%08x", 0xf00+i))
				w.createGroup(home, fmt.Sprintf("/aws/lambda/function-%d", i))
			}
			w.PageSize(0)
			w.sweep(app.Request{})
			tt.attack.do(w)
			told, before := len(w.Messages()), w.Calls()
			for _, k := range catalog.Kinds() {
				mine := w.Calls()
				if _, err := w.app(catalog.Function(k)).HandleEvent(t.Context(), events.Read(tt.event)); err != nil {
					t.Error(err)
				}
				if n := w.Calls().Since(mine).Total("Publish", "PutEvents"); tt.perRun > 0 && n > tt.perRun {
					t.Errorf("%s: %v, want at most %d", k, w.Calls().Since(mine), tt.perRun)
				}
			}
			used := w.Calls().Since(before)
			if n := used.Total("Publish", "PutEvents"); n > tt.calls {
				t.Errorf("%d calls %v, want at most %d", n, used, tt.calls)
			}
			if got := len(w.Messages()) - told; got != tt.messages {
				t.Errorf("%d messages, want %d", got, tt.messages)
			}
		})
	}
}

// A backfill costs one paged read of VPCs, one of flow logs before and after the
// repair, and as few CreateFlowLogs calls as the API allows.
func TestBackfillBudget(t *testing.T) {
	t.Parallel()
	for _, vpcs := range []int{1, catalog.FlowLogsPerCall, catalog.FlowLogsPerCall + 1, 2100} {
		t.Run(fmt.Sprint(vpcs), func(t *testing.T) {
			w := deployed(t, "")
			w.createGroup(second, flowLogGroup)
			w.protect(second, flowLogGroup, true)
			for i := range vpcs - 1 { // and vpc-3
				w.AddVPC(second, fmt.Sprintf("vpc-%08x", i))
			}
			w.PageSize(0)
			before := w.Calls()
			s := w.sweep(app.Request{Kinds: []catalog.Kind{catalog.FlowLogs}, Regions: []string{second}})
			if s.Repaired != vpcs || s.Unrestored != 0 {
				t.Errorf("repaired %d, left %d; want %d, 0", s.Repaired, s.Unrestored, vpcs)
			}
			used := w.Calls().Since(before)
			pages := (vpcs + 999) / 1000
			creates := (vpcs + catalog.FlowLogsPerCall - 1) / catalog.FlowLogsPerCall
			if used["CreateFlowLogs"] != creates || used["DescribeVpcs"] != pages || used["DescribeFlowLogs"] != 1+pages {
				t.Errorf("calls %v, want %d CreateFlowLogs and %d pages of VPCs, once", used, creates, pages)
			}
			if s := w.sweep(app.Request{}); s.Unrestored != 0 {
				t.Errorf("second sweep left %d", s.Unrestored)
			}
		})
	}
}

// A VPC that is deleted while a sweep protects it needs no flow log any more: the check
// after the repair, which does not list VPCs, lists them if something is missing.
func TestVPCGoesDuringBackfill(t *testing.T) {
	t.Parallel()
	w := healthy(t, "")
	w.PageSize(0)
	w.AddVPC(home, "vpc-9", "vpc-a")
	w.Watch = func(c awstest.Call) {
		if c.Op == "CreateFlowLogs" {
			must(w.EC2.DeleteVpc(t.Context(), &ec2.DeleteVpcInput{VpcId: aws.String("vpc-9")}))
		}
	}
	before := w.Calls()
	s := w.sweep(app.Request{Kinds: []catalog.Kind{catalog.FlowLogs}, Regions: []string{home}})
	if used := w.Calls().Since(before); s.Unrestored != 0 || used["DescribeVpcs"] != 2 {
		t.Errorf("left %d: %v; %d DescribeVpcs, want 2", s.Unrestored, unrestored(s), used["DescribeVpcs"])
	}
}

// A sweep that finds everything healthy in an account of one region makes fewer than
// 60 calls, whatever is switched on. What it has to look at costs more calls only for
// more of these: subscribers, keys, topics and log groups of others, and the alarm on
// rejected traffic.
func TestSweepBudget(t *testing.T) {
	t.Parallel()
	const most = 59
	both := `"lastResort":{"subscribers":[{"protocol":"sqs","endpoint":"arn:aws:sqs:us-east-1:111122223333:last"}]}`
	for name, tt := range map[string]struct {
		config string
		others bool // others' filter, alarm and flow log are adopted
	}{
		"the defaults":        {config: `{` + both + `}`},
		"an alarm on traffic": {config: `{"flowLogs":{"rejectAlarm":{}},` + both + `}`}, // two calls more: its filter and itself
		"everything": {
			config: `{"alarms":{"removeMutes":true},"flowLogs":{"exemptByTag":true},"kmsKeys":{"us-east-1":"arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"},` + both + `}`,
			others: true, // four calls more: two for the key, one for the log group, one for the values that an alarm sums up
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := deployed(t, tt.config)
			w.AddRegion(second, "not-opted-in")
			w.config.Regions = nil
			w.withLastResort()
			if tt.others {
				c := catalog.Controls()[0]
				w.putFilter(trailGroup, filterOf("theirs", c.Pattern, "theirs", "calls"))
				w.putAlarm(alarmOn("theirs", "theirs", "calls", w.topic))
				w.createGroup(home, theirGroup)
				w.putRetention(home, theirGroup, 365)
				w.createFlowLog(home, "vpc-1", "ALL", theirGroup)
			}
			w.PageSize(0)
			w.sweep(app.Request{})
			w.anHour()
			w.sweep(app.Request{})
			before, writes := w.Calls(), len(w.Writes())
			s := w.sweep(app.Request{})
			used := w.Calls().Since(before)
			if n := used.Total(); n > most {
				t.Errorf("%d calls %v, want at most %d", n, used, most)
			}
			if s.Planned != 0 || s.Findings != 0 || len(w.Writes()) != writes || !slices.Equal(s.Regions, []string{home}) {
				t.Errorf("not converged: %+v, writes %v", s, w.Writes()[writes:])
			}
			for _, k := range catalog.Kinds() {
				if !slices.ContainsFunc(s.Reports, func(r report.View) bool { return strings.Contains(r.Scope, string(k)) }) {
					t.Errorf("no report on %s", k)
				}
			}
			for _, op := range []string{"GetParameterHistory", "DescribeStacks", "ListRules", "GetSchedule"} {
				if used[op] == 0 {
					t.Errorf("no %s: %v", op, used)
				}
			}
			if got := used["GetMetricData"] > 0; got != tt.others {
				t.Errorf("it looks for negative values: %t, want %t", got, tt.others)
			}
		})
	}
}

// relight's own writes come back as events, and those events lead to no write.
func TestEcho(t *testing.T) {
	t.Parallel()
	w := healthy(t, "")
	w.deleteGroup(home, trailGroup)
	w.deleteAlarms(ours()...)
	w.deleteTopic()
	w.send(events.Read("DeleteTopic.ours.json"), true)
	w.send(events.Read("DeleteLogGroup.trail.json"), true)
	w.send(events.Read("DeleteAlarms.all.json"), true)
	w.updateTrail(stripped)
	w.send(events.Read("UpdateTrail.stripped.json"), true)
	w.putSelectors("audit", cloudtrailtypes.EventSelector{ReadWriteType: "WriteOnly"})
	w.send(events.Read("PutEventSelectors.excluded.json"), true)
	roleDeleted.do(w)
	w.send(events.Read("DeleteRole.ours.json"), true)
	writes := len(w.Writes())
	for _, name := range []string{
		"UpdateTrail.echo.json", "PutEventSelectors.echo.json", "CreateLogGroup.echo.json", "PutRetentionPolicy.echo.json", "PutMetricFilter.echo.json", "PutMetricAlarm.echo.json", "AlarmChange.create.json",
		"PutRolePolicy.echo.json", "UpdateAssumeRolePolicy.echo.json",
		"SetTopicAttributes.echo.json", "SetSubscriptionAttributes.echo.json",
	} {
		if again, errs := w.send(events.Read(name), true); len(again)+len(errs) > 0 || len(w.Writes()) != writes {
			t.Errorf("%s: %v, %v, writes %v; want none", name, again, errs, w.Writes()[writes:])
		}
	}
}

// If the event about somebody else's alarm names only that alarm, relight still
// checks whether the alarm satisfied a control before it creates its own alarm.
func TestForeignHolderDeleted(t *testing.T) {
	t.Parallel()
	w := deployed(t, "")
	c := catalog.Controls()[0]
	w.putFilter(trailGroup, filterOf("their-filter", c.Pattern, "theirs", "calls"))
	w.putAlarm(alarmOn("their-alarm", "theirs", "calls", w.topic))
	w.sweep(app.Request{})
	if out := must(w.Logs.DescribeMetricFilters(t.Context(), &cloudwatchlogs.DescribeMetricFiltersInput{
		LogGroupName: aws.String(trailGroup), FilterNamePrefix: aws.String("relight-" + c.ID),
	})); len(out.MetricFilters) > 0 && *out.MetricFilters[0].FilterName == "relight-"+c.ID {
		t.Error("relight created a filter although another one satisfies the control")
	}
	if gaps := w.gaps(); len(gaps) > 0 {
		t.Fatalf("not protected: %v", gaps)
	}
	w.deleteAlarms("their-alarm")
	raw := []byte(`{"id":"e","detail-type":"AWS API Call via CloudTrail","source":"aws.monitoring","account":"111122223333","region":"us-east-1",
		"detail":{"eventName":"DeleteAlarms","requestParameters":{"alarmNames":["their-alarm"]}}}`)
	if _, errs := w.send(raw, false); len(errs) > 0 {
		t.Error(errs)
	}
	if gaps := w.gaps(); len(gaps) > 0 {
		t.Errorf("not protected: %v", gaps)
	}
	if s := w.sweep(app.Request{}); s.Planned != 0 {
		t.Errorf("a sweep afterwards plans %d actions: %+v", s.Planned, s)
	}
}
