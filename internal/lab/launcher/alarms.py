"""Alarms that read the same in every protocol of CloudWatch.

MiniStack's query replies leave out most of an alarm, its query requests lose
InsufficientDataActions, and no protocol keeps metric math.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricAlarm.html
"""

import json
from xml.sax.saxutils import escape

from ministack.services import cloudwatch as cw

from hook import around, ok

# Members of PutMetricAlarm that are stored by no or by one protocol only.
KEPT = ("InsufficientDataActions", "Metrics", "ThresholdMetricId", "EvaluateLowSampleCountPercentile")


def install():
    @around(cw, "_put_metric_alarm")
    def put_metric_alarm(original, params, data, is_cbor, is_json=False):
        reply = original(params, data, is_cbor, is_json)
        if ok(reply):
            asked = data or members(params)
            cw._alarms[asked["AlarmName"]].update({key: asked[key] for key in KEPT if key in asked})
        return reply

    for name in ("_describe_alarms", "_describe_alarms_for_metric"):
        around(cw, name)(in_xml)


def in_xml(original, params, data, is_cbor, is_json=False):
    """Answers a query request with all that the JSON protocol would."""
    if is_cbor or is_json:
        return original(params, data, is_cbor, is_json)
    reply = original(params, data, False, False)
    if not ok(reply):
        return reply
    _, _, body = original(params, members(params), False, True)
    operation = cw._p(params, "Action")
    return cw._xml(200, f"{operation}Response", f"<{operation}Result>{xml(json.loads(body))}</{operation}Result>")


def members(params):
    """A query request's parameters as the JSON protocol has them: Names.member.1=a becomes {"Names": ["a"]}."""
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
    """Times are epoch seconds in JSON and ISO 8601 in XML."""
    return cw._ts_iso(value) if name.endswith("Timestamp") and isinstance(value, int) else value
