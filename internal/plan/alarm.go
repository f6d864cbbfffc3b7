package plan

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/relight-aws/relight/internal/catalog"
)

// AlarmState is what was observed of the alarms in scope. Unless Full is set,
// only the alarms in Named were read, and a control whose alarm is not among
// them was not looked at.
type AlarmState struct {
	Full    bool
	Named   []string         // names that were asked for; those not in Alarms do not exist
	Alarms  map[string]Alarm // by name; every metric alarm of the region if Full
	Trail   TrailLogs        // set if Full
	Filters []Filter         // of the trail's log group; set if Full
	Topics  map[string]Topic // by ARN, those that alarms of a control act on; set if Full

	Mutes      []MuteRule  // that are or will be in force over an alarm of a control; set if Full, or of the alarms that the look was about
	Composites []Composite // alarms that stand on others; every one if Full, or those that the look was about
	Unread     []Finding   // what could not be read, and only explains
}

// Kind returns the kind that the state is of.
func (*AlarmState) Kind() catalog.Kind { return catalog.Alarms }

// A MuteRule silences alarms for some time, whatever their own settings say.
type MuteRule struct {
	Name   string
	Alarms []string // that it covers, of those that were asked about
	Kind   string   // ONE_TIME or RECURRING
}

// A Composite is an alarm that stands on other alarms' states, with
// everything PutCompositeAlarm takes.
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

// TagsSent says which of its tags an alarm sends along; none for the defaults.
type TagsSent struct {
	Enabled  bool
	Included []string // keys; none for all but Excluded
	Excluded []string // keys
}

// An Alarm is a metric alarm. What relight has no opinion on is kept so that
// a repair can put it back.
type Alarm struct {
	Name           string
	Namespace      string
	Metric         string
	Dimensions     []string // names
	Statistic      string
	Unit           string
	Period         int32 // seconds
	Comparison     string
	Threshold      float64
	Periods        int32  // evaluation periods
	Datapoints     int32  // datapoints to alarm; 0 means Periods
	Missing        string // how missing data is treated
	Other          string // what it evaluates in another way than one metric in a sliding window; "" for nothing
	ActionsEnabled bool

	AlarmActions        []string
	OKActions           []string
	InsufficientActions []string
	Description         string
	TagsSent            *TagsSent
	InAlarmFor          int64 // seconds; 0 in any other state, and where CloudWatch does not say since when
}

// A Topic is an SNS topic that an alarm acts on.
type Topic struct {
	Exists    bool
	Admits    bool   // its policy and key let CloudWatch publish
	Why       string // why not, where Admits is false
	Confirmed int    // confirmed subscriptions
	Pending   int    // subscriptions that wait for their owner
}

// Reaches reports whether a message published by CloudWatch reaches somebody.
func (t Topic) Reaches() bool { return t.Exists && t.Admits && t.Confirmed > 0 }

// PutAlarm creates or puts back an alarm of relight's own.
type PutAlarm struct {
	Alarm  Alarm
	Tags   map[string]string // for a new alarm; CloudWatch ignores them on a change
	Reason string
}

// Step returns the action as a step of a plan.
func (a PutAlarm) Step() Step {
	return Step{Stage: protect, Do: fmt.Sprintf("put alarm %s on %s/%s", a.Alarm.Name, a.Alarm.Namespace, a.Alarm.Metric), Target: a.Alarm.Name, Reason: a.Reason}
}

// DeleteMuteRule deletes a mute rule, whoever made it.
type DeleteMuteRule struct {
	Rule   string
	Reason string
}

// Step returns the action as a step of a plan.
func (a DeleteMuteRule) Step() Step {
	return Step{Stage: protect, Do: "delete alarm mute rule " + a.Rule, Target: a.Rule, Reason: a.Reason}
}

// Unsuppress writes a composite alarm again without its suppressor.
type Unsuppress struct {
	Alarm  Composite
	Reason string
}

// Step returns the action as a step of a plan.
func (a Unsuppress) Step() Step {
	return Step{Stage: protect, Do: "take the suppressor off composite alarm " + a.Alarm.Name, Target: a.Alarm.Name, Reason: a.Reason}
}

// plan plans the alarm of every control that was looked at:
//
//	one of ours that is weaker than wanted    put back, its owner's extras kept
//	any alarm that holds the control          left alone
//	none                                      ours is made on the metric of the filter that measures it
//
// and what silences those alarms while their settings stay as they are:
//
//	a mute rule over one of them              a finding, or deleted if the configuration says so
//	a composite alarm on one of them that
//	 another alarm suppresses                 a finding, or the suppressor taken off if the configuration says so
//	in ALARM for a day                        a finding: it tells nobody of what comes next
func (observed *AlarmState) plan(want catalog.Desired, got Observed) Plan {
	var p Plan
	state := *observed
	if state.Full {
		p.Findings = append(p.Findings, state.Trail.Findings...)
		if state.Trail.Elsewhere != "" {
			p.Skips = append(p.Skips, Skip{"alarms", state.Trail.Elsewhere})
		}
		if state.Trail.LogGroup == "" {
			return p
		}
	}
	guards := map[string]bool{} // alarms that hold a control, or will once the plan is applied
	for _, c := range want.Controls {
		if !state.Full && !slices.Contains(state.Named, want.Name(c.ID)) {
			continue
		}
		for _, name := range p.alarm(want, c, state) {
			guards[name] = true
		}
	}
	names := slices.Sorted(maps.Keys(guards))
	p.touch(got, catalog.Alarm, names...)
	alert := aboutSilence(got, guards)
	for _, f := range state.Unread {
		f.Alert = alert
		p.Findings = append(p.Findings, f)
	}
	for _, r := range state.Mutes {
		p.muted(want, r, guards, alert)
	}
	for _, c := range state.Composites {
		p.suppressed(want, c, names, alert)
	}
	for _, name := range names {
		if state.Alarms[name].InAlarmFor > catalog.StuckAfter {
			p.Findings = append(p.Findings, Finding{
				Subject: "alarm " + name,
				Problem: "it has stood in ALARM for more than a day, and tells nobody of what comes next",
				Remedy: "Look at what it counts, and who writes to its metric. When that is dealt with and it stays in ALARM: " +
					"aws cloudwatch set-alarm-state --state-value OK --state-reason handled --alarm-name " + name + ".",
			})
		}
	}
	return p
}

// aboutSilence reports whether a look is about what silences alarms, or about
// an alarm that holds a control: then people hear of silence at once. Alarms of
// others change all day, and a look that such an event leads to would tell of
// one standing rule each time.
func aboutSilence(got Observed, guards map[string]bool) bool {
	return got.Type == catalog.MutedAlarm || got.Type == catalog.CompositeAlarm ||
		slices.ContainsFunc(got.Asked, func(name string) bool { return guards[name] })
}

// muted plans a mute rule, where it covers an alarm that holds a control.
// Source: CloudWatch API Reference, PutAlarmMuteRule: the alarms go on
// changing state, and their actions are not taken. The words do not depend on
// whether it is in force: a recurring rule would be news each time.
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
	problem := "it silences " + strings.Join(silenced, ", ")
	if want.RemoveMutes {
		p.Actions = append(p.Actions, DeleteMuteRule{Rule: r.Name, Reason: problem})
		return
	}
	p.Findings = append(p.Findings, Finding{
		Subject: "alarm mute rule " + r.Name,
		Problem: problem + ", whose own settings stay as they are (" + strings.ToLower(strings.ReplaceAll(r.Kind, "_", " ")) + ")",
		Remedy:  "Delete it, unless it is meant: aws cloudwatch delete-alarm-mute-rule --alarm-mute-rule-name " + r.Name + ". relight does it with alarms.removeMutes.",
		Alert:   alert,
	})
}

// suppressed plans a composite alarm with a suppressor, where it stands on an
// alarm that holds a control. The suppressor silences the composite alarm's
// actions and not those of the alarms below it. Source: CloudWatch User Guide,
// "Suppressing composite alarm actions".
func (p *Plan) suppressed(want catalog.Desired, c Composite, guards []string, alert bool) {
	i := slices.IndexFunc(guards, func(name string) bool { return standsOn(c.Rule, name) })
	if c.Suppressor == "" || i < 0 {
		return
	}
	problem := "while " + c.Suppressor + " is in ALARM it says nothing of " + guards[i]
	if want.RemoveMutes {
		c.Suppressor = ""
		p.Actions = append(p.Actions, Unsuppress{Alarm: c, Reason: problem})
		return
	}
	p.Findings = append(p.Findings, Finding{
		Subject: "composite alarm " + c.Name,
		Problem: problem + "; that alarm's own actions are taken all the same",
		Remedy:  "Take its suppressor off, unless it is meant: aws cloudwatch put-composite-alarm without --actions-suppressor. relight does it with alarms.removeMutes.",
		Alert:   alert,
	})
}

// standsOn reports whether a composite alarm's rule names an alarm, by name or
// by ARN, in quotes or without. Source: CloudWatch API Reference,
// PutCompositeAlarm, AlarmRule.
func standsOn(rule, alarm string) bool {
	for _, m := range ruleTerm.FindAllStringSubmatch(rule, -1) {
		name := strings.Trim(m[1], `" `)
		if parts := arnOf(name); strings.HasPrefix(name, "arn:") {
			name = strings.TrimPrefix(parts.Resource, "alarm:")
		}
		if name == alarm {
			return true
		}
	}
	return false
}

var ruleTerm = regexp.MustCompile(`(?:ALARM|OK|INSUFFICIENT_DATA)\s*\(\s*("[^"]*"|[^")]*)\s*\)`)

// alarm plans the alarms of one control, and returns the names of those that
// hold it or will.
func (p *Plan) alarm(want catalog.Desired, c catalog.Control, state AlarmState) (names []string) {
	metrics := measuredBy(want, c, state)
	for _, m := range metrics {
		own, exists := state.Alarms[AlarmName(want, c, m)]
		if !exists {
			continue
		}
		names = append(names, own.Name)
		if why := weaker(c, m, own, ownTopic(want)); why != "" {
			p.putAlarm(want, c, m, own, why)
		} else {
			p.Held++
		}
	}
	if len(names) > 0 {
		return names
	}
	for _, a := range state.Alarms {
		if slices.ContainsFunc(metrics, func(m Metric) bool { return weaker(c, m, a, reaching(state.Topics)) == "" }) {
			names = append(names, a.Name)
		}
	}
	if len(names) > 0 {
		p.Held++
		return names
	}
	own := AlarmName(want, c, metrics[0])
	p.putAlarm(want, c, metrics[0], Alarm{Name: own}, "no alarm watches "+c.Title)
	return []string{own}
}

// putAlarm plans relight's alarm on a metric, starting from the alarm as
// observed: its description and other actions stay. Where those leave no room
// for the topic, that is a finding, and the rest is put back all the same.
func (p *Plan) putAlarm(want catalog.Desired, c catalog.Control, m Metric, from Alarm, reason string) {
	a := Alarm{
		Name: from.Name, Namespace: m.Namespace, Metric: m.Name,
		Statistic: catalog.AlarmStatistic, Period: c.Period,
		Comparison: catalog.AlarmComparison, Threshold: c.Threshold,
		Periods: catalog.AlarmPeriods, Datapoints: catalog.AlarmPeriods,
		Missing: catalog.AlarmMissing, ActionsEnabled: true,
		AlarmActions: slices.Clone(from.AlarmActions), OKActions: from.OKActions,
		InsufficientActions: from.InsufficientActions,
		Description:         cmp.Or(from.Description, "relight: "+c.Title),
		TagsSent:            from.TagsSent,
	}
	switch {
	case slices.Contains(a.AlarmActions, want.Topic):
	case len(a.AlarmActions) < catalog.ActionsPerState:
		a.AlarmActions = append(a.AlarmActions, want.Topic)
	default:
		p.Findings = append(p.Findings, Finding{
			Subject: "alarm " + a.Name,
			Problem: fmt.Sprintf("its %d actions leave no room for the topic", len(a.AlarmActions)),
			Remedy:  "Remove an action; an alarm takes five for a state.",
		})
		if reason = weaker(c, m, from, anybody); reason == "" {
			return
		}
	}
	p.Actions = append(p.Actions, PutAlarm{Alarm: a, Tags: want.Tags, Reason: reason})
}

// AlarmName returns the name of relight's alarm for a control on a metric.
// The plain name stands on relight's own metric; an alarm on the metric of
// somebody else's filter carries a hash of it. So the name of a deleted alarm
// tells what it stood on, without reading the filters.
func AlarmName(want catalog.Desired, c catalog.Control, m Metric) string {
	own := want.Name(c.ID)
	if m.Namespace == want.Prefix && m.Name == own {
		return own
	}
	sum := sha256.Sum256([]byte(m.Namespace + "\n" + m.Name))
	return own + "-" + hex.EncodeToString(sum[:4])
}

// measuredBy returns the metrics that measure a control, each once, relight's
// own first. A filter of ours counts whatever it lacks, since that is put
// back. Where the filters were not read, or none measures it yet, the metric
// is the one relight's own filter writes.
func measuredBy(want catalog.Desired, c catalog.Control, state AlarmState) []Metric {
	own := Metric{Namespace: want.Prefix, Name: want.Name(c.ID)}
	isOwn := func(m Metric) bool { return m.Namespace == own.Namespace && m.Name == own.Name }
	var metrics []Metric
	ours := false
	for _, f := range state.Filters {
		if f.Name == own.Name {
			ours = true
		} else if Measures(c, f) == "" {
			metrics = append(metrics, Metric{Namespace: f.Metrics[0].Namespace, Name: f.Metrics[0].Name, Unit: f.Metrics[0].Unit})
		}
	}
	slices.SortFunc(metrics, func(a, b Metric) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Unit, b.Unit))
	})
	metrics = slices.CompactFunc(metrics, func(a, b Metric) bool { return a.Namespace == b.Namespace && a.Name == b.Name })
	if ours || len(metrics) == 0 || slices.ContainsFunc(metrics, isOwn) {
		metrics = slices.Insert(slices.DeleteFunc(metrics, isOwn), 0, own)
	}
	return metrics
}

// weaker returns what an alarm lacks to hold a control on a metric, or "" if
// it is at least as sensitive as wanted and tells somebody. What makes an
// alarm stay in ALARM makes it silent, so those settings are weak too: one
// that ignores or alarms on missing data, looks further back, or has a
// threshold of nothing.
func weaker(c catalog.Control, m Metric, a Alarm, tells func(actions []string) bool) string {
	switch {
	case a.Other != "":
		return "it evaluates " + a.Other
	case a.Namespace != m.Namespace || a.Metric != m.Name:
		return "it watches " + a.Namespace + "/" + a.Metric
	case len(a.Dimensions) > 0:
		return "its dimension " + strings.Join(a.Dimensions, ", ") + " selects a metric without data"
	case a.Unit != "" && a.Unit != cmp.Or(m.Unit, NoUnit):
		return "its unit " + a.Unit + " selects a metric without data"
	case a.Statistic != catalog.AlarmStatistic:
		return "it takes the " + a.Statistic
	case !sensitive(c, a):
		return fmt.Sprintf("it needs %s %s in %d s", a.Comparison, strconv.FormatFloat(a.Threshold, 'g', -1, 64), a.Period)
	case a.Periods > catalog.AlarmPeriods:
		return fmt.Sprintf("it looks at %d periods", a.Periods)
	case a.Missing != catalog.AlarmMissing && a.Missing != "missing" && a.Missing != "":
		return "it treats missing data as " + a.Missing
	case !a.ActionsEnabled:
		return "its actions are disabled"
	case !tells(a.AlarmActions):
		return "it tells nobody"
	}
	return ""
}

// sensitive reports whether every count in a period that should alarm does. A
// shorter period splits a count, which matters unless one event is enough; one
// below a minute looks for data that filters do not write. Source: CloudWatch
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

// ownTopic returns what tells somebody for an alarm of relight's own: its
// topic among the actions. Whether the topic reaches anybody is for Topics to
// say.
func ownTopic(want catalog.Desired) func([]string) bool {
	return func(actions []string) bool { return slices.Contains(actions, want.Topic) }
}

// reaching returns what tells somebody for anyone's alarm: a topic among the
// actions that reaches a confirmed subscriber.
func reaching(topics map[string]Topic) func([]string) bool {
	return func(actions []string) bool {
		return slices.ContainsFunc(actions, func(arn string) bool { return topics[arn].Reaches() })
	}
}

// anybody takes any actions, or none, to tell somebody.
func anybody([]string) bool { return true }
