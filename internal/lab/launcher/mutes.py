"""Alarm mute rules, which MiniStack lacks: while a rule is active, its alarms take no actions.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutAlarmMuteRule.html
https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetAlarmMuteRule.html
https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_ListAlarmMuteRules.html
https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DeleteAlarmMuteRule.html

When a mute ends, alarms that are in ALARM by then do not run their actions.
"""

import json
import re
import time
from datetime import datetime, timedelta
from urllib.parse import parse_qs
from zoneinfo import ZoneInfo

import cbor2
from ministack.core.responses import AccountRegionScopedDict, get_account_id, get_region
from ministack.services import cloudwatch as cw

from alarms import members, xml
from hook import around, page

TIMES = ("ExpireDate", "StartDate", "LastUpdatedTimestamp")
PAGE = 50

_rules = AccountRegionScopedDict()  # by name: GetAlarmMuteRule's reply, without status


class Refusal(Exception):
    """An error's code and message."""


def install():
    @around(cw, "handle_request")
    async def handle_request(original, method, path, headers, body, query_params):
        protocol, operation, read = _read(path, headers, body)
        if operation not in OPERATIONS:
            return await original(method, path, headers, body, query_params)
        try:
            answer = OPERATIONS[operation](read())
        except (Refusal, cbor2.CBORError, json.JSONDecodeError) as refusal:
            why = refusal.args if isinstance(refusal, Refusal) else ("SerializationException", str(refusal))
            return cw._error(*why, 400, use_json=protocol == "json", use_cbor=protocol == "cbor")
        if protocol == "cbor":
            return cw._cbor_ok(_times(answer, cw._cbor_timestamp))
        if protocol == "json":
            return cw._json_ok(answer)
        return cw._xml(200, f"{operation}Response", f"<{operation}Result>{xml(_times(answer, cw._ts_iso))}</{operation}Result>")

    @around(cw, "_dispatch_alarm_actions")
    def dispatch(original, alarm, old_state, new_state, reason):
        if not any(alarm["AlarmName"] in _targets(r) and _status(r) == "ACTIVE" for r in _rules.values()):
            original(alarm, old_state, new_state, reason)


def _read(path, headers, body):
    """Returns protocol and operation of a request to CloudWatch, and a function that returns its parameters."""
    target = headers.get("x-amz-target", "")
    if "cbor" in headers.get("content-type", "") + headers.get("smithy-protocol", ""):
        return "cbor", path.rsplit("/", 1)[-1], lambda: cbor2.loads(body)
    if target:
        return "json", target.rsplit(".", 1)[-1], lambda: json.loads(body)
    form = parse_qs(body.decode("utf-8", "replace"))
    return "query", cw._p(form, "Action"), lambda: members(form)


def put(asked):
    schedule = (asked.get("Rule") or {}).get("Schedule") or {}
    if not asked.get("Name") or not schedule.get("Expression") or not schedule.get("Duration"):
        raise Refusal("ValidationError", "Name, Rule.Schedule.Expression and Rule.Schedule.Duration are required.")
    names = (asked.get("MuteTargets") or {}).get("AlarmNames") or []
    if len(names) > 100:  # "You can specify up to 100 alarm names."
        raise Refusal("ValidationError", "A mute rule targets up to 100 alarms.")
    rule = {key: asked[key] for key in ("Name", "Description", "Rule", "MuteTargets") if asked.get(key)}
    rule |= {key: cw._parse_ts(asked[key]) for key in ("ExpireDate", "StartDate") if asked.get(key)}
    rule |= {"AlarmMuteRuleArn": f"arn:aws:cloudwatch:{get_region()}:{get_account_id()}:alarm-mute-rule:{asked['Name']}",
             "LastUpdatedTimestamp": int(time.time()),
             "MuteType": "ONE_TIME" if schedule["Expression"].startswith("at(") else "RECURRING"}
    try:
        _status(rule)
    except (ValueError, KeyError) as error:
        raise Refusal("ValidationError", f"The schedule is not valid: {error}") from error
    _rules[asked["Name"]] = rule
    return {}


def get(asked):
    rule = _rules.get(asked.get("AlarmMuteRuleName", ""))
    if rule is None:
        raise Refusal("ResourceNotFoundException", "The alarm mute rule does not exist.")
    return {**rule, "Status": _status(rule)}


def listing(asked):
    name, statuses = asked.get("AlarmName"), asked.get("Statuses")
    found = [rule for _, rule in sorted(_rules.items())
             if (not name or name in _targets(rule)) and (not statuses or _status(rule) in statuses)]
    shown, after = page(found, asked.get("MaxRecords") or PAGE, asked.get("NextToken"))
    summaries = [{key: rule[key] for key in ("AlarmMuteRuleArn", "ExpireDate", "LastUpdatedTimestamp", "MuteType")
                  if key in rule} | {"Status": _status(rule)} for rule in shown]
    return {"AlarmMuteRuleSummaries": summaries, **({"NextToken": after} if after else {})}


def delete(asked):
    _rules.pop(asked.get("AlarmMuteRuleName", ""), None)  # "This operation is idempotent."
    return {}


OPERATIONS = {"PutAlarmMuteRule": put, "GetAlarmMuteRule": get, "ListAlarmMuteRules": listing, "DeleteAlarmMuteRule": delete}


def _targets(rule):
    return (rule.get("MuteTargets") or {}).get("AlarmNames") or []


def _times(value, convert):
    if isinstance(value, list):
        return [_times(v, convert) for v in value]
    if isinstance(value, dict):
        return {k: convert(v) if k in TIMES else _times(v, convert) for k, v in value.items()}
    return value


def _status(rule):
    schedule, now = rule["Rule"]["Schedule"], time.time()
    window = _duration(schedule["Duration"])
    local = datetime.fromtimestamp(now, ZoneInfo(schedule.get("Timezone") or "UTC")).replace(tzinfo=None)
    match = re.fullmatch(r"(at|cron)\((.+)\)", schedule["Expression"].strip())
    if match is None:
        raise ValueError(f"expression {schedule['Expression']}")
    expression, argument = match.groups()
    once = datetime.fromisoformat(argument) if expression == "at" else None
    starts = _cron(argument) if once is None else None
    if now >= rule.get("ExpireDate", now + 1) or once is not None and local >= once + window:
        return "EXPIRED"
    if now < rule.get("StartDate", 0):
        return "SCHEDULED"
    if once is not None:
        return "ACTIVE" if local >= once else "SCHEDULED"
    minute = local.replace(second=0, microsecond=0)
    active = any(starts(minute - timedelta(minutes=m)) for m in range(int(window.total_seconds() // 60)))
    return "ACTIVE" if active else "SCHEDULED"


def _duration(text):
    """Parses an ISO 8601 duration of days, hours and minutes: 1 minute to 15 days."""
    match = re.fullmatch(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?)?", text)
    days, hours, minutes = (int(n or 0) for n in match.groups()) if match else (0, 0, 0)
    window = timedelta(days=days, hours=hours, minutes=minutes)
    if not timedelta(minutes=1) <= window <= timedelta(days=15):
        raise ValueError(f"duration {text}")
    return window


MONTHS = "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC".split()
DAYS = "SUN MON TUE WED THU FRI SAT".split()


def _cron(fields):
    """Returns whether a minute matches "Minutes Hours Day-of-month Month Day-of-week"."""
    minutes, hours, days, months, weekdays = fields.split()
    allowed = [_values(minutes, 0, 59), _values(hours, 0, 23), _values(days, 1, 31),
               _values(months, 1, 12, MONTHS), {v % 7 for v in _values(weekdays, 0, 7, DAYS)}]
    return lambda at: all(v in field for v, field in zip(
        (at.minute, at.hour, at.day, at.month, at.isoweekday() % 7), allowed))


def _values(field, first, last, names=()):
    """Returns the numbers that a cron field of "*", "," and "-" allows."""
    def number(text):
        value = names.index(text.upper()) + first if text.upper() in names else int(text)
        if not first <= value <= last:
            raise ValueError(f"{text} is not between {first} and {last}")
        return value

    if field == "*":
        return set(range(first, last + 1))
    out = set()
    for part in field.split(","):
        low, _, high = part.partition("-")
        out |= set(range(number(low), number(high or low) + 1))
    return out
