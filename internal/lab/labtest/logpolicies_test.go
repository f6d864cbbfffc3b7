package labtest

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"github.com/relight-aws/relight/internal/lab"
)

const mask = `{"Name":"mask","Version":"2021-06-01","Statement":[]}`

// logGroup returns a log group as its region lists it.
func logGroup(t *testing.T, c *cloudwatchlogs.Client, name string) types.LogGroup {
	t.Helper()
	out, err := c.DescribeLogGroups(t.Context(), &cloudwatchlogs.DescribeLogGroupsInput{LogGroupNamePrefix: &name})
	must(t, err)
	if len(out.LogGroups) != 1 {
		t.Fatalf("%d log groups %q, want 1", len(out.LogGroups), name)
	}
	return out.LogGroups[0]
}

// A log group shows what masks, rewrites or encrypts it, and no longer shows it
// after its removal.
func TestLogGroupPolicies(t *testing.T) {
	const region = "ap-southeast-1"
	c := cloudwatchlogs.NewFromConfig(config(region))
	name, arn := aws.String("policies"), aws.String("arn:aws:logs:"+region+":"+lab.Account+":log-group:policies:*")
	key := aws.String("arn:aws:kms:" + region + ":" + lab.Account + ":key/k")
	_, err := c.CreateLogGroup(t.Context(), &cloudwatchlogs.CreateLogGroupInput{LogGroupName: name, KmsKeyId: key})
	must(t, err)
	if g := logGroup(t, c, *name); g.DataProtectionStatus != "" || g.InheritedProperties != nil || aws.ToString(g.KmsKeyId) != *key {
		t.Errorf("new: %+v", g)
	}

	_, err = c.PutDataProtectionPolicy(t.Context(), &cloudwatchlogs.PutDataProtectionPolicyInput{LogGroupIdentifier: arn, PolicyDocument: aws.String(mask)})
	must(t, err)
	policy, err := c.GetDataProtectionPolicy(t.Context(), &cloudwatchlogs.GetDataProtectionPolicyInput{LogGroupIdentifier: name})
	must(t, err)
	if aws.ToString(policy.PolicyDocument) != mask || logGroup(t, c, *name).DataProtectionStatus != types.DataProtectionStatusActivated {
		t.Errorf("masked: %+v", policy)
	}
	_, err = c.DeleteDataProtectionPolicy(t.Context(), &cloudwatchlogs.DeleteDataProtectionPolicyInput{LogGroupIdentifier: name})
	must(t, err)
	policy, err = c.GetDataProtectionPolicy(t.Context(), &cloudwatchlogs.GetDataProtectionPolicyInput{LogGroupIdentifier: name})
	must(t, err)
	if policy.PolicyDocument != nil || logGroup(t, c, *name).DataProtectionStatus != types.DataProtectionStatusDeleted {
		t.Errorf("no longer masked: %+v", policy)
	}
	_, err = c.PutDataProtectionPolicy(t.Context(), &cloudwatchlogs.PutDataProtectionPolicyInput{LogGroupIdentifier: aws.String("none"), PolicyDocument: aws.String(mask)})
	wantCode(t, err, "ResourceNotFoundException")

	_, err = c.PutTransformer(t.Context(), &cloudwatchlogs.PutTransformerInput{
		LogGroupIdentifier: name, TransformerConfig: []types.Processor{{ParseJSON: &types.ParseJSON{}}},
	})
	must(t, err)
	transformer := func() *cloudwatchlogs.GetTransformerOutput {
		out, err := c.GetTransformer(t.Context(), &cloudwatchlogs.GetTransformerInput{LogGroupIdentifier: arn})
		must(t, err)
		return out
	}
	if got := transformer(); len(got.TransformerConfig) != 1 || got.TransformerConfig[0].ParseJSON == nil || got.CreationTime == nil {
		t.Errorf("transformer %+v", got)
	}
	_, err = c.DeleteTransformer(t.Context(), &cloudwatchlogs.DeleteTransformerInput{LogGroupIdentifier: name})
	must(t, err)
	if got := transformer(); got.CreationTime != nil {
		t.Errorf("deleted transformer %+v", got)
	}

	_, err = c.DisassociateKmsKey(t.Context(), &cloudwatchlogs.DisassociateKmsKeyInput{LogGroupName: name})
	must(t, err)
	if g := logGroup(t, c, *name); g.KmsKeyId != nil {
		t.Errorf("key %s after it was removed", *g.KmsKeyId)
	}
	_, err = c.AssociateKmsKey(t.Context(), &cloudwatchlogs.AssociateKmsKeyInput{ResourceIdentifier: arn, KmsKeyId: key})
	must(t, err)
	if g := logGroup(t, c, *name); aws.ToString(g.KmsKeyId) != *key {
		t.Errorf("key %v after it was set again", g.KmsKeyId)
	}

	_, err = c.CreateLogGroup(t.Context(), &cloudwatchlogs.CreateLogGroupInput{LogGroupName: aws.String("rare"), LogGroupClass: types.LogGroupClassInfrequentAccess})
	must(t, err)
	if g := logGroup(t, c, "rare"); g.LogGroupClass != types.LogGroupClassInfrequentAccess {
		t.Errorf("class %s", g.LogGroupClass)
	}

	tagged := aws.String("arn:aws:logs:" + region + ":" + lab.Account + ":log-group:policies")
	_, err = c.TagResource(t.Context(), &cloudwatchlogs.TagResourceInput{ResourceArn: tagged, Tags: map[string]string{"k": "v"}})
	must(t, err)
	tags, err := c.ListTagsForResource(t.Context(), &cloudwatchlogs.ListTagsForResourceInput{ResourceArn: tagged})
	must(t, err)
	if tags.Tags["k"] != "v" {
		t.Errorf("tags %v", tags.Tags)
	}
}

// An account-wide data protection policy masks every log group of the region.
func TestAccountPolicies(t *testing.T) {
	c := cloudwatchlogs.NewFromConfig(config("ap-southeast-2"))
	_, err := c.CreateLogGroup(t.Context(), &cloudwatchlogs.CreateLogGroupInput{LogGroupName: aws.String("account")})
	must(t, err)
	in := &cloudwatchlogs.PutAccountPolicyInput{
		PolicyName: aws.String("p"), PolicyDocument: aws.String(mask), PolicyType: types.PolicyTypeDataProtectionPolicy, Scope: types.ScopeAll,
	}
	_, err = c.PutAccountPolicy(t.Context(), in)
	must(t, err)
	policies := func(kind types.PolicyType) []types.AccountPolicy {
		out, err := c.DescribeAccountPolicies(t.Context(), &cloudwatchlogs.DescribeAccountPoliciesInput{PolicyType: kind})
		must(t, err)
		return out.AccountPolicies
	}
	if got := policies(in.PolicyType); len(got) != 1 || *got[0].PolicyName != "p" || *got[0].PolicyDocument != mask || *got[0].AccountId != lab.Account {
		t.Errorf("policies %+v", got)
	}
	if got := policies(types.PolicyTypeTransformerPolicy); len(got) != 0 {
		t.Errorf("policies of another type %+v", got)
	}
	if g := logGroup(t, c, "account"); len(g.InheritedProperties) != 1 || g.InheritedProperties[0] != types.InheritedPropertyAccountDataProtection {
		t.Errorf("log group %+v", g)
	}
	in.PolicyName = aws.String("second")
	_, err = c.PutAccountPolicy(t.Context(), in)
	wantCode(t, err, "LimitExceededException")
	remove := &cloudwatchlogs.DeleteAccountPolicyInput{PolicyName: aws.String("p"), PolicyType: in.PolicyType}
	_, err = c.DeleteAccountPolicy(t.Context(), remove)
	must(t, err)
	_, err = c.DeleteAccountPolicy(t.Context(), remove)
	wantCode(t, err, "ResourceNotFoundException")
	if g := logGroup(t, c, "account"); g.InheritedProperties != nil {
		t.Errorf("log group after the policy %+v", g)
	}
}
