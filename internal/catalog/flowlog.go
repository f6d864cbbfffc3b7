package catalog

import "regexp"

// These are the traffic types of a flow log. ALL covers the other two.
const (
	TrafficAll    = "ALL"
	TrafficAccept = "ACCEPT"
	TrafficReject = "REJECT"
)

// These are the destination types of a flow log, as EC2 spells them.
const (
	ToCloudWatchLogs = "cloud-watch-logs"
	ToS3             = "s3"
	ToFirehose       = "kinesis-data-firehose"
)

// DefaultFlowLogFormat is the version 2 record that EC2 writes if a request
// names no format. Source: Amazon VPC User Guide, "Flow log records".
const DefaultFlowLogFormat = "${version} ${account-id} ${interface-id} ${srcaddr} ${dstaddr} " +
	"${srcport} ${dstport} ${protocol} ${packets} ${bytes} ${start} ${end} ${action} ${log-status}"

// FlowLogsPerCall is how many resources one CreateFlowLogs call accepts.
// Source: EC2 API Reference, CreateFlowLogs, as of the API model of November
// 2026; earlier models said 1000.
const FlowLogsPerCall = 300

// DefaultAggregation is the interval, in seconds, over which EC2 aggregates
// records if a request names none. Source: EC2 API Reference, CreateFlowLogs,
// MaxAggregationInterval.
const DefaultAggregation = 600

// ProvenAfter is how many seconds a flow log has to exist before its delivery
// status counts: EC2 says SUCCESS from the first second, before it has delivered
// anything, and reports a failure one aggregation interval and some minutes later.
// Sources: recorded replies of DescribeFlowLogs (cloud-custodian, 2018-11-02 and
// 2020-04-27; LocalStack, 2024-09-24); Amazon VPC User Guide, "Access flow logs".
const ProvenAfter = 3600

// FlowLogsPerDeletion is how many flow logs one DeleteFlowLogs call accepts.
// Source: EC2 API Reference, DeleteFlowLogs.
const FlowLogsPerDeletion = 1000

// FilterValues is how many values an EC2 filter accepts. Source: EC2 API
// Reference, Filter.
const FilterValues = 200

// ExemptTag is the key of the tag that exempts a VPC, and ExemptValue is its
// value. The tag counts only if the configuration allows it.
const (
	ExemptTag   = "relight:exempt"
	ExemptValue = "true"
)

// MostGraceSeconds is how long an event may wait, because a queue cannot delay
// messages longer. Source: SQS API Reference, CreateQueue, DelaySeconds.
const MostGraceSeconds = 900

// A FlowLogSpec says what every VPC's flow log must satisfy. relight creates a
// flow log with these settings for a VPC without one that satisfies them.
type FlowLogSpec struct {
	TrafficType   string   // the traffic that a flow log must cover; by default REJECT, which CIS requires
	Format        string   // a flow log must record every field in it; "" means DefaultFlowLogFormat
	Destinations  []string // the destination types that count; none means any
	LogGroup      string   // the destination of relight's own flow logs
	RetentionDays int32    // the shortest retention of a log group behind a flow log
	Aggregation   int32    // aggregation interval of relight's own flow logs: 60 or 600 seconds
	ExemptVPCs    []string // IDs of the VPCs that relight skips
	ExemptByTag   bool     // relight also skips VPCs with ExemptTag
}

// WantFormat returns the format whose fields a flow log must record.
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
