package audit

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/plan"
)

// apply is the command with which relight repairs a kind, once it is deployed.
func apply(kinds ...catalog.Kind) string {
	var list []string
	for _, k := range kinds {
		list = append(list, string(k))
	}
	return "relight apply --kinds " + strings.Join(list, ",")
}

// quote returns a word for a POSIX shell.
func quote(s string) string {
	if s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:=,@*", r) || r == '*'
	}) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// aws returns a command of the AWS CLI.
func aws(region string, words ...string) string {
	line := []string{"aws"}
	for _, w := range append(words, "--region", region) {
		line = append(line, quote(w))
	}
	return strings.Join(line, " ")
}

// grant says what to do if a link could not be read.
func grant() (text, command string) {
	return "Grant the missing permission, and audit again: relight audit --policy prints everything that an audit needs.", "relight audit --policy"
}

// remedy says what repairs a broken link of a control's chain, and the command.
func (a auditor) remedy(broken Link, trail *plan.Trail, c *Check) (text, command string) {
	step := c.Steps[slices.Index(monitoring, broken)]
	if step.Status == Unknown {
		return grant()
	}
	region, alarm := a.got.Home, a.want.Name(a.control.ID)
	switch broken {
	case Trail:
		if trail == nil {
			return "Create a trail of all regions with a log group. relight protects a trail, and does not decide on its bucket.",
				aws(region, "cloudtrail", "create-trail", "--name", "management-events", "--s3-bucket-name", "BUCKET", "--is-multi-region-trail", "--enable-log-file-validation", "--cloud-watch-logs-log-group-arn", "LOG_GROUP_ARN", "--cloud-watch-logs-role-arn", "ROLE_ARN")
		}
		if trail.MultiRegion {
			return "Audit from the home region of the trail.", "AWS_REGION=" + trail.HomeRegion + " relight audit"
		}
		return "Let the trail record every region.", aws(trail.HomeRegion, "cloudtrail", "update-trail", "--name", trail.ARN, "--is-multi-region-trail")
	case Logging:
		return "Start the trail; relight does that too: " + apply(catalog.Trails), aws(trail.HomeRegion, "cloudtrail", "start-logging", "--name", trail.ARN)
	case Events:
		return "Record all management events. The command of the AWS CLI would replace all selectors; relight keeps those of data events.", apply(catalog.Trails)
	case LogGroup:
		if trail.LogGroupARN == "" || !trail.DeliversTo(a.got.Account, region) {
			return "Let the trail deliver to a log group of this account.",
				aws(trail.HomeRegion, "cloudtrail", "update-trail", "--name", trail.ARN, "--cloud-watch-logs-log-group-arn", "LOG_GROUP_ARN", "--cloud-watch-logs-role-arn", "ROLE_ARN")
		}
		if !a.got.Exists {
			return "Create the log group again; relight does that with its retention and key: " + apply(catalog.LogGroups), aws(region, "logs", "create-log-group", "--log-group-name", a.got.LogGroup)
		}
		return "Let the trail's role write to the log group.", aws(region, "cloudtrail", "get-trail-status", "--name", trail.ARN)
	case Filter:
		return "Put a metric filter on the trail's log group; relight does that: " + apply(catalog.LogGroups, catalog.Alarms),
			aws(region, "logs", "put-metric-filter", "--log-group-name", a.got.LogGroup, "--filter-name", alarm, "--filter-pattern", a.control.Pattern,
				"--metric-transformations", fmt.Sprintf("metricName=%s,metricNamespace=%s,metricValue=1", alarm, a.want.Prefix))
	case Alarm:
		return "Put an alarm on the filter's metric; relight does that: " + apply(catalog.Alarms),
			aws(region, "cloudwatch", "put-metric-alarm", "--alarm-name", alarm, "--namespace", step.Evidence["namespace"], "--metric-name", step.Evidence["metricName"], "--statistic", a.control.Statistic(),
				"--period", strconv.Itoa(int(a.control.Period)), "--evaluation-periods", strconv.Itoa(catalog.AlarmPeriods),
				"--threshold", strconv.FormatFloat(a.control.Threshold, 'g', -1, 64), "--comparison-operator", catalog.AlarmComparison,
				"--treat-missing-data", catalog.AlarmMissing, "--alarm-actions", cmp.Or(a.want.Topic, "TOPIC_ARN"))
	case Actions:
		if step.Evidence["AlarmActions"] != "" && step.Evidence["ActionsEnabled"] == "false" {
			return "Enable the alarm's actions; relight does that: " + apply(catalog.Alarms), aws(region, "cloudwatch", "enable-alarm-actions", "--alarm-names", step.Resource)
		}
		return "Give the alarm a topic that people subscribe to; relight does that for its own alarms.", apply(catalog.Alarms)
	case Topic:
		return "Let CloudWatch publish to the topic. relight restores its own topic with its policy and key.", apply(catalog.Topics)
	case Subscriber:
		return "Subscribe somebody who confirms, without a filter policy; relight subscribes those of its configuration: " + apply(catalog.Topics),
			aws(region, "sns", "subscribe", "--topic-arn", step.Resource, "--protocol", "email", "--notification-endpoint", "ADDRESS")
	}
	return "", ""
}

// flowLogRemedy says what repairs the flow log of a VPC, and the command.
func flowLogRemedy(want catalog.Desired, region string, vpc plan.Network, c Check) (text, command string) {
	if c.Status == Unknown {
		return grant()
	}
	switch c.Broken {
	case FlowLog:
		words := []string{"ec2", "create-flow-logs", "--resource-type", "VPC", "--resource-ids", vpc.ID, "--traffic-type", catalog.TrafficReject}
		if spec := want.For(vpc.ID, region).FlowLogs; spec.OwnGroup() == "" {
			words = append(words, "--log-destination-type", spec.ToType(), "--log-destination", spec.To.ARN)
		} else {
			words = append(words, "--log-group-name", spec.LogGroup, "--deliver-logs-permission-arn", cmp.Or(want.DeliveryRole, "ROLE_ARN"))
		}
		return "Create a flow log for rejected traffic; relight does that: " + apply(catalog.FlowLogs), aws(region, words...)
	case Destination:
		return "Create the log group again; relight does that with its retention and key: " + apply(catalog.FlowLogs),
			aws(region, "logs", "create-log-group", "--log-group-name", c.Steps[slices.Index(flowLogs, Destination)].Resource)
	case Delivery:
		return "Find out why the flow log cannot deliver: its role, the key of its log group, or its bucket's policy. relight plan names the cause for its own.", "relight plan --kinds " + string(catalog.FlowLogs) + "," + string(catalog.DeliveryRoles) + " --regions " + region
	}
	group := c.Steps[slices.Index(flowLogs, Retention)].Resource
	return "Keep the records for as long as the policy says; relight does that: " + apply(catalog.FlowLogs),
		aws(region, "logs", "put-retention-policy", "--log-group-name", group, "--retention-in-days", strconv.Itoa(int(want.FlowLogs.RetentionDays)))
}
