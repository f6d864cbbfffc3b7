package main

import (
	"errors"
	"fmt"

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
	cmd := &cobra.Command{
		Use:   "plan",
		Short: "Show what relight would restore and report, and change nothing",
		Long: "Show what relight would restore and report, and change nothing. It uses the deployed\n" +
			"configuration. Without a deployment, or with --config, it uses that of a file.\n\n" +
			"Exit code 0: everything is healthy; 2: there is something to restore or a finding;\n" +
			"1: an error.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			result, err := runSweep(cmd, f, sweep, "plan")
			if err != nil {
				return err
			}
			if result.Planned > 0 || result.Findings > 0 {
				return errToDo
			}
			return nil
		},
	}
	sweep.add(cmd)
	return cmd
}

func newApply(f *flags) *cobra.Command {
	var sweep sweepFlags
	cmd := &cobra.Command{
		Use:   "apply",
		Short: "Restore what is missing or weakened, from this terminal",
		Long: "Restore what is missing or weakened, with the credentials of this terminal. It needs a\n" +
			"deployment, because it uses its topic and delivery role.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			result, err := runSweep(cmd, f, sweep, "repair")
			if err != nil {
				return err
			}
			return unrestored(result)
		},
	}
	sweep.add(cmd)
	return cmd
}

// unrestored returns an error if a sweep did not restore everything that it
// should.
func unrestored(result app.Sweep) error {
	if result.Unrestored > 0 {
		return fmt.Errorf("%d not restored: see the errors above", result.Unrestored)
	}
	return nil
}

func runSweep(cmd *cobra.Command, f *flags, sweep sweepFlags, mode string) (app.Sweep, error) {
	req, err := sweep.request(mode)
	if err != nil {
		return app.Sweep{}, err
	}
	acct, err := connect(cmd.Context(), f)
	if err != nil {
		return app.Sweep{}, err
	}
	if mode == "repair" && !acct.deployed() {
		return app.Sweep{}, acct.notDeployed()
	}
	if err := acct.useDeployed(cmd.Context(), f, cmd.ErrOrStderr()); err != nil {
		return app.Sweep{}, err
	}
	bar := newProgress(cmd.ErrOrStderr(), "reading the account")
	result, err := acct.app().Sweep(cmd.Context(), req, bar.set)
	bar.done()
	if err != nil {
		return result, err
	}
	if err := printSweep(cmd.OutOrStdout(), f, result, acct.aws.Region, acct.deployed()); err != nil {
		return result, err
	}
	var unread []error
	for _, rep := range result.Reports {
		if rep.Error != "" {
			unread = append(unread, errors.New(rep.Error))
		}
	}
	return result, errors.Join(unread...)
}
