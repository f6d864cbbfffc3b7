package awstest

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
)

// AddKey makes a KMS key, enabled.
func (a *Account) AddKey(arn string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.keys[arn] = kmstypes.KeyStateEnabled
}

// key returns the ARN of the key that an ID or ARN means. Source: KMS API
// Reference, DescribeKey.
func (a *Account) key(name *string) (arn string, found bool) {
	for arn := range a.keys {
		if id := aws.ToString(name); arn == id || strings.HasSuffix(arn, ":key/"+id) {
			return arn, true
		}
	}
	return "", false
}

func kmsRegion(opts []func(*kms.Options)) string {
	var o kms.Options
	for _, f := range opts {
		f(&o)
	}
	return o.Region
}

// DescribeKey returns what is known of a key.
func (a *Account) DescribeKey(ctx context.Context, in *kms.DescribeKeyInput, opts ...func(*kms.Options)) (*kms.DescribeKeyOutput, error) {
	const op = "DescribeKey"
	_, end, err := a.begin(ctx, op, kmsRegion(opts))
	defer end()
	if err != nil {
		return nil, err
	}
	arn, found := a.key(in.KeyId)
	if !found {
		return nil, refuse(op, "NotFoundException", "Key '%s' does not exist", aws.ToString(in.KeyId))
	}
	_, id, _ := strings.Cut(arn, ":key/")
	state := a.keys[arn]
	return &kms.DescribeKeyOutput{KeyMetadata: &kmstypes.KeyMetadata{
		Arn: aws.String(arn), KeyId: aws.String(id), KeyState: state, Enabled: state == kmstypes.KeyStateEnabled,
	}}, nil
}

// DisableKey makes a key useless until it is enabled.
func (a *Account) DisableKey(ctx context.Context, in *kms.DisableKeyInput, opts ...func(*kms.Options)) (*kms.DisableKeyOutput, error) {
	return &kms.DisableKeyOutput{}, a.setKey(ctx, "DisableKey", kmsRegion(opts), in.KeyId, kmstypes.KeyStateDisabled)
}

// ScheduleKeyDeletion makes a key useless at once and deletes it in days.
// Source: KMS API Reference, ScheduleKeyDeletion.
func (a *Account) ScheduleKeyDeletion(ctx context.Context, in *kms.ScheduleKeyDeletionInput, opts ...func(*kms.Options)) (*kms.ScheduleKeyDeletionOutput, error) {
	return &kms.ScheduleKeyDeletionOutput{}, a.setKey(ctx, "ScheduleKeyDeletion", kmsRegion(opts), in.KeyId, kmstypes.KeyStatePendingDeletion)
}

func (a *Account) setKey(ctx context.Context, op, regionName string, name *string, state kmstypes.KeyState) error {
	r, end, err := a.begin(ctx, op, regionName)
	defer end()
	if err != nil {
		return err
	}
	arn, found := a.key(name)
	if !found {
		return refuse(op, "NotFoundException", "Key '%s' does not exist", aws.ToString(name))
	}
	a.keys[arn] = state
	a.wrote(op, r, arn)
	return nil
}
