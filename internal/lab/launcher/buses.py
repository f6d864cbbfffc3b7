"""The policies of event buses, and events that callers put on a bus of another account.

MiniStack drops the policy of a bus in a template, and evaluates no policy of a bus. Its
PutEvents knows no bus of another account.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-events-eventbus.html
https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutPermission.html
https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-bus-perms.html
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-cross-account.html

An event has the account and region of who sent it, on whichever bus it is. The sender's own
policy must allow it, too: see authorization and forwarding.
https://docs.aws.amazon.com/eventbridge/latest/ref/events-structure.html
"""

import json
import re
import time

from ministack.core import iam_evaluator
from ministack.core.responses import error_response_json, get_account_id, get_region, json_response, new_uuid, request_scope
from ministack.services import eventbridge
from ministack.services.cloudformation import provisioners

from hook import around


def install():
    for name in ("_eb_event_bus_create", "_eb_event_bus_update"):
        around(provisioners, name, provisioners._RESOURCE_HANDLERS["AWS::Events::EventBus"])(with_policy)

    @around(eventbridge, "_delete_event_bus")
    def delete(original, data):
        eventbridge._event_bus_policies.pop(data.get("Name"), None)
        return original(data)

    @around(eventbridge, "_put_permission")
    def put_permission(original, data):
        if data.get("Policy"):
            eventbridge._event_bus_policies[data.get("EventBusName") or "default"] = json.loads(data["Policy"])
            return json_response({})
        if re.fullmatch(r"\d{12}", data.get("Principal", "")):
            data = data | {"Principal": {"AWS": f"arn:aws:iam::{data['Principal']}:root"}}
        return original(data)

    @around(eventbridge, "_put_events")
    def put_events(original, data, allow_aws_source=False):
        entries, caller = data.get("Entries", []), iam_evaluator.caller_arn()
        for arn in () if allow_aws_source else map(bus_of, entries):
            if not admits(arn, caller):
                return error_response_json(
                    "AccessDeniedException", f"User: {caller} is not authorized to perform: events:PutEvents on resource: {arn} "
                    "because no resource-based policy allows the events:PutEvents action", 400)
        if not any(map(_foreign, entries)):
            return original(data, allow_aws_source=allow_aws_source)
        results = []
        for entry in entries:
            results += [_put(entry)] if _foreign(entry) else json.loads(original({"Entries": [entry]}, allow_aws_source=allow_aws_source)[2])["Entries"]
        return json_response({"FailedEntryCount": sum("ErrorCode" in one for one in results), "Entries": results})


def with_policy(original, physical_id, *args):
    """Makes or updates a bus with its policy. The properties are the last but one argument."""
    name, attributes = original(physical_id, *args)
    policy = args[-2].get("Policy")
    if policy:
        eventbridge._event_bus_policies[name] = json.loads(policy) if isinstance(policy, str) else policy
    else:
        eventbridge._event_bus_policies.pop(name, None)
    return name, attributes


def bus_of(entry):
    """Returns the ARN of the bus of an entry of PutEvents."""
    name = entry.get("EventBusName") or "default"
    return name if name.startswith("arn:") else f"arn:aws:events:{get_region()}:{get_account_id()}:event-bus/{name}"


def exists(bus_arn):
    _, _, _, region, owner, resource = bus_arn.split(":", 5)
    with request_scope(owner, region):
        eventbridge._ensure_default_bus()
        return resource.split("/", 1)[-1] in eventbridge._event_buses


def admits(bus_arn, principal_arn):
    """Returns whether the policy of a bus lets a principal put events there.

    A principal of the bus's account needs no policy of the bus, which may still deny it.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic-cross-account.html
    """
    _, _, _, region, owner, resource = bus_arn.split(":", 5)
    sender = principal_arn.split(":")[4]
    policy = eventbridge._event_bus_policies.get_scoped(owner, region, resource.split("/", 1)[-1])
    context = iam_evaluator.EvalContext(
        principal_arn=principal_arn, principal_type="AssumedRole", principal_account=sender, action="events:PutEvents",
        resource_arn=bus_arn, region=region)
    return iam_evaluator.resource_policy_allows(policy, context, same_account=sender == owner)


def _foreign(entry):
    _, _, _, region, owner, _ = bus_of(entry).split(":", 5)
    return region == get_region() and owner != get_account_id()


def _put(entry):
    """Puts an entry on the bus of another account and returns its result."""
    if str(entry.get("Source")).startswith("aws."):
        return {"ErrorCode": "NotAuthorizedForSourceException", "ErrorMessage": "Not authorized for the source."}
    arn = bus_of(entry)
    if not exists(arn):
        return {"ErrorCode": "ResourceNotFoundException", "ErrorMessage": f"There is no bus {arn}."}
    event = {
        "EventId": new_uuid(), "Source": entry.get("Source", ""), "DetailType": entry.get("DetailType", ""), "Detail": entry.get("Detail", "{}"),
        "EventBusName": arn.split("/", 1)[-1], "Time": int(time.time()), "Resources": entry.get("Resources", []),
        "Account": get_account_id(), "Region": get_region(),
    }
    put(event, arn)
    return {"EventId": event["EventId"]}


def put(event, bus_arn):
    """Puts an event on a bus of any account and region."""
    _, _, _, region, owner, _ = bus_arn.split(":", 5)
    with request_scope(owner, region):
        eventbridge._dispatch_event(event)
