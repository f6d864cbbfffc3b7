package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/relight-aws/relight/internal/app"
	"github.com/relight-aws/relight/internal/report"
)

// A printer writes lines for people and keeps its first error.
type printer struct {
	w   io.Writer
	err error
}

func (p *printer) line(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format+"\n", args...)
	}
}

// report prints one run: what relight restored or would restore (+), what
// failed (x), what needs action by a person (!), and what it skipped (·).
func (p *printer) report(v report.View) {
	p.line("%-13s %-15s %s", v.Kind, v.Region, summary(v))
	for _, a := range v.Actions {
		switch {
		case a.Error != "":
			p.line("  x %s", a.Action)
			p.line("    %s", a.Error)
		default:
			p.line("  + %s", a.Action)
		}
	}
	for _, r := range v.Remaining {
		p.line("  x still to restore: %s", r)
	}
	for _, f := range v.Findings {
		p.line("  ! [%s] %s: %s", f.Code, f.Subject, f.Problem)
		p.line("    %s", f.Remedy)
	}
	for _, s := range v.Skipped {
		p.line("  · %s", s)
	}
	if v.Error != "" {
		p.line("  x %s", v.Error)
	}
}

func summary(v report.View) string {
	done, failed, remember := 0, 0, 0
	for _, a := range v.Actions {
		switch {
		case a.Done:
			done++
		case a.Error != "":
			failed++
		case !a.Restores:
			remember++
		}
	}
	parts := []string{fmt.Sprintf("%d healthy", v.Healthy)}
	for _, p := range []struct {
		n    int
		what string
	}{{done, "restored"}, {failed, "NOT restored"}, {toRestore(v), "to restore"}, {remember, "to remember"}, {len(v.Findings), needs(len(v.Findings))}} {
		if p.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", p.n, p.what))
		}
	}
	return strings.Join(parts, ", ")
}

// toRestore returns how many protections a run planned to restore without
// trying to.
func toRestore(v report.View) int {
	n := 0
	for _, a := range v.Actions {
		if a.Restores && !a.Done && a.Error == "" {
			n++
		}
	}
	return n
}

// needs returns the text for n findings.
func needs(n int) string {
	if n == 1 {
		return "needs action"
	}
	return "need action"
}

// printSweep prints a sweep. It lists the regions that have nothing to protect
// in one line.
func printSweep(w io.Writer, f *flags, s app.Sweep, deployed bool) error {
	if f.json() {
		return json.NewEncoder(w).Encode(s)
	}
	p := printer{w: w}
	p.line("account %s", s.Account)
	var quiet []string
	left := 0
	for _, v := range s.Reports {
		left += toRestore(v)
		if v.Healthy+len(v.Actions)+len(v.Findings)+len(v.Skipped) == 0 && v.Error == "" {
			quiet = append(quiet, v.Region)
			continue
		}
		p.report(v)
	}
	if len(quiet) > 0 {
		p.line("nothing to protect in %s", strings.Join(quiet, ", "))
	}
	if len(s.Skipped) > 0 {
		p.line("skipped by configuration: %s", strings.Join(s.Skipped, ", "))
	}
	if len(s.NotOptedIn) > 0 {
		p.line("skipped, not enabled for this account: %s", strings.Join(s.NotOptedIn, ", "))
	}
	p.line("%d healthy, %d to restore, %d restored, %d not restored, %d %s",
		s.Healthy, left, s.Repaired, s.Unrestored, s.Findings, needs(s.Findings))
	if s.Planned > 0 && !deployed {
		p.line("relight is not deployed here: make deploy")
	}
	return p.err
}
