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
var Calls = calls()

// watched has a row for calls that differ only by their names. It contains only what the
// compiler can lay out in the binary, because every function has it from its start.
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
var watched = []struct {
	Call
	names []string
}{
	{Call{Source: "aws.ec2", Kinds: []Kind{FlowLogs}, Type: VPC, Path: "responseElements.vpc.vpcId", Newborn: true, Makes: true}, []string{"CreateVpc"}},
	{Call{Source: "aws.ec2", Kinds: []Kind{FlowLogs}, Type: VPC, Path: "responseElements.CreateDefaultVpcResponse.vpc.vpcId", Newborn: true, Makes: true}, []string{"CreateDefaultVpc"}},
	{Call{Source: "aws.ec2", Kinds: []Kind{FlowLogs}, Type: VPC, Path: "requestParameters.vpcId"}, []string{"DeleteVpc"}},
	{Call{Source: "aws.ec2", Kinds: []Kind{FlowLogs}, Type: VPC}, []string{"DeleteFlowLogs"}},

	{Call{Source: "aws.cloudtrail", Kinds: []Kind{Trails}, Type: Trail, Path: "requestParameters.name"}, []string{"StopLogging", "DeleteTrail"}},
	{Call{
		Source: "aws.cloudtrail", Kinds: []Kind{Trails}, Type: Trail, Path: "requestParameters.name", Routine: true, Advice: adviceDestination, Severity: High,
		Sets: []string{
			"requestParameters.s3BucketName", "requestParameters.s3KeyPrefix", "requestParameters.kmsKeyId", "requestParameters.snsTopicName",
			"requestParameters.cloudWatchLogsLogGroupArn", "requestParameters.cloudWatchLogsRoleArn",
		},
	}, []string{"UpdateTrail"}},
	{Call{Source: "aws.cloudtrail", Kinds: []Kind{Trails}, Type: Trail, Path: "requestParameters.trailName"}, []string{"PutEventSelectors"}},
	{Call{Source: "aws.cloudtrail", Kinds: []Kind{Trails}, Type: NewTrail, Path: "requestParameters.name", Advice: adviceNewTrail, Severity: Low}, []string{"CreateTrail"}},

	{Call{Source: "aws.ssm", Kinds: []Kind{Trails}, Type: Parameter, Path: "requestParameters.name", Memory: true, Routine: true, Advice: adviceMemory, Severity: Critical}, []string{"PutParameter"}},
	{Call{Source: "aws.ssm", Kinds: []Kind{Trails}, Type: Parameter, Path: "requestParameters.name", Memory: true, Advice: adviceMemory, Severity: Critical}, []string{"DeleteParameter", "LabelParameterVersion"}},
	{Call{Source: "aws.ssm", Kinds: []Kind{Trails}, Type: Parameter, Path: "requestParameters.names", Memory: true, Advice: adviceMemory, Severity: Critical}, []string{"DeleteParameters"}},

	{Call{Source: "aws.logs", Kinds: []Kind{FlowLogs, LogGroups}, Type: LogGroup, Path: "requestParameters.logGroupName"}, []string{"CreateLogGroup", "DeleteLogGroup", "PutRetentionPolicy"}},
	{Call{Source: "aws.logs", Kinds: []Kind{LogGroups}, Type: FilteredGroup, Path: "requestParameters.logGroupName"}, []string{"PutMetricFilter", "DeleteMetricFilter"}},
	{Call{Source: "aws.logs", Kinds: []Kind{Alarms}, Type: Filter, Path: "requestParameters.filterName"}, []string{"PutMetricFilter"}},   // relight's own filter may be new, and its metric without an alarm
	{Call{Source: "aws.logs", Kinds: []Kind{Guard}, Type: LogGroup, Path: "requestParameters.logGroupName"}, []string{"DeleteLogGroup"}}, // of relight's own functions
	{Call{Source: "aws.logs", Kinds: []Kind{Guard}, Type: LogGroup, Path: "requestParameters.logGroupName", Deploys: true, Routine: true, Advice: adviceOwnLogs, Severity: Critical}, []string{"PutRetentionPolicy"}},
	{Call{
		Source: "aws.logs", Kinds: []Kind{FlowLogs, LogGroups}, Type: LogGroup, Path: "requestParameters.logGroupIdentifier",
		Advice: adviceUnprotected, Severity: High, Harmless: Value{"requestParameters.deletionProtectionEnabled", "true"},
	}, []string{"PutLogGroupDeletionProtection"}},
	{Call{Source: "aws.logs", Kinds: []Kind{FlowLogs, LogGroups}, Type: LogGroup, Path: logGroupOrResource, Advice: adviceEncrypted, Severity: High}, []string{"AssociateKmsKey"}},
	{Call{Source: "aws.logs", Kinds: []Kind{FlowLogs, LogGroups}, Type: LogGroup, Path: logGroupOrResource, Advice: adviceDecrypted, Severity: Low}, []string{"DisassociateKmsKey"}},
	{Call{Source: "aws.logs", Kinds: []Kind{FlowLogs, LogGroups}, Type: LogGroup, Path: "requestParameters.logGroupName", Advice: adviceStreamGone, Severity: High}, []string{"DeleteLogStream"}},
	{Call{Source: "aws.logs", Kinds: []Kind{FlowLogs, LogGroups}, Type: LogGroup, Path: "requestParameters.logGroupName", Advice: adviceFeedGone, Severity: Low}, []string{"DeleteSubscriptionFilter"}},
	{Call{Source: "aws.logs", Kinds: []Kind{FlowLogs, LogGroups}, Type: LogGroup, Path: "requestParameters.logGroupName", Advice: adviceFeedPut, Severity: Low}, []string{"PutSubscriptionFilter"}},
	{Call{Source: "aws.logs", Kinds: []Kind{LogGroups}, Type: Destination, Path: "requestParameters.destinationName", Advice: adviceLogDestination, Severity: Low}, []string{"PutDestination", "PutDestinationPolicy", "DeleteDestination"}},
	{Call{Source: "aws.logs", Kinds: []Kind{FlowLogs, LogGroups}, Type: LogGroup, Path: "requestParameters.logGroupIdentifier", Advice: adviceMasked, Severity: High}, []string{"PutDataProtectionPolicy"}},
	{Call{Source: "aws.logs", Kinds: []Kind{FlowLogs, LogGroups}, Type: LogGroup, Path: "requestParameters.logGroupIdentifier", Advice: adviceTransformed, Severity: Low}, []string{"PutTransformer"}},
	{Call{Source: "aws.logs", Kinds: []Kind{FlowLogs}, Type: AccountPolicy, Path: "requestParameters.policyName", Advice: adviceAccountWide, Severity: High}, []string{"PutAccountPolicy"}}, // in the regions beside the home region
	{Call{Source: "aws.logs", Kinds: []Kind{FlowLogs}, Type: AccountPolicy, Path: "requestParameters.policyName", Advice: adviceAccountPolicyGone, Severity: Low}, []string{"DeleteAccountPolicy"}},
	{Call{Source: "aws.logs", Kinds: []Kind{LogGroups}, Type: LogGroup, Advice: adviceAccountWide, Severity: High}, []string{"PutAccountPolicy"}},
	{Call{Source: "aws.logs", Kinds: []Kind{LogGroups}, Type: LogGroup, Advice: adviceAccountPolicyGone, Severity: Low}, []string{"DeleteAccountPolicy"}},
	{Call{Source: "aws.logs", Kinds: []Kind{FlowLogs}, Type: AccountPolicy, Path: "requestParameters.policyName", Advice: adviceResourcePolicy, Severity: High}, []string{"PutResourcePolicy"}}, // in the regions beside the home region
	{Call{Source: "aws.logs", Kinds: []Kind{LogGroups}, Type: Destination, Path: "requestParameters.policyName", Advice: adviceResourcePolicy, Severity: High}, []string{"PutResourcePolicy"}},  // an explicit denial in it applies to whoever writes to a log group

	{Call{Source: "aws.sns", Kinds: []Kind{Topics}, Type: Topic, Path: "requestParameters.topicArn"}, []string{"DeleteTopic", "SetTopicAttributes", "RemovePermission"}},
	{Call{Source: "aws.sns", Kinds: []Kind{Topics}, Type: Topic, Path: "requestParameters.subscriptionArn", Advice: adviceUnsubscribed, Severity: High}, []string{"Unsubscribe"}},
	{Call{Source: "aws.sns", Kinds: []Kind{Topics}, Type: Topic, Path: "requestParameters.resourceArn", Advice: adviceTopicData, Severity: Critical}, []string{"PutDataProtectionPolicy"}},
	{Call{Source: "aws.sns", Kinds: []Kind{Topics}, Type: Topic, Path: "requestParameters.subscriptionArn"}, []string{"SetSubscriptionAttributes"}},

	{Call{Source: "aws.monitoring", Kinds: []Kind{Alarms}, Type: Alarm, Path: "requestParameters.alarmName"}, []string{"PutMetricAlarm"}},
	{Call{Source: "aws.monitoring", Kinds: []Kind{Alarms}, Type: Alarm, Path: "requestParameters.alarmNames"}, []string{"DeleteAlarms", "DisableAlarmActions"}},
	{Call{Source: "aws.monitoring", Kinds: []Kind{Alarms}, Type: Alarm, Path: "requestParameters.alarmName", Routine: true, Advice: adviceStateSet, Severity: Low}, []string{"SetAlarmState"}},
	{Call{Source: "aws.monitoring", Kinds: []Kind{Alarms}, Type: MutedAlarm, Path: "requestParameters.muteTargets.alarmNames"}, []string{"PutAlarmMuteRule"}},
	{Call{Source: "aws.monitoring", Kinds: []Kind{Alarms}, Type: CompositeAlarm, Path: "requestParameters.alarmName"}, []string{"PutCompositeAlarm"}},
	{Call{Source: "aws.cloudwatch", DetailType: AlarmChange, Kinds: []Kind{Alarms}, Type: Alarm, Path: "alarmName"}, []string{""}},
	{Call{Source: "aws.monitoring", DetailType: AlarmChange, Kinds: []Kind{Alarms}, Type: Alarm, Path: "alarmName"}, []string{""}},

	{Call{Source: "aws.s3", Kinds: []Kind{FlowLogs, Trails}, Type: Bucket, Path: "requestParameters.bucketName", Advice: adviceBucketPolicy, Severity: High}, []string{"PutBucketPolicy"}},
	{Call{Source: "aws.s3", Kinds: []Kind{FlowLogs, Trails}, Type: Bucket, Path: "requestParameters.bucketName", Advice: adviceNoBucketPolicy, Severity: Critical}, []string{"DeleteBucketPolicy"}},
	{Call{Source: "aws.s3", Kinds: []Kind{FlowLogs, Trails}, Type: Bucket, Path: "requestParameters.bucketName", Advice: adviceLifecycle, Severity: High}, []string{"PutBucketLifecycle", "PutBucketLifecycleConfiguration"}}, // real records have the first name
	{Call{Source: "aws.s3", Kinds: []Kind{FlowLogs, Trails}, Type: Bucket, Path: "requestParameters.bucketName", Advice: adviceNoBucket, Severity: Critical}, []string{"DeleteBucket"}},
	{Call{Source: "aws.s3", Kinds: []Kind{FlowLogs, Trails}, Type: Bucket, Path: "requestParameters.bucketName", Advice: adviceVersioning, Severity: High}, []string{"PutBucketVersioning"}},
	{Call{Source: "aws.s3", Kinds: []Kind{FlowLogs, Trails}, Type: Bucket, Path: "requestParameters.bucketName", Advice: adviceBucketKey, Severity: High}, []string{"PutBucketEncryption", "DeleteBucketEncryption"}},
	{Call{Source: "aws.s3", Kinds: []Kind{FlowLogs, Trails}, Type: Bucket, Path: "requestParameters.bucketName", Advice: adviceBucketAccess, Severity: High}, []string{"PutBucketAcl", "PutBucketOwnershipControls", "DeleteBucketOwnershipControls", "PutBucketPublicAccessBlock", "DeleteBucketPublicAccessBlock"}},
	{Call{Source: "aws.s3", Kinds: []Kind{FlowLogs, Trails}, Type: Bucket, Path: "requestParameters.bucketName", Advice: adviceReplication, Severity: High}, []string{"PutBucketReplication", "DeleteBucketReplication"}},
	{Call{Source: "aws.s3", Kinds: []Kind{FlowLogs, Trails}, Type: Bucket, Path: "requestParameters.bucketName", Advice: adviceObjectLock, Severity: Low}, []string{"PutBucketObjectLockConfiguration"}},
	{Call{Source: "aws.s3", Kinds: []Kind{FlowLogs, Trails}, Type: Bucket, Path: "requestParameters.bucketName", Advice: adviceBucketFeeds, Severity: Low}, []string{"PutBucketNotification", "PutBucketLogging"}},

	{Call{Source: "aws.firehose", Kinds: []Kind{FlowLogs}, Type: Stream, Path: "requestParameters.deliveryStreamName", Advice: adviceNoStream, Severity: High}, []string{"DeleteDeliveryStream"}},
	{Call{Source: "aws.firehose", Kinds: []Kind{FlowLogs}, Type: Stream, Path: "requestParameters.deliveryStreamName", Advice: adviceStream, Severity: High}, []string{"UpdateDestination"}},
	{Call{Source: "aws.firehose", Kinds: []Kind{FlowLogs}, Type: Stream, Path: "requestParameters.deliveryStreamName", Advice: adviceStreamTag, Severity: High}, []string{"UntagDeliveryStream"}},

	{Call{Source: "aws.kms", Kinds: []Kind{FlowLogs, Trails, Topics}, Type: Key, Path: "requestParameters.keyId", Advice: adviceDisabledKey, Severity: Critical}, []string{"DisableKey"}},
	{Call{Source: "aws.kms", Kinds: []Kind{FlowLogs, Trails, Topics}, Type: Key, Path: "requestParameters.keyId", Advice: adviceDyingKey, Severity: Critical}, []string{"ScheduleKeyDeletion"}},
	{Call{Source: "aws.kms", Kinds: []Kind{FlowLogs, Trails, Topics}, Type: Key, Path: "requestParameters.keyId", Advice: adviceKeyPolicy, Severity: High}, []string{"PutKeyPolicy"}},
	{Call{Source: "aws.kms", Kinds: []Kind{FlowLogs, Trails, Topics}, Type: Key, Path: "requestParameters.keyId", Advice: adviceKeyMaterial, Severity: Critical}, []string{"DeleteImportedKeyMaterial"}},

	{Call{Source: "aws.account", Kinds: []Kind{FlowLogs}, Type: Region, Path: "requestParameters.regionName", Advice: adviceRegion, Severity: Low}, []string{"EnableRegion"}},
	{Call{Source: "aws.account", Kinds: []Kind{FlowLogs}, Type: Region, Path: "requestParameters.regionName", Advice: adviceRegionOff, Severity: High}, []string{"DisableRegion"}},

	{Call{Source: "aws.iam", Kinds: []Kind{DeliveryRoles}, Type: Role, Path: "requestParameters.roleName"}, roleCalls},
	{Call{Source: "aws.iam", Kinds: []Kind{DeliveryRoles}, Type: IAMPolicy, Path: "requestParameters.policyArn"}, policyCalls},
	{Call{Source: "aws.iam", Kinds: []Kind{Trails}, Type: Role, Path: "requestParameters.roleName", Advice: adviceTrailRole, Severity: High}, roleCalls},
	{Call{Source: "aws.iam", Kinds: []Kind{Trails}, Type: IAMPolicy, Path: "requestParameters.policyArn", Advice: adviceTrailRole, Severity: High}, policyCalls},

	{Call{Source: "aws.events", Kinds: []Kind{Guard}, Type: EventRule, Path: "requestParameters.name"}, []string{"DisableRule", "DeleteRule", "PutRule"}},
	{Call{Source: "aws.events", Kinds: []Kind{Guard}, Type: EventRule, Path: "requestParameters.rule"}, []string{"RemoveTargets", "PutTargets"}},
	{Call{Source: "aws.lambda", Kinds: []Kind{Guard}, Type: Lambda, Path: "requestParameters.functionName"}, []string{"PutFunctionConcurrency20171031"}},
	{Call{Source: "aws.lambda", Kinds: []Kind{Guard}, Type: MappedSource, Path: "responseElements.eventSourceArn"}, []string{"UpdateEventSourceMapping20150331", "DeleteEventSourceMapping20150331"}},
	{Call{Source: "aws.lambda", Kinds: []Kind{Guard}, Type: MappedSource, Path: "requestParameters.eventSourceArn"}, []string{"CreateEventSourceMapping20150331"}}, // one may take relight's messages away
	{Call{Source: "aws.lambda", Kinds: []Kind{Guard}, Type: OwnFunction, Path: "requestParameters.functionName", Deploys: true, Advice: adviceFunction, Severity: Critical}, []string{"UpdateFunctionCode20150331v2", "UpdateFunctionConfiguration20150331v2"}},
	{Call{Source: "aws.lambda", Kinds: []Kind{Guard}, Type: OwnFunction, Path: "requestParameters.functionName", Deploys: true, Advice: adviceFunctionGone, Severity: Critical}, []string{"DeleteFunction20150331"}},
	{Call{Source: "aws.lambda", Kinds: []Kind{Guard}, Type: OwnFunction, Path: "requestParameters.functionName", Deploys: true, Advice: adviceFunctionOpen, Severity: Critical}, []string{"AddPermission20150331v2"}},
	{Call{Source: "aws.lambda", Kinds: []Kind{Guard}, Type: OwnFunction, Path: "requestParameters.functionName", Deploys: true, Advice: adviceInvocations, Severity: Critical}, []string{"PutFunctionEventInvokeConfig", "UpdateFunctionEventInvokeConfig", "DeleteFunctionEventInvokeConfig"}},
	{Call{Source: "aws.iam", Kinds: []Kind{Guard}, Type: Role, Path: "requestParameters.roleName", Deploys: true, Advice: adviceOwnRole, Severity: Critical}, roleCalls},
	{Call{Source: "aws.iam", Kinds: []Kind{Guard}, Type: IAMPolicy, Path: "requestParameters.policyArn", Deploys: true, Advice: adviceOwnBoundary, Severity: Critical}, policyCalls},
	{Call{Source: "aws.cloudformation", Kinds: []Kind{Guard}, Type: Stack, Path: "requestParameters.stackName|requestParameters.changeSetName", Advice: adviceStackChange, Severity: Low}, []string{"UpdateStack", "ExecuteChangeSet"}}, // every deployment makes one of them
	{Call{Source: "aws.cloudformation", Kinds: []Kind{Guard}, Type: Stack, Path: "requestParameters.stackName", Advice: adviceStackChange, Severity: Critical}, []string{"DeleteStack"}},
	{Call{Source: "aws.cloudformation", Kinds: []Kind{Guard}, Type: Stack, Path: "requestParameters.stackName", Advice: adviceStackPolicy, Severity: High}, []string{"SetStackPolicy"}},
	{Call{
		Source: "aws.cloudformation", Kinds: []Kind{Guard}, Type: Stack, Path: "requestParameters.stackName",
		Advice: adviceStackOpen, Severity: High, Harmless: Value{"requestParameters.enableTerminationProtection", "true"},
	}, []string{"UpdateTerminationProtection"}},
	{Call{Source: "aws.events", Kinds: []Kind{Guard}, Type: EventBus, Path: "requestParameters.name", Deploys: true, Advice: adviceBusGone, Severity: Critical}, []string{"DeleteEventBus"}},
	{Call{Source: "aws.events", Kinds: []Kind{Guard}, Type: EventBus, Path: "requestParameters.eventBusName", Deploys: true, Advice: adviceBus, Severity: Critical}, []string{"PutPermission", "RemovePermission"}},
	{Call{Source: "aws.events", Kinds: []Kind{Guard}, Type: UsedBus, Path: "requestParameters.name", Deploys: true, Advice: adviceBusKey, Severity: Critical}, []string{"UpdateEventBus"}},
	{Call{Source: "aws.sqs", Kinds: []Kind{Guard}, Type: SQSQueue, Path: "requestParameters.queueUrl"}, []string{"SetQueueAttributes", "AddPermission", "RemovePermission"}},
	{Call{Source: "aws.sqs", Kinds: []Kind{Guard}, Type: SQSQueue, Path: "requestParameters.queueUrl", Deploys: true, Advice: adviceQueueEmptied, Severity: Critical}, []string{"PurgeQueue"}},
	{Call{Source: "aws.sqs", Kinds: []Kind{Guard}, Type: SQSQueue, Path: "requestParameters.sourceArn", Deploys: true, Advice: adviceQueueMoved, Severity: Critical}, []string{"StartMessageMoveTask"}},
	{Call{Source: "aws.sqs", Kinds: []Kind{Guard}, Type: SQSQueue, Path: "requestParameters.queueUrl", Deploys: true, Advice: adviceQueueGone, Severity: Critical}, []string{"DeleteQueue"}},
	{Call{Source: "aws.states", Kinds: []Kind{Guard}, Type: StateMachine, Path: "requestParameters.stateMachineArn", Deploys: true, Advice: adviceMachine, Severity: Critical}, []string{"UpdateStateMachine"}},
	{Call{Source: "aws.states", Kinds: []Kind{Guard}, Type: StateMachine, Path: "requestParameters.stateMachineArn", Deploys: true, Advice: adviceMachineGone, Severity: Critical}, []string{"DeleteStateMachine"}},
	{Call{Source: "aws.states", Kinds: []Kind{Guard}, Type: StateMachine, Path: "requestParameters.executionArn", Advice: adviceMachineStopped, Severity: High}, []string{"StopExecution"}},
	{Call{Source: "aws.scheduler", Kinds: []Kind{Guard}, Type: Schedule, Path: "requestParameters.name"}, []string{"UpdateSchedule", "DeleteSchedule"}},

	{Call{Source: "aws.ec2", Kinds: []Kind{FlowLogs}, Type: VPC, Path: taggedResources, Tagged: true, If: KeyExemptByTag}, []string{"CreateTags", "DeleteTags"}},
	{Call{Source: "aws.ec2", Kinds: []Kind{FlowLogs}, Type: Subnet, Path: taggedResources, Tagged: true, If: KeySubnets}, []string{"CreateTags"}},
	{Call{Source: "aws.ec2", Kinds: []Kind{FlowLogs}, Type: Subnet, Path: taggedResources, Tagged: true, If: KeySubnets, Advice: adviceUnchosen, Severity: Low}, []string{"DeleteTags"}},
	{Call{Source: "aws.ec2", Kinds: []Kind{FlowLogs}, Type: Interface, Path: taggedResources, Tagged: true, If: KeyInterfaces}, []string{"CreateTags"}},
	{Call{Source: "aws.ec2", Kinds: []Kind{FlowLogs}, Type: Interface, Path: taggedResources, Tagged: true, If: KeyInterfaces, Advice: adviceUnchosen, Severity: Low}, []string{"DeleteTags"}},
	{Call{Source: "aws.ec2", Kinds: []Kind{FlowLogs}, Type: Subnet, Path: "responseElements.subnet.subnetId", If: KeySubnets, Makes: true}, []string{"CreateSubnet"}},
	{Call{Source: "aws.ec2", Kinds: []Kind{FlowLogs}, Type: Interface, Path: "responseElements.networkInterface.networkInterfaceId", If: KeyInterfaces, Makes: true}, []string{"CreateNetworkInterface"}},

	{Call{Source: "aws.logs", Kinds: []Kind{FlowLogs}, Type: Filter, Path: "requestParameters.filterName", If: KeyRejectAlarm}, []string{"PutMetricFilter", "DeleteMetricFilter"}},
	{Call{Source: "aws.monitoring", Kinds: []Kind{FlowLogs}, Type: Alarm, Path: "requestParameters.alarmName", If: KeyRejectAlarm}, []string{"PutMetricAlarm"}},
	{Call{Source: "aws.monitoring", Kinds: []Kind{FlowLogs}, Type: Alarm, Path: "requestParameters.alarmNames", If: KeyRejectAlarm}, []string{"DeleteAlarms", "DisableAlarmActions"}},
}

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

// calls returns the rows of watched, with one copy of a row for each of its names.
func calls() []Call {
	n := 0
	for i := range watched {
		n += len(watched[i].names)
	}
	all := make([]Call, 0, n)
	for i := range watched {
		for _, name := range watched[i].names {
			c := watched[i].Call
			c.Name, c.DetailType = name, cmp.Or(c.DetailType, APICall)
			all = append(all, c)
		}
	}
	return all
}

// Calls returns the calls that a deployment of the baseline watches. It leaves
// out those of which the configuration does not have the key, and calls about tags if
// no tag decides anything. A guarded account has the rules of the hub's configuration.
func (b Baseline) Calls() []Call {
	tags, has := b.FlowLogs.tagKeys(), b.Has
	if b.Member != "" {
		has = func(key string) bool { return slices.Contains(b.MemberKeys, key) }
	}
	calls := slices.DeleteFunc(slices.Clone(Calls), func(c Call) bool {
		byTag := c.Type == VPC || len(b.FlowLogs.Chosen[c.Type].Tags) > 0
		return c.If != "" && !has(c.If) || c.Tagged && !byTag
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

// ownCalls are the watched calls that relight's functions make, in order. The policies of
// the functions say so too, and a test compares them. But they are large, and a function
// that asked them would have them built at its start.
var ownCalls = []string{
	"AssociateKmsKey", "CreateLogGroup", "CreateTags", "CreateTrail", "DeleteFlowLogs", "DeleteRolePermissionsBoundary", "DeleteRolePolicy",
	"DetachRolePolicy", "DisassociateKmsKey", "PutCompositeAlarm", "PutEventSelectors", "PutLogGroupDeletionProtection", "PutMetricAlarm",
	"PutMetricFilter", "PutParameter", "PutRetentionPolicy", "PutRolePermissionsBoundary", "PutRolePolicy", "PutRule", "PutTargets",
	"SetAlarmState", "SetQueueAttributes", "SetSubscriptionAttributes", "SetTopicAttributes", "UpdateAssumeRolePolicy", "UpdateSchedule",
	"UpdateTrail",
}

// Own reports whether relight makes a watched call of this name.
func Own(call string) bool {
	_, own := slices.BinarySearch(ownCalls, call)
	return own
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
