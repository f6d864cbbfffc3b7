package report

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/relight-aws/relight/internal/lazy"
)

// These limits keep the text readable on a phone, and a message within what SNS takes;
// see fit.
const (
	partLines  = 40  // of each part
	lineBytes  = 800 // of each line
	causeBytes = 250 // of what a cause names: the resources, the caller, the address
	mostNames  = 40  // of the resources that one cause names
	fewItems   = 3   // of the same thing are a line each; more are one line
	fewCalls   = 5   // of one caller are a line each; more are one line for each name
)

// plainWord matches values that are safe in a command.
var plainWord = lazy.Compile(`^[\w+=,.@-]+$`)

// text renders a document for people: first what happened, by whom and whether it is
// over, then the details, then what to do.
func (d *Document) text(limit int) string {
	var b strings.Builder
	line := func(label, s string) { fmt.Fprintf(&b, "%s: %s\n", label, oneLine(s)) }
	b.WriteString(d.preface)
	fmt.Fprintf(&b, "%s.\n\n", strings.TrimSuffix(oneLine(upper(d.Summary)), "."))
	if d.daily {
		b.WriteString("Each of these comes again every day until it is gone.\n\n")
	}
	for i, l := range d.Lost {
		if i < d.forGood {
			line("LOST", l+".")
		}
	}
	if d.Pause != nil {
		line("Paused", d.Pause.Text)
	}
	if d.PauseEnded != "" {
		line("No longer paused", d.PauseEnded)
	}
	d.calls(line)
	for i, l := range d.Lost {
		if i >= min(d.forGood, 1) {
			line("Lost", l+".")
		}
	}
	line("Now", d.now3am())
	var body strings.Builder
	part(&body, "NOT restored", d.lines(d.Failed), limit)
	part(&body, "NOT restored, because relight is paused", d.lines(d.Postponed), limit)
	part(&body, "Still to restore", d.lines(d.Remaining), limit)
	var unread []string
	for _, u := range d.Unread {
		unread = append(unread, u.Error)
	}
	part(&body, "NOT checked", unread, limit)
	part(&body, "Restored", d.lines(before(d.Restored)), limit)
	part(&body, "Created", d.lines(d.Created), limit)
	part(&body, "Removed", d.lines(d.Removed), limit)
	part(&body, "Remembered", d.lines(d.Remembered), limit)
	var notices, findings []string
	for _, n := range d.Notices {
		notices = append(notices, d.in(n.Region)+middle(n.call())+": "+n.Advice)
	}
	for _, f := range d.Findings {
		findings = append(findings, d.in(f.Region)+"["+f.Code+"] "+f.Subject+": "+f.Problem+". "+f.Remedy)
	}
	part(&body, "Notice", unique(notices), limit)
	part(&body, "Needs action", unique(findings), limit)
	part(&body, "Skipped", d.Skipped, limit)
	if body.Len() > 0 {
		b.WriteString("\n" + body.String())
	}
	planned, attack := d.toDo()
	if len(planned) > 0 {
		b.WriteString("\n")
		line("If this was planned", strings.Join(planned, "; ")+".")
		for i, l := range attack {
			line(fmt.Sprintf("If nobody planned it, %d", i+1), l)
		}
	}
	b.WriteString("\n")
	line("Reference", d.reference())
	return b.String()
}

// calls writes who made which calls, and when.
func (d *Document) calls(line func(label, s string)) {
	if len(d.Causes) == 0 {
		return
	}
	actors := d.Actors
	if len(actors) == 0 {
		actors = []string{""}
	}
	for i, actor := range actors {
		if i == fewCalls {
			line("Who", fmt.Sprintf("and %d more callers, in the log", len(actors)-i))
			break
		}
		var from []string
		order, by := []string{}, map[string][]Cause{}
		for _, c := range d.Causes {
			if c.Actor == actor || i == 0 && c.Actor == "" {
				if c.SourceIP != "" {
					from = append(from, c.SourceIP)
				}
				if by[c.EventName] == nil {
					order = append(order, c.EventName)
				}
				by[c.EventName] = append(by[c.EventName], c)
			}
		}
		who := actor
		if who == "" {
			who = "the event does not say"
		}
		if from = unique(from); len(from) > 0 {
			who += " from " + few(from, len(from), 2)
		}
		if slices.ContainsFunc(d.Causes, func(c Cause) bool { return c.Past && c.Actor == actor }) {
			who += " (from CloudTrail's event history)"
		}
		line("Who", who)
		for n, name := range order {
			if n == fewCalls {
				line("What", fmt.Sprintf("and %d more calls, in the log", len(order)-n))
				break
			}
			line("What", calls(by[name]))
		}
	}
	if d.MoreCalls > 0 {
		line("What", fmt.Sprintf("and at least %d further calls by the same callers; the log has each", d.MoreCalls))
	}
	line("When", d.when())
}

// calls says in one line which calls of one name were made.
func calls(all []Cause) string {
	var names []string
	for _, c := range all {
		names = append(names, c.Names...)
	}
	said := all[0].EventName
	if len(all) > 1 {
		said += fmt.Sprintf(" %d times", len(all))
	}
	if names = unique(names); len(names) > 0 {
		said += " of " + few(names, len(names), fewItems)
	}
	return said
}

func (d *Document) when() string {
	const form = "2006-01-02 15:04:05"
	if d.Causes[0].Time.IsZero() {
		return "the event does not say"
	}
	first, last := d.Causes[0].Time.UTC(), d.Causes[len(d.Causes)-1].Time.UTC()
	said := first.Format(form)
	if last.Sub(first) >= time.Second {
		said += " to " + last.Format("15:04:05")
	}
	said += " UTC"
	switch d.Outcome {
	case OutcomeRestored:
		if d.OffSeconds != nil {
			said += ", off " + d.off()
		}
	case OutcomeNotRestored, OutcomePaused:
		said += ", and still off"
	}
	return said
}

// now3am says whether it is over.
func (d *Document) now3am() string {
	open := len(d.Findings) + len(d.Notices)
	switch {
	case len(d.Failed)+len(d.Remaining) > 0:
		return fmt.Sprintf("NOT over. Not restored: %d of %d. relight tries again in every sweep.", len(d.Failed)+len(d.Remaining), len(d.Failed)+len(d.Remaining)+len(d.Restored)+len(d.Created))
	case len(d.Unread) > 0:
		return "not known. relight could not check. It tries again in every sweep."
	case len(d.Postponed) > 0:
		return fmt.Sprintf("NOT over. relight is paused until %s, and restores this after that: %d.", clock(d.Pause.Until), len(d.Postponed))
	case len(d.Restored) > 0 && d.waits > 0:
		return fmt.Sprintf("undone in part. AWS could not do %d more at that moment. relight tries again within minutes and says how that ends. The caller can still act.", d.waits)
	case len(d.Restored) > 0 && open > 0:
		return "what relight can restore is restored. The rest needs a person: see below."
	case len(d.Restored) > 0 && d.forGood > 0:
		return "the settings are back, the records are not. The caller can still act."
	case d.undone && len(d.Restored)+len(d.Created)+open == 0:
		return "undone, as an earlier message or the log says. The caller can still act."
	case len(d.Restored) > 0 && len(d.Causes) > 0:
		return "undone: everything is back. The caller can still act."
	case len(d.Restored) > 0:
		return "over. Everything is back."
	case len(d.Created) > 0 && open > 0:
		return "everything is created. Something needs a person: see below."
	case len(d.Created) > 0:
		return "over. relight made what was not there before."
	case open > 0:
		return "relight changed nothing. This needs a person: see below."
	}
	if d.Pause != nil {
		return "relight checks and reports, and restores nothing of what is paused until " + clock(d.Pause.Until) + "."
	}
	if d.PauseEnded != "" {
		return "over. Nothing had to be restored."
	}
	return "over. relight remembers this from now on."
}

// lines returns items as lines. More than fewItems of one thing are one line.
func (d *Document) lines(items []Item) []string {
	type group struct{ region, thing, err string }
	groups := map[group][]Item{}
	var order []group
	for _, i := range items {
		g := group{i.Region, i.Thing, i.Class}
		if i.Thing == "" {
			g.thing, _, _ = strings.Cut(i.Action, " ")
		}
		if groups[g] == nil {
			order = append(order, g)
		}
		groups[g] = append(groups[g], i)
	}
	var out []string
	for _, g := range order {
		all := groups[g]
		if len(all) <= fewItems {
			for _, i := range all {
				l := d.in(i.Region) + i.name() + " (" + i.Reason + ")"
				if i.Error != "" {
					l += ": " + i.Error
				}
				out = append(out, l)
			}
			continue
		}
		var names, errs []string
		for _, i := range all {
			if i.Thing == "" {
				names = append(names, done(i.Action))
			} else {
				names = append(names, i.short())
			}
			if i.Error != "" {
				errs = append(errs, i.Error)
			}
		}
		l := d.in(g.region)
		switch {
		case all[0].Thing == "":
			l += fmt.Sprintf("%d changes: ", len(all))
		case strings.HasSuffix(all[0].Thing, " of"):
			l += fmt.Sprintf("%d %s ", len(all), plural(all[0].Thing))
		default:
			l += fmt.Sprintf("%d %s: ", len(all), plural(all[0].Thing))
		}
		l += few(names, len(names), fewItems)
		if errs = unique(errs); len(errs) > 0 {
			l += ". The first error: " + errs[0]
		}
		out = append(out, l)
	}
	return out
}

// before returns items with the reasons that they had before they were restored.
func before(items []Item) []Item {
	out := slices.Clone(items)
	for i := range out {
		out[i].Reason = past.Replace(out[i].Reason)
	}
	return out
}

// in says in which region something is, if the message is about several.
func (d *Document) in(region string) string {
	if len(d.Regions) > 1 {
		return region + ": "
	}
	return ""
}

func part(b *strings.Builder, label string, all []string, limit int) {
	for i, l := range all {
		if i == limit {
			fmt.Fprintf(b, "%s: and %d more, in the log\n", label, len(all)-i)
			return
		}
		fmt.Fprintf(b, "%s: %s\n", label, oneLine(l))
	}
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

// upper begins a sentence.
func upper(s string) string {
	if s == "" || s[0] > unicode.MaxASCII || strings.HasPrefix(s, "relight") {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}
