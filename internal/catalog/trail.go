package catalog

// A TrailSpec is what the configuration says about the protected trail. relight
// takes empty fields from what it remembers of the trail.
type TrailSpec struct {
	Name    string // name or ARN; "" means the remembered trail, or else the one that does the job best
	Bucket  string // the bucket that receives its log files
	KeyARN  string // ARN of the KMS key that encrypts its log files
	RoleARN string // ARN of the role that delivers to its log group
}

// CloudTrailService is the principal that CloudTrail acts as.
const CloudTrailService = "cloudtrail.amazonaws.com"

// TrailsPerRegion is how many trails a region takes unless AWS raised the quota;
// the shadow of a trail of another region is one of them. Source: CloudTrail User
// Guide, "Quotas in AWS CloudTrail".
const TrailsPerRegion = 5

// SelectorsPerTrail is how many basic event selectors a trail can have. Source:
// CloudTrail API Reference, PutEventSelectors.
const SelectorsPerTrail = 5

// Limits of what all event selectors of a trail select. Source: CloudTrail User
// Guide, "Quotas in AWS CloudTrail".
const (
	DataResourcesPerTrail  = 250 // in basic selectors
	SelectorValuesPerTrail = 500 // in advanced selectors, of all fields
)

// MemoryChars is how many characters fit in a parameter of the advanced tier.
// Source: AWS Systems Manager User Guide, "Managing parameter tiers".
const MemoryChars = 8192

// Memories returns what the names of all parameters begin with that store what
// relight remembers.
func (b Baseline) Memories() string {
	if b.Member != "" {
		return "/" + b.Prefix + "/memory/" + b.Member + "/"
	}
	return "/" + b.Prefix + "/memory/"
}

// UnitsMemory returns the name of the parameter that stores whether the organisational units
// above an account have it guarded.
func (b Baseline) UnitsMemory() string { return b.Memories() + "units" }

// TrailMemory returns the name of the parameter that stores what relight
// remembers of the account's trail.
func (b Baseline) TrailMemory() string { return b.Memories() + "trail" }
