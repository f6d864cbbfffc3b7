package app

import (
	"context"
	"fmt"
	"time"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/plan"
	"github.com/relight-aws/relight/internal/remedy"
)

// No event says which organisational units are above its account, and few accounts may ask
// Organizations. The state machine of the sweep asks, and the sweep remembers in the hub what that
// means for the account. Events of an account about which the lists of accounts do not decide
// count once a sweep has found that it is guarded.

// What the sweep remembers of such an account.
const (
	guardedByUnits = "guarded"
	outsideOfUnits = "outside"
)

// unitsTime is for how long a process relies on what it has read of that.
const unitsTime = time.Minute

// A membership is whether an account was guarded when this process last read it.
type membership struct {
	guarded bool
	read    time.Time
}

// unitsDecide reports whether only the units above it say whether an account is guarded by this
// deployment.
func (a *App) unitsDecide(account string) bool {
	org := a.baseline.Organization
	_, known := org.Lists(account)
	return a.spokes && org.On() && a.deployment.Account == org.Hub && !known && catalog.AccountShape.MatchString(account)
}

// byUnits reports whether an account about which units decide is guarded. It returns an error if
// that could not be read: the account may be.
func (a *App) byUnits(ctx context.Context, account string) (bool, error) {
	a.membersMu.Lock()
	known := a.memberships[account]
	a.membersMu.Unlock()
	if a.now().Sub(known.read) < unitsTime {
		return known.guarded, nil
	}
	note, err := a.cloud.Recall(ctx, a.deployment.HomeRegion, a.cloud.Want.Guarded(account).UnitsMemory())
	if err != nil {
		return false, fmt.Errorf("read whether account %s is guarded: %w", account, err)
	}
	known = membership{guarded: note.Text == guardedByUnits, read: a.now()}
	a.membersMu.Lock()
	defer a.membersMu.Unlock()
	a.memberships[account] = known
	return known.guarded, nil
}

// rememberUnits writes down whether an account is guarded, if the units above it decide that, it is
// news, and this is the deployed sweep: nobody believes others. It notifies people of others who
// wrote it, whose event may be lost.
func (a *App) rememberUnits(ctx context.Context, req Request, guarded bool) error {
	if !a.unitsDecide(req.Account) || len(req.Parents) == 0 || req.mode() != catalog.Repair || !a.cloud.Want.Sweeps() {
		return nil
	}
	text := outsideOfUnits
	if guarded {
		text = guardedByUnits
	}
	name := a.cloud.Want.Guarded(req.Account).UnitsMemory()
	note, err := a.cloud.Recall(ctx, a.deployment.HomeRegion, name)
	switch {
	case err != nil:
		return err
	case note.Missing() && !guarded, note.Text == text && note.Foreign == "":
		return nil
	}
	if err := a.cloud.Remember(ctx, a.deployment.HomeRegion, name, text); err != nil || note.Foreign == "" {
		return err
	}
	rep := remedy.Report{Scope: remedy.Scope{Account: req.Account, Region: a.deployment.HomeRegion, Kind: catalog.Guard, Names: remedy.NamesOf(name)}, Mode: catalog.Repair}
	rep.Plan.Add(plan.NewFinding(plan.MemoryForeign, plan.Args{"parameter": name, "by": note.Foreign}))
	unsent := a.reporter.Notify(ctx, map[remedy.Scope]bool{rep.Scope: true}, rep)
	a.reporter.Record(ctx, rep, unsent, a.now())
	return unsent
}
