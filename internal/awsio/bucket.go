package awsio

import (
	"context"
	"errors"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/relight-aws/relight/internal/plan"
	"github.com/relight-aws/relight/internal/remedy"
)

func (r *region) s3() *s3.Client { return client(r, s3.NewFromConfig) }

// Codes with which S3 answers GetBucketPolicy. Source: Amazon S3 API Reference,
// GetBucketPolicy.
const (
	noBucketCode       = "NoSuchBucket"
	noBucketPolicyCode = "NoSuchBucketPolicy"
)

// describeBucket reads the bucket of relight's own flow logs. One that relight may not
// read is Hidden, whatever code S3 answers: no repair needs the policy, and S3 refuses
// everybody but the owner's account with MethodNotAllowed, whatever the policy says.
func (r *region) describeBucket(ctx context.Context, name string) (plan.BucketState, error) {
	in := &s3.GetBucketPolicyInput{Bucket: aws.String(name)}
	out, err := r.s3().GetBucketPolicy(ctx, in)
	if where := bucketRegion(err); where != "" && where != r.name {
		out, err = r.s3().GetBucketPolicy(ctx, in, func(o *s3.Options) { o.Region = where })
	}
	switch code := codeOf(err); {
	case err == nil:
		return plan.BucketState{Exists: true, Policy: aws.ToString(out.Policy)}, nil
	case code == noBucketCode:
		return plan.BucketState{}, nil
	case code == noBucketPolicyCode:
		return plan.BucketState{Exists: true}, nil
	case remedy.ClassOf(err) == remedy.Transient || ctx.Err() != nil:
		return plan.BucketState{}, err
	}
	return plan.BucketState{Exists: true, Hidden: "relight cannot read it: " + lasting(err)}, nil
}

// bucketRegion returns the region of the bucket that S3 names when it is asked in
// another one, or "". Source: Amazon S3 User Guide, "Making requests using the REST
// API", PermanentRedirect; Amazon S3 API Reference, HeadBucket, x-amz-bucket-region.
func bucketRegion(err error) string {
	reply, ok := errors.AsType[*smithyhttp.ResponseError](err)
	if !ok || reply.Response == nil {
		return ""
	}
	return reply.Response.Header.Get("x-amz-bucket-region")
}

// readBuckets reads the buckets of relight's own flow logs into the state; if an event
// names buckets, only those among them.
func (r *region) readBuckets(ctx context.Context, state *plan.FlowLogState, names []string) error {
	state.Own = map[string]plan.BucketState{}
	for _, spec := range r.Want.FlowLogs.All(r.name) {
		bucket, _ := spec.ToBucket()
		if _, read := state.Own[bucket]; read || bucket == "" || len(names) > 0 && !slices.Contains(names, bucket) {
			continue
		}
		at, err := r.describeBucket(ctx, bucket)
		if err != nil {
			return err
		}
		state.Own[bucket] = at
	}
	return nil
}
