package probe

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// Time limits of calls that an interruption does not cut off: a creating call,
// whose answer names what there is to remove, and all removals of a run.
const (
	callLimit  = 30 * time.Second
	cleanLimit = 5 * time.Minute
)

// removals is how often a run tries to find or to remove one resource. Others
// may still use it, such as a flow log that EC2 is about to delete.
const removals = 6

// An entry is one resource that a run made or tried to make.
type entry struct {
	kind kind
	id   string // name, ARN or ID; "" if AWS chooses it and its answer was lost
}

// A ledger lists what a run made, the oldest first. What is in it is removed
// whatever happens.
type ledger struct {
	mu      sync.Mutex
	entries []*entry
}

func (l *ledger) add(k kind, id string) *entry {
	l.mu.Lock()
	defer l.mu.Unlock()
	e := &entry{kind: k, id: id}
	l.entries = append(l.entries, e)
	return e
}

// make enters a resource in the ledger and then creates it. The call outlives
// an interruption, because only its answer says whether something was made.
// create returns the resource's ID if AWS chooses it.
func (r *run) make(ctx context.Context, k kind, id string, create func(context.Context) (string, error)) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	r.Say("making " + k.name + " " + id)
	e := r.ledger.add(k, id)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), callLimit)
	defer cancel()
	made, err := create(ctx)
	if made != "" {
		e.id = made
	}
	return err
}

// cleanUp removes all that the run made, the latest first, and returns what it
// could not remove and why.
func (r *run) cleanUp(ctx context.Context) (left []string) {
	if len(r.ledger.entries) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeoutCause(context.WithoutCancel(ctx), cleanLimit, fmt.Errorf("the removal took longer than %s", cleanLimit))
	defer cancel()
	go func() {
		select {
		case <-r.Abandon:
			cancel()
		case <-ctx.Done():
		}
	}()
	if r.interrupted() {
		r.Say("interrupted: removing what was made (another interruption ends that and lists what may be left)")
	} else {
		r.Say("removing what was made")
	}
	done := map[string]bool{}
	for _, e := range slices.Backward(r.ledger.entries) {
		ids := []string{e.id}
		if e.id == "" { // AWS may have made it all the same
			if done[e.kind.name] {
				continue
			}
			done[e.kind.name] = true
			if err := r.insist(ctx, func() (err error) {
				ids, err = e.kind.find(ctx, &r.clients, r.tag)
				return err
			}); err != nil {
				left = append(left, fmt.Sprintf("%s tagged %s=%s: %s", e.kind.name, Tag, r.tag, reason(ctx, err)))
				continue
			}
		}
		for _, id := range ids {
			if done[e.kind.name+id] {
				continue
			}
			done[e.kind.name+id] = true
			if err := r.remove(ctx, e.kind, id); err != nil {
				left = append(left, fmt.Sprintf("%s %s: %s", e.kind.name, id, reason(ctx, err)))
			}
		}
	}
	return left
}

// reason returns why something is left: why all removals ended, or the error of
// its own removal.
func reason(ctx context.Context, err error) string {
	switch cause := context.Cause(ctx); {
	case cause == nil:
		return said(err)
	case errors.Is(cause, context.Canceled):
		return "interrupted"
	default:
		return cause.Error()
	}
}

// remove removes one resource. What does not exist is removed.
func (r *run) remove(ctx context.Context, k kind, id string) error {
	return r.insist(ctx, func() error {
		if err := k.remove(ctx, &r.clients, id); !missing(err) {
			return err
		}
		return nil
	})
}

// insist makes calls until they succeed, a few times. It does not repeat what
// your credentials may not do.
func (r *run) insist(ctx context.Context, calls func() error) error {
	for try := 1; ; try++ {
		err := calls()
		if err == nil || try == removals || denied(codeOf(err)) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(r.Poll):
		}
	}
}

// Clean removes what earlier runs with the same prefix left behind. It removes
// only what has a name that a run gives and the tag of that run; a mute rule
// counts by its name. It returns what it removed, and what it could not remove
// or look for and why. If ctx is cancelled, it ends, and left says so.
func Clean(ctx context.Context, o Options) (removed, left []string) {
	o = o.withDefaults()
	r := &run{Options: o, clients: newClients(o.AWS)}
	for _, k := range slices.Backward(kinds()) {
		ids, err := k.find(ctx, &r.clients, o.Prefix+"-")
		if err != nil {
			left = append(left, fmt.Sprintf("each %s under the prefix: %s", k.name, reason(ctx, err)))
			continue
		}
		for _, id := range ids {
			o.Say("removing " + k.name + " " + id)
			if err := r.remove(ctx, k, id); err != nil {
				left = append(left, fmt.Sprintf("%s %s: %s", k.name, id, reason(ctx, err)))
				continue
			}
			removed = append(removed, k.name+" "+id)
		}
	}
	return removed, left
}
