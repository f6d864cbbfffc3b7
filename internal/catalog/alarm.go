package catalog

// These settings say how every alarm measures its control, as CIS prescribes.
// Source: CIS AWS Foundations Benchmark, monitoring section, remediation text.
const (
	AlarmComparison = "GreaterThanOrEqualToThreshold"
	AlarmPeriod     = 300 // seconds
	AlarmThreshold  = 1.0 // matching log events in one period
	AlarmPeriods    = 1   // evaluation periods
	AlarmMissing    = "notBreaching"
)

// Statistics of the alarms. A negative value, which anybody may write into a
// metric, lowers the sum and not the maximum. See docs/adr/0018-what-data-cannot-undo.md.
const (
	AlarmMaximum = "Maximum"
	AlarmSum     = "Sum"
)

// Statistic returns the statistic of the control's alarm: the largest value if one
// event is enough, since only a sum counts several.
func (c Control) Statistic() string {
	if c.Threshold > 1 {
		return AlarmSum
	}
	return AlarmMaximum
}

// Limits of the CloudWatch API. Source: CloudWatch API Reference,
// DescribeAlarms and PutMetricAlarm.
const (
	AlarmsPerCall   = 100 // names in one DescribeAlarms call
	ActionsPerState = 5   // actions for one alarm state
)

// StuckAfter is how long an alarm may be in ALARM, in seconds, before relight
// reports it. An alarm notifies only when its state changes, so new events send
// no notification while it stays in ALARM.
const StuckAfter = 24 * 60 * 60

// StuckWithin is how far back a sweep adds up how long an alarm was in ALARM, in
// seconds: whoever lets it go for a moment once a day begins at 0 otherwise.
const StuckWithin = 2 * StuckAfter
