package catalog

import "strings"

// ClassStandard is the only log group class that accepts metric filters.
const ClassStandard = "STANDARD"

// FiltersPerGroup is how many metric filters a log group can have. Source:
// CloudWatch Logs API Reference, PutMetricFilter.
const FiltersPerGroup = 100

// controlTower is in the names of log groups that AWS Control Tower owns, at
// their beginning or after a path. Source: AWS Control Tower Guide, "Mandatory
// controls", "Disallow changes to Amazon CloudWatch Logs log groups set up by
// AWS Control Tower": log-group:*aws-controltower*.
const controlTower = "aws-controltower"

// ControlTowerOwns reports whether AWS Control Tower owns the log group with
// that name. Control Tower denies changes to it, so relight only reports
// findings about it.
func ControlTowerOwns(group string) bool { return strings.Contains(group, controlTower) }

// RetentionDays lists the retention periods that CloudWatch Logs accepts, in
// days.
// Source: CloudWatch Logs API Reference, PutRetentionPolicy.
var RetentionDays = []int32{
	1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096,
	1827, 2192, 2557, 2922, 3288, 3653,
}

// A LogGroupSpec says what the trail's log group must satisfy.
type LogGroupSpec struct {
	Name          string // "" means the log group that the trail delivers to
	RetentionDays int32  // the shortest retention; a group without a retention keeps its records for ever
}
