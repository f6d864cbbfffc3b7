package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/relight-aws/relight/internal/spoke"
)

func newSpokeTemplate(f *flags) *cobra.Command {
	return &cobra.Command{
		Use:   "spoke-template",
		Short: "Print the CloudFormation template of a guarded account of an organisation",
		Long: "Print the CloudFormation template of an account that another one, the hub, guards: the role\n" +
			"that the functions of the hub assume there, and the rules that send events to the hub. One\n" +
			"template fits every account and region. It calls nothing: docs/organization.md has the\n" +
			"commands that deploy it.\n\n" +
			"It needs organization in the configuration, and a region: homeRegion, or AWS_REGION.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := loadConfig(cmd, f)
			if err != nil {
				return err
			}
			home := cmp.Or(cfg.HomeRegion, os.Getenv("AWS_REGION"), os.Getenv("AWS_DEFAULT_REGION"))
			if home == "" {
				return errors.New("no region: set homeRegion in the configuration, or AWS_REGION, to the home region of the hub")
			}
			if err := cfg.CheckHome(home); err != nil {
				return err
			}
			text, err := spoke.Template(cfg, home)
			if err != nil {
				return fmt.Errorf("configuration in %s: %w", f.config, err)
			}
			if f.json() { // on one line, as all JSON
				var line bytes.Buffer
				if err := json.Compact(&line, text); err != nil {
					return err
				}
				text = append(line.Bytes(), '\n')
			}
			_, err = cmd.OutOrStdout().Write(text)
			return err
		},
	}
}
