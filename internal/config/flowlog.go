package config

import (
	"slices"
	"strings"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/lazy"
)

// These are the formats of files in a bucket. Source: EC2 API Reference,
// DestinationOptionsRequest, FileFormat.
const (
	plainText = "plain-text"
	parquet   = "parquet"
)

var (
	toBucketShape = lazy.Compile(`^arn:[a-z-]+:s3:::([^/]*)(?:/(.*))?$`)
	toStreamShape = lazy.Compile(`^arn:[a-z-]+:firehose:(\{region\}|[a-z0-9-]+):(\d{12}):deliverystream/[A-Za-z0-9._-]{1,64}$`) // Amazon Data Firehose API Reference, CreateDeliveryStream
	folderShape   = lazy.Compile(`^[A-Za-z0-9!_.*'()/-]*$`)                                                                     // Amazon S3 User Guide, "Naming Amazon S3 objects", safe characters
)

// longID matches the end of the ID of a resource of EC2: 17 digits, or 8 in old
// accounts. Source: EC2 User Guide, "Resource IDs".
var longID = lazy.Compile(`-([0-9a-f]{8}|[0-9a-f]{17})$`)

// sampleRegion stands for any region where a value is checked that names one.
const sampleRegion = "eu-west-1"

func (d Destination) validate(p *problems, field string) {
	if (d == Destination{}) {
		return
	}
	p.unless(slices.Contains([]string{"", plainText, parquet}, d.FileFormat), "%s.fileFormat %q: use %s or %s", field, d.FileFormat, plainText, parquet)
	bucket, stream := toBucketShape.FindStringSubmatch(d.ARN), toStreamShape.FindStringSubmatch(d.ARN)
	files := d.FileFormat != "" || d.HiveCompatiblePartitions || d.PerHourPartition
	switch {
	case bucket != nil:
		name, folder := strings.ReplaceAll(bucket[1], catalog.InEachRegion, sampleRegion), strings.ReplaceAll(bucket[2], catalog.InEachRegion, sampleRegion)
		p.unless(isBucket(name) && !bucketTaken.MatchString(name), "%s.arn %q: %q is not the name of a bucket: use the 3 to 63 lower-case letters, digits, hyphens and dots of one, not an alias", field, d.ARN, bucket[1])
		p.unless(folderShape.MatchString(folder) && !strings.Contains(folder, "//") && !strings.HasPrefix(folder, "/"),
			"%s.arn %q: %q is not a folder: use letters, digits and ! - _ . * ' ( ), with single slashes between them", field, d.ARN, bucket[2])
		p.unless(!slices.Contains(strings.Split(folder, "/"), "AWSLogs"), "%s.arn %q: EC2 reserves the folder AWSLogs: use another name", field, d.ARN)
		p.unless(d.RoleARN == "" && d.CrossAccountRoleARN == "", "%s: a bucket takes no role, also in another account: leave roleArn and crossAccountRoleArn out, and let the bucket's policy admit %s", field, catalog.LogDeliveryService)
	case stream != nil:
		p.unless(stream[1] == catalog.InEachRegion, "%s.arn %q: a stream is regional: write %s instead of %q, and have a stream of that name in each region", field, d.ARN, catalog.InEachRegion, stream[1])
		p.unless(!files, "%s: fileFormat, hiveCompatiblePartitions and perHourPartition are for buckets: leave them out", field)
		d.validateRoles(p, field, stream[2])
	default:
		p.unless(false, "%s.arn %q is not the ARN of a bucket or Firehose stream: use one such as arn:PARTITION:s3:::flow-logs/relight or arn:PARTITION:firehose:{region}:111122223333:deliverystream/flow-logs", field, d.ARN)
	}
}

// validateRoles checks the roles of a stream in another account: one of each account.
// Source: EC2 API Reference, CreateFlowLogs, DeliverLogsPermissionArn and
// DeliverCrossAccountRole.
func (d Destination) validateRoles(p *problems, field, account string) {
	if d.RoleARN == "" && d.CrossAccountRoleARN == "" {
		return
	}
	owner := func(role string) string { return strings.Split(role+":::::", ":")[4] }
	for _, r := range []struct{ key, arn string }{{"roleArn", d.RoleARN}, {"crossAccountRoleArn", d.CrossAccountRoleARN}} {
		p.unless(roleShape.MatchString(r.arn), "%s.%s %q is not the ARN of a role: a stream of another account needs both roles, and one of this account needs none", field, r.key, r.arn)
	}
	p.unless(!roleShape.MatchString(d.CrossAccountRoleARN) || owner(d.CrossAccountRoleARN) == account, "%s.crossAccountRoleArn %q is not of the stream's account %s: use a role there", field, d.CrossAccountRoleARN, account)
	p.unless(!roleShape.MatchString(d.RoleARN) || owner(d.RoleARN) != account, "%s.roleArn %q is of the stream's own account: use a role of the account in which relight runs, or leave both roles out if that is the same", field, d.RoleARN)
}

func (s Selection) validate(p *problems, field string, shape catalog.Shape, sample string) {
	if s.TrafficType != "" {
		p.unless(slices.Contains([]string{catalog.TrafficAll, catalog.TrafficAccept, catalog.TrafficReject}, s.TrafficType), "%s.trafficType %q: use REJECT, ACCEPT or ALL", field, s.TrafficType)
	}
	s.Destination.validate(p, field+".destination")
	p.unless(len(s.IDs)+len(s.Tags) > 0 || s.TrafficType == "" && s.Destination == (Destination{}), "%s chooses nothing: name ids or tags, or leave it out", field)
	for i, id := range s.IDs {
		p.unless(shape.MatchString(id) && longID.MatchString(id), "%s.ids: %q is not an ID: use one such as %s", field, id, sample)
		p.unless(!slices.Contains(s.IDs[:i], id), "%s.ids: %q is listed twice: remove one", field, id)
	}
	for _, k := range sortedKeys(s.Tags) {
		// EC2's filters take * and ? for any characters, and \ before one for the character.
		// Source: EC2 User Guide, "Find your Amazon EC2 resources", filters.
		p.unless(k != "" && len([]rune(k)) <= tagKey && !strings.ContainsAny(k, `*?\`), "%s.tags: %q is not a key to choose by: use 1 to %d characters without * ? \\", field, k, tagKey)
		p.unless(len([]rune(s.Tags[k])) <= tagValue && !strings.ContainsAny(s.Tags[k], `*?\`), "%s.tags.%s: %q is not a value to choose by: use up to %d characters without * ? \\", field, k, s.Tags[k], tagValue)
	}
}

// destinations returns the destinations of relight's own flow logs by their keys.
func (f FlowLogs) destinations() map[string]Destination {
	return map[string]Destination{
		"flowLogs.destination": f.Destination, "flowLogs.subnets.destination": f.Subnets.Destination,
		"flowLogs.networkInterfaces.destination": f.NetworkInterfaces.Destination,
	}
}
