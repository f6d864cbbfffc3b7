package awsio

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/plan"
	"github.com/relight-aws/relight/internal/remedy"
)

func (r *region) cloudwatch() *cloudwatch.Client { return client(r, cloudwatch.NewFromConfig) }

// Alarms returns the kind whose plans put back relight's alarms.
func Alarms() Kind {
	return kindOf(
		catalog.Alarms,
		(*region).observeAlarms,
		each((*region).putAlarm),
		each((*region).deleteMuteRule),
		each((*region).unsuppress),
	)
}

// nested is how deep composite alarms may be in each other for an event about the
// outer one. The sweep reads all of them.
const nested = 4

// observeAlarms reads as little as the scope allows:
//
//	relight's alarms only,   those alarms, and the topics of one without room for relight's;
//	and the stack's          everything but the mute rules if an alarm of another type
//	                         has the name
//	metric filters           relight's alarms of the same names; if one is missing,
//	                         everything but the mute rules
//	any other, hashed too    all of relight's by name; if one is missing, another
//	                         alarm may have satisfied its control, so then
//	                         everything but the mute rules
//	muted alarms             as above, and the mute rules of relight's alarms
//	                         among them, or of all if one is missing
//	composite alarms         all of relight's by name, the composite ones, and if one of
//	                         those has a suppressor, the alarms that it depends on
//	no names                 trail, filters, every alarm, the topics, mute rules
func (r *region) observeAlarms(ctx context.Context, s remedy.Scope) (*plan.AlarmState, error) {
	var controls []string
	for _, control := range r.Want.Controls {
		controls = append(controls, r.Want.Name(control.ID))
	}
	ours := slices.Concat(controls, r.stackAlarms())
	for _, control := range r.Want.FlowLogControls {
		ours = append(ours, r.Want.Name(control.ID))
	}
	named := s.Names.List()
	if len(named) == 0 {
		return r.observeAllAlarms(ctx, s)
	}
	if s.Type == catalog.Filter {
		named = slices.DeleteFunc(named, func(n string) bool { return !slices.Contains(controls, n) })
		if len(named) == 0 {
			return &plan.AlarmState{}, nil
		}
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
	err := r.describeAlarms(ctx, state, ask)
	for range nested {
		more := state.Behind(ask)
		if err != nil || len(more) == 0 {
			break
		}
		ask = append(ask, more...)
		err = r.describeAlarms(ctx, state, more)
	}
	if err != nil {
		return nil, err
	}
	for _, name := range state.Named {
		if _, exists := state.Alarms[name]; state.Taken[name] != "" || !exists && slices.Contains(controls, name) && (s.Type == catalog.Filter || !slices.Contains(named, name)) {
			return r.observeAllAlarms(ctx, s)
		}
	}
	var ofTopics, ofMutes []plan.Finding
	var mutes []plan.MuteRule
	err = atOnce(
		func() (err error) {
			ofTopics, err = r.readTopics(ctx, state, r.crowd(state))
			return err
		},
		func() (err error) {
			if s.Type == catalog.MutedAlarm {
				mutes, ofMutes, err = r.readMuted(ctx, slices.DeleteFunc(named, func(n string) bool { return !slices.Contains(ours, n) }))
			}
			return err
		},
	)
	if err != nil {
		return nil, err
	}
	state.Mutes, state.Unread = mutes, slices.Concat(ofTopics, ofMutes)
	return state, nil
}

// observeAllAlarms reads what observeAlarms says of a scope without names.
func (r *region) observeAllAlarms(ctx context.Context, s remedy.Scope) (*plan.AlarmState, error) {
	state := &plan.AlarmState{Full: true}
	readTrail := func() error { return r.readMeasured(ctx, state) }
	readAlarms := func() error { return r.describeAlarms(ctx, state, nil) }
	var err error
	if len(r.stackAlarms()) > 0 { // relight needs the alarms, whatever the trail is
		err = atOnce(readTrail, readAlarms)
	} else if err = readTrail(); err == nil && state.Trail.LogGroup != "" {
		err = readAlarms()
	}
	if err != nil {
		return nil, err
	}
	if state.Trail.LogGroup == "" && len(r.stackAlarms()) == 0 {
		return state, nil
	}
	var ofMutes, ofHistory, ofMetrics []plan.Finding
	var mutes []plan.MuteRule
	measuring := r.measuring(state)
	var stuck map[string]int64
	sweep := s.Names == "" && s.Type == ""
	err = atOnce(
		func() (err error) {
			if s.Names == "" || s.Type == catalog.MutedAlarm || s.Type == catalog.CompositeAlarm {
				mutes, ofMutes, err = r.readMuted(ctx, measuring)
			}
			return err
		},
		func() (err error) {
			if sweep {
				stuck, err = r.describeStuck(ctx, state.Alarms, measuring)
				ofHistory, err = unread(plan.AlarmHistoryUnread, plan.Args{}, err)
			}
			return err
		},
		func() (err error) {
			if sweep && state.Trail.LogGroup != "" {
				ofMetrics, err = unread(plan.MetricsUnread, plan.Args{}, r.describeNegatives(ctx, state))
			}
			return err
		},
	)
	if err != nil {
		return nil, err
	}
	state.Mutes = mutes
	for name, seconds := range stuck {
		a := state.Alarms[name]
		a.InAlarmOf = seconds
		state.Alarms[name] = a
	}
	topics := map[string][]string{}
	if state.Trail.LogGroup != "" {
		topics = state.DecidingTopics(r.Want)
	}
	for topic, alarms := range r.crowd(state) {
		topics[topic] = append(topics[topic], alarms...)
	}
	ofTopics, err := r.readTopics(ctx, state, topics)
	state.Unread = slices.Concat(ofMutes, ofHistory, ofMetrics, ofTopics)
	return state, err
}

// readMeasured reads which log group's filters write the metrics that alarms watch, and
// those filters. There are none if relight protects no log group here.
func (r *region) readMeasured(ctx context.Context, state *plan.AlarmState) (err error) {
	if state.Trail, err = r.trailLogs(ctx); err != nil || state.Trail.LogGroup == "" {
		return err
	}
	filters, exists, err := r.describeFilters(ctx, state.Trail.LogGroup)
	if err != nil {
		return err
	}
	if state.Trail, err = r.confirmTrailLogs(ctx, state.Trail, filters, exists); err == nil && state.Trail.LogGroup != "" {
		state.Filters = filters
	}
	return err
}

// readMuted reads the rules that silence any of the alarms. What relight may not read
// becomes a finding.
func (r *region) readMuted(ctx context.Context, alarms []string) (rules []plan.MuteRule, missed []plan.Finding, err error) {
	rules, err = r.mutes(ctx, alarms)
	missed, err = unread(plan.AlarmMutesUnread, plan.Args{}, err)
	return rules, missed, err
}

// lookBack is how far back a sweep looks for negative values: past the sweep before
// it, which may have come late or failed.
const lookBack = 30 * time.Minute

// describeNegatives reads the smallest values of the metrics of alarms that take the
// sum, in one call for each 500 metrics, and in none if no alarm takes it. Source:
// CloudWatch API Reference, GetMetricData.
func (r *region) describeNegatives(ctx context.Context, state *plan.AlarmState) error {
	const most = 500
	if r.Now == nil {
		return nil
	}
	for batch := range slices.Chunk(state.Summing(r.Want), most) {
		in := &cloudwatch.GetMetricDataInput{StartTime: aws.Time(r.Now().Add(-lookBack)), EndTime: aws.Time(r.Now())}
		for i, a := range batch {
			in.MetricDataQueries = append(in.MetricDataQueries, types.MetricDataQuery{
				Id: aws.String(fmt.Sprintf("m%d", i)),
				MetricStat: &types.MetricStat{
					Metric: &types.Metric{Namespace: aws.String(a.Namespace), MetricName: aws.String(a.Metric)}, Period: aws.Int32(300), Stat: aws.String("Minimum"),
				},
			})
		}
		least := make([]float64, len(batch))
		for page, err := range pages(ctx, cloudwatch.NewGetMetricDataPaginator(r.cloudwatch(), in)) {
			if err != nil {
				return err
			}
			for _, m := range page.MetricDataResults {
				var i int
				if _, err := fmt.Sscanf(aws.ToString(m.Id), "m%d", &i); err == nil && i < len(least) && len(m.Values) > 0 {
					least[i] = min(least[i], slices.Min(m.Values))
				}
			}
		}
		for i, a := range batch {
			if least[i] < 0 {
				state.Negative = append(state.Negative, plan.Negative{
					Alarm: a.Name, Namespace: a.Namespace, Metric: a.Metric, Value: least[i], Minutes: int(lookBack.Minutes()),
				})
			}
		}
	}
	return nil
}

// stackAlarms returns the names of the alarms on relight itself.
func (r *region) stackAlarms() (names []string) {
	for _, a := range r.Want.OwnAlarms() {
		names = append(names, r.Want.Name(a.ID))
	}
	return names
}

// crowd returns the actions of relight's alarms that leave no room for relight's
// topic, each with the names of those alarms.
func (r *region) crowd(state *plan.AlarmState) map[string][]string {
	alarms := map[string][]string{}
	for name, a := range state.Alarms {
		if strings.HasPrefix(name, r.Want.Name("")) && len(a.AlarmActions) >= catalog.ActionsPerState && !slices.Contains(a.AlarmActions, r.Want.Topic) {
			for _, action := range a.AlarmActions {
				alarms[action] = append(alarms[action], name)
			}
		}
	}
	return alarms
}

// readTopics reads the health of topics. A topic that relight may not read
// becomes a finding and counts as one that reaches nobody: a topic's own policy
// must not keep the alarms from being restored.
func (r *region) readTopics(ctx context.Context, state *plan.AlarmState, topics map[string][]string) (all []plan.Finding, err error) {
	state.Topics = map[string]plan.Topic{}
	rs := r.receivers()
	for _, topic := range sortedKeys(topics) {
		found, err := rs.describeTopics(ctx, map[string][]string{topic: topics[topic]})
		if err != nil {
			missed, err := unread(plan.AlarmTopicUnread, plan.Args{"topic": topic}, err)
			if err != nil {
				return nil, err
			}
			all = append(all, missed...)
		}
		maps.Copy(state.Topics, found)
	}
	return all, nil
}

// measuring returns the names of the alarms that watch the metric of a
// control's filter, of all alarms that could be relight's, and of the stack's.
func (r *region) measuring(state *plan.AlarmState) (names []string) {
	names = r.stackAlarms()
	for name := range state.Alarms {
		if slices.ContainsFunc(slices.Concat(r.Want.Controls, r.Want.FlowLogControls), func(control catalog.Control) bool { return strings.HasPrefix(name, r.Want.Name(control.ID)) }) {
			names = append(names, name)
		}
	}
	for _, f := range state.Filters {
		if !plan.MeasuresAny(r.Want, f) {
			continue
		}
		for _, a := range state.Alarms {
			if a.Namespace == f.Metrics[0].Namespace && a.Metric == f.Metrics[0].Name {
				names = append(names, a.Name)
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// invalidCodes are CloudWatch's codes for a parameter that it does not take.
var invalidCodes = []string{"ValidationError", "InvalidParameterValue", "InvalidParameterCombination"}

// alarmTypes lists the types of alarms; they share one space of names. Source:
// CloudWatch API Reference, PutMetricAlarm, AlarmName. A region that does not know
// log alarms (belief log-alarms-are-known-everywhere, assumed) would refuse the
// whole list, so relight then asks again without the last type.
var alarmTypes = []types.AlarmType{types.AlarmTypeMetricAlarm, types.AlarmTypeCompositeAlarm, types.AlarmTypeLogAlarm}

// describeAlarms adds the named alarms that exist, of every type, or every alarm of
// the region if no names are given.
func (r *region) describeAlarms(ctx context.Context, state *plan.AlarmState, names []string) error {
	chunks := [][]string{nil}
	if len(names) > 0 {
		chunks = slices.Collect(slices.Chunk(names, catalog.AlarmsPerCall))
	}
	if state.Alarms == nil {
		state.Alarms, state.Taken = map[string]plan.Alarm{}, map[string]string{}
	}
	known := alarmTypes
	for i := 0; i < len(chunks); i++ {
		in := &cloudwatch.DescribeAlarmsInput{AlarmNames: chunks[i], AlarmTypes: known, MaxRecords: aws.Int32(catalog.AlarmsPerCall)}
		err := r.listAlarms(ctx, state, in)
		switch {
		case err == nil:
		case len(known) == len(alarmTypes) && slices.Contains(invalidCodes, codeOf(err)):
			known = alarmTypes[:2]
			i--
		default:
			return err
		}
	}
	return nil
}

// listAlarms adds the alarms of a listing to what was observed.
func (r *region) listAlarms(ctx context.Context, state *plan.AlarmState, in *cloudwatch.DescribeAlarmsInput) error {
	for page, err := range pages(ctx, cloudwatch.NewDescribeAlarmsPaginator(r.cloudwatch(), in)) {
		if err != nil {
			return err
		}
		for _, a := range page.MetricAlarms {
			got := alarmOf(a)
			got.InAlarmFor = r.inAlarmFor(a)
			state.Alarms[got.Name] = got
		}
		for _, a := range page.CompositeAlarms {
			state.Composites = append(state.Composites, compositeOf(a))
			state.Taken[aws.ToString(a.AlarmName)] = "composite alarm"
		}
		for _, a := range page.LogAlarms {
			state.Taken[aws.ToString(a.AlarmName)] = "log alarm"
		}
	}
	return nil
}

// inAlarmFor returns for how many seconds an alarm has been in ALARM, or 0. An
// update of the state need not change the state, so the time of the last update
// can only make the result too short.
func (r *region) inAlarmFor(a types.MetricAlarm) int64 {
	since := cmp.Or(a.StateTransitionedTimestamp, a.StateUpdatedTimestamp)
	if a.StateValue != types.StateValueAlarm || since == nil || r.Now == nil {
		return 0
	}
	return max(0, int64(r.Now().Sub(*since).Seconds()))
}

// mostChanges limits how many changes of an alarm's state a sweep reads. Every change
// into ALARM notified somebody.
const mostChanges = 300

// describeStuck returns for how many seconds in all alarms have been in ALARM, from their
// histories, which nobody can change. It reads those of the alarms that are in ALARM, unless that has
// been for so long already. Source: CloudWatch API Reference, DescribeAlarmHistory;
// CloudWatch keeps a history for 30 days.
func (r *region) describeStuck(ctx context.Context, alarms map[string]plan.Alarm, names []string) (map[string]int64, error) {
	own := r.stackAlarms()
	stuck := map[string]int64{}
	for _, name := range names {
		a := alarms[name]
		if a.InAlarmFor == 0 || a.InAlarmFor > catalog.StuckAfter || slices.Contains(own, name) {
			continue
		}
		since := r.Now().Add(-catalog.StuckWithin * time.Second)
		until, inAlarm := r.Now(), time.Duration(0)
		from := "" // the state before the oldest change that was read
		read := 0
		in := &cloudwatch.DescribeAlarmHistoryInput{
			AlarmName: aws.String(name), HistoryItemType: types.HistoryItemTypeStateUpdate, StartDate: aws.Time(since), EndDate: aws.Time(until),
			ScanBy: types.ScanByTimestampDescending, MaxRecords: aws.Int32(100),
		}
		for page, err := range pages(ctx, cloudwatch.NewDescribeAlarmHistoryPaginator(r.cloudwatch(), in)) {
			if err != nil {
				return stuck, err
			}
			for _, item := range page.AlarmHistoryItems {
				var to string
				if from, to = stateChange(aws.ToString(item.HistoryData)); to == string(types.StateValueAlarm) {
					inAlarm += until.Sub(aws.ToTime(item.Timestamp))
				}
				until = aws.ToTime(item.Timestamp)
			}
			if read += len(page.AlarmHistoryItems); read >= mostChanges {
				from = "" // what came before is not known
				break
			}
		}
		if from == string(types.StateValueAlarm) {
			inAlarm += until.Sub(since)
		}
		stuck[name] = int64(inAlarm.Seconds())
	}
	return stuck, nil
}

// stateChange returns the states before and after a change in an alarm's history, or
// "" for what it does not say. Source: AWS CLI Command Reference, cloudwatch
// describe-alarm-history, example.
func stateChange(history string) (from, to string) {
	type state struct {
		Value string `json:"stateValue"`
	}
	var change struct {
		Old state `json:"oldState"`
		New state `json:"newState"`
	}
	_ = json.Unmarshal([]byte(history), &change) // what cannot be read says nothing
	return change.Old.Value, change.New.Value
}

// mutes returns the rules that silence any of the alarms now or later. A listing
// does not say which alarms a rule silences, so relight makes one call more for each
// rule of the region, or for each of the alarms if those are fewer.
func (r *region) mutes(ctx context.Context, alarms []string) ([]plan.MuteRule, error) {
	if len(alarms) > 1 {
		rules, err := r.listMutes(ctx, "")
		if err != nil {
			return nil, err
		}
		if len(rules) < len(alarms) {
			return r.readMutes(ctx, rules, alarms)
		}
	}
	return r.mutesOf(ctx, alarms)
}

// readMutes returns those of the rules that silence any of the alarms. Source:
// CloudWatch API Reference, GetAlarmMuteRule and MuteTargets.
func (r *region) readMutes(ctx context.Context, rules []plan.MuteRule, alarms []string) (all []plan.MuteRule, _ error) {
	for _, rule := range rules {
		out, err := r.cloudwatch().GetAlarmMuteRule(ctx, &cloudwatch.GetAlarmMuteRuleInput{AlarmMuteRuleName: aws.String(rule.Name)})
		switch {
		case remedy.ClassOf(err) == remedy.Missing: // it was deleted meanwhile
			continue
		case err != nil:
			return nil, err
		case out.MuteTargets == nil:
			continue
		}
		for _, alarm := range alarms {
			if slices.Contains(out.MuteTargets.AlarmNames, alarm) {
				rule.Alarms = append(rule.Alarms, alarm)
			}
		}
		if len(rule.Alarms) > 0 {
			all = append(all, rule)
		}
	}
	return all, nil
}

// mutesOf asks for each of the alarms which rules silence it now or later.
func (r *region) mutesOf(ctx context.Context, alarms []string) ([]plan.MuteRule, error) {
	byName := map[string]plan.MuteRule{}
	for _, alarm := range alarms {
		rules, err := r.listMutes(ctx, alarm)
		if err != nil {
			return nil, err
		}
		for _, rule := range rules {
			rule.Alarms = append(byName[rule.Name].Alarms, alarm)
			byName[rule.Name] = rule
		}
	}
	var all []plan.MuteRule
	for _, name := range sortedKeys(byName) {
		all = append(all, byName[name])
	}
	return all, nil
}

// listMutes returns the rules that are or will be in force over an alarm, or
// over any alarm for "".
func (r *region) listMutes(ctx context.Context, alarm string) ([]plan.MuteRule, error) {
	var rules []plan.MuteRule
	in := &cloudwatch.ListAlarmMuteRulesInput{
		MaxRecords: aws.Int32(100), AlarmName: nonzero(alarm), Statuses: []types.AlarmMuteRuleStatus{types.AlarmMuteRuleStatusActive, types.AlarmMuteRuleStatusScheduled},
	}
	for page, err := range pages(ctx, cloudwatch.NewListAlarmMuteRulesPaginator(r.cloudwatch(), in)) {
		if err != nil {
			return nil, err
		}
		for _, rule := range page.AlarmMuteRuleSummaries {
			name := resourceOf(aws.ToString(rule.AlarmMuteRuleArn), "alarm-mute-rule:") // format of the ARN: API Reference, PutAlarmMuteRule
			rules = append(rules, plan.MuteRule{Name: name, Kind: aws.ToString(rule.MuteType)})
		}
	}
	return rules, nil
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

func (r *region) deleteMuteRule(ctx context.Context, a plan.DeleteMuteRule) error {
	_, err := r.cloudwatch().DeleteAlarmMuteRule(ctx, &cloudwatch.DeleteAlarmMuteRuleInput{AlarmMuteRuleName: aws.String(a.Rule)})
	return err
}

// unsuppress writes a whole composite alarm, as PutCompositeAlarm requires,
// without its suppressor. The alarm keeps its tags: CloudWatch ignores tags on
// a change.
func (r *region) unsuppress(ctx context.Context, a plan.Unsuppress) error {
	_, err := r.cloudwatch().PutCompositeAlarm(ctx, &cloudwatch.PutCompositeAlarmInput{
		AlarmName: aws.String(a.Alarm.Name), AlarmRule: aws.String(a.Alarm.Rule), AlarmDescription: nonzero(a.Alarm.Description),
		ActionsEnabled: aws.Bool(a.Alarm.ActionsEnabled), AlarmActions: a.Alarm.AlarmActions, OKActions: a.Alarm.OKActions,
		InsufficientDataActions: a.Alarm.InsufficientActions, ActionConfiguration: actionConfiguration(a.Alarm.TagsSent),
	})
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
		if got.Dimensions == nil {
			got.Dimensions = map[string]string{}
		}
		got.Dimensions[aws.ToString(d.Name)] = aws.ToString(d.Value)
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
		// CloudWatch API Reference, WarmUpConfiguration: until the warm-up
		// ends, CloudWatch evaluates nothing and takes no actions. Without the
		// flag the first data point ends it.
		got.Other = fmt.Sprintf("nothing for %d minutes", aws.ToInt32(a.WarmUpConfiguration.WarmUpPeriodDurationInMinutes))
	}
	return got
}

// putAlarm writes the whole alarm, as PutMetricAlarm requires. CloudWatch
// applies the tags to a new alarm and ignores them for an existing one. Some
// actions, and tags that an alarm sends along, need permissions of their own: if
// CloudWatch refuses what others added, relight restores its alarm without it.
func (r *region) putAlarm(ctx context.Context, a plan.PutAlarm) error {
	if r.Want.Topic == "" {
		return notDeployed("cloudwatch.PutMetricAlarm", a.Alarm.Name, "topic")
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
		Tags:                    tagList(a.Tags, func(k, v *string) types.Tag { return types.Tag{Key: k, Value: v} }),
	}
	for _, name := range sortedKeys(a.Alarm.Dimensions) {
		in.Dimensions = append(in.Dimensions, types.Dimension{Name: aws.String(name), Value: aws.String(a.Alarm.Dimensions[name])})
	}
	bare := *in
	bare.AlarmActions, bare.OKActions, bare.InsufficientDataActions, bare.ActionConfiguration = []string{cmp.Or(a.Topic, r.Want.Topic)}, nil, nil, nil
	parts := []string{partTags}
	if len(in.AlarmActions)+len(in.OKActions)+len(in.InsufficientDataActions) > 1 || in.ActionConfiguration != nil {
		parts = append(parts, partOthers)
	}
	without, refusal, err := createWithout(func(without []string) error {
		try := *in
		if slices.Contains(without, partOthers) {
			try = bare
		}
		if slices.Contains(without, partTags) {
			try.Tags = nil
		}
		_, err := r.cloudwatch().PutMetricAlarm(ctx, &try)
		return err
	}, blamesPart, parts...)
	return cmp.Or(err, incomplete("the alarm", without, refusal, ""))
}
