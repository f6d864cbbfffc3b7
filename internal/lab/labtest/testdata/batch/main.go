// This function reports each batch of messages that it gets to the queue REPORTS. It
// sleeps for as long as the first message that begins with "sleep " says, and answers
// that the messages "fail" have failed, and that a message which was not in the batch has,
// if there is one "confuse".
package main

import (
	"context"
	"encoding/json"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

func handle(ctx context.Context, batch events.SQSEvent) (answer events.SQSEventResponse, err error) {
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return answer, err
	}
	begin := time.Now()
	for _, m := range batch.Records {
		if span, ok := strings.CutPrefix(m.Body, "sleep "); ok {
			d, err := time.ParseDuration(span)
			if err != nil {
				return answer, err
			}
			time.Sleep(d)
			break
		}
	}
	for _, m := range batch.Records {
		switch id := m.MessageId; m.Body {
		case "confuse":
			id = "none"
			fallthrough
		case "fail":
			answer.BatchItemFailures = append(answer.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: id})
		}
	}
	report, err := json.Marshal(map[string]any{"process": os.Getpid(), "begin": begin, "end": time.Now(), "records": batch.Records})
	if err != nil {
		return answer, err
	}
	_, err = sqs.NewFromConfig(cfg).SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: aws.String(os.Getenv("REPORTS")), MessageBody: aws.String(string(report))})
	return answer, err
}

func main() { lambda.Start(handle) }
