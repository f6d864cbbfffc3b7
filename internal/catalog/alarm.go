package catalog

// How every alarm measures its control, as CIS writes it. Source: CIS AWS
// Foundations Benchmark, monitoring section, remediation text.
const (
	AlarmStatistic  = "Sum"
	AlarmComparison = "GreaterThanOrEqualToThreshold"
	AlarmPeriod     = 300 // seconds
	AlarmThreshold  = 1.0 // matching log events in one period
	AlarmPeriods    = 1   // evaluation periods
	AlarmMissing    = "notBreaching"
)

// Limits of the CloudWatch API. Source: CloudWatch API Reference,
// DescribeAlarms and PutMetricAlarm.
const (
	AlarmsPerCall   = 100 // names in one DescribeAlarms
	ActionsPerState = 5   // actions of one alarm state
)

// StuckAfter is how long an alarm may stand in ALARM, in seconds, until people
// are told: it notifies when it changes state, and so tells nobody of what
// comes next.
const StuckAfter = 24 * 60 * 60
