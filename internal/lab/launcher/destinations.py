"""Buckets and Firehose streams as destinations of flow logs.

https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-s3-permissions.html
https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-s3-path.html
https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/AWS-logs-infrastructure-Firehose.html

AWS writes the policy of a bucket itself if whoever creates the flow log may write it. Here
nobody's call does that: a bucket needs its policy first.
"""

from ministack.core.responses import get_account_id, get_region
from ministack.services import ec2, firehose, iam, s3

from roles import admits

GROUP, BUCKET, STREAM = "cloud-watch-logs", "s3", "kinesis-data-firehose"

SERVICE = "delivery.logs.amazonaws.com"

# The service-linked role that writes to streams. It may write to those with the tag.
LINKED = "AWSServiceRoleForLogDelivery"
LINKED_ARN = f"role/aws-service-role/{SERVICE}/{LINKED}"
ENABLED = "LogDeliveryEnabled"

# Members of DestinationOptions and their values if a request leaves them out.
# https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DestinationOptionsRequest.html
OPTIONS = {"FileFormat": "plain-text", "HiveCompatiblePartitions": "false", "PerHourPartition": "false"}


def refusal(params):
    """Returns code and message of the error that refuses a request for its destination, or None.

    That no role is applicable for a bucket was recorded: aws-samples/aws-secure-environment-accelerator,
    issue 1111, 2023-02-22.
    """
    kind, role = ec2._p(params, "LogDestinationType", GROUP), ec2._p(params, "DeliverLogsPermissionArn")
    if kind not in (GROUP, BUCKET, STREAM):
        return "InvalidParameter", f"{kind} is no log destination type."
    if kind != BUCKET and any(key.startswith("DestinationOptions.") for key in params):
        return "InvalidParameter", "DestinationOptions are only for s3."
    if kind == GROUP:
        return None
    if ec2._p(params, "LogGroupName") or not ec2._p(params, "LogDestination"):
        return "InvalidParameter", f"{kind} needs LogDestination and takes no LogGroupName."
    if kind == BUCKET and role:
        return "InvalidParameter", "DeliverLogsPermissionArn is not applicable for s3 delivery"
    if kind == STREAM and bool(role) != bool(ec2._p(params, "DeliverCrossAccountRole")):
        return "InvalidParameter", "Delivery to another account needs both roles."
    return None


def options(params):
    """Returns the options of a request for flow logs to a bucket, or None if it has none."""
    asked = {name: ec2._p(params, f"DestinationOptions.{name}") for name in OPTIONS}
    return {name: value or OPTIONS[name] for name, value in asked.items()} if any(asked.values()) else None


def unreachable(log):
    """Returns why EC2 makes no flow log to a bucket or stream, or "".

    The text about a bucket that does not exist was recorded (LocalStack, 2024-09-24), and that
    about a bucket that does not admit the delivery is in awsdocs/amazon-vpc-user-guide, pull
    request 28. That of a stream is assumed to be the same.
    """
    if log["LogDestinationType"] == STREAM:
        return "" if _stream(log) is not None else f"LogDestination: {log['LogDestination']} does not exist"
    if log["LogDestinationType"] != BUCKET:
        return ""
    name, _ = _bucket(log)
    if not any(key == name for _, key in s3._buckets._data):
        return f"LogDestination: {name} does not exist"
    if not _admitted(log):
        return f"Access Denied for LogDestination: {name}. Please check LogDestination permission"
    return ""


def delivers(log):
    """Returns whether the service can write to the bucket or stream of a flow log now."""
    if log["LogDestinationType"] == STREAM:
        stream = _stream(log)
        return stream is not None and stream["tags"].get(ENABLED) == "true"
    return not unreachable(log)


def enable(log):
    """Does what AWS does when a flow log to a stream is made: the service-linked role and the stream's tag."""
    if log["LogDestinationType"] != STREAM:
        return
    _stream(log)["tags"][ENABLED] = "true"
    if LINKED not in iam._roles:
        iam._create_service_linked_role({"AWSServiceName": SERVICE})
        role = iam._roles.pop("AWSServiceRoleForDelivery")  # MiniStack makes the name from the service's
        iam._roles[LINKED] = role | {"RoleName": LINKED, "Arn": f"arn:aws:iam::{get_account_id()}:{LINKED_ARN}"}


def further(operation, params):
    """Returns the actions and resources that a call about flow logs needs beside its own.

    https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html
    https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-s3-permissions.html
    """
    if operation == "CreateFlowLogs":
        kind = ec2._p(params, "LogDestinationType", GROUP)
        if kind == GROUP:
            return []
        needed = [("logs:CreateLogDelivery", "*")]
        if kind == STREAM:
            needed.append(("firehose:TagDeliveryStream", ec2._p(params, "LogDestination")))
            if LINKED not in iam._roles:
                needed.append(("iam:CreateServiceLinkedRole", f"arn:aws:iam::{get_account_id()}:{LINKED_ARN}"))
        return needed
    if operation == "DeleteFlowLogs":
        logs = [ec2._flow_logs.get(i) for i in ec2._parse_member_list(params, "FlowLogId")]
        return [("logs:DeleteLogDelivery", "*")] if any(log and log["LogDestinationType"] != GROUP for log in logs) else []
    return []


def _stream(log):
    parts = log["LogDestination"].split(":", 5)
    if len(parts) < 6 or not parts[5].startswith("deliverystream/"):
        return None
    return firehose._streams.get_scoped(parts[4], parts[3], parts[5].removeprefix("deliverystream/"))


def _bucket(log):
    """Returns the name of a flow log's bucket, and the folder in it."""
    name, _, folder = log["LogDestination"].split(":::", 1)[-1].partition("/")
    return name, folder.strip("/")


def _admitted(log):
    """Returns whether the bucket's policy admits the delivery. The bucket may belong to another account."""
    name, folder = _bucket(log)
    policy = next((doc for (_, key), doc in s3._bucket_policies._data.items() if key == name), None)
    account, bucket = get_account_id(), f"arn:aws:s3:::{name}"
    hive = (log.get("DestinationOptions") or {}).get("HiveCompatiblePartitions") == "true"
    owner = f"aws-account-id={account}" if hive else account
    source = f"arn:aws:logs:{get_region()}:{account}:vpc-flow-logs"
    path = "/".join(part for part in (name, folder, "AWSLogs", owner, "vpcflowlogs", get_region(), "x") if part)
    return (admits(policy, SERVICE, "s3:GetBucketAcl", bucket, source)
            and admits(policy, SERVICE, "s3:PutObject", f"arn:aws:s3:::{path}", source, **{"s3:x-amz-acl": "bucket-owner-full-control"}))
