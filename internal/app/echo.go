package app

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/remedy"
)

// These set the pause between two checks of an echo, and how many checks
// relight makes before it acts on one. Together they last longer than the
// restoration of every filter and every alarm (TestEchoOutlastsTheRepair).
const (
	echoPause = 2500 * time.Millisecond
	echoLooks = 8
)

// echoed reports whether relight's own functions made all the calls behind a
// run. It recognises them by the session name that Lambda gives them. An echo
// only delays a run: an intruder who uses such a name gains a delay, but
// relight still restores.
func (a *App) echoed(causes []remedy.Cause) bool {
	return len(causes) > 0 && !slices.ContainsFunc(causes, func(c remedy.Cause) bool {
		return !strings.Contains(c.Actor, ":assumed-role/") || !slices.ContainsFunc(catalog.Functions(), func(f catalog.Function) bool {
			return strings.HasSuffix(c.Actor, "/"+a.reconciler.Want.FunctionName(f))
		})
	})
}

// giveWay waits while a scope differs from the desired state, because the run
// that caused the echo may still be writing, and both runs would write the
// same.
func (a *App) giveWay(ctx context.Context, with remedy.Reconciler, s remedy.Scope) {
	for range echoLooks {
		look := with.Run(ctx, s, catalog.Observe)
		if look.Err != nil || len(look.Plan.Actions) == 0 {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(echoPause):
		}
	}
}
