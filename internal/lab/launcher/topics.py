"""Subscriptions that wait for a person to confirm them.

MiniStack confirms email at once and lists a pending subscription by its ARN.
On AWS an email or HTTP(S) endpoint has to confirm, and until then the ARN
reads "pending confirmation" in Subscribe, "PendingConfirmation" in lists.
https://docs.aws.amazon.com/sns/latest/api/API_Subscribe.html
https://docs.aws.amazon.com/sns/latest/api/API_ListSubscriptionsByTopic.html

MiniStack also publishes to a topic whose key does not work. AWS refuses that.
https://docs.aws.amazon.com/sns/latest/api/API_Publish.html

MiniStack lacks the data protection policies of topics. Here one is stored, and
protects nothing.
https://docs.aws.amazon.com/sns/latest/api/API_PutDataProtectionPolicy.html
https://docs.aws.amazon.com/sns/latest/api/API_GetDataProtectionPolicy.html
"""

import json
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

from ministack.core.responses import get_account_id
from ministack.services import kms, sns

from hook import around, ok

WAITING = ("email", "email-json")  # MiniStack itself handles http and https


def install():
    @around(sns, "_subscribe")
    def subscribe(original, params):
        known = set(sns._sub_arn_to_topic)
        reply = original(params)
        new = set(sns._sub_arn_to_topic) - known
        if not ok(reply) or not new:
            return reply
        arn = new.pop()
        sub = sns._find_subscription(sns._sub_arn_to_topic[arn], arn)
        _show_scope(sub)
        if sns._p(params, "Protocol") not in WAITING and not _elsewhere(sub):
            return reply
        sub.update(confirmed=False, token=sns.new_uuid())
        sub["attributes"].update(PendingConfirmation="true", ConfirmationWasAuthenticated="false")
        sns._refresh_subscription_counts(sns._topic_by_arn_any_scope(sub["topic_arn"]))
        if sns._p(params, "ReturnSubscriptionArn") == "true":
            return reply
        return _replace(reply, arn, "pending confirmation")

    # "{}" removes a filter policy. One over attributes has no nested keys.
    # https://docs.aws.amazon.com/sns/latest/dg/message-filtering-apply.html
    # https://docs.aws.amazon.com/sns/latest/dg/subscription-filter-policy-constraints.html
    @around(sns, "_set_subscription_attributes")
    def set_subscription_attributes(original, params):
        arn, name, value = (sns._p(params, key) for key in ("SubscriptionArn", "AttributeName", "AttributeValue"))
        sub = sns._find_subscription(sns._sub_arn_to_topic.get(arn, ""), arn) or {"attributes": {}}
        if name == "FilterPolicy" and sub["attributes"].get("FilterPolicyScope") != "MessageBody" and _nested(value):
            return sns._error("InvalidParameter", "Invalid parameter: Filter policy scope MessageAttributes does not support nested filter policy", 400)
        reply = original(params)
        if ok(reply) and name == "FilterPolicy" and value.strip() == "{}":
            del sub["attributes"]["FilterPolicy"]
        _show_scope(sub)
        return reply

    @around(sns, "publish_internal")
    def publish(original, topic_arn, *rest, **more):
        topic = sns._topic_by_arn_any_scope(topic_arn)
        name = topic["attributes"].get("KmsMasterKeyId") if topic else None
        # The account has no record of the keys of AWS itself.
        if name and "alias/aws/" not in name:
            key = kms._resolve_key(name)
            if not key:
                raise sns.SnsPublishError("KMSNotFound", f"There is no key {name}.")
            if key["KeyState"] == "Disabled":
                raise sns.SnsPublishError("KMSDisabled", f"{key['Arn']} is disabled.")
            if key["KeyState"] != "Enabled":
                raise sns.SnsPublishError("KMSInvalidState", f"{key['Arn']} is {key['KeyState']}.")
        return original(topic_arn, *rest, **more)

    @around(sns, "handle_request")
    async def handle_request(original, method, path, headers, body, query_params):
        params = query_params | parse_qs(body.decode("utf-8", "replace"))
        operation = sns._p(params, "Action")
        if operation not in ("PutDataProtectionPolicy", "GetDataProtectionPolicy"):
            return await original(method, path, headers, body, query_params)
        topic, refusal = sns._get_topic(sns._p(params, "ResourceArn"), f"sns:{operation}")
        if refusal is not None:
            return refusal
        if operation == "PutDataProtectionPolicy":
            topic["data_protection"] = sns._p(params, "DataProtectionPolicy")
            return sns._xml(200, "PutDataProtectionPolicyResponse", "")
        policy = escape(topic.get("data_protection", ""))
        return sns._xml(200, "GetDataProtectionPolicyResponse",
                        f"<GetDataProtectionPolicyResult><DataProtectionPolicy>{policy}</DataProtectionPolicy></GetDataProtectionPolicyResult>")

    for name in ("_list_subscriptions", "_list_subscriptions_by_topic"):
        around(sns, name)(listing)


def _elsewhere(sub):
    """Returns whether a subscriber is a queue or function of another account, whose owner has to confirm.

    https://docs.aws.amazon.com/sns/latest/dg/sns-send-message-to-sqs-cross-account.html
    """
    owner = sub["endpoint"].split(":")[4:5] if sub["endpoint"].startswith("arn:") else []
    return bool(owner) and owner[0] != get_account_id()


def _nested(policy):
    try:
        return any(isinstance(value, dict) for value in json.loads(policy or "{}").values())
    except (AttributeError, ValueError):
        return False


def _show_scope(sub):
    """The scope of a filter policy shows, also where nobody chose it."""
    if sub["attributes"].get("FilterPolicy"):
        sub["attributes"].setdefault("FilterPolicyScope", "MessageAttributes")


def listing(original, params):
    reply = original(params)
    for topic in sns._topics.values():
        for sub in topic["subscriptions"]:
            if not sub["confirmed"]:
                reply = _replace(reply, sub["arn"], "PendingConfirmation")
    return reply


def _replace(reply, old, new):
    status, headers, body = reply
    return status, headers, body.replace(old.encode(), new.encode())
