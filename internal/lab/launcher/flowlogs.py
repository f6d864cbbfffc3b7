"""Flow logs as EC2 stores, refuses and lists them, on VPCs, subnets and network interfaces.

MiniStack stores six fields and refuses nothing.
https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateFlowLogs.html
https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeFlowLogs.html
https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-troubleshooting.html

A deleted VPC, subnet or interface leaves its flow logs behind, as in MiniStack itself.
AWS does not document whether it does the same.
"""

import random

from ministack.core.responses import AccountRegionScopedDict, get_account_id, get_region
from ministack.services import cloudwatch_logs, ec2

import destinations
from hook import around, page
from roles import allows, assumable
from vpcs import ec2_token

# "Flow log records", default format.
# https://docs.aws.amazon.com/vpc/latest/userguide/flow-log-records.html
DEFAULT_FORMAT = " ".join("${%s}" % field for field in (
    "version", "account-id", "interface-id", "srcaddr", "dstaddr", "srcport", "dstport",
    "protocol", "packets", "bytes", "start", "end", "action", "log-status"))

# "Flow logs per network interface, subnet or VPC": two, not adjustable.
LIMIT = 2

SERVICE = "vpc-flow-logs.amazonaws.com"

# The resources of each type, and the error for one that does not exist.
# https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
ON = {"VPC": ("_vpcs", "InvalidVpcID.NotFound", "vpc"), "Subnet": ("_subnets", "InvalidSubnetID.NotFound", "subnet"),
      "NetworkInterface": ("_network_interfaces", "InvalidNetworkInterfaceID.NotFound", "networkInterface")}

# Members of the FlowLog shape in the order of the API reference. They are also
# the keys of the stored record.
MEMBERS = ("CreationTime", "DeliverLogsPermissionArn", "FlowLogId", "FlowLogStatus",
           "LogGroupName", "ResourceId", "TrafficType", "LogDestinationType", "LogDestination",
           "LogFormat", "MaxAggregationInterval")

_replies = AccountRegionScopedDict()  # client token to (request, reply)


def install():
    around(ec2, "_create_flow_logs", ec2._ACTION_MAP)(create)
    around(ec2, "_describe_flow_logs", ec2._ACTION_MAP)(describe)
    around(ec2, "_delete_flow_logs", ec2._ACTION_MAP)(delete)


def create(_, params):
    token = ec2._p(params, "ClientToken")
    asked = sorted((k, v) for k, v in params.items() if k != "ClientToken")
    if token in _replies:
        before, reply = _replies[token]
        return reply if before == asked else ec2._error(
            "IdempotentParameterMismatch", "The client token was used with other parameters.", 400)
    if refused := _refusal(params):
        return refused
    made, failed = [], []
    for resource in ec2._parse_member_list(params, "ResourceId"):
        want = _record(params, resource)
        have = [f for f in ec2._flow_logs.values() if f["ResourceId"] == resource]
        if why := destinations.unreachable(want):
            failed.append((resource, "400", why))  # the code of a bucket that does not exist is recorded: LocalStack, 2024-09-24
        elif any(_same(f, want) for f in have):
            failed.append((resource, "FlowLogAlreadyExists", "There is an existing Flow Log with "
                           "the same configuration and log destination."))
        elif len(have) >= LIMIT:
            failed.append((resource, "FlowLogsLimitExceeded", f"The maximum of {LIMIT} flow logs per resource is reached."))
        else:
            ec2._flow_logs[want["FlowLogId"]] = want
            destinations.enable(want)
            ec2._parse_tag_specs(params, "vpc-flow-log", want["FlowLogId"])
            made.append(want["FlowLogId"])
    ids = "".join(f"<item>{i}</item>" for i in made)
    reply = ec2._xml(200, "CreateFlowLogsResponse", f"<clientToken>{ec2._esc(token)}</clientToken>"
                     f"<flowLogIdSet>{ids}</flowLogIdSet><unsuccessful>{_failed_xml(failed)}</unsuccessful>")
    if token:
        _replies[token] = (asked, reply)
    return reply


def _refusal(params):
    """Returns the error that refuses the whole call, or None."""
    if len(ec2._parse_member_list(params, "ResourceId")) > 300:
        return ec2._error("InvalidParameterValue", "A call takes at most 300 resources.", 400)
    if ec2._p(params, "ResourceType") not in ON:
        return ec2._error("InvalidParameter", "The resource type is not valid.", 400)
    known, code, sort = ON[ec2._p(params, "ResourceType")]
    for resource in ec2._parse_member_list(params, "ResourceId"):
        if resource not in getattr(ec2, known):
            return ec2._error(code, f"The {sort} ID '{resource}' does not exist", 400)
    if refused := destinations.refusal(params):
        return ec2._error(*refused, 400)
    if ec2._p(params, "LogDestinationType", "cloud-watch-logs") != "cloud-watch-logs":
        return None
    if not ec2._p(params, "LogGroupName") and not ec2._p(params, "LogDestination"):
        return ec2._error("InvalidParameter", "LogDestination can't be empty.", 400)
    if not ec2._p(params, "DeliverLogsPermissionArn"):
        return ec2._error("InvalidParameter", "DeliverLogsPermissionArn can't be empty if "
                          "LogDestinationType is cloud-watch-logs.", 400)
    if not _assumable(ec2._p(params, "DeliverLogsPermissionArn")):
        return ec2._error("InvalidParameter", "Unable to assume given IAM role", 400)
    return None


def _assumable(role_arn, flow_log="*"):
    return assumable(role_arn, SERVICE, f"arn:aws:ec2:{get_region()}:{get_account_id()}:vpc-flow-log/{flow_log}")


def _record(params, resource):
    destination = ec2._p(params, "LogDestination")
    kind = ec2._p(params, "LogDestinationType", "cloud-watch-logs")
    group = ec2._p(params, "LogGroupName")
    if kind == "cloud-watch-logs" and destination:
        destination = destination.removesuffix(":*")
        group = destination.split(":log-group:")[-1]
    return {
        "FlowLogId": "fl-" + "".join(random.choices("0123456789abcdef", k=17)),
        "FlowLogStatus": "ACTIVE",
        "CreationTime": ec2._now_ts(),
        "ResourceId": resource,
        "ResourceType": ec2._p(params, "ResourceType"),
        "TrafficType": ec2._p(params, "TrafficType"),
        "LogDestinationType": kind,
        "LogDestination": destination,
        "LogGroupName": group,
        "DeliverLogsPermissionArn": ec2._p(params, "DeliverLogsPermissionArn"),
        "LogFormat": ec2._p(params, "LogFormat") or DEFAULT_FORMAT,
        "MaxAggregationInterval": ec2._p(params, "MaxAggregationInterval") or "600",
        "DestinationOptions": destinations.options(params),
    }


def _same(have, want):
    keys = ("TrafficType", "LogDestinationType", "LogGroupName") + (
        () if want["LogGroupName"] else ("LogDestination",))
    return all(have.get(k) == want[k] for k in keys)


def _failed_xml(failed):
    return "".join(f"<item><resourceId>{resource}</resourceId><error><code>{code}</code>"
                   f"<message>{message}</message></error></item>" for resource, code, message in failed)


FILTERS = ("deliver-log-status", "log-destination-type", "flow-log-id", "log-group-name", "resource-id", "traffic-type", "tag-key")


def describe(_, params):
    ids, filters = ec2._parse_member_list(params, "FlowLogId"), ec2._parse_filters(params)
    for name in filters:
        if name not in FILTERS and not name.startswith("tag:"):
            return ec2._error("InvalidParameterValue", f"The filter '{name}' is invalid", 400)
    found = [f for f in ec2._flow_logs.values() if (not ids or f["FlowLogId"] in ids) and _matches(f, filters)]
    shown, after = page(found, ec2._p(params, "MaxResults"), ec2._p(params, "NextToken"))
    items = "".join(f"<item>{_xml(f)}</item>" for f in shown)
    return ec2._xml(200, "DescribeFlowLogsResponse", f"<flowLogSet>{items}</flowLogSet>{ec2_token(after)}")


def _matches(log, filters):
    status, _ = _delivery(log)
    values = {
        "deliver-log-status": status,
        "log-destination-type": log["LogDestinationType"],
        "flow-log-id": log["FlowLogId"],
        "log-group-name": log.get("LogGroupName"),
        "resource-id": log["ResourceId"],
        "traffic-type": log["TrafficType"],
    }
    return ec2._resource_matches_tag_filters(log["FlowLogId"], filters) and all(
        values[name] in wanted for name, wanted in filters.items() if name in values)


# The actions that the role needs if the group exists, and those it also needs if not.
# https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-iam-role.html
WRITE, MAKE = ("logs:CreateLogStream", "logs:PutLogEvents"), ("logs:CreateLogGroup",)


def _delivery(log):
    """Returns DeliverLogsStatus and its error: "Access error" if the service cannot
    assume the role, or cannot write to the log group as the role, or to the bucket or
    stream. If the group is gone and the role may not make it, or if the bucket or stream
    is gone, the error is assumed to be the same."""
    if log["LogDestinationType"] != "cloud-watch-logs":
        return ("SUCCESS", "") if destinations.delivers(log) else ("FAILED", "Access error")
    role, group = log.get("DeliverLogsPermissionArn") or "", log.get("LogGroupName")
    arn = f"arn:aws:logs:{get_region()}:{get_account_id()}:log-group:{group}"
    needed = [(action, f"{arn}:log-stream:{log['ResourceId']}") for action in WRITE]
    if group not in cloudwatch_logs._log_groups:
        needed += [(action, arn) for action in MAKE]
    if _assumable(role, log["FlowLogId"]) and all(allows(role, *need) for need in needed):
        return "SUCCESS", ""
    return "FAILED", "Access error"


def _xml(log):
    status, error = _delivery(log)
    shown = {key: log.get(key) for key in MEMBERS} | {"DeliverLogsStatus": status, "DeliverLogsErrorMessage": error}
    members = "".join(f"<{k[0].lower()}{k[1:]}>{ec2._esc(str(v))}</{k[0].lower()}{k[1:]}>"
                      for k, v in shown.items() if v)
    if chosen := log.get("DestinationOptions"):
        members += "<destinationOptions>" + "".join(f"<{k[0].lower()}{k[1:]}>{v}</{k[0].lower()}{k[1:]}>" for k, v in chosen.items()) + "</destinationOptions>"
    return members + ec2._tag_set_xml(log["FlowLogId"])


def delete(original, params):
    ids = ec2._parse_member_list(params, "FlowLogId")
    gone = [i for i in ids if i not in ec2._flow_logs]
    if gone:
        return ec2._error("InvalidFlowLogId.NotFound", "These flow log ids in the input list are not found: "
                          f"[TotalCount: {len(gone)}] {', '.join(gone)}", 400)
    return original(params)
