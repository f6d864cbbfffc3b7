package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"github.com/relight-aws/relight/internal/config"
)

// configSchema is the version of what "relight config --output json" prints.
const configSchema = 1

// A comparison is the deployed configuration beside the local one: what each says beyond
// the defaults. A configuration that does not exist is null.
type comparison struct {
	SchemaVersion int                 `json:"schema_version"`
	Stack         string              `json:"stack"`
	Region        string              `json:"region"`
	Account       string              `json:"account"`
	Deployed      config.Facts        `json:"deployed"`
	Local         config.Facts        `json:"local"`
	Differences   []config.Difference `json:"differences"`
}

func newConfig(f *flags) *cobra.Command {
	return &cobra.Command{
		Use:   "config",
		Short: "Show the deployed configuration, the local one and how they differ",
		Long: "Show the configuration with which relight was deployed, that of cdk.json or --config, and\n" +
			"how they differ. Of each it shows what is not the default.\n\n" +
			"Exit code 0: they are equal; 2: they differ; 1: an error, or relight is not deployed.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			acct, err := identify(cmd.Context(), f)
			if err != nil {
				return err
			}
			deployed, err := acct.deployedConfig(cmd.Context())
			if errors.Is(err, errNotDeployed) {
				return fmt.Errorf("relight is not deployed: there is no stack named %s in %s; run make deploy first", acct.config.Baseline().StackName(), acct.aws.Region)
			}
			if err != nil {
				return err
			}
			return printConfig(cmd, f, acct, deployed)
		},
	}
}

func printConfig(cmd *cobra.Command, f *flags, acct *account, deployed config.Config) error {
	c := comparison{
		SchemaVersion: configSchema, Stack: acct.config.Baseline().StackName(), Region: acct.aws.Region, Account: acct.deployment.Account,
		Deployed: deployed.Facts(), Differences: []config.Difference{},
	}
	if !acct.noFile {
		c.Local = acct.config.Facts()
		c.Differences = append(c.Differences, c.Deployed.Differences(c.Local)...)
	}
	if f.json() {
		if err := json.NewEncoder(cmd.OutOrStdout()).Encode(c); err != nil {
			return err
		}
	} else {
		p := f.printer(cmd.OutOrStdout())
		p.line("deployed: stack %s in %s, account %s", c.Stack, c.Region, c.Account)
		p.facts(c.Deployed)
		if !acct.noFile {
			p.line("local: %s", f.config)
			p.facts(c.Local)
		}
		p.differences(c.Differences)
		if p.err != nil {
			return p.err
		}
	}
	switch {
	case acct.noFile:
		return fmt.Errorf("there is no %s here to compare with", f.config)
	case len(c.Differences) > 0:
		return errToDo
	}
	return nil
}

// facts prints what a configuration says beyond the defaults.
func (p *printer) facts(facts config.Facts) {
	if len(facts) == 0 {
		p.line("  the defaults")
	}
	for _, path := range slices.Sorted(maps.Keys(facts)) {
		p.line("  %s = %s", oneLine(path), oneLine(facts[path]))
	}
}

// differences prints what a deployment of the local configuration would change.
func (p *printer) differences(list []config.Difference) {
	for _, d := range list {
		was, now := oneLine(d.Was), oneLine(d.Now)
		switch {
		case d.Was == "":
			p.line("+ %s = %s", oneLine(d.Path), now)
		case d.Now == "":
			p.line("- %s = %s", oneLine(d.Path), was)
		default:
			p.line("~ %s: %s to %s", oneLine(d.Path), was, now)
		}
	}
	switch len(list) {
	case 0:
		p.line("no difference")
	case 1:
		p.line("1 difference: make deploy brings the local value into force")
	default:
		p.line("%d differences: make deploy brings the local values into force", len(list))
	}
}
