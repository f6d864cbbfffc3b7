package plan

import (
	"maps"
	"strings"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/iampolicy"
)

// BucketState is what was observed of a bucket to which relight's own flow logs go.
type BucketState struct {
	Exists bool
	Policy string // its policy; "" for none
	Hidden string // why the policy is not known; "" if it is
}

// bucket plans nothing: relight never writes to a bucket. It reports what keeps
// relight's own flow logs from delivering to theirs, in this order:
//
//	the bucket does not exist                    a finding
//	relight may not read the policy, which is    skipped: the flow logs' delivery says
//	 so if the bucket is of another account       whether it works
//	the policy does not admit the delivery       a finding with the statement that it needs
func (p *Plan) bucket(spec catalog.FlowLogSpec, got Observed, state *FlowLogState) {
	name, _ := spec.ToBucket()
	at, read := state.Own[name]
	if !read {
		return
	}
	p.touch(got, catalog.Bucket, name)
	switch {
	case !at.Exists:
		p.find(FlowLogBucketMissing, Args{"bucket": name, "region": got.Region})
	case at.Hidden != "":
		p.Skips = append(p.Skips, Skip{"policy of bucket " + name, at.Hidden})
	default:
		if why := bucketShuts(spec, got, at.Policy); why != "" {
			p.find(FlowLogBucketShut, Args{"bucket": name, "region": got.Region, "cause": why, "statement": bucketStatement(spec, got)})
		}
	}
}

// bucketShuts returns why a bucket's policy keeps relight's own flow logs of a region
// from delivering, or "". It is the policy of EC2's documents, or any that allows as
// much. AWS's own policy compares the source ARN as far as the account; what follows is
// assumed, so a policy that wants more is a finding. Whether the delivery names an ACL depends on the bucket's ownership setting.
// Source: Amazon VPC User Guide, "Amazon S3 bucket permissions for flow logs";
// cloudposse/terraform-aws-vpc-flow-logs-s3-bucket, pull request 101, for the ACL.
func bucketShuts(want catalog.FlowLogSpec, got Observed, text string) string {
	bucket, objects := bucketARNs(want, got.Account)
	call := ofService(catalog.LogDeliveryService, bucket)
	call["aws:sourceaccount"], call["aws:sourcearn"] = iampolicy.Has(got.Account), iampolicy.Has(deliverySource(bucket, got)+"vpc-flow-logs")
	call["aws:requestedregion"], call["aws:resourceaccount"] = iampolicy.HasOther(), iampolicy.HasOther() // the bucket may be anywhere
	put := maps.Clone(call)
	put["s3:x-amz-acl"] = iampolicy.MayHave(catalog.LogDeliveryACL)
	object := strings.TrimSuffix(objects, "*") + "vpcflowlogs/" + got.Region + "/record.log.gz"
	if text == "" {
		return "it has no policy"
	}
	return judge(text, shuts,
		ask{service(catalog.LogDeliveryService), "s3:PutObject", object, put},
		ask{service(catalog.LogDeliveryService), "s3:GetBucketAcl", bucket, call})
}

// bucketStatement returns the statement that a bucket's policy needs, as JSON. AWS's
// documents have it as two, with the ACL that the delivery names unless the bucket has no
// ACLs. One statement without it allows the same service the same, whatever the bucket's
// setting, and is short enough for the line of a message.
func bucketStatement(want catalog.FlowLogSpec, got Observed) string {
	bucket, objects := bucketARNs(want, got.Account)
	return iampolicy.NewStatement(map[string]any{
		"Sid": "AWSLogDeliveryWrite", "Effect": iampolicy.Allow, "Principal": map[string]string{"Service": catalog.LogDeliveryService},
		"Action": []string{"s3:PutObject", "s3:GetBucketAcl"}, "Resource": []string{bucket, objects},
		"Condition": map[string]any{
			"StringEquals": map[string]string{"aws:SourceAccount": got.Account},
			"ArnLike":      map[string]string{"aws:SourceArn": strings.Replace(deliverySource(bucket, got), ":"+got.Region+":", ":*:", 1) + "*"},
		},
	}).String()
}

// bucketARNs returns the ARN of the bucket of relight's own flow logs, and that of the
// objects which they write, with a wildcard at its end. Source: Amazon VPC User Guide,
// "Amazon S3 bucket permissions for flow logs", default and Hive-compatible prefixes.
func bucketARNs(want catalog.FlowLogSpec, account string) (bucket, objects string) {
	name, _ := want.ToBucket()
	partition, _, _ := strings.Cut(strings.TrimPrefix(want.To.ARN, "arn:"), ":")
	owner := account
	if want.To.Files.Hive {
		owner = "aws-account-id=" + account
	}
	return "arn:" + partition + ":s3:::" + name, want.To.ARN + "/AWSLogs/" + owner + "/*"
}

// deliverySource returns what the ARN of every source of a delivery to the bucket
// begins with.
func deliverySource(bucket string, got Observed) string {
	return "arn:" + strings.Split(bucket, ":")[1] + ":logs:" + got.Region + ":" + got.Account + ":"
}
