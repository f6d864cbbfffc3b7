package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/relight-aws/relight/internal/app"
)

// drillPause is how long a drill waits before it asks again how far the messages got.
const drillPause = 15 * time.Second

func newDrill(f *flags) *cobra.Command {
	var wait time.Duration
	cmd := &cobra.Command{
		Use:   "drill",
		Short: "Test that a record raises an alarm, and that the alarm reaches people",
		Long: "Test the chain from a record of the trail to people, link by link: each deployed filter\n" +
			"on a sample record, which goes into no log group; one alarm on relight itself, which\n" +
			"rings with the reason \"" + "relight drill\" and notifies both topics; what the topics took,\n" +
			"and what SNS delivered. People receive these messages.\n\n" +
			"The deployed function relight-backfill does it: the credentials of this terminal need\n" +
			"lambda:InvokeFunction on it, and nothing else of relight's. The command ends with 2 if a\n" +
			"link did not answer. SNS's counts arrive some minutes after the messages.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			acct, err := connect(cmd.Context(), f)
			if err != nil {
				return err
			}
			if !acct.deployed() {
				return acct.notDeployed()
			}
			acct.announceDeployed(cmd.Context(), f, cmd.ErrOrStderr())
			drill := func(asked app.Drilling) (app.Drill, error) {
				return invoke[app.Drill](cmd, acct, app.Request{Drill: &asked})
			}
			result, err := drill(app.Drilling{})
			if err != nil {
				return err
			}
			rest, err := delivery(cmd, result, wait, drill)
			if err != nil {
				return err
			}
			result.Links = append(result.Links, rest.Links...)
			if result.Finding == "" {
				result.Finding = rest.Finding
			}
			if err := printDrill(cmd, f, result); err != nil {
				return err
			}
			if !result.Answered() {
				return errToDo
			}
			return nil
		},
	}
	cmd.Flags().DurationVar(&wait, "wait", 6*time.Minute, "how long to wait for SNS's counts of the messages")
	return cmd
}

// delivery asks how far the messages of the alarm got, until each link has answered or
// the time is over. If the alarm did not ring, it asks once.
func delivery(cmd *cobra.Command, began app.Drill, wait time.Duration, drill func(app.Drilling) (app.Drill, error)) (app.Drill, error) {
	end := time.Now().Add(wait)
	if last := began.Links[len(began.Links)-1]; last.Silent != "" {
		return app.Drill{}, nil
	}
	for {
		last := time.Now().Add(drillPause).After(end)
		if last {
			pause(cmd, time.Until(end))
		}
		result, err := drill(app.Drilling{Since: began.Since, Last: last})
		if err != nil || last || result.Answered() || cmd.Context().Err() != nil {
			return result, err
		}
		pause(cmd, drillPause)
	}
}

// pause waits, or until the command is interrupted.
func pause(cmd *cobra.Command, d time.Duration) {
	select {
	case <-cmd.Context().Done():
	case <-time.After(d):
	}
}

// printDrill prints what answered (+) and what did not (x).
func printDrill(cmd *cobra.Command, f *flags, d app.Drill) error {
	if f.json() {
		return writeJSON(cmd.OutOrStdout(), d)
	}
	p := f.printer(cmd.OutOrStdout())
	silent := 0
	for _, l := range d.Links {
		if l.Silent == "" {
			p.line("  + %s", l)
			continue
		}
		silent++
		p.line("  x %s: %s", l, oneLine(l.Silent))
	}
	if d.Finding != "" {
		p.line("  ! %s", oneLine(d.Finding))
	}
	p.line("%s", fmt.Sprintf("%d links answered, %d did not", len(d.Links)-silent, silent))
	return p.err
}
