package catalog

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// A GuardSpec is what the configuration decides about relight's own stack. The
// stack is built from it, and the kind Guard compares the account with it.
type GuardSpec struct {
	Kinds        []Kind // the kinds that are not off, in the order of Kinds
	GraceSeconds int    // how long the events of new resources wait; 0 for no such queue
	SweepMinutes int    // minutes between two sweeps
}

// These limits say how long EventBridge tries to deliver an event; its default
// is a day. Within an hour the sweep has already run several times, and a
// person should know that delivery is broken. Source: EventBridge API
// Reference, RetryPolicy.
const (
	EventAge     = 3600 // seconds
	EventRetries = 185

	UsualAge     = 24 * 3600 // seconds; what a target without a retry policy has. Source: EventBridge User Guide, "How EventBridge retries delivering events"
	UsualRetries = 185
)

// A Rule is one rule of a stack of relight's, with its only target: a queue, or for
// a forwarder's rule the bus in the home region.
type Rule struct {
	Name      string
	Bus       string // name of relight's own bus; "" for the region's default bus
	Kind      Kind   // whose queue it feeds; "" for a forwarder's rule
	Later     bool   // it feeds the queue that delays events
	Forwarder string // region of the forwarder that has it; "" for the home stack
	Pattern   Pattern
}

// TargetID is the ID of a rule's only target. The CDK chooses it.
const TargetID = "Target0"

// Description returns the description of the rule.
func (r Rule) Description() string { return RuleDescription(r.Pattern) }

// RuleDescription returns the description of a rule with that pattern.
func RuleDescription(p Pattern) string {
	return "Matches events that can undo a protection: " + p.DetailType[0] + " from " + p.Source[0]
}

// RuleID returns an ID that distinguishes the patterns of one kind. The ID does
// not depend on the calls in a pattern, so a new call updates a rule instead of
// replacing it.
func RuleID(p Pattern) string {
	id := strings.TrimPrefix(p.Source[0], "aws.")
	if p.DetailType[0] == AlarmChange {
		return id + "-changes"
	}
	switch narrow := p.Narrow(); narrow {
	case "":
		return id + "-calls"
	case "tagged":
		return id + "-tags"
	default:
		return id + "-" + strings.ReplaceAll(narrow, " ", "-")
	}
}

// Rules returns the rules of the home stack, for a deployment with that home
// region. Two rules on different buses may have one name.
func (b Baseline) Rules(home string) []Rule { return b.rules(b.allFeeds(home)) }

func (b Baseline) rules(feeds map[Kind][]feed) []Rule {
	var rules []Rule
	for _, k := range b.Guard.Kinds {
		for _, f := range feeds[k] {
			for _, p := range PatternsOf(f.calls, k) {
				rules = append(rules, Rule{Name: b.QueueName(k, f.later) + "-" + RuleID(p), Bus: f.bus, Kind: k, Later: f.later, Pattern: p})
			}
		}
	}
	return rules
}

// A feed is the calls whose events reach a queue over one bus.
type feed struct {
	bus   string // "" for the default bus
	later bool   // the queue delays events
	calls []Call
}

// allFeeds returns the feeds of every kind that is watched.
func (b Baseline) allFeeds(home string) map[Kind][]feed {
	calls, all := b.Calls(), map[Kind][]feed{}
	for _, k := range b.Guard.Kinds {
		all[k] = b.feeds(home, k, calls)
	}
	return all
}

// feeds returns those of the calls that can harm a kind, by the bus and the queue of
// their events. No feed is without calls.
func (b Baseline) feeds(home string, k Kind, calls []Call) []feed {
	var now, later []Call
	for _, c := range calls {
		switch {
		case !slices.Contains(c.Kinds, k):
		case b.Guard.GraceSeconds > 0 && c.Newborn:
			later = append(later, c)
		default:
			now = append(now, c)
		}
	}
	forwarders := k == Guard && len(b.Forwarders(home)) > 0
	return slices.DeleteFunc([]feed{
		{"", false, atHome(home, now)},
		{"", true, atHome(home, later)},
		{b.BusName(), false, b.fromElsewhere(home, k, now, forwarders)},
		{b.BusName(), true, b.fromElsewhere(home, k, later, forwarders)},
	}, func(f feed) bool { return len(f.calls) == 0 })
}

// atHome returns the calls whose events arrive on the default bus of the home
// region. Events of global services arrive there only if they are raised there.
func atHome(home string, calls []Call) []Call {
	if home == GlobalRegion(home) {
		return calls
	}
	return RegionalCalls(calls)
}

// fromElsewhere returns the calls that can harm a kind and whose events
// forwarders send, or the accounts of an organisation, which send those of their home
// regions too. A home stack without forwarders has no rules for calls on them.
func (b Baseline) fromElsewhere(home string, k Kind, calls []Call, forwarders bool) []Call {
	var sent []Call
	if b.Organization.On() {
		return slices.DeleteFunc(slices.Clone(calls), func(c Call) bool { return !c.fromSpoke(k) })
	}
	if k.Regional() {
		sent = RegionalCalls(calls)
	}
	if k == Guard && forwarders {
		sent = slices.DeleteFunc(slices.Clone(calls), func(c Call) bool { return !c.onForwarder() })
	}
	if home != GlobalRegion(home) {
		sent = append(sent, GlobalCalls(calls)...)
	}
	return sent
}

// QueueName returns the name of the queue that feeds the function of a kind, or
// of the one that delays its events.
func (b Baseline) QueueName(k Kind, later bool) string {
	if later {
		return b.Name(string(k) + "-later")
	}
	return b.Name(string(k))
}

// These are the settings of the mappings that pass a queue's messages to its
// function. A batch of more than 10 messages needs a window of at least a second, for
// which one deleted alarm would wait, too. Source of the limits: AWS Lambda API
// Reference, CreateEventSourceMapping.
const (
	BatchSize       = 10 // messages
	BatchSeconds    = 0  // a message is delivered as soon as it is there
	BatchesAtOnce   = 2  // the minimum for a queue
	PartialFailures = "ReportBatchItemFailures"
)

// A Mapping passes the messages of a queue of the stack to a function.
type Mapping struct {
	Queue    string // its name
	Function Function
}

// Mappings returns the mappings of the home stack, for a deployment with that home
// region.
func (b Baseline) Mappings(home string) []Mapping { return b.mappings(b.allFeeds(home)) }

func (b Baseline) mappings(feeds map[Kind][]feed) []Mapping {
	var all []Mapping
	for _, k := range b.Guard.Kinds {
		all = append(all, Mapping{b.QueueName(k, false), Function(k)})
		if slices.ContainsFunc(feeds[k], func(f feed) bool { return f.later }) {
			all = append(all, Mapping{b.QueueName(k, true), Function(k)})
		}
	}
	return all
}

// These are the settings of the stack's queues. Source of the timeout: AWS Lambda
// Developer Guide, "Creating and configuring an Amazon SQS event source mapping",
// which asks for six times the function's, plus the batch window.
const (
	EventSeconds      = 60 // the timeout of a function that handles events
	MaxReceives       = 5
	VisibilitySeconds = 6*EventSeconds + BatchSeconds
	DeadLetterSeconds = 14 * 24 * 3600 // the longest that SQS keeps messages
	QueueSeconds      = 4 * 24 * 3600  // the default, which the other queues have
)

// A Queue is a queue of a stack of relight's.
type Queue struct {
	Name      string
	Dead      string   // name of its dead-letter queue; "" for a dead-letter queue
	Delay     int      // seconds
	Buses     []string // the buses whose rules may send to it; "" for the default bus
	Forwarder string   // region of the forwarder that has it; "" for the home stack
}

// Queues returns the queues of the home stack, for a deployment with that home
// region.
func (b Baseline) Queues(home string) []Queue { return b.queues(b.allFeeds(home)) }

func (b Baseline) queues(feeds map[Kind][]feed) []Queue {
	all := []Queue{
		{Name: b.Name(Undelivered), Buses: []string{"", b.BusName()}},
		{Name: b.Name(SweepFailed)},
	}
	for _, k := range b.Guard.Kinds {
		all = append(all, Queue{Name: b.Name(DeadLetters(k))})
	}
	for _, m := range b.mappings(feeds) {
		k := Kind(m.Function)
		q := Queue{Name: m.Queue, Dead: b.Name(DeadLetters(k))}
		later := m.Queue == b.QueueName(k, true)
		if later {
			q.Delay = b.Guard.GraceSeconds
		}
		for _, f := range feeds[k] {
			if f.later == later {
				q.Buses = append(q.Buses, f.bus)
			}
		}
		all = append(all, q)
	}
	return all
}

// LogDays is the retention of the log groups of relight's functions.
const LogDays = 90

// FunctionLogGroup returns the log group of a function.
func (d Desired) FunctionLogGroup(f Function) string {
	group := FunctionLogs(d.FunctionName(f))
	if d.Logs != "" {
		group += "-" + d.Logs
	}
	return group
}

// Parts returns the parts of the stack of a region, with the log groups of this
// deployment.
func (d Desired) Parts(home, region string) Parts {
	p := d.Baseline.Parts(home, region)
	for _, f := range p.Functions {
		p.Logs = append(p.Logs, d.FunctionLogGroup(f))
	}
	return p
}

// SchedulePrefix begins the name of the sweep's schedule. The rest depends on the
// code of the function that it invokes.
func (b Baseline) SchedulePrefix() string { return b.Name("sweep-") }

// UnannouncedName returns the name of the schedule that sweeps once more in each
// interval, at a random time.
func (b Baseline) UnannouncedName() string { return b.Name("unannounced-sweep") }

// DigestName returns the name of the schedule of the daily digest.
func (b Baseline) DigestName() string { return b.Name("daily-digest") }

// SweepMachine returns the name of the state machine that sweeps an organisation.
func (b Baseline) SweepMachine() string { return b.Name("sweep") }

// SweepTarget returns the ARN of what the schedules of the sweep start: the state machine of an
// organisation, or the function. Both take the same input.
func (d Desired) SweepTarget() string {
	if d.Organization.On() {
		return d.ARN("states", "stateMachine:"+d.SweepMachine())
	}
	return d.ARN("lambda", "function:"+d.FunctionName(Backfill))
}

// DigestExpression is when the schedule of the daily digest sweeps: at an hour of UTC
// that no memory decides. Source: EventBridge Scheduler User Guide, "Schedule types",
// cron-based schedules.
const DigestExpression = "cron(0 7 * * ? *)"

// These describe the schedules.
const (
	DigestDescription      = "relight: a sweep that notifies people of everything that still needs them"
	ScheduleDescription    = "relight: the sweep"
	UnannouncedDescription = "relight: a sweep at a random time of each interval"
)

// ScheduleExpression returns when the schedule sweeps.
func (g GuardSpec) ScheduleExpression() string {
	return fmt.Sprintf("rate(%d minutes)", g.SweepMinutes)
}

// ScheduleAge returns for how many seconds the schedule tries to invoke its target.
func (g GuardSpec) ScheduleAge() int { return min(g.SweepMinutes*60, EventAge) }

// SweepInput returns what the schedule sends: it asks for a repair of every kind.
// The function's own configuration can still limit a kind to observation.
func (g GuardSpec) SweepInput() string { return g.input(map[string]any{}) }

// DigestInput returns what the schedule of the daily digest sends: the same, with a
// digest.
func (g GuardSpec) DigestInput() string { return g.input(map[string]any{"digest": true}) }

func (g GuardSpec) input(request map[string]any) string {
	request["kinds"], request["mode"] = g.Kinds, Repair
	raw, err := json.Marshal(request)
	if err != nil { // strings always marshal
		panic(err)
	}
	return string(raw)
}

// Has reports whether a kind is not off.
func (g GuardSpec) Has(k Kind) bool { return slices.Contains(g.Kinds, k) }

// ARN returns the ARN of a resource of the deployment's account in its home
// region.
func (d Desired) ARN(service, resource string) string {
	return d.ARNIn(d.HomeRegion, service, resource)
}

// ARNIn returns the ARN of a resource of the deployment's account in a region, or of
// a global one for "".
func (d Desired) ARNIn(region, service, resource string) string {
	p, _ := PartitionOf(d.HomeRegion) // a deployment has a region that the configuration accepted
	return "arn:" + p.ID + ":" + service + ":" + region + ":" + d.Account + ":" + resource
}
