package awsio

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	smithy "github.com/aws/smithy-go"

	"github.com/relight-aws/relight/internal/catalog"
)

// Emit puts an event of relight's on the default bus of the home region. A reply
// without an error may still say that EventBridge did not take the event. Source:
// Amazon EventBridge API Reference, PutEvents, FailedEntryCount.
func (c *Cloud) Emit(ctx context.Context, detailType, detail string) error {
	out, err := client(c.home(c.Want.HomeRegion), eventbridge.NewFromConfig).PutEvents(ctx, &eventbridge.PutEventsInput{
		Entries: []types.PutEventsRequestEntry{{Source: aws.String(catalog.EventSource), DetailType: aws.String(detailType), Detail: aws.String(detail)}},
	})
	if err != nil {
		return bare(err)
	}
	for _, e := range out.Entries {
		if e.ErrorCode != nil {
			return &smithy.GenericAPIError{Code: *e.ErrorCode, Message: aws.ToString(e.ErrorMessage)}
		}
	}
	if out.FailedEntryCount > 0 {
		return errors.New("EventBridge did not take the event")
	}
	return nil
}
