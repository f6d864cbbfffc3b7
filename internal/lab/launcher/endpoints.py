"""The lab's own endpoints, for callers that have the token: /_lab/...

POST events               puts complete EventBridge events on a bus, aws.* sources
                          included, which PutEvents refuses as AWS does
GET  identity/KEY         the principal that an access key belongs to
GET  alarms/ACCT/REGION   stored metric alarms, all or ?name=...
GET  pending/ACCT/REGION  the contents of subscribers' mailboxes: unconfirmed subscriptions with their token
POST poll/on, poll/off    whether functions receive messages from queues; poll/off/QUEUE is about one
POST schedules/on, schedules/off  whether schedules invoke their targets
POST cold                 ends the processes of functions, so that each starts cold, as Lambda may at any time
POST drop                 removes the messages of the queues that feed functions
POST age/ACCT/SECONDS     makes the roles of an account older
"""

import datetime
import hmac
import json
from urllib.parse import parse_qs

from ministack import app
from ministack.core import lambda_runtime
from ministack.core.iam_evaluator import find_iam_access_key_account, is_root_access_key
from ministack.core.responses import get_account_id, get_region, request_scope, set_request_account_id
from ministack.services import cloudwatch, eventbridge, iam, sns, sts

import batches
import schedules
from hook import around


def install(token):
    @around(app, "app")
    async def serve(original, scope, receive, send):
        if scope["type"] != "http" or not scope["path"].startswith("/_lab/"):
            return await original(scope, receive, send)
        given = dict(scope["headers"]).get(b"x-lab-token", b"").decode("latin-1")
        if not hmac.compare_digest(given, token):
            return await _reply(send, 403, {"error": "this endpoint is the lab's own"})
        body = await _body(receive)
        kind, *rest = scope["path"].split("/")[2:]
        query = parse_qs(scope["query_string"].decode())
        try:
            answer = {"events": put, "identity": identity, "alarms": alarms, "pending": pending,
                      "poll": batches.poll, "drop": batches.drop, "cold": cold, "schedules": schedules.switch, "age": age}[kind](
                *rest, **({"events": json.loads(body)} if body else {}), **query)
        except Exception as error:  # the caller prints it; the emulator continues
            return await _reply(send, 500, {"error": f"{type(error).__name__}: {error}"})
        await _reply(send, 200, answer)


async def _body(receive):
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body


async def _reply(send, status, answer):
    await send({"type": "http.response.start", "status": status,
                "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": json.dumps(answer).encode()})


def cold():
    lambda_runtime.reset()
    return {}


def age(account, seconds):
    with request_scope(account, get_region()):
        for role in iam._roles.values():
            made = datetime.datetime.fromisoformat(role["CreateDate"]) - datetime.timedelta(seconds=int(seconds))
            role["CreateDate"] = made.strftime("%Y-%m-%dT%H:%M:%SZ")
    return {}


def put(events):
    """Dispatches the events in order, each in its own account and region."""
    for e in events:
        with request_scope(e["account"], e["region"]):
            eventbridge._ensure_default_bus()
            event = {
                "EventId": e["id"],
                "Source": e["source"],
                "DetailType": e["detail-type"],
                "Detail": json.dumps(e["detail"]),
                "EventBusName": e.get("bus") or "default",
                "Time": int(datetime.datetime.fromisoformat(e["time"]).timestamp()),
                "Resources": e.get("resources") or [],
                "Account": e["account"],
                "Region": e["region"],
            }
            eventbridge._dispatch_event(event)
            eventbridge._archive_event(event)
    return {"put": len(events)}


def identity(key):
    """Returns the principal of an access key, in the words of CloudTrail's userIdentity."""
    set_request_account_id(find_iam_access_key_account(key) or key)
    account = get_account_id()
    if is_root_access_key(key):
        return {"type": "Root", "principalId": account, "arn": f"arn:aws:iam::{account}:root", "accountId": account}
    session = sts._sessions.get(key)
    if session is None:
        return _user(key, account)
    arn = session["Arn"]
    who = {"type": "AssumedRole", "principalId": session.get("UserId", ""), "arn": arn, "accountId": arn.split(":")[4]}
    if ":assumed-role/" not in arn:
        return {**who, "type": "IAMUser" if ":user/" in arn else "Root"}
    name = arn.split("/")[1]
    role = iam._roles.get_scoped(who["accountId"], None, name) or {}
    since = datetime.datetime.fromtimestamp(int(session["IssuedAt"]), datetime.timezone.utc)
    return {**who, "since": since.isoformat(), "issuer": {
        "type": "Role",
        "principalId": role.get("RoleId", ""),
        "arn": role.get("Arn") or f"arn:aws:iam::{who['accountId']}:role/{name}",
        "accountId": who["accountId"],
        "userName": name,
    }}


def _user(key, account):
    record = iam._access_keys.get_scoped(account, None, key)
    if record is None:
        return {}
    user = iam._users.get_scoped(account, None, record["UserName"]) or {}
    return {"type": "IAMUser", "principalId": user.get("UserId", ""), "arn": user.get("Arn", ""),
            "accountId": account, "userName": record["UserName"]}


def alarms(account, region, name=()):
    with request_scope(account, region):
        return {n: a for n, a in cloudwatch._alarms.items() if not name or n in name}


def pending(account, region):
    with request_scope(account, region):
        return [{"topicArn": s["topic_arn"], "protocol": s["protocol"], "endpoint": s["endpoint"], "token": s["token"]}
                for t in sns._topics.values() for s in t["subscriptions"] if not s["confirmed"]]
