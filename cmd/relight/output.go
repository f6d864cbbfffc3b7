package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode"

	"github.com/relight-aws/relight/internal/app"
	"github.com/relight-aws/relight/internal/report"
)

// schemaVersion is the version of the JSON of every command that does not say otherwise:
// it changes when a field is taken away or means something else.
const schemaVersion = 1

// writeJSON writes an object on one line, with the version of its schema first.
func writeJSON(w io.Writer, object any) error {
	raw, err := json.Marshal(object)
	if err != nil {
		return fmt.Errorf("encode the result: %w", err)
	}
	fields, ok := bytes.CutPrefix(raw, []byte("{"))
	if !ok {
		return fmt.Errorf("encode the result: %T is no object", object)
	}
	comma := ","
	if bytes.Equal(fields, []byte("}")) {
		comma = ""
	}
	_, err = fmt.Fprintf(w, `{"schema_version":%d%s%s`+"\n", schemaVersion, comma, fields)
	return err
}

// A printer writes lines for people and keeps its first error.
type printer struct {
	w      io.Writer
	colour bool
	err    error
}

// printer returns a printer that colours lines on a terminal, unless NO_COLOR is set
// (https://no-color.org) or the terminal says that it shows no colours.
func (f *flags) printer(w io.Writer) *printer {
	return &printer{w: w, colour: f.terminal(w) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"}
}

// colours are those of the lines that begin with a mark, as ANSI codes: green, yellow, red.
var colours = map[string]string{"  + ": "32", "  - ": "33", "  ! ": "33", "  x ": "31"}

func (p *printer) line(format string, args ...any) {
	if p.err != nil {
		return
	}
	line := fmt.Sprintf(format, args...)
	if code := colours[line[:min(4, len(line))]]; p.colour && code != "" {
		line = "\x1b[" + code + "m" + line + "\x1b[0m"
	}
	_, p.err = fmt.Fprintln(p.w, line)
}

// report prints one run: what relight restored or would restore (+), what it deleted or
// a person may delete, because it is no longer wanted (-), what failed (x), what needs action by a person (!), and what it skipped (·). For
// the run of an event it also prints who did what, and what people should check
// because of it.
func (p *printer) report(v report.View) {
	p.line("%-13s %-15s %s", v.Kind, v.Region, summary(v))
	for _, c := range v.Causes {
		p.line("  < %s", oneLine(call(c)+" by "+cmp.Or(c.Actor, "unknown")+" from "+cmp.Or(c.SourceIP, "unknown")))
	}
	for _, n := range v.Notices {
		p.line("  ! %s: %s", oneLine(call(n.Cause)), n.Advice)
	}
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
	for _, a := range v.Unwanted {
		switch {
		case a.Error != "":
			p.line("  x %s", a.Action)
			p.line("    %s", a.Error)
		default:
			p.line("  - %s", a.Action)
		}
	}
	if v.ReliesOn != "" {
		p.line("  · relies on what others made: %s", v.ReliesOn)
	}
	for _, s := range v.Skipped {
		p.line("  · %s", s)
	}
	if v.Error != "" {
		p.line("  x %s", v.Error)
	}
}

// call returns the name of an event with the resources that it names.
func call(c report.Cause) string {
	if len(c.Names) == 0 {
		return c.EventName
	}
	return c.EventName + " of " + strings.Join(c.Names, ", ")
}

// oneLine removes what is not printed, such as line breaks and marks that turn
// the direction of the text. The caller of an API may have written it.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, s)
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
func printSweep(w io.Writer, f *flags, s app.Sweep, home string, deployed bool) error {
	if f.json() {
		return writeJSON(w, s)
	}
	p := f.printer(w)
	p.line("account %s, home region %s", s.Account, home)
	if s.Pause != nil {
		p.line("paused %s", oneLine(s.Pause.Text))
	}
	var quiet []string
	left := 0
	for _, v := range s.Reports {
		left += toRestore(v)
		if v.Healthy+len(v.Actions)+len(v.Findings)+len(v.Skipped)+len(v.Unwanted) == 0 && v.Error == "" {
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
	if len(s.Observed) > 0 {
		p.line("only observed, by configuration: %s", strings.Join(s.Observed, ", "))
	}
	if len(s.Off) > 0 {
		p.line("switched off by configuration: %s", strings.Join(s.Off, ", "))
	}
	if len(s.NotOptedIn) > 0 {
		p.line("skipped, not enabled for this account: %s", strings.Join(s.NotOptedIn, ", "))
	}
	p.line("%d healthy, %d to restore, %d restored, %d not restored, %d %s",
		s.Healthy, left, s.Repaired, s.Unrestored, s.Findings, needs(s.Findings))
	for _, a := range s.Accounts {
		p.line("account %s: %d healthy, %d of %d restored, %d not restored, %d %s",
			a.Account, a.Healthy, a.Repaired, a.Planned, a.Unrestored, a.Findings, needs(a.Findings))
		if a.Error != "" {
			p.line("  x %s", oneLine(a.Error))
		}
	}
	if len(s.Left) > 0 {
		p.line("no time was left for %d of the accounts, which the next sweep begins with: %s", len(s.Left), strings.Join(s.Left, ", "))
	}
	if s.Unsent != "" {
		p.line("people were not notified: %s", oneLine(s.Unsent))
	}
	if s.Unwanted > 0 {
		p.line("%d no longer wanted: relight apply --prune deletes what a line with - names", s.Unwanted)
	}
	if s.Planned > 0 && !deployed {
		p.line("relight is not deployed here: make deploy")
	}
	return p.err
}
