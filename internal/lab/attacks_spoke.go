package lab

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/relight-aws/relight/internal/catalog"
)

// AllAttacks returns every attack of the demo: those on the hub, those on what relight
// protects in the accounts that it guards, and the cut wires.
func AllAttacks() []Attack { return slices.Concat(Attacks(), SpokeAttacks(), Cuts()) }

// SpokeAttacks returns the demo's attacks on what relight protects in guarded accounts: some
// on each account, those on a trail on the account that owns one, and the others on the
// account that does not. Together they need every right that relight has there.
func SpokeAttacks() []Attack {
	owner, other := guarded()[0], guarded()[1]
	return slices.Concat(of(owner, onAnySpoke()...), of(owner, onOwner()...), of(other, onAnySpoke()...), of(other, onOther()...))
}

// of returns attacks as attacks on an account.
func of(account string, attacks ...Attack) []Attack {
	for i := range attacks {
		attacks[i].Account = account
	}
	return attacks
}

func onAnySpoke() []Attack {
	return []Attack{
		heals("ec2 CreateVpc", Region, changeNetwork, cli("ec2", "CreateVpc", createVPC("10.77.0.0/16"))).leaves(newVPCs),
		heals("ec2 CreateVpc", SecondRegion, changeNetwork, sdk((*ec2.Client).CreateVpc, createVPC("10.77.0.0/16"))).leaves(newVPCs),
		heals("ec2 DeleteFlowLogs, all", Region, disableLogs, sdk((*ec2.Client).DeleteFlowLogs, input{"FlowLogIds": "${flow-logs}"})),
		heals("ec2 DeleteFlowLogs, all", SecondRegion, disableLogs, cli("ec2", "DeleteFlowLogs", input{"FlowLogIds": "${flow-logs}"})),
		heals("logs PutRetentionPolicy, a day, flow logs'", Region, disableLogs, cli("logs", "PutRetentionPolicy", aDay("${flow-log-group}"))),
		heals("logs DeleteLogGroup, the flow logs'", Region, destroyData).by(deleteGroup(flowLogGroup)).leaves(groupsProtected(flowLogGroup)),
		heals("iam DeleteRolePolicy", Region, disableLogs, cli("iam", "DeleteRolePolicy", onRole(input{"PolicyName": deliveryPolicy}))),
		heals("iam DeleteRole, with its policies", Region, disableLogs).by(deleteRole),
		heals("iam UpdateAssumeRolePolicy, for another service", Region, changeAccount,
			sdk((*iam.Client).UpdateAssumeRolePolicy, onRole(input{"PolicyDocument": trustOf("ec2.amazonaws.com")}))),
	}
}

func onOther() []Attack {
	return []Attack{
		heals("ec2 DeleteVpc, the end of a recorded teardown", Region, notAnIntrusion).by(teardown),
		heals("logs AssociateKmsKey, of this account, flow logs'", Region, encryptData).by(encryptFlowLogs),
		heals("iam PutRolePolicy, one that denies", Region, disableLogs,
			sdk((*iam.Client).PutRolePolicy, onRole(input{"PolicyName": "cost-control", "PolicyDocument": denyLogs()}))),
		heals("iam AttachRolePolicy, one that denies", Region, disableLogs,
			newPolicy(denyLogs()), cli("iam", "AttachRolePolicy", onRole(input{"PolicyArn": intruderARN}))),
		heals("iam PutRolePermissionsBoundary, one that denies", Region, disableLogs,
			newPolicy(denyLogs()), sdk((*iam.Client).PutRolePermissionsBoundary, onRole(input{"PermissionsBoundary": intruderARN}))),
	}
}

// encryptFlowLogs encrypts the log group of the flow logs with a key of the intruder's.
func encryptFlowLogs(ctx context.Context, s *Session, t Target) error {
	made, err := s.KMS.CreateKey(ctx, &kms.CreateKeyInput{})
	if err != nil {
		return err
	}
	return s.Make(ctx, t, sdk((*cloudwatchlogs.Client).AssociateKmsKey, input{"logGroupName": "${flow-log-group}", "kmsKeyId": *made.KeyMetadata.Arn}))
}

// onOwner are the attacks on what only an account that owns a trail has.
func onOwner() []Attack {
	return []Attack{
		heals("monitoring DeleteAlarms, all in one call", Region, disableTools, sdk((*cloudwatch.Client).DeleteAlarms, input{"AlarmNames": "${alarms}"})),
		heals("monitoring DisableAlarmActions, one", Region, disableTools,
			cli("cloudwatch", "DisableAlarmActions", input{"AlarmNames": []string{"${prefix}-cloudtrail-changes"}})),
		heals("logs DeleteMetricFilter, one", Region, disableTools,
			cli("logs", "DeleteMetricFilter", input{"logGroupName": "${trail-log-group}", "filterName": "${prefix}-root-usage"})),
		heals("logs PutMetricFilter, another pattern", Region, disableTools).by(putFilter("iam-changes", func(in *cloudwatchlogs.PutMetricFilterInput) {
			in.FilterPattern = aws.String("{ $.eventName = NoSuchCall }")
		})),
		heals("logs PutRetentionPolicy, a day", Region, disableLogs, sdk((*cloudwatchlogs.Client).PutRetentionPolicy, aDay("${trail-log-group}"))),
		heals("logs DeleteLogGroup, the trail's", Region, destroyData).by(deleteGroup(trailGroup)).leaves(groupsProtected(trailGroup)),
		heals("cloudtrail StopLogging", Region, disableLogs, cli("cloudtrail", "StopLogging", input{"Name": TrailName})),
		heals("cloudtrail UpdateTrail, stripped", Region, disableLogs, sdk((*cloudtrail.Client).UpdateTrail, input{
			"Name": TrailName, "IsMultiRegionTrail": false, "IncludeGlobalServiceEvents": false, "EnableLogFileValidation": false,
			"CloudWatchLogsLogGroupArn": "", "CloudWatchLogsRoleArn": "",
		})),
		heals("cloudtrail PutEventSelectors, only reads, and none of KMS", Region, disableLogs, sdk((*cloudtrail.Client).PutEventSelectors, input{
			"TrailName": TrailName, "EventSelectors": []input{{"ReadWriteType": "ReadOnly", "ExcludeManagementEventSources": []string{"kms.amazonaws.com"}}},
		})),
		heals("cloudtrail DeleteTrail", Region, disableLogs, cli("cloudtrail", "DeleteTrail", input{"Name": TrailName})),
		versionOfTrailRole(),
		mute(),
	}
}

// These are parts of the stack of a guarded account.
const (
	forwardsFlowLogs = "${prefix}-forward-ec2-calls"    // the rule that sends calls on flow logs to the hub
	forwardsCuts     = "${prefix}-forward-events-calls" // the rule that sends calls on rules
	forwardRole      = "${prefix}-forward-"             // begins the name of the role of a region's rules
	hubRole          = "${prefix}-" + catalog.SpokeRole // the role that the functions of the hub assume
	shutPolicy       = "cost-control"                   // the intruder's, on the role of the rules
)

// These are codes of findings.
const (
	roleChanged   = "spoke-role-changed"
	accountClosed = "account-closed"
)

// Cuts returns the demo's attacks on what connects guarded accounts with the hub. relight puts
// a rule and a queue back. It may write no such role, so people do.
func Cuts() []Attack {
	owner, other := guarded()[0], guarded()[1]
	targets := []string{catalog.TargetID}
	onHubRole := input{"RoleName": hubRole}
	grants := with(onHubRole, input{"PolicyName": catalog.SpokePolicy})
	grantAgain := sdk((*iam.Client).PutRolePolicy, with(grants, input{"PolicyDocument": "${spoke-grants-before}"}))
	forward := input{"RoleName": forwardRole + SecondRegion, "PolicyName": catalog.ForwardPolicy}
	shut := input{"RoleName": forwardRole + Region, "PolicyName": shutPolicy}
	cuts := slices.Concat(
		of(owner,
			heals("events DisableRule, of calls on flow logs", SecondRegion, disableTools, cli("events", "DisableRule", input{"Name": forwardsFlowLogs})),
			heals("events RemoveTargets, of calls on flow logs", Region, disableTools,
				cli("events", "RemoveTargets", input{"Rule": forwardsFlowLogs, "Ids": targets})),
			heals("events RemoveTargets, of calls on rules, so that no event says so", Region, disableTools,
				sdk((*eventbridge.Client).RemoveTargets, input{"Rule": forwardsCuts, "Ids": targets})).swept(),
			reports("iam DeleteRolePolicy, of the rules' role", Region, disableTools, cli("iam", "DeleteRolePolicy", forward)).
				found(roleChanged).
				undoneBy(sdk((*iam.Client).PutRolePolicy, with(forward, input{"PolicyDocument": "${forward-grants-before}"}))),
			reports("iam PutRolePolicy, the rules' role may send nothing", Region, disableTools,
				sdk((*iam.Client).PutRolePolicy, with(shut, input{"PolicyDocument": denyAll()}))).
				found(roleChanged).swept().
				undoneBy(cli("iam", "DeleteRolePolicy", shut), sdk((*sqs.Client).PurgeQueue, input{"QueueUrl": undelivered(Region)})),
			// A function that still has a session reads the role with it.
			reports("iam UpdateAssumeRolePolicy, the hub may not come in", Region, disableTools,
				sdk((*iam.Client).UpdateAssumeRolePolicy, with(onHubRole, input{"PolicyDocument": trustOf("ec2.amazonaws.com")}))).
				found(roleChanged, accountClosed).
				undoneBy(cli("iam", "UpdateAssumeRolePolicy", with(onHubRole, input{"PolicyDocument": "${spoke-trust-before}"}))),
		),
		of(other,
			heals("events DeleteRule, of calls on flow logs", Region, disableTools,
				sdk((*eventbridge.Client).RemoveTargets, input{"Rule": forwardsFlowLogs, "Ids": targets}),
				sdk((*eventbridge.Client).DeleteRule, input{"Name": forwardsFlowLogs})),
			heals("events PutRule, matching nothing", SecondRegion, disableTools,
				cli("events", "PutRule", input{"Name": forwardsFlowLogs, "EventPattern": `{"source":["aws.ec2"],"detail":{"eventName":["NoSuchCall"]}}`})),
			heals("sqs SetQueueAttributes, dropping undelivered events", SecondRegion, disableTools,
				sdk((*sqs.Client).SetQueueAttributes, input{"QueueUrl": undelivered(SecondRegion), "Attributes": input{"MessageRetentionPeriod": "60"}})),
			reports("iam PutRolePolicy, the hub may put no rules", Region, disableTools,
				cli("iam", "PutRolePolicy", with(grants, input{"PolicyDocument": "${spoke-grants-without-rules}"}))).
				found(roleChanged).undoneBy(grantAgain),
			reports("iam DeleteRole, the hub's", Region, disableTools,
				sdk((*iam.Client).DeleteRolePolicy, grants), sdk((*iam.Client).DeleteRole, onHubRole)).
				found(accountClosed).
				undoneBy(sdk((*iam.Client).CreateRole, with(onHubRole, input{
					"Description": "${spoke-description-before}", "AssumeRolePolicyDocument": "${spoke-trust-before}", "Tags": "${spoke-tags-before}",
				})), grantAgain),
		),
	)
	for i := range cuts {
		cuts[i].Cut = true
	}
	return cuts
}

// undelivered returns the URL of the queue that keeps what the rules of a region could not
// send.
func undelivered(region string) string {
	return "https://sqs." + region + ".amazonaws.com/${account}/${prefix}-undelivered"
}

func denyAll() string {
	return *document(map[string]any{"Effect": "Deny", "Action": "*", "Resource": "*"})
}
