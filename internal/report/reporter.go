package report

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/plan"
	"github.com/relight-aws/relight/internal/remedy"
)

// A Publisher publishes a notification to a topic, and puts events on the default
// bus.
type Publisher interface {
	Publish(ctx context.Context, topic, subject, message string) error
	Emit(ctx context.Context, detailType, detail string) error
}

// A Reporter reports runs: it writes one log line for each action and one for
// each run, adds metrics to the run's line, sends a notification to the topic, and
// puts the same on the default bus as an event. What the topic refuses, and what is
// about relight itself, goes to the topic of last resort and to an owner's topic.
type Reporter struct {
	Log       *slog.Logger
	Publisher Publisher
	Topic     string   // ARN; "" sends no notifications
	TopicKey  string   // ARN of its key
	Last      string   // ARN of the topic of last resort; "" for none
	Far       string   // ARN of an owner's topic that carries the same; "" for none
	Alarms    []string // names of the alarms on relight itself
	Now       func() time.Time
	Function  string // deployed name
}

// Record logs one run. If the run's notification could not be sent, the log
// line has that error.
func (p Reporter) Record(ctx context.Context, r remedy.Report, unsent error, now time.Time) {
	for _, o := range r.Outcomes {
		level, attrs := slog.LevelInfo, []slog.Attr{
			slog.String("scope", r.Scope.String()), slog.String("action", o.Action.Step().String()),
		}
		if o.Err != nil {
			level = slog.LevelError
			attrs = append(attrs, slog.String("class", remedy.ClassOf(o.Err).String()), slog.String("error", o.Err.Error()))
		}
		p.Log.LogAttrs(ctx, level, "action", append(attrs, causeAttrs(r, now)...)...)
	}
	for _, c := range r.Notices() {
		p.Log.LogAttrs(ctx, slog.LevelWarn, "notice", slog.String("scope", r.Scope.String()), slog.String("event_id", c.EventID),
			slog.String("event", call(c)), slog.String("actor", c.Actor), slog.String("advice", c.Advice))
	}
	for _, f := range r.Plan.Findings {
		p.Log.LogAttrs(ctx, slog.LevelWarn, "finding", slog.String("scope", r.Scope.String()), slog.String("code", string(f.Code)), slog.String("finding", f.String()))
	}
	level := slog.LevelInfo
	if Unrestored(r) > 0 || unsent != nil {
		level = slog.LevelError
	}
	p.Log.LogAttrs(ctx, level, "run", append(p.runAttrs(r, unsent, now), causeAttrs(r, now)...)...)
}

// Notify sends people one notification about the runs that are worth it. A run
// with a fresh finding always is. If no topic takes the notification, Notify
// returns a terminal error, because a second run would find nothing left to
// report. If only one refuses it, the log has that, with the metric.
func (p Reporter) Notify(ctx context.Context, fresh map[remedy.Scope]bool, reports ...remedy.Report) error {
	worth := slices.DeleteFunc(slices.Clone(reports), func(r remedy.Report) bool { return !fresh[r.Scope] && !worthNotifying(r) })
	return p.send(ctx, subject, "", worth)
}

// NotifyDaily sends people the one notification of a sweep that says once a day what
// still needs a person, whoever was notified of it before, with whatever else is
// worth it. If nothing is, it sends none.
func (p Reporter) NotifyDaily(ctx context.Context, reports ...remedy.Report) error {
	worth := slices.DeleteFunc(slices.Clone(reports), func(r remedy.Report) bool { return !standing(r) && !worthNotifying(r) })
	for i := range worth {
		worth[i].Plan.Skips = nil // what is left alone on purpose needs nobody
	}
	return p.send(ctx, dailySubject, dailyText, worth)
}

// dailyText is the first line of a daily digest.
const dailyText = "Daily digest: each of these comes again every day until it is gone.\n"

// standing reports whether a sweep found something that needs a person.
func standing(r remedy.Report) bool {
	return r.Mode == catalog.Repair && (len(r.Plan.Findings) > 0 || Unrestored(r) > 0)
}

// send sends one notification about runs.
func (p Reporter) send(ctx context.Context, headed func([]remedy.Report) string, first string, worth []remedy.Report) error {
	if p.Topic == "" || len(worth) == 0 {
		return nil
	}
	head, text := headed(worth), first+Text(worth...)
	err := p.tell(ctx, head, text, worth)
	p.emit(ctx, head, text, worth)
	return err
}

// tell publishes a notification to the topic, to those of last resort, or to all.
func (p Reporter) tell(ctx context.Context, head, text string, worth []remedy.Report) error {
	refused := p.publish(ctx, p.Topic, head, text)
	if refused == nil && !p.concerned(worth) {
		return nil
	}
	why := "This is about relight itself, so all its topics carry it.\n"
	if refused != nil {
		why = "The topic " + p.Topic + " refused this message: " + oneLine(refused.Error()) + ".\n"
	}
	carried, failed := refused == nil, refused
	for _, to := range []string{p.Far, p.Last} { // relight's own says whether the other took it
		if to == "" {
			continue
		}
		err := p.publish(ctx, to, head, why+text)
		if err != nil && to == p.Far {
			f := plan.NewFinding(plan.LastTopicRefused, plan.Args{"topic": to, "error": oneLine(err.Error())})
			why += "Needs action: " + f.String() + "\n"
			p.Log.LogAttrs(ctx, slog.LevelWarn, "finding", slog.String("code", string(f.Code)), slog.String("finding", f.String()))
		}
		carried, failed = carried || err == nil, cmp.Or(failed, err)
	}
	if !carried {
		return failed
	}
	if failed != nil && (p.Last != "" || p.Far != "") {
		p.RecordUnsent(ctx, failed, p.Now())
	}
	return nil
}

func (p Reporter) publish(ctx context.Context, topic, head, text string) error {
	if err := p.Publisher.Publish(ctx, topic, head, text); err != nil {
		return &remedy.Error{Op: "notify", Target: topic, Class: remedy.Terminal, Err: err}
	}
	return nil
}

// concerned reports whether reports are about relight itself: its stack, its topics,
// their key or its own alarms. Whoever changed those may have cut the topic off too.
func (p Reporter) concerned(reports []remedy.Report) bool {
	return slices.ContainsFunc(reports, func(r remedy.Report) bool {
		return r.Scope.Kind == catalog.Topics || r.Scope.Kind == catalog.Guard ||
			slices.ContainsFunc(r.Outcomes, func(o remedy.Outcome) bool { return slices.Contains(p.Alarms, o.Action.Step().Target) }) ||
			slices.ContainsFunc(r.Plan.Findings, func(f plan.Finding) bool {
				return strings.Contains(f.Subject, p.Topic) || p.TopicKey != "" && strings.Contains(f.Subject, p.TopicKey)
			})
	})
}

// RecordSweep logs that a sweep of everything has finished. An alarm rings if no
// sweep does so for two intervals.
func (p Reporter) RecordSweep(ctx context.Context) {
	p.Log.LogAttrs(ctx, slog.LevelInfo, "sweep", p.metrics(p.Now(), metric{catalog.MetricSweeps, 1})...)
}

// RecordUnsent logs that a notification about several runs could not be sent.
func (p Reporter) RecordUnsent(ctx context.Context, unsent error, now time.Time) {
	attrs := []slog.Attr{slog.String("untold", unsent.Error())}
	p.Log.LogAttrs(ctx, slog.LevelError, "notification not sent", append(attrs, p.metrics(now, metric{catalog.MetricUntold, 1})...)...)
}

// runAttrs returns the attributes of a run's line, with its metrics.
func (p Reporter) runAttrs(r remedy.Report, unsent error, now time.Time) []slog.Attr {
	attrs := []slog.Attr{
		slog.String("scope", r.Scope.String()),
		slog.String("mode", string(r.Mode)),
		slog.Int("healthy", r.Plan.Healthy),
		slog.Int("planned", len(r.Plan.Actions)),
		slog.Int("skipped", len(r.Plan.Skips)),
		slog.Int("remaining", len(r.Remaining)),
	}
	if r.Err != nil {
		attrs = append(attrs, slog.String("class", remedy.ClassOf(r.Err).String()), slog.String("error", r.Err.Error()))
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

// causeAttrs says how long ago the earliest event of a run was. It names the
// earliest event that has an actor, because CloudWatch's own events come first
// and have none.
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

// subject returns the subject of a notification. SNS accepts up to 100 ASCII
// characters. Source: SNS API Reference, Publish.
func subject(reports []remedy.Report) string {
	repaired, unrestored := 0, 0
	regions := map[string]bool{}
	for _, r := range reports {
		repaired += r.Repaired()
		unrestored += Unrestored(r)
		regions[r.Scope.Region] = true
	}
	where := reports[0].Scope.Region
	if len(regions) > 1 {
		where = fmt.Sprintf("%d regions", len(regions))
	}
	if repaired == 0 && unrestored == 0 {
		return fmt.Sprintf("relight: needs attention in %s of %s", where, reports[0].Scope.Account)
	}
	s := fmt.Sprintf("relight: %d restored in %s of %s", repaired, where, reports[0].Scope.Account)
	if unrestored > 0 {
		s += fmt.Sprintf(", %d NOT restored", unrestored)
	}
	return s
}

// dailySubject returns the subject of a daily digest.
func dailySubject(reports []remedy.Report) string {
	var findings []string
	failed := 0
	for _, r := range reports {
		findings = append(findings, lines(r.Plan.Findings)...)
		failed += Unrestored(r)
	}
	return strings.Replace(subject(reports), "relight: ", fmt.Sprintf("relight daily digest, %d open: ", len(once(findings))+failed), 1)
}
