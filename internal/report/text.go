package report

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/relight-aws/relight/internal/plan"
	"github.com/relight-aws/relight/internal/remedy"
)

// These limits keep the text readable, and small enough for its eight parts to
// fit a message of 256 KiB. Source of that limit: SNS API Reference, Publish.
const (
	partLines  = 40  // of each part
	lineBytes  = 800 // of each line
	causeBytes = 250 // of what a cause names: the resources, the caller, the address
)

// Text renders reports as the lines of one notification: who did what, what
// relight restored, what it did not restore and why, and what needs action by a
// person. Each part shows its first lines and says how many more are in the
// log. If there are several reports, each line names its region.
func Text(reports ...remedy.Report) string {
	var causes, notices, restored, remembered, failed, unread, remaining, findings, skips []string
	for _, r := range reports {
		where := func(all ...string) []string {
			for i := range all {
				if len(reports) > 1 {
					all[i] = r.Scope.Region + ": " + all[i]
				}
			}
			return all
		}
		for _, c := range r.Causes {
			causes = append(causes, middle(call(c))+" by "+middle(orUnknown(c.Actor))+" from "+middle(orUnknown(c.SourceIP))+" at "+c.Time.UTC().Format(time.RFC3339))
		}
		for _, c := range r.Notices() {
			notices = append(notices, where(middle(call(c))+": "+c.Advice)...)
		}
		done := r.Restored()
		for i, o := range r.Outcomes {
			switch {
			case o.Err != nil:
				failed = append(failed, where(o.Action.Step().String()+": "+o.Err.Error())...)
			case done[i] && o.Restores():
				restored = append(restored, where(o.Action.Step().String())...)
			}
		}
		remembered = append(remembered, where(lines(plan.Steps(r.Learned()))...)...)
		if r.Err != nil {
			unread = append(unread, where(r.Err.Error())...)
		}
		remaining = append(remaining, where(lines(plan.Steps(r.Remaining))...)...)
		findings = append(findings, where(lines(r.Plan.Findings)...)...)
		skips = append(skips, where(lines(r.Plan.Skips)...)...)
	}
	var b strings.Builder
	write(&b, "Cause", causes)
	write(&b, "Notice", notices)
	write(&b, "Restored", restored)
	write(&b, "Remembered", remembered)
	write(&b, "Failed", failed)
	write(&b, "Failed", unread)
	write(&b, "Still to restore", remaining)
	write(&b, "Needs action", once(findings)) // kinds that depend on one thing have the same findings
	write(&b, "Skipped", once(skips))
	return b.String()
}

func write(b *strings.Builder, part string, all []string) {
	for i, l := range all {
		if i == partLines {
			fmt.Fprintf(b, "%s: and %d more, in the log\n", part, len(all)-i)
			return
		}
		fmt.Fprintf(b, "%s: %s\n", part, oneLine(l))
	}
}

// once returns the lines in order and without repeats.
func once(all []string) []string {
	var out []string
	for _, l := range all {
		if !slices.Contains(out, l) {
			out = append(out, l)
		}
	}
	return out
}

// middle cuts the middle out of what a cause names, because a caller can choose
// names so long that the line would end before it says who made the call.
func middle(s string) string {
	if len(s) <= causeBytes {
		return s
	}
	return strings.ToValidUTF8(s[:causeBytes/2], "") + "…" + strings.ToValidUTF8(s[len(s)-causeBytes/2:], "")
}

// oneLine cuts a line and removes what is not printed as one: line breaks and
// other control characters, and marks that turn the direction of the text. The
// caller of an API may have written a part of it.
func oneLine(s string) string {
	s = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, s)
	if len(s) > lineBytes {
		s = strings.ToValidUTF8(s[:lineBytes], "") + "…"
	}
	return s
}

// call returns the name of a call with the resources that it named.
func call(c remedy.Cause) string {
	if names := c.Names.List(); len(names) > 0 {
		return c.EventName + " of " + strings.Join(names, ", ")
	}
	return c.EventName
}

func orUnknown(s string) string {
	if s == "" {
		return "unknown"
	}
	return s
}
