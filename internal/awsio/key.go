package awsio

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"

	"github.com/relight-aws/relight/internal/plan"
	"github.com/relight-aws/relight/internal/remedy"
)

// keyAPI is what this file needs of *kms.Client, and no more.
type keyAPI interface {
	DescribeKey(context.Context, *kms.DescribeKeyInput, ...func(*kms.Options)) (*kms.DescribeKeyOutput, error)
	GetKeyPolicy(context.Context, *kms.GetKeyPolicyInput, ...func(*kms.Options)) (*kms.GetKeyPolicyOutput, error)
	CancelKeyDeletion(context.Context, *kms.CancelKeyDeletionInput, ...func(*kms.Options)) (*kms.CancelKeyDeletionOutput, error)
	EnableKey(context.Context, *kms.EnableKeyInput, ...func(*kms.Options)) (*kms.EnableKeyOutput, error)
}

var _ keyAPI = (*kms.Client)(nil)

// keyInvalidState is what KMS calls a key whose state a call does not suit.
// Source: KMS API Reference, CancelKeyDeletion and EnableKey, errors.
const keyInvalidState = "KMSInvalidStateException"

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

// keyPolicy returns the policy of a key, which has no other than "default".
// Source: KMS API Reference, GetKeyPolicy.
func (c *Cloud) keyPolicy(ctx context.Context, region, arn string) (string, error) {
	out, err := call(ctx, c.Pace, place{region, "kms.GetKeyPolicy", arn}, c.Clients.KMS.GetKeyPolicy,
		&kms.GetKeyPolicyInput{KeyId: aws.String(arn)}, kmsIn(region))
	if err != nil {
		return "", err
	}
	return aws.ToString(out.Policy), nil
}

// enableKey makes a key usable. One whose deletion somebody else cancelled
// meanwhile is enabled all the same.
func (c *Cloud) enableKey(ctx context.Context, region string, a plan.EnableTopicKey) error {
	if a.Cancel {
		_, err := call(ctx, c.Pace, place{region, "kms.CancelKeyDeletion", a.Key}, c.Clients.KMS.CancelKeyDeletion,
			&kms.CancelKeyDeletionInput{KeyId: aws.String(a.Key)}, kmsIn(region))
		if err != nil && codeOf(err) != keyInvalidState {
			return err
		}
	}
	_, err := call(ctx, c.Pace, place{region, "kms.EnableKey", a.Key}, c.Clients.KMS.EnableKey,
		&kms.EnableKeyInput{KeyId: aws.String(a.Key)}, kmsIn(region))
	return err
}
