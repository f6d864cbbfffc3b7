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

// mostMarks is how many findings sweeps remember to have told of, so that the
// marks fit a parameter. What is beyond stands in the log and rings the alarm.
const mostMarks = 400

// marks are what sweeps have told people of: by scope, a mark of each finding.
type marks map[string][]string

// markNews marks the reports of a sweep that hold a finding no sweep has told
// of, and returns what is to be remembered once people have heard, "" where
// nothing changed. A finding that goes away and comes back is told again.
func (a *App) markNews(ctx context.Context, reports []remedy.Report) (remember string, err error) {
	text, known, err := a.cloud.Recall(ctx, a.deployment.HomeRegion, a.reconciler.Want.FindingsMemory())
	if err != nil {
		return "", err
	}
	told := marks{}
	if known {
		if err := json.Unmarshal([]byte(text), &told); err != nil { // nobody else's to read: start anew
			a.log.Warn("news", "parameter", a.reconciler.Want.FindingsMemory(), "error", err.Error())
			told = marks{}
		}
	}
	now, total := maps.Clone(told), 0
	for i, r := range reports {
		if r.Mode != catalog.Repair || r.Err != nil {
			continue // not looked at, or not told of
		}
		scope := r.Scope.String()
		delete(now, scope)
		for _, f := range r.Plan.Findings {
			m := markOf(f.String())
			if total++; total > mostMarks {
				break // what cannot be remembered would be news for ever
			}
			reports[i].Fresh = reports[i].Fresh || !slices.Contains(told[scope], m)
			now[scope] = append(now[scope], m)
		}
	}
	if maps.EqualFunc(now, told, slices.Equal) {
		return "", nil
	}
	raw, err := json.Marshal(now)
	if err != nil {
		return "", fmt.Errorf("encode what was told: %w", err)
	}
	return string(raw), nil
}

func markOf(finding string) string {
	sum := sha256.Sum256([]byte(finding))
	return hex.EncodeToString(sum[:4])
}

// tell sends the one message of a sweep and remembers which findings people
// have heard of. The command line, which sends none, remembers none.
func (a *App) tell(ctx context.Context, reports []remedy.Report) {
	remember := ""
	if a.reporter.Topic != "" && a.function == catalog.Backfill {
		var err error
		if remember, err = a.markNews(ctx, reports); err != nil {
			a.log.Error("news", "class", remedy.ClassOf(err).String(), "error", err.Error())
		}
	}
	if err := a.reporter.Tell(ctx, reports...); err != nil {
		a.reporter.RecordUntold(ctx, err, a.now())
		return
	}
	if remember == "" {
		return
	}
	if err := a.cloud.Remember(ctx, a.deployment.HomeRegion, a.reconciler.Want.FindingsMemory(), remember); err != nil {
		a.log.Error("news", "class", remedy.ClassOf(err).String(), "error", err.Error())
	}
}
