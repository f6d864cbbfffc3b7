package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/relight-aws/relight/internal/catalog"
)

// A queue is an SQS queue that a mapping polls, with the settings of the stack. Source:
// AWS Lambda Developer Guide, "Using Lambda with Amazon SQS".
type queue struct {
	arn, name string

	mu      sync.Mutex
	ready   []*message
	sent    int           // messages so far
	left    int           // messages that are not done, ready or not
	dead    int           // messages that were received too often
	arrived chan struct{} // has a value while messages are ready
}

// A message is one message of a queue.
type message struct {
	id       string
	body     string
	sent     time.Time
	received int
}

func newQueue(arn string) *queue {
	return &queue{arn: arn, name: nameOf(arn), arrived: make(chan struct{}, 1)}
}

// put makes a new message ready.
func (q *queue) put(m *message) {
	q.expect()
	q.arrive(m)
}

// expect counts a message that arrives later.
func (q *queue) expect() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.left++
}

// arrive makes an expected message ready.
func (q *queue) arrive(m *message) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if m.id == "" {
		q.sent++
		m.id = q.name + "-" + strconv.Itoa(q.sent)
	}
	q.ready = append(q.ready, m)
	q.signal()
}

func (q *queue) signal() {
	select {
	case q.arrived <- struct{}{}:
	default:
	}
}

// receive returns the next batch, as soon as there is a message. It returns none when
// the context ends.
func (q *queue) receive(ctx context.Context) []*message {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-q.arrived:
		}
		if catalog.BatchSeconds > 0 {
			time.Sleep(catalog.BatchSeconds * time.Second)
		}
		if batch := q.take(); len(batch) > 0 {
			return batch
		}
	}
}

// take removes a batch from what is ready.
func (q *queue) take() []*message {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := min(catalog.BatchSize, len(q.ready))
	batch := q.ready[:n:n]
	q.ready = q.ready[n:]
	if len(q.ready) > 0 {
		q.signal()
	}
	for _, m := range batch {
		m.received++
	}
	return batch
}

// done forgets a message that was handled.
func (q *queue) done() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.left--
}

// retry makes a message ready again after the visibility timeout, or gives it up.
func (q *queue) retry(m *message) {
	if m.received >= catalog.MaxReceives {
		q.mu.Lock()
		defer q.mu.Unlock()
		q.left--
		q.dead++
		return
	}
	time.AfterFunc(catalog.VisibilitySeconds*time.Second, func() { q.arrive(m) })
}

func (q *queue) count() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.left
}

func (q *queue) deadCount() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.dead
}

// invoke passes a batch to a function, which has its usual time. It returns the IDs
// of the messages to deliver again.
func invoke(ctx context.Context, queue string, handle Handler, batch []*message) ([]string, error) {
	var in events.SQSEvent
	for _, m := range batch {
		millis := strconv.FormatInt(m.sent.UnixMilli(), 10)
		in.Records = append(in.Records, events.SQSMessage{
			MessageId: m.id, ReceiptHandle: m.id, Body: m.body, EventSource: "aws:sqs", EventSourceARN: queue,
			Attributes: map[string]string{
				"ApproximateReceiveCount": strconv.Itoa(m.received), "SentTimestamp": millis, "ApproximateFirstReceiveTimestamp": millis,
			},
		})
	}
	raw, err := json.Marshal(in)
	if err != nil {
		return nil, fmt.Errorf("encode a batch: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, catalog.EventSeconds*time.Second)
	defer cancel()
	out, err := handle(ctx, raw)
	if err != nil {
		return nil, err
	}
	var again []string
	if res, ok := out.(events.SQSEventResponse); ok {
		for _, f := range res.BatchItemFailures {
			again = append(again, f.ItemIdentifier)
		}
	}
	return again, nil
}
