package awstest

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
)

// AddKey makes a KMS key, enabled, whose policy leaves it to IAM. Source: AWS
// KMS Developer Guide, "Default key policy".
func (a *Account) AddKey(arn string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.keys[arn] = kmstypes.KeyStateEnabled
	a.keyPolicies[arn] = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::` + a.ID +
		`:root"},"Action":"kms:*","Resource":"*"}}`
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
		return nil, noKey(op, in.KeyId)
	}
	_, id, _ := strings.Cut(arn, ":key/")
	state := a.keys[arn]
	return &kms.DescribeKeyOutput{KeyMetadata: &kmstypes.KeyMetadata{
		Arn: aws.String(arn), KeyId: aws.String(id), KeyState: state, Enabled: state == kmstypes.KeyStateEnabled,
	}}, nil
}

// GetKeyPolicy returns the policy of a key, in whatever state. Source: AWS KMS
// Developer Guide, "Key states of AWS KMS keys".
func (a *Account) GetKeyPolicy(ctx context.Context, in *kms.GetKeyPolicyInput, opts ...func(*kms.Options)) (*kms.GetKeyPolicyOutput, error) {
	const op = "GetKeyPolicy"
	_, end, err := a.begin(ctx, op, kmsRegion(opts))
	defer end()
	if err != nil {
		return nil, err
	}
	arn, found := a.key(in.KeyId)
	if !found {
		return nil, noKey(op, in.KeyId)
	}
	return &kms.GetKeyPolicyOutput{PolicyName: aws.String("default"), Policy: aws.String(a.keyPolicies[arn])}, nil
}

// PutKeyPolicy gives a key another policy.
func (a *Account) PutKeyPolicy(ctx context.Context, in *kms.PutKeyPolicyInput, opts ...func(*kms.Options)) (*kms.PutKeyPolicyOutput, error) {
	const op = "PutKeyPolicy"
	r, end, err := a.begin(ctx, op, kmsRegion(opts))
	defer end()
	if err != nil {
		return nil, err
	}
	arn, found := a.key(in.KeyId)
	switch {
	case !found:
		return nil, noKey(op, in.KeyId)
	case !json.Valid([]byte(aws.ToString(in.Policy))):
		return nil, refuse(op, "MalformedPolicyDocumentException", "Policy contains a statement with one or more invalid elements")
	}
	a.keyPolicies[arn] = *in.Policy
	a.wrote(op, r, arn)
	return &kms.PutKeyPolicyOutput{}, nil
}

// DisableKey makes a key useless until it is enabled.
func (a *Account) DisableKey(ctx context.Context, in *kms.DisableKeyInput, opts ...func(*kms.Options)) (*kms.DisableKeyOutput, error) {
	return &kms.DisableKeyOutput{}, a.setKey(ctx, "DisableKey", kmsRegion(opts), in.KeyId, kmstypes.KeyStateDisabled, kmstypes.KeyStateEnabled)
}

// EnableKey makes a disabled key usable. One that waits for its deletion is
// refused. Source: KMS API Reference, EnableKey.
func (a *Account) EnableKey(ctx context.Context, in *kms.EnableKeyInput, opts ...func(*kms.Options)) (*kms.EnableKeyOutput, error) {
	return &kms.EnableKeyOutput{}, a.setKey(ctx, "EnableKey", kmsRegion(opts), in.KeyId, kmstypes.KeyStateEnabled, kmstypes.KeyStateDisabled)
}

// ScheduleKeyDeletion makes a key useless at once and deletes it in days.
// Source: KMS API Reference, ScheduleKeyDeletion.
func (a *Account) ScheduleKeyDeletion(ctx context.Context, in *kms.ScheduleKeyDeletionInput, opts ...func(*kms.Options)) (*kms.ScheduleKeyDeletionOutput, error) {
	return &kms.ScheduleKeyDeletionOutput{}, a.setKey(ctx, "ScheduleKeyDeletion", kmsRegion(opts), in.KeyId,
		kmstypes.KeyStatePendingDeletion, kmstypes.KeyStateEnabled, kmstypes.KeyStateDisabled)
}

// CancelKeyDeletion keeps a key, which is disabled then. Source: KMS API
// Reference, CancelKeyDeletion.
func (a *Account) CancelKeyDeletion(ctx context.Context, in *kms.CancelKeyDeletionInput, opts ...func(*kms.Options)) (*kms.CancelKeyDeletionOutput, error) {
	return &kms.CancelKeyDeletionOutput{KeyId: in.KeyId}, a.setKey(ctx, "CancelKeyDeletion", kmsRegion(opts), in.KeyId,
		kmstypes.KeyStateDisabled, kmstypes.KeyStatePendingDeletion)
}

// setKey gives a key that is in the state already, or in one of those a call
// suits, a state. Source: AWS KMS Developer Guide, "Key states of AWS KMS
// keys": what suits no state is refused.
func (a *Account) setKey(ctx context.Context, op, regionName string, name *string, state kmstypes.KeyState, from ...kmstypes.KeyState) error {
	r, end, err := a.begin(ctx, op, regionName)
	defer end()
	if err != nil {
		return err
	}
	arn, found := a.key(name)
	enabling := state == kmstypes.KeyStateEnabled || op == "DisableKey" // which take a key that is so already
	switch {
	case !found:
		return noKey(op, name)
	case !slices.Contains(from, a.keys[arn]) && (!enabling || a.keys[arn] != state):
		return refuse(op, "KMSInvalidStateException", "%s is pending deletion, or not", arn)
	}
	a.keys[arn] = state
	a.wrote(op, r, arn)
	return nil
}

func noKey(op string, name *string) error {
	return refuse(op, "NotFoundException", "Key '%s' does not exist", aws.ToString(name))
}
