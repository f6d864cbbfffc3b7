package catalog

import (
	"slices"
	"strings"
)

// A LeftoverSort is a sort of resource that may outlive relight's stacks.
type LeftoverSort string

// These are the sorts of resources that may outlive the stacks.
const (
	LeftSchedule  LeftoverSort = "schedule"
	LeftMapping   LeftoverSort = "event source mapping"
	LeftRule      LeftoverSort = "rule"
	LeftQueue     LeftoverSort = "queue"
	LeftFlowLog   LeftoverSort = "flow log"
	LeftAlarm     LeftoverSort = "alarm"
	LeftFilter    LeftoverSort = "metric filter"
	LeftTopic     LeftoverSort = "topic"
	LeftKey       LeftoverSort = "key"
	LeftRole      LeftoverSort = "role"
	LeftParameter LeftoverSort = "parameter"
	LeftLogs      LeftoverSort = "log group"
	LeftTrail     LeftoverSort = "trail"
)

// A Leftover is what a sort of resources has to have for "relight remove" to take it for
// relight's, and which kinds leave such resources: functions made them outside of the
// stacks, or the stacks keep them.
type Leftover struct {
	Sort  LeftoverSort
	Kinds []Kind
	Home  bool   // only in the home region
	Marks string // two of relight's marks, for people
	Stays string // why it stays even so, unless an option says otherwise; "" if it goes
}

// Leftovers returns all sorts, in the order in which they are taken away: nothing goes
// before what uses it.
func Leftovers() []Leftover {
	const named = "its name begins with the prefix, and "
	return []Leftover{
		{Sort: LeftSchedule, Kinds: []Kind{Guard}, Home: true, Marks: named + "it invokes one of relight's functions"},
		{Sort: LeftMapping, Kinds: []Kind{Guard}, Home: true, Marks: "it passes messages of one of relight's queues to one of relight's functions"},
		{Sort: LeftRule, Kinds: []Kind{Guard}, Marks: named + "it sends only to relight's queues or bus"},
		{Sort: LeftQueue, Kinds: []Kind{Guard}, Marks: "it has the name of one of relight's queues, and the tag, a policy that admits relight's rules, or the dead letters of such a queue"},
		{Sort: LeftFlowLog, Kinds: []Kind{FlowLogs}, Marks: "two of: the tag, relight's destination, relight's delivery role"},
		{Sort: LeftAlarm, Kinds: []Kind{Alarms, FlowLogs, Guard}, Marks: named + "it has the tag"},
		{Sort: LeftFilter, Kinds: []Kind{LogGroups, FlowLogs}, Marks: named + "its metric has the same name, in the namespace of the prefix"},
		{Sort: LeftTopic, Kinds: []Kind{Topics}, Marks: named + "it has the tag"},
		{Sort: LeftKey, Kinds: []Kind{Topics}, Marks: "its description names relight's topic, and it has the tag"},
		{Sort: LeftRole, Kinds: []Kind{DeliveryRoles}, Home: true, Marks: named + "it has the tag; only the delivery role"},
		{Sort: LeftParameter, Kinds: []Kind{Trails, LogGroups, FlowLogs, Alarms}, Home: true, Marks: "it is below the prefix, and relight stores a parameter of that name"},
		{Sort: LeftLogs, Kinds: []Kind{FlowLogs, LogGroups, Guard}, Marks: "it has the name of a log group of relight's, and the tag or a function's name", Stays: "its records are evidence; --logs deletes it"},
		{Sort: LeftTrail, Kinds: []Kind{Trails}, Home: true, Marks: "trail.create named it after the prefix", Stays: "it records the account: delete it, its bucket, key, role and log group by hand if you want no trail"},
	}
}

// Stores reports whether relight stores a parameter of this name, about any account, or it is the
// one that pauses it.
func (b Baseline) Stores(name string) bool {
	if of, _, found := strings.Cut(strings.TrimPrefix(name, b.Memories()), "/"); found && AccountShape.MatchString(of) {
		b.Member = of
	}
	return slices.Contains([]string{b.TrailMemory(), b.AdoptedMemory(), b.FindingsMemory(), b.UnitsMemory(), b.PauseParameter()}, name)
}

// KeyDescription returns the description of the key that encrypts the topic of a stack.
func KeyDescription(stack string) string { return "Encrypts the topic of " + stack }
