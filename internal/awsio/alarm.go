package awsio

import (
	"context"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/plan"
	"github.com/relight-aws/relight/internal/remedy"
)

// alarmAPI is what this file needs of *cloudwatch.Client, and no more.
type alarmAPI interface {
	DescribeAlarms(context.Context, *cloudwatch.DescribeAlarmsInput, ...func(*cloudwatch.Options)) (*cloudwatch.DescribeAlarmsOutput, error)
	PutMetricAlarm(context.Context, *cloudwatch.PutMetricAlarmInput, ...func(*cloudwatch.Options)) (*cloudwatch.PutMetricAlarmOutput, error)
}

var _ alarmAPI = (*cloudwatch.Client)(nil)

// observeAlarms reads as little as the scope allows:
//
//	names of ours only       those alarms
//	any other, hashed too    all of ours by name; it may have held the control
//	                         of one that is missing, so then everything
//	no names                 trail, filters, every alarm, the topics
func (c *Cloud) observeAlarms(ctx context.Context, s remedy.Scope) (*plan.AlarmState, error) {
	var ours []string
	for _, control := range c.Want.Controls {
		ours = append(ours, c.Want.Name(control.ID))
	}
	named := s.Names.List()
	if len(named) == 0 {
		return c.observeAllAlarms(ctx, s)
	}
	foreign := slices.ContainsFunc(named, func(n string) bool { return !slices.Contains(ours, n) })
	ask := named
	if foreign {
		ask = ours
	}
	state := &plan.AlarmState{Named: ask}
	var err error
	if state.Alarms, err = c.describeAlarms(ctx, s.Region, ask); err != nil {
		return nil, err
	}
	for _, name := range ask {
		if _, exists := state.Alarms[name]; !exists && !slices.Contains(named, name) {
			return c.observeAllAlarms(ctx, s)
		}
	}
	return state, nil
}

func (c *Cloud) observeAllAlarms(ctx context.Context, s remedy.Scope) (*plan.AlarmState, error) {
	state := &plan.AlarmState{Full: true}
	var err error
	if state.Trail, err = c.trailLogs(ctx, s); err != nil || state.Trail.LogGroup == "" {
		return state, err
	}
	var exists bool
	if state.Filters, exists, err = c.describeFilters(ctx, s.Region, state.Trail.LogGroup); err != nil {
		return nil, err
	}
	if !exists {
		if state.Trail, err = c.confirmTrailLogs(ctx, s, state.Trail); err != nil || state.Trail.LogGroup == "" {
			return state, err
		}
	}
	if state.Alarms, err = c.describeAlarms(ctx, s.Region, nil); err != nil {
		return nil, err
	}
	state.Topics, err = c.describeTopics(ctx, s, c.topicsOf(state))
	return state, err
}

// topicsOf returns the topics that matter: those of alarms on the metric of a filter that measures a control.
func (c *Cloud) topicsOf(state *plan.AlarmState) []string {
	var topics []string
	for _, f := range state.Filters {
		measures := slices.ContainsFunc(c.Want.Controls, func(control catalog.Control) bool { return plan.Measures(control, f) == "" })
		if !measures {
			continue
		}
		for _, a := range state.Alarms {
			if a.Namespace == f.Metrics[0].Namespace && a.Metric == f.Metrics[0].Name {
				topics = append(topics, a.AlarmActions...)
			}
		}
	}
	slices.Sort(topics)
	return slices.Compact(topics)
}

// describeAlarms returns the named metric alarms that exist, or every metric
// alarm of the region for no names.
func (c *Cloud) describeAlarms(ctx context.Context, region string, names []string) (map[string]plan.Alarm, error) {
	alarms := map[string]plan.Alarm{}
	if len(names) == 0 {
		return alarms, c.listAlarms(ctx, region, nil, alarms)
	}
	for chunk := range slices.Chunk(names, catalog.AlarmsPerCall) {
		if err := c.listAlarms(ctx, region, chunk, alarms); err != nil {
			return nil, err
		}
	}
	return alarms, nil
}

func (c *Cloud) listAlarms(ctx context.Context, region string, names []string, found map[string]plan.Alarm) error {
	in := &cloudwatch.DescribeAlarmsInput{
		AlarmNames: names, AlarmTypes: []types.AlarmType{types.AlarmTypeMetricAlarm}, MaxRecords: aws.Int32(catalog.AlarmsPerCall),
	}
	for {
		out, err := call(ctx, c.Pace, place{region, "cloudwatch.DescribeAlarms", ""}, c.Clients.CloudWatch.DescribeAlarms, in, cloudWatchIn(region))
		if err != nil {
			return err
		}
		for _, a := range out.MetricAlarms {
			found[aws.ToString(a.AlarmName)] = alarmOf(a)
		}
		if aws.ToString(out.NextToken) == "" {
			return nil
		}
		in.NextToken = out.NextToken
	}
}

func alarmOf(a types.MetricAlarm) plan.Alarm {
	got := plan.Alarm{
		Name:                aws.ToString(a.AlarmName),
		Namespace:           aws.ToString(a.Namespace),
		Metric:              aws.ToString(a.MetricName),
		Statistic:           string(a.Statistic),
		Unit:                string(a.Unit),
		Period:              aws.ToInt32(a.Period),
		Comparison:          string(a.ComparisonOperator),
		Threshold:           aws.ToFloat64(a.Threshold),
		Periods:             aws.ToInt32(a.EvaluationPeriods),
		Datapoints:          aws.ToInt32(a.DatapointsToAlarm),
		Missing:             aws.ToString(a.TreatMissingData),
		ActionsEnabled:      aws.ToBool(a.ActionsEnabled),
		AlarmActions:        a.AlarmActions,
		OKActions:           a.OKActions,
		InsufficientActions: a.InsufficientDataActions,
		Description:         aws.ToString(a.AlarmDescription),
	}
	for _, d := range a.Dimensions {
		got.Dimensions = append(got.Dimensions, aws.ToString(d.Name))
	}
	switch _, sliding := a.EvaluationWindow.(*types.EvaluationWindowMemberSlidingWindow); {
	case len(a.Metrics) > 0:
		got.Other = "metric math"
	case a.EvaluationCriteria != nil:
		got.Other = "a query"
	case a.EvaluationWindow != nil && !sliding:
		got.Other = "a fixed window"
	case aws.ToString(a.ExtendedStatistic) != "":
		got.Other = aws.ToString(a.ExtendedStatistic)
	case a.WarmUpConfiguration != nil && aws.ToBool(a.WarmUpConfiguration.OnlyStartEvaluatingAfterWarmUpPeriodEnds):
		// CloudWatch API Reference, WarmUpConfiguration: no evaluation and no
		// actions until then. Without the flag the first data point ends it.
		got.Other = fmt.Sprintf("nothing for %d minutes", aws.ToInt32(a.WarmUpConfiguration.WarmUpPeriodDurationInMinutes))
	}
	return got
}

// putAlarm writes the alarm as a whole, as PutMetricAlarm does. CloudWatch
// takes the tags for a new alarm and ignores them for an old one.
func (c *Cloud) putAlarm(ctx context.Context, region string, a plan.PutAlarm) error {
	const op = "cloudwatch.PutMetricAlarm"
	if c.Want.Topic == "" {
		return notDeployed(op, a.Alarm.Name, "topic")
	}
	in := &cloudwatch.PutMetricAlarmInput{
		AlarmName:               aws.String(a.Alarm.Name),
		AlarmDescription:        aws.String(a.Alarm.Description),
		Namespace:               aws.String(a.Alarm.Namespace),
		MetricName:              aws.String(a.Alarm.Metric),
		Statistic:               types.Statistic(a.Alarm.Statistic),
		Period:                  aws.Int32(a.Alarm.Period),
		ComparisonOperator:      types.ComparisonOperator(a.Alarm.Comparison),
		Threshold:               aws.Float64(a.Alarm.Threshold),
		EvaluationPeriods:       aws.Int32(a.Alarm.Periods),
		DatapointsToAlarm:       aws.Int32(a.Alarm.Datapoints),
		TreatMissingData:        aws.String(a.Alarm.Missing),
		ActionsEnabled:          aws.Bool(a.Alarm.ActionsEnabled),
		AlarmActions:            a.Alarm.AlarmActions,
		OKActions:               a.Alarm.OKActions,
		InsufficientDataActions: a.Alarm.InsufficientActions,
	}
	for _, k := range sortedKeys(a.Tags) {
		in.Tags = append(in.Tags, types.Tag{Key: aws.String(k), Value: aws.String(a.Tags[k])})
	}
	_, err := call(ctx, c.Pace, place{region, op, a.Alarm.Name}, c.Clients.CloudWatch.PutMetricAlarm, in, cloudWatchIn(region))
	return err
}
