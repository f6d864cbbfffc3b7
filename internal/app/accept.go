package app

import (
	"context"
	"errors"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/plan"
	"github.com/relight-aws/relight/internal/remedy"
)

// An Acceptance is the difference that a person may accept: the trail as it is
// now, compared with the remembered one.
type Acceptance struct {
	Trail     string            `json:"trail"` // ARN
	Unread    string            `json:"unread,omitempty"`
	Changes   []plan.TrailField `json:"changes"` // the fields that relight would remember differently; none if there is nothing to accept
	Parameter string            `json:"parameter"`
	Accepted  bool              `json:"accepted"`

	now plan.TrailMemory
}

// Acceptance compares the trail with what relight remembers of it. It writes
// nothing.
func (a *App) Acceptance(ctx context.Context) (Acceptance, error) {
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
	return Acceptance{
		Trail: now.ARN, Unread: was.Unreadable, Parameter: a.reconciler.Want.TrailMemory(),
		Changes: now.Changes(was.Trail), now: now,
	}, nil
}

// Accept makes relight remember the trail as Acceptance compared it.
func (a *App) Accept(ctx context.Context, c Acceptance) error {
	return a.cloud.Remember(ctx, a.deployment.HomeRegion, c.Parameter, c.now.Encode())
}
