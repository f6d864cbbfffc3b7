"""What IAM sees of a call: its action, its resource and its transport.

MiniStack authorizes nothing that comes to CloudWatch as CBOR or to Account
Management, and calls the resource of many calls "*", which no policy for one
resource allows.
https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""

import json
import re

from ministack.core import iam_actions, iam_evaluator
from ministack.services import iam, kms

from hook import around


def install():
    iam_actions._BOTOCORE_SERVICE_MAP["account"] = ["account"]  # whose paths name the operations

    @around(iam_actions, "extract_iam_action")
    def action(original, service, method, path, headers, body, query_params):
        match = re.search(r"/operation/(\w+)$", path)
        if service == "monitoring" and match:
            return f"cloudwatch:{match.group(1)}"
        return original(service, method, path, headers, body, query_params)

    @around(iam_actions, "extract_resource_arn")
    def resource(original, service, method, path, headers, body, query_params, region, account_id, *rest, **more):
        if service in RESOURCES:
            asked = _parameters(headers, body, query_params)
            operation = path.rsplit("/", 1)[-1] if "/operation/" in path else (
                iam_actions._action_from_target(headers) or asked("Action"))
            found = RESOURCES[service](operation, asked, f"{region}:{account_id}")
            if found:
                return found
        return original(service, method, path, headers, body, query_params, region, account_id, *rest, **more)

    # A lab speaks plain HTTP on the loopback interface, where AWS speaks TLS.
    # Policies that deny the former, as every bootstrap bucket's does, are not
    # meant to deny a lab.
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
    @around(iam_evaluator, "_resolve_condition_key")
    def condition(original, key, context):
        return "true" if key.lower() == "aws:securetransport" else original(key, context)


def _parameters(headers, body, query_params):
    """A function from the name of a parameter to its text, or to the first of its list; "" if absent."""
    if "cbor" in headers.get("content-type", "") + headers.get("smithy-protocol", ""):
        import cbor2
        data = cbor2.loads(body) if body else {}
    else:
        try:
            data = json.loads(body or b"{}")
        except ValueError:
            data = {}

    def asked(*names):
        for name in names:
            value = data.get(name) if isinstance(data, dict) else None
            if isinstance(value, list):
                value = value[0] if value else None
            value = value or iam_actions._query_param(query_params, name) or next(
                (v for i in (f"{name}.1", f"{name}.member.1") if (v := iam_actions._query_param(query_params, i))), "")
            if value:
                return value if isinstance(value, str) else ""
        return ""

    return asked


# The first resource of a call decides: IAM checks every one.

def _cloudwatch(operation, asked, place):
    # https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncloudwatch.html
    arn = f"arn:aws:cloudwatch:{place}:"
    if "AlarmMuteRule" in operation:
        name = asked("Name", "AlarmMuteRuleName")
        return arn + "alarm-mute-rule:" + (name or "*")
    if operation in ("TagResource", "UntagResource", "ListTagsForResource"):
        return asked("ResourceARN")
    if name := asked("AlarmName", "AlarmNames"):
        return arn + "alarm:" + name
    # A listing by no name asks for every alarm.
    if operation in ("DescribeAlarms", "DescribeAlarmsForMetric", "DescribeAlarmHistory"):
        return arn + "alarm:" + asked("AlarmNamePrefix") + "*"
    return None


def _ec2(operation, asked, place):
    # https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html
    arn = f"arn:aws:ec2:{place}:"
    if operation == "CreateFlowLogs":  # the VPC and the flow log to be
        return arn + "vpc/" + asked("ResourceId")
    if operation == "DeleteFlowLogs":
        return arn + "vpc-flow-log/" + asked("FlowLogId")
    if operation in ("CreateTags", "DeleteTags"):
        prefix = asked("ResourceId").split("-")[0]
        return arn + TAGGED[prefix] + "/" + asked("ResourceId") if prefix in TAGGED else None
    return None


TAGGED = {"fl": "vpc-flow-log", "i": "instance", "sg": "security-group", "subnet": "subnet", "vpc": "vpc"}


def _logs(operation, asked, place):
    # https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncloudwatchlogs.html
    name = asked("logGroupIdentifier", "resourceIdentifier")
    return f"arn:aws:logs:{place}:log-group:{name.removesuffix(':*').split(':log-group:')[-1]}" if name else None


def _ssm(operation, asked, place):
    # https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssystemsmanager.html
    if operation not in ("GetParameter", "GetParameters", "GetParameterHistory", "GetParametersByPath",
                         "PutParameter", "DeleteParameter", "DeleteParameters", "LabelParameterVersion"):
        return None
    name = asked("Name", "Names", "Path")
    if name.startswith("arn:"):
        name = name.split(":parameter", 1)[-1]
    return f"arn:aws:ssm:{place}:parameter/" + name.split(":")[0].strip("/")  # a selector is no part of it


def _kms(operation, asked, place):
    # https://docs.aws.amazon.com/service-authorization/latest/reference/list_awskeymanagementservice.html
    # "To specify a KMS key in a policy, use its key ARN": an alias stands for its key.
    key = kms._resolve_key(asked("KeyId")) if asked("KeyId") else None
    return key["Arn"] if key else None


def _iam(operation, asked, place):
    # https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagement.html
    account, path = place.split(":")[1], asked("Path") or "/"
    if name := asked("RoleName"):
        return (iam._roles.get(name) or {}).get("Arn") or f"arn:aws:iam::{account}:role{path}{name}"
    if name := asked("UserName"):
        return (iam._users.get(name) or {}).get("Arn") or f"arn:aws:iam::{account}:user{path}{name}"
    if operation == "CreatePolicy":
        return f"arn:aws:iam::{account}:policy{path}{asked('PolicyName')}"
    return None


def _cloudtrail(operation, asked, place):
    # https://docs.aws.amazon.com/service-authorization/latest/reference/list_awscloudtrail.html
    return asked("ResourceId", "ResourceIdList")  # of its tags; other calls name the trail


def _account(operation, asked, place):
    # https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsaccountmanagement.html
    return f"arn:aws:account::{place.split(':')[1]}:account"


RESOURCES = {"account": _account, "cloudtrail": _cloudtrail, "ec2": _ec2, "iam": _iam, "kms": _kms, "logs": _logs,
             "monitoring": _cloudwatch, "ssm": _ssm}
