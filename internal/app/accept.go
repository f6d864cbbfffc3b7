package app

import (
	"context"
	"errors"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/plan"
	"github.com/relight-aws/relight/internal/remedy"
)

// An Acceptance is what a person may accept of the trail as it is now.
type Acceptance struct {
	Trail     string            `json:"trail"` // ARN
	Unread    string            `json:"unread,omitempty"`
	Changes   []plan.TrailField `json:"changes"` // what would be remembered otherwise; none for nothing to accept
	Parameter string            `json:"parameter"`
	Accepted  bool              `json:"accepted"`

	now plan.TrailMemory
}

// Acceptance compares the trail with what is remembered of it, and writes
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

// Accept remembers the trail as it was compared.
func (a *App) Accept(ctx context.Context, c Acceptance) error {
	return a.cloud.Remember(ctx, a.deployment.HomeRegion, c.Parameter, c.now.Encode())
}
