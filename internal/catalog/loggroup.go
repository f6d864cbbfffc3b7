package catalog

// ClassStandard is the only log group class that takes metric filters.
const ClassStandard = "STANDARD"

// FiltersPerGroup is how many metric filters a log group takes. Source:
// CloudWatch Logs API Reference, PutMetricFilter.
const FiltersPerGroup = 100

// ControlTowerPrefix begins the names of log groups that AWS Control Tower
// owns; its controls deny changes to them, so relight only reports on them.
const ControlTowerPrefix = "aws-controltower/"

// RetentionDays lists the retention periods CloudWatch Logs accepts.
// Source: CloudWatch Logs API Reference, PutRetentionPolicy.
var RetentionDays = []int32{
	1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096,
	1827, 2192, 2557, 2922, 3288, 3653,
}

// A LogGroupSpec is what the trail's log group has to satisfy.
type LogGroupSpec struct {
	Name          string // "" means the one the trail delivers to
	RetentionDays int32  // least retention; a group without one keeps for ever
}
