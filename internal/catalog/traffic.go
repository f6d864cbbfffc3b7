package catalog

import (
	"slices"
	"strings"
)

// RejectedTraffic is the ID of the control on rejected traffic, which a deployment has
// only if the configuration asks for it.
const RejectedTraffic = "rejected-traffic"

// These settings say how the alarm on rejected traffic measures it, unless the
// configuration says otherwise. The count is one that the noise of the internet does
// not reach in most accounts, and that a scan of every TCP port of one interface
// exceeds: 65,535 records. The period is longer than that of the other alarms, because
// a record carries the time at which its aggregation interval of up to ten minutes
// began, and arrives some minutes after the end. Source: Amazon VPC User Guide, "Flow
// log records", aggregation interval.
const (
	RejectThreshold = 10000.0
	RejectPeriod    = 900 // seconds
)

// FieldAction is the field of a flow log record that says whether the traffic was
// accepted.
const FieldAction = "action"

// RejectControl returns the control that counts the records of rejected traffic in
// the log group of relight's own flow logs. Its pattern names every field of the
// format, in the format's own order, because CloudWatch Logs knows the words of a
// record by their place alone: a record with more or fewer words never matches.
func RejectControl(format string, threshold float64, period int32) Control {
	fields := FormatFields(format)
	columns, words := make([]string, len(fields)), make([]string, len(fields))
	for i, f := range fields {
		columns[i], words[i] = strings.ReplaceAll(f, "-", "_"), "-"
		if f == FieldAction {
			columns[i], words[i] = columns[i]+` = "`+TrafficReject+`"`, TrafficReject
		}
	}
	return Control{
		ID: RejectedTraffic, Title: "rejected traffic in VPC flow logs",
		Pattern: "[" + strings.Join(columns, ", ") + "]", Sample: strings.Join(words, " "),
		Threshold: threshold, Period: period,
	}
}

// OnFlowLogs returns the desired state with the controls on flow logs as the controls,
// and with the topic that their alarms notify in a region.
func (d Desired) OnFlowLogs(topic string) Desired {
	if topic != d.Topic {
		d.LastResort = ""
	}
	d.Controls, d.Topic, d.StackAlarms = d.FlowLogControls, topic, nil
	return d
}

// HasTopic reports whether relight has a topic in a region: in the home region and
// where it has a forwarder. An alarm can notify only a topic of its own region.
// Source: CloudWatch API Reference, PutMetricAlarm, AlarmActions.
func (d Desired) HasTopic(region string) bool {
	return region == d.HomeRegion || slices.Contains(d.Forwarders(d.HomeRegion), region)
}
