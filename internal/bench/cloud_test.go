package bench_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/relight-aws/relight/internal/awstest"
	"github.com/relight-aws/relight/internal/bench"
	"github.com/relight-aws/relight/internal/catalog"
)

const (
	account = "111122223333"
	home    = "us-east-1"
	queue   = "relight-loggroups"
)

// A recorder is a function that notes what it gets, and fails what it cannot read.
type recorder struct {
	mu    sync.Mutex
	began time.Time
	got   []string // when, how often received, and the name of the call
	sizes []int
	takes time.Duration
}

func (r *recorder) handle(_ context.Context, raw json.RawMessage) (any, error) {
	var batch events.SQSEvent
	if err := json.Unmarshal(raw, &batch); err != nil {
		return nil, err
	}
	res := events.SQSEventResponse{}
	r.mu.Lock()
	r.sizes = append(r.sizes, len(batch.Records))
	for _, m := range batch.Records {
		var e struct {
			Region string
			Detail struct {
				EventName         string
				RequestParameters struct{ LogGroupName string }
				UserIdentity      struct{ ARN string }
			}
		}
		if json.Unmarshal([]byte(m.Body), &e) != nil {
			res.BatchItemFailures = append(res.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: m.MessageId})
		}
		d := e.Detail
		r.got = append(r.got, strings.TrimSpace(fmt.Sprintf("%v %s %s %s", time.Since(r.began).Round(time.Second), m.Attributes["ApproximateReceiveCount"], d.EventName, d.RequestParameters.LogGroupName)))
	}
	r.mu.Unlock()
	time.Sleep(r.takes)
	return res, nil
}

// connected returns an account with a queue, and a Cloud with one function.
func connected(r *recorder) (*awstest.Account, *bench.Cloud) {
	acct := awstest.New(account, home)
	arn := acct.AddQueue(home, queue)
	r.began = time.Now()
	return acct, bench.NewCloud(acct, bench.Function{Kind: catalog.LogGroups, Queue: arn, Start: func() bench.Handler { return r.handle }})
}

// A call that catalog.Calls lists arrives as an event; what only reads, what AWS refused
// and what no kind watches does not.
func TestCallsBecomeEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r recorder
		acct, cloud := connected(&r)
		group := &cloudwatchlogs.CreateLogGroupInput{LogGroupName: aws.String("g")}
		_, _ = acct.Logs.CreateLogGroup(t.Context(), group)
		_, _ = acct.Logs.CreateLogGroup(t.Context(), group) // exists
		_, _ = acct.Logs.DescribeLogGroups(t.Context(), &cloudwatchlogs.DescribeLogGroupsInput{})
		_, _ = acct.Logs.DeleteRetentionPolicy(t.Context(), &cloudwatchlogs.DeleteRetentionPolicyInput{LogGroupName: aws.String("g")})
		if !cloud.Settle(time.Minute) {
			t.Error("it does not settle")
		}
		cloud.Close()
		if got := strings.Join(r.got, "; "); got != "1s 1 CreateLogGroup g" {
			t.Errorf("got %s", got)
		}
		if n := cloud.Calls()["root"]["CreateLogGroup"]; n != 2 {
			t.Errorf("%v, want two calls counted", cloud.Calls())
		}
	})
}

// A message that a function sends to a queue arrives after its delay. One that cannot
// be handled comes back until it is dead.
func TestQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r recorder
		acct, cloud := connected(&r)
		url := "https://sqs." + home + ".amazonaws.com/" + account + "/" + queue
		if _, err := acct.SQS.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: aws.String(url), MessageBody: aws.String(`{}`), DelaySeconds: 7}); err != nil {
			t.Fatal(err)
		}
		cloud.Send("{ unreadable")
		if !cloud.Settle(time.Hour) {
			t.Error("it does not settle")
		}
		cloud.Close()
		want := "0s 1; 7s 1; 6m0s 2; 12m0s 3; 18m0s 4; 24m0s 5"
		if got := strings.Join(r.got, "; "); got != want || cloud.Dead() != 1 {
			t.Errorf("got %s, %d dead; want %s, 1", got, cloud.Dead(), want)
		}
	})
}

// While all instances are busy, messages wait, and the next batches take ten each.
func TestBatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := recorder{takes: time.Second}
		_, cloud := connected(&r)
		for range 25 {
			cloud.Send(`{}`)
			time.Sleep(time.Millisecond)
		}
		cloud.Settle(time.Minute)
		cloud.Close()
		if got := fmt.Sprint(r.sizes); got != "[1 1 10 10 3]" {
			t.Errorf("batches of %s", got)
		}
	})
}
