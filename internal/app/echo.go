package app

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/remedy"
)

// An echo is looked at until all is as wanted, this often and this many
// times: the run whose writes it echoes may still be at work.
const (
	echoPause = 2500 * time.Millisecond
	echoLooks = 7
)

// echoed reports whether relight's own functions made every one of the calls
// behind a run.
func (a *App) echoed(causes []remedy.Cause) bool {
	return len(causes) > 0 && !slices.ContainsFunc(causes, func(c remedy.Cause) bool {
		return !strings.Contains(c.Actor, ":assumed-role/") || !slices.ContainsFunc(catalog.Functions(), func(f catalog.Function) bool {
			return strings.HasSuffix(c.Actor, "/"+a.reconciler.Want.FunctionName(f))
		})
	})
}

// hearEcho looks at what relight's own writes asked to look at, and writes
// nothing: what those writes did not bring, the same writes would not bring a
// second time, and so on without end. What is still not as wanted is reported
// and left to the sweep. So whoever steals a function's role gains the time
// until then, and no loop can come of a value that AWS stores otherwise than
// it was written.
func (a *App) hearEcho(ctx context.Context, s remedy.Scope) remedy.Report {
	for look := 1; ; look++ {
		rep := a.reconciler.Run(ctx, s, catalog.Observe)
		if rep.Err != nil || len(rep.Plan.Actions) == 0 {
			return rep
		}
		if look == echoLooks {
			rep.Remaining = rep.Plan.Actions
			return rep
		}
		select {
		case <-ctx.Done():
			return rep
		case <-time.After(echoPause):
		}
	}
}
