package probe

// A Belief is something that relight assumes of AWS. The ID is stable: other
// tables refer to it.
type Belief struct {
	ID   string // kebab-case
	Ref  string // the group that it belongs to: "open-1" is an open belief, "D5" a disagreement with recorded answers
	Text string // what relight believes, as a statement that an answer of AWS can contradict

	// Unseen says why this command does not try to observe the belief; "" if it
	// does.
	Unseen string
}

const (
	twoAccounts = "it needs a second account"
	aPerson     = "it needs a person who opens a link"
	accountWide = "it would change a setting of the whole account"
)

// Beliefs returns what the command is about, in the order of the report.
func Beliefs() []Belief {
	return []Belief{
		{"event-latency", "latency", "an event arrives within 15 minutes after its call, before the next sweep", ""},

		{"subscription-of-another-account-is-closed", "D1", "a topic's owner may not read a subscription that another account owns", twoAccounts},
		{"update-checks-the-kept-topic", "D2", "UpdateTrail that leaves the topic out fails with InsufficientSnsTopicPolicyException if the trail's topic is gone", ""},
		{"empty-topic-removes-it", "D2", "an empty SnsTopicName removes a trail's topic, even one that is gone", ""},
		{"empty-key-removes-it", "D2", "an empty KmsKeyId removes a trail's key, even a disabled one", ""},
		{"empty-group-and-role-remove-them", "D2", "an empty log group and an empty role remove both from a trail", ""},
		{"deleted-subscription-stays-deleted", "D3", "a Subscribe does not restore a subscription that the list shows as Deleted", twoAccounts},
		{"subscription-outlives-topic", "D4", "GetSubscriptionAttributes still answers after the topic is deleted", ""},
		{"recreated-topic-lists-nothing", "D4", "a recreated topic lists no subscriptions", ""},
		{"recreated-topic-reaches-old-subscription", "D4", "a message to a recreated topic reaches its old subscription", ""},
		{"flow-log-success-at-once", "D5", "a flow log shows SUCCESS as its delivery status from the start", ""},
		{"trail-group-without-role", "D6", "CreateTrail with a log group and no role fails with InvalidCloudWatchLogsRoleArnException", ""},
		{"trail-role-without-group", "D6", "CreateTrail with a role and no log group fails with InvalidCloudWatchLogsLogGroupArnException", ""},
		{"trail-role-without-rights", "D6", "CreateTrail with a role that may not write to the log group fails with InvalidCloudWatchLogsLogGroupArnException", ""},
		{"trail-key-missing", "D6", "CreateTrail with a key that does not exist fails with InsufficientEncryptionPolicyException", ""},
		{"trail-key-malformed", "D6", "CreateTrail with a malformed key ID fails with KmsKeyNotFoundException", ""},
		{"trail-key-disabled", "D6", "CreateTrail with a disabled key fails with KmsException", ""},
		{"trail-topic-missing", "D6", "CreateTrail with a topic that does not exist fails with InsufficientSnsTopicPolicyException", ""},
		{"selector-fields-are-sorted", "D7", "GetEventSelectors returns the fields of an advanced selector sorted by name", ""},
		{"flow-log-by-arn-has-group-name", "D8", "a flow log made with a log group's ARN shows the group's name and its ARN", ""},
		{"flow-log-error-without-status", "D9", "a flow log with an error message always has a status", "it was seen in 2017 only, before flow logs had a status"},

		{"flow-logs-outlive-vpc", "open-1", "a flow log remains after its VPC is deleted, and can be deleted then", ""},
		{"record-of-delete-flow-logs", "open-2", "the record of DeleteFlowLogs has several IDs as a list", ""},
		{"missing-vpc-fails-alone", "open-3", "CreateFlowLogs refuses a missing VPC inside a successful reply", ""},
		{"missing-vpc-code", "open-3", "DescribeVpcs of a missing VPC fails with InvalidVpcID.NotFound", ""},
		{"format-makes-no-difference", "open-4", "a flow log that differs from another one only in its format is refused with FlowLogAlreadyExists", ""},
		{"flow-log-limit-fails-alone", "open-5", "FlowLogsLimitExceeded is inside a successful reply", ""},
		{"unassumable-role-fails-whole-call", "open-6", "CreateFlowLogs with a role that VPC flow logs cannot assume fails as a whole with InvalidParameter and says \"Unable to assume given IAM role\"", ""},
		{"vpc-shows-in-time", "open-7", "DescribeVpcs shows a new VPC within 3.5 s", ""},
		{"group-filter-finds-arn", "open-8", "DescribeFlowLogs' filter log-group-name finds a flow log made with the group's ARN", ""},
		{"client-token-repeats-reply", "open-9", "CreateFlowLogs answers a repeated client token with the first flow log", ""},
		{"no-transformer-is-an-error", "open-10", "GetTransformer fails with ResourceNotFoundException if a log group has none", ""},
		{"filter-on-infrequent-access", "open-11", "PutMetricFilter on an INFREQUENT_ACCESS log group fails with InvalidOperationException", ""},
		{"protected-group-code", "open-12", "DeleteLogGroup of a protected log group fails with ValidationException", ""},
		{"record-of-group-protection", "open-13", "the record of PutLogGroupDeletionProtection names the log group in logGroupIdentifier", ""},
		{"record-of-group-key", "open-13", "the record of AssociateKmsKey names the log group in logGroupName", ""},
		{"record-of-transformer", "open-13", "the record of PutTransformer names the log group in logGroupIdentifier", ""},
		{"record-of-data-protection", "open-13", "the record of PutDataProtectionPolicy names the log group in logGroupIdentifier", ""},
		{"record-of-account-policy", "open-14", "the record of PutAccountPolicy has selectionCriteria", accountWide},
		{"group-with-disabled-key", "open-15", "CreateLogGroup with a disabled key fails with InvalidParameterException", ""},
		{"inherited-properties", "open-16", "DescribeLogGroups shows what a log group inherits from an account policy", accountWide},
		{"record-of-mute-rule", "open-17", "the record of PutAlarmMuteRule has the alarms in muteTargets.alarmNames", ""},
		{"mute-raises-no-direct-event", "open-18", "muting an alarm raises no event of CloudWatch itself", ""},
		{"mute-rules-by-alarm", "open-19", "ListAlarmMuteRules by alarm returns a rule in force", ""},
		{"alarm-action-in-another-region", "open-20", "PutMetricAlarm refuses a topic of another region with ValidationError", ""},
		{"record-of-default-vpc", "open-21", "the record of CreateDefaultVpc names the VPC in responseElements.CreateDefaultVpcResponse", "it would make a default VPC"},
		{"record-of-enable-region", "open-22", "the record of EnableRegion has regionName", accountWide},
		{"iam-reads-lag", "open-23", "IAM's reads lag its writes by seconds at most", ""},
		{"history-shows-stop-logging", "open-24", "LookupEvents shows a StopLogging within a minute", ""},
		{"closed-region-ec2", "open-25", "EC2 refuses calls in a region that is not enabled with AuthFailure", ""},
		{"closed-region-logs", "open-25", "CloudWatch Logs refuses calls in a region that is not enabled with UnrecognizedClientException", ""},
		{"closed-region-sns", "open-25", "SNS refuses calls in a region that is not enabled with InvalidClientTokenId", ""},
		{"closed-region-cloudwatch", "open-25", "CloudWatch refuses calls in a region that is not enabled with InvalidClientTokenId", ""},
		{"update-checks-the-kept-role", "open-26", "UpdateTrail that leaves log group and role out fails if the trail's role lost its rights", ""},
		{"update-checks-the-kept-key", "open-27", "UpdateTrail that leaves the key out fails if the trail's key is disabled", ""},
		{"trail-role-missing", "open-28", "UpdateTrail with a role that does not exist fails with InvalidCloudWatchLogsRoleArnException", ""},
		{"endpoint-keeps-its-case", "open-29", "the list of subscriptions shows an endpoint as it was given", ""},
		{"left-mail-address", "open-30", "an e-mail address that unsubscribed leaves the list, and Subscribe sends it a new link", aPerson},
		{"old-subscription-lasts", "open-31", "a subscription outlives its topic by more than a minute", ""},
		{"stop-logging-reaches-eventbridge", "open-32", "the event of StopLogging arrives although nothing logs afterwards", ""},
		{"group-delivery-error-goes", "open-33", "LatestCloudWatchLogsDeliveryError disappears with the next success", "it needs a trail that fails to deliver for hours"},
		{"global-region", "open-34", "events of IAM arrive in us-gov-west-1 and cn-north-1", ""},
		{"record-of-boundary", "open-35", "the record of PutRolePermissionsBoundary has roleName and permissionsBoundary", ""},
		{"record-of-policy-version", "open-35", "the record of CreatePolicyVersion has policyArn", ""},
		{"record-of-default-version", "open-35", "the record of SetDefaultPolicyVersion has policyArn and versionId", ""},
		{"no-group-is-no-error", "open-36", "DescribeLogGroups returns an empty list if no name has the prefix", ""},
		{"direct-event-source", "open-37", "CloudWatch's own event of a changed alarm has the source aws.cloudwatch", ""},
		{"flow-log-to-nowhere", "open-38", "a flow log whose role lost its rights still shows SUCCESS minutes later", ""},
		{"owner-of-mail-subscription", "open-39", "a mail address that another account subscribed is that account's", twoAccounts},
	}
}
