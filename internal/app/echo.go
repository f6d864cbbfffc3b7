package app

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/remedy"
)

// These set the pause after the first check of an echo, and how many checks
// relight makes before it acts on one. Each pause is twice as long as the one
// before, so that a long wait reads little. Together they last longer than the
// restoration of every filter and every alarm (TestEchoOutlastsTheRepair).
const (
	echoPause = 3 * time.Second
	echoLooks = 3
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
	for look := range echoLooks {
		seen := with.Run(ctx, s, catalog.Observe)
		if seen.Err != nil || len(seen.Plan.Actions) == 0 {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(echoPause << look):
		}
	}
}
