package catalog

// The stack sets these environment variables on every function.
const (
	EnvAccount      = "RELIGHT_ACCOUNT"       // 12 digits
	EnvHomeRegion   = "RELIGHT_HOME_REGION"   // the region of the stack
	EnvTopic        = "RELIGHT_TOPIC"         // ARN of the topic
	EnvTopicKey     = "RELIGHT_TOPIC_KEY"     // ARN of the key that encrypts the topic
	EnvDeliveryRole = "RELIGHT_DELIVERY_ROLE" // ARN of the role that delivers relight's flow logs
	EnvRole         = "RELIGHT_ROLE"          // ARN of the function's own role
	EnvSweepRole    = "RELIGHT_SWEEP_ROLE"    // ARN of the role of Backfill, the only one that may write what relight remembers
	EnvLastResort   = "RELIGHT_LAST_RESORT"   // ARN of the topic of last resort
	EnvDeadLetters  = "RELIGHT_DEAD_LETTERS"  // the names of the dead-letter queues: "id=name id=name"
	EnvSchedule     = "RELIGHT_SCHEDULE"      // the name of the schedule that sweeps
	EnvConfig       = "RELIGHT_CONFIG"        // changes to the configuration, from the parameter of a template that deploys without the CDK
	EnvLogs         = "RELIGHT_LOGS"          // what the names of the functions' log groups end with
	EnvQueue        = "RELIGHT_QUEUE"         // URL of the queue that feeds the function; of a function of a kind only
	EnvScheduleRole = "RELIGHT_SCHEDULE_ROLE" // ARN of the role with which the schedule sweeps
)

// OwnerTag is the key of the tag on everything that relight creates. Its value
// is the prefix.
const OwnerTag = "relight"

// ConfigFile is the name of the file with the resolved configuration, beside
// each function's binary.
const ConfigFile = "config.json"

// MetricNamespace is the namespace of the metrics that relight writes about its
// own runs.
const MetricNamespace = "relight"

// MetricDimension distinguishes the functions in MetricNamespace by their
// deployed names. relight also writes each metric without it, for all functions
// together.
const MetricDimension = "Function"

// EventSource is the source of the events that relight puts on the default bus, one
// for each notification. No rule of relight's matches it.
const EventSource = "relight"

// These are the detail types of those events.
const (
	EventRestored    = "Protection Restored"
	EventNotRestored = "Protection Not Restored"
	EventFinding     = "Finding"
)

// These metrics in MetricNamespace have one value per run.
const (
	MetricRepaired   = "Repaired"   // actions that succeeded
	MetricUnrestored = "Unrestored" // actions that failed for good or remained after a repair
	MetricUntold     = "Untold"     // notifications that could not be sent
	MetricFindings   = "Findings"   // findings, which need a person's action
	MetricSweeps     = "Sweeps"     // one for each finished sweep of everything
	MetricAccounts   = "Accounts"   // guarded accounts that the sweep of an organisation has swept
	MetricUnswept    = "Unswept"    // those that it could not
)

// FindingsMemory returns the name of the parameter that stores the findings
// that sweeps have reported.
func (b Baseline) FindingsMemory() string { return b.Memories() + "findings" }

// A Function is one deployed Lambda.
type Function string

// Backfill is the function that the schedule, the first sweep and people
// invoke. It serves every kind.
const Backfill Function = "backfill"

// Auditor is the function that audits the account and publishes the findings. Only a
// deployment whose configuration asks for that has it. It serves no kind, and writes
// nothing in the account but findings.
const Auditor Function = "audit"

// Functions returns every function that restores: one for the events of each kind, and
// Backfill.
func Functions() []Function {
	fs := make([]Function, 0, len(Kinds())+1)
	for _, k := range Kinds() {
		fs = append(fs, Function(k))
	}
	return append(fs, Backfill)
}

// Binaries returns every function that may be deployed.
func Binaries() []Function { return append(Functions(), Auditor) }

// Kinds returns the kinds that the function serves.
func (f Function) Kinds() []Kind {
	switch f {
	case Backfill:
		return Kinds()
	case Auditor:
		return nil
	}
	return []Kind{Kind(f)}
}

// ChecksGuard reports whether a function has another one check relight's own stack
// after it handled events. The guard's own function and the sweep's are the ones that
// it would ask. Auditor handles no events.
func (f Function) ChecksGuard() bool { return f != Backfill && f != Function(Guard) && f != Auditor }

// A HandOver is the payload with which another function invokes the function of a
// kind: the sweep, if only that function may repair the kind, and any function that
// handles events, to have the guard check relight's own stack.
type HandOver struct {
	Repair  Kind   `json:"repair"`
	Account string `json:"account,omitempty"` // where; "" for the deployment's own
}

// HandsOver reports whether the sweep leaves the repair of a kind to the
// kind's own function.
func (k Kind) HandsOver() bool { return len(ownGrants[k]) > 0 }

// FunctionName returns the deployed name of a function.
func (b Baseline) FunctionName(f Function) string { return b.Name(string(f)) }
