package app_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	lambdaevents "github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"

	"github.com/relight-aws/relight/events"
	"github.com/relight-aws/relight/internal/app"
	"github.com/relight-aws/relight/internal/awsio"
	"github.com/relight-aws/relight/internal/awstest"
	"github.com/relight-aws/relight/internal/catalog"
)

// The test checks what a failed CreateFlowLogs call does to the account, to the
// message behind it and to the next delivery of that message.
func TestCreateFlowLogsFaults(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		fail    []string // error codes of the first CreateFlowLogs calls
		refuse  []string // error codes for vpc-1 inside successful replies
		deny    bool
		again   bool   // the message must be delivered again
		healed  bool   // after the first delivery
		retried bool   // healed after the second delivery
		text    string // in the report
	}{
		{name: "throttled", fail: []string{"RequestLimitExceeded"}, again: true, retried: true, text: "RequestLimitExceeded"},
		{name: "server error", fail: []string{"InternalError"}, again: true, retried: true},
		{name: "unheard-of", fail: []string{"SomethingNew"}, again: true, retried: true, text: "SomethingNew"},
		{name: "role spreads", fail: slices.Repeat([]string{awstest.AssumeRole}, 4), healed: true},
		{name: "role spreads for long", fail: slices.Repeat([]string{awstest.AssumeRole}, 5), again: true, retried: true, text: "Unable to assume"},
		{name: "role spreads, in-band", refuse: []string{awstest.AssumeRole}, again: true, retried: true},
		{name: "throttled, in-band", refuse: []string{"RequestLimitExceeded"}, again: true, retried: true},
		{name: "denied", deny: true, text: "(allow ec2:CreateFlowLogs "},
		{name: "quota, in-band", refuse: []string{"FlowLogsLimitExceeded"}, text: "delete one"},
		{name: "destination, in-band", refuse: []string{"LogDestinationPermissionIssueException"}, text: "LogDestinationPermissionIssueException"},
		{name: "a status for a code, in-band", refuse: []string{"400"}, text: "400"},
		{name: "bad parameter", fail: []string{"InvalidParameter"}, text: "InvalidParameter"},
		{name: "a duplicate that EC2 does not show", refuse: []string{"FlowLogAlreadyExists"}, again: true, retried: true, text: "FlowLogAlreadyExists"},
		{name: "quota, for the call", fail: []string{"FlowLogsLimitExceeded", "FlowLogsLimitExceeded"}, text: "delete one"},
		{name: "not there yet, in-band", refuse: []string{"InvalidVpcID.NotFound"}, healed: true},
		{name: "not there yet", fail: []string{"InvalidVpcID.NotFound"}, healed: true},
		{name: "not there for long", refuse: slices.Repeat([]string{"InvalidVpcID.NotFound"}, 4), again: true, retried: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := healthy(t, "")
			w.deleteFlowLogs(home, "vpc-1", "vpc-2")
			w.Fail("CreateFlowLogs", tt.fail...)
			w.Refuse("vpc-1", tt.refuse...)
			if tt.deny {
				w.Deny("CreateFlowLogs")
			}
			again, errs := w.send(events.Read("DeleteFlowLogs.several.json"), true)
			if len(errs) > 0 || tt.again != slices.Equal(again, []string{"m-0"}) {
				t.Errorf("again %v, %v; want again: %t", again, errs, tt.again)
			}
			if got := len(w.FlowLogs(home, "vpc-1")) == 1; got != tt.healed {
				t.Errorf("healed at first: %t, want %t", got, tt.healed)
			}
			if len(tt.refuse) > 0 && len(w.FlowLogs(home, "vpc-2")) != 1 {
				t.Error("vpc-2 was not healed: one VPC that EC2 rejects must not keep the others from being healed")
			}
			if !strings.Contains(w.log.String(), tt.text) {
				t.Errorf("%q is not in the log:\n%s", tt.text, w.log.String())
			}
			if tt.again {
				w.send(events.Read("DeleteFlowLogs.several.json"), true)
				if got := len(w.gaps()) == 0; got != tt.retried {
					t.Errorf("healed by the second delivery: %t, want %t", got, tt.retried)
				}
			}
		})
	}
}

// If both slots are taken by flow logs that do not satisfy the policy, only a
// person can make room, and the notification says so.
func TestFlowLogSlotsTaken(t *testing.T) {
	t.Parallel()
	w := healthy(t, "")
	w.deleteFlowLogs(home, "vpc-1")
	w.createFlowLog(home, "vpc-1", "ACCEPT", "theirs")
	w.createFlowLog(home, "vpc-1", "ACCEPT", "theirs-too")
	before, told := w.State(), len(w.Messages())
	again, errs := w.send(events.Read("DeleteFlowLogs.one.json"), true)
	if len(again)+len(errs) > 0 {
		t.Errorf("failed: %v, %v; want no second delivery, because it cannot help", again, errs)
	}
	if diff := cmp.Diff(before, w.State()); diff != "" {
		t.Errorf("changed (-before +after):\n%s", diff)
	}
	if m := w.Messages()[told:]; len(m) != 1 || !strings.Contains(m[0].Text, "FlowLogsLimitExceeded") || !strings.Contains(m[0].Text, "delete one") {
		t.Errorf("messages %+v, want one that says what to do", m)
	}
}

// EC2's reads lag its writes, so a VPC that an event names may become visible
// later.
func TestLateVPC(t *testing.T) {
	t.Parallel()
	for _, reads := range []int{1, 2, 3} {
		w := healthy(t, "")
		w.Lag(reads)
		w.AddVPC(home, "vpc-0a1b2c3d4e5f60001")
		w.Lag(0)
		w.send(events.Read("CreateVpc.default.json"), true)
		if gaps := w.gaps(); len(gaps) > 0 {
			t.Errorf("shown after %d reads: not protected: %v", reads, gaps)
		}
	}
}

// The checks after a repair may still see the account as it was before the
// repair. relight reports that and does not repeat the repair.
func TestLaggingVerification(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := healthy(t, "")
		w.deleteAlarms(rootUsage)
		w.Lag(2)
		again, errs := w.send(events.Read("DeleteAlarms.one.json"), true)
		w.Lag(0)
		if len(again)+len(errs) > 0 {
			t.Errorf("failed: %v, %v", again, errs)
		}
		if gaps := w.gaps(); len(gaps) > 0 {
			t.Errorf("not protected: %v", gaps)
		}
		if !strings.Contains(w.log.String(), `"remaining":1`) {
			t.Error("the log does not have what the second check still found")
		}
	})
}

// Unread is not empty: a run that could not read everything writes nothing.
func TestFailedReads(t *testing.T) {
	t.Parallel()
	reads := map[catalog.Kind][]string{
		catalog.FlowLogs:  {"DescribeVpcs", "DescribeFlowLogs", "DescribeLogGroups"},
		catalog.LogGroups: {"DescribeTrails", "DescribeLogGroups", "DescribeMetricFilters"},
		catalog.Alarms:    {"DescribeTrails", "DescribeMetricFilters", "DescribeAlarms", "GetTopicAttributes", "DescribeKey", "GetKeyPolicy", "ListSubscriptionsByTopic", "GetSubscriptionAttributes"},
	}
	paged := []string{"DescribeVpcs", "DescribeFlowLogs", "DescribeMetricFilters", "DescribeAlarms"}
	for kind, ops := range reads {
		for _, op := range ops {
			for page, codes := range [][]string{{"Throttling"}, {"", "Throttling"}} {
				if page == 1 && !slices.Contains(paged, op) {
					continue
				}
				w := healthy(t, "")
				w.AddVPC(home, "vpc-8", "vpc-9")
				w.createFlowLog(home, "vpc-8", "ALL", "theirs")
				w.createFlowLog(home, "vpc-9", "ALL", "theirs") // a second page, on which vpc-1 has no flow log
				w.createGroup(home, "theirs")
				w.deleteFlowLogs(home, "vpc-1")
				w.deleteAlarms(rootUsage)
				filterDeleted(rootUsage).do(w)
				if kind == catalog.Alarms { // an alarm whose topic decides, and one that is restored if everything is read
					root := catalog.Controls()[slices.IndexFunc(catalog.Controls(), func(c catalog.Control) bool { return c.ID == "root-usage" })]
					topic := w.AddTopic(home, "theirs", 1)
					encrypt(nil)(w, topic)
					w.putFilter(trailGroup, filterOf("their-filter", root.Pattern, "theirs", "root"))
					w.putAlarm(alarmOn("their-alarm", "theirs", "root", topic))
					w.deleteAlarms("relight-nacl-changes")
				}
				w.Fail(op, codes...)
				before := w.State()
				s := w.sweep(app.Request{Kinds: []catalog.Kind{kind}, Regions: []string{home}})
				if diff := cmp.Diff(before, w.State()); diff != "" {
					t.Errorf("%s: %s failed on page %d, but the run wrote (-before +after):\n%s", kind, op, page+1, diff)
				}
				if s.Unrestored == 0 || !strings.Contains(s.Reports[0].Error, op) {
					t.Errorf("%s: %s failed on page %d, and the report has %q", kind, op, page+1, s.Reports[0].Error)
				}
			}
		}
	}
}

// relight does not repeat a call that AWS denied. Its report says which
// permission to allow.
func TestDenied(t *testing.T) {
	t.Parallel()
	tests := []struct {
		op, event string
	}{
		{"PutMetricAlarm", "DeleteAlarms.one.json"},
		{"PutMetricFilter", "DeleteMetricFilter.ours.json"},
		{"CreateLogGroup", "DeleteLogGroup.trail.json"},
		{"PutRetentionPolicy", "PutRetentionPolicy.shortened.json"},
		{"DescribeAlarms", "DeleteAlarms.one.json"},
		{"DescribeTrails", "DeleteMetricFilter.ours.json"},
		{"DescribeVpcs", "DeleteFlowLogs.one.json"},
	}
	for _, tt := range tests {
		t.Run(tt.op, func(t *testing.T) {
			w := healthy(t, "")
			harms[tt.event].do(w)
			w.Deny(tt.op)
			told := len(w.Messages())
			again, errs := w.send(events.Read(tt.event), true)
			if len(again)+len(errs) > 0 {
				t.Errorf("failed: %v, %v; want no second delivery, because it cannot help", again, errs)
			}
			m := w.Messages()[told:]
			if len(m) != 1 || !strings.Contains(m[0].Text, ":"+tt.op+" ") {
				t.Errorf("messages %+v, want one that says what to allow", m)
			}
			w.Allow(tt.op)
			w.sweep(app.Request{})
			if gaps := w.gaps(); len(gaps) > 0 {
				t.Errorf("not protected after the next sweep: %v", gaps)
			}
		})
	}
}

// A conflict between changes to one log group passes: the run tries again, and if
// that is not enough, the message is delivered again.
func TestAborted(t *testing.T) {
	t.Parallel()
	for conflicts, again := range map[int][]string{1: nil, 4: nil, 5: {"m-0"}} {
		w := healthy(t, "")
		w.deleteGroup(home, trailGroup)
		w.Fail("PutMetricFilter", slices.Concat([]string{""}, slices.Repeat([]string{"OperationAbortedException"}, conflicts))...)
		if got, _ := w.send(events.Read("DeleteLogGroup.trail.json"), true); !slices.Equal(got, again) {
			t.Errorf("%d conflicts: again %v, want %v", conflicts, got, again)
		}
		if len(again) > 0 {
			w.send(events.Read("DeleteLogGroup.trail.json"), true)
		}
		if gaps := w.gaps(); len(gaps) > 0 {
			t.Errorf("%d conflicts: not protected: %v", conflicts, gaps)
		}
	}
}

// An intruder may provoke every error that passes by itself in every call. A
// function's run still ends well before its time does, and reports what it could
// not do.
func TestProvokedErrors(t *testing.T) {
	t.Parallel()
	const timeout = time.Minute // of a function; infra/stack/function.go
	attacks := map[string]string{
		"DeleteLogGroup.trail.json": "loggroups", "UpdateTrail.stripped.json": "trails", "DeleteTrail.arn.json": "trails", "DeleteRole.ours.json": "deliveryroles",
		"DeleteTopic.ours.json": "topics", "DeleteFlowLogs.several.json": "flowlogs", "DeleteAlarms.all.json": "alarms",
	}
	faults := map[string][]string{
		"OperationAbortedException": {"CreateLogGroup", "PutRetentionPolicy", "PutMetricFilter", "PutLogGroupDeletionProtection"},
		"ConflictException":         {"CreateTrail", "UpdateTrail", "StartLogging", "PutEventSelectors"},
		"ConcurrentModification":    {"CreateRole", "PutRolePolicy", "TagRole"},
		"Throttled":                 {"CreateTopic", "SetTopicAttributes", "Subscribe", "GetTopicAttributes", "ListSubscriptionsByTopic"},
		awstest.AssumeRole:          {"CreateFlowLogs"},
	}
	for event, function := range attacks {
		for _, passes := range []int{1000, 4} { // never, and each time just before the run gives up
			t.Run(fmt.Sprintf("%s, after %d", event, passes), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					w := healthy(t, "")
					w.PageSize(0)
					w.pace = &awsio.Pace{}
					harms[event].do(w)
					for code, ops := range faults {
						for _, op := range ops {
							w.Fail(op, slices.Concat(slices.Repeat(slices.Concat(slices.Repeat([]string{code}, passes), []string{""}), 40))...)
						}
					}
					ctx, cancel := context.WithTimeout(t.Context(), timeout)
					defer cancel()
					begin := time.Now()
					if _, err := w.app(catalog.Function(function)).HandleEvent(ctx, batch(events.Read(event))); err != nil {
						t.Error(err)
					}
					if took := time.Since(begin); took > timeout-10*time.Second {
						t.Errorf("took %v of %v", took, timeout)
					}
				})
			})
		}
	}
}

// relight handles each message of a batch separately: only the unreadable ones
// fail, those that ask for nothing are dropped, and the others are restored.
func TestPartialBatch(t *testing.T) {
	t.Parallel()
	w := healthy(t, "")
	w.deleteFlowLogs(home, "vpc-1")
	res, err := w.app("flowlogs").HandleEvent(t.Context(), batch(
		events.Read("Malformed.truncated.json"),
		events.Read("DeleteFlowLogs.one.json"),
		events.Read("CreateVpc.other-account.json"),
		events.Read("CreateVpc.refused.json"),
		events.Read("Unknown.call.json"),
		events.Read("Malformed.no-account.json"),
	))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"m-0", "m-5"}, failures(res)); diff != "" {
		t.Errorf("failed messages (-want +got):\n%s", diff)
	}
	if gaps := w.gaps(); len(gaps) > 0 {
		t.Errorf("not protected: %v", gaps)
	}
}

// A transient failure fails the messages behind it and no others.
func TestTransientFailureInBatch(t *testing.T) {
	t.Parallel()
	w := healthy(t, "")
	w.AddVPC(home, "vpc-0a1b2c3d4e5f60001")
	w.AddVPC(second, "vpc-0a1b2c3d4e5f60002")
	w.Refuse("vpc-0a1b2c3d4e5f60002", "RequestLimitExceeded")
	res, err := w.app("flowlogs").HandleEvent(t.Context(), batch(
		events.Read("CreateVpc.default.json"), events.Read("CreateVpc.second-region.json"),
	))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"m-1"}, failures(res)); diff != "" {
		t.Errorf("failed messages (-want +got):\n%s", diff)
	}
}

// A burst of events collapses into one check of each scope.
func TestStorm(t *testing.T) {
	t.Parallel()
	w := healthy(t, "")
	w.deleteAlarms(ours()...)
	w.PageSize(0)
	before := w.Calls()
	bodies := slices.Repeat([][]byte{events.Read("DeleteAlarms.all.json")}, 9)
	if _, err := w.app("alarms").HandleEvent(t.Context(), batch(bodies...)); err != nil {
		t.Error(err)
	}
	most := len(catalog.Controls()) + 2
	if used := w.Calls().Since(before); used.Total("Publish", "PutEvents") > most || used["Publish"] != 1 {
		t.Errorf("calls %v, want at most %d and one message", used, most)
	}
}

// A notification that could not be sent must not undo the repair.
func TestUntold(t *testing.T) {
	t.Parallel()
	w := healthy(t, "")
	w.deleteAlarms(rootUsage)
	w.Deny("Publish")
	again, errs := w.send(events.Read("DeleteAlarms.one.json"), true)
	if len(again)+len(errs) > 0 {
		t.Errorf("failed: %v, %v", again, errs)
	}
	if gaps := w.gaps(); len(gaps) > 0 {
		t.Errorf("not protected: %v", gaps)
	}
	if !strings.Contains(w.log.String(), "AuthorizationError") {
		t.Error("the log does not say that nobody was notified")
	}
}

// A run that runs out of time fails its messages, so that they are delivered
// again.
func TestOutOfTime(t *testing.T) {
	t.Parallel()
	w := healthy(t, "")
	w.deleteAlarms(rootUsage)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	res, err := w.app("alarms").HandleEvent(ctx, batch(events.Read("DeleteAlarms.one.json")))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"m-0"}, failures(res)); diff != "" {
		t.Errorf("failed messages (-want +got):\n%s", diff)
	}
}

func failures(res any) []string {
	var ids []string
	for _, f := range res.(lambdaevents.SQSEventResponse).BatchItemFailures {
		ids = append(ids, f.ItemIdentifier)
	}
	return ids
}
