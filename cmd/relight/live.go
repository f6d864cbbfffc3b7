package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/term"
)

// plainEvery is the least time between two lines of progress where nobody sees a line that is
// rewritten, such as in a log.
const plainEvery = 5 * time.Second

// A live shows how far a sweep is: in one line of a terminal, which it rewrites, or else in a line
// for each change, as long as the last one is old enough or of another stage. The last one is
// written in any case.
type live struct {
	w        io.Writer
	terminal bool
	shown    string    // what the last line said, but for the time
	stage    int       // of it
	at       time.Time // when it was written
	pending  string    // the line that was too early
}

// show shows what there is to say in a stage of the sweep, and behind it how long that takes.
func (l *live) show(now time.Time, stage int, state, timing string) {
	line := oneLine(strings.TrimSuffix(state+"; "+timing, "; "))
	if l.terminal {
		if runes := []rune(line); len(runes) >= columns(l.w) {
			line = string(runes[:columns(l.w)-1])
		}
		fmt.Fprint(l.w, "\r\x1b[K"+line)
		l.shown = state
		return
	}
	if state == l.shown {
		return
	}
	if l.pending = line; l.shown != "" && stage == l.stage && now.Sub(l.at) < plainEvery {
		return
	}
	fmt.Fprintln(l.w, line)
	l.shown, l.stage, l.at, l.pending = state, stage, now, ""
}

// done ends the line of a terminal, or writes the last one.
func (l *live) done() {
	if l.terminal && l.shown != "" {
		fmt.Fprintln(l.w)
	}
	if l.pending != "" {
		fmt.Fprintln(l.w, l.pending)
	}
	l.shown, l.pending = "", ""
}

// columns returns how wide a terminal is.
func columns(w io.Writer) int {
	if f, ok := w.(*os.File); ok {
		if width, _, err := term.GetSize(int(f.Fd())); err == nil && width > 20 {
			return width
		}
	}
	return 1000
}

// progress says how far an execution is.
func (e *execution) progress() string {
	if e.unread != nil {
		return "the progress cannot be read: " + e.unread.Error()
	}
	if len(e.rounds) == 0 {
		return "finding the accounts"
	}
	first, last := e.rounds[0], e.rounds[len(e.rounds)-1]
	parts := []string{fmt.Sprintf("%d of %d %s", first.done(), first.total, plural(first.total, "account", "accounts"))}
	if len(e.rounds) > 1 {
		parts[0] = fmt.Sprintf("%d %s, round %d: %d of %d cells", first.total, plural(first.total, "account", "accounts"), len(e.rounds), last.done(), last.total)
	}
	if last.running > 0 {
		parts[0] += fmt.Sprintf(", %d in work", last.running)
	}
	failed, read, done := 0, 0, 0
	for _, r := range e.rounds {
		failed, read, done = failed+r.ended, read+len(r.read), done+r.done()
	}
	var repaired, planned, unrestored, findings, waited int
	for _, s := range e.accounts {
		repaired, planned, unrestored, findings, waited = repaired+s.Repaired, planned+s.Planned, unrestored+s.Unrestored, findings+s.Findings, waited+s.Waited
	}
	if e.mode() == "plan" {
		parts = append(parts, fmt.Sprintf("%d to restore", planned))
	} else {
		parts = append(parts, fmt.Sprintf("%d restored", repaired), fmt.Sprintf("%d not restored", unrestored))
	}
	parts = append(parts, fmt.Sprintf("%d %s", findings, needs(findings)), fmt.Sprintf("%d failed", failed))
	if quotas := time.Duration(waited) * time.Second; quotas > 0 {
		parts = append(parts, "waited "+clock(quotas)+" for quotas")
	}
	if read < done {
		parts = append(parts, fmt.Sprintf("the results of %d are not read yet", done-read))
	}
	if last.over && e.running() {
		parts = append(parts, "adding up, or waiting for the hub")
	}
	return strings.Join(parts, ", ")
}

// timing says how long an execution takes so far and, by the pace of the round so far, about how
// long that round will take. There is no estimate before the first account is done.
func (e *execution) timing(now time.Time) string {
	text := clock(now.Sub(e.began))
	if len(e.rounds) == 0 {
		return text
	}
	last := e.rounds[len(e.rounds)-1]
	left := last.total - last.done()
	if last.done() == 0 || left <= 0 {
		return text
	}
	pace := now.Sub(last.began) / time.Duration(last.done())
	return text + ", about " + clock(pace*time.Duration(left)) + " left"
}

// clock returns a time as minutes and seconds, or with hours.
func clock(d time.Duration) string {
	s := max(0, int(d.Round(time.Second)/time.Second))
	if s >= 3600 {
		return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
	}
	return fmt.Sprintf("%d:%02d", s/60, s%60)
}
