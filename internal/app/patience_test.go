package app_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	lambdaevents "github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/smithy-go/middleware"

	"github.com/relight-aws/relight/events"
	"github.com/relight-aws/relight/internal/app"
	"github.com/relight-aws/relight/internal/catalog"
)

// stalling returns a configuration whose calls go through w.stall first.
func (w *world) stalling(cfg aws.Config) aws.Config {
	if w.stall == nil {
		return cfg
	}
	cfg.APIOptions = append(cfg.APIOptions, func(stack *middleware.Stack) error {
		return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("Stall", func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
			if err := w.stall(ctx, strings.TrimSuffix(reflect.TypeOf(in.Parameters).Elem().Name(), "Input")); err != nil {
				return middleware.InitializeOutput{}, middleware.Metadata{}, err
			}
			return next.HandleInitialize(ctx, in)
		}), middleware.Before)
	})
	return cfg
}

// stalls are the ways in which the check of a kind does not end, or ends badly.
var stalls = map[string]func(ctx context.Context, over <-chan struct{}) error{
	"a call without an answer": func(ctx context.Context, _ <-chan struct{}) error { <-ctx.Done(); return ctx.Err() },
	"work without an end":      func(_ context.Context, over <-chan struct{}) error { <-over; return errors.New("over") },
	"a panic":                  func(context.Context, <-chan struct{}) error { panic("crafted") },
}

// readOnlyBy is a call that the sweep makes for one kind only.
var readOnlyBy = map[catalog.Kind]string{
	catalog.DeliveryRoles: "ListRolePolicies", catalog.FlowLogs: "DescribeVpcs", catalog.Trails: "GetTrailStatus",
	catalog.LogGroups: "GetTransformer", catalog.Topics: "ListSubscriptionsByTopic", catalog.Alarms: "DescribeAlarms",
}

// A kind whose check does not end keeps the sweep neither from the other kinds nor
// from its report, which names the kind, within the time of the function.
func TestSweepGivesAKindUp(t *testing.T) {
	t.Parallel()
	for k, op := range readOnlyBy {
		for name, stall := range stalls {
			t.Run(string(k)+", "+name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					w := healthy(t, few)
					over := make(chan struct{})
					defer close(over)
					w.stall = func(ctx context.Context, called string) error {
						if called != op {
							return nil
						}
						return stall(ctx, over)
					}
					told, began := len(w.Messages()), time.Now()
					ctx, cancel := context.WithTimeout(t.Context(), 15*time.Minute)
					defer cancel()
					s, err := w.app(catalog.Backfill).Sweep(ctx, app.Request{}, nil)
					if err != nil {
						t.Fatal(err)
					}
					if took := time.Since(began); took > 10*time.Minute {
						t.Errorf("the sweep took %s", took)
					}
					for _, r := range s.Reports {
						if k == catalog.Alarms && r.Kind == string(catalog.Guard) && r.Region != home {
							continue // the guard reads a forwarder's alarm
						}
						if broken := r.Kind == string(k); broken != (r.Error != "") {
							t.Errorf("%s: error %q, want one of %s only", r.Scope, r.Error, k)
						}
					}
					if s.Unrestored == 0 {
						t.Error("nothing counts as unrestored")
					}
					if name == "a panic" {
						return
					}
					m := w.Messages()[told:]
					if len(m) != 1 || !strings.Contains(m[0].Text, "[check-given-up] kind "+string(k)+" in ") {
						t.Errorf("messages %+v, want one that names %s", m, k)
					}
					if again := w.sweepWithin(15 * time.Minute); again.Findings == 0 || len(w.Messages()) != told+1 {
						t.Errorf("the next sweep finds %d, and there are %d messages; want the finding, and no message again", again.Findings, len(w.Messages())-told)
					}
				})
			})
		}
	}
}

func (w *world) sweepWithin(d time.Duration) app.Sweep {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), d)
	defer cancel()
	return must(w.app(catalog.Backfill).Sweep(ctx, app.Request{}, nil))
}

// A call with advice is reported within seconds, whatever becomes of the check of
// what depends on it, and once, however often its message is delivered.
func TestAdviceBeforeTheLook(t *testing.T) {
	t.Parallel()
	for sample, stalledOp := range map[string]string{
		"PutKeyPolicy.logs.json": "GetTopicAttributes", "PutBucketPolicy.logs.json": "DescribeTrails", "PutRolePolicy.trail-role.json": "GetTrailStatus",
		"PutTransformer.trail.json": "DescribeTrails", "SetAlarmState.one.json": "DescribeAlarms",
	} {
		for name, stall := range stalls {
			t.Run(fmt.Sprint(sample, ", ", name), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					w := healthy(t, few)
					over := make(chan struct{})
					defer close(over)
					w.stall = func(ctx context.Context, called string) error {
						if called != stalledOp {
							return nil
						}
						return stall(ctx, over)
					}
					told, began := len(w.Messages()), time.Now()
					notices := func() (n int) {
						for _, m := range w.Messages()[told:] {
							if strings.Contains(m.Text, "Notice: ") && strings.Contains(m.Text, "What: ") {
								n++
							}
						}
						return n
					}
					var first time.Duration
					var watch sync.WaitGroup
					watch.Go(func() {
						for range 60 {
							if notices() > 0 {
								first = time.Since(began)
								return
							}
							time.Sleep(time.Second)
						}
					})
					kind := kindStalled(t, sample, stalledOp)
					a := w.app(catalog.Function(kind))
					for range 3 {
						ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
						before := time.Now()
						raw := strings.ReplaceAll(string(events.Read(sample)), "1234abcd-12ab-34cd-56ef-1234567890ab", keyName(topicKey))
						if _, err := a.HandleEvent(ctx, batch([]byte(raw))); err != nil {
							t.Error(err)
						}
						if took := time.Since(before); took > 58*time.Second {
							t.Errorf("the function took %s of its minute", took)
						}
						cancel()
					}
					watch.Wait()
					if first > 8*time.Second || notices() == 0 {
						t.Errorf("the first of %d notices after %s, want one within 8 s: %+v", notices(), first, w.Messages()[told:])
					}
					if n := notices(); name != "a panic" && n != 1 {
						t.Errorf("%d notices, want one: %+v", n, w.Messages()[told:])
					}
				})
			})
		}
	}
}

func keyName(arn string) string { return arn[strings.LastIndex(arn, "/")+1:] }

// kindStalled returns the kind that checks a sample by an operation.
func kindStalled(t *testing.T, sample, op string) catalog.Kind {
	t.Helper()
	switch op {
	case "GetTopicAttributes":
		return catalog.Topics
	case "DescribeAlarms":
		return catalog.Alarms
	}
	if strings.HasPrefix(sample, "PutTransformer") {
		return catalog.LogGroups
	}
	return catalog.Trails
}

// Several runs of one invocation share its time: one that does not end leaves time
// for the others.
func TestRunsShareTheTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := healthy(t, few)
		over := make(chan struct{})
		defer close(over)
		before := w.State()
		var began atomic.Bool
		w.deleteFlowLogs(home, "vpc-1")
		w.deleteFlowLogs(second, "vpc-3")
		w.stall = func(ctx context.Context, called string) error {
			if called == "DescribeVpcs" && began.CompareAndSwap(false, true) { // of the first region in order
				<-over
				return errors.New("over")
			}
			time.Sleep(200 * time.Millisecond)
			return ctx.Err()
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		res := must(w.app(catalog.Function(catalog.FlowLogs)).HandleEvent(ctx, batch(events.Read("DeleteFlowLogs.second-region.json"), events.Read("DeleteFlowLogs.one.json"))))
		if again := res.(lambdaevents.SQSEventResponse).BatchItemFailures; len(again) != 1 || again[0].ItemIdentifier != "m-0" {
			t.Errorf("%+v are delivered again, want the message of the first run", again)
		}
		if n, want := flowLogsIn(w.State(), home), flowLogsIn(before, home); n != want {
			t.Errorf("%d flow logs in %s, want %d", n, home, want)
		}
	})
}

func flowLogsIn(state map[string]string, region string) (n int) {
	for key := range state {
		if strings.HasPrefix(key, region+" flow-log ") {
			n++
		}
	}
	return n
}
