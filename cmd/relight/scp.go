package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"

	"github.com/spf13/cobra"

	"github.com/relight-aws/relight/internal/catalog"
)

var rolePattern = regexp.MustCompile(`^arn:[a-z-]+:iam::(\d{12}|\*):role/[\w+=,.@/*?-]+$`)

func newSCP(f *flags) *cobra.Command {
	var allow []string
	var partition string
	cmd := &cobra.Command{
		Use:   "scp",
		Short: "Print a service control policy that denies the calls that cut relight",
		Long: "Print a service control policy that denies the calls that cut relight, on resources whose\n" +
			"names begin with its prefix, to everyone but relight's own roles and the roles that\n" +
			"deploy it: by default those of the CDK's bootstrap. It calls nothing: attach the policy\n" +
			"with AWS Organizations, after the bootstrap.\n\n" +
			"It does not bind the management account and service-linked roles, nor what CloudFormation\n" +
			"does with a role that it allows. It cannot name subscriptions, keys and the trail's log\n" +
			"group, so the calls on those stay open; docs/threat-model.md has more.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := loadConfig(cmd, f)
			if err != nil {
				return err
			}
			if partition == "" {
				p, known := catalog.PartitionOf(cmp.Or(cfg.HomeRegion, os.Getenv("AWS_REGION"), os.Getenv("AWS_DEFAULT_REGION")))
				if partition = p.ID; !known {
					return errors.New("no region: set homeRegion in the configuration, AWS_REGION, or --partition")
				}
			}
			if len(allow) == 0 {
				allow = []string{"arn:" + partition + ":iam::*:role/cdk-*"}
			}
			for _, role := range allow {
				if !rolePattern.MatchString(role) || !strings.HasPrefix(role, "arn:"+partition+":") {
					return fmt.Errorf("--allow %s: use the ARN of a role of partition %s, such as arn:%s:iam::*:role/deployer-*", role, partition, partition)
				}
			}
			policy, err := cfg.Baseline().SCP(partition, allow)
			if err != nil {
				return err
			}
			text := []byte(catalog.SCPText(policy))
			if !f.json() { // white space counts, so the JSON for Organizations has none
				var indented bytes.Buffer
				if err := json.Indent(&indented, text, "", "  "); err != nil {
					return err
				}
				text = indented.Bytes()
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s\n", text)
			return err
		},
	}
	cmd.Flags().StringSliceVar(&allow, "allow", nil, "ARNs of the roles that deploy relight, with * and ?; default: those of the CDK's bootstrap")
	cmd.Flags().StringVar(&partition, "partition", "", "partition of the accounts; default: that of the home region")
	return cmd
}
