package audit

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/pattern"
	"github.com/relight-aws/relight/internal/plan"
)

// A Link is one step of a chain.
type Link string

// The links of the chain of a monitoring control, in order.
const (
	Trail      Link = "trail"      // a trail records every region
	Logging    Link = "logging"    // it logs
	Events     Link = "events"     // it records all management events, reads and writes
	LogGroup   Link = "log group"  // it delivers them to a log group that exists
	Filter     Link = "filter"     // a metric filter of the group matches the control's events
	Alarm      Link = "alarm"      // an alarm watches the filter's metric
	Actions    Link = "actions"    // the alarm's actions are enabled, and there is one
	Topic      Link = "topic"      // it is a topic to which CloudWatch may publish
	Subscriber Link = "subscriber" // somebody confirmed is subscribed and receives everything
)

// The links of the chain of a VPC, in order.
const (
	FlowLog     Link = "flow log"    // an active flow log records the traffic
	Destination Link = "destination" // the log group that it delivers to exists; buckets and streams are not read
	Delivery    Link = "delivery"    // EC2 reports no failure of its delivery
	Retention   Link = "retention"   // the log group keeps the records
)

var (
	monitoring = []Link{Trail, Logging, Events, LogGroup, Filter, Alarm, Actions, Topic, Subscriber}
	flowLogs   = []Link{FlowLog, Destination, Delivery, Retention}
)

// A Status is the result of a check or of one of its links.
type Status string

// The statuses. Unknown is not pass.
const (
	Pass          Status = "pass"
	Fail          Status = "fail"
	Unknown       Status = "unknown"        // it could not be read
	NotApplicable Status = "not applicable" // it belongs to another account
	NotReached    Status = "not reached"    // of a link: an earlier one is broken
)

// A Step is one link as it was found.
type Step struct {
	Link     Link              `json:"link"`
	Status   Status            `json:"status"`
	Resource string            `json:"resource,omitempty"` // ARN or name
	Problem  string            `json:"problem,omitempty"`
	Evidence map[string]string `json:"evidence,omitempty"` // what was read of the resource
}

// A Check is the result for one control, or for the flow logs of one VPC.
type Check struct {
	Control      string              `json:"control"` // ID, or catalog.FlowLogsCheck
	Title        string              `json:"title"`
	Requirements map[string][]string `json:"requirements"` // of each framework of the audit that has it
	Region       string              `json:"region"`
	Resource     string              `json:"resource,omitempty"` // the VPC
	Status       Status              `json:"status"`
	Broken       Link                `json:"broken,omitempty"` // the first link that failed, or is unknown
	Problem      string              `json:"problem,omitempty"`
	Remedy       string              `json:"remedy,omitempty"`
	Command      string              `json:"command,omitempty"` // that repairs the broken link
	Steps        []Step              `json:"steps,omitempty"`   // none if it does not apply
}

// A Report is the result of an audit.
type Report struct {
	Schema     string         `json:"schema"`
	Account    string         `json:"account"`
	Home       string         `json:"home_region"`
	Time       time.Time      `json:"time"` // when the account was read
	Frameworks []Meta         `json:"frameworks"`
	Strict     bool           `json:"strict"`
	Regions    []string       `json:"regions"`
	Checks     []Check        `json:"checks"` // worst first
	Totals     map[Status]int `json:"totals"`
	Unread     []Missing      `json:"unread,omitempty"`

	// Transit lists the transit gateways of the regions that have VPCs. No framework
	// judges them, and relight keeps no flow logs on them.
	Transit []TransitGateway `json:"transit_gateways,omitempty"`
}

// A TransitGateway is one that the account owns, and the flow logs on it.
type TransitGateway struct {
	Region   string   `json:"region"`
	ID       string   `json:"id,omitempty"`
	FlowLogs []string `json:"flow_logs,omitempty"` // IDs
	Unread   string   `json:"unread,omitempty"`    // why those of the region are not known; then it has no ID
}

// String says in one line whether it has a flow log.
func (g TransitGateway) String() string {
	switch {
	case g.Unread != "":
		return "transit gateways in " + g.Region + ": could not be read: " + g.Unread
	case len(g.FlowLogs) == 0:
		return "transit gateway " + g.ID + " in " + g.Region + ": no flow log"
	}
	return "transit gateway " + g.ID + " in " + g.Region + ": flow log " + strings.Join(g.FlowLogs, ", ")
}

// Schema names the shape of a report's JSON. See docs/audit.schema.json.
const Schema = "relight-audit/1"

// Meta describes a framework in a report.
type Meta struct {
	ID     string         `json:"id"`
	Title  string         `json:"title"`
	Source string         `json:"source"` // of its requirements' IDs
	Totals map[Status]int `json:"totals"`
}

// A Missing is a call that failed, in a report.
type Missing struct {
	Action string `json:"action"` // the permission that the call needs
	Region string `json:"region"`
	Error  string `json:"error"`
}

// Options of an audit.
type Options struct {
	Frameworks []catalog.Framework
	Strict     bool // a filter needs the exact text that Security Hub prints, where it prints one
}

// Of judges what was observed. The result depends on its arguments only.
func Of(want catalog.Desired, got Observed, o Options) Report {
	rep := Report{
		Schema: Schema, Account: got.Account, Home: got.Home, Time: got.Time.UTC().Truncate(time.Millisecond), Strict: o.Strict,
		Regions: []string{}, Checks: []Check{}, Totals: map[Status]int{}, // not nil: JSON
	}
	for _, c := range want.Controls {
		a := auditor{want: want, got: got, control: c, options: o}
		rep.Checks = append(rep.Checks, a.checks()...)
	}
	required := map[string][]string{}
	for _, f := range o.Frameworks {
		if ids := f.Requires(catalog.FlowLogsCheck); len(ids) > 0 {
			required[f.ID] = ids
		}
	}
	for _, r := range got.Regions {
		rep.Regions = append(rep.Regions, r.Name)
		rep.Transit = append(rep.Transit, r.Transit...)
		if r.TransitUnread != "" {
			rep.Transit = append(rep.Transit, TransitGateway{Region: r.Name, Unread: r.TransitUnread})
		}
		if len(required) > 0 {
			rep.Checks = append(rep.Checks, flowLogChecks(want, got, r, required)...)
		}
	}
	slices.Sort(rep.Regions)
	slices.SortStableFunc(rep.Checks, func(a, b Check) int { return cmp.Compare(severity(a.Status), severity(b.Status)) })
	for _, f := range o.Frameworks {
		m := Meta{ID: f.ID, Title: f.Title, Source: f.Source, Totals: map[Status]int{}}
		for _, c := range rep.Checks {
			if c.Requirements[f.ID] != nil {
				m.Totals[c.Status]++
			}
		}
		rep.Frameworks = append(rep.Frameworks, m)
	}
	for _, c := range rep.Checks {
		rep.Totals[c.Status]++
	}
	for _, u := range got.Unread {
		rep.Unread = append(rep.Unread, Missing{u.Action, u.Region, u.Error})
	}
	return rep
}

// severity orders statuses, the worst first.
func severity(s Status) int { return slices.Index([]Status{Fail, Unknown, NotApplicable, Pass}, s) }

// Passed reports whether everything passes, or does not apply.
func (r Report) Passed() bool { return r.Totals[Fail]+r.Totals[Unknown] == 0 }

// An auditor walks the chain of one control.
type auditor struct {
	want    catalog.Desired
	got     Observed
	control catalog.Control
	options Options
}

// checks returns the results for the control: one for all frameworks that accept the
// same patterns.
func (a auditor) checks() (checks []Check) {
	type group struct {
		patterns []string
		required map[string][]string
	}
	var groups []group
	for _, f := range a.options.Frameworks {
		ids := f.Requires(a.control.ID)
		if len(ids) == 0 {
			continue
		}
		patterns := f.Accepts(a.control)
		i := slices.IndexFunc(groups, func(g group) bool { return slices.Equal(g.patterns, patterns) })
		if i < 0 {
			i = len(groups)
			groups = append(groups, group{patterns, map[string][]string{}})
		}
		groups[i].required[f.ID] = ids
	}
	for _, g := range groups {
		c := Check{Control: a.control.ID, Title: a.control.Title, Requirements: g.required, Region: a.got.Home}
		a.walk(&c, g.patterns)
		checks = append(checks, c)
	}
	return checks
}

// walk fills in the chain, and the result that follows from it.
func (a auditor) walk(c *Check, patterns []string) {
	trail, steps := a.trail()
	if trail == nil && a.got.Choice.Elsewhere != "" {
		c.Status, c.Problem = NotApplicable, a.got.Choice.Elsewhere
		return
	}
	if len(steps) == 4 && steps[3].Status == Pass {
		steps = a.best(steps, patterns)
	}
	c.conclude(steps, monitoring)
	if c.Broken != "" {
		c.Remedy, c.Command = a.remedy(c.Broken, trail, c)
	}
}

// conclude sets the result of a chain from the links that were walked.
func (c *Check) conclude(steps []Step, chain []Link) {
	c.Status, c.Steps = Pass, steps
	for _, s := range steps {
		if c.Broken == "" && s.Status != Pass {
			c.Broken, c.Status, c.Problem = s.Link, s.Status, s.Problem
		}
	}
	for _, link := range chain[len(steps):] {
		c.Steps = append(c.Steps, Step{Link: link, Status: NotReached})
	}
}

// unread returns a step that is unknown if the link could not be read, and nil if it
// was read.
func (a auditor) unread(link Link, region, subject string) *Step {
	for _, u := range a.got.Unread {
		if u.Link == link && u.Region == region && (u.Subject == "" || u.Subject == subject) {
			return &Step{Link: link, Status: Unknown, Resource: u.Subject, Problem: "it could not be read: needs " + u.Action + " (" + u.Error + ")"}
		}
	}
	return nil
}

// trail walks the links up to the log group, for the trail that relight protects or,
// if that qualifies for nothing, for the one that comes farthest.
func (a auditor) trail() (*plan.Trail, []Step) {
	if u := a.unread(Trail, a.got.Home, ""); u != nil {
		return nil, []Step{*u}
	}
	if t := a.got.Choice.Trail; t != nil {
		return t, a.trailSteps(*t)
	}
	if a.got.Choice.Elsewhere != "" {
		return nil, nil
	}
	var best *plan.Trail
	var steps []Step
	for i, t := range a.got.Trails {
		if walked := a.trailSteps(t); best == nil || reached(walked) > reached(steps) {
			best, steps = &a.got.Trails[i], walked
		}
	}
	if best == nil {
		return nil, []Step{{Link: Trail, Status: Fail, Problem: "the account has no trail"}}
	}
	return best, steps
}

// reached returns how many links of a chain pass before the first that does not.
func reached(steps []Step) int {
	if i := slices.IndexFunc(steps, func(s Step) bool { return s.Status != Pass }); i >= 0 {
		return i
	}
	return len(steps)
}

// trailSteps returns the first four links, up to the first that fails.
func (a auditor) trailSteps(t plan.Trail) []Step {
	step := func(link Link, problem string, evidence map[string]string) Step {
		s := Step{Link: link, Status: Pass, Resource: t.ARN, Problem: problem, Evidence: evidence}
		if problem != "" {
			s.Status = Fail
		}
		return s
	}
	problem := ""
	switch {
	case !t.MultiRegion:
		problem = "the trail records one region only"
	case t.HomeRegion != a.got.Home:
		problem = "the trail belongs to " + t.HomeRegion + ", and this audit reads " + a.got.Home
	}
	steps := []Step{step(Trail, problem, map[string]string{"IsMultiRegionTrail": strconv.FormatBool(t.MultiRegion), "HomeRegion": t.HomeRegion})}
	if problem != "" {
		return steps
	}
	health, known := a.got.Health[t.ARN]
	if u := a.unread(Logging, a.got.Home, ""); u != nil || !known {
		if u == nil {
			u = &Step{Link: Logging, Status: Unknown, Problem: "its status was not read"}
		}
		u.Resource = t.ARN
		return append(steps, *u)
	}
	if problem = ""; !health.Status.Logging {
		problem = "the trail does not log"
	}
	steps = append(steps, step(Logging, problem, map[string]string{"IsLogging": strconv.FormatBool(health.Status.Logging)}))
	if problem != "" {
		return steps
	}
	if u := a.unread(Events, a.got.Home, ""); u != nil {
		u.Resource = t.ARN
		return append(steps, *u)
	}
	if problem = health.Selectors.Missing(); problem != "" {
		problem = "the trail does not record " + problem
	}
	steps = append(steps, step(Events, problem, nil))
	if problem != "" {
		return steps
	}
	if u := a.unread(LogGroup, a.got.Home, ""); u != nil {
		return append(steps, *u)
	}
	switch problem = ""; {
	case t.LogGroupARN == "":
		problem = "the trail delivers to no log group"
	case !t.DeliversTo(a.got.Account, a.got.Home):
		problem = "the trail delivers to a log group of another account or region: " + t.LogGroupARN
	case !a.got.Exists:
		problem = "log group " + a.got.LogGroup + " does not exist"
	case health.Status.LogsError != "":
		problem = "CloudTrail cannot deliver to the log group: " + health.Status.LogsError
	}
	last := step(LogGroup, problem, map[string]string{"Trail": t.ARN})
	last.Resource = cmp.Or(t.LogGroupARN, t.ARN)
	return append(steps, last)
}

// best returns the chain from the log group on that comes farthest, the first of
// several by name.
func (a auditor) best(head []Step, patterns []string) []Step {
	if u := a.unread(Filter, a.got.Home, ""); u != nil {
		return append(head, *u)
	}
	var best []Step
	for _, f := range a.got.Filters {
		why := a.measures(f, patterns)
		if why != "" {
			continue
		}
		filter := Step{Link: Filter, Status: Pass, Resource: f.Name, Evidence: map[string]string{
			"filterPattern": f.Pattern, "metric": f.Metrics[0].Namespace + "/" + f.Metrics[0].Name, "metricValue": f.Metrics[0].Value,
		}}
		if steps := append([]Step{filter}, a.alarms(f.Metrics[0])...); best == nil || reached(steps) > reached(best) {
			best = steps
		}
	}
	if best == nil {
		best = []Step{{Link: Filter, Status: Fail, Resource: a.got.LogGroup, Problem: a.noFilter(patterns)}}
	}
	return append(head, best...)
}

// measures returns why a filter does not measure the control, or "". A pattern that
// matches more than the control's passes an audit; the planner relies on none.
func (a auditor) measures(f plan.Filter, patterns []string) string {
	if a.options.Strict && a.control.SecurityHub != "" && f.Pattern != a.control.Pattern {
		return "its pattern differs from the text that Security Hub prints"
	}
	accepted := func(text string) bool { return pattern.Same(f.Pattern, text) }
	if covers(a.control, f.Pattern) || slices.ContainsFunc(patterns[1:], accepted) {
		f.Pattern = a.control.Pattern // the rest of the filter is judged as the planner does
	}
	return plan.Measures(a.control, f)
}

// noFilter says why no filter measures the control: what is wrong with relight's own,
// with one that would but for something else, or that none is there.
func (a auditor) noFilter(patterns []string) string {
	for _, f := range a.got.Filters {
		if f.Name == a.want.Name(a.control.ID) {
			return "filter " + f.Name + ": " + a.measures(f, patterns)
		}
	}
	for _, f := range a.got.Filters {
		twin := f
		twin.Pattern = a.control.Pattern
		if why := plan.Measures(a.control, twin); why != "" && covers(a.control, f.Pattern) {
			return "filter " + f.Name + ": " + why
		}
	}
	return fmt.Sprintf("none of the log group's %d filters matches the events of this control", len(a.got.Filters))
}

// alarms returns the links from the alarm on a metric on.
func (a auditor) alarms(m plan.Metric) (best []Step) {
	if u := a.unread(Alarm, a.got.Home, ""); u != nil {
		return []Step{*u}
	}
	metric := m.Namespace + "/" + m.Name
	var weak []string
	for _, name := range sortedKeys(a.got.Alarms) {
		alarm := a.got.Alarms[name]
		why := plan.Watches(a.control, m, alarm)
		if why != "" {
			if alarm.Namespace == m.Namespace && alarm.Metric == m.Name || name == a.want.Name(a.control.ID) {
				weak = append(weak, "alarm "+name+": "+why)
			}
			continue
		}
		step := Step{Link: Alarm, Status: Pass, Resource: name, Evidence: map[string]string{
			"metric": metric, "statistic": alarm.Statistic, "period": strconv.Itoa(int(alarm.Period)),
			"threshold": alarm.Comparison + " " + strconv.FormatFloat(alarm.Threshold, 'g', -1, 64),
		}}
		if steps := append([]Step{step}, a.actions(alarm)...); best == nil || reached(steps) > reached(best) {
			best = steps
		}
	}
	if best != nil {
		return best
	}
	problem := "no alarm watches the metric " + metric
	if len(weak) > 0 {
		problem = strings.Join(weak, "; ")
	}
	return []Step{{Link: Alarm, Status: Fail, Resource: metric, Problem: problem, Evidence: map[string]string{"namespace": m.Namespace, "metricName": m.Name}}}
}

// actions returns the links from an alarm's actions on.
func (a auditor) actions(alarm plan.Alarm) []Step {
	step := Step{Link: Actions, Status: Pass, Resource: alarm.Name, Evidence: map[string]string{
		"ActionsEnabled": strconv.FormatBool(alarm.ActionsEnabled), "AlarmActions": strings.Join(alarm.AlarmActions, ", "),
	}}
	var topics []string
	for _, action := range alarm.AlarmActions {
		if strings.HasPrefix(action, "arn:") && strings.Contains(action, ":sns:") {
			topics = append(topics, action)
		}
	}
	switch {
	case !alarm.ActionsEnabled:
		step.Status, step.Problem = Fail, "the actions of alarm "+alarm.Name+" are disabled"
	case len(topics) == 0:
		step.Status, step.Problem = Fail, "alarm "+alarm.Name+" has no action that is a topic"
	}
	if step.Status == Fail {
		return []Step{step}
	}
	var best []Step
	for _, topic := range topics {
		if steps := a.topic(topic, alarm.Name); best == nil || reached(steps) > reached(best) {
			best = steps
		}
	}
	return append([]Step{step}, best...)
}

// topic returns the last two links.
func (a auditor) topic(arn, alarm string) []Step {
	if u := a.unread(Topic, a.got.Home, arn); u != nil {
		u.Resource = arn
		return []Step{*u}
	}
	t, read := a.got.Topics[arn]
	step := Step{Link: Topic, Status: Pass, Resource: arn}
	switch {
	case !read:
		step.Status, step.Problem = Unknown, "the topic is of another account or region, which this audit does not read"
	case !t.Exists && t.Why == "":
		step.Status, step.Problem = Fail, "the topic does not exist"
	case !t.Admits || slices.Contains(t.KeepsOut, alarm):
		step.Status, step.Problem = Fail, "CloudWatch cannot publish to the topic: "+t.Why
	}
	if step.Status != Pass {
		return []Step{step}
	}
	if u := a.unread(Subscriber, a.got.Home, arn); u != nil {
		u.Resource = arn
		return []Step{step, *u}
	}
	last := Step{Link: Subscriber, Status: Pass, Resource: arn, Evidence: map[string]string{
		"SubscriptionsConfirmed": strconv.Itoa(t.Confirmed), "SubscriptionsPending": strconv.Itoa(t.Pending), "receives": a.got.Receivers[arn],
	}}
	if t.Confirmed == 0 {
		last.Status, last.Problem = Fail, "no confirmed subscription receives every message"
	}
	return []Step{step, last}
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
