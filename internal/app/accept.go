package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/plan"
	"github.com/relight-aws/relight/internal/remedy"
)

// A Consent is what a person who runs relight accept asks of the sweep's function,
// the only one that may write what relight remembers.
type Consent struct {
	Seen      string           `json:"seen,omitempty"`      // the mark of the Acceptance that the person agreed to; "" only asks for one
	Adopt     catalog.Adoption `json:"adopt,omitzero"`      // what others made and relight is to rely on, instead of all else
	Remove    bool             `json:"remove,omitempty"`    // no longer
	Retention []string         `json:"retention,omitempty"` // REGION/NAME of log groups whose longest retention relight is to forget, instead of all else
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
func (a *App) accept(ctx context.Context, p *parts, c Consent) (Acceptance, error) {
	switch {
	case !c.Adopt.Empty():
		return a.acceptAdoption(ctx, p, c)
	case len(c.Retention) > 0:
		return a.acceptRetention(ctx, p, c.Retention)
	}
	s := remedy.Scope{Account: p.cloud.Want.Account, Region: a.deployment.HomeRegion, Kind: catalog.Trails}
	was, now, choice, err := p.cloud.TrailToAccept(ctx, s)
	switch {
	case err != nil:
		return Acceptance{}, err
	case choice.Elsewhere != "":
		return Acceptance{}, errors.New(choice.Elsewhere)
	case choice.Trail == nil && len(choice.Findings) > 0:
		return Acceptance{}, errors.New(choice.Findings[0].String())
	}
	answer := Acceptance{
		Trail: now.ARN, Unread: was.Unreadable, Parameter: p.cloud.Want.TrailMemory(),
		Changes: now.Changes(was.Trail), Mark: markOf(now.Encode()),
	}
	switch {
	case c.Seen == "" || len(answer.Changes) == 0:
		return answer, nil
	case c.Seen != answer.Mark:
		return answer, errors.New("the trail has changed since you saw it: run relight accept again")
	}
	do := plan.RememberTrail{Parameter: answer.Parameter, Memory: now, Reason: "somebody ran relight accept"}
	if err := p.cloud.Remember(ctx, s.Region, do.Parameter, do.Memory.Encode()); err != nil {
		return answer, err
	}
	answer.Accepted = true
	return answer, a.accepted(ctx, p, catalog.Trails, do)
}

// acceptAdoption makes relight rely on what others made, or no longer.
func (a *App) acceptAdoption(ctx context.Context, p *parts, c Consent) (Acceptance, error) {
	adopted, err := p.cloud.RecallAdopted(ctx, a.deployment.HomeRegion)
	if err == nil && adopted.Unreadable != "" {
		err = errors.New(adopted.Unreadable)
	}
	if err != nil {
		return Acceptance{}, err
	}
	answer := Acceptance{Parameter: p.cloud.Want.AdoptedMemory(), Changes: []plan.TrailField{}}
	var do plan.Action = plan.Adopt{Parameter: answer.Parameter, Resources: c.Adopt, Reason: "somebody ran relight accept"}
	if c.Remove {
		if unknown := c.Adopt.Without(adopted.Resources); !unknown.Empty() {
			return answer, errors.New("relight does not remember that it relies on " + unknown.String())
		}
		adopted.Resources = adopted.Resources.Without(c.Adopt)
		do = plan.Forget{Parameter: answer.Parameter, What: "no longer rely on " + c.Adopt.String()}
	} else {
		adopted.Resources = adopted.Resources.With(c.Adopt)
	}
	if err := p.cloud.Remember(ctx, a.deployment.HomeRegion, answer.Parameter, adopted.Encode()); err != nil {
		return answer, err
	}
	answer.Accepted = true
	return answer, a.accepted(ctx, p, catalog.LogGroups, do)
}

// acceptRetention forgets the longest retentions of some log groups.
func (a *App) acceptRetention(ctx context.Context, p *parts, groups []string) (Acceptance, error) {
	adopted, err := p.cloud.RecallAdopted(ctx, a.deployment.HomeRegion)
	if err == nil && adopted.Unreadable != "" {
		err = errors.New(adopted.Unreadable)
	}
	if err != nil {
		return Acceptance{}, err
	}
	var unknown []string
	adopted.Floors, unknown = adopted.Floors.Forget(groups)
	if len(unknown) > 0 {
		return Acceptance{}, fmt.Errorf("relight remembers no retention of %s: name a log group as REGION/NAME", strings.Join(unknown, ", "))
	}
	answer := Acceptance{Parameter: p.cloud.Want.AdoptedMemory(), Changes: []plan.TrailField{}}
	do := plan.Forget{Parameter: answer.Parameter, What: "forget the retention of log-group " + strings.Join(groups, ", "), Text: adopted.Encode()}
	if err := p.cloud.Remember(ctx, a.deployment.HomeRegion, do.Parameter, do.Text); err != nil {
		return answer, err
	}
	answer.Accepted = true
	return answer, a.accepted(ctx, p, catalog.LogGroups, do)
}

// accepted notifies people of what somebody accepted, and logs it.
func (a *App) accepted(ctx context.Context, p *parts, kind catalog.Kind, do plan.Action) error {
	rep := remedy.Report{
		Scope: remedy.Scope{Account: p.cloud.Want.Account, Region: a.deployment.HomeRegion, Kind: kind}, Mode: catalog.Repair,
		Plan: plan.Plan{Actions: []plan.Action{do}}, Outcomes: []remedy.Outcome{{Action: do}},
	}
	unsent := a.reporter.Notify(ctx, nil, rep)
	a.reporter.Record(ctx, rep, unsent, a.now())
	return unsent
}

// HandleBackfill takes a Request and returns a Sweep, or an Acceptance, a Drill or what was
// Gathered if the request is about one, or a Swept if it asks for a short answer. Without an
// account, it sweeps the deployment's own and then every guarded one. It returns an error only if
// the sweep could not begin, nothing could be accepted, results could not be read, or people could
// not be notified. Failures of single runs are in the reports and the metrics.
func (a *App) HandleBackfill(ctx context.Context, raw json.RawMessage) (any, error) {
	req, err := ParseRequest(raw)
	switch {
	case err != nil:
		return nil, err
	case req.Drill != nil:
		return a.drill(ctx, *req.Drill)
	case req.Accept != nil:
		p, err := a.asked(req.Account)
		if err != nil {
			return nil, err
		}
		return a.accept(ctx, p, *req.Accept)
	case req.Gather != nil:
		return a.sumUp(ctx, *req.Gather)
	case req.Short:
		of, err := a.SweepCell(ctx, req)
		if err != nil { // the sum of all cells has room for the beginning of it only
			a.log.Error("account not swept", "account", req.Account, "class", remedy.ClassOf(err).String(), "error", err.Error())
		}
		return of, err
	}
	return a.SweepAll(ctx, req)
}
