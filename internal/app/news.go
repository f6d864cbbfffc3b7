package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/plan"
	"github.com/relight-aws/relight/internal/remedy"
)

// mostMarks is the maximum number of reported findings that sweeps remember, so
// that the marks fit a parameter. The other findings are in the log and raise
// the alarm.
const mostMarks = 400

// newsworthy returns what of a run people are notified of the first time that a sweep
// finds it: its findings, what it could not restore and what it could not read. A
// failure that may be gone in the next sweep is left to the alarm on two in a row. The
// text of an error may differ each time, so it does not count.
func newsworthy(r remedy.Report) []string {
	news := make([]string, 0, len(r.Plan.Findings))
	for _, f := range r.Plan.Findings {
		news = append(news, f.String())
	}
	lasts := func(err error, what string) {
		if err == nil || remedy.ClassOf(err) == remedy.Transient {
			return
		}
		if e, ok := errors.AsType[*remedy.Error](err); ok {
			what += " " + e.Op + " " + e.Target
		}
		news = append(news, what)
	}
	for _, o := range r.Outcomes {
		lasts(o.Err, "failed: "+plan.Key(o.Action))
	}
	lasts(r.Err, "unread")
	for _, p := range r.Postponed() {
		news = append(news, "postponed: "+plan.Key(p))
	}
	return news
}

// marks are the findings and failures that sweeps have reported: it maps each scope to one
// mark for each. Under ACCOUNT/controls it has the controls that the last sweep wanted.
type marks map[string][]string

// news returns the scopes of a sweep's reports that have a finding or a failure of which no
// sweep has notified people. It also returns what to remember once people are
// notified, or "" if that has not changed. What goes away and comes
// back is news again. That somebody else wrote the memory is a finding of the first
// report.
func (a *App) news(ctx context.Context, p *parts, reports []remedy.Report, whole bool) (fresh map[remedy.Scope]bool, remember string, err error) {
	memory, account := p.cloud.Want.FindingsMemory(), p.cloud.Want.Account
	note, err := p.cloud.Recall(ctx, a.deployment.HomeRegion, memory)
	if err != nil {
		return nil, "", err
	}
	if note.Foreign != "" && len(reports) > 0 {
		f := plan.NewFinding(plan.MemoryForeign, plan.Args{"parameter": memory, "by": note.Foreign})
		reports[0].Plan.Add(f)
	}
	before := marks{}
	if note.Known {
		if err := json.Unmarshal([]byte(note.Text), &before); err != nil { // only relight uses these marks: start again
			a.log.Warn("findings memory", "parameter", memory, "error", err.Error())
			before = marks{}
		}
	}
	maps.DeleteFunc(before, func(scope string, _ []string) bool { return !strings.HasPrefix(scope, account+"/") })
	fresh = map[remedy.Scope]bool{}
	now, total := maps.Clone(before), 0
	p.wanted(before, now, reports)
	for _, r := range reports {
		if r.Mode != catalog.Repair {
			continue // relight notifies nobody
		}
		scope := r.Scope.String()
		if r.Err == nil {
			delete(now, scope)
		}
		for _, what := range newsworthy(r) {
			m := markOf(what)
			if total++; total > mostMarks {
				break // a finding that is not remembered would be news in every sweep
			}
			if !slices.Contains(before[scope], m) {
				fresh[r.Scope] = true
			}
			if !slices.Contains(now[scope], m) {
				now[scope] = append(slices.Clip(now[scope]), m)
			}
		}
	}
	if !p.guarded() { // a pause is news of the hub
		a.pauseNews(before, now, fresh, reports, whole)
	}
	if maps.EqualFunc(now, before, slices.Equal) && note.Foreign == "" {
		return fresh, "", nil
	}
	raw, err := json.Marshal(now)
	if err != nil {
		return nil, "", fmt.Errorf("encode what people were notified of: %w", err)
	}
	return fresh, string(raw), nil
}

// wanted sets in the reports the names of the controls that the last sweep did not want:
// what a sweep makes of them never was there, so it is not restored. If no sweep has
// noted what it wanted, none is new. A sweep of both kinds notes it, where there are any.
func (p *parts) wanted(before, now marks, reports []remedy.Report) {
	want := p.cloud.Want
	key := want.Account + "/controls"
	known := before[key]
	var names, all []string
	for _, c := range slices.Concat(want.Controls, want.FlowLogControls) {
		m := markOf(c.ID)
		if all = append(all, m); len(known) > 0 && !slices.Contains(known, m) {
			names = append(names, want.Name(c.ID))
		}
	}
	swept := func(k catalog.Kind) bool {
		return slices.ContainsFunc(reports, func(r remedy.Report) bool {
			return r.Scope.Kind == k && r.Mode == catalog.Repair && r.Err == nil && r.Plan.Healthy+len(r.Plan.Actions) > 0
		})
	}
	for i := range reports {
		reports[i].New = names
	}
	if swept(catalog.LogGroups) && swept(catalog.Alarms) {
		now[key] = all
	}
}

func markOf(finding string) string {
	sum := sha256.Sum256([]byte(finding))
	return hex.EncodeToString(sum[:4])
}

// notify sends the one notification of a sweep and remembers the findings in
// it. The CLI sends no notification, so it remembers no findings.
func (a *App) notify(ctx context.Context, p *parts, reports []remedy.Report, digest, whole bool) error {
	var fresh map[remedy.Scope]bool
	remember := ""
	if a.reporter.Topic != "" && a.function == catalog.Backfill && !p.reconciler.Forgets {
		var err error
		if fresh, remember, err = a.news(ctx, p, reports, whole); err != nil {
			fresh = p.firstPaused(reports) // better once more than never
			a.log.Error("findings memory", "class", remedy.ClassOf(err).String(), "error", err.Error())
		}
	}
	send := func() error { return a.reporter.Notify(ctx, fresh, reports...) }
	if digest { // no mark decides what people read
		send = func() error { return a.reporter.NotifyDaily(ctx, reports...) }
	}
	if err := send(); err != nil {
		a.reporter.RecordUnsent(ctx, err, a.now())
		return err
	}
	if remember == "" {
		return nil
	}
	if err := p.cloud.Remember(ctx, a.deployment.HomeRegion, p.cloud.Want.FindingsMemory(), remember); err != nil {
		a.log.Error("findings memory", "class", remedy.ClassOf(err).String(), "error", err.Error())
	}
	return nil
}
