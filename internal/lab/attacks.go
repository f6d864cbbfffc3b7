package lab

import (
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	cloudtrailtypes "github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/relight-aws/relight/internal/catalog"
)

// Names of what attacks make or target.
const (
	lostBucket     = "lost-logs-" + Account // of a flow log that an attack makes and then deletes
	spareBucket    = "elsewhere-" + Account // the intruder's
	deliveryPolicy = "deliver"              // the delivery role's inline policy
	intruderPolicy = "intruder-${unique}"   // a managed policy that the intruder makes
	intruderARN    = "arn:aws:iam::${account}:policy/" + intruderPolicy
)

// The managed policies that attacks put on the trail's role. They have fixed names,
// because the calls that undo the attacks name them too.
const (
	trailPolicy     = "for-the-trail"
	attachedPolicy  = "for-the-trail-as-well"
	versionedPolicy = "for-the-trail-from-now-on"
)

func policyARN(name string) string { return "arn:aws:iam::${account}:policy/" + name }

// masking is a data protection policy that masks addresses.
const masking = `{"Name":"mask","Version":"2021-06-01","Statement":[` +
	`{"DataIdentifier":["arn:aws:dataprotection::aws:data-identifier/IpAddress"],"Operation":{"Audit":{"FindingsDestination":{}}}},` +
	`{"DataIdentifier":["arn:aws:dataprotection::aws:data-identifier/IpAddress"],"Operation":{"Deidentify":{"MaskConfig":{}}}}]}`

// Attacks returns the demo's attacks: every watched call at least once, and
// combinations of calls.
func Attacks() []Attack {
	return slices.Concat([]Attack{
		heals("ec2 CreateVpc", Region, changeNetwork, sdk((*ec2.Client).CreateVpc, createVPC("10.100.0.0/16"))).leaves(newVPCs),
		heals("ec2 CreateVpc", Region, changeNetwork, cli("ec2", "CreateVpc", createVPC("10.200.0.0/16"))).leaves(newVPCs),
		heals("ec2 CreateVpc", SecondRegion, changeNetwork, sdk((*ec2.Client).CreateVpc, createVPC("10.100.0.0/16"))).leaves(newVPCs),
		heals("ec2 CreateVpc, ten at once", Region, changeNetwork).by(atOnce(tenVPCs()...)).leaves(newVPCs),
		heals("ec2 CreateDefaultVpc", Region, changeNetwork, cli("ec2", "CreateDefaultVpc", input{})).leaves(newVPCs),
		heals("ec2 DeleteVpc, the end of a recorded teardown", Region, notAnIntrusion).by(teardown).unseen(),
		heals("ec2 DeleteFlowLogs, one", Region, disableLogs, sdk((*ec2.Client).DeleteFlowLogs, input{"FlowLogIds": "${flow-logs-of-vpc}"})),
		heals("ec2 DeleteFlowLogs, all", SecondRegion, disableLogs, sdk((*ec2.Client).DeleteFlowLogs, input{"FlowLogIds": "${flow-logs}"})),

		heals("logs DeleteLogGroup, the flow logs'", Region, destroyData).by(deleteGroup(flowLogGroup)).leaves(groupsProtected(flowLogGroup)),
		heals("logs DeleteLogGroup, the trail's", Region, destroyData).by(deleteGroup(trailGroup)).leaves(groupsProtected(trailGroup)),
		heals("logs DeleteLogGroup and CreateLogGroup, kept a day", Region, destroyData).by(replaceGroup).leaves(protectedIfOurs),
		heals("logs PutRetentionPolicy, a day", Region, disableLogs, sdk((*cloudwatchlogs.Client).PutRetentionPolicy, aDay("${trail-log-group}"))),
		heals("logs PutRetentionPolicy, a year instead of ten", Region, destroyData,
			cli("logs", "PutRetentionPolicy", input{"logGroupName": "${trail-log-group}", "retentionInDays": 365})),
		heals("logs PutRetentionPolicy, a day, flow logs'", SecondRegion, disableLogs, sdk((*cloudwatchlogs.Client).PutRetentionPolicy, aDay("${flow-log-group}"))),
		heals("logs PutLogGroupDeletionProtection, off, flow logs'", Region, disableLogs,
			cli("logs", "PutLogGroupDeletionProtection", input{"logGroupIdentifier": "${flow-log-group}", "deletionProtectionEnabled": false})),
		reports("logs AssociateKmsKey, another account's", Region, encryptData,
			sdk((*cloudwatchlogs.Client).AssociateKmsKey, input{
				"logGroupName": "${trail-log-group}", "kmsKeyId": "arn:aws:kms:" + Region + ":444455556666:key/1234abcd-12ab-34cd-56ef-1234567890ab",
			})).undoneBy(sdk((*cloudwatchlogs.Client).DisassociateKmsKey, input{"logGroupName": "${trail-log-group}"})),
		heals("logs AssociateKmsKey, of this account, flow logs'", Region, encryptData,
			sdk((*cloudwatchlogs.Client).AssociateKmsKey, input{
				"logGroupName": "${flow-log-group}", "kmsKeyId": "arn:aws:kms:" + Region + ":" + Account + ":key/${trail-key}",
			})).unseen(),
		reports("logs DisassociateKmsKey, the trail's", Region, disableLogs, cli("logs", "DisassociateKmsKey", input{"logGroupName": "${trail-log-group}"})),
		reports("logs DeleteLogStream, the trail's", Region, destroyData,
			sdk((*cloudwatchlogs.Client).CreateLogStream, input{"logGroupName": "${trail-log-group}", "logStreamName": Account + "_CloudTrail_" + Region}),
			sdk((*cloudwatchlogs.Client).DeleteLogStream, input{"logGroupName": "${trail-log-group}", "logStreamName": Account + "_CloudTrail_" + Region})),
		reports("logs DeleteSubscriptionFilter, the trail's", Region, disableLogs,
			sdk((*cloudwatchlogs.Client).PutSubscriptionFilter, input{
				"logGroupName": "${trail-log-group}", "filterName": "to-security", "filterPattern": "",
				"destinationArn": "arn:aws:logs:" + Region + ":444455556666:destination:security",
			}),
			sdk((*cloudwatchlogs.Client).DeleteSubscriptionFilter, input{"logGroupName": "${trail-log-group}", "filterName": "to-security"})),
		reports("logs PutMetricFilter, one of the intruder's that hides events", Region, disableLogs, poison("${trail-log-group}")).
			undoneBy(sdk((*cloudwatchlogs.Client).DeleteMetricFilter, input{"logGroupName": "${trail-log-group}", "filterName": "perf"})),
		reports("logs PutSubscriptionFilter, over somebody's feed", Region, disableLogs,
			feed(""), feed(`"never-there"`)).
			undoneBy(sdk((*cloudwatchlogs.Client).DeleteSubscriptionFilter, input{"logGroupName": "${trail-log-group}", "filterName": "siem"})),
		reports("logs PutSubscriptionFilter, flow logs' to another account", Region, disableLogs,
			sdk((*cloudwatchlogs.Client).PutSubscriptionFilter, input{
				"logGroupName": "${flow-log-group}", "filterName": "siem", "filterPattern": "",
				"destinationArn": "arn:aws:logs:" + Region + ":444455556666:destination:elsewhere",
			})).
			undoneBy(sdk((*cloudwatchlogs.Client).DeleteSubscriptionFilter, input{"logGroupName": "${flow-log-group}", "filterName": "siem"})),
		reports("logs PutDestination, to another stream", Region, disableLogs, destination()).
			undoneBy(cli("logs", "DeleteDestination", input{"destinationName": "security"})),
		reports("logs PutDestinationPolicy, nobody may send", Region, disableLogs, destination(),
			cli("logs", "PutDestinationPolicy", input{"destinationName": "security", "accessPolicy": *document(map[string]any{
				"Effect": "Deny", "Principal": "*", "Action": "logs:PutSubscriptionFilter", "Resource": "*",
			})})).
			undoneBy(cli("logs", "DeleteDestination", input{"destinationName": "security"})),
		reports("logs PutResourcePolicy, nobody may write", Region, disableLogs,
			cli("logs", "PutResourcePolicy", input{"policyName": "hardening", "policyDocument": *document(map[string]any{
				"Effect": "Deny", "Principal": "*", "Action": "logs:PutLogEvents", "Resource": "*",
			})})).
			undoneBy(cli("logs", "DeleteResourcePolicy", input{"policyName": "hardening"})),
		reports("logs DeleteDestination", Region, disableLogs, destination(), cli("logs", "DeleteDestination", input{"destinationName": "security"})),
		reports("logs DeleteAccountPolicy, everybody's feed", Region, disableLogs,
			sdk((*cloudwatchlogs.Client).PutAccountPolicy, input{
				"policyName": "siem", "policyType": "SUBSCRIPTION_FILTER_POLICY", "scope": "ALL",
				"policyDocument": `{"DestinationArn":"arn:aws:logs:` + Region + `:444455556666:destination:security","FilterPattern":"","Distribution":"Random"}`,
			}),
			cli("logs", "DeleteAccountPolicy", input{"policyName": "siem", "policyType": "SUBSCRIPTION_FILTER_POLICY"})),
		reports("logs PutDataProtectionPolicy, the trail's", Region, disableLogs,
			sdk((*cloudwatchlogs.Client).PutDataProtectionPolicy, input{"logGroupIdentifier": "${trail-log-group}", "policyDocument": masking})).
			undoneBy(sdk((*cloudwatchlogs.Client).DeleteDataProtectionPolicy, input{"logGroupIdentifier": "${trail-log-group}"})),
		reports("logs PutTransformer, the trail's", Region, disableLogs,
			sdk((*cloudwatchlogs.Client).PutTransformer, input{
				"logGroupIdentifier": "${trail-log-group}",
				"transformerConfig":  []input{{"parseJSON": input{}}, {"deleteKeys": input{"withKeys": []string{"userIdentity"}}}},
			})).undoneBy(sdk((*cloudwatchlogs.Client).DeleteTransformer, input{"logGroupIdentifier": "${trail-log-group}"})),
		reports("logs PutAccountPolicy, masking everything elsewhere", SecondRegion, disableLogs,
			sdk((*cloudwatchlogs.Client).PutAccountPolicy, input{"policyName": "mask", "policyType": "DATA_PROTECTION_POLICY", "policyDocument": masking})).
			undoneBy(sdk((*cloudwatchlogs.Client).DeleteAccountPolicy, input{"policyName": "mask", "policyType": "DATA_PROTECTION_POLICY"})),
		reports("logs PutAccountPolicy, masking everything", Region, disableLogs,
			sdk((*cloudwatchlogs.Client).PutAccountPolicy, input{"policyName": "mask", "policyType": "DATA_PROTECTION_POLICY", "policyDocument": masking})).
			undoneBy(sdk((*cloudwatchlogs.Client).DeleteAccountPolicy, input{"policyName": "mask", "policyType": "DATA_PROTECTION_POLICY"})),
		heals("logs DeleteMetricFilter, one", Region, disableTools,
			cli("logs", "DeleteMetricFilter", input{"logGroupName": "${trail-log-group}", "filterName": "${prefix}-root-usage"})),
		heals("logs PutMetricFilter, another pattern", Region, disableTools).by(putFilter("iam-changes", func(in *cloudwatchlogs.PutMetricFilterInput) {
			in.FilterPattern = aws.String("{ $.eventName = NoSuchCall }")
		})),
		heals("logs PutMetricFilter, a field selection", Region, disableTools).by(putFilter("vpc-changes", func(in *cloudwatchlogs.PutMetricFilterInput) {
			in.FieldSelectionCriteria = aws.String(`@aws.region = "xx-none-1"`)
		})),
		heals("logs PutMetricFilter, counting nothing", Region, disableTools).by(putFilter("nacl-changes", func(in *cloudwatchlogs.PutMetricFilterInput) {
			in.MetricTransformations[0].MetricValue = aws.String("0")
		})),

		heals("sns DeleteTopic", Region, disableTools, sdk((*sns.Client).DeleteTopic, input{"TopicArn": "${topic}"})),
		heals("sns SetTopicAttributes, a policy without alarms", Region, disableTools).by(shutTopic),
		// Messages still arrive, and the outside check reads no keys. Only the
		// snapshots show the difference.
		heals("sns SetTopicAttributes, a Deny that spares AWS services alone", Region, disableTools).by(denyTopic(map[string]any{
			"Principal": "*", "Action": "sns:Publish", "Condition": map[string]any{"StringNotEquals": map[string]any{"aws:SourceAccount": Account}},
		})),
		heals("sns SetTopicAttributes, a Deny of new subscribers", Region, disableTools).by(denyTopic(map[string]any{
			"Principal": map[string]any{"AWS": "arn:aws:iam::" + Account + ":root"}, "NotAction": []string{"sns:Publish", "sns:SetTopicAttributes", "sns:GetTopicAttributes"},
		})),
		heals("sns SetTopicAttributes, no key", Region, disableTools,
			cli("sns", "SetTopicAttributes", input{"TopicArn": "${topic}", "AttributeName": "KmsMasterKeyId", "AttributeValue": ""})).unseen(),
		heals("kms DisableKey, the topic's", Region, disableTools, cli("kms", "DisableKey", input{"KeyId": "${topic-key}"})).unseen(),
		heals("kms ScheduleKeyDeletion, the topic's", Region, disableTools,
			cli("kms", "ScheduleKeyDeletion", input{"KeyId": "${topic-key}", "PendingWindowInDays": 7})).unseen(),
		heals("sns RemovePermission, the alarms'", Region, disableTools,
			cli("sns", "RemovePermission", input{"TopicArn": "${topic}", "Label": "${alarms-statement}"})),
		heals("sns Unsubscribe, the queue", Region, disableTools, sdk((*sns.Client).Unsubscribe, input{"SubscriptionArn": "${queue-subscription}"})),
		heals("sns Unsubscribe, the mail", Region, disableTools, sdk((*sns.Client).Unsubscribe, input{"SubscriptionArn": "${mail-subscription}"})),
		reports("sns PutDataProtectionPolicy, messages with an address dropped", Region, disableTools,
			sdk((*sns.Client).PutDataProtectionPolicy, input{"ResourceArn": "${topic}", "DataProtectionPolicy": `{"Name":"hardening","Version":"2021-06-01","Statement":[{"DataDirection":"Outbound",` +
				`"Principal":["*"],"DataIdentifier":["arn:aws:dataprotection::aws:data-identifier/IpAddress"],"Operation":{"Deny":{}}}]}`})).
			undoneBy(sdk((*sns.Client).PutDataProtectionPolicy, input{"ResourceArn": "${topic}", "DataProtectionPolicy": ""})),
		heals("sns SetSubscriptionAttributes, a filter policy", Region, disableTools,
			cli("sns", "SetSubscriptionAttributes", input{
				"SubscriptionArn": "${queue-subscription}", "AttributeName": "FilterPolicy", "AttributeValue": `{"severity":["none"]}`,
			})),

		heals("monitoring DeleteAlarms, one", Region, disableTools, cli("cloudwatch", "DeleteAlarms", input{"AlarmNames": []string{"${prefix}-root-usage"}})),
		heals("monitoring DeleteAlarms, all in one call", Region, disableTools, sdk((*cloudwatch.Client).DeleteAlarms, input{"AlarmNames": "${alarms}"})),
		heals("monitoring DisableAlarmActions, one", Region, disableTools,
			cli("cloudwatch", "DisableAlarmActions", input{"AlarmNames": []string{"${prefix}-cloudtrail-changes"}})),
		heals("monitoring DisableAlarmActions, all", Region, disableTools, sdk((*cloudwatch.Client).DisableAlarmActions, input{"AlarmNames": "${alarms}"})),
		heals("monitoring DisableAlarmActions, relight's own", Region, disableTools,
			cli("cloudwatch", "DisableAlarmActions", input{"AlarmNames": []string{"${prefix}-untold", "${prefix}-findings", "${prefix}-undelivered"}})).unseen(),
		heals("monitoring DeleteAlarms, relight's own", Region, disableTools,
			sdk((*cloudwatch.Client).DeleteAlarms, input{"AlarmNames": []string{"${prefix}-unrestored", "${prefix}-alarms-errors", "${prefix}-topics-dead-letters"}})).unseen(),
		heals("monitoring PutMetricAlarm, a threshold of 1000", Region, disableTools).by(putAlarm("config-changes", func(in *cloudwatch.PutMetricAlarmInput) {
			in.Threshold = aws.Float64(1000)
		})),
		heals("monitoring PutMetricAlarm, a dimension", Region, disableTools).by(putAlarm("network-gateway-changes", func(in *cloudwatch.PutMetricAlarmInput) {
			in.Dimensions = []cwtypes.Dimension{{Name: aws.String("LogGroupName"), Value: aws.String("trail")}}
		})),
		heals("monitoring PutMetricAlarm, notifying nobody", Region, disableTools).by(putAlarm("s3-bucket-policy-changes", func(in *cloudwatch.PutMetricAlarmInput) {
			in.AlarmActions = nil
		})),

		heals("cloudtrail StopLogging", Region, disableLogs, cli("cloudtrail", "StopLogging", input{"Name": TrailName})),
		heals("cloudtrail UpdateTrail, stripped", Region, disableLogs, sdk((*cloudtrail.Client).UpdateTrail, input{
			"Name": TrailName, "IsMultiRegionTrail": false, "IncludeGlobalServiceEvents": false, "EnableLogFileValidation": false,
			"CloudWatchLogsLogGroupArn": "", "CloudWatchLogsRoleArn": "",
		})),
		reports("cloudtrail UpdateTrail, to another bucket", Region, disableLogs, toSpareBucket()...).
			undoneBy(sdk((*cloudtrail.Client).UpdateTrail, input{"Name": TrailName, "S3BucketName": TrailBucket}), cli("s3api", "DeleteBucket", input{"Bucket": spareBucket})),
		reports("cloudtrail CreateTrail, a decoy", Region, disableLogs, cli("s3api", "CreateBucket", input{"Bucket": spareBucket}), bucketPolicy(spareBucket, *TrailBucketPolicy(spareBucket)),
			cli("cloudtrail", "CreateTrail", input{"Name": "decoy", "S3BucketName": spareBucket})).
			undoneBy(cli("cloudtrail", "DeleteTrail", input{"Name": "decoy"}), cli("s3api", "DeleteBucket", input{"Bucket": spareBucket})),
		heals("cloudtrail DeleteTrail", Region, disableLogs, cli("cloudtrail", "DeleteTrail", input{"Name": TrailName})),
		heals("cloudtrail DeleteTrail, pointed at another bucket before", Region, disableLogs,
			append(toSpareBucket(), sdk((*cloudtrail.Client).DeleteTrail, input{"Name": TrailName}))...),
		heals("cloudtrail PutEventSelectors, only reads, and none of KMS", Region, disableLogs, sdk((*cloudtrail.Client).PutEventSelectors, input{
			"TrailName": TrailName, "EventSelectors": []input{{"ReadWriteType": "ReadOnly", "ExcludeManagementEventSources": []string{"kms.amazonaws.com"}}},
		})),
		heals("cloudtrail PutEventSelectors, no data events", Region, disableLogs, sdk((*cloudtrail.Client).PutEventSelectors, input{
			"TrailName": TrailName, "EventSelectors": []cloudtrailtypes.EventSelector{managementEvents()},
		})).unseen(),
		heals("cloudtrail PutEventSelectors, no management events", Region, disableLogs, sdk((*cloudtrail.Client).PutEventSelectors, input{
			"TrailName": TrailName, "EventSelectors": []cloudtrailtypes.EventSelector{dataEvents()},
		})).leaves(dataEventsToo),

		heals("iam DeleteRole, with its policies", Region, disableLogs).by(deleteRole),
		heals("iam DeleteRolePolicy", Region, disableLogs, cli("iam", "DeleteRolePolicy", onRole(input{"PolicyName": deliveryPolicy}))),
		heals("iam PutRolePolicy, one that denies", Region, disableLogs,
			sdk((*iam.Client).PutRolePolicy, onRole(input{"PolicyName": "cost-control", "PolicyDocument": denyLogs()}))),
		heals("iam AttachRolePolicy, one that denies", Region, disableLogs,
			newPolicy(denyLogs()), sdk((*iam.Client).AttachRolePolicy, onRole(input{"PolicyArn": intruderARN}))),
		heals("iam DetachRolePolicy, and its own policy gone", Region, disableLogs,
			newPolicy(allowLogs()), sdk((*iam.Client).AttachRolePolicy, onRole(input{"PolicyArn": intruderARN})),
			sdk((*iam.Client).DetachRolePolicy, onRole(input{"PolicyArn": intruderARN})), sdk((*iam.Client).DeleteRolePolicy, onRole(input{"PolicyName": deliveryPolicy}))),
		heals("iam UpdateAssumeRolePolicy, for another service", Region, changeAccount,
			cli("iam", "UpdateAssumeRolePolicy", onRole(input{"PolicyDocument": trustOf("ec2.amazonaws.com")}))),
		heals("iam PutRolePermissionsBoundary, one that denies", Region, disableLogs,
			newPolicy(denyLogs()), sdk((*iam.Client).PutRolePermissionsBoundary, onRole(input{"PermissionsBoundary": intruderARN}))),
		heals("iam DeleteRolePermissionsBoundary, and its own policy gone", Region, disableLogs,
			newPolicy(denyLogs()), sdk((*iam.Client).PutRolePermissionsBoundary, onRole(input{"PermissionsBoundary": intruderARN})),
			sdk((*iam.Client).DeleteRolePermissionsBoundary, onRole(nil)), sdk((*iam.Client).DeleteRolePolicy, onRole(input{"PolicyName": deliveryPolicy}))),
		heals("iam CreatePolicyVersion, of a policy that is attached", Region, disableLogs,
			newPolicy(allowLogs()), sdk((*iam.Client).AttachRolePolicy, onRole(input{"PolicyArn": intruderARN})),
			sdk((*iam.Client).CreatePolicyVersion, input{"PolicyArn": intruderARN, "PolicyDocument": denyLogs(), "SetAsDefault": true})),
		heals("iam SetDefaultPolicyVersion, of a policy that is attached", Region, disableLogs,
			newPolicy(allowLogs()), sdk((*iam.Client).AttachRolePolicy, onRole(input{"PolicyArn": intruderARN})),
			sdk((*iam.Client).CreatePolicyVersion, input{"PolicyArn": intruderARN, "PolicyDocument": denyLogs()}),
			sdk((*iam.Client).SetDefaultPolicyVersion, input{"PolicyArn": intruderARN, "VersionId": "v2"})),

		reports("iam PutRolePolicy, one that denies on a condition", Region, disableLogs,
			sdk((*iam.Client).PutRolePolicy, onRole(input{"PolicyName": "cost-control", "PolicyDocument": denyPerhaps()}))).
			undoneBy(cli("iam", "DeleteRolePolicy", onRole(input{"PolicyName": "cost-control"}))),
		reports("iam PutRolePolicy, the trail's role", Region, disableLogs,
			sdk((*iam.Client).PutRolePolicy, input{"RoleName": TrailRole, "PolicyName": "cost-control", "PolicyDocument": denyLogs()})).
			undoneBy(cli("iam", "DeleteRolePolicy", input{"RoleName": TrailRole, "PolicyName": "cost-control"})),
		reports("iam DeleteRolePolicy, the trail's role", Region, disableLogs,
			cli("iam", "DeleteRolePolicy", input{"RoleName": TrailRole, "PolicyName": "deliver"})).
			undoneBy(sdk((*iam.Client).PutRolePolicy, input{"RoleName": TrailRole, "PolicyName": "deliver", "PolicyDocument": trailGrant("${trail-log-group}")})),
		reports("iam AttachRolePolicy, the trail's role", Region, disableLogs,
			newNamedPolicy(attachedPolicy, denyLogs()), sdk((*iam.Client).AttachRolePolicy, input{"RoleName": TrailRole, "PolicyArn": policyARN(attachedPolicy)})).
			undoneBy(cli("iam", "DetachRolePolicy", input{"RoleName": TrailRole, "PolicyArn": policyARN(attachedPolicy)})),
		versionOfTrailRole(),
		reports("iam UpdateAssumeRolePolicy, the trail's role", Region, disableLogs,
			cli("iam", "UpdateAssumeRolePolicy", input{"RoleName": TrailRole, "PolicyDocument": trustOf("ec2.amazonaws.com")})).
			undoneBy(sdk((*iam.Client).UpdateAssumeRolePolicy, input{"RoleName": TrailRole, "PolicyDocument": trustOf("cloudtrail.amazonaws.com")})),
		reports("iam PutRolePermissionsBoundary, the trail's role", Region, disableLogs,
			newPolicy(denyLogs()), sdk((*iam.Client).PutRolePermissionsBoundary, input{"RoleName": TrailRole, "PermissionsBoundary": intruderARN})).
			undoneBy(sdk((*iam.Client).DeleteRolePermissionsBoundary, input{"RoleName": TrailRole})),
		reports("iam SetDefaultPolicyVersion, of a policy on the trail's role", Region, disableLogs,
			newNamedPolicy(trailPolicy, allowLogs()), sdk((*iam.Client).AttachRolePolicy, input{"RoleName": TrailRole, "PolicyArn": policyARN(trailPolicy)}),
			sdk((*iam.Client).CreatePolicyVersion, input{"PolicyArn": policyARN(trailPolicy), "PolicyDocument": denyLogs()}),
			sdk((*iam.Client).SetDefaultPolicyVersion, input{"PolicyArn": policyARN(trailPolicy), "VersionId": "v2"})).
			undoneBy(sdk((*iam.Client).DetachRolePolicy, input{"RoleName": TrailRole, "PolicyArn": policyARN(trailPolicy)})),

		reports("s3 PutBucketPolicy, open to another account", Region, disableLogs, bucketPolicy(TrailBucket, openedBucketPolicy())).
			undoneBy(bucketPolicy(TrailBucket, *TrailBucketPolicy(TrailBucket))),
		reports("s3 DeleteBucketPolicy", Region, disableLogs, cli("s3api", "DeleteBucketPolicy", input{"Bucket": TrailBucket})).
			undoneBy(bucketPolicy(TrailBucket, *TrailBucketPolicy(TrailBucket))),
		reports("s3 PutBucketVersioning, suspended", Region, destroyData, onBucket("PutBucketVersioning", "VersioningConfiguration", input{"Status": "Suspended"})),
		reports("s3 PutBucketNotification, none", Region, disableTools, cli("s3api", "PutBucketNotificationConfiguration", input{
			"Bucket": TrailBucket, "NotificationConfiguration": input{},
		})),
		reports("s3 PutBucketLogging, off", Region, disableLogs, onBucket("PutBucketLogging", "BucketLoggingStatus", input{})),
		reports("s3 PutBucketEncryption, another account's key", Region, encryptData, onBucket("PutBucketEncryption", "ServerSideEncryptionConfiguration", input{
			"Rules": []input{{"ApplyServerSideEncryptionByDefault": input{
				"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "arn:aws:kms:" + Region + ":444455556666:key/1234abcd-12ab-34cd-56ef-1234567890ab",
			}}},
		})).undoneBy(cli("s3api", "DeleteBucketEncryption", input{"Bucket": TrailBucket})),
		reports("s3 DeleteBucketEncryption", Region, disableLogs, cli("s3api", "DeleteBucketEncryption", input{"Bucket": TrailBucket})),
		reports("s3 PutBucketAcl, another writer", Region, changeAccount, // a bucket takes access lists once they are in force
			onBucket("PutBucketOwnershipControls", "OwnershipControls", input{"Rules": []input{{"ObjectOwnership": "ObjectWriter"}}}),
			onBucket("PutBucketAcl", "ACL", "log-delivery-write")).
			undoneBy(onBucket("PutBucketAcl", "ACL", "private"), cli("s3api", "DeleteBucketOwnershipControls", input{"Bucket": TrailBucket})),
		reports("s3 PutBucketOwnershipControls, of the writer", Region, changeAccount, onBucket("PutBucketOwnershipControls", "OwnershipControls", input{
			"Rules": []input{{"ObjectOwnership": "ObjectWriter"}},
		})).undoneBy(cli("s3api", "DeleteBucketOwnershipControls", input{"Bucket": TrailBucket})),
		reports("s3 DeleteBucketOwnershipControls", Region, changeAccount,
			onBucket("PutBucketOwnershipControls", "OwnershipControls", input{"Rules": []input{{"ObjectOwnership": "BucketOwnerEnforced"}}}),
			cli("s3api", "DeleteBucketOwnershipControls", input{"Bucket": TrailBucket})),
		reports("s3 PutBucketPublicAccessBlock, off", Region, changeAccount, cli("s3api", "PutPublicAccessBlock", input{
			"Bucket": TrailBucket, "PublicAccessBlockConfiguration": input{
				"BlockPublicAcls": false, "IgnorePublicAcls": false, "BlockPublicPolicy": false, "RestrictPublicBuckets": false,
			},
		})).undoneBy(cli("s3api", "DeletePublicAccessBlock", input{"Bucket": TrailBucket})),
		reports("s3 DeleteBucketPublicAccessBlock", Region, changeAccount, cli("s3api", "DeletePublicAccessBlock", input{"Bucket": TrailBucket})),
		reports("s3 PutBucketReplication, to somebody's bucket", Region, transferData,
			onBucket("PutBucketVersioning", "VersioningConfiguration", input{"Status": "Enabled"}),
			cli("s3api", "CreateBucket", input{"Bucket": spareBucket}),
			cli("s3api", "PutBucketVersioning", input{"Bucket": spareBucket, "VersioningConfiguration": input{"Status": "Enabled"}}),
			onBucket("PutBucketReplication", "ReplicationConfiguration", replication())).
			undoneBy(cli("s3api", "DeleteBucketReplication", input{"Bucket": TrailBucket}), cli("s3api", "DeleteBucket", input{"Bucket": spareBucket})),
		reports("s3 DeleteBucketReplication", Region, disableLogs, cli("s3api", "DeleteBucketReplication", input{"Bucket": TrailBucket})),
		reports("s3 PutBucketObjectLockConfiguration, none", Region, destroyData,
			onBucket("PutBucketVersioning", "VersioningConfiguration", input{"Status": "Enabled"}),
			cli("s3api", "PutObjectLockConfiguration", input{"Bucket": TrailBucket, "ObjectLockConfiguration": input{"ObjectLockEnabled": "Enabled"}})),
		reports("s3 PutBucketLifecycle, a day", Region, expireData, cli("s3api", "PutBucketLifecycleConfiguration", input{
			"Bucket": TrailBucket,
			"LifecycleConfiguration": input{"Rules": []input{
				{"ID": "expire", "Status": "Enabled", "Filter": input{"Prefix": ""}, "Expiration": input{"Days": 1}},
			}},
		})).undoneBy(cli("s3api", "DeleteBucketLifecycle", input{"Bucket": TrailBucket})),
		reports("s3 DeleteBucket, of a flow log", Region, destroyData,
			cli("s3api", "CreateBucket", input{"Bucket": lostBucket}), bucketPolicy(lostBucket, FlowLogBucketPolicy(lostBucket)), flowLogTo("${second-vpc}", lostBucket),
			cli("s3api", "DeleteBucket", input{"Bucket": lostBucket})).
			undoneBy(sdk((*ec2.Client).DeleteFlowLogs, input{"FlowLogIds": "${flow-logs-to-lost-bucket}"})),
		reports("kms DisableKey, the trail's", Region, disableLogs, cli("kms", "DisableKey", input{"KeyId": "${trail-key}"})).
			undoneBy(cli("kms", "EnableKey", input{"KeyId": "${trail-key}"})),
		reports("kms ScheduleKeyDeletion, the trail's", Region, destroyData,
			cli("kms", "ScheduleKeyDeletion", input{"KeyId": "${trail-key}", "PendingWindowInDays": 7})).
			undoneBy(cli("kms", "CancelKeyDeletion", input{"KeyId": "${trail-key}"}), cli("kms", "EnableKey", input{"KeyId": "${trail-key}"})),
		reports("kms DeleteImportedKeyMaterial, of a key of the trail's log group", Region, destroyData).by(deleteKeyMaterial).
			undoneBy(sdk((*cloudwatchlogs.Client).DisassociateKmsKey, input{"logGroupName": "${trail-log-group}"})),
		reports("kms PutKeyPolicy, the trail's", Region, disableLogs, keyPolicy("user/"+intruder)).undoneBy(keyPolicy("root")),
		reports("account EnableRegion", Region, anotherRegion, cli("account", "EnableRegion", input{"RegionName": "af-south-1"})).
			undoneBy(cli("account", "DisableRegion", input{"RegionName": "af-south-1"})),
		reports("account DisableRegion", Region, disableTools,
			cli("account", "EnableRegion", input{"RegionName": "af-south-1"}), cli("account", "DisableRegion", input{"RegionName": "af-south-1"})),
		reports("ec2 CreateTags, one that exempts", Region, disableTools, exempt()).undoneBy(unexempt()),
		heals("ec2 DeleteTags, the one that exempted", Region, disableLogs,
			exempt(), sdk((*ec2.Client).DeleteFlowLogs, input{"FlowLogIds": "${flow-logs-of-vpc}"}), unexempt()),

		reports("ssm PutParameter, what relight remembers of the trail", Region, disableTools, remember("trail", `{"v":1}`)),
		reports("ssm DeleteParameter, the marks of what was reported", Region, disableTools,
			remember("findings", "{}"), cli("ssm", "DeleteParameter", input{"Name": "/${prefix}/memory/findings"})),
		reports("ssm DeleteParameters, the marks of what was reported", Region, disableTools,
			remember("findings", "{}"), sdk((*ssm.Client).DeleteParameters, input{"Names": []string{"/${prefix}/memory/findings"}})),
		reports("ssm LabelParameterVersion, what relight remembers of the trail", Region, disableTools,
			sdk((*ssm.Client).LabelParameterVersion, input{"Name": "/${prefix}/memory/trail", "Labels": []string{"keep"}})),
		reports("monitoring SetAlarmState, to ALARM", Region, disableTools,
			cli("cloudwatch", "SetAlarmState", input{"AlarmName": "${prefix}-root-usage", "StateValue": "ALARM", "StateReason": "test"})).
			undoneBy(sdk((*cloudwatch.Client).SetAlarmState, input{"AlarmName": "${prefix}-root-usage", "StateValue": "OK", "StateReason": "handled"})),
		mute(),
		reports("monitoring PutCompositeAlarm, with a suppressor", Region, disableTools, sdk((*cloudwatch.Client).PutCompositeAlarm, input{
			"AlarmName": "any-of-the-account", "AlarmRule": `ALARM("${prefix}-root-usage")`,
			"ActionsSuppressor": "${prefix}-config-changes", "ActionsSuppressorWaitPeriod": 60, "ActionsSuppressorExtensionPeriod": 60,
		})).undoneBy(sdk((*cloudwatch.Client).DeleteAlarms, input{"AlarmNames": []string{"any-of-the-account"}})),
		heals("logs DeleteMetricFilter, a stranger's filter, alarm and topic beside it", Region, disableTools).by(strangersChain).unseen(),
		heals("ec2 DeleteFlowLogs, a stranger's flow log beside it", Region, disableLogs).by(strangersFlowLog).unseen(),
		reports("ssm PutParameter, what relight relies on", Region, disableTools, remember("adopted", `{"v":1,"filters":["ops-root"]}`)),
		reports("ssm PutParameter, the longest retentions", Region, disableTools, remember("retention", `{"v":1,"groups":{}}`)),
		heals("all of it at once", Region, disableLogs).by(everything).leaves(groupsProtected(trailGroup, flowLogGroup)),
	}, guardAttacks(), networkAttacks())
}

// versionOfTrailRole gives a policy on the trail's role another version.
func versionOfTrailRole() Attack {
	return reports("iam CreatePolicyVersion, of a policy on the trail's role", Region, disableLogs,
		newNamedPolicy(versionedPolicy, allowLogs()), sdk((*iam.Client).AttachRolePolicy, input{"RoleName": TrailRole, "PolicyArn": policyARN(versionedPolicy)}),
		sdk((*iam.Client).CreatePolicyVersion, input{"PolicyArn": policyARN(versionedPolicy), "PolicyDocument": denyLogs(), "SetAsDefault": true})).
		undoneBy(sdk((*iam.Client).DetachRolePolicy, input{"RoleName": TrailRole, "PolicyArn": policyARN(versionedPolicy)}))
}

// mute keeps two alarms from notifying anybody.
func mute() Attack {
	return reports("monitoring PutAlarmMuteRule, for half a day", Region, disableTools, sdk((*cloudwatch.Client).PutAlarmMuteRule, input{
		"Name": "maintenance", "MuteTargets": input{"AlarmNames": []string{"${prefix}-root-usage", "${prefix}-iam-changes"}},
		"Rule": input{"Schedule": input{"Expression": "at(${now})", "Duration": "PT12H"}},
	})).undoneBy(sdk((*cloudwatch.Client).DeleteAlarmMuteRule, input{"AlarmMuteRuleName": "maintenance"}))
}

// remember writes one of relight's memories.
func remember(what, value string) Call {
	return sdk((*ssm.Client).PutParameter, input{"Name": "/${prefix}/memory/" + what, "Value": value, "Type": "String", "Overwrite": true})
}

func aDay(group string) input { return input{"logGroupName": group, "retentionInDays": 1} }

// flowLogTo makes a flow log that records only accepted traffic.
func flowLogTo(vpc, bucket string) Call {
	return sdk((*ec2.Client).CreateFlowLogs, input{
		"ResourceIds": []string{vpc}, "ResourceType": types.FlowLogsResourceTypeVpc, "TrafficType": types.TrafficTypeAccept,
		"LogDestinationType": types.LogDestinationTypeS3, "LogDestination": "arn:aws:s3:::" + bucket,
	})
}

// poison writes a negative value into the metric of a control whenever nothing
// matches.
func poison(group string) Call {
	return sdk((*cloudwatchlogs.Client).PutMetricFilter, input{
		"logGroupName": group, "filterName": "perf", "filterPattern": `"never-there"`,
		"metricTransformations": []input{{
			"metricNamespace": "${prefix}", "metricName": "${prefix}-root-usage", "metricValue": "-1000000000", "defaultValue": -1e9,
		}},
	})
}

// feed makes the trail's log group send what a pattern selects to a destination.
func feed(pattern string) Call {
	return sdk((*cloudwatchlogs.Client).PutSubscriptionFilter, input{
		"logGroupName": "${trail-log-group}", "filterName": "siem", "filterPattern": pattern,
		"destinationArn": "arn:aws:logs:" + Region + ":444455556666:destination:security",
	})
}

// destination makes a destination for the records of other log groups.
func destination() Call {
	return cli("logs", "PutDestination", input{
		"destinationName": "security", "targetArn": "arn:aws:kinesis:" + Region + ":" + Account + ":stream/security",
		"roleArn": "arn:aws:iam::" + Account + ":role/to-stream",
	})
}

// onBucket changes one setting of the trail's bucket.
func onBucket(operation, member string, value any) Call {
	return cli("s3api", operation, input{"Bucket": TrailBucket, member: value})
}

// replication copies every log file to the intruder's bucket.
func replication() input {
	return input{"Role": "arn:aws:iam::" + Account + ":role/replication", "Rules": []input{{
		"ID": "out", "Status": "Enabled", "Priority": 1, "Filter": input{"Prefix": ""},
		"DeleteMarkerReplication": input{"Status": "Disabled"}, "Destination": input{"Bucket": "arn:aws:s3:::" + spareBucket},
	}}}
}

func bucketPolicy(bucket, policy string) Call {
	return cli("s3api", "PutBucketPolicy", input{"Bucket": bucket, "Policy": policy})
}

func openedBucketPolicy() string {
	return *document(map[string]any{
		"Effect": "Allow", "Principal": map[string]any{"AWS": "arn:aws:iam::444455556666:root"}, "Action": "s3:DeleteObject",
		"Resource": "arn:aws:s3:::" + TrailBucket + "/*",
	})
}

// toSpareBucket makes the trail deliver to a bucket that the intruder owns.
func toSpareBucket() []Call {
	return []Call{
		cli("s3api", "CreateBucket", input{"Bucket": spareBucket}),
		bucketPolicy(spareBucket, *TrailBucketPolicy(spareBucket)),
		sdk((*cloudtrail.Client).UpdateTrail, input{"Name": TrailName, "S3BucketName": spareBucket}),
	}
}

func keyPolicy(who string) Call {
	return cli("kms", "PutKeyPolicy", input{"KeyId": "${trail-key}", "PolicyName": "default", "Policy": ownKeyPolicy(who)})
}

func exempt() Call {
	return cli("ec2", "CreateTags", input{"Resources": []string{"${vpc}"}, "Tags": []input{{"Key": catalog.ExemptTag, "Value": catalog.ExemptValue}}})
}

func unexempt() Call {
	return cli("ec2", "DeleteTags", input{"Resources": []string{"${vpc}"}, "Tags": []input{{"Key": catalog.ExemptTag}}})
}

// with returns an input with more members.
func with(in, more input) input {
	all := maps.Clone(in)
	maps.Copy(all, more)
	return all
}

// onRole returns the input of a call on the delivery role, with these members
// too.
func onRole(members input) input {
	return with(input{"RoleName": "${delivery-role}"}, members)
}

// newPolicy makes a managed policy that the intruder owns.
func newPolicy(policy string) Call { return newNamedPolicy(intruderPolicy, policy) }

func newNamedPolicy(name, policy string) Call {
	return sdk((*iam.Client).CreatePolicy, input{"PolicyName": name, "PolicyDocument": policy})
}

func denyLogs() string {
	return *document(map[string]any{"Effect": "Deny", "Action": "logs:*", "Resource": "*"})
}

func denyPerhaps() string {
	return *document(map[string]any{
		"Effect": "Deny", "Action": "logs:*", "Resource": "*", "Condition": map[string]any{"StringNotEquals": map[string]any{"aws:RequestedRegion": "eu-west-1"}},
	})
}

func allowLogs() string {
	return *document(map[string]any{"Effect": "Allow", "Action": "logs:PutLogEvents", "Resource": "*"})
}

func trustOf(service string) string {
	return *document(map[string]any{
		"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": map[string]any{"Service": service},
	})
}
