package awsio

import (
	"context"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
)

// A PastCall is a call in CloudTrail's event history.
type PastCall struct {
	ID     string
	Source string // as in an event: "aws.monitoring"
	Time   time.Time
	Record string // JSON, as CloudTrail writes it
}

// lookupPage is the largest page of LookupEvents. Source: CloudTrail API Reference.
const lookupPage = 50

// History returns the latest calls of a name that a region's event history has since a
// time, the latest first: at most fifty. Nobody can write into that history. It lacks the last
// minutes. Source: CloudTrail API Reference, LookupEvents.
func (c *Cloud) History(ctx context.Context, region, call string, since time.Time) ([]PastCall, error) {
	out, err := c.home(region).cloudtrail().LookupEvents(ctx, &cloudtrail.LookupEventsInput{
		StartTime:        aws.Time(since),
		MaxResults:       aws.Int32(lookupPage),
		LookupAttributes: []types.LookupAttribute{{AttributeKey: types.LookupAttributeKeyEventName, AttributeValue: aws.String(call)}},
	})
	if err != nil {
		return nil, err
	}
	var calls []PastCall
	for _, e := range out.Events {
		service, _, _ := strings.Cut(aws.ToString(e.EventSource), ".")
		calls = append(calls, PastCall{aws.ToString(e.EventId), "aws." + service, aws.ToTime(e.EventTime), aws.ToString(e.CloudTrailEvent)})
	}
	return calls, nil
}
