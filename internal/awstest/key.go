package awstest

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
)

// AddKey makes an enabled KMS key whose policy lets IAM policies decide, and
// admits CloudWatch Logs of the key's region. Sources: AWS KMS Developer Guide,
// "Default key policy"; CloudWatch Logs User Guide, "Encrypt log data in
// CloudWatch Logs using AWS KMS".
func (a *Account) AddKey(key string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	region := strings.Split(key, ":")[3]
	a.keys[key] = kmstypes.KeyStateEnabled
	a.keyPolicies[key] = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::` + a.ID +
		`:root"},"Action":"kms:*","Resource":"*"},{"Effect":"Allow","Principal":{"Service":"logs.` + region +
		`.amazonaws.com"},"Action":["kms:Encrypt*","kms:Decrypt*","kms:ReEncrypt*","kms:GenerateDataKey*","kms:Describe*"],"Resource":"*"}]}`
}

// AddAlias names a key. DescribeKey takes the alias and its ARN, other calls do
// not. Source: KMS API Reference, DescribeKey and GetKeyPolicy, KeyId.
func (a *Account) AddAlias(alias, key string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.keyAliases == nil {
		a.keyAliases = map[string]string{}
	}
	a.keyAliases[alias] = key
}

// SetKeyState puts a key into a state, for those states that no call leads to
// here.
func (a *Account) SetKeyState(arn string, state kmstypes.KeyState) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.keys[arn] = state
}

// SetKeySpec makes a key one of another kind than AddKey makes.
func (a *Account) SetKeySpec(arn string, spec kmstypes.KeySpec) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.keySpecs == nil {
		a.keySpecs = map[string]kmstypes.KeySpec{}
	}
	a.keySpecs[arn] = spec
}

// key returns the ARN of the key with an ID or ARN. Source: KMS API Reference,
// DescribeKey.
func (a *Account) key(name *string) (arn string, found bool) {
	for arn := range a.keys {
		if id := aws.ToString(name); arn == id || strings.HasSuffix(arn, ":key/"+id) {
			return arn, true
		}
	}
	return "", false
}

// describeKey describes a key.
func describeKey(c *request, in *kms.DescribeKeyInput) (*kms.DescribeKeyOutput, error) {
	arn, found := c.key(in.KeyId)
	if !found {
		alias := *in.KeyId
		if i := strings.Index(alias, ":alias/"); i >= 0 {
			alias = alias[i+1:]
		}
		if arn, found = c.keyAliases[alias]; !found {
			return nil, noKey(in.KeyId)
		}
	}
	_, id, _ := strings.Cut(arn, ":key/")
	state := c.keys[arn]
	return &kms.DescribeKeyOutput{KeyMetadata: &kmstypes.KeyMetadata{
		Arn: aws.String(arn), KeyId: aws.String(id), KeyState: state, Enabled: state == kmstypes.KeyStateEnabled,
		KeySpec: cmp.Or(c.keySpecs[arn], kmstypes.KeySpecSymmetricDefault), Description: aws.String(c.keyTexts[arn]),
	}}, nil
}

// getKeyPolicy returns the policy of a key in any state. Source: AWS KMS
// Developer Guide, "Key states of AWS KMS keys".
func getKeyPolicy(c *request, in *kms.GetKeyPolicyInput) (*kms.GetKeyPolicyOutput, error) {
	arn, found := c.key(in.KeyId)
	if !found {
		return nil, noKey(in.KeyId)
	}
	return &kms.GetKeyPolicyOutput{PolicyName: aws.String("default"), Policy: aws.String(c.keyPolicies[arn])}, nil
}

// putKeyPolicy replaces the policy of a key.
func putKeyPolicy(c *request, in *kms.PutKeyPolicyInput) error {
	arn, found := c.key(in.KeyId)
	switch {
	case !found:
		return noKey(in.KeyId)
	case !json.Valid([]byte(*in.Policy)):
		return refuse("MalformedPolicyDocumentException", "Policy contains a statement with one or more invalid elements")
	}
	c.keyPolicies[arn] = *in.Policy
	c.wrote(arn)
	return nil
}

// disableKey makes a key unusable until it is enabled.
func disableKey(c *request, in *kms.DisableKeyInput) error {
	return c.setKey(in.KeyId, kmstypes.KeyStateDisabled, kmstypes.KeyStateEnabled)
}

// enableKey makes a disabled key usable. It refuses a key that is scheduled for
// deletion. Source: KMS API Reference, EnableKey.
func enableKey(c *request, in *kms.EnableKeyInput) error {
	return c.setKey(in.KeyId, kmstypes.KeyStateEnabled, kmstypes.KeyStateDisabled)
}

// scheduleKeyDeletion makes a key unusable at once and deletes it some days
// later. Source: KMS API Reference, ScheduleKeyDeletion.
func scheduleKeyDeletion(c *request, in *kms.ScheduleKeyDeletionInput) error {
	return c.setKey(in.KeyId,
		kmstypes.KeyStatePendingDeletion, kmstypes.KeyStateEnabled, kmstypes.KeyStateDisabled)
}

// cancelKeyDeletion cancels the deletion of a key, which is disabled
// afterwards. A multi-Region key with replicas waits for its deletion in a state
// of its own. Sources: KMS API Reference, CancelKeyDeletion; recorded 2026-09-12
// (radkawar/stackd).
func cancelKeyDeletion(c *request, in *kms.CancelKeyDeletionInput) (*kms.CancelKeyDeletionOutput, error) {
	return &kms.CancelKeyDeletionOutput{KeyId: in.KeyId}, c.setKey(in.KeyId,
		kmstypes.KeyStateDisabled, kmstypes.KeyStatePendingDeletion, kmstypes.KeyStatePendingReplicaDeletion)
}

// setKey sets the state of a key. It refuses a key in a state that does not
// allow the call. Source: AWS KMS Developer Guide, "Key states of AWS KMS keys".
func (c *request) setKey(name *string, state kmstypes.KeyState, from ...kmstypes.KeyState) error {
	arn, found := c.key(name)
	enabling := state == kmstypes.KeyStateEnabled || c.op == "DisableKey" // these calls accept a key that is in the state already
	switch {
	case !found:
		return noKey(name)
	case !slices.Contains(from, c.keys[arn]) && (!enabling || c.keys[arn] != state):
		return refuse("KMSInvalidStateException", "%s is pending deletion, or not", arn)
	}
	c.keys[arn] = state
	c.wrote(arn)
	return nil
}

func noKey(name *string) error {
	return refuse("NotFoundException", "Key '%s' does not exist", aws.ToString(name))
}

// keyOperations are the operations that this file answers.
var keyOperations = []operation{
	handle(describeKey),
	handle(getKeyPolicy),
	act[kms.PutKeyPolicyOutput](putKeyPolicy),
	act[kms.DisableKeyOutput](disableKey),
	act[kms.EnableKeyOutput](enableKey),
	act[kms.ScheduleKeyDeletionOutput](scheduleKeyDeletion),
	handle(cancelKeyDeletion),
}
