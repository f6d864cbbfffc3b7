package catalog

// A TrailSpec is what the configuration says of the trail that is guarded.
// What it leaves empty is taken from what is remembered of the trail.
type TrailSpec struct {
	Name    string // name or ARN; "" means the remembered one, or else the first that qualifies
	Bucket  string // where its log files go
	KeyARN  string // of the KMS key they are encrypted with
	RoleARN string // of the role that delivers to the log group
}

// CloudTrailService is the principal that CloudTrail acts as.
const CloudTrailService = "cloudtrail.amazonaws.com"

// SelectorsPerTrail is how many basic event selectors a trail takes. Source:
// CloudTrail API Reference, PutEventSelectors.
const SelectorsPerTrail = 5

// TrailMemory returns the name of the parameter that holds what is remembered
// of the account's trail.
func (b Baseline) TrailMemory() string { return "/" + b.Prefix + "/memory/trail" }
