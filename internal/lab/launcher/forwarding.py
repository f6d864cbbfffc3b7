"""Rules with an event bus in another region or account as their target.

MiniStack accepts such targets and never delivers to them. EventBridge delivers with the
permissions of the target's role, if the policy of a bus of another account admits that role,
and keeps the event's id, time, account and region. It does not forward a forwarded event again.
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-cross-region.html
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-cross-account.html

What is not delivered for want of permissions, or to a bus that does not exist, goes to the
dead-letter queue of the target at once, if its policy admits the rule. Which error
stands for which refusal is assumed.
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html
"""

import json
import logging

from ministack.core.arn import parse_arn
from ministack.core.responses import get_account_id, get_region
from ministack.services import eventbridge, sqs

import buses
from hook import around
from roles import admits, allows, assumable

log = logging.getLogger("lab.forwarding")

SERVICE = "events.amazonaws.com"


def install():
    @around(eventbridge, "_dispatch_to_event_bus")
    def forward(original, spec, event, rule, event_path, target_input_payload=None):
        if spec.account_id == get_account_id() and spec.region == get_region():
            return original(spec, event, rule, event_path, target_input_payload)
        bus = spec.resource.split("/", 1)[1]
        arn = f"arn:aws:events:{spec.region}:{spec.account_id}:event-bus/{bus}"
        key = eventbridge._rule_key(rule["Name"], rule.get("EventBusName", "default"))
        target = next((t for t in eventbridge._targets.get(key, []) if t["Arn"] == arn), {})
        code, why = _refusal(rule, target, arn, event, event_path)
        if not code:
            return buses.put(dict(event, EventBusName=bus, _DispatchPath=[key]), arn)
        log.warning("%s: event %s not forwarded: %s", arn, event["EventId"], why)
        _keep(rule, target, event, code, why)


def _refusal(rule, target, bus_arn, event, event_path):
    """Returns the error for which an event does not get to the bus of a target, and why; or two empty texts."""
    role = target.get("RoleArn", "")
    if event_path or event.get("Account") != get_account_id():
        foreign = event.get("Account") != get_account_id()
        return "THIRD_ACCOUNT_HOP_DETECTED" if foreign else "THIRD_REGION_HOP_DETECTED", "it was forwarded before"
    if not assumable(role, SERVICE, rule["Arn"]):
        return "FAILED_TO_ASSUME_ROLE", f"{role!r} is no role that trusts {SERVICE}"
    if not allows(role, "events:PutEvents", bus_arn):
        return "NO_PERMISSIONS", f"{role!r} is no role that allows events:PutEvents"
    if not buses.exists(bus_arn):
        return "NO_RESOURCE", "there is no such bus"
    if not buses.admits(bus_arn, role):
        return "NO_PERMISSIONS", f"the policy of the bus does not admit {role!r}"
    return "", ""


def _keep(rule, target, event, code, why):
    """Puts an event that was not delivered into the dead-letter queue of its target."""
    arn = (target.get("DeadLetterConfig") or {}).get("Arn", "")
    queue = sqs._queue_by_arn(arn)
    if not queue or not admits(queue["attributes"].get("Policy"), SERVICE, "sqs:SendMessage", arn, rule["Arn"]):
        return
    said = {"RULE_ARN": rule["Arn"], "TARGET_ARN": target["Arn"], "ERROR_CODE": code, "ERROR_MESSAGE": why}
    with sqs._queues_lock:
        eventbridge._dispatch_to_sqs(parse_arn(arn), json.dumps(eventbridge._pattern_event_view(event).event_with_detail()))
        queue["messages"][-1]["message_attributes"] = {name: {"DataType": "String", "StringValue": text} for name, text in said.items()}
