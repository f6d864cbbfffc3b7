package awstest

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsarn "github.com/aws/aws-sdk-go-v2/aws/arn"
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
	settings.StateValue, settings.AlarmArn, settings.StateTransitionedTimestamp, settings.StateUpdatedTimestamp, settings.StateReason = "", nil, nil, nil, nil
	return struct {
		types.MetricAlarm
		Tags map[string]string
	}{settings, al.tags}
}

// putMetricAlarm creates an alarm in INSUFFICIENT_DATA, or overwrites one
// completely; an overwritten alarm keeps its state, and the call's tags are
// ignored. Source: CloudWatch API Reference, PutMetricAlarm.
func putMetricAlarm(c *request, in *cloudwatch.PutMetricAlarmInput) error {
	if why := cmp.Or(c.badAlarm(in), c.namesake(*in.AlarmName, metricAlarm)); why != "" {
		return refuse(invalidAlarm, "%s", why)
	}
	if len(in.Tags) > 0 && c.denied["TagResource"] { // CloudWatch API Reference, PutMetricAlarm, Tags
		return refuse(deniedCode(cloudwatch.ServiceID), notAuthorized, "cloudwatch:TagResource")
	}
	al := alarm{
		MetricAlarm: types.MetricAlarm{
			ActionConfiguration: in.ActionConfiguration, ActionsEnabled: aws.Bool(in.ActionsEnabled == nil || *in.ActionsEnabled),
			AlarmActions: in.AlarmActions, AlarmArn: aws.String(c.arn("cloudwatch", c.name, "alarm:"+*in.AlarmName)),
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
	if old, updates := c.alarms.now[*in.AlarmName]; updates {
		al.StateValue, al.StateTransitionedTimestamp, al.StateUpdatedTimestamp = old.StateValue, old.StateTransitionedTimestamp, old.StateUpdatedTimestamp
		al.tags = old.tags
	} else {
		for _, t := range in.Tags {
			al.tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
		}
	}
	c.alarms.write(c.lag)[*in.AlarmName] = al
	c.wrote(*in.AlarmName)
	return nil
}

// These are the types of alarms, as a refusal names them.
const (
	metricAlarm    = "metric"
	compositeAlarm = "composite"
	logAlarm       = "log"
)

// namesake returns that an alarm of another type has a name, or "". Names are
// unique among all types. Sources: stackd, recorded 2026-09-14 (PutMetricAlarm
// over a composite alarm's name is refused; the code is assumed); CloudWatch
// API Reference, PutLogAlarm, AlarmName.
func (c *request) namesake(name, of string) string {
	_, metric := c.alarms.now[name]
	_, composite := c.composites.now[name]
	_, log := c.logAlarms.now[name]
	for other, has := range map[string]bool{metricAlarm: metric, compositeAlarm: composite, logAlarm: log} {
		if has && other != of {
			return "there is a " + other + " alarm of that name"
		}
	}
	return ""
}

// badAlarm returns what is wrong with an alarm, or "". Sources: CloudWatch API
// Reference, PutMetricAlarm; the service's own message "Invalid region …
// specified" for the rule that a topic has to be in the alarm's
// region.
func (c *request) badAlarm(in *cloudwatch.PutMetricAlarmInput) string {
	region := c.name
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
		for _, action := range actions {
			arn, err := awsarn.Parse(action)
			if err != nil {
				return "the action " + action + " is not an ARN"
			}
			if arn.Service == "sns" && arn.Region != region && !c.doubts(alarmTopicRegion) {
				return "Invalid region " + arn.Region + " specified. Only " + region + " is supported."
			}
		}
	}
	return ""
}

// describeAlarms lists alarms, 50 a page: only metric alarms unless the request
// asks for others. A page counts all types together. Source: CloudWatch API
// Reference, DescribeAlarms, AlarmTypes.
func describeAlarms(c *request, in *cloudwatch.DescribeAlarmsInput) (*cloudwatch.DescribeAlarmsOutput, error) {
	switch {
	case len(in.AlarmNames) > mostAlarms:
		return nil, refuse(invalidAlarm, "at most 100 alarm names")
	case len(in.AlarmNames) > 0 && in.AlarmNamePrefix != nil:
		return nil, refuse("InvalidParameterCombination", "AlarmNames and AlarmNamePrefix exclude each other")
	case in.ChildrenOfAlarmName != nil || in.ParentsOfAlarmName != nil:
		return nil, refuse(invalidAlarm, "there are no composite alarms here")
	case slices.Contains(in.AlarmTypes, types.AlarmTypeLogAlarm) && c.doubts(logAlarmsKnown):
		return nil, refuse(invalidAlarm, "%s is not an alarm type", types.AlarmTypeLogAlarm)
	}
	asks := func(t types.AlarmType) bool {
		return len(in.AlarmTypes) == 0 && t == types.AlarmTypeMetricAlarm || slices.Contains(in.AlarmTypes, t)
	}
	type named struct {
		name string
		t    types.AlarmType
	}
	found := map[string]named{}
	if asks(types.AlarmTypeCompositeAlarm) {
		for name, composite := range c.composites.read(in.NextToken == nil) {
			if (len(in.AlarmNames) == 0 || slices.Contains(in.AlarmNames, name)) && strings.HasPrefix(name, aws.ToString(in.AlarmNamePrefix)) &&
				(in.StateValue == "" || in.StateValue == composite.StateValue) && in.ActionPrefix == nil {
				found[name] = named{name, types.AlarmTypeCompositeAlarm}
			}
		}
	}
	for name, al := range c.alarms.read(in.NextToken == nil) {
		acts := len(al.AlarmActions) + len(al.OKActions) + len(al.InsufficientDataActions)
		if !asks(types.AlarmTypeMetricAlarm) ||
			len(in.AlarmNames) > 0 && !slices.Contains(in.AlarmNames, name) ||
			!strings.HasPrefix(name, aws.ToString(in.AlarmNamePrefix)) ||
			in.StateValue != "" && in.StateValue != al.StateValue ||
			in.ActionPrefix != nil && (acts == 0 || !al.actsOn(*in.ActionPrefix)) {
			continue
		}
		found[name] = named{name, types.AlarmTypeMetricAlarm}
	}
	if asks(types.AlarmTypeLogAlarm) {
		for name, al := range c.logAlarms.read(in.NextToken == nil) {
			if (len(in.AlarmNames) == 0 || slices.Contains(in.AlarmNames, name)) && strings.HasPrefix(name, aws.ToString(in.AlarmNamePrefix)) &&
				(in.StateValue == "" || in.StateValue == al.StateValue) && in.ActionPrefix == nil {
				found[name] = named{name, types.AlarmTypeLogAlarm}
			}
		}
	}
	list, token, err := paged(c, page{
		token: in.NextToken, ask: in.MaxRecords, least: 1, most: mostAlarms, usual: usualAlarms, limit: invalidAlarm, bad: "InvalidNextToken",
	}, found)
	out := &cloudwatch.DescribeAlarmsOutput{NextToken: token}
	for _, item := range list {
		switch item.t {
		case types.AlarmTypeMetricAlarm:
			out.MetricAlarms = append(out.MetricAlarms, c.alarms.view[item.name].MetricAlarm)
		case types.AlarmTypeCompositeAlarm:
			out.CompositeAlarms = append(out.CompositeAlarms, c.composites.view[item.name])
		case types.AlarmTypeLogAlarm:
			out.LogAlarms = append(out.LogAlarms, c.logAlarms.view[item.name])
		}
	}
	return out, err
}

func (al alarm) actsOn(prefix string) bool {
	return slices.ContainsFunc(slices.Concat(al.AlarmActions, al.OKActions, al.InsufficientDataActions), func(arn string) bool {
		return strings.HasPrefix(arn, prefix)
	})
}

// deleteAlarms deletes the named alarms that exist. Source: CloudWatch API
// Reference, DeleteAlarms.
func deleteAlarms(c *request, in *cloudwatch.DeleteAlarmsInput) error {
	return c.eachAlarm(in.AlarmNames, func(alarms map[string]alarm, name string) { delete(alarms, name) })
}

// listAlarmTags answers with the tags of a metric alarm. Source: CloudWatch API
// Reference, ListTagsForResource.
func listAlarmTags(c *request, in *cloudwatch.ListTagsForResourceInput) (*cloudwatch.ListTagsForResourceOutput, error) {
	_, name, _ := strings.Cut(aws.ToString(in.ResourceARN), ":alarm:")
	al, ok := c.alarms.now[name]
	if !ok {
		return nil, refuse("ResourceNotFoundException", "Unknown alarm %s", name)
	}
	out := &cloudwatch.ListTagsForResourceOutput{}
	for _, k := range slices.Sorted(maps.Keys(al.tags)) {
		out.Tags = append(out.Tags, types.Tag{Key: aws.String(k), Value: aws.String(al.tags[k])})
	}
	return out, nil
}

// disableAlarmActions disables the actions of alarms.
func disableAlarmActions(c *request, in *cloudwatch.DisableAlarmActionsInput) error {
	return c.eachAlarm(in.AlarmNames, speak(false))
}

// enableAlarmActions enables the actions of alarms.
func enableAlarmActions(c *request, in *cloudwatch.EnableAlarmActionsInput) error {
	return c.eachAlarm(in.AlarmNames, speak(true))
}

func speak(enabled bool) func(map[string]alarm, string) {
	return func(alarms map[string]alarm, name string) {
		al := alarms[name]
		al.ActionsEnabled = aws.Bool(enabled)
		alarms[name] = al
	}
}

func (c *request) eachAlarm(names []string, f func(alarms map[string]alarm, name string)) error {
	if len(names) == 0 || len(names) > mostAlarms {
		return refuse(invalidAlarm, "%d alarm names", len(names))
	}
	alarms := c.alarms.write(c.lag)
	var changed []string
	for _, name := range names {
		if _, ok := alarms[name]; ok {
			f(alarms, name)
			changed = append(changed, name)
		}
		if _, ok := c.composites.now[name]; ok && c.op == "DeleteAlarms" {
			delete(c.composites.write(c.lag), name)
			changed = append(changed, name)
		}
		if _, ok := c.logAlarms.now[name]; ok && c.op == "DeleteAlarms" {
			delete(c.logAlarms.write(c.lag), name)
			changed = append(changed, name)
		}
	}
	if len(changed) > 0 {
		c.wrote(changed...)
	}
	return nil
}

// Alarms returns the names of a region's alarms, sorted.
func (a *Account) Alarms(regionName string) []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Sorted(maps.Keys(a.regions[regionName].alarms.now))
}

// setAlarmState sets an alarm's state until its next evaluation. Source:
// CloudWatch API Reference, SetAlarmState.
func setAlarmState(c *request, in *cloudwatch.SetAlarmStateInput) error {
	name := *in.AlarmName
	al, ok := c.alarms.now[name]
	switch {
	case !ok:
		return refuse("ResourceNotFound", "Unknown alarm %s", name)
	case !slices.Contains(in.StateValue.Values(), in.StateValue):
		return refuse(invalidAlarm, "StateValue %q is not valid", in.StateValue)
	}
	now := c.now()
	changes := al.StateValue != in.StateValue
	if changes {
		al.StateTransitionedTimestamp = &now
		if c.histories == nil {
			c.histories = map[string][]types.AlarmHistoryItem{}
		}
		c.histories[name] = append(c.histories[name], types.AlarmHistoryItem{
			AlarmName: in.AlarmName, AlarmType: types.AlarmTypeMetricAlarm, HistoryItemType: types.HistoryItemTypeStateUpdate, Timestamp: &now,
			HistorySummary: aws.String(fmt.Sprintf("Alarm updated from %s to %s", al.StateValue, in.StateValue)),
			HistoryData:    aws.String(fmt.Sprintf(`{"version":"1.0","oldState":{"stateValue":%q},"newState":{"stateValue":%q}}`, al.StateValue, in.StateValue)),
		})
	}
	al.StateValue, al.StateUpdatedTimestamp, al.StateReason = in.StateValue, &now, in.StateReason
	if changes && in.StateValue == types.StateValueAlarm {
		c.ring(al.MetricAlarm)
	}
	c.alarms.write(c.lag)[name] = al
	c.wrote(name)
	return nil
}

// describeAlarmHistory returns the changes of an alarm's state within some time, the
// newest first. Source: CloudWatch API Reference, DescribeAlarmHistory.
func describeAlarmHistory(c *request, in *cloudwatch.DescribeAlarmHistoryInput) (*cloudwatch.DescribeAlarmHistoryOutput, error) {
	found := map[string]types.AlarmHistoryItem{}
	for i, item := range c.histories[aws.ToString(in.AlarmName)] {
		if !item.Timestamp.Before(*in.StartDate) && !item.Timestamp.After(*in.EndDate) {
			found[fmt.Sprintf("%09d", 1e8-i)] = item
		}
	}
	out, next, err := paged(c, page{token: in.NextToken, ask: in.MaxRecords, least: 1, most: 100, usual: 50, limit: "ValidationError", bad: "InvalidNextToken"}, found)
	return &cloudwatch.DescribeAlarmHistoryOutput{AlarmHistoryItems: out, NextToken: next}, err
}

// putCompositeAlarm creates or overwrites an alarm that depends on others.
// Source: CloudWatch API Reference, PutCompositeAlarm.
func putCompositeAlarm(c *request, in *cloudwatch.PutCompositeAlarmInput) error {
	name := *in.AlarmName
	switch taken := c.namesake(name, compositeAlarm); {
	case name == "" || *in.AlarmRule == "":
		return refuse(invalidAlarm, "AlarmName or AlarmRule is missing")
	case taken != "":
		return refuse(invalidAlarm, "%s", taken)
	case in.ActionsSuppressor != nil && (in.ActionsSuppressorWaitPeriod == nil || in.ActionsSuppressorExtensionPeriod == nil):
		return refuse(invalidAlarm, "ActionsSuppressor comes with both periods")
	}
	composite := types.CompositeAlarm{
		AlarmName: in.AlarmName, AlarmArn: aws.String(c.arn("cloudwatch", c.name, "alarm:"+name)),
		AlarmRule: in.AlarmRule, AlarmDescription: in.AlarmDescription, ActionConfiguration: in.ActionConfiguration,
		ActionsEnabled: aws.Bool(in.ActionsEnabled == nil || *in.ActionsEnabled), AlarmActions: in.AlarmActions, OKActions: in.OKActions,
		InsufficientDataActions: in.InsufficientDataActions, ActionsSuppressor: in.ActionsSuppressor,
		ActionsSuppressorWaitPeriod: in.ActionsSuppressorWaitPeriod, ActionsSuppressorExtensionPeriod: in.ActionsSuppressorExtensionPeriod,
		StateValue: types.StateValueInsufficientData,
	}
	c.composites.write(c.lag)[name] = composite
	c.wrote(name)
	return nil
}

// putLogAlarm creates or overwrites an alarm on the results of a query. Source:
// CloudWatch API Reference, PutLogAlarm.
func putLogAlarm(c *request, in *cloudwatch.PutLogAlarmInput) error {
	if taken := c.namesake(*in.AlarmName, logAlarm); taken != "" {
		return refuse(invalidAlarm, "%s", taken)
	}
	c.logAlarms.write(c.lag)[*in.AlarmName] = types.LogAlarm{
		AlarmName: in.AlarmName, AlarmArn: aws.String(c.arn("cloudwatch", c.name, "alarm:"+*in.AlarmName)), AlarmActions: in.AlarmActions,
		ActionsEnabled: aws.Bool(in.ActionsEnabled == nil || *in.ActionsEnabled), AlarmDescription: in.AlarmDescription,
		ComparisonOperator: in.ComparisonOperator, Threshold: in.Threshold, ScheduledQueryConfiguration: in.ScheduledQueryConfiguration,
		QueryResultsToAlarm: in.QueryResultsToAlarm, QueryResultsToEvaluate: in.QueryResultsToEvaluate, StateValue: types.StateValueInsufficientData,
	}
	c.wrote(*in.AlarmName)
	return nil
}

func logAlarmState(a types.LogAlarm) any {
	a.StateValue, a.AlarmArn = "", nil
	return a
}

func compositeState(c types.CompositeAlarm) any {
	c.StateValue, c.AlarmArn = "", nil
	return c
}

// A muteRule is an alarm mute rule. The account stores its schedule without
// evaluating it: the rule is ACTIVE, SCHEDULED before its start, and EXPIRED
// after its end.
type muteRule struct {
	cloudwatch.PutAlarmMuteRuleInput
}

func (m muteRule) state() any {
	return map[string]any{"alarms": m.MuteTargets, "rule": m.Rule, "expires": m.ExpireDate, "starts": m.StartDate}
}

func (m muteRule) status(now time.Time) types.AlarmMuteRuleStatus {
	switch {
	case m.ExpireDate != nil && m.ExpireDate.Before(now):
		return types.AlarmMuteRuleStatusExpired
	case m.StartDate != nil && m.StartDate.After(now):
		return types.AlarmMuteRuleStatusScheduled
	}
	return types.AlarmMuteRuleStatusActive
}

// kind returns whether a rule recurs (cron) or not (at). Source: CloudWatch API
// Reference, PutAlarmMuteRule.
func (m muteRule) kind() *string {
	if strings.HasPrefix(aws.ToString(m.Rule.Schedule.Expression), "at(") {
		return aws.String("ONE_TIME")
	}
	return aws.String("RECURRING")
}

func (c *request) muteARN(name string) *string {
	return aws.String(c.arn("cloudwatch", c.name, "alarm-mute-rule:"+name))
}

// putAlarmMuteRule makes or overwrites a mute rule for up to 100 alarms.
// Source: CloudWatch API Reference, PutAlarmMuteRule and MuteTargets; the code
// of a refusal is assumed.
func putAlarmMuteRule(c *request, in *cloudwatch.PutAlarmMuteRuleInput) error {
	switch {
	case *in.Name == "":
		return refuse(invalidAlarm, "Name is missing")
	case *in.Rule.Schedule.Expression == "" || *in.Rule.Schedule.Duration == "":
		return refuse(invalidAlarm, "the schedule of the rule has no expression or no duration")
	case in.MuteTargets != nil && len(in.MuteTargets.AlarmNames) > mostAlarms:
		return refuse(invalidAlarm, "at most 100 alarm names")
	}
	if in.MuteTargets != nil { // "The alarm names must match existing alarms": CloudWatch API Reference, MuteTargets
		for _, name := range in.MuteTargets.AlarmNames {
			_, metric := c.alarms.now[name]
			_, composite := c.composites.now[name]
			if _, log := c.logAlarms.now[name]; !metric && !composite && !log {
				return refuse(invalidAlarm, "there is no alarm %s", name)
			}
		}
	}
	c.mutes.write(c.lag)[*in.Name] = muteRule{*in}
	c.wrote(*in.Name)
	return nil
}

// getAlarmMuteRule returns one rule.
func getAlarmMuteRule(c *request, in *cloudwatch.GetAlarmMuteRuleInput) (*cloudwatch.GetAlarmMuteRuleOutput, error) {
	m, ok := c.mutes.now[*in.AlarmMuteRuleName]
	if !ok {
		return nil, refuse("ResourceNotFoundException", "there is no mute rule %s", *in.AlarmMuteRuleName)
	}
	return &cloudwatch.GetAlarmMuteRuleOutput{
		Name: m.Name, AlarmMuteRuleArn: c.muteARN(*m.Name), MuteTargets: m.MuteTargets, Rule: m.Rule, Description: m.Description,
		ExpireDate: m.ExpireDate, StartDate: m.StartDate, Status: m.status(c.now()), MuteType: m.kind(),
	}, nil
}

// listAlarmMuteRules lists rules without their targets, 50 a page, or only the
// rules for one alarm if the request names it. Source: CloudWatch API
// Reference, ListAlarmMuteRules.
func listAlarmMuteRules(c *request, in *cloudwatch.ListAlarmMuteRulesInput) (*cloudwatch.ListAlarmMuteRulesOutput, error) {
	found := map[string]types.AlarmMuteRuleSummary{}
	for name, m := range c.mutes.read(in.NextToken == nil) {
		status := m.status(c.now())
		if len(in.Statuses) > 0 && !slices.Contains(in.Statuses, status) ||
			in.AlarmName != nil && (m.MuteTargets == nil || !slices.Contains(m.MuteTargets.AlarmNames, *in.AlarmName) || c.doubts(muteRulesByAlarm)) {
			continue
		}
		found[name] = types.AlarmMuteRuleSummary{AlarmMuteRuleArn: c.muteARN(name), ExpireDate: m.ExpireDate, Status: status, MuteType: m.kind()}
	}
	list, token, err := paged(c, page{
		token: in.NextToken, ask: in.MaxRecords, least: 1, most: mostAlarms, usual: usualAlarms, limit: invalidAlarm, bad: "InvalidNextToken",
	}, found)
	return &cloudwatch.ListAlarmMuteRulesOutput{AlarmMuteRuleSummaries: list, NextToken: token}, err
}

// deleteAlarmMuteRule deletes a rule, and does nothing if the rule does not
// exist. Source: CloudWatch API Reference, DeleteAlarmMuteRule.
func deleteAlarmMuteRule(c *request, in *cloudwatch.DeleteAlarmMuteRuleInput) error {
	name := *in.AlarmMuteRuleName
	if _, ok := c.mutes.now[name]; ok {
		delete(c.mutes.write(c.lag), name)
		c.wrote(name)
	}
	return nil
}

// alarmOperations are the operations that this file answers.
var alarmOperations = []operation{
	act[cloudwatch.PutMetricAlarmOutput](putMetricAlarm),
	handle(describeAlarms),
	act[cloudwatch.DeleteAlarmsOutput](deleteAlarms),
	handle(listAlarmTags),
	act[cloudwatch.DisableAlarmActionsOutput](disableAlarmActions),
	act[cloudwatch.EnableAlarmActionsOutput](enableAlarmActions),
	act[cloudwatch.SetAlarmStateOutput](setAlarmState),
	handle(describeAlarmHistory),
	act[cloudwatch.PutCompositeAlarmOutput](putCompositeAlarm),
	act[cloudwatch.PutLogAlarmOutput](putLogAlarm),
	act[cloudwatch.PutAlarmMuteRuleOutput](putAlarmMuteRule),
	handle(getAlarmMuteRule),
	handle(listAlarmMuteRules),
	act[cloudwatch.DeleteAlarmMuteRuleOutput](deleteAlarmMuteRule),
}
