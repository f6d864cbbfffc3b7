package catalog_test

import (
	"slices"
	"testing"

	"github.com/relight-aws/relight/internal/catalog"
)

// tampering lists the calls that are known to blind an account's network and
// CIS monitoring, by source: the operations of the AWS API models, spelled as
// CloudTrail records them. What blinds relight itself (events, scheduler,
// lambda, sqs) is not among them: see docs/threat-model.md.
var tampering = map[string][]string{
	"aws.ec2":     {"CreateVpc", "CreateDefaultVpc", "DeleteFlowLogs", "DeleteVpc", "CreateTags", "DeleteTags"},
	"aws.account": {"EnableRegion"},
	"aws.logs": {
		"CreateLogGroup", "DeleteLogGroup", "DeleteLogStream", "DeleteMetricFilter", "PutMetricFilter", "PutRetentionPolicy", "DisassociateKmsKey",
		"PutAccountPolicy", "PutLogGroupDeletionProtection", "PutTransformer", "PutDataProtectionPolicy", "DeleteSubscriptionFilter",
	},
	"aws.monitoring": {"DeleteAlarms", "PutMetricAlarm", "DisableAlarmActions", "SetAlarmState", "PutAlarmMuteRule", "PutCompositeAlarm"},
	"aws.sns":        {"DeleteTopic", "Unsubscribe", "SetTopicAttributes", "SetSubscriptionAttributes", "RemovePermission"},
	"aws.cloudtrail": {"StopLogging", "DeleteTrail", "UpdateTrail", "PutEventSelectors"},
	"aws.s3":         {"PutBucketPolicy", "DeleteBucketPolicy", "PutBucketLifecycle", "DeleteBucket"}, // the third is what PutBucketLifecycleConfiguration is recorded as
	"aws.kms":        {"DisableKey", "ScheduleKeyDeletion", "PutKeyPolicy"},
	"aws.iam": {
		"DeleteRole", "DeleteRolePolicy", "PutRolePolicy", "DetachRolePolicy", "UpdateAssumeRolePolicy", "PutRolePermissionsBoundary",
		"CreatePolicyVersion", "SetDefaultPolicyVersion",
	},
}

func TestEveryTamperingIsWatched(t *testing.T) {
	watched := slices.Concat(catalog.Calls, catalog.TagCalls)
	for source, names := range tampering {
		for _, name := range names {
			if !slices.ContainsFunc(watched, func(c catalog.Call) bool { return c.Source == source && c.Name == name }) {
				t.Errorf("%s %s is not watched", source, name)
			}
		}
	}
}
