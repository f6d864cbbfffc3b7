package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/remedy"
	"github.com/relight-aws/relight/internal/report"
)

// These limit a sweep of several accounts by one invocation. Quotas are per account, but
// memory, sockets and time are shared.
const (
	accountsAtOnce = 8
	accountTime    = time.Minute // left of an invocation, with which it begins no further account
)

// Swept is what the sweep of one account came to. All of its reports are in the log.
type Swept struct {
	Account    string        `json:"account"`
	Time       *time.Time    `json:"time,omitempty"`    // when the sweep ended
	Outside    string        `json:"outside,omitempty"` // why the account is not one to sweep
	Units      []string      `json:"units,omitempty"`   // those that the configuration names and that are above it
	Rest       []string      `json:"rest,omitempty"`    // what there was no time for, as in a Sweep
	Healthy    int           `json:"healthy"`
	Repaired   int           `json:"repaired"`
	Planned    int           `json:"planned"`
	Unrestored int           `json:"unrestored"`
	Findings   int           `json:"findings"`
	Wires      int           `json:"wires,omitempty"`          // what is wrong with relight's own parts there; Unchecked if nobody knows
	Waited     int           `json:"waited_seconds,omitempty"` // in which some call waited for its turn below a quota of AWS
	Why        string        `json:"why,omitempty"`            // the first of what was not restored or needs action
	Reports    []report.View `json:"reports,omitempty"`        // those of what is not healthy, as far as they fit
	More       int           `json:"more,omitempty"`           // how many of those do not
	Error      string        `json:"error,omitempty"`          // why it was not swept, or people could not be notified
}

// asked returns the parts for an account that a request names, "" for the deployment's own,
// given what is above it in the organisation. Its error says why relight does not act there.
func (a *App) asked(account string, above ...string) (*parts, error) {
	if account == "" || account == a.deployment.Account {
		return a.of(a.deployment.Account), nil
	}
	if why := a.unasked(account, above); why != "" {
		return nil, errors.New(why)
	}
	return a.of(account), nil
}

// unasked returns why relight does not act in an account that a request names, or "". Without
// anything above it, the caller does not know the units, and asks for an account that is in scope.
func (a *App) unasked(account string, above []string) string {
	s := remedy.Scope{Account: account, Region: a.deployment.HomeRegion, Kind: catalog.FlowLogs}
	if why := a.outside(s, true); why != "" {
		return why
	}
	if org := a.baseline.Organization; len(above) > 0 && account != a.deployment.Account && !org.Guards(account, above...) {
		return "account " + account + " is not guarded, as organization says of the units above it"
	}
	return ""
}

// SweepAll sweeps the account that a request names. If it names none, it sweeps the
// deployment's own, and then every account that the configuration lists. Another account's
// failure is in the answer, and no account waits for another's. What there was no time for
// comes first in the next sweep of this process.
func (a *App) SweepAll(ctx context.Context, req Request) (Sweep, error) {
	sweep, err := a.Sweep(ctx, req, nil)
	if req.Account != "" || !a.spokes {
		return sweep, err
	}
	listed := a.listed()
	slots, swept := make(chan struct{}, accountsAtOnce), make([]*Swept, len(listed))
	var all sync.WaitGroup
	for i, account := range listed {
		slots <- struct{}{}
		if deadline, limited := ctx.Deadline(); limited && time.Until(deadline) < accountTime || ctx.Err() != nil {
			sweep.Left = slices.Clone(listed[i:])
			break
		}
		all.Go(func() {
			defer func() { <-slots }()
			of := req
			of.Account = account
			swept[i] = a.sweptBy(ctx, of)
		})
	}
	all.Wait()
	if a.left = sweep.Left; len(a.left) > 0 { // the alarm on what sweeps could not read rings if it happens again
		a.reporter.Record(ctx, remedy.Report{
			Scope: remedy.Scope{Account: a.left[0], Region: a.deployment.HomeRegion, Kind: catalog.FlowLogs}, Mode: req.mode(),
			Err: &remedy.Error{
				Op: "sweep", Target: strings.Join(a.left, ", "), Class: remedy.Transient, Err: errors.New("this invocation had no time left for them"),
				Hint: "the next sweep begins with them; if it happens again, list fewer accounts",
			},
		}, nil, a.now())
	}
	for _, s := range swept {
		if s != nil {
			sweep.Accounts = append(sweep.Accounts, *s)
		}
	}
	return sweep, err
}

// listed returns the guarded accounts that the configuration lists, those first that the last
// sweep had no time for.
func (a *App) listed() []string {
	if a.deployment.Account != a.baseline.Organization.Hub {
		return nil
	}
	rest := slices.DeleteFunc(slices.Clone(a.baseline.Organization.Accounts), func(id string) bool { return slices.Contains(a.left, id) })
	return append(slices.Clone(a.left), rest...)
}

// sweptBy sweeps one account and returns what came of it.
func (a *App) sweptBy(ctx context.Context, req Request) *Swept {
	s, err := a.Sweep(ctx, req, nil)
	if err != nil {
		a.log.Error("account not swept", "account", req.Account, "class", remedy.ClassOf(err).String(), "error", err.Error())
		return &Swept{Account: req.Account, Unrestored: 1, Error: err.Error()}
	}
	return s.short()
}

// Unchecked says that relight's own parts of an account were not checked.
const Unchecked = -1

// short returns a sweep without its reports.
func (s Sweep) short() *Swept {
	of := &Swept{
		Account: s.Account, Rest: s.Rest, Healthy: s.Healthy, Repaired: s.Repaired, Planned: s.Planned, Unrestored: s.Unrestored, Findings: s.Findings, Error: s.Unsent,
	}
	of.Wires = Unchecked
	for _, v := range s.Reports {
		if v.Kind == string(catalog.Guard) {
			of.Wires = max(0, of.Wires) + len(v.Findings) + v.Unrestored()
		}
		of.Why = cmp.Or(of.Why, v.Why())
	}
	return of
}

// shut returns the sweep of an account that lets relight not in, and notifies people of it.
func (a *App) shut(ctx context.Context, p *parts, req Request, err error) Sweep {
	rep := remedy.Report{
		Scope: remedy.Scope{Account: p.cloud.Want.Account, Region: a.deployment.HomeRegion, Kind: catalog.FlowLogs},
		Mode:  req.mode(), Err: fmt.Errorf("list regions: %w", err),
	}
	closed(&rep)
	a.reporter.Record(ctx, rep, nil, a.now())
	sweep := Sweep{Account: rep.Scope.Account}
	if err := a.notify(ctx, p, []remedy.Report{rep}, req.Digest, false); err != nil {
		sweep.Unsent = err.Error()
	}
	sweep.add(rep)
	return sweep
}
