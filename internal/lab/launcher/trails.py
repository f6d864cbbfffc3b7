"""A trail's requirements and deliveries, which MiniStack does not check or does not store.

https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_CreateTrail.html
https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_UpdateTrail.html
https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_GetTrailStatus.html
https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_GetInsightSelectors.html
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/create-s3-bucket-policy-for-cloudtrail.html
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-required-policy-for-cloudwatch-logs.html
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/WhatIsCloudTrail-Limits.html

No record is delivered. While the trail logs, its status shows the result that a
delivery would have now. The time of the last delivery stays when the trail stops, when
it loses its log group, and when a delivery fails (for the bucket: recorded 2026-09-13 to 2026-09-20;
otherwise as "last delivered" in API_GetTrailStatus). A delivery counts once somebody
has read the status, or has stopped the trail.

No trail has Insights: MiniStack does not know them.
"""

import json
import time

from ministack.core.responses import get_account_id, get_region
from ministack.services import cloudtrail, cloudwatch_logs, s3, sns

from hook import around, ok, with_json
from roles import admits, allows, assumable

GROUP, ROLE, BUCKET, PREFIX, TOPIC = ("CloudWatchLogsLogGroupArn", "CloudWatchLogsRoleArn", "S3BucketName",
                                      "S3KeyPrefix", "SnsTopicName")
SERVICE = "cloudtrail.amazonaws.com"
DELIVERED = "_Delivered"  # of a stored trail: the times of its last deliveries

# "Trails per Region", including shadow trails of other regions.
LIMIT = 5

# "Event selectors": the data resources of all basic ones, the values of all advanced ones.
DATA_RESOURCES, SELECTOR_VALUES = 250, 500


def install():
    cloudtrail._TRAIL_STATE_KEYS |= {DELIVERED}  # DescribeTrails does not show them

    @around(cloudtrail, "_create_trail", cloudtrail._DISPATCH)
    def create_trail(original, body):
        if not body.get(BUCKET):
            return cloudtrail._err("InvalidS3BucketNameException", "The bucket is missing.")
        name = (body.get("Name") or "").strip()
        if refused := _refusal(body, cloudtrail._trail_arn(name)):
            return cloudtrail._err(*refused)
        if name not in cloudtrail._trails and len(cloudtrail._visible_trail_items()) >= LIMIT:
            return cloudtrail._err("MaximumNumberOfTrailsExceededException", f"The region has {LIMIT} trails.")
        reply = original(body)
        if not ok(reply):
            return reply
        kept = {key: body[key] for key in (GROUP, ROLE) if body.get(key)} | _topic(body)
        cloudtrail._trails[name].update(kept)
        cloudtrail._trail_tags[cloudtrail._trail_arn(name)] = {tag["Key"]: tag.get("Value", "") for tag in body.get("TagsList") or []}
        return with_json(reply, **kept)

    @around(cloudtrail, "_update_trail", cloudtrail._DISPATCH)
    def update_trail(original, body):
        _, _, trail, error = cloudtrail._find_mutable_trail((body.get("Name") or "").strip())
        if error:
            return error
        # An empty log group or role that comes alone takes both off: recorded 2026-09-13.
        for one, other in ((GROUP, ROLE), (ROLE, GROUP)):
            if body.get(one) == "" and other not in body:
                body[other] = ""
        # The check of the bucket uses the prefix that the trail will have. A topic that the
        # trail keeps is checked again: recorded 2026-09-13.
        asked = {PREFIX: trail.get(PREFIX, ""), TOPIC: trail.get("SnsTopicARN", ""), **body}
        if refused := _refusal(asked, trail["TrailARN"]):
            return cloudtrail._err(*refused)
        if TOPIC in body:
            trail.pop("SnsTopicARN", None)
            trail.update(_topic(body))
        return original(body)

    @around(cloudtrail, "_put_event_selectors", cloudtrail._DISPATCH)
    def put_event_selectors(original, body):
        resources = sum(max(1, len(data.get("Values") or [])) for selector in body.get("EventSelectors") or []
                        for data in selector.get("DataResources") or [])
        values = sum(len(listed) for selector in body.get("AdvancedEventSelectors") or []
                     for field in selector.get("FieldSelectors") or [] for listed in field.values() if isinstance(listed, list))
        if resources > DATA_RESOURCES or values > SELECTOR_VALUES:
            return cloudtrail._err("InvalidEventSelectorsException", f"{resources} data resources, {values} values.")
        return original(body)

    @around(cloudtrail, "_get_event_selectors", cloudtrail._DISPATCH)
    def get_event_selectors(original, body):
        """Returns the fields of an advanced selector sorted by name: recorded 2026-09-13."""
        reply = original(body)
        selectors = json.loads(reply[2]).get("AdvancedEventSelectors") if ok(reply) else None
        if not selectors:
            return reply
        return with_json(reply, AdvancedEventSelectors=[
            {**selector, "FieldSelectors": sorted(selector.get("FieldSelectors") or [], key=lambda field: field["Field"])}
            for selector in selectors])

    @around(cloudtrail, "_get_trail_status", cloudtrail._DISPATCH)
    def get_trail_status(original, body):
        reply = original(body)
        if not ok(reply):
            return reply
        _, _, trail = cloudtrail._find_visible_trail(body["Name"].strip())
        errors = _deliver(trail)
        return with_json(reply, **trail.get(DELIVERED, {}), **errors)

    @around(cloudtrail, "_stop_logging", cloudtrail._DISPATCH)
    def stop_logging(original, body):
        _, _, trail, error = cloudtrail._find_mutable_trail((body.get("Name") or "").strip())
        if not error:
            _deliver(trail)
        return original(body)

    cloudtrail._DISPATCH["GetInsightSelectors"] = get_insight_selectors


def get_insight_selectors(body):
    name, _, trail = cloudtrail._find_visible_trail((body.get("TrailName") or "").strip())
    if trail is None:
        return cloudtrail._err("TrailNotFoundException", f"Unknown trail: {name}")
    return cloudtrail._err("InsightNotEnabledException", f"Trail {name} does not have Insights enabled.")


def _deliver(trail):
    """Notes the deliveries that succeed now, and returns the errors of the others."""
    if not trail.get("IsLogging"):
        return {}
    errors, now = {}, int(time.time())
    delivered = trail.setdefault(DELIVERED, {})
    if error := _bucket_error(trail, trail["TrailARN"]):
        errors["LatestDeliveryError"] = error
    else:
        delivered["LatestDeliveryTime"] = now
    if trail.get(GROUP):
        error = "" if _group(trail[GROUP]) else "The specified log group does not exist."
        if error := error or _role_error(trail, trail["TrailARN"]):
            errors["LatestCloudWatchLogsDeliveryError"] = error
        else:
            delivered["LatestCloudWatchLogsDeliveryTime"] = now
    return errors


def _refusal(asked, trail_arn):
    """Returns code and message of the error that refuses a request, or None."""
    if bool(asked.get(GROUP)) != bool(asked.get(ROLE)):
        missing = "InvalidCloudWatchLogsRoleArnException" if asked.get(GROUP) else "InvalidCloudWatchLogsLogGroupArnException"
        return missing, f"You must specify both {GROUP} and {ROLE}."  # recorded 2026-09-12 to 2026-09-20
    if asked.get(BUCKET):
        error = _bucket_error(asked, trail_arn)
        if error == "NoSuchBucket":
            return "S3BucketDoesNotExistException", f"S3 bucket {asked[BUCKET]} does not exist!"
        if error:
            return "InsufficientS3BucketPolicyException", f"Incorrect S3 bucket policy is detected for bucket: {asked[BUCKET]}"
    if asked.get(TOPIC) and _topic(asked)["SnsTopicARN"] not in sns._topics:
        return "InsufficientSnsTopicPolicyException", "SNS Topic does not exist or the topic policy is incorrect!"
    if asked.get(GROUP):
        if _group(asked[GROUP]) is None:
            return "InvalidCloudWatchLogsLogGroupArnException", "CloudTrail cannot validate the specified log group ARN."
        if not assumable(asked[ROLE], SERVICE, trail_arn):
            return "InvalidCloudWatchLogsRoleArnException", "CloudTrail cannot assume the specified role."
        if error := _role_error(asked, trail_arn):
            return "InvalidCloudWatchLogsLogGroupArnException", error
    return None


def _bucket_error(trail, trail_arn):
    """Returns S3's error for a delivery, or "". The bucket may belong to another account."""
    name = trail[BUCKET]
    if not any(key == name for _, key in s3._buckets._data):
        return "NoSuchBucket"
    policy = next((doc for (_, key), doc in s3._bucket_policies._data.items() if key == name), None)
    folder = f"{trail[PREFIX]}/" if trail.get(PREFIX) else ""
    bucket = f"arn:aws:s3:::{name}"
    allowed = (admits(policy, SERVICE, "s3:GetBucketAcl", bucket, trail_arn)
               and admits(policy, SERVICE, "s3:PutObject", f"{bucket}/{folder}AWSLogs/{get_account_id()}/CloudTrail/x",
                          trail_arn, **{"s3:x-amz-acl": "bucket-owner-full-control"}))
    return "" if allowed else "AccessDenied"


def _role_error(trail, trail_arn):
    """Returns why CloudTrail cannot write to the trail's log group as the trail's role, or ""."""
    group = trail[GROUP].removesuffix(":*")
    stream = f"{group}:log-stream:{get_account_id()}_CloudTrail_{group.split(':')[3]}"
    if assumable(trail[ROLE], SERVICE, trail_arn) and all(
            allows(trail[ROLE], action, stream) for action in ("logs:CreateLogStream", "logs:PutLogEvents")):
        return ""
    return "Access denied. Check the permissions for your role."


def _topic(body):
    """Returns the topic of a request, which contains its name or its ARN."""
    topic = body.get(TOPIC)
    if not topic:
        return {}
    return {"SnsTopicARN": topic if topic.startswith("arn:") else f"arn:aws:sns:{get_region()}:{get_account_id()}:{topic}"}


def _group(arn):
    """Returns the log group of an ARN, with or without ":*" at its end."""
    region, name = arn.split(":")[3], arn.removesuffix(":*").split(":log-group:")[-1]
    return cloudwatch_logs._log_groups.get_scoped(get_account_id(), region, name)
