package app

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/plan"
	"github.com/relight-aws/relight/internal/remedy"
)

// These set the pause after the first check of an echo, and how many checks
// relight makes before it acts on one. Each pause is twice as long as the one
// before, so that a long wait reads little. Together they last longer than the
// restoration of every filter and every alarm (TestEchoOutlastsTheRepair).
const (
	echoPause = 3 * time.Second
	echoLooks = 3

	yieldLooks = 5               // likewise of a run that gives way to another one
	yieldPause = 8 * time.Second // the longest of its pauses
	slowWrite  = time.Second / 2 // that it allows for each filter or alarm, with relight's whole share of the quotas
)

// echoed reports whether relight's own functions made all the calls behind a
// run. It recognises them by the session name that Lambda gives them. An echo
// only delays a run: an intruder who uses such a name gains a delay, but
// relight still restores.
func (a *App) echoed(causes []remedy.Cause) bool {
	return len(causes) > 0 && !slices.ContainsFunc(causes, func(c remedy.Cause) bool { return !a.session(c.Actor) })
}

// session reports whether a caller has the session name of one of relight's functions.
func (a *App) session(actor string) bool {
	return strings.Contains(actor, ":assumed-role/") && slices.ContainsFunc(catalog.Functions(), func(f catalog.Function) bool {
		return strings.HasSuffix(actor, "/"+a.reconciler.Want.FunctionName(f))
	})
}

// ownWrite reports whether relight made a call, so that messages do not name it as a
// cause: a role with relight's name made it, in a session with the name of a function, and
// it is one that a function may make. Anybody can name a session so, but not in such a role.
func (a *App) ownWrite(c remedy.Cause) bool {
	_, role, _ := strings.Cut(c.Actor, ":assumed-role/")
	want := a.reconciler.Want
	ours := strings.HasPrefix(role, want.Name("")) || want.Organization.On() && strings.HasPrefix(role, want.Organization.Role+"/")
	return a.session(c.Actor) && ours && catalog.Own(c.EventName)
}

// giveWay makes a run wait while its scope differs from the desired state, because the
// run that caused the echo may still be writing, and both runs would write the same.
func giveWay(ctx context.Context, looks int, _ []plan.Action) bool {
	return looks <= echoLooks && sleep(ctx, echoPause<<(looks-1))
}

// yieldTo returns what makes a run wait while another one restores the same: as long as
// each look finds less to do than the one before. A run waits only for what may take
// another one seconds. Of two runs that give way to each other, the one with the shorter
// lag acts; one without a lag waits for as long as the other one needs. After a few looks it
// acts in any case, and while there is time left for it: somebody may restore one thing after
// the other to keep it waiting. If nothing has changed, no other one is at work, and alone is
// called.
func yieldTo(least int, lag time.Duration, alone func()) func(context.Context, int, []plan.Action) bool {
	before := 0
	return func(ctx context.Context, looks int, todo []plan.Action) bool {
		n := len(todo)
		if looks > 1 && n >= before && n > 0 {
			alone()
			return false
		}
		if looks > yieldLooks || n < least {
			return false
		}
		before = n
		needs := time.Duration(slowWrites(todo)) * slowWrite
		wait := lag
		if looks > 1 || lag == 0 {
			wait = min(echoPause+needs, yieldPause)
		}
		if deadline, limited := ctx.Deadline(); limited && time.Until(deadline) < wait+needs {
			return false
		}
		return sleep(ctx, wait)
	}
}

// slowWrites counts the actions of which AWS allows few a second.
func slowWrites(todo []plan.Action) (n int) {
	for _, act := range todo {
		switch act.(type) {
		case plan.PutFilter, plan.PutAlarm:
			n++
		}
	}
	return n
}

// sleep waits, and reports whether the time was not over before.
func sleep(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

// lookAgain looks once more, after a pause, at what the verification of a run for
// events still found to do although AWS accepted all repairs: a read may have lagged, or
// another run may have restored it. People are not to read that it is not restored
// while it is.
func (a *App) lookAgain(ctx context.Context, with remedy.Reconciler, rep remedy.Report) remedy.Report {
	if len(rep.Causes) == 0 || len(rep.Remaining) == 0 || rep.Failures() != nil || a.undone(rep) || left(rep) {
		return rep
	}
	if !sleep(ctx, echoPause) {
		return rep
	}
	seen := with.Run(ctx, rep.Scope, catalog.Observe)
	if seen.Err != nil {
		return rep
	}
	rep.Remaining = slices.DeleteFunc(slices.Clone(rep.Remaining), func(was plan.Action) bool {
		return !slices.ContainsFunc(seen.Plan.Actions, func(is plan.Action) bool { return plan.Key(is) == plan.Key(was) })
	})
	return rep
}

// comesAgain reports whether SQS delivers the events behind a failed run once more: then
// that run says what is not restored. It does so for the first delivery alone, since
// the next one is minutes later. What is about relight itself is said at once.
func (a *App) comesAgain(rep remedy.Report) bool {
	return len(rep.Causes) > 0 && rep.Scope.Kind != catalog.Topics && rep.Scope.Kind != catalog.Guard &&
		!slices.ContainsFunc(rep.Causes, func(c remedy.Cause) bool { return !c.Fresh }) && remedy.ClassOf(rep.Failures()).Retry()
}
