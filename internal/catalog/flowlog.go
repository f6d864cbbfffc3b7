package catalog

import "regexp"

// Traffic types of a flow log. ALL covers the other two.
const (
	TrafficAll    = "ALL"
	TrafficAccept = "ACCEPT"
	TrafficReject = "REJECT"
)

// Destination types of a flow log, as EC2 spells them.
const (
	ToCloudWatchLogs = "cloud-watch-logs"
	ToS3             = "s3"
	ToFirehose       = "kinesis-data-firehose"
)

// DefaultFlowLogFormat is the version 2 record that EC2 writes when no format
// is asked for. Source: Amazon VPC User Guide, "Flow log records".
const DefaultFlowLogFormat = "${version} ${account-id} ${interface-id} ${srcaddr} ${dstaddr} " +
	"${srcport} ${dstport} ${protocol} ${packets} ${bytes} ${start} ${end} ${action} ${log-status}"

// FlowLogsPerCall is how many resources one CreateFlowLogs call takes.
// Source: EC2 API Reference, CreateFlowLogs, as of the API model of November
// 2026; until then it said 1000.
const FlowLogsPerCall = 300

// FlowLogsPerVPC is how many flow logs a VPC has room for. Source: Amazon VPC
// User Guide, "Amazon VPC quotas", where it cannot be raised.
const FlowLogsPerVPC = 2

// FlowLogsPerDeletion is how many flow logs one DeleteFlowLogs call takes.
// Source: EC2 API Reference, DeleteFlowLogs.
const FlowLogsPerDeletion = 1000

// FilterValues is how many values a filter of EC2 takes. Source: EC2 API
// Reference, Filter.
const FilterValues = 200

// ExemptTag is the tag that exempts a VPC, with the value ExemptValue, where
// the configuration allows it.
const (
	ExemptTag   = "relight:exempt"
	ExemptValue = "true"
)

// MostGraceSeconds is how long an event may wait: the longest delay of a
// queue. Source: SQS API Reference, CreateQueue, DelaySeconds.
const MostGraceSeconds = 900

// A FlowLogSpec is what every VPC's flow log has to satisfy, and what relight
// creates where none does.
type FlowLogSpec struct {
	TrafficType   string   // what must be covered; REJECT as CIS asks
	Format        string   // every field in it must be recorded; "" means DefaultFlowLogFormat
	Destinations  []string // destination types that count; none means any
	LogGroup      string   // where relight's own flow logs go
	RetentionDays int32    // least retention of a log group behind a flow log
	Aggregation   int32    // seconds, 60 or 600, of relight's own flow logs
	ExemptVPCs    []string // VPC IDs left alone
	ExemptByTag   bool     // VPCs with ExemptTag are left alone
}

// WantFormat returns the format whose fields must be recorded.
func (s FlowLogSpec) WantFormat() string {
	if s.Format == "" {
		return DefaultFlowLogFormat
	}
	return s.Format
}

var formatField = regexp.MustCompile(`\$\{([a-z0-9-]+)\}`)

// FormatFields returns the names of the fields in a flow log format.
func FormatFields(format string) []string {
	var fields []string
	for _, m := range formatField.FindAllStringSubmatch(format, -1) {
		fields = append(fields, m[1])
	}
	return fields
}
