package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/spf13/cobra"

	"github.com/relight-aws/relight/internal/app"
	"github.com/relight-aws/relight/internal/awsio"
	"github.com/relight-aws/relight/internal/catalog"
)

// checkRole returns why a role is none by which a person may enter accounts, or nil.
func (a *account) checkRole(role string) error {
	switch own := a.config.Baseline().Organization.Role; {
	case role == "":
		return fmt.Errorf("--local needs --role: the trust policy of %s admits the functions of the hub alone, so name a role that your credentials may assume in every account, such as OrganizationAccountAccessRole", own)
	case !catalog.RoleShape.MatchString(role):
		return fmt.Errorf("--role: %q is not the name of a role: use letters, digits and _ + = , . @ -, without path and ARN", role)
	case role == own:
		return fmt.Errorf("--role: the trust policy of %s admits the functions of the hub alone: name another role, such as OrganizationAccountAccessRole", own)
	}
	return nil
}

// sweepLocally sweeps the same accounts as the state machine, the hub among them, from this
// terminal: with the same code, as many at once, and by a role that the person may assume there.
// An interruption ends it.
func (a *account) sweepLocally(cmd *cobra.Command, f *flags, req app.Request, of accountFlags, role string) error {
	if err := a.checkRole(role); err != nil {
		return err
	}
	ctx := cmd.Context()
	cells, err := a.cells(ctx, of)
	if err == nil {
		err = a.knownRegions(ctx, req.Regions)
	}
	if err != nil {
		return err
	}
	o := a.options()
	o.Silent, o.Spokes, o.Enters = req.Mode == "plan", true, role
	by := app.NewWith(o)
	input, err := json.Marshal(asking{Mode: req.Mode})
	if err != nil {
		return fmt.Errorf("encode the request: %w", err)
	}
	all := &round{began: f.now(), total: len(cells), read: map[string]bool{}}
	e := &execution{input: string(input), began: all.began, rounds: []*round{all}, accounts: map[string]app.Swept{}, failed: map[string]app.Unswept{}}
	w := cmd.ErrOrStderr()
	shown := &live{w: w, terminal: f.terminal(w)}
	var mu sync.Mutex
	note := func(change func()) {
		mu.Lock()
		defer mu.Unlock()
		change()
		shown.show(f.now(), 0, e.progress(), e.timing(f.now()))
	}
	slots := make(chan struct{}, a.config.Baseline().Organization.Concurrency)
	var working sync.WaitGroup
	for i, cell := range cells {
		if i == 1 {
			working.Wait() // the hub comes first, as in the function: what relight remembers of all accounts is there
		}
		slots <- struct{}{}
		if ctx.Err() != nil {
			break
		}
		working.Go(func() {
			defer func() { <-slots }()
			note(func() { all.running++ })
			cell.Kinds, cell.Regions, cell.Mode, cell.Short = req.Kinds, req.Regions, req.Mode, true
			s, err := by.SweepCell(ctx, cell)
			s.Waited = 0 // the accounts share a process, so that the time is that of all
			note(func() {
				all.running--
				all.read[cell.Account] = true
				if err == nil && ctx.Err() == nil {
					all.succeeded++
					e.accounts[cell.Account] = s
					return
				}
				all.ended++
				e.failed[cell.Account] = app.Unswept{Account: cell.Account, Error: whyNot(ctx, role, err)}
			})
		})
	}
	working.Wait()
	shown.done()
	for _, cell := range cells {
		if !all.read[cell.Account] {
			e.failed[cell.Account] = app.Unswept{Account: cell.Account, Error: "interrupted"}
		}
	}
	e.stopped = aws.Time(f.now())
	result, err := e.result(a.deployment.Account)
	if err != nil {
		return err
	}
	if result.Status = "SUCCEEDED"; ctx.Err() != nil {
		result.Status, result.Failed = "ABORTED", "interrupted"
	}
	if err := printOrganization(cmd.OutOrStdout(), f, result, of.details); err != nil {
		return err
	}
	return result.err()
}

// whyNot returns why an account was not swept.
func whyNot(ctx context.Context, role string, err error) string {
	if ctx.Err() != nil {
		return "interrupted"
	}
	if _, why, closed := awsio.Closed(err); closed {
		return "your credentials cannot assume the role " + role + " there: " + why
	}
	return err.Error()
}

// cells returns the requests about the chosen accounts, or about all, as the state machine makes
// them, with the hub first.
func (a *account) cells(ctx context.Context, of accountFlags) ([]app.Request, error) {
	org, hub := a.config.Baseline().Organization, a.deployment.Account
	ids, err := a.chosen(ctx, of)
	if err != nil {
		return nil, err
	}
	client := organizations.NewFromConfig(a.aws)
	switch {
	case len(ids) > 0:
	case org.Listed():
		ids = append([]string{hub}, org.Accounts...)
	default:
		if ids, err = everyAccount(ctx, client); err != nil {
			return nil, err
		}
		ids = slices.DeleteFunc(ids, func(id string) bool { guarded, known := org.Lists(id); return known && !guarded })
		if !slices.Contains(ids, hub) {
			ids = append(ids, hub)
		}
	}
	cells, above := make([]app.Request, len(ids)), map[string]string{}
	slices.Sort(ids)
	if i := slices.Index(ids, hub); i > 0 {
		ids = slices.Insert(slices.Delete(ids, i, i+1), 0, hub)
	}
	for i, id := range ids {
		cells[i].Account = id
		if !org.ByUnits() || id == hub {
			continue
		}
		for child := id; !catalog.RootShape.MatchString(child); {
			if above[child] == "" {
				out, err := client.ListParents(ctx, &organizations.ListParentsInput{ChildId: aws.String(child)})
				if err == nil && len(out.Parents) == 0 {
					err = errors.New("it has none")
				}
				if err != nil {
					return nil, fmt.Errorf("read what is above %s (needs organizations:ListParents): %w", child, err)
				}
				above[child] = aws.ToString(out.Parents[0].Id)
			}
			child = above[child]
			cells[i].Parents = append(cells[i].Parents, child)
		}
	}
	return cells, nil
}

// everyAccount returns the active accounts of the organisation.
func everyAccount(ctx context.Context, client *organizations.Client) ([]string, error) {
	ids := map[string]bool{}
	pages := organizations.NewListAccountsPaginator(client, &organizations.ListAccountsInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("list the accounts (needs organizations:ListAccounts in the management account or a delegated administrator): name some with --accounts instead: %w", err)
		}
		for _, one := range page.Accounts {
			if active(one) {
				ids[aws.ToString(one.Id)] = true
			}
		}
	}
	return slices.Collect(maps.Keys(ids)), nil
}
