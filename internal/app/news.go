package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/remedy"
)

// mostMarks is how many findings sweeps remember to have sent, so that the
// marks fit a parameter. The rest are in the log and raise the alarm.
const mostMarks = 400

// marks are the findings that sweeps have sent: by scope, a mark of each.
type marks map[string][]string

// news returns the scopes of a sweep's reports that have a finding of which no
// sweep has notified people, and what to remember once people were notified: ""
// where nothing changed. A finding that goes away and comes back is news again.
func (a *App) news(ctx context.Context, reports []remedy.Report) (fresh map[remedy.Scope]bool, remember string, err error) {
	text, known, err := a.cloud.Recall(ctx, a.deployment.HomeRegion, a.reconciler.Want.FindingsMemory())
	if err != nil {
		return nil, "", err
	}
	before := marks{}
	if known {
		if err := json.Unmarshal([]byte(text), &before); err != nil { // nobody else's to read: start again
			a.log.Warn("findings memory", "parameter", a.reconciler.Want.FindingsMemory(), "error", err.Error())
			before = marks{}
		}
	}
	fresh = map[remedy.Scope]bool{}
	now, total := maps.Clone(before), 0
	for _, r := range reports {
		if r.Mode != catalog.Repair || r.Err != nil {
			continue // nothing was read, or nobody is notified
		}
		scope := r.Scope.String()
		delete(now, scope)
		for _, f := range r.Plan.Findings {
			m := markOf(f.String())
			if total++; total > mostMarks {
				break // what cannot be remembered would be news for ever
			}
			if !slices.Contains(before[scope], m) {
				fresh[r.Scope] = true
			}
			now[scope] = append(now[scope], m)
		}
	}
	if maps.EqualFunc(now, before, slices.Equal) {
		return fresh, "", nil
	}
	raw, err := json.Marshal(now)
	if err != nil {
		return nil, "", fmt.Errorf("encode what people were notified of: %w", err)
	}
	return fresh, string(raw), nil
}

func markOf(finding string) string {
	sum := sha256.Sum256([]byte(finding))
	return hex.EncodeToString(sum[:4])
}

// notify sends the one notification of a sweep and remembers the findings in it.
// The command line, which sends none, remembers none.
func (a *App) notify(ctx context.Context, reports []remedy.Report) {
	var fresh map[remedy.Scope]bool
	remember := ""
	if a.reporter.Topic != "" && a.function == catalog.Backfill {
		var err error
		if fresh, remember, err = a.news(ctx, reports); err != nil {
			a.log.Error("findings memory", "class", remedy.ClassOf(err).String(), "error", err.Error())
		}
	}
	if err := a.reporter.Notify(ctx, fresh, reports...); err != nil {
		a.reporter.RecordUnsent(ctx, err, a.now())
		return
	}
	if remember == "" {
		return
	}
	if err := a.cloud.Remember(ctx, a.deployment.HomeRegion, a.reconciler.Want.FindingsMemory(), remember); err != nil {
		a.log.Error("findings memory", "class", remedy.ClassOf(err).String(), "error", err.Error())
	}
}
