package awstest_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/relight-aws/relight/internal/awstest"
)

const none = "<nil>" // the code of no error

// A second's calls may come at once, and the next ones as the quota lets them; each
// region has a quota of its own, and callers that are not limited use none of it.
func TestQuota(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		acct := awstest.New(account, home)
		acct.AddRegion("eu-west-1", "opt-in-not-required")
		limited := false
		acct.Throttles = func(string) bool { return limited }
		call := func(region string) string {
			_, err := acct.In(region).CloudWatch.DeleteAlarms(t.Context(), &cloudwatch.DeleteAlarmsInput{AlarmNames: []string{"a"}})
			return code(err)
		}
		for range 10 {
			if got := call(home); got != none {
				t.Errorf("a caller without limits: %s", got)
			}
		}
		limited = true
		for i, want := range []string{none, none, none, "Throttling", "Throttling"} {
			if got := call(home); got != want {
				t.Errorf("call %d: %q, want %q", i, got, want)
			}
		}
		if got := call("eu-west-1"); got != none {
			t.Errorf("another region: %s", got)
		}
		time.Sleep(time.Second / 3)
		for i, want := range []string{none, "Throttling"} {
			if got := call(home); got != want {
				t.Errorf("a third of a second later, call %d: %q, want %q", i, got, want)
			}
		}
		if got := acct.Throttled()["DeleteAlarms"]; got != 3 {
			t.Errorf("%d throttled, want 3", got)
		}
	})
}

// Each call takes its time, and the test sees what it did.
func TestLatencyAndWatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		acct := awstest.New(account, home)
		var seen []awstest.Call
		acct.Latency, acct.Watch = 20*time.Millisecond, func(c awstest.Call) { seen = append(seen, c) }
		began := time.Now()
		for _, name := range []string{"a", "b", "c"} {
			must(acct.Logs.CreateLogGroup(t.Context(), &cloudwatchlogs.CreateLogGroupInput{LogGroupName: aws.String(name)}))
		}
		if took := time.Since(began); took != 60*time.Millisecond {
			t.Errorf("three calls took %v, want 60ms", took)
		}
		if c := seen[2]; len(seen) != 3 || c.Op != "CreateLogGroup" || c.Region != home || c.Err != nil || c.Began.Sub(began) != 40*time.Millisecond ||
			len(c.Writes) != 1 || c.Writes[0].Target != "c" || !strings.HasSuffix(c.Caller, ":root") {
			t.Errorf("seen %+v", seen)
		}
	})
}

// A message needs a queue, a body, and a delay of at most fifteen minutes.
func TestSendMessage(t *testing.T) {
	acct := awstest.New(account, home)
	acct.AddQueue(home, "q")
	url := must(acct.SQS.GetQueueUrl(t.Context(), &sqs.GetQueueUrlInput{QueueName: aws.String("q")})).QueueUrl
	for _, tt := range []struct {
		url   string
		delay int32
		want  string
	}{{*url, 0, none}, {*url, 900, none}, {*url, 901, "InvalidParameterValue"}, {*url + "x", 0, "AWS.SimpleQueueService.NonExistentQueue"}} {
		_, err := acct.SQS.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: aws.String(tt.url), MessageBody: aws.String("m"), DelaySeconds: tt.delay})
		if got := code(err); got != tt.want {
			t.Errorf("to %s after %d s: %q, want %q", tt.url, tt.delay, got, tt.want)
		}
	}
	entry := func(id string, delay int32) sqstypes.SendMessageBatchRequestEntry {
		return sqstypes.SendMessageBatchRequestEntry{Id: aws.String(id), MessageBody: aws.String("m"), DelaySeconds: delay}
	}
	out := must(acct.SQS.SendMessageBatch(t.Context(), &sqs.SendMessageBatchInput{QueueUrl: url, Entries: []sqstypes.SendMessageBatchRequestEntry{entry("0", 1), entry("1", 901)}}))
	if len(out.Successful) != 1 || len(out.Failed) != 1 || *out.Failed[0].Id != "1" {
		t.Errorf("%d sent, %d failed", len(out.Successful), len(out.Failed))
	}
	_, err := acct.SQS.SendMessageBatch(t.Context(), &sqs.SendMessageBatchInput{QueueUrl: url, Entries: []sqstypes.SendMessageBatchRequestEntry{entry("0", 1), entry("0", 1)}})
	if got := code(err); got != "AWS.SimpleQueueService.BatchEntryIdsNotDistinct" {
		t.Errorf("two entries with one ID: %q", got)
	}
}
