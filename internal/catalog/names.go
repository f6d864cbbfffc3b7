package catalog

// Environment variables that the stack sets on every function.
const (
	EnvAccount      = "RELIGHT_ACCOUNT"       // 12 digits
	EnvHomeRegion   = "RELIGHT_HOME_REGION"   // the stack's region
	EnvTopic        = "RELIGHT_TOPIC"         // ARN of the topic
	EnvTopicKey     = "RELIGHT_TOPIC_KEY"     // ARN of the key it is encrypted with
	EnvDeliveryRole = "RELIGHT_DELIVERY_ROLE" // ARN of the flow logs delivery role
)

// OwnerTag marks what relight made; its value is the prefix.
const OwnerTag = "relight"

// ConfigFile is the resolved configuration beside each function's binary.
const ConfigFile = "config.json"

// MetricNamespace holds the metrics that relight writes about its own runs.
const MetricNamespace = "relight"

// MetricDimension tells the functions apart in MetricNamespace, by their
// deployed names. Each metric is also there without it, for all together.
const MetricDimension = "Function"

// Metrics about runs, one value per run, in MetricNamespace.
const (
	MetricRepaired   = "Repaired"   // actions that succeeded
	MetricUnrestored = "Unrestored" // actions that failed for good, or remained after a repair
	MetricUntold     = "Untold"     // messages that could not be sent
	MetricFindings   = "Findings"   // what only a person can mend
)

// FindingsMemory returns the name of the parameter that holds which findings
// sweeps have told people of.
func (b Baseline) FindingsMemory() string { return "/" + b.Prefix + "/memory/findings" }

// A Function is one deployed Lambda.
type Function string

// Backfill is the function behind the schedule, the first sweep and manual
// invocation; it serves every kind.
const Backfill Function = "backfill"

// Functions returns every function: one for each kind's events, and Backfill.
func Functions() []Function {
	fs := make([]Function, 0, len(Kinds())+1)
	for _, k := range Kinds() {
		fs = append(fs, Function(k))
	}
	return append(fs, Backfill)
}

// Kinds returns the kinds that the function serves.
func (f Function) Kinds() []Kind {
	if f == Backfill {
		return Kinds()
	}
	return []Kind{Kind(f)}
}

// A HandOver is what the sweep invokes the function of a kind with that only
// that function may repair.
type HandOver struct {
	Repair Kind `json:"repair"`
}

// HandsOver reports whether the sweep leaves the repair of a kind to the
// kind's own function.
func (k Kind) HandsOver() bool { return len(ownGrants[k]) > 0 }

// FunctionName returns the deployed name of a function.
func (b Baseline) FunctionName(f Function) string { return b.Name(string(f)) }
