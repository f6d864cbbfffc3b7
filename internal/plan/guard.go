package plan

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/iampolicy"
)

// GuardState is what was observed of relight's own stack in a region: the parts that
// were looked at. A part that was looked at and is nil does not exist.
type GuardState struct {
	Elsewhere  string    // why there is nothing to plan here; "" if there is
	Changing   string    // what CloudFormation is doing to the stack at the moment; "" for nothing
	Absent     bool      // the stack of a forwarder does not exist
	Unknown    bool      // relight cannot read whether it exists or changes
	BusGone    bool      // relight's own bus does not exist
	Deaf       bool      // relight may not have heard of changes: its rule for them does not work, or its function or its mapping is stopped
	Unread     []Finding // why relight could not read some parts
	Rules      map[RuleKey]*RuleState
	Schedules  map[string]*ScheduleState  // by name
	Functions  map[string]*FunctionState  // by name
	Queues     map[string]*QueueState     // by name
	Logs       map[string]*LogGroup       // by name of a function's log group; nil if it does not exist
	Mappings   map[string][]MappingState  // by name of a queue: what reads it
	SpokeRoles map[string]*SpokeRoleState // those of a guarded account, by name
	Alarms     *AlarmState                // the alarms of a forwarder, which a sweep reads; nil if they were not looked at
	Topic      string                     // ARN of a forwarder's topic
	Named      []string                   // relight's own functions or queues that calls named which are only reported
	Stack      StackState
	Compared   bool      // the functions are compared with what sweeps have seen
	Known      Functions // what they have seen
}

// Kind returns the kind that the state is of.
func (*GuardState) Kind() catalog.Kind { return catalog.Guard }

// A RuleKey identifies a rule of a region.
type RuleKey struct {
	Bus  string // "" for the default bus
	Name string
}

// KeyOf returns the key of a rule of the stack.
func KeyOf(r catalog.Rule) RuleKey { return RuleKey{r.Bus, r.Name} }

// String returns the key as people read it.
func (k RuleKey) String() string {
	if k.Bus == "" {
		return k.Name
	}
	return k.Name + " on bus " + k.Bus
}

// A RuleState is a rule as EventBridge lists it.
type RuleState struct {
	State   string
	Pattern string
	Read    bool // its targets were read
	Targets []RuleTarget
}

// A RuleTarget is a target of a rule.
type RuleTarget struct {
	ID          string
	ARN         string
	Role        string // ARN of the role with which EventBridge delivers; "" for none
	DeadLetters string // ARN of a queue; "" for none
	Age         int    // for how many seconds EventBridge tries to deliver
	Retries     int
	Alters      bool // it does not get the events as they are
}

// A ScheduleState is a schedule as EventBridge Scheduler describes it.
type ScheduleState struct {
	State       string
	Expression  string
	Zone        string // in which the expression counts; "" for UTC
	Window      int    // minutes within which it may sweep; 0 for at once
	Description string // of the schedule to restore
	Bounded     bool   // it starts late or ends
	Key         string // ARN of a key of KMS that encrypts it; "" for AWS's own
	Target      string // ARN
	Role        string // ARN
	Input       string
	DeadLetters string // ARN of a queue; "" for none
	Age         int    // seconds
	Retries     int
}

// A MappingState is an event source mapping as Lambda lists it.
type MappingState struct {
	ID       string
	Function string // ARN, with a version or an alias if the mapping has one
	On       bool
	Batch    int  // messages
	Window   int  // seconds
	AtOnce   int  // batches; 0 for no limit
	Partial  bool // failed messages alone are delivered again
	Filtered bool // some messages are dropped
}

// WantedMapping returns what a mapping of the stack has to be.
func WantedMapping(want catalog.Desired, m catalog.Mapping) MappingState {
	return MappingState{
		Function: want.ARN("lambda", "function:"+want.FunctionName(m.Function)), On: true,
		Batch: catalog.BatchSize, Window: catalog.BatchSeconds, AtOnce: catalog.BatchesAtOnce, Partial: true,
	}
}

// MappingDrift returns the ID of the mapping that is to be what is wanted, "" for
// none, and why it is not, or "".
func MappingDrift(want MappingState, got []MappingState) (id, reason string) {
	i := slices.IndexFunc(got, func(m MappingState) bool { return m.Function == want.Function })
	if i < 0 {
		return "", "it does not exist"
	}
	seen := got[i]
	want.ID = seen.ID
	switch {
	case !seen.On:
		return seen.ID, "it is switched off"
	case seen.Filtered:
		return seen.ID, "it drops messages"
	case seen != want:
		return seen.ID, "its settings were changed"
	}
	return seen.ID, ""
}

// A QueueState is a queue as SQS describes it.
type QueueState struct {
	URL        string
	Attributes map[string]string // nil if they were not read
	Shut       bool              // relight may not read them
}

// WantedQueue returns the attributes that a queue of the stack has to have, in the
// form in which SQS takes them. Source: Amazon SQS API Reference, SetQueueAttributes.
func WantedQueue(want catalog.Desired, q catalog.Queue) map[string]string {
	attributes := map[string]string{
		"DelaySeconds": strconv.Itoa(q.Delay), "KmsMasterKeyId": "", "SqsManagedSseEnabled": "true", "Policy": queuePolicy(want, q),
		"MaximumMessageSize": strconv.Itoa(wholeEvents), "MessageRetentionPeriod": strconv.Itoa(catalog.QueueSeconds),
	}
	if q.Dead == "" {
		attributes["MessageRetentionPeriod"] = strconv.Itoa(catalog.DeadLetterSeconds)
		attributes["RedriveAllowPolicy"] = text(map[string]any{"redrivePermission": "allowAll"})
		return attributes
	}
	attributes["VisibilityTimeout"] = strconv.Itoa(catalog.VisibilitySeconds)
	attributes["RedrivePolicy"] = text(map[string]any{"deadLetterTargetArn": want.ARN("sqs", q.Dead), "maxReceiveCount": catalog.MaxReceives})
	return attributes
}

// wholeEvents is the size of the largest message that carries an event, in bytes. A
// queue may accept more: AWS raised its default. Source: Amazon EventBridge User
// Guide, quotas, the size of an entry.
const wholeEvents = 256 * 1024

// queuePolicy returns the policy of a queue: nobody may use it without TLS, and
// the rules of its buses may send.
func queuePolicy(want catalog.Desired, q catalog.Queue) string {
	region := cmp.Or(q.Forwarder, want.HomeRegion)
	arn := want.ARNIn(region, "sqs", q.Name)
	statements := []any{map[string]any{
		"Effect": "Deny", "Principal": map[string]any{"AWS": "*"}, "Action": "sqs:*", "Resource": arn,
		"Condition": map[string]any{"Bool": map[string]any{"aws:SecureTransport": "false"}},
	}}
	var rules []string
	for _, bus := range q.Buses {
		if bus != "" {
			bus += "/"
		}
		rules = append(rules, want.ARNIn(region, "events", "rule/"+bus+want.Name("*")))
	}
	if len(rules) > 0 {
		statements = append(statements, map[string]any{
			"Effect": "Allow", "Principal": map[string]any{"Service": "events.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": arn,
			"Condition": map[string]any{"ArnLike": map[string]any{"aws:SourceArn": rules}},
		})
	}
	return text(map[string]any{"Version": "2012-10-17", "Statement": statements})
}

// text returns a value as JSON.
func text(v any) string {
	raw, err := json.Marshal(v)
	if err != nil { // strings, numbers, and slices and maps of them, always marshal
		panic(err)
	}
	return string(raw)
}

// QueueDrift returns the attributes of a queue that differ from what they have to
// be, each with the value that it has to have, and why.
func QueueDrift(want, got map[string]string) (set map[string]string, reason string) {
	set = map[string]string{}
	var reasons []string
	for _, name := range slices.Sorted(maps.Keys(want)) {
		is, has := want[name], got[name]
		switch name {
		case "Policy":
			if is != has && !iampolicy.Same(is, has) {
				set[name] = is
				reasons = append(reasons, "its policy was changed")
			}
		case "RedrivePolicy", "RedriveAllowPolicy":
			if !sameRedrive(is, has) {
				set[name] = is
				reasons = append(reasons, fmt.Sprintf("%s is %.200q", name, has))
			}
		case "MaximumMessageSize":
			if n, err := strconv.Atoi(has); err != nil || n < wholeEvents {
				set[name] = is
				reasons = append(reasons, fmt.Sprintf("%s is %.20q", name, has))
			}
		default:
			if is != has {
				set[name] = is
				reasons = append(reasons, fmt.Sprintf("%s is %.200q", name, has))
			}
		}
	}
	return set, strings.Join(reasons, ", ")
}

// sameRedrive reports whether two redrive policies are the same. A number may be a
// text, and no policy admits every queue. Sources: Amazon SQS API Reference,
// SetQueueAttributes, whose examples have both forms, and RedriveAllowPolicy.
func sameRedrive(want, got string) bool {
	if got == "" {
		got = `{"redrivePermission":"allowAll"}`
	}
	var a, b map[string]any
	if json.Unmarshal([]byte(want), &a) != nil || json.Unmarshal([]byte(got), &b) != nil {
		return false
	}
	return fmt.Sprint(a) == fmt.Sprint(b)
}

// WantedTarget returns the target that a rule of a stack has to have: a queue, or for
// a forwarder's rule the bus in the home region, of the hub for that of a guarded account,
// for which the stack sets no retry policy.
func WantedTarget(want catalog.Desired, r catalog.Rule) RuleTarget {
	if r.Forwarder != "" {
		bus := want.ARN("events", "event-bus/"+want.BusName())
		if want.Member != "" {
			bus = want.HubBus(arnOf(bus).Partition, want.HomeRegion)
		}
		return RuleTarget{
			ID: catalog.TargetID, ARN: bus, Role: want.ARNIn("", "iam", "role/"+want.ForwardRole(r.Forwarder)),
			DeadLetters: want.ARNIn(r.Forwarder, "sqs", want.Name(catalog.Undelivered)), Age: catalog.UsualAge, Retries: catalog.UsualRetries,
		}
	}
	return RuleTarget{
		ID: catalog.TargetID, ARN: want.ARN("sqs", want.QueueName(r.Kind, r.Later)), DeadLetters: want.ARN("sqs", want.Name(catalog.Undelivered)),
		Age: catalog.EventAge, Retries: catalog.EventRetries,
	}
}

// WantedSchedules returns what the schedules of the sweep have to be, by name: one
// keeps its time, one sweeps at a random time of each interval, and one sends the
// daily digest.
func WantedSchedules(want catalog.Desired) map[string]ScheduleState {
	atTime := ScheduleState{
		State: enabled, Expression: want.Guard.ScheduleExpression(), Description: catalog.ScheduleDescription,
		Target: want.SweepTarget(), Role: want.ScheduleRole, Input: want.Guard.SweepInput(),
		DeadLetters: want.ARN("sqs", want.Name(catalog.Undelivered)), Age: want.Guard.ScheduleAge(), Retries: catalog.EventRetries,
	}
	random := atTime
	random.Window, random.Description = want.Guard.SweepMinutes, catalog.UnannouncedDescription
	digest := atTime
	digest.Expression, digest.Input, digest.Description = catalog.DigestExpression, want.Guard.DigestInput(), catalog.DigestDescription
	digest.Age = catalog.EventAge
	return map[string]ScheduleState{want.Schedule: atTime, want.UnannouncedName(): random, want.DigestName(): digest}
}

// These are the states of a rule that works, and of such a schedule. The second
// one also matches reads. Source: EventBridge API Reference, PutRule, State.
const (
	enabled        = "ENABLED"
	enabledForMore = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"
)

// RuleDrift returns why a rule does not match what it has to, or "".
func RuleDrift(r catalog.Rule, got *RuleState) string {
	switch {
	case got == nil:
		return "it does not exist"
	case got.State != enabled && got.State != enabledForMore:
		return "it is " + got.State
	case !sameJSON(r.Pattern.String(), got.Pattern):
		return "its pattern was changed"
	}
	return ""
}

// TargetDrift returns why a rule does not send its events to where it has to, or "".
// Other targets are their owners' business. Targets that were not read are not
// judged, unless the rule does not exist.
func TargetDrift(want RuleTarget, got *RuleState) string {
	if got == nil {
		return "the rule is new"
	}
	if !got.Read || slices.ContainsFunc(got.Targets, func(t RuleTarget) bool { t.ID = want.ID; return t == want }) {
		return ""
	}
	if !slices.ContainsFunc(got.Targets, func(t RuleTarget) bool { return t.ARN == want.ARN }) {
		return "it does not send to the " + destination(want)
	}
	return "its target was changed"
}

// destination returns what a target is, as people read it.
func destination(t RuleTarget) string {
	if arnOf(t.ARN).Service == "sqs" {
		return "queue"
	}
	return "bus"
}

// sameJSON reports whether a text is the JSON value that is wanted.
func sameJSON(want, got string) bool {
	if want == got {
		return true
	}
	var x, y any
	return json.Unmarshal([]byte(want), &x) == nil && json.Unmarshal([]byte(got), &y) == nil && reflect.DeepEqual(x, y)
}

// PutRule creates a rule of the stack, or makes it what it has to be.
type PutRule struct {
	Rule   catalog.Rule
	Reason string
}

// Step returns the action as a step of a plan.
func (a PutRule) Step() Step {
	key := KeyOf(a.Rule).String()
	return Step{Thing: "rule", Stage: configure, Do: "put rule " + key, Target: key, Reason: a.Reason, Makes: "rule " + key}
}

// PutRuleTarget makes a rule send its events to its queue or bus.
type PutRuleTarget struct {
	Rule   RuleKey
	Target RuleTarget
	Reason string
}

// Step returns the action as a step of a plan.
func (a PutRuleTarget) Step() Step {
	key := a.Rule.String()
	return Step{
		Thing: "target of rule", Stage: protect, Do: fmt.Sprintf("point rule %s at %s %s", key, destination(a.Target), strings.TrimPrefix(arnOf(a.Target.ARN).Resource, "event-bus/")), Target: key, Reason: a.Reason, Needs: "rule " + key,
	}
}

// PutSchedule creates a schedule of the sweep, or makes it what it has to be.
type PutSchedule struct {
	Name     string
	Schedule ScheduleState
	New      bool
	Reason   string
}

// Step returns the action as a step of a plan.
func (a PutSchedule) Step() Step {
	do := "update"
	if a.New {
		do = "create"
	}
	return Step{Thing: "schedule", Stage: protect, Do: do + " schedule " + a.Name, Target: a.Name, Reason: a.Reason}
}

// FreeFunction removes the limit on how often a function runs at once.
type FreeFunction struct {
	Name   string
	Reason string
}

// Step returns the action as a step of a plan.
func (a FreeFunction) Step() Step {
	return Step{Stage: protect, Do: "remove reserved concurrency of function " + a.Name, Target: a.Name, Reason: a.Reason}
}

// PutMapping passes the messages of a queue to its function.
type PutMapping struct {
	ID      string // "" to create the mapping
	Queue   string // name
	Mapping MappingState
	Reason  string
}

// Step returns the action as a step of a plan.
func (a PutMapping) Step() Step {
	do := "update"
	if a.ID == "" {
		do = "create"
	}
	return Step{Thing: "event source mapping of queue", Stage: protect, Do: fmt.Sprintf("%s event source mapping of queue %s", do, a.Queue), Target: a.Queue, Reason: a.Reason}
}

// PutQueue sets attributes of a queue.
type PutQueue struct {
	Name, URL  string
	Attributes map[string]string
	Reason     string
}

// Step returns the action as a step of a plan.
func (a PutQueue) Step() Step {
	return Step{
		Thing: "settings of queue", Stage: configure, Do: fmt.Sprintf("set %s of queue %s", strings.Join(slices.Sorted(maps.Keys(a.Attributes)), ", "), a.Name), Target: a.Name, Reason: a.Reason,
	}
}

// plan plans relight's own stack, as far as it was looked at:
//
//	nothing deployed, or not relight's     skipped
//	CloudFormation changes the stack       skipped: a repair would be in its way
//	a forwarder's stack cannot be read     a finding, and nothing else
//	a rule is gone, off or changed         put
//	a rule's target is gone or changed     put
//	another target of a rule               left as it is
//	a schedule is gone, off or changed     created or updated
//	a function's concurrency is limited    the limit is removed
//	a function's log group is gone         created, with its retention
//	it keeps the log for too short a time  its retention is raised
//	a function is gone                     a finding
//	a function changed, but not the stack  a finding
//	a queue's settings or policy differ    set
//	a queue is gone                        a finding
//	a queue's mapping is gone or changed   created or updated
//	another function reads a queue         a finding
//	relight's own bus is gone              a finding
//	a forwarder's stack is gone            a finding
//	a forwarder's alarm is gone or differs put
//	a guarded account                      see spoke
func (state *GuardState) plan(want catalog.Desired, got Observed) Plan {
	if want.Member != "" {
		return state.spoke(want, got)
	}
	var p Plan
	p.touch(got, got.Type, state.Named...)
	if skip := cmp.Or(state.Elsewhere, state.Changing); skip != "" {
		p.Skips = append(p.Skips, Skip{"relight's own stack", skip})
		return p
	}
	p.Add(state.Unread...)
	if state.Unknown {
		return p
	}
	if state.BusGone {
		p.find(GuardBusGone, Args{"bus": want.BusName()})
	}
	parts := want.Parts(want.HomeRegion, got.Region)
	if state.Absent {
		p.find(GuardForwarderGone, Args{"stack": parts.Stack, "region": got.Region})
	}
	for _, r := range parts.Rules {
		key := KeyOf(r)
		seen, looked := state.Rules[key]
		if !looked {
			continue
		}
		p.touch(got, catalog.EventRule, r.Name)
		healthy := true
		if reason := RuleDrift(r, seen); reason != "" {
			p.Actions, healthy = append(p.Actions, PutRule{Rule: r, Reason: reason}), false
		}
		target := WantedTarget(want, r)
		if reason := TargetDrift(target, seen); reason != "" {
			p.Actions, healthy = append(p.Actions, PutRuleTarget{Rule: key, Target: target, Reason: reason}), false
		}
		if healthy {
			p.Healthy++
		}
	}
	for name, schedule := range WantedSchedules(want) {
		seen, looked := state.Schedules[name]
		if !looked {
			continue
		}
		p.touch(got, catalog.Schedule, name)
		if reason := scheduleDrift(schedule, seen); reason != "" {
			p.Actions = append(p.Actions, PutSchedule{Name: name, Schedule: schedule, New: seen == nil, Reason: reason})
		} else {
			p.Healthy++
		}
	}
	state.functions(&p, got)
	for group, seen := range state.Logs {
		p.touch(got, catalog.LogGroup, group)
		switch {
		case seen == nil:
			p.Actions = append(p.Actions, CreateLogGroup{Name: group, RetentionDays: catalog.LogDays, Reason: "it does not exist, and without it the function writes neither logs nor metrics"})
		case seen.RetentionDays > 0 && seen.RetentionDays < catalog.LogDays && seen.RetentionBy == "":
			p.Actions = append(p.Actions, RaiseRetention{LogGroup: group, Days: catalog.LogDays, Reason: fmt.Sprintf("it keeps the function's log for %d days", seen.RetentionDays)})
		default:
			p.Healthy++
		}
	}
	for _, q := range parts.Queues {
		seen, looked := state.Queues[q.Name]
		if !looked {
			continue
		}
		switch {
		case seen == nil:
			p.find(GuardQueueGone, Args{"queue": q.Name})
			continue
		case seen.Attributes == nil: // not read this time
			p.Healthy++
			continue
		}
		p.queue(want, q, *seen)
	}
	if state.Alarms != nil {
		p.stackAlarms(want.OfForwarder(got.Region, state.Topic), *state.Alarms)
	}
	for _, m := range parts.Mappings {
		if seen, looked := state.Mappings[m.Queue]; looked {
			p.touch(got, catalog.MappedSource, want.ARN("sqs", m.Queue))
			p.mapping(m.Queue, WantedMapping(want, m), seen)
		}
	}
	return p
}

// queue plans the settings of a queue that exists.
func (p *Plan) queue(want catalog.Desired, q catalog.Queue, seen QueueState) {
	set, reason := QueueDrift(WantedQueue(want, q), seen.Attributes)
	if reason == "" {
		p.Healthy++
		return
	}
	if seen.Shut {
		reason = "relight may not read its attributes"
		delete(set, "MaximumMessageSize") // any that is large enough will do
	}
	p.Actions = append(p.Actions, PutQueue{Name: q.Name, URL: seen.URL, Attributes: set, Reason: reason})
}

// mapping plans what reads a queue. What others made there takes messages away from
// relight, and only a person can remove it: relight may change no mapping of another
// function.
func (p *Plan) mapping(queue string, want MappingState, got []MappingState) {
	if id, reason := MappingDrift(want, got); reason != "" {
		p.Actions = append(p.Actions, PutMapping{ID: id, Queue: queue, Mapping: want, Reason: reason})
	} else {
		p.Healthy++
	}
	for _, m := range got {
		if m.Function != want.Function {
			p.find(GuardQueueTapped, Args{"queue": queue, "function": m.Function, "mapping": m.ID})
		}
	}
}

// scheduleDrift returns why the schedule does not sweep as it has to, or "".
func scheduleDrift(want ScheduleState, got *ScheduleState) string {
	want.Description = "" // it was not read
	switch {
	case got == nil:
		return "it does not exist"
	case got.State != want.State:
		return "it is " + got.State
	case got.Bounded:
		return "it has a start or an end"
	case got.Key != "":
		return "it is encrypted with the key " + got.Key
	case got.Zone != "":
		return "it counts in the time zone " + got.Zone
	case got.Expression != want.Expression:
		return "it sweeps at " + got.Expression
	case *got != want:
		return "it was changed"
	}
	return ""
}
