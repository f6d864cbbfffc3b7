package app

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/plan"
	"github.com/relight-aws/relight/internal/remedy"
)

// A Consent is what a person who runs relight accept asks of the sweep's function,
// the only one that may write what relight remembers.
type Consent struct {
	Seen string `json:"seen,omitempty"` // the mark of the Acceptance that the person agreed to; "" only asks for one
}

// An Acceptance is the difference that a person may accept: the trail as it is
// now, compared with the remembered one.
type Acceptance struct {
	Trail     string            `json:"trail"` // ARN
	Unread    string            `json:"unread,omitempty"`
	Changes   []plan.TrailField `json:"changes"` // the fields that relight would remember differently; none if there is nothing to accept
	Parameter string            `json:"parameter"`
	Mark      string            `json:"mark"` // identifies what would be remembered
	Accepted  bool              `json:"accepted"`
}

// accept answers a consent. It remembers only what the person has seen, and notifies
// people of it: whoever may invoke the function could have asked.
func (a *App) accept(ctx context.Context, c Consent) (Acceptance, error) {
	s := remedy.Scope{Account: a.deployment.Account, Region: a.deployment.HomeRegion, Kind: catalog.Trails}
	was, now, choice, err := a.cloud.TrailToAccept(ctx, s)
	switch {
	case err != nil:
		return Acceptance{}, err
	case choice.Elsewhere != "":
		return Acceptance{}, errors.New(choice.Elsewhere)
	case choice.Trail == nil && len(choice.Findings) > 0:
		return Acceptance{}, errors.New(choice.Findings[0].String())
	}
	answer := Acceptance{
		Trail: now.ARN, Unread: was.Unreadable, Parameter: a.reconciler.Want.TrailMemory(),
		Changes: now.Changes(was.Trail), Mark: markOf(now.Encode()),
	}
	switch {
	case c.Seen == "" || len(answer.Changes) == 0:
		return answer, nil
	case c.Seen != answer.Mark:
		return answer, errors.New("the trail has changed since you saw it: run relight accept again")
	}
	do := plan.RememberTrail{Parameter: answer.Parameter, Memory: now, Reason: "somebody ran relight accept"}
	outcome := remedy.Outcome{Action: do, Err: a.cloud.Remember(ctx, s.Region, do.Parameter, do.Memory.Encode())}
	if outcome.Err != nil {
		return answer, outcome.Err
	}
	answer.Accepted = true
	rep := remedy.Report{Scope: s, Mode: catalog.Repair, Plan: plan.Plan{Actions: []plan.Action{do}}, Outcomes: []remedy.Outcome{outcome}}
	unsent := a.reporter.Notify(ctx, nil, rep)
	a.reporter.Record(ctx, rep, unsent, a.now())
	return answer, unsent
}

// HandleBackfill takes a Request and returns a Sweep, or an Acceptance if the
// request is about one. It returns an error only if the sweep could not begin, or
// nothing could be accepted. Failures of single runs are in the reports and the
// metrics.
func (a *App) HandleBackfill(ctx context.Context, raw json.RawMessage) (any, error) {
	req, err := ParseRequest(raw)
	switch {
	case err != nil:
		return nil, err
	case req.Accept != nil:
		return a.accept(ctx, *req.Accept)
	}
	return a.Sweep(ctx, req, nil)
}
