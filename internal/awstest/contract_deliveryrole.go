package awstest

import (
	"errors"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
)

const contractDocument = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"logs:PutLogEvents","Resource":"*"}]}`

// role makes a role of the clause's own.
func (p *party) role() (*string, error) {
	name := aws.String(p.id)
	p.later(func() { // errors for what no longer exists are ignored
		_, _ = p.IAM.DeleteRolePolicy(p.ctx, &iam.DeleteRolePolicyInput{RoleName: name, PolicyName: aws.String("deliver")})
		_, _ = p.IAM.DeleteRole(p.ctx, &iam.DeleteRoleInput{RoleName: name})
	})
	_, err := p.IAM.CreateRole(p.ctx, &iam.CreateRoleInput{
		RoleName: name, Path: aws.String("/contract/"), AssumeRolePolicyDocument: aws.String(trustOf(flowLogService)),
		Tags: []types.Tag{{Key: aws.String("k"), Value: aws.String("v")}},
	})
	return name, err
}

// managed makes a managed policy of the clause's own.
func (p *party) managed() (*string, error) {
	out, err := p.IAM.CreatePolicy(p.ctx, &iam.CreatePolicyInput{PolicyName: aws.String(p.id), PolicyDocument: aws.String(contractDocument)})
	if err != nil {
		return nil, err
	}
	p.later(func() { _, _ = p.IAM.DeletePolicy(p.ctx, &iam.DeletePolicyInput{PolicyArn: out.Policy.Arn}) })
	return out.Policy.Arn, nil
}

var roleClauses = []clause{
	{
		name: "role is described as it was created", source: "IAM API Reference, CreateRole and GetRole", grade: Documented,
		check: func(p *party) error {
			name, err := p.role()
			if err != nil {
				return err
			}
			out, err := p.IAM.GetRole(p.ctx, &iam.GetRoleInput{RoleName: name})
			if err != nil {
				return err
			}
			tags := map[string]string{}
			for _, t := range out.Role.Tags {
				tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
			}
			return errors.Join(
				want("ARN", aws.ToString(out.Role.Arn), "arn:aws:iam::"+p.Account+":role/contract/"+*name),
				want("path", aws.ToString(out.Role.Path), "/contract/"), want("tags", tags, map[string]string{"k": "v"}),
				want("boundary", out.Role.PermissionsBoundary == nil, true), want("created", out.Role.CreateDate != nil, true),
				want("names the service", strings.Contains(aws.ToString(out.Role.AssumeRolePolicyDocument), flowLogService), true),
			)
		},
	},
	{
		name: "policy documents are URL-encoded", source: "IAM API Reference, GetRole and GetRolePolicy: URL-encoded compliant with RFC 3986", grade: Documented,
		check: func(p *party) error {
			name, err := p.role()
			if err != nil {
				return err
			}
			if _, err := p.IAM.PutRolePolicy(p.ctx, &iam.PutRolePolicyInput{RoleName: name, PolicyName: aws.String("deliver"), PolicyDocument: aws.String(contractDocument)}); err != nil {
				return err
			}
			out, err := p.IAM.GetRolePolicy(p.ctx, &iam.GetRolePolicyInput{RoleName: name, PolicyName: aws.String("deliver")})
			if err != nil {
				return err
			}
			return want("begins", strings.HasPrefix(aws.ToString(out.PolicyDocument), "%7B%22"), true)
		},
	},
	{
		name: "role that does not exist", source: "IAM API Reference, GetRole, NoSuchEntity", grade: Documented,
		check: func(p *party) error {
			name := aws.String(p.id)
			_, get := p.IAM.GetRole(p.ctx, &iam.GetRoleInput{RoleName: name})
			_, list := p.IAM.ListAttachedRolePolicies(p.ctx, &iam.ListAttachedRolePoliciesInput{RoleName: name})
			_, put := p.IAM.PutRolePolicy(p.ctx, &iam.PutRolePolicyInput{RoleName: name, PolicyName: name, PolicyDocument: aws.String(contractDocument)})
			return errors.Join(refused("GetRole", get, noSuchEntity), refused("ListAttachedRolePolicies", list, noSuchEntity), refused("PutRolePolicy", put, noSuchEntity))
		},
	},
	{
		name: "second role with the same name is refused", source: "IAM API Reference, CreateRole, EntityAlreadyExists", grade: Documented,
		check: func(p *party) error {
			if _, err := p.role(); err != nil {
				return err
			}
			_, err := p.role()
			return refused("CreateRole", err, "EntityAlreadyExists")
		},
	},
	{
		name: "role with policies is not deleted", source: "IAM API Reference, DeleteRole, DeleteConflict", grade: Documented,
		check: func(p *party) error {
			name, err := p.role()
			if err != nil {
				return err
			}
			if _, err := p.IAM.PutRolePolicy(p.ctx, &iam.PutRolePolicyInput{RoleName: name, PolicyName: aws.String("deliver"), PolicyDocument: aws.String(contractDocument)}); err != nil {
				return err
			}
			_, err = p.IAM.DeleteRole(p.ctx, &iam.DeleteRoleInput{RoleName: name})
			return refused("DeleteRole", err, "DeleteConflict")
		},
	},
	{
		name: "boundary of a role", source: "IAM API Reference, PutRolePermissionsBoundary and GetRole", grade: Documented,
		check: func(p *party) error {
			name, err := p.role()
			if err != nil {
				return err
			}
			arn, err := p.managed()
			if err != nil {
				return err
			}
			if _, err := p.IAM.PutRolePermissionsBoundary(p.ctx, &iam.PutRolePermissionsBoundaryInput{RoleName: name, PermissionsBoundary: arn}); err != nil {
				return err
			}
			out, err := p.IAM.GetRole(p.ctx, &iam.GetRoleInput{RoleName: name})
			if err != nil {
				return err
			}
			if out.Role.PermissionsBoundary == nil {
				return errors.New("the role has no boundary")
			}
			if _, err := p.IAM.DeleteRolePermissionsBoundary(p.ctx, &iam.DeleteRolePermissionsBoundaryInput{RoleName: name}); err != nil {
				return err
			}
			after, err := p.IAM.GetRole(p.ctx, &iam.GetRoleInput{RoleName: name})
			if err != nil {
				return err
			}
			return errors.Join(want("boundary", aws.ToString(out.Role.PermissionsBoundary.PermissionsBoundaryArn), *arn), want("removed", after.Role.PermissionsBoundary == nil, true))
		},
	},
	{
		name: "inline policies of a role have a size together", source: "IAM User Guide, IAM and AWS STS quotas: 10,240 characters, white space not counted", grade: Documented,
		check: func(p *party) error {
			name, err := p.role()
			if err != nil {
				return err
			}
			put := func(policy, document string) error {
				_, err := p.IAM.PutRolePolicy(p.ctx, &iam.PutRolePolicyInput{RoleName: name, PolicyName: aws.String(policy), PolicyDocument: aws.String(document)})
				return err
			}
			p.later(func() {
				_, _ = p.IAM.DeleteRolePolicy(p.ctx, &iam.DeleteRolePolicyInput{RoleName: name, PolicyName: aws.String("large")})
			})
			large := strings.Replace(contractDocument, `"*"`, `"arn:aws:logs:*:*:`+strings.Repeat("x", inlineChars-2*len(contractDocument)-len("arn:aws:logs:*:*:")+1)+`"`, 1)
			if err := put("large", strings.Replace(large, ",", ",\n\t  ", 1)); err != nil { // as long as it may be, and white space
				return err
			}
			if err := put("deliver", contractDocument); err != nil {
				return err
			}
			return refused("PutRolePolicy", put("deliver", strings.Replace(contractDocument, "PutLogEvents", "PutLogEvents*", 1)), "LimitExceeded")
		},
	},
	{
		name: "new default version of a managed policy takes effect", source: "IAM API Reference, CreatePolicyVersion, SetAsDefault; GetPolicy", grade: Documented,
		check: func(p *party) error {
			name, err := p.role()
			if err != nil {
				return err
			}
			arn, err := p.managed()
			if err != nil {
				return err
			}
			if _, err := p.IAM.AttachRolePolicy(p.ctx, &iam.AttachRolePolicyInput{RoleName: name, PolicyArn: arn}); err != nil {
				return err
			}
			defer func() {
				_, _ = p.IAM.DetachRolePolicy(p.ctx, &iam.DetachRolePolicyInput{RoleName: name, PolicyArn: arn})
			}()
			attached, err := p.IAM.ListAttachedRolePolicies(p.ctx, &iam.ListAttachedRolePoliciesInput{RoleName: name})
			if err != nil {
				return err
			}
			deny := strings.Replace(contractDocument, "Allow", "Deny", 1)
			made, err := p.IAM.CreatePolicyVersion(p.ctx, &iam.CreatePolicyVersionInput{PolicyArn: arn, PolicyDocument: aws.String(deny), SetAsDefault: true})
			if err != nil {
				return err
			}
			policy, err := p.IAM.GetPolicy(p.ctx, &iam.GetPolicyInput{PolicyArn: arn})
			if err != nil {
				return err
			}
			version, err := p.IAM.GetPolicyVersion(p.ctx, &iam.GetPolicyVersionInput{PolicyArn: arn, VersionId: policy.Policy.DefaultVersionId})
			if err != nil {
				return err
			}
			return errors.Join(
				want("attached", len(attached.AttachedPolicies), 1), want("in force", aws.ToString(policy.Policy.DefaultVersionId), aws.ToString(made.PolicyVersion.VersionId)),
				want("denies", strings.Contains(aws.ToString(version.PolicyVersion.Document), "Deny"), true),
			)
		},
	},
}
