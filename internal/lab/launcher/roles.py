"""Checks what a service may do: assume a role, act as it, or use a resource by the resource's own policy.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
"""

from ministack.core import iam_evaluator
from ministack.core.responses import get_account_id, get_region
from ministack.services import iam


def assumable(role_arn, service, source_arn):
    """Returns whether a service may assume a role on behalf of a resource: the role exists here and trusts it."""
    role = _role(role_arn)
    return role is not None and admits(role.get("AssumeRolePolicyDocument"), service, "sts:AssumeRole", role_arn, source_arn)


def allows(role_arn, action, resource):
    """Returns whether a role's policies, within its boundary, allow an action."""
    role = _role(role_arn)
    if role is None:
        return False
    account, name = get_account_id(), role["RoleName"]
    ctx = iam_evaluator.EvalContext(principal_arn=role_arn, principal_type="AssumedRole", principal_account=account,
                                    action=action, resource_arn=resource, region=get_region())
    limits = iam_evaluator._permissions_boundary(iam._roles, name, account)
    return iam_evaluator.evaluate(ctx, iam_evaluator._gather_role_policies(name, account), *limits).decision == "Allow"


def admits(policy, service, action, resource, source_arn, **keys):
    """Returns whether a resource's policy allows a service an action on behalf of another resource."""
    account = get_account_id()
    ctx = iam_evaluator.EvalContext(
        principal_arn=service, principal_type="Service", principal_account=account, action=action,
        resource_arn=resource, region=get_region(),
        service_context={"aws:sourceaccount": account, "aws:sourcearn": source_arn, **keys})
    return iam_evaluator.evaluate_resource_policy(policy, ctx, service=service).decision == "Allow"


def _role(arn):
    role = iam._roles.get_scoped(get_account_id(), None, (arn or "").rsplit("/", 1)[-1])
    return role if role is not None and role.get("Arn") == arn else None
