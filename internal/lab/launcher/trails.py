"""A trail's delivery to CloudWatch Logs, which CreateTrail and GetTrailStatus drop.

https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_CreateTrail.html
https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_GetTrailStatus.html
"""

import time

from ministack.core.responses import get_account_id
from ministack.services import cloudtrail, cloudwatch_logs

from hook import around, ok, with_json

GROUP, ROLE = "CloudWatchLogsLogGroupArn", "CloudWatchLogsRoleArn"


def install():
    @around(cloudtrail, "_create_trail", cloudtrail._DISPATCH)
    def create_trail(original, body):
        if bool(body.get(GROUP)) != bool(body.get(ROLE)):
            return cloudtrail._err("InvalidParameterCombinationException",
                                   f"{GROUP} and {ROLE} come together.")
        if body.get(GROUP) and _group(body[GROUP]) is None:
            return cloudtrail._err("InvalidCloudWatchLogsLogGroupArnException",
                                   "CloudTrail cannot validate the specified log group ARN.")
        reply = original(body)
        if not ok(reply) or not body.get(GROUP):
            return reply
        kept = {key: body[key] for key in (GROUP, ROLE)}
        cloudtrail._trails[body["Name"].strip()].update(kept)
        return with_json(reply, **kept)

    @around(cloudtrail, "_get_trail_status", cloudtrail._DISPATCH)
    def get_trail_status(original, body):
        reply = original(body)
        if not ok(reply):
            return reply
        _, _, trail = cloudtrail._find_visible_trail(body["Name"].strip())
        if not trail.get("IsLogging") or not trail.get(GROUP):
            return reply
        if _group(trail[GROUP]) is None:
            return with_json(reply, LatestCloudWatchLogsDeliveryError="The specified log group does not exist.")
        return with_json(reply, LatestDeliveryTime=int(time.time()), LatestCloudWatchLogsDeliveryTime=int(time.time()))


def _group(arn):
    """The log group of an ARN, with or without its ":*"."""
    region, name = arn.split(":")[3], arn.removesuffix(":*").split(":log-group:")[-1]
    return cloudwatch_logs._log_groups.get_scoped(get_account_id(), region, name)
