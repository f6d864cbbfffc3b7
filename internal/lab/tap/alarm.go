package tap

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"
)

// An Alarm is a metric alarm as CloudWatch stores it.
type Alarm struct {
	AlarmName               string
	AlarmArn                string
	AlarmDescription        string
	ActionsEnabled          bool
	AlarmActions            []string
	OKActions               []string
	InsufficientDataActions []string
	MetricName              string
	Namespace               string
	Statistic               string
	Dimensions              []struct{ Name, Value string }
	Period                  int
	EvaluationPeriods       int
	DatapointsToAlarm       int
	Threshold               float64
	ComparisonOperator      string
	TreatMissingData        string
	StateValue              string
	StateReason             string
}

// alarms returns the alarms whose configuration the call may change, or nil for
// every other call. Switching actions on or off is such a change. Source: stackd
// by radkawar, alarm_delivery.json, recorded 2026-09-14.
func (q *request) alarms() []string {
	if q.service != "monitoring" {
		return nil
	}
	params := requestParameters(q)
	switch q.operation {
	case "PutMetricAlarm":
		if name, ok := params["alarmName"].(string); ok {
			return []string{name}
		}
	case "DeleteAlarms", "DisableAlarmActions", "EnableAlarmActions":
		list, _ := params["alarmNames"].([]any)
		var names []string
		for _, n := range list {
			if n, ok := n.(string); ok {
				names = append(names, n)
			}
		}
		return names
	}
	return nil
}

func (t *Tap) storedAlarms(ctx context.Context, q *request) map[string]Alarm {
	found, err := t.backend.Alarms(ctx, q.id.AccountID, q.region, q.alarms())
	if err != nil {
		t.journal.fail(fmt.Errorf("tap: look up the alarms of %s: %w", q.operation, err))
	}
	return found
}

// alarmChanges returns the events that CloudWatch itself sends about a
// successful call: one for each alarm that the call made, changed or deleted.
//
// Source: "Alarm events and EventBridge",
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html
func (t *Tap) alarmChanges(ctx context.Context, q *request) []Event {
	after := t.storedAlarms(ctx, q)
	var out []Event
	for _, name := range slices.Compact(slices.Sorted(slices.Values(q.alarms()))) {
		was, existed := q.before[name]
		is, exists := after[name]
		switch {
		case exists && existed:
			detail := alarmDetail("update", is)
			detail["previousConfiguration"] = was.configuration()
			out = append(out, alarmEvent(q, is, detail))
		case exists:
			out = append(out, alarmEvent(q, is, alarmDetail("create", is)))
		case existed:
			out = append(out, alarmEvent(q, was, alarmDetail("delete", was)))
		}
	}
	return out
}

func alarmEvent(q *request, a Alarm, detail map[string]any) Event {
	return Event{
		Version:    "0",
		ID:         newID(),
		DetailType: "CloudWatch Alarm Configuration Change",
		Source:     "aws.cloudwatch",
		Account:    q.id.AccountID,
		Time:       time.Now().UTC().Truncate(time.Second),
		Region:     q.region,
		Resources:  []string{a.AlarmArn},
		Detail:     marshal(detail),
	}
}

func alarmDetail(operation string, a Alarm) map[string]any {
	return map[string]any{
		"alarmName":     a.AlarmName,
		"operation":     operation,
		"state":         map[string]any{"value": a.StateValue, "reason": a.StateReason, "timestamp": stamp()},
		"configuration": a.configuration(),
	}
}

func (a Alarm) configuration() map[string]any {
	dimensions := map[string]string{}
	for _, d := range a.Dimensions {
		dimensions[d.Name] = d.Value
	}
	c := map[string]any{
		"alarmName":               a.AlarmName,
		"description":             a.AlarmDescription,
		"actionsEnabled":          a.ActionsEnabled,
		"alarmActions":            orEmpty(a.AlarmActions),
		"okActions":               orEmpty(a.OKActions),
		"insufficientDataActions": orEmpty(a.InsufficientDataActions),
		"evaluationPeriods":       a.EvaluationPeriods,
		"threshold":               a.Threshold,
		"comparisonOperator":      a.ComparisonOperator,
		"treatMissingData":        cmp.Or(a.TreatMissingData, "missing"),
		"timestamp":               stamp(),
		"metrics": []any{map[string]any{
			"id":         newID(),
			"returnData": true,
			"metricStat": map[string]any{
				"metric": map[string]any{"namespace": a.Namespace, "name": a.MetricName, "dimensions": dimensions},
				"period": a.Period,
				"stat":   a.Statistic,
			},
		}},
	}
	if a.DatapointsToAlarm > 0 {
		c["datapointsToAlarm"] = a.DatapointsToAlarm
	}
	return c
}

func orEmpty(s []string) []string { return append([]string{}, s...) }

// stamp returns the current time as CloudWatch's events write it.
func stamp() string { return time.Now().UTC().Format("2006-01-02T15:04:05.000-0700") }
