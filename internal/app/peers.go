package app

import (
	"context"
	"hash/fnv"
	"maps"
	"slices"
	"time"
)

type (
	lagKey  struct{}
	leadKey struct{}
)

// withLag returns a context for the checks of a batch. If something was put off, they give
// way to another process's checks of the same: see lag.
func (a *App) withLag(ctx context.Context, in intake) context.Context {
	if len(in.deferrals) == 0 {
		return ctx
	}
	lag, follows := a.lag()
	switch {
	case follows: // the other one is likely to be at work, and soon to be done
		if slices.ContainsFunc(in.looks, func(l look) bool { return in.storm(l.scope) }) {
			_ = sleep(ctx, lag)
		}
		lag = 0
	case lag == 0:
		return context.WithValue(ctx, leadKey{}, true)
	}
	return context.WithValue(ctx, lagKey{}, lag)
}

// meet notes that another process of the function is at work. There are few, and whoever
// can write to the queue can name more.
func (a *App) meet(id string, now time.Time) {
	if id == "" || id == a.id {
		return
	}
	maps.DeleteFunc(a.peers, func(_ string, at time.Time) bool { return now.Sub(at) >= 2*mostPutOff })
	if _, known := a.peers[id]; known || len(a.peers) < mostPeers {
		a.peers[id] = now
	}
}

// lag returns for how long a check of what was put off gives way to the one that another
// process may make of the same, and whether another one is known that comes first. Processes
// know each other from what they put off. The first of them acts at once, and one that knows
// no other waits for a time between the first one's and the others'.
func (a *App) lag() (lag time.Duration, follows bool) {
	known := false
	for id, at := range a.peers {
		if a.now().Sub(at) < 2*mostPutOff {
			known, follows = true, follows || id < a.id
		}
	}
	switch {
	case follows:
		return (mostLags + 1) * oneLag, true
	case known:
		return 0, false
	}
	h := fnv.New32a()
	_, _ = h.Write([]byte(a.id))
	return time.Duration(1+h.Sum32()%mostLags) * oneLag, false
}

// leads reports whether another process is known, and leaves to this one what both have
// put off.
func (a *App) leads() bool {
	lag, follows := a.lag()
	return lag == 0 && !follows
}

// lagOf returns for how long a run gives way, and false if it does not.
func lagOf(ctx context.Context) (time.Duration, bool) {
	lag, ok := ctx.Value(lagKey{}).(time.Duration)
	return lag, ok
}

// alone reports whether this process is likely to be the only one at work on its queue. If
// it is not, it may use half of what relight uses of a quota.
func (a *App) alone(in intake) bool {
	now, others := a.now(), 0
	for _, l := range in.looks {
		if !a.session(l.cause.Actor) {
			others++
		}
	}
	if others == 0 {
		return true
	}
	busy := now.Sub(a.lastBatch) < time.Second
	a.lastBatch = now
	if len(in.deferrals) > 0 {
		return a.leads()
	}
	return others == 1 && !busy
}
