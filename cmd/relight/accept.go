package main

import (
	"bufio"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/relight-aws/relight/internal/app"
)

func newAccept(f *flags) *cobra.Command {
	var sure bool
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
			acct, err := connect(cmd.Context(), f)
			if err != nil {
				return err
			}
			if !acct.deployed() {
				return acct.notDeployed()
			}
			what, err := ask(cmd, acct, app.Consent{})
			if err != nil {
				return err
			}
			if len(what.Changes) > 0 {
				if !f.json() {
					printAcceptance(cmd, what)
				}
				if !sure && !asked(cmd, "Accept?") {
					return errors.New("not accepted: nothing was written")
				}
				if what, err = ask(cmd, acct, app.Consent{Seen: what.Mark}); err != nil {
					return err
				}
			}
			switch {
			case f.json():
				return json.NewEncoder(cmd.OutOrStdout()).Encode(what)
			case what.Accepted:
				_, err = fmt.Fprintf(cmd.OutOrStdout(), "accepted: relight now remembers this trail in %s\n", what.Parameter)
			default:
				_, err = fmt.Fprintf(cmd.OutOrStdout(), "nothing to accept: trail %s is as relight remembers it\n", what.Trail)
			}
			return err
		},
	}
	cmd.Flags().BoolVar(&sure, "yes", false, "accept without asking")
	return cmd
}

// ask invokes the deployed function with a consent.
func ask(cmd *cobra.Command, acct *account, consent app.Consent) (app.Acceptance, error) {
	return invoke[app.Acceptance](cmd, acct, app.Request{Accept: &consent})
}

func printAcceptance(cmd *cobra.Command, what app.Acceptance) {
	p := printer{w: cmd.OutOrStdout()}
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

// asked asks a question and reports whether the answer was yes. An interruption
// is no.
func asked(cmd *cobra.Command, question string) bool {
	fmt.Fprint(cmd.ErrOrStderr(), question+" Type yes: ")
	answer := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(cmd.InOrStdin()).ReadString('\n') // no answer is no
		answer <- line
	}()
	select {
	case line := <-answer:
		return strings.TrimSpace(line) == "yes" && cmd.Context().Err() == nil
	case <-cmd.Context().Done():
		return false
	}
}
