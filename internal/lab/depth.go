package lab

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// Depth returns the number of messages in the queue with that URL, with those in flight, and of
// those that are delayed.
func (s *Session) Depth(ctx context.Context, url string) (n, delayed int, err error) {
	out, err := s.SQS.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: &url, AttributeNames: []types.QueueAttributeName{
		types.QueueAttributeNameApproximateNumberOfMessages, types.QueueAttributeNameApproximateNumberOfMessagesNotVisible,
		types.QueueAttributeNameApproximateNumberOfMessagesDelayed,
	}})
	if err != nil {
		return 0, 0, fmt.Errorf("read the depth of %s: %w", url, err)
	}
	for name, v := range out.Attributes {
		var i int
		if _, err := fmt.Sscan(v, &i); err != nil {
			return 0, 0, fmt.Errorf("%s of %s is %q: %w", name, url, v, err)
		}
		if name == string(types.QueueAttributeNameApproximateNumberOfMessagesDelayed) {
			delayed += i
		} else {
			n += i
		}
	}
	return n, delayed, nil
}
