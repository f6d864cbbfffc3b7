package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/relight-aws/relight/internal/lab"
)

func newLab(f *flags) *cobra.Command {
	var options lab.Options
	cmd := &cobra.Command{
		Use:   "lab",
		Short: "Run a simulated AWS account on this machine, with relight deployed into it",
		Long: "Run a simulated AWS account on this machine. The CDK CLI deploys this checkout into it.\n" +
			"Attack it from another terminal with any AWS client, and watch what relight does.\n" +
			"It runs until you interrupt it, and then stops everything that it started.\n\n" +
			"With --accounts 2 or 3 there is an organisation. Its hub is the account that relight is\n" +
			"deployed into, and each other account has the stack of a guarded account: attack that, too.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withLab(cmd, options, func(arena *lab.Arena, _ func(string)) error { return watch(cmd, f, arena) })
		},
	}
	cmd.PersistentFlags().IntVar(&options.Port, "port", 0, "port of the account's endpoint (default: any free one)")
	cmd.PersistentFlags().StringVar(&options.Dir, "dir", "", "directory for state and logs (default: a temporary directory)")
	cmd.Flags().IntVar(&options.Accounts, "accounts", 1, fmt.Sprintf("how many accounts, 1 to %d: the hub of an organisation, and those that it guards", lab.MaxAccounts()))
	var only string
	demos := &cobra.Command{
		Use:   "demo",
		Short: "Attack a hub and two guarded accounts, and show what relight restores and what it reports",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			attacks, err := chosen(only)
			if err != nil {
				return err
			}
			options.Accounts = lab.MaxAccounts()
			return withLab(cmd, options, func(arena *lab.Arena, say func(string)) error { return demo(cmd, f, arena, attacks, say) })
		},
	}
	demos.Flags().StringVar(&only, "only", "", "run only the attacks whose names match this regular expression")
	cmd.AddCommand(demos)
	return cmd
}

// withLab opens a lab, reports its progress, runs f in it and closes it.
func withLab(cmd *cobra.Command, options lab.Options, f func(*lab.Arena, func(step string)) error) error {
	begin := time.Now()
	say := func(step string) {
		fmt.Fprintf(cmd.ErrOrStderr(), "%4.0fs  %s\n", time.Since(begin).Seconds(), step)
	}
	arena, err := lab.Open(cmd.Context(), options, say)
	if err != nil {
		return err
	}
	say("ready")
	return errors.Join(f(arena, say), arena.Cloud.Close())
}

// chosen returns the attacks whose names match, or all attacks for "".
func chosen(only string) ([]lab.Attack, error) {
	match, err := regexp.Compile(only)
	if err != nil {
		return nil, fmt.Errorf("--only: %w", err)
	}
	attacks := slices.DeleteFunc(lab.AllAttacks(), func(at lab.Attack) bool { return !match.MatchString(at.Name) })
	if len(attacks) == 0 {
		return nil, fmt.Errorf("--only: no attack's name matches %q", only)
	}
	return attacks, nil
}

// rounds is how often the demo deletes each single protection whose repair it times.
const rounds = 15

func demo(cmd *cobra.Command, f *flags, arena *lab.Arena, attacks []lab.Attack, say func(string)) error {
	w := cmd.OutOrStdout()
	if f.json() {
		run, err := arena.Demo(cmd.Context(), attacks, rounds, io.Discard, say)
		return errors.Join(json.NewEncoder(w).Encode(run), err)
	}
	_, err := arena.Demo(cmd.Context(), attacks, rounds, w, say)
	return err
}

// watch shows the feed until somebody interrupts the command.
func watch(cmd *cobra.Command, f *flags, arena *lab.Arena) error {
	w := cmd.OutOrStdout()
	if f.json() {
		enc := json.NewEncoder(w)
		intruder := arena.Customer.Intruder
		ready := map[string]any{
			"kind": "ready", "AWS_ENDPOINT_URL": arena.Cloud.Endpoint, "AWS_DEFAULT_REGION": lab.Region,
			"AWS_ACCESS_KEY_ID": intruder.AccessKey, "AWS_SECRET_ACCESS_KEY": intruder.Secret, "queue": arena.Customer.MailboxURL(),
		}
		var guarded []map[string]string
		for _, who := range arena.Spokes {
			guarded = append(guarded, map[string]string{
				"account": who.Account, "AWS_ACCESS_KEY_ID": who.Intruder.AccessKey, "AWS_SECRET_ACCESS_KEY": who.Intruder.Secret, "trail_log_group": who.TrailLogGroup,
			})
		}
		if guarded != nil {
			ready["guarded"] = guarded
		}
		if err := enc.Encode(ready); err != nil {
			return err
		}
		defer arena.Feed(func(l lab.Line) { _ = enc.Encode(l) })() // if the reader is gone, SIGPIPE ends the command
		<-cmd.Context().Done()
		return nil
	}
	fmt.Fprint(w, attackGuide(arena))
	defer arena.Feed(func(l lab.Line) { fmt.Fprintln(w, l) })()
	<-cmd.Context().Done()
	fmt.Fprintln(cmd.ErrOrStderr(), "stopping")
	return nil
}

// attackGuide returns the commands to type into another terminal.
func attackGuide(arena *lab.Arena) string {
	intruder := arena.Customer.Intruder
	return fmt.Sprintf(`
AWS_ENDPOINT_URL=%s

Attack it from another terminal, with any AWS client:

  export AWS_ENDPOINT_URL=%s AWS_DEFAULT_REGION=%s
  export AWS_ACCESS_KEY_ID=%s AWS_SECRET_ACCESS_KEY=%s
  aws ec2 create-vpc --cidr-block 10.9.0.0/16
  aws logs delete-log-group --log-group-name %s
  aws cloudwatch delete-alarms --alarm-names relight-root-usage
  aws cloudwatch disable-alarm-actions --alarm-names relight-iam-changes
  aws ec2 describe-flow-logs --region %s
%s
relight's messages are in the queue %s, and below:

  aws sqs receive-message --queue-url %s

Ctrl-C stops everything.

`, arena.Cloud.Endpoint, arena.Cloud.Endpoint, lab.Region, intruder.AccessKey, intruder.Secret, arena.Customer.TrailLogGroup, lab.SecondRegion,
		spokeGuide(arena), lab.Mailbox, arena.Customer.MailboxURL())
}

// spokeGuide returns the commands for the guarded accounts, or "" if there are none.
func spokeGuide(arena *lab.Arena) string {
	if len(arena.Spokes) == 0 {
		return ""
	}
	var out strings.Builder
	fmt.Fprintf(&out, "\nThis is account %s, the hub. It guards these accounts of its organisation, each with keys of its own:\n", lab.Account)
	for _, who := range arena.Spokes {
		owns := "owns no trail"
		if who.TrailLogGroup != "" {
			owns = "owns a trail"
		}
		fmt.Fprintf(&out, "\n  # account %s, which %s\n  export AWS_ACCESS_KEY_ID=%s AWS_SECRET_ACCESS_KEY=%s\n", who.Account, owns, who.Intruder.AccessKey, who.Intruder.Secret)
		fmt.Fprintln(&out, "  aws ec2 create-vpc --cidr-block 10.9.0.0/16")
		fmt.Fprintln(&out, "  aws iam delete-role-policy --role-name relight-delivery --policy-name deliver")
		if who.TrailLogGroup != "" {
			fmt.Fprintf(&out, "  aws logs delete-metric-filter --log-group-name %s --filter-name relight-root-usage\n", who.TrailLogGroup)
			fmt.Fprintln(&out, "  aws cloudwatch delete-alarms --alarm-names relight-root-usage")
		}
	}
	return out.String()
}
