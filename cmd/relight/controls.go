package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/relight-aws/relight/internal/catalog"
)

func newControls(f *flags) *cobra.Command {
	var version string
	cmd := &cobra.Command{
		Use:   "controls",
		Short: "List the configured controls",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !slices.Contains(catalog.Benchmarks, version) {
				return fmt.Errorf("--cis %s: use one of %s", version, strings.Join(catalog.Benchmarks, ", "))
			}
			cfg, err := loadConfig(cmd, f)
			if err != nil {
				return err
			}
			controls := cfg.Baseline().Controls
			if f.json() {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(controls)
			}
			w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
			fmt.Fprintf(w, "CIS %s\tSECURITY HUB\tID\tTITLE\n", version)
			for _, c := range controls {
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", orDash(c.CIS[version]), orDash(c.SecurityHub), c.ID, c.Title)
			}
			return w.Flush()
		},
	}
	cmd.Flags().StringVar(&version, "cis", "5.0", "version of the CIS benchmark whose section numbers are shown")
	cmd.AddCommand(newControlsTest(f))
	return cmd
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
