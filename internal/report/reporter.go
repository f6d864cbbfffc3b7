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
