package main

import (
	"cmp"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/relight-aws/relight/internal/app"
)

func newAccept(f *flags) *cobra.Command {
	var sure bool
	var only app.Consent
	var account string
	cmd := &cobra.Command{
		Use:   "accept",
		Short: "Accept the trail as it is now, so that relight restores this one",
		Long: "Accept the trail as it is now: its bucket, prefix, key, role, log group and event\n" +
			"selectors. relight reports a trail that differs from the one it remembers, and\n" +
			"never changes it back. Run this command if the change was intended: it shows what\n" +
			"differs, asks, and makes relight remember the trail as it is now.\n\n" +
			"If relight made the log group and you took its tag off to take the group over, this\n" +
			"command makes relight treat the group as yours.\n\n" +
			"The deployed function relight-backfill compares and remembers, and notifies people: the\n" +
			"credentials of this terminal need lambda:InvokeFunction on it, and nothing else of relight's.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if only.Remove && only.Adopt.Empty() {
				return errors.New("--remove: say what with --filters, --topics or --flow-logs")
			}
			acct, err := connect(cmd.Context(), f)
			if err != nil {
				return err
			}
			if !acct.deployed() {
				return acct.notDeployed()
			}
			acct.announceDeployed(cmd.Context(), f, cmd.ErrOrStderr())
			if len(only.Retention) > 0 || !only.Adopt.Empty() {
				return acceptOnly(cmd, f, acct, account, only, sure)
			}
			what, err := ask(cmd, acct, account, app.Consent{})
			if err != nil {
				return err
			}
			if len(what.Changes) > 0 {
				if !f.json() {
					printAcceptance(cmd, f, what)
				}
				if err := confirm(cmd, sure, "Accept?", "not accepted: nothing was written"); err != nil {
					return err
				}
				if what, err = ask(cmd, acct, account, app.Consent{Seen: what.Mark}); err != nil {
					return err
				}
			}
			switch {
			case f.json():
				return writeJSON(cmd.OutOrStdout(), what)
			case what.Accepted:
				_, err = fmt.Fprintf(cmd.OutOrStdout(), "accepted: relight now remembers this trail in %s\n", what.Parameter)
			default:
				_, err = fmt.Fprintf(cmd.OutOrStdout(), "nothing to accept: trail %s is as relight remembers it\n", what.Trail)
			}
			return err
		},
	}
	cmd.Flags().StringVar(&account, "account", "", "accept what is in this guarded account of the organisation")
	cmd.Flags().BoolVar(&sure, "yes", false, "accept without asking")
	flags := cmd.Flags()
	flags.StringSliceVar(&only.Retention, "retention", nil, "instead, let these log groups (REGION/NAME) keep their logs for less time than before")
	flags.StringSliceVar(&only.Adopt.Filters, "filters", nil, "instead, rely on these metric filters, which others made")
	flags.StringSliceVar(&only.Adopt.Topics, "topics", nil, "instead, rely on alarms of others that notify these topics (ARN)")
	flags.StringSliceVar(&only.Adopt.FlowLogs, "flow-logs", nil, "instead, rely on flow logs of others to these log groups, buckets and streams (ARN)")
	flags.BoolVar(&only.Remove, "remove", false, "no longer rely on what --filters, --topics and --flow-logs name")
	cmd.MarkFlagsMutuallyExclusive("retention", "filters")
	cmd.MarkFlagsMutuallyExclusive("retention", "topics")
	cmd.MarkFlagsMutuallyExclusive("retention", "flow-logs")
	cmd.MarkFlagsMutuallyExclusive("retention", "remove")
	return cmd
}

// acceptOnly accepts something else than the trail.
func acceptOnly(cmd *cobra.Command, f *flags, acct *account, of string, consent app.Consent, sure bool) error {
	question := "relight will rely on what others made: " + consent.Adopt.String() + "."
	switch {
	case len(consent.Retention) > 0:
		question = "relight will no longer lengthen the retention of " + strings.Join(consent.Retention, ", ") + " beyond the policy's."
	case consent.Remove:
		question = "relight will no longer rely on " + consent.Adopt.String() + ", and makes its own."
	}
	if err := confirm(cmd, sure, question, "not accepted: nothing was written"); err != nil {
		return err
	}
	what, err := ask(cmd, acct, of, consent)
	switch {
	case err != nil:
		return err
	case f.json():
		return writeJSON(cmd.OutOrStdout(), what)
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "accepted: relight remembers it in %s, and the next sweep acts on it\n", what.Parameter)
	return err
}

// ask invokes the deployed function with a consent.
func ask(cmd *cobra.Command, acct *account, of string, consent app.Consent) (app.Acceptance, error) {
	return invoke[app.Acceptance](cmd, acct, app.Request{Account: of, Accept: &consent})
}

func printAcceptance(cmd *cobra.Command, f *flags, what app.Acceptance) {
	p := f.printer(cmd.OutOrStdout())
	p.line("trail %s", what.Trail)
	if what.Unread != "" {
		p.line("relight cannot use what it remembers: %s", what.Unread)
	}
	for _, c := range what.Changes {
		p.line("  %s", c.Name)
		p.line("    remembered  %s", cmp.Or(c.Was, "none"))
		p.line("    now         %s", cmp.Or(c.Now, "none"))
	}
}
