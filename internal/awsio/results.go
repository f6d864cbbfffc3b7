package awsio

import (
	"context"
	"fmt"
	"io"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// mostResults is the size of the largest file of results that relight reads, in bytes. The
// result of one account has about 2 kB.
const mostResults = 32 << 20

// ReadResult returns a file with the results of a sweep of the organisation's accounts.
func (c *Cloud) ReadResult(ctx context.Context, bucket, key string) ([]byte, error) {
	in := &s3.GetObjectInput{Bucket: aws.String(bucket), Key: aws.String(key), ExpectedBucketOwner: aws.String(c.Want.Account)}
	out, err := c.home(c.Want.HomeRegion).s3().GetObject(ctx, in)
	if err != nil {
		return nil, bare(err)
	}
	defer func() { _ = out.Body.Close() }()
	raw, err := io.ReadAll(io.LimitReader(out.Body, mostResults+1))
	if err == nil && len(raw) > mostResults {
		err = fmt.Errorf("it has more than %d bytes", mostResults)
	}
	return raw, err
}
