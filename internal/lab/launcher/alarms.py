"""Alarms that read the same in every protocol of CloudWatch.

MiniStack's query replies leave out most of an alarm, and its query requests
lose InsufficientDataActions. No protocol keeps metric math, a composite
alarm's suppressor, or the time when a metric alarm's state last changed.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricAlarm.html
https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutCompositeAlarm.html
"""

import json
from xml.sax.saxutils import escape

from ministack.services import cloudwatch as cw

from hook import around, ok

# Members of PutMetricAlarm that MiniStack stores in no protocol or in only one.
KEPT = ("ActionConfiguration", "InsufficientDataActions", "Metrics", "ThresholdMetricId", "EvaluateLowSampleCountPercentile")

# Members of PutCompositeAlarm that MiniStack does not store. While the
# suppressor is in ALARM, the composite alarm takes no actions.
SUPPRESSOR = "ActionsSuppressor"
SUPPRESSION = (SUPPRESSOR, "ActionsSuppressorWaitPeriod", "ActionsSuppressorExtensionPeriod")


def install():
    @around(cw, "_put_metric_alarm")
    def put_metric_alarm(original, params, data, is_cbor, is_json=False):
        asked = data or members(params)
        before = cw._alarms.get(asked.get("AlarmName")) or {}
        if any(len(asked.get(key) or ()) > 5 for key in ("AlarmActions", "OKActions", "InsufficientDataActions")):
            return cw._error("ValidationError", "A state has at most 5 actions.", 400, use_json=is_json, use_cbor=is_cbor)
        reply = original(params, data, is_cbor, is_json)
        if ok(reply):
            alarm = cw._alarms[asked["AlarmName"]]
            alarm.update({key: asked[key] for key in KEPT if key in asked})
            alarm.setdefault("StateTransitionedTimestamp", before.get("StateTransitionedTimestamp", alarm["StateUpdatedTimestamp"]))
        return reply

    @around(cw, "_record_history")  # called for each change of state
    def record_history(original, name, *change):
        if name in cw._alarms:
            cw._alarms[name]["StateTransitionedTimestamp"] = cw._alarms[name]["StateUpdatedTimestamp"]
        original(name, *change)

    @around(cw, "_put_composite_alarm")
    def put_composite_alarm(original, params, data, is_cbor, is_json=False):
        asked = data or members(params)
        periods = [asked.get(key) for key in SUPPRESSION[1:]]
        # "WaitPeriod [and ExtensionPeriod are] required only when ActionsSuppressor is specified."
        if asked.get(SUPPRESSOR) and None in periods:
            return cw._error("ValidationError", f"{SUPPRESSOR} requires both periods.", 400, use_json=is_json, use_cbor=is_cbor)
        reply = original(params, data, is_cbor, is_json)
        if ok(reply):
            kept = {SUPPRESSOR: asked[SUPPRESSOR], **{k: int(asked[k]) for k in SUPPRESSION[1:]}} if asked.get(SUPPRESSOR) else {}
            cw._composite_alarms[asked["AlarmName"]].update(kept)
        return reply

    @around(cw, "_dispatch_alarm_actions")
    def dispatch(original, alarm, old_state, new_state, reason):
        name = alarm.get(SUPPRESSOR, "").rsplit(":alarm:", 1)[-1]
        suppressor = cw._alarms.get(name) or cw._composite_alarms.get(name) or {}
        if suppressor.get("StateValue") != "ALARM":
            original(alarm, old_state, new_state, reason)

    for name in ("_describe_alarms", "_describe_alarms_for_metric"):
        around(cw, name)(in_xml)

    # "AlarmNames: Maximum number of 100 items."
    # https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html
    # https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DeleteAlarms.html
    for name in ("_describe_alarms", "_delete_alarms", "_enable_alarm_actions", "_disable_alarm_actions"):
        around(cw, name)(up_to_hundred)


def up_to_hundred(original, params, data, is_cbor, is_json=False):
    if len((data or members(params)).get("AlarmNames") or ()) > 100:
        return cw._error("ValidationError", "AlarmNames has at most 100 items.", 400, use_json=is_json, use_cbor=is_cbor)
    return original(params, data, is_cbor, is_json)


def in_xml(original, params, data, is_cbor, is_json=False):
    """Answers a query request with everything that the JSON protocol would return."""
    if is_cbor or is_json:
        return original(params, data, is_cbor, is_json)
    reply = original(params, data, False, False)
    if not ok(reply):
        return reply
    _, _, body = original(params, members(params), False, True)
    operation = cw._p(params, "Action")
    return cw._xml(200, f"{operation}Response", f"<{operation}Result>{xml(json.loads(body))}</{operation}Result>")


def members(params):
    """Returns a query request's parameters in the JSON protocol's form: Names.member.1=a becomes {"Names": ["a"]}."""
    tree = {}
    for name in params:
        node, *path = tree, *name.split(".")
        for step in path[:-1]:
            node = node.setdefault(step, {})
        node[path[-1]] = cw._p(params, name)
    return _lists(tree)


def _lists(node):
    if not isinstance(node, dict):
        return {"true": True, "false": False}.get(node, node)
    if set(node) == {"member"}:
        return [_lists(node["member"][i]) for i in sorted(node["member"], key=int)]
    return {key: _lists(value) for key, value in node.items()}


def xml(value):
    if isinstance(value, dict):
        return "".join(f"<{k}>{xml(_time(k, v))}</{k}>" for k, v in value.items() if v is not None)
    if isinstance(value, list):
        return "".join(f"<member>{xml(v)}</member>" for v in value)
    if isinstance(value, bool):
        return str(value).lower()
    return escape(str(value))


def _time(name, value):
    """Converts times, which are epoch seconds in JSON and ISO 8601 in XML."""
    return cw._ts_iso(value) if name.endswith("Timestamp") and isinstance(value, int) else value
