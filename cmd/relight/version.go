package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/relight-aws/relight/internal/version"
)

func newVersion(f *flags) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version of this command",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if f.json() {
				return writeJSON(cmd.OutOrStdout(), struct {
					Version string `json:"version"`
				}{version.String()})
			}
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "relight %s\n", version.String())
			return err
		},
	}
}
