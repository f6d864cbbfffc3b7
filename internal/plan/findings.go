package plan

import (
	"slices"
	"strings"

	"github.com/relight-aws/relight/internal/catalog"
)

// A Code names one kind of finding. It never changes, so people can alert on
// it, search for it and suppress it; docs/operations.md has an anchor of the
// same name.
type Code string

// A FindingText is what every finding of one code says. In Subject, Problem and
// Remedy, a name in braces stands for a value of the finding.
type FindingText struct {
	Code     Code
	Severity catalog.Severity
	Subject  string // what it is about
	Problem  string
	Remedy   string // what to do, as sentences
	Alert    bool   // see Finding
	Why      string // what causes it, in Markdown for the docs
	More     string // what to do besides Remedy, in Markdown for the docs; "" for nothing
}

// Args are the values of a finding, by the names that its texts have in braces.
type Args map[string]string

// NewFinding returns the finding of a code with its values.
func NewFinding(code Code, values Args) Finding {
	i := slices.IndexFunc(findingTexts, func(n FindingText) bool { return n.Code == code })
	if i < 0 {
		return Finding{Code: code, Severity: catalog.Critical, Subject: "relight", Problem: "it has no text for this finding", Remedy: "Report it as a fault of relight."} // a test keeps this from happening
	}
	n := findingTexts[i]
	return Finding{
		Code: code, Severity: n.Severity, Subject: expand(n.Subject, values), Problem: expand(n.Problem, values), Remedy: expand(n.Remedy, values), Alert: n.Alert,
	}
}

// FindingTexts returns what the findings of every code say, grouped by what they
// are about.
func FindingTexts() []FindingText { return slices.Clone(findingTexts) }

// find adds a finding to a plan.
func (p *Plan) find(code Code, values Args) {
	p.Findings = append(p.Findings, NewFinding(code, values))
}

// expand replaces each name in braces by its value, once: braces in a value
// stay as they are.
func expand(template string, values Args) string {
	pairs := make([]string, 0, 2*len(values))
	for name, value := range values {
		pairs = append(pairs, "{"+name+"}", value)
	}
	return strings.NewReplacer(pairs...).Replace(template)
}

// The codes.
const (
	TrailMissing                  Code = "trail-missing"
	TrailNotFound                 Code = "trail-not-found"
	TrailAmbiguous                Code = "trail-ambiguous"
	TrailHomeElsewhere            Code = "trail-home-elsewhere"
	TrailLogGroupElsewhere        Code = "trail-log-group-elsewhere"
	TrailNoLogGroup               Code = "trail-no-log-group"
	TrailBucketChanged            Code = "trail-bucket-changed"
	TrailPrefixChanged            Code = "trail-prefix-changed"
	TrailKeyChanged               Code = "trail-key-changed"
	TrailRoleChanged              Code = "trail-role-changed"
	TrailLogGroupChanged          Code = "trail-log-group-changed"
	TrailTopicChanged             Code = "trail-topic-changed"
	TrailFilesUndelivered         Code = "trail-files-undelivered"
	TrailEventsUndelivered        Code = "trail-events-undelivered"
	TrailRoleMissing              Code = "trail-role-missing"
	TrailMemoryUnusable           Code = "trail-memory-unusable"
	TrailMemoryShort              Code = "trail-memory-short"
	MemoryForeign                 Code = "memory-foreign"
	MemoryMissing                 Code = "memory-missing"
	TrailOtherPurpose             Code = "trail-other-purpose"
	TrailNotificationsUndelivered Code = "trail-notifications-undelivered"
	TrailSlotsFull                Code = "trail-slots-full"

	AccountClosed    Code = "account-closed"
	AccountsUnlisted Code = "accounts-unlisted"
	AccountsUnswept  Code = "accounts-unswept"
	UnitUnknown      Code = "unit-unknown"

	CheckGivenUp Code = "check-given-up"
	PauseRefused Code = "pause-refused"
	PauseUnread  Code = "pause-unread"

	LogGroupNotFound             Code = "log-group-not-found"
	LogGroupUnfed                Code = "log-group-unfed"
	LogGroupClass                Code = "log-group-class"
	ControlTowerGroupMissing     Code = "control-tower-group-missing"
	ControlTowerGroupRetention   Code = "control-tower-group-retention"
	RetentionShortened           Code = "log-group-retention-shortened"
	MemoryUnusable               Code = "memory-unusable"
	RetentionOverridden          Code = "log-group-retention-overridden"
	LogGroupKeyChanged           Code = "log-group-key-changed"
	LogGroupKeyForeign           Code = "log-group-key-foreign"
	LogGroupKeyUnusable          Code = "log-group-key-unusable"
	LogGroupKeyUnread            Code = "log-group-key-unread"
	LogGroupMasked               Code = "log-group-masked"
	LogGroupMaskedByAccount      Code = "log-group-masked-by-account"
	LogGroupTransformed          Code = "log-group-transformed"
	LogGroupTransformedByAccount Code = "log-group-transformed-by-account"
	TransformerUnread            Code = "log-group-transformer-unread"
	AccountPoliciesUnread        Code = "log-group-account-policies-unread"
	LogGroupFull                 Code = "log-group-full"
	MetricForeignWriter          Code = "metric-foreign-writer"
	FiltersUnread                Code = "metric-filters-unread"

	FlowLogRoleForeign      Code = "flowlog-role-foreign"
	FlowLogRoleMissing      Code = "flowlog-role-missing"
	FlowLogRoleElsewhere    Code = "flowlog-role-elsewhere"
	FlowLogRoleChanged      Code = "flowlog-role-changed"
	FlowLogRoleConditional  Code = "flowlog-role-conditional"
	FlowLogGroupMissing     Code = "flowlog-group-missing"
	FlowLogGroupClass       Code = "flowlog-group-class"
	FlowLogKeyUnusable      Code = "flowlog-key-unusable"
	FlowLogRateLimited      Code = "flowlog-rate-limited"
	FlowLogToS3Failed       Code = "flowlog-to-s3-failed"
	FlowLogToFirehoseFailed Code = "flowlog-to-firehose-failed"
	FlowLogFailed           Code = "flowlog-failed"
	FlowLogInTheWay         Code = "flowlog-in-the-way"
	VPCFull                 Code = "vpc-full"
	FlowLogTargetMissing    Code = "flow-log-target-missing"
	FlowLogBucketMissing    Code = "flow-log-bucket-missing"
	FlowLogBucketShut       Code = "flow-log-bucket-shut"
	FlowLogUncounted        Code = "flowlog-uncounted"
	FlowLogControlsUnread   Code = "flowlog-controls-unread"
	VPCExemptByTag          Code = "vpc-exempt-by-tag"
	DeliveryRoleElsewhere   Code = "delivery-role-elsewhere"
	BoundaryDenies          Code = "delivery-boundary-denies"
	PolicyConditional       Code = "delivery-policy-conditional"

	GuardSilent          Code = "guard-silent"
	GuardBusGone         Code = "guard-bus-gone"
	GuardFunctionGone    Code = "guard-function-gone"
	GuardFunctionChanged Code = "guard-function-changed"
	GuardUnread          Code = "guard-unread"
	GuardQueueGone       Code = "guard-queue-gone"
	GuardQueueTapped     Code = "guard-queue-tapped"

	GuardForwarderGone Code = "guard-forwarder-gone"

	SpokeForwarderGone Code = "spoke-forwarder-gone"
	SpokeRulesGone     Code = "spoke-rules-gone"
	SpokeQueueGone     Code = "spoke-queue-gone"
	SpokeRoleGone      Code = "spoke-role-gone"
	SpokeRoleChanged   Code = "spoke-role-changed"
	SpokeUndelivered   Code = "spoke-undelivered"
	SpokeUnread        Code = "spoke-unread"

	TopicDenied           Code = "topic-denied"
	TopicPolicyUnreadable Code = "topic-policy-unreadable"
	TopicKeyUnusable      Code = "topic-key-unusable"
	TopicKeyDenied        Code = "topic-key-denied"
	TopicKeyUnread        Code = "topic-key-unread"
	TopicKeyReplaced      Code = "topic-key-replaced"
	TopicRecreated        Code = "topic-recreated"
	DrillSilent           Code = "drill-silent"

	LastTopicUnread    Code = "last-topic-unread"
	LastTopicMissing   Code = "last-topic-missing"
	LastTopicClosed    Code = "last-topic-closed"
	LastTopicEncrypted Code = "last-topic-encrypted"
	LastTopicUnheard   Code = "last-topic-unheard"
	LastTopicOwn       Code = "last-topic-own"
	LastTopicRefused   Code = "last-topic-refused"

	SubscriberForeign     Code = "subscriber-of-another-account"
	SubscriberDeleted     Code = "subscriber-deleted"
	SubscriberUnread      Code = "subscriber-unread"
	SubscriberTokenUnused Code = "subscriber-token-unused"
	SubscriberUnconfirmed Code = "subscriber-unconfirmed"
	SubscriberFiltered    Code = "subscriber-filtered"
	SubscriberRaw         Code = "subscriber-raw"

	TopicDeliveryPolicy Code = "topic-delivery-policy"

	SubscriberQueueMissing   Code = "subscriber-queue-missing"
	SubscriberQueueClosed    Code = "subscriber-queue-closed"
	SubscriberKeyClosed      Code = "subscriber-key-closed"
	SubscriberFunctionClosed Code = "subscriber-function-closed"

	TopicUnheard       Code = "topic-unheard"
	TopicUnconfirmed   Code = "topic-unconfirmed"
	TopicNoSubscribers Code = "topic-no-subscribers"

	NotAdopted          Code = "not-adopted"
	AlarmMuted          Code = "alarm-muted"
	CompositeSuppressed Code = "composite-alarm-suppressed"
	CompositeUnclear    Code = "composite-alarm-unclear"
	AlarmMutesUnread    Code = "alarm-mutes-unread"
	AlarmTopicUnread    Code = "alarm-topic-unread"
	AlarmStuck          Code = "alarm-stuck"
	AlarmStuckAgain     Code = "alarm-stuck-again"
	AlarmHistoryUnread  Code = "alarm-history-unread"
	MetricNegative      Code = "metric-negative"
	MetricsUnread       Code = "metrics-unread"
	AlarmActionsFull    Code = "alarm-actions-full"
	AlarmNameTaken      Code = "alarm-name-taken"
)

// findingTexts lists what the findings of every code say. docs/operations.md is
// generated from it.
var findingTexts = []FindingText{
	{
		Code: TrailMissing, Severity: catalog.Critical, Subject: "account {account}",
		Problem: "it has no multi-region trail in {region}",
		Remedy:  "Create one that delivers to a log group.",
		Why:     "Without it, metric filters and alarms have no events to count.",
		More:    "Or set `trail.create` and deploy.",
	},
	{
		Code: TrailNotFound, Severity: catalog.Critical, Subject: "trail {name}",
		Problem: "the configuration names it, but {region} has no such trail",
		Remedy:  "Correct trail.name, or create the trail.",
		Why:     "The name is wrong, or the trail was deleted before relight remembered it.",
	},
	{
		Code: TrailAmbiguous, Severity: catalog.Low, Subject: "trail {trail}",
		Problem: "relight chose it because it is {why}, but other trails qualify too: {others}",
		Remedy:  "Name one of them in the configuration: trail.name.",
		Why:     "The account has several trails that relight could protect.",
	},
	{
		Code: TrailHomeElsewhere, Severity: catalog.High, Subject: "trail {trail}",
		Problem: "its home region is {home}, not {region}",
		Remedy:  "Deploy relight in the trail's home region, {home}.",
		Why:     "relight is deployed outside the trail's home region.",
		More:    "Set `homeRegion`.",
	},
	{
		Code: TrailLogGroupElsewhere, Severity: catalog.High, Subject: "trail {trail}",
		Problem: "its log group is in {where}, not in {region}",
		Remedy:  "Deploy relight in the trail's home region, {home}.",
		Why:     "relight is deployed outside the trail's home region.",
		More:    "Set `homeRegion`.",
	},
	{
		Code: TrailNoLogGroup, Severity: catalog.High, Subject: "trail {trail}",
		Problem: "it delivers to no log group",
		Remedy:  "Give it a log group and a role: aws cloudtrail update-trail --cloud-watch-logs-log-group-arn --cloud-watch-logs-role-arn.",
		Why:     "Metric filters and alarms count what the trail delivers to a log group. relight restores a log group that somebody removed only if it remembers one, and this trail has had none since relight was deployed.",
	},
	{
		Code: TrailBucketChanged, Severity: catalog.Critical, Subject: "trail {trail}", Alert: true,
		Problem: "its bucket is {now}; the {source} bucket is {accepted}{by}",
		Remedy:  "If this change was intended, run relight accept or set trail.bucket. Otherwise change it back: its log files may go to somebody else.",
		Why:     "Somebody pointed the trail at another bucket. The notification about the event names who did it.",
		More:    "To change it back: `aws cloudtrail update-trail`. Until then a deleted trail comes back with the old bucket.",
	},
	{
		Code: TrailPrefixChanged, Severity: catalog.High, Subject: "trail {trail}", Alert: true,
		Problem: "its prefix is {now}; the {source} prefix is {accepted}{by}",
		Remedy:  "If this change was intended, run relight accept. Otherwise change it back: whoever reads its log files may not find them.",
		Why:     "Somebody made the trail write its log files under another prefix. The notification about the event names who did it.",
		More:    "To change it back: `aws cloudtrail update-trail`. Until then a deleted trail comes back with the old prefix.",
	},
	{
		Code: TrailKeyChanged, Severity: catalog.Critical, Subject: "trail {trail}", Alert: true,
		Problem: "its key is {now}; the {source} key is {accepted}{by}",
		Remedy:  "If this change was intended, run relight accept or set trail.keyArn. Otherwise change it back: the owner of the key can make its log files unreadable.",
		Why:     "Somebody gave the trail another key. The notification about the event names who did it.",
		More:    "To change it back: `aws cloudtrail update-trail`. Until then a deleted trail comes back with the old key.",
	},
	{
		Code: TrailRoleChanged, Severity: catalog.Critical, Subject: "trail {trail}", Alert: true,
		Problem: "its role is {now}; the {source} role is {accepted}{by}",
		Remedy:  "If this change was intended, run relight accept or set trail.roleArn. Otherwise change it back: its events may not reach the log group.",
		Why:     "Somebody gave the trail another role. The notification about the event names who did it.",
		More:    "To change it back: `aws cloudtrail update-trail`. Until then a deleted trail comes back with the old role.",
	},
	{
		Code: TrailLogGroupChanged, Severity: catalog.Critical, Subject: "trail {trail}", Alert: true,
		Problem: "its log group is {now}; the {source} log group is {accepted}{by}",
		Remedy:  "If this change was intended, run relight accept. Otherwise change it back: its events may go to somebody else.",
		Why:     "Somebody pointed the trail at another log group. The notification about the event names who did it.",
		More:    "To change it back: `aws cloudtrail update-trail`. Until then a deleted trail comes back with the old log group.",
	},
	{
		Code: TrailTopicChanged, Severity: catalog.High, Subject: "trail {trail}", Alert: true,
		Problem: "its topic is {now}; the {source} topic is {accepted}{by}",
		Remedy:  "If this change was intended, run relight accept. Otherwise change it back: the subscribers of the old topic no longer learn of new log files, and those of the new one do.",
		Why:     "Somebody made the trail notify another topic of its log files. The notification about the event names who did it.",
		More:    "To change it back: `aws cloudtrail update-trail`. Until then a deleted trail comes back with the old topic.",
	},
	{
		Code: TrailFilesUndelivered, Severity: catalog.Critical, Subject: "trail {trail}",
		Problem: "its log files do not reach bucket {bucket}: {error}",
		Remedy:  "Check that the bucket exists, that its policy lets CloudTrail write, and that the key, if any, is enabled.",
		Why:     "The bucket is gone, or its policy or the key's policy refuses CloudTrail. The error is Amazon S3's, or for a key AWS KMS's.",
		More:    "Fix the bucket, its policy or the key.",
	},
	{
		Code: TrailEventsUndelivered, Severity: catalog.Critical, Subject: "trail {trail}",
		Problem: "its events do not reach log group {group}: {error}",
		Remedy:  "Check that role {role} exists, trusts CloudTrail and may write there. If the log group has just been restored, the next delivery clears this.",
		Why:     "The role is gone, or it may not write.",
		More:    "Fix the role. CloudTrail may keep the error for a while: `aws cloudtrail get-trail-status` also says when the last delivery succeeded.",
	},
	{
		Code: TrailRoleMissing, Severity: catalog.Critical, Subject: "trail {trail}", Alert: true,
		Problem: "its events do not reach log group {group}, because its role {role} does not exist{namesake}: {error}",
		Remedy:  "Create {role} again, with the same path: it must trust {service} and be allowed to write to the log group. If another role has its name, find out who created that one, and delete it first. Or give the trail another role (aws cloudtrail update-trail --cloud-watch-logs-role-arn), then run relight accept.",
		Why:     "Somebody deleted the role. IAM allows a name once in an account, whatever the path is, and the path is part of the ARN: a role that has only the name is not the trail's.",
	},
	{
		Code: TrailMemoryUnusable, Severity: catalog.High, Subject: "memory {parameter}", Alert: true,
		Problem: "relight cannot use what it remembers of the trail: {error}",
		Remedy:  "Find out who changed it. relight accept replaces it with the trail as it is now.",
		Why:     "relight lacks a permission, or somebody wrote to the parameter.",
		More:    "Look for `PutParameter` and `DeleteParameter`.",
	},
	{
		Code: MemoryForeign, Severity: catalog.Critical, Subject: "memory {parameter}", Alert: true,
		Problem: "somebody else than relight's sweep wrote it: {by}. relight relies only on what its sweep writes",
		Remedy:  "Find out why, and what else the caller changed: the trail may be next.",
		Why:     "Somebody wrote to a parameter in which relight remembers what it protects. relight reads who wrote each version, and writes the last one of its own again.",
		More:    "Look for `PutParameter`. To change what relight remembers, use `relight accept`. After `cdk destroy` and a new deployment, the sweep has another role: the finding then names the earlier one.",
	},
	{
		Code: MemoryMissing, Severity: catalog.Critical, Subject: "memory {parameter}", Alert: true,
		Problem: "it is gone, and this is not relight's first sweep: somebody deleted it. {lost}",
		Remedy:  "Find out who deleted it, and what else the caller changed since.",
		Why:     "Somebody deleted a parameter in which relight remembers what it protects. Only a sweep that remembers nothing, within half an hour or two intervals of the creation of relight's stack, adopts what others made.",
		More:    "Look for `DeleteParameter` and `DeleteParameters`. An upgrade from a relight that had no such parameter reports this once.",
	},
	{
		Code: TrailMemoryShort, Severity: catalog.Low, Subject: "trail {trail}",
		Problem: "relight remembers it without its data events, which do not fit in a parameter",
		Remedy:  "Select fewer resources one by one, for example by the beginnings of their ARNs. Until then, a deleted trail comes back with its management events only.",
		Why:     "A parameter of Systems Manager takes 8 KB, and the trail's event selectors are longer even when they are compressed.",
	},
	{
		Code: TrailOtherPurpose, Severity: catalog.High, Subject: "trail {trail}",
		Problem: "it records other events but no management events, and relight does not remember that it ever did, so relight leaves it as it is",
		Remedy:  "Create a multi-region trail that records management events and delivers to a log group. If this trail is the one to protect, name it in the configuration: trail.name.",
		Why:     "An owner may have a trail for data events alone. relight adds management events only to a trail that the configuration names, that it remembers, or that has relight's filters on its log group.",
	},
	{
		Code: TrailNotificationsUndelivered, Severity: catalog.Low, Subject: "trail {trail}",
		Problem: "its notifications do not reach topic {topic}: {error}",
		Remedy:  "Check that the topic exists and that its policy lets CloudTrail publish. After the fix, the next notification clears this.",
		Why:     "The topic is gone, or its policy refuses CloudTrail. CloudTrail then also refuses every change of the trail, so relight removes the topic from the trail if it has to restore something else.",
		More:    "Or remove the topic from the trail: `aws cloudtrail update-trail --sns-topic-name \"\"`, then `relight accept`.",
	},
	{
		Code: TrailSlotsFull, Severity: catalog.High, Subject: "account {account}",
		Problem: "{region} lists {count} trails and takes {limit}: if the protected trail is deleted and another one takes its place, relight cannot create it again",
		Remedy:  "Delete trails that nobody needs (aws cloudtrail describe-trails, delete-trail), or ask for a higher quota, and find out who created so many.",
		Why:     "A region takes a limited number of trails, and the shadows of other regions' trails count. An intruder can use them up before deleting the protected one.",
	},

	{
		Code: LogGroupUnfed, Severity: catalog.High, Subject: "log group {group}",
		Problem: "the configuration names it, but no trail of every region delivers to it, so filters on it miss events",
		Remedy:  "Correct trailLogs.logGroup, or point the trail at the log group.",
		Why:     "The name is wrong, the trail was pointed elsewhere before relight remembered it, or it records one region only.",
	},
	{
		Code: AccountClosed, Severity: catalog.Critical, Subject: "account {account}", Alert: true,
		Problem: "relight can restore nothing in it, because AWS does not let it assume {role}: {error}",
		Remedy:  "Deploy there the template that relight spoke-template prints, or exclude the account: organization.excludeAccounts. If the role is there, compare it with the template, and look for a service control policy that denies sts:AssumeRole or sts:TagSession.",
		Why:     "The account never got the stack of a guarded account, or somebody deleted or changed the role, or moved the hub out of the organisation. The account still forwarded the event that led to this.",
	},
	{
		Code: AccountsUnlisted, Severity: catalog.High, Subject: "sweep of the organisation, state machine {machine}",
		Problem: "it ended before every account was swept, so relight restores there only what events announce: {error}",
		Remedy:  "If AWS denied the listing of accounts, make the hub a delegated administrator, or list the accounts in organization.accounts. Otherwise check the last executions of the state machine in Step Functions.",
		Why:     "Only the management account and delegated administrators may list the accounts of an organisation. Or somebody changed the role, the bucket or the definition of the state machine.",
		More:    "`relight backfill` sweeps an account at once.",
	},
	{
		Code: AccountsUnswept, Severity: catalog.High, Subject: "sweep of the organisation, state machine {machine}",
		Problem: "{count} accounts could not be swept: {accounts}",
		Remedy:  "The next sweep tries again. The log of the sweep's function has the reason for each account.",
		Why:     "AWS throttled the sweep's function for too long, or the function failed or had too little time in an account.",
	},
	{
		Code: UnitUnknown, Severity: catalog.High, Subject: "organisational unit {unit}",
		Problem: "organization.ous names it, and no active account is in it or below it, so it has no account guarded",
		Remedy:  "Compare the ID with those that aws organizations list-organizational-units-for-parent prints, and correct it, or leave it out.",
		Why:     "The ID has a mistake in it, somebody deleted the unit or moved its accounts, or it has none yet. What organizations:ListParents returns for the accounts decides.",
	},
	{
		Code: CheckGivenUp, Severity: catalog.Critical, Subject: "kind {kind} in {region}", Alert: true,
		Problem: "relight gave up checking it, because that was not finished after {time}: nobody knows whether its protections are healthy",
		Remedy:  "Find out what takes so long: the function's log has the calls that failed. If AWS answers slowly, the next sweep checks again. Otherwise check what was changed last, such as a policy, because somebody may have written it to keep relight busy.",
		Why:     "A call to AWS did not return, there is far more to check than usual, or something was crafted to take long. Each kind has three minutes in a sweep. relight checks the other kinds all the same.",
	},
	{
		Code: PauseRefused, Severity: catalog.Critical, Subject: "pause {parameter}", Alert: true,
		Problem: "{by} wrote it, and it pauses nothing: {why}. relight restores as always",
		Remedy:  "Find out who that was, and what else the caller changed. relight resume clears this.",
		Why:     "Somebody tried to pause relight without being named in `pause.by`, for too long, too often in one day, or in a form that is not a pause.",
		More:    "Look for `PutParameter`. Who may write the parameter is a matter of IAM: [grant it](operations.md#a-pause) to nobody but those in `pause.by`.",
	},
	{
		Code: PauseUnread, Severity: catalog.High, Subject: "pause {parameter}", Alert: true,
		Problem: "relight cannot read whether it is paused: {error}. It restores as if it were not",
		Remedy:  "Find out who denies it: relight's functions need ssm:GetParameterHistory on this parameter.",
		Why:     "A policy denies the call, or Systems Manager does not answer.",
	},
	{
		Code: LogGroupNotFound, Severity: catalog.High, Subject: "log group {group}",
		Problem: "the configuration names it, but it does not exist and no trail delivers to it",
		Remedy:  "Correct trailLogs.logGroup, or create the log group and point the trail at it.",
		Why:     "The name is wrong, or the trail was pointed elsewhere.",
	},
	{
		Code: LogGroupClass, Severity: catalog.Critical, Subject: "log group {group}", Alert: true,
		Problem: "its class {class} does not support metric filters and cannot be changed",
		Remedy:  "Create a STANDARD log group and point the trail at it. If this group was recreated in that class, find out by whom.",
		Why:     "A log group keeps the class that it was created with.",
	},
	{
		Code: ControlTowerGroupMissing, Severity: catalog.High, Subject: "log group {group}",
		Problem: "it does not exist, and AWS Control Tower owns it",
		Remedy:  "Repair the landing zone.",
		Why:     "The controls of AWS Control Tower deny changes to its log groups.",
	},
	{
		Code: ControlTowerGroupRetention, Severity: catalog.Low, Subject: "log group {group}",
		Problem: "it keeps logs for {kept}; {needed}, but AWS Control Tower owns it",
		Remedy:  "Raise the retention in the landing zone's settings.",
		Why:     "The controls of AWS Control Tower deny changes to its log groups.",
	},
	{
		Code: RetentionOverridden, Severity: catalog.Low, Subject: "log group {group}",
		Problem: "it keeps logs for {kept}; {needed}, but the account-wide retention policy {policy} overrides the group's own retention",
		Remedy:  "Change that policy, or delete it: aws logs delete-account-policy --policy-type RETENTION_POLICY --policy-name {policy}.",
		Why:     "The retention that relight would write has no effect.",
	},
	{
		Code: RetentionShortened, Severity: catalog.High, Subject: "log group {group}", Alert: true,
		Problem: "it keeps its logs {kept}; before, it kept them {before}",
		Remedy:  "CloudWatch Logs deletes the older records within 72 hours of the change. Lengthen its retention again: aws logs put-retention-policy --log-group-name {group} --retention-in-days DAYS, or to keep them for ever aws logs delete-retention-policy --log-group-name {group}. If this was intended, run relight accept --retention {key}.",
		Why:     "Somebody shortened the retention of a log group that flow logs deliver to, or that AWS Control Tower owns. It still satisfies the policy. relight restores the retention of the trail's log group and of its own.",
	},
	{
		Code: MemoryUnusable, Severity: catalog.High, Subject: "memory {parameter}", Alert: true,
		Problem: "relight cannot use what it remembers there: {error}",
		Remedy:  "Find out who changed it. Delete the parameter once you know: the next sweep starts again from the account as it is then.",
		Why:     "relight lacks a permission, or somebody wrote to the parameter.",
		More:    "Look for `PutParameter` and `DeleteParameter`.",
	},
	{
		Code: LogGroupKeyChanged, Severity: catalog.High, Subject: "log group {group}", Alert: true,
		Problem: "it is relight's, and is encrypted with {key}, which the configuration does not name: relight puts that right. What was written until then can be read only with that key",
		Remedy:  "Find out who associated the key. Keep it until nobody needs those records: once it is disabled or deleted, they are lost. If it was intended, name it in kmsKeys of the configuration.",
		Why:     "Somebody associated another key, or `kmsKeys` was changed. CloudWatch Logs encrypts no older record again.",
	},
	{
		Code: LogGroupKeyForeign, Severity: catalog.High, Subject: "log group {group}", Alert: true,
		Problem: "it is encrypted with {key} of account {owner}, which can make its logs unreadable",
		Remedy:  "Associate a key of this account with it (aws logs associate-kms-key), or name that one in kmsKeys of the configuration if it is intended.",
		Why:     "Whoever controls the key can disable or delete it.",
	},
	{
		Code: LogGroupKeyUnusable, Severity: catalog.Critical, Subject: "log group {group}", Alert: true,
		Problem: "it is encrypted with {key}, and {trouble}: its records cannot be read, and new ones are lost",
		Remedy:  "Make the key usable (aws kms enable-key, cancel-key-deletion, put-key-policy), then associate the key that was intended (aws logs associate-kms-key) or none (aws logs disassociate-kms-key). Find out who associated the key or changed it.",
		Why:     "The key of the group is disabled, waits for its deletion, is gone, or its policy does not let CloudWatch Logs, or the account's owner, use it.",
		More:    "Keep the key: it decrypts the records that were written with it.",
	},
	{
		Code: LogGroupKeyUnread, Severity: catalog.Low, Subject: "key {key}",
		Problem: "relight cannot read whether it can be used: {error}",
		Remedy:  "Fix the error: {hint}. If this region does not offer the call, do nothing.",
		Why:     "The key encrypts a log group that relight guards, and its policy or a service control policy denies the read. relight restores everything else.",
	},
	{
		Code: LogGroupMasked, Severity: catalog.High, Subject: "log group {group}",
		Problem: "a data protection policy masks its logs, for metric filters too",
		Remedy:  "Remove it, unless it is intended: aws logs delete-data-protection-policy --log-group-identifier {group}.",
		Why:     "Metric filters and people see asterisks.",
	},
	{
		Code: LogGroupMaskedByAccount, Severity: catalog.High, Subject: "log group {group}",
		Problem: "the account's data protection policy masks its logs, for metric filters too",
		Remedy:  "Remove it, unless it is intended: aws logs delete-account-policy --policy-type DATA_PROTECTION_POLICY.",
		Why:     "Metric filters and people see asterisks.",
	},
	{
		Code: LogGroupTransformed, Severity: catalog.Low, Subject: "log group {group}",
		Problem: "a transformer rewrites its logs; relight's filters read the originals, but queries, subscriptions and filters on transformed logs do not",
		Remedy:  "Remove it, unless it is intended: aws logs delete-transformer --log-group-identifier {group}.",
		Why:     "Whoever queries or subscribes to the logs sees what the transformer makes of them.",
	},
	{
		Code: LogGroupTransformedByAccount, Severity: catalog.Low, Subject: "log group {group}",
		Problem: "the account-wide transformer policy {policy} rewrites its logs; relight's filters read the originals, but queries, subscriptions and filters on transformed logs do not",
		Remedy:  "Remove it, unless it is intended: aws logs delete-account-policy --policy-type TRANSFORMER_POLICY --policy-name {policy}.",
		Why:     "Whoever queries or subscribes to the logs sees what the transformer makes of them.",
	},
	{
		Code: TransformerUnread, Severity: catalog.Low, Subject: "log group {group}",
		Problem: "relight cannot read whether a transformer rewrites its logs: {error}",
		Remedy:  "Fix the error: {hint}. If this region does not offer the call, do nothing.",
		Why:     "relight may not make the call, for example because a service control policy denies it, or the region does not offer it. relight restores everything else.",
	},
	{
		Code: AccountPoliciesUnread, Severity: catalog.Low, Subject: "log group {group}",
		Problem: "relight cannot read whether an account-wide policy rewrites its logs: {error}",
		Remedy:  "Fix the error: {hint}. If this region does not offer the call, do nothing.",
		Why:     "relight may not make the call, for example because a service control policy denies it, or the region does not offer it. relight restores everything else.",
	},
	{
		Code: LogGroupFull, Severity: catalog.Critical, Subject: "log group {group}", Alert: true,
		Problem: "it has {count} metric filters and takes {limit}, so relight cannot restore {missing}",
		Remedy:  "Delete filters that nobody uses, and find out who created so many: a full log group keeps filters from coming back.",
		Why:     "The log group has no room for the filters of the controls.",
	},
	{
		Code: MetricForeignWriter, Severity: catalog.High, Subject: "metric filter {filter} of log group {group}", Alert: true,
		Problem: "it writes {value} into {namespace}/{metric}, whose alarm measures a control: such values can hide events, or keep the alarm in ALARM",
		Remedy:  "Find out who created it, and delete it: aws logs delete-metric-filter --log-group-name {group} --filter-name {filter}.",
		Why:     "A metric belongs to no log group: a filter on any of them may write into it. relight does not delete filters of others.",
	},
	{
		Code: FiltersUnread, Severity: catalog.Low, Subject: "metric filters",
		Problem: "relight cannot read whether other log groups' filters write into its metrics: {error}",
		Remedy:  "Fix the error: {hint}. If this region does not offer the call, do nothing.",
		Why:     "relight may not make the call, for example because a service control policy denies it. relight restores everything else.",
	},

	{
		Code: FlowLogRoleForeign, Severity: catalog.Low, Subject: "flow log {flowlog} of {on}",
		Problem: "its delivery is {status}: it delivers with {role}, which is not this deployment's role",
		Remedy:  "Delete it, or wait: relight deletes it once a flow log of its own has delivered for an hour.",
		Why:     "It is relight's flow log from an earlier deployment, whose role is gone or was changed.",
	},
	{
		Code: FlowLogRoleMissing, Severity: catalog.Low, Subject: "flow log {flowlog} of {on}",
		Problem: "its delivery is {status}: its role {role} does not exist",
		Remedy:  "The function {function} restores the role. If this finding stays, the function's log says why.",
		Why:     "Somebody deleted the delivery role. EC2 delivers again within minutes of its return.",
	},
	{
		Code: FlowLogRoleElsewhere, Severity: catalog.High, Subject: "flow log {flowlog} of {on}",
		Problem: "its delivery is {status}: its role {role} does not exist, and {namesake} has its name",
		Remedy:  "Find out who created {namesake}, and delete it: aws iam delete-role --role-name {name}, after its policies. relight then restores the role.",
		Why:     "Somebody deleted the delivery role and created one with the same name at another path, so that relight cannot restore it.",
	},
	{
		Code: FlowLogRoleChanged, Severity: catalog.Low, Subject: "flow log {flowlog} of {on}",
		Problem: "its delivery is {status}: {cause}",
		Remedy:  "The function {function} restores the role. If this finding stays, the function's log says why.",
		Why:     "Somebody changed the delivery role or its policy. EC2 delivers again within minutes of the repair.",
	},
	{
		Code: FlowLogRoleConditional, Severity: catalog.High, Subject: "flow log {flowlog} of {on}",
		Problem: "its delivery is {status}, perhaps because of policy {policy} of its role: {denial}",
		Remedy:  "Find out who added the policy and why, and remove it from the role unless it is intended: the role only delivers flow logs.",
		Why:     "relight cannot judge the condition, and leaves the policy on the role.",
	},
	{
		Code: FlowLogGroupMissing, Severity: catalog.Low, Subject: "flow log {flowlog} of {on}",
		Problem: "its delivery is {status}: its log group {group} does not exist",
		Remedy:  "Do nothing: relight creates the log group in the same run, and delivery continues within minutes.",
		Why:     "Somebody deleted the log group.",
	},
	{
		Code: FlowLogGroupClass, Severity: catalog.High, Subject: "log group {group}", Alert: true,
		Problem: "flow logs go to it, and its class is {class}, which cannot be changed",
		Remedy:  "Create a log group of class STANDARD and send the flow logs there. If it is relight's own, delete it: relight creates it again. If it was recreated in that class, find out by whom.",
		Why:     "A log group of class DELIVERY keeps its records for a day, whatever its retention is. One of class INFREQUENT_ACCESS takes no metric filters and fewer queries; it is a finding only for the group that relight creates.",
	},
	{
		Code: FlowLogKeyUnusable, Severity: catalog.High, Subject: "flow log {flowlog} of {on}",
		Problem: "its delivery is {status}: the key of its log group, {key}, {trouble}",
		Remedy:  "Make the key usable again: aws kms enable-key, or cancel-key-deletion. Its policy must admit CloudWatch Logs.",
		Why:     "The key is disabled or waits for its deletion.",
	},
	{
		Code: FlowLogRateLimited, Severity: catalog.Low, Subject: "flow log {flowlog} of {on}",
		Problem: "its delivery is {status}",
		Remedy:  "Ask for a higher CloudWatch Logs quota, or send the flow log to S3.",
		Why:     "CloudWatch Logs throttles the delivery.",
	},
	{
		Code: FlowLogToS3Failed, Severity: catalog.High, Subject: "flow log {flowlog} of {on}",
		Problem: "its delivery is {status}",
		Remedy:  "Check its bucket, the bucket's policy, which must admit delivery.logs.amazonaws.com, and the bucket's key.",
		Why:     "The bucket, its policy or its key was changed or is gone. For an Unknown error, EC2 does not say why.",
	},
	{
		Code: FlowLogTargetMissing, Severity: catalog.Low, Subject: "{on}",
		Problem: "the configuration names it for a flow log of its own, and no region that is swept has it",
		Remedy:  "Correct the ID in {key}, or remove it.",
		Why:     "The ID is misspelt, or the resource was deleted. If it was replaced, the new one has another ID and no flow log of its own; tags choose what comes and goes.",
		More:    "A sweep of every region finds this; one that could not read a region does not judge.",
	},
	{
		Code: FlowLogBucketMissing, Severity: catalog.High, Subject: "bucket {bucket}", Alert: true,
		Problem: "relight's flow logs of {region} go to it, and it does not exist",
		Remedy:  "Create it again, with a policy that admits the delivery, or configure another: flowLogs.destination. If somebody else owns a bucket of that name now, use another name.",
		Why:     "Somebody deleted the bucket, or the configuration names one that was never created. EC2 accepts no new flow log to it, and what existing ones send is lost.",
	},
	{
		Code: FlowLogBucketShut, Severity: catalog.High, Subject: "bucket {bucket}", Alert: true,
		Problem: "relight's flow logs of {region} go to it, and it does not admit them: {cause}",
		Remedy:  "Remove what denies from the bucket's policy, and add this statement: {statement}.",
		Why:     "Somebody changed or removed the bucket's policy, or it was never complete. relight writes no policy of a bucket: it could open the bucket, and with the permission to do so EC2 would overwrite the policy.",
		More:    "relight reads the policy of a bucket of this account, in sweeps and after events about the bucket. The bucket's key and a bucket of another account show only in the delivery of the flow logs.",
	},
	{
		Code: FlowLogToFirehoseFailed, Severity: catalog.High, Subject: "flow log {flowlog} of {on}",
		Problem: "its delivery is {status}",
		Remedy:  "Check its delivery stream, and the role or service-linked role that writes there.",
		Why:     "The stream or the role was changed or is gone. For an Unknown error, EC2 does not say why.",
	},
	{
		Code: FlowLogFailed, Severity: catalog.High, Subject: "flow log {flowlog} of {on}",
		Problem: "its delivery is {status}",
		Remedy:  "Check, in this order: its role {role} (it must exist, trust {service} and be allowed to write there), the log group {group}, and the group's key.",
		Why:     "The role or the destination's policy was changed or is gone. For an Unknown error, EC2 does not say why.",
	},
	{
		Code: FlowLogInTheWay, Severity: catalog.High, Subject: "{on}", Alert: true,
		Problem: "EC2 refuses relight's flow log as a duplicate of {flowlogs}, which is not as the configuration says: {reason}",
		Remedy:  "Delete {flowlogs}: aws ec2 delete-flow-logs --flow-log-ids {flowlogs}. relight then creates a flow log of {traffic} to {where}.",
		Why:     "A flow log with the same traffic and destination exists, but records too little, does not deliver or has another interval. EC2 allows no second one, and relight deletes a flow log only once another one has proven itself.",
		More:    "relight first tries a flow log that records ALL, which is no duplicate. You get this finding if that exists too.",
	},
	{
		Code: FlowLogUncounted, Severity: catalog.Low, Subject: "flow log {flowlog} of {on}",
		Problem: "the alarm on rejected traffic does not count its records in {group}, because it writes other fields: {format}",
		Remedy:  "Make its fields those of flowLogs.format in the configuration, or delete it: aws ec2 delete-flow-logs --flow-log-ids {flowlog}. relight then creates its own.",
		Why:     "A filter knows the words of a record by their place alone. A flow log with further fields, or with the same ones in another order, satisfies the policy, but the filter's pattern matches none of its records.",
		More:    "The finding appears only if `flowLogs.rejectAlarm` is configured.",
	},
	{
		Code: FlowLogControlsUnread, Severity: catalog.Low, Subject: "alarm on rejected traffic in {region}",
		Problem: "relight cannot read it, or the filter that feeds it: {error}",
		Remedy:  "Fix the error: {hint}.",
		Why:     "relight may not make the call, for example because a service control policy denies it. relight restores everything else.",
	},
	{
		Code: VPCFull, Severity: catalog.High, Subject: "{on}", Alert: true,
		Problem: "EC2 refuses relight's flow log, because there is no room for another: {reason}",
		Remedy:  "Delete {flowlogs}. relight then creates a flow log as the configuration says, and deletes those of its own that it no longer needs.",
		Why:     "A VPC, subnet or network interface can have a small number of flow logs, two by an older document, and none of them is as the configuration says.",
		More:    "relight deletes its own old flow log once the new one is an hour old and delivers.",
	},
	{
		Code: VPCExemptByTag, Severity: catalog.Low, Subject: "{on}", Alert: true,
		Problem: "its tag {tag} exempts it from having a flow log",
		Remedy:  "If it should not be exempt, remove the tag: aws ec2 delete-tags --resources {on} --tags Key={tag}. The event of that call, or else the next sweep, restores its flow log.",
		Why:     "With `flowLogs.exemptByTag`, anybody who may tag a VPC can exempt it. In regions whose events reach relight, sweeps only list such VPCs as skipped; in others, each sweep reports them.",
	},
	{
		Code: DeliveryRoleElsewhere, Severity: catalog.Critical, Subject: "role {role}", Alert: true,
		Problem: "it does not exist, and relight cannot create it again, because {namesake} has its name: relight's flow logs do not deliver",
		Remedy:  "Find out who created {namesake}, and delete it: aws iam delete-role --role-name {name}, after its policies. The event of that call, or else the next sweep, restores {role}.",
		Why:     "IAM allows a name once in an account, whatever the path is, and the path is part of the ARN that flow logs deliver with. relight does not change a role that it did not create.",
	},
	{
		Code: BoundaryDenies, Severity: catalog.Critical, Subject: "permissions boundary {boundary}", Alert: true,
		Problem: "it keeps flow logs from delivering: {denial}",
		Remedy:  "Change it so that it allows what the policy {policy} of role {role} allows.",
		Why:     "The policy of `permissionsBoundary` does not let flow logs deliver.",
	},
	{
		Code: PolicyConditional, Severity: catalog.High, Subject: "policy {policy} of role {role}", Alert: true,
		Problem: "it may keep flow logs from delivering: {denial}",
		Remedy:  "Find out who added the policy and why, and remove it from the role unless it is intended: the role only delivers flow logs.",
		Why:     `relight cannot judge the condition, and leaves the policy on the role. The policy that IAM adds for "Revoke active sessions" is no such finding.`,
	},

	{
		Code: TopicDenied, Severity: catalog.High, Subject: "topic {topic}", Alert: true,
		Problem: "a statement of its policy can deny {denied}, so relight removes it: {statement}",
		Remedy:  "Find out who added it. If you need it, add it again with this condition, which spares AWS services and this account: {condition}.",
		Why:     "The topic is relight's own. CloudWatch, relight's functions and the account's owner have to publish to it, subscribe to it, and read and set its attributes.",
		More:    "A condition that relight cannot judge, such as one on addresses or times, counts as one that may be met.",
	},
	{
		Code: TopicPolicyUnreadable, Severity: catalog.High, Subject: "topic {topic}", Alert: true,
		Problem: "relight cannot read its policy ({error}), so relight replaces it: {policy}",
		Remedy:  "Find out who changed it: in CloudTrail, look for SetTopicAttributes. If it had statements of yours, add them again.",
		Why:     "The policy is malformed or has something that relight does not understand, or it denies relight's functions to read it.",
		More:    "See [the topic's policy](#the-topics-policy).",
	},
	{
		Code: TopicKeyUnusable, Severity: catalog.Critical, Subject: "key {key}", Alert: true,
		Problem: "its state is {state}: nothing can be published to the topic",
		Remedy:  "See with aws kms describe-key what it waits for, and find out who did it. If the key is deleted, deploy again under another prefix.",
		Why:     "The topic's key is in a state that enabling it does not undo, so no notification reaches anybody. A deleted key stays deleted.",
	},
	{
		Code: TopicKeyDenied, Severity: catalog.Critical, Subject: "key {key}", Alert: true,
		Problem: "it keeps out who needs it: {denial}",
		Remedy:  "Restore the policy of docs/operations.md#the-keys-policy with aws kms put-key-policy, and find out who changed it.",
		Why:     "The key's policy does not let CloudWatch, relight's functions or the account's owner use the key, or relight does not understand the policy. Without the key, alarms change state and notify nobody, or relight's messages are lost.",
		More:    "See [the key's policy](#the-keys-policy).",
	},
	{
		Code: TopicKeyUnread, Severity: catalog.High, Subject: "key {key}", Alert: true,
		Problem: "relight cannot read whether it can be used: {error}",
		Remedy:  "Fix the error: {hint}. If this region does not offer the call, do nothing.",
		Why:     "relight may not make the call, for example because a service control policy denies it, or the region does not offer it. relight restores everything else.",
	},
	{
		Code: TopicKeyReplaced, Severity: catalog.Critical, Subject: "topic {topic}", Alert: true,
		Problem: "it is encrypted with {current}, and relight does not put its own key back: the state of {key} is {state}",
		Remedy:  "Make relight's key work again (see with aws kms describe-key what it waits for); relight then puts it back. Until then, the key of the topic must admit CloudWatch: see docs/operations.md#the-keys-policy.",
		Why:     "Somebody changed the key of the topic, and relight's own key does not work: with it, nothing could be published.",
		More:    "If relight's key is deleted, deploy again under another prefix.",
	},
	{
		Code: TopicRecreated, Severity: catalog.High, Subject: "topic {topic}",
		Problem: "somebody deleted it; subscriptions of the deleted topic may go on delivering, so messages may arrive twice, and subscribers that SNS does not list may receive them",
		Remedy:  "Expect messages twice for a while. If a stranger may have been subscribed, find the ARN of the subscription in CloudTrail (Subscribe) and end it: aws sns unsubscribe --subscription-arn ARN.",
		Why:     "SNS ends the subscriptions of a deleted topic some time later, and they also deliver what is sent to a new topic of the same name (recorded 2026-09-14: for at least 75 seconds).",
	},
	{
		Code: DrillSilent, Severity: catalog.Critical, Subject: "{link}", Alert: true,
		Problem: "it did not answer in a drill: {why}",
		Remedy:  "Run relight plan, which says what is wrong with it and restores what it can with relight apply; then run relight drill again. If the subscribers did not answer, check their endpoint: SNS's delivery status logs say why.",
		Why:     "Somebody ran `relight drill`, and this is the first link of the chain from a record of the trail to people that did not answer: a record like the control's sample raises no alarm, or an alarm reaches nobody.",
		More:    "See [a drill](#a-drill).",
	},
	{
		Code: LastTopicUnread, Severity: catalog.High, Subject: "topic {topic}", Alert: true,
		Problem: "relight cannot read whether it takes relight's messages: {error}",
		Remedy:  "Let relight's account also call sns:GetTopicAttributes in the policy of the topic, and check that its region is enabled.",
		Why:     "The topic of `lastResort.topic` does not admit the call, or its region cannot be reached.",
		More:    "See [a topic elsewhere](#a-topic-elsewhere).",
	},
	{
		Code: LastTopicMissing, Severity: catalog.High, Subject: "topic {topic}", Alert: true,
		Problem: "it does not exist",
		Remedy:  "Create it again with a policy that admits relight, and subscribe people to it; or configure another lastResort.topic.",
		Why:     "Somebody deleted the topic of `lastResort.topic`. relight does not create a topic that is not its own.",
		More:    "See [a topic elsewhere](#a-topic-elsewhere).",
	},
	{
		Code: LastTopicClosed, Severity: catalog.High, Subject: "topic {topic}", Alert: true,
		Problem: "{denial}",
		Remedy:  "Remove what denies it, if anything does, and allow arn:{partition}:iam::{account}:root sns:Publish and sns:GetTopicAttributes in the policy of the topic.",
		Why:     "The policy of the topic of `lastResort.topic` keeps relight's functions from publishing to it, or relight cannot read the policy.",
		More:    "See [a topic elsewhere](#a-topic-elsewhere).",
	},
	{
		Code: LastTopicEncrypted, Severity: catalog.High, Subject: "topic {topic}", Alert: true,
		Problem: "it is encrypted with {key}, which relight may not use",
		Remedy:  "Remove the key: aws sns set-topic-attributes --attribute-name KmsMasterKeyId --attribute-value ''.",
		Why:     "relight's functions may use no key but that of relight's own topic. A message that needs another one is refused.",
		More:    "See [a topic elsewhere](#a-topic-elsewhere).",
	},
	{
		Code: LastTopicUnheard, Severity: catalog.High, Subject: "topic {topic}", Alert: true,
		Problem: "it has no confirmed subscriber, so its messages reach nobody",
		Remedy:  "Subscribe people to it, and confirm the subscription.",
		Why:     "SNS takes messages for a topic without subscribers, and delivers them to nobody.",
	},
	{
		Code: LastTopicOwn, Severity: catalog.High, Subject: "topic {topic}", Alert: true,
		Problem: "it is one of relight's own topics, so it is no further way to people",
		Remedy:  "Configure a topic of another account or region as lastResort.topic.",
		Why:     "`lastResort.topic` names a topic of relight's stack.",
	},
	{
		Code: LastTopicRefused, Severity: catalog.High, Subject: "topic {topic}", Alert: true,
		Problem: "it refused a message of relight's: {error}",
		Remedy:  "Read its policy and its key. It has to admit relight: see docs/operations.md#a-topic-elsewhere.",
		Why:     "SNS refused a message for the topic of `lastResort.topic`. relight's own topics took it, or the alarm `relight-untold` is about it.",
	},
	{
		Code: SubscriberForeign, Severity: catalog.High, Subject: "subscriber {subscriber}", Alert: true,
		Problem: "account {owner} subscribed it{and}, so relight can neither read nor change its filter policy",
		Remedy:  "If account {owner} is yours, check the filter policy there: aws sns get-subscription-attributes. If not, find out who let it subscribe, and configure another endpoint: a new subscription of this one would still be account {owner}'s.",
		Why:     "Only the account that called Subscribe may read and change a subscription, whoever owns topic and endpoint.",
		More:    "Or end it there (`aws sns unsubscribe`, by account {owner}): relight then subscribes the endpoint itself.",
	},
	{
		Code: SubscriberDeleted, Severity: catalog.High, Subject: "subscriber {subscriber}", Alert: true,
		Problem: "its subscription has ended, but SNS still lists it as Deleted: it receives nothing, and subscribing it again does not bring it back",
		Remedy:  "Use the token of the last message that SNS sent to the endpoint (aws sns confirm-subscription), or configure another endpoint.",
		Why:     "The endpoint was unsubscribed by the link in a message, by its own account, or by this one although another account had subscribed it.",
		More:    "relight subscribes the endpoint once SNS no longer lists it.",
	},
	{
		Code: SubscriberUnread, Severity: catalog.Low, Subject: "subscriber {subscriber}", Alert: true,
		Problem: "relight cannot read whether it receives every message: {error}",
		Remedy:  "Fix the error: {hint}. If this region does not offer the call, do nothing.",
		Why:     "relight may not read its filter policy, or the policy or key of its queue or function, for example because a service control policy or the queue's own policy denies it. relight restores everything else.",
	},
	{
		Code: SubscriberQueueMissing, Severity: catalog.High, Subject: "subscriber {subscriber}", Alert: true,
		Problem: "nothing reaches it: its queue does not exist, or relight has no access to it",
		Remedy:  "Create the queue again with a policy that admits the topic, or configure another subscriber. If the queue exists, find out what keeps relight from reading its attributes.",
		Why:     "Somebody deleted the queue. SNS still lists its subscription as confirmed. SQS gives the same answer for a queue that the caller has no access to.",
		More:    "See [queues and functions](#queues-and-functions-as-subscribers).",
	},
	{
		Code: SubscriberQueueClosed, Severity: catalog.High, Subject: "subscriber {subscriber}", Alert: true,
		Problem: "nothing reaches it: {denial}",
		Remedy:  "Remove what denies it, if anything does, and add this statement to the queue's policy with aws sqs set-queue-attributes: {statement}.",
		Why:     "SNS confirms a queue of the same account at once, and delivers nothing to it unless the queue's policy admits the topic. relight does not write that policy.",
		More:    "See [queues and functions](#queues-and-functions-as-subscribers).",
	},
	{
		Code: SubscriberKeyClosed, Severity: catalog.High, Subject: "subscriber {subscriber}", Alert: true,
		Problem: "nothing reaches it: its queue is encrypted with {key}, and {denial}",
		Remedy:  "Encrypt the queue with SQS's own key, or with a key that is enabled and whose policy has this statement (aws kms put-key-policy): {statement}.",
		Why:     "SNS needs the key to send to the queue. A key that AWS manages cannot admit it.",
		More:    "See [queues and functions](#queues-and-functions-as-subscribers).",
	},
	{
		Code: SubscriberFunctionClosed, Severity: catalog.High, Subject: "subscriber {subscriber}", Alert: true,
		Problem: "nothing reaches it: {denial}",
		Remedy: "Remove what denies it, if anything does, and admit the topic: aws lambda add-permission --region {region} --function-name {function} --statement-id {id} " +
			"--action lambda:InvokeFunction --principal {service} --source-arn {topic}.",
		Why:  "SNS confirms a function of the same account at once, and cannot invoke it unless the policy of that function, version or alias admits the topic. The stack adds that permission for functions in the topic's region. Somebody removed it, denied it, or recreated the function.",
		More: "See [queues and functions](#queues-and-functions-as-subscribers).",
	},
	{
		Code: SubscriberTokenUnused, Severity: catalog.Low, Subject: "subscriber {subscriber}",
		Problem: "its subscription waits for confirmation",
		Remedy:  "Read the token in the message that SNS sent to the queue or function, and use it: aws sns confirm-subscription. It is valid for two days.",
		Why:     "A queue or function of another account has to confirm its subscription, also after relight has restored it.",
		More:    "After two days, `aws sns subscribe` sends another token.",
	},
	{
		Code: SubscriberUnconfirmed, Severity: catalog.Low, Subject: "subscriber {subscriber}",
		Problem: "its subscription waits for confirmation",
		Remedy:  "Open the confirmation link that SNS sent. It is valid for two days.",
		Why:     "The owner of an email or HTTPS endpoint has to confirm its subscription, also after relight has restored it.",
		More:    "After two days, `aws sns subscribe` sends another link.",
	},
	{
		Code: SubscriberFiltered, Severity: catalog.Low, Subject: "subscriber {subscriber}",
		Problem: "its filter policy lets only some messages of relight's topic through: {filter}",
		Remedy:  "Remove the filter policy unless it is intended: aws sns set-subscription-attributes --subscription-arn {subscription} --attribute-name FilterPolicy --attribute-value '{}'. relight restores only the subscribers that the configuration names.",
		Why:     "Somebody gave it a filter policy. Alarms have no message attributes, so most filter policies drop every alarm.",
		More:    "A sweep reads the filter policies of at most 20 subscribers that are not configured.",
	},
	{
		Code: SubscriberRaw, Severity: catalog.Low, Subject: "subscriber {subscriber}",
		Problem: "it receives raw messages, without SNS's envelope: what reads them may not understand that",
		Remedy:  "Switch raw delivery off unless it is intended: aws sns set-subscription-attributes --subscription-arn {subscription} --attribute-name RawMessageDelivery --attribute-value false.",
		Why:     "Somebody switched raw message delivery on. relight cannot know whether the receiver expects it.",
	},
	{
		Code: TopicDeliveryPolicy, Severity: catalog.High, Subject: "topic {topic}", Alert: true,
		Problem: "its delivery policy makes SNS give up on HTTP and HTTPS subscribers early, or wait between messages: {policy}",
		Remedy:  "Find out who set it. If nobody wanted it, allow three retries and set no throttle: aws sns set-topic-attributes --topic-arn {topic} --attribute-name DeliveryPolicy --attribute-value '{\"http\":{\"defaultHealthyRetryPolicy\":{\"numRetries\":3}}}'.",
		Why:     "The stack sets no delivery policy. Somebody else did, and an endpoint that fails once then misses a message.",
	},
	{
		Code: TopicUnheard, Severity: catalog.Critical, Subject: "topic {topic}",
		Problem: "relight cannot show that any of its subscribers receives every message",
		Remedy:  "Check filter policies (aws sns get-subscription-attributes) and the policies of queues and functions, or configure a subscriber.",
		Why:     "The confirmed subscribers filter, do not admit the topic, or cannot be read. relight checks the configured ones and, if no message can reach any of them, a limited number of others.",
	},
	{
		Code: TopicUnconfirmed, Severity: catalog.Critical, Subject: "topic {topic}",
		Problem: "no subscriber has confirmed",
		Remedy:  "Open the confirmation link that SNS sent, or for a queue or function, use the token that it sent. Both are valid for two days.",
		Why:     "Nobody opened the link within two days, for example.",
		More:    "After two days, `aws sns subscribe` sends another link or token. If relight has just recreated the topic, subscriptions of the deleted one may still deliver.",
	},
	{
		Code: TopicNoSubscribers, Severity: catalog.Critical, Subject: "topic {topic}",
		Problem: "it has no subscribers",
		Remedy:  "Add subscribers to the configuration, then deploy.",
		Why:     "No subscriber is configured, or all of them were unsubscribed.",
	},

	{
		Code: NotAdopted, Severity: catalog.Low, Subject: "relight", Alert: true,
		Problem: "it made its own, because nobody adopted these of others: {things}",
		Remedy:  "If somebody made them to mislead relight, find out who, and delete them. If you want relight to rely on them, run relight accept {flags}, or name them in the configuration: adopt.",
		Why:     "Others' filters, alarms and flow logs satisfy the policy only if the configuration names them, the first sweep found them, or a person accepted them. Otherwise whoever made them could delete them again, and relight's own would be missing.",
		More:    "Once they are adopted, you may delete relight's own.",
	},
	{
		Code: AlarmMuted, Severity: catalog.High, Subject: "alarm mute rule {rule}",
		Problem: "it silences {alarms} without changing their settings ({kind})",
		Remedy:  "Delete it, unless it is intended: aws cloudwatch delete-alarm-mute-rule --alarm-mute-rule-name {rule}. relight deletes such rules itself if alarms.removeMutes is true.",
		Why:     "The alarms still change state, but take no action.",
	},
	{
		Code: CompositeSuppressed, Severity: catalog.Low, Subject: "composite alarm {alarm}",
		Problem: "while {suppressor} is in ALARM, it does not report {guard}; the actions of {guard} itself still run",
		Remedy:  "Remove its suppressor, unless it is intended: aws cloudwatch put-composite-alarm without --actions-suppressor. relight removes it itself if alarms.removeMutes is true.",
		Why:     "The composite alarm has a suppressor. The alarm below it still notifies.",
	},
	{
		Code: CompositeUnclear, Severity: catalog.Low, Subject: "composite alarm {alarm}",
		Problem: "while {suppressor} is in ALARM, it reports nothing, and relight does not understand its rule, which may name alarms of the controls",
		Remedy:  "If it depends on one, remove its suppressor, unless it is intended: aws cloudwatch put-composite-alarm without --actions-suppressor. relight removes it itself if alarms.removeMutes is true.",
		Why:     "The rule has a word that is newer than this relight, or a name that could be a pattern.",
	},
	{
		Code: AlarmMutesUnread, Severity: catalog.Low, Subject: "alarms",
		Problem: "relight cannot read whether mute rules silence them: {error}",
		Remedy:  "Fix the error: {hint}. If this region does not offer the call, do nothing.",
		Why:     "relight may not make the call, for example because a service control policy denies it, or the region does not offer it. relight restores everything else.",
	},
	{
		Code: AlarmTopicUnread, Severity: catalog.Low, Subject: "topic {topic}",
		Problem: "relight cannot read whether it reaches anybody, so alarms that notify it do not count: {error}",
		Remedy:  "Fix the error: {hint}.",
		Why:     "The topic's policy, a permissions boundary or a service control policy denies the call. relight creates alarms of its own beside those that notify the topic.",
	},
	{
		Code: AlarmStuck, Severity: catalog.High, Subject: "alarm {alarm}",
		Problem: "it has been in ALARM for over a day, so new events send no notification",
		Remedy:  "Find out what it counts and who writes to its metric. If it stays in ALARM after that is resolved: aws cloudwatch set-alarm-state --state-value OK --state-reason handled --alarm-name {alarm}.",
		Why:     "An alarm notifies only when it changes state.",
	},
	{
		Code: AlarmStuckAgain, Severity: catalog.High, Subject: "alarm {alarm}",
		Problem: "it was in ALARM for more than a day of the last two, with breaks; while it is, new events send no notification",
		Remedy:  "Find out what it counts, who writes to its metric, and who sets its state: aws cloudwatch describe-alarm-history --alarm-name {alarm}. Look in the trail's log group for what it did not notify you of.",
		Why:     "Many events, or somebody who keeps the alarm in ALARM and lets it go for a moment, so that it never is for a whole day.",
	},
	{
		Code: AlarmHistoryUnread, Severity: catalog.Low, Subject: "alarms of the controls",
		Problem: "relight cannot read how long they were in ALARM before: {error}",
		Remedy:  "Fix the error: {hint}. If this region does not offer the call, do nothing.",
		Why:     "relight may not make the call, for example because a service control policy denies it. relight restores everything else.",
	},
	{
		Code: MetricNegative, Severity: catalog.High, Subject: "metric {namespace}/{metric}", Alert: true,
		Problem: "it had the value {value} within {minutes} minutes, although filters count events: the alarm {alarm} takes the sum, so events may have gone unnoticed",
		Remedy:  "Find out who writes it, with PutMetricData or by a metric filter of another log group, and search the trail's log group for the events that the control is about. A threshold of 1 makes the alarm take the largest value, which no negative one lowers.",
		Why:     "Anybody with `cloudwatch:PutMetricData` may write any value into any metric. An alarm with a threshold above 1 has to add values up, and so has an alarm of yours that takes the sum.",
		More:    "CloudTrail records `PutMetricData` only as a data event, which few trails select.",
	},
	{
		Code: MetricsUnread, Severity: catalog.Low, Subject: "metrics of the controls",
		Problem: "relight cannot read whether they had negative values: {error}",
		Remedy:  "Fix the error: {hint}. If this region does not offer the call, do nothing.",
		Why:     "relight may not make the call, for example because a service control policy denies it. relight restores everything else.",
	},
	{
		Code: AlarmActionsFull, Severity: catalog.Low, Subject: "alarm {alarm}", Alert: true,
		Problem: "its {count} actions leave no room for relight's topic, so relight removes {action}",
		Remedy:  "Find out who added the actions. If the removed one is needed, remove another and add it again: an alarm takes {limit} for each state.",
		Why:     "CloudWatch limits the actions of an alarm. relight removes an action that reaches nobody, or else the last one.",
	},
	{
		Code: AlarmNameTaken, Severity: catalog.Low, Subject: "alarm {alarm}", Alert: true,
		Problem: "a {type} has the name of relight's alarm, so relight's alarm is {instead}",
		Remedy:  "Find out who created the {type}, and delete it unless it is intended.",
		Why:     "The names of alarms are unique among metric, composite and log alarms, so relight's alarm cannot have its own name.",
	},

	{
		Code: GuardBusGone, Severity: catalog.Critical, Subject: "event bus {bus}", Alert: true,
		Problem: "it does not exist, so no events of other regions arrive",
		Remedy:  "Find out who deleted it, then deploy relight again.",
		Why:     "Somebody deleted relight's own bus, with its rules.",
		More:    "Until then the sweep covers the other regions.",
	},
	{
		Code: GuardForwarderGone, Severity: catalog.Critical, Subject: "stack {stack}", Alert: true,
		Problem: "it does not exist in {region}, so no events of {region} arrive",
		Remedy:  "Find out who deleted it, then deploy relight again.",
		Why:     "Somebody deleted the stack of a forwarder, or it was never deployed. relight creates no stacks.",
		More:    "Until then the sweep covers that region. In the hour after a deployment of the home stack, which comes first, relight does not report it.",
	},
	{
		Code: GuardSilent, Severity: catalog.Critical, Subject: "relight's own stack", Alert: true,
		Problem: "nothing checks it: the guard's function did not answer ({guard}), nor did the sweep's ({sweep})",
		Remedy:  "Find out who stopped or changed the two functions, then deploy relight again.",
		Why:     "An event function asked both to check relight's own stack, and neither did.",
		More:    "A function may be stopped by a reserved concurrency of 0, or may be gone.",
	},
	{
		Code: GuardUnread, Severity: catalog.High, Subject: "relight's own {part}", Alert: true,
		Problem: "relight cannot compare it with the deployment: {error}",
		Remedy:  "Fix the error: {hint}.",
		Why:     "A service control policy, or the queue's own policy, denies it. relight restores everything else.",
		More:    "If a queue's policy denies its owner everything, relight tries to set the policy of the deployment; if that is denied too, only the root user of the account, or of the organisation for it, can remove the policy.",
	},
	{
		Code: GuardFunctionGone, Severity: catalog.Critical, Subject: "function {function}", Alert: true,
		Problem: "it does not exist, so relight does not do its work",
		Remedy:  "Find out who deleted it. Destroy the stack, wait a minute, and deploy relight again.",
		Why:     "Somebody deleted one of relight's own functions. relight does not create functions, and CloudFormation does not create one again while its template is the same.",
		More:    "Until then only sweeps restore what events of its kind are about. Without relight-backfill there are no sweeps.",
	},
	{
		Code: GuardFunctionChanged, Severity: catalog.Critical, Subject: "function {function}", Alert: true,
		Problem: "it is not as the last deployment of relight made it; what differs: {changed}",
		Remedy:  "Find out who changed it: look in the trail for UpdateFunctionCode and UpdateFunctionConfiguration of this function. Treat what it reported since as forged. Destroy the stack, wait a minute, and deploy relight again.",
		Why:     "Somebody changed the code, the role or a setting of one of relight's own functions without CloudFormation. relight writes no function, and CloudFormation does not change one back while its template is the same.",
		More:    "Putting back what differs, with `aws lambda update-function-configuration` for example, clears the finding too. Whoever changed the function could use its role.",
	},
	{
		Code: GuardQueueGone, Severity: catalog.Critical, Subject: "queue {queue}", Alert: true,
		Problem: "it does not exist, so relight loses events",
		Remedy:  "Find out who deleted it. Destroy the stack, wait a minute, and deploy relight again.",
		Why:     "Somebody deleted one of relight's own queues. relight does not create queues, and CloudFormation does not create one again while its template is the same.",
		More:    "Until then only sweeps restore what the lost events were about.",
	},
	{
		Code: GuardQueueTapped, Severity: catalog.Critical, Subject: "queue {queue}", Alert: true,
		Problem: "{function} reads it too and takes events away from relight",
		Remedy:  "Find out who made the mapping, then delete it: aws lambda delete-event-source-mapping --uuid {mapping}.",
		Why:     "Somebody made an event source mapping on one of relight's queues, or pointed relight's own at another function. relight may change no mapping of a function that is not its own.",
		More:    "Until then the sweep restores what the lost events were about.",
	},

	{
		Code: SpokeForwarderGone, Severity: catalog.Critical, Subject: "account {account} in {region}", Alert: true,
		Problem: "relight's rules have neither their role nor their queue, so no events of {region} arrive from there",
		Remedy:  "If its stack was never deployed in {region}, deploy it there. Otherwise find out who deleted it, then deploy it again: " + again + ", in {region}. If the account is to be guarded no longer: organization.excludeAccounts.",
		Why:     "Somebody deleted the stack of a guarded account in a region, or it was never deployed there. relight creates no stacks.",
		More:    "Until then the sweep covers that region. See [putting a stack back](organization.md#putting-a-stack-back).",
	},
	{
		Code: SpokeRulesGone, Severity: catalog.Critical, Subject: "account {account} in {region}", Alert: true,
		Problem: "relight's rules {rules} do not exist, so events are lost. relight does not create them, because it does not read in the description of role {role} that the stack has them",
		Remedy:  "If you have just deployed another version of relight, update the stack of this account in {region} with the template that relight spoke-template prints. If not, find out who deleted the rules, then put the stack back: " + again + ", in {region}.",
		Why:     "The stack is of another version of the template than the hub, or somebody deleted rules and changed the description of the role, or relight may not read the role. A rule that relight made could keep CloudFormation from creating it.",
		More:    "relight restores all other rules. See [putting a stack back](organization.md#putting-a-stack-back).",
	},
	{
		Code: SpokeQueueGone, Severity: catalog.Critical, Subject: "queue {queue} of account {account} in {region}", Alert: true,
		Problem: "it does not exist, so events that cannot be delivered to the hub are lost",
		Remedy:  "Find out who deleted it, then put the stack of this account back: " + again + ", in {region}.",
		Why:     "Somebody deleted the queue for the events that a guarded account could not deliver. relight does not create queues, and CloudFormation does not create one again while its template is the same.",
		More:    "See [putting a stack back](organization.md#putting-a-stack-back).",
	},
	{
		Code: SpokeRoleGone, Severity: catalog.Critical, Subject: "role {role} of account {account}", Alert: true,
		Problem: "it does not exist: {use}",
		Remedy:  "Find out who deleted it, then put the stack of this account back: " + again + ", in {region}.",
		Why:     "Somebody deleted a role of a guarded account. relight writes no role there but the one with which flow logs deliver, and CloudFormation does not create one again while its template is the same.",
		More:    "See [putting a stack back](organization.md#putting-a-stack-back).",
	},
	{
		Code: SpokeRoleChanged, Severity: catalog.Critical, Subject: "role {role} of account {account}", Alert: true,
		Problem: "it is not as the template says: {changed}. {use}",
		Remedy:  "If you have just deployed another version or configuration of relight, update the stack of this account in {region} with the template that relight spoke-template prints. If not, find out who changed the role, and what else the caller changed. Then undo it (aws iam put-role-policy, delete-role-policy, detach-role-policy, update-assume-role-policy), or put the stack back: " + again + ", in {region}.",
		Why:     "Somebody changed what a role of a guarded account may do, or who may assume it. With less, relight cannot restore there, or receives no events; with more, whoever takes over the hub, or whoever else may assume the role, gets it. relight writes no role there but the one with which flow logs deliver.",
		More:    "The stack of an account and the hub have to be of one version and configuration. See [putting a stack back](organization.md#putting-a-stack-back).",
	},
	{
		Code: SpokeUndelivered, Severity: catalog.High, Subject: "queue {queue} of account {account} in {region}", Alert: true,
		Problem: "it has {count} events that could not be delivered to the hub",
		Remedy:  "Read why, in that account: aws sqs receive-message --message-attribute-names All. The attributes name the rule, the target and the error. Fix it: the bus of the hub may refuse the account, or the role of the rules may be cut. The sweep restores what the events were about, so then empty the queue: aws sqs purge-queue.",
		Why:     "EventBridge tried for a day to deliver these events to the bus of the hub, or was refused for good. Somebody may have cut the way to the hub.",
	},
	{
		Code: SpokeUnread, Severity: catalog.High, Subject: "relight's {part} of account {account} in {region}", Alert: true,
		Problem: "relight cannot compare it with the template: {error}",
		Remedy:  "Fix the error: {hint}. Compare the role that relight assumes there with the template that relight spoke-template prints, or put the stack back: " + again + ".",
		Why:     "Somebody took permissions from the role that the functions of the hub assume in that account, or a service control policy or the queue's own policy denies the call. relight restores everything else.",
		More:    "See [putting a stack back](organization.md#putting-a-stack-back).",
	},
}

// again is how people put the stack of a guarded account back, in a remedy.
const again = "aws cloudformation delete-stack-instances and create-stack-instances for a stack set, delete-stack and deploy for one by hand, with Kept=yes in the home region"
