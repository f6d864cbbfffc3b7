package awstest

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

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
	settings.StateValue, settings.AlarmArn, settings.StateTransitionedTimestamp, settings.StateUpdatedTimestamp = "", nil, nil, nil
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
		al.StateValue, al.StateTransitionedTimestamp, al.StateUpdatedTimestamp = old.StateValue, old.StateTransitionedTimestamp, old.StateUpdatedTimestamp
		al.tags = old.tags
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

// DescribeAlarms lists alarms, 50 a page: metric alarms only unless asked for
// others. A page holds the two types together. Source: CloudWatch API
// Reference, DescribeAlarms, AlarmTypes; log alarms are not kept.
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
	asks := func(t types.AlarmType) bool {
		return len(in.AlarmTypes) == 0 && t == types.AlarmTypeMetricAlarm || slices.Contains(in.AlarmTypes, t)
	}
	found := map[string]any{}
	if asks(types.AlarmTypeCompositeAlarm) {
		for name, c := range r.composites.read(in.NextToken == nil) {
			if (len(in.AlarmNames) == 0 || slices.Contains(in.AlarmNames, name)) && strings.HasPrefix(name, aws.ToString(in.AlarmNamePrefix)) &&
				(in.StateValue == "" || in.StateValue == c.StateValue) && in.ActionPrefix == nil {
				found[name] = c
			}
		}
	}
	for name, al := range r.alarms.read(in.NextToken == nil) {
		acts := len(al.AlarmActions) + len(al.OKActions) + len(al.InsufficientDataActions)
		if !asks(types.AlarmTypeMetricAlarm) ||
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
	out := &cloudwatch.DescribeAlarmsOutput{NextToken: token}
	for _, item := range list {
		switch item := item.(type) {
		case types.MetricAlarm:
			out.MetricAlarms = append(out.MetricAlarms, item)
		case types.CompositeAlarm:
			out.CompositeAlarms = append(out.CompositeAlarms, item)
		}
	}
	return out, err
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
		if _, ok := r.composites.now[name]; ok && op == "DeleteAlarms" {
			delete(r.composites.write(a.lag), name)
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

// SetAlarmState sets an alarm's state until its next evaluation. Source:
// CloudWatch API Reference, SetAlarmState.
func (a *Account) SetAlarmState(ctx context.Context, in *cloudwatch.SetAlarmStateInput, opts ...func(*cloudwatch.Options)) (*cloudwatch.SetAlarmStateOutput, error) {
	const op = "SetAlarmState"
	r, end, err := a.begin(ctx, op, cloudWatchRegion(opts))
	defer end()
	if err != nil {
		return nil, err
	}
	name := aws.ToString(in.AlarmName)
	al, ok := r.alarms.now[name]
	switch {
	case !ok:
		return nil, refuse(op, "ResourceNotFound", "Unknown alarm %s", name)
	case !slices.Contains(in.StateValue.Values(), in.StateValue) || in.StateReason == nil:
		return nil, refuse(op, invalidAlarm, "StateValue or StateReason is missing")
	}
	now := a.now()
	if al.StateValue != in.StateValue {
		al.StateTransitionedTimestamp = &now
	}
	al.StateValue, al.StateUpdatedTimestamp = in.StateValue, &now
	r.alarms.write(a.lag)[name] = al
	a.wrote(op, r, name)
	return &cloudwatch.SetAlarmStateOutput{}, nil
}

// PutCompositeAlarm creates or overwrites an alarm that stands on others.
// Source: CloudWatch API Reference, PutCompositeAlarm.
func (a *Account) PutCompositeAlarm(ctx context.Context, in *cloudwatch.PutCompositeAlarmInput, opts ...func(*cloudwatch.Options)) (*cloudwatch.PutCompositeAlarmOutput, error) {
	const op = "PutCompositeAlarm"
	r, end, err := a.begin(ctx, op, cloudWatchRegion(opts))
	defer end()
	if err != nil {
		return nil, err
	}
	name := aws.ToString(in.AlarmName)
	switch _, taken := r.alarms.now[name]; {
	case name == "" || aws.ToString(in.AlarmRule) == "":
		return nil, refuse(op, invalidAlarm, "AlarmName or AlarmRule is missing")
	case taken:
		return nil, refuse(op, invalidAlarm, "there is a metric alarm of that name")
	case in.ActionsSuppressor != nil && (in.ActionsSuppressorWaitPeriod == nil || in.ActionsSuppressorExtensionPeriod == nil):
		return nil, refuse(op, invalidAlarm, "ActionsSuppressor comes with both periods")
	}
	c := types.CompositeAlarm{
		AlarmName: in.AlarmName, AlarmArn: aws.String("arn:aws:cloudwatch:" + r.name + ":" + a.ID + ":alarm:" + name),
		AlarmRule: in.AlarmRule, AlarmDescription: in.AlarmDescription, ActionConfiguration: in.ActionConfiguration,
		ActionsEnabled: aws.Bool(in.ActionsEnabled == nil || *in.ActionsEnabled), AlarmActions: in.AlarmActions, OKActions: in.OKActions,
		InsufficientDataActions: in.InsufficientDataActions, ActionsSuppressor: in.ActionsSuppressor,
		ActionsSuppressorWaitPeriod: in.ActionsSuppressorWaitPeriod, ActionsSuppressorExtensionPeriod: in.ActionsSuppressorExtensionPeriod,
		StateValue: types.StateValueInsufficientData,
	}
	r.composites.write(a.lag)[name] = c
	a.wrote(op, r, name)
	return &cloudwatch.PutCompositeAlarmOutput{}, nil
}

func compositeState(c types.CompositeAlarm) any {
	c.StateValue, c.AlarmArn = "", nil
	return c
}

// A muteRule is an alarm mute rule. Its schedule is kept and not evaluated:
// it is ACTIVE, SCHEDULED before its start, EXPIRED after its end.
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

// kind tells a rule that recurs (cron) from one that does not (at). Source:
// CloudWatch API Reference, PutAlarmMuteRule.
func (m muteRule) kind() *string {
	if strings.HasPrefix(aws.ToString(m.Rule.Schedule.Expression), "at(") {
		return aws.String("ONE_TIME")
	}
	return aws.String("RECURRING")
}

func (a *Account) muteARN(r *region, name string) *string {
	return aws.String("arn:aws:cloudwatch:" + r.name + ":" + a.ID + ":alarm-mute-rule:" + name)
}

// PutAlarmMuteRule makes or overwrites a mute rule over up to 100 alarms.
// Source: CloudWatch API Reference, PutAlarmMuteRule and MuteTargets; the
// code of a refusal is unverified.
func (a *Account) PutAlarmMuteRule(ctx context.Context, in *cloudwatch.PutAlarmMuteRuleInput, opts ...func(*cloudwatch.Options)) (*cloudwatch.PutAlarmMuteRuleOutput, error) {
	const op = "PutAlarmMuteRule"
	r, end, err := a.begin(ctx, op, cloudWatchRegion(opts))
	defer end()
	if err != nil {
		return nil, err
	}
	switch {
	case aws.ToString(in.Name) == "":
		return nil, refuse(op, invalidAlarm, "Name is missing")
	case in.Rule == nil || in.Rule.Schedule == nil || aws.ToString(in.Rule.Schedule.Expression) == "" || aws.ToString(in.Rule.Schedule.Duration) == "":
		return nil, refuse(op, invalidAlarm, "Rule has no schedule with expression and duration")
	case in.MuteTargets != nil && len(in.MuteTargets.AlarmNames) > mostAlarms:
		return nil, refuse(op, invalidAlarm, "at most 100 alarm names")
	}
	if in.MuteTargets != nil { // "The alarm names must match existing alarms": CloudWatch API Reference, MuteTargets
		for _, name := range in.MuteTargets.AlarmNames {
			_, metric := r.alarms.now[name]
			if _, composite := r.composites.now[name]; !metric && !composite {
				return nil, refuse(op, invalidAlarm, "there is no alarm %s", name)
			}
		}
	}
	r.mutes.write(a.lag)[*in.Name] = muteRule{*in}
	a.wrote(op, r, *in.Name)
	return &cloudwatch.PutAlarmMuteRuleOutput{}, nil
}

// GetAlarmMuteRule returns one rule.
func (a *Account) GetAlarmMuteRule(ctx context.Context, in *cloudwatch.GetAlarmMuteRuleInput, opts ...func(*cloudwatch.Options)) (*cloudwatch.GetAlarmMuteRuleOutput, error) {
	const op = "GetAlarmMuteRule"
	r, end, err := a.begin(ctx, op, cloudWatchRegion(opts))
	defer end()
	if err != nil {
		return nil, err
	}
	m, ok := r.mutes.now[aws.ToString(in.AlarmMuteRuleName)]
	if !ok {
		return nil, refuse(op, "ResourceNotFoundException", "there is no mute rule %s", aws.ToString(in.AlarmMuteRuleName))
	}
	return &cloudwatch.GetAlarmMuteRuleOutput{
		Name: m.Name, AlarmMuteRuleArn: a.muteARN(r, *m.Name), MuteTargets: m.MuteTargets, Rule: m.Rule, Description: m.Description,
		ExpireDate: m.ExpireDate, StartDate: m.StartDate, Status: m.status(a.now()), MuteType: m.kind(),
	}, nil
}

// ListAlarmMuteRules lists rules without their targets, 50 a page, those over
// one alarm if that is given. Source: CloudWatch API Reference,
// ListAlarmMuteRules.
func (a *Account) ListAlarmMuteRules(ctx context.Context, in *cloudwatch.ListAlarmMuteRulesInput, opts ...func(*cloudwatch.Options)) (*cloudwatch.ListAlarmMuteRulesOutput, error) {
	const op = "ListAlarmMuteRules"
	r, end, err := a.begin(ctx, op, cloudWatchRegion(opts))
	defer end()
	if err != nil {
		return nil, err
	}
	found := map[string]types.AlarmMuteRuleSummary{}
	for name, m := range r.mutes.read(in.NextToken == nil) {
		status := m.status(a.now())
		if len(in.Statuses) > 0 && !slices.Contains(in.Statuses, status) ||
			in.AlarmName != nil && (m.MuteTargets == nil || !slices.Contains(m.MuteTargets.AlarmNames, *in.AlarmName)) {
			continue
		}
		found[name] = types.AlarmMuteRuleSummary{AlarmMuteRuleArn: a.muteARN(r, name), ExpireDate: m.ExpireDate, Status: status, MuteType: m.kind()}
	}
	list, token, err := paged(a, page{
		op: op, token: in.NextToken, ask: in.MaxRecords, least: 1, most: mostAlarms, usual: usualAlarms, limit: invalidAlarm, bad: "InvalidNextToken",
	}, found)
	return &cloudwatch.ListAlarmMuteRulesOutput{AlarmMuteRuleSummaries: list, NextToken: token}, err
}

// DeleteAlarmMuteRule deletes a rule, and does nothing where there is none.
// Source: CloudWatch API Reference, DeleteAlarmMuteRule.
func (a *Account) DeleteAlarmMuteRule(ctx context.Context, in *cloudwatch.DeleteAlarmMuteRuleInput, opts ...func(*cloudwatch.Options)) (*cloudwatch.DeleteAlarmMuteRuleOutput, error) {
	const op = "DeleteAlarmMuteRule"
	r, end, err := a.begin(ctx, op, cloudWatchRegion(opts))
	defer end()
	if err != nil {
		return nil, err
	}
	name := aws.ToString(in.AlarmMuteRuleName)
	if _, ok := r.mutes.now[name]; ok {
		delete(r.mutes.write(a.lag), name)
		a.wrote(op, r, name)
	}
	return &cloudwatch.DeleteAlarmMuteRuleOutput{}, nil
}

func cloudWatchRegion(opts []func(*cloudwatch.Options)) string {
	var o cloudwatch.Options
	for _, f := range opts {
		f(&o)
	}
	return o.Region
}
