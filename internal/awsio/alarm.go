package awsio

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

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
	PutCompositeAlarm(context.Context, *cloudwatch.PutCompositeAlarmInput, ...func(*cloudwatch.Options)) (*cloudwatch.PutCompositeAlarmOutput, error)
	ListAlarmMuteRules(context.Context, *cloudwatch.ListAlarmMuteRulesInput, ...func(*cloudwatch.Options)) (*cloudwatch.ListAlarmMuteRulesOutput, error)
	DeleteAlarmMuteRule(context.Context, *cloudwatch.DeleteAlarmMuteRuleInput, ...func(*cloudwatch.Options)) (*cloudwatch.DeleteAlarmMuteRuleOutput, error)
}

var _ alarmAPI = (*cloudwatch.Client)(nil)

// observeAlarms reads as little as the scope allows:
//
//	names of ours only       those alarms
//	any other, hashed too    all of ours by name; it may have held the control
//	                         of one that is missing, so then everything but
//	                         the mute rules
//	muted alarms             as above, and the mute rules: of those of ours,
//	                         or of all where one is missing
//	composite alarms         all of ours by name, and the composite ones
//	no names                 trail, filters, every alarm, the topics, mute rules
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
	state := &plan.AlarmState{Named: named}
	if foreign {
		state.Named = ours
	}
	ask := state.Named
	if s.Type == catalog.CompositeAlarm {
		ask = slices.Concat(ours, named)
	}
	var err error
	if state.Alarms, state.Composites, err = c.describeAlarms(ctx, s.Region, ask); err != nil {
		return nil, err
	}
	for _, name := range state.Named {
		if _, exists := state.Alarms[name]; !exists && !slices.Contains(named, name) {
			return c.observeAllAlarms(ctx, s)
		}
	}
	if s.Type == catalog.MutedAlarm {
		state.Mutes, err = c.mutesOf(ctx, s.Region, slices.DeleteFunc(named, func(n string) bool { return !slices.Contains(ours, n) }))
		if err != nil {
			state.Unread, err = unreadMutes(err)
		}
	}
	return state, err
}

func unreadMutes(err error) ([]plan.Finding, error) {
	f, err := unread("alarms", "mute rules silence them", err)
	if err != nil {
		return nil, err
	}
	return []plan.Finding{*f}, nil
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
	if state.Alarms, state.Composites, err = c.describeAlarms(ctx, s.Region, nil); err != nil {
		return nil, err
	}
	measuring, topics := c.measuring(state)
	if s.Names == "" || s.Type == catalog.MutedAlarm || s.Type == catalog.CompositeAlarm {
		rules, err := c.mutes(ctx, s.Region, measuring)
		if state.Mutes = rules; err != nil {
			if state.Unread, err = unreadMutes(err); err != nil {
				return nil, err
			}
		}
	}
	state.Topics, err = c.describeTopics(ctx, s, topics)
	return state, err
}

// measuring returns the names of the alarms on the metric of a filter that
// measures a control, or that could be relight's, and the topics that the
// former act on.
func (c *Cloud) measuring(state *plan.AlarmState) (names, topics []string) {
	for name := range state.Alarms {
		if slices.ContainsFunc(c.Want.Controls, func(control catalog.Control) bool { return strings.HasPrefix(name, c.Want.Name(control.ID)) }) {
			names = append(names, name)
		}
	}
	for _, f := range state.Filters {
		measures := slices.ContainsFunc(c.Want.Controls, func(control catalog.Control) bool { return plan.Measures(control, f) == "" })
		if !measures {
			continue
		}
		for _, a := range state.Alarms {
			if a.Namespace == f.Metrics[0].Namespace && a.Metric == f.Metrics[0].Name {
				names = append(names, a.Name)
				topics = append(topics, a.AlarmActions...)
			}
		}
	}
	slices.Sort(names)
	slices.Sort(topics)
	return slices.Compact(names), slices.Compact(topics)
}

// describeAlarms returns the named alarms that exist, metric and composite, or
// every one of the region for no names.
func (c *Cloud) describeAlarms(ctx context.Context, region string, names []string) (map[string]plan.Alarm, []plan.Composite, error) {
	alarms := map[string]plan.Alarm{}
	if len(names) == 0 {
		composites, err := c.listAlarms(ctx, region, nil, alarms)
		return alarms, composites, err
	}
	var composites []plan.Composite
	for chunk := range slices.Chunk(names, catalog.AlarmsPerCall) {
		some, err := c.listAlarms(ctx, region, chunk, alarms)
		if err != nil {
			return nil, nil, err
		}
		composites = append(composites, some...)
	}
	return alarms, composites, nil
}

func (c *Cloud) listAlarms(ctx context.Context, region string, names []string, found map[string]plan.Alarm) ([]plan.Composite, error) {
	var composites []plan.Composite
	in := &cloudwatch.DescribeAlarmsInput{
		AlarmNames: names, AlarmTypes: []types.AlarmType{types.AlarmTypeMetricAlarm, types.AlarmTypeCompositeAlarm}, MaxRecords: aws.Int32(catalog.AlarmsPerCall),
	}
	for {
		out, err := call(ctx, c.Pace, place{region, "cloudwatch.DescribeAlarms", ""}, c.Clients.CloudWatch.DescribeAlarms, in, cloudWatchIn(region))
		if err != nil {
			return nil, err
		}
		for _, a := range out.MetricAlarms {
			got := alarmOf(a)
			got.InAlarmFor = c.inAlarmFor(a)
			found[got.Name] = got
		}
		for _, a := range out.CompositeAlarms {
			composites = append(composites, compositeOf(a))
		}
		if aws.ToString(out.NextToken) == "" {
			return composites, nil
		}
		in.NextToken = out.NextToken
	}
}

// inAlarmFor returns for how many seconds an alarm has been in ALARM, or 0.
// An update of the state need not change it, so the time of the last update
// makes it look shorter at most.
func (c *Cloud) inAlarmFor(a types.MetricAlarm) int64 {
	since := cmp.Or(a.StateTransitionedTimestamp, a.StateUpdatedTimestamp)
	if a.StateValue != types.StateValueAlarm || since == nil || c.Now == nil {
		return 0
	}
	return max(0, int64(c.Now().Sub(*since).Seconds()))
}

// mutes returns the rules that silence any of the alarms now or later: one
// call where the region has no such rule at all, else one more for each alarm.
func (c *Cloud) mutes(ctx context.Context, region string, alarms []string) ([]plan.MuteRule, error) {
	if any, err := c.listMutes(ctx, region, nil); err != nil || len(any) == 0 {
		return nil, err
	}
	return c.mutesOf(ctx, region, alarms)
}

// mutesOf returns the rules that silence each of the alarms now or later.
func (c *Cloud) mutesOf(ctx context.Context, region string, alarms []string) ([]plan.MuteRule, error) {
	byName := map[string]plan.MuteRule{}
	for _, alarm := range alarms {
		rules, err := c.listMutes(ctx, region, aws.String(alarm))
		if err != nil {
			return nil, err
		}
		for _, r := range rules {
			r.Alarms = append(byName[r.Name].Alarms, alarm)
			byName[r.Name] = r
		}
	}
	var all []plan.MuteRule
	for _, name := range sortedKeys(byName) {
		all = append(all, byName[name])
	}
	return all, nil
}

// listMutes returns the rules that are or will be in force, those over one
// alarm if that is given.
func (c *Cloud) listMutes(ctx context.Context, region string, alarm *string) ([]plan.MuteRule, error) {
	var rules []plan.MuteRule
	in := &cloudwatch.ListAlarmMuteRulesInput{
		AlarmName: alarm, Statuses: []types.AlarmMuteRuleStatus{types.AlarmMuteRuleStatusActive, types.AlarmMuteRuleStatusScheduled},
	}
	for {
		out, err := call(ctx, c.Pace, place{region, "cloudwatch.ListAlarmMuteRules", aws.ToString(alarm)}, c.Clients.CloudWatch.ListAlarmMuteRules, in, cloudWatchIn(region))
		if err != nil {
			return nil, err
		}
		for _, r := range out.AlarmMuteRuleSummaries {
			_, name, _ := strings.Cut(aws.ToString(r.AlarmMuteRuleArn), ":alarm-mute-rule:") // the ARN's form: API Reference, PutAlarmMuteRule
			rules = append(rules, plan.MuteRule{Name: name, Kind: aws.ToString(r.MuteType)})
		}
		if aws.ToString(out.NextToken) == "" {
			return rules, nil
		}
		in.NextToken = out.NextToken
	}
}

func compositeOf(a types.CompositeAlarm) plan.Composite {
	return plan.Composite{
		Name:                aws.ToString(a.AlarmName),
		Rule:                aws.ToString(a.AlarmRule),
		Suppressor:          aws.ToString(a.ActionsSuppressor),
		ActionsEnabled:      aws.ToBool(a.ActionsEnabled),
		AlarmActions:        a.AlarmActions,
		OKActions:           a.OKActions,
		InsufficientActions: a.InsufficientDataActions,
		Description:         aws.ToString(a.AlarmDescription),
		TagsSent:            tagsSentOf(a.ActionConfiguration),
	}
}

func tagsSentOf(a *types.ActionConfiguration) *plan.TagsSent {
	if a == nil || a.AlarmTagsPropagation == nil {
		return nil
	}
	return &plan.TagsSent{
		Enabled:  aws.ToBool(a.AlarmTagsPropagation.Enabled),
		Included: a.AlarmTagsPropagation.IncludedTagKeys, Excluded: a.AlarmTagsPropagation.ExcludedTagKeys,
	}
}

func actionConfiguration(t *plan.TagsSent) *types.ActionConfiguration {
	if t == nil {
		return nil
	}
	return &types.ActionConfiguration{AlarmTagsPropagation: &types.AlarmTagsPropagation{
		Enabled: aws.Bool(t.Enabled), IncludedTagKeys: t.Included, ExcludedTagKeys: t.Excluded,
	}}
}

func (c *Cloud) deleteMute(ctx context.Context, region, rule string) error {
	_, err := call(ctx, c.Pace, place{region, "cloudwatch.DeleteAlarmMuteRule", rule}, c.Clients.CloudWatch.DeleteAlarmMuteRule,
		&cloudwatch.DeleteAlarmMuteRuleInput{AlarmMuteRuleName: aws.String(rule)}, cloudWatchIn(region))
	return err
}

// unsuppress writes a composite alarm as a whole, as PutCompositeAlarm does,
// without its suppressor. Its tags stay: CloudWatch ignores them on a change.
func (c *Cloud) unsuppress(ctx context.Context, region string, a plan.Composite) error {
	in := &cloudwatch.PutCompositeAlarmInput{
		AlarmName: aws.String(a.Name), AlarmRule: aws.String(a.Rule), ActionsEnabled: aws.Bool(a.ActionsEnabled),
		AlarmActions: a.AlarmActions, OKActions: a.OKActions, InsufficientDataActions: a.InsufficientActions,
		ActionConfiguration: actionConfiguration(a.TagsSent),
	}
	if a.Description != "" {
		in.AlarmDescription = aws.String(a.Description)
	}
	_, err := call(ctx, c.Pace, place{region, "cloudwatch.PutCompositeAlarm", a.Name}, c.Clients.CloudWatch.PutCompositeAlarm, in, cloudWatchIn(region))
	return err
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
		TagsSent:            tagsSentOf(a.ActionConfiguration),
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
		ActionConfiguration:     actionConfiguration(a.Alarm.TagsSent),
	}
	for _, k := range sortedKeys(a.Tags) {
		in.Tags = append(in.Tags, types.Tag{Key: aws.String(k), Value: aws.String(a.Tags[k])})
	}
	_, err := call(ctx, c.Pace, place{region, op, a.Alarm.Name}, c.Clients.CloudWatch.PutMetricAlarm, in, cloudWatchIn(region))
	return err
}
