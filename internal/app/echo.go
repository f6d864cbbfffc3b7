package app

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/remedy"
)

// echoGrace is how long a run that only relight's own writes asked for gives
// way to the run that makes them. It covers the pace of eighteen filters.
const echoGrace = 5 * time.Second

// echoed reports whether relight's own functions made every one of the calls
// behind a run. It is a hint about timing alone: who steals a function's role
// gains a delay of echoGrace, and is healed all the same.
func (a *App) echoed(causes []remedy.Cause) bool {
	return len(causes) > 0 && !slices.ContainsFunc(causes, func(c remedy.Cause) bool {
		return !strings.Contains(c.Actor, ":assumed-role/") || !slices.ContainsFunc(catalog.Functions(), func(f catalog.Function) bool {
			return strings.HasSuffix(c.Actor, "/"+a.reconciler.Want.FunctionName(f))
		})
	})
}

// giveWay waits where a scope is not as wanted: the run whose echo asked for
// this one may still be at work on it, and both would write the same.
func (a *App) giveWay(ctx context.Context, s remedy.Scope) {
	look := a.reconciler.Run(ctx, s, catalog.Observe)
	if look.Err == nil && len(look.Plan.Actions) == 0 {
		return
	}
	select {
	case <-ctx.Done():
	case <-time.After(echoGrace):
	}
}
