// Package catalog holds, as data, what relight wants of an account and what
// it watches: the kinds, the controls, the calls that can undo them, the
// permissions their repair needs, and the names shared with the stack.
//
// It imports the standard library only, so that the stack can read it too.
package catalog

import "slices"

// A Kind is one family of protections that is observed, planned and repaired
// together.
type Kind string

// The kinds, each named as its function is.
const (
	DeliveryRoles Kind = "deliveryroles" // the role with which relight's flow logs deliver
	FlowLogs      Kind = "flowlogs"      // VPC flow logs, in every region
	Trails        Kind = "trails"        // the account's trail, which everything but flow logs stands on
	LogGroups     Kind = "loggroups"     // the trail's log group and its metric filters
	Topics        Kind = "topics"        // relight's own topic, its key and its subscribers
	Alarms        Kind = "alarms"        // the alarms on those filters' metrics
)

// kinds says of each kind what it leans on and where it is wanted.
var kinds = []struct {
	kind     Kind
	after    []Kind // kinds that have to be restored first, where both are
	regional bool   // wanted in every region, not only in the home region of the trail
}{
	{kind: DeliveryRoles},
	{kind: FlowLogs, after: []Kind{DeliveryRoles}, regional: true},
	{kind: Trails},
	{kind: LogGroups, after: []Kind{Trails}},
	{kind: Topics},
	{kind: Alarms, after: []Kind{LogGroups, Topics}},
}

// Kinds returns every kind, each after the ones it leans on.
func Kinds() []Kind {
	all := make([]Kind, len(kinds))
	for i, k := range kinds {
		all[i] = k.kind
	}
	return all
}

// After returns the kinds that a kind leans on: a sweep restores those first.
func (k Kind) After() []Kind {
	i := slices.Index(Kinds(), k)
	if i < 0 {
		return nil
	}
	return kinds[i].after
}

// Regional reports whether a kind is wanted in every region. The others are
// wanted only in the home region of the account's trail.
func (k Kind) Regional() bool {
	i := slices.Index(Kinds(), k)
	return i >= 0 && kinds[i].regional
}

// A Mode says how far relight goes for a kind.
type Mode string

// The modes of a kind, weakest last.
const (
	Repair  Mode = "repair"  // plan, apply, verify
	Observe Mode = "observe" // plan and report; no writes
	Off     Mode = "off"     // not even read
)

// A ResourceType says what the names in a scope are names of.
type ResourceType string

// The resource types that events name.
const (
	VPC       ResourceType = "vpc"       // a VPC ID
	LogGroup  ResourceType = "log-group" // a log group name
	Alarm     ResourceType = "alarm"     // an alarm name
	Topic     ResourceType = "topic"     // ARN of a topic or of one of its subscriptions
	Bucket    ResourceType = "bucket"    // the name of an S3 bucket
	Key       ResourceType = "key"       // the ID or ARN of a KMS key
	Region    ResourceType = "region"    // a region name
	Trail     ResourceType = "trail"     // a trail's name or ARN
	Role      ResourceType = "role"      // the name of an IAM role
	IAMPolicy ResourceType = "policy"    // ARN of a managed IAM policy

	// Alarms as something else than themselves: an event about these needs
	// another look than one about an alarm's own settings.
	MutedAlarm     ResourceType = "muted-alarm"     // the name of an alarm that a mute rule is about
	CompositeAlarm ResourceType = "composite-alarm" // the name of an alarm that stands on others
)

// A Baseline is what the configuration asks of every account alike.
type Baseline struct {
	Prefix      string            // "relight" unless configured; "<prefix>-<id>" names what relight makes
	Tags        map[string]string // put on everything that takes tags
	FlowLogs    FlowLogSpec
	Trail       TrailSpec
	LogGroup    LogGroupSpec
	Controls    []Control         // the enabled ones
	Subscribers []Subscriber      // of the topic
	Boundary    string            // ARN of the permissions boundary of every role that relight makes; "" for none
	KMSKeys     map[string]string // region to the ARN of the key that relight's log groups are encrypted with

	ProtectGroups bool // keep the log groups that relight made from being deleted
	RemoveMutes   bool // delete mute rules and suppressors that silence alarms of the controls
}

// Name returns the name of what relight makes for the control or purpose id.
func (b Baseline) Name(id string) string { return b.Prefix + "-" + id }

// A Deployment is what relight's stack made in one account. The stack passes
// it to the functions in their environment. The zero value means that nothing
// is deployed.
type Deployment struct {
	Account      string // 12 digits
	HomeRegion   string // the stack's region
	Topic        string // ARN of relight's topic
	TopicKey     string // ARN of the key that the topic is encrypted with
	DeliveryRole string // ARN of the role that delivers relight's flow logs
}

// Desired is the desired state of one account: the baseline, with what a
// deployment made there.
type Desired struct {
	Baseline
	Deployment
}
