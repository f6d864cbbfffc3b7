package awsio

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"

	"github.com/relight-aws/relight/internal/remedy"
)

// keyAPI is what this file needs of *kms.Client, and no more.
type keyAPI interface {
	DescribeKey(context.Context, *kms.DescribeKeyInput, ...func(*kms.Options)) (*kms.DescribeKeyOutput, error)
}

var _ keyAPI = (*kms.Client)(nil)

// keyGone is the state of a key that KMS no longer knows.
const keyGone = "Deleted"

// keyState returns the state of a key as KMS calls it.
func (c *Cloud) keyState(ctx context.Context, region, arn string) (string, error) {
	out, err := call(ctx, c.Pace, place{region, "kms.DescribeKey", arn}, c.Clients.KMS.DescribeKey,
		&kms.DescribeKeyInput{KeyId: aws.String(arn)}, kmsIn(region))
	if remedy.ClassOf(err) == remedy.Missing {
		return keyGone, nil
	}
	if err != nil {
		return "", err
	}
	return string(out.KeyMetadata.KeyState), nil
}
