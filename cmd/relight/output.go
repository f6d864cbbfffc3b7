package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/relight-aws/relight/internal/app"
	"github.com/relight-aws/relight/internal/report"
)

// A printer writes lines for people and keeps the first error.
type printer struct {
	w   io.Writer
	err error
}

func (p *printer) line(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format+"\n", args...)
	}
}

// report prints one run: what was done or would be (+), what failed (x), what
// a person has to mend (!), what was left alone (·).
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
		p.line("  x still to do: %s", r)
	}
	for _, f := range v.Findings {
		p.line("  ! %s: %s", f.Subject, f.Problem)
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
	done, failed := 0, 0
	for _, a := range v.Actions {
		switch {
		case a.Done:
			done++
		case a.Error != "":
			failed++
		}
	}
	parts := []string{fmt.Sprintf("%d in place", v.Held)}
	for _, p := range []struct {
		n    int
		what string
	}{{done, "restored"}, {failed, "NOT restored"}, {len(v.Actions) - done - failed, "to do"}, {len(v.Findings), "for you to mend"}} {
		if p.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", p.n, p.what))
		}
	}
	return strings.Join(parts, ", ")
}

// printSweep prints a sweep. Regions in which there was nothing to see are
// named in one line.
func printSweep(w io.Writer, f *flags, s app.Sweep, deployed bool) error {
	if f.json() {
		return json.NewEncoder(w).Encode(s)
	}
	p := printer{w: w}
	p.line("account %s", s.Account)
	var quiet []string
	for _, v := range s.Reports {
		if v.Held+len(v.Actions)+len(v.Findings)+len(v.Skipped) == 0 && v.Error == "" {
			quiet = append(quiet, v.Region)
			continue
		}
		p.report(v)
	}
	if len(quiet) > 0 {
		p.line("nothing to hold in %s", strings.Join(quiet, ", "))
	}
	if len(s.Skipped) > 0 {
		p.line("not looked at, skipped by configuration: %s", strings.Join(s.Skipped, ", "))
	}
	if len(s.NotOptedIn) > 0 {
		p.line("not looked at, not enabled: %s", strings.Join(s.NotOptedIn, ", "))
	}
	p.line("%d in place, %d planned, %d restored, %d not restored, %d for you to mend",
		s.Held, s.Planned, s.Repaired, s.Unrestored, s.Findings)
	if s.Planned > 0 && !deployed {
		p.line("relight is not deployed here: make deploy")
	}
	return p.err
}
