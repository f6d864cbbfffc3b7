package app_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cftypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cloudwatchtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	ebtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/google/go-cmp/cmp"

	"github.com/relight-aws/relight/events"
	"github.com/relight-aws/relight/internal/app"
	"github.com/relight-aws/relight/internal/awstest"
	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/plan"
)

// These are parts of the forwarder in the second region.
const (
	forwardRule    = "relight-forward-ec2-calls"
	forwardGuard   = "relight-forward-events-calls" // sends the events of calls on the forwarder's own rules
	forwarder      = "relight-" + second
	forwarderTopic = "arn:aws:sns:" + second + ":" + account + ":" + forwarder + "-alerts"
	forwardQueues  = "https://sqs." + second + ".amazonaws.com/" + account + "/"
)

// forwards returns a rule of the forwarder by its name.
func (w *world) forwards(name string) catalog.Rule {
	w.t.Helper()
	rules := w.config.Baseline().Parts(home, second).Rules
	i := slices.IndexFunc(rules, func(r catalog.Rule) bool { return r.Name == name })
	if i < 0 {
		w.t.Fatalf("the forwarder has no rule %s", name)
	}
	return rules[i]
}

// setForwarder makes the stack of a forwarder, or changes it.
func (w *world) setForwarder(region string, status cftypes.StackStatus, ago time.Duration) {
	w.SetStack(region, cftypes.Stack{
		StackName: aws.String("relight-" + region), StackStatus: status, CreationTime: aws.Time(w.now.Add(-ago)),
		Outputs: []cftypes.Output{{OutputKey: aws.String(catalog.OutputTopic), OutputValue: aws.String(forwarderTopic)}},
	})
}

// disableForwarding switches a rule of the forwarder off.
func (w *world) disableForwarding(rule string) {
	w.t.Helper()
	must(w.In(second).EventBridge.DisableRule(w.t.Context(), &eventbridge.DisableRuleInput{Name: aws.String(rule)}))
}

// stopForwarding removes the target of a rule of the forwarder.
func (w *world) stopForwarding(rule string) {
	w.t.Helper()
	must(w.In(second).EventBridge.RemoveTargets(w.t.Context(), &eventbridge.RemoveTargetsInput{Rule: aws.String(rule), Ids: []string{catalog.TargetID}}))
}

// changeForwarderQueue changes attributes of the forwarder's queue.
func (w *world) changeForwarderQueue(attributes map[string]string) {
	w.t.Helper()
	must(w.In(second).SQS.SetQueueAttributes(w.t.Context(), &sqs.SetQueueAttributesInput{QueueUrl: aws.String(forwardQueues + "relight-undelivered"), Attributes: attributes}))
}

// forwarderCuts are the ways to cut off a forwarder that relight undoes, and what a
// message about each says.
func forwarderCuts() []forwarderCut {
	var cuts []forwarderCut
	for _, name := range []string{forwardRule, forwardGuard} {
		target := func(change func(*ebtypes.Target)) func(*world) {
			return func(w *world) { w.putTarget(w.forwards(name), change) }
		}
		remove := func(w *world) { w.stopForwarding(name) }
		put, point := "rule "+name, "target of rule "+name
		cuts = append(cuts,
			forwarderCut{name, "off", put, func(w *world) { w.disableForwarding(name) }},
			forwarderCut{name, "deleted", put, func(w *world) {
				remove(w)
				must(w.In(second).EventBridge.DeleteRule(w.t.Context(), &eventbridge.DeleteRuleInput{Name: aws.String(name)}))
			}},
			forwarderCut{name, "narrowed", put, func(w *world) {
				r := w.forwards(name)
				r.Pattern.Detail = &catalog.Detail{EventName: []string{"NoSuchCall"}, ErrorCode: r.Pattern.Detail.ErrorCode}
				w.putRule(r)
			}},
			forwarderCut{name, "without target", point, remove},
			forwarderCut{name, "to another bus", point, target(func(t *ebtypes.Target) { t.Arn = aws.String("arn:aws:events:us-east-1:444455556666:event-bus/theirs") })},
			forwarderCut{name, "with another role", point, target(func(t *ebtypes.Target) { t.RoleArn = aws.String("arn:aws:iam::111122223333:role/theirs") })},
			forwarderCut{name, "blinded", point, target(func(t *ebtypes.Target) { t.Input = aws.String(`{}`) })},
			forwarderCut{name, "without dead letters", point, target(func(t *ebtypes.Target) { t.DeadLetterConfig = nil })},
			forwarderCut{name, "without retries", point, target(func(t *ebtypes.Target) { t.RetryPolicy = &ebtypes.RetryPolicy{MaximumRetryAttempts: aws.Int32(0)} })},
		)
	}
	const set = "of queue relight-undelivered"
	alarm := func(change func(*cloudwatch.PutMetricAlarmInput)) func(*world) {
		return func(w *world) {
			in := &cloudwatch.PutMetricAlarmInput{
				AlarmName: aws.String("relight-undelivered"), AlarmDescription: aws.String(catalog.UndeliveredAlarm().Description), Namespace: aws.String("AWS/SQS"), MetricName: aws.String("ApproximateNumberOfMessagesVisible"),
				Dimensions: []cloudwatchtypes.Dimension{{Name: aws.String("QueueName"), Value: aws.String("relight-undelivered")}}, Statistic: cloudwatchtypes.StatisticMaximum, Period: aws.Int32(60),
				EvaluationPeriods: aws.Int32(1), DatapointsToAlarm: aws.Int32(1), Threshold: aws.Float64(0), ComparisonOperator: cloudwatchtypes.ComparisonOperatorGreaterThanThreshold,
				TreatMissingData: aws.String("notBreaching"), AlarmActions: []string{forwarderTopic},
			}
			change(in)
			must(w.In(second).CloudWatch.PutMetricAlarm(w.t.Context(), in))
		}
	}
	const put = "alarm relight-undelivered"
	return append(cuts,
		forwarderCut{"alarm", "deleted", put, func(w *world) {
			must(w.In(second).CloudWatch.DeleteAlarms(w.t.Context(), &cloudwatch.DeleteAlarmsInput{AlarmNames: []string{"relight-undelivered"}}))
		}},
		forwarderCut{"alarm", "without actions", put, func(w *world) {
			must(w.In(second).CloudWatch.DisableAlarmActions(w.t.Context(), &cloudwatch.DisableAlarmActionsInput{AlarmNames: []string{"relight-undelivered"}}))
		}},
		forwarderCut{"alarm", "insensitive", put, alarm(func(in *cloudwatch.PutMetricAlarmInput) { in.Threshold = aws.Float64(1e9) })},
		forwarderCut{"alarm", "to nobody", put, alarm(func(in *cloudwatch.PutMetricAlarmInput) { in.AlarmActions = nil })},
		forwarderCut{"alarm", "of another queue", put, alarm(func(in *cloudwatch.PutMetricAlarmInput) { in.Dimensions[0].Value = aws.String("theirs") })},
		forwarderCut{"queue", "closed", set, func(w *world) { w.changeForwarderQueue(map[string]string{"Policy": ""}) }},
		forwarderCut{"queue", "short-lived", set, func(w *world) { w.changeForwarderQueue(map[string]string{"MessageRetentionPeriod": "60"}) }},
		forwarderCut{"queue", "encrypted", set, func(w *world) { w.changeForwarderQueue(map[string]string{"KmsMasterKeyId": "alias/theirs"}) }},
	)
}

// A forwarderCut is a way to cut off a part of a forwarder.
type forwarderCut struct {
	part, how, says string
	do              func(*world)
}

// A sweep undoes each cut of a forwarder, and each two together, without an event,
// and people are notified. The next sweep has nothing to do.
func TestForwarderCuts(t *testing.T) {
	t.Parallel()
	cuts := forwarderCuts()
	for i, first := range cuts {
		for _, second := range cuts[i:] {
			if first.part == second.part && first.how != second.how {
				continue
			}
			t.Run(first.part+" "+first.how+", "+second.part+" "+second.how, func(t *testing.T) {
				t.Parallel()
				w := healthy(t, few)
				before, told := w.State(), len(w.Messages())
				first.do(w)
				if first.part != second.part { // the cuts alone have short pages
					w.PageSize(0)
					second.do(w)
				}
				w.sweep(app.Request{Kinds: []catalog.Kind{catalog.Guard}})
				after := w.State()
				for key := range after { // the least that relight needs, which the stack leaves to AWS
					after[key] = strings.Replace(after[key], `"MaximumMessageSize":"262144",`, "", 1)
				}
				if diff := cmp.Diff(before, after); diff != "" {
					t.Errorf("not undone (-before +after):\n%s", diff)
				}
				var texts []string
				for _, m := range w.Messages()[told:] {
					texts = append(texts, m.Text)
				}
				if text := strings.Join(texts, "\n"); !strings.Contains(text, first.says) || !strings.Contains(text, second.says) {
					t.Errorf("messages %q, want %q and %q", text, first.says, second.says)
				}
				writes := len(w.Writes())
				if s := w.sweep(app.Request{Kinds: []catalog.Kind{catalog.Guard}}); s.Planned+s.Findings+s.Unrestored > 0 || len(w.Writes()) != writes {
					t.Errorf("not converged: %+v, writes %v", s, w.Writes()[writes:])
				}
			})
		}
	}
}

// What relight cannot restore of a forwarder, a sweep reports, and plans nothing that
// it cannot know to be right.
func TestForwarderFindings(t *testing.T) {
	t.Parallel()
	disabled := func(w *world) { w.disableForwarding(forwardRule) }
	stack := func(w *world, status cftypes.StackStatus, ago time.Duration) { w.setForwarder(second, status, ago) }
	for name, tt := range map[string]struct {
		do      func(*world)
		finding plan.Code // "" for none
		planned int
	}{
		"queue deleted": {func(w *world) { w.DeleteQueue("arn:aws:sqs:eu-west-1:111122223333:relight-undelivered") }, plan.GuardQueueGone, 0},
		"stack deleted": {func(w *world) { disabled(w); w.DeleteStack(second, forwarder) }, plan.GuardForwarderGone, 0},
		"never created": {func(w *world) { disabled(w); stack(w, cftypes.StackStatusRollbackComplete, 2*time.Hour) }, plan.GuardForwarderGone, 0},
		"not yet deployed": {func(w *world) {
			w.DeleteStack(second, forwarder)
			w.SetStack(home, cftypes.Stack{StackName: aws.String("relight"), StackStatus: cftypes.StackStatusCreateComplete, CreationTime: aws.Time(w.now.Add(-59 * time.Minute))})
		}, "", 0},
		"home stack updated": {func(w *world) {
			disabled(w)
			w.SetStack(home, cftypes.Stack{
				StackName: aws.String("relight"), StackStatus: cftypes.StackStatusUpdateComplete, CreationTime: aws.Time(w.now.Add(-24 * time.Hour)), LastUpdatedTime: aws.Time(w.now.Add(-59 * time.Minute)),
			})
		}, "", 0},
		"changing":          {func(w *world) { disabled(w); stack(w, cftypes.StackStatusUpdateInProgress, time.Minute) }, "", 0},
		"changing for ever": {func(w *world) { disabled(w); stack(w, cftypes.StackStatusUpdateInProgress, time.Hour) }, "", 1},
		"alarms unread":     {func(w *world) { disabled(w); w.Deny(second + " DescribeAlarms") }, plan.GuardUnread, 1},
		"topic unknown": {func(w *world) {
			w.SetStack(second, cftypes.Stack{StackName: aws.String(forwarder), StackStatus: cftypes.StackStatusUpdateComplete, CreationTime: aws.Time(w.now.Add(-2 * time.Hour))})
		}, plan.GuardUnread, 0},
		"stack unread":        {func(w *world) { disabled(w); w.Deny(second + " DescribeStacks") }, plan.GuardUnread, 0},
		"rules unread":        {func(w *world) { disabled(w); w.Deny(second + " ListRules") }, plan.GuardUnread, 0},
		"queues unread":       {func(w *world) { disabled(w); w.Deny(second + " ListQueues") }, plan.GuardUnread, 1},
		"region disabled":     {func(w *world) { disabled(w); w.AddRegion(second, "not-opted-in") }, plan.GuardUnread, 0},
		"another's rule gone": {func(*world) {}, "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			w := healthy(t, few)
			w.now = w.now.Add(2 * time.Hour)
			tt.do(w)
			told := len(w.Messages())
			s := w.sweep(app.Request{Kinds: []catalog.Kind{catalog.Guard}})
			var codes []string
			for _, r := range s.Reports {
				if r.Region != second {
					continue
				}
				for _, f := range r.Findings {
					codes = append(codes, f.Code)
				}
			}
			want := []string{string(tt.finding)}
			if tt.finding == "" {
				want = nil
			}
			if diff := cmp.Diff(want, codes); diff != "" || s.Planned != tt.planned || s.Unrestored != 0 {
				t.Errorf("%d planned, want %d; %d unrestored; findings (-want +got):\n%s", s.Planned, tt.planned, s.Unrestored, diff)
			}
			if got := len(w.Messages()) > told; got != (tt.finding != "" || tt.planned > 0) {
				t.Errorf("%d messages", len(w.Messages())-told)
			}
		})
	}
}

// A sweep reads each part of a forwarder once, and whether the home stack was deployed
// after it.
func TestForwarderReads(t *testing.T) {
	t.Parallel()
	w := healthy(t, "")
	w.PageSize(0)
	reads := func(regions ...string) awstest.Calls {
		before := w.Calls()
		w.sweep(app.Request{Kinds: []catalog.Kind{catalog.Guard}, Regions: regions})
		return w.Calls().Since(before)
	}
	got, alone := reads(home, second), reads(home)
	for op, n := range alone {
		if got[op] -= n; got[op] == 0 {
			delete(got, op)
		}
	}
	rules := len(w.config.Baseline().Parts(home, second).Rules)
	want := awstest.Calls{"DescribeStacks": 2, "ListRules": 1, "ListTargetsByRule": rules, "ListQueues": 1, "GetQueueAttributes": 1, "DescribeAlarms": 1}
	if diff := cmp.Diff(want, got); diff != "" || rules != 8 {
		t.Errorf("%d rules, want 8; calls of a forwarder (-want +got):\n%s", rules, diff)
	}
}

// An event about a forwarder restores nothing if relight may not read whether
// CloudFormation is changing the stack, and people are notified of that.
func TestForwarderUnreadAtEvent(t *testing.T) {
	t.Parallel()
	w := healthy(t, few)
	w.disableForwarding(forwardRule)
	w.Deny(second + " DescribeStacks")
	writes, told := len(w.Writes()), len(w.Messages())
	w.send(events.Read("DisableRule.forwarder.json"), true)
	if len(w.Writes()) != writes || len(w.Messages()) != told+1 || !strings.Contains(w.Messages()[told].Text, "stack "+forwarder) {
		t.Errorf("writes %v and messages %v, want none, and one about the stack", w.Writes()[writes:], w.Messages()[told:])
	}
}

// The forwarder of the region that raises the events of global services is guarded
// although no configuration names that region.
func TestForwarderOfGlobalEvents(t *testing.T) {
	t.Parallel()
	w := healthy(t, few)
	w.config.Regions = nil
	w.AddRegion("eu-central-1", "opt-in-not-required")
	raw := strings.NewReplacer(second, home).Replace(string(events.Read("DisableRule.forwarder.json")))
	for event, handled := range map[string]bool{raw: true, string(events.Read("DisableRule.forwarder.json")): false} {
		res, err := w.appAt("eu-central-1", catalog.Function(catalog.Guard)).HandleEvent(t.Context(), []byte(event))
		if got := err == nil && len(res.(app.Result).Reports) == 1; got != handled {
			t.Errorf("%+v, %v; handled is %t, want %t", res, err, got, handled)
		}
	}
}

// A forwarder whose stack is deleted is not put together again from the events of its
// deletion, which CloudFormation makes one by one.
func TestForwarderDeleted(t *testing.T) {
	t.Parallel()
	w := healthy(t, few)
	w.now = w.now.Add(2 * time.Hour)
	w.stopForwarding(forwardRule)
	w.DeleteStack(second, forwarder)
	writes, told := len(w.Writes()), len(w.Messages())
	w.send(events.Read("RemoveTargets.forwarder.json"), true)
	if len(w.Writes()) != writes || len(w.Messages()) != told {
		t.Errorf("writes %v and messages %v, want none", w.Writes()[writes:], w.Messages()[told:])
	}
}
