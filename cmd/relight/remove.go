package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/relight-aws/relight/internal/awsio"
	"github.com/relight-aws/relight/internal/awsio/remove"
)

// removeSchema is the version of what "relight remove --output json" prints.
const removeSchema = 1

// A removal is what relight remove found and did.
type removal struct {
	SchemaVersion int           `json:"schema_version"`
	Account       string        `json:"account"`
	HomeRegion    string        `json:"home_region"`
	Prefix        string        `json:"prefix"`
	ToRemove      []remove.Item `json:"to_remove"` // with --plan
	Removed       []remove.Item `json:"removed"`
	Failed        []remove.Item `json:"failed"` // with the reason
	Stays         []remove.Item `json:"stays"`  // with the reason
	Unread        []remove.Item `json:"unread"` // what could not be listed, with the reason
}

func newRemove(f *flags) *cobra.Command {
	var sure, planOnly, logs bool
	var days int32
	cmd := &cobra.Command{
		Use:   "remove",
		Short: "Take away what relight left, after its stacks are gone",
		Long: "List what outlived relight's stacks in every enabled region, ask, and delete it with the\n" +
			"credentials of this terminal: filters, alarms, flow logs, topics, keys, the delivery role\n" +
			"and parameters. It deletes only what two of relight's marks say is relight's, such as name\n" +
			"and tag, and says what stays and why. Prefix and home region come from the local file.\n\n" +
			"Log groups stay with their records unless you give --logs. A trail always stays. A key is\n" +
			"scheduled for deletion.\n\n" +
			"Exit code 0: nothing of relight's is left to remove; 1: an error, or something could not be\n" +
			"read or deleted; 2, with --plan: there is something to remove.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if days < 7 || days > 30 {
				return fmt.Errorf("--key-days %d: KMS deletes a key after 7 to 30 days", days)
			}
			if err := answerable(cmd, sure || planOnly); err != nil {
				return err
			}
			acct, err := identify(cmd.Context(), f)
			if err != nil {
				return err
			}
			acct.announceLocal(f, cmd.ErrOrStderr())
			r := remove.Remover{Cloud: &awsio.Cloud{Config: acct.aws, Want: acct.config.Desired(acct.deployment), Pace: &awsio.Pace{}, Now: time.Now}, Logs: logs, KeyDays: days}
			regions, _, err := r.Cloud.Regions(cmd.Context(), acct.aws.Region)
			if err != nil {
				return fmt.Errorf("list the account's regions: %w", err)
			}
			stacks, err := r.Stacks(cmd.Context(), regions)
			if err != nil {
				return err
			}
			if len(stacks) > 0 {
				return stillThere(stacks)
			}
			found := r.List(cmd.Context(), regions)
			out := removal{
				SchemaVersion: removeSchema, Account: acct.deployment.Account, HomeRegion: acct.aws.Region, Prefix: acct.config.Prefix,
				ToRemove: found.Remove, Stays: found.Stay, Unread: found.Unread,
			}
			if planOnly || len(found.Remove) == 0 {
				return out.end(cmd, f)
			}
			if !sure {
				p := printer{w: cmd.ErrOrStderr()}
				p.removal(out)
				if p.err != nil {
					return p.err
				}
				if err := confirm(cmd, sure, fmt.Sprintf("Delete %d for good?", len(found.Remove)), "not removed: nothing was deleted"); err != nil {
					return err
				}
			}
			bar := newProgress(cmd.ErrOrStderr(), "removing")
			out.Removed, out.Failed = r.Remove(cmd.Context(), found.Remove, func(n int) { bar.set(n, len(found.Remove)) })
			bar.done()
			out.ToRemove = nil
			return out.end(cmd, f)
		},
	}
	cmd.Flags().BoolVar(&sure, "yes", false, "do not ask")
	cmd.Flags().BoolVar(&planOnly, "plan", false, "only list")
	cmd.Flags().BoolVar(&logs, "logs", false, "also delete relight's log groups, with all records in them")
	cmd.Flags().Int32Var(&days, "key-days", 30, "days until KMS deletes a key, from 7 to 30")
	return cmd
}

// stillThere says how to delete the stacks that exist.
func stillThere(stacks []string) error {
	var commands []string
	for _, stack := range stacks {
		region, name, _ := strings.Cut(stack, "/")
		commands = append(commands, fmt.Sprintf("  aws cloudformation delete-stack --region %s --stack-name %s", region, name))
	}
	return fmt.Errorf("relight is deployed, and would restore what is removed: run make destroy first, or, if it was deployed from a release,\n%s", strings.Join(commands, "\n"))
}

// end prints the result and returns the error with which the command ends.
func (r removal) end(cmd *cobra.Command, f *flags) error {
	if f.json() {
		for _, list := range []*[]remove.Item{&r.ToRemove, &r.Removed, &r.Failed, &r.Stays, &r.Unread} {
			if *list == nil {
				*list = []remove.Item{}
			}
		}
		if err := json.NewEncoder(cmd.OutOrStdout()).Encode(r); err != nil {
			return err
		}
	} else {
		p := printer{w: cmd.OutOrStdout()}
		p.removal(r)
		if p.err != nil {
			return p.err
		}
	}
	var errs []error
	if n := len(r.Failed); n > 0 {
		errs = append(errs, fmt.Errorf("%d not removed: see the errors above", n))
	}
	if n := len(r.Unread); n > 0 {
		errs = append(errs, fmt.Errorf("%d not read: see the errors above", n))
	}
	if errs == nil && len(r.ToRemove) > 0 {
		return errToDo
	}
	return errors.Join(errs...)
}

// removal prints what relight remove found and did, a line for each item.
func (p *printer) removal(r removal) {
	p.line("account %s, home region %s, prefix %s", r.Account, r.HomeRegion, r.Prefix)
	for _, list := range []struct {
		sign  string
		items []remove.Item
	}{{"-", r.ToRemove}, {"-", r.Removed}, {"x", r.Failed}, {"·", r.Stays}, {"x", r.Unread}} {
		for _, i := range list.items {
			if i.Why == "" {
				p.line("%s %s", list.sign, oneLine(i.String()))
			} else {
				p.line("%s %s: %s", list.sign, oneLine(i.String()), oneLine(i.Why))
			}
		}
	}
	p.line("%d to remove, %d removed, %d not removed, %d stay", len(r.ToRemove), len(r.Removed), len(r.Failed), len(r.Stays))
}
