package app

import (
	"bytes"
	"encoding/json"
	"slices"
	"time"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/plan"
	"github.com/relight-aws/relight/internal/remedy"
)

// These limit what is put off in one message. What is larger than SQS took in every queue
// before it raised its limit of 262,144 bytes is not put off. Source: Amazon SQS Developer
// Guide, "Amazon SQS message quotas".
const (
	mostDeferred = 200_000 // bytes
	mostCallers  = 50      // of a place; the log has the others
	mostDeeds    = 300     // likewise
	mostKept     = 8_000   // bytes of an event that a process keeps for its next messages
	mostSaid     = 1000    // of what people were notified of at a place
	mostRounds   = 16
	mostAsked    = 3
	mostPeers    = 10
	mostMore     = 1_000_000
	mostNamed    = 50 // of a place; more are everything of the type
)

// A deferral is what a function has put off. It travels as a message on the function's
// queue. Its events are read as those of any other message are, and what it says was
// restored is reported only if the check finds it so: whoever can write to the queue
// gains no more than a check.
type deferral struct {
	Since  time.Time         `json:"since"`           // when the first of its events was put off
	Due    time.Time         `json:"due"`             // when it comes back; until then, its process may drop what it covers
	Round  int               `json:"round"`           // how often they have been
	From   string            `json:"from,omitempty"`  // the process that put it off
	Whole  bool              `json:"whole,omitempty"` // check everything of the types, not only what is named
	Wide   bool              `json:"wide,omitempty"`  // and whatever its events name, because they name too much
	Mail   bool              `json:"mail,omitempty"`  // only a notification was put off, so events are not
	Asked  int               `json:"asked,omitempty"` // how often a process was looked for that has named the callers; it is all that is wanted
	More   int               `json:"more,omitempty"`  // further calls, by the same callers as the events
	Events []json.RawMessage `json:"events"`          // EventBridge envelopes
	Deeds  []deed            `json:"deeds,omitempty"` // of earlier runs, of which people have not been notified

	again bool        // it was checked before, and somebody undid that repair, too: then it waits as long as may be
	looks []look      // that its events ask for
	from  []*deferral // those that it continues
}

// A deed is what an earlier run restored, with where.
type deed struct {
	Account string       `json:"account"`
	Region  string       `json:"region"`
	Kind    catalog.Kind `json:"kind"`
	remedy.Deed
}

// letter is the body of a deferral's message. No EventBridge envelope has its member.
type letter struct {
	Deferral *deferral `json:"relight-deferral"`
}

// deferralOf returns the deferral in a message, or nil if the message is an event.
func deferralOf(body string) *deferral {
	var l letter
	if json.Unmarshal([]byte(body), &l) != nil || l.Deferral == nil || len(l.Deferral.Events) == 0 {
		return nil
	}
	d := l.Deferral // somebody else may have written it
	d.Round, d.Asked, d.More = min(max(d.Round, 0), mostRounds), max(d.Asked, 0), min(max(d.More, 0), mostMore)
	return d
}

// add continues another deferral.
func (d *deferral) add(o *deferral) {
	if d.Since.IsZero() || o.Since.Before(d.Since) {
		d.Since = o.Since
	}
	d.Round, d.Whole, d.More = max(d.Round, o.Round), d.Whole || o.Whole, d.More+o.More
	d.Wide = d.Wide || o.Wide
	d.Deeds, d.from = fewer(append(d.Deeds, o.Deeds...)), append(d.from, o)
	for _, l := range o.looks {
		d.event(l)
	}
}

// event adds a look, and its event unless that is there already.
func (d *deferral) event(l look) {
	d.looks = append(d.looks, l)
	if !slices.ContainsFunc(d.Events, func(e json.RawMessage) bool { return bytes.Equal(e, l.event) }) {
		d.Events = append(d.Events, l.event)
	}
}

// key tells a deed from others of the same target.
func key(d remedy.Deed) string { return d.At.UTC().Format(time.RFC3339Nano) + " " + d.Do }

// fewer returns each of some deeds once, and no more than fit a message.
func fewer(deeds []deed) []deed {
	seen := map[deed]bool{}
	deeds = slices.DeleteFunc(deeds, func(d deed) bool {
		known := seen[d]
		seen[d] = true
		return known
	})
	return deeds[:min(len(deeds), mostDeeds)]
}

// deeds returns what a run restored, and what it was to report of earlier runs.
func (a *App) deeds(rep remedy.Report) []deed {
	all, now := slices.Clone(rep.Earlier), a.now().UTC()
	for i, done := range rep.Restored() {
		if o := rep.Outcomes[i]; done && o.Restores() {
			step := o.Action.Step()
			all = append(all, remedy.Deed{At: now, Thing: step.Thing, Target: step.Target, Do: step.Do, Reason: step.Reason})
		}
	}
	out := make([]deed, len(all))
	for i, d := range all {
		out[i] = deed{rep.Scope.Account, rep.Scope.Region, rep.Scope.Kind, d}
	}
	return out
}

// storm reports whether events were put off at the place of a scope, and not only a
// notification.
func (in intake) storm(s remedy.Scope) bool {
	return slices.ContainsFunc(in.deferrals, func(d *deferral) bool {
		return !d.Mail && slices.ContainsFunc(d.looks, func(l look) bool { return placeOf(l.scope) == placeOf(s) })
	})
}

// earlier adds to reports what earlier runs restored, as far as the checks found it to be
// so, and how many calls were behind it besides the causes.
func (in intake) earlier(reports []remedy.Report) {
	for _, d := range in.deferrals {
		for _, done := range d.Deeds {
			here := func(r remedy.Report) bool {
				return r.Scope.Account == done.Account && r.Scope.Region == done.Region && r.Scope.Kind == done.Kind
			}
			missing := func(r remedy.Report) bool {
				return here(r) && (r.Err != nil || slices.ContainsFunc(r.Plan.Actions, func(a plan.Action) bool { return a.Step().Target == done.Target }))
			}
			i := slices.IndexFunc(reports, func(r remedy.Report) bool { return here(r) && looksAt(r.Scope, done.Target) })
			if i < 0 || slices.ContainsFunc(reports, missing) || slices.Contains(reports[i].Earlier, done.Deed) {
				continue
			}
			reports[i].Earlier = append(reports[i].Earlier, done.Deed)
		}
		for i, r := range reports {
			if slices.ContainsFunc(d.looks, func(l look) bool { return r.Scope.Covers(l.scope) }) {
				reports[i].More += d.More
				break
			}
		}
	}
}

// looksAt reports whether a check of a scope reads a target. That of a log group reads its
// filters.
func looksAt(s remedy.Scope, target string) bool {
	return s.Names == "" || s.Type == catalog.FilteredGroup || s.Type == catalog.LogGroup && s.Kind == catalog.LogGroups || slices.Contains(s.Names.List(), target)
}
