package awstest

import (
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// logDelivery is the service that writes flow logs to buckets. Source: Amazon VPC User
// Guide, "Amazon S3 bucket permissions for flow logs".
const logDelivery = "delivery.logs.amazonaws.com"

// A bucket receives flow logs.
type bucket struct {
	Policy  string // "" for none
	Foreign bool   // of another account
}

// SetBucket adds a bucket that may receive flow logs, or changes its policy; "" is
// no policy.
func (a *Account) SetBucket(name, policy string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.logBuckets[name] = bucket{Policy: policy}
}

// OpenBucket adds a bucket whose policy admits the flow logs of this account, or of
// any if the bucket is foreign.
func (a *Account) OpenBucket(name string, foreign bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.logBuckets[name] = bucket{Foreign: foreign, Policy: `{"Version":"2012-10-17","Statement":[` +
		`{"Effect":"Allow","Principal":{"Service":"` + logDelivery + `"},"Action":"s3:PutObject","Resource":"arn:aws:s3:::` + name + `/*",` +
		`"Condition":{"StringEquals":{"s3:x-amz-acl":"bucket-owner-full-control","aws:SourceAccount":"` + a.ID + `"}}},` +
		`{"Effect":"Allow","Principal":{"Service":"` + logDelivery + `"},"Action":"s3:GetBucketAcl","Resource":"arn:aws:s3:::` + name + `"}]}`}
}

// DropBucket deletes a bucket that receives flow logs.
func (a *Account) DropBucket(name string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.logBuckets, name)
}

// SetStream adds a Firehose stream by its ARN, or deletes it.
func (a *Account) SetStream(arn string, exists bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.streams[arn] = exists
}

// getBucketPolicy answers as S3 does. Source: Amazon S3 API Reference, GetBucketPolicy
// and Error responses: an account that does not own the bucket is refused with
// MethodNotAllowed.
func getBucketPolicy(c *request, in *s3.GetBucketPolicyInput) (*s3.GetBucketPolicyOutput, error) {
	switch b, ok := c.logBuckets[aws.ToString(in.Bucket)]; {
	case !ok:
		return nil, refuse("NoSuchBucket", "The specified bucket does not exist")
	case b.Foreign:
		return nil, refuse("MethodNotAllowed", "The specified method is not allowed against this resource.")
	case b.Policy == "":
		return nil, refuse("NoSuchBucketPolicy", "The bucket policy does not exist")
	default:
		return &s3.GetBucketPolicyOutput{Policy: aws.String(b.Policy)}, nil
	}
}

// unreachable returns why a flow log cannot deliver to a bucket or stream, or "". It
// assumes that conditions are met. Sources: Amazon VPC User Guide, "Troubleshoot VPC
// Flow Logs"; a recorded reply of CreateFlowLogs (LocalStack, 2024-09-24) for a bucket
// that does not exist.
func (a *Account) unreachable(fl ec2types.FlowLog) string {
	where := aws.ToString(fl.LogDestination)
	if fl.LogDestinationType == ec2types.LogDestinationTypeKinesisDataFirehose && !a.streams[where] {
		return "LogDestination: " + where + " does not exist"
	}
	if fl.LogDestinationType != ec2types.LogDestinationTypeS3 {
		return ""
	}
	path := where[strings.LastIndex(where, ":")+1:]
	name, folder, _ := strings.Cut(path, "/")
	b, exists := a.logBuckets[name]
	if !exists {
		return "LogDestination: " + name + " does not exist"
	}
	object := "arn:aws:s3:::" + strings.TrimSuffix(name+"/"+folder, "/") + "/AWSLogs/" + a.ID + "/vpcflowlogs/"
	if aws.ToBool(hive(fl)) {
		object = strings.Replace(object, "AWSLogs/", "AWSLogs/aws-account-id=", 1)
	}
	for action, resource := range map[string]string{"s3:PutObject": object, "s3:GetBucketAcl": "arn:aws:s3:::" + name} {
		admits := slices.ContainsFunc(docStatements(b.Policy), func(s docStatement) bool {
			return slices.Contains(s.Principal.Service, logDelivery) && s.Effect == "Allow" && slices.ContainsFunc(s.Action, func(p string) bool { return like(p, action) }) &&
				slices.ContainsFunc(s.Resource, func(p string) bool { return like(p, resource) })
		})
		if !admits || says(b.Policy, "Deny", action, resource) {
			return "Access Denied for LogDestination: " + name + ". Please check LogDestination permission"
		}
	}
	return ""
}

func hive(fl ec2types.FlowLog) *bool {
	if fl.DestinationOptions == nil {
		return nil
	}
	return fl.DestinationOptions.HiveCompatiblePartitions
}

// bucketOperations are the operations that this file answers.
var bucketOperations = []operation{handle(getBucketPolicy)}
