package app

import (
	"context"
	"time"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/plan"
	"github.com/relight-aws/relight/internal/remedy"
)

// A Drilling is what a person who runs relight drill asks of the sweep's function,
// which has the rights: first to test the filters and ring an alarm, and then, with
// the time of that, how far the alarm's messages got.
type Drilling struct {
	Since time.Time `json:"since,omitzero"` // when the alarm rang; the zero time rings it
	Last  bool      `json:"last,omitempty"` // nobody asks again: what has not answered until now is a finding
}

// A Drill is how the links of the chain from a record to people answered.
type Drill struct {
	Since   time.Time   `json:"since"` // when the alarm rang
	Links   []plan.Link `json:"links"` // in the order of the chain
	Finding string      `json:"finding,omitempty"`
}

// Answered reports whether every link answered.
func (d Drill) Answered() bool {
	_, silent := plan.FirstSilent(d.Links)
	return !silent
}

// drill answers a Drilling. The first link that did not answer is a finding, of which
// both topics and the default bus carry a message.
func (a *App) drill(ctx context.Context, asked Drilling) (Drill, error) {
	d := Drill{Since: asked.Since}
	settled := true
	if asked.Since.IsZero() {
		d.Links = a.cloud.DrillFilters(ctx)
		if err := a.cloud.NextMinute(ctx); err != nil {
			return d, err
		}
		d.Since = a.now()
		d.Links = append(d.Links, a.cloud.Ring(ctx))
	} else {
		d.Links = a.cloud.DrillDelivery(ctx, asked.Since)
		if settled = asked.Last || d.Answered(); settled {
			if err := a.cloud.Unring(ctx); err != nil {
				return d, err
			}
		}
	}
	f, silent := plan.FirstSilent(d.Links)
	if !silent || !settled {
		return d, nil
	}
	d.Finding = f.String()
	rep := remedy.Report{
		Scope: remedy.Scope{Account: a.deployment.Account, Region: a.deployment.HomeRegion, Kind: catalog.Topics}, Mode: catalog.Observe,
		Plan: plan.Plan{Findings: []plan.Finding{f}},
	}
	unsent := a.reporter.Notify(ctx, map[remedy.Scope]bool{rep.Scope: true}, rep)
	a.reporter.Record(ctx, rep, unsent, a.now())
	return d, unsent
}
