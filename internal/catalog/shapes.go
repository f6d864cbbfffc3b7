package catalog

import "regexp"

// Shapes of names, whole. Sources: AWS General Reference, region names; EC2
// API Reference, resource IDs; CloudWatch Logs API Reference, CreateLogGroup;
// Amazon S3 User Guide, bucket naming rules, with those of older buckets; KMS
// API Reference, key IDs; CloudTrail API Reference, CreateTrail, Name, and
// Trail, TrailARN.
var (
	RegionShape   = regexp.MustCompile(`^[a-z]{2,}(-[a-z]+)+-\d+$`)
	VPCShape      = regexp.MustCompile(`^vpc-[0-9a-f]+$`)
	LogGroupShape = regexp.MustCompile(`^[.\-_/#A-Za-z0-9]{1,512}$`)
	BucketShape   = regexp.MustCompile(`^[A-Za-z0-9._-]{3,255}$`)
	KeyShape      = regexp.MustCompile(`^[A-Za-z0-9:/_-]{1,512}$`)
	TrailShape    = regexp.MustCompile(`^(arn:[a-z-]+:cloudtrail:[a-z0-9-]+:\d{12}:trail/)?[A-Za-z0-9][A-Za-z0-9._-]{1,126}[A-Za-z0-9]$`)
)
