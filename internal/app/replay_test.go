package app_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	cloudtrailtypes "github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logstypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/google/go-cmp/cmp"

	"github.com/relight-aws/relight/events"
	"github.com/relight-aws/relight/internal/app"
	"github.com/relight-aws/relight/internal/catalog"
)

// An attack leaves an account in the same state as the call in a sample event.
type attack struct {
	do      func(*world)
	adds    []string // what the repaired account has in addition
	differs []string // what comes back in a different form
	more    int      // notifications besides the one about the repair
	config  string   // the configuration without which relight does not watch what it harms
}

// harms has an entry for each sample that must lead to a repair, and for each
// sample that needs the account in a certain state to show that it does not.
var harms = map[string]attack{
	"CreateVpc.default.json":         newVPC(home, "vpc-0a1b2c3d4e5f60001"),
	"CreateVpc.second-region.json":   newVPC(second, "vpc-0a1b2c3d4e5f60002"),
	"CreateVpc.tagged.json":          newVPC(home, "vpc-0a1b2c3d4e5f60003"),
	"CreateVpc.cloudformation.json":  newVPC(home, "vpc-0a1b2c3d4e5f60004"),
	"CreateVpc.null-parameters.json": newVPC(home, "vpc-0a1b2c3d4e5f60005"),
	"CreateVpc.null-response.json":   newVPC(home, "vpc-0a1b2c3d4e5f60006"),
	"CreateVpc.oversized.json":       newVPC(home, "vpc-0a1b2c3d4e5f60007"),

	"CreateDefaultVpc.default.json":   newVPC(home, "vpc-0a1b2c3d4e5f60011"),
	"CreateDefaultVpc.old-style.json": newVPC(home, "vpc-0a1b2c3d4e5f60012"),

	"DeleteVpc.logged.json":          vpcTornDown("vpc-0a1b2c3d4e5f60021"),
	"DeleteVpc.cloudformation.json":  vpcTornDown("vpc-0a1b2c3d4e5f60023"),
	"DeleteVpc.null-parameters.json": vpcTornDown("vpc-0a1b2c3d4e5f60025"),

	"CreateTags.exempt.json":      vpcExempt("vpc-0a1b2c3d4e5f60031"),
	"CreateTags.mixed.json":       vpcExempt("vpc-0a1b2c3d4e5f60032"),
	"CreateTags.other-value.json": newVPC(home, "vpc-0a1b2c3d4e5f60033"),
	"DeleteTags.exempt.json":      newVPC(home, "vpc-0a1b2c3d4e5f60035"),

	"CreateSubnet.chosen.json":           chosen(chosenSubnet, yes, "ALL s3  arn:aws:s3:::flows-111122223333/subnets"),
	"CreateNetworkInterface.chosen.json": chosen(chosenInterface, yes, "REJECT kinesis-data-firehose  "+flowStream),
	"CreateTags.subnet.json":             chosen(chosenSubnet, yes, "ALL s3  arn:aws:s3:::flows-111122223333/subnets"),
	"CreateTags.interface.json":          chosen(chosenInterface, yes, "REJECT kinesis-data-firehose  "+flowStream),
	"DeleteTags.subnet.json":             chosen(chosenSubnet, nil, ""),
	"DeleteTags.interface.json":          chosen(chosenInterface, nil, ""),

	"DeleteDeliveryStream.logs.json":    flowLogsToStream,
	"DeleteDeliveryStream.foreign.json": flowLogsToStream,
	"UpdateDestination.logs.json":       flowLogsToStream,
	"UntagDeliveryStream.logs.json":     flowLogsToStream,

	"PutBucketPolicy.logs.json":                  flowLogsToBucket,
	"DeleteBucketPolicy.logs.json":               flowLogsToBucket,
	"PutBucketLifecycle.logs.json":               flowLogsToBucket,
	"PutBucketLifecycleConfiguration.logs.json":  flowLogsToBucket,
	"DeleteBucket.logs.json":                     flowLogsToBucket,
	"PutBucketPolicy.foreign.json":               flowLogsToBucket,
	"DeleteBucketEncryption.logs.json":           flowLogsToBucket,
	"DeleteBucketOwnershipControls.logs.json":    flowLogsToBucket,
	"DeleteBucketPublicAccessBlock.logs.json":    flowLogsToBucket,
	"DeleteBucketReplication.logs.json":          flowLogsToBucket,
	"PutBucketAcl.logs.json":                     flowLogsToBucket,
	"PutBucketEncryption.logs.json":              flowLogsToBucket,
	"PutBucketObjectLockConfiguration.logs.json": flowLogsToBucket,
	"PutBucketOwnershipControls.logs.json":       flowLogsToBucket,
	"PutBucketPublicAccessBlock.logs.json":       flowLogsToBucket,
	"PutBucketReplication.logs.json":             flowLogsToBucket,
	"PutBucketVersioning.logs.json":              flowLogsToBucket,
	"PutBucketNotification.logs.json":            flowLogsToBucket,
	"PutBucketLogging.logs.json":                 flowLogsToBucket,
	"PutBucketVersioning.foreign.json":           flowLogsToBucket,
	"PutBucketPublicAccessBlock.foreign.json":    flowLogsToBucket,

	"DeleteFlowLogs.one.json":             {do: func(w *world) { w.deleteFlowLogs(home, "vpc-1") }},
	"DeleteFlowLogs.several.json":         {do: func(w *world) { w.deleteFlowLogs(home, "vpc-1", "vpc-2") }},
	"DeleteFlowLogs.unsuccessful.json":    {do: func(w *world) { w.deleteFlowLogs(home, "vpc-2") }},
	"DeleteFlowLogs.null-parameters.json": {do: func(w *world) { w.deleteFlowLogs(home, "vpc-1") }},
	"DeleteFlowLogs.oversized.json":       {do: func(w *world) { w.deleteFlowLogs(home, "vpc-1", "vpc-2") }},
	"DeleteFlowLogs.second-region.json":   {do: func(w *world) { w.deleteFlowLogs(second, "vpc-3") }},

	"StopLogging.name.json":            {do: func(w *world) { w.stopLogging("audit") }},
	"StopLogging.arn.json":             {do: func(w *world) { w.stopLogging(trailARN) }},
	"StopLogging.null-parameters.json": {do: func(w *world) { w.stopLogging("audit") }},
	"StopLogging.foreign.json":         {do: func(w *world) { w.stopLogging("app-trail") }},
	"UpdateTrail.stripped.json":        {do: func(w *world) { w.updateTrail(stripped) }},
	"UpdateTrail.bucket.json": {do: func(w *world) {
		w.AddBucket("elsewhere")
		w.updateTrail(cloudtrail.UpdateTrailInput{S3BucketName: aws.String("elsewhere")})
	}},
	"UpdateTrail.foreign.json": {do: func(w *world) {
		w.updateTrail(cloudtrail.UpdateTrailInput{Name: aws.String("app-trail"), EnableLogFileValidation: aws.Bool(false)})
	}},
	"DeleteTrail.arn.json":     {do: func(w *world) { w.deleteTrail(trailARN) }},
	"DeleteTrail.name.json":    {do: func(w *world) { w.deleteTrail("audit") }},
	"DeleteTrail.foreign.json": {do: func(w *world) { w.deleteTrail("app-trail") }},
	"PutEventSelectors.unmanaged.json": {do: func(w *world) {
		w.putSelectors("audit", cloudtrailtypes.EventSelector{
			IncludeManagementEvents: aws.Bool(false), DataResources: []cloudtrailtypes.DataResource{{Type: aws.String("AWS::S3::Object"), Values: []string{"arn:aws:s3:::nothing/"}}},
		})
	}, differs: []string{"trail " + trailARN}}, // the data events stay selected
	"PutEventSelectors.excluded.json": {do: func(w *world) {
		w.putSelectors("audit", cloudtrailtypes.EventSelector{ReadWriteType: "ReadOnly", ExcludeManagementEventSources: []string{"kms.amazonaws.com"}})
	}},
	"PutEventSelectors.advanced.json": {do: func(w *world) {
		field := func(name string, values ...string) cloudtrailtypes.AdvancedFieldSelector {
			return cloudtrailtypes.AdvancedFieldSelector{Field: aws.String(name), Equals: values}
		}
		must(w.CloudTrail.PutEventSelectors(w.t.Context(), &cloudtrail.PutEventSelectorsInput{
			TrailName: aws.String("audit"), AdvancedEventSelectors: []cloudtrailtypes.AdvancedEventSelector{{
				FieldSelectors: []cloudtrailtypes.AdvancedFieldSelector{field("eventCategory", "Management"), field("readOnly", "true")},
			}},
		}))
	}, differs: []string{"trail " + trailARN}}, // all management events again, in the advanced form
	"PutEventSelectors.foreign.json": {do: func(w *world) {
		w.putSelectors("app-trail", cloudtrailtypes.EventSelector{ReadWriteType: "WriteOnly"})
	}},

	"CreateLogGroup.trail.json": {
		do: func(w *world) {
			w.deleteGroup(home, trailGroup)
			w.createGroup(home, trailGroup)
		},
		differs: []string{home + " log-group " + trailGroup}, // its retention is now unlimited, which satisfies any configuration
	},
	"CreateLogGroup.flow-logs.json": {
		do: func(w *world) {
			w.deleteGroup(home, flowLogGroup)
			w.createGroup(home, flowLogGroup)
			w.putRetention(home, flowLogGroup, 1)
		},
		differs: []string{home + " log-group " + flowLogGroup}, // a log group that relight did not create does not get its tags
	},

	"DeleteLogGroup.trail.json":             trailGroupDeleted,
	"DeleteLogGroup.null-parameters.json":   trailGroupDeleted,
	"DeleteLogGroup.oversized.json":         trailGroupDeleted,
	"DeleteLogGroup.string-parameters.json": trailGroupDeleted,
	"DeleteLogGroup.flow-logs.json":         {do: func(w *world) { w.deleteGroup(home, flowLogGroup) }},
	"DeleteLogGroup.second-region.json":     {do: func(w *world) { w.deleteGroup(second, flowLogGroup) }},
	"DeleteLogGroup.foreign.json":           {do: func(w *world) { w.deleteGroup(home, foreignGroup) }},

	"PutRetentionPolicy.shortened.json":  {do: func(w *world) { w.putRetention(home, trailGroup, 1) }},
	"PutRetentionPolicy.lengthened.json": {do: func(w *world) { w.putRetention(home, trailGroup, 3653) }},
	"PutRetentionPolicy.flow-logs.json":  {do: func(w *world) { w.putRetention(home, flowLogGroup, 7) }},
	"PutRetentionPolicy.foreign.json":    {do: func(w *world) { w.putRetention(home, foreignGroup, 1) }},

	"PutMetricFilter.narrowed.json": filterChanged("relight-cloudtrail-changes", func(f *logstypes.MetricFilter) {
		f.FilterPattern = aws.String("{ $.eventName = CreateTrail }")
	}),
	"PutMetricFilter.field-selection.json": filterChanged(rootUsage, func(f *logstypes.MetricFilter) {
		f.FieldSelectionCriteria = aws.String(`@aws.account != "111122223333"`)
	}),
	"PutMetricFilter.transformed.json": {
		do: func(w *world) {
			must(w.Logs.PutTransformer(w.t.Context(), &cloudwatchlogs.PutTransformerInput{
				LogGroupIdentifier: aws.String(trailGroup), TransformerConfig: slimming,
			}))
			w.changeFilter(rootUsage, func(f *logstypes.MetricFilter) { f.ApplyOnTransformedLogs = true })
		},
		differs: []string{home + " log-group " + trailGroup}, // the transformer stays, but the filter no longer uses it
	},
	"PutMetricFilter.redirected.json": filterChanged(rootUsage, func(f *logstypes.MetricFilter) {
		f.MetricTransformations[0].MetricName = aws.String("unused")
		f.MetricTransformations[0].MetricNamespace = aws.String("scratch")
		f.MetricTransformations[0].MetricValue = aws.String("0")
	}),
	"PutMetricFilter.oversized.json": filterChanged("relight-vpc-changes", func(f *logstypes.MetricFilter) {
		f.MetricTransformations[0].DefaultValue = aws.Float64(1)
	}),

	"PutLogGroupDeletionProtection.flow-logs.json": {do: func(w *world) { w.protect(home, flowLogGroup, false) }},
	"PutLogGroupDeletionProtection.trail.json":     {do: func(w *world) { w.protect(home, trailGroup, false) }},
	"PutLogGroupDeletionProtection.foreign.json":   {do: func(w *world) { w.protect(home, foreignGroup, false) }},

	"AssociateKmsKey.other-account-key.json": {do: func(w *world) {
		w.encrypt(trailGroup, "arn:aws:kms:us-east-1:444455556666:key/1234abcd-12ab-34cd-56ef-1234567890ab")
	}},
	"AssociateKmsKey.foreign.json": {do: func(w *world) {
		w.encrypt(foreignGroup, "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab")
	}},
	"PutDataProtectionPolicy.trail.json":   masked(trailGroup),
	"PutDataProtectionPolicy.foreign.json": masked(foreignGroup),
	"PutTransformer.trail.json":            transformed(trailGroup),
	"PutTransformer.foreign.json":          transformed(foreignGroup),
	"PutAccountPolicy.masking.json": {do: func(w *world) {
		w.putAccountPolicy(logstypes.PolicyTypeDataProtectionPolicy, "mask", nil)
	}},
	"PutAccountPolicy.transformer.json": {do: func(w *world) {
		w.putAccountPolicy(logstypes.PolicyTypeTransformerPolicy, "slim", aws.String(`LogGroupNamePrefix IN ["aws-cloudtrail-logs"]`))
	}},

	"SetAlarmState.one.json":            stateSet(rootUsage, "ALARM"),
	"SetAlarmState.foreign.json":        stateSet(foreignAlarm, "OK"),
	"PutAlarmMuteRule.guarded.json":     ruledMute("maintenance", rootUsage, foreignAlarm),
	"PutAlarmMuteRule.foreign.json":     ruledMute("nights", foreignAlarm),
	"PutCompositeAlarm.suppressed.json": composed("any-of-the-account", `ALARM("relight-root-usage") OR ALARM("relight-iam-changes")`),
	"PutCompositeAlarm.foreign.json":    composed("checkout", `ALARM("checkout-latency")`),

	"DeleteMetricFilter.ours.json": filterDeleted(rootUsage),

	"DeleteMetricFilter.rejected-traffic.json":  {config: counting, do: func(w *world) { deleteRejectFilter(w, home) }},
	"PutMetricFilter.rejected-traffic.json":     {config: counting, do: func(w *world) { narrowRejectFilter(w, home) }},
	"PutMetricAlarm.rejected-traffic.json":      {config: counting, do: func(w *world) { numbRejectAlarm(w, home) }},
	"DeleteAlarms.rejected-traffic.json":        {config: counting, do: func(w *world) { deleteRejectAlarm(w, home) }},
	"DisableAlarmActions.rejected-traffic.json": {config: counting, do: func(w *world) { muteRejectAlarm(w, home) }},
	"DeleteMetricFilter.null-parameters.json":   filterDeleted("relight-nacl-changes"),

	"DeleteTopic.ours.json":            topicDeleted,
	"DeleteTopic.null-parameters.json": topicDeleted,
	"SetTopicAttributes.policy.json": {
		do: func(w *world) {
			w.setTopic("Policy", `{"Version":"2012-10-17","Statement":[{"Sid":"theirs","Effect":"Allow",`+
				`"Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"sns:Subscribe","Resource":"`+w.topic+`"}]}`)
		},
		differs: []string{home + " topic arn:aws:sns:us-east-1:111122223333:relight-alerts"}, // the other statement stays
	},
	"SetTopicAttributes.key.json": {do: func(w *world) { w.setTopic("KmsMasterKeyId", "alias/aws/sns") }},
	"RemovePermission.ours.json": {do: func(w *world) {
		must(w.SNS.RemovePermission(w.t.Context(), &sns.RemovePermissionInput{TopicArn: aws.String(w.topic), Label: aws.String("AllowAlarmsOfThisAccount")}))
	}},
	"Unsubscribe.ours.json": {do: func(w *world) { w.unsubscribe(oncall) }},
	"SetSubscriptionAttributes.filter-policy.json": {do: func(w *world) {
		w.setSubscription(oncall, "FilterPolicy", `{"none":["of these"]}`)
	}},

	"PutMetricAlarm.weakened.json": alarmChanged(rootUsage, func(a *cloudwatch.PutMetricAlarmInput) { a.Threshold = aws.Float64(1e6) }),
	"PutMetricAlarm.silenced.json": alarmChanged("relight-iam-changes", func(a *cloudwatch.PutMetricAlarmInput) { a.AlarmActions = nil }),
	"PutMetricAlarm.oversized.json": alarmChanged("relight-vpc-changes", func(a *cloudwatch.PutMetricAlarmInput) {
		a.TreatMissingData = aws.String("ignore")
	}),
	"PutMetricAlarm.extra-action.json": alarmChanged("relight-iam-changes", func(a *cloudwatch.PutMetricAlarmInput) {
		a.AlarmActions = append(a.AlarmActions, "arn:aws:sns:us-east-1:111122223333:security-team")
	}),
	"PutMetricAlarm.foreign.json": alarmChanged(foreignAlarm, func(a *cloudwatch.PutMetricAlarmInput) { a.Threshold = aws.Float64(9) }),

	"DeleteAlarms.one.json":               alarmsDeleted(rootUsage),
	"DeleteAlarms.several.json":           alarmsDeleted(rootUsage, "relight-iam-changes", "relight-vpc-changes"),
	"DeleteAlarms.all.json":               alarmsDeleted(ours()...),
	"DeleteAlarms.null-parameters.json":   alarmsDeleted("relight-nacl-changes"),
	"DeleteAlarms.oversized.json":         alarmsDeleted(ours()...),
	"DeleteAlarms.string-parameters.json": alarmsDeleted(rootUsage, "relight-nacl-changes"),
	"DeleteAlarms.foreign.json":           alarmsDeleted(foreignAlarm),
	"DeleteAlarms.mixed.json":             alarmsDeleted("relight-cloudtrail-changes"), // TestMixedDeletion covers the other alarm

	"DisableAlarmActions.one.json":             alarmsMuted(rootUsage),
	"DisableAlarmActions.several.json":         alarmsMuted(rootUsage, "relight-iam-changes", "relight-cloudtrail-changes"),
	"DisableAlarmActions.null-parameters.json": alarmsMuted("relight-nacl-changes"),
	"DisableAlarmActions.foreign.json":         alarmsMuted(foreignAlarm),

	"DeleteRole.ours.json":            roleDeleted,
	"DeleteRole.null-parameters.json": {do: roleDeleted.do, more: 2}, // it may have been the trail's role, or a function's
	"DeleteRolePolicy.ours.json": {do: func(w *world) {
		must(w.IAM.DeleteRolePolicy(w.t.Context(), &iam.DeleteRolePolicyInput{RoleName: aws.String(roleName), PolicyName: aws.String("deliver")}))
	}},
	"DeleteRole.trail-role.json":              {do: func(w *world) { w.RemoveRole(auditRole) }},
	"DeleteRolePolicy.trail-role.json":        {},
	"PutRolePolicy.trail-role.json":           {do: func(w *world) { w.denyTrailRole() }},
	"AttachRolePolicy.trail-role.json":        {do: func(w *world) { w.onTrailRole(w.policy("quarantine", denyAll)) }},
	"CreatePolicyVersion.trail-role.json":     {do: trailExtras},
	"SetDefaultPolicyVersion.trail-role.json": {do: trailExtras},
	"PutRolePolicy.denying.json":              {do: func(w *world) { w.putRolePolicy("cost-control", denyAll) }},
	"PutRolePolicy.replaced.json":             {do: func(w *world) { w.putRolePolicy("deliver", denyAll) }},
	"AttachRolePolicy.denying.json":           {do: func(w *world) { w.attach(w.policy("quarantine", denyAll)) }, adds: []string{"policy " + policies + "quarantine"}},
	"UpdateAssumeRolePolicy.ours.json":        {do: func(w *world) { w.trust("ec2.amazonaws.com") }},
	"PutRolePermissionsBoundary.ours.json": {
		do:   func(w *world) { w.bound(w.policy("quarantine", denyAll)) },
		adds: []string{"policy " + policies + "quarantine"},
	},
	"CreatePolicyVersion.attached.json": {
		do: func(w *world) {
			w.attach(w.policy("flow-log-extras", allowAll))
			w.version("flow-log-extras", denyAll, true)
		},
		adds: []string{"policy " + policies + "flow-log-extras"},
	},
	"SetDefaultPolicyVersion.attached.json": {
		do: func(w *world) {
			w.attach(w.policy("flow-log-extras", allowAll))
			w.version("flow-log-extras", denyAll, false)
			must(w.IAM.SetDefaultPolicyVersion(w.t.Context(), &iam.SetDefaultPolicyVersionInput{
				PolicyArn: aws.String(policies + "flow-log-extras"), VersionId: aws.String("v2"),
			}))
		},
		adds: []string{"policy " + policies + "flow-log-extras"},
	},

	"AlarmChange.delete.json":            alarmsDeleted(rootUsage),
	"AlarmChange.delete-monitoring.json": alarmsDeleted("relight-vpc-changes"),
	"AlarmChange.disabled.json":          alarmsMuted("relight-iam-changes"),
	"AlarmChange.no-name.json":           alarmsDeleted("relight-nacl-changes"),
	"AlarmChange.foreign.json":           alarmsDeleted(foreignAlarm),
	"AlarmChange.update.json":            alarmChanged(rootUsage, func(a *cloudwatch.PutMetricAlarmInput) { a.Threshold = aws.Float64(1e6) }),
}

var trailGroupDeleted = attack{
	do:      func(w *world) { w.deleteGroup(home, trailGroup) },
	differs: []string{home + " log-group " + trailGroup}, // relight creates the group with its own tags
}

var topicDeleted = attack{do: func(w *world) { w.deleteTopic() }}

// slimming is a transformer.
var slimming = []logstypes.Processor{{ParseJSON: &logstypes.ParseJSON{}}}

func masked(group string) attack {
	return attack{do: func(w *world) {
		must(w.Logs.PutDataProtectionPolicy(w.t.Context(), &cloudwatchlogs.PutDataProtectionPolicyInput{
			LogGroupIdentifier: aws.String(group), PolicyDocument: aws.String("{}"),
		}))
	}}
}

func transformed(group string) attack {
	return attack{do: func(w *world) {
		must(w.Logs.PutTransformer(w.t.Context(), &cloudwatchlogs.PutTransformerInput{LogGroupIdentifier: aws.String(group), TransformerConfig: slimming}))
	}}
}

func stateSet(alarm, state string) attack {
	return attack{do: func(w *world) { w.setState(alarm, state) }}
}

func ruledMute(rule string, alarms ...string) attack {
	return attack{do: func(w *world) { w.muteRule(rule, alarms...) }}
}

func composed(name, rule string) attack {
	return attack{do: func(w *world) {
		must(w.CloudWatch.PutCompositeAlarm(w.t.Context(), &cloudwatch.PutCompositeAlarmInput{
			AlarmName: aws.String(name), AlarmRule: aws.String(rule), ActionsSuppressor: aws.String(foreignAlarm),
			ActionsSuppressorWaitPeriod: aws.Int32(60), ActionsSuppressorExtensionPeriod: aws.Int32(60),
		}))
	}}
}

func newVPC(region, id string) attack {
	return attack{
		do:   func(w *world) { w.AddVPC(region, id) },
		adds: []string{region + " vpc " + id, region + " flow-log " + id + " REJECT cloud-watch-logs " + flowLogGroup + " "},
	}
}

// flowLogsToBucket is an account with an owner's flow log that delivers to the
// samples' bucket.
var flowLogsToBucket = attack{do: func(w *world) {
	must(w.EC2.CreateFlowLogs(w.t.Context(), &ec2.CreateFlowLogsInput{
		ResourceIds: []string{"vpc-1"}, ResourceType: ec2types.FlowLogsResourceTypeVpc, TrafficType: ec2types.TrafficTypeAll,
		LogDestinationType: ec2types.LogDestinationTypeS3, LogDestination: aws.String("arn:aws:s3:::audit-111122223333/flow-logs/"),
	}))
}}

// flowLogsToStream is the same with the samples' stream.
var flowLogsToStream = attack{do: func(w *world) {
	must(w.EC2.CreateFlowLogs(w.t.Context(), &ec2.CreateFlowLogsInput{
		ResourceIds: []string{"vpc-1"}, ResourceType: ec2types.FlowLogsResourceTypeVpc, TrafficType: ec2types.TrafficTypeAll,
		LogDestinationType: ec2types.LogDestinationTypeKinesisDataFirehose, LogDestination: aws.String(flowStream),
	}))
}}

// choosing is a configuration that chooses subnets and network interfaces by the tag
// of the samples.
const choosing = `{"flowLogs":{
	"subnets":{"tags":{"sensitive":"yes"},"trafficType":"ALL","destination":{"arn":"arn:aws:s3:::flows-111122223333/subnets/","fileFormat":"parquet","perHourPartition":true}},
	"networkInterfaces":{"tags":{"sensitive":"yes"},"destination":{"arn":"arn:aws:firehose:{region}:111122223333:deliverystream/flow-logs"}}}}`

const (
	chosenSubnet    = "subnet-0a1b2c3d4e5f60041"
	chosenInterface = "eni-0a1b2c3d4e5f60042"
	flowStream      = "arn:aws:firehose:us-east-1:111122223333:deliverystream/flow-logs"
)

var yes = map[string]string{"sensitive": "yes"}

// chosen adds a subnet or a network interface with tags, which has a flow log
// afterwards.
func chosen(id string, tags map[string]string, flowLog string) attack {
	of, _, _ := strings.Cut(id, "-")
	a := attack{config: choosing, do: func(w *world) { w.AddNetwork(home, id, tags) }, adds: []string{home + " " + of + " " + id}}
	if flowLog != "" {
		a.adds = append(a.adds, home+" flow-log "+id+" "+flowLog)
	}
	return a
}

// vpcExempt adds a VPC that an owner has exempted by its tag.
func vpcExempt(id string) attack {
	return attack{do: func(w *world) {
		w.AddVPC(home, id)
		w.tag(id, catalog.ExemptValue)
	}}
}

// vpcTornDown deletes a VPC and leaves relight's flow log behind.
func vpcTornDown(id string) attack {
	return attack{do: func(w *world) {
		w.Doubt("flow-logs-go-with-their-vpc")
		w.AddVPC(home, id)
		w.createOurs(id, "REJECT")
		must(w.EC2.DeleteVpc(w.t.Context(), &ec2.DeleteVpcInput{VpcId: aws.String(id)}))
	}}
}

func filterChanged(name string, change func(*logstypes.MetricFilter)) attack {
	return attack{do: func(w *world) { w.changeFilter(name, change) }}
}

func filterDeleted(name string) attack {
	return attack{do: func(w *world) {
		must(w.Logs.DeleteMetricFilter(w.t.Context(), &cloudwatchlogs.DeleteMetricFilterInput{
			LogGroupName: aws.String(trailGroup), FilterName: aws.String(name),
		}))
	}}
}

func alarmChanged(name string, change func(*cloudwatch.PutMetricAlarmInput)) attack {
	return attack{do: func(w *world) { w.changeAlarm(name, change) }}
}

func alarmsDeleted(names ...string) attack {
	return attack{do: func(w *world) { w.deleteAlarms(names...) }}
}

func alarmsMuted(names ...string) attack {
	return attack{do: func(w *world) { w.mute(names...) }}
}

// The test sends every sample, as a raw event and as a batch, to an account in
// the state that the sample's call leaves. Afterwards the account must be as it
// was before the call.
func TestSamples(t *testing.T) {
	t.Parallel()
	want := events.Expected()
	for _, name := range events.All() {
		for _, asBatch := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/batch=%t", name, asBatch), func(t *testing.T) {
				t.Parallel()
				switch expect := want[name]; {
				case expect == "":
					t.Fatal("events/README.md does not say what to expect")
				case strings.HasPrefix(expect, "ignore"):
					checkIgnored(t, name, asBatch, false)
				case strings.HasPrefix(expect, "reject"):
					checkIgnored(t, name, asBatch, true)
				case strings.Contains(expect, "notification"):
					checkTold(t, name, asBatch)
				case strings.Contains(expect, "no writes"), strings.Contains(expect, "a finding"):
					checkQuiet(t, name, asBatch)
				default:
					checkHealed(t, name, asBatch)
				}
			})
		}
	}
}

// strangers are resources on which no protection depends, by type. VPCs and
// regions are not in it, because relight protects all of them.
var strangers = map[string]string{
	"trail": "app-trail", "log-group": foreignGroup, "alarm": foreignAlarm, "muted-alarm": foreignAlarm, "composite-alarm": "checkout",
	"topic": "arn:aws:sns:us-east-1:111122223333:checkout", "bucket": "checkout-assets", "stream": "clickstream", "key": "0987dcba-09fe-87dc-65ba-ab0987654321",
	"own-function": "checkout", "queue": "checkout", "stack": "checkout", "bus": "checkout", "event-source": "arn:aws:sqs:us-east-1:111122223333:checkout", "role": "checkout-service", "parameter": "/checkout/database", "policy": "arn:aws:iam::111122223333:policy/checkout-tables",
}

var named = regexp.MustCompile("^check .*: ([a-z-]+) `([^`]+)`(;|$)")

// relight must neither write nor notify if a sample about one resource names a
// resource on which no protection depends. The test checks this with every such
// sample.
func TestStrangers(t *testing.T) {
	t.Parallel()
	checked := map[string]bool{}
	for name, expected := range events.Expected() {
		m := named.FindStringSubmatch(expected)
		if m == nil || strangers[m[1]] == "" {
			continue
		}
		checked[m[1]] = true
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := healthy(t, watchful)
			writes, messages := len(w.Writes()), len(w.Messages())
			raw := strings.ReplaceAll(string(events.Read(name)), m[2], strangers[m[1]])
			if again, errs := w.send([]byte(raw), false); len(again)+len(errs) > 0 {
				t.Errorf("failed: %v, %v", again, errs)
			}
			if len(w.Writes()) != writes || len(w.Messages()) != messages {
				t.Errorf("writes %v and messages %v, want none", w.Writes()[writes:], w.Messages()[messages:])
			}
			if !strings.Contains(w.log.String(), m[1]+":"+strangers[m[1]]) {
				t.Errorf("no scope names %s", strangers[m[1]])
			}
		})
	}
	if len(checked) != len(strangers) {
		t.Errorf("samples of %v, want one of each type in strangers", checked)
	}
}

// checkIgnored checks that a sample causes no AWS call, and that its message is
// delivered again only if it cannot be read.
func checkIgnored(t *testing.T, name string, asBatch, unreadable bool) {
	w := deployed(t, "") // every protection is missing, so any check would cause writes
	before := w.Calls()
	again, errs := w.send(events.Read(name), asBatch)
	if diff := w.Calls().Since(before); len(diff) > 0 {
		t.Errorf("calls: %v, want none", diff)
	}
	if got := len(again)+len(errs) > 0; got != unreadable {
		t.Errorf("failed: %v, %v; want a failure: %t", again, errs, unreadable)
	}
	if w.log.String() == "" {
		t.Error("nothing was logged")
	}
}

// harmOf returns the attack of a sample.
func harmOf(name string) attack {
	if a, ok := guardHarms[name]; ok {
		return a
	}
	return harms[name]
}

// paging returns the account of a sample: with pages of one item for a raw event, and
// with whole pages for a batch.
func paging(t *testing.T, configuration string, asBatch bool) *world {
	t.Helper()
	w := healthy(t, configuration)
	if asBatch {
		w.PageSize(0)
	}
	return w
}

// checkQuiet checks that a sample leads to no write, whatever its call did.
func checkQuiet(t *testing.T, name string, asBatch bool) {
	w := paging(t, "", asBatch)
	if a := harmOf(name); a.do != nil {
		a.do(w)
	}
	before, told := w.State(), len(w.Messages())
	again, errs := w.send(events.Read(name), asBatch)
	if len(again)+len(errs) > 0 {
		t.Errorf("failed: %v, %v", again, errs)
	}
	if diff := cmp.Diff(before, w.State()); diff != "" {
		t.Errorf("changed (-before +after):\n%s", diff)
	}
	if got := len(w.Messages()) - told; got != 0 {
		t.Errorf("%d messages, want none", got)
	}
}

// watchful is a configuration that has the key of the samples and allows people
// to exempt VPCs by tag.
const watchful = `{"flowLogs":{"exemptByTag":true},"kmsKeys":{"us-east-1":"arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"}}`

// callers are the callers of the samples that neither Alice nor Mary Major sent.
var callers = map[string]string{
	"PutBucketPolicy.other-account.json":      "principal AIDACKCEVSQ6C2EXAMPLE of account 444455556666",
	"PutBucketPolicy.other-account-role.json": "principal AROADBQP57FF2AEXAMPLE:deploy of account 444455556666",
	"PutBucketPolicy.anonymous.json":          "an anonymous caller",
	"PutBucketPolicy.identity-center.json":    "Identity Center user 544894e8-80c1-707f-60e3-3ba6510dfac1 of d-9067642ac7",
	"PutBucketPolicy.saml.json":               `SAML user "SamlExample" of SampleUkh1i4+ExamplexL/jEvs=`,
	"PutBucketPolicy.web-identity.json":       `web identity user "WebIdentityExample" of accounts.google.com`,
	"PutBucketPolicy.source-identity.json":    `arn:aws:sts::111122223333:assumed-role/platform-deploy/session, source identity "Alice"`,
	"PutBucketPolicy.service-for-role.json":   "arn:aws:iam::111122223333:role/platform-deploy, through cloudformation.amazonaws.com",
	"PutBucketPolicy.on-behalf-of.json": "arn:aws:sts::111122223333:assumed-role/platform-deploy/session, on behalf of " +
		"Identity Center user 544894e8-80c1-707f-60e3-3ba6510dfac1 of d-9067642ac7",
}

// The answer to one replayed event says who made the call and what to do about
// it, as the message does.
func TestReplayTells(t *testing.T) {
	t.Parallel()
	w := healthy(t, watchful)
	for name, caller := range callers {
		res, err := w.app(catalog.Backfill).Replay(t.Context(), events.Read(name), catalog.Observe)
		if err != nil || len(res.Ignored) > 0 {
			t.Errorf("%s: %v, ignored %v", name, err, res.Ignored)
		}
		notices := 0
		for _, r := range res.Reports {
			if len(r.Causes) != 1 || r.Causes[0].Actor != caller || r.Causes[0].SourceIP == "" {
				t.Errorf("%s: causes %+v, want %s", name, r.Causes, caller)
			}
			notices += len(r.Notices)
		}
		if notices == 0 {
			t.Errorf("%s: no notice in %+v", name, res.Reports)
		}
	}
}

// checkTold checks that a sample leads to no write, and to a notification that
// says who made the call, on which resource, and what to do about it.
func checkTold(t *testing.T, name string, asBatch bool) {
	a := harmOf(name)
	w := paging(t, either(a.config, watchful), asBatch)
	if a.do != nil {
		a.do(w)
	}
	before, told := w.State(), len(w.Messages())
	again, errs := w.send(events.Read(name), asBatch)
	if len(again)+len(errs) > 0 {
		t.Errorf("failed: %v, %v", again, errs)
	}
	if diff := cmp.Diff(before, w.State()); diff != "" {
		t.Errorf("changed (-before +after):\n%s", diff)
	}
	call, _, _ := strings.Cut(name, ".")
	messages := w.Messages()[told:]
	if len(messages) == 0 {
		t.Error("nobody was notified")
	}
	for _, m := range messages {
		found := strings.Contains(m.Text, "What: "+call) && strings.Contains(m.Text, "Needs action: ")
		who := func(caller string) bool { return strings.Contains(m.Text, caller) }
		known := who("arn:aws:iam::111122223333:user/Alice from 192.0.2.10") || who("/Mary_Major from 203.0.113.45")
		if caller := callers[name]; caller != "" {
			known = who("Who: " + caller + " from ")
		}
		if !found && !strings.Contains(m.Text, "Notice: "+call) || !known {
			t.Errorf("message %s", m.Text)
		}
	}
}

// checkHealed checks that relight restores the account to its state before the
// sample's call, that people are notified once, and that a second delivery
// writes nothing.
func checkHealed(t *testing.T, name string, asBatch bool) {
	a := harmOf(name)
	w := paging(t, a.config, asBatch)
	if a.do == nil {
		t.Fatal("there is no attack for this sample")
	}
	before := w.State()
	a.do(w)
	if cmp.Equal(before, w.State()) {
		t.Fatal("the attack does no harm")
	}
	told := len(w.Messages())

	again, errs := w.send(events.Read(name), asBatch)

	if len(again)+len(errs) > 0 {
		t.Errorf("failed: %v, %v", again, errs)
	}
	after := w.State()
	for _, key := range append(a.adds, a.differs...) {
		if after[key] == "" {
			t.Errorf("there is no %s", key)
		}
	}
	changed := append(a.adds, a.differs...)
	if diff := cmp.Diff(without(before, changed...), without(after, changed...)); diff != "" {
		t.Errorf("not restored (-before +after):\n%s", diff)
	}
	if gaps := w.gaps(); len(gaps) > 0 {
		t.Errorf("not protected: %v", gaps)
	}
	if got := len(w.Messages()) - told; got != 1+a.more {
		t.Errorf("%d messages, want %d: %+v", got, 1+a.more, w.Messages()[told:])
	}

	writes := len(w.Writes())
	if again, errs := w.send(events.Read(name), asBatch); len(again)+len(errs) > 0 || len(w.Writes()) != writes {
		t.Errorf("second delivery: %v, %v, writes %v", again, errs, w.Writes()[writes:])
	}
	if s := w.sweep(app.Request{}); s.Planned != 0 {
		t.Errorf("a sweep afterwards plans %d actions: %+v", s.Planned, s)
	}
}

// relight can only report a log group that somebody created again in a class
// without metric filters.
func TestInfrequentAccess(t *testing.T) {
	t.Parallel()
	w := healthy(t, "")
	w.deleteGroup(home, trailGroup)
	must(w.Logs.CreateLogGroup(t.Context(), &cloudwatchlogs.CreateLogGroupInput{
		LogGroupName: aws.String(trailGroup), LogGroupClass: logstypes.LogGroupClassInfrequentAccess,
	}))
	writes := len(w.Writes())
	res, err := w.app("loggroups").HandleEvent(t.Context(), events.Read("CreateLogGroup.infrequent-access.json"))
	if err != nil || len(w.Writes()) != writes {
		t.Errorf("%v, writes %v; want none", err, w.Writes()[writes:])
	}
	if got := res.(app.Result).Reports[0].Findings; len(got) != 1 || !strings.Contains(got[0].Problem, "INFREQUENT_ACCESS") {
		t.Errorf("findings %+v, want one about the class", got)
	}
}

// relight restores its own alarm and does not restore somebody else's.
func TestMixedDeletion(t *testing.T) {
	t.Parallel()
	w := healthy(t, "")
	before := w.State()
	w.deleteAlarms(foreignAlarm, "relight-cloudtrail-changes")
	w.send(events.Read("DeleteAlarms.mixed.json"), true)
	if diff := cmp.Diff(without(before, home+" alarm "+foreignAlarm), w.State()); diff != "" {
		t.Errorf("not restored (-before +after):\n%s", diff)
	}
}

// A VPC that was created and deleted before its event arrived needs nothing.
func TestGoneVPC(t *testing.T) {
	t.Parallel()
	w := healthy(t, "")
	w.AddVPC(home, "vpc-0a1b2c3d4e5f60001")
	must(w.EC2.DeleteVpc(t.Context(), &ec2.DeleteVpcInput{VpcId: aws.String("vpc-0a1b2c3d4e5f60001")}))
	before := w.State()
	res, err := w.app("flowlogs").HandleEvent(t.Context(), events.Read("CreateVpc.default.json"))
	if err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff(before, w.State()); diff != "" {
		t.Errorf("changed (-before +after):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"vpc-0a1b2c3d4e5f60001: it does not exist"}, res.(app.Result).Reports[0].Skipped); diff != "" {
		t.Errorf("skipped (-want +got):\n%s", diff)
	}
}

// either returns the first of two configurations that is not empty.
func either(a, b string) string {
	if a == "" {
		return b
	}
	return a
}
