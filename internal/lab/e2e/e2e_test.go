package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/lab"
	"github.com/relight-aws/relight/internal/lab/tap"
)

// A stage is one lab that all tests share, because a deployment takes half a
// minute.
type stage struct {
	*lab.Arena
	root *lab.Session
}

var shared stage

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	ctx, cancel := context.WithTimeout(context.Background(), 40*time.Minute)
	defer cancel()
	begin := time.Now()
	publishing := map[string]any{"audit": map[string]any{"securityHub": map[string]any{}}} // nothing in the demo has it
	arena, err := lab.Open(ctx, lab.Options{Config: publishing}, func(step string) {
		fmt.Printf("%4.0fs  %s\n", time.Since(begin).Seconds(), step)
	})
	if err != nil {
		fmt.Println(err)
		return 1
	}
	shared = stage{Arena: arena, root: arena.Cloud.Root().In(lab.Region)}
	code := m.Run()
	if err := arena.Cloud.Close(); err != nil {
		fmt.Println("the lab itself failed:", err)
		return 1
	}
	return code
}

// role returns the ARN of a function's role.
func (s stage) role(t *testing.T, f catalog.Function) string {
	t.Helper()
	return s.deployed(t, f).Role
}

// logs returns the log group of a function.
func (s stage) logs(t *testing.T, f catalog.Function) string {
	t.Helper()
	return s.deployed(t, f).Logs
}

func (s stage) deployed(t *testing.T, f catalog.Function) lab.Function {
	t.Helper()
	for _, fn := range s.Deployment.Functions {
		if fn.Name == s.name(f) {
			return fn
		}
	}
	t.Fatalf("function %s is not deployed", f)
	return lab.Function{}
}

func (s stage) name(f catalog.Function) string { return s.Prefix + "-" + string(f) }

// listening makes the functions of some kinds, by default all functions, receive
// events, or not. While they receive none, events stay in their queues and nothing
// heals. No event source mapping changes: relight would restore it.
func (s stage) listening(t *testing.T, on bool, only ...catalog.Kind) {
	t.Helper()
	var queues []string
	for _, k := range only {
		queues = append(queues, catalog.Baseline{Prefix: s.Prefix}.QueueName(k, false))
	}
	if err := s.Cloud.Emulator.Poll(t.Context(), on, queues...); err != nil {
		t.Fatal(err)
	}
}

// queues returns the URL of each function's queue.
func (s stage) queues(t *testing.T) map[catalog.Function]string {
	t.Helper()
	mappings, err := s.root.Lambda.ListEventSourceMappings(t.Context(), &lambda.ListEventSourceMappingsInput{})
	if err != nil {
		t.Fatal(err)
	}
	urls := map[catalog.Function]string{}
	for _, m := range mappings.EventSourceMappings {
		queue := lastPart(aws.ToString(m.EventSourceArn))
		function := lastPart(aws.ToString(m.FunctionArn))
		out, err := s.root.SQS.GetQueueUrl(t.Context(), &sqs.GetQueueUrlInput{QueueName: aws.String(queue)})
		if err != nil {
			t.Fatal(err)
		}
		urls[catalog.Function(strings.TrimPrefix(function, s.Prefix+"-"))] = aws.ToString(out.QueueUrl)
	}
	return urls
}

func lastPart(arn string) string { return arn[strings.LastIndex(arn, ":")+1:] }

// waiting returns the number of messages in all queues, including dead-letter
// queues, and of those that are delayed.
func (s stage) waiting(t *testing.T) (n, delayed int) {
	t.Helper()
	all, err := s.root.SQS.ListQueues(t.Context(), &sqs.ListQueuesInput{})
	if err != nil {
		t.Fatal(err)
	}
	for _, url := range all.QueueUrls {
		if strings.Contains(url, "/"+lab.Mailbox) {
			continue // a queue of people, who read it when they like
		}
		now, later := s.depth(t, url)
		n, delayed = n+now, delayed+later
	}
	return n, delayed
}

// depth returns the number of messages in a queue, including those in flight, and of those
// that are delayed.
func (s stage) depth(t *testing.T, url string) (n, delayed int) {
	t.Helper()
	n, delayed, err := s.root.Depth(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	return n, delayed
}

// drain waits until every event is delivered, every queue is empty, with nothing delayed, and
// every function has finished. A queue counts as empty only if it is still empty after the
// events of the last writes are delivered.
func (s stage) drain(t *testing.T) {
	t.Helper()
	s.empty(t, func() int { n, delayed := s.waiting(t); return n + delayed })
}

// delivered is drain, but for what functions have put off.
func (s stage) delivered(t *testing.T) {
	t.Helper()
	s.empty(t, func() int { n, _ := s.waiting(t); return n })
}

// empty waits until nothing is waiting, twice in a row, while every function has finished.
func (s stage) empty(t *testing.T, waiting func() int) {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	for empty := 0; empty < 2; {
		if err := s.Settle(t.Context()); err != nil {
			t.Fatal(err)
		}
		switch n := waiting(); {
		case n == 0:
			empty++
			continue
		case time.Now().After(deadline):
			t.Fatalf("%d messages are still in the queues", n)
		}
		empty = 0
		time.Sleep(100 * time.Millisecond)
	}
}

// purge empties every function's queue, without a call that relight would report.
func (s stage) purge(t *testing.T) {
	t.Helper()
	if err := s.Cloud.Tap.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.Cloud.Emulator.Drop(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// calls returns what a function called since a time, except its messages to
// people and the guard's check that it asks for afterwards.
func (s stage) calls(t *testing.T, f catalog.Function, since time.Time) (calls []tap.Call, published int) {
	t.Helper()
	for _, c := range s.Cloud.Tap.Calls(tap.ByRole(s.role(t, f), since)) {
		if c.Operation == "Publish" {
			published++
			continue
		}
		if c.Operation == "PutEvents" || c.Operation == "Invoke" && f.ChecksGuard() {
			continue
		}
		calls = append(calls, c)
	}
	return calls, published
}

func writesOf(calls []tap.Call) []tap.Call {
	return slices.DeleteFunc(slices.Clone(calls), func(c tap.Call) bool { return !c.Write })
}

func names(calls []tap.Call) string {
	var ops []string
	for _, c := range calls {
		ops = append(ops, c.Operation)
	}
	return strings.Join(ops, " ")
}

// invoke calls a function with an event, as aws lambda invoke does, and waits
// for its answer.
func (s stage) invoke(t *testing.T, f catalog.Function, payload any) []byte {
	t.Helper()
	raw, err := json.Marshal(payload)
	if err != nil {
		t.Fatal(err)
	}
	out, err := s.root.Lambda.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: aws.String(s.name(f)), Payload: raw})
	if err != nil {
		t.Fatal(err)
	}
	if out.FunctionError != nil {
		t.Fatalf("%s: %s", f, out.Payload)
	}
	return out.Payload
}
