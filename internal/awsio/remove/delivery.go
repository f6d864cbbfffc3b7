package remove

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/relight-aws/relight/internal/catalog"
)

func topics(ctx context.Context, p place) (items []Item, err error) {
	client := sns.NewFromConfig(p.aws)
	pages := sns.NewListTopicsPaginator(client, &sns.ListTopicsInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return items, err
		}
		for _, t := range page.Topics {
			i := Item{Name: lastPart(aws.ToString(t.TopicArn)), id: aws.ToString(t.TopicArn)}
			if !p.named(i.Name) {
				continue
			}
			tags, err := client.ListTagsForResource(ctx, &sns.ListTagsForResourceInput{ResourceArn: t.TopicArn})
			if missing(err) {
				continue
			}
			if err != nil {
				return items, err
			}
			tagged := false
			for _, t := range tags.Tags {
				tagged = tagged || p.owner(t.Key, t.Value)
			}
			i.Why = p.unlessTagged(tagged)
			items = append(items, i)
		}
	}
	return items, nil
}

// deleteTopic deletes a topic with its subscriptions.
func deleteTopic(ctx context.Context, p place, i Item) error {
	_, err := sns.NewFromConfig(p.aws).DeleteTopic(ctx, &sns.DeleteTopicInput{TopicArn: aws.String(i.id)})
	return err
}

// keys lists the keys of topics. A key that will be deleted counts as gone.
func keys(ctx context.Context, p place) (items []Item, err error) {
	client := kms.NewFromConfig(p.aws)
	pages := kms.NewListKeysPaginator(client, &kms.ListKeysInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return items, err
		}
		for _, k := range page.Keys {
			out, err := client.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: k.KeyArn})
			if missing(err) {
				continue
			}
			if err != nil {
				return items, err
			}
			ofTopic := slices.ContainsFunc([]string{p.want.StackName(), p.want.ForwarderName(p.region), p.want.Name(catalog.SpokeRole)}, func(stack string) bool {
				return aws.ToString(out.KeyMetadata.Description) == catalog.KeyDescription(stack)
			})
			if !ofTopic || out.KeyMetadata.KeyState == kmstypes.KeyStatePendingDeletion {
				continue
			}
			tagged, err := p.keyTagged(ctx, client, k.KeyArn)
			if err != nil {
				return items, err
			}
			items = append(items, Item{Name: aws.ToString(k.KeyId), id: aws.ToString(k.KeyArn), Why: p.unlessTagged(tagged)})
		}
	}
	return items, nil
}

func (p place) keyTagged(ctx context.Context, client *kms.Client, key *string) (bool, error) {
	pages := kms.NewListResourceTagsPaginator(client, &kms.ListResourceTagsInput{KeyId: key})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return false, err
		}
		if slices.ContainsFunc(page.Tags, func(t kmstypes.Tag) bool { return p.owner(t.TagKey, t.TagValue) }) {
			return true, nil
		}
	}
	return false, nil
}

// deleteKey schedules the deletion of a key: KMS deletes none at once.
func deleteKey(ctx context.Context, p place, i Item) error {
	client := kms.NewFromConfig(p.aws)
	_, err := client.ScheduleKeyDeletion(ctx, &kms.ScheduleKeyDeletionInput{KeyId: aws.String(i.id), PendingWindowInDays: aws.Int32(p.KeyDays)})
	if out, unread := client.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: aws.String(i.id)}); err != nil && unread == nil && out.KeyMetadata.KeyState == kmstypes.KeyStatePendingDeletion {
		return nil // somebody was faster
	}
	return err
}

// roles lists the delivery roles: of those with relight's name, the ones that flow logs
// may assume.
func roles(ctx context.Context, p place) (items []Item, err error) {
	client := iam.NewFromConfig(p.aws)
	pages := iam.NewListRolesPaginator(client, &iam.ListRolesInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return items, err
		}
		for _, r := range page.Roles {
			name := aws.ToString(r.RoleName)
			if !p.named(name) || !strings.Contains(aws.ToString(r.AssumeRolePolicyDocument), catalog.FlowLogService) {
				continue
			}
			out, err := client.GetRole(ctx, &iam.GetRoleInput{RoleName: r.RoleName}) // ListRoles returns no tags
			if missing(err) {
				continue
			}
			if err != nil {
				return items, err
			}
			tagged := false
			for _, t := range out.Role.Tags {
				tagged = tagged || p.owner(t.Key, t.Value)
			}
			items = append(items, Item{Name: name, Why: p.unlessTagged(tagged)})
		}
	}
	return items, nil
}

// deleteRole deletes a role after what hangs on it: IAM deletes no other.
func deleteRole(ctx context.Context, p place, i Item) error {
	client, name := iam.NewFromConfig(p.aws), aws.String(i.Name)
	inline, err := client.ListRolePolicies(ctx, &iam.ListRolePoliciesInput{RoleName: name})
	if err != nil {
		return err
	}
	for _, policy := range inline.PolicyNames {
		if _, err := client.DeleteRolePolicy(ctx, &iam.DeleteRolePolicyInput{RoleName: name, PolicyName: aws.String(policy)}); err != nil && !missing(err) {
			return err
		}
	}
	attached, err := client.ListAttachedRolePolicies(ctx, &iam.ListAttachedRolePoliciesInput{RoleName: name})
	if err != nil {
		return err
	}
	for _, policy := range attached.AttachedPolicies {
		if _, err := client.DetachRolePolicy(ctx, &iam.DetachRolePolicyInput{RoleName: name, PolicyArn: policy.PolicyArn}); err != nil && !missing(err) {
			return err
		}
	}
	_, err = client.DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: name})
	return err
}

// parameters lists the parameters below the prefix.
func parameters(ctx context.Context, p place) (items []Item, err error) {
	pages := ssm.NewGetParametersByPathPaginator(ssm.NewFromConfig(p.aws), &ssm.GetParametersByPathInput{Path: aws.String("/" + p.want.Prefix), Recursive: aws.Bool(true)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return items, err
		}
		for _, one := range page.Parameters {
			i := Item{Name: aws.ToString(one.Name)}
			if !p.want.Stores(i.Name) {
				i.Why = "relight stores no parameter of this name"
			}
			items = append(items, i)
		}
	}
	return items, nil
}

func deleteParameter(ctx context.Context, p place, i Item) error {
	_, err := ssm.NewFromConfig(p.aws).DeleteParameter(ctx, &ssm.DeleteParameterInput{Name: aws.String(i.Name)})
	return err
}
