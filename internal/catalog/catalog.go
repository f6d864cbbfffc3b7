// Package catalog holds, as data, what relight wants of an account and what
// it watches: the kinds, the controls, the calls that can undo them, the
// permissions their repair needs, and the names shared with the stack.
//
// It imports the standard library only, so that the stack can read it too.
package catalog

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

// Kinds returns every kind, each after the ones it depends on.
func Kinds() []Kind { return []Kind{DeliveryRoles, FlowLogs, Trails, LogGroups, Topics, Alarms} }

// Regional reports whether a kind is wanted in every region. The others are
// wanted only in the home region of the account's trail.
func (k Kind) Regional() bool { return k == FlowLogs }

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

// A Policy is the desired state: what config resolves and plan compares
// against.
type Policy struct {
	Prefix      string            // "relight" unless configured; "<prefix>-<id>" names what relight makes
	Tags        map[string]string // put on everything that takes tags
	FlowLogs    FlowLogSpec
	Trail       TrailSpec
	LogGroup    LogGroupSpec
	Controls    []Control         // the enabled ones
	Topic       string            // ARN of relight's topic; "" where nothing is deployed
	TopicKey    string            // ARN of the key that the topic is encrypted with
	Subscribers []Subscriber      // of the topic
	Boundary    string            // ARN of the permissions boundary of every role that relight makes; "" for none
	KMSKeys     map[string]string // region to the ARN of the key that relight's log groups are encrypted with

	ProtectGroups bool // keep the log groups that relight made from being deleted
	RemoveMutes   bool // delete mute rules and suppressors that silence alarms of the controls
}

// Name returns the name of what relight makes for the control or purpose id.
func (p Policy) Name(id string) string { return p.Prefix + "-" + id }
