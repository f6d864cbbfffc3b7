package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	orgtypes "github.com/aws/aws-sdk-go-v2/service/organizations/types"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/smithy-go"
	"github.com/spf13/cobra"

	"github.com/relight-aws/relight/internal/app"
	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/report"
)

// accountFlags choose accounts of an organisation.
type accountFlags struct {
	accounts []string
	ous      []string
	details  bool
}

func (a *accountFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringSliceVar(&a.accounts, "accounts", nil, "in the hub of an organisation: only these accounts (default: every guarded one, and the hub)")
	cmd.Flags().StringSliceVar(&a.ous, "ous", nil, "likewise: only the accounts in these organisational units, and in those below them")
	cmd.Flags().BoolVar(&a.details, "details", false, "likewise: of every account, show what was found and done")
}

// given returns the name of a flag that was given and makes sense in a hub alone, or "".
func (a *accountFlags) given() string {
	switch {
	case len(a.accounts) > 0:
		return "--accounts"
	case len(a.ous) > 0:
		return "--ous"
	case a.details:
		return "--details"
	}
	return ""
}

// machine returns the state machine that sweeps the organisation of which this account is the
// hub.
func (a *account) machine(f *flags) machine {
	d := a.config.Desired(a.deployment)
	return machine{client: sfn.NewFromConfig(a.aws), arn: d.ARN("states", "stateMachine:"+d.SweepMachine()), every: f.every, now: f.now}
}

// hub reports whether the deployed configuration makes this account the hub of an organisation, and
// uses that configuration if it does. The error is why it cannot be read: the function then
// sweeps what it can by itself.
func (a *account) hub(ctx context.Context) (bool, error) {
	c, err := a.deployedConfig(ctx)
	if err != nil || !c.Baseline().Organization.On() {
		return false, err
	}
	a.config = c
	return true, nil
}

// needsHub returns why a flag of a hub is refused elsewhere.
func needsHub(flag string, err error) error {
	if err != nil {
		return fmt.Errorf("%s is for the hub of an organisation, and whether this is one cannot be read: %w", flag, err)
	}
	return fmt.Errorf("%s is for the hub of an organisation, and the deployed configuration has no organization", flag)
}

// watchExecution shows an execution that something else has started: the one that is named, or
// the last one.
func watchExecution(cmd *cobra.Command, f *flags, args []string, details bool) error {
	acct, err := connect(cmd.Context(), f)
	if err != nil {
		return err
	}
	m := acct.machine(f)
	var arn string
	if len(args) > 0 {
		arn = m.execution(args[0])
	} else if arn, err = m.latest(cmd.Context()); err != nil {
		return err
	}
	f.say(cmd.ErrOrStderr(), "execution "+nameOf(arn)+" of "+m.name()+": Ctrl-C leaves it running")
	return acct.follow(cmd, f, m, arn, details, func(*organizationSweep) error { return nil })
}

// chosen returns the accounts that flags choose, or none if they choose all. Its error lists
// every problem.
func (a *account) chosen(ctx context.Context, of accountFlags) ([]string, error) {
	var errs []error
	org := a.config.Baseline().Organization
	ids := slices.Clone(of.accounts)
	for _, id := range ids {
		guarded, known := org.Lists(id)
		switch {
		case !catalog.AccountShape.MatchString(id):
			errs = append(errs, fmt.Errorf("--accounts: %q is not the ID of an account: use 12 digits", id))
		case known && !guarded:
			errs = append(errs, fmt.Errorf("--accounts: account %s is not guarded, as organization in the deployed configuration says: relight config shows it", id))
		}
	}
	for _, unit := range of.ous {
		if !catalog.OUShape.MatchString(unit) && !catalog.RootShape.MatchString(unit) {
			errs = append(errs, fmt.Errorf("--ous: %q is not the ID of a root or organisational unit: use one such as ou-a1b2-c3d4e5f6, not its name or ARN", unit))
		}
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	client := organizations.NewFromConfig(a.aws)
	for _, unit := range of.ous {
		found, err := accountsBelow(ctx, client, unit)
		if err != nil {
			return nil, fmt.Errorf("--ous: %w", err)
		}
		for _, id := range found {
			if guarded, known := org.Lists(id); guarded || !known { // the sweep decides by the units
				ids = append(ids, id)
			}
		}
	}
	ids = slices.Compact(slices.Sorted(slices.Values(ids)))
	if len(ids) == 0 && len(of.ous) > 0 {
		return nil, fmt.Errorf("--ous: no account in %s is guarded: organization in the deployed configuration says which are, and relight config shows it", strings.Join(of.ous, ", "))
	}
	return ids, nil
}

// active reports whether somebody can enter an account: not if it is suspended or closed.
// Source: AWS Organizations API Reference, Account, whose State replaces Status.
func active(a orgtypes.Account) bool {
	return a.State == orgtypes.AccountStateActive || a.State == "" && a.Status == orgtypes.AccountStatusActive
}

// accountsBelow returns the active accounts in a root or organisational unit, and in those below
// it. Source: AWS Organizations API Reference, ListAccountsForParent, which lists direct
// children only, documented.
func accountsBelow(ctx context.Context, client *organizations.Client, unit string) (ids []string, err error) {
	explain := func(err error) error {
		if _, missing := errors.AsType[*orgtypes.ParentNotFoundException](err); missing {
			return fmt.Errorf("there is no root or organisational unit %s in this organisation: aws organizations list-roots and list-organizational-units-for-parent print those that there are", unit)
		}
		if refusal, ok := errors.AsType[smithy.APIError](err); ok && strings.HasPrefix(refusal.ErrorCode(), "AccessDenied") {
			return fmt.Errorf("the accounts in %s cannot be listed, which needs organizations:ListAccountsForParent and organizations:ListOrganizationalUnitsForParent in the management account or a delegated administrator: name accounts with --accounts instead: %w", unit, err)
		}
		return fmt.Errorf("list the accounts in %s: %w", unit, err)
	}
	accounts := organizations.NewListAccountsForParentPaginator(client, &organizations.ListAccountsForParentInput{ParentId: aws.String(unit)})
	for accounts.HasMorePages() {
		page, err := accounts.NextPage(ctx)
		if err != nil {
			return nil, explain(err)
		}
		for _, a := range page.Accounts {
			if active(a) {
				ids = append(ids, aws.ToString(a.Id))
			}
		}
	}
	units := organizations.NewListOrganizationalUnitsForParentPaginator(client, &organizations.ListOrganizationalUnitsForParentInput{ParentId: aws.String(unit)})
	for units.HasMorePages() {
		page, err := units.NextPage(ctx)
		if err != nil {
			return nil, explain(err)
		}
		for _, u := range page.OrganizationalUnits {
			below, err := accountsBelow(ctx, client, aws.ToString(u.Id))
			if err != nil {
				return nil, err
			}
			ids = append(ids, below...)
		}
	}
	return ids, nil
}

// knownRegions returns an error if one of the regions is none of the account's partition. The
// sweep says which accounts lack one that exists. Without the right to list regions, it
// returns nil: the sweep says that, too.
func (a *account) knownRegions(ctx context.Context, regions []string) error {
	if len(regions) == 0 {
		return nil
	}
	enabled, disabled, err := a.cloud().Regions(ctx, a.aws.Region)
	if err != nil {
		return nil //nolint:nilerr // see above
	}
	var errs []error
	for _, r := range regions {
		if !slices.Contains(enabled, r) && !slices.Contains(disabled, r) {
			errs = append(errs, fmt.Errorf("--regions: there is no region %s: use one such as %s", r, a.aws.Region))
		}
	}
	return errors.Join(errs...)
}

// An asking is the input of the state machine.
type asking struct {
	Accounts []string       `json:"accounts,omitempty"`
	Kinds    []catalog.Kind `json:"kinds,omitempty"`
	Regions  []string       `json:"regions,omitempty"`
	Mode     string         `json:"mode,omitempty"`
}

// sweepOrganization has the state machine of a hub sweep accounts, and shows how far it is and
// what it came to.
func (a *account) sweepOrganization(cmd *cobra.Command, f *flags, req app.Request, of accountFlags) error {
	ctx := cmd.Context()
	accounts, err := a.chosen(ctx, of)
	if err == nil {
		err = a.knownRegions(ctx, req.Regions)
	}
	if err != nil {
		return err
	}
	m := a.machine(f)
	name := "relight-" + req.Mode + "-" + m.now().UTC().Format("20060102T150405Z") + "-" + strings.ToLower(rand.Text()[:6])
	arn, err := m.start(ctx, name, asking{Accounts: accounts, Kinds: req.Kinds, Regions: req.Regions, Mode: req.Mode})
	if err != nil {
		return err
	}
	f.say(cmd.ErrOrStderr(), "execution "+name+" of "+m.name()+": Ctrl-C leaves it running")
	return a.follow(cmd, f, m, arn, of.details, func(o *organizationSweep) error {
		if req.Mode != "plan" || !of.details && !f.json() {
			return nil
		}
		return a.complete(cmd, o, req)
	})
}

// complete adds to a plan the reports that did not fit: the function plans once more for
// accounts that lack some.
func (a *account) complete(cmd *cobra.Command, o *organizationSweep, req app.Request) error {
	for i := range o.Accounts {
		s := &o.Accounts[i]
		if s.More == 0 {
			continue
		}
		req.Account = s.Account
		whole, err := invoke[app.Sweep](cmd, a, req)
		if err != nil {
			return fmt.Errorf("read all of account %s: %w", s.Account, err)
		}
		s.Reports, s.More = slices.DeleteFunc(whole.Reports, func(v report.View) bool { return v.Error == "" && len(v.Actions)+len(v.Findings) == 0 }), 0
	}
	return nil
}

// follow shows how far an execution is until it is over, and then what it came to, once that is
// complete. Whatever ends it before, the execution runs on.
func (a *account) follow(cmd *cobra.Command, f *flags, m machine, arn string, details bool, complete func(*organizationSweep) error) error {
	w := cmd.ErrOrStderr()
	shown := &live{w: w, terminal: f.terminal(w)}
	e, err := m.watch(cmd.Context(), arn, func(e *execution) { shown.show(m.now(), len(e.rounds), e.progress(), e.timing(m.now())) })
	shown.done()
	if errors.Is(err, errNoExecution) {
		return err
	}
	if err != nil {
		return executionRunsOn(cmd.Context(), m, e, err)
	}
	result, err := e.result(a.deployment.Account)
	if err == nil {
		err = complete(&result)
	}
	if err != nil {
		return err
	}
	if err := printOrganization(cmd.OutOrStdout(), f, result, details); err != nil {
		return err
	}
	return result.err()
}

// executionRunsOn says that nobody watches an execution any longer, and how to see it again.
func executionRunsOn(ctx context.Context, m machine, e *execution, err error) error {
	why, is, see := "interrupted", "runs on to its end", "how far it is, and then "
	if ctx.Err() == nil {
		why = err.Error()
	}
	if !e.running() {
		is, see = "is over", ""
	}
	name := nameOf(e.arn)
	return &runsOnError{fmt.Sprintf("%s: execution %s of %s %s; relight backfill --watch %s shows %swhat it came to", why, name, m.name(), is, name, see)}
}

// err returns the error with which a command ends that had accounts swept: that of backfill or, if
// the mode is plan, that of a plan.
func (o organizationSweep) err() error {
	var errs []error
	if o.Failed != "" {
		errs = append(errs, fmt.Errorf("the sweep ended before every account was swept: %s", oneLine(o.Failed)))
	}
	if len(o.Unswept) > 0 {
		errs = append(errs, fmt.Errorf("%d %s not swept: see the errors above", len(o.Unswept), plural(len(o.Unswept), "account was", "accounts were")))
	}
	unrestored, in := 0, 0
	for _, s := range o.Accounts {
		if s.Error != "" {
			errs = append(errs, fmt.Errorf("account %s: %s", s.Account, oneLine(s.Error)))
		}
		if s.Unrestored > 0 {
			unrestored, in = unrestored+s.Unrestored, in+1
		}
	}
	switch {
	case unrestored > 0 && o.Mode == "plan":
		errs = append(errs, fmt.Errorf("%d could not be read in %d %s: relight plan --account ID shows all of one", unrestored, in, plural(in, "account", "accounts")))
	case unrestored > 0:
		errs = append(errs, fmt.Errorf("%d not restored in %d %s: relight backfill --account ID shows all of one", unrestored, in, plural(in, "account", "accounts")))
	}
	if len(errs) == 0 && o.Mode == "plan" && o.Planned+o.Findings > 0 {
		return errToDo
	}
	return errors.Join(errs...)
}

// healthy reports whether there is nothing to say of an account but that.
func healthy(s app.Swept) bool {
	return s.Planned+s.Repaired+s.Unrestored+s.Findings == 0 && s.Error == "" && len(s.Rest) == 0
}

// printOrganization prints what an execution came to: a line for each account that is not
// healthy, with what failed there, and one for all others. With details, it prints all reports
// that there are.
func printOrganization(w io.Writer, f *flags, o organizationSweep, details bool) error {
	if f.json() {
		return writeJSON(w, o)
	}
	p := f.printer(w)
	plan := o.Mode == "plan"
	what := "sweep"
	if plan {
		what = "plan"
	}
	by := "execution " + o.Execution
	if o.Execution == "" {
		by = "by this terminal"
	}
	all := map[string]bool{}
	for _, s := range o.Accounts {
		all[s.Account] = true
	}
	for _, u := range o.Unswept { // some to a part
		all[u.Account] = true
	}
	p.line("%s of %d %s from the hub %s, %s", what, len(all), plural(len(all), "account", "accounts"), o.Account, by)
	var fine []string
	unshown := false
	for _, s := range o.Accounts {
		if healthy(s) && !details {
			fine = append(fine, s.Account)
			continue
		}
		p.account(s, plan)
		p.reports(s, details)
		unshown = unshown || !details && slices.ContainsFunc(s.Reports, func(v report.View) bool { return !failed(v) && len(v.Findings) > 0 })
	}
	for _, u := range o.Unswept {
		p.line("account %s: not swept", u.Account)
		p.line("  x %s", oneLine(u.Error))
	}
	if len(fine) > 0 {
		p.line("%d %s healthy: %s", len(fine), plural(len(fine), "account is", "accounts are"), strings.Join(fine, ", "))
	}
	if o.Outside > 0 {
		p.line("%d %s not guarded, as organization says of the units above", o.Outside, plural(o.Outside, "account is", "accounts are"))
	}
	if o.Suspended > 0 {
		p.line("%d %s suspended or closed, and skipped", o.Suspended, plural(o.Suspended, "account is", "accounts are"))
	}
	if o.Failed != "" {
		p.line("  x %s", oneLine(o.Failed))
	}
	switch {
	case unshown && o.Execution != "":
		p.line("relight backfill --watch %s --details shows what needs action", o.Execution)
	case unshown:
		p.line("--details shows what needs action")
	}
	if o.Unreported != "" {
		p.line("what was found and done cannot be read, but for the numbers: %s", oneLine(o.Unreported))
	}
	if plan {
		p.line("%d healthy, %d to restore, %d %s, %d not swept", o.Healthy, o.Planned, o.Findings, needs(o.Findings), len(o.Unswept))
	} else {
		p.line("%d healthy, %d of %d restored, %d not restored, %d %s, %d not swept", o.Healthy, o.Repaired, o.Planned, o.Unrestored, o.Findings, needs(o.Findings), len(o.Unswept))
	}
	return p.err
}

// account prints what the sweep of an account came to.
func (p *printer) account(s app.Swept, plan bool) {
	if plan {
		p.line("account %s: %d healthy, %d to restore, %d %s", s.Account, s.Healthy, s.Planned, s.Findings, needs(s.Findings))
	} else {
		p.line("account %s: %d healthy, %d of %d restored, %d not restored, %d %s", s.Account, s.Healthy, s.Repaired, s.Planned, s.Unrestored, s.Findings, needs(s.Findings))
	}
	if s.Error != "" {
		p.line("  x %s", oneLine(s.Error))
	}
}

// reports prints the reports of an account: all of them, or those of what failed.
func (p *printer) reports(s app.Swept, all bool) {
	for _, v := range s.Reports {
		if all || failed(v) {
			p.report(v)
		}
	}
	if len(s.Reports) == 0 && s.Unrestored > 0 && s.Why != "" {
		p.line("  x %s", oneLine(s.Why))
	}
	if all && s.More > 0 {
		p.line("  · %d more %s: relight history lists what was restored", s.More, plural(s.More, "report does not fit here", "reports do not fit here"))
	}
}

// failed reports whether something of a run failed.
func failed(v report.View) bool {
	return v.Error != "" || len(v.Remaining) > 0 || slices.ContainsFunc(v.Actions, func(a report.Action) bool { return a.Error != "" })
}
