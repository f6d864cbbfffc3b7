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

	// Read in a look at everything only.
	Transformed bool        // the group has a transformer of its own
	Account     []GroupRule // account-wide policies that transform records
	Unread      []Finding   // what could not be read, and only explains
}

// Kind returns the kind that the state is of.
func (*LogGroupState) Kind() catalog.Kind { return catalog.LogGroups }

// A LogGroup is a CloudWatch Logs log group.
type LogGroup struct {
	Name          string
	Class         string
	RetentionDays int32  // 0 keeps for ever
	RetentionBy   string // name of the account-wide policy that RetentionDays is of; "" for the group's own
	KMSKey        string // ARN; "" for none
	Protected     bool   // from deletion
	Masked        bool   // by a data protection policy of its own
	MaskedByAll   bool   // by the account's data protection policy
	Ours          bool   // carries relight's tag; read only where KMSKey or Protected are not as relight would have made it
}

// A GroupRule is an account-wide policy of CloudWatch Logs.
type GroupRule struct {
	Name      string
	Selection string // its selection criteria; "" for every log group of the region
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
	Protected     bool   // from deletion
	Tags          map[string]string
	Reason        string
}

// Step returns the action as a step of a plan.
func (a CreateLogGroup) Step() Step {
	return Step{Stage: create, Do: fmt.Sprintf("create log-group %s kept %d days", a.Name, a.RetentionDays), Target: a.Name, Reason: a.Reason, Makes: a.Name}
}

// RaiseRetention makes a log group keep its events longer.
type RaiseRetention struct {
	LogGroup string
	Days     int32
	Reason   string
}

// Step returns the action as a step of a plan.
func (a RaiseRetention) Step() Step {
	return Step{Stage: configure, Do: fmt.Sprintf("raise retention of log-group %s to %d days", a.LogGroup, a.Days), Target: a.LogGroup, Reason: a.Reason}
}

// ProtectLogGroup switches a log group's deletion protection on.
type ProtectLogGroup struct {
	LogGroup string
	Reason   string
}

// Step returns the action as a step of a plan.
func (a ProtectLogGroup) Step() Step {
	return Step{Stage: configure, Do: fmt.Sprintf("protect log-group %s from deletion", a.LogGroup), Target: a.LogGroup, Reason: a.Reason}
}

// EncryptLogGroup puts the configured key on a log group.
type EncryptLogGroup struct {
	LogGroup string
	Key      string // ARN
	Reason   string
}

// Step returns the action as a step of a plan.
func (a EncryptLogGroup) Step() Step {
	return Step{Stage: configure, Do: fmt.Sprintf("encrypt log-group %s with %s", a.LogGroup, a.Key), Target: a.LogGroup, Reason: a.Reason}
}

// PutFilter creates or puts back a metric filter of relight's own.
type PutFilter struct {
	LogGroup string
	Filter   Filter
	Reason   string
}

// Step returns the action as a step of a plan.
func (a PutFilter) Step() Step {
	return Step{Stage: protect, Do: fmt.Sprintf("put metric-filter %s on %s", a.Filter.Name, a.LogGroup), Target: a.Filter.Name, Reason: a.Reason, Needs: a.LogGroup}
}

// plan plans the trail's log group and the metric filters of every
// control:
//
//	not for this account or region   left alone, and said so
//	missing                          created, with every filter
//	kept shorter than policy         raised; never shortened; a finding where an account-wide policy overrides it
//	ours and not protected, no key   protected, the configured key put back
//	ours with another key, or        a finding
//	 a key of another account's
//	masked or transformed            a finding
//	another class than STANDARD      a finding: it takes no filters and never changes
//	no room for another filter       a finding
//	a filter of ours that is weaker  put back
//	no filter measures a control     ours is made
func (state *LogGroupState) plan(want catalog.Desired, got Observed) Plan {
	var p Plan
	p.Findings = append(p.Findings, state.Trail.Findings...)
	if state.Trail.Elsewhere != "" {
		p.Skips = append(p.Skips, Skip{"trail log group", state.Trail.Elsewhere})
	}
	if state.Trail.LogGroup == "" {
		return p
	}
	p.Findings = append(p.Findings, state.Unread...)
	p.touch(got, catalog.LogGroup, state.Trail.LogGroup)
	wanted := logGroupWant{state.Trail.LogGroup, want.LogGroup.RetentionDays, byTrail}
	serves := p.logGroup(want, got, wanted, state.Group, state.Exists)
	p.altered(state)
	if !serves {
		return p
	}
	for _, c := range want.Controls {
		if reason := unmeasured(want, c, state.Filters); reason != "" {
			filter := ownFilter(want, c, state.Filters)
			p.Actions = append(p.Actions, PutFilter{LogGroup: state.Trail.LogGroup, Filter: filter, Reason: reason})
			continue
		}
		p.Held++
	}
	p.crowded(state)
	return p
}

// crowded reports filters that a log group has no room for: others that are
// there already take none.
func (p *Plan) crowded(state *LogGroupState) {
	added := 0
	for _, a := range p.Actions {
		put, ok := a.(PutFilter)
		if ok && !slices.ContainsFunc(state.Filters, func(f Filter) bool { return f.Name == put.Filter.Name }) {
			added++
		}
	}
	if over := len(state.Filters) + added - catalog.FiltersPerGroup; added > 0 && over > 0 {
		p.Findings = append(p.Findings, Finding{
			Subject: "log group " + state.Trail.LogGroup,
			Problem: fmt.Sprintf("it has %d metric filters and takes %d, so %d of the missing ones are refused", len(state.Filters), catalog.FiltersPerGroup, min(over, added)),
			Remedy:  "Delete filters that nothing uses, and find out who made so many: used-up slots keep filters from coming back.",
			Alert:   true,
		})
	}
}

// altered reports what changes the records that people and filters see.
func (p *Plan) altered(state *LogGroupState) {
	report := func(problem, remedy string) { // no alert: the calls that lead there carry advice
		p.Findings = append(p.Findings, Finding{Subject: "log group " + state.Trail.LogGroup, Problem: problem, Remedy: remedy})
	}
	// CloudWatch Logs User Guide, "Help protect sensitive log data with
	// masking": it masks at every egress, metric filters included.
	if state.Group.Masked {
		report("a data protection policy masks its records, for metric filters too",
			"Take it off, unless it is meant: aws logs delete-data-protection-policy --log-group-identifier "+state.Trail.LogGroup+".")
	}
	if state.Group.MaskedByAll {
		report("the account's data protection policy masks its records, for metric filters too",
			"Take it off, unless it is meant: aws logs delete-account-policy --policy-type DATA_PROTECTION_POLICY.")
	}
	// CloudWatch Logs API Reference, PutMetricFilter, applyOnTransformedLogs;
	// PutTransformer: a group's own transformer overrides the account's.
	const reads = "relight's filters read the originals; queries, subscriptions and filters on transformed records do not"
	if state.Transformed {
		report("a transformer rewrites its records: "+reads,
			"Take it off, unless it is meant: aws logs delete-transformer --log-group-identifier "+state.Trail.LogGroup+".")
		return
	}
	for _, r := range state.Account {
		if r.selects(state.Trail.LogGroup) {
			report("the account-wide transformer policy "+r.Name+" rewrites its records: "+reads,
				"Take it off, unless it is meant: aws logs delete-account-policy --policy-type TRANSFORMER_POLICY --policy-name "+r.Name+".")
		}
	}
}

var quoted = regexp.MustCompile(`["']([^"']*)["']`)

// selects reports whether an account-wide policy is about a log group. Its
// criteria name a prefix of log groups: LogGroupNamePrefix. How that is
// spelled around the prefix is not documented, so any quoted text counts, and
// criteria that cannot be read select everything. Source: CloudWatch Logs API
// Reference, PutAccountPolicy, selectionCriteria.
func (r GroupRule) selects(group string) bool {
	prefixes := quoted.FindAllStringSubmatch(r.Selection, -1)
	return len(prefixes) == 0 || slices.ContainsFunc(prefixes, func(m []string) bool { return strings.HasPrefix(group, m[1]) })
}

// byTrail says that the trail needs a log group; anything else, that flow logs
// do.
const byTrail = "the trail"

// A logGroupWant is what a log group is needed for.
type logGroupWant struct {
	name      string
	retention int32
	by        string // who needs it
}

// logGroup plans one log group that is needed, and reports whether it can
// serve once the plan is applied.
func (p *Plan) logGroup(want catalog.Desired, in Observed, w logGroupWant, got LogGroup, exists bool) bool {
	theirs := strings.HasPrefix(w.name, catalog.ControlTowerPrefix)
	subject := "log group " + w.name
	switch {
	case !exists && theirs:
		p.Findings = append(p.Findings, Finding{Subject: subject, Problem: "it is missing, and AWS Control Tower owns it", Remedy: "Repair the landing zone."})
		return false
	case !exists:
		p.Actions = append(p.Actions, CreateLogGroup{
			Name: w.name, RetentionDays: w.retention, KMSKey: want.KMSKeys[in.Region], Protected: want.ProtectGroups, Tags: want.Tags,
			Reason: "missing, needed by " + w.by,
		})
		return true
	case got.Class != "" && got.Class != catalog.ClassStandard && w.by == byTrail:
		p.Findings = append(p.Findings, Finding{
			Subject: subject,
			Problem: "its class is " + got.Class + ", which takes no metric filters and never changes",
			Remedy:  "Create a STANDARD log group and point the trail at it. If this one was made anew in that class, find out by whom.",
			Alert:   true,
		})
		return false
	}
	p.guarded(want, in, got)
	if keeps(got, w.retention) {
		return true
	}
	short := "kept " + strconv.Itoa(int(got.RetentionDays)) + " days, needed by " + w.by
	if theirs {
		p.Findings = append(p.Findings, Finding{Subject: subject, Problem: short + " for longer, and AWS Control Tower owns it", Remedy: "Raise the retention in the landing zone's settings."})
		return true
	}
	if got.RetentionBy != "" { // PutRetentionPolicy would be accepted and change nothing: CloudWatch Logs API Reference
		p.Findings = append(p.Findings, Finding{
			Subject: subject,
			Problem: short + " for longer, and the account-wide retention policy " + got.RetentionBy + " overrides what the group says",
			Remedy:  "Change that policy, or delete it: aws logs delete-account-policy --policy-type RETENTION_POLICY --policy-name " + got.RetentionBy + ".",
		})
		return true
	}
	p.Actions = append(p.Actions, RaiseRetention{LogGroup: w.name, Days: w.retention, Reason: short})
	return true
}

// guarded plans what keeps a log group's records readable and in place. Only
// what relight made is changed; for the rest the key of another account, who
// can make the records unreadable, is a finding.
func (p *Plan) guarded(want catalog.Desired, in Observed, got LogGroup) {
	subject, key := "log group "+got.Name, want.KMSKeys[in.Region]
	if got.Ours && want.ProtectGroups && !got.Protected {
		p.Actions = append(p.Actions, ProtectLogGroup{LogGroup: got.Name, Reason: "its deletion protection is off"})
	}
	switch owner := arnOf(got.KMSKey).AccountID; {
	case got.Ours && key != "" && got.KMSKey == "":
		p.Actions = append(p.Actions, EncryptLogGroup{LogGroup: got.Name, Key: key, Reason: "it has no key"})
	case got.Ours && key != "" && got.KMSKey != key:
		p.Findings = append(p.Findings, Finding{
			Subject: subject,
			Problem: "it is encrypted with " + got.KMSKey + ", not with the configured key",
			Remedy:  "Put the configured key on it (aws logs associate-kms-key), or name the other one in kmsKeys of the configuration.",
			Alert:   true,
		})
	case owner != "" && owner != in.Account && got.KMSKey != key:
		p.Findings = append(p.Findings, Finding{
			Subject: subject,
			Problem: "it is encrypted with " + got.KMSKey + " of account " + owner + ", which can make its records unreadable",
			Remedy:  "Put a key of this account on it (aws logs associate-kms-key), or name that one in kmsKeys of the configuration.",
			Alert:   true,
		})
	}
}

// keeps reports whether a log group keeps its events for so many days.
func keeps(g LogGroup, days int32) bool { return g.RetentionDays == 0 || g.RetentionDays >= days }

// unmeasured returns why a control has no filter, or "" if one measures it.
// A filter of ours has to measure even where another does: its alarm stands
// on its metric.
func unmeasured(want catalog.Desired, c catalog.Control, filters []Filter) string {
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
func misdirected(want catalog.Desired, f Filter) string {
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
func ownFilter(want catalog.Desired, c catalog.Control, filters []Filter) Filter {
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
