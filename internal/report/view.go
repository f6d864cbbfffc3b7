// Package report renders the result of a run for people: as a log line with
// metrics, as JSON, and as a notification.
package report

import (
	"strings"
	"time"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/plan"
	"github.com/relight-aws/relight/internal/remedy"
	"github.com/relight-aws/relight/internal/version"
)

// A View is a report as JSON. The backfill function returns it, and the CLI
// prints it with --output json.
type View struct {
	Version   string    `json:"version"` // of the relight that ran
	Scope     string    `json:"scope"`
	Kind      string    `json:"kind"`
	Region    string    `json:"region"`
	Mode      string    `json:"mode"`
	Healthy   int       `json:"healthy"` // protections that need nothing
	Held      int       `json:"held"`    // Deprecated: the earlier name of healthy, which scripts still read
	Actions   []Action  `json:"actions"`
	Findings  []Finding `json:"findings"`
	Skipped   []string  `json:"skipped"`
	Unwanted  []Action  `json:"unwanted,omitempty"`  // what relight made and the configuration no longer wants
	Remaining []string  `json:"remaining,omitempty"` // still to restore after the repair
	ReliesOn  string    `json:"relies_on,omitempty"` // what others made, in words, that protects in place of relight's own
	Causes    []Cause   `json:"causes,omitempty"`
	Notices   []Notice  `json:"notices,omitempty"`
	Error     string    `json:"error,omitempty"` // why the run could not observe or verify
	Pause     *Pause    `json:"pause,omitempty"` // why it restored nothing
}

// An Action is one change and its result.
type Action struct {
	Action   string `json:"action"`
	Target   string `json:"target"`
	Restores bool   `json:"restores"` // false for an action that only remembers a healthy protection
	Done     bool   `json:"done"`     // false if it failed or was not applied, as in mode observe
	Class    string `json:"class,omitempty"`
	Error    string `json:"error,omitempty"`
}

// A Finding is a problem that only a person can fix.
type Finding struct {
	Code     string           `json:"code"` // see docs/operations.md
	Severity catalog.Severity `json:"severity"`
	Subject  string           `json:"subject"`
	Problem  string           `json:"problem"`
	Remedy   string           `json:"remedy"`
}

// A Cause is an event that caused the run.
type Cause struct {
	EventID   string    `json:"event_id"`
	EventName string    `json:"event"`
	Names     []string  `json:"names,omitempty"` // of the resources that the call named
	Actor     string    `json:"actor,omitempty"`
	SourceIP  string    `json:"source_ip,omitempty"`
	Time      time.Time `json:"time"`
	Past      bool      `json:"from_history,omitempty"` // a sweep found it in CloudTrail's event history
}

// A Notice is a call that people should check, whatever relight restored.
type Notice struct {
	Cause
	Advice string `json:"advice"`
}

func findingOf(f plan.Finding) Finding {
	return Finding{Code: string(f.Code), Severity: f.Severity, Subject: f.Subject, Problem: f.Problem, Remedy: f.Remedy}
}

func causeOf(c remedy.Cause) Cause {
	return Cause{EventID: c.EventID, EventName: c.EventName, Names: c.Names.List(), Actor: c.Actor, SourceIP: c.SourceIP, Time: c.Time, Past: c.Past}
}

// ViewOf returns the JSON view of a report.
func ViewOf(r remedy.Report) View {
	v := View{
		Version: version.String(),
		Scope:   r.Scope.String(), Kind: string(r.Scope.Kind), Region: r.Scope.Region, Mode: string(r.Mode),
		Healthy: r.Plan.Healthy, Held: r.Plan.Healthy, Actions: []Action{}, Findings: []Finding{}, Skipped: lines(r.Plan.Skips), Remaining: lines(plan.Steps(r.Remaining)),
		ReliesOn: r.Plan.Adopts.String(), Pause: PauseOf(r.Pause),
	}
	restored := r.Restored()
	for i, a := range r.Plan.Actions {
		step := a.Step()
		view := Action{Action: step.String(), Target: step.Target, Restores: step.Restores()}
		if i < len(r.Outcomes) {
			view.Done = restored[i]
			if err := r.Outcomes[i].Err; err != nil {
				view.Error, view.Class = err.Error(), remedy.ClassOf(err).String()
			}
		}
		v.Actions = append(v.Actions, view)
	}
	for i, a := range r.Plan.Unwanted {
		view := Action{Action: a.Step().String(), Target: a.Step().Target}
		if i < len(r.Pruned) {
			if view.Done = r.Pruned[i].Err == nil; !view.Done {
				view.Error, view.Class = r.Pruned[i].Err.Error(), remedy.ClassOf(r.Pruned[i].Err).String()
			}
		}
		v.Unwanted = append(v.Unwanted, view)
	}
	for _, f := range r.Plan.Findings {
		v.Findings = append(v.Findings, findingOf(f))
	}
	for _, c := range r.Causes {
		v.Causes = append(v.Causes, causeOf(c))
	}
	for _, c := range r.Notices() {
		v.Notices = append(v.Notices, Notice{causeOf(c), c.Advice})
	}
	if r.Err != nil {
		v.Error = r.Err.Error()
	}
	return v
}

// Unrestored returns how many protections of a view are not restored: those that failed or
// remain, or that were only planned.
func (v View) Unrestored() int {
	n := 0
	for _, a := range v.Actions {
		if a.Restores && !a.Done {
			n++
		}
	}
	if v.Error != "" {
		n++
	}
	return max(n, len(v.Remaining))
}

// Why returns the first of what a person has to know of a view: what is found, was not restored or
// could not be read. It returns "" if there is nothing.
func (v View) Why() string {
	for _, f := range v.Findings {
		return "[" + f.Code + "] " + f.Subject + ": " + f.Problem
	}
	for _, a := range v.Actions {
		if a.Error != "" {
			return a.Action + ": " + a.Error
		}
	}
	for _, r := range v.Remaining {
		return "still to restore: " + r
	}
	return v.Error
}

func lines[S interface{ String() string }](items []S) []string {
	out := make([]string, 0, len(items))
	for _, i := range items {
		out = append(out, i.String())
	}
	return out
}

// Unrestored returns how many protections a run did not restore. It counts the
// actions that failed and those that are planned again after the repair. A run
// that could not observe counts as one.
func Unrestored(r remedy.Report) int {
	n := 0
	for _, done := range r.Restored() {
		if !done {
			n++
		}
	}
	if r.Err != nil {
		n++
	}
	return max(n, len(r.Remaining))
}

// worthNotifying reports whether people are notified of a run. They are if
// relight restored or remembered something, if a pause kept it from restoring after an event, if the repair for an event failed
// and they do not know it yet, or if an event needs their attention or led to
// something that does. The alarms on relight's own metrics cover findings that
// every sweep makes again.
func worthNotifying(r remedy.Report) bool {
	known := 0
	for _, o := range r.Outcomes {
		if o.Told {
			known++
		}
	}
	return r.Repaired() > 0 || len(r.Earlier) > 0 || r.Undone || len(r.Causes) > 0 && len(r.Postponed()) > 0 || len(r.Learned()) > 0 || len(r.Causes) > 0 && Unrestored(r) > known || r.Alerts()
}

// call returns the name of a call with the resources that it named.
func (c Cause) call() string {
	if len(c.Names) > 0 {
		return c.EventName + " of " + strings.Join(c.Names, ", ")
	}
	return c.EventName
}
