package catalog

import (
	"maps"
	"slices"
)

// A StackAlarm is an alarm on relight itself. The stack creates it, and relight
// restores it like the alarms of the controls. It has the stack's topic among its
// actions.
type StackAlarm struct {
	ID          string // Baseline.Name(ID) is the alarm's name
	Namespace   string
	Metric      string
	Dimensions  map[string]string // name to value; nil for none
	OfQueue     bool              // the metric is of the dead-letter queue with the same ID, whose name only the deployment knows
	Statistic   string
	Period      int32 // seconds
	Periods     int32 // evaluation periods; each must breach
	Comparison  string
	Threshold   float64
	Missing     string // how missing data is treated
	Description string
	Both        bool // it also notifies the topic of last resort
}

// What the stack's alarms make of a period without data.
const (
	// idle is for queues and functions, which send no data while nothing happens.
	idle = "notBreaching"
	// late is for the metrics of the sweep, whose alarms have the sweep's interval
	// as their period: a period in which no sweep ended says nothing, so the alarm
	// keeps its state.
	late = "ignore"
	// dead is for the alarms that notice that there are no sweeps.
	dead = "breaching"
)

// These are the IDs of the stack's alarms that belong to no kind. The first two are
// also those of the dead-letter queues that they watch.
const (
	Undelivered = "undelivered"  // the dead-letter queue of the rules and of the schedule
	SweepFailed = "sweep-failed" // the queue of the failed sweeps
	unrestored  = "unrestored"
	findings    = "findings"
	untold      = "untold"
	notStarted  = "sweep-not-started"
	notFinished = "sweep-not-finished"
	notAudited  = "audit-not-started"
	notSwept    = "organization-not-swept"
	unswept     = "accounts-unswept"
)

// DrillAlarm is the ID of the alarm that a drill rings: it notifies both topics.
const DrillAlarm = untold

// DeadLetters returns the ID of the dead-letter queue of a kind, and of its alarm.
func DeadLetters(k Kind) string { return string(k) + "-dead-letters" }

// Errors returns the ID of the alarm on the errors of a function.
func Errors(f Function) string { return string(f) + "-errors" }

// AlarmsOfStack returns the alarms that the home stack creates for the kinds that
// it watches and for a sweep in each interval, in seconds. They notify once each
// time they begin.
func (b Baseline) AlarmsOfStack(watched []Kind, interval int32) []StackAlarm {
	all := []StackAlarm{UndeliveredAlarm()}
	for _, k := range watched {
		f := Function(k)
		all = append(all,
			queued(DeadLetters(k), "relight: "+b.FunctionName(f)+" could not handle some events. Its log says why; redrive the dead-letter queue to try again."),
			b.failing(f),
		)
	}
	all = append(all,
		queued(SweepFailed, "relight: a sweep failed for good. The message and the function's log say why; the next sweep tries again."),
		b.failing(Backfill),
	)
	if b.Audit.On() {
		errors := b.failing(Auditor)
		errors.Description = "relight: " + b.FunctionName(Auditor) + " could not audit the account, or Security Hub did not take every finding. Its log says why; the next audit tries again."
		all = append(all, errors, StackAlarm{
			ID: notAudited, Namespace: "AWS/Lambda", Metric: "Invocations", Dimensions: errors.Dimensions,
			Statistic: "Sum", Period: int32(b.Audit.Hours) * 3600, Periods: 2, Comparison: "LessThanThreshold", Threshold: 1, Missing: dead, Both: true,
			Description: "relight: no audit has started for two intervals, so what Security Hub shows is old. Somebody may have cut its schedule or its function.",
		})
	}
	bySweep := map[string]string{MetricDimension: b.FunctionName(Backfill)}
	for _, w := range []StackAlarm{
		{ID: unrestored, Metric: MetricUnrestored, Dimensions: bySweep, Periods: 2, Description: "relight: two sweeps in a row left something unrestored. Their logs say what and why."},
		{ID: findings, Metric: MetricFindings, Dimensions: bySweep, Periods: 1, Description: "relight: a sweep has findings, which only a person can fix. The sweep's log says what to do."},
		{ID: untold, Metric: MetricUntold, Periods: 1, Description: "relight: a notification could not be sent. The function's log has it; check the topic and its key.", Both: true},
	} {
		w.Namespace, w.Statistic, w.Period, w.Missing = MetricNamespace, "Maximum", interval, late
		all = append(all, w.above())
	}
	for _, w := range []StackAlarm{
		{
			ID: notStarted, Namespace: "AWS/Lambda", Metric: "Invocations", Dimensions: map[string]string{"FunctionName": b.FunctionName(Backfill)},
			Description: "relight: no sweep has started for two intervals. Somebody may have cut the schedule or the function: relight restores nothing until sweeps run again.",
		},
		{
			ID: notFinished, Namespace: MetricNamespace, Metric: MetricSweeps, Dimensions: bySweep,
			Description: "relight: no sweep of everything has finished for two intervals. The log of the sweep's function says why; if there is none, somebody may have cut the schedule, the function or its log.",
		},
	} {
		w.Statistic, w.Period, w.Periods, w.Missing, w.Both = "Sum", interval, 2, dead, true
		w.Comparison, w.Threshold = "LessThanThreshold", 1
		all = append(all, w)
	}
	if b.Organization.On() {
		all = append(all,
			StackAlarm{
				ID: unswept, Namespace: MetricNamespace, Metric: MetricUnswept, Dimensions: bySweep, Statistic: "Maximum", Period: interval, Periods: 2, Missing: late,
				Description: "relight: two sweeps of the organisation in a row could not sweep some account. The log of the sweep's function says which and why.",
			}.above(),
			StackAlarm{
				ID: notSwept, Namespace: MetricNamespace, Metric: MetricAccounts, Dimensions: bySweep, Statistic: "SampleCount", Period: interval, Periods: 3, // one may take longer than another
				Comparison: "LessThanThreshold", Threshold: 1, Missing: dead, Both: true,
				Description: "relight: no sweep of the organisation's accounts has ended for three intervals. Its state machine may have been changed, stopped or deleted, or one sweep takes that long: see its executions in Step Functions.",
			},
		)
	}
	return all
}

// UndeliveredAlarm returns the alarm on events that EventBridge could not deliver,
// which the stack of each region has.
func UndeliveredAlarm() StackAlarm {
	return queued(Undelivered, "relight: EventBridge could not deliver events. The sweep covers for them; each message's attributes say why.")
}

// queued returns the alarm on the dead-letter queue of the same ID.
func queued(id, description string) StackAlarm {
	return StackAlarm{
		ID: id, OfQueue: true, Namespace: "AWS/SQS", Metric: "ApproximateNumberOfMessagesVisible",
		Statistic: "Maximum", Period: 60, Periods: 1, Missing: idle, Description: description,
	}.above()
}

// failing returns the alarm on the errors of a function.
func (b Baseline) failing(f Function) StackAlarm {
	return StackAlarm{
		ID: Errors(f), Namespace: "AWS/Lambda", Metric: "Errors", Dimensions: map[string]string{"FunctionName": b.FunctionName(f)},
		Statistic: "Sum", Period: 300, Periods: 1, Missing: idle, Description: "relight: " + b.FunctionName(f) + " failed as a whole. Its log says why.",
	}.above()
}

// Of returns the alarm with its queue's name.
func (a StackAlarm) Of(queue string) StackAlarm {
	if a.OfQueue {
		a.Dimensions = map[string]string{"QueueName": queue}
	}
	return a
}

// OwnAlarms returns the alarms of the stack as they are deployed: none where relight
// is not deployed, and none on a queue that the deployment does not name.
func (d Desired) OwnAlarms() []StackAlarm {
	var all []StackAlarm
	for _, a := range d.StackAlarms {
		if queue := d.DeadLetters[a.ID]; d.Topic != "" && (!a.OfQueue || queue != "") {
			all = append(all, a.Of(queue))
		}
	}
	return all
}

// above returns the alarm on a metric that is above zero.
func (a StackAlarm) above() StackAlarm {
	a.Comparison, a.Threshold = "GreaterThanThreshold", 0
	return a
}

// StackAlarmIDs returns the IDs of the alarms that a stack may have, whatever the
// configuration says. No control may have one of them.
func StackAlarmIDs() []string {
	ids := map[string]bool{}
	for _, a := range (Baseline{Audit: AuditSpec{Hours: AuditHours}, Organization: Organization{ID: "o-"}}).AlarmsOfStack(Kinds(), 0) {
		ids[a.ID] = true
	}
	return slices.Sorted(maps.Keys(ids))
}
