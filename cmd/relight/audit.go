package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/relight-aws/relight/internal/app"
	"github.com/relight-aws/relight/internal/audit"
	"github.com/relight-aws/relight/internal/audit/finding"
	"github.com/relight-aws/relight/internal/audit/page"
	"github.com/relight-aws/relight/internal/catalog"
)

func newAudit(f *flags) *cobra.Command {
	var (
		names, regions              []string
		strict, transit, policyOnly bool
		html                        string
	)
	cmd := &cobra.Command{
		Use:   "audit",
		Short: "Check each link of each control's chain, as an auditor does, and change nothing",
		Long: "Walk the chain that an auditor walks: trail, logging, events, log group, filter, alarm,\n" +
			"actions, topic, subscriber; and each VPC with its flow log in every enabled region. For\n" +
			"each control it says which link is broken, and what repairs it. Works without a\n" +
			"deployment, and only reads.\n\n" +
			"With --output asff it prints findings in the AWS Security Finding Format, with\n" +
			"--output ocsf Compliance Findings of OCSF " + finding.Version + ".\n\n" +
			"Exit code 0: everything passes; 2: something fails or is unknown; 1: an error.",
		Args:        cobra.NoArgs,
		Annotations: map[string]string{furtherOutputs: "asff ocsf"},
		RunE: func(cmd *cobra.Command, _ []string) error {
			if policyOnly {
				return printAuditPolicy(cmd.OutOrStdout())
			}
			frameworks, err := frameworksOf(names)
			if err != nil {
				return err
			}
			acct, err := identify(cmd.Context(), f)
			if err != nil {
				return err
			}
			acct.announceLocal(f, cmd.ErrOrStderr())
			bar := newProgress(cmd.ErrOrStderr(), "reading the account")
			rep, err := acct.app().Audit(cmd.Context(), app.AuditRequest{Frameworks: frameworks, Regions: regions, Strict: strict, Transit: transit}, bar.set)
			bar.done()
			if err != nil {
				return err
			}
			return deliver(cmd.OutOrStdout(), f, rep, html)
		},
	}
	cmd.Flags().StringSliceVar(&names, "framework", []string{catalog.DefaultFramework}, "frameworks to check, or all")
	complete(cmd, "framework", append(catalog.FrameworkIDs(), "all")...)
	cmd.Flags().StringSliceVar(&regions, "regions", nil, "only the VPCs of these regions (default: every enabled region)")
	cmd.Flags().BoolVar(&transit, "transit-gateways", false, "list transit gateways too, and whether they have flow logs; no framework judges them")
	cmd.Flags().BoolVar(&strict, "strict", false, "accept only the pattern text that Security Hub prints, where it prints one")
	cmd.Flags().StringVar(&html, "html", "", "also write the result as an HTML page into this file")
	cmd.Flags().BoolVar(&policyOnly, "policy", false, "print the IAM policy that an audit needs, and audit nothing")
	return cmd
}

// deliver prints a report and writes its page, if a path is given. A page that cannot
// be written takes nothing from what is printed.
func deliver(w io.Writer, f *flags, rep audit.Report, path string) error {
	if err := printAudit(w, f, rep); err != nil {
		return err
	}
	if path != "" {
		var b bytes.Buffer
		if err := page.Write(&b, rep); err != nil {
			return err
		}
		if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil { //nolint:gosec // for an auditor to read
			return fmt.Errorf("--html: %w", err)
		}
	}
	if !rep.Passed() {
		return errToDo
	}
	return nil
}

// frameworksOf returns the frameworks with these IDs.
func frameworksOf(ids []string) ([]catalog.Framework, error) {
	if slices.Contains(ids, "all") {
		return catalog.Frameworks(), nil
	}
	var chosen []catalog.Framework
	for _, id := range ids {
		framework, known := catalog.FrameworkByID(id)
		if !known {
			all := []string{"all"}
			for _, one := range catalog.Frameworks() {
				all = append(all, one.ID)
			}
			return nil, fmt.Errorf("--framework %s: use one of %s", id, strings.Join(all, ", "))
		}
		if !slices.ContainsFunc(chosen, func(c catalog.Framework) bool { return c.ID == framework.ID }) {
			chosen = append(chosen, framework)
		}
	}
	return chosen, nil
}

func printAuditPolicy(w io.Writer) error {
	out := json.NewEncoder(w)
	out.SetIndent("", "  ")
	return out.Encode(map[string]any{
		"Version": "2012-10-17",
		"Statement": []map[string]any{{
			"Sid": "RelightAudit", "Effect": "Allow", "Action": catalog.AuditActions, "Resource": "*",
		}},
	})
}

// printAudit prints a report: what does not pass first, with every link that does not,
// and what repairs it.
func printAudit(w io.Writer, f *flags, rep audit.Report) error {
	out := json.NewEncoder(w)
	out.SetIndent("", "  ")
	switch f.output {
	case "json":
		return out.Encode(rep)
	case "asff":
		return out.Encode(finding.ToASFF(rep))
	case "ocsf":
		return out.Encode(finding.ToOCSF(rep))
	}
	p := f.printer(w)
	paint := painter(w)
	var titles []string
	for _, m := range rep.Frameworks {
		titles = append(titles, m.Title)
	}
	p.line("account %s, home region %s, %s: %s", rep.Account, rep.Home, rep.Time.Format("2006-01-02 15:04 MST"), strings.Join(titles, "; "))
	rows := [][]string{{"", "REQUIREMENT", "CONTROL", "REGION", "BROKEN LINK"}}
	for _, c := range rep.Checks {
		rows = append(rows, []string{string(c.Status), requirement(rep, c), strings.TrimSpace(c.Control + " " + c.Resource), c.Region, string(c.Broken)})
	}
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], len(cell))
		}
	}
	for i, row := range rows {
		var b strings.Builder
		for k, cell := range row {
			padded := cell
			if k+1 < len(row) {
				padded += strings.Repeat(" ", widths[k]-len(cell)+2)
			}
			if k == 0 && i > 0 {
				padded = paint(audit.Status(cell), padded)
			}
			b.WriteString(padded)
		}
		p.line("%s", strings.TrimRight(b.String(), " "))
		if i == 0 {
			continue
		}
		if c := rep.Checks[i-1]; c.Problem != "" {
			p.line("    %s", oneLine(c.Problem))
			if c.Remedy != "" {
				p.line("    %s", c.Remedy)
				p.line("    $ %s", oneLine(c.Command))
			}
		}
	}
	for _, u := range rep.Unread {
		p.line("could not be read in %s: %s (%s)", u.Region, u.Action, oneLine(u.Error))
	}
	for _, g := range rep.Transit {
		p.line("%s", oneLine(g.String()))
	}
	p.line("%d fail, %d unknown, %d pass, %d not applicable", rep.Totals[audit.Fail], rep.Totals[audit.Unknown], rep.Totals[audit.Pass], rep.Totals[audit.NotApplicable])
	return p.err
}

// requirement returns the requirements of a check, of the report's frameworks: of one
// its IDs alone.
func requirement(rep audit.Report, c audit.Check) string {
	var list []string
	for _, m := range rep.Frameworks {
		ids := c.Requirements[m.ID]
		if len(ids) == 0 {
			continue
		}
		text := ids[0]
		if len(ids) > 1 {
			text += fmt.Sprintf(" +%d", len(ids)-1)
		}
		if len(rep.Frameworks) > 1 {
			text = m.ID + " " + text
		}
		list = append(list, text)
	}
	if len(list) > 3 {
		list = append(list[:2], fmt.Sprintf("and %d more", len(list)-2))
	}
	return strings.Join(list, ", ")
}

// painter returns a function that colours a text by a status, on a terminal whose
// user has not set NO_COLOR. Source: no-color.org.
func painter(w io.Writer) func(audit.Status, string) string {
	if os.Getenv("NO_COLOR") != "" || os.Getenv("TERM") == "dumb" || !isTerminal(w) {
		return func(_ audit.Status, text string) string { return text }
	}
	colours := map[audit.Status]string{audit.Fail: "31", audit.Unknown: "33", audit.Pass: "32"}
	return func(s audit.Status, text string) string {
		if colours[s] == "" {
			return text
		}
		return "\x1b[" + colours[s] + "m" + text + "\x1b[0m"
	}
}
