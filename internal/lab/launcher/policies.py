"""SetDefaultPolicyVersion, the only call about versions of a managed policy that MiniStack lacks.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_SetDefaultPolicyVersion.html
"""

from ministack.services import iam


def install():
    iam._IAM_HANDLERS["SetDefaultPolicyVersion"] = set_default


def set_default(params):
    policy = iam._policies.get(iam._p(params, "PolicyArn"))
    version = iam._p(params, "VersionId")
    if policy is None or version not in policy["Versions"]:
        return iam._error(404, "NoSuchEntity", f"Policy version {version} not found.", ns="iam")
    for name, one in policy["Versions"].items():
        one["IsDefaultVersion"] = name == version
    policy.update(DefaultVersionId=version, UpdateDate=iam._now())
    return iam._xml(200, "SetDefaultPolicyVersionResponse", "", ns="iam")
