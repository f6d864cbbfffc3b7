package catalog

import "regexp"

// Shapes of names, whole. Sources: AWS General Reference, region names; EC2
// API Reference, resource IDs; CloudWatch Logs API Reference, CreateLogGroup.
var (
	RegionShape   = regexp.MustCompile(`^[a-z]{2,}(-[a-z]+)+-\d+$`)
	VPCShape      = regexp.MustCompile(`^vpc-[0-9a-f]+$`)
	LogGroupShape = regexp.MustCompile(`^[.\-_/#A-Za-z0-9]{1,512}$`)
)
