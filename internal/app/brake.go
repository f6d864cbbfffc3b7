package app

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/relight-aws/relight/internal/plan"
	"github.com/relight-aws/relight/internal/remedy"
)

// A target that relight restores this often within this time has one of two
// problems: somebody keeps changing it back, or AWS does not store it as
// relight writes it.
const (
	fightWrites = 12
	fightWindow = 10 * time.Minute
)

// A brake is an Applier for event functions. It leaves a target that somebody
// keeps changing back to the sweep, so that such a loop ends after a few
// writes. It counts in the memory of a warm function, which AWS may drop: then
// it brakes later, but never wrongly.
//
// It does not apply to the topic, its key, policy and subscribers, nor to the parts
// of relight itself: whoever undoes them often enough would otherwise silence relight. Only runs that relight's own
// calls caused are braked there, in case AWS does not store what relight writes.
type brake struct {
	remedy.Applier
	now func() time.Time

	mu     sync.Mutex
	writes map[string][]time.Time // times of the successful writes in the window, by target
	told   map[string]time.Time   // when people were last notified that a target is left to the sweep, or why it failed
}

// Apply applies the actions, except those on targets that somebody keeps
// changing back. Those actions fail with a terminal error, and people are
// notified of each target once in a window.
func (b *brake) Apply(ctx context.Context, s remedy.Scope, actions []plan.Action) []remedy.Outcome {
	outcomes := make([]remedy.Outcome, len(actions))
	var free []plan.Action
	var places []int
	for i, a := range actions {
		if out, left := b.leave(s, a); left {
			outcomes[i] = out
			continue
		}
		free = append(free, a)
		places = append(places, i)
	}
	if len(free) == 0 {
		return outcomes
	}
	for i, out := range b.Applier.Apply(ctx, s, free) {
		if out.Err == nil {
			b.count(s, out.Action)
		} else {
			out.Told = b.known(s, out)
		}
		outcomes[places[i]] = out
	}
	return outcomes
}

// known reports whether people were notified in the window that an action fails
// for good for the same reason. relight's own calls raise events, and each of
// their runs would report the same failure again.
func (b *brake) known(s remedy.Scope, out remedy.Outcome) bool {
	e, ok := errors.AsType[*remedy.Error](out.Err)
	if !ok || e.Class != remedy.Terminal {
		return false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	key, now := keyOf(s, out.Action)+" "+e.Op+" "+e.Hint, b.now()
	if last, known := b.told[key]; known && now.Sub(last) < fightWindow {
		return true
	}
	b.told[key] = now
	return false
}

// leave reports whether the brake leaves an action to the sweep, and returns
// the action's outcome if it does.
func (b *brake) leave(s remedy.Scope, a plan.Action) (remedy.Outcome, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	key, now := keyOf(s, a), b.now()
	recent := b.writes[key]
	for len(recent) > 0 && now.Sub(recent[0]) >= fightWindow {
		recent = recent[1:]
	}
	b.writes[key] = recent
	if len(recent) < fightWrites {
		return remedy.Outcome{}, false
	}
	out := remedy.Outcome{Action: a, Told: now.Sub(b.told[key]) < fightWindow, Err: &remedy.Error{
		Op: "restore", Target: a.Step().Target, Class: remedy.Terminal, Hint: "the cause names who undoes it",
		Err: fmt.Errorf("done %d times in %s and undone each time: left to the sweep", fightWrites, fightWindow),
	}}
	if !out.Told {
		b.told[key] = now
	}
	return out, true
}

func (b *brake) count(s remedy.Scope, a plan.Action) {
	b.mu.Lock()
	defer b.mu.Unlock()
	key := keyOf(s, a)
	b.writes[key] = append(b.writes[key], b.now())
}

func keyOf(s remedy.Scope, a plan.Action) string {
	return s.Account + " " + s.Region + " " + plan.Key(a)
}
