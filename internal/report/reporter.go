package report

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/remedy"
)

// A Publisher sends a message to a topic.
type Publisher interface {
	Publish(ctx context.Context, topic, subject, message string) error
}

// A Reporter tells of runs: one log line per action and per run, metrics in
// the run's line, and a message to the topic.
type Reporter struct {
	Log       *slog.Logger
	Publisher Publisher
	Topic     string // ARN; "" sends no messages
	Function  string // deployed name
}

// Report tells of one run. A message that cannot be sent is a terminal error,
// and a metric: the people it was for were not told, and running again would
// find nothing left to tell.
func (p Reporter) Report(ctx context.Context, r remedy.Report, now time.Time) error {
	for _, o := range r.Outcomes {
		level, attrs := slog.LevelInfo, []slog.Attr{
			slog.String("scope", r.Scope.String()), slog.String("action", o.Action.String()),
		}
		if o.Err != nil {
			level = slog.LevelError
			attrs = append(attrs, slog.String("class", remedy.ClassOf(o.Err).String()), slog.String("error", o.Err.Error()))
		}
		p.Log.LogAttrs(ctx, level, "action", append(attrs, causeAttrs(r, now)...)...)
	}
	for _, f := range r.Plan.Findings {
		p.Log.LogAttrs(ctx, slog.LevelWarn, "finding", slog.String("scope", r.Scope.String()), slog.String("finding", f.String()))
	}
	untold := p.tell(ctx, r)
	level := slog.LevelInfo
	if Unrestored(r) > 0 || untold != nil {
		level = slog.LevelError
	}
	p.Log.LogAttrs(ctx, level, "run", append(p.runAttrs(r, untold, now), causeAttrs(r, now)...)...)
	return untold
}

// tell sends a message if a run is worth one.
func (p Reporter) tell(ctx context.Context, r remedy.Report) error {
	if p.Topic == "" || !worthTelling(r) {
		return nil
	}
	if err := p.Publisher.Publish(ctx, p.Topic, subject(r), Text(r)); err != nil {
		return &remedy.Error{Op: "notify", Target: p.Topic, Class: remedy.Terminal, Err: err}
	}
	return nil
}

// runAttrs returns a run's line, with its metrics in CloudWatch's embedded
// metric format. Source: Amazon CloudWatch User Guide, "Specification:
// Embedded metric format".
func (p Reporter) runAttrs(r remedy.Report, untold error, now time.Time) []slog.Attr {
	attrs := []slog.Attr{
		slog.String("scope", r.Scope.String()),
		slog.String("mode", string(r.Mode)),
		slog.Int("held", r.Plan.Held),
		slog.Int("planned", len(r.Plan.Actions)),
		slog.Int("skipped", len(r.Plan.Skips)),
		slog.Int("remaining", len(r.Remaining)),
	}
	if r.Err != nil {
		attrs = append(attrs, slog.String("class", remedy.ClassOf(r.Err).String()), slog.String("error", r.Err.Error()))
	}
	if untold != nil {
		attrs = append(attrs, slog.String("untold", untold.Error()))
	}
	type metric struct {
		Name string
		Unit string
	}
	type directive struct {
		Namespace  string
		Dimensions [][]string
		Metrics    []metric
	}
	return append(attrs,
		slog.Any("_aws", struct {
			Timestamp         int64 // milliseconds since the epoch
			CloudWatchMetrics []directive
		}{now.UnixMilli(), []directive{{
			Namespace:  catalog.MetricNamespace,
			Dimensions: [][]string{{catalog.MetricDimension}, {}},
			Metrics: []metric{
				{catalog.MetricRepaired, "Count"},
				{catalog.MetricUnrestored, "Count"},
				{catalog.MetricUntold, "Count"},
				{catalog.MetricFindings, "Count"},
			},
		}}}),
		slog.String(catalog.MetricDimension, p.Function),
		slog.Int(catalog.MetricRepaired, r.Repaired()),
		slog.Int(catalog.MetricUnrestored, Unrestored(r)),
		slog.Int(catalog.MetricUntold, map[bool]int{true: 1}[untold != nil]),
		slog.Int(catalog.MetricFindings, len(r.Plan.Findings)),
	)
}

// causeAttrs says how long ago the earliest event behind a run was, and names
// the earliest that tells who it was: CloudWatch's own events don't, and come
// first.
func causeAttrs(r remedy.Report, now time.Time) []slog.Attr {
	if len(r.Causes) == 0 {
		return nil
	}
	causes := slices.SortedFunc(slices.Values(r.Causes), func(a, b remedy.Cause) int { return a.Time.Compare(b.Time) })
	who := max(0, slices.IndexFunc(causes, func(c remedy.Cause) bool { return c.Actor != "" }))
	return []slog.Attr{
		slog.String("event_id", causes[who].EventID), slog.String("event", causes[who].EventName), slog.String("actor", causes[who].Actor),
		slog.Int("events", len(causes)), slog.Int64("lag_ms", now.Sub(causes[0].Time).Milliseconds()),
	}
}

// subject returns a message's subject line. SNS takes up to 100 ASCII
// characters. Source: SNS API Reference, Publish.
func subject(r remedy.Report) string {
	s := fmt.Sprintf("relight: %d restored in %s of %s", r.Repaired(), r.Scope.Region, r.Scope.Account)
	if n := Unrestored(r); n > 0 {
		s += fmt.Sprintf(", %d NOT restored", n)
	}
	return s
}
