package main

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/relight-aws/relight/internal/app"
	"github.com/relight-aws/relight/internal/catalog"
)

// sweepFlags restrict a sweep.
type sweepFlags struct {
	kinds   []string
	regions []string
}

func (s *sweepFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringSliceVar(&s.kinds, "kinds", nil, fmt.Sprintf("only these kinds (default: all): %v", catalog.Kinds()))
	cmd.Flags().StringSliceVar(&s.regions, "regions", nil, "only these regions (default: every enabled region)")
	var kinds []string
	for _, k := range catalog.Kinds() {
		kinds = append(kinds, string(k))
	}
	complete(cmd, "kinds", kinds...)
}

func (s *sweepFlags) request(mode string) (app.Request, error) {
	req := app.Request{Regions: s.regions, Mode: mode}
	for _, k := range s.kinds {
		req.Kinds = append(req.Kinds, catalog.Kind(k))
	}
	return req, req.Validate()
}

func newPlan(f *flags) *cobra.Command {
	var sweep sweepFlags
	var of accountFlags
	var account string
	cmd := &cobra.Command{
		Use:   "plan",
		Short: "Show what relight would restore and report, and change nothing",
		Long: "Show what relight would restore and report, and change nothing. It uses the deployed\n" +
			"configuration. Without a deployment, or with --config, it uses that of a file.\n\n" +
			"In the hub of an organisation, the deployed functions plan for every account, since nobody else\n" +
			"may enter the others: it prints a line for each that is not healthy, and with --details what they\n" +
			"found. --account shows everything about one. With --config, it plans for this account alone.\n\n" +
			"Exit code 0: everything is healthy; 2: there is something to restore or a finding;\n" +
			"1: an error.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			req, err := sweep.request("plan")
			if err != nil {
				return err
			}
			acct, err := connect(cmd.Context(), f)
			if err != nil {
				return err
			}
			if err := acct.useDeployed(cmd.Context(), f, cmd.ErrOrStderr()); err != nil {
				return err
			}
			hub := acct.deployed() && !f.configGiven && acct.config.Baseline().Organization.On()
			if !hub && cmp.Or(account, of.given()) != "" {
				return needsHub(cmp.Or(of.given(), "--account"), nil)
			}
			if account != "" && of.given() != "" {
				return fmt.Errorf("--account shows all of one account: leave out %s", of.given())
			}
			if hub && account == "" {
				return acct.sweepOrganization(cmd, f, req, of)
			}
			plan := func() (app.Sweep, error) { return acct.sweep(cmd, req, acct.app()) }
			if account != "" && account != acct.deployment.Account {
				if req.Account = account; req.Validate() != nil {
					return fmt.Errorf("--account: %w", req.Validate())
				}
				plan = func() (app.Sweep, error) { return invoke[app.Sweep](cmd, acct, req) }
			}
			result, err := plan()
			if err != nil {
				return err
			}
			if err := printSweep(cmd.OutOrStdout(), f, result, acct.aws.Region, acct.deployed()); err != nil {
				return err
			}
			return seen(result)
		},
	}
	sweep.add(cmd)
	of.add(cmd)
	cmd.Flags().StringVar(&account, "account", "", "in the hub of an organisation: this account alone, and everything about it")
	return cmd
}

func newApply(f *flags) *cobra.Command {
	var sweep sweepFlags
	var sure, pruning bool
	cmd := &cobra.Command{
		Use:   "apply",
		Short: "Restore what is missing or weakened, from this terminal",
		Long: "Show what relight would restore, ask, and restore it with the credentials of this\n" +
			"terminal. It needs a deployment, because it uses its topic and delivery role.\n\n" +
			"With --prune it also deletes what relight made and the deployed configuration no longer\n" +
			"wants: the filter and the alarm of a disabled control, the flow log of an exempt VPC.\n" +
			"relight's functions never do, and their roles may not.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if pruning && f.configGiven {
				return errors.New("--prune needs the deployed configuration, because the functions restore what that one wants: deploy the change and leave out --config")
			}
			req, err := sweep.request("plan")
			if err != nil {
				return err
			}
			acct, err := connect(cmd.Context(), f)
			if err != nil {
				return err
			}
			if !acct.deployed() {
				return acct.notDeployed()
			}
			if err := acct.useDeployed(cmd.Context(), f, cmd.ErrOrStderr()); err != nil {
				return err
			}
			if err := answerable(cmd, sure); err != nil {
				return err
			}
			if !sure {
				planned, err := acct.sweep(cmd, req, acct.app())
				if err != nil {
					return err
				}
				out := *f
				out.output = "text"
				if err := printSweep(cmd.ErrOrStderr(), &out, planned, acct.aws.Region, true); err != nil {
					return err
				}
				unwanted := 0
				if pruning {
					unwanted = planned.Unwanted
				}
				if planned.Planned+unwanted > 0 {
					question := fmt.Sprintf("Restore %d and delete %d?", planned.Planned, unwanted)
					if err := confirm(cmd, sure, question, "not applied: nothing was written"); err != nil {
						return err
					}
				}
			}
			req.Mode = "repair"
			result, err := acct.sweep(cmd, req, acct.applying(pruning))
			if err != nil {
				return err
			}
			if err := printSweep(cmd.OutOrStdout(), f, result, acct.aws.Region, true); err != nil {
				return err
			}
			return errors.Join(unread(result), unrestored(result))
		},
	}
	sweep.add(cmd)
	cmd.Flags().BoolVar(&sure, "yes", false, "do not ask")
	cmd.Flags().BoolVar(&pruning, "prune", false, "also delete what relight made and the deployed configuration no longer wants")
	return cmd
}

// unrestored returns an error if a sweep did not restore everything that it
// should, or did not delete what it should.
func unrestored(result app.Sweep) error {
	kept := 0
	for _, rep := range result.Reports {
		for _, a := range rep.Unwanted {
			if a.Error != "" {
				kept++
			}
		}
	}
	var errs []error
	if result.Unrestored > 0 {
		errs = append(errs, fmt.Errorf("%d not restored: see the errors above", result.Unrestored))
	}
	for _, a := range result.Accounts {
		if a.Unrestored > 0 {
			errs = append(errs, fmt.Errorf("account %s: %d not restored: relight backfill --account %s shows why", a.Account, a.Unrestored, a.Account))
		}
	}
	if len(result.Left) > 0 {
		errs = append(errs, fmt.Errorf("%d of the accounts were not swept: there was no time left", len(result.Left)))
	}
	if kept > 0 {
		errs = append(errs, fmt.Errorf("%d not deleted: see the errors above", kept))
	}
	return errors.Join(errs...)
}

// unread returns the errors of what a sweep could not read.
func unread(result app.Sweep) error {
	var errs []error
	for _, rep := range result.Reports {
		if rep.Error != "" {
			errs = append(errs, errors.New(rep.Error))
		}
	}
	for _, a := range result.Accounts {
		if a.Error != "" {
			errs = append(errs, fmt.Errorf("account %s: %s", a.Account, a.Error))
		}
	}
	return errors.Join(errs...)
}

// seen returns the error with which a plan ends: what it could not read, or errToDo if
// it has something to restore or a finding.
func seen(result app.Sweep) error {
	err := unread(result)
	found := func(a app.Swept) bool { return a.Planned > 0 || a.Findings > 0 }
	if err == nil && (result.Planned > 0 || result.Findings > 0 || len(result.Left) > 0 || slices.ContainsFunc(result.Accounts, found)) {
		return errToDo
	}
	return err
}

// sweep runs a sweep from this terminal.
func (a *account) sweep(cmd *cobra.Command, req app.Request, by *app.App) (app.Sweep, error) {
	bar := newProgress(cmd.ErrOrStderr(), "reading the account")
	defer bar.done()
	return by.Sweep(cmd.Context(), req, bar.set)
}
