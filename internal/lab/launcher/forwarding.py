"""Rules with an event bus in another region as their target.

MiniStack accepts such targets and never delivers to them. EventBridge delivers
with the permissions of the target's role, and keeps the event's id, time,
account and region. It does not forward a forwarded event again.
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-cross-region.html
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-cross-account.html
"""

import logging

from ministack.core.responses import get_account_id, get_region, request_scope
from ministack.services import eventbridge

from hook import around
from roles import allows

log = logging.getLogger("lab.forwarding")


def install():
    @around(eventbridge, "_dispatch_to_event_bus")
    def forward(original, spec, event, rule, event_path, target_input_payload=None):
        if spec.account_id != get_account_id() or spec.region == get_region():
            return original(spec, event, rule, event_path, target_input_payload)
        bus = spec.resource.split("/", 1)[1]
        arn = f"arn:aws:events:{spec.region}:{spec.account_id}:event-bus/{bus}"
        if event_path:
            return log.warning("%s: event %s was forwarded before", arn, event["EventId"])
        if refused := _refusal(rule, arn):
            return log.warning("%s: event %s not forwarded: %s", arn, event["EventId"], refused)
        copy = dict(event, EventBusName=bus, _DispatchPath=[eventbridge._rule_key(
            rule["Name"], rule.get("EventBusName", "default"))])
        with request_scope(spec.account_id, spec.region):
            if bus not in eventbridge._event_buses:
                return log.warning("%s: there is no such bus", arn)
            eventbridge._dispatch_event(copy)


def _refusal(rule, bus_arn):
    """Returns why the target's role may not put events on the bus, or ""."""
    targets = eventbridge._targets.get(eventbridge._rule_key(rule["Name"], rule.get("EventBusName", "default")), [])
    role_arn = next((t.get("RoleArn", "") for t in targets if t["Arn"] == bus_arn), "")
    if not allows(role_arn, "events:PutEvents", bus_arn):
        return f"{role_arn!r} is no role that allows events:PutEvents"
    return ""
