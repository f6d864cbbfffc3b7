package catalog

import (
	"cmp"
	"slices"
	"strings"
)

// Detail types of the events relight watches.
const (
	APICall     = "AWS API Call via CloudTrail"
	AlarmChange = "CloudWatch Alarm Configuration Change" // sent by CloudWatch itself, without a trail
)

// A Call is one row of what can undo or weaken the desired state. The
// EventBridge rules and the parser read this table, and the tests check the
// sample events and the attacks against it.
type Call struct {
	Source     string       // EventBridge source
	DetailType string       // APICall unless the row says otherwise
	Name       string       // CloudTrail eventName; "" for a detail type that has none
	Kinds      []Kind       // the kinds it can harm
	Type       ResourceType // what the event names
	Path       string       // where the name is in the event's detail, member by member; two paths with "|" between them where it is in one of the two; "" where the event has no usable name
	Advice     string       // what a person should do where relight cannot undo the whole call; "" for nothing
	Harmless   Value        // a call with this parameter does no harm, so nobody is notified; most rows have none
	Newborn    bool         // it creates a resource that its creator may be about to protect, so its event may wait
	Tag        string       // the rule matches only requests about this tag; see Baseline.Calls
}

// A Value is a place in an event's detail and what stands there, as text.
type Value struct{ Path, Text string }

// Calls lists what relight watches.
//
// Names and paths come from real CloudTrail records where we have seen them.
// The others come from the API model, with its members in lower camel case. An
// event without a name at its path widens the scope, so a wrong path costs
// reads and never a repair.
//
// relight notifies people of a call with advice even where it finds nothing to
// restore, as long as a protection depends on what the call was made on.
//
// DeleteFlowLogs names only flow logs. They no longer exist when the event
// arrives and cannot be traced to a VPC, so the scope is the region.
//
// "aws.monitoring" is CloudWatch's source for API calls. For alarm changes the
// AWS documents disagree: "aws.cloudwatch" (user guide) or "aws.monitoring"
// (event reference). relight watches both.
//
// A tag that exempts a VPC is one call away for an attacker too. EventBridge
// matches the key of any tag in the request's array. Source: Amazon EventBridge
// User Guide, "Matching on multiple values in EventBridge event fields". A
// DeleteTags that names no tag removes all of them and is left to the sweep.
var Calls = slices.Concat(
	Call{Source: "aws.ec2", Kinds: []Kind{FlowLogs}, Type: VPC, Path: "responseElements.vpc.vpcId", Newborn: true}.
		named("CreateVpc"),
	Call{Source: "aws.ec2", Kinds: []Kind{FlowLogs}, Type: VPC, Path: "responseElements.CreateDefaultVpcResponse.vpc.vpcId", Newborn: true}.
		named("CreateDefaultVpc"),
	Call{Source: "aws.ec2", Kinds: []Kind{FlowLogs}, Type: VPC, Path: "requestParameters.vpcId"}.
		named("DeleteVpc"),
	Call{Source: "aws.ec2", Kinds: []Kind{FlowLogs}, Type: VPC}.
		named("DeleteFlowLogs"),

	Call{Source: "aws.cloudtrail", Kinds: []Kind{Trails}, Type: Trail, Path: "requestParameters.name"}.
		named("StopLogging", "UpdateTrail", "DeleteTrail"),
	Call{Source: "aws.cloudtrail", Kinds: []Kind{Trails}, Type: Trail, Path: "requestParameters.trailName"}.
		named("PutEventSelectors"),

	Call{Source: "aws.logs", Kinds: []Kind{FlowLogs, LogGroups}, Type: LogGroup, Path: "requestParameters.logGroupName"}.
		named("CreateLogGroup", "DeleteLogGroup", "PutRetentionPolicy"),
	Call{Source: "aws.logs", Kinds: []Kind{LogGroups}, Type: LogGroup, Path: "requestParameters.logGroupName"}.
		named("PutMetricFilter", "DeleteMetricFilter"),
	Call{
		Source: "aws.logs", Kinds: []Kind{FlowLogs, LogGroups}, Type: LogGroup, Path: "requestParameters.logGroupIdentifier",
		Advice: adviceUnprotected, Harmless: Value{"requestParameters.deletionProtectionEnabled", "true"},
	}.named("PutLogGroupDeletionProtection"),
	Call{Source: "aws.logs", Kinds: []Kind{FlowLogs, LogGroups}, Type: LogGroup, Path: logGroupOrResource}.
		named("AssociateKmsKey"),
	Call{Source: "aws.logs", Kinds: []Kind{FlowLogs, LogGroups}, Type: LogGroup, Path: logGroupOrResource, Advice: adviceDecrypted}.
		named("DisassociateKmsKey"),
	Call{Source: "aws.logs", Kinds: []Kind{FlowLogs, LogGroups}, Type: LogGroup, Path: "requestParameters.logGroupName", Advice: adviceStreamGone}.
		named("DeleteLogStream"),
	Call{Source: "aws.logs", Kinds: []Kind{FlowLogs, LogGroups}, Type: LogGroup, Path: "requestParameters.logGroupName", Advice: adviceFeedGone}.
		named("DeleteSubscriptionFilter"),
	Call{Source: "aws.logs", Kinds: []Kind{FlowLogs, LogGroups}, Type: LogGroup, Path: "requestParameters.logGroupIdentifier", Advice: adviceMasked}.
		named("PutDataProtectionPolicy"),
	Call{Source: "aws.logs", Kinds: []Kind{LogGroups}, Type: LogGroup, Path: "requestParameters.logGroupIdentifier", Advice: adviceTransformed}.
		named("PutTransformer"),
	Call{Source: "aws.logs", Kinds: []Kind{LogGroups}, Type: LogGroup, Advice: adviceAccountWide}.
		named("PutAccountPolicy"),

	Call{Source: "aws.sns", Kinds: []Kind{Topics}, Type: Topic, Path: "requestParameters.topicArn"}.
		named("DeleteTopic", "SetTopicAttributes", "RemovePermission"),
	Call{Source: "aws.sns", Kinds: []Kind{Topics}, Type: Topic, Path: "requestParameters.subscriptionArn", Advice: adviceUnsubscribed}.
		named("Unsubscribe"),
	Call{Source: "aws.sns", Kinds: []Kind{Topics}, Type: Topic, Path: "requestParameters.subscriptionArn"}.
		named("SetSubscriptionAttributes"),

	Call{Source: "aws.monitoring", Kinds: []Kind{Alarms}, Type: Alarm, Path: "requestParameters.alarmName"}.
		named("PutMetricAlarm"),
	Call{Source: "aws.monitoring", Kinds: []Kind{Alarms}, Type: Alarm, Path: "requestParameters.alarmNames"}.
		named("DeleteAlarms", "DisableAlarmActions"),
	Call{Source: "aws.monitoring", Kinds: []Kind{Alarms}, Type: Alarm, Path: "requestParameters.alarmName", Advice: adviceStateSet}.
		named("SetAlarmState"),
	Call{Source: "aws.monitoring", Kinds: []Kind{Alarms}, Type: MutedAlarm, Path: "requestParameters.muteTargets.alarmNames"}.
		named("PutAlarmMuteRule"),
	Call{Source: "aws.monitoring", Kinds: []Kind{Alarms}, Type: CompositeAlarm, Path: "requestParameters.alarmName"}.
		named("PutCompositeAlarm"),
	Call{Source: "aws.cloudwatch", DetailType: AlarmChange, Kinds: []Kind{Alarms}, Type: Alarm, Path: "alarmName"}.
		named(""),
	Call{Source: "aws.monitoring", DetailType: AlarmChange, Kinds: []Kind{Alarms}, Type: Alarm, Path: "alarmName"}.
		named(""),

	Call{Source: "aws.s3", Kinds: []Kind{FlowLogs, Trails}, Type: Bucket, Path: "requestParameters.bucketName", Advice: adviceBucketPolicy}.
		named("PutBucketPolicy"),
	Call{Source: "aws.s3", Kinds: []Kind{FlowLogs, Trails}, Type: Bucket, Path: "requestParameters.bucketName", Advice: adviceNoBucketPolicy}.
		named("DeleteBucketPolicy"),
	Call{Source: "aws.s3", Kinds: []Kind{FlowLogs, Trails}, Type: Bucket, Path: "requestParameters.bucketName", Advice: adviceLifecycle}.
		named("PutBucketLifecycle", "PutBucketLifecycleConfiguration"), // real records have the first name
	Call{Source: "aws.s3", Kinds: []Kind{FlowLogs, Trails}, Type: Bucket, Path: "requestParameters.bucketName", Advice: adviceNoBucket}.
		named("DeleteBucket"),

	Call{Source: "aws.kms", Kinds: []Kind{FlowLogs, Trails, Topics}, Type: Key, Path: "requestParameters.keyId", Advice: adviceDisabledKey}.
		named("DisableKey"),
	Call{Source: "aws.kms", Kinds: []Kind{FlowLogs, Trails, Topics}, Type: Key, Path: "requestParameters.keyId", Advice: adviceDyingKey}.
		named("ScheduleKeyDeletion"),
	Call{Source: "aws.kms", Kinds: []Kind{FlowLogs, Trails, Topics}, Type: Key, Path: "requestParameters.keyId", Advice: adviceKeyPolicy}.
		named("PutKeyPolicy"),

	Call{Source: "aws.account", Kinds: []Kind{FlowLogs}, Type: Region, Path: "requestParameters.regionName", Advice: adviceRegion}.
		named("EnableRegion"),

	Call{Source: "aws.iam", Kinds: []Kind{DeliveryRoles}, Type: Role, Path: "requestParameters.roleName"}.
		named("DeleteRole", "DeleteRolePolicy", "PutRolePolicy", "AttachRolePolicy", "DetachRolePolicy",
			"UpdateAssumeRolePolicy", "PutRolePermissionsBoundary", "DeleteRolePermissionsBoundary"),
	Call{Source: "aws.iam", Kinds: []Kind{DeliveryRoles}, Type: IAMPolicy, Path: "requestParameters.policyArn"}.
		named("CreatePolicyVersion", "SetDefaultPolicyVersion"),

	Call{Source: "aws.ec2", Kinds: []Kind{FlowLogs}, Type: VPC, Path: "requestParameters.resourcesSet.items", Tag: ExemptTag}.
		named("CreateTags", "DeleteTags"),
)

const logGroupOrResource = "requestParameters.logGroupName|requestParameters.resourceIdentifier"

// named returns a row for each of the names, all alike but for the name.
func (c Call) named(names ...string) []Call {
	c.DetailType = cmp.Or(c.DetailType, APICall)
	rows := make([]Call, len(names))
	for i, name := range names {
		rows[i] = c
		rows[i].Name = name
	}
	return rows
}

// Calls returns what a deployment of the baseline watches: calls about a tag
// only where that tag exempts VPCs.
func (b Baseline) Calls() []Call {
	return slices.DeleteFunc(slices.Clone(Calls), func(c Call) bool { return c.Tag != "" && !b.FlowLogs.ExemptByTag })
}

// globalSources are the services whose events AWS raises in one region of a
// partition, whatever region the call was made in. Source: AWS re:Post,
// "EventBridge rule for IAM in one Region only", which says it of IAM,
// Organizations and Account Management.
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
	for _, c := range Calls {
		if c.Source == source && c.DetailType == detailType && (c.Name == name || c.Name == "") {
			return c, true
		}
	}
	return Call{}, false
}

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
