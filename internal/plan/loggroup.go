package plan

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/relight-aws/relight/internal/catalog"
)

// LogGroupState is what was observed of the trail's log group.
type LogGroupState struct {
	Trail   TrailLogs
	Group   LogGroup // its name alone is set when it does not exist
	Exists  bool
	Filters []Filter // every metric filter of Group
}

// A LogGroup is a CloudWatch Logs log group.
type LogGroup struct {
	Name          string
	Class         string
	RetentionDays int32  // 0 keeps for ever
	KMSKey        string // ARN; "" for none
}

// A Filter is a metric filter with everything PutMetricFilter takes.
type Filter struct {
	Name           string
	Pattern        string
	Metrics        []Metric // CloudWatch Logs takes exactly one
	OnTransformed  bool     // applyOnTransformedLogs
	FieldSelection string   // fieldSelectionCriteria
	SystemFields   []string // emitSystemFieldDimensions
}

// A Metric is what a filter writes for each matching log event.
type Metric struct {
	Namespace  string
	Name       string
	Value      string
	Default    *float64 // written when nothing matched; nil for none
	Dimensions map[string]string
	Unit       string // "" means NoUnit
}

// NoUnit is the unit of a metric whose filter names none. Source: CloudWatch
// Logs API Reference, MetricTransformation.
const NoUnit = "None"

// CreateLogGroup creates a log group with its retention.
type CreateLogGroup struct {
	Name          string
	RetentionDays int32
	KMSKey        string // ARN; "" for none
	Tags          map[string]string
	Reason        string
}

// String returns the action as one line.
func (a CreateLogGroup) String() string {
	return fmt.Sprintf("create log-group %s kept %d days (%s)", a.Name, a.RetentionDays, a.Reason)
}

// Target returns the log group's name.
func (a CreateLogGroup) Target() string { return a.Name }
func (CreateLogGroup) before() int      { return groupFirst }

// RaiseRetention makes a log group keep its events longer.
type RaiseRetention struct {
	LogGroup string
	Days     int32
	Reason   string
}

// String returns the action as one line.
func (a RaiseRetention) String() string {
	return fmt.Sprintf("raise retention of log-group %s to %d days (%s)", a.LogGroup, a.Days, a.Reason)
}

// Target returns the log group's name.
func (a RaiseRetention) Target() string { return a.LogGroup }
func (RaiseRetention) before() int      { return retentionNext }

// PutFilter creates or puts back a metric filter of relight's own.
type PutFilter struct {
	LogGroup string
	Filter   Filter
	Reason   string
}

// String returns the action as one line.
func (a PutFilter) String() string {
	return fmt.Sprintf("put metric-filter %s on %s (%s)", a.Filter.Name, a.LogGroup, a.Reason)
}

// Target returns the filter's name.
func (a PutFilter) Target() string { return a.Filter.Name }
func (PutFilter) before() int      { return protectionLast }

// LogGroups plans the trail's log group and the metric filters of every
// control:
//
//	not for this account or region   left alone, and said so
//	missing                          created, with every filter
//	kept shorter than policy         raised; never shortened
//	another class than STANDARD      a finding: it takes no filters and never changes
//	a filter of ours that is weaker  put back
//	no filter measures a control     ours is made
func LogGroups(want catalog.Policy, got Observed) Plan {
	var p Plan
	state := got.LogGroups
	p.Findings = append(p.Findings, state.Trail.Findings...)
	if state.Trail.Elsewhere != "" {
		p.Skips = append(p.Skips, Skip{"trail log group", state.Trail.Elsewhere})
	}
	if state.Trail.LogGroup == "" {
		return sorted(p)
	}
	wanted := logGroupWant{state.Trail.LogGroup, want.LogGroup.RetentionDays, "the trail"}
	if !p.logGroup(want, got.Region, wanted, state.Group, state.Exists) {
		return sorted(p)
	}
	for _, c := range want.Controls {
		if reason := unmeasured(want, c, state.Filters); reason != "" {
			filter := ownFilter(want, c, state.Filters)
			p.Actions = append(p.Actions, PutFilter{LogGroup: state.Trail.LogGroup, Filter: filter, Reason: reason})
			continue
		}
		p.Held++
	}
	return sorted(p)
}

// A logGroupWant is what a log group is needed for.
type logGroupWant struct {
	name      string
	retention int32
	by        string // who needs it
}

// logGroup plans one log group that is needed, and reports whether it can
// serve once the plan is applied.
func (p *Plan) logGroup(want catalog.Policy, region string, w logGroupWant, got LogGroup, exists bool) bool {
	theirs := strings.HasPrefix(w.name, catalog.ControlTowerPrefix)
	subject := "log group " + w.name
	switch {
	case !exists && theirs:
		p.Findings = append(p.Findings, Finding{Subject: subject, Problem: "it is missing, and AWS Control Tower owns it", Remedy: "Repair the landing zone."})
		return false
	case !exists:
		p.Actions = append(p.Actions, CreateLogGroup{
			Name: w.name, RetentionDays: w.retention, KMSKey: want.KMSKeys[region], Tags: want.Tags,
			Reason: "missing, needed by " + w.by,
		})
		return true
	case got.Class != "" && got.Class != catalog.ClassStandard && w.by == "the trail":
		p.Findings = append(p.Findings, Finding{
			Subject: subject,
			Problem: "its class is " + got.Class + ", which takes no metric filters and never changes",
			Remedy:  "Create a STANDARD log group and point the trail at it.",
		})
		return false
	}
	if keeps(got, w.retention) {
		return true
	}
	short := "kept " + strconv.Itoa(int(got.RetentionDays)) + " days, needed by " + w.by
	if theirs {
		p.Findings = append(p.Findings, Finding{Subject: subject, Problem: short + " for longer, and AWS Control Tower owns it", Remedy: "Raise the retention in the landing zone's settings."})
		return true
	}
	p.Actions = append(p.Actions, RaiseRetention{LogGroup: w.name, Days: w.retention, Reason: short})
	return true
}

// keeps reports whether a log group keeps its events for so many days.
func keeps(g LogGroup, days int32) bool { return g.RetentionDays == 0 || g.RetentionDays >= days }

// unmeasured returns why a control has no filter, or "" if one measures it.
// A filter of ours has to measure even where another does: its alarm stands
// on its metric.
func unmeasured(want catalog.Policy, c catalog.Control, filters []Filter) string {
	held := false
	for _, f := range filters {
		weak := Measures(c, f)
		if f.Name != want.Name(c.ID) {
			held = held || weak == ""
			continue
		}
		if weak == "" {
			weak = misdirected(want, f)
		}
		return weak
	}
	if held {
		return ""
	}
	return "no filter measures " + c.Title
}

// misdirected returns what keeps a filter of ours, which measures its control,
// from feeding the alarm on it, or "". A unit is one of those: the alarm names
// none, and CloudWatch calls its behaviour undefined once a metric has data of
// several units. Source: CloudWatch API Reference, PutMetricAlarm, Unit.
func misdirected(want catalog.Policy, f Filter) string {
	m := f.Metrics[0]
	switch {
	case m.Namespace != want.Prefix || m.Name != f.Name:
		return "it writes another metric"
	case m.Unit != "" && m.Unit != NoUnit:
		return "it counts in " + m.Unit
	}
	return ""
}

// Measures returns what keeps a filter from measuring a control, or "" if it
// does: the control's pattern up to white space, nothing that narrows it, and
// a metric without dimensions that counts at least one per matching event. A
// default value other than zero would drown the count or hold the alarm up.
func Measures(c catalog.Control, f Filter) string {
	if squeeze(f.Pattern) != squeeze(c.Pattern) {
		return "its pattern differs"
	}
	if f.FieldSelection != "" {
		return "its field selection narrows it"
	}
	if f.OnTransformed {
		return "it reads transformed events"
	}
	if len(f.SystemFields) > 0 {
		return "system fields split its metric"
	}
	if len(f.Metrics) != 1 {
		return "it writes no metric"
	}
	m := f.Metrics[0]
	if len(m.Dimensions) > 0 {
		return "dimensions split its metric"
	}
	if !counts(m.Value) {
		return "it counts " + strconv.Quote(m.Value) + " for a match"
	}
	if m.Default != nil && *m.Default != 0 {
		return "it counts " + strconv.FormatFloat(*m.Default, 'g', -1, 64) + " for no match"
	}
	return ""
}

var number = regexp.MustCompile(`^\d+(\.\d+)?$`)

// counts reports whether a metric value counts at least one: not a field of
// the event, and nothing above 2^360, which CloudWatch drops. Source:
// CloudWatch API Reference, MetricDatum.
func counts(value string) bool {
	n, err := strconv.ParseFloat(value, 64)
	return number.MatchString(value) && err == nil && n >= 1 && n <= 0x1p360
}

// ownFilter returns relight's filter for a control. It starts from the filter
// as observed: a default value of zero, which the policy says nothing about,
// stays the owner's.
func ownFilter(want catalog.Policy, c catalog.Control, filters []Filter) Filter {
	own := Filter{Name: want.Name(c.ID), Pattern: c.Pattern}
	metric := Metric{Namespace: want.Prefix, Name: own.Name, Value: "1"}
	if i := slices.IndexFunc(filters, func(f Filter) bool { return f.Name == own.Name }); i >= 0 && len(filters[i].Metrics) == 1 {
		if d := filters[i].Metrics[0].Default; d != nil && *d == 0 {
			metric.Default = d
		}
	}
	own.Metrics = []Metric{metric}
	return own
}
