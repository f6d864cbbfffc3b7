package main

import (
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/config"
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
			controls := listed(cfg)
			if f.json() {
				return writeJSON(cmd.OutOrStdout(), struct {
					Controls []control `json:"controls"`
				}{controls})
			}
			w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
			fmt.Fprintf(w, "CIS %s\tSECURITY HUB\tID\tALARM FROM\tTITLE\n", version)
			for _, c := range controls {
				from := fmt.Sprintf("%g in %s", c.Threshold, time.Duration(c.PeriodSeconds)*time.Second)
				if c.Disabled {
					from = "disabled"
				}
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", orDash(c.CIS[version]), orDash(c.SecurityHub), c.ID, from, c.Title)
			}
			return w.Flush()
		},
	}
	cmd.Flags().StringVar(&version, "cis", "5.0", "version of the CIS benchmark whose section numbers are shown")
	complete(cmd, "cis", catalog.Benchmarks...)
	cmd.AddCommand(newControlsTest(f))
	return cmd
}

// A control is one as configured. A disabled one has its default settings.
type control struct {
	ID            string            `json:"id"`
	Title         string            `json:"title"`
	CIS           map[string]string `json:"cis"`          // benchmark version to section
	SecurityHub   string            `json:"security_hub"` // "" for none
	Pattern       string            `json:"pattern"`
	Threshold     float64           `json:"threshold"` // matching log events in one period that raise the alarm
	PeriodSeconds int32             `json:"period_seconds"`
	Disabled      bool              `json:"disabled"`
}

// listed returns the controls of the catalog, and after them those that the configuration
// adds.
func listed(cfg config.Config) []control {
	wanted := cfg.Baseline().Controls
	all := catalog.ControlsFor(cfg.Prefix)
	for _, c := range wanted {
		if !slices.ContainsFunc(all, func(k catalog.Control) bool { return k.ID == c.ID }) {
			all = append(all, c)
		}
	}
	var list []control
	for _, c := range all {
		i := slices.IndexFunc(wanted, func(w catalog.Control) bool { return w.ID == c.ID })
		if i >= 0 {
			c = wanted[i]
		}
		list = append(list, control{c.ID, c.Title, c.CIS, c.SecurityHub, c.Pattern, c.Threshold, c.Period, i < 0})
	}
	return list
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
