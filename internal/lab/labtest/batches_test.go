package labtest

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// A batch is what a function that a queue feeds reports of one invocation.
type batch struct {
	Process    int
	Begin, End time.Time
	Records    []events.SQSMessage
}

// A feed is a queue whose messages a function gets.
type feed struct {
	t              *testing.T
	sqs            *sqs.Client
	queue, reports *string
}

// feeds makes a queue, a function and a mapping between them.
func feeds(t *testing.T, name string, mapping lambda.CreateEventSourceMappingInput) *feed {
	t.Helper()
	const region = "eu-west-3"
	f := &feed{t: t, sqs: sqs.NewFromConfig(config(region))}
	for suffix, url := range map[string]**string{"": &f.queue, "-reports": &f.reports} {
		out, err := f.sqs.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String(name + suffix), Attributes: map[string]string{"VisibilityTimeout": "1"}})
		must(t, err)
		*url = out.QueueUrl
	}
	arn := role(t, name+"-role", "lambda.amazonaws.com", "sqs:*")
	client := lambda.NewFromConfig(config(region))
	_, err := client.CreateFunction(t.Context(), &lambda.CreateFunctionInput{
		FunctionName: &name, Role: &arn, Runtime: lambdatypes.RuntimeProvidedal2023, Handler: aws.String("bootstrap"),
		Code: &lambdatypes.FunctionCode{ZipFile: binary(t, "./testdata/batch")}, Timeout: aws.Int32(20),
		Environment: &lambdatypes.Environment{Variables: map[string]string{"REPORTS": *f.reports}},
	})
	must(t, err)
	out, err := f.sqs.GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{QueueUrl: f.queue, AttributeNames: []sqstypes.QueueAttributeName{"QueueArn"}})
	must(t, err)
	mapping.FunctionName, mapping.EventSourceArn = &name, aws.String(out.Attributes["QueueArn"])
	mapping.FunctionResponseTypes = []lambdatypes.FunctionResponseType{lambdatypes.FunctionResponseTypeReportBatchItemFailures}
	_, err = client.CreateEventSourceMapping(t.Context(), &mapping)
	must(t, err)
	return f
}

func (f *feed) send(in sqs.SendMessageInput) {
	f.t.Helper()
	in.QueueUrl = f.queue
	_, err := f.sqs.SendMessage(f.t.Context(), &in)
	must(f.t, err)
}

// batches waits until the function has had n messages, and returns its batches by the time
// when they began.
func (f *feed) batches(n int) []batch {
	f.t.Helper()
	var got []batch
	for deadline := time.Now().Add(20 * time.Second); n > 0; {
		out, err := f.sqs.ReceiveMessage(f.t.Context(), &sqs.ReceiveMessageInput{QueueUrl: f.reports, MaxNumberOfMessages: 10, VisibilityTimeout: 60})
		must(f.t, err)
		for _, m := range out.Messages {
			var b batch
			must(f.t, json.Unmarshal([]byte(*m.Body), &b))
			got = append(got, b)
			n -= len(b.Records)
		}
		if time.Now().After(deadline) {
			f.t.Fatalf("the function lacks %d messages", n)
		}
		time.Sleep(5 * time.Millisecond)
	}
	slices.SortFunc(got, func(a, b batch) int { return a.Begin.Compare(b.Begin) })
	return got
}

// A window collects a batch until it is full; without one, a message goes at once.
func TestBatchSizes(t *testing.T) {
	for _, tt := range []struct {
		name            string
		size, seconds   int32
		messages, first int           // messages sent, and those in the first batch
		most            time.Duration // from the sending of the last message until the first batch
	}{
		{"at-once", 10, 0, 1, 1, 500 * time.Millisecond},
		{"ten", 10, 0, 25, 10, 500 * time.Millisecond},
		{"window", 100, 1, 25, 25, 1500 * time.Millisecond},
		{"full", 20, 2, 25, 20, 500 * time.Millisecond},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := feeds(t, "batch-"+tt.name, lambda.CreateEventSourceMappingInput{BatchSize: &tt.size, MaximumBatchingWindowInSeconds: &tt.seconds})
			f.send(sqs.SendMessageInput{MessageBody: aws.String("warm")})
			f.batches(1)
			time.Sleep(100 * time.Millisecond) // until it polls again
			must(t, cloud.Emulator.Poll(t.Context(), false))
			for i := range tt.messages {
				f.send(sqs.SendMessageInput{MessageBody: aws.String(strconv.Itoa(i))})
			}
			sent := time.Now()
			must(t, cloud.Emulator.Poll(t.Context(), true))
			got := f.batches(tt.messages)
			if n := len(got[0].Records); n != tt.first {
				t.Errorf("the first batch has %d messages, want %d", n, tt.first)
			}
			if waited := got[0].Begin.Sub(sent); waited > tt.most {
				t.Errorf("the first batch came after %s, want at most %s", waited, tt.most)
			}
		})
	}
}

// A mapping whose batches have more than ten messages needs a window, when it is made and
// when it changes.
func TestBatchWithoutWindow(t *testing.T) {
	const region = "eu-west-3"
	feeds(t, "batch-refused", lambda.CreateEventSourceMappingInput{})
	client := lambda.NewFromConfig(config(region))
	_, err := client.CreateEventSourceMapping(t.Context(), &lambda.CreateEventSourceMappingInput{
		FunctionName: aws.String("batch-refused"), EventSourceArn: aws.String("arn:aws:sqs:" + region + ":111122223333:batch-refused"), BatchSize: aws.Int32(11),
	})
	wantCode(t, err, "InvalidParameterValueException")
	out, err := client.ListEventSourceMappings(t.Context(), &lambda.ListEventSourceMappingsInput{FunctionName: aws.String("batch-refused")})
	must(t, err)
	id := out.EventSourceMappings[0].UUID
	_, err = client.UpdateEventSourceMapping(t.Context(), &lambda.UpdateEventSourceMappingInput{UUID: id, BatchSize: aws.Int32(11)})
	wantCode(t, err, "InvalidParameterValueException")
	_, err = client.UpdateEventSourceMapping(t.Context(), &lambda.UpdateEventSourceMappingInput{UUID: id, BatchSize: aws.Int32(11), MaximumBatchingWindowInSeconds: aws.Int32(1)})
	must(t, err)
	_, err = client.UpdateEventSourceMapping(t.Context(), &lambda.UpdateEventSourceMappingInput{UUID: id, MaximumBatchingWindowInSeconds: aws.Int32(0)})
	wantCode(t, err, "InvalidParameterValueException")
}

// As many batches as MaximumConcurrency allows run at once, each in a process of its own
// that stays warm.
func TestBatchesAtOnce(t *testing.T) {
	f := feeds(t, "batch-two", lambda.CreateEventSourceMappingInput{
		BatchSize: aws.Int32(1), ScalingConfig: &lambdatypes.ScalingConfig{MaximumConcurrency: aws.Int32(2)},
	})
	const n = 6
	for range n {
		f.send(sqs.SendMessageInput{MessageBody: aws.String("sleep 200ms")})
	}
	got := f.batches(n)
	processes, atOnce := map[int]bool{}, 0
	for _, b := range got {
		processes[b.Process] = true
		running := 0
		for _, other := range got {
			if !other.Begin.After(b.Begin) && other.End.After(b.Begin) {
				running++
			}
		}
		atOnce = max(atOnce, running)
	}
	if atOnce != 2 || len(processes) != 2 {
		t.Errorf("%d batches ran at once, in %d processes, want 2 in 2", atOnce, len(processes))
	}
}

// A message that the function says has failed comes again after the visibility timeout,
// and the others of its batch do not, unless the function names a message that was not in
// the batch.
func TestPartialFailures(t *testing.T) {
	for body, most := range map[string]int{"fail": 1, "confuse": 2} {
		t.Run(body, func(t *testing.T) {
			f := feeds(t, "batch-"+body, lambda.CreateEventSourceMappingInput{BatchSize: aws.Int32(10), MaximumBatchingWindowInSeconds: aws.Int32(1)})
			for _, body := range []string{body, "good"} {
				f.send(sqs.SendMessageInput{MessageBody: aws.String(body)})
			}
			first := f.batches(2)[0]
			again := f.batches(1)[0]
			if n := len(again.Records); n != most {
				t.Errorf("%d messages came again, want %d", n, most)
			}
			if m := again.Records[0]; m.Body != body || m.Attributes["ApproximateReceiveCount"] != "2" {
				t.Errorf("%s came again with %v", m.Body, m.Attributes)
			}
			if late := again.Begin.Sub(first.Begin); late < 900*time.Millisecond || late > 2500*time.Millisecond {
				t.Errorf("it came again after %s, want the visibility timeout of 1 s, and a window at most", late)
			}
		})
	}
}

// A message arrives when its own delay is over, with its attributes.
func TestDelayedMessage(t *testing.T) {
	f := feeds(t, "batch-delay", lambda.CreateEventSourceMappingInput{})
	f.send(sqs.SendMessageInput{MessageBody: aws.String("warm")})
	f.batches(1)
	sent := time.Now()
	f.send(sqs.SendMessageInput{
		MessageBody: aws.String("later"), DelaySeconds: 2,
		MessageAttributes: map[string]sqstypes.MessageAttributeValue{"round": {DataType: aws.String("Number"), StringValue: aws.String("7")}},
	})
	got := f.batches(1)[0]
	if waited := got.Begin.Sub(sent); waited < 2*time.Second || waited > 2*time.Second+300*time.Millisecond {
		t.Errorf("it came after %s, want 2 s", waited)
	}
	m := got.Records[0]
	if a := m.MessageAttributes["round"]; a.DataType != "Number" || aws.ToString(a.StringValue) != "7" {
		t.Errorf("attributes %+v, want the number 7", m.MessageAttributes)
	}
	at, err := strconv.ParseInt(m.Attributes["SentTimestamp"], 10, 64)
	if err != nil || time.UnixMilli(at).Sub(sent).Abs() > time.Second || cmp.Or(m.Attributes["ApproximateReceiveCount"], "none") != "1" {
		t.Errorf("attributes %v, want those of a message sent at %d and received once", m.Attributes, sent.UnixMilli())
	}
	if fmt.Sprint(m.EventSource, m.AWSRegion) != "aws:sqseu-west-3" {
		t.Errorf("from %s in %s", m.EventSource, m.AWSRegion)
	}
}
