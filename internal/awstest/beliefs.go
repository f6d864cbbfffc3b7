package awstest

import (
	"fmt"
	"maps"
	"slices"
)

// A Grade says how well a belief about AWS is known.
type Grade string

// Grades, the weakest first.
const (
	Assumed    Grade = "assumed"    // no document and no record says so
	Modelled   Grade = "modelled"   // the API model says so
	Documented Grade = "documented" // a document of AWS says so
	Recorded   Grade = "recorded"   // the service was recorded as it did so
)

// Grades returns all grades, the weakest first.
func Grades() []Grade { return []Grade{Assumed, Modelled, Documented, Recorded} }

// A Belief is what relight, or this account, takes AWS to do, without a clause
// of the contract that checks it.
type Belief struct {
	ID       string // stable; Doubt takes it
	Says     string
	Grade    Grade
	Evidence string   // document and section, or what was recorded and when; of an assumption, what speaks for it
	Decides  string   // the file where a decision depends on it
	Probed   []string // IDs under which relight probe observes it

	// What follows is about beliefs that nobody recorded.

	Other   string // how an account behaves that doubts the belief; "" if none does
	Why     string // if none does: the reason, and what makes up for it
	Then    string // what relight does where AWS behaves the other way
	Settles string // what would settle it
}

// IDs of the beliefs that an account can doubt.
const (
	flowLogsGoWithVPC   = "flow-logs-go-with-their-vpc"
	lateFlowLogsGo      = "flow-log-of-a-gone-vpc-can-be-deleted"
	missingVPCInItem    = "missing-vpc-fails-its-item"
	flowLogQuota        = "flow-logs-of-a-vpc-are-limited"
	formatNoDifference  = "format-makes-no-other-flow-log"
	limitInItem         = "flow-log-limit-fails-its-item"
	assumeTextSays      = "role-not-assumable-says-so"
	vpcShowsSoon        = "new-vpc-shows-within-seconds"
	vpcMissingCode      = "missing-vpc-code"
	groupFilterFindsARN = "flow-log-filter-finds-groups-by-arn"
	failureShows        = "failed-delivery-shows"
	noTransformerFails  = "no-transformer-is-an-error"
	criteriaQuoted      = "selection-criteria-spelling"
	emptyGroupListing   = "listing-without-match"
	protectionChecked   = "protection-needs-its-permission"
	policiesShow        = "account-policies-show-on-log-groups"
	badKeyCode          = "log-group-key-refusal-code"
	logAlarmsKnown      = "log-alarms-are-known-everywhere"
	muteRulesByAlarm    = "mute-rules-are-listed-by-alarm"
	alarmTopicRegion    = "alarm-topic-is-in-its-region"
	roleReadsAtOnce     = "role-reads-show-writes-at-once"
	newRoleFound        = "new-role-can-be-changed-at-once"
	historyAtOnce       = "event-history-shows-seconds-ago"
	closedRegionCodes   = "closed-region-codes"
	keptPairChecked     = "kept-log-group-is-checked-again"
	keptKeyChecked      = "kept-key-is-checked-again"
	goneRoleCode        = "trail-role-gone-code"
	trailRoleText       = "trail-role-not-assumable-says-so"
	endpointsAsGiven    = "endpoints-are-listed-as-given"
	leftAddressStays    = "address-that-left-stays-listed"
	oldSubscriptions    = "old-subscriptions-last"
	addressOwnerShows   = "owner-of-an-address-shows"
	trailErrorGoes      = "trail-delivery-error-goes"
	trailErrorAtOnce    = "trail-delivery-error-shows"
	authorIsSession     = "author-of-a-parameter-is-a-session"
)

// Beliefs returns the beliefs that no clause checks, in the order of their
// grades, the weakest first.
func Beliefs() []Belief {
	all := slices.Clone(beliefs)
	slices.SortStableFunc(all, func(a, b Belief) int {
		return slices.Index(Grades(), a.Grade) - slices.Index(Grades(), b.Grade)
	})
	return all
}

// Alternatives returns the IDs of the beliefs that an account can doubt,
// sorted.
func Alternatives() []string {
	var ids []string
	for _, b := range beliefs {
		if b.Other != "" {
			ids = append(ids, b.ID)
		}
	}
	slices.Sort(ids)
	return ids
}

// Doubt makes the account behave the other way round of each of these beliefs,
// as its Other says.
func (a *Account) Doubt(ids ...string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, id := range ids {
		if !slices.Contains(Alternatives(), id) {
			panic(fmt.Sprintf("awstest: no account can doubt %q", id)) // a mistake in the test itself
		}
		a.doubted[id] = true
	}
}

// Trust ends a Doubt.
func (a *Account) Trust(ids ...string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, id := range ids {
		delete(a.doubted, id)
	}
}

// Reached returns the beliefs on which an answer has depended since the last
// Reached, doubted or not, sorted.
func (a *Account) Reached() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	ids := slices.Sorted(maps.Keys(a.reached))
	clear(a.reached)
	return ids
}

// doubts reports whether the account doubts a belief. Callers ask last, where
// the answer makes a difference.
func (a *Account) doubts(id string) bool {
	a.reached[id] = true
	return a.doubted[id]
}

// doubt returns the other value where the account doubts a belief.
func doubt[T any](a *Account, id string, value, other T) T {
	if a.doubts(id) {
		return other
	}
	return value
}

// slow returns how many listings do not show a change: n where the account
// doubts a belief.
func (a *Account) slow(id string, n int) int {
	return max(a.lag, doubt(a, id, 0, n))
}

// beliefs has a row for each belief that decides something and that no clause
// of the contract checks.
var beliefs = slices.Concat(flowLogBeliefs, logGroupBeliefs, alarmBeliefs, trailBeliefs, topicBeliefs, keyAndRoleBeliefs, eventBeliefs, guardBeliefs)

// These are the beginnings of what is evidence, or makes up for an alternative.
const (
	custodian   = "cloud-custodian, recorded "
	localstack  = "localstack, validated on AWS "
	stackd      = "stackd, recorded "
	accelerator = "aws-samples/aws-secure-environment-accelerator, issue 1111, "
	invictus    = "Invictus incident response data set, recorded "
	probes      = "`relight probe` in a sandbox account"
	byHand      = "By hand in a sandbox account"
	shapeTest   = "The account makes no records. `TestSamplesOfOtherShape` sends every such sample with its names elsewhere: the scope widens, and relight restores or reports the same"
	sweepTest   = "The account sends no events. `TestDoubts` also runs every attack without its event: the next sweep restores"
)

var flowLogBeliefs = []Belief{
	{
		ID: flowLogsGoWithVPC, Probed: []string{"flow-logs-outlive-vpc"}, Says: "Flow logs are deleted together with their VPC.", Grade: Assumed,
		Evidence: "Against it: " + custodian + "2017-06-27 lists a flow log of a VPC that the same run does not list.", Decides: "internal/plan/surplus.go",
		Other: "flow logs outlive their VPC", Then: "The event of DeleteVpc, or the next sweep, deletes relight's own flow logs of the VPC.", Settles: probes + ": delete a VPC that has a flow log, list flow logs.",
	},
	{
		ID: lateFlowLogsGo, Probed: []string{"flow-logs-outlive-vpc"}, Says: "A flow log whose VPC is gone can be deleted like any other.", Grade: Assumed,
		Evidence: "Nothing.", Decides: "internal/awsio/flowlog.go",
		Other: "flow logs outlive their VPC, and DeleteFlowLogs answers that they do not exist", Then: "This is not safe both ways: relight asks for the deletion in every sweep and reports it as still to restore. Nothing else depends on it.", Settles: probes + ", after the VPC's deletion.",
	},
	{
		ID: missingVPCInItem, Probed: []string{"missing-vpc-fails-alone"}, Says: "A VPC that does not exist fails its item of CreateFlowLogs, not the call; likewise a flow log in DeleteFlowLogs.", Grade: Assumed,
		Evidence: "Amazon EC2 API Reference, CreateFlowLogs, unsuccessful, does not say which errors it has.", Decides: "internal/awsio/flowlog.go",
		Other: "the whole call is refused", Then: "relight splits the call until the one that is gone is alone.", Settles: probes + ": CreateFlowLogs with an ID that does not exist.",
	},
	{
		ID: formatNoDifference, Probed: []string{"format-makes-no-difference"}, Says: "Format, role and interval make no difference to what EC2 calls an existing flow log.", Grade: Assumed,
		Evidence: "EC2's message: \"an existing Flow Log with the same configuration and log destination\".", Decides: "internal/plan/flowlog.go",
		Other: "a flow log with another format, role or interval is created beside the first", Then: "relight creates it, and deletes its own old one once the new one is proven.", Settles: probes + ": CreateFlowLogs twice with two formats.",
	},
	{
		ID: flowLogQuota, Probed: []string{"flow-log-limit-fails-alone"}, Says: "A VPC can have two flow logs.", Grade: Assumed,
		Evidence: "Amazon VPC User Guide, Amazon VPC quotas, no longer lists it.", Decides: "internal/plan/flowlog.go",
		Other: "a VPC can have any number", Then: "relight creates its flow log beside the others.", Settles: probes + ": CreateFlowLogs three times on one VPC.",
	},
	{
		ID: limitInItem, Probed: []string{"flow-log-limit-fails-alone"}, Says: "FlowLogsLimitExceeded fails the VPC's item, not the call.", Grade: Assumed,
		Evidence: "Amazon EC2 API Reference, CreateFlowLogs, unsuccessful, does not say which errors it has.", Decides: "internal/awsio/flowlog.go",
		Other: "the whole call is refused", Then: "relight splits the call until the VPC is alone.", Settles: probes + ": CreateFlowLogs for a VPC with the maximum of flow logs and for another VPC.",
	},
	{
		ID: assumeTextSays, Probed: []string{"unassumable-role-fails-whole-call"}, Says: "While IAM spreads a new role, CreateFlowLogs answers InvalidParameter with \"Unable to assume given IAM role\".", Grade: Assumed,
		Evidence: "Terraform AWS provider, issue 29323, which waits for that text.", Decides: "internal/awsio/classify.go",
		Other: "InvalidParameter with another text", Then: "relight reports the failure, and the next sweep restores the flow log.", Settles: probes + ": CreateFlowLogs right after CreateRole.",
	},
	{
		ID: vpcShowsSoon, Probed: []string{"vpc-shows-in-time"}, Says: "DescribeVpcs shows a new VPC within 3.5 seconds.", Grade: Assumed,
		Evidence: "Amazon EC2 API Reference, Eventual consistency, gives no time.", Decides: "internal/awsio/flowlog.go",
		Other: "the next 5 listings do not show it", Then: "The VPC gets its flow log from the next sweep.", Settles: probes + ": the time from CreateVpc until DescribeVpcs shows the VPC.",
	},
	{
		ID: groupFilterFindsARN, Probed: []string{"group-filter-finds-arn"}, Says: "DescribeFlowLogs with the filter log-group-name finds flow logs that were created with the group's ARN.", Grade: Assumed,
		Evidence: "They show a LogGroupName: " + custodian + "2021-02.", Decides: "internal/awsio/flowlog.go",
		Other: "the filter finds only those created with the group's name", Then: "An event about the group misses their VPCs. The next sweep does not.", Settles: probes + ": CreateFlowLogs with LogDestination, DescribeFlowLogs with the filter.",
	},
	{
		ID: failureShows, Probed: []string{"flow-log-to-nowhere"}, Says: "A flow log that cannot deliver shows FAILED or an error message within an hour.", Grade: Assumed,
		Evidence: "Amazon EC2 API Reference, FlowLog, deliverLogsStatus. FAILED was recorded nowhere.", Decides: "internal/plan/surplus.go",
		Other: "it shows SUCCESS for ever", Then: "This is not safe both ways: relight takes somebody else's flow log for working though it delivers nowhere. It still never deletes its own for one whose destination the configuration does not trust.", Settles: probes + ": a flow log with a role that may not write, read for an hour.",
	},
	{
		ID: vpcMissingCode, Probed: []string{"missing-vpc-code"}, Says: "A VPC that does not exist: InvalidVpcID.NotFound.", Grade: Documented,
		Evidence: "Amazon EC2 Developer Guide, Error codes for the Amazon EC2 API.", Decides: "internal/awsio/classify.go",
		Other: "InvalidVpcId.NotFound", Then: "Nothing: relight knows both spellings.", Settles: probes + ": DescribeVpcs with an ID that does not exist.",
	},
	{
		ID: "flow-log-token", Probed: []string{"client-token-repeats-reply"}, Says: "CreateFlowLogs repeats its answer for a client token. For how long, no document says.", Grade: Documented,
		Evidence: "Amazon EC2 Developer Guide, Ensuring idempotency in Amazon EC2 API requests.", Decides: "internal/awsio/flowlog.go",
		Why: "relight's tokens are random, one for each call and its retries, so no later call depends on an earlier one.", Then: "Nothing.", Settles: probes + ": the same call twice, the second one an hour later.",
	},
	{
		ID: "flow-log-success-from-the-start", Probed: []string{"flow-log-success-at-once"}, Says: "DeliverLogsStatus is SUCCESS from the flow log's first second, before any delivery.", Grade: Recorded,
		Evidence: custodian + "2018-11-02, 2020-03-16 and 2020-04-27; " + localstack + "2024-09-24.", Decides: "internal/plan/surplus.go",
	},
	{
		ID: "flow-log-by-arn-has-a-name", Probed: []string{"flow-log-by-arn-has-group-name"}, Says: "A flow log created with its group's ARN shows LogGroupName and LogDestination, without \":*\".", Grade: Recorded,
		Evidence: custodian + "2021-02 and 2020-03.", Decides: "internal/awsio/flowlog.go",
	},
	{
		ID: "flow-log-error-without-status", Probed: []string{"flow-log-error-without-status"}, Says: "A flow log can have an error message and no status.", Grade: Recorded,
		Evidence: custodian + "2017-06-27; since 2018-11 every reply has a status.", Decides: "internal/plan/flowlog.go",
	},
	{
		ID: "flow-log-bad-bucket", Says: "CreateFlowLogs for a bucket that does not exist fails the item with code \"400\".", Grade: Recorded,
		Evidence: localstack + "2024-09-24.", Decides: "internal/awsio/classify.go",
	},
}

var logGroupBeliefs = []Belief{
	{
		ID: noTransformerFails, Probed: []string{"no-transformer-is-an-error"}, Says: "GetTransformer of a log group without a transformer is an error.", Grade: Assumed,
		Evidence: "Terraform's AWS provider expects an empty answer.", Decides: "internal/awsio/loggroup.go",
		Other: "it answers without a transformer", Then: "Nothing: relight accepts both.", Settles: probes + ": GetTransformer of a new group.",
	},
	{
		ID: "filter-in-infrequent-access-code", Probed: []string{"filter-on-infrequent-access"}, Says: "PutMetricFilter in a log group of class INFREQUENT_ACCESS answers InvalidOperationException.", Grade: Assumed,
		Evidence: "CloudWatch Logs User Guide, Log classes, has no code.", Decides: "internal/awsio/classify.go",
		Why: "relight reads the class first and does not try.", Then: "relight would report the refusal in other words.", Settles: probes + ": PutMetricFilter in such a group.",
	},
	{
		ID: badKeyCode, Probed: []string{"group-with-disabled-key"}, Says: "CreateLogGroup with a key that does not exist or is disabled answers InvalidParameterException; with one whose policy does not admit Logs, AccessDeniedException.", Grade: Assumed,
		Evidence: "CloudWatch Logs API Reference, CreateLogGroup, kmsKeyId: \"InvalidParameterException\"; terraform-provider-aws, issue 29282, for the policy.", Decides: "internal/awsio/loggroup.go",
		Other: "it answers AccessDeniedException for every such key", Then: "relight creates the group without the key and reports it.", Settles: probes + ": CreateLogGroup with a disabled key.",
	},
	{
		ID: "protected-log-group-code", Probed: []string{"protected-group-code"}, Says: "DeleteLogGroup of a protected group answers ValidationException.", Grade: Assumed,
		Evidence: "CloudWatch Logs API Reference, DeleteLogGroup, Errors, lists it.", Decides: "nowhere",
		Why: "relight deletes no log group.", Then: "Nothing.", Settles: probes + ": DeleteLogGroup of a protected group.",
	},
	{
		ID: criteriaQuoted, Says: "selectionCriteria of a transformer policy reads LogGroupNamePrefix IN [\"…\"].", Grade: Assumed,
		Evidence: "CloudWatch Logs API Reference, PutAccountPolicy, has this form for metric extraction policies; for transformer policies it has only the key LogGroupNamePrefix.", Decides: "internal/plan/loggroup.go",
		Other: "it comes back in single quotes and round brackets", Then: "Nothing: relight takes any quoted text for a prefix, turns the meaning round where the criteria say NOT, and takes criteria without a quoted text for all groups (`TestAlteredRecords`).", Settles: byHand + ": PutAccountPolicy, DescribeAccountPolicies.",
	},
	{
		ID: protectionChecked, Says: "CreateLogGroup with deletion protection checks the permission for PutLogGroupDeletionProtection.", Grade: Assumed,
		Evidence: "Tags are checked so: CloudWatch Logs API Reference, CreateLogGroup.", Decides: "internal/catalog/permissions.go",
		Other: "it checks only logs:CreateLogGroup", Then: "Nothing: the roles have both permissions. Where the second one is denied, the group comes back with protection instead of without it.", Settles: "A role without it.",
	},
	{
		ID: emptyGroupListing, Probed: []string{"no-group-is-no-error"}, Says: "DescribeLogGroups by a prefix that matches nothing answers an empty list.", Grade: Assumed,
		Evidence: "CloudWatch Logs API Reference, DescribeLogGroups, Errors, lists no ResourceNotFoundException.", Decides: "internal/awsio/loggroup.go",
		Other: "it answers ResourceNotFoundException", Then: "Nothing: relight takes that for an empty list.", Settles: probes + ": DescribeLogGroups by such a prefix.",
	},
	{
		ID: policiesShow, Probed: []string{"inherited-properties"}, Says: "A log group shows in inheritedProperties that an account-wide policy masks it, and in retentionInDays and retentionPolicyName the retention of an account-wide policy.", Grade: Documented,
		Evidence: "CloudWatch Logs API Reference, LogGroup, inheritedProperties; PutRetentionPolicy, of account-level retention policies.", Decides: "internal/awsio/loggroup.go",
		Other: "it shows only what was set on the group itself", Then: "This is not safe both ways: relight does not see that such a policy masks the group or deletes its events early. The event of PutAccountPolicy still notifies.", Settles: byHand + ": PutAccountPolicy of both types, DescribeLogGroups.",
	},
	{
		ID: "alarms-count-late-data", Says: "An alarm counts data that arrives after its period: records of flow logs have the time at which their interval began, and arrive some minutes after its end.", Grade: Documented,
		Evidence: "CloudWatch User Guide, Configuring how CloudWatch alarms treat missing data: an alarm looks at the most recent data points that exist, in more periods than it evaluates. That a filter's data has the time of the log event is by analogy with PutMetricData.", Decides: "internal/catalog/traffic.go",
		Why: "The account evaluates no alarms. The period of the alarm on rejected traffic is as long as records of ten minutes take to arrive.", Then: "The alarm on rejected traffic may count too little: a longer flowLogs.rejectAlarm.periodSeconds, or flowLogs.aggregationSeconds 60, makes up for it.", Settles: "A filter on a log group, and PutLogEvents with events that are 15 minutes old.",
	},
	{
		ID: "filter-limit-code", Says: "Too many filters of a group: LimitExceededException.", Grade: Recorded,
		Evidence: stackd + "2026-09-26, of subscription filters; of metric filters by analogy.", Decides: "internal/awsio/classify.go",
	},
	{
		ID: "pattern-listing", Says: "DescribeLogGroups by pattern leaves out deletionProtectionEnabled and storedBytes.", Grade: Recorded,
		Evidence: stackd + "2026-09; relight lists by prefix.", Decides: "internal/awsio/loggroup.go",
	},
}

var alarmBeliefs = []Belief{
	{
		ID: logAlarmsKnown, Says: "DescribeAlarms knows the alarm type LogAlarm in every region.", Grade: Assumed,
		Evidence: "CloudWatch API Reference, DescribeAlarms, AlarmTypes, names no region without it.", Decides: "internal/awsio/alarm.go",
		Other: "it refuses the type with ValidationError", Then: "relight asks again without the type: one call more.", Settles: byHand + ": DescribeAlarms with the type, in a region that AWS opened lately.",
	},
	{
		ID: "alarms-cannot-notify-fifo-topics", Says: "An alarm cannot notify a FIFO topic.", Grade: Assumed,
		Evidence: "Publish to a FIFO topic needs a MessageGroupId (Amazon SNS API Reference, Publish), and no document says which one an alarm sends.", Decides: "internal/awsio/topic.go",
		Why: "The account's alarms send nothing. `TestTheirTopicDelivers` has such a topic.", Then: "relight creates its own alarm beside one that works.", Settles: byHand + ": an alarm on a FIFO topic, SetAlarmState.",
	},
	{
		ID: muteRulesByAlarm, Probed: []string{"mute-rules-by-alarm"}, Says: "ListAlarmMuteRules with an alarm's name lists every rule in force that mutes it.", Grade: Assumed,
		Evidence: "CloudWatch API Reference, ListAlarmMuteRules, AlarmName: \"only mute rules that target the specified alarm name\".", Decides: "internal/awsio/alarm.go",
		Other: "it lists nothing", Then: "where a region has as many mute rules as relight has alarms, or more, relight takes a muted alarm for one that notifies, and does not report the rule. Where it has fewer, relight asks for each rule instead. The event of PutAlarmMuteRule notifies in any case.", Settles: probes + ": PutAlarmMuteRule, ListAlarmMuteRules by the alarm.",
	},
	{
		ID: alarmTopicRegion, Probed: []string{"alarm-action-in-another-region"}, Says: "PutMetricAlarm refuses a topic of another region.", Grade: Assumed,
		Evidence: "The service's message \"Invalid region … specified\".", Decides: "internal/plan/alarm.go",
		Other: "it accepts the topic", Then: "Nothing: relight's topic is of the alarm's region.", Settles: probes + ": PutMetricAlarm with such a topic.",
	},
	{
		ID: "alarm-name-taken-code", Says: "PutMetricAlarm over the name of an alarm of another type answers ValidationError.", Grade: Assumed,
		Evidence: "That it is refused was recorded: " + stackd + "2026-09-14.", Decides: "nowhere",
		Why: "relight reads the alarms of every type first and does not try.", Then: "relight would report the refusal in other words.", Settles: byHand + ": PutMetricAlarm over a composite alarm's name.",
	},
	{
		ID: "identical-alarm-event", Says: "PutMetricAlarm that changes nothing raises no direct event, or one.", Grade: Assumed,
		Evidence: "Without a change the alarm's times and history stay: " + stackd + "2026-09-14. The event was not recorded.", Decides: "internal/app/echo.go",
		Why: sweepTest + ". `TestEcho` has the event.", Then: "Nothing: an event without harm plans nothing.", Settles: byHand + ": a rule for the event, PutMetricAlarm twice.",
	},
	{
		ID: "muting-event", Probed: []string{"mute-raises-no-direct-event"}, Says: "PutAlarmMuteRule raises no direct event, or one.", Grade: Assumed,
		Evidence: "Nothing.", Decides: "internal/catalog/calls.go",
		Why: sweepTest + ".", Then: "Nothing: both events lead to the same check.", Settles: probes + ": a rule for the event, PutAlarmMuteRule.",
	},
	{
		ID: "direct-event-two-sources", Probed: []string{"direct-event-source"}, Says: "A rule that names aws.monitoring beside aws.cloudwatch for the direct event costs nothing.", Grade: Assumed,
		Evidence: "EventBridge bills events, not patterns.", Decides: "internal/catalog/calls.go",
		Why: "The account has no rules.", Then: "Nothing.", Settles: "A bill.",
	},
	{
		ID: "direct-event-of-actions", Says: "DisableAlarmActions and EnableAlarmActions raise the direct event: source aws.cloudwatch, operation update.", Grade: Recorded,
		Evidence: stackd + "2026-09-14.", Decides: "internal/catalog/calls.go",
	},
	{
		ID: "unknown-alarms-are-no-error", Says: "DeleteAlarms, EnableAlarmActions and DisableAlarmActions accept names that do not exist.", Grade: Recorded,
		Evidence: stackd + "2026-09-14.", Decides: "internal/awstest/alarm.go",
	},
	{
		ID: "composite-keeps-its-alarms", Says: "DeleteAlarms refuses an alarm that a composite alarm's rule names.", Grade: Recorded,
		Evidence: stackd + "2026-09; relight deletes no alarm.", Decides: "nowhere",
	},
	{
		ID: "alarm-names-are-shared", Says: "A metric alarm cannot take a composite alarm's name.", Grade: Recorded,
		Evidence: stackd + "2026-09-14.", Decides: "internal/plan/alarm.go",
	},
}

var trailBeliefs = []Belief{
	{
		ID: authorIsSession, Says: "GetParameterHistory names the session of a role that wrote a version, as arn:aws:sts::…:assumed-role/….", Grade: Assumed,
		Evidence: "AWS Systems Manager API Reference, ParameterHistory, LastModifiedUser: the ARN of the user. Its example is an IAM user.", Decides: "internal/awsio/memory.go",
		Other: "it names the role", Then: "Nothing: relight takes the ARN of the role as well as that of its session.", Settles: byHand + ": PutParameter with a role, GetParameterHistory.",
	},
	{
		ID: historyAtOnce, Probed: []string{"history-shows-stop-logging"}, Says: "LookupEvents shows a call of a few seconds ago.", Grade: Assumed,
		Evidence: "Shown at the first look, after 187 seconds: " + stackd + "2026-09-26.", Decides: "internal/awsio/trail.go",
		Other: "it does not show it", Then: "The finding of a stopped trail names nobody. The trail is started all the same.", Settles: probes + ": the time from StopLogging until LookupEvents shows it.",
	},
	{
		ID: keptPairChecked, Probed: []string{"update-checks-the-kept-role"}, Says: "UpdateTrail checks the log group and role that it keeps.", Grade: Assumed,
		Evidence: "It checks a kept topic again: " + stackd + "2026-09-13.", Decides: "internal/awsio/trail.go",
		Other: "it checks only what the request names", Then: "The first UpdateTrail succeeds.", Settles: probes + ": UpdateTrail of a trail whose log group is gone.",
	},
	{
		ID: keptKeyChecked, Probed: []string{"update-checks-the-kept-key"}, Says: "UpdateTrail checks the key that it keeps.", Grade: Assumed,
		Evidence: "A marker object is written with the key before every change: " + stackd + "2026-09-20.", Decides: "internal/awsio/trail.go",
		Other: "it checks only a key that the request names", Then: "The first UpdateTrail succeeds. A disabled key stays, and relight reports that files are not delivered.", Settles: probes + ": UpdateTrail of a trail whose key is disabled.",
	},
	{
		ID: goneRoleCode, Probed: []string{"trail-role-missing"}, Says: "A trail's role that does not exist: InvalidCloudWatchLogsRoleArnException.", Grade: Assumed,
		Evidence: "CloudTrail API Reference, CreateTrail, Errors.", Decides: "internal/awsio/trail.go",
		Other: "InvalidCloudWatchLogsLogGroupArnException", Then: "relight leaves out log group and role in both cases; the hint names both.", Settles: probes + ": CreateTrail with a role that does not exist.",
	},
	{
		ID: trailRoleText, Says: "While IAM spreads a new role, CreateTrail and UpdateTrail answer InvalidCloudWatchLogsRoleArnException or InvalidCloudWatchLogsLogGroupArnException with a message that begins \"Access denied.\"", Grade: Assumed,
		Evidence: "terraform-provider-aws, internal/service/cloudtrail/trail.go, waits for these; of a role without rights the message was recorded: " + stackd + "2026-09-20.", Decides: "internal/awsio/retry.go",
		Other: "the message is another one", Then: "relight does not wait, restores the trail without its log group and role, and reports that. The next sweep restores both.", Settles: byHand + ": CreateTrail right after CreateRole.",
	},
	{
		ID: trailErrorGoes, Probed: []string{"group-delivery-error-goes"}, Says: "LatestCloudWatchLogsDeliveryError goes with the next successful delivery.", Grade: Assumed,
		Evidence: "LatestDeliveryError does: " + stackd + "2026-09-20.", Decides: "internal/plan/trail.go",
		Other: "it stays for ever", Then: "This is not safe both ways: the finding stays until somebody updates the trail, because nothing shows whether the error is old.", Settles: byHand + ": delete a trail's log group, create it again, read the status for an hour.",
	},
	{
		ID: trailErrorAtOnce, Says: "GetTrailStatus shows that the log group or the role is gone.", Grade: Assumed,
		Evidence: "CloudTrail API Reference, GetTrailStatus, LatestCloudWatchLogsDeliveryError.", Decides: "internal/plan/trail.go",
		Other: "it shows no error", Then: "Nothing: relight reads the log group itself, and sweeps read whether the role exists.", Settles: byHand + ": delete a trail's log group, read the status; the same with its role.",
	},
	{
		ID: "events-after-stop", Probed: []string{"stop-logging-reaches-eventbridge"}, Says: "Management events reach EventBridge although the trail was stopped or excludes them.", Grade: Assumed,
		Evidence: "Data events still came after StopLogging: " + stackd + "2026-09-13.", Decides: "docs/threat-model.md",
		Why: sweepTest + ".", Then: "The next sweep restores the trail.", Settles: probes + ": a rule for the event, StopLogging.",
	},
	{
		ID: "kept-topic-is-checked", Probed: []string{"update-checks-the-kept-topic", "empty-topic-removes-it", "empty-key-removes-it", "empty-group-and-role-remove-them"}, Says: "UpdateTrail keeps a topic that it does not name and checks it again; the empty text removes it.", Grade: Recorded,
		Evidence: stackd + "2026-09-13 to 2026-09-20.", Decides: "internal/awsio/trail.go",
	},
	{
		ID: "trail-codes", Probed: []string{"trail-group-without-role", "trail-role-without-group", "trail-role-without-rights", "trail-key-missing", "trail-key-malformed", "trail-key-disabled", "trail-topic-missing"}, Says: "Group without role: InvalidCloudWatchLogsRoleArnException; role without group, or one that may not write: InvalidCloudWatchLogsLogGroupArnException; missing key: InsufficientEncryptionPolicyException; malformed key, or one of another region: KmsKeyNotFoundException; disabled key: KmsException; missing topic: InsufficientSnsTopicPolicyException.", Grade: Recorded,
		Evidence: stackd + "2026-09-12 to 2026-09-20.", Decides: "internal/awsio/classify.go",
	},
	{
		ID: "selector-fields-are-sorted", Probed: []string{"selector-fields-are-sorted"}, Says: "GetEventSelectors sorts the fields of an advanced selector by name.", Grade: Recorded,
		Evidence: stackd + "2026-09-13.", Decides: "internal/plan/selector.go",
	},
	{
		ID: "trail-delivery-error-codes", Says: "LatestDeliveryError can be an error of AWS KMS, such as KMS.DisabledException. It goes with the next success.", Grade: Recorded,
		Evidence: stackd + "2026-09-20.", Decides: "internal/plan/trail.go",
	},
	{
		ID: "notification-error", Says: "LatestNotificationError is AuthorizationError where the trail's topic refuses; the next notification clears it.", Grade: Recorded,
		Evidence: stackd + "2026-09-20.", Decides: "internal/awsio/trail.go",
	},
}

var topicBeliefs = []Belief{
	{
		ID: endpointsAsGiven, Probed: []string{"endpoint-keeps-its-case"}, Says: "Subscriptions list addresses and URLs as they were given.", Grade: Assumed,
		Evidence: "Nothing.", Decides: "internal/plan/topic.go",
		Other: "they list e-mail addresses in lower case", Then: "Nothing: relight compares without case.", Settles: probes + ": Subscribe with capitals, ListSubscriptionsByTopic.",
	},
	{
		ID: leftAddressStays, Probed: []string{"left-mail-address"}, Says: "An e-mail address that left by the link in a message stays listed as Deleted, and Subscribe does not bring it back.", Grade: Assumed,
		Evidence: "Of HTTPS endpoints the row, and of another account's queues both, were recorded: " + stackd + "2026-09-22 and 2026-09-23.", Decides: "internal/plan/topic.go",
		Other: "its row goes, and Subscribe sends a new link", Then: "relight subscribes it again, and reports that it waits for confirmation.", Settles: "Somebody who unsubscribes by the link in a message.",
	},
	{
		ID: oldSubscriptions, Probed: []string{"old-subscription-lasts"}, Says: "Subscriptions of a deleted topic receive what is published to a topic of the same name until they are unsubscribed.", Grade: Assumed,
		Evidence: "They still received after 34 seconds: " + stackd + "2026-09-14. Amazon SNS API Reference, DeleteTopic: asynchronous.", Decides: "internal/plan/topic.go",
		Other: "they end with the topic", Then: "Nothing: no message arrives twice, and nothing is left that relight cannot list.", Settles: probes + ": publish to a topic that was created again, for an hour.",
	},
	{
		ID: addressOwnerShows, Probed: []string{"owner-of-mail-subscription"}, Says: "A phone or e-mail address that another account subscribed lists that account as Owner.", Grade: Assumed,
		Evidence: "Of queues and functions it was recorded: " + stackd + "2026-09-23.", Decides: "internal/awsio/topic.go",
		Other: "it lists the topic's account, and its attributes cannot be read all the same", Then: "The finding says that relight cannot read the subscription, and does not name the other account.", Settles: "A subscription by a second account.",
	},
	{
		ID: "other-owner-cannot-be-read", Probed: []string{"subscription-of-another-account-is-closed"}, Says: "GetSubscriptionAttributes answers AuthorizationError for a subscription that another account owns.", Grade: Recorded,
		Evidence: stackd + "2026-09-23.", Decides: "internal/awsio/topic.go",
	},
	{
		ID: "deleted-rows", Probed: []string{"deleted-subscription-stays-deleted"}, Says: "An ended subscription of another account stays listed as Deleted, and Subscribe does not bring it back.", Grade: Recorded,
		Evidence: stackd + "2026-09-22 and 2026-09-23.", Decides: "internal/plan/topic.go",
	},
	{
		ID: "subscriptions-outlive-topic", Probed: []string{"subscription-outlives-topic", "recreated-topic-lists-nothing", "recreated-topic-reaches-old-subscription"}, Says: "DeleteTopic does not end the topic's subscriptions at once.", Grade: Recorded,
		Evidence: stackd + "2026-09-14; " + localstack + "2026-01-12.", Decides: "internal/plan/topic.go",
	},
	{
		ID: "topic-exists-differently", Says: "CreateTopic over a topic with other attributes or tags: InvalidParameter, \"Topic already exists with different …\".", Grade: Recorded,
		Evidence: localstack + "2025-10-13 and 2026-02-06.", Decides: "internal/awsio/topic.go",
	},
	{
		ID: "unsubscribe-of-none", Says: "Unsubscribe of a subscription that does not exist succeeds.", Grade: Recorded,
		Evidence: stackd + "2026-09-14.", Decides: "internal/awstest/topic.go",
	},
	{
		ID: "policy-refusal", Says: "A topic policy that SNS does not accept: InvalidParameter, \"Invalid parameter: Policy Error: null\".", Grade: Recorded,
		Evidence: localstack + "2023 to 2026.", Decides: "internal/awstest/topic.go",
	},
	{
		ID: "default-topic-policy", Says: "The default topic policy names eight actions.", Grade: Recorded,
		Evidence: localstack + "2023 to 2026.", Decides: "nowhere",
	},
	{
		ID: "key-removed-from-a-topic", Says: "SetTopicAttributes with an empty KmsMasterKeyId takes the key off a topic.", Grade: Assumed,
		Evidence: "resource aws_sns_topic of hashicorp/terraform-provider-aws sends it for a removed key; the API Reference says nothing.", Decides: "internal/plan/topic.go",
		Why: "The account in memory and the local cloud do so. Only the topic of last resort asks for it.", Then: "relight reports each sweep that SNS refuses it, by the topic itself.", Settles: byHand + ": a topic with a key, and SetTopicAttributes with an empty one.",
	},
	{
		ID: "key-of-a-topic", Says: "SetTopicAttributes does not check a key. Publishing with a disabled key fails within minutes.", Grade: Recorded,
		Evidence: stackd + "2026-09-23.", Decides: "internal/plan/topic.go",
	},
	{
		ID: "function-denies-for-its-aliases", Says: "What the policy of a function denies also counts for its versions and aliases. What it allows does not.", Grade: Assumed,
		Evidence: "Each has a policy of its own: " + localstack + "2025-11-25. AWS Lambda Developer Guide, Working with resource-based policies in Lambda: a statement of a function's policy can name all of its versions and aliases.", Decides: "internal/plan/receiver.go",
		Why:  "The account checks no policies. `TestDeafSubscribers` has both.",
		Then: "relight reports a subscribed alias that receives messages although its function denies them.", Settles: "A topic to which an alias is subscribed whose function denies it.",
	},
	{
		ID: "structured-messages-arrive-without-attributes", Says: "A message with MessageStructure json is delivered without its attributes.", Grade: Recorded,
		Evidence: "Amazon SNS Developer Guide, Amazon SNS message attributes; boto/boto3#1513 (a function, 2018-04-05) and aws/aws-sdk-ruby#1662 (2018-07-02).", Decides: "internal/report/notification.go",
	},
	{
		ID: "filters-see-attributes-of-structured-messages", Says: "The filter policy of a subscription is compared with the attributes of a message with MessageStructure json.", Grade: Assumed,
		Evidence: "SNS reads attributes such as AWS.SNS.MOBILE.APNS.TTL of such messages. No document says it of filter policies.", Decides: "internal/report/notification.go",
		Why: "The local cloud compares them. docs/messages.md has policies that work both ways.", Then: "A filter policy with {\"exists\": false} lets every message through: too many are read, and none is lost.", Settles: byHand + ": two queues with filter policies, Publish with MessageStructure json and attributes.",
	},
	{
		ID: "filters-need-an-attribute", Says: "A filter policy over attributes lets no message without attributes through, whatever it says.", Grade: Documented,
		Evidence: "Amazon SNS Developer Guide, Key matching: \"exists\": false only matches if at least one attribute is present.", Decides: "internal/config/subscribers.go",
		Why:  "The account does as documented. Alarms notify the topic of last resort in any case, which has no filter policies.",
		Then: "Subscribers with a filter policy that relight derived hear alarms twice.", Settles: "A queue with such a filter policy, and Publish without attributes.",
	},
	{
		ID: "sns-names-its-account", Says: "SNS names the topic's account, as aws:SourceAccount, when it invokes a function, and topic and account when it uses a queue's key.", Grade: Assumed,
		Evidence: "Amazon SNS Developer Guide, Subscribing an Amazon SQS queue to an Amazon SNS topic, says so of queues.", Decides: "internal/plan/receiver.go",
		Why:  "The account checks no policies. The judge takes these names for ones that may be there: a statement that asks for them counts, whether it allows or denies.",
		Then: "relight takes a subscriber for one that receives messages although its policy, or its queue's key, waits for that name.", Settles: "A function and a key with such policies.",
	},
	{
		ID: "queue-inline-policy-replaces", Says: "AWS::SQS::QueueInlinePolicy replaces the whole policy of a queue.", Grade: Assumed,
		Evidence: "CloudFormation Template Reference, AWS::SQS::QueueInlinePolicy: one queue, one policy. A queue has one attribute for it.", Decides: "infra/stack/alerts.go",
		Why: "The stacks do not use it.", Then: "Nothing: a queue's owner adds the statement.", Settles: "A stack with one for a queue that has a policy.",
	},
	{
		ID: "queue-without-access-is-missing", Says: "SQS answers a caller without access that the queue does not exist.", Grade: Documented,
		Evidence: "Amazon SQS Developer Guide, Troubleshoot Amazon SQS API errors, QueueDoesNotExist.", Decides: "internal/plan/receiver.go",
		Why: "relight says of such a queue that it is gone or closed, which is true either way.", Then: "relight reports that it cannot read the queue.", Settles: byHand + ": GetQueueAttributes without a permission.",
	},
	{
		ID: "function-policy-is-one", Says: "GetPolicy of a function shows what AddPermission and PutResourcePolicy wrote.", Grade: Documented,
		Evidence: "AWS Lambda Developer Guide, Working with resource-based policies in Lambda, Viewing a function's resource-based policy.", Decides: "internal/awsio/receiver.go",
		Why: "The account has one policy for both.", Then: "relight reports a function as closed that is open.", Settles: byHand + ": PutResourcePolicy, GetPolicy.",
	},
	{
		ID: "encrypted-queue-admits-sns", Says: "SNS sends to a queue only if the queue's key admits it. A key that AWS manages cannot.", Grade: Documented,
		Evidence: "Amazon SNS Developer Guide, Enabling server-side encryption (SSE) for an Amazon SNS topic with an encrypted Amazon SQS queue subscribed.", Decides: "internal/plan/receiver.go",
		Why: "The account delivers nothing to a queue whose key is closed.", Then: "relight reports a subscriber that hears.", Settles: byHand + ": publish to a topic with such a queue.",
	},
	{
		ID: "regional-sns-principal", Says: "SNS delivers from or to a region that has to be enabled under a principal with that region's name.", Grade: Documented,
		Evidence: "Amazon SNS Developer Guide, Sending Amazon SNS messages to an Amazon SQS queue or AWS Lambda function in a different Region.", Decides: "internal/catalog/topic.go",
		Why: "The account has one name for SNS in each of the two kinds of regions, the documented one.", Then: "relight reports a subscriber of such a region that hears, or misses one that does not.", Settles: byHand + ": a queue in a region that had to be enabled.",
	},
}

var keyAndRoleBeliefs = []Belief{
	{
		ID: roleReadsAtOnce, Probed: []string{"iam-reads-lag"}, Says: "IAM's reads show a write at once.", Grade: Assumed,
		Evidence: "IAM User Guide, Troubleshoot IAM: changes that I make are not always immediately visible.", Decides: "internal/awsio/deliveryrole.go",
		Other: "the next 2 reads of the roles do not show it", Then: "The check after the repair still sees drift. The next run plans nothing.", Settles: probes + ": the time from PutRolePolicy until GetRolePolicy shows it.",
	},
	{
		ID: newRoleFound, Says: "PutRolePolicy right after CreateRole finds the role.", Grade: Assumed,
		Evidence: "Against it: terraform-provider-aws, pull request 18435; IAM User Guide, Troubleshoot IAM, gives no time.", Decides: "internal/awsio/retry.go",
		Other: "the next 2 changes of the role answer NoSuchEntity", Then: "relight tries again for up to 15 seconds, since it has just created the role. If that is not enough, the next run does the rest.", Settles: byHand + ": PutRolePolicy right after CreateRole.",
	},
	{
		ID: "errors-that-pass", Says: "These pass within seconds: CloudTrail's ConflictException, IAM's ConcurrentModification, Lambda's ResourceConflictException, CloudWatch Logs' OperationAbortedException, Systems Manager's TooManyUpdates, and ConcurrentAccess, StaleTag and KMSThrottling of SNS.", Grade: Documented,
		Evidence: "API references of the services, Errors. Some say minutes; then the next run does the rest.", Decides: "internal/awsio/retry.go",
		Why: "The account answers each of them as often as a test asks for it.", Then: "relight tries again within its bounds, then leaves the rest to the next run.", Settles: "Recorded answers of these services while they are busy.",
	},
	{
		ID: "sns-throttling-code", Says: "SNS answers Throttled if calls come too fast.", Grade: Modelled,
		Evidence: "API model of SNS, ThrottledException. Throttling, which others have seen, is retried as well.", Decides: "internal/awsio/retry.go",
		Why: "relight tries again after both codes, and after any other that it does not know.", Then: "The next run does the rest.", Settles: "A recorded answer of SNS to calls that come too fast.",
	},
	{
		ID: closedRegionCodes, Probed: []string{"closed-region-ec2", "closed-region-logs", "closed-region-sns", "closed-region-cloudwatch"}, Says: "In a region that is not opted in, EC2 answers AuthFailure, SNS, CloudWatch and IAM InvalidClientTokenId, the others UnrecognizedClientException.", Grade: Assumed,
		Evidence: "AWS Account Management Reference, Enable or disable AWS Regions, names no codes.", Decides: "internal/awsio/classify.go",
		Other: "all answer OptInRequired", Then: "The failure is final either way, and its hint says to enable the region.", Settles: probes + ": DescribeVpcs in such a region.",
	},
	{
		ID: "expired-token-code", Says: "EC2, SNS, CloudWatch and IAM answer ExpiredToken to credentials that have expired.", Grade: Assumed,
		Evidence: "Amazon S3 API Reference, Error responses, of S3; the other services document ExpiredTokenException.", Decides: "internal/awsio/classify.go",
		Why: "The account checks no credentials, and relight knows both codes.", Then: "relight tries again, and reports the failure in AWS's words.", Settles: "A call with credentials that have expired.",
	},
	{
		ID: "global-regions", Probed: []string{"global-region"}, Says: "IAM's events are raised in us-east-1, us-gov-west-1 and cn-north-1.", Grade: Assumed,
		Evidence: "IAM User Guide, endpoints, for the commercial partition.", Decides: "internal/catalog/calls.go",
		Why: "The account has one partition, and sends no events.", Then: "The events of the delivery role do not arrive. The next sweep restores it.", Settles: "A deployment in those partitions.",
	},
	{
		ID: "cancelled-key-is-disabled", Says: "CancelKeyDeletion leaves the key disabled; a multi-Region primary waits as PendingReplicaDeletion.", Grade: Recorded,
		Evidence: stackd + "2026-09-12.", Decides: "internal/awsio/key.go",
	},
	{
		ID: "key-not-found", Says: "DescribeKey of a key that is gone, is malformed or of another region: NotFoundException.", Grade: Recorded,
		Evidence: localstack + "2023-11-07 and 2025-11-10.", Decides: "internal/awsio/key.go",
	},
	{
		ID: "alarm-topic-key", Says: "CloudWatch needs kms:GenerateDataKey and kms:Decrypt in the policy of a topic's key.", Grade: Recorded,
		Evidence: stackd + "2026-09-23.", Decides: "internal/catalog/topic.go",
	},
	{
		ID: "alarm-topic-key-context", Says: "A call in which CloudWatch uses a topic's key names the topic, and the alarm with its account.", Grade: Documented,
		Evidence: "Amazon SNS Developer Guide, Managing Amazon SNS encryption keys and costs; AWS, Modern Data Architecture Accelerator, grantCloudWatchAlarmsTopicAccess.", Decides: "internal/plan/topicpolicy.go",
		Why: "relight counts a condition of the key's policy that it cannot judge against the topic.", Then: "relight creates its own alarm beside one that works.", Settles: byHand + ": an alarm on a topic whose key admits only a source account.",
	},
	{
		ID: "topic-key-is-symmetric", Says: "Only a symmetric encryption key encrypts a topic or a log group.", Grade: Documented,
		Evidence: "Amazon SNS Developer Guide, Managing Amazon SNS encryption keys and costs; CloudWatch Logs API Reference, AssociateKmsKey.", Decides: "internal/awsio/key.go",
		Why: "relight does not put such a key on anything.", Then: "relight creates its own alarm beside one that works.", Settles: byHand + ": SetTopicAttributes with an asymmetric key.",
	},
	{
		ID: "tags-need-a-permission", Says: "Creating a log group, an alarm, a topic, a role or a flow log with tags also needs the permission to tag; without it the whole call is denied.", Grade: Documented,
		Evidence: "CloudWatch Logs API Reference, CreateLogGroup; CloudWatch API Reference, PutMetricAlarm; Amazon SNS Developer Guide, Amazon SNS topic tagging; IAM User Guide, Tag IAM roles; Amazon EC2 User Guide, Grant permission to tag Amazon EC2 resources during creation.", Decides: "internal/awsio/parts.go",
		Why: "The account checks no policies. Tests refuse the whole call, and the call without tags succeeds.", Then: "Nothing: the roles have the permission.", Settles: "A role without it.",
	},
}

// eventBeliefs are about the records that reach relight as events.
// events/README.md marks the shape of each sample.
var eventBeliefs = []Belief{
	{
		ID: "reads-show-calls-of-seconds-ago", Says: "What begins to be read three seconds after a call shows what the call changed.", Grade: Assumed,
		Evidence: "Amazon EC2 Developer Guide, Eventual consistency in the Amazon EC2 API, gives no time. The API references of CloudWatch and CloudWatch Logs say nothing of it.", Decides: "internal/app/storm.go",
		Why: "The account delays reads by their number and not by time. An event is dropped only if people have been notified of its caller since, and TestLateRead in internal/app has the sweep restore what a read did not show.", Then: "An event is dropped whose call the check before did not show. The next sweep restores it.",
		Settles: byHand + ": the time from DeleteAlarms until DescribeAlarms no longer lists the alarm, likewise for filters and flow logs.",
	},
	{
		ID: "record-several-flow-logs", Probed: []string{"record-of-delete-flow-logs"}, Says: "A record of DeleteFlowLogs lists several IDs as a list.", Grade: Assumed,
		Evidence: "One ID is an object: Stratus Red Team's logs.", Decides: "internal/catalog/calls.go",
		Why: shapeTest + ".", Then: "Nothing: the scope is the region.", Settles: probes + ": LookupEvents after DeleteFlowLogs of two.",
	},
	{
		ID: "record-log-group-members", Probed: []string{"record-of-group-protection", "record-of-group-key", "record-of-transformer", "record-of-data-protection"}, Says: "Records of PutLogGroupDeletionProtection, AssociateKmsKey, PutTransformer and PutDataProtectionPolicy name the group as logGroupIdentifier, logGroupName or resourceIdentifier.", Grade: Modelled,
		Evidence: "API model of CloudWatch Logs.", Decides: "internal/catalog/calls.go",
		Why: shapeTest + ".", Then: "relight checks every protected log group.", Settles: probes + ": LookupEvents after each of the calls.",
	},
	{
		ID: "record-account-policy", Probed: []string{"record-of-account-policy"}, Says: "A record of PutAccountPolicy has policyName, policyType and selectionCriteria.", Grade: Modelled,
		Evidence: "API model of CloudWatch Logs.", Decides: "internal/catalog/calls.go",
		Why: shapeTest + ".", Then: "Nothing: the call names no log group, so relight checks every protected one.", Settles: byHand + ": LookupEvents after PutAccountPolicy.",
	},
	{
		ID: "record-mute-rule", Probed: []string{"record-of-mute-rule"}, Says: "A record of PutAlarmMuteRule has muteTargets.alarmNames.", Grade: Modelled,
		Evidence: "API model of CloudWatch.", Decides: "internal/catalog/calls.go",
		Why: shapeTest + ".", Then: "relight checks every alarm.", Settles: probes + ": LookupEvents after PutAlarmMuteRule.",
	},
	{
		ID: "record-default-vpc", Probed: []string{"record-of-default-vpc"}, Says: "A record of CreateDefaultVpc names its VPC in responseElements.CreateDefaultVpcResponse.", Grade: Assumed,
		Evidence: "Other new calls of EC2 do so.", Decides: "internal/catalog/calls.go",
		Why: shapeTest + ".", Then: "relight checks every VPC of the region.", Settles: byHand + ": LookupEvents after CreateDefaultVpc.",
	},
	{
		ID: "record-enable-region", Probed: []string{"record-of-enable-region"}, Says: "A record of EnableRegion has regionName.", Grade: Modelled,
		Evidence: "API model of Account Management.", Decides: "internal/catalog/calls.go",
		Why: shapeTest + ".", Then: "The message does not name the region. The next sweep protects it.", Settles: byHand + ": LookupEvents after EnableRegion.",
	},
	{
		ID: "record-role-calls", Probed: []string{"record-of-boundary", "record-of-policy-version", "record-of-default-version"}, Says: "Records of PutRolePermissionsBoundary, CreatePolicyVersion and SetDefaultPolicyVersion name roleName or policyArn.", Grade: Modelled,
		Evidence: "API model of IAM; AttachRolePolicy does so: " + invictus + "2023-07-10.", Decides: "internal/catalog/calls.go",
		Why: shapeTest + ".", Then: "relight checks the role.", Settles: probes + ": LookupEvents after each of the calls.",
	},
	{
		ID: "event-comes-in-seconds", Probed: []string{"event-latency"}, Says: "EventBridge has a call's event within seconds.", Grade: Assumed,
		Evidence: "EventBridge User Guide gives no time.", Decides: "internal/app/echo.go",
		Why: sweepTest + ".", Then: "Repairs are as late as the event.", Settles: probes + ": the time from a call until its event is in a queue.",
	},
	{
		ID: "record-of-refused-calls", Says: "A call that CloudWatch or CloudWatch Logs denies has null parameters; one refused for another reason keeps them.", Grade: Recorded,
		Evidence: stackd + "2026-09-14 and 2026-09-26.", Decides: "internal/trigger/trigger.go",
	},
	{
		ID: "enabling-takes-minutes", Says: "EnableRegion takes about two minutes, during which the region is ENABLING.", Grade: Recorded,
		Evidence: stackd + "2026-09-12.", Decides: "internal/catalog/calls.go",
	},
	{
		ID: "record-bucket-lifecycle", Says: "The lifecycle call is recorded as PutBucketLifecycle.", Grade: Recorded,
		Evidence: invictus + "2023-07-10; panther-analysis, 2024-11 and 2025-06.", Decides: "internal/catalog/calls.go",
	},
	{
		ID: "forwarded-events", Says: "A forwarded event keeps account, region and detail and gets a new ID and time; one hop between regions is delivered.", Grade: Recorded,
		Evidence: stackd + "2026-09-13.", Decides: "infra/stack/forwarder.go",
	},
	{
		ID: "tag-values-are-texts", Says: "The value \"true\" of a tag stays a text in CreateTags and CreateVpc; it is a boolean in CreateFlowLogs.", Grade: Recorded,
		Evidence: invictus + "2023-07-10.", Decides: "internal/trigger/names.go",
	},
}

// guardBeliefs are about the services of relight's own stack, and about the values of
// metrics.
var guardBeliefs = []Belief{
	{
		ID: "missing-stack-says-so", Says: "DescribeStacks of a stack that does not exist answers ValidationError, with a message that ends in \"does not exist\".", Grade: Recorded,
		Evidence: "boto/boto3 issue 2807, recorded 2021-04-02. CloudFormation API Reference, DescribeStacks, has the code.", Decides: "internal/awsio/guard.go",
	},
	{
		ID: "stack-change-begins", Says: "A stack's LastUpdatedTime is when the change in progress began.", Grade: Assumed,
		Evidence: "CloudFormation API Reference, Stack: the time the stack was last updated.", Decides: "internal/awsio/guard.go",
		Why:  "The account has no deployments: tests set the status and the times, before and after the limit (`TestDeployment`)",
		Then: "relight restores its stack while a deployment changes it, as it does after an hour. What CloudFormation writes last stays, and a sweep restores the rest. A function that changed within an hour before that time counts as deployed either way (`TestFunctionChanged`).", Settles: byHand + ": DescribeStacks during an update.",
	},
	{
		ID: "function-settings-stay", Says: "What GetFunction says of a function changes only if somebody changes the function, except for its state, its revision and the version of its runtime.", Grade: Assumed,
		Evidence: "AWS Lambda API Reference, FunctionConfiguration, describes settings; AWS Lambda Developer Guide, runtime updates, says that AWS changes the runtime version.", Decides: "internal/awsio/guard.go",
		Why:  "relight cannot know which field AWS would change by itself; empty fields and fields that are left out count as the same (`TestSettings`)",
		Then: "A finding, guard-function-changed, that names the field and stays until the next deployment that changes the function. Nothing is changed.", Settles: byHand + ": GetFunction of a deployed function, over some weeks.",
	},
	{
		ID: "put-rule-replaces", Says: "PutRule replaces the settings of a rule, also those that it leaves out. The targets stay.", Grade: Documented,
		Evidence: "EventBridge API Reference, PutRule.", Decides: "internal/awsio/guard.go",
		Why:  "relight sends every setting that it compares, and reads the targets apart",
		Then: "Nothing.", Settles: byHand + ": PutRule of a rule without its description.",
	},
	{
		ID: "put-targets-fails-inside", Says: "PutTargets answers that a target failed inside a successful reply.", Grade: Documented,
		Evidence: "EventBridge API Reference, PutTargets, FailedEntries.", Decides: "internal/awsio/guard.go",
		Why:  "relight puts one target in a call, and a failed one is a failed call either way",
		Then: "Nothing: the call's own error is reported.", Settles: byHand + ": PutTargets with the ARN of a queue that does not exist.",
	},
	{
		ID: "update-schedule-replaces", Says: "UpdateSchedule replaces every setting of a schedule: those that it leaves out get their defaults.", Grade: Documented,
		Evidence: "EventBridge Scheduler API Reference, UpdateSchedule.", Decides: "internal/awsio/guard.go",
		Why:  "relight sends every setting that it wants, and wants no start or end date",
		Then: "An end date that somebody set stays, and each sweep reports the schedule as still to restore.", Settles: byHand + ": UpdateSchedule of a schedule with an end date, without it.",
	},
	{
		ID: "rule-change-takes-time", Says: "A rule that was restored matches events within minutes, and no reply says when.", Grade: Documented,
		Evidence: "EventBridge API Reference, PutRule and EnableRule: allow a short period of time for changes to take effect.", Decides: "nowhere",
		Why:  sweepTest,
		Then: "The next sweep restores what no event reported.", Settles: byHand + ": EnableRule, and calls that the rule matches.",
	},
	{
		ID: "queue-attributes-show-at-once", Says: "GetQueueAttributes has what SetQueueAttributes has just set, although it may take a minute to take effect.", Grade: Assumed,
		Evidence: "SQS API Reference, SetQueueAttributes: up to 60 seconds for most attributes, and 15 minutes for the retention; it does not say when they show.", Decides: "internal/awsio/guard.go",
		Why:  "A later look finds the same, since relight sets what it wants and nothing else",
		Then: "The look after the repair reports the queue as still to restore, and the next one finds it restored.", Settles: byHand + ": GetQueueAttributes right after SetQueueAttributes.",
	},
	{
		ID: "negative-values-show", Says: "GetMetricData has the smallest value of a period, negative ones too, within minutes.", Grade: Assumed,
		Evidence: "CloudWatch API Reference, MetricDatum: values from -2^360. CloudWatch User Guide, Publishing custom metrics: statistics of a new metric take up to two minutes.", Decides: "internal/awsio/alarm.go",
		Why:  "`TestNegativeValues` has values of any age: two sweeps look at each value of the half hour before",
		Then: "relight does not report a value that shows later than half an hour after its time. Alarms that take the largest value ring all the same.", Settles: byHand + ": PutMetricData of -1, GetMetricData until it shows.",
	},
}
