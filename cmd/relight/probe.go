package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/relight-aws/relight/internal/probe"
)

// prefixes matches a prefix that is valid in the name of every resource of a
// probe. A bucket's name sets the length: 63 characters in all.
var prefixes = regexp.MustCompile(`^[a-z][a-z0-9-]{1,38}[a-z0-9]$`)

func newProbe(f *flags) *cobra.Command {
	var sure, clean, anyway bool
	o := probe.Options{}
	cmd := &cobra.Command{
		Use:   "probe",
		Short: "Observe in a sandbox account what relight believes of AWS",
		Long: "Observe in a sandbox account what relight believes of AWS and what AWS does not\n" +
			"document. The command shows what it makes and what that costs, asks, makes it,\n" +
			"prints for each belief what it saw, and removes everything again, also after Ctrl-C;\n" +
			"a second Ctrl-C ends the removal, and the command lists what may be left. With\n" +
			"--output json, the report is in a form that you can send to relight's maintainers; it\n" +
			"does not have your account's number.\n\n" +
			"Use an account without anything of value. The command refuses an account in which\n" +
			"relight is deployed, unless you give --anyway: relight would protect what the command\n" +
			"makes. It calls many services: use credentials of an administrator.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := answerable(cmd, sure); err != nil {
				return err
			}
			acct, err := probed(cmd, f, &o, anyway || clean)
			if err != nil {
				return err
			}
			signal.Ignore(syscall.SIGPIPE) // who reads the output, such as tee, may end before the removal does
			o.Say = func(line string) { fmt.Fprintln(cmd.ErrOrStderr(), line) }
			if clean {
				return cleanProbes(cmd, f, o, sure)
			}
			printPlan(cmd.ErrOrStderr(), acct, o)
			if err := confirm(cmd, sure, "Make them?", "not started: nothing was made"); err != nil {
				return err
			}
			o.Abandon = abandoned(cmd.Context())
			rep, err := probe.Run(cmd.Context(), o)
			printLeft(cmd.ErrOrStderr(), f, o, rep.Left)
			if f.json() {
				return errors.Join(writeJSON(cmd.OutOrStdout(), rep), err)
			}
			return errors.Join(printProbe(cmd.OutOrStdout(), rep), err)
		},
	}
	cmd.Flags().StringVar(&o.Prefix, "prefix", probe.DefaultPrefix, "beginning of the names of everything that the command makes")
	cmd.Flags().DurationVar(&o.Wait, "wait", 15*time.Minute, "longest time to wait for the events of the calls, and for other late results")
	cmd.Flags().BoolVar(&sure, "yes", false, "do not ask")
	cmd.Flags().BoolVar(&clean, "clean", false, "remove what earlier runs with this prefix left, and do nothing else")
	cmd.Flags().BoolVar(&anyway, "anyway", false, "run although relight is deployed in the account, or although that cannot be seen")
	return cmd
}

// probed fills the options with the account of the environment. It refuses a
// prefix that is relight's own, and an account in which relight is deployed.
func probed(cmd *cobra.Command, f *flags, o *probe.Options, anyway bool) (*account, error) {
	cfg, _, err := readConfig(f)
	if err != nil {
		return nil, err
	}
	own := cfg.Baseline().Prefix
	switch {
	case !prefixes.MatchString(o.Prefix):
		return nil, fmt.Errorf("--prefix %s: use 3 to 40 lower-case letters, digits and hyphens, a letter first", o.Prefix)
	case strings.HasPrefix(o.Prefix+"-", own+"-"), strings.HasPrefix(own+"-", o.Prefix+"-"):
		return nil, fmt.Errorf("--prefix %s: this is the prefix of relight's own resources (%s); use another one", o.Prefix, own)
	case o.Wait < 0:
		return nil, fmt.Errorf("--wait %s: use 0 or more", o.Wait)
	}
	acct, err := connect(cmd.Context(), f)
	if err != nil && (!anyway || acct == nil) {
		return nil, err
	}
	o.AWS, o.Account = acct.aws, acct.deployment.Account
	if anyway {
		return acct, nil
	}
	found, err := probe.Deployments(cmd.Context(), acct.aws)
	switch {
	case err != nil:
		return nil, fmt.Errorf("see whether relight is deployed in account %s (--anyway runs without): %w", o.Account, err)
	case acct.deployed() && len(found) == 0:
		found = []string{acct.backfillName() + " in " + acct.aws.Region}
	}
	if len(found) > 0 {
		return nil, fmt.Errorf("relight is deployed in account %s (%s): use a sandbox account, or --anyway", o.Account, strings.Join(found, ", "))
	}
	return acct, nil
}

func cleanProbes(cmd *cobra.Command, f *flags, o probe.Options, sure bool) error {
	question := fmt.Sprintf("Remove everything in account %s, %s, whose name begins with %s- and that a probe made?", o.Account, o.AWS.Region, o.Prefix)
	if err := confirm(cmd, sure, question, "nothing was removed"); err != nil {
		return err
	}
	removed, left := probe.Clean(cmd.Context(), o)
	fmt.Fprintf(cmd.OutOrStdout(), "%d resources removed\n", len(removed))
	printLeft(cmd.ErrOrStderr(), f, o, left)
	if len(left) > 0 {
		return fmt.Errorf("%d resources could not be removed", len(left))
	}
	return nil
}

// printLeft prints what may be left and the command that removes it.
func printLeft(w io.Writer, f *flags, o probe.Options, left []string) {
	if len(left) == 0 {
		return
	}
	again := "relight probe --clean --prefix " + o.Prefix
	if f.config != defaultConfig { // it may choose the region
		again += " --config " + f.config
	}
	fmt.Fprintf(w, "What may be left in %s:\n  %s\nTo remove it: %s\n", o.AWS.Region, strings.Join(left, "\n  "), again)
}

// abandoned returns a channel that is closed at an interruption after the one
// that ends ctx. What comes within a second is the same interruption: the
// terminal and a parent process, such as npx, may both send it.
func abandoned(ctx context.Context) <-chan struct{} {
	abandon := make(chan struct{})
	context.AfterFunc(ctx, func() {
		time.Sleep(time.Second)
		second := make(chan os.Signal, 1)
		signal.Notify(second, interruptions()...)
		<-second
		close(abandon)
	})
	return abandon
}

// printPlan prints what a probe makes and what it costs.
func printPlan(w io.Writer, acct *account, o probe.Options) {
	resources, cost := probe.Plan()
	fmt.Fprintf(w, "In account %s, region %s, the command makes under the prefix %s-, and removes again:\n", o.Account, acct.aws.Region, o.Prefix)
	for _, r := range resources {
		fmt.Fprintf(w, "  %s\n", r)
	}
	fmt.Fprintf(w, "%s\nIt takes about 5 minutes, and up to %s more if events are late.\n", cost, 3*o.Wait)
}

// printProbe prints a report as a table.
func printProbe(w io.Writer, rep probe.Report) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "BELIEF\tOF\tVERDICT\tSEEN, OR WHY NOT")
	for _, r := range rep.Results {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", r.ID, r.Ref, r.Verdict, cell(r.Seen+r.Why))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "%d agree, %d disagree, %d not seen, in %s\n",
		rep.Count(probe.Agrees), rep.Count(probe.Disagrees), rep.Count(probe.NotSeen), rep.Region)
	return err
}

// cell returns a text without line breaks and tabs, which would break the
// table, shortened to what a terminal shows.
func cell(text string) string {
	const most = 200
	text = strings.Join(strings.Fields(text), " ")
	if runes := []rune(text); len(runes) > most {
		text = string(runes[:most-1]) + "…"
	}
	return text
}
