package catalog

// A TrailSpec is what the configuration says about the protected trail. relight
// takes empty fields from what it remembers of the trail.
type TrailSpec struct {
	Name    string // name or ARN; "" means the remembered trail, or else the first that qualifies
	Bucket  string // the bucket that receives its log files
	KeyARN  string // ARN of the KMS key that encrypts its log files
	RoleARN string // ARN of the role that delivers to its log group
}

// CloudTrailService is the principal that CloudTrail acts as.
const CloudTrailService = "cloudtrail.amazonaws.com"

// SelectorsPerTrail is how many basic event selectors a trail can have. Source:
// CloudTrail API Reference, PutEventSelectors.
const SelectorsPerTrail = 5

// TrailMemory returns the name of the parameter that stores what relight
// remembers of the account's trail.
func (b Baseline) TrailMemory() string { return "/" + b.Prefix + "/memory/trail" }
