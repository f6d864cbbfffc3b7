"""What MiniStack lacks of policies: SetDefaultPolicyVersion, and the size of a role's inline policies together.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_SetDefaultPolicyVersion.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
"""

from ministack.services import iam

INLINE_CHARS = 10240  # white space does not count


def install():
    iam._IAM_HANDLERS["SetDefaultPolicyVersion"] = set_default
    put = iam._IAM_HANDLERS["PutRolePolicy"]
    iam._IAM_HANDLERS["PutRolePolicy"] = lambda params: too_large(params) or put(params)


def set_default(params):
    policy = iam._policies.get(iam._p(params, "PolicyArn"))
    version = iam._p(params, "VersionId")
    if policy is None or version not in policy["Versions"]:
        return iam._error(404, "NoSuchEntity", f"Policy version {version} not found.", ns="iam")
    for name, one in policy["Versions"].items():
        one["IsDefaultVersion"] = name == version
    policy.update(DefaultVersionId=version, UpdateDate=iam._now())
    return iam._xml(200, "SetDefaultPolicyVersionResponse", "", ns="iam")


def too_large(params):
    name = iam._p(params, "RoleName")
    role = iam._roles.get(name)
    if role is None:
        return None
    policies = {**role["InlinePolicies"], iam._p(params, "PolicyName"): iam._p(params, "PolicyDocument") or ""}
    if sum(len("".join(document.split())) for document in policies.values()) <= INLINE_CHARS:
        return None
    return iam._error(409, "LimitExceeded", f"Maximum policy size of {INLINE_CHARS} bytes exceeded for role {name}", ns="iam")
