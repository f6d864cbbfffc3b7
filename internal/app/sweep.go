package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/relight-aws/relight/internal/awsio"
	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/plan"
	"github.com/relight-aws/relight/internal/remedy"
	"github.com/relight-aws/relight/internal/report"
)

// regionsAtOnce is how many scopes a sweep runs at the same time. Quotas are
// per region, but memory and sockets are shared.
const regionsAtOnce = 8

// A Request says what to sweep. The zero value asks for a repair of everything.
type Request struct {
	Account string         `json:"account,omitempty"` // a guarded account; none means the deployment's own, and then every guarded one
	Parents []string       `json:"parents,omitempty"` // the root and the organisational units above the account, as far as the caller knows them
	Kinds   []catalog.Kind `json:"kinds,omitempty"`   // none means all
	Regions []string       `json:"regions,omitempty"` // none means every enabled region
	Mode    string         `json:"mode,omitempty"`    // "repair", or "plan" for catalog.Observe
	Digest  bool           `json:"digest,omitempty"`  // notify people of every finding, also of those that they know
	Short   bool           `json:"short,omitempty"`   // of one account: the answer is a Swept, without reports
	Seconds int            `json:"seconds,omitempty"` // in which to answer: what there is no time for is left, for a request that has it as Rest; 0 for as long as it takes
	Rest    []string       `json:"rest,omitempty"`    // sweep only these, as an earlier answer named them; none means all
	Accept  *Consent       `json:"accept,omitempty"`  // nothing is swept, and everything else is ignored
	Drill   *Drilling      `json:"drill,omitempty"`   // likewise
	Gather  *Gathering     `json:"gather,omitempty"`  // likewise
}

// A Sweep is the answer to a Request.
type Sweep struct {
	Account    string        `json:"account"`
	Accounts   []Swept       `json:"accounts,omitempty"` // the guarded accounts that were swept, too
	Left       []string      `json:"left,omitempty"`     // those for which there was no time
	Rest       []string      `json:"rest,omitempty"`     // what there was no time for: KIND/REGION each
	Regions    []string      `json:"regions"`
	Skipped    []string      `json:"skipped,omitempty"`      // regions that the configuration leaves out
	NotOptedIn []string      `json:"not_opted_in,omitempty"` // regions that are not enabled and therefore not swept
	Observed   []string      `json:"observed,omitempty"`     // kinds that the configuration only observes
	Off        []string      `json:"off,omitempty"`          // kinds that it switches off
	Unsent     string        `json:"unsent,omitempty"`       // why people could not be notified
	Healthy    int           `json:"healthy"`                // protections that need nothing
	Held       int           `json:"held"`                   // Deprecated: the earlier name of healthy, which scripts still read
	Repaired   int           `json:"repaired"`
	Planned    int           `json:"planned"`    // restoring actions, whether applied or not
	Unrestored int           `json:"unrestored"` // protections that failed, still remain or could not be read
	Findings   int           `json:"findings"`
	Unwanted   int           `json:"unwanted,omitempty"` // what relight made and the configuration no longer wants, as far as it is still there
	Pause      *report.Pause `json:"pause,omitempty"`    // the pause in force, whatever the sweep covers
	Reports    []report.View `json:"reports"`
}

// ParseRequest reads a request strictly. Its error lists every problem. Empty
// input is the zero request.
func ParseRequest(raw []byte) (Request, error) {
	var req Request
	if len(bytes.TrimSpace(raw)) == 0 {
		return req, nil
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&req); err != nil {
		return req, fmt.Errorf(`backfill takes {"account":"…","kinds":[…],"regions":[…],"mode":"plan"|"repair"} or {"accept":{…}} or {"drill":{…}}: %w`, err)
	}
	return req, req.Validate()
}

// Validate returns an error that lists every problem of a request.
func (r Request) Validate() error {
	var errs []error
	for _, k := range r.Kinds {
		if !slices.Contains(catalog.Kinds(), k) {
			errs = append(errs, fmt.Errorf("there is no kind %q: use %v", k, catalog.Kinds()))
		}
	}
	if r.Account != "" && !catalog.AccountShape.MatchString(r.Account) {
		errs = append(errs, fmt.Errorf("account %q is not the ID of an account: use 12 digits", r.Account))
	}
	if !slices.Contains([]string{"", "plan", "repair"}, r.Mode) {
		errs = append(errs, fmt.Errorf("there is no mode %q: use plan or repair", r.Mode))
	}
	return errors.Join(append(errs, r.validCell()...)...)
}

// Sweep runs every kind in each region of one account where it applies, after the kinds on
// which it depends. It calls the progress function, if there is one, after each
// run. An account that lets relight not in has one report, which says so.
func (a *App) Sweep(ctx context.Context, req Request, progress func(done, total int)) (Sweep, error) {
	if req.Seconds > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Duration(req.Seconds)*time.Second)
		defer cancel()
	}
	if deadline, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, deadline.Add(-reserve))
		defer cancel()
	}
	began := a.now().UTC()
	p, err := a.asked(req.Account, req.Parents...)
	if err != nil {
		return Sweep{}, err
	}
	account := p.cloud.Want.Account
	enabled, disabled, err := p.cloud.Regions(ctx, a.deployment.HomeRegion)
	if _, _, is := awsio.Closed(err); is && a.enters == "" { // what a person may not enter is not closed
		return a.shut(ctx, p, req, err), nil
	}
	if err != nil {
		return Sweep{}, fmt.Errorf("list regions: %w", err)
	}
	sweep := Sweep{Account: account, NotOptedIn: disabled}
	for _, k := range catalog.Kinds() {
		switch a.config.Mode(k) {
		case catalog.Observe:
			sweep.Observed = append(sweep.Observed, string(k))
		case catalog.Off:
			sweep.Off = append(sweep.Off, string(k))
		}
	}
	for _, r := range enabled {
		if slices.Contains(a.config.SkipRegions, r) {
			sweep.Skipped = append(sweep.Skipped, r)
		} else {
			sweep.Regions = append(sweep.Regions, r)
		}
	}
	if len(req.Regions) > 0 {
		sweep.Regions, sweep.NotOptedIn = slices.Compact(slices.Sorted(slices.Values(req.Regions))), nil
		sweep.Skipped = nil
		for _, r := range req.Regions {
			if !slices.Contains(enabled, r) {
				return Sweep{}, fmt.Errorf("region %s is not enabled for account %s: enable it or leave it out", r, sweep.Account)
			}
		}
	}
	with := p.reconciler
	adopted := sync.OnceValues(func() (plan.Adopted, error) { return a.adoptedBySweep(ctx, p, enabled) }) // for all runs
	_, _ = adopted()                                                                                      // before a run remembers anything, which the first sweep is known by; runs and adopt have its error
	with.Adopted = func(context.Context) (plan.Adopted, error) { return adopted() }
	var pause *remedy.Pause
	var refused []plan.Finding
	if with.Paused != nil { // for all runs
		pause, refused = with.Paused(ctx)
		with.Paused = func(context.Context) (*remedy.Pause, []plan.Finding) { return pause, nil }
	}
	with.Applier = &beginning{Applier: with.Applier, begin: sync.OnceFunc(func() { a.begin(ctx, p, adopted) })}
	scopes := req.left(a.scopes(p, req, sweep.Regions))
	reports := make([]remedy.Report, len(scopes))
	who := &explainer{app: a, parts: p, left: mostLookups}
	done := 0
	checked := make([]bool, len(scopes))
	var mu sync.Mutex
	inOrder(scopes, func(i int) {
		if checked[i] = req.begins(ctx); !checked[i] {
			return
		}
		with := with
		remembered, err := adopted()
		first := err == nil && req.first(remembered, scopes[i])
		if a.yields && err == nil && !first { // nothing was there before a first sweep, so no event's run restores it
			with.Yield = yieldTo(manyWrites, sweepLag, func() {})
		}
		rep := a.check(ctx, sweepTime(ctx), with, scopes[i], req.mode())
		rep.First = first
		who.explain(ctx, &rep)
		a.reporter.Record(ctx, rep, nil, a.now())
		reports[i] = rep
		mu.Lock()
		defer mu.Unlock()
		if done++; progress != nil {
			progress(done, len(scopes))
		}
	})
	if reports, sweep.Rest = rest(scopes, checked, reports); len(reports) == 0 && len(sweep.Rest) > 0 {
		return Sweep{}, fmt.Errorf("the sweep of account %s had no time for anything: reading its regions and what relight remembers of it took all of %d seconds", account, req.Seconds)
	}
	if len(req.Regions) == 0 && !a.baseline.Organization.On() { // any account may have what the configuration names
		a.missing(reports)
	}
	a.mark(pause, refused, reports)
	if req.mode() == catalog.Repair && pause == nil { // nobody learns what the account is like in a pause
		a.adopt(ctx, p, with, reports)
	}
	if req.mode() == catalog.Repair && !p.guarded() {
		a.prune(ctx, reports)
	}
	if err := a.notify(ctx, p, reports, req.Digest, a.whole(req)); err != nil { // one notification for all regions
		sweep.Unsent = err.Error()
	}
	sweep.Pause = report.PauseOf(pause)
	for _, rep := range reports {
		sweep.add(rep)
	}
	if a.whole(req) && len(sweep.Rest) == 0 && ctx.Err() == nil {
		a.reporter.RecordSweep(ctx, report.Tally{
			Began: began, Healthy: sweep.Healthy, Planned: sweep.Planned, Repaired: sweep.Repaired, Unrestored: sweep.Unrestored, Findings: sweep.Findings,
		})
	}
	return sweep, nil
}

// prune takes away what the configuration no longer wants, in one region after the other,
// filters before the alarms on them: the functions restore an alarm at once whose filter is there. It does nothing in a function. While the trail
// needs a person, as one that somebody pointed elsewhere does, it leaves filters and alarms.
func (a *App) prune(ctx context.Context, reports []remedy.Report) {
	if a.pruner == nil {
		return
	}
	trail := slices.ContainsFunc(reports, func(r remedy.Report) bool {
		return r.Scope.Kind == catalog.Trails && r.Err == nil && len(r.Plan.Findings) == 0 && len(r.Plan.Actions) == 0
	})
	for _, alarms := range []bool{false, true} {
		for i, r := range reports {
			if !trail && r.Scope.Kind != catalog.FlowLogs {
				continue
			}
			if alarms == (r.Scope.Kind == catalog.Alarms) && r.Err == nil && r.Pause == nil && len(r.Plan.Unwanted) > 0 {
				reports[i].Pruned = a.pruner.Apply(ctx, r.Scope, r.Plan.Unwanted)
			}
		}
	}
}

// missing adds a finding for each subnet and network interface that the configuration
// names by ID and that none of the sweep's regions has, unless one could not be read.
func (a *App) missing(reports []remedy.Report) {
	var named []string
	home := -1
	for i, r := range reports {
		if r.Scope.Kind != catalog.FlowLogs {
			continue
		}
		if r.Err != nil {
			return
		}
		if named = append(named, r.Plan.Named...); r.Scope.Region == a.deployment.HomeRegion {
			home = i
		}
	}
	for _, of := range catalog.NetworkTypes {
		for _, id := range a.cloud.Want.FlowLogs.Chosen[of].IDs {
			if home >= 0 && !slices.Contains(named, id) {
				reports[home].Plan.Add(plan.NewFinding(plan.FlowLogTargetMissing, plan.Args{"on": id, "key": catalog.ChosenKey(of)}))
			}
		}
	}
}

// whole reports whether a request is one that the schedule makes: a repair of every
// kind in every region. Whoever cuts the schedule cannot replace it by less.
func (a *App) whole(req Request) bool {
	every := len(req.Kinds) == 0 || !slices.ContainsFunc(a.config.Watched(), func(k catalog.Kind) bool { return !slices.Contains(req.Kinds, k) })
	own := req.Account == "" || req.Account == a.deployment.Account
	return a.function == catalog.Backfill && a.reporter.Topic != "" && own && every && len(req.Regions)+len(req.Rest) == 0 && req.mode() == catalog.Repair
}

// scopes returns the scopes that a request sweeps, in the order of its reports:
// first the kinds of the home region, then those of every region and of forwarders.
func (a *App) scopes(p *parts, req Request, regions []string) []remedy.Scope {
	home := a.deployment.HomeRegion
	var scopes []remedy.Scope
	for _, first := range []bool{true, false} {
		for _, k := range catalog.Kinds() {
			if len(req.Kinds) > 0 && !slices.Contains(req.Kinds, k) {
				continue
			}
			in := regions
			if k == catalog.Guard && len(req.Regions) == 0 { // whoever disables a region cuts off its forwarder too
				in = slices.Compact(slices.Sorted(slices.Values(slices.Concat(in, a.baseline.Forwarders(home)))))
			}
			for _, r := range in {
				s := remedy.Scope{Account: p.cloud.Want.Account, Region: r, Kind: k}
				if first == (r == home && !k.Regional()) && a.handles(s, true) == "" {
					scopes = append(scopes, s)
				}
			}
		}
	}
	return scopes
}

// inOrder calls run with the index of each scope, after every scope of the
// kinds on which its kind depends is done. It waits for all of them.
func inOrder(scopes []remedy.Scope, run func(i int)) {
	pending := map[catalog.Kind]*sync.WaitGroup{}
	for _, s := range scopes {
		if pending[s.Kind] == nil {
			pending[s.Kind] = &sync.WaitGroup{}
		}
		pending[s.Kind].Add(1)
	}
	var await func(kinds []catalog.Kind)
	await = func(kinds []catalog.Kind) {
		for _, k := range kinds {
			await(k.After()) // a kind without scopes may still depend on kinds that have some
			if p := pending[k]; p != nil {
				p.Wait()
			}
		}
	}
	slots := make(chan struct{}, regionsAtOnce)
	var all sync.WaitGroup
	for i, s := range scopes {
		all.Go(func() {
			defer pending[s.Kind].Done()
			await(s.Kind.After())
			if s.Kind.Regional() { // the few others do not wait for a slot behind every region
				slots <- struct{}{}
				defer func() { <-slots }()
			}
			run(i)
		})
	}
	all.Wait()
}

func (r Request) mode() catalog.Mode {
	if r.Mode == "plan" {
		return catalog.Observe
	}
	return catalog.Repair
}

func (s *Sweep) add(rep remedy.Report) {
	s.Healthy += rep.Plan.Healthy
	s.Held = s.Healthy
	s.Repaired += rep.Repaired()
	s.Planned += rep.Planned()
	s.Unrestored += report.Unrestored(rep)
	s.Findings += len(rep.Plan.Findings)
	s.Unwanted += len(rep.Plan.Unwanted)
	for _, o := range rep.Pruned {
		if o.Err == nil {
			s.Unwanted--
		}
	}
	s.Reports = append(s.Reports, report.ViewOf(rep))
}
