package plan

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/lazy"
)

// LogGroupState is what was observed of the trail's log group.
type LogGroupState struct {
	Trail   TrailLogs
	Group   LogGroup // its name alone is set when it does not exist
	Exists  bool
	Filters []Filter // every metric filter of Group

	// Read only in an observation of everything.
	Writers     []GroupFilter // metric filters of the other log groups of the region
	Transformed bool          // the group has a transformer of its own
	Account     []GroupRule   // account-wide policies that transform records
	Unread      []Finding     // about what could not be read and is not needed to plan
}

// Kind returns the kind that the state is of.
func (*LogGroupState) Kind() catalog.Kind { return catalog.LogGroups }

// A LogGroup is a CloudWatch Logs log group.
type LogGroup struct {
	Name          string
	ARN           string // without the ":*" that CloudWatch Logs appends
	Class         string
	Created       int64  // milliseconds since the epoch
	RetentionDays int32  // 0 keeps for ever
	RetentionBy   string // name of the account-wide policy that sets RetentionDays; "" if the group sets it
	KMSKey        string // ARN; "" for none
	Protected     bool   // from deletion
	Masked        bool   // by a data protection policy of its own
	MaskedByAll   bool   // by the account's data protection policy
	Ours          bool   // relight made it: by its name, its tag or, of the trail's group, from memory; read only if it makes a difference
	Proven        bool   // it is Ours by its name or from memory, and not by a tag alone, which anybody can set
	KeyState      string // of KMSKey, as KMS calls it; "" if it was not read, as in observations for events
	KeyPolicy     string // of KMSKey, JSON; "" if it was not read
	Untagged      bool   // it is Ours from memory alone: its tag was removed
}

// A GroupFilter is a metric filter of a log group.
type GroupFilter struct {
	LogGroup string
	Filter
}

// A GroupRule is an account-wide policy of CloudWatch Logs.
type GroupRule struct {
	Name      string
	Selection string // its selection criteria; "" for every log group of the region
}

// A Filter is a metric filter with everything that PutMetricFilter takes.
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

// NoUnit is the unit of a metric whose filter sets none. Source: CloudWatch
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
	with := fmt.Sprintf("with %d days of retention", a.RetentionDays)
	if a.RetentionDays == forever {
		with = "that keeps its logs for ever"
	}
	return Step{Thing: "log group", Stage: create, Do: "create log-group " + a.Name + " " + with, Target: a.Name, Reason: a.Reason, Makes: a.Name}
}

// RaiseRetention makes a log group keep its logs longer.
type RaiseRetention struct {
	LogGroup string
	Days     int32
	Reason   string
}

// Step returns the action as a step of a plan.
func (a RaiseRetention) Step() Step {
	return Step{Thing: "retention of log group", Stage: configure, Do: fmt.Sprintf("raise retention of log-group %s to %d days", a.LogGroup, a.Days), Target: a.LogGroup, Reason: a.Reason}
}

// ProtectLogGroup switches a log group's deletion protection on.
type ProtectLogGroup struct {
	LogGroup string
	Reason   string
}

// Step returns the action as a step of a plan.
func (a ProtectLogGroup) Step() Step {
	return Step{Thing: "deletion protection of log group", Stage: configure, Do: fmt.Sprintf("protect log-group %s from deletion", a.LogGroup), Target: a.LogGroup, Reason: a.Reason}
}

// EncryptLogGroup associates the configured key with a log group.
type EncryptLogGroup struct {
	LogGroup string
	Key      string // ARN
	Reason   string
}

// Step returns the action as a step of a plan.
func (a EncryptLogGroup) Step() Step {
	return Step{Thing: "key of log group", Stage: configure, Do: fmt.Sprintf("encrypt log-group %s with %s", a.LogGroup, a.Key), Target: a.LogGroup, Reason: a.Reason}
}

// RemoveLogGroupKey takes the key off a log group, which CloudWatch Logs then encrypts
// with a key of its own.
type RemoveLogGroupKey struct {
	LogGroup string
	Reason   string
}

// Step returns the action as a step of a plan.
func (a RemoveLogGroupKey) Step() Step {
	return Step{Stage: configure, Do: "remove the KMS key of log-group " + a.LogGroup, Target: a.LogGroup, Reason: a.Reason}
}

// TagLogGroup puts relight's tags on a log group again.
type TagLogGroup struct {
	LogGroup string
	ARN      string
	Tags     map[string]string
	Reason   string
}

// Step returns the action as a step of a plan.
func (a TagLogGroup) Step() Step {
	return Step{Thing: "tags of log group", Stage: configure, Do: "tag log-group " + a.LogGroup, Target: a.LogGroup, Reason: a.Reason}
}

// PutFilter creates or restores one of relight's metric filters.
type PutFilter struct {
	LogGroup string
	Filter   Filter
	Reason   string
}

// Step returns the action as a step of a plan.
func (a PutFilter) Step() Step {
	return Step{Thing: "metric filter", Stage: protect, Do: fmt.Sprintf("put metric-filter %s on %s", a.Filter.Name, a.LogGroup), Target: a.Filter.Name, Reason: a.Reason, Needs: a.LogGroup}
}

// plan plans the trail's log group and the metric filters of every
// control:
//
//	it is of another account or region    skipped
//	it does not exist                     created, with every filter
//	its retention is shorter than before  raised to the longest that a sweep has seen
//	its retention is too short            raised, never shortened; a finding if an account-wide policy
//	                                      overrides it
//	relight created it, and it has no     its deletion protection is switched on, the configured key
//	 deletion protection or no key        associated
//	relight created it, and it lost       it is tagged again
//	 its tag
//	relight created it, and it has        a finding
//	 another key
//	its key is another account's          a finding
//	its key is disabled, waits for its    a finding
//	 deletion or shuts CloudWatch Logs out
//	its logs are masked or transformed    a finding
//	its class is not STANDARD             a finding: it takes no filters, and its class never changes
//	it has no room for another filter     a finding
//	relight's filter is weaker            restored
//	a filter of others, on any log        a finding
//	 group, writes into relight's metric
//	relight's filter belongs to no        unwanted: only a person knows whether anything else uses it
//	 control, or the trail delivers to
//	 another log group
//	neither relight's filter nor an       relight's filter is created; a finding if somebody else's
//	 adopted one measures a control       would measure it
func (state *LogGroupState) plan(want catalog.Desired, got Observed) Plan {
	var p Plan
	p.touch(got, catalog.Destination, got.Asked...)
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
	var foreign []string
	for _, c := range want.Controls {
		reason, by := unmeasured(want, got.Adopted, c, state.Filters)
		if reason != "" {
			foreign = append(foreign, othersMeasure(want, c, state.Filters)...)
			filter := ownFilter(want, c, state.Filters)
			p.Actions = append(p.Actions, PutFilter{LogGroup: state.Trail.LogGroup, Filter: filter, Reason: reason})
			continue
		}
		p.adopts(by, nil, nil)
		p.Healthy++
	}
	p.notAdopted(catalog.Adoption{Filters: foreign})
	p.crowded(state)
	p.unwantedFilters(want, state)
	p.poisoned(want, state)
	return p
}

// poisoned reports the filters of others, on any log group of the region, that
// write into a metric of relight's: a negative value hides events from a sum, and any
// other one keeps the alarm in ALARM, where it sends nothing. relight deletes no
// filter of others.
func (p *Plan) poisoned(want catalog.Desired, state *LogGroupState) {
	all := slices.Clone(state.Writers)
	for _, f := range state.Filters {
		if !slices.ContainsFunc(want.Controls, func(c catalog.Control) bool { return f.Name == want.Name(c.ID) }) { // relight restores its own
			all = append(all, GroupFilter{state.Group.Name, f})
		}
	}
	for _, f := range all {
		for _, m := range f.Metrics {
			i := slices.IndexFunc(want.Controls, func(c catalog.Control) bool { return want.Name(c.ID) == m.Name })
			if m.Namespace != want.Prefix || i < 0 || Measures(want.Controls[i], f.Filter) == "" { // one that counts the same events hides none
				continue
			}
			value := m.Value
			if m.Default != nil {
				value += ", and " + strconv.FormatFloat(*m.Default, 'g', -1, 64) + " for no match,"
			}
			p.find(MetricForeignWriter, Args{"filter": f.Name, "group": f.LogGroup, "namespace": m.Namespace, "metric": m.Name, "value": value})
		}
	}
}

// crowded reports missing filters that the log group has no room for. A filter
// that exists and is only rewritten needs no room.
func (p *Plan) crowded(state *LogGroupState) {
	added := 0
	for _, a := range p.Actions {
		put, ok := a.(PutFilter)
		if ok && !slices.ContainsFunc(state.Filters, func(f Filter) bool { return f.Name == put.Filter.Name }) {
			added++
		}
	}
	if over := len(state.Filters) + added - catalog.FiltersPerGroup; added > 0 && over > 0 {
		p.find(LogGroupFull, Args{
			"group": state.Trail.LogGroup, "count": strconv.Itoa(len(state.Filters)), "limit": strconv.Itoa(catalog.FiltersPerGroup),
			"missing": count(min(over, added), "filter"),
		})
	}
}

// seen reports what changes the flow log records that people see. It alerts nobody:
// the calls that lead to it come with advice.
func (p *Plan) seen(state *FlowLogState, name string, ours bool) {
	got := state.LogGroups[name]
	if got.Masked {
		p.find(LogGroupMasked, Args{"group": name})
	}
	if got.MaskedByAll {
		p.find(LogGroupMaskedByAccount, Args{"group": name})
	}
	for _, r := range state.Account {
		if r.selects(name) {
			p.find(LogGroupTransformedByAccount, Args{"group": name, "policy": r.Name})
		}
	}
	if got.Class == classDelivery || ours && got.Class != "" && got.Class != catalog.ClassStandard {
		p.find(FlowLogGroupClass, Args{"group": name, "class": got.Class})
	}
}

// classDelivery is the class of log groups that keep their records for a day,
// whatever their retention is. Source: CloudWatch Logs API Reference, CreateLogGroup.
const classDelivery = "DELIVERY"

// altered reports what changes the logs that people and filters see. These
// findings alert nobody, because the calls that lead to them come with advice.
func (p *Plan) altered(state *LogGroupState) {
	// CloudWatch Logs User Guide, "Help protect sensitive log data with
	// masking": it masks at every egress, metric filters included.
	if state.Group.Masked {
		p.find(LogGroupMasked, Args{"group": state.Trail.LogGroup})
	}
	if state.Group.MaskedByAll {
		p.find(LogGroupMaskedByAccount, Args{"group": state.Trail.LogGroup})
	}
	// CloudWatch Logs API Reference, PutMetricFilter, applyOnTransformedLogs;
	// PutTransformer: a group's own transformer overrides the account's.
	if state.Transformed {
		p.find(LogGroupTransformed, Args{"group": state.Trail.LogGroup})
		return
	}
	for _, r := range state.Account {
		if r.selects(state.Trail.LogGroup) {
			p.find(LogGroupTransformedByAccount, Args{"group": state.Trail.LogGroup, "policy": r.Name})
		}
	}
}

var (
	quoted   = lazy.Compile(`["']([^"']*)["']`)
	excludes = lazy.Compile(`(?i)\bNOT\b|!`)
)

// selects reports whether an account-wide policy applies to a log group. Its
// criteria name prefixes of log groups: LogGroupNamePrefix IN ["…"] (belief
// selection-criteria-spelling, assumed). So any quoted text counts as a prefix,
// NOT excludes the groups that have it, and criteria without a quoted text select
// everything. Source: CloudWatch Logs API Reference, PutAccountPolicy,
// selectionCriteria.
func (r GroupRule) selects(group string) bool {
	prefixes := quoted.FindAllStringSubmatch(r.Selection, -1)
	named := slices.ContainsFunc(prefixes, func(m []string) bool { return strings.HasPrefix(group, m[1]) })
	return len(prefixes) == 0 || named != excludes.MatchString(quoted.ReplaceAllString(r.Selection, ""))
}

// What needs a log group, with its verb.
const (
	byTrail    = "the trail needs"
	byFlowLogs = "flow logs need"
)

// A logGroupWant is what a log group has to be, and for what.
type logGroupWant struct {
	name      string
	retention int32
	by        string // byTrail or byFlowLogs
}

// logGroup plans one log group that is needed, and reports whether it can be
// used once the plan is applied.
func (p *Plan) logGroup(want catalog.Desired, in Observed, w logGroupWant, got LogGroup, exists bool) bool {
	theirs := w.by == byTrail && catalog.ControlTowerOwns(w.name)
	floor := in.Adopted.Floors.floor(in.Region, w.name, w.retention)
	switch {
	case !exists && theirs:
		p.find(ControlTowerGroupMissing, Args{"group": w.name})
		return false
	case !exists:
		p.Kept = append(p.Kept, Kept{in.Region, w.name, floor})
		p.Actions = append(p.Actions, CreateLogGroup{
			Name: w.name, RetentionDays: floor, KMSKey: want.KMSKeys[in.Region], Protected: want.ProtectGroups, Tags: want.Tags,
			Reason: "it does not exist; " + w.by + " it",
		})
		return true
	case got.Class != "" && got.Class != catalog.ClassStandard && w.by == byTrail:
		p.find(LogGroupClass, Args{"group": w.name, "class": got.Class})
		return false
	}
	p.safeguards(want, in, got)
	p.kept(in.Region, got)
	kept, needed := count(int(got.RetentionDays), "day"), w.by+" "+strconv.Itoa(int(w.retention))
	switch {
	case !longer(floor, got.RetentionDays):
		return true
	case keeps(got, w.retention) && (theirs || got.RetentionBy != "" || w.by != byTrail && w.name != want.FlowLogs.LogGroup):
		p.shortened(in.Region, got, floor)
		return true
	case keeps(got, w.retention):
		needed = "it kept them " + retention(floor) + " before; if you want less, run relight accept --retention " + floorKey(in.Region, w.name)
	}
	if theirs {
		p.find(ControlTowerGroupRetention, Args{"group": w.name, "kept": kept, "needed": needed})
		return true
	}
	if got.RetentionBy != "" { // PutRetentionPolicy would be accepted and change nothing: CloudWatch Logs API Reference
		p.find(RetentionOverridden, Args{"group": w.name, "kept": kept, "needed": needed, "policy": got.RetentionBy})
		return true
	}
	p.Kept = append(p.Kept, Kept{in.Region, w.name, floor}) // what the action is about to set
	reason := "it keeps logs for " + kept + "; " + needed
	if floor == forever {
		p.Actions = append(p.Actions, KeepForever{LogGroup: w.name, Reason: reason})
	} else {
		p.Actions = append(p.Actions, RaiseRetention{LogGroup: w.name, Days: floor, Reason: reason})
	}
	return true
}

// OwnsGroup reports whether a log group is relight's by its name: the one for
// relight's own flow logs, unless the configuration gives it a name of the
// owner's. relight's tag decides for any other group. One call removes a tag, so
// relight remembers which log group of the trail had it: see TrailMemory.
func OwnsGroup(want catalog.Desired, name string) bool {
	return name == want.FlowLogs.LogGroup && strings.HasPrefix(name, want.Name(""))
}

// safeguards plans the tag, the key and the deletion protection of a log group. relight
// changes only log groups that it created. For any other, a key of another
// account is a finding, since that account can make the logs unreadable.
func (p *Plan) safeguards(want catalog.Desired, in Observed, got LogGroup) {
	key := want.KMSKeys[in.Region]
	if got.Untagged {
		p.Actions = append(p.Actions, TagLogGroup{
			LogGroup: got.Name, ARN: got.ARN, Tags: want.Tags,
			Reason: "relight made it, and its tag was removed; if you take it over, remove the tag and run relight accept",
		})
	}
	if got.Ours && want.ProtectGroups && !got.Protected {
		p.Actions = append(p.Actions, ProtectLogGroup{LogGroup: got.Name, Reason: "its deletion protection is off"})
	}
	switch owner := arnOf(got.KMSKey).AccountID; {
	case got.Ours && key != "" && got.KMSKey == "":
		p.Actions = append(p.Actions, EncryptLogGroup{LogGroup: got.Name, Key: key, Reason: "it has no KMS key"})
	case got.Ours && got.KMSKey != key && (got.Proven || key != ""):
		reason := "it is encrypted with " + got.KMSKey + ", which the configuration does not name"
		if key == "" {
			p.Actions = append(p.Actions, RemoveLogGroupKey{LogGroup: got.Name, Reason: reason})
		} else {
			p.Actions = append(p.Actions, EncryptLogGroup{LogGroup: got.Name, Key: key, Reason: reason})
		}
		p.find(LogGroupKeyChanged, Args{"group": got.Name, "key": got.KMSKey})
	case owner != "" && owner != in.Account && got.KMSKey != key:
		p.find(LogGroupKeyForeign, Args{"group": got.Name, "key": got.KMSKey, "owner": owner})
	}
	if trouble := keyTrouble(in, got); trouble != "" {
		p.find(LogGroupKeyUnusable, Args{"group": got.Name, "key": got.KMSKey, "trouble": trouble})
	}
}

// keyTrouble returns why the key of a log group does not encrypt and decrypt its
// records, as far as it was read, or "".
func keyTrouble(in Observed, got LogGroup) string {
	switch {
	case got.KeyState == "":
		return ""
	case got.KeyState != KeyEnabled:
		return "its state is " + got.KeyState
	case got.KeyPolicy == "":
		return ""
	}
	return keyShutsOut(got.KeyPolicy, got.KMSKey, in.Region, got.ARN)
}

// shortened reports a log group of an owner whose retention somebody shortened, and
// that still satisfies the policy.
func (p *Plan) shortened(region string, g LogGroup, floor int32) {
	p.find(RetentionShortened, Args{"group": g.Name, "kept": retention(g.RetentionDays), "before": retention(floor), "key": floorKey(region, g.Name)})
}

// count returns a number with a noun, in the plural where that is due.
func count(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return strconv.Itoa(n) + " " + noun
}

// keeps reports whether a log group keeps its logs for at least so many days.
func keeps(g LogGroup, days int32) bool { return g.RetentionDays == 0 || g.RetentionDays >= days }

// unmeasured returns why no filter measures a control, or "" if one does, and then
// the adopted filters that do instead of relight's own. If relight's own filter
// exists, it has to measure the control even if another does, because relight's
// alarm watches its metric. What nobody adopted does not count.
func unmeasured(want catalog.Desired, adopted Adopted, c catalog.Control, filters []Filter) (reason string, by []string) {
	if i := slices.IndexFunc(filters, func(f Filter) bool { return f.Name == want.Name(c.ID) }); i >= 0 {
		return cmp.Or(altered(c, filters[i].Pattern), Measures(c, filters[i]), misdirected(want, filters[i])), nil
	}
	others := othersMeasure(want, c, filters)
	by = slices.DeleteFunc(slices.Clone(others), func(name string) bool { return !adopted.filter(name) })
	switch {
	case len(by) > 0:
		return "", by
	case len(others) > 0:
		return "no filter of relight's or adopted measures " + c.Title, nil
	}
	return "no filter measures " + c.Title, nil
}

// misdirected returns why relight's filter measures its control but does not
// feed the alarm on it, or "". A unit is one such reason: the alarm sets none, and
// CloudWatch's behaviour is undefined once a metric has data of several units. Source: CloudWatch API Reference, PutMetricAlarm, Unit.
func misdirected(want catalog.Desired, f Filter) string {
	if len(f.Metrics) == 0 {
		return "it writes no metric"
	}
	m := f.Metrics[0]
	switch {
	case m.Namespace != want.Prefix || m.Name != f.Name:
		return "it writes another metric"
	case m.Unit != "" && m.Unit != NoUnit:
		return "it counts in " + m.Unit
	}
	return ""
}

// Measures returns why a filter does not measure a control, or "" if it does: it
// means what the control's pattern does, nothing narrows it, and its metric
// has no dimensions and counts at least one for each matching event. A default
// value other than zero would hide the count or keep the alarm in ALARM.
func Measures(c catalog.Control, f Filter) string {
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
	if !sameMeaning(c, f.Pattern) { // last, because it takes longest
		return "its pattern differs"
	}
	return ""
}

var number = lazy.Compile(`^\d+(\.\d+)?$`)

// counts reports whether a metric value counts at least one: it is no field of
// the event, and not above 2^360, which CloudWatch drops. Source:
// CloudWatch API Reference, MetricDatum.
func counts(value string) bool {
	n, err := strconv.ParseFloat(value, 64)
	return number.MatchString(value) && err == nil && n >= 1 && n <= 0x1p360
}

// ownFilter returns relight's filter for a control. It keeps a default value of
// zero of the observed filter, because relight does not require any.
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
