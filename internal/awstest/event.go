package awstest

import (
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
)

// mostEntry is the largest entry of PutEvents, in bytes. Source: Amazon EventBridge
// User Guide, "Calculating PutEvents event entry size".
const mostEntry = 256 * 1024

// An Event is an event that somebody put on the default bus.
type Event struct {
	Source, DetailType, Detail string
}

// putEvents keeps the events. Entries that are too large fail as a whole call; a
// test can make one fail inside a successful reply. Source: Amazon EventBridge API
// Reference, PutEvents.
func putEvents(c *request, in *eventbridge.PutEventsInput) (*eventbridge.PutEventsOutput, error) {
	out := &eventbridge.PutEventsOutput{}
	for _, e := range in.Entries {
		got := Event{aws.ToString(e.Source), aws.ToString(e.DetailType), aws.ToString(e.Detail)}
		switch {
		case len(got.Source)+len(got.DetailType)+len(got.Detail)+14 > mostEntry:
			return nil, refuse("ValidationException", "Total size of the entries in the request is over the limit.")
		case got.Source == "" || got.DetailType == "" || got.Detail == "":
			out.FailedEntryCount++
			out.Entries = append(out.Entries, types.PutEventsResultEntry{ErrorCode: aws.String("InvalidArgument"), ErrorMessage: aws.String("a parameter is missing")})
			continue
		case c.refuseEvents:
			out.FailedEntryCount++
			out.Entries = append(out.Entries, types.PutEventsResultEntry{ErrorCode: aws.String("InternalFailure"), ErrorMessage: aws.String("try again")})
			continue
		}
		c.events = append(c.events, got)
		out.Entries = append(out.Entries, types.PutEventsResultEntry{EventId: aws.String("event-" + strconv.Itoa(len(c.events)))})
	}
	return out, nil
}

// Events returns the events that were put on the default bus, in order.
func (a *Account) Events() []Event {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]Event(nil), a.events...)
}

// RefuseEvents makes the default bus refuse events inside a successful reply.
func (a *Account) RefuseEvents() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.refuseEvents = true
}

var eventOperations = []operation{handle(putEvents)}
