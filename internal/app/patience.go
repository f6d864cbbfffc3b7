package app

import (
	"context"
	"fmt"
	"runtime/debug"
	"slices"
	"time"

	"github.com/relight-aws/relight/internal/plan"
	"github.com/relight-aws/relight/internal/remedy"
)

// These limit how long relight waits for a run. A run that takes longer waits for
// an answer that does not come, or is busy with something that somebody wrote to
// keep it busy.
const (
	kindTime  = 3 * time.Minute  // of one run in a sweep
	leastTime = 5 * time.Second  // of each further run of an invocation
	earlyTime = 6 * time.Second  // until a call with advice is reported although its run is not over
	tellTime  = 5 * time.Second  // of a function's time, for its reports
	sweepTell = 20 * time.Second // of a sweep's time, for its report
	stopTime  = time.Second      // for a run to end after its time is over
)

// timeFor returns how long a run may take if so many further runs follow it in the
// invocation.
func timeFor(ctx context.Context, further int) time.Duration {
	deadline, limited := ctx.Deadline()
	if !limited {
		return kindTime
	}
	return time.Until(deadline) - tellTime - time.Duration(further)*leastTime
}

// sweepTime returns how long the next run of a sweep may take.
func sweepTime(ctx context.Context) time.Duration {
	deadline, limited := ctx.Deadline()
	if !limited {
		return kindTime
	}
	return min(kindTime, time.Until(deadline)-sweepTell)
}

// patiently runs a scope and waits for it no longer than the limit. A run that does
// not end then goes on without anybody waiting: its calls to AWS fail, and its
// result is dropped. A run that panics fails alone.
//
// If the run takes long, patiently first reports the calls with advice: people
// should not have to wait for the run to hear of them.
func (a *App) patiently(ctx context.Context, limit time.Duration, rep remedy.Report, run func(context.Context) remedy.Report) remedy.Report {
	limit = max(limit, time.Millisecond)
	running, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	done := make(chan remedy.Report, 1)
	go func() {
		defer func() {
			if cause := recover(); cause != nil {
				stack := debug.Stack()
				if p, repeated := cause.(remedy.Panic); repeated {
					stack = p.Stack
				}
				a.log.Error("panic", "scope", rep.Scope.String(), "error", fmt.Sprint(cause), "stack", string(stack))
				failed := rep
				failed.Err = &remedy.Error{
					Op: "check", Target: rep.Scope.String(), Class: remedy.Terminal, Err: fmt.Errorf("relight itself failed: %v", cause),
					Hint: "report it as a fault of relight; the function's log has the stack",
				}
				done <- failed
			}
		}()
		done <- run(running)
	}()
	early := time.NewTimer(earlyTime)
	defer early.Stop()
	told := false
	finish := func(got remedy.Report) remedy.Report {
		if told {
			got.Causes = slices.Clone(got.Causes)
			for i := range got.Causes {
				got.Causes[i].Advice = ""
			}
		}
		return got
	}
	for {
		select {
		case got := <-done:
			if got.Err != nil && running.Err() != nil && ctx.Err() == nil {
				return finish(givenUp(got, limit))
			}
			return finish(got)
		case <-early.C:
			told = a.tellEarly(ctx, rep)
		case <-running.Done():
			select {
			case got := <-done:
				if got.Err != nil {
					return finish(givenUp(got, limit))
				}
				return finish(got)
			case <-time.After(stopTime):
				return finish(givenUp(rep, limit))
			}
		}
	}
}

// givenUp returns the report of a run whose time was over.
func givenUp(rep remedy.Report, limit time.Duration) remedy.Report {
	why := fmt.Errorf("it was not finished after %s", limit.Round(time.Second))
	if rep.Err != nil {
		why = fmt.Errorf("%w: %w", why, rep.Err)
	}
	rep.Err = &remedy.Error{Op: "check", Target: rep.Scope.String(), Class: remedy.Transient, Err: why}
	rep.Plan.Add(plan.NewFinding(plan.CheckGivenUp, plan.Args{
		"kind": string(rep.Scope.Kind), "region": rep.Scope.Region, "time": limit.Round(time.Second).String(),
	}))
	return rep
}

// tellEarly reports the calls with advice behind a run that is not over, once each.
// It returns whether there are any and people know of them.
func (a *App) tellEarly(ctx context.Context, rep remedy.Report) bool {
	a.earlyMu.Lock()
	defer a.earlyMu.Unlock()
	var advised []remedy.Cause
	for _, c := range rep.Causes {
		if c.Advice != "" && !a.early.has(c.EventID+string(rep.Scope.Kind)) {
			c.Advice += " relight is still checking whether a protection depends on it."
			advised = append(advised, c)
		}
	}
	if len(advised) == 0 {
		return slices.ContainsFunc(rep.Causes, func(c remedy.Cause) bool { return c.Advice != "" })
	}
	rep.Causes, rep.Unfinished = advised, true
	if err := a.reporter.Notify(ctx, nil, rep); err != nil {
		a.reporter.RecordUnsent(ctx, err, a.now())
		return false
	}
	for _, c := range advised {
		a.early.add(c.EventID + string(rep.Scope.Kind))
	}
	return true
}

// mostEarly limits how many events a function remembers to have reported early. It is
// more than come again while a process lives: a message comes back at most four times,
// and a batch has at most a hundred.
const mostEarly = 1000

// A recent remembers the latest keys that it was given, up to mostEarly.
type recent struct{ keys []string }

func (r *recent) has(key string) bool { return slices.Contains(r.keys, key) }

func (r *recent) add(key string) {
	if r.keys = append(r.keys, key); len(r.keys) > mostEarly {
		r.keys = slices.Delete(r.keys, 0, len(r.keys)-mostEarly)
	}
}
