package app

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/remedy"
	"github.com/relight-aws/relight/internal/trigger"
)

// mostLookups is how often a sweep asks CloudTrail's event history, which answers two
// calls a second in a region.
const mostLookups = 5

// An explainer asks CloudTrail's event history who caused the drift that a sweep found
// without an event. What it finds is for people: nothing is decided by it.
type explainer struct {
	app *App
	*parts
	mu   sync.Mutex // one run at a time asks
	left int        // lookups
}

// explain adds to the report of a sweep's run the calls that most likely caused what the run
// restored. A history that cannot be read leaves the report as it is.
func (e *explainer) explain(ctx context.Context, rep *remedy.Report) {
	a := e.app
	if !a.deployment.Sweeps() || rep.First || rep.Mode != catalog.Repair || rep.Repaired() == 0 || len(rep.Causes) > 0 {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	var targets []string
	for i, done := range rep.Restored() {
		if done && rep.Outcomes[i].Restores() {
			targets = append(targets, rep.Outcomes[i].Action.Step().Target)
		}
	}
	region := rep.Scope.Region
	if rep.Scope.Kind == catalog.DeliveryRoles {
		region = catalog.GlobalRegion(a.deployment.HomeRegion)
	}
	since := a.now().Add(-2 * time.Duration(a.config.SweepMinutes) * time.Minute)
	for _, call := range catalog.Suspects(rep.Scope.Kind) {
		if e.left == 0 {
			return
		}
		e.left--
		calls, err := e.cloud.History(ctx, region, call, since)
		if err != nil {
			a.log.Warn("event history", "scope", rep.Scope.String(), "event", call, "class", remedy.ClassOf(err).String(), "error", err.Error())
			return
		}
		for _, past := range calls {
			c, ok := e.suspect(past.Source, region, past.Record, rep.Scope.Kind, targets)
			if ok && !c.Time.Before(since) {
				c.EventID, c.Past = past.ID, true
				rep.Causes = append(rep.Causes, c)
			}
		}
		if len(rep.Causes) > 0 {
			return
		}
	}
}

// suspect reads a record as if it came in an event. It returns its cause if the call
// can have harmed one of the targets of a kind, and relight did not make it.
func (e *explainer) suspect(source, region, record string, kind catalog.Kind, targets []string) (remedy.Cause, bool) {
	raw, err := json.Marshal(map[string]any{
		"id": "history", "detail-type": catalog.APICall, "source": source, "account": e.cloud.Want.Account, "region": region, "time": e.app.now(),
		"detail": json.RawMessage(record),
	})
	if err != nil {
		return remedy.Cause{}, false // the record is no JSON
	}
	ev, err := trigger.Parse(raw)
	if err != nil || e.app.echoed([]remedy.Cause{ev.Cause}) {
		return remedy.Cause{}, false
	}
	for i, s := range ev.Scopes {
		named := slices.ContainsFunc(s.Names.List(), func(name string) bool {
			return slices.ContainsFunc(targets, func(t string) bool {
				return t == name || strings.HasSuffix(t, ":"+name) || strings.HasSuffix(t, "/"+name)
			})
		})
		if s.Kind == kind && (named || s.Names == "") {
			c := ev.CauseOf(i)
			c.Advice = "" // that is for the function that gets the event
			return c, true
		}
	}
	return remedy.Cause{}, false
}
