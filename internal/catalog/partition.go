package catalog

import (
	"slices"

	"github.com/relight-aws/relight/internal/lazy"
)

// A Partition is a group of regions that shares no accounts, credentials or
// event buses with other regions.
type Partition struct {
	ID     string // as in ARNs
	Global string // the region that gets the events of global services
	region lazy.Regexp
}

// partitions lists the partitions that the AWS SDK knows. Their regions come
// from its partitions.json (AWS SDK for Go v2 1.48.0), against which a test
// compares them.
//
// Global is the region of the partition's IAM endpoint. AWS documents that the
// events of global services arrive there for the commercial partition only; for
// the others we assume it. It is also the implicitGlobalRegion of that file,
// except in China: the file says cn-northwest-1, and IAM's endpoint is in
// cn-north-1. Sources: AWS re:Post, "EventBridge rule for IAM in one Region
// only"; AWS SDK for Go v2, endpoints of IAM (none for aws-eusc and aws-iso-e).
// If the events arrive in another region, relight restores the delivery role
// only in its next sweep.
var partitions = []Partition{
	{"aws", "us-east-1", lazy.Compile(`^(us|eu|ap|sa|ca|me|af|il|mx)-\w+-\d+$`)},
	{"aws-cn", "cn-north-1", lazy.Compile(`^cn-\w+-\d+$`)},
	{"aws-eusc", "eusc-de-east-1", lazy.Compile(`^eusc-(de)-\w+-\d+$`)},
	{"aws-iso", "us-iso-east-1", lazy.Compile(`^us-iso-\w+-\d+$`)},
	{"aws-iso-b", "us-isob-east-1", lazy.Compile(`^us-isob-\w+-\d+$`)},
	{"aws-iso-e", "eu-isoe-west-1", lazy.Compile(`^eu-isoe-\w+-\d+$`)},
	{"aws-iso-f", "us-isof-south-1", lazy.Compile(`^us-isof-\w+-\d+$`)},
	{"aws-us-gov", "us-gov-west-1", lazy.Compile(`^us-gov-\w+-\d+$`)},
}

// PartitionOf returns the partition of a region. It returns false if no
// partition that we know has such a region.
func PartitionOf(region string) (Partition, bool) {
	i := slices.IndexFunc(partitions, func(p Partition) bool { return p.region.MatchString(region) })
	if i < 0 {
		return Partition{}, false
	}
	return partitions[i], true
}

// direction matches the end of the names of all regions. Source: AWS SDK for Go
// v2, partitions.json.
var direction = lazy.Compile(`-(north|south|east|west|central|northeast|northwest|southeast|southwest)-[1-9]$`)

// IsRegion reports whether a name is that of a region, as far as a name can say:
// AWS opens regions, so there is no complete list, but all have the prefix of a
// partition, a direction and a digit.
func IsRegion(name string) bool {
	_, known := PartitionOf(name)
	return known && direction.MatchString(name)
}

// PartitionIDs returns the IDs of the partitions that we know.
func PartitionIDs() []string {
	ids := make([]string, len(partitions))
	for i, p := range partitions {
		ids[i] = p.ID
	}
	return ids
}

// GlobalRegion returns the region that gets the events of global services in
// the partition of the given region. It returns the region itself if we do not
// know its partition: a region of another partition would be of no use.
func GlobalRegion(region string) string {
	if p, ok := PartitionOf(region); ok {
		return p.Global
	}
	return region
}
