package app_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/smithy-go/middleware"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/relight-aws/relight/internal/app"
	"github.com/relight-aws/relight/internal/awstest"
	"github.com/relight-aws/relight/internal/catalog"
)

// killed has an account swept by a process that ends with its n-th call, before AWS gets it or
// before its answer arrives. It reports whether the process came to its end before that.
func (w *world) killed(req app.Request, n int, answered bool) bool {
	w.t.Helper()
	ctx, kill := context.WithCancel(w.t.Context())
	defer kill()
	var calls atomic.Int64
	o := w.options(home, catalog.Backfill)
	o.AWS = o.AWS.Copy()
	o.AWS.APIOptions = append(o.AWS.APIOptions, func(stack *middleware.Stack) error {
		return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("Kill", func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
			switch last := int(calls.Add(1)) - n; {
			case last < 0:
				return next.HandleInitialize(ctx, in)
			case last == 0 && answered:
				_, _, _ = next.HandleInitialize(ctx, in)
			}
			kill()
			return middleware.InitializeOutput{}, middleware.Metadata{}, context.Canceled
		}), middleware.Before)
	})
	_, _ = app.NewWith(o).Sweep(ctx, req, nil)
	return ctx.Err() == nil
}

// memberOf makes a guarded account with flow logs and a log group of others beside what is
// missing.
func memberOf(w *world, guarded *awstest.Account) {
	guarded.AddTrailTo("audit", strings.ReplaceAll(trailGroup, account, other))
	guarded.AddTopic(home, "relight-alarms", 1)
	guarded.AddVPC(home, "vpc-0a1b2c3d4e5f60002")
	guarded.AddVPC(second, "vpc-0a1b2c3d4e5f60003")
	w.addTheirFlowLog(guarded, 3653)
}

// addTheirFlowLog makes a flow log of others on the VPC of a guarded account, with a role and a
// log group of theirs, which keeps its logs for so many days.
func (w *world) addTheirFlowLog(guarded *awstest.Account, days int32) {
	t, theirs := w.t, "arn:aws:iam::"+other+":role/theirs"
	guarded.AddRole(theirs, 0)
	must(guarded.Logs.CreateLogGroup(t.Context(), &cloudwatchlogs.CreateLogGroupInput{LogGroupName: aws.String("theirs")}))
	must(guarded.Logs.PutRetentionPolicy(t.Context(), &cloudwatchlogs.PutRetentionPolicyInput{LogGroupName: aws.String("theirs"), RetentionInDays: aws.Int32(days)}))
	must(guarded.EC2.CreateFlowLogs(t.Context(), &ec2.CreateFlowLogsInput{
		ResourceIds: []string{memberVPC}, ResourceType: ec2types.FlowLogsResourceTypeVpc, TrafficType: ec2types.TrafficTypeAll,
		LogGroupName: aws.String("theirs"), DeliverLogsPermissionArn: aws.String(theirs),
	}))
}

// withoutRetention returns the state of an account whose own log groups, if a sweep was killed after
// it made one, may keep their logs for ever: relight shortens no retention.
func withoutRetention(a *awstest.Account) map[string]string {
	state := a.State()
	for key, value := range state {
		if strings.HasSuffix(key, " log-group relight-flow-logs") {
			state[key] = strings.Replace(value, `"retention":365,`, "", 1)
		}
	}
	return state
}

// Wherever the sweep of an account is killed, the next ones make the account, and what relight
// remembers of it, what one sweep would have: nothing is lost and nothing is doubled.
func TestKilledSweeps(t *testing.T) {
	req := app.Request{Account: other}
	whole, guarded, _ := hub(t, listed)
	memberOf(whole, guarded)
	whole.killed(req, 1<<30, true)
	want, remembered := withoutRetention(guarded), whole.State()
	calls := guarded.Calls().Total()
	rapid.Check(t, func(r *rapid.T) {
		w, guarded, _ := hub(t, listed)
		memberOf(w, guarded)
		for range rapid.IntRange(1, 3).Draw(r, "kills") {
			w.killed(req, rapid.IntRange(1, calls+20).Draw(r, "call"), rapid.Bool().Draw(r, "answered"))
		}
		w.killed(req, 1<<30, true)
		if diff := cmp.Diff(want, withoutRetention(guarded)); diff != "" {
			r.Fatalf("the account (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(remembered, w.State()); diff != "" {
			r.Fatalf("the hub (-want +got):\n%s", diff)
		}
	})
}
