package awstest

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// Limits of CloudWatch. Sources: CloudWatch API Reference, DescribeAlarms,
// DeleteAlarms and PutMetricAlarm.
const (
	mostAlarms  = 100 // names in a call, and alarms in a page
	usualAlarms = 50
	mostActions = 5
	day         = 24 * 3600
)

const invalidAlarm = "ValidationError"

// An alarm is a metric alarm and its tags.
type alarm struct {
	types.MetricAlarm
	tags map[string]string
}

func (al alarm) state() any {
	settings := al.MetricAlarm
	settings.StateValue, settings.AlarmArn = "", nil
	return struct {
		types.MetricAlarm
		Tags map[string]string
	}{settings, al.tags}
}

// PutMetricAlarm creates an alarm in INSUFFICIENT_DATA, or overwrites one
// completely; then its state stays, and tags are ignored. Source: CloudWatch
// API Reference, PutMetricAlarm.
func (a *Account) PutMetricAlarm(ctx context.Context, in *cloudwatch.PutMetricAlarmInput, opts ...func(*cloudwatch.Options)) (*cloudwatch.PutMetricAlarmOutput, error) {
	const op = "PutMetricAlarm"
	r, end, err := a.begin(ctx, op, cloudWatchRegion(opts))
	defer end()
	if err != nil {
		return nil, err
	}
	if why := badAlarm(in, r.name); why != "" {
		return nil, refuse(op, invalidAlarm, "%s", why)
	}
	al := alarm{
		MetricAlarm: types.MetricAlarm{
			ActionConfiguration: in.ActionConfiguration, ActionsEnabled: aws.Bool(in.ActionsEnabled == nil || *in.ActionsEnabled),
			AlarmActions: in.AlarmActions, AlarmArn: aws.String("arn:aws:cloudwatch:" + r.name + ":" + a.ID + ":alarm:" + *in.AlarmName),
			AlarmDescription: in.AlarmDescription, AlarmName: in.AlarmName, ComparisonOperator: in.ComparisonOperator,
			DatapointsToAlarm: in.DatapointsToAlarm, Dimensions: in.Dimensions, EvaluateLowSampleCountPercentile: in.EvaluateLowSampleCountPercentile,
			EvaluationCriteria: in.EvaluationCriteria, EvaluationInterval: in.EvaluationInterval, EvaluationPeriods: in.EvaluationPeriods,
			EvaluationWindow: in.EvaluationWindow, ExtendedStatistic: in.ExtendedStatistic, InsufficientDataActions: in.InsufficientDataActions,
			MetricName: in.MetricName, Metrics: in.Metrics, Namespace: in.Namespace, OKActions: in.OKActions, Period: in.Period,
			StateValue: types.StateValueInsufficientData, Statistic: in.Statistic, Threshold: in.Threshold,
			ThresholdMetricId: in.ThresholdMetricId, TreatMissingData: in.TreatMissingData, Unit: in.Unit, WarmUpConfiguration: in.WarmUpConfiguration,
		},
		tags: map[string]string{},
	}
	if old, updates := r.alarms.now[*in.AlarmName]; updates {
		al.StateValue, al.tags = old.StateValue, old.tags
	} else {
		for _, t := range in.Tags {
			al.tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
		}
	}
	r.alarms.write(a.lag)[*in.AlarmName] = al
	a.wrote(op, r, *in.AlarmName)
	return &cloudwatch.PutMetricAlarmOutput{}, nil
}

// badAlarm returns what is wrong with an alarm, or "". Sources: CloudWatch
// API Reference, PutMetricAlarm; that a topic has to be of the alarm's region
// is the service's own message, "Invalid region … specified", unverified.
func badAlarm(in *cloudwatch.PutMetricAlarmInput, region string) string {
	period, periods := aws.ToInt32(in.Period), aws.ToInt32(in.EvaluationPeriods)
	oneMetric := in.MetricName != nil
	kinds := 0
	for _, has := range []bool{oneMetric, len(in.Metrics) > 0, in.EvaluationCriteria != nil} {
		if has {
			kinds++
		}
	}
	switch {
	case aws.ToString(in.AlarmName) == "":
		return "AlarmName is missing"
	case kinds != 1:
		return "give one of MetricName, Metrics and EvaluationCriteria"
	case in.EvaluationCriteria == nil && (periods < 1 || in.ComparisonOperator == ""):
		return "EvaluationPeriods or ComparisonOperator is missing"
	case in.DatapointsToAlarm != nil && (*in.DatapointsToAlarm < 1 || *in.DatapointsToAlarm > periods):
		return "DatapointsToAlarm has to be between 1 and EvaluationPeriods"
	case oneMetric && in.Namespace == nil:
		return "Namespace is missing"
	case oneMetric && (in.Statistic == "") == (in.ExtendedStatistic == nil):
		return "give one of Statistic and ExtendedStatistic"
	case oneMetric && in.Threshold == nil:
		return "Threshold is missing"
	case oneMetric && (period < 10 || period%60 != 0 && !slices.Contains([]int32{10, 20, 30}, period)):
		return "Period has to be 10, 20, 30 or a multiple of 60"
	case period < 3600 && period*periods > day, period*periods > 7*day:
		return "Metrics cannot be checked across more than a day"
	case in.TreatMissingData != nil && !slices.Contains([]string{"breaching", "notBreaching", "ignore", "missing"}, *in.TreatMissingData):
		return "TreatMissingData is not valid"
	}
	for _, actions := range [][]string{in.AlarmActions, in.OKActions, in.InsufficientDataActions} {
		if len(actions) > mostActions {
			return "at most 5 actions"
		}
		for _, arn := range actions {
			parts := strings.Split(arn, ":")
			if len(parts) < 6 || parts[0] != "arn" {
				return "the action " + arn + " is not an ARN"
			}
			if parts[2] == "sns" && parts[3] != region {
				return "Invalid region " + parts[3] + " specified. Only " + region + " is supported."
			}
		}
	}
	return ""
}

// DescribeAlarms lists metric alarms, 50 a page; no other type is kept.
func (a *Account) DescribeAlarms(ctx context.Context, in *cloudwatch.DescribeAlarmsInput, opts ...func(*cloudwatch.Options)) (*cloudwatch.DescribeAlarmsOutput, error) {
	const op = "DescribeAlarms"
	r, end, err := a.begin(ctx, op, cloudWatchRegion(opts))
	defer end()
	if err != nil {
		return nil, err
	}
	switch {
	case len(in.AlarmNames) > mostAlarms:
		return nil, refuse(op, invalidAlarm, "at most 100 alarm names")
	case len(in.AlarmNames) > 0 && in.AlarmNamePrefix != nil:
		return nil, refuse(op, "InvalidParameterCombination", "AlarmNames and AlarmNamePrefix exclude each other")
	case in.ChildrenOfAlarmName != nil || in.ParentsOfAlarmName != nil:
		return nil, refuse(op, invalidAlarm, "there are no composite alarms here")
	}
	found := map[string]types.MetricAlarm{}
	for name, al := range r.alarms.read(in.NextToken == nil) {
		acts := len(al.AlarmActions) + len(al.OKActions) + len(al.InsufficientDataActions)
		if len(in.AlarmTypes) > 0 && !slices.Contains(in.AlarmTypes, types.AlarmTypeMetricAlarm) ||
			len(in.AlarmNames) > 0 && !slices.Contains(in.AlarmNames, name) ||
			!strings.HasPrefix(name, aws.ToString(in.AlarmNamePrefix)) ||
			in.StateValue != "" && in.StateValue != al.StateValue ||
			in.ActionPrefix != nil && (acts == 0 || !al.actsOn(*in.ActionPrefix)) {
			continue
		}
		found[name] = al.MetricAlarm
	}
	list, token, err := paged(a, page{
		op: op, token: in.NextToken, ask: in.MaxRecords, least: 1, most: mostAlarms, usual: usualAlarms, limit: invalidAlarm, bad: "InvalidNextToken",
	}, found)
	return &cloudwatch.DescribeAlarmsOutput{MetricAlarms: list, NextToken: token}, err
}

func (al alarm) actsOn(prefix string) bool {
	return slices.ContainsFunc(slices.Concat(al.AlarmActions, al.OKActions, al.InsufficientDataActions), func(arn string) bool {
		return strings.HasPrefix(arn, prefix)
	})
}

// DeleteAlarms deletes the alarms that exist of those named. Source:
// CloudWatch API Reference, DeleteAlarms.
func (a *Account) DeleteAlarms(ctx context.Context, in *cloudwatch.DeleteAlarmsInput, opts ...func(*cloudwatch.Options)) (*cloudwatch.DeleteAlarmsOutput, error) {
	err := a.eachAlarm(ctx, "DeleteAlarms", cloudWatchRegion(opts), in.AlarmNames, func(alarms map[string]alarm, name string) { delete(alarms, name) })
	return &cloudwatch.DeleteAlarmsOutput{}, err
}

// DisableAlarmActions mutes alarms.
func (a *Account) DisableAlarmActions(ctx context.Context, in *cloudwatch.DisableAlarmActionsInput, opts ...func(*cloudwatch.Options)) (*cloudwatch.DisableAlarmActionsOutput, error) {
	err := a.eachAlarm(ctx, "DisableAlarmActions", cloudWatchRegion(opts), in.AlarmNames, speak(false))
	return &cloudwatch.DisableAlarmActionsOutput{}, err
}

// EnableAlarmActions lets alarms speak again.
func (a *Account) EnableAlarmActions(ctx context.Context, in *cloudwatch.EnableAlarmActionsInput, opts ...func(*cloudwatch.Options)) (*cloudwatch.EnableAlarmActionsOutput, error) {
	err := a.eachAlarm(ctx, "EnableAlarmActions", cloudWatchRegion(opts), in.AlarmNames, speak(true))
	return &cloudwatch.EnableAlarmActionsOutput{}, err
}

func speak(enabled bool) func(map[string]alarm, string) {
	return func(alarms map[string]alarm, name string) {
		al := alarms[name]
		al.ActionsEnabled = aws.Bool(enabled)
		alarms[name] = al
	}
}

func (a *Account) eachAlarm(ctx context.Context, op, regionName string, names []string, f func(alarms map[string]alarm, name string)) error {
	r, end, err := a.begin(ctx, op, regionName)
	defer end()
	if err != nil {
		return err
	}
	if len(names) == 0 || len(names) > mostAlarms {
		return refuse(op, invalidAlarm, "%d alarm names", len(names))
	}
	alarms := r.alarms.write(a.lag)
	var changed []string
	for _, name := range names {
		if _, ok := alarms[name]; ok {
			f(alarms, name)
			changed = append(changed, name)
		}
	}
	if len(changed) > 0 {
		a.wrote(op, r, changed...)
	}
	return nil
}

// Alarms returns the names of a region's alarms, sorted.
func (a *Account) Alarms(regionName string) []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Sorted(maps.Keys(a.regions[regionName].alarms.now))
}

func cloudWatchRegion(opts []func(*cloudwatch.Options)) string {
	var o cloudwatch.Options
	for _, f := range opts {
		f(&o)
	}
	return o.Region
}
