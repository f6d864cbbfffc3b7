package app

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/plan"
	"github.com/relight-aws/relight/internal/remedy"
	"github.com/relight-aws/relight/internal/report"
)

// mostSeconds is the most that a request may ask for: a function has no more time. Source: AWS
// Lambda Developer Guide, "Lambda quotas", timeout, documented.
const mostSeconds = 900

// validCell returns what is wrong with the fields of a request that the sweep of an
// organisation sets.
func (r Request) validCell() (errs []error) {
	if r.Seconds < 0 || r.Seconds > mostSeconds {
		errs = append(errs, fmt.Errorf("seconds is %d: use 1 to %d", r.Seconds, mostSeconds))
	}
	for _, id := range r.Parents {
		if !catalog.OUShape.MatchString(id) && !catalog.RootShape.MatchString(id) {
			errs = append(errs, fmt.Errorf("parents: %q is not the ID of a root or organisational unit", id))
		}
	}
	for _, of := range r.Rest {
		kind, region, _ := strings.Cut(of, "/")
		if !slices.Contains(catalog.Kinds(), catalog.Kind(kind)) || region == "" {
			errs = append(errs, fmt.Errorf("rest: %q is not KIND/REGION", of))
		}
	}
	if (r.Short || r.Seconds > 0 || len(r.Rest)+len(r.Parents) > 0) && r.Account == "" {
		errs = append(errs, fmt.Errorf("short, seconds, rest and parents are about one account: name it in account"))
	}
	return errs
}

// part names a scope of a sweep among those of its account.
func part(s remedy.Scope) string { return string(s.Kind) + "/" + s.Region }

// left returns the scopes that a request asks for.
func (r Request) left(scopes []remedy.Scope) []remedy.Scope {
	if len(r.Rest) == 0 {
		return scopes
	}
	return slices.DeleteFunc(scopes, func(s remedy.Scope) bool { return !slices.Contains(r.Rest, part(s)) })
}

// begins reports whether there is time for one more scope. A request that limits the time
// has only those begun that may take as long as a run ever may, so none is cut short that
// would be whole if it came first.
func (r Request) begins(ctx context.Context) bool {
	deadline, limited := ctx.Deadline()
	return r.Seconds == 0 || !limited || time.Until(deadline) >= kindTime+sweepTell
}

// first reports whether no sweep has seen a scope, given what the last one remembered: the first
// sweep of an account may be cut into parts.
func (r Request) first(remembered plan.Adopted, s remedy.Scope) bool {
	return remembered.First || len(r.Rest) > 0 && slices.Contains(remembered.Pending, s.String())
}

// rest splits the scopes of a sweep: it returns the reports of those that were checked, and
// the names of the others.
func rest(scopes []remedy.Scope, checked []bool, reports []remedy.Report) (of []remedy.Report, left []string) {
	for i, s := range scopes {
		if checked[i] {
			of = append(of, reports[i])
		} else {
			left = append(left, part(s))
		}
	}
	return of, left
}

// SweepCell sweeps one account for the sweep of an organisation, or says why the account is
// not one to sweep. Its error is why it could not be swept.
func (a *App) SweepCell(ctx context.Context, req Request) (Swept, error) {
	units := slices.DeleteFunc(slices.Clone(a.baseline.Organization.OUs), func(ou string) bool { return !slices.Contains(req.Parents, ou) })
	if why := a.unasked(req.Account, req.Parents); why != "" {
		return Swept{Account: req.Account, Outside: why, Units: units}, a.rememberUnits(ctx, req, false)
	}
	waited := a.cloud.Pace.Waited()
	s, err := a.Sweep(ctx, req, nil)
	if err != nil {
		return Swept{}, err
	}
	of, now := s.short(), a.now().UTC().Truncate(time.Second)
	of.Units = units
	of.Time, of.Waited = &now, int((a.cloud.Pace.Waited()-waited).Round(time.Second)/time.Second)
	of.detail(s.Reports)
	return *of, a.rememberUnits(ctx, req, true) // after a sweep, so that an event finds what that has adopted
}

// mostDetails is how many bytes of reports are part of an answer about a cell. Step Functions
// passes on 256 KiB, and the function reads the answers of all cells at once.
const mostDetails = 16 << 10

// detail adds the reports of what is not healthy, as far as they fit.
func (s *Swept) detail(reports []report.View) {
	left := mostDetails
	for _, v := range reports {
		if v.Error == "" && len(v.Actions)+len(v.Findings) == 0 {
			continue
		}
		raw, err := json.Marshal(v)
		if left -= len(raw); err != nil || left < 0 {
			left += len(raw)
			s.More++
			continue
		}
		s.Reports = append(s.Reports, v)
	}
}
