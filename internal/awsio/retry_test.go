package awsio

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	smithy "github.com/aws/smithy-go"

	"github.com/relight-aws/relight/internal/awstest"
	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/plan"
	"github.com/relight-aws/relight/internal/remedy"
)

const (
	freshRole  = "relight-fresh"
	freshTopic = "arn:aws:sns:" + home + ":" + account + ":fresh"
	freshTrail = "arn:aws:cloudtrail:" + home + ":" + account + ":trail/fresh"
	freshGroup = "fresh"
	trailRole  = "arn:aws:iam::" + account + ":role/trail-delivery"
)

// A call is one call of relight's on something that exists.
type call func(context.Context, *region) error

func putRolePolicy(ctx context.Context, r *region) error {
	return r.putRolePolicy(ctx, plan.PutRolePolicy{Role: freshRole, Name: "p", Document: `{"Statement":[]}`})
}

func getRole(ctx context.Context, r *region) error {
	_, err := r.iam().GetRole(ctx, &iam.GetRoleInput{RoleName: aws.String(freshRole)})
	return err
}

func createRole(ctx context.Context, r *region) error {
	_, err := r.iam().CreateRole(ctx, &iam.CreateRoleInput{RoleName: aws.String(freshRole), AssumeRolePolicyDocument: aws.String(`{"Statement":[]}`)})
	return err
}

func createTopic(ctx context.Context, r *region) error {
	return r.createTopic(ctx, plan.CreateTopic{Topic: freshTopic, Policy: `{"Statement":[]}`})
}

func setTopicPolicy(ctx context.Context, r *region) error {
	return r.setTopicPolicy(ctx, plan.SetTopicPolicy{Topic: freshTopic, Policy: `{"Statement":[]}`})
}

func createTrail(ctx context.Context, r *region) error {
	_, err := r.cloudtrail().CreateTrail(about(ctx, freshTrail), &cloudtrail.CreateTrailInput{Name: aws.String("fresh"), S3BucketName: aws.String("files")})
	return err
}

func startLogging(ctx context.Context, r *region) error {
	return r.startLogging(ctx, plan.StartLogging{Trail: freshTrail})
}

func updateTrail(ctx context.Context, r *region) error {
	_, err := r.cloudtrail().UpdateTrail(ctx, &cloudtrail.UpdateTrailInput{Name: aws.String(freshTrail), EnableLogFileValidation: aws.Bool(true)})
	return err
}

func putRetention(ctx context.Context, r *region) error { return r.putRetention(ctx, freshGroup, 365) }

// prepared returns an account with everything that the calls above need, and
// relight's access to it. Everything but what a test itself creates is old.
func prepared(t *testing.T) (*awstest.Account, *region) {
	t.Helper()
	acct := awstest.New(account, home)
	acct.AddBucket("files")
	acct.AddKey("arn:aws:kms:" + home + ":" + account + ":key/k")
	acct.AddRole(trailRole, 0)
	awstest.Handle(acct, func(context.Context, *lambda.InvokeInput) (*lambda.InvokeOutput, error) {
		return &lambda.InvokeOutput{}, nil
	})
	c := &Cloud{Config: acct.Config(), Kinds: AllKinds(), Pace: &Pace{}, Want: catalog.Desired{Deployment: catalog.Deployment{Account: account}}}
	r := c.in(account, home)
	if err := r.createLogGroup(t.Context(), plan.CreateLogGroup{Name: freshGroup, RetentionDays: 365}); err != nil {
		t.Fatal(err)
	}
	return acct, r
}

// What passes by itself is tried again, for as long as its row says. What does not
// pass, or need not, is not.
func TestPassings(t *testing.T) {
	none := []time.Duration{}
	tests := map[string]struct {
		first []call // before the call
		do    call
		op    string
		code  string // with its message
		waits []time.Duration
		class remedy.Class // if it goes on for longer
	}{
		"a log group is being changed":    {do: putRetention, op: "PutRetentionPolicy", code: "OperationAbortedException", waits: briefly, class: remedy.Transient},
		"a quota of Logs":                 {do: putRetention, op: "PutRetentionPolicy", code: "LimitExceededException", waits: none, class: remedy.Terminal},
		"a role is being changed":         {first: []call{createRole}, do: putRolePolicy, op: "PutRolePolicy", code: "ConcurrentModification", waits: briefly, class: remedy.Transient},
		"a role is being created":         {do: createRole, op: "CreateRole", code: "ConcurrentModification", waits: briefly, class: remedy.Transient},
		"a new role, written":             {first: []call{createRole}, do: putRolePolicy, op: "PutRolePolicy", code: "NoSuchEntity", waits: spreading, class: remedy.Transient},
		"a new role, read":                {first: []call{createRole}, do: getRole, op: "GetRole", code: "NoSuchEntity", waits: spreading, class: remedy.Missing},
		"a role that is not there":        {do: getRole, op: "GetRole", code: "NoSuchEntity", waits: none, class: remedy.Missing},
		"a role that exists already":      {do: createRole, op: "CreateRole", code: "EntityAlreadyExists", waits: none, class: remedy.Present},
		"SNS throttles":                   {do: createTopic, op: "CreateTopic", code: "Throttled", waits: briefly, class: remedy.Transient},
		"tags of a deleted topic":         {do: createTopic, op: "CreateTopic", code: "StaleTag", waits: spreading, class: remedy.Transient},
		"tags are being changed":          {do: createTopic, op: "CreateTopic", code: "ConcurrentAccess", waits: briefly, class: remedy.Transient},
		"a new topic":                     {first: []call{createTopic}, do: setTopicPolicy, op: "SetTopicAttributes", code: "NotFound", waits: spreading, class: remedy.Transient},
		"a topic that is not there":       {do: setTopicPolicy, op: "SetTopicAttributes", code: "NotFound", waits: none, class: remedy.Transient},
		"a trail is being changed":        {first: []call{createTrail}, do: startLogging, op: "StartLogging", code: "ConflictException", waits: spreading, class: remedy.Transient},
		"a new trail":                     {first: []call{createTrail}, do: startLogging, op: "StartLogging", code: "TrailNotFoundException", waits: spreading, class: remedy.Transient},
		"a trail that is not there":       {do: startLogging, op: "StartLogging", code: "TrailNotFoundException", waits: none, class: remedy.Transient},
		"a trail's role spreads":          {first: []call{createTrail}, do: updateTrail, op: "UpdateTrail", code: "InvalidCloudWatchLogsRoleArnException: Access denied. Check the trust relationships for your role.", waits: perhaps, class: remedy.Terminal},
		"a trail's role's policy spreads": {do: createTrail, op: "CreateTrail", code: "InvalidCloudWatchLogsLogGroupArnException: Access denied. Check the permissions for your role.", waits: perhaps, class: remedy.Terminal},
		"a trail's role is not named":     {do: createTrail, op: "CreateTrail", code: "InvalidCloudWatchLogsRoleArnException: You must specify a role ARN.", waits: none, class: remedy.Terminal},
		"a trail's group is gone":         {do: createTrail, op: "CreateTrail", code: "InvalidCloudWatchLogsLogGroupArnException: CloudTrail cannot validate the specified log group ARN.", waits: none, class: remedy.Terminal},
		"a trail's bucket is gone":        {do: createTrail, op: "CreateTrail", code: "S3BucketDoesNotExistException", waits: none, class: remedy.Terminal},
		"denied":                          {do: createTrail, op: "CreateTrail", code: "AccessDeniedException: Access denied.", waits: none, class: remedy.Terminal},
		"a parameter is being written":    {do: func(ctx context.Context, r *region) error { return r.remember(ctx, "/p", "v") }, op: "PutParameter", code: "TooManyUpdates", waits: briefly, class: remedy.Transient},
		"a key's state lags": {do: func(ctx context.Context, r *region) error {
			_, err := r.kms().EnableKey(ctx, &kms.EnableKeyInput{KeyId: aws.String("arn:aws:kms:" + home + ":" + account + ":key/k")})
			return err
		}, op: "EnableKey", code: keyInvalidState, waits: briefly, class: remedy.Transient},
		"a key's state forbids": {do: func(ctx context.Context, r *region) error {
			_, err := r.kms().CancelKeyDeletion(ctx, &kms.CancelKeyDeletionInput{KeyId: aws.String("arn:aws:kms:" + home + ":" + account + ":key/k")})
			return err
		}, op: "CancelKeyDeletion", code: keyInvalidState, waits: none, class: remedy.Transient},
		"the topic's key is busy": {first: []call{createTopic}, do: func(ctx context.Context, r *region) error {
			return r.Publish(ctx, freshTopic, remedy.Notification{Subject: "s", Message: "m"})
		}, op: "Publish", code: "KMSThrottling", waits: briefly, class: remedy.Transient},
		"a flow log's role spreads": {do: func(ctx context.Context, r *region) error {
			_, err := r.ec2().CreateFlowLogs(ctx, &ec2.CreateFlowLogsInput{ResourceIds: []string{"vpc-1"}, ResourceType: "VPC", TrafficType: "ALL", LogGroupName: aws.String(freshGroup), DeliverLogsPermissionArn: aws.String(trailRole)})
			return err
		}, op: "CreateFlowLogs", code: awstest.AssumeRole, waits: spreading, class: remedy.Transient},
	}
	for name, tt := range tests {
		for fails := range len(tt.waits) + 2 {
			t.Run(fmt.Sprintf("%s, %d times", name, fails), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					acct, r := prepared(t)
					for _, do := range tt.first {
						if err := do(t.Context(), r); err != nil {
							t.Fatal(err)
						}
					}
					before, begin := acct.Calls(), time.Now()
					acct.Fail(tt.op, slices.Repeat([]string{tt.code}, fails)...)
					err := tt.do(t.Context(), r)
					var waited time.Duration
					for _, d := range tt.waits[:min(fails, len(tt.waits))] {
						waited += d
					}
					if got := acct.Calls().Since(before)[tt.op]; got != min(fails, len(tt.waits))+1 {
						t.Errorf("%d calls, want %d", got, min(fails, len(tt.waits))+1)
					}
					if got := time.Since(begin).Round(time.Millisecond); got != waited {
						t.Errorf("took %v, want %v", got, waited)
					}
					switch {
					case fails > len(tt.waits) && remedy.ClassOf(err) != tt.class:
						t.Errorf("%v is %s, want %s", err, remedy.ClassOf(err), tt.class)
					case fails > 0 && fails <= len(tt.waits) && err != nil:
						t.Errorf("%v, want it done", err)
					}
				})
			})
		}
	}
}

// The sweep waits for a function that is being updated, which the account in memory
// does not answer for.
func TestFunctionIsBeingUpdated(t *testing.T) {
	for fails, done := range map[int]bool{1: true, len(briefly): true, len(briefly) + 1: false} {
		synctest.Test(t, func(t *testing.T) {
			acct, r := prepared(t)
			calls := 0
			awstest.Handle(acct, func(context.Context, *lambda.InvokeInput) (*lambda.InvokeOutput, error) {
				if calls++; calls <= fails {
					return nil, &smithy.GenericAPIError{Code: "ResourceConflictException", Message: "an update is in progress"}
				}
				return &lambda.InvokeOutput{}, nil
			})
			if err := r.HandOver(t.Context(), home, catalog.HandOver{Repair: catalog.DeliveryRoles}); (err == nil) != done || err != nil && remedy.ClassOf(err) != remedy.Transient {
				t.Errorf("after %d conflicts: %v", fails, err)
			}
		})
	}
}

// Something is new for half a minute.
func TestNewForAWhile(t *testing.T) {
	for wait, calls := range map[time.Duration]int{madeFor - time.Second: 2, madeFor: 1} {
		synctest.Test(t, func(t *testing.T) {
			acct, r := prepared(t)
			if err := createRole(t.Context(), r); err != nil {
				t.Fatal(err)
			}
			time.Sleep(wait)
			before := acct.Calls()
			acct.Fail("GetRole", "NoSuchEntity")
			_ = getRole(t.Context(), r)
			if got := acct.Calls().Since(before)["GetRole"]; got != calls {
				t.Errorf("after %v: %d calls, want %d", wait, got, calls)
			}
		})
	}
}

// A role that relight itself restores is complete at the end of the run, although
// IAM does not find it at first, neither to change nor to read it.
func TestNewRoleIsNotFound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		acct, r := prepared(t)
		r.Want.DeliveryRole = "arn:aws:iam::" + account + ":role/relight-delivery"
		acct.Doubt("new-role-can-be-changed-at-once", "role-reads-show-writes-at-once")
		got := remedy.Reconciler{Observer: r.Cloud, Applier: r.Cloud, Want: r.Want}.Run(t.Context(), scope(catalog.DeliveryRoles), catalog.Repair)
		if got.Failures() != nil || got.Repaired() == 0 {
			t.Errorf("%+v", got)
		}
		if state := acct.State()["role relight-delivery"]; !strings.Contains(state, "logs:PutLogEvents") {
			t.Errorf("the role is %s", state)
		}
	})
}

// However many calls meet errors that pass, the waits of one plan's actions, and of
// one observation, end after patience. The later actions are tried once.
func TestWaitsEnd(t *testing.T) {
	const filters = 40
	actions := make([]plan.Action, filters)
	for i := range actions {
		actions[i] = plan.PutFilter{LogGroup: freshGroup, Filter: plan.Filter{Name: fmt.Sprintf("f-%02d", i), Pattern: "x", Metrics: []plan.Metric{{Namespace: "n", Name: "m", Value: "1"}}}}
	}
	tests := map[string]struct {
		faults []string
		done   int // filters at least
	}{
		"for ever":              {slices.Repeat([]string{abortedCode}, 1000), 0},
		"each passes just once": {slices.Repeat([]string{abortedCode, abortedCode, abortedCode, ""}, 1000), 5},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				acct, r := prepared(t)
				acct.Fail("PutMetricFilter", tt.faults...)
				begin, before := time.Now(), acct.Calls()
				done := 0
				for _, out := range r.Apply(t.Context(), scope(catalog.LogGroups), actions) {
					if out.Err == nil {
						done++
					} else if remedy.ClassOf(out.Err) != remedy.Transient {
						t.Errorf("%v", out.Err)
					}
				}
				took, calls := time.Since(begin), acct.Calls().Since(before)["PutMetricFilter"]
				if paced := time.Duration(calls) * time.Second / 4; took > patience+paced {
					t.Errorf("took %v for %d calls, want at most %v beside the pace", took, calls, patience)
				}
				if took < patience/2 || done < tt.done || calls < filters {
					t.Errorf("took %v, %d calls, %d done; want it to try", took, calls, done)
				}
			})
		})
	}
}

// No wait uses the last seconds of a function's time.
func TestWaitsLeaveTime(t *testing.T) {
	for left, calls := range map[time.Duration]int{unspent: 1, unspent + 2*time.Second: 3, unspent + time.Minute: 5} {
		synctest.Test(t, func(t *testing.T) {
			acct, r := prepared(t)
			ctx, cancel := context.WithTimeout(t.Context(), left)
			defer cancel()
			before := acct.Calls()
			acct.Fail("PutRetentionPolicy", slices.Repeat([]string{abortedCode}, 9)...)
			if err := putRetention(ctx, r); codeOf(err) != abortedCode {
				t.Error(err)
			}
			if got := acct.Calls().Since(before)["PutRetentionPolicy"]; got != calls {
				t.Errorf("%v left: %d calls, want %d", left, got, calls)
			}
		})
	}
}

// No row waits for longer than all waits together may last, and each names a
// service that relight calls.
func TestPassingsFit(t *testing.T) {
	services := []string{"cloudtrail", "cloudwatch", "ec2", "iam", "kms", "lambda", "logs", "securityhub", "sns", "ssm"}
	for _, p := range passings {
		var sum time.Duration
		for _, d := range p.waits {
			sum += d
		}
		if sum == 0 || sum > patience || !slices.Contains(services, p.service) {
			t.Errorf("%+v waits %v", p, sum)
		}
	}
}
