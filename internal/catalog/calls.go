package catalog

import (
	"cmp"
	"slices"
)

// These are the detail types of the events that relight watches.
const (
	APICall     = "AWS API Call via CloudTrail"
	AlarmChange = "CloudWatch Alarm Configuration Change" // CloudWatch itself sends these events, without a trail
)

// A Call is one kind of call that can undo or weaken the desired state. The
// EventBridge rules and the parser read the table of calls, and the tests check the
// sample events and the attacks against it.
type Call struct {
	Source     string       // EventBridge source
	DetailType string       // APICall unless the row says otherwise
	Name       string       // CloudTrail eventName; "" if the detail type has none
	Kinds      []Kind       // the kinds that the call can harm
	Type       ResourceType // the type of the resources that the event names
	Path       string       // where the detail has the name, as member names joined by "."; "|" separates two paths if the name can be at either; "" if the event has no usable name
	Advice     string       // what a person should do if relight cannot undo the whole call; "" if it can
	Severity   Severity     // of a call with advice, if a protection depends on what it changed
	Harmless   Value        // a call with this parameter does no harm, so relight notifies nobody; most rows have none
	Makes      bool         // the call creates what the event names, so what relight adds to that was never there
	Newborn    bool         // the call creates a resource that its creator may be about to protect, so its event may wait
	If         string       // watched only if the configuration has this key; "" for always
	Tagged     bool         // the rule matches only requests with one of Tags
	Tags       []string     // keys of the tags that exempt or choose something; Baseline.Calls sets them
	Memory     bool         // the rule matches only requests whose name at Path is one of relight's memories
	Sets       []string     // the advice is due only if the call has a parameter at one of these paths; it also says the values
	Routine    bool         // relight makes this call too, and then no advice is due
	Deploys    bool         // CloudFormation makes this call too, and then no advice is due

	under []string // of a call with Memory: what the name may begin with
}

// A Value is a path in an event's detail and the value at that path, as text.
type Value struct{ Path, Text string }

// Calls lists the calls that relight watches.
//
// Names and paths come from real CloudTrail records where we have seen them.
// The others come from the API model, with its members in lower camel case. If
// an event has no name at its path, relight widens the scope, so a wrong path
// costs additional reads but never prevents a repair.
//
// relight notifies people of a call with advice even if it has nothing to
// restore, as long as a protection depends on the resource that was called.
//
// DeleteFlowLogs names only flow logs. They no longer exist when the event
// arrives and cannot be traced to a VPC, so the scope is the region.
//
// "aws.monitoring" is CloudWatch's source for API calls. For alarm changes the
// AWS documents disagree: "aws.cloudwatch" (user guide) or "aws.monitoring"
// (event reference). Only "aws.cloudwatch" was recorded (stackd by radkawar,
// 2026-09-14). relight watches both.
//
// An attacker needs only one call to set the tag that exempts a VPC, or to remove one
// that chooses a subnet, so relight watches these calls. EventBridge matches the key of any tag in the request's
// array. Source: Amazon EventBridge User Guide, "Matching on multiple values in
// EventBridge event fields". A DeleteTags call that names no tag removes all
// tags; no rule matches it, so the sweep handles it.
var Calls = slices.Concat(
	Call{Source: "aws.ec2", Kinds: []Kind{FlowLogs}, Type: VPC, Path: "responseElements.vpc.vpcId", Newborn: true, Makes: true}.
		named("CreateVpc"),
	Call{Source: "aws.ec2", Kinds: []Kind{FlowLogs}, Type: VPC, Path: "responseElements.CreateDefaultVpcResponse.vpc.vpcId", Newborn: true, Makes: true}.
		named("CreateDefaultVpc"),
	Call{Source: "aws.ec2", Kinds: []Kind{FlowLogs}, Type: VPC, Path: "requestParameters.vpcId"}.
		named("DeleteVpc"),
	Call{Source: "aws.ec2", Kinds: []Kind{FlowLogs}, Type: VPC}.
		named("DeleteFlowLogs"),

	Call{Source: "aws.cloudtrail", Kinds: []Kind{Trails}, Type: Trail, Path: "requestParameters.name"}.
		named("StopLogging", "DeleteTrail"),
	Call{
		Source: "aws.cloudtrail", Kinds: []Kind{Trails}, Type: Trail, Path: "requestParameters.name", Routine: true, Advice: adviceDestination, Severity: High,
		Sets: []string{
			"requestParameters.s3BucketName", "requestParameters.s3KeyPrefix", "requestParameters.kmsKeyId", "requestParameters.snsTopicName",
			"requestParameters.cloudWatchLogsLogGroupArn", "requestParameters.cloudWatchLogsRoleArn",
		},
	}.named("UpdateTrail"),
	Call{Source: "aws.cloudtrail", Kinds: []Kind{Trails}, Type: Trail, Path: "requestParameters.trailName"}.
		named("PutEventSelectors"),
	Call{Source: "aws.cloudtrail", Kinds: []Kind{Trails}, Type: NewTrail, Path: "requestParameters.name", Advice: adviceNewTrail, Severity: Low}.
		named("CreateTrail"),

	Call{Source: "aws.ssm", Kinds: []Kind{Trails}, Type: Parameter, Path: "requestParameters.name", Memory: true, Routine: true, Advice: adviceMemory, Severity: Critical}.
		named("PutParameter"),
	Call{Source: "aws.ssm", Kinds: []Kind{Trails}, Type: Parameter, Path: "requestParameters.name", Memory: true, Advice: adviceMemory, Severity: Critical}.
		named("DeleteParameter", "LabelParameterVersion"),
	Call{Source: "aws.ssm", Kinds: []Kind{Trails}, Type: Parameter, Path: "requestParameters.names", Memory: true, Advice: adviceMemory, Severity: Critical}.
		named("DeleteParameters"),

	Call{Source: "aws.logs", Kinds: []Kind{FlowLogs, LogGroups}, Type: LogGroup, Path: "requestParameters.logGroupName"}.
		named("CreateLogGroup", "DeleteLogGroup", "PutRetentionPolicy"),
	Call{Source: "aws.logs", Kinds: []Kind{LogGroups}, Type: FilteredGroup, Path: "requestParameters.logGroupName"}.
		named("PutMetricFilter", "DeleteMetricFilter"),
	Call{Source: "aws.logs", Kinds: []Kind{Alarms}, Type: Filter, Path: "requestParameters.filterName"}.
		named("PutMetricFilter"), // relight's own filter may be new, and its metric without an alarm
	Call{Source: "aws.logs", Kinds: []Kind{Guard}, Type: LogGroup, Path: "requestParameters.logGroupName"}.
		named("DeleteLogGroup"), // of relight's own functions
	Call{Source: "aws.logs", Kinds: []Kind{Guard}, Type: LogGroup, Path: "requestParameters.logGroupName", Deploys: true, Routine: true, Advice: adviceOwnLogs, Severity: Critical}.
		named("PutRetentionPolicy"),
	Call{
		Source: "aws.logs", Kinds: []Kind{FlowLogs, LogGroups}, Type: LogGroup, Path: "requestParameters.logGroupIdentifier",
		Advice: adviceUnprotected, Severity: High, Harmless: Value{"requestParameters.deletionProtectionEnabled", "true"},
	}.named("PutLogGroupDeletionProtection"),
	Call{Source: "aws.logs", Kinds: []Kind{FlowLogs, LogGroups}, Type: LogGroup, Path: logGroupOrResource, Advice: adviceEncrypted, Severity: High}.
		named("AssociateKmsKey"),
	Call{Source: "aws.logs", Kinds: []Kind{FlowLogs, LogGroups}, Type: LogGroup, Path: logGroupOrResource, Advice: adviceDecrypted, Severity: Low}.
		named("DisassociateKmsKey"),
	Call{Source: "aws.logs", Kinds: []Kind{FlowLogs, LogGroups}, Type: LogGroup, Path: "requestParameters.logGroupName", Advice: adviceStreamGone, Severity: High}.
		named("DeleteLogStream"),
	Call{Source: "aws.logs", Kinds: []Kind{FlowLogs, LogGroups}, Type: LogGroup, Path: "requestParameters.logGroupName", Advice: adviceFeedGone, Severity: Low}.
		named("DeleteSubscriptionFilter"),
	Call{Source: "aws.logs", Kinds: []Kind{FlowLogs, LogGroups}, Type: LogGroup, Path: "requestParameters.logGroupName", Advice: adviceFeedPut, Severity: Low}.
		named("PutSubscriptionFilter"),
	Call{Source: "aws.logs", Kinds: []Kind{LogGroups}, Type: Destination, Path: "requestParameters.destinationName", Advice: adviceLogDestination, Severity: Low}.
		named("PutDestination", "PutDestinationPolicy", "DeleteDestination"),
	Call{Source: "aws.logs", Kinds: []Kind{FlowLogs, LogGroups}, Type: LogGroup, Path: "requestParameters.logGroupIdentifier", Advice: adviceMasked, Severity: High}.
		named("PutDataProtectionPolicy"),
	Call{Source: "aws.logs", Kinds: []Kind{FlowLogs, LogGroups}, Type: LogGroup, Path: "requestParameters.logGroupIdentifier", Advice: adviceTransformed, Severity: Low}.
		named("PutTransformer"),
	Call{Source: "aws.logs", Kinds: []Kind{FlowLogs}, Type: AccountPolicy, Path: "requestParameters.policyName", Advice: adviceAccountWide, Severity: High}.
		named("PutAccountPolicy"), // in the regions beside the home region
	Call{Source: "aws.logs", Kinds: []Kind{FlowLogs}, Type: AccountPolicy, Path: "requestParameters.policyName", Advice: adviceAccountPolicyGone, Severity: Low}.
		named("DeleteAccountPolicy"),
	Call{Source: "aws.logs", Kinds: []Kind{LogGroups}, Type: LogGroup, Advice: adviceAccountWide, Severity: High}.
		named("PutAccountPolicy"),
	Call{Source: "aws.logs", Kinds: []Kind{LogGroups}, Type: LogGroup, Advice: adviceAccountPolicyGone, Severity: Low}.
		named("DeleteAccountPolicy"),
	Call{Source: "aws.logs", Kinds: []Kind{FlowLogs}, Type: AccountPolicy, Path: "requestParameters.policyName", Advice: adviceResourcePolicy, Severity: High}.
		named("PutResourcePolicy"), // in the regions beside the home region
	Call{Source: "aws.logs", Kinds: []Kind{LogGroups}, Type: Destination, Path: "requestParameters.policyName", Advice: adviceResourcePolicy, Severity: High}.
		named("PutResourcePolicy"), // an explicit denial in it applies to whoever writes to a log group

	Call{Source: "aws.sns", Kinds: []Kind{Topics}, Type: Topic, Path: "requestParameters.topicArn"}.
		named("DeleteTopic", "SetTopicAttributes", "RemovePermission"),
	Call{Source: "aws.sns", Kinds: []Kind{Topics}, Type: Topic, Path: "requestParameters.subscriptionArn", Advice: adviceUnsubscribed, Severity: High}.
		named("Unsubscribe"),
	Call{Source: "aws.sns", Kinds: []Kind{Topics}, Type: Topic, Path: "requestParameters.resourceArn", Advice: adviceTopicData, Severity: Critical}.
		named("PutDataProtectionPolicy"),
	Call{Source: "aws.sns", Kinds: []Kind{Topics}, Type: Topic, Path: "requestParameters.subscriptionArn"}.
		named("SetSubscriptionAttributes"),

	Call{Source: "aws.monitoring", Kinds: []Kind{Alarms}, Type: Alarm, Path: "requestParameters.alarmName"}.
		named("PutMetricAlarm"),
	Call{Source: "aws.monitoring", Kinds: []Kind{Alarms}, Type: Alarm, Path: "requestParameters.alarmNames"}.
		named("DeleteAlarms", "DisableAlarmActions"),
	Call{Source: "aws.monitoring", Kinds: []Kind{Alarms}, Type: Alarm, Path: "requestParameters.alarmName", Routine: true, Advice: adviceStateSet, Severity: Low}.
		named("SetAlarmState"),
	Call{Source: "aws.monitoring", Kinds: []Kind{Alarms}, Type: MutedAlarm, Path: "requestParameters.muteTargets.alarmNames"}.
		named("PutAlarmMuteRule"),
	Call{Source: "aws.monitoring", Kinds: []Kind{Alarms}, Type: CompositeAlarm, Path: "requestParameters.alarmName"}.
		named("PutCompositeAlarm"),
	Call{Source: "aws.cloudwatch", DetailType: AlarmChange, Kinds: []Kind{Alarms}, Type: Alarm, Path: "alarmName"}.
		named(""),
	Call{Source: "aws.monitoring", DetailType: AlarmChange, Kinds: []Kind{Alarms}, Type: Alarm, Path: "alarmName"}.
		named(""),

	Call{Source: "aws.s3", Kinds: []Kind{FlowLogs, Trails}, Type: Bucket, Path: "requestParameters.bucketName", Advice: adviceBucketPolicy, Severity: High}.
		named("PutBucketPolicy"),
	Call{Source: "aws.s3", Kinds: []Kind{FlowLogs, Trails}, Type: Bucket, Path: "requestParameters.bucketName", Advice: adviceNoBucketPolicy, Severity: Critical}.
		named("DeleteBucketPolicy"),
	Call{Source: "aws.s3", Kinds: []Kind{FlowLogs, Trails}, Type: Bucket, Path: "requestParameters.bucketName", Advice: adviceLifecycle, Severity: High}.
		named("PutBucketLifecycle", "PutBucketLifecycleConfiguration"), // real records have the first name
	Call{Source: "aws.s3", Kinds: []Kind{FlowLogs, Trails}, Type: Bucket, Path: "requestParameters.bucketName", Advice: adviceNoBucket, Severity: Critical}.
		named("DeleteBucket"),
	Call{Source: "aws.s3", Kinds: []Kind{FlowLogs, Trails}, Type: Bucket, Path: "requestParameters.bucketName", Advice: adviceVersioning, Severity: High}.
		named("PutBucketVersioning"),
	Call{Source: "aws.s3", Kinds: []Kind{FlowLogs, Trails}, Type: Bucket, Path: "requestParameters.bucketName", Advice: adviceBucketKey, Severity: High}.
		named("PutBucketEncryption", "DeleteBucketEncryption"),
	Call{Source: "aws.s3", Kinds: []Kind{FlowLogs, Trails}, Type: Bucket, Path: "requestParameters.bucketName", Advice: adviceBucketAccess, Severity: High}.
		named("PutBucketAcl", "PutBucketOwnershipControls", "DeleteBucketOwnershipControls", "PutBucketPublicAccessBlock", "DeleteBucketPublicAccessBlock"),
	Call{Source: "aws.s3", Kinds: []Kind{FlowLogs, Trails}, Type: Bucket, Path: "requestParameters.bucketName", Advice: adviceReplication, Severity: High}.
		named("PutBucketReplication", "DeleteBucketReplication"),
	Call{Source: "aws.s3", Kinds: []Kind{FlowLogs, Trails}, Type: Bucket, Path: "requestParameters.bucketName", Advice: adviceObjectLock, Severity: Low}.
		named("PutBucketObjectLockConfiguration"),
	Call{Source: "aws.s3", Kinds: []Kind{FlowLogs, Trails}, Type: Bucket, Path: "requestParameters.bucketName", Advice: adviceBucketFeeds, Severity: Low}.
		named("PutBucketNotification", "PutBucketLogging"),

	Call{Source: "aws.firehose", Kinds: []Kind{FlowLogs}, Type: Stream, Path: "requestParameters.deliveryStreamName", Advice: adviceNoStream, Severity: High}.
		named("DeleteDeliveryStream"),
	Call{Source: "aws.firehose", Kinds: []Kind{FlowLogs}, Type: Stream, Path: "requestParameters.deliveryStreamName", Advice: adviceStream, Severity: High}.
		named("UpdateDestination"),
	Call{Source: "aws.firehose", Kinds: []Kind{FlowLogs}, Type: Stream, Path: "requestParameters.deliveryStreamName", Advice: adviceStreamTag, Severity: High}.
		named("UntagDeliveryStream"),

	Call{Source: "aws.kms", Kinds: []Kind{FlowLogs, Trails, Topics}, Type: Key, Path: "requestParameters.keyId", Advice: adviceDisabledKey, Severity: Critical}.
		named("DisableKey"),
	Call{Source: "aws.kms", Kinds: []Kind{FlowLogs, Trails, Topics}, Type: Key, Path: "requestParameters.keyId", Advice: adviceDyingKey, Severity: Critical}.
		named("ScheduleKeyDeletion"),
	Call{Source: "aws.kms", Kinds: []Kind{FlowLogs, Trails, Topics}, Type: Key, Path: "requestParameters.keyId", Advice: adviceKeyPolicy, Severity: High}.
		named("PutKeyPolicy"),
	Call{Source: "aws.kms", Kinds: []Kind{FlowLogs, Trails, Topics}, Type: Key, Path: "requestParameters.keyId", Advice: adviceKeyMaterial, Severity: Critical}.
		named("DeleteImportedKeyMaterial"),

	Call{Source: "aws.account", Kinds: []Kind{FlowLogs}, Type: Region, Path: "requestParameters.regionName", Advice: adviceRegion, Severity: Low}.
		named("EnableRegion"),
	Call{Source: "aws.account", Kinds: []Kind{FlowLogs}, Type: Region, Path: "requestParameters.regionName", Advice: adviceRegionOff, Severity: High}.
		named("DisableRegion"),

	Call{Source: "aws.iam", Kinds: []Kind{DeliveryRoles}, Type: Role, Path: "requestParameters.roleName"}.
		named(roleCalls...),
	Call{Source: "aws.iam", Kinds: []Kind{DeliveryRoles}, Type: IAMPolicy, Path: "requestParameters.policyArn"}.
		named(policyCalls...),
	Call{Source: "aws.iam", Kinds: []Kind{Trails}, Type: Role, Path: "requestParameters.roleName", Advice: adviceTrailRole, Severity: High}.
		named(roleCalls...),
	Call{Source: "aws.iam", Kinds: []Kind{Trails}, Type: IAMPolicy, Path: "requestParameters.policyArn", Advice: adviceTrailRole, Severity: High}.
		named(policyCalls...),

	Call{Source: "aws.events", Kinds: []Kind{Guard}, Type: EventRule, Path: "requestParameters.name"}.
		named("DisableRule", "DeleteRule", "PutRule"),
	Call{Source: "aws.events", Kinds: []Kind{Guard}, Type: EventRule, Path: "requestParameters.rule"}.
		named("RemoveTargets", "PutTargets"),
	Call{Source: "aws.lambda", Kinds: []Kind{Guard}, Type: Lambda, Path: "requestParameters.functionName"}.
		named("PutFunctionConcurrency20171031"),
	Call{Source: "aws.lambda", Kinds: []Kind{Guard}, Type: MappedSource, Path: "responseElements.eventSourceArn"}.
		named("UpdateEventSourceMapping20150331", "DeleteEventSourceMapping20150331"),
	Call{Source: "aws.lambda", Kinds: []Kind{Guard}, Type: MappedSource, Path: "requestParameters.eventSourceArn"}.
		named("CreateEventSourceMapping20150331"), // one may take relight's messages away
	Call{Source: "aws.lambda", Kinds: []Kind{Guard}, Type: OwnFunction, Path: "requestParameters.functionName", Deploys: true, Advice: adviceFunction, Severity: Critical}.
		named("UpdateFunctionCode20150331v2", "UpdateFunctionConfiguration20150331v2"),
	Call{Source: "aws.lambda", Kinds: []Kind{Guard}, Type: OwnFunction, Path: "requestParameters.functionName", Deploys: true, Advice: adviceFunctionGone, Severity: Critical}.
		named("DeleteFunction20150331"),
	Call{Source: "aws.lambda", Kinds: []Kind{Guard}, Type: OwnFunction, Path: "requestParameters.functionName", Deploys: true, Advice: adviceFunctionOpen, Severity: Critical}.
		named("AddPermission20150331v2"),
	Call{Source: "aws.lambda", Kinds: []Kind{Guard}, Type: OwnFunction, Path: "requestParameters.functionName", Deploys: true, Advice: adviceInvocations, Severity: Critical}.
		named("PutFunctionEventInvokeConfig", "UpdateFunctionEventInvokeConfig", "DeleteFunctionEventInvokeConfig"),
	Call{Source: "aws.iam", Kinds: []Kind{Guard}, Type: Role, Path: "requestParameters.roleName", Deploys: true, Advice: adviceOwnRole, Severity: Critical}.
		named(roleCalls...),
	Call{Source: "aws.iam", Kinds: []Kind{Guard}, Type: IAMPolicy, Path: "requestParameters.policyArn", Deploys: true, Advice: adviceOwnBoundary, Severity: Critical}.
		named(policyCalls...),
	Call{Source: "aws.cloudformation", Kinds: []Kind{Guard}, Type: Stack, Path: "requestParameters.stackName|requestParameters.changeSetName", Advice: adviceStackChange, Severity: Low}.
		named("UpdateStack", "ExecuteChangeSet"), // every deployment makes one of them
	Call{Source: "aws.cloudformation", Kinds: []Kind{Guard}, Type: Stack, Path: "requestParameters.stackName", Advice: adviceStackChange, Severity: Critical}.
		named("DeleteStack"),
	Call{Source: "aws.cloudformation", Kinds: []Kind{Guard}, Type: Stack, Path: "requestParameters.stackName", Advice: adviceStackPolicy, Severity: High}.
		named("SetStackPolicy"),
	Call{
		Source: "aws.cloudformation", Kinds: []Kind{Guard}, Type: Stack, Path: "requestParameters.stackName",
		Advice: adviceStackOpen, Severity: High, Harmless: Value{"requestParameters.enableTerminationProtection", "true"},
	}.named("UpdateTerminationProtection"),
	Call{Source: "aws.events", Kinds: []Kind{Guard}, Type: EventBus, Path: "requestParameters.name", Deploys: true, Advice: adviceBusGone, Severity: Critical}.
		named("DeleteEventBus"),
	Call{Source: "aws.events", Kinds: []Kind{Guard}, Type: EventBus, Path: "requestParameters.eventBusName", Deploys: true, Advice: adviceBus, Severity: Critical}.
		named("PutPermission", "RemovePermission"),
	Call{Source: "aws.events", Kinds: []Kind{Guard}, Type: UsedBus, Path: "requestParameters.name", Deploys: true, Advice: adviceBusKey, Severity: Critical}.
		named("UpdateEventBus"),
	Call{Source: "aws.sqs", Kinds: []Kind{Guard}, Type: SQSQueue, Path: "requestParameters.queueUrl"}.
		named("SetQueueAttributes", "AddPermission", "RemovePermission"),
	Call{Source: "aws.sqs", Kinds: []Kind{Guard}, Type: SQSQueue, Path: "requestParameters.queueUrl", Deploys: true, Advice: adviceQueueEmptied, Severity: Critical}.
		named("PurgeQueue"),
	Call{Source: "aws.sqs", Kinds: []Kind{Guard}, Type: SQSQueue, Path: "requestParameters.sourceArn", Deploys: true, Advice: adviceQueueMoved, Severity: Critical}.
		named("StartMessageMoveTask"),
	Call{Source: "aws.sqs", Kinds: []Kind{Guard}, Type: SQSQueue, Path: "requestParameters.queueUrl", Deploys: true, Advice: adviceQueueGone, Severity: Critical}.
		named("DeleteQueue"),
	Call{Source: "aws.scheduler", Kinds: []Kind{Guard}, Type: Schedule, Path: "requestParameters.name"}.
		named("UpdateSchedule", "DeleteSchedule"),

	Call{Source: "aws.ec2", Kinds: []Kind{FlowLogs}, Type: VPC, Path: taggedResources, Tagged: true, If: KeyExemptByTag}.
		named("CreateTags", "DeleteTags"),
	Call{Source: "aws.ec2", Kinds: []Kind{FlowLogs}, Type: Subnet, Path: taggedResources, Tagged: true, If: KeySubnets}.
		named("CreateTags"),
	Call{Source: "aws.ec2", Kinds: []Kind{FlowLogs}, Type: Subnet, Path: taggedResources, Tagged: true, If: KeySubnets, Advice: adviceUnchosen, Severity: Low}.
		named("DeleteTags"),
	Call{Source: "aws.ec2", Kinds: []Kind{FlowLogs}, Type: Interface, Path: taggedResources, Tagged: true, If: KeyInterfaces}.
		named("CreateTags"),
	Call{Source: "aws.ec2", Kinds: []Kind{FlowLogs}, Type: Interface, Path: taggedResources, Tagged: true, If: KeyInterfaces, Advice: adviceUnchosen, Severity: Low}.
		named("DeleteTags"),
	Call{Source: "aws.ec2", Kinds: []Kind{FlowLogs}, Type: Subnet, Path: "responseElements.subnet.subnetId", If: KeySubnets, Makes: true}.
		named("CreateSubnet"),
	Call{Source: "aws.ec2", Kinds: []Kind{FlowLogs}, Type: Interface, Path: "responseElements.networkInterface.networkInterfaceId", If: KeyInterfaces, Makes: true}.
		named("CreateNetworkInterface"),

	Call{Source: "aws.logs", Kinds: []Kind{FlowLogs}, Type: Filter, Path: "requestParameters.filterName", If: KeyRejectAlarm}.
		named("PutMetricFilter", "DeleteMetricFilter"),
	Call{Source: "aws.monitoring", Kinds: []Kind{FlowLogs}, Type: Alarm, Path: "requestParameters.alarmName", If: KeyRejectAlarm}.
		named("PutMetricAlarm"),
	Call{Source: "aws.monitoring", Kinds: []Kind{FlowLogs}, Type: Alarm, Path: "requestParameters.alarmNames", If: KeyRejectAlarm}.
		named("DeleteAlarms", "DisableAlarmActions"),
)

// These calls change what a role may do, or who may assume it.
var (
	roleCalls = []string{
		"DeleteRole", "DeleteRolePolicy", "PutRolePolicy", "AttachRolePolicy", "DetachRolePolicy",
		"UpdateAssumeRolePolicy", "PutRolePermissionsBoundary", "DeleteRolePermissionsBoundary",
	}
	policyCalls = []string{"CreatePolicyVersion", "SetDefaultPolicyVersion"}
)

const taggedResources = "requestParameters.resourcesSet.items"

const logGroupOrResource = "requestParameters.logGroupName|requestParameters.resourceIdentifier"

// named returns one copy of the row for each of the names.
func (c Call) named(names ...string) []Call {
	c.DetailType = cmp.Or(c.DetailType, APICall)
	rows := make([]Call, len(names))
	for i, name := range names {
		rows[i] = c
		rows[i].Name = name
	}
	return rows
}

// Calls returns the calls that a deployment of the baseline watches. It leaves
// out those of which the configuration does not have the key, and calls about tags if
// no tag decides anything.
func (b Baseline) Calls() []Call {
	tags := b.FlowLogs.tagKeys()
	calls := slices.DeleteFunc(slices.Clone(Calls), func(c Call) bool {
		byTag := c.Type == VPC || len(b.FlowLogs.Chosen[c.Type].Tags) > 0
		return c.If != "" && !b.Has(c.If) || c.Tagged && !byTag
	})
	for i := range calls {
		if calls[i].Memory {
			calls[i].under = []string{b.Memories()}
			if b.Has(KeyPause) {
				calls[i].under = append(calls[i].under, b.PauseParameter())
			}
		}
		if calls[i].Tagged {
			calls[i].Tags = tags
		}
	}
	return calls
}

// globalSources are the services whose events AWS sends in only one region of a
// partition, regardless of the region of the call. Source: AWS re:Post,
// "EventBridge rule for IAM in one Region only", which lists IAM,
// Organizations and Account Management.
var globalSources = []string{"aws.iam", "aws.account"}

// Global reports whether AWS sends the events of a source in GlobalRegion only.
func Global(source string) bool { return slices.Contains(globalSources, source) }

// FindCall returns the first row for an event. It returns false if there is
// none.
func FindCall(source, detailType, name string) (Call, bool) {
	rows := FindCalls(source, detailType, name)
	if len(rows) == 0 {
		return Call{}, false
	}
	return rows[0], true
}

// FindCalls returns the rows for an event: a call may harm kinds by the names of
// different resources.
func FindCalls(source, detailType, name string) (found []Call) {
	for _, c := range Calls {
		if c.Source == source && c.DetailType == detailType && (c.Name == name || c.Name == "") {
			found = append(found, c)
		}
	}
	return found
}

// GlobalCalls returns the calls whose events AWS sends in GlobalRegion only.
func GlobalCalls(calls []Call) []Call {
	return slices.DeleteFunc(slices.Clone(calls), func(c Call) bool { return !Global(c.Source) })
}

// RegionalCalls returns the calls whose events AWS sends in the region of the
// call.
func RegionalCalls(calls []Call) []Call {
	return slices.DeleteFunc(slices.Clone(calls), func(c Call) bool { return Global(c.Source) })
}
