package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/relight-aws/relight/internal/awstest"
	"github.com/relight-aws/relight/internal/catalog"
)

// EventDelay is the time from a call to its event on the bus. AWS publishes none; that
// of CloudTrail is usually longer and differs from call to call.
const EventDelay = time.Second

// A Handler handles the invocations of one instance of a function.
type Handler func(context.Context, json.RawMessage) (any, error)

// A Function is one function of a deployment, which a queue feeds.
type Function struct {
	Kind  catalog.Kind
	Queue string         // the ARN of its queue
	Start func() Handler // a cold start
}

// A Cloud is what AWS has between an account and the functions of a deployment: the
// trail and the bus, which make an event of each call; rules, which send the events
// that catalog.Calls lists to a queue for each kind; and mappings, which pass messages
// to as many instances of a function as catalog.BatchesAtOnce says. Each instance lives
// as long as the Cloud.
//
// It works in the virtual time of a bubble of testing/synctest, in which time passes
// while all of its functions wait. It is simpler than AWS in that every event takes
// EventDelay, and a poll finds every message.
type Cloud struct {
	account   *awstest.Account
	functions []Function
	queues    map[string]*queue // by name
	ctx       context.Context   //nolint:containedctx // the life of the Cloud, which ends with Close
	cancel    context.CancelFunc
	workers   sync.WaitGroup
	watched   func(awstest.Call) // who watched the account before

	mu     sync.Mutex
	calls  map[string]awstest.Calls // by session name
	ids    int
	events int
	onWay  int // events that no queue has yet
	failed []string
}

// NewCloud connects functions with an account, which it watches from now on.
func NewCloud(account *awstest.Account, functions ...Function) *Cloud {
	c := &Cloud{account: account, functions: functions, queues: map[string]*queue{}, calls: map[string]awstest.Calls{}}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	for _, f := range functions {
		q := newQueue(f.Queue)
		c.queues[q.name] = q
		for range catalog.BatchesAtOnce {
			c.workers.Go(func() { c.work(q, f.Start()) })
		}
	}
	c.watched = account.Watch
	account.Watch = c.watch
	return c
}

// Close ends the functions. Messages that are still in a queue are lost.
func (c *Cloud) Close() {
	c.cancel()
	c.workers.Wait()
	c.account.Watch = c.watched
}

// Send puts a message into the queue of each kind: for what no call of the account
// causes.
func (c *Cloud) Send(body string) {
	for _, f := range c.functions {
		c.queues[nameOf(f.Queue)].put(&message{body: body, sent: time.Now()})
		time.Sleep(time.Microsecond) // what happens at once repeats in no order
	}
}

// Settle waits until no event is on its way and no queue has a message, visible or
// not. It returns false if that takes longer than the limit.
func (c *Cloud) Settle(limit time.Duration) bool {
	for end := time.Now().Add(limit); time.Now().Before(end); time.Sleep(time.Second) {
		if c.idle() {
			return true
		}
	}
	return false
}

func (c *Cloud) idle() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, q := range c.queues {
		if q.count() > 0 {
			return false
		}
	}
	return c.onWay == 0
}

// Calls returns the calls of each session, by its name.
func (c *Cloud) Calls() map[string]awstest.Calls {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.calls
}

// Events returns how many events reached a queue.
func (c *Cloud) Events() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.events
}

// Dead returns how many messages came to a dead-letter queue.
func (c *Cloud) Dead() int {
	n := 0
	for _, q := range c.queues {
		n += q.deadCount()
	}
	return n
}

// Failed returns the errors of invocations.
func (c *Cloud) Failed() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.failed)
}

// watch counts a call, makes events of it and delivers the messages that it sends.
func (c *Cloud) watch(call awstest.Call) {
	if c.watched != nil {
		c.watched(call)
	}
	session := nameOf(call.Caller)
	c.mu.Lock()
	if c.calls[session] == nil {
		c.calls[session] = awstest.Calls{}
	}
	c.calls[session][call.Op]++
	c.mu.Unlock()
	if call.Err != nil { // the rules leave out what AWS refused
		return
	}
	switch in := call.In.(type) {
	case *sqs.SendMessageInput:
		c.later(aws.ToString(in.QueueUrl), aws.ToString(in.MessageBody), in.DelaySeconds)
		return
	case *sqs.SendMessageBatchInput:
		for _, e := range in.Entries {
			c.later(aws.ToString(in.QueueUrl), aws.ToString(e.MessageBody), e.DelaySeconds)
		}
		return
	}
	for _, e := range eventsOf(c.account.ID, call, c.newID) {
		c.route(e)
	}
}

// later delivers a message that somebody sent.
func (c *Cloud) later(url, body string, seconds int32) {
	q := c.queues[nameOf(url)]
	if q == nil {
		return // somebody else's
	}
	sent := time.Now()
	q.expect()
	time.AfterFunc(time.Duration(seconds)*time.Second, func() { q.arrive(&message{body: body, sent: sent}) })
}

// newID returns the ID of an event.
func (c *Cloud) newID() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ids++
	return fmt.Sprintf("00000000-0000-4000-8000-%012d", c.ids)
}

// nameOf returns the name at the end of an ARN or a URL.
func nameOf(s string) string { return s[strings.LastIndexAny(s, "/:")+1:] }

// route sends an event to the queues of the kinds that it may concern.
func (c *Cloud) route(e event) {
	var to []*queue
	for _, f := range c.functions {
		if slices.ContainsFunc(catalog.FindCalls(e.source, e.detailType, e.name), func(call catalog.Call) bool { return slices.Contains(call.Kinds, f.Kind) }) {
			to = append(to, c.queues[nameOf(f.Queue)])
		}
	}
	if len(to) == 0 {
		return
	}
	c.mu.Lock()
	c.events++
	c.onWay++
	delay := EventDelay + time.Duration(c.events)*time.Microsecond // no two arrive at once
	c.mu.Unlock()
	time.AfterFunc(delay, func() {
		for _, q := range to {
			q.put(&message{body: e.body, sent: time.Now()})
		}
		c.mu.Lock()
		c.onWay--
		c.mu.Unlock()
	})
}

// work passes the messages of a queue to one instance of a function until the Cloud
// is closed.
func (c *Cloud) work(q *queue, handle Handler) {
	for {
		batch := q.receive(c.ctx)
		if len(batch) == 0 {
			return
		}
		again, err := invoke(c.ctx, q.arn, handle, batch)
		if err != nil {
			c.mu.Lock()
			c.failed = append(c.failed, fmt.Sprintf("%s: %v", q.name, err))
			c.mu.Unlock()
		}
		for _, m := range batch {
			if err != nil || slices.Contains(again, m.id) {
				q.retry(m)
			} else {
				q.done()
			}
		}
	}
}
