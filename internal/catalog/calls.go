package catalog

import (
	"encoding/json"
	"slices"
	"strings"
)

// Detail types of the events relight watches.
const (
	APICall     = "AWS API Call via CloudTrail"
	AlarmChange = "CloudWatch Alarm Configuration Change" // sent by CloudWatch itself, without a trail
)

// A Call is one row of what can undo the desired state. The EventBridge
// rules, the parser and the sample events are all held against this table.
type Call struct {
	Source     string // EventBridge source
	DetailType string
	Name       string       // CloudTrail eventName; "" for a detail type that has none
	Kinds      []Kind       // the kinds it can harm
	Type       ResourceType // what the event names
	Path       []string     // where in the detail the name is, a step as "a|b" where it is in one of two; none where the event has no usable name
	Advice     string       // what a person should do about it, where no repair undoes all of it; "" for nothing
}

// Calls lists what relight watches.
//
// Names and places are those of real CloudTrail records where such were seen;
// the rest is the API model with its members in lower camel case. An event
// whose name is not found where Path says widens its scope, so a wrong path
// costs reads and never a repair.
//
// People are told of a call with advice even where relight finds nothing to
// restore, as long as it was made on something that a protection leans on.
//
// DeleteFlowLogs names only flow logs, which by then are gone and cannot be
// traced to a VPC: its scope is the region. "aws.monitoring" is CloudWatch's
// source for API calls; for alarm changes the AWS documents disagree between
// "aws.cloudwatch" (user guide) and "aws.monitoring" (event reference), so
// both are watched.
var Calls = []Call{
	{"aws.ec2", APICall, "CreateVpc", []Kind{FlowLogs}, VPC, []string{"responseElements", "vpc", "vpcId"}, ""},
	{"aws.ec2", APICall, "CreateDefaultVpc", []Kind{FlowLogs}, VPC, []string{"responseElements", "CreateDefaultVpcResponse", "vpc", "vpcId"}, ""},
	{"aws.ec2", APICall, "DeleteVpc", []Kind{FlowLogs}, VPC, []string{"requestParameters", "vpcId"}, ""},
	{"aws.ec2", APICall, "DeleteFlowLogs", []Kind{FlowLogs}, VPC, nil, ""},

	{"aws.cloudtrail", APICall, "StopLogging", []Kind{Trails}, Trail, []string{"requestParameters", "name"}, ""},
	{"aws.cloudtrail", APICall, "UpdateTrail", []Kind{Trails}, Trail, []string{"requestParameters", "name"}, ""},
	{"aws.cloudtrail", APICall, "DeleteTrail", []Kind{Trails}, Trail, []string{"requestParameters", "name"}, ""},
	{"aws.cloudtrail", APICall, "PutEventSelectors", []Kind{Trails}, Trail, []string{"requestParameters", "trailName"}, ""},

	{"aws.logs", APICall, "CreateLogGroup", []Kind{FlowLogs, LogGroups}, LogGroup, []string{"requestParameters", "logGroupName"}, ""},
	{"aws.logs", APICall, "DeleteLogGroup", []Kind{FlowLogs, LogGroups}, LogGroup, []string{"requestParameters", "logGroupName"}, ""},
	{"aws.logs", APICall, "PutRetentionPolicy", []Kind{FlowLogs, LogGroups}, LogGroup, []string{"requestParameters", "logGroupName"}, ""},
	{"aws.logs", APICall, "PutMetricFilter", []Kind{LogGroups}, LogGroup, []string{"requestParameters", "logGroupName"}, ""},
	{"aws.logs", APICall, "DeleteMetricFilter", []Kind{LogGroups}, LogGroup, []string{"requestParameters", "logGroupName"}, ""},
	{"aws.logs", APICall, "PutLogGroupDeletionProtection", []Kind{FlowLogs, LogGroups}, LogGroup, []string{"requestParameters", "logGroupIdentifier"}, adviceUnprotected},
	{"aws.logs", APICall, "AssociateKmsKey", []Kind{FlowLogs, LogGroups}, LogGroup, []string{"requestParameters", "logGroupName|resourceIdentifier"}, ""},
	{"aws.logs", APICall, "DisassociateKmsKey", []Kind{FlowLogs, LogGroups}, LogGroup, []string{"requestParameters", "logGroupName|resourceIdentifier"}, adviceDecrypted},
	{"aws.logs", APICall, "DeleteLogStream", []Kind{FlowLogs, LogGroups}, LogGroup, []string{"requestParameters", "logGroupName"}, adviceStreamGone},
	{"aws.logs", APICall, "DeleteSubscriptionFilter", []Kind{FlowLogs, LogGroups}, LogGroup, []string{"requestParameters", "logGroupName"}, adviceFeedGone},
	{"aws.logs", APICall, "PutDataProtectionPolicy", []Kind{FlowLogs, LogGroups}, LogGroup, []string{"requestParameters", "logGroupIdentifier"}, adviceMasked},
	{"aws.logs", APICall, "PutTransformer", []Kind{LogGroups}, LogGroup, []string{"requestParameters", "logGroupIdentifier"}, adviceTransformed},
	{"aws.logs", APICall, "PutAccountPolicy", []Kind{LogGroups}, LogGroup, nil, adviceAccountWide},

	{"aws.sns", APICall, "DeleteTopic", []Kind{Topics}, Topic, []string{"requestParameters", "topicArn"}, ""},
	{"aws.sns", APICall, "SetTopicAttributes", []Kind{Topics}, Topic, []string{"requestParameters", "topicArn"}, ""},
	{"aws.sns", APICall, "RemovePermission", []Kind{Topics}, Topic, []string{"requestParameters", "topicArn"}, ""},
	{"aws.sns", APICall, "Unsubscribe", []Kind{Topics}, Topic, []string{"requestParameters", "subscriptionArn"}, adviceUnsubscribed},
	{"aws.sns", APICall, "SetSubscriptionAttributes", []Kind{Topics}, Topic, []string{"requestParameters", "subscriptionArn"}, ""},
	{"aws.monitoring", APICall, "PutMetricAlarm", []Kind{Alarms}, Alarm, []string{"requestParameters", "alarmName"}, ""},
	{"aws.monitoring", APICall, "DeleteAlarms", []Kind{Alarms}, Alarm, []string{"requestParameters", "alarmNames"}, ""},
	{"aws.monitoring", APICall, "DisableAlarmActions", []Kind{Alarms}, Alarm, []string{"requestParameters", "alarmNames"}, ""},
	{"aws.monitoring", APICall, "SetAlarmState", []Kind{Alarms}, Alarm, []string{"requestParameters", "alarmName"}, adviceStateSet},
	{"aws.monitoring", APICall, "PutAlarmMuteRule", []Kind{Alarms}, MutedAlarm, []string{"requestParameters", "muteTargets", "alarmNames"}, ""},
	{"aws.monitoring", APICall, "PutCompositeAlarm", []Kind{Alarms}, CompositeAlarm, []string{"requestParameters", "alarmName"}, ""},
	{"aws.cloudwatch", AlarmChange, "", []Kind{Alarms}, Alarm, []string{"alarmName"}, ""},
	{"aws.monitoring", AlarmChange, "", []Kind{Alarms}, Alarm, []string{"alarmName"}, ""},

	{"aws.s3", APICall, "PutBucketPolicy", []Kind{FlowLogs, Trails}, Bucket, []string{"requestParameters", "bucketName"}, adviceBucketPolicy},
	{"aws.s3", APICall, "DeleteBucketPolicy", []Kind{FlowLogs, Trails}, Bucket, []string{"requestParameters", "bucketName"}, adviceNoBucketPolicy},
	{"aws.s3", APICall, "PutBucketLifecycle", []Kind{FlowLogs, Trails}, Bucket, []string{"requestParameters", "bucketName"}, adviceLifecycle},
	{"aws.s3", APICall, "PutBucketLifecycleConfiguration", []Kind{FlowLogs, Trails}, Bucket, []string{"requestParameters", "bucketName"}, adviceLifecycle},
	{"aws.s3", APICall, "DeleteBucket", []Kind{FlowLogs, Trails}, Bucket, []string{"requestParameters", "bucketName"}, adviceNoBucket},

	{"aws.kms", APICall, "DisableKey", []Kind{FlowLogs, Trails, Topics}, Key, []string{"requestParameters", "keyId"}, adviceDisabledKey},
	{"aws.kms", APICall, "ScheduleKeyDeletion", []Kind{FlowLogs, Trails, Topics}, Key, []string{"requestParameters", "keyId"}, adviceDyingKey},
	{"aws.kms", APICall, "PutKeyPolicy", []Kind{FlowLogs, Trails, Topics}, Key, []string{"requestParameters", "keyId"}, adviceKeyPolicy},

	{"aws.account", APICall, "EnableRegion", []Kind{FlowLogs}, Region, []string{"requestParameters", "regionName"}, adviceRegion},
	{"aws.iam", APICall, "DeleteRole", []Kind{DeliveryRoles}, Role, []string{"requestParameters", "roleName"}, ""},
	{"aws.iam", APICall, "DeleteRolePolicy", []Kind{DeliveryRoles}, Role, []string{"requestParameters", "roleName"}, ""},
	{"aws.iam", APICall, "PutRolePolicy", []Kind{DeliveryRoles}, Role, []string{"requestParameters", "roleName"}, ""},
	{"aws.iam", APICall, "AttachRolePolicy", []Kind{DeliveryRoles}, Role, []string{"requestParameters", "roleName"}, ""},
	{"aws.iam", APICall, "DetachRolePolicy", []Kind{DeliveryRoles}, Role, []string{"requestParameters", "roleName"}, ""},
	{"aws.iam", APICall, "UpdateAssumeRolePolicy", []Kind{DeliveryRoles}, Role, []string{"requestParameters", "roleName"}, ""},
	{"aws.iam", APICall, "PutRolePermissionsBoundary", []Kind{DeliveryRoles}, Role, []string{"requestParameters", "roleName"}, ""},
	{"aws.iam", APICall, "DeleteRolePermissionsBoundary", []Kind{DeliveryRoles}, Role, []string{"requestParameters", "roleName"}, ""},
	{"aws.iam", APICall, "CreatePolicyVersion", []Kind{DeliveryRoles}, IAMPolicy, []string{"requestParameters", "policyArn"}, ""},
	{"aws.iam", APICall, "SetDefaultPolicyVersion", []Kind{DeliveryRoles}, IAMPolicy, []string{"requestParameters", "policyArn"}, ""},
}

// TagCalls lists what relight watches beside Calls where a tag exempts VPCs:
// such a tag is one call away for an attacker too. Their rule matches only
// calls about ExemptTag, in an array of objects, of which EventBridge matches
// any. Source: Amazon EventBridge User Guide, "Matching on multiple values in
// EventBridge event fields". A DeleteTags that names no tag takes all of them,
// and is left to the sweep.
var TagCalls = []Call{
	{"aws.ec2", APICall, "CreateTags", []Kind{FlowLogs}, VPC, []string{"requestParameters", "resourcesSet", "items"}, ""},
	{"aws.ec2", APICall, "DeleteTags", []Kind{FlowLogs}, VPC, []string{"requestParameters", "resourcesSet", "items"}, ""},
}

// Calls returns what a deployment of the policy watches.
func (b Baseline) Calls() []Call {
	if b.FlowLogs.ExemptByTag {
		return slices.Concat(Calls, TagCalls)
	}
	return Calls
}

// newborn lists the calls that make what a stack may bring a protection of its
// own for.
var newborn = []string{"CreateVpc", "CreateDefaultVpc"}

// Newborn reports whether a call makes something new, so that its event may
// wait for a while: whoever made it may be about to protect it.
func (c Call) Newborn() bool { return c.Source == "aws.ec2" && slices.Contains(newborn, c.Name) }

// harmless says of calls with advice which value of which parameter makes
// them do no harm: then nobody is advised, and relight's own repair is none of
// these either. They are looked at all the same.
var harmless = map[string]struct {
	path  []string
	value string
}{
	"PutLogGroupDeletionProtection": {[]string{"requestParameters", "deletionProtectionEnabled"}, "true"},
}

// Harmless returns where in the detail of a call there is a parameter that
// makes it harmless, and the JSON value that does; none for most calls.
func (c Call) Harmless() (path []string, value string) {
	h := harmless[c.Name]
	return h.path, h.value
}

// globalSources are the services whose events AWS raises in one region of a
// partition, wherever the call was made. Source: AWS re:Post, "EventBridge rule
// for IAM in one Region only", which says it of IAM, Organizations and Account
// Management.
var globalSources = []string{"aws.iam", "aws.account"}

// Global reports whether the events of a source are raised in GlobalRegion
// only.
func Global(source string) bool { return slices.Contains(globalSources, source) }

// GlobalRegion returns the region that raises the events of global services,
// of the partition that a region is in. That it is us-east-1 is documented;
// for the other partitions it is taken from where their IAM is. Source: IAM
// User Guide, endpoints; unverified beyond the commercial partition.
func GlobalRegion(region string) string {
	switch {
	case strings.HasPrefix(region, "us-gov-"):
		return "us-gov-west-1"
	case strings.HasPrefix(region, "cn-"):
		return "cn-north-1"
	}
	return "us-east-1"
}

// FindCall returns the row for an event, and whether there is one.
func FindCall(source, detailType, name string) (Call, bool) {
	for _, c := range slices.Concat(Calls, TagCalls) {
		if c.Source == source && c.DetailType == detailType && (c.Name == name || c.Name == "") {
			return c, true
		}
	}
	return Call{}, false
}

// A Pattern is an EventBridge event pattern for one source and detail type.
type Pattern struct {
	Source     []string `json:"source"`
	DetailType []string `json:"detail-type"`
	Detail     *Detail  `json:"detail,omitempty"`
}

// A Detail is the part of a Pattern that looks at a CloudTrail record.
type Detail struct {
	EventName  []string          `json:"eventName"`
	ErrorCode  []map[string]bool `json:"errorCode"`
	Parameters *Parameters       `json:"requestParameters,omitempty"`
}

// Parameters is the part of a Detail that looks at the tags of a request.
type Parameters struct {
	TagSet struct {
		Items struct {
			Key []string `json:"key"`
		} `json:"items"`
	} `json:"tagSet"`
}

// tagged returns the parameters that a call's rule asks for; nil for any.
func (c Call) tagged() *Parameters {
	if !slices.ContainsFunc(TagCalls, func(t Call) bool { return t.Source == c.Source && t.Name == c.Name }) {
		return nil
	}
	var p Parameters
	p.TagSet.Items.Key = []string{ExemptTag}
	return &p
}

// Tagged reports whether the pattern asks for a tag in the request.
func (p Pattern) Tagged() bool { return p.Detail != nil && p.Detail.Parameters != nil }

// String returns the pattern as the JSON that PutRule takes.
func (p Pattern) String() string {
	b, err := json.Marshal(p)
	if err != nil { // strings, slices and maps of them always marshal
		panic(err)
	}
	return string(b)
}

// Patterns returns the event patterns that together match every call in Calls
// that can harm one of the kinds.
func Patterns(kinds ...Kind) []Pattern { return PatternsOf(Calls, kinds...) }

// GlobalCalls returns those of the calls whose events are raised in
// GlobalRegion only.
func GlobalCalls(calls []Call) []Call {
	return slices.DeleteFunc(slices.Clone(calls), func(c Call) bool { return !Global(c.Source) })
}

// RegionalCalls returns those of the calls whose events are raised where the
// call is made.
func RegionalCalls(calls []Call) []Call {
	return slices.DeleteFunc(slices.Clone(calls), func(c Call) bool { return Global(c.Source) })
}

// PatternsOf returns the event patterns that together match those of the calls
// that can harm one of the kinds, one pattern per source, detail type and what
// they ask of the request, in table order. Refused calls change nothing, so
// the patterns leave them out.
func PatternsOf(calls []Call, kinds ...Kind) []Pattern {
	var patterns []Pattern
	for _, c := range calls {
		if !slices.ContainsFunc(c.Kinds, func(k Kind) bool { return slices.Contains(kinds, k) }) {
			continue
		}
		i := slices.IndexFunc(patterns, func(p Pattern) bool {
			return p.Source[0] == c.Source && p.DetailType[0] == c.DetailType && p.Tagged() == (c.tagged() != nil)
		})
		if i < 0 {
			i = len(patterns)
			patterns = append(patterns, Pattern{Source: []string{c.Source}, DetailType: []string{c.DetailType}})
		}
		if c.Name == "" {
			continue
		}
		if patterns[i].Detail == nil {
			patterns[i].Detail = &Detail{ErrorCode: []map[string]bool{{"exists": false}}, Parameters: c.tagged()}
		}
		patterns[i].Detail.EventName = append(patterns[i].Detail.EventName, c.Name)
	}
	return patterns
}
