package report

import (
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/relight-aws/relight/internal/remedy"
)

// What a text holds, so that its seven parts fit a message of 256 KiB and can
// be read. Source of the limit: SNS API Reference, Publish.
const (
	partLines = 40  // of each part
	lineBytes = 800 // of each line
)

// Text returns a report as the lines of a notification: who did what, what
// was restored, what was not and why, what a person has to mend. Of each part
// it holds the first lines and says how many more there are; the log has all
// of them.
func Text(r remedy.Report) string {
	var restored, failed, unread []string
	done := r.Restored()
	for i, o := range r.Outcomes {
		switch {
		case o.Err != nil:
			failed = append(failed, o.Action.String()+": "+o.Err.Error())
		case done[i]:
			restored = append(restored, o.Action.String())
		}
	}
	if r.Err != nil {
		unread = []string{r.Err.Error()}
	}
	var causes []string
	for _, c := range r.Causes {
		causes = append(causes, c.EventName+" by "+orUnknown(c.Actor)+" from "+orUnknown(c.SourceIP)+" at "+c.Time.UTC().Format(time.RFC3339))
	}
	var b strings.Builder
	write(&b, "Cause", causes)
	write(&b, "Restored", restored)
	write(&b, "Failed", failed)
	write(&b, "Failed", unread)
	write(&b, "Still to do", lines(r.Remaining))
	write(&b, "For you to mend", lines(r.Plan.Findings))
	write(&b, "Left alone", lines(r.Plan.Skips))
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

// oneLine cuts a line and takes the line breaks out of it: part of it may be
// written by whoever made the call.
func oneLine(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, s)
	if len(s) > lineBytes {
		s = strings.ToValidUTF8(s[:lineBytes], "") + "…"
	}
	return s
}

func orUnknown(s string) string {
	if s == "" {
		return "unknown"
	}
	return s
}
