package catalog

import (
	"slices"
	"strconv"
	"strings"
)

// PatternLimit is the longest filter pattern, in characters. Source:
// CloudWatch Logs API Reference, PutMetricFilter.
const PatternLimit = 1024

// A Control is one "log metric filter and alarm" requirement of the CIS AWS
// Foundations Benchmark, or the twin of one: Security Hub requires its own
// pattern for some of them.
type Control struct {
	ID          string            // our stable key; Baseline.Name(ID) is the name of the filter, the metric and the alarm
	CIS         map[string]string // benchmark version to section; a version without this control is absent
	SecurityHub string            // the Security Hub control that this pattern passes; "" for none
	Title       string
	Pattern     string  // CloudWatch Logs filter pattern
	Sample      string  // JSON of a record that the pattern matches, as far as the pattern reads it; "" if none is known
	Threshold   float64 // matching log events in one period
	Period      int32   // seconds
	Both        bool    // its alarm also notifies the topic of last resort
}

// Twin reports whether the control is there for its text alone: Security Hub wants
// another pattern than the benchmark.
func (c Control) Twin() bool { return c.SecurityHub != "" && len(c.CIS) == 0 }

// DefaultPrefix is the prefix of relight's names unless another one is configured.
const DefaultPrefix = "relight"

// tampering is the ID of the control that watches relight itself.
const tampering = "tampering"

// Controls returns the CIS monitoring controls in benchmark order, followed by
// the Security Hub twins. Every control has the default alarm settings.
//
// Source of patterns: CIS AWS Foundations Benchmark 1.2 to 7.0 and the AWS
// Security Hub User Guide, CloudWatch controls. Three patterns differ from the
// benchmark's text so that the public scanners pass them too. The pattern for
// unauthorized calls has parentheses, because "&&" binds before "||" in the
// benchmark's own text. The pattern for route tables names the event source. The
// pattern for Organizations lists three more calls. Security Hub fails a control
// whose pattern has additional terms, so such a control has a twin with the
// exact pattern that Security Hub prints.
//
// The last control is none of a benchmark's: its alarm rings if somebody cuts
// relight, and needs neither EventBridge nor a function for that.
func Controls() []Control { return ControlsFor(DefaultPrefix) }

// ControlsFor returns the controls of a deployment with a prefix, which the pattern
// of the last one contains.
func ControlsFor(prefix string) []Control {
	rows := slices.Clone(controls)
	for i := range rows {
		rows[i].Pattern = strings.ReplaceAll(rows[i].Pattern, InPrefix, prefix)
		rows[i].Sample = strings.ReplaceAll(rows[i].Sample, InPrefix, prefix)
	}
	return rows
}

// tamperingPattern matches the calls that cut relight, by the first words of their
// names, on resources whose names begin with relight's prefix: rules, schedules,
// functions, queues, topics, alarms, mappings and roles. CloudFormation makes such calls in
// each deployment. A refused call matches too: somebody tried. relight's own calls
// match as well, since a role with a name like that of relight's could otherwise cut
// relight unseen; relight makes them only to undo what has matched before.
var tamperingPattern = func() string {
	calls := strings.Fields("Delete* Disable* Remove* Put* Update* Set* Add* Attach* Detach* Purge* Unsubscribe CreateEventSource*")
	for i, name := range calls {
		calls[i] = `$.eventName = "` + name + `"`
	}
	var names []string
	for _, n := range []struct{ field, before string }{
		{"requestParameters.name", ""},
		{"requestParameters.rule", ""},
		{"requestParameters.roleName", ""},
		{"requestParameters.alarmNames[*]", ""},
		{"requestParameters.functionName", "*"}, // its value may be the function's ARN
		{"requestParameters.queueUrl", "*/"},
		{"requestParameters.topicArn", "*:"},
		{"requestParameters.subscriptionArn", "*:"},
		{"requestParameters.eventSourceArn", "*:"},
		{"responseElements.eventSourceArn", "*:"}, // of a mapping
	} {
		names = append(names, "$."+n.field+` = "`+n.before+InPrefix+`-*"`)
	}
	return `{ $.sourceIPAddress != "cloudformation.amazonaws.com" && (` + strings.Join(calls, " || ") + ") && (" + strings.Join(names, " || ") + ") }"
}()

// controls is what Controls returns, which many callers ask for again and again.
var controls = func() []Control {
	rows := []Control{
		{
			ID: "unauthorized-api-calls", CIS: sections(1), Title: "unauthorized API calls",
			Pattern: `{ (($.errorCode = "*UnauthorizedOperation") || ($.errorCode = "AccessDenied*")) && ($.sourceIPAddress != "delivery.logs.amazonaws.com") && ($.eventName != "HeadBucket") }`,
			Sample:  `{"eventSource":"ec2.amazonaws.com","eventName":"DescribeInstances","errorCode":"Client.UnauthorizedOperation","sourceIPAddress":"192.0.2.10"}`,
		},
		{
			ID: "console-signin-without-mfa", CIS: sections(2), SecurityHub: "CloudWatch.3", Title: "console sign-in without MFA",
			Pattern: `{ ($.eventName = "ConsoleLogin") && ($.additionalEventData.MFAUsed != "Yes") }`,
			Sample:  `{"eventSource":"signin.amazonaws.com","eventName":"ConsoleLogin","additionalEventData":{"MFAUsed":"No"}}`,
		},
		{
			ID: "root-usage", CIS: sections(3), SecurityHub: "CloudWatch.1", Title: "usage of the root account",
			Pattern: `{ $.userIdentity.type = "Root" && $.userIdentity.invokedBy NOT EXISTS && $.eventType != "AwsServiceEvent" }`,
			Sample:  `{"eventSource":"iam.amazonaws.com","eventName":"ListUsers","eventType":"AwsApiCall","userIdentity":{"type":"Root"}}`,
		},
		{
			ID: "iam-changes", CIS: sections(4), SecurityHub: "CloudWatch.4", Title: "IAM policy changes",
			Pattern: `{($.eventName=DeleteGroupPolicy)||($.eventName=DeleteRolePolicy)||($.eventName=DeleteUserPolicy)||($.eventName=PutGroupPolicy)||($.eventName=PutRolePolicy)||($.eventName=PutUserPolicy)||($.eventName=CreatePolicy)||($.eventName=DeletePolicy)||($.eventName=CreatePolicyVersion)||($.eventName=DeletePolicyVersion)||($.eventName=AttachRolePolicy)||($.eventName=DetachRolePolicy)||($.eventName=AttachUserPolicy)||($.eventName=DetachUserPolicy)||($.eventName=AttachGroupPolicy)||($.eventName=DetachGroupPolicy)}`,
			Sample:  `{"eventSource":"iam.amazonaws.com","eventName":"AttachUserPolicy"}`,
		},
		{
			ID: "cloudtrail-changes", CIS: sections(5), SecurityHub: "CloudWatch.5", Title: "CloudTrail configuration changes",
			Pattern: `{ ($.eventName = CreateTrail) || ($.eventName = UpdateTrail) || ($.eventName = DeleteTrail) || ($.eventName = StartLogging) || ($.eventName = StopLogging) }`,
			Sample:  `{"eventSource":"cloudtrail.amazonaws.com","eventName":"StopLogging"}`,
		},
		{
			ID: "console-signin-failures", CIS: sections(6), SecurityHub: "CloudWatch.6", Title: "console authentication failures",
			Pattern: `{ ($.eventName = ConsoleLogin) && ($.errorMessage = "Failed authentication") }`,
			Sample:  `{"eventSource":"signin.amazonaws.com","eventName":"ConsoleLogin","errorMessage":"Failed authentication"}`,
		},
		{
			ID: "cmk-disabled-or-deleted", CIS: sections(7), SecurityHub: "CloudWatch.7", Title: "customer managed keys disabled or scheduled for deletion",
			Pattern: `{($.eventSource = kms.amazonaws.com) && (($.eventName=DisableKey)||($.eventName=ScheduleKeyDeletion)) }`,
			Sample:  `{"eventSource":"kms.amazonaws.com","eventName":"ScheduleKeyDeletion"}`,
		},
		{
			ID: "s3-bucket-policy-changes", CIS: sections(8), SecurityHub: "CloudWatch.8", Title: "S3 bucket policy changes",
			Pattern: `{ ($.eventSource = s3.amazonaws.com) && (($.eventName = PutBucketAcl) || ($.eventName = PutBucketPolicy) || ($.eventName = PutBucketCors) || ($.eventName = PutBucketLifecycle) || ($.eventName = PutBucketReplication) || ($.eventName = DeleteBucketPolicy) || ($.eventName = DeleteBucketCors) || ($.eventName = DeleteBucketLifecycle) || ($.eventName = DeleteBucketReplication)) }`,
			Sample:  `{"eventSource":"s3.amazonaws.com","eventName":"PutBucketPolicy"}`,
		},
		{
			ID: "config-changes", CIS: sections(9), SecurityHub: "CloudWatch.9", Title: "AWS Config configuration changes",
			Pattern: `{ ($.eventSource = config.amazonaws.com) && (($.eventName=StopConfigurationRecorder)||($.eventName=DeleteDeliveryChannel)||($.eventName=PutDeliveryChannel)||($.eventName=PutConfigurationRecorder)) }`,
			Sample:  `{"eventSource":"config.amazonaws.com","eventName":"StopConfigurationRecorder"}`,
		},
		{
			ID: "security-group-changes", CIS: sections(10), Title: "security group changes",
			Pattern: `{ ($.eventName = AuthorizeSecurityGroupIngress) || ($.eventName = AuthorizeSecurityGroupEgress) || ($.eventName = RevokeSecurityGroupIngress) || ($.eventName = RevokeSecurityGroupEgress) || ($.eventName = CreateSecurityGroup) || ($.eventName = DeleteSecurityGroup) || ($.eventName = ModifySecurityGroupRules) }`,
			Sample:  `{"eventSource":"ec2.amazonaws.com","eventName":"AuthorizeSecurityGroupIngress"}`,
		},
		{
			ID: "nacl-changes", CIS: sections(11), SecurityHub: "CloudWatch.11", Title: "network ACL changes",
			Pattern: `{ ($.eventName = CreateNetworkAcl) || ($.eventName = CreateNetworkAclEntry) || ($.eventName = DeleteNetworkAcl) || ($.eventName = DeleteNetworkAclEntry) || ($.eventName = ReplaceNetworkAclEntry) || ($.eventName = ReplaceNetworkAclAssociation) }`,
			Sample:  `{"eventSource":"ec2.amazonaws.com","eventName":"CreateNetworkAclEntry"}`,
		},
		{
			ID: "network-gateway-changes", CIS: sections(12), SecurityHub: "CloudWatch.12", Title: "network gateway changes",
			Pattern: `{ ($.eventName = CreateCustomerGateway) || ($.eventName = DeleteCustomerGateway) || ($.eventName = AttachInternetGateway) || ($.eventName = CreateInternetGateway) || ($.eventName = DeleteInternetGateway) || ($.eventName = DetachInternetGateway) }`,
			Sample:  `{"eventSource":"ec2.amazonaws.com","eventName":"AttachInternetGateway"}`,
		},
		{
			ID: "route-table-changes", CIS: sections(13), Title: "route table changes",
			Pattern: `{ ($.eventSource = ec2.amazonaws.com) && (($.eventName = CreateRoute) || ($.eventName = CreateRouteTable) || ($.eventName = ReplaceRoute) || ($.eventName = ReplaceRouteTableAssociation) || ($.eventName = DeleteRouteTable) || ($.eventName = DeleteRoute) || ($.eventName = DisassociateRouteTable)) }`,
			Sample:  `{"eventSource":"ec2.amazonaws.com","eventName":"CreateRoute"}`,
		},
		{
			ID: "vpc-changes", CIS: sections(14), SecurityHub: "CloudWatch.14", Title: "VPC changes",
			Pattern: `{ ($.eventName = CreateVpc) || ($.eventName = DeleteVpc) || ($.eventName = ModifyVpcAttribute) || ($.eventName = AcceptVpcPeeringConnection) || ($.eventName = CreateVpcPeeringConnection) || ($.eventName = DeleteVpcPeeringConnection) || ($.eventName = RejectVpcPeeringConnection) || ($.eventName = AttachClassicLinkVpc) || ($.eventName = DetachClassicLinkVpc) || ($.eventName = DisableVpcClassicLink) || ($.eventName = EnableVpcClassicLink) }`,
			Sample:  `{"eventSource":"ec2.amazonaws.com","eventName":"DeleteVpc"}`,
		},
		{
			ID: "organizations-changes", CIS: sections(15), Title: "AWS Organizations changes",
			Pattern: `{ ($.eventSource = organizations.amazonaws.com) && (($.eventName = "AcceptHandshake") || ($.eventName = "AttachPolicy") || ($.eventName = "CreateAccount") || ($.eventName = "CreateOrganizationalUnit") || ($.eventName = "CreatePolicy") || ($.eventName = "DeclineHandshake") || ($.eventName = "DeleteOrganization") || ($.eventName = "DeleteOrganizationalUnit") || ($.eventName = "DeletePolicy") || ($.eventName = "DetachPolicy") || ($.eventName = "DisablePolicyType") || ($.eventName = "EnablePolicyType") || ($.eventName = "InviteAccountToOrganization") || ($.eventName = "LeaveOrganization") || ($.eventName = "MoveAccount") || ($.eventName = "RemoveAccountFromOrganization") || ($.eventName = "UpdatePolicy") || ($.eventName = "UpdateOrganizationalUnit") || ($.eventName = "CancelHandshake") || ($.eventName = "CreateOrganization") || ($.eventName = "EnableAllFeatures")) }`,
			Sample:  `{"eventSource":"organizations.amazonaws.com","eventName":"LeaveOrganization"}`,
		},
		{
			ID: "unauthorized-api-calls-securityhub", SecurityHub: "CloudWatch.2", Title: "unauthorized API calls, as Security Hub prints it",
			Pattern: `{ ($.errorCode = "*UnauthorizedOperation") || ($.errorCode = "AccessDenied*") }`,
			Sample:  `{"eventSource":"ec2.amazonaws.com","eventName":"DescribeInstances","errorCode":"AccessDenied"}`,
		},
		{
			ID: "security-group-changes-securityhub", SecurityHub: "CloudWatch.10", Title: "security group changes, as Security Hub prints it",
			Pattern: `{ ($.eventName = AuthorizeSecurityGroupIngress) || ($.eventName = AuthorizeSecurityGroupEgress) || ($.eventName = RevokeSecurityGroupIngress) || ($.eventName = RevokeSecurityGroupEgress) || ($.eventName = CreateSecurityGroup) || ($.eventName = DeleteSecurityGroup) }`,
			Sample:  `{"eventSource":"ec2.amazonaws.com","eventName":"DeleteSecurityGroup"}`,
		},
		{
			ID: "route-table-changes-securityhub", SecurityHub: "CloudWatch.13", Title: "route table changes, as Security Hub prints it",
			Pattern: `{ ($.eventName = CreateRoute) || ($.eventName = CreateRouteTable) || ($.eventName = ReplaceRoute) || ($.eventName = ReplaceRouteTableAssociation) || ($.eventName = DeleteRouteTable) || ($.eventName = DeleteRoute) || ($.eventName = DisassociateRouteTable) }`,
			Sample:  `{"eventSource":"ec2.amazonaws.com","eventName":"DeleteRoute"}`,
		},
	}
	rows = append(rows, Control{
		ID: tampering, Title: "calls that cut relight itself", Pattern: tamperingPattern, Both: true,
		Sample: `{"eventSource":"events.amazonaws.com","eventName":"DisableRule","sourceIPAddress":"192.0.2.10","requestParameters":{"name":"` + InPrefix + `-alarms-monitoring-calls"}}`,
	})
	for i := range rows {
		rows[i].Threshold, rows[i].Period = AlarmThreshold, AlarmPeriod
	}
	return rows
}()

// Benchmarks lists the versions of the CIS AWS Foundations Benchmark that the
// controls map to, oldest first.
var Benchmarks = []string{"1.2", "1.3", "1.4", "1.5", "2.0", "3.0", "4.0.1", "5.0", "6.0", "7.0"}

// sections returns the section of the nth monitoring control in each benchmark
// version. The controls are in chapter 3 of version 1.2, in chapter 5 since 6.0,
// and in chapter 4 between those. Version 1.3 added the fifteenth.
func sections(n int) map[string]string {
	s := make(map[string]string, len(Benchmarks))
	for _, v := range Benchmarks {
		chapter := "4."
		switch v {
		case "1.2":
			if n > 14 {
				continue
			}
			chapter = "3."
		case "6.0", "7.0":
			chapter = "5."
		}
		s[v] = chapter + strconv.Itoa(n)
	}
	return s
}
