"""What PutMetricFilter keeps, and the log group calls that MiniStack lacks.

https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutMetricFilter.html
https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogGroupDeletionProtection.html
https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_AssociateKmsKey.html
"""

import json

from ministack.core.responses import error_response_json, json_response
from ministack.services import cloudwatch_logs as cwl

from hook import around, ok
from logpolicies import TRANSFORMER, group_of

# Members of PutMetricFilter that DescribeMetricFilters gives back.
KEPT = ("applyOnTransformedLogs", "emitSystemFieldDimensions", "fieldSelectionCriteria")


def install():
    @around(cwl, "_put_metric_filter")
    def put_metric_filter(original, data):
        if len(data.get("metricTransformations") or []) != 1:  # "Array Members: Fixed number of 1 item"
            return error_response_json("InvalidParameterException", "metricTransformations takes one item.", 400)
        if data.get("applyOnTransformedLogs") and not (group_of(data) or {}).get(TRANSFORMER):
            # "This parameter is valid only for log groups that have an active log transformer."
            return error_response_json("InvalidParameterException", "The log group has no transformer.", 400)
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


# Calls that set one member of a log group, and the member they set.
CHANGES = {
    "PutLogGroupDeletionProtection": lambda data: {"protected": data["deletionProtectionEnabled"]},
    "AssociateKmsKey": lambda data: {"kmsKeyId": data["kmsKeyId"]},
    "DisassociateKmsKey": lambda data: {"kmsKeyId": None},
}
