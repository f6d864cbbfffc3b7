package main

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/relight-aws/relight/internal/app"
	"github.com/relight-aws/relight/internal/catalog"
)

func newReplay(f *flags) *cobra.Command {
	var repair, here bool
	cmd := &cobra.Command{
		Use:   "replay FILE...",
		Short: "Handle recorded events as the functions would",
		Long: "Pass recorded EventBridge events to the same handler that the functions use, for the\n" +
			"account of this terminal's credentials. The file - is the standard input. It only plans,\n" +
			"unless you add --repair.",
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, files []string) error {
			acct, err := connect(cmd.Context(), f)
			if err != nil {
				return err
			}
			if err := acct.useDeployed(cmd.Context(), f, cmd.ErrOrStderr()); err != nil {
				return err
			}
			mode := catalog.Observe
			if repair {
				mode = catalog.Repair
			}
			handler := acct.app()
			var errs []error
			for _, file := range files {
				raw, err := readEvent(cmd.InOrStdin(), file)
				if err != nil {
					errs = append(errs, err)
					continue
				}
				if here {
					if raw, err = moved(raw, acct.deployment); err != nil {
						errs = append(errs, fmt.Errorf("%s: %w", file, err))
						continue
					}
				}
				result, err := handler.Replay(cmd.Context(), raw, mode)
				if err != nil {
					errs = append(errs, fmt.Errorf("%s: %w", file, err))
				}
				if err := printReplay(cmd, f, file, result); err != nil {
					return err
				}
			}
			return errors.Join(errs...)
		},
	}
	cmd.Flags().BoolVar(&repair, "repair", false, "restore what is planned")
	cmd.Flags().BoolVar(&here, "here", false, "treat the events as if they were of this account and its home region")
	return cmd
}

// moved returns an event as if it had happened in the deployment's account and
// home region.
func moved(raw []byte, to catalog.Deployment) ([]byte, error) {
	var event map[string]any
	if err := json.Unmarshal(raw, &event); err != nil {
		return nil, fmt.Errorf("not an EventBridge envelope: %w", err)
	}
	event["account"], event["region"] = to.Account, to.HomeRegion
	if detail, ok := event["detail"].(map[string]any); ok {
		delete(detail, "recipientAccountId")
		delete(detail, "awsRegion")
	}
	return json.Marshal(event)
}

func printReplay(cmd *cobra.Command, f *flags, file string, result app.Result) error {
	w := cmd.OutOrStdout()
	if f.json() {
		return writeJSON(w, struct {
			File string `json:"file"`
			app.Result
		}{file, result})
	}
	p := f.printer(w)
	p.line("%s", file)
	for _, reason := range result.Ignored {
		p.line("  · %s", reason)
	}
	for _, rep := range result.Reports {
		p.report(rep)
	}
	return p.err
}
