package awsio

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/plan"
	"github.com/relight-aws/relight/internal/remedy"
)

func (r *region) lambda() *lambda.Client { return client(r, lambda.NewFromConfig) }

func (r *region) iam() *iam.Client { return client(r, iam.NewFromConfig) }

// DeliveryRoles returns the kind whose plans restore the role that delivers flow logs.
func DeliveryRoles() Kind {
	return kindOf(
		catalog.DeliveryRoles,
		(*region).observeDeliveryRole,
		each((*region).createDeliveryRole),
		each((*region).setRoleBoundary),
		each((*region).putRolePolicy),
		each((*region).setRoleTrust),
		each((*region).tagRole),
		each((*region).removeRolePolicy),
		each((*region).detachRolePolicy),
	)
}

// observeDeliveryRole reads the role that delivers relight's flow logs, and the
// policies on it. An event about another role costs no read; an event about a
// managed policy that is not on relight's role costs one.
func (r *region) observeDeliveryRole(ctx context.Context, s remedy.Scope) (*plan.DeliveryRoleState, error) {
	role, names := plan.DeliveryRoleOf(r.Want), s.Names.List()
	switch {
	case role.ARN == "":
		return &plan.DeliveryRoleState{Elsewhere: "relight is not deployed, so there is no delivery role"}, nil
	case s.Type == catalog.Role && len(names) > 0 && !slices.ContainsFunc(names, role.Named):
		return &plan.DeliveryRoleState{Elsewhere: "the event is about another role"}, nil
	case s.Type == catalog.IAMPolicy && len(names) > 0 && !slices.Contains(names, role.Boundary):
		attached, err := r.attachedPolicies(ctx, role.Name)
		if err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(attached, func(arn string) bool { return slices.Contains(names, arn) }) {
			return &plan.DeliveryRoleState{Elsewhere: "the event is about a policy that is not on the role"}, nil
		}
		return r.deliveryRoleWith(ctx, role, func() ([]string, error) { return attached, nil })
	}
	return r.deliveryRole(ctx, role)
}

// iamPage is the largest page of IAM's listings. Source: IAM API Reference,
// ListRolePolicies, MaxItems.
const iamPage = 1000

// deliveryRole reads a role with every policy on it, if the role exists. Of a role
// that has its name at another path it reads only the ARN: relight may read no more
// of it.
func (r *region) deliveryRole(ctx context.Context, role plan.DeliveryRoleSpec) (*plan.DeliveryRoleState, error) {
	return r.deliveryRoleWith(ctx, role, func() ([]string, error) { return r.attachedPolicies(ctx, role.Name) })
}

// deliveryRoleWith is deliveryRole for a caller that may know which managed policies the
// role has.
func (r *region) deliveryRoleWith(ctx context.Context, role plan.DeliveryRoleSpec, attached func() ([]string, error)) (*plan.DeliveryRoleState, error) {
	out, err := r.iam().GetRole(ctx, &iam.GetRoleInput{RoleName: aws.String(role.Name)})
	if remedy.ClassOf(err) == remedy.Missing {
		return &plan.DeliveryRoleState{}, nil
	}
	if err != nil {
		return nil, err
	}
	state := &plan.DeliveryRoleState{
		Exists: true, ARN: aws.ToString(out.Role.Arn), Trust: decoded(out.Role.AssumeRolePolicyDocument),
		Tags: map[string]string{}, Attached: map[string]string{},
	}
	if state.ElsewhereThan(role.ARN) != "" {
		return state, nil
	}
	if r.Now != nil {
		state.At = r.Now().UTC().Format("2006-01-02T15:04:05")
	}
	for _, tag := range out.Role.Tags {
		state.Tags[aws.ToString(tag.Key)] = aws.ToString(tag.Value)
	}
	if b := out.Role.PermissionsBoundary; b != nil {
		state.Boundary = aws.ToString(b.PermissionsBoundaryArn)
	}
	err = atOnce(
		func() (err error) {
			state.Inline, err = r.inlinePolicies(ctx, role.Name)
			return err
		},
		func() error {
			arns, err := attached()
			if err == nil {
				state.Attached, err = r.policiesInForce(ctx, arns)
			}
			return err
		},
		func() (err error) {
			if role.Boundary != "" && state.Boundary == role.Boundary {
				state.Bounds, err = r.policyInForce(ctx, role.Boundary)
			}
			return err
		},
	)
	if err != nil {
		return nil, err
	}
	return state, nil
}

// inlinePolicies returns the inline policies of a role, by name. It leaves out
// a policy that is deleted between two reads. If the role itself is deleted,
// the next observation finds that.
func (r *region) inlinePolicies(ctx context.Context, role string) (map[string]string, error) {
	policies := map[string]string{}
	for page, err := range pages(ctx, iam.NewListRolePoliciesPaginator(r.iam(), &iam.ListRolePoliciesInput{RoleName: aws.String(role), MaxItems: aws.Int32(iamPage)})) {
		if err != nil {
			return policies, gone(err)
		}
		found := make([]*iam.GetRolePolicyOutput, len(page.PolicyNames))
		err := eachAtOnce(page.PolicyNames, func(i int, name string) (err error) {
			found[i], err = r.iam().GetRolePolicy(ctx, &iam.GetRolePolicyInput{RoleName: aws.String(role), PolicyName: aws.String(name)})
			return gone(err)
		})
		if err != nil {
			return nil, err
		}
		for i, one := range found {
			if one != nil {
				policies[page.PolicyNames[i]] = decoded(one.PolicyDocument)
			}
		}
	}
	return policies, nil
}

// policiesInForce returns the documents of managed policies, by ARN.
func (r *region) policiesInForce(ctx context.Context, arns []string) (map[string]string, error) {
	documents := make([]string, len(arns))
	err := eachAtOnce(arns, func(i int, arn string) (err error) {
		documents[i], err = r.policyInForce(ctx, arn)
		return err
	})
	byARN := map[string]string{}
	for i, arn := range arns {
		byARN[arn] = documents[i]
	}
	return byARN, err
}

// attachedPolicies returns the ARNs of the managed policies on a role, or none
// if the role does not exist.
func (r *region) attachedPolicies(ctx context.Context, role string) ([]string, error) {
	var arns []string
	in := &iam.ListAttachedRolePoliciesInput{RoleName: aws.String(role), MaxItems: aws.Int32(iamPage)}
	for page, err := range pages(ctx, iam.NewListAttachedRolePoliciesPaginator(r.iam(), in)) {
		if err != nil {
			return nil, gone(err)
		}
		for _, p := range page.AttachedPolicies {
			arns = append(arns, aws.ToString(p.PolicyArn))
		}
	}
	return arns, nil
}

// policyInForce returns the document of a managed policy's default version, or
// "" if the policy does not exist.
func (r *region) policyInForce(ctx context.Context, arn string) (string, error) {
	policy, err := r.iam().GetPolicy(ctx, &iam.GetPolicyInput{PolicyArn: aws.String(arn)})
	if err != nil {
		return "", gone(err)
	}
	version, err := r.iam().GetPolicyVersion(ctx, &iam.GetPolicyVersionInput{PolicyArn: aws.String(arn), VersionId: policy.Policy.DefaultVersionId})
	if err != nil {
		return "", again(err)
	}
	return decoded(version.PolicyVersion.Document), nil
}

// decoded returns a policy document as it was written. Source: IAM API
// Reference, GetRolePolicy: documents are URL-encoded compliant with RFC 3986.
func decoded(document *string) string {
	plain, err := url.PathUnescape(aws.ToString(document))
	if err != nil {
		return aws.ToString(document)
	}
	return plain
}

// createDeliveryRole creates the role. If IAM refuses its boundary or its tags, the
// role is created without them, and the next observation plans them again. If a
// role with its name exists meanwhile, that one counts only if its path is the same
// too.
func (r *region) createDeliveryRole(ctx context.Context, a plan.CreateDeliveryRole) error {
	parts := []string{partTags}
	if a.Role.Boundary != "" {
		parts = append(parts, partBoundary)
	}
	without, refusal, err := createWithout(func(without []string) error {
		in := &iam.CreateRoleInput{
			RoleName: aws.String(a.Role.Name), Path: aws.String(a.Role.Path), Description: aws.String(a.Role.Description),
			AssumeRolePolicyDocument: aws.String(a.Role.Trust),
		}
		if !slices.Contains(without, partBoundary) {
			in.PermissionsBoundary = nonzero(a.Role.Boundary)
		}
		if !slices.Contains(without, partTags) {
			in.Tags = iamTags(a.Role.Tags)
		}
		_, err := r.iam().CreateRole(ctx, in)
		return err
	}, blamesPart, parts...)
	if remedy.ClassOf(err) != remedy.Present {
		return cmp.Or(err, incomplete("the role", without, refusal, ""))
	}
	out, unread := r.iam().GetRole(ctx, &iam.GetRoleInput{RoleName: aws.String(a.Role.Name)})
	if unread != nil {
		return transient(err)
	}
	state := plan.DeliveryRoleState{Exists: true, ARN: aws.ToString(out.Role.Arn)}
	if namesake := state.ElsewhereThan(a.Role.ARN); namesake != "" {
		return noting(err, "find out who created "+namesake+", and delete it: aws iam delete-role --role-name "+a.Role.Name)
	}
	return nil
}

func (r *region) setRoleBoundary(ctx context.Context, a plan.SetRoleBoundary) error {
	if a.Policy == "" {
		_, err := r.iam().DeleteRolePermissionsBoundary(ctx, &iam.DeleteRolePermissionsBoundaryInput{RoleName: aws.String(a.Role)})
		return gone(err)
	}
	_, err := r.iam().PutRolePermissionsBoundary(ctx, &iam.PutRolePermissionsBoundaryInput{
		RoleName: aws.String(a.Role), PermissionsBoundary: aws.String(a.Policy),
	})
	return again(err)
}

// putRolePolicy puts the policy. While IAM has no room for it, it deletes the
// policies that may make room.
func (r *region) putRolePolicy(ctx context.Context, a plan.PutRolePolicy) error {
	for {
		_, err := r.iam().PutRolePolicy(ctx, &iam.PutRolePolicyInput{
			RoleName: aws.String(a.Role), PolicyName: aws.String(a.Name), PolicyDocument: aws.String(a.Document),
		})
		if codeOf(err) != "LimitExceeded" || len(a.MakeRoom) == 0 {
			return again(err)
		}
		if err := r.removeRolePolicy(ctx, plan.RemoveRolePolicy{Role: a.Role, Name: a.MakeRoom[0]}); err != nil {
			return err
		}
		a.MakeRoom = a.MakeRoom[1:]
	}
}

func (r *region) setRoleTrust(ctx context.Context, a plan.SetRoleTrust) error {
	_, err := r.iam().UpdateAssumeRolePolicy(ctx, &iam.UpdateAssumeRolePolicyInput{
		RoleName: aws.String(a.Role), PolicyDocument: aws.String(a.Document),
	})
	return again(err)
}

func (r *region) tagRole(ctx context.Context, a plan.TagRole) error {
	_, err := r.iam().TagRole(ctx, &iam.TagRoleInput{RoleName: aws.String(a.Role), Tags: iamTags(a.Tags)})
	return again(err)
}

func (r *region) removeRolePolicy(ctx context.Context, a plan.RemoveRolePolicy) error {
	_, err := r.iam().DeleteRolePolicy(ctx, &iam.DeleteRolePolicyInput{RoleName: aws.String(a.Role), PolicyName: aws.String(a.Name)})
	return gone(err)
}

func (r *region) detachRolePolicy(ctx context.Context, a plan.DetachRolePolicy) error {
	_, err := r.iam().DetachRolePolicy(ctx, &iam.DetachRolePolicyInput{RoleName: aws.String(a.Role), PolicyArn: aws.String(a.Policy)})
	return gone(err)
}

func iamTags(tags map[string]string) []types.Tag {
	return tagList(tags, func(k, v *string) types.Tag { return types.Tag{Key: k, Value: v} })
}

const invokeOp = "lambda.InvokeFunction" // IAM's name for it

// HandOver makes the function of a kind restore it, and waits for it.
func (c *Cloud) HandOver(ctx context.Context, region string, req catalog.HandOver) error {
	return c.invoke(ctx, region, catalog.Function(req.Repair), req)
}

// CheckGuard makes the guard's function check relight's own stack and restore it, and
// waits for it. It tries once: a function that somebody throttles to 0 answers no
// better later, and the sweep's function can check as well.
func (c *Cloud) CheckGuard(ctx context.Context, region string) error {
	return c.invoke(ctx, region, catalog.Function(catalog.Guard), catalog.HandOver{Repair: catalog.Guard}, func(o *lambda.Options) {
		o.Retryer = aws.NopRetryer{}
	})
}

// SweepKind makes the sweep's function check a kind in the cloud's own account and restore it,
// and waits for it.
func (c *Cloud) SweepKind(ctx context.Context, region string, kind catalog.Kind) error {
	return c.invoke(ctx, region, catalog.Backfill, map[string]any{
		"account": c.Want.Account, "kinds": []catalog.Kind{kind}, "mode": catalog.Repair,
	})
}

// Crowded reports whether Lambda refused an invocation because other functions use up
// the concurrency of the region, and not because of a limit of this function alone.
// Source: AWS Lambda API Reference, Invoke, TooManyRequestsException, Reason.
func Crowded(err error) bool {
	throttled, ok := errors.AsType[*lambdatypes.TooManyRequestsException](err)
	return ok && throttled.Reason == lambdatypes.ThrottleReasonConcurrentInvocationLimitExceeded
}

// invoke invokes a function of relight's and waits for its answer.
func (c *Cloud) invoke(ctx context.Context, region string, f catalog.Function, request any, options ...func(*lambda.Options)) error {
	name := c.Want.FunctionName(f)
	payload, err := json.Marshal(request)
	if err != nil { // marshalling strings never fails
		panic(err)
	}
	out, err := c.home(region).lambda().Invoke(ctx, &lambda.InvokeInput{FunctionName: aws.String(name), Payload: payload}, options...)
	if err == nil && out.FunctionError != nil {
		err = &remedy.Error{
			Op: invokeOp, Target: name, Class: remedy.Transient, Hint: "read why in the function's log",
			Err: fmt.Errorf("it failed: %s", cmp.Or(string(out.Payload), *out.FunctionError)),
		}
	}
	return bare(err)
}
