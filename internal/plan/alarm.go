package plan

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/lazy"
	"github.com/relight-aws/relight/internal/order"
)

// AlarmState is what was observed of the alarms in scope. Unless Full is set,
// only the alarms in Named were read, and a control whose alarm is not among
// them is not planned.
type AlarmState struct {
	Full    bool
	Named   []string          // names that were asked for; those not in Alarms do not exist
	Alarms  map[string]Alarm  // by name; every metric alarm of the region if Full
	Taken   map[string]string // names of alarms of the other types, each with its type: "composite alarm"
	Trail   TrailLogs         // set if Full
	Filters []Filter          // of the trail's log group; set if Full
	Topics  map[string]Topic  // by ARN, those of DecidingTopics if Full, and those that leave no room for relight's

	Mutes      []MuteRule  // that cover an alarm of a control, now or later; set if Full, or for the alarms that were asked about
	Composites []Composite // every composite alarm if Full, or those that were asked about
	Negative   []Negative  // metrics of Summing that had negative values; read in an observation of everything
	Unread     []Finding   // about what could not be read and is not needed to plan
}

// A Negative is a negative value that a metric had a short while ago.
type Negative struct {
	Alarm, Namespace, Metric string
	Value                    float64
	Minutes                  int // within how many it had the value
}

// Kind returns the kind that the state is of.
func (*AlarmState) Kind() catalog.Kind { return catalog.Alarms }

// A MuteRule silences alarms for some time, whatever their own settings are.
type MuteRule struct {
	Name   string
	Alarms []string // those it covers, among the alarms that were asked about
	Kind   string   // ONE_TIME or RECURRING
}

// A Composite is an alarm whose state depends on other alarms, with everything
// that PutCompositeAlarm takes.
type Composite struct {
	Name                string
	Rule                string // "ALARM(relight-root-usage) OR …"
	Suppressor          string // name or ARN of the alarm that silences it; "" for none
	ActionsEnabled      bool
	AlarmActions        []string
	OKActions           []string
	InsufficientActions []string
	Description         string
	TagsSent            *TagsSent
}

// TagsSent says which of its tags an alarm sends with a notification; nil for
// the defaults.
type TagsSent struct {
	Enabled  bool
	Included []string // keys; none for all but Excluded
	Excluded []string // keys
}

// An Alarm is a metric alarm. Settings that relight does not require are kept,
// so that a repair can preserve them.
type Alarm struct {
	Name           string
	Namespace      string
	Metric         string
	Dimensions     map[string]string
	Statistic      string
	Unit           string
	Period         int32 // seconds
	Comparison     string
	Threshold      float64
	Periods        int32  // evaluation periods
	Datapoints     int32  // datapoints to alarm; 0 means Periods
	Missing        string // how missing data is treated
	Other          string // what it evaluates instead of one metric in a sliding window; "" for nothing
	ActionsEnabled bool

	AlarmActions        []string
	OKActions           []string
	InsufficientActions []string
	Description         string
	TagsSent            *TagsSent
	InAlarmFor          int64 // seconds; 0 in any other state, and where CloudWatch does not say since when
	InAlarmOf           int64 // seconds of the last catalog.StuckWithin, in all; read by sweeps, of alarms that are in ALARM
}

// A Topic is an SNS topic that an alarm notifies.
type Topic struct {
	Exists    bool
	Admits    bool     // its policy and key let CloudWatch publish
	Why       string   // why not, where Admits is false
	KeepsOut  []string // names of alarms that it does not admit, although it admits others
	Confirmed int      // confirmed subscriptions, but none if no subscriber can be shown to receive everything
	Pending   int      // subscriptions that wait for confirmation
}

// Reaches reports whether a message that CloudWatch sends for an alarm reaches a
// subscriber.
func (t Topic) Reaches(alarm string) bool {
	return t.Exists && t.Admits && !slices.Contains(t.KeepsOut, alarm) && t.Confirmed > 0
}

// PutAlarm creates or restores one of relight's alarms.
type PutAlarm struct {
	Alarm  Alarm
	Topic  string            // ARN of the topic of relight's that it has to notify, if not everything else that it notifies
	Tags   map[string]string // for a new alarm; CloudWatch ignores them on a change
	Reason string
}

// Step returns the action as a step of a plan.
func (a PutAlarm) Step() Step {
	return Step{Thing: "alarm", Stage: protect, Do: fmt.Sprintf("put alarm %s on %s/%s", a.Alarm.Name, a.Alarm.Namespace, a.Alarm.Metric), Target: a.Alarm.Name, Reason: a.Reason}
}

// DeleteMuteRule deletes a mute rule, whoever created it.
type DeleteMuteRule struct {
	Rule   string
	Reason string
}

// Step returns the action as a step of a plan.
func (a DeleteMuteRule) Step() Step {
	return Step{Stage: protect, Do: "delete alarm mute rule " + a.Rule, Target: a.Rule, Reason: a.Reason}
}

// Unsuppress removes the suppressor of a composite alarm.
type Unsuppress struct {
	Alarm  Composite
	Reason string
}

// Step returns the action as a step of a plan.
func (a Unsuppress) Step() Step {
	return Step{Stage: protect, Do: "remove the suppressor of composite alarm " + a.Alarm.Name, Target: a.Alarm.Name, Reason: a.Reason}
}

// plan plans the alarm of every control that was observed:
//
//	relight's alarm differs from the desired  restored; settings that others added are kept
//	its actions leave no room for the topic   a finding, and one of them is removed
//	any alarm satisfies the control           healthy
//	none                                      relight's alarm is created on the metric of the filter that measures the control
//	an alarm of another type has its name     a finding, and relight's alarm gets another name
//	an alarm of the stack differs             restored, like a control's; without the trail too
//	relight's alarm belongs to no control     unwanted: only a person knows whether anything else uses it
//
// and what silences those alarms without changing their settings:
//
//	a mute rule covers one of them            a finding, or deleted if the configuration says so
//	a composite alarm depends on one of them,
//	 through other composite alarms too,
//	 and has a suppressor                     a finding, or the suppressor is removed if the configuration says so
//	one takes the sum, and its metric had     a finding: the events may have gone unnoticed
//	 negative values
//	one has been in ALARM for a day, or for   a finding: new events send no notification
//	 more than one of the last two
func (observed *AlarmState) plan(want catalog.Desired, got Observed) Plan {
	var p Plan
	state := *observed
	if state.Full {
		p.Findings = append(p.Findings, state.Trail.Findings...)
		if state.Trail.Elsewhere != "" {
			p.Skips = append(p.Skips, Skip{"alarms", state.Trail.Elsewhere})
		}
		if state.Trail.LogGroup == "" {
			want.Controls = nil
		}
	}
	var unadopted []string      // topics of others' alarms that would satisfy a control, had somebody adopted them
	guards := map[string]bool{} // alarms that satisfy a control or are of the stack, or will once the plan is applied
	own := p.stackAlarms(want, state)
	for _, name := range own {
		guards[name] = true
	}
	for _, c := range want.FlowLogControls { // the kind flowlogs restores these, but only this one sees what silences them
		if _, exists := state.Alarms[want.Name(c.ID)]; exists {
			guards[want.Name(c.ID)] = true
		}
	}
	for _, c := range want.Controls {
		if !state.Full && !slices.Contains(state.Named, want.Name(c.ID)) {
			continue
		}
		names, foreign := p.alarm(want, got, c, state)
		for _, name := range names {
			guards[name] = true
		}
		unadopted = append(unadopted, foreign...)
	}
	p.notAdopted(catalog.Adoption{Topics: unadopted})
	names := slices.Sorted(maps.Keys(guards))
	p.touch(got, catalog.Alarm, names...)
	p.taken(want, got, state)
	p.unwantedAlarms(want, got, state, guards)
	alert := aboutSilence(got, guards)
	for _, f := range state.Unread {
		f.Alert = alert
		p.Findings = append(p.Findings, f)
	}
	for _, r := range state.Mutes {
		p.muted(want, r, guards, alert)
	}
	rules := rulesOf(state.Composites)
	for _, c := range state.Composites {
		p.suppressed(want, c, rules, names, alert)
	}
	for _, n := range state.Negative {
		p.find(MetricNegative, Args{
			"namespace": n.Namespace, "metric": n.Metric, "alarm": n.Alarm, "value": strconv.FormatFloat(n.Value, 'g', -1, 64), "minutes": strconv.Itoa(n.Minutes),
		})
	}
	for _, name := range names {
		switch a := state.Alarms[name]; {
		case slices.Contains(own, name):
		case a.InAlarmFor > catalog.StuckAfter:
			p.find(AlarmStuck, Args{"alarm": name})
		case a.InAlarmOf > catalog.StuckAfter:
			p.find(AlarmStuckAgain, Args{"alarm": name})
		}
	}
	return p
}

// aboutSilence reports whether an observation is about what silences alarms, or
// about an alarm that satisfies a control. Only then are people notified of a
// silenced alarm at once: other alarms change all day, and each of their events
// would report the same mute rule again.
func aboutSilence(got Observed, guards map[string]bool) bool {
	return got.Type == catalog.MutedAlarm || got.Type == catalog.CompositeAlarm ||
		slices.ContainsFunc(got.Asked, func(name string) bool { return guards[name] })
}

// muted plans a mute rule that covers an alarm of a control. The alarms still
// change state, but their actions are not taken. Source: CloudWatch API
// Reference, PutAlarmMuteRule. The text does not say whether the rule is in
// force now, or a recurring rule would be a new finding each time.
func (p *Plan) muted(want catalog.Desired, r MuteRule, guards map[string]bool, alert bool) {
	var silenced []string
	for _, name := range r.Alarms {
		if guards[name] {
			silenced = append(silenced, name)
		}
	}
	if len(silenced) == 0 {
		return
	}
	slices.Sort(silenced)
	alarms := strings.Join(silenced, ", ")
	if want.RemoveMutes {
		p.Actions = append(p.Actions, DeleteMuteRule{Rule: r.Name, Reason: "it silences " + alarms})
		return
	}
	f := NewFinding(AlarmMuted, Args{"rule": r.Name, "alarms": alarms, "kind": strings.ToLower(strings.ReplaceAll(r.Kind, "_", " "))})
	f.Alert = alert
	p.Findings = append(p.Findings, f)
}

// suppressed plans a composite alarm with a suppressor, if it depends on an
// alarm of a control. A rule that relight does not understand counts as one that
// may. The suppressor silences the actions of the composite
// alarm, not those of the alarms that it depends on. Source: CloudWatch User Guide,
// "Suppressing composite alarm actions".
func (p *Plan) suppressed(want catalog.Desired, c Composite, rules map[string]rule, guards []string, alert bool) {
	if c.Suppressor == "" {
		return
	}
	whole := wholeRule(rules, c.Name)
	i := slices.IndexFunc(guards, func(name string) bool { return slices.Contains(whole.names, name) })
	if i < 0 && (whole.understood || len(guards) == 0) {
		return // a rule that relight does not understand may name one of them
	}
	reason, f := "it reports nothing, and its rule may name alarms of the controls", NewFinding(CompositeUnclear, Args{"alarm": c.Name, "suppressor": c.Suppressor})
	if i >= 0 {
		reason, f = "it does not report "+guards[i], NewFinding(CompositeSuppressed, Args{"alarm": c.Name, "suppressor": c.Suppressor, "guard": guards[i]})
	}
	if want.RemoveMutes {
		reason = "while " + c.Suppressor + " is in ALARM, " + reason
		c.Suppressor = ""
		p.Actions = append(p.Actions, Unsuppress{Alarm: c, Reason: reason})
		return
	}
	f.Alert = alert
	p.Findings = append(p.Findings, f)
}

// A rule has the alarms that a composite alarm's rule names, and says whether
// relight understands the whole rule.
type rule struct {
	names      []string
	understood bool
}

// rulesOf reads the rules of composite alarms, each once, by the alarm's name.
func rulesOf(composites []Composite) map[string]rule {
	rules := make(map[string]rule, len(composites))
	for _, c := range composites {
		names, understood := alarmsIn(c.Rule)
		rules[c.Name] = rule{names, understood}
	}
	return rules
}

// wholeRule returns what the rules of composite alarms say, together with those of
// the composite alarms that they depend on.
func wholeRule(rules map[string]rule, composites ...string) rule {
	whole := rule{understood: true}
	named, known := map[string]bool{}, map[string]bool{}
	for _, name := range composites {
		known[name] = true
	}
	for todo := composites; len(todo) > 0; todo = todo[1:] {
		r := rules[todo[0]]
		whole.understood = whole.understood && r.understood
		for _, name := range r.names {
			if !named[name] {
				named[name] = true
				whole.names = append(whole.names, name)
			}
			if _, composite := rules[name]; composite && !known[name] {
				known[name] = true
				todo = append(todo, name)
			}
		}
	}
	return whole
}

// Behind returns the names of the alarms that the composite alarms with a
// suppressor depend on, as far as it is known, other than those that were asked for.
// Some may be composite alarms that have to be read.
func (observed *AlarmState) Behind(asked []string) []string {
	var suppressed []string
	for _, c := range observed.Composites {
		if c.Suppressor != "" {
			suppressed = append(suppressed, c.Name)
		}
	}
	return slices.DeleteFunc(slices.Sorted(slices.Values(wholeRule(rulesOf(observed.Composites), suppressed...).names)), func(name string) bool {
		return !catalog.AlarmShape.MatchString(name) || slices.Contains(asked, name)
	})
}

// alarmsIn returns the names of the alarms that a composite alarm's rule names,
// and whether relight understands the whole rule. It does not understand names with
// escaped quotes, or with wildcards. Sources: CloudWatch API
// Reference, PutCompositeAlarm, AlarmRule; CloudWatch User Guide, "Create a
// composite alarm" (AT_LEAST, and how a rule names alarms).
func alarmsIn(rule string) (names []string, understood bool) {
	rest := ruleTerm.ReplaceAllStringFunc(rule, func(term string) string {
		m := ruleTerm.FindStringSubmatch(term)
		for _, name := range ruleName.FindAllString(m[1]+m[2], -1) {
			names = append(names, alarmNamed(name))
		}
		return " TRUE "
	})
	return names, ruleRest.MatchString(rest) && !slices.ContainsFunc(names, func(n string) bool { return strings.ContainsAny(n, `*?\`) })
}

// alarmNamed returns the name of an alarm that a rule names by name or by ARN, in
// quotes or without.
func alarmNamed(name string) string {
	name = strings.TrimSpace(strings.Trim(strings.TrimSpace(name), `"`))
	if strings.HasPrefix(name, "arn:") {
		return strings.TrimPrefix(arnOf(name).Resource, "alarm:")
	}
	return name
}

// These match the parts of a rule: a condition on one alarm or on several, a name
// in it, and what is left of a rule that relight understands, where each
// condition has been replaced by TRUE.
var (
	ruleTerm = lazy.Compile(`\b(?:ALARM|OK|INSUFFICIENT_DATA)\s*\(\s*(` + anAlarm + `)\s*\)` +
		`|\bAT_LEAST\s*\(\s*[\d.]+\s*%?\s*,\s*(?:NOT\s+)?(?:ALARM|OK|INSUFFICIENT_DATA)\s*,\s*\(\s*(` + anAlarm + `(?:,\s*` + anAlarm + `)*)\)\s*\)`)
	ruleName = lazy.Compile(anAlarm)
	ruleRest = lazy.Compile(`^(?:[\s()]|\b(?:AND|OR|NOT|TRUE|FALSE)\b)+$`)
)

const anAlarm = `(?:"[^"]*"\s*|[^"(),]+)`

// alarm plans the alarms of one control, and returns the names of those that
// satisfy it, or will once the plan is applied.
func (p *Plan) alarm(want catalog.Desired, got Observed, c catalog.Control, state AlarmState) (names, unadopted []string) {
	metrics := measuredBy(want, got.Adopted, c, state)
	for _, m := range metrics {
		own, exists := state.Alarms[state.nameOf(want, c, m)]
		if !exists {
			continue
		}
		names = append(names, own.Name)
		if why := differs(c, m, own, ownTopics(want, c)); why != "" {
			p.putAlarm(want, c, m, state.Topics, own, why)
		} else {
			p.Healthy++
		}
	}
	if len(names) > 0 {
		return names, nil
	}
	theirs := slices.DeleteFunc(slices.Clone(metrics), func(m Metric) bool { return ownMetric(want, c, m) }) // on its own metric, only relight's alarm counts
	for _, name := range slices.Sorted(maps.Keys(state.Alarms)) {
		a := state.Alarms[name]
		if !slices.ContainsFunc(theirs, func(m Metric) bool { return weaker(c, m, a, reaching(want, state.Topics, a.Name)) == "" }) {
			continue
		}
		var by, not []string
		for _, topic := range a.AlarmActions {
			switch {
			case topic == want.Topic:
				by = append(by, topic)
			case !state.Topics[topic].Reaches(a.Name):
			case got.Adopted.topic(topic):
				by = append(by, topic)
			default:
				not = append(not, topic)
			}
		}
		if len(by) == 0 {
			unadopted = append(unadopted, not...)
			continue
		}
		p.adopts(nil, slices.DeleteFunc(by, func(topic string) bool { return topic == want.Topic }), nil)
		names = append(names, a.Name)
	}
	if len(names) > 0 {
		p.Healthy++
		return names, nil
	}
	own := state.nameOf(want, c, metrics[0])
	p.putAlarm(want, c, metrics[0], state.Topics, Alarm{Name: own}, "no alarm watches "+c.Title)
	return []string{own}, unadopted
}

// nameOf returns the name of relight's alarm for a control on a metric. Names
// are unique among alarms of all types, so it passes over the names that
// composite and log alarms have.
func (state *AlarmState) nameOf(want catalog.Desired, c catalog.Control, m Metric) string {
	return state.free(AlarmName(want, c, m), want.Name(c.ID), m)
}

// free returns name, or if an alarm of another type has it, one of the names that
// begin with own instead.
func (state *AlarmState) free(name, own string, m Metric) string {
	for n := 2; state.Taken[name] != ""; n++ {
		name = own + "-" + short(m.Namespace, m.Name, strconv.Itoa(n))
	}
	return name
}

// taken reports the names of relight's alarms that alarms of another type have.
// The finding alerts if the run is about such a name, or creates the alarm under
// another one: other alarms change all day, and each of their events would report
// it again.
func (p *Plan) taken(want catalog.Desired, got Observed, state AlarmState) {
	report := func(name, instead string) {
		if name == instead {
			return
		}
		f := NewFinding(AlarmNameTaken, Args{"alarm": name, "type": state.Taken[name], "instead": instead})
		f.Alert = slices.Contains(got.Asked, name) ||
			slices.ContainsFunc(p.Actions, func(a Action) bool { return a.Step().Target == instead })
		p.Findings = append(p.Findings, f)
	}
	for _, c := range want.Controls {
		for _, m := range measuredBy(want, got.Adopted, c, state) {
			report(AlarmName(want, c, m), state.nameOf(want, c, m))
		}
	}
	for _, row := range want.OwnAlarms() {
		report(want.Name(row.ID), state.stackName(want, row))
	}
}

// putAlarm plans relight's alarm on a metric, starting from the observed alarm:
// its description and other actions stay.
func (p *Plan) putAlarm(want catalog.Desired, c catalog.Control, m Metric, topics map[string]Topic, from Alarm, reason string) {
	a := Alarm{
		Name: from.Name, Namespace: m.Namespace, Metric: m.Name,
		Statistic: c.Statistic(), Period: c.Period,
		Comparison: catalog.AlarmComparison, Threshold: c.Threshold,
		Periods: catalog.AlarmPeriods, Datapoints: catalog.AlarmPeriods,
		Missing: catalog.AlarmMissing, ActionsEnabled: true,
		AlarmActions: slices.Clone(from.AlarmActions), OKActions: from.OKActions,
		InsufficientActions: from.InsufficientActions,
		Description:         cmp.Or(from.Description, "relight: "+c.Title),
		TagsSent:            from.TagsSent,
	}
	for _, t := range topicsOf(want, c) {
		p.notify(&a, t, topicsOf(want, c), topics)
	}
	p.Actions = append(p.Actions, PutAlarm{Alarm: a, Topic: want.Topic, Tags: want.Tags, Reason: reason})
}

// notify adds a topic of relight to the actions of an alarm. If they leave no room
// for it, one of them that is none of relight's is removed, which is a finding.
func (p *Plan) notify(a *Alarm, topic string, ours []string, topics map[string]Topic) {
	if slices.Contains(a.AlarmActions, topic) {
		return
	}
	if n := len(a.AlarmActions); n >= catalog.ActionsPerState {
		i := leastUseful(a.Name, a.AlarmActions, ours, topics)
		p.find(AlarmActionsFull, Args{"alarm": a.Name, "count": strconv.Itoa(n), "limit": strconv.Itoa(catalog.ActionsPerState), "action": a.AlarmActions[i]})
		a.AlarmActions = slices.Delete(a.AlarmActions, i, i+1)
	}
	a.AlarmActions = append(a.AlarmActions, topic)
}

// leastUseful returns the index of the last action that is known to reach
// nobody, or else of the last action. It passes over relight's topics.
func leastUseful(alarm string, actions, ours []string, topics map[string]Topic) int {
	last := len(actions) - 1
	for i, arn := range slices.Backward(actions) {
		if slices.Contains(ours, arn) {
			if last == i {
				last--
			}
			continue
		}
		if t, read := topics[arn]; read && !t.Reaches(alarm) {
			return i
		}
	}
	return last
}

// AlarmName returns the name of relight's alarm for a control on a metric. An
// alarm on relight's own metric has the plain name; one on the metric of another
// filter has a hash of that metric appended. So the name of a deleted alarm
// identifies its metric, without reading the filters.
func AlarmName(want catalog.Desired, c catalog.Control, m Metric) string {
	own := want.Name(c.ID)
	if m.Namespace == want.Prefix && m.Name == own {
		return own
	}
	return own + "-" + short(m.Namespace, m.Name)
}

// short returns a short hash of texts.
func short(texts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(texts, "\n")))
	return hex.EncodeToString(sum[:4])
}

// ownMetric reports whether a metric is the one that relight's filter writes.
func ownMetric(want catalog.Desired, c catalog.Control, m Metric) bool {
	return m.Namespace == want.Prefix && m.Name == want.Name(c.ID)
}

// measuredBy returns the metrics that measure a control, each once, relight's
// own first, then those of adopted filters. relight's own filter always counts, since its own plan restores
// it. If the filters were not read, or none measures the control yet, the metric
// is the one that relight's filter writes.
func measuredBy(want catalog.Desired, adopted Adopted, c catalog.Control, state AlarmState) []Metric {
	own := Metric{Namespace: want.Prefix, Name: want.Name(c.ID)}
	isOwn := func(m Metric) bool { return ownMetric(want, c, m) }
	var metrics []Metric
	ours := false
	for _, f := range state.Filters {
		if f.Name == own.Name {
			ours = true
		} else if adopted.filter(f.Name) && ownedBy(want, f) < 0 && Measures(c, f) == "" {
			metrics = append(metrics, Metric{Namespace: f.Metrics[0].Namespace, Name: f.Metrics[0].Name, Unit: f.Metrics[0].Unit})
		}
	}
	order.By(metrics, func(a, b Metric) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Unit, b.Unit))
	})
	metrics = slices.CompactFunc(metrics, func(a, b Metric) bool { return a.Namespace == b.Namespace && a.Name == b.Name })
	if ours || len(metrics) == 0 || slices.ContainsFunc(metrics, isOwn) {
		metrics = slices.Insert(slices.DeleteFunc(metrics, isOwn), 0, own)
	}
	return metrics
}

// differs returns why relight's own alarm is not what the configuration says, or
// "" if it is. It may have more actions, which belong to whoever added them.
func differs(c catalog.Control, m Metric, a Alarm, notifies func(actions []string) bool) string {
	weak := weaker(c, m, a, notifies)
	switch {
	case weak != "":
		return weak
	case a.Statistic != c.Statistic():
		return "its statistic is " + a.Statistic
	case a.Comparison != catalog.AlarmComparison || a.Threshold != c.Threshold || a.Period != c.Period:
		return condition(a)
	case a.Missing != catalog.AlarmMissing:
		return "it treats missing data as " + cmp.Or(a.Missing, "missing")
	}
	return ""
}

func condition(a Alarm) string {
	return fmt.Sprintf("its condition is %s %s in %d s", a.Comparison, strconv.FormatFloat(a.Threshold, 'g', -1, 64), a.Period)
}

// weaker returns why an alarm on a metric does not satisfy a control, or "" if
// it is at least as sensitive as desired and notifies somebody. An alarm that
// stays in ALARM sends nothing new, so settings that cause that are weak too:
// to ignore or alarm on missing data, to evaluate more periods, or to have a
// threshold of zero.
func weaker(c catalog.Control, m Metric, a Alarm, notifies func(actions []string) bool) string {
	switch {
	case a.Other != "":
		return "it evaluates " + a.Other
	case a.Namespace != m.Namespace || a.Metric != m.Name:
		return "it watches " + a.Namespace + "/" + a.Metric
	case len(a.Dimensions) > 0:
		return "its dimension " + strings.Join(slices.Sorted(maps.Keys(a.Dimensions)), ", ") + " selects a metric without data"
	case a.Unit != "" && a.Unit != cmp.Or(m.Unit, NoUnit):
		return "its unit " + a.Unit + " selects a metric without data"
	case a.Statistic != catalog.AlarmSum && a.Statistic != catalog.AlarmMaximum:
		return "its statistic is " + a.Statistic
	case !sensitive(c, a):
		return condition(a)
	case a.Statistic == catalog.AlarmMaximum && !one(a):
		return "its statistic is Maximum, which does not count events"
	case a.Periods > catalog.AlarmPeriods:
		return evaluates(a)
	case a.Missing != catalog.AlarmMissing && a.Missing != "missing" && a.Missing != "":
		return "it treats missing data as " + a.Missing
	case !a.ActionsEnabled:
		return "its actions are disabled"
	case !notifies(a.AlarmActions):
		return "it notifies nobody"
	}
	return ""
}

// Watches returns why an alarm does not watch a control's metric at least as closely
// as the benchmark asks, or "" if it does. It considers neither whether its actions
// are enabled nor whom they notify.
func Watches(c catalog.Control, m Metric, a Alarm) string {
	a.ActionsEnabled = true
	return weaker(c, m, a, anybody)
}

func evaluates(a Alarm) string { return fmt.Sprintf("it evaluates %d periods", a.Periods) }

// Summing returns the alarms on the metrics of controls that take the sum, by name:
// a negative value can keep those from alarming. It leaves out those of relight's
// that take it no longer once the plan is applied. It needs everything of the state
// but the topics.
func (observed *AlarmState) Summing(want catalog.Desired) (all []Alarm) {
	for _, c := range want.Controls {
		for _, m := range measuredBy(want, Adopted{All: true}, c, *observed) {
			for _, a := range observed.Alarms {
				watches := a.Statistic == catalog.AlarmSum && a.Namespace == m.Namespace && a.Metric == m.Name
				if watches && (c.Statistic() == catalog.AlarmSum || a.Name != observed.nameOf(want, c, m)) {
					all = append(all, a)
				}
			}
		}
	}
	order.By(all, func(a, b Alarm) int { return cmp.Compare(a.Name, b.Name) })
	return slices.CompactFunc(all, func(a, b Alarm) bool { return a.Name == b.Name })
}

// one reports whether a single event is enough for an alarm: filters write at least
// one for each.
func one(a Alarm) bool {
	return a.Threshold <= 1 && a.Comparison == catalog.AlarmComparison || a.Threshold < 1 && a.Comparison == "GreaterThanThreshold"
}

// sensitive reports whether an alarm alarms on every count that it should. A
// shorter period splits a count, which matters unless one event is enough; a
// period below a minute expects data that filters do not write. Source: CloudWatch
// API Reference, PutMetricAlarm, Period.
func sensitive(c catalog.Control, a Alarm) bool {
	var low bool
	switch a.Comparison {
	case catalog.AlarmComparison:
		low = a.Threshold > 0 && a.Threshold <= c.Threshold
	case "GreaterThanThreshold":
		low = a.Threshold >= 0 && a.Threshold < c.Threshold
	}
	return low && (a.Period == c.Period || a.Period < c.Period && a.Period >= 60 && c.Threshold <= 1)
}

// ownTopics returns the test whether relight's alarm of a control notifies somebody:
// relight's topic, or both of its topics, are among its actions. Whether a topic
// reaches anybody is planned with the topics.
func ownTopics(want catalog.Desired, c catalog.Control) func([]string) bool {
	return func(actions []string) bool {
		return !slices.ContainsFunc(topicsOf(want, c), func(t string) bool { return !slices.Contains(actions, t) })
	}
}

// topicsOf returns the topics that relight's alarm of a control notifies.
func topicsOf(want catalog.Desired, c catalog.Control) []string {
	if c.Both && want.LastResort != "" {
		return []string{want.Topic, want.LastResort}
	}
	return []string{want.Topic}
}

// reaching returns the test whether any other alarm notifies somebody: one of
// its actions is relight's topic, or one that reaches a confirmed subscriber.
func reaching(want catalog.Desired, topics map[string]Topic, alarm string) func([]string) bool {
	own := ownTopics(want, catalog.Control{})
	return func(actions []string) bool {
		return own(actions) || slices.ContainsFunc(actions, func(arn string) bool { return topics[arn].Reaches(alarm) })
	}
}

// DecidingTopics returns the topics of others on which it depends whether alarms that
// relight did not create satisfy a control, each with the names of those alarms.
// It needs everything of the state but the topics.
func (observed *AlarmState) DecidingTopics(want catalog.Desired) map[string][]string {
	topics := map[string][]string{}
	for _, c := range want.Controls {
		metrics := measuredBy(want, Adopted{All: true}, c, *observed)
		if slices.ContainsFunc(metrics, func(m Metric) bool { _, exists := observed.Alarms[observed.nameOf(want, c, m)]; return exists }) {
			continue // relight's own alarm decides
		}
		for _, a := range observed.Alarms {
			if !slices.ContainsFunc(metrics, func(m Metric) bool { return weaker(c, m, a, anybody) == "" }) {
				continue
			}
			for _, topic := range a.AlarmActions {
				if topic != want.Topic && !slices.Contains(topics[topic], a.Name) {
					topics[topic] = append(topics[topic], a.Name)
				}
			}
		}
	}
	return topics
}

// anybody is the test that every alarm passes.
func anybody([]string) bool { return true }
