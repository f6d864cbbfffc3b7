package report

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/order"
	"github.com/relight-aws/relight/internal/remedy"
)

// These are the values of the field "outcome" in log lines.
const (
	Restored   = "restored"
	Created    = "created"    // it was not there before
	Failed     = "failed"     // AWS refused the action, or what it protects could not be read
	Remains    = "remains"    // AWS accepted the action, but the verification plans it again
	Planned    = "planned"    // in mode observe
	Postponed  = "postponed"  // relight is paused
	Remembered = "remembered" // the action changed only what relight remembers
	Healthy    = "healthy"    // of a run that found nothing to do
)

// The messages of the log lines that "relight history" and "relight status" query.
const (
	ActionLine  = "action"
	NoticeLine  = "notice"
	FindingLine = "finding"
	RunLine     = "run"
	SweepLine   = "sweep"

	OrganizationLine = "organization"
)

// Record logs one run. If the run's notification could not be sent, the log
// line has that error. Each line has what people ask a log for as a field of its own.
func (p Reporter) Record(ctx context.Context, r remedy.Report, unsent error, now time.Time) {
	restored, severity := r.Restored(), slog.String("severity", string(p.severity([]remedy.Report{r})))
	for i, a := range r.Plan.Actions {
		step, level, outcome := a.Step(), slog.LevelInfo, Planned
		if r.Pause != nil {
			outcome = Postponed
		}
		var failure []slog.Attr
		if i < len(r.Outcomes) {
			o := r.Outcomes[i]
			switch outcome = Remains; {
			case o.Err != nil:
				outcome, level, failure = Failed, slog.LevelError, errorAttrs(o.Err)
			case !o.Restores():
				outcome = Remembered
			case restored[i] && created(r, a):
				outcome = Created
			case restored[i]:
				outcome = Restored
			}
		}
		verb, _, _ := strings.Cut(step.Do, " ")
		attrs := append(scopeAttrs(r.Scope),
			slog.String("action", step.String()), slog.String("verb", verb), slog.String("target", step.Target), slog.String("reason", step.Reason), slog.String("outcome", outcome), severity)
		p.Log.LogAttrs(ctx, level, ActionLine, slices.Concat(attrs, failure, causeAttrs(r, step.Target, now))...)
	}
	for _, c := range r.Notices() {
		p.Log.LogAttrs(ctx, slog.LevelWarn, NoticeLine, append(append(scopeAttrs(r.Scope),
			slog.String("target", strings.Join(c.Names.List(), ",")), slog.String("advice", c.Advice), slog.String("severity", string(c.Severity))), eventAttrs(c)...)...)
	}
	for _, f := range r.Plan.Findings {
		p.Log.LogAttrs(ctx, slog.LevelWarn, FindingLine, append(append(scopeAttrs(r.Scope),
			slog.String("code", string(f.Code)), slog.String("severity", string(f.Severity)), slog.String("target", f.Subject), slog.String("finding", f.String())), causeAttrs(r, f.Subject, now)...)...)
	}
	level := slog.LevelInfo
	if Unrestored(r) > 0 || unsent != nil {
		level = slog.LevelError
	}
	p.Log.LogAttrs(ctx, level, RunLine, append(p.runAttrs(r, unsent, now), causeAttrs(r, "", now)...)...)
}

// scopeAttrs returns the fields that say where a run was.
func scopeAttrs(s remedy.Scope) []slog.Attr {
	return []slog.Attr{
		slog.String("scope", s.String()), slog.String("account", s.Account), slog.String("region", s.Region), slog.String("kind", string(s.Kind)),
	}
}

func errorAttrs(err error) []slog.Attr {
	return []slog.Attr{slog.String("class", remedy.ClassOf(err).String()), slog.String("error", err.Error())}
}

// A Tally counts what a sweep of everything found and did.
type Tally struct {
	Began                                            time.Time
	Healthy, Planned, Repaired, Unrestored, Findings int
}

// RecordSweep logs that a sweep of everything has finished. An alarm rings if no
// sweep does so for two intervals.
func (p Reporter) RecordSweep(ctx context.Context, t Tally) {
	attrs := []slog.Attr{
		slog.Time("began", t.Began), slog.Int("healthy", t.Healthy), slog.Int("planned", t.Planned), slog.Int("repaired", t.Repaired),
		slog.Int("unrestored", t.Unrestored), slog.Int("findings", t.Findings),
	}
	p.Log.LogAttrs(ctx, slog.LevelInfo, SweepLine, append(attrs, p.metrics(p.Now(), metric{catalog.MetricSweeps, 1})...)...)
}

// A Sum counts what the sweep of an organisation's accounts found and did, but for the
// deployment's own.
type Sum struct {
	Accounts, Outside, Suspended, Unswept            int // accounts
	Healthy, Planned, Repaired, Unrestored, Findings int
}

// RecordOrganization logs that a sweep of an organisation's accounts is over. The metrics have
// it only if it was whole: of everything, in every account.
func (p Reporter) RecordOrganization(ctx context.Context, whole bool, s Sum) {
	attrs := []slog.Attr{
		slog.Int("accounts", s.Accounts), slog.Int("outside", s.Outside), slog.Int("suspended", s.Suspended), slog.Int("unswept", s.Unswept),
		slog.Int("healthy", s.Healthy), slog.Int("planned", s.Planned), slog.Int("repaired", s.Repaired),
		slog.Int("unrestored", s.Unrestored), slog.Int("findings", s.Findings),
	}
	if whole {
		attrs = append(attrs, p.metrics(p.Now(), metric{catalog.MetricAccounts, s.Accounts}, metric{catalog.MetricUnswept, s.Unswept})...)
	}
	p.Log.LogAttrs(ctx, slog.LevelInfo, OrganizationLine, attrs...)
}

// RecordUnsent logs that a notification about several runs could not be sent.
func (p Reporter) RecordUnsent(ctx context.Context, unsent error, now time.Time) {
	attrs := []slog.Attr{slog.String("untold", unsent.Error())}
	p.Log.LogAttrs(ctx, slog.LevelError, "notification not sent", append(attrs, p.metrics(now, metric{catalog.MetricUntold, 1})...)...)
}

// runAttrs returns the attributes of a run's line, with its metrics.
func (p Reporter) runAttrs(r remedy.Report, unsent error, now time.Time) []slog.Attr {
	outcome := Healthy
	switch {
	case Unrestored(r) > 0:
		outcome = Failed
	case r.Repaired() > 0:
		outcome = Restored
	case len(r.Postponed()) > 0:
		outcome = Postponed
	case r.Planned() > 0:
		outcome = Planned
	}
	attrs := append(scopeAttrs(r.Scope),
		slog.String("mode", string(r.Mode)),
		slog.String("outcome", outcome),
		slog.Int("healthy", r.Plan.Healthy),
		slog.Int("planned", len(r.Plan.Actions)),
		slog.Int("skipped", len(r.Plan.Skips)),
		slog.Int("remaining", len(r.Remaining)),
	)
	if r.Pause != nil {
		attrs = append(attrs, slog.Time("paused_until", r.Pause.Until), slog.String("paused_by", r.Pause.By), slog.Int("postponed", len(r.Postponed())))
	}
	if r.Err != nil {
		attrs = append(attrs, errorAttrs(r.Err)...)
	}
	if unsent != nil {
		attrs = append(attrs, slog.String("untold", unsent.Error()))
	}
	failed := 0
	if unsent != nil {
		failed = 1
	}
	return append(attrs, p.metrics(now,
		metric{catalog.MetricRepaired, r.Repaired()}, metric{catalog.MetricUnrestored, Unrestored(r)},
		metric{catalog.MetricUntold, failed}, metric{catalog.MetricFindings, len(r.Plan.Findings)},
	)...)
}

type metric struct {
	name  string
	value int
}

// metrics returns the attributes that add metrics to a log line. CloudWatch
// records each metric for the function and for all functions together. Source:
// Amazon CloudWatch User Guide, "Specification: Embedded metric format".
func (p Reporter) metrics(now time.Time, all ...metric) []slog.Attr {
	type definition struct {
		Name string
		Unit string
	}
	type directive struct {
		Namespace  string
		Dimensions [][]string
		Metrics    []definition
	}
	d := directive{Namespace: catalog.MetricNamespace, Dimensions: [][]string{{catalog.MetricDimension}, {}}}
	attrs := []slog.Attr{slog.String(catalog.MetricDimension, p.Function)}
	for _, m := range all {
		d.Metrics = append(d.Metrics, definition{m.name, "Count"})
		attrs = append(attrs, slog.Int(m.name, m.value))
	}
	return append(attrs, slog.Any("_aws", struct {
		Timestamp         int64 // milliseconds since the epoch
		CloudWatchMetrics []directive
	}{now.UnixMilli(), []directive{d}}))
}

// causeAttrs returns the fields that say which event led to what was done about a
// target, or, for "", to the run. Of several events, those that name the target count,
// or else those that name nothing, or else all. lag_ms is the time since the
// earliest of them. The others are of the earliest one that has an actor, because CloudWatch's own
// events come first and have none.
func causeAttrs(r remedy.Report, target string, now time.Time) []slog.Attr {
	if len(r.Causes) == 0 {
		return nil
	}
	causes := order.By(slices.Clone(r.Causes), func(a, b remedy.Cause) int { return a.Time.Compare(b.Time) })
	if target != "" {
		causes = causesOf(causes, target)
	}
	who := max(0, slices.IndexFunc(causes, func(c remedy.Cause) bool { return c.Actor != "" }))
	return append(eventAttrs(causes[who]), slog.Int("events", len(r.Causes)), slog.Int64("lag_ms", now.Sub(causes[0].Time).Milliseconds()))
}

// causesOf returns the causes that most likely changed a target.
func causesOf(causes []remedy.Cause, target string) []remedy.Cause {
	var named, unnamed []remedy.Cause
	for _, c := range causes {
		names := c.Names.List()
		switch {
		case len(names) == 0:
			unnamed = append(unnamed, c)
		case slices.ContainsFunc(names, func(n string) bool { return lastPart(n) == lastPart(target) }):
			named = append(named, c)
		}
	}
	switch {
	case named != nil:
		return named
	case unnamed != nil:
		return unnamed
	}
	return causes
}

// lastPart returns the last part of an ARN: calls name some resources by name and
// others by ARN.
func lastPart(name string) string {
	if strings.HasPrefix(name, "arn:") {
		return name[strings.LastIndexAny(name, ":/")+1:]
	}
	return name
}

// eventAttrs returns the fields of one event.
func eventAttrs(c remedy.Cause) []slog.Attr {
	attrs := []slog.Attr{
		slog.String("event_id", c.EventID), slog.String("event", c.EventName), slog.String("actor", c.Actor), slog.String("source_ip", c.SourceIP),
		slog.Time("event_time", c.Time.UTC()),
	}
	if c.Past {
		attrs = append(attrs, slog.Bool("from_history", true))
	}
	return attrs
}
