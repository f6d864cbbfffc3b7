// Package catalog defines, as data, the desired state of an account and the
// calls that relight watches: the kinds, the controls, the calls that can undo
// them, the permissions that repairs need, and the names shared with the stack.
//
// The package imports only the standard library, so that the stack can import
// it too.
package catalog

import (
	"slices"
	"strings"
)

// A Kind is one family of protections. relight observes, plans and repairs the
// protections of a kind together.
type Kind string

// These are the kinds. Each has the name of its function.
const (
	DeliveryRoles Kind = "deliveryroles" // the role that delivers relight's flow logs
	FlowLogs      Kind = "flowlogs"      // VPC flow logs, in every region
	Trails        Kind = "trails"        // the account's trail, on which log groups and alarms depend
	LogGroups     Kind = "loggroups"     // the trail's log group and its metric filters
	Topics        Kind = "topics"        // relight's own topic, its key and its subscribers
	Alarms        Kind = "alarms"        // the alarms on those filters' metrics
	Guard         Kind = "guard"         // relight's own stack: what starts and runs the other kinds
)

// A kindRow is a kind with the kinds it depends on and the regions it covers.
type kindRow struct {
	kind     Kind
	after    []Kind   // the kinds that the sweep restores first
	regional bool     // the kind covers every region, not only the home region of the trail
	owner    bool     // only the account that owns the trail has its protections
	spokes   bool     // so far, the hub of an organisation restores it in guarded accounts
	severity Severity // of the restoration of one of its protections
}

var kinds = []kindRow{
	{kind: DeliveryRoles, spokes: true, severity: High},
	{kind: FlowLogs, after: []Kind{DeliveryRoles}, regional: true, spokes: true, severity: Low},
	{kind: Trails, owner: true, spokes: true, severity: High},
	{kind: LogGroups, after: []Kind{Trails}, owner: true, spokes: true, severity: Low},
	{kind: Topics, owner: true, severity: High},
	{kind: Alarms, after: []Kind{LogGroups, Topics}, owner: true, spokes: true, severity: Low},
	{kind: Guard, spokes: true, severity: Critical},
}

// Kinds returns every kind. Each kind comes after the kinds it depends on.
func Kinds() []Kind {
	all := make([]Kind, len(kinds))
	for i, k := range kinds {
		all[i] = k.kind
	}
	return all
}

// row returns the row of a kind, the zero row if there is none.
func (k Kind) row() (row kindRow) {
	if i := slices.Index(Kinds(), k); i >= 0 {
		row = kinds[i]
	}
	return row
}

// After returns the kinds that a kind depends on. A sweep restores those first.
func (k Kind) After() []Kind { return k.row().after }

// Regional reports whether a kind covers every region. The other kinds cover
// only the home region of the account's trail.
func (k Kind) Regional() bool { return k.row().regional }

// OfOwner reports whether only the account that owns the trail has the protections of a
// kind.
func (k Kind) OfOwner() bool { return k.row().owner }

// InSpokes reports whether the hub of an organisation restores a kind in the accounts that
// it guards, after their events.
func (k Kind) InSpokes() bool { return k.row().spokes }

// A Mode says how far relight goes for a kind.
type Mode string

// These are the modes of a kind. Later modes do less.
const (
	Repair  Mode = "repair"  // relight plans, applies and verifies
	Observe Mode = "observe" // relight plans and reports, but writes nothing
	Off     Mode = "off"     // relight does not read the kind
)

// A ResourceType says what type of resource the names in a scope belong to.
type ResourceType string

// These are the resource types that events name.
const (
	VPC       ResourceType = "vpc"       // a VPC ID
	Subnet    ResourceType = "subnet"    // a subnet ID
	Interface ResourceType = "eni"       // the ID of a network interface
	LogGroup  ResourceType = "log-group" // a log group name; whatever is read of a FilteredGroup is read of it too
	Alarm     ResourceType = "alarm"     // an alarm name
	Filter    ResourceType = "filter"    // the name of a metric filter; relight's alarm on its metric has the same name
	Topic     ResourceType = "topic"     // ARN of a topic or of one of its subscriptions
	Bucket    ResourceType = "bucket"    // the name of an S3 bucket
	Stream    ResourceType = "stream"    // the name or ARN of a Firehose stream
	Key       ResourceType = "key"       // the ID or ARN of a KMS key
	Region    ResourceType = "region"    // a region name
	Trail     ResourceType = "trail"     // a trail's name or ARN
	Role      ResourceType = "role"      // the name of an IAM role
	IAMPolicy ResourceType = "policy"    // ARN of a managed IAM policy
	Parameter ResourceType = "parameter" // the name of a parameter of Systems Manager
	EventRule ResourceType = "rule"      // the name of an EventBridge rule, on any bus
	Lambda    ResourceType = "function"  // the name of a Lambda function
	Schedule  ResourceType = "schedule"  // the name of a schedule of EventBridge Scheduler

	OwnFunction  ResourceType = "own-function" // the name of a Lambda function; relight reads nothing of it, and only reports calls on its own
	SQSQueue     ResourceType = "queue"        // the name of an SQS queue
	StateMachine ResourceType = "machine"      // the name of a Step Functions state machine
	Stack        ResourceType = "stack"        // the name of a CloudFormation stack
	EventBus     ResourceType = "bus"          // the name of an event bus
	UsedBus      ResourceType = "used-bus"     // likewise, for what also matters on the default bus
	MappedSource ResourceType = "event-source" // ARN of what an event source mapping reads

	FilteredGroup ResourceType = "filtered-group" // the name of a log group of which a metric filter was changed
	AccountPolicy ResourceType = "account-policy" // the name of an account policy of CloudWatch Logs
	NewTrail      ResourceType = "new-trail"      // the name of a trail that somebody created
	Destination   ResourceType = "destination"    // the name of a destination of CloudWatch Logs, to which log groups send records

	// These types are alarms too. relight checks something else for them than
	// for an event about the settings of an alarm.
	MutedAlarm     ResourceType = "muted-alarm"     // the name of an alarm that a mute rule targets
	CompositeAlarm ResourceType = "composite-alarm" // the name of an alarm that depends on other alarms
)

// A Baseline is the desired state that the configuration sets for every account.
type Baseline struct {
	Prefix      string            // "relight" unless configured; relight names what it creates "<prefix>-<id>"
	Tags        map[string]string // relight sets them on everything that accepts tags
	FlowLogs    FlowLogSpec
	Trail       TrailSpec
	LogGroup    LogGroupSpec
	Controls    []Control         // only the enabled ones
	Subscribers []Subscriber      // the subscribers of the topic
	LastHeard   []Subscriber      // the subscribers of the topic of last resort
	FarTopic    string            // ARN of an owner's topic that carries what the topic of last resort does; "" for none
	Boundary    string            // ARN of the permissions boundary for every role that relight creates; "" for none
	KMSKeys     map[string]string // region to the ARN of the key that encrypts relight's log groups
	Guard       GuardSpec         // relight's own stack

	StackAlarms []StackAlarm // the alarms on relight itself, in the home region

	Audit AuditSpec // the audits that the stack publishes

	FlowLogControls []Control // those that read the log group of relight's own flow logs, in each region; most deployments have none

	Adopt Adoption // what others made and the configuration names

	Organization Organization // the other accounts that the deployment guards
	Member       string       // the guarded account whose desired state this is; "" for that of the deployment's own account
	MemberKeys   []string     // the hub's configuration keys that statements of its role and calls of its rules require

	PauseBy []string // ARNs, or patterns of them, of who may pause relight; none for nobody

	Regions []string // further regions whose events reach relight
	Skipped []string // enabled regions in which nothing can be deployed

	ProtectGroups bool // relight's log groups have deletion protection
	RemoveMutes   bool // relight deletes mute rules and removes suppressors that silence alarms of the controls
}

// Name returns the name of a resource that relight creates for the control or
// purpose id.
func (b Baseline) Name(id string) string { return b.Prefix + "-" + id }

// ChangesMany reports whether one call of this name can change many filters or alarms.
func ChangesMany(call string) bool {
	return slices.Contains([]string{"DeleteAlarms", "DisableAlarmActions", "EnableAlarmActions", "DeleteLogGroup"}, call)
}

// A Deployment names what relight's stack created in one account. The stack
// passes it to the functions as environment variables. The zero value means
// that relight is not deployed.
type Deployment struct {
	Account      string // 12 digits
	HomeRegion   string // the region of the stack
	Topic        string // ARN of relight's topic
	TopicKey     string // ARN of the key that encrypts the topic
	LastResort   string // ARN of the topic of last resort; "" for a deployment that has none yet
	DeliveryRole string // ARN of the role that delivers relight's flow logs
	Schedule     string // the name of the schedule that sweeps
	ScheduleRole string // ARN of the role with which the schedules sweep
	Logs         string // what the names of the functions' log groups end with
	Role         string // ARN of the role that this process has; "" in a terminal
	SweepRole    string // ARN of the role of Backfill
	Queue        string // URL of the queue that feeds this function, to which it puts events off; "" if it has none

	DeadLetters map[string]string // ID of each dead-letter queue to its name
}

// Sweeps reports whether this process has the role that may write what relight
// remembers.
func (d Deployment) Sweeps() bool { return d.SweepRole != "" && d.Role == d.SweepRole }

// Watches reports whether the events of a region reach relight.
func (d Desired) Watches(region string) bool {
	return region == d.HomeRegion || slices.Contains(d.Regions, region)
}

// ActsAs reports whether a caller is a role or a session of the role, both given by
// ARN. The ARN of a session leaves out the path of the role, which is no loss: a
// name of a role exists once in an account. Source: IAM User Guide, "IAM
// identifiers".
func ActsAs(caller, role string) bool {
	parts := strings.SplitN(role, ":", 6)
	if len(parts) != 6 || !strings.HasPrefix(parts[5], "role/") {
		return false
	}
	name := parts[5][strings.LastIndex(parts[5], "/")+1:]
	session, ok := strings.CutPrefix(caller, "arn:"+parts[1]+":sts::"+parts[4]+":assumed-role/"+name+"/")
	return caller == role || ok && session != "" && !strings.ContainsAny(session, "/ ")
}

// Desired is the desired state of one account: the baseline, together with the
// account's deployment.
type Desired struct {
	Baseline
	Deployment
}

// OfLastResort returns the desired state with the topic of last resort as
// the topic: the same policy, its own subscribers, and no key that somebody could
// close.
func (d Desired) OfLastResort() Desired {
	d.Topic, d.TopicKey, d.Subscribers = d.LastResort, "", d.LastHeard
	return d
}
