package app

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/order"
	"github.com/relight-aws/relight/internal/plan"
	"github.com/relight-aws/relight/internal/remedy"
	"github.com/relight-aws/relight/internal/report"
)

// A Cell is what one child of the sweep of an organisation sweeps: an account, or what an
// earlier child has left of it.
type Cell struct {
	Account string   `json:"account"`
	Rest    []string `json:"rest,omitempty"` // as in a Request
}

// A Gathering asks what the sweeps of cells came to, and adds it to what earlier ones did.
type Gathering struct {
	Bucket string    `json:"bucket,omitempty"` // where the results of the cells are
	Key    string    `json:"key,omitempty"`    // of the manifest that lists them; "" if there are none
	Cells  []Cell    `json:"cells,omitempty"`  // what was swept
	Before *Gathered `json:"before,omitempty"` // what earlier ones did
	Failed string    `json:"failed,omitempty"` // why the accounts could not be listed or swept
	Hub    string    `json:"hub,omitempty"`    // why the deployment's own account could not be swept
	Own    *Swept    `json:"own,omitempty"`    // what its sweep came to, if there was one
	Last   bool      `json:"last,omitempty"`   // no more follow: log the sum, and notify people of what was not swept

	Request Request `json:"request,omitzero"` // what the cells were asked; its digest notifies people also if they know
	Listed  bool    `json:"listed,omitempty"` // somebody chose the accounts
}

// Gathered is what the sweeps of cells came to. Own is not among the numbers.
type Gathered struct {
	Accounts   int       `json:"accounts"`            // that were swept, each once
	Outside    int       `json:"outside"`             // that are not guarded
	Suspended  int       `json:"suspended,omitempty"` // or closed: nobody may enter them, so they are skipped
	Healthy    int       `json:"healthy"`
	Repaired   int       `json:"repaired"`
	Planned    int       `json:"planned"`
	Unrestored int       `json:"unrestored"`
	Findings   int       `json:"findings"`
	Unswept    []Unswept `json:"unswept,omitempty"`
	Units      []string  `json:"units,omitempty"` // those that the configuration names and that are above some account
	Cells      []Cell    `json:"cells"`           // what is left to sweep
	Swept      []Swept   `json:"swept,omitempty"` // each account that was swept, without reports
	Own        *Swept    `json:"own,omitempty"`   // the deployment's own, with its reports
	Failed     string    `json:"failed,omitempty"`
	Hub        string    `json:"hub,omitempty"`
}

// An Unswept account could not be swept to its end.
type Unswept struct {
	Account string `json:"account"`
	Error   string `json:"error"`
}

// mostWhy is the most of a reason that is passed on: 1,000 accounts that could not be swept
// have to fit the state of the state machine. Source: AWS Step Functions Developer Guide,
// "Step Functions service quotas", maximum input or output size, 256 KiB, documented.
const mostWhy = 150

// A manifest lists the files with the results of a distributed map. Source: AWS Step Functions
// Developer Guide, "ResultWriter (Map)", documented.
type manifest struct {
	ResultFiles map[string][]struct{ Key string }
}

// A childResult is one result in such a file. Source: likewise; that the files of failures
// have the same fields with Error and Cause, assumed: whatever they have, an account without a
// result counts as not swept.
type childResult struct {
	Input, Output, Status, Error, Cause string
}

// sumUp adds up what cells came to. With Last, it logs the sum and notifies people of the
// accounts that could not be swept. It returns an error if the results could not be
// read: nobody must take that for an organisation without failures.
func (a *App) sumUp(ctx context.Context, g Gathering) (Gathered, error) {
	var sum Gathered
	if g.Before != nil {
		sum = *g.Before
	}
	if g.Own != nil {
		own := *g.Own
		own.Why, own.Error = cut(own.Why), cut(own.Error)
		sum.Own = &own
	}
	sum.Cells, sum.Failed, sum.Hub = []Cell{}, cmp.Or(sum.Failed, cut(g.Failed)), cmp.Or(sum.Hub, cut(g.Hub))
	asked := map[string]bool{}
	for _, c := range g.Cells {
		asked[c.Account] = true
	}
	if g.Key != "" {
		if err := a.sumFiles(ctx, g, &sum, asked); err != nil {
			return Gathered{}, err
		}
	}
	why := cmp.Or(g.Failed, "it has no result")
	for _, account := range slices.Sorted(maps.Keys(asked)) {
		sum.Unswept = append(sum.Unswept, Unswept{account, cut(why)})
	}
	order.By(sum.Unswept, func(a, b Unswept) int { return cmp.Compare(a.Account, b.Account) })
	order.By(sum.Swept, func(a, b Swept) int { return cmp.Compare(a.Account, b.Account) })
	reasons := 0
	for i := range sum.Swept {
		s := &sum.Swept[i]
		if s.Why+s.Error == "" {
			continue
		}
		if reasons++; reasons > mostAccounts { // so that all of them fit
			s.Why = ""
			if s.Error != "" {
				s.Error = "the log has the reason"
			}
		}
	}
	order.By(sum.Cells, func(a, b Cell) int { return cmp.Compare(a.Account, b.Account) })
	if g.Last {
		return sum, a.conclude(ctx, sum, g)
	}
	return sum, nil
}

// sumFiles reads the files of a manifest and adds their results. It removes from what was
// asked each account that has one.
func (a *App) sumFiles(ctx context.Context, g Gathering, sum *Gathered, asked map[string]bool) error {
	var m manifest
	if err := a.result(ctx, g.Bucket, g.Key, &m); err != nil {
		return err
	}
	for _, of := range slices.Sorted(maps.Keys(m.ResultFiles)) {
		for _, file := range m.ResultFiles[of] {
			var results []childResult
			if err := a.result(ctx, g.Bucket, file.Key, &results); err != nil {
				return err
			}
			for _, r := range results {
				var in struct{ Cell Cell }
				if json.Unmarshal([]byte(r.Input), &in) == nil && asked[in.Cell.Account] {
					delete(asked, in.Cell.Account)
					sum.add(in.Cell.Account, r)
				}
			}
		}
	}
	return nil
}

// result reads a file with results.
func (a *App) result(ctx context.Context, bucket, key string, to any) error {
	raw, err := a.cloud.ReadResult(ctx, bucket, key)
	if err == nil {
		err = json.Unmarshal(raw, to)
	}
	if err != nil {
		return fmt.Errorf("read s3://%s/%s: %w", bucket, key, err)
	}
	return nil
}

// add adds the result of one cell.
func (g *Gathered) add(account string, r childResult) {
	var s Swept
	if err := json.Unmarshal([]byte(r.Output), &s); r.Error != "" || r.Cause != "" || r.Output == "" || err != nil || s.Account != account {
		g.Unswept = append(g.Unswept, Unswept{account, cut(Reason(r.Status, r.Error, r.Cause))})
		return
	}
	g.Units = slices.Compact(slices.Sorted(slices.Values(append(slices.Clone(g.Units), s.Units...))))
	if s.Outside != "" {
		g.Outside++
		return
	}
	g.Healthy += s.Healthy
	g.Repaired += s.Repaired
	g.Planned += s.Planned
	g.Unrestored += s.Unrestored
	g.Findings += s.Findings
	if i := slices.IndexFunc(g.Swept, func(earlier Swept) bool { return earlier.Account == account }); i >= 0 {
		g.Swept[i] = g.Swept[i].And(s).row()
	} else {
		g.Swept = append(g.Swept, s.row())
	}
	if len(s.Rest) > 0 {
		g.Cells = append(g.Cells, Cell{account, s.Rest})
		return
	}
	g.Accounts++
}

// row returns what passes from one state to the next of an account: 1,000 of them have to fit.
func (s Swept) row() Swept {
	s.Reports, s.More, s.Units, s.Rest, s.Why, s.Error = nil, 0, nil, nil, cut(s.Why), cut(s.Error)
	return s
}

// And returns what an account's cells came to together. The other one is the later one.
func (s Swept) And(later Swept) Swept {
	s.Time, s.Rest = cmp.Or(later.Time, s.Time), later.Rest
	s.Healthy += later.Healthy
	s.Repaired += later.Repaired
	s.Planned += later.Planned
	s.Unrestored += later.Unrestored
	s.Findings += later.Findings
	if later.Wires != Unchecked {
		s.Wires = max(0, s.Wires) + later.Wires
	}
	s.Waited += later.Waited
	s.More += later.More
	s.Why, s.Error = cmp.Or(s.Why, later.Why), cmp.Or(s.Error, later.Error)
	s.Reports = slices.Concat(s.Reports, later.Reports)
	return s
}

// Reason returns why a cell failed, given what Step Functions says of it. What a function says
// is in the JSON of the cause. Source: AWS Lambda Developer Guide, "Understanding retry
// behavior", the answer of a function that returns an error, documented.
func Reason(status, failure, cause string) string {
	var said struct {
		Message string `json:"errorMessage"`
	}
	if json.Unmarshal([]byte(cause), &said) == nil && said.Message != "" {
		return said.Message
	}
	if advice := unreadUnits[failure]; advice != "" {
		return "organizations:ListParents: " + advice + ": " + cause
	}
	return strings.TrimSuffix(cmp.Or(failure, status, "it has no result")+": "+cause, ": ")
}

// unreadUnits says what to do if the state machine cannot read what is above an account. Source of
// the codes: AWS Organizations API Reference, ListParents.
var unreadUnits = map[string]string{
	"Organizations.ChildNotFoundException": "the organisation has no such account, check its ID",
	"Organizations.AccessDeniedException":  "make the hub a delegated administrator of the organisation",
}

// cut returns a reason that is short enough to be passed on.
func cut(why string) string {
	if short := []rune(why); len(short) > mostWhy {
		return string(short[:mostWhy]) + "…"
	}
	return why
}

// mostAccounts is how many accounts a finding names. The log has all.
const mostAccounts = 50

// conclude logs what the sweep of an organisation came to, and notifies people of the
// accounts that could not be swept, once, until they change.
//
// Only a sweep of everything in every account counts as one of the organisation. Whoever cuts the
// schedule cannot replace it by less, and what people start besides does not keep the alarm on its
// absence silent, or change what they know.
func (a *App) conclude(ctx context.Context, sum Gathered, g Gathering) error {
	whole := !g.Listed && a.whole(g.Request)
	a.reporter.RecordOrganization(ctx, whole && sum.Failed == "", report.Sum{
		Accounts: sum.Accounts, Outside: sum.Outside, Suspended: sum.Suspended, Unswept: len(sum.Unswept), Healthy: sum.Healthy, Planned: sum.Planned,
		Repaired: sum.Repaired, Unrestored: sum.Unrestored, Findings: sum.Findings,
	})
	if sum.Hub != "" {
		a.log.Error("account not swept", "account", a.deployment.Account, "error", sum.Hub)
	}
	for _, u := range sum.Unswept {
		a.log.Error("account not swept", "account", u.Account, "error", u.Error)
	}
	machine := a.baseline.SweepMachine()
	rep := remedy.Report{
		Scope: remedy.Scope{Account: a.deployment.Account, Region: a.deployment.HomeRegion, Kind: catalog.Guard, Names: remedy.NamesOf(machine)},
		Mode:  catalog.Repair, Plan: plan.Plan{},
	}
	if sum.Failed != "" {
		rep.Plan.Add(plan.NewFinding(plan.AccountsUnlisted, plan.Args{"machine": machine, "error": sum.Failed}))
	}
	if sum.Hub != "" {
		rep.Plan.Add(plan.NewFinding(plan.AccountsUnswept, plan.Args{"machine": machine, "count": "1", "accounts": a.deployment.Account}))
	}
	if n := len(sum.Unswept); n > 0 {
		rep.Plan.Add(plan.NewFinding(plan.AccountsUnswept, plan.Args{"machine": machine, "count": strconv.Itoa(n), "accounts": named(sum.Unswept)}))
	}
	if whole && sum.Failed == "" && len(sum.Unswept) == 0 { // else nobody knows what is above every account
		for _, ou := range a.baseline.Organization.OUs {
			if !slices.Contains(sum.Units, ou) {
				rep.Plan.Add(plan.NewFinding(plan.UnitUnknown, plan.Args{"unit": ou}))
			}
		}
	}
	reports := []remedy.Report{rep}
	switch {
	case len(rep.Plan.Findings) > 0:
		a.reporter.Record(ctx, rep, nil, a.now())
	case !whole:
		return nil
	}
	return a.notify(ctx, a.of(a.deployment.Account), reports, g.Request.Digest, false)
}

// named returns the IDs of accounts as people read them.
func named(accounts []Unswept) string {
	var ids []string
	for _, u := range accounts[:min(len(accounts), mostAccounts)] {
		ids = append(ids, u.Account)
	}
	text := strings.Join(ids, ", ")
	if more := len(accounts) - len(ids); more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}
