package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/pattern"
)

func newControlsTest(f *flags) *cobra.Command {
	var file string
	var only []string
	cmd := &cobra.Command{
		Use:   "test --event FILE",
		Short: "Show which controls an event trips, and why it does not trip the others",
		Long: "Show which of the configured controls an event trips, and for each other control which\n" +
			"clause of its pattern failed. The file has one log event: a CloudTrail record, an\n" +
			"EventBridge event with the record as its detail, a CloudTrail log file with Records, or\n" +
			"a line of text. Calls nothing.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if file == "" {
				return errors.New("--event is missing: give the file of an event, or - for the standard input")
			}
			cfg, err := loadConfig(cmd, f)
			if err != nil {
				return err
			}
			controls, err := choose(cfg.Baseline().Controls, only)
			if err != nil {
				return err
			}
			raw, err := readEvent(cmd.InOrStdin(), file)
			if err != nil {
				return err
			}
			messages, err := logEvents(raw)
			if err != nil {
				return fmt.Errorf("%s: %w", file, err)
			}
			var all [][]tripped
			for _, m := range messages {
				all = append(all, trip(controls, m))
			}
			if f.json() {
				return writeJSON(cmd.OutOrStdout(), struct {
					Results []tripped `json:"results"`
				}{slices.Concat(all...)})
			}
			p := f.printer(cmd.OutOrStdout())
			for i, results := range all {
				if len(all) > 1 {
					p.line("event %d of %d", i+1, len(all))
				}
				p.tripped(results)
			}
			return p.err
		},
	}
	cmd.Flags().StringVar(&file, "event", "", "file of the event; - for the standard input")
	cmd.Flags().StringSliceVar(&only, "control", nil, "only these controls (default: all)")
	var ids []string
	for _, c := range catalog.Controls() {
		ids = append(ids, c.ID)
	}
	complete(cmd, "control", ids...)
	return cmd
}

// tripped says whether one log event trips one control.
type tripped struct {
	Control string `json:"control"`
	Title   string `json:"title"`
	Trips   bool   `json:"trips"`
	Why     string `json:"why,omitempty"` // it does not
}

// trip tries a log event on controls, those that it trips first.
func trip(controls []catalog.Control, message string) (results []tripped) {
	for _, c := range controls {
		p, err := pattern.Parse(c.Pattern) // the configuration has checked it
		if err != nil {
			results = append(results, tripped{Control: c.ID, Title: c.Title, Why: err.Error()})
			continue
		}
		why := p.Why(message)
		results = append(results, tripped{Control: c.ID, Title: c.Title, Trips: why == "", Why: why})
	}
	slices.SortStableFunc(results, func(a, b tripped) int {
		switch {
		case a.Trips == b.Trips:
			return 0
		case a.Trips:
			return -1
		}
		return 1
	})
	return results
}

func (p *printer) tripped(results []tripped) {
	n := 0
	for _, r := range results {
		if r.Trips {
			n++
			p.line("  + %s (%s)", r.Control, r.Title)
			continue
		}
		p.line("  · %s: %s", r.Control, oneLine(r.Why))
	}
	p.line("%d of %d controls count this event", n, len(results))
}

// choose returns the controls with these IDs, or all.
func choose(controls []catalog.Control, ids []string) ([]catalog.Control, error) {
	var known []string
	for _, c := range controls {
		known = append(known, c.ID)
	}
	for _, id := range ids {
		if !slices.Contains(known, id) {
			return nil, fmt.Errorf("--control %s: use one of %s", id, strings.Join(known, ", "))
		}
	}
	if len(ids) == 0 {
		return controls, nil
	}
	return slices.DeleteFunc(slices.Clone(controls), func(c catalog.Control) bool { return !slices.Contains(ids, c.ID) }), nil
}

// readEvent reads a file, or the standard input for -.
func readEvent(stdin io.Reader, file string) ([]byte, error) {
	if file == "-" {
		return io.ReadAll(stdin)
	}
	return os.ReadFile(file)
}

// logEvents returns the messages that a log group would have for what is in a file.
func logEvents(raw []byte) ([]string, error) {
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 {
		return nil, errors.New("it is empty: it has to contain a log event")
	}
	var content struct {
		DetailType string            `json:"detail-type"`
		Detail     json.RawMessage   `json:"detail"`
		Records    []json.RawMessage `json:"Records"`
	}
	if raw[0] != '{' {
		return []string{string(raw)}, nil
	}
	if err := json.Unmarshal(raw, &content); err != nil {
		return nil, fmt.Errorf("it begins like JSON, and is none: %w", err)
	}
	switch {
	case len(content.Detail) > 0 && content.DetailType != "":
		return []string{string(content.Detail)}, nil
	case content.Records != nil:
		var messages []string
		for _, r := range content.Records {
			messages = append(messages, string(r))
		}
		if messages == nil {
			return nil, errors.New("it has no Records")
		}
		return messages, nil
	}
	return []string{string(raw)}, nil
}
