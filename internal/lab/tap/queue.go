package tap

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// retryPause is the time between two attempts to put the same event.
const retryPause = 100 * time.Millisecond

// queue puts events on their buses one after another, in the order in which
// they were added.
type queue struct {
	put     func(context.Context, Event) error
	journal *journal
	abort   context.CancelFunc
	done    chan struct{}

	mu      sync.Mutex
	changed *sync.Cond
	waiting []Event // the first one is being put
	closed  bool    // run ends when nothing is waiting
	dead    bool    // run has ended, even if events are waiting
}

func newQueue(put func(context.Context, Event) error, j *journal) *queue {
	ctx, abort := context.WithCancel(context.Background())
	q := &queue{put: put, journal: j, abort: abort, done: make(chan struct{})}
	q.changed = sync.NewCond(&q.mu)
	go q.run(ctx)
	return q
}

func (q *queue) add(events ...Event) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.waiting = append(q.waiting, events...)
	q.changed.Broadcast()
}

func (q *queue) run(ctx context.Context) {
	defer close(q.done)
	defer func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		q.dead = true
		q.changed.Broadcast()
	}()
	for {
		q.mu.Lock()
		for len(q.waiting) == 0 && !q.closed {
			q.changed.Wait()
		}
		if len(q.waiting) == 0 {
			q.mu.Unlock()
			return
		}
		e := q.waiting[0]
		q.mu.Unlock()

		if err := q.deliver(ctx, e); err != nil {
			q.journal.fail(fmt.Errorf("tap: put %s %s: %w", e.Source, e.ID, err))
			if ctx.Err() != nil {
				return
			}
		} else {
			q.journal.put(e)
		}
		q.mu.Lock()
		q.waiting = q.waiting[1:]
		q.changed.Broadcast()
		q.mu.Unlock()
	}
}

// deliver tries until the event is put, the bus refuses it for good, or ctx
// ends.
func (q *queue) deliver(ctx context.Context, e Event) error {
	for {
		err := q.put(ctx, e)
		if err == nil || errors.Is(err, ErrRefused) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(retryPause):
		}
	}
}

func (q *queue) flush(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		q.changed.Broadcast()
	})
	defer stop()
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.waiting) > 0 && ctx.Err() == nil && !q.dead {
		q.changed.Wait()
	}
	if n := len(q.waiting); n > 0 {
		return errors.Join(fmt.Errorf("tap: %d events are not on their bus", n), ctx.Err())
	}
	return nil
}

func (q *queue) close(ctx context.Context) error {
	err := q.flush(ctx)
	q.mu.Lock()
	q.closed = true
	q.changed.Broadcast()
	q.mu.Unlock()
	q.abort()
	<-q.done
	return err
}
