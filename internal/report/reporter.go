package report

import (
	"cmp"
	"context"
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
	Publish(ctx context.Context, topic string, n remedy.Notification) error
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
	Version   string // of relight
	Chat      bool   // HTTPS subscribers are chat channels, and get messages in their form

	Minimum catalog.Severity // of messages: nobody asked for those below; "" for all
	Filters bool             // a subscription to the topic has a filter policy, which keeps no critical message from anybody

	Own func(remedy.Cause) bool // reports whether relight itself made a call, which is then no cause; nil for never
}

// Notify sends people one notification about the runs that are worth it. A run
// with a fresh finding always is. If no topic takes the notification, Notify
// returns a terminal error, because a second run would find nothing left to
// report. If only one refuses it, the log has that, with the metric.
func (p Reporter) Notify(ctx context.Context, fresh map[remedy.Scope]bool, reports ...remedy.Report) error {
	worth := slices.Clone(reports)
	for i := range worth {
		worth[i] = settled(worth[i])
	}
	worth = slices.DeleteFunc(worth, func(r remedy.Report) bool { return !fresh[r.Scope] && !worthNotifying(r) })
	return p.send(ctx, false, worth)
}

// settled returns a report without what another run is about to restore or to report:
// what failed for now, if the run is repeated, and what the verification found beside
// the run's own actions, which somebody changed after the run began and which has an event of
// its own. If the run made something, it may be that which still needs a setting.
func settled(r remedy.Report) remedy.Report {
	if len(r.Causes) == 0 {
		return r
	}
	tried, made := map[string]bool{}, false
	for _, o := range r.Outcomes {
		tried[plan.Key(o.Action)] = true
		made = made || o.Action.Step().Makes != ""
	}
	if !made && len(r.Outcomes) > 0 {
		r.Remaining = slices.DeleteFunc(slices.Clone(r.Remaining), func(a plan.Action) bool { return !tried[plan.Key(a)] })
	}
	if !r.Again {
		return r
	}
	later := func(err error) bool { return err != nil && remedy.ClassOf(err).Retry() }
	waits := map[string]bool{}
	r.Outcomes = slices.DeleteFunc(slices.Clone(r.Outcomes), func(o remedy.Outcome) bool {
		waits[plan.Key(o.Action)] = later(o.Err) || waits[plan.Key(o.Action)]
		return later(o.Err)
	})
	for _, left := range waits {
		if left {
			r.Waits++
		}
	}
	r.Remaining = slices.DeleteFunc(slices.Clone(r.Remaining), func(a plan.Action) bool { return waits[plan.Key(a)] })
	advised := slices.ContainsFunc(r.Causes, func(c remedy.Cause) bool { return c.Advice != "" })
	if later(r.Err) && !advised { // a call for people to check does not wait
		r.Err, r.Remaining = nil, nil
	}
	return r
}

// NotifyDaily sends people the one notification of a sweep that says once a day what
// still needs a person, whoever was notified of it before, with whatever else is
// worth it. If nothing is, it sends none.
func (p Reporter) NotifyDaily(ctx context.Context, reports ...remedy.Report) error {
	worth := slices.DeleteFunc(slices.Clone(reports), func(r remedy.Report) bool { return !standing(r) && !worthNotifying(r) })
	for i := range worth {
		worth[i].Plan.Skips = nil // what is left alone on purpose needs nobody
	}
	return p.send(ctx, true, worth)
}

// standing reports whether a sweep found something that needs a person.
func standing(r remedy.Report) bool {
	return r.Mode == catalog.Repair && (r.Pause != nil || len(r.Plan.Findings) > 0 || Unrestored(r) > 0)
}

// send sends one notification about runs.
func (p Reporter) send(ctx context.Context, daily bool, worth []remedy.Report) error {
	if p.Topic == "" || len(worth) == 0 {
		return nil
	}
	d := p.document(p.Now(), daily, worth)
	d.Subject = d.subject()
	err := p.tell(ctx, d, worth)
	d.preface = ""
	p.emit(ctx, d)
	return err
}

// tell publishes a notification to the topic, to those of last resort, or to all. What
// no subscriber asked for it publishes to none: the log and the event have it.
func (p Reporter) tell(ctx context.Context, d *Document, worth []remedy.Report) error {
	if p.Minimum != "" && !d.Severity.AtLeast(p.Minimum) {
		return nil
	}
	refused := p.publish(ctx, p.Topic, d)
	concerned := p.concerned(worth)
	if refused == nil && !concerned && (!p.Filters || d.Severity != catalog.Critical) {
		return nil
	}
	d.preface = "This is critical, so all topics of relight's carry it.\n\n"
	if concerned {
		d.preface = "This is about relight itself, so all its topics carry it.\n\n"
	}
	if refused != nil {
		d.preface = "The topic " + p.Topic + " refused this message: " + oneLine(refused.Error()) + ".\n\n"
	}
	carried, failed := refused == nil, refused
	for _, to := range []string{p.Far, p.Last} { // relight's own says whether the other took it
		if to == "" {
			continue
		}
		err := p.publish(ctx, to, d)
		if err != nil && to == p.Far {
			f := plan.NewFinding(plan.LastTopicRefused, plan.Args{"topic": to, "error": oneLine(err.Error())})
			d.preface += "Needs action: " + oneLine(f.String()) + "\n\n"
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

// publish publishes a document. The subscribers of an owner's topic are not relight's, and
// none of them is a chat channel that relight knows of.
func (p Reporter) publish(ctx context.Context, topic string, d *Document) error {
	if err := p.Publisher.Publish(ctx, topic, d.notification(p.Chat && topic != p.Far)); err != nil {
		return &remedy.Error{Op: "notify", Target: topic, Class: remedy.Terminal, Err: err}
	}
	return nil
}

// concerned reports whether reports are about relight itself: its stack, its topics,
// their key or its own alarms. Whoever changed those may have cut the topic off too.
func (p Reporter) concerned(reports []remedy.Report) bool {
	return slices.ContainsFunc(reports, func(r remedy.Report) bool {
		return r.Scope.Kind == catalog.Topics || r.Scope.Kind == catalog.Guard || r.Ended != "" || r.Pause != nil && len(r.Causes) == 0 ||
			slices.ContainsFunc(r.Outcomes, func(o remedy.Outcome) bool { return slices.Contains(p.Alarms, o.Action.Step().Target) }) ||
			slices.ContainsFunc(r.Earlier, func(d remedy.Deed) bool { return slices.Contains(p.Alarms, d.Target) }) ||
			slices.ContainsFunc(r.Plan.Findings, func(f plan.Finding) bool {
				return strings.Contains(f.Subject, p.Topic) || p.TopicKey != "" && strings.Contains(f.Subject, p.TopicKey)
			})
	})
}
