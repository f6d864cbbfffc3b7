"""The parts of a call that IAM evaluates: its action, its resource and its transport.

MiniStack authorizes no CBOR call to CloudWatch and no call to Account
Management. It evaluates many calls with the resource "*", which no policy for
one resource allows.
https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""

import contextvars
import json
import re

import cbor2
from ministack.core import iam_actions, iam_evaluator
from ministack.services import ec2, iam, kms, lambda_svc, sts

import buses
import destinations
import organizations
from hook import around


# The first resource of the current request, and its other resources.
_others = contextvars.ContextVar("others", default=("", ()))

# The actions, each with its resource, that the current request needs beside its own.
_further = contextvars.ContextVar("further", default=())

# The sources of the events that the current request puts on a bus.
_sources = contextvars.ContextVar("sources", default=())

# The function of the event source mapping that the current request is about.
_function = contextvars.ContextVar("function", default="")


def install():
    iam_actions._BOTOCORE_SERVICE_MAP["account"] = ["account"]  # its paths name the operations

    @around(iam_actions, "extract_iam_action")
    def action(original, service, method, path, headers, body, query_params):
        match = re.search(r"/operation/(\w+)$", path)
        if service == "monitoring" and match:
            return f"cloudwatch:{match.group(1)}"
        # MiniStack takes every call on a function's concurrency for PutFunctionConcurrency.
        # https://docs.aws.amazon.com/service-authorization/latest/reference/list_awslambda.html
        if service == "lambda" and path.endswith("/concurrency"):
            verb = {"GET": "Get", "DELETE": "Delete"}.get(method, "Put")
            return f"lambda:{verb}FunctionConcurrency"
        # It knows no action for a call on one event source mapping.
        if service == "lambda" and re.search(r"/event-source-mappings/[^/]+$", path):
            verb = {"GET": "Get", "DELETE": "Delete"}.get(method, "Update")
            return f"lambda:{verb}EventSourceMapping"
        return original(service, method, path, headers, body, query_params)

    @around(iam_actions, "extract_resource_arn")
    def resource(original, service, method, path, headers, body, query_params, region, account_id, *rest, **more):
        _others.set(("", ()))
        _further.set(())
        entries = _entries(service, headers, body)
        _sources.set(tuple(sorted({str(e.get("Source", "")) for e in entries})))
        _function.set(_mapped(service, path, body))
        if entries:  # each on a bus of its own
            found = sorted(set(map(buses.bus_of, entries)))
            _others.set((found[0], found[1:]))
            return found[0]
        if service in RESOURCES:
            operation = path.rsplit("/", 1)[-1] if "/operation/" in path else (
                iam_actions._action_from_target(headers) or iam_actions._query_param(query_params, "Action"))
            found = RESOURCES[service](operation, _asker(headers, body, query_params), f"{region}:{account_id}")
            if found:
                _others.set((found[0], found[1:]))
                _further.set(_needs(service, operation, query_params, found[0]))
                return found[0]
        return original(service, method, path, headers, body, query_params, region, account_id, *rest, **more)

    # A call on several resources has to be allowed on each, and with every action that it needs.
    @around(iam_evaluator, "enforce")
    def enforce(original, access_key, action, service, region, resource_arn="*", service_context=None):
        first, others = _others.get()
        for arn in (resource_arn, *(others if resource_arn == first else ())):
            context = {**_resource_tags(arn), **_event_sources(), **_functions(), **(service_context or {})}
            denied = original(access_key, action, service, region, resource_arn=arn, service_context=context)
            if denied:
                return denied
        for needed, arn in _further.get() if resource_arn == first else ():
            if denied := original(access_key, needed, service, region, resource_arn=arn, service_context=service_context):
                return denied
        return None

    # A session is not valid once its role is deleted, and stays so if the role is made again.
    # Recorded: https://github.com/aws/aws-sdk-java-v2/issues/5545
    @around(iam_evaluator, "resolve_principal")
    def principal(original, access_key_id, *rest):
        session = sts._sessions.get(access_key_id) or {}
        if session.get("PrincipalType") == "AssumedRole" and _forgotten(session):
            return iam_evaluator.AuthError("InvalidClientTokenId", "The security token included in the request is invalid.")
        return original(access_key_id, *rest)

    # A lab uses plain HTTP on the loopback interface, and AWS uses TLS. Policies
    # that deny plain HTTP, as every bootstrap bucket's does, must not deny calls
    # to a lab.
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
    #
    # The ARN of a session's principal is that of its role, and a service is in no organisation.
    @around(iam_evaluator, "_resolve_condition_key")
    def condition(original, key, context):
        name = key.lower()
        if name == "aws:securetransport":
            return "true"
        if name == "aws:principalarn":
            return _role_of(context.principal_arn)
        if name == "aws:resourceorgid":
            return organizations.of(iam_evaluator._account_from_arn(context.resource_arn) or context.principal_account)
        if name == "aws:principalorgid" and context.principal_type == "Service":
            return None
        return original(key, context)


def _needs(service, operation, query_params, resource):
    """Returns the actions and resources that a call needs beside its own.

    Who passes tags to a session needs sts:TagSession for its role.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html
    """
    if service == "ec2":
        return destinations.further(operation, query_params)
    if service == "sts" and operation == "AssumeRole" and iam._extract_tags(query_params):
        return [("sts:TagSession", resource)]
    return ()


def _forgotten(session):
    """Returns whether the role of a session is another one than when the session began, or none."""
    role = iam._roles.get_scoped(session["AccountId"], None, session["Arn"].split("/")[1])
    return session["UserId"].startswith("AROA") and (role or {}).get("RoleId") != session["UserId"].split(":")[0]


def _role_of(arn):
    """Returns the ARN of the role of a session, or the ARN itself of any other principal."""
    if ":assumed-role/" not in arn:
        return arn
    account, name = arn.split(":")[4], arn.split("/")[1]
    return (iam._roles.get_scoped(account, None, name) or {}).get("Arn") or f"arn:aws:iam::{account}:role/{name}"


def _resource_tags(arn):
    """Returns aws:ResourceTag of EC2's resources; MiniStack supports it for only some types."""
    parts = arn.split(":", 5)
    tags = ec2._tags.get(parts[5].rsplit("/", 1)[-1]) if len(parts) == 6 and parts[2] == "ec2" else None
    return {f"aws:ResourceTag/{tag['Key']}": tag["Value"] for tag in tags or ()}


def _entries(service, headers, body):
    """Returns the entries of PutEvents."""
    if service != "events" or not headers.get("x-amz-target", "").endswith(".PutEvents"):
        return []
    try:
        return [e for e in json.loads(body).get("Entries", ()) if isinstance(e, dict)]
    except (ValueError, AttributeError, TypeError):  # a body that the service refuses
        return []


def _mapped(service, path, body):
    """Returns the ARN of the function that a call on an event source mapping is about."""
    if service != "lambda" or "/event-source-mappings" not in path:
        return ""
    try:
        name = json.loads(body).get("FunctionName", "")
    except (ValueError, AttributeError):  # no body, or one that the service refuses
        name = ""
    known = lambda_svc._esms.get(path.rsplit("/", 1)[-1]) or {}
    return known.get("FunctionArn") or (name if name.startswith("arn:") else lambda_svc._func_arn(name) if name else "")


def _functions():
    """Returns lambda:FunctionArn of calls on event source mappings, which MiniStack does not know.

    https://docs.aws.amazon.com/service-authorization/latest/reference/list_awslambda.html
    """
    arn = _function.get()
    return {"lambda:FunctionArn": arn} if arn else {}


def _event_sources():
    """Returns events:source of PutEvents, which MiniStack does not know.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-conditions.html
    """
    sources = _sources.get()
    return {"events:source": sources[0] if len(sources) == 1 else list(sources)} if sources else {}


def _asker(headers, body, query_params):
    """Returns a function that takes names of parameters ("A.B" is B inside A) and returns all texts of the first name that has any."""
    try:
        if "cbor" in headers.get("content-type", "") + headers.get("smithy-protocol", ""):
            data = cbor2.loads(body)
        else:
            data = json.loads(body)
    except (cbor2.CBORError, ValueError):  # a form, no body, or a body that the service refuses
        data = {}

    def form(name):
        numbered = re.compile(re.escape(name) + r"(\.member)?\.\d+")
        return [iam_actions._query_param(query_params, k) for k in query_params if k == name or numbered.fullmatch(k)]

    def asked(*names):
        for name in names:
            found = data
            for step in name.split("."):
                found = found.get(step) if isinstance(found, dict) else None
            found = found if isinstance(found, list) else [found] if found else form(name)
            if found := [v for v in found if isinstance(v, str) and v]:
                return found
        return []

    return asked


def _cloudwatch(operation, asked, place):
    # https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncloudwatch.html
    # https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutAlarmMuteRule.html, Permissions
    arn = f"arn:aws:cloudwatch:{place}:"
    if "AlarmMuteRule" in operation:
        return [f"{arn}alarm-mute-rule:{name}" for name in asked("Name", "AlarmMuteRuleName") or ["*"]] + [
            f"{arn}alarm:{name}" for name in asked("MuteTargets.AlarmNames")]
    if operation in ("TagResource", "UntagResource", "ListTagsForResource"):
        return asked("ResourceARN")
    if operation == "GetMetricData":  # it names no alarm; MiniStack would look for one, and fails on CBOR
        return ["*"]
    if operation in ("DescribeAlarms", "DescribeAlarmsForMetric", "DescribeAlarmHistory"):
        # A listing without names requests every alarm.
        return [f"{arn}alarm:{name}" for name in asked("AlarmName", "AlarmNames") or [p + "*" for p in asked("AlarmNamePrefix")] or ["*"]]
    return [f"{arn}alarm:{name}" for name in asked("AlarmName", "AlarmNames")]


def _ec2(operation, asked, place):
    # https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html
    arn, ids = f"arn:aws:ec2:{place}:", asked("ResourceId")
    if operation == "CreateFlowLogs":  # the resources and the flow logs that the call will create
        return [f"{arn}{TAGGED.get(i.split('-')[0], 'vpc')}/{i}" for i in ids] + [f"{arn}vpc-flow-log/*"]
    if operation == "CreateSubnet":
        return [f"{arn}subnet/*"] + [f"{arn}vpc/{i}" for i in asked("VpcId")]
    if operation == "CreateNetworkInterface":
        return [f"{arn}network-interface/*"] + [f"{arn}subnet/{i}" for i in asked("SubnetId")]
    if operation == "DeleteFlowLogs":
        return [f"{arn}vpc-flow-log/{i}" for i in asked("FlowLogId")]
    if operation in ("CreateTags", "DeleteTags") and all(i.split("-")[0] in TAGGED for i in ids):
        return [f"{arn}{TAGGED[i.split('-')[0]]}/{i}" for i in ids]
    return []


TAGGED = {"eni": "network-interface", "fl": "vpc-flow-log", "i": "instance", "sg": "security-group", "subnet": "subnet", "vpc": "vpc"}


def _events(operation, asked, place):
    # https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoneventbridge.html
    # The ARN of a rule on the default bus contains no bus.
    if not re.search("Rule$|Targets", operation) or operation == "ListRules":
        return []
    bus = "".join(asked("EventBusName")).rsplit("/", 1)[-1]
    return [f"arn:aws:events:{place}:rule/{'' if bus in ('', 'default') else bus + '/'}{name}" for name in asked("Name", "Rule")]


def _logs(operation, asked, place):
    # https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncloudwatchlogs.html
    return [f"arn:aws:logs:{place}:log-group:{name.removesuffix(':*').split(':log-group:')[-1]}"
            for name in asked("logGroupIdentifier", "resourceIdentifier")]


def _ssm(operation, asked, place):
    # https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssystemsmanager.html
    if operation not in ("GetParameter", "GetParameters", "GetParameterHistory", "GetParametersByPath",
                         "PutParameter", "DeleteParameter", "DeleteParameters", "LabelParameterVersion"):
        return []
    names = [name.split(":parameter", 1)[-1] if name.startswith("arn:") else name for name in asked("Name", "Names", "Path")]
    # A version selector after a colon is not part of the name.
    return [f"arn:aws:ssm:{place}:parameter/" + name.split(":")[0].strip("/") for name in names]


def _kms(operation, asked, place):
    # https://docs.aws.amazon.com/service-authorization/latest/reference/list_awskeymanagementservice.html
    # A call by alias acts on the alias's key.
    # https://docs.aws.amazon.com/kms/latest/developerguide/alias-authorization.html
    return [key["Arn"] for name in asked("KeyId") if (key := kms._resolve_key(name))]


def _iam(operation, asked, place):
    # https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagement.html
    account, path = place.split(":")[1], "".join(asked("Path")) or "/"
    for name in asked("RoleName"):
        return [(iam._roles.get(name) or {}).get("Arn") or f"arn:aws:iam::{account}:role{path}{name}"]
    for name in asked("UserName"):
        return [(iam._users.get(name) or {}).get("Arn") or f"arn:aws:iam::{account}:user{path}{name}"]
    return [f"arn:aws:iam::{account}:policy{path}{name}" for name in asked("PolicyName") if operation == "CreatePolicy"]


def _cloudtrail(operation, asked, place):
    # https://docs.aws.amazon.com/service-authorization/latest/reference/list_awscloudtrail.html
    return asked("ResourceId", "ResourceIdList")  # of calls about tags; other calls name the trail


def _account(operation, asked, place):
    # https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsaccountmanagement.html
    return [f"arn:aws:account::{place.split(':')[1]}:account"]


def _sts(operation, asked, place):
    # https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecuritytokenservice.html
    return asked("RoleArn")


def _securityhub(operation, asked, place):
    # https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecurityhub.html
    # The service part takes findings of no other product.
    return [f"arn:aws:securityhub:{place}:product/{place.split(':')[1]}/default"]


RESOURCES = {"account": _account, "cloudtrail": _cloudtrail, "ec2": _ec2, "events": _events, "iam": _iam, "kms": _kms,
             "logs": _logs, "monitoring": _cloudwatch, "securityhub": _securityhub, "ssm": _ssm, "sts": _sts}
