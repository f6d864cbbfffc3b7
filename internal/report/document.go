package report

import (
	"slices"
	"strings"
	"time"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/order"
	"github.com/relight-aws/relight/internal/plan"
	"github.com/relight-aws/relight/internal/remedy"
)

// SchemaVersion is the version of Document's shape. docs/message.schema.json has the
// shape; a member that goes away or changes its meaning makes a new version.
const SchemaVersion = "1"

// An Outcome says in one word how what a message reports ended.
type Outcome string

// The outcomes. A message has the first that fits.
const (
	OutcomeNotRestored Outcome = "not_restored" // something is not restored, or could not be checked
	OutcomePaused      Outcome = "paused"       // relight is paused: something is not restored until the end, or the pause is new
	OutcomeRestored    Outcome = "restored"     // everything that was there before is back
	OutcomeCreated     Outcome = "created"      // relight made what never was there
	OutcomeNeedsAction Outcome = "needs_action" // nothing was to restore, and a person has something to do
	OutcomeRemembered  Outcome = "remembered"   // relight only remembers something new
)

// A Document is a message for programs: an SNS subscriber with another protocol than
// email and SMS gets it, and the event on the default bus has it. What people read is
// rendered from it.
type Document struct {
	SchemaVersion string           `json:"schema_version"`
	Version       string           `json:"version"` // of relight
	Time          time.Time        `json:"time"`    // of the message
	Severity      catalog.Severity `json:"severity"`
	Outcome       Outcome          `json:"outcome"`
	Subject       string           `json:"subject"`
	Summary       string           `json:"summary"` // one sentence: what happened, by whom, how it ended
	Account       string           `json:"account"`
	Regions       []string         `json:"regions"`
	Kinds         []catalog.Kind   `json:"kinds"`
	Actors        []string         `json:"actors"`                // who made the calls; none if no record says so
	Codes         []plan.Code      `json:"codes"`                 // of the findings
	OffSeconds    *int64           `json:"off_seconds,omitempty"` // from the first call until the message
	Causes        []Cause          `json:"causes"`
	MoreCalls     int              `json:"more_calls,omitempty"` // by the same actors, besides the causes; at least so many
	Lost          []string         `json:"lost"`                 // what no repair brings back
	Restored      []Item           `json:"restored"`
	Created       []Item           `json:"created"`
	Removed       []Item           `json:"removed"` // what the configuration no longer wants, because a person asked for it
	Remembered    []Item           `json:"remembered"`
	Failed        []Item           `json:"failed"`                // with their errors
	Pause         *Pause           `json:"pause,omitempty"`       // in force, if it covers one of the runs
	PauseEnded    string           `json:"pause_ended,omitempty"` // the pause that is over, in words
	Postponed     []Item           `json:"postponed"`             // not restored until the end of the pause
	Remaining     []Item           `json:"remaining"`             // planned again after a repair that AWS accepted
	Unread        []Problem        `json:"unread"`                // what could not be checked
	Findings      []Open           `json:"findings"`
	Notices       []Graded         `json:"notices"`
	Skipped       []string         `json:"skipped"`
	Counts        Counts           `json:"counts"` // of all, also of those that are left out here
	Truncated     bool             `json:"truncated"`
	Text          string           `json:"text"` // what people read

	now     time.Time
	daily   bool
	first   bool // of a first sweep
	later   bool // a part of it was restored some time ago
	undone  bool // other runs restored all of it
	waits   int  // actions that failed, and that relight tries again soon
	forGood int  // how many of Lost are records that are gone
	preface string
}

// Counts says how many of each a message is about.
type Counts struct {
	Causes     int `json:"causes"`
	Restored   int `json:"restored"`
	Created    int `json:"created"`
	Failed     int `json:"failed"`
	Remaining  int `json:"remaining"`
	Unread     int `json:"unread"`
	Findings   int `json:"findings"`
	Notices    int `json:"notices"`
	Skipped    int `json:"skipped"`
	Removed    int `json:"removed"`
	Remembered int `json:"remembered"`
	Postponed  int `json:"postponed"`
}

// An Item is one protection.
type Item struct {
	Kind   catalog.Kind `json:"kind"`
	Region string       `json:"region"`
	Thing  string       `json:"thing"` // what it is, before its target: "metric filter"
	Target string       `json:"target"`
	Action string       `json:"action"` // what relight did or would do
	Reason string       `json:"reason"`
	Class  string       `json:"class,omitempty"` // of the error
	Error  string       `json:"error,omitempty"`
}

// A Problem is a scope that could not be checked.
type Problem struct {
	Scope string `json:"scope"`
	Class string `json:"class"`
	Error string `json:"error"`
}

// An Open is a finding with where it was made.
type Open struct {
	Finding
	Kind   catalog.Kind `json:"kind"`
	Region string       `json:"region"`
}

// A Graded is a call that people should check, with how bad it is.
type Graded struct {
	Notice
	Severity catalog.Severity `json:"severity"`
	Region   string           `json:"region"`
}

// document returns what a message about reports says, without Subject and Text.
func (p Reporter) document(now time.Time, daily bool, reports []remedy.Report) *Document {
	d := &Document{
		SchemaVersion: SchemaVersion, Version: p.Version, Time: now.UTC().Truncate(time.Second), Account: reports[0].Scope.Account, now: now, daily: daily,
		Regions: []string{}, Kinds: []catalog.Kind{}, Actors: []string{}, Codes: []plan.Code{}, Causes: []Cause{}, Lost: []string{}, Skipped: []string{},
		Restored: []Item{}, Created: []Item{}, Removed: []Item{}, Remembered: []Item{}, Postponed: []Item{}, Failed: []Item{}, Remaining: []Item{}, Unread: []Problem{}, Findings: []Open{}, Notices: []Graded{},
	}
	for _, r := range reports {
		d.add(r)
	}
	d.causes(p.Own, reports)
	d.Severity = p.severity(reports)
	d.Outcome = d.outcome()
	d.lost()
	d.Counts = Counts{
		Causes: len(d.Causes), Restored: len(d.Restored), Created: len(d.Created), Failed: len(d.Failed), Remaining: len(d.Remaining), Unread: len(d.Unread),
		Findings: len(d.Findings), Notices: len(d.Notices), Skipped: len(d.Skipped), Removed: len(d.Removed), Remembered: len(d.Remembered), Postponed: len(d.Postponed),
	}
	d.Summary = d.summary(mostText)
	return d
}

// add adds one run, except its causes.
func (d *Document) add(r remedy.Report) {
	if !slices.Contains(d.Regions, r.Scope.Region) {
		d.Regions = append(d.Regions, r.Scope.Region)
	}
	if !slices.Contains(d.Kinds, r.Scope.Kind) {
		d.Kinds = append(d.Kinds, r.Scope.Kind)
	}
	d.first = d.first || r.First
	if r.Pause != nil {
		d.Pause = PauseOf(r.Pause)
	}
	if r.Ended != "" {
		d.PauseEnded = clean(r.Ended)
	}
	for _, a := range r.Postponed() {
		d.Postponed = append(d.Postponed, itemOf(r.Scope, a))
	}
	d.MoreCalls += r.More
	d.undone, d.waits = d.undone || r.Undone, d.waits+r.Waits
	failed := map[string]bool{}
	done := r.Restored()
	for i, o := range r.Outcomes {
		item := itemOf(r.Scope, o.Action)
		switch {
		case o.Err != nil:
			item.Error, item.Class = clean(o.Err.Error()), remedy.ClassOf(o.Err).String()
			d.Failed, failed[plan.Key(o.Action)] = append(d.Failed, item), true
		case !o.Restores():
			if !o.Action.Step().Quiet {
				d.Remembered = append(d.Remembered, item)
			}
		case done[i] && created(r, o.Action):
			d.Created = append(d.Created, item)
		case done[i]:
			d.Restored = append(d.Restored, item)
		}
	}
	for _, e := range r.Earlier {
		item := Item{Kind: r.Scope.Kind, Region: r.Scope.Region, Thing: clean(e.Thing), Target: clean(e.Target), Action: clean(e.Do), Reason: clean(e.Reason)}
		same := func(i Item) bool { return i.Thing == item.Thing && i.Target == item.Target && i.Region == item.Region }
		switch d.later = true; {
		case slices.ContainsFunc(slices.Concat(d.Restored, d.Created), same):
		case makesOnly(r.Causes) && r.Scope.Kind == catalog.FlowLogs && (strings.HasPrefix(e.Do, makesGroup) || namedBy(r.Causes, e.Target)):
			d.Created = append(d.Created, item)
		default:
			d.Restored = append(d.Restored, item)
		}
	}
	for _, o := range r.Pruned {
		if item := itemOf(r.Scope, o.Action); o.Err != nil {
			item.Error, item.Class = clean(o.Err.Error()), remedy.ClassOf(o.Err).String()
			d.Failed = append(d.Failed, item)
		} else {
			d.Removed = append(d.Removed, item)
		}
	}
	for _, a := range r.Remaining {
		if !failed[plan.Key(a)] {
			d.Remaining = append(d.Remaining, itemOf(r.Scope, a))
		}
	}
	if r.Err != nil {
		d.Unread = append(d.Unread, Problem{Scope: clean(r.Scope.String()), Class: remedy.ClassOf(r.Err).String(), Error: clean(r.Err.Error())})
	}
	for _, f := range r.Plan.Findings {
		open := Open{Finding: findingOf(f), Kind: r.Scope.Kind, Region: r.Scope.Region}
		open.Subject, open.Problem, open.Remedy = clean(open.Subject), clean(open.Problem), clean(open.Remedy)
		same := func(o Open) bool { return o.Finding == open.Finding && o.Region == open.Region }
		if !slices.ContainsFunc(d.Findings, same) { // kinds that depend on one thing have the same findings
			d.Findings = append(d.Findings, open)
		}
		if !slices.Contains(d.Codes, f.Code) {
			d.Codes = append(d.Codes, f.Code)
		}
	}
	for _, s := range r.Plan.Skips {
		if line := clean(s.String()); !slices.Contains(d.Skipped, line) {
			d.Skipped = append(d.Skipped, line)
		}
	}
	for _, c := range r.Notices() {
		d.Notices = append(d.Notices, Graded{Notice: Notice{cleanCause(c), c.Advice}, Severity: c.Severity, Region: r.Scope.Region})
	}
}

// causes adds the calls behind the reports: each event once, in the order of their
// times. What relight itself wrote is no cause. CloudWatch's own event of a changed
// alarm names nobody, so it is left out beside a record that does.
func (d *Document) causes(own func(remedy.Cause) bool, reports []remedy.Report) {
	var all []remedy.Cause
	named := false
	for _, r := range reports {
		for _, c := range r.Causes {
			if own != nil && own(c) {
				continue
			}
			named = named || c.Actor != ""
			same := func(o remedy.Cause) bool {
				return c.EventID != "" && o.EventID == c.EventID && o.EventName == c.EventName
			}
			if !slices.ContainsFunc(all, same) {
				all = append(all, c)
			}
		}
	}
	order.By(all, func(a, b remedy.Cause) int { return a.Time.Compare(b.Time) })
	for _, c := range all {
		if named && c.Actor == "" && c.EventName == catalog.AlarmChange {
			continue
		}
		cause := cleanCause(c)
		d.Causes = append(d.Causes, cause)
		if cause.Actor != "" && !slices.Contains(d.Actors, cause.Actor) {
			d.Actors = append(d.Actors, cause.Actor)
		}
	}
	if len(all) > 0 && !all[0].Time.IsZero() {
		if off := int64(d.now.Sub(all[0].Time).Round(time.Second) / time.Second); off >= 0 {
			d.OffSeconds = &off
		}
	}
}

func (d *Document) outcome() Outcome {
	switch {
	case len(d.Failed)+len(d.Remaining)+len(d.Unread) > 0:
		return OutcomeNotRestored
	case len(d.Postponed) > 0:
		return OutcomePaused
	case len(d.Restored) > 0:
		return OutcomeRestored
	case len(d.Created) > 0:
		return OutcomeCreated
	case d.undone:
		return OutcomeRestored
	case len(d.Findings)+len(d.Notices) > 0:
		return OutcomeNeedsAction
	case d.Pause != nil:
		return OutcomePaused
	case d.PauseEnded != "":
		return OutcomeRestored
	}
	return OutcomeRemembered
}

// created reports whether an action that succeeded made what never was there: in the
// first sweep, or because all calls behind the run create what they name.
func created(r remedy.Report, a plan.Action) bool {
	if r.First || slices.Contains(r.New, a.Step().Target) {
		return true
	}
	if !makesOnly(r.Causes) {
		return false
	}
	switch a := a.(type) {
	case plan.CreateFlowLog:
		return namedBy(r.Causes, a.On)
	case plan.CreateLogGroup: // of the region's first flow log
		return r.Scope.Kind == catalog.FlowLogs
	}
	return false
}

// makesOnly reports whether all calls create what they name.
func makesOnly(causes []remedy.Cause) bool {
	return len(causes) > 0 && !slices.ContainsFunc(causes, func(c remedy.Cause) bool { return !c.Makes || c.Names == "" })
}

func namedBy(causes []remedy.Cause, name string) bool {
	return slices.ContainsFunc(causes, func(c remedy.Cause) bool { return slices.Contains(c.Names.List(), name) })
}

// severity returns how bad a message about reports is: as bad as the worst of its
// parts.
func (p Reporter) severity(reports []remedy.Report) catalog.Severity {
	worst, restored := catalog.Info, 0
	also := func(s catalog.Severity) { worst = catalog.Worst(worst, s) }
	for _, r := range reports {
		if r.Mode != catalog.Observe && Unrestored(r) > 0 || r.Err != nil {
			also(catalog.Critical)
		}
		if r.Pause != nil {
			also(catalog.High)
		}
		if r.Ended != "" {
			also(catalog.Low)
		}
		done := r.Restored()
		for i, o := range r.Outcomes {
			switch {
			case o.Err != nil || !done[i]:
			case !o.Restores():
				if !r.First && !o.Action.Step().Quiet {
					also(catalog.Low) // somebody accepted something, or said that they did
				}
			case created(r, o.Action):
			default:
				restored++
				also(r.Scope.Kind.Severity())
				if _, records := o.Action.(plan.CreateLogGroup); records {
					also(catalog.High)
				}
				if slices.Contains(p.Alarms, o.Action.Step().Target) {
					also(catalog.Critical)
				}
			}
		}
		if r.Undone {
			also(r.Scope.Kind.Severity())
		}
		for _, e := range r.Earlier {
			restored++
			also(r.Scope.Kind.Severity())
			if strings.HasPrefix(e.Do, makesGroup) {
				also(catalog.High)
			}
			if slices.Contains(p.Alarms, e.Target) {
				also(catalog.Critical)
			}
		}
		for _, f := range r.Plan.Findings {
			also(f.Severity)
		}
		for _, c := range r.Notices() {
			also(c.Severity)
		}
	}
	if restored >= catalog.Bulk {
		also(catalog.High)
	}
	return worst
}

func itemOf(s remedy.Scope, a plan.Action) Item {
	step := a.Step()
	return Item{Kind: s.Kind, Region: s.Region, Thing: step.Thing, Target: clean(step.Target), Action: clean(step.Do), Reason: clean(step.Reason)}
}

// cleanCause returns a cause whose texts callers may have chosen, each in one line and
// not too long.
func cleanCause(c remedy.Cause) Cause {
	v := causeOf(c)
	v.EventID = oneLine(middle(v.EventID))
	v.Actor, v.SourceIP, v.EventName = oneLine(middle(v.Actor)), oneLine(middle(v.SourceIP)), oneLine(middle(v.EventName))
	names := make([]string, 0, min(len(v.Names), mostNames))
	for i, n := range v.Names {
		if i == mostNames {
			break
		}
		names = append(names, oneLine(middle(n)))
	}
	v.Names = names
	return v
}

// clean returns a text in one line.
func clean(s string) string { return oneLine(strings.TrimSpace(s)) }
