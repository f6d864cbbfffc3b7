package app_test

import (
	"flag"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cftypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	ebtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	schedulertypes "github.com/aws/aws-sdk-go-v2/service/scheduler/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/google/go-cmp/cmp"

	"github.com/relight-aws/relight/events"
	"github.com/relight-aws/relight/internal/app"
	"github.com/relight-aws/relight/internal/awstest"
	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/plan"
	"github.com/relight-aws/relight/internal/report"
)

// These are relight's schedule and one of its rules in the sample events.
const (
	sweepSchedule = "relight-sweep-0a1b2c3d"
	scheduleRole  = "arn:aws:iam::111122223333:role/relight-schedule"
	alarmsRule    = "relight-alarms-monitoring-calls"
	guardRule     = "relight-guard-events-calls" // hears of changes of rules
)

// addGuard makes what the stack has besides functions and their roles.
func (w *world) addGuard() {
	w.t.Helper()
	want := w.config.Desired(w.deployment(home))
	w.SetStack(home, cftypes.Stack{StackName: aws.String(want.StackName()), StackStatus: cftypes.StackStatusCreateComplete, CreationTime: aws.Time(w.now.Add(-5 * time.Minute))})
	w.AddBus(home, want.BusName())
	for _, f := range catalog.Functions() {
		w.AddFunction(home, want.FunctionName(f))
	}
	if want.Audit.On() {
		w.AddFunction(home, want.FunctionName(catalog.Auditor))
	}
	for _, group := range want.Parts(home, home).Logs {
		w.createGroup(home, group)
		w.putRetention(home, group, catalog.LogDays)
	}
	for _, region := range want.Forwarders(home) {
		w.setForwarder(region, cftypes.StackStatusCreateComplete, 4*time.Minute)
		w.addParts(region)
		w.addAlarms(region, want.OfForwarder(region, forwarderTopic))
	}
	w.addParts(home)
	for _, m := range want.Mappings(home) {
		w.mapQueue(m.Queue, want.FunctionName(m.Function))
	}
	w.putSchedule(sweepSchedule, nil)
	w.putSchedule(want.UnannouncedName(), nil)
	w.putSchedule(want.DigestName(), nil)
}

// addParts makes the queues and rules of the stack of a region.
func (w *world) addParts(region string) {
	w.t.Helper()
	want := w.config.Desired(w.deployment(home))
	parts := want.Parts(home, region)
	for _, q := range parts.Queues {
		attributes := plan.WantedQueue(want, q)
		maps.DeleteFunc(attributes, func(name, value string) bool { return value == "" || name == "MaximumMessageSize" })
		must(w.In(region).SQS.CreateQueue(w.t.Context(), &sqs.CreateQueueInput{QueueName: aws.String(q.Name), Attributes: attributes}))
	}
	for _, r := range parts.Rules {
		w.putRule(r)
		w.putTarget(r, nil)
	}
}

// of returns the clients of the region that has a rule.
func (w *world) of(r catalog.Rule) awstest.Clients {
	if r.Forwarder == "" {
		return w.In(home)
	}
	return w.In(r.Forwarder)
}

// mapQueue passes the messages of a queue to a function, as the stack does.
func (w *world) mapQueue(queue, function string) {
	w.t.Helper()
	must(w.Lambda.CreateEventSourceMapping(w.t.Context(), &lambda.CreateEventSourceMappingInput{
		EventSourceArn: aws.String("arn:aws:sqs:us-east-1:111122223333:" + queue), FunctionName: aws.String(function),
		BatchSize: aws.Int32(catalog.BatchSize), MaximumBatchingWindowInSeconds: aws.Int32(catalog.BatchSeconds),
		ScalingConfig: &lambdatypes.ScalingConfig{MaximumConcurrency: aws.Int32(catalog.BatchesAtOnce)}, FunctionResponseTypes: []lambdatypes.FunctionResponseType{catalog.PartialFailures},
	}))
}

// remap changes the mapping of a queue.
func (w *world) remap(queue string, change func(*lambda.UpdateEventSourceMappingInput)) {
	w.t.Helper()
	in := &lambda.UpdateEventSourceMappingInput{UUID: aws.String(w.MappingsOf(home, queue)[0])}
	change(in)
	must(w.Lambda.UpdateEventSourceMapping(w.t.Context(), in))
}

func (w *world) unmap(queue string) {
	w.t.Helper()
	must(w.Lambda.DeleteEventSourceMapping(w.t.Context(), &lambda.DeleteEventSourceMappingInput{UUID: aws.String(w.MappingsOf(home, queue)[0])}))
}

// changeQueue changes attributes of a queue.
func (w *world) changeQueue(name string, attributes map[string]string) {
	w.t.Helper()
	must(w.SQS.SetQueueAttributes(w.t.Context(), &sqs.SetQueueAttributesInput{QueueUrl: aws.String(queueURL + name), Attributes: attributes}))
}

const (
	alarmsLogs = "/aws/lambda/relight-alarms"

	queueURL = "https://sqs.us-east-1.amazonaws.com/111122223333/"

	// openQueue is a policy that lets everybody read the alarms' queue, and shuts the rules out.
	openQueue = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"sqs:*","Resource":"arn:aws:sqs:us-east-1:111122223333:relight-alarms"}]}`
)

// tapped is the mapping that tapQueue makes, in the account's state.
const tapped = home + " mapping arn:aws:sqs:us-east-1:111122223333:relight-alarms arn:aws:lambda:us-east-1:111122223333:function:spare"

// tapQueue lets an intruder's function read a queue, beside relight's own function or
// instead of it.
func (w *world) tapQueue(queue string, instead bool) {
	w.AddFunction(home, "spare")
	if instead {
		w.remap(queue, func(in *lambda.UpdateEventSourceMappingInput) { in.FunctionName = aws.String("spare") })
	} else {
		w.mapQueue(queue, "spare")
	}
}

func deaf(in *lambda.UpdateEventSourceMappingInput) { in.Enabled = aws.Bool(false) }

func bus(name string) *string {
	if name == "" {
		return nil
	}
	return aws.String(name)
}

func (w *world) putRule(r catalog.Rule) {
	w.t.Helper()
	must(w.of(r).EventBridge.PutRule(w.t.Context(), &eventbridge.PutRuleInput{
		Name: aws.String(r.Name), EventBusName: bus(r.Bus), EventPattern: aws.String(r.Pattern.String()), Description: aws.String(r.Description()),
	}))
}

// putTarget points a rule at its queue, with a change.
func (w *world) putTarget(r catalog.Rule, change func(*ebtypes.Target)) {
	w.t.Helper()
	t := plan.WantedTarget(w.config.Desired(w.deployment(home)), r)
	target := ebtypes.Target{
		Id: aws.String(t.ID), Arn: aws.String(t.ARN), RoleArn: bus(t.Role), DeadLetterConfig: &ebtypes.DeadLetterConfig{Arn: aws.String(t.DeadLetters)},
	}
	if r.Forwarder == "" {
		target.RetryPolicy = &ebtypes.RetryPolicy{MaximumEventAgeInSeconds: aws.Int32(int32(t.Age)), MaximumRetryAttempts: aws.Int32(int32(t.Retries))}
	}
	if change != nil {
		change(&target)
	}
	must(w.of(r).EventBridge.PutTargets(w.t.Context(), &eventbridge.PutTargetsInput{Rule: aws.String(r.Name), EventBusName: bus(r.Bus), Targets: []ebtypes.Target{target}}))
}

// putSchedule makes a schedule of the sweep, or changes it.
func (w *world) putSchedule(name string, change func(*scheduler.UpdateScheduleInput)) {
	w.t.Helper()
	s := plan.WantedSchedules(w.config.Desired(w.deployment(home)))[name]
	in := &scheduler.UpdateScheduleInput{
		Name: aws.String(name), ScheduleExpression: aws.String(s.Expression), State: schedulertypes.ScheduleStateEnabled, Description: aws.String(s.Description),
		FlexibleTimeWindow: &schedulertypes.FlexibleTimeWindow{Mode: schedulertypes.FlexibleTimeWindowModeOff},
		Target: &schedulertypes.Target{
			Arn: aws.String(s.Target), RoleArn: aws.String(s.Role), Input: aws.String(s.Input),
			DeadLetterConfig: &schedulertypes.DeadLetterConfig{Arn: aws.String(s.DeadLetters)},
			RetryPolicy: &schedulertypes.RetryPolicy{
				MaximumEventAgeInSeconds: aws.Int32(int32(s.Age)), MaximumRetryAttempts: aws.Int32(int32(s.Retries)),
			},
		},
	}
	if s.Window > 0 {
		in.FlexibleTimeWindow = &schedulertypes.FlexibleTimeWindow{Mode: schedulertypes.FlexibleTimeWindowModeFlexible, MaximumWindowInMinutes: aws.Int32(int32(s.Window))}
	}
	if change == nil {
		must(w.Scheduler.CreateSchedule(w.t.Context(), &scheduler.CreateScheduleInput{
			Name: in.Name, ScheduleExpression: in.ScheduleExpression, State: in.State, Description: in.Description,
			FlexibleTimeWindow: in.FlexibleTimeWindow, Target: in.Target,
		}))
		return
	}
	change(in)
	must(w.Scheduler.UpdateSchedule(w.t.Context(), in))
}

// rule returns a rule of the stack on the default bus by its name.
func (w *world) rule(name string) catalog.Rule {
	w.t.Helper()
	rules := w.config.Baseline().Rules(home)
	i := slices.IndexFunc(rules, func(r catalog.Rule) bool { return r.Name == name && r.Bus == "" })
	if i < 0 {
		w.t.Fatalf("the stack has no rule %s", name)
	}
	return rules[i]
}

func (w *world) disableRule(name string) {
	must(w.EventBridge.DisableRule(w.t.Context(), &eventbridge.DisableRuleInput{Name: aws.String(name)}))
}

func (w *world) removeTarget(name string) {
	must(w.EventBridge.RemoveTargets(w.t.Context(), &eventbridge.RemoveTargetsInput{Rule: aws.String(name), Ids: []string{catalog.TargetID}}))
}

func (w *world) deleteRule(name string) {
	w.removeTarget(name)
	must(w.EventBridge.DeleteRule(w.t.Context(), &eventbridge.DeleteRuleInput{Name: aws.String(name)}))
}

// limit stops a function.
func (w *world) limit(function string) {
	must(w.Lambda.PutFunctionConcurrency(w.t.Context(), &lambda.PutFunctionConcurrencyInput{FunctionName: aws.String(function), ReservedConcurrentExecutions: aws.Int32(0)}))
}

func (w *world) deleteSchedule() { w.removeSchedule(sweepSchedule) }

func (w *world) removeSchedule(name string) {
	must(w.Scheduler.DeleteSchedule(w.t.Context(), &scheduler.DeleteScheduleInput{Name: aws.String(name)}))
}

// guardHarms are the attacks of the samples that are about relight's own stack.
var guardHarms = map[string]attack{
	"DisableRule.ours.json":   {do: func(w *world) { w.disableRule(alarmsRule) }},
	"DeleteRule.ours.json":    {do: func(w *world) { w.deleteRule(alarmsRule) }},
	"RemoveTargets.ours.json": {do: func(w *world) { w.removeTarget(alarmsRule) }},
	"PutRule.ours.json": {do: func(w *world) {
		r := w.rule(alarmsRule)
		r.Pattern.Detail = &catalog.Detail{EventName: []string{"NoSuchCall"}, ErrorCode: r.Pattern.Detail.ErrorCode}
		w.putRule(r)
	}},
	"PutTargets.ours.json": {do: func(w *world) {
		w.putTarget(w.rule(alarmsRule), func(t *ebtypes.Target) { t.Arn = aws.String("arn:aws:sqs:us-east-1:111122223333:elsewhere") })
	}},
	"UpdateSchedule.ours.json": {do: func(w *world) {
		w.putSchedule(sweepSchedule, func(in *scheduler.UpdateScheduleInput) { in.State = schedulertypes.ScheduleStateDisabled })
	}},
	"DeleteSchedule.ours.json": {do: (*world).deleteSchedule},

	"DisableRule.forwarder.json":        {do: func(w *world) { w.disableForwarding(forwardRule) }},
	"RemoveTargets.forwarder.json":      {do: func(w *world) { w.stopForwarding(forwardRule) }},
	"SetQueueAttributes.forwarder.json": {do: func(w *world) { w.changeForwarderQueue(map[string]string{"MessageRetentionPeriod": "60"}) }},

	"DeleteLogGroup.function.json":     {do: func(w *world) { w.deleteGroup(home, alarmsLogs) }},
	"PutRetentionPolicy.function.json": {do: func(w *world) { w.putRetention(home, alarmsLogs, 1) }},

	"SetQueueAttributes.ours.json":   {do: func(w *world) { w.changeQueue("relight-alarms", map[string]string{"MessageRetentionPeriod": "60"}) }},
	"SetQueueAttributes.policy.json": {do: func(w *world) { w.changeQueue("relight-alarms", map[string]string{"Policy": openQueue}) }},
	"SetQueueAttributes.dead-letters.json": {do: func(w *world) {
		w.changeQueue("relight-alarms-dead-letters", map[string]string{"RedriveAllowPolicy": `{"redrivePermission":"denyAll"}`, "MessageRetentionPeriod": "60"})
	}},
	"AddPermission.ours.json":     {do: func(w *world) { w.changeQueue("relight-alarms", map[string]string{"Policy": openQueue}) }},
	"RemovePermission.queue.json": {do: func(w *world) { w.changeQueue("relight-alarms", map[string]string{"Policy": ""}) }},

	"UpdateEventSourceMapping20150331.ours.json": {do: func(w *world) { w.remap("relight-alarms", deaf) }},
	"UpdateEventSourceMapping20150331.filter.json": {do: func(w *world) {
		w.remap("relight-alarms", func(in *lambda.UpdateEventSourceMappingInput) {
			in.FilterCriteria = &lambdatypes.FilterCriteria{Filters: []lambdatypes.Filter{{Pattern: aws.String(`{"body":{"source":["nothing"]}}`)}}}
		})
	}},
	"UpdateEventSourceMapping20150331.no-response.json": {do: func(w *world) { w.remap("relight-alarms", deaf) }},
	"UpdateEventSourceMapping20150331.repointed.json": {
		do:   func(w *world) { w.tapQueue("relight-alarms", true) },
		adds: []string{home + " function spare", tapped},
	},
	"DeleteEventSourceMapping20150331.ours.json": {do: func(w *world) { w.unmap("relight-alarms") }},
	"CreateEventSourceMapping20150331.ours.json": {do: func(w *world) { w.tapQueue("relight-alarms", false) }},

	"PutFunctionConcurrency20171031.ours.json": {do: func(w *world) { w.limit("relight-alarms") }},
	"PutFunctionConcurrency20171031.arn.json":  {do: func(w *world) { w.limit("relight-alarms") }},
}

var allPairs = flag.Bool("pairs", false, "cut each two parts of relight in every way")

// A cut is a way to cut off a part of relight itself.
type cut struct {
	part, how string
	do        func(*world)
	event     string // the sample of the call
}

func cuts() []cut {
	schedule := func(change func(*scheduler.UpdateScheduleInput)) func(*world) {
		return func(w *world) { w.putSchedule(sweepSchedule, change) }
	}
	target := func(change func(*ebtypes.Target)) func(*world) {
		return func(w *world) { w.putTarget(w.rule(guardRule), change) }
	}
	return []cut{
		{"rule", "off", guardHarms["DisableRule.ours.json"].do, "DisableRule.ours.json"},
		{"rule", "deleted", guardHarms["DeleteRule.ours.json"].do, "DeleteRule.ours.json"},
		{"rule", "narrowed", guardHarms["PutRule.ours.json"].do, "PutRule.ours.json"},
		{"rule", "without target", guardHarms["RemoveTargets.ours.json"].do, "RemoveTargets.ours.json"},
		{"guard's rule", "off", func(w *world) { w.disableRule(guardRule) }, ""},
		{"guard's rule", "deleted", func(w *world) { w.deleteRule(guardRule) }, ""},
		{"guard's rule", "without target", func(w *world) { w.removeTarget(guardRule) }, ""},
		{"guard's rule", "blinded", target(func(t *ebtypes.Target) { t.Input = aws.String(`{}`) }), ""},
		{"guard's rule", "without dead letters", target(func(t *ebtypes.Target) { t.DeadLetterConfig = nil }), ""},
		{"guard's rule", "without retries", target(func(t *ebtypes.Target) { t.RetryPolicy.MaximumRetryAttempts = aws.Int32(0) }), ""},
		{"function", "stopped", func(w *world) { w.limit("relight-alarms") }, "PutFunctionConcurrency20171031.ours.json"},
		{"guard's function", "stopped", func(w *world) { w.limit("relight-guard") }, ""},
		{"mapping", "off", guardHarms["UpdateEventSourceMapping20150331.ours.json"].do, "UpdateEventSourceMapping20150331.ours.json"},
		{"mapping", "filtered", guardHarms["UpdateEventSourceMapping20150331.filter.json"].do, "UpdateEventSourceMapping20150331.filter.json"},
		{"mapping", "deleted", guardHarms["DeleteEventSourceMapping20150331.ours.json"].do, "DeleteEventSourceMapping20150331.ours.json"},
		{"mapping", "slow", func(w *world) {
			w.remap("relight-trails", func(in *lambda.UpdateEventSourceMappingInput) { in.MaximumBatchingWindowInSeconds = aws.Int32(300) })
		}, ""},
		{"guard's mapping", "off", func(w *world) { w.remap("relight-guard", deaf) }, ""},
		{"guard's mapping", "deleted", func(w *world) { w.unmap("relight-guard") }, ""},
		{"queue", "short-lived", guardHarms["SetQueueAttributes.ours.json"].do, "SetQueueAttributes.ours.json"},
		{"queue", "open", guardHarms["SetQueueAttributes.policy.json"].do, "SetQueueAttributes.policy.json"},
		{"guard's queue", "closed", func(w *world) { w.changeQueue("relight-guard", map[string]string{"Policy": ""}) }, ""},
		{"guard's queue", "delayed", func(w *world) { w.changeQueue("relight-guard", map[string]string{"DelaySeconds": "900"}) }, ""},
		{"guard's queue", "encrypted", func(w *world) { w.changeQueue("relight-guard", map[string]string{"KmsMasterKeyId": "alias/theirs"}) }, ""},
		{"log group", "deleted", guardHarms["DeleteLogGroup.function.json"].do, "DeleteLogGroup.function.json"},
		{"guard's log group", "deleted", func(w *world) { w.deleteGroup(home, "/aws/lambda/relight-guard") }, ""},
		{"schedule", "off", guardHarms["UpdateSchedule.ours.json"].do, "UpdateSchedule.ours.json"},
		{"schedule", "deleted", (*world).deleteSchedule, "DeleteSchedule.ours.json"},
		{"schedule", "under a key", schedule(func(in *scheduler.UpdateScheduleInput) {
			in.KmsKeyArn = aws.String("arn:aws:kms:us-east-1:111122223333:key/theirs")
		}), ""},
		{"schedule", "ended", schedule(func(in *scheduler.UpdateScheduleInput) { in.EndDate = aws.Time(time.Unix(0, 0)) }), ""},
		{"other schedule", "off", func(w *world) {
			w.putSchedule("relight-unannounced-sweep", func(in *scheduler.UpdateScheduleInput) { in.State = schedulertypes.ScheduleStateDisabled })
		}, ""},
		{"daily digest", "in another time zone", func(w *world) {
			w.putSchedule("relight-daily-digest", func(in *scheduler.UpdateScheduleInput) {
				in.ScheduleExpressionTimezone = aws.String("Pacific/Kiritimati")
			})
		}, ""},
		{"schedule", "slow", schedule(func(in *scheduler.UpdateScheduleInput) { in.ScheduleExpression = aws.String("rate(365 days)") }), ""},
		{"schedule", "of one kind", schedule(func(in *scheduler.UpdateScheduleInput) { in.Target.Input = aws.String(`{"kinds":["flowlogs"]}`) }), ""},
	}
}

// hears reports whether the guard's own function hears of what happens to rules.
func (w *world) hears() bool {
	all := w.State()
	state := all[home+" rule default/"+guardRule]
	if !strings.Contains(all[home+" mapping arn:aws:sqs:us-east-1:111122223333:relight-guard arn:aws:lambda:us-east-1:111122223333:function:relight-guard"], `"on":"Enabled"`) {
		return false
	}
	if queue := all[home+" queue relight-guard"]; !strings.Contains(queue, "events.amazonaws.com") || strings.Contains(queue, "alias/theirs") || strings.Contains(queue, "DelaySeconds") {
		return false
	}
	guard := must(w.Lambda.GetFunction(w.t.Context(), &lambda.GetFunctionInput{FunctionName: aws.String("relight-guard")}))
	return guard.Concurrency == nil && strings.Contains(state, `"state":"ENABLED"`) && strings.Contains(state, ":relight-guard") && !strings.Contains(state, `"Input":"{}"`)
}

// Each cut alone, and each two of different parts in either order, is undone by its
// event where relight still hears of it, and else by one sweep.
//
// Of the pairs, only those of one way to cut each part are among the tests to run while
// working: make test runs all.
func TestCutsAreUndone(t *testing.T) {
	t.Parallel()
	typical := map[string]string{}
	for _, c := range cuts() {
		if typical[c.part] == "" {
			typical[c.part] = c.how
		}
	}
	for _, first := range cuts() {
		for _, second := range cuts() {
			if first.part == second.part && first.how != second.how {
				continue
			}
			if !*allPairs && first.part != second.part && (typical[first.part] != first.how || typical[second.part] != second.how) {
				continue
			}
			t.Run(first.part+" "+first.how+", "+second.part+" "+second.how, func(t *testing.T) {
				t.Parallel()
				w := healthy(t, few)
				if first.part != second.part { // the cuts alone have short pages
					w.PageSize(0)
				}
				before, told := w.State(), len(w.Messages())
				for i, c := range []cut{first, second} {
					if i > 0 && first.part == second.part {
						break // one cut alone
					}
					c.do(w)
					if c.event != "" && w.hears() {
						w.send(events.Read(c.event), true)
					}
				}
				w.sweep(app.Request{})
				if diff := cmp.Diff(before, w.State()); diff != "" {
					t.Errorf("not undone (-before +after):\n%s", diff)
				}
				if len(w.Messages()) == told {
					t.Error("nobody was told")
				}
			})
		}
	}
}

// A change of the stack by CloudFormation is not in relight's way, unless somebody
// holds it open.
func TestDeployment(t *testing.T) {
	t.Parallel()
	for status, want := range map[cftypes.StackStatus]struct {
		since    time.Duration
		restored bool
	}{
		cftypes.StackStatusUpdateInProgress:                {time.Minute, false},
		cftypes.StackStatusUpdateCompleteCleanupInProgress: {59 * time.Minute, false},
		cftypes.StackStatusDeleteInProgress:                {time.Minute, false},
		cftypes.StackStatusUpdateRollbackInProgress:        {2 * time.Hour, true},
		cftypes.StackStatusUpdateComplete:                  {time.Minute, true},
	} {
		t.Run(string(status), func(t *testing.T) {
			w := healthy(t, "")
			w.disableRule(alarmsRule)
			w.deleteSchedule()
			w.SetStack(home, cftypes.Stack{
				StackName: aws.String("relight"), StackStatus: status, CreationTime: aws.Time(w.now.Add(-24 * time.Hour)), LastUpdatedTime: aws.Time(w.now.Add(-want.since)),
			})
			broken := w.State()
			w.send(events.Read("DisableRule.ours.json"), true)
			w.send(events.Read("DeleteSchedule.ours.json"), true)
			key := home + " schedule " + sweepSchedule
			rule := home + " rule default/" + alarmsRule
			now := w.State()
			if restored := now[key] != "" && now[rule] != broken[rule]; restored != want.restored {
				t.Errorf("restored %t, want %t: %s", restored, want.restored, now[rule])
			}
		})
	}
}

// A call on relight's own functions and queues is reported also while CloudFormation
// changes the stack: whoever can start a deployment could otherwise hide in one.
func TestReportedDuringDeployment(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"UpdateFunctionCode20150331v2.ours.json", "DeleteFunction20150331.ours.json", "DeleteQueue.ours.json", "PurgeQueue.ours.json", "PutRolePolicy.own-role.json",
		"UpdateStack.ours.json", "ExecuteChangeSet.arn.json", "DeleteEventBus.ours.json", "UpdateEventBus.default.json", "StartMessageMoveTask.ours.json", "SetStackPolicy.ours.json",
	} {
		w := healthy(t, "")
		w.SetStack(home, cftypes.Stack{
			StackName: aws.String("relight"), StackStatus: cftypes.StackStatusUpdateInProgress, CreationTime: aws.Time(w.now.Add(-time.Hour)), LastUpdatedTime: aws.Time(w.now),
		})
		before := len(w.Messages())
		w.send(events.Read(name), true)
		if got := len(w.Messages()) - before; got != 1 {
			t.Errorf("%s: %d messages, want 1", name, got)
		}
	}
}

// A change of what relight's own roles may do is reported however it is made: by their
// permissions boundary, which one call changes for all of them, and under a name in
// other letters, which IAM does not distinguish. The event costs no read.
func TestOwnRightsReported(t *testing.T) {
	t.Parallel()
	const boundary = "arn:aws:iam::111122223333:policy/bounds"
	byAlice := `"userIdentity":{"arn":"arn:aws:iam::111122223333:user/Alice"},`
	for name, tt := range map[string]struct {
		event string
		told  int
	}{
		"a version of the boundary":       {call("aws.iam", "CreatePolicyVersion", byAlice+`"requestParameters":{"policyArn":"`+boundary+`","setAsDefault":true}`), 1},
		"another version of the boundary": {call("aws.iam", "SetDefaultPolicyVersion", byAlice+`"requestParameters":{"policyArn":"`+boundary+`","versionId":"v1"}`), 1},
		"the same by CloudFormation":      {call("aws.iam", "CreatePolicyVersion", byAlice+`"sourceIPAddress":"cloudformation.amazonaws.com","requestParameters":{"policyArn":"`+boundary+`"}`), 0},
		"a version of another policy":     {call("aws.iam", "CreatePolicyVersion", byAlice+`"requestParameters":{"policyArn":"`+boundary+`-of-others"}`), 0},
		"a role in other letters":         {call("aws.iam", "PutRolePolicy", byAlice+`"requestParameters":{"roleName":"RELIGHT-GuardRole0A1B2C3D-EXAMPLE"}`), 1},
		"the delivery role":               {call("aws.iam", "PutRolePolicy", byAlice+`"requestParameters":{"roleName":"Relight-Flow-Logs-Delivery"}`), 0},
	} {
		t.Run(name, func(t *testing.T) {
			w := deploy(t, `{"permissionsBoundary":"`+boundary+`"}`)
			told, calls := len(w.Messages()), w.Calls()
			if _, err := w.app(catalog.Function(catalog.Guard)).HandleEvent(t.Context(), []byte(tt.event)); err != nil {
				t.Error(err)
			}
			messages := w.Messages()[told:]
			if len(messages) != tt.told || tt.told > 0 && !strings.Contains(messages[0].Text, "user/Alice") {
				t.Errorf("messages %+v, want %d", messages, tt.told)
			}
			if read := w.Calls().Since(calls).Total("Publish", "PutEvents", "DescribeStacks"); read > 0 {
				t.Errorf("%d reads", read)
			}
		})
	}
}

// Targets that others add to relight's rules stay, and do not count as its own.
func TestOthersTargetsStay(t *testing.T) {
	t.Parallel()
	w := healthy(t, "")
	w.putTarget(w.rule(alarmsRule), func(t *ebtypes.Target) {
		t.Id, t.Arn = aws.String("theirs"), aws.String("arn:aws:sqs:us-east-1:111122223333:archive")
	})
	w.removeTarget(alarmsRule)
	w.send(events.Read("RemoveTargets.ours.json"), true)
	targets := must(w.EventBridge.ListTargetsByRule(t.Context(), &eventbridge.ListTargetsByRuleInput{Rule: aws.String(alarmsRule), Limit: aws.Int32(1)}))
	state := w.State()[home+" rule default/"+alarmsRule]
	if len(targets.Targets) != 1 || !strings.Contains(state, ":archive") || !strings.Contains(state, ":relight-alarms") {
		t.Errorf("targets are %s", state)
	}
}

// Without its bus relight hears nothing of other regions, and a sweep says so.
func TestBusGone(t *testing.T) {
	t.Parallel()
	w := healthy(t, "")
	w.DeleteBus(home, "relight")
	s := w.sweep(app.Request{Kinds: []catalog.Kind{catalog.Guard}})
	if s.Findings != 1 || s.Reports[0].Findings[0].Code != string(plan.GuardBusGone) {
		t.Errorf("%+v", s)
	}
}

// A mapping of somebody else's function takes relight's messages away. Only a person
// can remove it; relight restores its own beside it.
func TestQueueTapped(t *testing.T) {
	t.Parallel()
	for _, instead := range []bool{true, false} {
		w := healthy(t, "")
		before, told := w.State(), len(w.Messages())
		w.tapQueue("relight-alarms", instead)
		w.sweep(app.Request{})
		if diff := cmp.Diff(before, without(w.State(), home+" function spare", tapped)); diff != "" {
			t.Errorf("not restored (-before +after):\n%s", diff)
		}
		messages := w.Messages()[told:]
		if len(messages) != 1 || !strings.Contains(messages[0].Text, "function:spare reads it too") {
			t.Errorf("instead: %t: messages %+v", instead, messages)
		}
	}
}

// Lambda takes no change of a mapping that is still changing. That passes.
func TestMappingStillChanging(t *testing.T) {
	t.Parallel()
	w := healthy(t, "")
	w.remap("relight-alarms", deaf)
	w.Fail("UpdateEventSourceMapping", "ResourceInUseException")
	before := len(w.MappingsOf(home, "relight-alarms"))
	again, errs := w.send(events.Read("UpdateEventSourceMapping20150331.ours.json"), true)
	if len(again)+len(errs) > 0 || before != 1 || !strings.Contains(w.State()[home+" mapping arn:aws:sqs:us-east-1:111122223333:relight-alarms arn:aws:lambda:us-east-1:111122223333:function:relight-alarms"], `"on":"Enabled"`) {
		t.Errorf("not restored: %v, %v", again, errs)
	}
}

// Only CloudFormation's own words say that there is no stack of relight's. Any other
// refusal is one: the sweep fails for the guard, and says why.
func TestStackUnread(t *testing.T) {
	t.Parallel()
	for message, unread := range map[string]bool{
		"ValidationError: Stack with id relight does not exist":                                   false,
		"ValidationError: 1 validation error detected: Value at 'stackName' failed to satisfy it": true,
		"AccessDenied: no": true,
	} {
		w := healthy(t, few)
		w.Fail("DescribeStacks", message)
		s := w.sweep(app.Request{Kinds: []catalog.Kind{catalog.Guard}, Regions: []string{home}})
		if got := s.Unrestored > 0 && strings.Contains(s.Reports[0].Error, "DescribeStacks"); got != unread {
			t.Errorf("%s: the guard's error is %q, want one: %t", message, s.Reports[0].Error, unread)
		}
	}
}

// A sweep finds a deleted queue, which relight does not create again, and restores
// the settings of every queue within as many sweeps as there are queues.
func TestQueuesBySweep(t *testing.T) {
	t.Parallel()
	w := healthy(t, "")
	w.DeleteQueue("arn:aws:sqs:us-east-1:111122223333:relight-alarms")
	s := w.sweep(app.Request{Kinds: []catalog.Kind{catalog.Guard}})
	if s.Findings != 1 || s.Reports[0].Findings[0].Code != string(plan.GuardQueueGone) {
		t.Errorf("%+v", s)
	}

	w = healthy(t, "")
	before := w.State()
	queues := w.config.Baseline().Queues(home)
	for _, q := range queues {
		w.changeQueue(q.Name, map[string]string{"MessageRetentionPeriod": "60", "MaximumMessageSize": "1024", "DelaySeconds": "900"})
	}
	w.changeQueue("relight-guard", map[string]string{"MessageRetentionPeriod": "345600", "MaximumMessageSize": "1048576", "DelaySeconds": "0"}) // it would make the sweep read all
	for range 2 * len(queues) {                                                                                                                 // a sweep reads a function or a queue, in turn
		w.sweep(app.Request{Kinds: []catalog.Kind{catalog.Guard}})
		w.now = w.now.Add(15 * time.Minute)
	}
	after := w.State()
	for key := range after {
		after[key] = strings.Replace(after[key], `"MaximumMessageSize":"262144",`, "", 1) // what the stack leaves to AWS comes back as the least that relight needs
	}
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("not restored (-before +after):\n%s", diff)
	}
}

// A sweep finds a deleted function, at once if it is the guard's own: then no event
// says which others are gone.
func TestFunctionGone(t *testing.T) {
	t.Parallel()
	for _, own := range []bool{true, false} {
		w := healthy(t, "")
		w.DeleteFunction(home, "relight-alarms")
		if own {
			w.DeleteFunction(home, "relight-guard")
		}
		found := map[string]bool{}
		for range 2 * len(catalog.Functions()) {
			for _, f := range w.sweep(app.Request{Kinds: []catalog.Kind{catalog.Guard}}).Reports[0].Findings {
				if f.Code == string(plan.GuardFunctionGone) {
					found[f.Subject] = true
				}
			}
			if own {
				break
			}
			w.now = w.now.Add(15 * time.Minute)
		}
		want := map[string]bool{"function relight-alarms": true}
		if own {
			want["function relight-guard"] = true
		}
		if diff := cmp.Diff(want, found); diff != "" {
			t.Errorf("the guard's own gone: %t: findings (-want +got):\n%s", own, diff)
		}
	}
}

// A queue's policy that shuts relight out of reading it does not stop the repair of
// the other parts, and people are notified of it.
func TestUnreadPart(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		denied   []string
		restored bool   // the rest is all that is broken
		unread   string // what no action may be about; "" for nothing
	}{
		{[]string{"GetQueueAttributes"}, true, ""}, // relight tries to restore the policy
		{[]string{"GetQueueAttributes", "SetQueueAttributes"}, true, ""},
		{[]string{"ListQueues"}, true, "of queue"},
		{[]string{"ListEventSourceMappings"}, true, "event source mapping"},
		{[]string{"GetFunction"}, true, "concurrency"},
		{[]string{"DescribeLogGroups"}, true, "log-group"},
		{[]string{"ListRules"}, false, "rule"},
		{[]string{"ListTargetsByRule"}, true, "point rule"},
		{[]string{"GetSchedule"}, false, "schedule"},
	} {
		t.Run(strings.Join(tt.denied, "+"), func(t *testing.T) {
			t.Parallel()
			w := healthy(t, "")
			before := w.State()
			w.disableRule(guardRule)
			w.deleteSchedule()
			for _, op := range tt.denied {
				w.Deny(op)
			}
			told := len(w.Messages())
			s := w.sweep(app.Request{Kinds: []catalog.Kind{catalog.Guard}})
			if diff := cmp.Diff(before, w.State()); (diff == "") != tt.restored {
				t.Errorf("restored is %t, want %t:\n%s", diff == "", tt.restored, diff)
			}
			for _, a := range s.Reports[0].Actions {
				if tt.unread != "" && strings.Contains(a.Action, tt.unread) {
					t.Errorf("%s, although relight could not read it", a.Action)
				}
			}
			if !slices.ContainsFunc(s.Reports[0].Findings, func(f report.Finding) bool { return f.Code == string(plan.GuardUnread) }) || len(w.Messages()) == told {
				t.Errorf("findings %+v, want %s and a message; unrestored: %v", s.Reports[0].Findings, plan.GuardUnread, unrestored(s))
			}
			for _, op := range tt.denied {
				w.Allow(op)
			}
			if s := w.sweep(app.Request{Kinds: []catalog.Kind{catalog.Guard}}); s.Unrestored+s.Findings > 0 {
				t.Errorf("%d unrestored, %d findings", s.Unrestored, s.Findings)
			}
		})
	}
}

// A schedule that somebody creates between relight's look and its repair becomes what
// it has to be, without another delivery of the event.
func TestScheduleMadeMeanwhile(t *testing.T) {
	t.Parallel()
	w := healthy(t, "")
	before := w.State()
	guardHarms["UpdateSchedule.ours.json"].do(w)
	w.Fail("GetSchedule", "ResourceNotFoundException")
	if again, errs := w.send(events.Read("DeleteSchedule.ours.json"), true); len(again)+len(errs) > 0 {
		t.Errorf("deliver again %v, %v", again, errs)
	}
	if diff := cmp.Diff(before, w.State()); diff != "" {
		t.Errorf("not restored (-before +after):\n%s", diff)
	}
}
