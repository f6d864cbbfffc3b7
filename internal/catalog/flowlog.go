package catalog

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/relight-aws/relight/internal/lazy"
)

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

// LogDeliveryService writes flow logs to buckets, with LogDeliveryACL unless the bucket
// has no ACLs. Source: Amazon VPC User Guide, "Amazon S3 bucket permissions for flow
// logs".
const (
	LogDeliveryService = "delivery.logs.amazonaws.com"
	LogDeliveryACL     = "bucket-owner-full-control"
)

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
	TrafficType   string                     // the traffic that a flow log must cover; by default REJECT, which CIS requires
	Format        string                     // a flow log must record every field in it; "" means DefaultFlowLogFormat
	Destinations  []string                   // the destination types that count; none means any
	LogGroup      string                     // the destination of relight's own flow logs, unless To names another
	To            Destined                   // the bucket or stream to which relight's own flow logs go instead
	RetentionDays int32                      // the shortest retention of a log group behind a flow log
	Aggregation   int32                      // aggregation interval of relight's own flow logs: 60 or 600 seconds
	ExemptVPCs    []string                   // IDs of the VPCs that relight skips
	ExemptByTag   bool                       // relight also skips VPCs with ExemptTag
	Chosen        map[ResourceType]Selection // the subnets and network interfaces that need flow logs of their own
}

// A Destined is the bucket or Firehose stream to which relight's own flow logs go.
type Destined struct {
	ARN              string // with the folder in a bucket; every InEachRegion in it stands for the flow log's region
	Files            Files
	Role             string // of a stream in another account: ARN of this account's role that delivers
	CrossAccountRole string // of a stream in another account: ARN of that account's role that receives
}

// Files says how a flow log writes to a bucket. The zero value is what EC2 does by
// default. Source: EC2 API Reference, DestinationOptionsRequest.
type Files struct {
	Parquet bool // Apache Parquet instead of plain text
	Hive    bool // prefixes that Apache Hive understands
	Hourly  bool // a prefix for each hour instead of each day
}

// String says how the files differ from those that EC2 writes by default.
func (f Files) String() string {
	var words []string
	for _, w := range []struct {
		on   bool
		text string
	}{{f.Parquet, "Parquet"}, {f.Hive, "Hive-compatible prefixes"}, {f.Hourly, "hourly prefixes"}} {
		if w.on {
			words = append(words, w.text)
		}
	}
	return cmp.Or(strings.Join(words, ", "), "plain text")
}

// InEachRegion stands for the name of a region in the ARN of a bucket or stream.
const InEachRegion = "{region}"

// A Selection names the subnets or network interfaces that need a flow log of their
// own: by ID, or by having all of the tags.
type Selection struct {
	IDs         []string
	Tags        map[string]string
	TrafficType string   // the traffic that their flow logs must cover; "" means that of the VPCs
	To          Destined // where relight's own flow logs on them go; the zero value means where those of the VPCs go
}

// Empty reports whether nothing is selected.
func (s Selection) Empty() bool { return len(s.IDs)+len(s.Tags) == 0 }

// Selects reports whether a resource is among the selected.
func (s Selection) Selects(id string, tags map[string]string) bool {
	if slices.Contains(s.IDs, id) {
		return true
	}
	for k, v := range s.Tags {
		if have, ok := tags[k]; !ok || have != v {
			return false
		}
	}
	return len(s.Tags) > 0
}

// These placeholders stand for the buckets, the streams and the roles of relight's own
// flow logs in grants. Each of their values makes a resource.
const (
	InFlowLogBuckets = "{flowLogBuckets}"
	InFlowLogStreams = "{flowLogStreams}"
	InFlowLogRoles   = "{flowLogRoles}"
)

// FlowLogResources returns the values of a placeholder in grants, and nothing for any
// other.
func (b Baseline) FlowLogResources(placeholder string) (values []string) {
	for _, s := range b.FlowLogs.All("*") {
		value := ""
		switch bucket, _ := s.ToBucket(); {
		case placeholder == InFlowLogBuckets && bucket != "":
			value, _, _ = strings.Cut(s.To.ARN, "/")
		case placeholder == InFlowLogStreams && s.ToType() == ToFirehose:
			value = s.To.ARN
		case placeholder == InFlowLogRoles:
			value = s.To.Role
		}
		if value != "" && !slices.Contains(values, value) {
			values = append(values, value)
		}
	}
	return values
}

// NetworkType returns whether an ID is that of a VPC, a subnet or a network interface,
// or "" if it is of none. Source: EC2 API Reference, "Resource IDs".
func NetworkType(id string) ResourceType {
	prefix, _, _ := strings.Cut(id, "-")
	if t := ResourceType(prefix); slices.Contains(NetworkTypes, t) {
		return t
	}
	return ""
}

// NetworkTypes are the types of resources on which relight keeps flow logs.
var NetworkTypes = []ResourceType{VPC, Subnet, Interface}

// For returns the desired state with the spec of the flow log on a resource, in a
// region.
func (d Desired) For(id, region string) Desired {
	d.FlowLogs = d.FlowLogs.on(NetworkType(id)).In(region)
	return d
}

// on returns the spec of the flow logs on resources of a type.
func (s FlowLogSpec) on(t ResourceType) FlowLogSpec {
	chosen := s.Chosen[t]
	s.TrafficType = cmp.Or(chosen.TrafficType, s.TrafficType)
	if chosen.To.ARN != "" {
		s.To = chosen.To
	}
	return s
}

// Keeps reports whether relight keeps flow logs on resources of a type: on VPCs, and
// on the others if the configuration chooses some.
func (s FlowLogSpec) Keeps(t ResourceType) bool { return t == VPC || !s.Chosen[t].Empty() }

// All returns the specs of the flow logs on all types of resources, in a region.
func (s FlowLogSpec) All(region string) (specs []FlowLogSpec) {
	for _, t := range NetworkTypes {
		if s.Keeps(t) {
			specs = append(specs, s.on(t).In(region))
		}
	}
	return specs
}

// tagKeys returns the keys of the tags that decide which resources have flow logs,
// sorted.
func (s FlowLogSpec) tagKeys() (keys []string) {
	if s.ExemptByTag {
		keys = append(keys, ExemptTag)
	}
	for _, chosen := range s.Chosen {
		keys = slices.AppendSeq(keys, maps.Keys(chosen.Tags))
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

// In returns the spec with the destination of a region.
func (s FlowLogSpec) In(region string) FlowLogSpec {
	s.To.ARN = strings.TrimSuffix(strings.ReplaceAll(s.To.ARN, InEachRegion, region), "/")
	return s
}

// ToType returns the destination type of relight's own flow logs.
func (s FlowLogSpec) ToType() string {
	switch bucket, _ := s.ToBucket(); {
	case s.To.ARN == "":
		return ToCloudWatchLogs
	case bucket != "":
		return ToS3
	}
	return ToFirehose
}

// OwnGroup returns the log group of relight's own flow logs, or "" if they go to a
// bucket or stream.
func (s FlowLogSpec) OwnGroup() string {
	if s.To.ARN != "" {
		return ""
	}
	return s.LogGroup
}

// Where names the destination of relight's own flow logs, for people.
func (s FlowLogSpec) Where() string { return cmp.Or(s.To.ARN, s.LogGroup) }

// ToBucket returns the name of the bucket of relight's own flow logs and the folder in
// it, or "" if they go elsewhere.
func (s FlowLogSpec) ToBucket() (bucket, folder string) {
	_, path, ok := strings.Cut(s.To.ARN, ":s3:::")
	if !ok {
		return "", ""
	}
	bucket, folder, _ = strings.Cut(path, "/")
	return bucket, folder
}

// WantFormat returns the format whose fields a flow log must record.
func (s FlowLogSpec) WantFormat() string {
	if s.Format == "" {
		return DefaultFlowLogFormat
	}
	return s.Format
}

var formatField = lazy.Compile(`\$\{([a-z0-9-]+)\}`)

// FormatFields returns the names of the fields in a flow log format.
func FormatFields(format string) []string {
	var fields []string
	for _, m := range formatField.FindAllStringSubmatch(format, -1) {
		fields = append(fields, m[1])
	}
	return fields
}
