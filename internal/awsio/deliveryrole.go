package awsio

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/plan"
	"github.com/relight-aws/relight/internal/remedy"
)

// roleAPI is what this file needs of *iam.Client, and no more.
type roleAPI interface {
	GetRole(context.Context, *iam.GetRoleInput, ...func(*iam.Options)) (*iam.GetRoleOutput, error)
	GetRolePolicy(context.Context, *iam.GetRolePolicyInput, ...func(*iam.Options)) (*iam.GetRolePolicyOutput, error)
	ListRolePolicies(context.Context, *iam.ListRolePoliciesInput, ...func(*iam.Options)) (*iam.ListRolePoliciesOutput, error)
	ListAttachedRolePolicies(context.Context, *iam.ListAttachedRolePoliciesInput, ...func(*iam.Options)) (*iam.ListAttachedRolePoliciesOutput, error)
	GetPolicy(context.Context, *iam.GetPolicyInput, ...func(*iam.Options)) (*iam.GetPolicyOutput, error)
	GetPolicyVersion(context.Context, *iam.GetPolicyVersionInput, ...func(*iam.Options)) (*iam.GetPolicyVersionOutput, error)
	CreateRole(context.Context, *iam.CreateRoleInput, ...func(*iam.Options)) (*iam.CreateRoleOutput, error)
	TagRole(context.Context, *iam.TagRoleInput, ...func(*iam.Options)) (*iam.TagRoleOutput, error)
	PutRolePolicy(context.Context, *iam.PutRolePolicyInput, ...func(*iam.Options)) (*iam.PutRolePolicyOutput, error)
	UpdateAssumeRolePolicy(context.Context, *iam.UpdateAssumeRolePolicyInput, ...func(*iam.Options)) (*iam.UpdateAssumeRolePolicyOutput, error)
	PutRolePermissionsBoundary(context.Context, *iam.PutRolePermissionsBoundaryInput, ...func(*iam.Options)) (*iam.PutRolePermissionsBoundaryOutput, error)
	DeleteRolePermissionsBoundary(context.Context, *iam.DeleteRolePermissionsBoundaryInput, ...func(*iam.Options)) (*iam.DeleteRolePermissionsBoundaryOutput, error)
	DeleteRolePolicy(context.Context, *iam.DeleteRolePolicyInput, ...func(*iam.Options)) (*iam.DeleteRolePolicyOutput, error)
	DetachRolePolicy(context.Context, *iam.DetachRolePolicyInput, ...func(*iam.Options)) (*iam.DetachRolePolicyOutput, error)
}

// invokeAPI is what this file needs of *lambda.Client, and no more.
type invokeAPI interface {
	Invoke(context.Context, *lambda.InvokeInput, ...func(*lambda.Options)) (*lambda.InvokeOutput, error)
}

var (
	_ roleAPI   = (*iam.Client)(nil)
	_ invokeAPI = (*lambda.Client)(nil)
)

// observeDeliveryRole reads the role with which relight's flow logs deliver,
// and the policies on it. An event about another role costs no read, one about
// a managed policy that is not on ours costs one.
func (c *Cloud) observeDeliveryRole(ctx context.Context, s remedy.Scope) (*plan.DeliveryRoleState, error) {
	role, names := plan.DeliveryRoleOf(c.Want), s.Names.List()
	switch {
	case role.ARN == "":
		return &plan.DeliveryRoleState{Elsewhere: "nothing is deployed, so there is none"}, nil
	case s.Type == catalog.Role && len(names) > 0 && !slices.Contains(names, role.Name):
		return &plan.DeliveryRoleState{Elsewhere: "the event is about another role"}, nil
	case s.Type == catalog.IAMPolicy && len(names) > 0 && !slices.Contains(names, role.Boundary):
		attached, err := c.attachedPolicies(ctx, s.Region, role.Name)
		if err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(attached, func(arn string) bool { return slices.Contains(names, arn) }) {
			return &plan.DeliveryRoleState{Elsewhere: "the event is about a policy that is not on the role"}, nil
		}
	}
	return c.deliveryRole(ctx, s.Region, role)
}

// deliveryRole reads a role that exists or not, with every policy on it.
func (c *Cloud) deliveryRole(ctx context.Context, region string, role plan.DeliveryRoleSpec) (*plan.DeliveryRoleState, error) {
	out, err := call(ctx, c.Pace, place{region, "iam.GetRole", role.Name}, c.Clients.IAM.GetRole,
		&iam.GetRoleInput{RoleName: aws.String(role.Name)}, iamIn(region))
	if remedy.ClassOf(err) == remedy.Missing {
		return &plan.DeliveryRoleState{}, nil
	}
	if err != nil {
		return nil, err
	}
	state := &plan.DeliveryRoleState{
		Exists: true, Trust: decoded(out.Role.AssumeRolePolicyDocument),
		Tags: map[string]string{}, Inline: map[string]string{}, Attached: map[string]string{},
	}
	if c.Now != nil {
		state.At = c.Now().UTC().Format("2006-01-02T15:04:05")
	}
	for _, tag := range out.Role.Tags {
		state.Tags[aws.ToString(tag.Key)] = aws.ToString(tag.Value)
	}
	if b := out.Role.PermissionsBoundary; b != nil {
		state.Boundary = aws.ToString(b.PermissionsBoundaryArn)
	}
	if err := c.inlinePolicies(ctx, region, role.Name, state.Inline); err != nil {
		return nil, err
	}
	attached, err := c.attachedPolicies(ctx, region, role.Name)
	if err != nil {
		return nil, err
	}
	for _, arn := range attached {
		if state.Attached[arn], err = c.policyInForce(ctx, region, arn); err != nil {
			return nil, err
		}
	}
	if role.Boundary != "" && state.Boundary == role.Boundary {
		state.Bounds, err = c.policyInForce(ctx, region, role.Boundary)
	}
	return state, err
}

// inlinePolicies adds the inline policies of a role to a map. One that is
// gone between the two reads is left out.
func (c *Cloud) inlinePolicies(ctx context.Context, region, role string, into map[string]string) error {
	in := &iam.ListRolePoliciesInput{RoleName: aws.String(role)}
	for {
		out, err := call(ctx, c.Pace, place{region, "iam.ListRolePolicies", role}, c.Clients.IAM.ListRolePolicies, in, iamIn(region))
		if remedy.ClassOf(err) == remedy.Missing {
			return nil // the next look finds the role gone
		}
		if err != nil {
			return err
		}
		for _, name := range out.PolicyNames {
			one, err := call(ctx, c.Pace, place{region, "iam.GetRolePolicy", role}, c.Clients.IAM.GetRolePolicy,
				&iam.GetRolePolicyInput{RoleName: aws.String(role), PolicyName: aws.String(name)}, iamIn(region))
			if remedy.ClassOf(err) == remedy.Missing {
				continue
			}
			if err != nil {
				return err
			}
			into[name] = decoded(one.PolicyDocument)
		}
		if !out.IsTruncated {
			return nil
		}
		in.Marker = out.Marker
	}
}

// attachedPolicies returns the ARNs of the managed policies on a role, none
// if the role does not exist.
func (c *Cloud) attachedPolicies(ctx context.Context, region, role string) ([]string, error) {
	var arns []string
	in := &iam.ListAttachedRolePoliciesInput{RoleName: aws.String(role)}
	for {
		out, err := call(ctx, c.Pace, place{region, "iam.ListAttachedRolePolicies", role}, c.Clients.IAM.ListAttachedRolePolicies, in, iamIn(region))
		if remedy.ClassOf(err) == remedy.Missing {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		for _, p := range out.AttachedPolicies {
			arns = append(arns, aws.ToString(p.PolicyArn))
		}
		if !out.IsTruncated {
			return arns, nil
		}
		in.Marker = out.Marker
	}
}

// policyInForce returns the document of a managed policy's default version,
// "" if the policy does not exist.
func (c *Cloud) policyInForce(ctx context.Context, region, arn string) (string, error) {
	policy, err := call(ctx, c.Pace, place{region, "iam.GetPolicy", arn}, c.Clients.IAM.GetPolicy,
		&iam.GetPolicyInput{PolicyArn: aws.String(arn)}, iamIn(region))
	if remedy.ClassOf(err) == remedy.Missing {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	version, err := call(ctx, c.Pace, place{region, "iam.GetPolicyVersion", arn}, c.Clients.IAM.GetPolicyVersion,
		&iam.GetPolicyVersionInput{PolicyArn: aws.String(arn), VersionId: policy.Policy.DefaultVersionId}, iamIn(region))
	if err != nil {
		return "", again(err)
	}
	return decoded(version.PolicyVersion.Document), nil
}

// decoded returns a policy document as it was put. Source: IAM API Reference,
// GetRolePolicy: documents are URL-encoded compliant with RFC 3986.
func decoded(document *string) string {
	plain, err := url.PathUnescape(aws.ToString(document))
	if err != nil {
		return aws.ToString(document)
	}
	return plain
}

// applyToRole carries out an action on the delivery role; ok is false for an
// action on something else. A role that is gone again is worth another run.
func (c *Cloud) applyToRole(ctx context.Context, region string, action plan.Action) (err error, ok bool) { //nolint:revive // the error is the action's
	api := c.Clients.IAM
	at := func(op, target string) place { return place{region, "iam." + op, target} }
	switch a := action.(type) {
	case plan.CreateDeliveryRole:
		in := &iam.CreateRoleInput{
			RoleName: aws.String(a.Role.Name), Path: aws.String(a.Role.Path), Description: aws.String(a.Role.Description),
			AssumeRolePolicyDocument: aws.String(a.Role.Trust), Tags: iamTags(a.Role.Tags),
		}
		if a.Role.Boundary != "" {
			in.PermissionsBoundary = aws.String(a.Role.Boundary)
		}
		_, err = call(ctx, c.Pace, at("CreateRole", a.Role.Name), api.CreateRole, in, iamIn(region))
		return settled(err), true
	case plan.SetRoleBoundary:
		if a.Policy == "" {
			_, err = call(ctx, c.Pace, at("DeleteRolePermissionsBoundary", a.Role), api.DeleteRolePermissionsBoundary,
				&iam.DeleteRolePermissionsBoundaryInput{RoleName: aws.String(a.Role)}, iamIn(region))
			return gone(err), true
		}
		_, err = call(ctx, c.Pace, at("PutRolePermissionsBoundary", a.Role), api.PutRolePermissionsBoundary,
			&iam.PutRolePermissionsBoundaryInput{RoleName: aws.String(a.Role), PermissionsBoundary: aws.String(a.Policy)}, iamIn(region))
	case plan.PutRolePolicy:
		_, err = call(ctx, c.Pace, at("PutRolePolicy", a.Role), api.PutRolePolicy,
			&iam.PutRolePolicyInput{RoleName: aws.String(a.Role), PolicyName: aws.String(a.Name), PolicyDocument: aws.String(a.Document)}, iamIn(region))
	case plan.SetRoleTrust:
		_, err = call(ctx, c.Pace, at("UpdateAssumeRolePolicy", a.Role), api.UpdateAssumeRolePolicy,
			&iam.UpdateAssumeRolePolicyInput{RoleName: aws.String(a.Role), PolicyDocument: aws.String(a.Document)}, iamIn(region))
	case plan.TagRole:
		_, err = call(ctx, c.Pace, at("TagRole", a.Role), api.TagRole,
			&iam.TagRoleInput{RoleName: aws.String(a.Role), Tags: iamTags(a.Tags)}, iamIn(region))
	case plan.RemoveRolePolicy:
		_, err = call(ctx, c.Pace, at("DeleteRolePolicy", a.Role), api.DeleteRolePolicy,
			&iam.DeleteRolePolicyInput{RoleName: aws.String(a.Role), PolicyName: aws.String(a.Name)}, iamIn(region))
		return gone(err), true
	case plan.DetachRolePolicy:
		_, err = call(ctx, c.Pace, at("DetachRolePolicy", a.Role), api.DetachRolePolicy,
			&iam.DetachRolePolicyInput{RoleName: aws.String(a.Role), PolicyArn: aws.String(a.Policy)}, iamIn(region))
		return gone(err), true
	default:
		return nil, false
	}
	return again(err), true
}

// gone drops the error of taking away what is not there any more.
func gone(err error) error {
	if remedy.ClassOf(err) == remedy.Missing {
		return nil
	}
	return err
}

func iamTags(tags map[string]string) []types.Tag {
	var out []types.Tag
	for _, k := range sortedKeys(tags) {
		out = append(out, types.Tag{Key: aws.String(k), Value: aws.String(tags[k])})
	}
	return out
}

// HandOver has another function bring a kind to its desired state, and waits
// for it.
func (c *Cloud) HandOver(ctx context.Context, region string, kind catalog.Kind) error {
	name := c.Want.FunctionName(catalog.Function(kind))
	payload, err := json.Marshal(catalog.HandOver{Repair: kind})
	if err != nil { // a string always marshals
		panic(err)
	}
	out, err := call(ctx, c.Pace, place{region, "lambda.InvokeFunction", name}, c.Clients.Lambda.Invoke,
		&lambda.InvokeInput{FunctionName: aws.String(name), Payload: payload}, lambdaIn(region))
	if err == nil && out.FunctionError != nil {
		err = &remedy.Error{
			Op: "lambda.InvokeFunction", Target: name, Class: remedy.Transient, Hint: "its log says why",
			Err: fmt.Errorf("it failed: %s", cmp.Or(string(out.Payload), *out.FunctionError)),
		}
	}
	return err
}
