"""The members that PutMetricFilter stores, and the log group calls that MiniStack lacks.

https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutMetricFilter.html
https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogGroupDeletionProtection.html
https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_AssociateKmsKey.html
"""

import json

from ministack.core.responses import error_response_json, json_response
from ministack.services import cloudwatch_logs as cwl

from hook import around, ok
from logpolicies import TRANSFORMER, group_of

# Members of PutMetricFilter that DescribeMetricFilters returns.
KEPT = ("applyOnTransformedLogs", "emitSystemFieldDimensions", "fieldSelectionCriteria")


def install():
    @around(cwl, "_put_metric_filter")
    def put_metric_filter(original, data):
        if refused := _refusal(data):
            return error_response_json(*refused, 400)
        reply = original(data)
        if ok(reply):
            stored = cwl._metric_filters[data["logGroupName"], data["filterName"]]
            stored.update({key: data[key] for key in KEPT if key in data})
        return reply

    @around(cwl, "_create_log_group")
    def create_log_group(original, data):
        reply = original(data)
        if ok(reply) and data.get("deletionProtectionEnabled"):
            cwl._log_groups[data["logGroupName"]]["protected"] = True
        return reply

    @around(cwl, "_delete_log_group")
    def delete_log_group(original, data):
        if (cwl._log_groups.get(data.get("logGroupName")) or {}).get("protected"):
            return error_response_json("ValidationException", "The log group has deletion protection.", 400)
        return original(data)

    @around(cwl, "_describe_log_groups")
    def describe_log_groups(original, data):
        status, headers, body = reply = original(data)
        if not ok(reply):
            return reply
        listing = json.loads(body)
        for group in listing["logGroups"]:
            group["deletionProtectionEnabled"] = cwl._log_groups[group["logGroupName"]].get("protected", False)
        return status, headers, json.dumps(listing).encode()

    @around(cwl, "handle_request")
    async def handle_request(original, method, path, headers, body, query_params):
        change = CHANGES.get(headers.get("x-amz-target", "").split(".")[-1])
        if change is None:
            return await original(method, path, headers, body, query_params)
        data = json.loads(body)
        group = group_of(data)
        if group is None:
            return error_response_json("ResourceNotFoundException", "The specified log group does not exist.", 400)
        group.update(change(data))
        return json_response({})


def _refusal(data):
    """Returns code and message of the error that refuses a metric filter, or None."""
    invalid = "InvalidParameterException"
    group, transformations = group_of(data) or {}, data.get("metricTransformations") or []
    if len(transformations) != 1:  # "Array Members: Fixed number of 1 item"
        return invalid, "metricTransformations takes one item."
    if len(data.get("filterPattern") or "") > 1024:
        return invalid, "filterPattern has at most 1024 characters."
    # "Metrics with dimensions can't have a default value."
    # https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/MonitoringLogData.html
    if transformations[0].get("dimensions") and transformations[0].get("defaultValue") is not None:
        return invalid, "A metric with dimensions has no default value."
    # "This parameter is valid only for log groups that have an active log transformer."
    if data.get("applyOnTransformedLogs") and not group.get(TRANSFORMER):
        return invalid, "The log group has no transformer."
    # https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CloudWatch_Logs_Log_Classes.html
    if (group.get("logGroupClass") or "STANDARD") != "STANDARD":
        return "InvalidOperationException", "The log group's class has no metric filters."
    # "The maximum number of metric filters that can be associated with a log group is 100."
    names = {name for owner, name in cwl._metric_filters if owner == data.get("logGroupName")}
    if len(names | {data.get("filterName")}) > 100:
        return "LimitExceededException", "Resource limit exceeded."
    return None


# Calls that set one member of a log group, and the member that they set.
CHANGES = {
    "PutLogGroupDeletionProtection": lambda data: {"protected": data["deletionProtectionEnabled"]},
    "AssociateKmsKey": lambda data: {"kmsKeyId": data["kmsKeyId"]},
    "DisassociateKmsKey": lambda data: {"kmsKeyId": None},
}
