package awsio

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/relight-aws/relight/internal/plan"
	"github.com/relight-aws/relight/internal/remedy"
)

func (r *region) kms() *kms.Client { return client(r, kms.NewFromConfig) }

// keyInvalidState is KMS's code for a key whose state does not allow a call.
// Source: KMS API Reference, CancelKeyDeletion and EnableKey, errors.
const keyInvalidState = "KMSInvalidStateException"

// These states are no words of KMS: of a key that it no longer knows, and of an
// enabled key that encrypts nothing for other services. Sources: Amazon SNS
// Developer Guide, "Managing Amazon SNS encryption keys and costs", and CloudWatch
// Logs API Reference, AssociateKmsKey: only symmetric encryption keys.
const (
	keyGone         = "Deleted"
	keyNotSymmetric = "not that of a symmetric key"
)

// keyState returns the state of a key in KMS's words.
func (r *region) keyState(ctx context.Context, arn string) (string, error) {
	_, state, err := r.describeKey(ctx, arn)
	return state, err
}

// describeKey returns the ARN of a key, which may be named by its ID, ARN or
// alias, and its state in KMS's words, keyGone or keyNotSymmetric.
func (r *region) describeKey(ctx context.Context, name string) (arn, state string, err error) {
	out, err := r.kms().DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: aws.String(name)})
	if remedy.ClassOf(err) == remedy.Missing {
		return "", keyGone, nil
	}
	if err != nil {
		return "", "", err
	}
	state, spec := string(out.KeyMetadata.KeyState), out.KeyMetadata.KeySpec
	if state == plan.KeyEnabled && spec != "" && spec != types.KeySpecSymmetricDefault {
		state = keyNotSymmetric
	}
	return aws.ToString(out.KeyMetadata.Arn), state, nil
}

// keyPolicy returns the policy of a key; a key has only the policy "default".
// Source: KMS API Reference, GetKeyPolicy.
func (r *region) keyPolicy(ctx context.Context, arn string) (string, error) {
	out, err := r.kms().GetKeyPolicy(ctx, &kms.GetKeyPolicyInput{KeyId: aws.String(arn)})
	if err != nil {
		return "", err
	}
	return aws.ToString(out.Policy), nil
}

// enableTopicKey makes a key usable. It also enables the key if somebody else
// has cancelled its deletion since relight read it.
func (r *region) enableTopicKey(ctx context.Context, a plan.EnableTopicKey) error {
	if a.Cancel {
		_, err := r.kms().CancelKeyDeletion(ctx, &kms.CancelKeyDeletionInput{KeyId: aws.String(a.Key)})
		if err != nil && codeOf(err) != keyInvalidState {
			return err
		}
	}
	_, err := r.kms().EnableKey(ctx, &kms.EnableKeyInput{KeyId: aws.String(a.Key)})
	return err
}
