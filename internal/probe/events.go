package probe

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	eventtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go/middleware"

	"github.com/relight-aws/relight/internal/catalog"
)

// The calls whose events a run collects: those that one of its beliefs is
// about, and a few more for the latency.
var collected = []string{
	"AssociateKmsKey", "CreateFlowLogs", "CreatePolicyVersion", "CreateVpc", "DeleteFlowLogs", "DeleteTopic",
	"PutAlarmMuteRule", "PutDataProtectionPolicy", "PutLogGroupDeletionProtection", "PutMetricAlarm", "PutRetentionPolicy",
	"PutRolePermissionsBoundary", "PutTransformer", "SetDefaultPolicyVersion", "StopLogging", "UpdateTrail",
}

// alarmChange is the detail type of CloudWatch's own events of a changed alarm.
const alarmChange = "CloudWatch Alarm Configuration Change"

// An event is one message in the run's queue: an event of EventBridge with the
// record of a call or CloudWatch's own detail, or a message of a topic.
type event struct {
	DetailType string `json:"detail-type"`
	Source     string `json:"source"`
	Detail     struct {
		EventName         string
		ErrorCode         string
		RequestID         string
		RequestParameters map[string]any
		AlarmName         string
		Operation         string
	} `json:"detail"`
	Message string // of a topic

	raw     string
	arrived time.Time
}

// A mailbox has what arrived in the run's queue, and when each call was made.
type mailbox struct {
	url    string
	events []event
	calls  map[string]time.Time // by request ID: when the call began
	until  time.Time            // how long the run waits for all records together
}

// noting returns the configuration of clients that note when a call began.
func (r *run) noting() aws.Config {
	cfg := r.AWS.Copy()
	cfg.APIOptions = append([]func(*middleware.Stack) error{func(stack *middleware.Stack) error {
		return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("probe.Note", func(
			ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler,
		) (middleware.InitializeOutput, middleware.Metadata, error) {
			begin := time.Now()
			out, meta, err := next.HandleInitialize(ctx, in)
			if id, ok := awsmiddleware.GetRequestIDMetadata(meta); ok {
				r.mailbox.calls[id] = begin // a run makes one call at a time
			}
			return out, meta, err
		}), middleware.Before)
	}}, cfg.APIOptions...)
	return cfg
}

// collectEvents makes the queue and the rules that send events to it.
func (r *run) collectEvents(ctx context.Context) error {
	name := r.name("queue")
	r.queueARN = r.arn("sqs", name)
	r.topicARN = r.arn("sns", r.name("topic"))
	policy := document(map[string]any{
		"Effect": "Allow", "Principal": map[string]any{"Service": []string{"events.amazonaws.com", "sns.amazonaws.com"}},
		"Action": "sqs:SendMessage", "Resource": r.queueARN,
		"Condition": map[string]any{"ArnEquals": map[string]any{"aws:SourceArn": []string{
			r.arn("events", "rule/"+r.name("calls")), r.arn("events", "rule/"+r.name("alarms")), r.topicARN,
		}}},
	})
	err := r.make(ctx, queueKind, name, func(ctx context.Context) (string, error) {
		out, err := r.sqs.CreateQueue(ctx, &sqs.CreateQueueInput{
			QueueName: &name, Tags: map[string]string{Tag: r.tag},
			Attributes: map[string]string{"Policy": policy, "MessageRetentionPeriod": "3600"},
		})
		if err != nil {
			return "", err
		}
		r.mailbox.url = *out.QueueUrl
		return *out.QueueUrl, nil
	})
	if err != nil {
		return fmt.Errorf("make the queue: %w", err)
	}
	return errors.Join(
		r.rule(ctx, "calls", map[string]any{"detail-type": []string{"AWS API Call via CloudTrail"}, "detail": map[string]any{"eventName": collected}}),
		r.rule(ctx, "alarms", map[string]any{
			"source": []string{"aws.cloudwatch", "aws.monitoring"}, "detail-type": []string{alarmChange},
			"detail": map[string]any{"alarmName": []string{r.name("alarm")}},
		}),
	)
}

func (r *run) rule(ctx context.Context, suffix string, pattern map[string]any) error {
	name := r.name(suffix)
	return r.make(ctx, ruleKind, name, func(ctx context.Context) (string, error) {
		raw, err := json.Marshal(pattern)
		if err != nil {
			return "", err
		}
		if _, err := r.events.PutRule(ctx, &eventbridge.PutRuleInput{
			Name: &name, EventPattern: aws.String(string(raw)), Tags: []eventtypes.Tag{{Key: aws.String(Tag), Value: &r.tag}},
		}); err != nil {
			return "", fmt.Errorf("make rule %s: %w", name, err)
		}
		_, err = r.events.PutTargets(ctx, &eventbridge.PutTargetsInput{
			Rule: &name, Targets: []eventtypes.Target{{Id: aws.String(target), Arn: &r.queueARN}},
		})
		return "", err
	})
}

// document returns a policy document with one statement.
func document(statement map[string]any) string {
	raw, err := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": []any{statement}})
	if err != nil {
		panic(fmt.Sprintf("probe: %v", err)) // strings and maps always marshal
	}
	return string(raw)
}

// receive moves what has arrived from the queue to the mailbox.
func (r *run) receive(ctx context.Context) error {
	if r.mailbox.url == "" {
		return errors.New("the run has no queue")
	}
	wait := int32(min(20, r.Poll.Seconds())) // 20 s is the longest wait that SQS allows
	for {
		out, err := r.sqs.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
			QueueUrl: &r.mailbox.url, MaxNumberOfMessages: 10, WaitTimeSeconds: wait,
			MessageSystemAttributeNames: []sqstypes.MessageSystemAttributeName{sqstypes.MessageSystemAttributeNameSentTimestamp},
		})
		if err != nil || len(out.Messages) == 0 {
			return err
		}
		for _, m := range out.Messages {
			e := event{raw: aws.ToString(m.Body), arrived: time.Now()}
			if ms, err := strconv.ParseInt(m.Attributes["SentTimestamp"], 10, 64); err == nil {
				e.arrived = time.UnixMilli(ms)
			}
			if json.Unmarshal([]byte(e.raw), &e) == nil { // anything else was not sent by the run
				r.mailbox.events = append(r.mailbox.events, e)
			}
			if _, err := r.sqs.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: &r.mailbox.url, ReceiptHandle: m.ReceiptHandle}); err != nil {
				return err
			}
		}
		wait = 0
	}
}

// arrived returns an event of the run's own, waiting for it as long as a run
// waits. A run's own events name its prefix, or one of the IDs.
func (r *run) arrived(ctx context.Context, limit time.Duration, match func(event) bool) (found event, ok bool, err error) {
	look := func() bool {
		i := slices.IndexFunc(r.mailbox.events, match)
		if i >= 0 {
			found = r.mailbox.events[i]
		}
		return i >= 0
	}
	if look() { // an empty queue would answer only after a while
		return found, true, ctx.Err()
	}
	_, ok, err = r.until(ctx, limit, func() (bool, error) {
		err := r.receive(ctx)
		return look(), err
	})
	return found, ok, err
}

// recordOf matches the record of a successful call that names one of the texts.
func recordOf(name string, texts ...string) func(event) bool {
	return func(e event) bool {
		return e.Detail.EventName == name && e.Detail.ErrorCode == "" &&
			slices.ContainsFunc(texts, func(text string) bool { return text != "" && strings.Contains(e.raw, text) })
	}
}

// records reads the events of calls that the run made earlier.
func (r *run) records(ctx context.Context) error {
	r.mailbox.until = time.Now().Add(r.Wait)
	r.shape(ctx, "record-of-group-protection", "PutLogGroupDeletionProtection", "logGroupIdentifier")
	r.shape(ctx, "record-of-group-key", "AssociateKmsKey", "logGroupName")
	r.shape(ctx, "record-of-transformer", "PutTransformer", "logGroupIdentifier")
	r.shape(ctx, "record-of-data-protection", "PutDataProtectionPolicy", "logGroupIdentifier")
	r.shape(ctx, "record-of-mute-rule", "PutAlarmMuteRule", "muteTargets.alarmNames")
	r.directEvents(ctx)
	switch global := catalog.GlobalRegion(r.AWS.Region); {
	case global != r.AWS.Region:
		for _, id := range []string{"record-of-boundary", "record-of-policy-version", "record-of-default-version"} {
			r.unseen(id, "events of IAM are sent in "+global+" only: run the command there")
		}
	default:
		r.shape(ctx, "record-of-boundary", "PutRolePermissionsBoundary", "roleName", "permissionsBoundary")
		r.shape(ctx, "record-of-policy-version", "CreatePolicyVersion", "policyArn")
		r.shape(ctx, "record-of-default-version", "SetDefaultPolicyVersion", "policyArn", "versionId")
	}
	if r.AWS.Region == "us-gov-west-1" || r.AWS.Region == "cn-north-1" {
		_, ok, err := r.arrived(ctx, 0, recordOf("CreatePolicyVersion", r.tag))
		if err == nil {
			r.saw("global-region", ok, "an event of IAM in %s: %t", r.AWS.Region, ok)
		}
	} else {
		r.unseen("global-region", "run the command in us-gov-west-1 or cn-north-1")
	}
	return ctx.Err()
}

// shape records whether a call's record has the members that relight reads.
func (r *run) shape(ctx context.Context, id, name string, members ...string) {
	e, ok, err := r.arrived(ctx, time.Until(r.mailbox.until), recordOf(name, r.tag))
	if err != nil || !ok {
		r.noRecord(id, name, err)
		return
	}
	for _, m := range members {
		var at any = e.Detail.RequestParameters
		for key := range strings.SplitSeq(m, ".") {
			object, _ := at.(map[string]any)
			at = object[key]
		}
		if at == nil {
			r.saw(id, false, "requestParameters has %v", slices.Sorted(maps.Keys(e.Detail.RequestParameters)))
			return
		}
	}
	r.saw(id, true, "requestParameters has %s", strings.Join(members, " and "))
}

// noRecord records why there is no record to read.
func (r *run) noRecord(id, name string, err error) {
	if err != nil {
		r.unseen(id, said(err))
	} else {
		r.unseen(id, fmt.Sprintf("no record of a successful %s arrived within %s", name, r.Wait))
	}
}

// directEvents checks the events that CloudWatch itself sends. They arrive
// before the record of the same call, so the run need not wait longer.
func (r *run) directEvents(ctx context.Context) {
	own := func(operation string) func(event) bool {
		return func(e event) bool {
			return e.DetailType == alarmChange && e.Detail.AlarmName == r.name("alarm") && (operation == "" || e.Detail.Operation == operation)
		}
	}
	if e, ok, err := r.arrived(ctx, min(r.Wait, time.Minute), own("create")); ok {
		r.saw("direct-event-source", e.Source == "aws.cloudwatch", "source %s", e.Source)
	} else {
		r.noRecord("direct-event-source", alarmChange, err)
	}
	if _, ok, err := r.arrived(ctx, 0, recordOf("PutAlarmMuteRule", r.tag)); err != nil || !ok {
		r.noRecord("mute-raises-no-direct-event", "PutAlarmMuteRule", err)
		return
	}
	// The alarm is made and then muted; nothing else changes it.
	if _, ok, err := r.arrived(ctx, 0, own("update")); err == nil {
		r.saw("mute-raises-no-direct-event", !ok, "a direct event about the muted alarm: %t", ok)
	}
}

// latency records how long the run's events took from call to queue.
func (r *run) latency(ctx context.Context) error {
	if err := r.receive(ctx); err != nil {
		return err
	}
	var took []time.Duration
	for _, e := range r.mailbox.events {
		if begin, ok := r.mailbox.calls[e.Detail.RequestID]; ok && e.Detail.RequestID != "" {
			took = append(took, max(0, e.arrived.Sub(begin)))
		}
	}
	if len(took) == 0 {
		r.unseen("event-latency", fmt.Sprintf("%d events arrived, and none has the request ID of a call of this run", len(r.mailbox.events)))
		return nil
	}
	slices.Sort(took)
	median, most := took[len(took)/2], took[len(took)-1]
	r.saw("event-latency", most < 15*time.Minute, "%d events, after %s to %s, median %s, by the queue's clock and this machine's",
		len(took), round(took[0]), round(most), round(median))
	r.measured("event-latency", median)
	return nil
}

func round(d time.Duration) time.Duration { return d.Round(10 * time.Millisecond) }
