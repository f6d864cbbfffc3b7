package awsio

import (
	"context"
	"math"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

// mostDelay is the longest delay of a message. Source: Amazon SQS API Reference,
// SendMessage, DelaySeconds.
const mostDelay = 15 * time.Minute

// Defer sends a message to the queue with that URL. SQS delivers it after the delay, in
// whole seconds and never early.
func (c *Cloud) Defer(ctx context.Context, queue, body string, delay time.Duration) error {
	_, err := c.home(c.Want.HomeRegion).sqs().SendMessage(ctx, &sqs.SendMessageInput{
		QueueUrl: aws.String(queue), MessageBody: aws.String(body), DelaySeconds: int32(math.Ceil(min(delay, mostDelay).Seconds())),
	})
	return bare(err)
}
