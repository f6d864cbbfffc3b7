package catalog

import "regexp"

// Shapes of names, whole. Sources: AWS General Reference, region names; EC2
// API Reference, resource IDs; CloudWatch Logs API Reference, CreateLogGroup;
// Amazon S3 User Guide, bucket naming rules, with those of older buckets; KMS
// API Reference, key IDs; CloudTrail API Reference, CreateTrail, Name, and
// Trail, TrailARN; SNS API Reference, CreateTopic; IAM API Reference, CreateRole
// and GetPolicy.
var (
	RegionShape   = regexp.MustCompile(`^[a-z]{2,}(-[a-z]+)+-\d+$`)
	VPCShape      = regexp.MustCompile(`^vpc-[0-9a-f]+$`)
	TopicShape    = regexp.MustCompile(`^arn:[a-z-]+:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_.-]{1,256}(:[A-Za-z0-9-]+)?$`) // or a subscription of one
	LogGroupShape = regexp.MustCompile(`^[.\-_/#A-Za-z0-9]{1,512}$`)
	BucketShape   = regexp.MustCompile(`^[A-Za-z0-9._-]{3,255}$`)
	KeyShape      = regexp.MustCompile(`^[A-Za-z0-9:/_-]{1,512}$`)
	TrailShape    = regexp.MustCompile(`^(arn:[a-z-]+:cloudtrail:[a-z0-9-]+:\d{12}:trail/)?[A-Za-z0-9][A-Za-z0-9._-]{1,126}[A-Za-z0-9]$`)
	RoleShape     = regexp.MustCompile(`^[\w+=,.@-]{1,64}$`)
	PolicyShape   = regexp.MustCompile(`^arn:[a-z-]+:iam::(aws|\d{12}):policy/[\x21-\x7e]{1,512}$`)
)
