package app

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/remedy"
	"github.com/relight-aws/relight/internal/report"
	"github.com/relight-aws/relight/internal/trigger"
)

// reserve is the part of a function's time that is reserved for its answer, so
// that a run that is cut off fails only its own messages and not the whole
// batch.
const reserve = 3 * time.Second

// HandleEvent accepts an SQS batch of EventBridge events, one raw event, or a
// kind that another function hands over. For a batch it returns the messages to
// deliver again. For a raw event it returns the reports, and an error if the
// event cannot be read or a run failed.
func (a *App) HandleEvent(ctx context.Context, raw json.RawMessage) (any, error) {
	if deadline, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, deadline.Add(-reserve))
		defer cancel()
	}
	var batch events.SQSEvent
	if err := json.Unmarshal(raw, &batch); err == nil && len(batch.Records) > 0 {
		res := a.handleBatch(ctx, batch)
		a.checkGuard(ctx)
		return res, nil
	}
	if req, ok := handedOver(raw); ok {
		return nil, a.handleHandOver(ctx, req)
	}
	res, err := a.handleOne(ctx, raw, catalog.Repair)
	a.checkGuard(ctx)
	return res, err
}

// Replay runs one raw event through the same handler in the given mode.
func (a *App) Replay(ctx context.Context, raw []byte, mode catalog.Mode) (Result, error) {
	return a.handleOne(ctx, raw, mode)
}

// A Result is the answer to one raw event.
type Result struct {
	Ignored []string      `json:"ignored,omitempty"` // why relight did not check the event or a part of it
	Reports []report.View `json:"reports"`
}

func (a *App) handleOne(ctx context.Context, raw []byte, mode catalog.Mode) (Result, error) {
	a.cloud.Pace.Share(1) // no other process has the same event
	in := a.read(ctx, []events.SQSMessage{{Body: string(raw)}})
	res := Result{Ignored: in.dropped, Reports: []report.View{}}
	if len(in.failed) > 0 {
		return res, in.failed[0].err
	}
	var errs []error
	scopes := remedy.Merge(in.scopes())
	for i, s := range scopes {
		rep, err := a.run(ctx, timeFor(ctx, len(scopes)-i-1), a.of(s.Account).reconciler, s, mode, in.causes(s)...)
		res.Reports = append(res.Reports, report.ViewOf(rep))
		errs = append(errs, err)
	}
	if len(in.sweeps) > 0 && mode == catalog.Repair {
		errs = append(errs, a.startSweep(ctx))
	}
	return res, errors.Join(errs...)
}

// handleBatch runs every scope of a batch once and returns the messages to
// deliver again. These are the unreadable messages, so that they reach the
// dead-letter queue, and the messages behind a run that may succeed later. A
// run that failed for good was reported and is not repeated: the sweep checks
// its scope anyway. What comes in a storm is put off; see ease.
func (a *App) handleBatch(ctx context.Context, batch events.SQSEvent) events.SQSEventResponse {
	in := a.read(ctx, batch.Records)
	defer func(began time.Time) {
		if now := a.now(); now.Sub(began) > stormCalm {
			a.busyUntil = now
		}
	}(a.now())
	again := map[string]bool{}
	for _, f := range in.failed {
		again[f.messageID] = true
	}
	in = a.ease(ctx, in, len(batch.Records) >= catalog.BatchSize)
	a.flush(ctx)
	share := 1.0
	if !a.alone(in) {
		share = 0.5
	}
	scopes := remedy.Merge(in.scopes())
	reports := make([]remedy.Report, len(scopes))
	ctx = a.withLag(ctx, in)
	for i, s := range scopes {
		with, causes := a.of(s.Account).reconciler, in.causes(s)
		a.cloud.Pace.Share(share)
		if len(in.deferrals) == 0 {
			with.Part = a.part(causes)
		}
		reports[i] = a.check(ctx, timeFor(ctx, len(scopes)-i-1), with, s, catalog.Repair, causes...)
		a.noteChecked(in, reports[i])
		if len(in.deferrals) == 0 {
			reports[i] = a.reportOr(ctx, in, reports[i])
		}
	}
	if len(in.deferrals) > 0 {
		in.earlier(reports)
		for i := range reports {
			reports[i] = a.reportOr(ctx, in, reports[i])
		}
	}
	for i, s := range scopes {
		if err := reports[i].Failures(); !remedy.ClassOf(err).Retry() {
			continue
		}
		for _, l := range in.looks {
			if s.Covers(l.scope) {
				again[l.messageID] = true
			}
		}
	}
	if len(in.sweeps) > 0 && a.startSweep(ctx) != nil {
		for _, id := range in.sweeps {
			again[id] = true
		}
	}
	if a.passed {
		_ = sleep(ctx, passTime)
		a.passed = false
	}
	res := events.SQSEventResponse{BatchItemFailures: []events.SQSBatchItemFailure{}}
	for _, m := range batch.Records {
		if again[m.MessageId] {
			res.BatchItemFailures = append(res.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: m.MessageId})
		}
	}
	return res
}

// An intake is the result of reading a batch: what to check, what failed and
// what was dropped.
type intake struct {
	looks     []look
	deferrals []*deferral // what was put off before, with looks of its own
	failed    []failure   // could not be read, or what they are about
	dropped   []string    // reasons why valid messages need no check
	sweeps    []string    // the messages about a pause, after which everything is swept
}

// A look is one scope that one message asks relight to check.
type look struct {
	messageID string
	event     []byte
	scope     remedy.Scope
	cause     remedy.Cause
}

type failure struct {
	messageID string
	err       error
}

// read decides for each message whether to check something, skip it or fail it.
func (a *App) read(ctx context.Context, messages []events.SQSMessage) intake {
	var in intake
	for _, m := range messages {
		fresh := m.Attributes["ApproximateReceiveCount"] == "1"
		d := deferralOf(m.Body)
		if d == nil {
			in.looks = append(in.looks, a.looks(ctx, &in, look{messageID: m.MessageId, event: []byte(m.Body)}, fresh)...)
			continue
		}
		for _, event := range d.Events {
			for _, l := range a.looks(ctx, &in, look{messageID: m.MessageId, event: event}, fresh) {
				if d.Whole {
					l.scope = a.widened(l.scope)
				}
				if d.Wide {
					l.scope.Names = ""
				}
				d.looks = append(d.looks, l)
			}
		}
		if len(d.looks) > 0 {
			in.deferrals = append(in.deferrals, d)
		}
	}
	return in
}

// looks returns the scopes that one event asks relight to check.
func (a *App) looks(ctx context.Context, in *intake, of look, fresh bool) (looks []look) {
	drop := func(id, reason string) {
		in.dropped = append(in.dropped, reason)
		a.log.Info("skipped event", "event_id", id, "reason", reason)
	}
	ev, err := trigger.Parse(of.event)
	switch {
	case errors.Is(err, trigger.ErrIgnored):
		drop(ev.Cause.EventID, err.Error())
	case err != nil:
		in.failed = append(in.failed, failure{of.messageID, err})
		a.log.Error("unreadable event", "message_id", of.messageID, "error", err.Error())
	}
	for i, s := range ev.Scopes {
		if ev.Global && s.Region == catalog.GlobalRegion(a.deployment.HomeRegion) {
			s.Region = a.deployment.HomeRegion // the harmed resource is in the home region, which is covered whichever region raised the event
		}
		reason := cmp.Or(a.handles(s, true), a.covers(s), a.deploying(ev, s))
		if reason == "" && a.unitsDecide(s.Account) {
			guarded, err := a.byUnits(ctx, s.Account)
			if err != nil { // the message comes again
				in.failed = append(in.failed, failure{of.messageID, err})
				a.log.Error("event not handled", "message_id", of.messageID, "error", err.Error())
				return nil
			}
			reason = a.handles(s, guarded)
		}
		if reason != "" {
			drop(ev.Cause.EventID, fmt.Sprintf("%s: %s", s, reason))
			continue
		}
		c := ev.CauseOf(i)
		c.Fresh = fresh
		if ev.Routine && a.own(c.Actor) {
			c.Advice = ""
		}
		if a.aboutPause(s) {
			in.sweeps = append(in.sweeps, of.messageID)
			switch alone := len(s.Names.List()) == 1; {
			case alone && c.EventName == "PutParameter" && a.reconciler.Want.MayPause(a.deployment.Account, c.Actor):
				drop(c.EventID, "a sweep notifies people of the pause")
				continue
			case alone:
				c.Advice = catalog.AdvicePause
			}
		}
		l := of
		l.scope, l.cause = s, c
		looks = append(looks, l)
	}
	return looks
}

// own reports whether this function or the sweep made a call.
func (a *App) own(actor string) bool {
	return catalog.ActsAs(actor, a.deployment.Role) || catalog.ActsAs(actor, a.deployment.SweepRole)
}

// covers returns why this deployment does not handle the events of a scope's region.
// It returns "" if it does: every forwarder sends those about itself, also the one in
// a region that is not among the configured ones. The sweep covers every enabled
// region in any case.
func (a *App) covers(s remedy.Scope) string {
	if s.Kind == catalog.Guard || slices.Contains(a.config.FastRegions(a.deployment.HomeRegion), s.Region) {
		return ""
	}
	return "region " + s.Region + " is not among the configured ones"
}

func (in intake) scopes() []remedy.Scope {
	var scopes []remedy.Scope
	for _, l := range in.looks {
		scopes = append(scopes, l.scope)
	}
	return scopes
}

// causes returns the events behind a merged scope.
func (in intake) causes(s remedy.Scope) []remedy.Cause {
	var causes []remedy.Cause
	for _, l := range in.looks {
		if s.Covers(l.scope) {
			causes = append(causes, l.cause)
		}
	}
	return causes
}
