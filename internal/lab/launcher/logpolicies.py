"""Data protection, transformers and account policies of CloudWatch Logs, which MiniStack lacks.

https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutDataProtectionPolicy.html
https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutTransformer.html
https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutAccountPolicy.html
https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_LogGroup.html

The launcher stores and shows them, and applies them to no log event.
"""

import json
import time

from ministack.core.responses import AccountRegionScopedDict, error_response_json, get_account_id, json_response
from ministack.services import cloudwatch_logs as cwl

from hook import around, ok, page

PROTECTION, TRANSFORMER = "dataProtection", "transformer"  # members of the stored log group

_account_policies = AccountRegionScopedDict()  # (type, name) to AccountPolicy


def install():
    @around(cwl, "handle_request")
    async def handle_request(original, method, path, headers, body, query_params):
        operation = OPERATIONS.get(headers.get("x-amz-target", "").split(".")[-1])
        if operation is None:
            return await original(method, path, headers, body, query_params)
        return operation(json.loads(body or b"{}"))

    @around(cwl, "_describe_log_groups")
    def describe_log_groups(original, data):
        status, headers, body = reply = original(data)
        if not ok(reply):
            return reply
        listing = json.loads(body)
        inherited = any(kind == "DATA_PROTECTION_POLICY" for kind, _ in _account_policies)
        for group in listing["logGroups"]:
            protection = cwl._log_groups[group["logGroupName"]].get(PROTECTION)
            if protection:
                group["dataProtectionStatus"] = "ACTIVATED" if protection.get("policyDocument") else "DELETED"
            if inherited:
                group["inheritedProperties"] = ["ACCOUNT_DATA_PROTECTION"]
        return status, headers, json.dumps(listing).encode()


def of_group(operation):
    """Returns an operation on the log group that logGroupIdentifier names, by name or by ARN."""

    def run(data):
        group = group_of(data)
        if group is None:
            return error_response_json("ResourceNotFoundException", "The specified log group does not exist.", 400)
        return operation(group, data)

    return run


def group_of(data):
    """Returns the stored log group that a request names, or None."""
    name = data.get("logGroupIdentifier") or data.get("resourceIdentifier") or data.get("logGroupName") or ""
    return cwl._log_groups.get(name.removesuffix(":*").split(":log-group:")[-1])


def put_protection(group, data):
    if not _is_json(data.get("policyDocument")):
        return error_response_json("InvalidParameterException", "policyDocument is not valid JSON.", 400)
    group[PROTECTION] = {key: data[key] for key in ("logGroupIdentifier", "policyDocument")} | {"lastUpdatedTime": _now()}
    return json_response(group[PROTECTION])


def get_protection(group, data):
    return json_response({"logGroupIdentifier": data["logGroupIdentifier"], **(group.get(PROTECTION) or {})})


def delete_protection(group, _):
    if group.get(PROTECTION):
        group[PROTECTION] = {"lastUpdatedTime": _now()}  # "or whether it had one in the past"
    return json_response({})


def put_transformer(group, data):
    # "You can create transformers only for the log groups in the Standard log class."
    if (group.get("logGroupClass") or "STANDARD") != "STANDARD":
        return error_response_json("InvalidOperationException", "The log group's class has no transformers.", 400)
    if not data.get("transformerConfig"):
        return error_response_json("InvalidParameterException", "transformerConfig takes 1 to 20 processors.", 400)
    created = (group.get(TRANSFORMER) or {}).get("creationTime", _now())
    group[TRANSFORMER] = {"logGroupIdentifier": data["logGroupIdentifier"], "creationTime": created,
                          "lastModifiedTime": _now(), "transformerConfig": data["transformerConfig"]}
    return json_response({})


def get_transformer(group, _):
    # AWS does not document the answer if there is no transformer; Terraform's
    # provider reads a reply without creationTime as none.
    return json_response(group.get(TRANSFORMER) or {})


def delete_transformer(group, _):
    group.pop(TRANSFORMER, None)
    return json_response({})


def put_account_policy(data):
    if not _is_json(data.get("policyDocument")):
        return error_response_json("InvalidParameterException", "policyDocument is not valid JSON.", 400)
    kind, name = data["policyType"], data["policyName"]
    # "An account can have only one account-level data protection policy per Region."
    if kind == "DATA_PROTECTION_POLICY" and any(k == kind and n != name for k, n in _account_policies):
        return error_response_json("LimitExceededException", "The account has a data protection policy.", 400)
    policy = {key: data[key] for key in ("policyName", "policyType", "policyDocument", "selectionCriteria") if data.get(key)}
    policy |= {"scope": data.get("scope") or "ALL", "accountId": get_account_id(), "lastUpdatedTime": _now()}
    _account_policies[kind, name] = policy
    return json_response({"accountPolicy": policy})


def describe_account_policies(data):
    found = [policy for (kind, name), policy in sorted(_account_policies.items())
             if kind == data["policyType"] and data.get("policyName") in (None, name)]
    shown, after = page(found, None, data.get("nextToken"))
    return json_response({"accountPolicies": shown, **({"nextToken": after} if after else {})})


def delete_account_policy(data):
    if _account_policies.pop((data["policyType"], data["policyName"]), None) is None:
        return error_response_json("ResourceNotFoundException", "The account policy does not exist.", 400)
    return json_response({})


def _is_json(text):
    try:
        return bool(json.loads(text or ""))
    except ValueError:
        return False


def _now():
    return int(time.time() * 1000)


OPERATIONS = {
    "PutDataProtectionPolicy": of_group(put_protection),
    "GetDataProtectionPolicy": of_group(get_protection),
    "DeleteDataProtectionPolicy": of_group(delete_protection),
    "PutTransformer": of_group(put_transformer),
    "GetTransformer": of_group(get_transformer),
    "DeleteTransformer": of_group(delete_transformer),
    "PutAccountPolicy": put_account_policy,
    "DescribeAccountPolicies": describe_account_policies,
    "DeleteAccountPolicy": delete_account_policy,
}
