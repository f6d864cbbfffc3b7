"""TestMetricFilter, which MiniStack lacks, for patterns of JSON and of words between blanks.

A field that does not exist satisfies no comparison: the guide says nothing of that.
https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_TestMetricFilter.html
https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
"""

import fnmatch
import json
import re

from ministack.core.responses import error_response_json, json_response
from ministack.services import cloudwatch_logs as cwl

from hook import around

TOKEN = re.compile(r'\s*(\{|\}|\(|\)|&&|\|\||!=|>=|<=|=|>|<|NOT EXISTS|EXISTS|IS (?:NULL|TRUE|FALSE)|"(?:[^"\\]|\\.)*"|[^\s"(){}&|=!<>]+)')
COLUMN = re.compile(r'\s*\w+\s*(?:(!?=)\s*("?)([^"]*?)\2)?\s*$')
CONSTANTS = {"IS NULL": None, "IS TRUE": True, "IS FALSE": False}


def install():
    @around(cwl, "handle_request")
    async def handle_request(original, method, path, headers, body, query_params):
        if headers.get("x-amz-target", "").split(".")[-1] != "TestMetricFilter":
            return await original(method, path, headers, body, query_params)
        data = json.loads(body)
        try:
            found = [(i, m) for i, m in enumerate(data["logEventMessages"]) if matches(data["filterPattern"], m)]
        except (ValueError, IndexError) as error:
            return error_response_json("InvalidParameterException", f"Invalid metric filter pattern: {error}", 400)
        return json_response({"matches": [{"eventNumber": i + 1, "eventMessage": m, "extractedValues": {}} for i, m in found]})


def matches(pattern, message):
    tokens, at = [], 0
    pattern = pattern.strip()
    if pattern[:1] == "[" and pattern[-1:] == "]":
        return _columns(pattern[1:-1].split(","), message.split())
    while at < len(pattern):
        found = TOKEN.match(pattern, at)
        if not found:
            raise ValueError(pattern[at:])
        tokens.append(found.group(1))
        at = found.end()
    if tokens[:1] != ["{"] or tokens[-1:] != ["}"]:
        raise ValueError("no pattern of JSON")
    tokens = tokens[1:-1]
    result = _any(tokens, json.loads(message))
    if tokens:
        raise ValueError(tokens[0])
    return result


def _columns(columns, words):
    """Compares words by their place alone; an ellipsis stands for any number of them."""
    if not columns:
        return not words
    if columns[0].strip() == "...":
        return any(_columns(columns[1:], words[i:]) for i in range(len(words) + 1))
    found = COLUMN.match(columns[0])
    if not found:
        raise ValueError(columns[0])
    op, _, want = found.groups()
    return bool(words) and (not op or _compare(words[0], op, want)) and _columns(columns[1:], words[1:])


def _any(tokens, record):
    result = _all(tokens, record)
    while tokens[:1] == ["||"]:
        del tokens[0]
        result = _all(tokens, record) or result
    return result


def _all(tokens, record):
    result = _one(tokens, record)
    while tokens[:1] == ["&&"]:
        del tokens[0]
        result = _one(tokens, record) and result
    return result


def _one(tokens, record):
    first = tokens.pop(0)
    if first == "(":
        result = _any(tokens, record)
        if tokens.pop(0) != ")":
            raise ValueError("a parenthesis is open")
        return result
    values, op = _values([record], re.findall(r"[\w-]+|\*", first)), tokens.pop(0)
    if op in ("EXISTS", "NOT EXISTS"):
        return bool(values) == (op == "EXISTS")
    if op in CONSTANTS:
        return any(v is CONSTANTS[op] for v in values)
    want = tokens.pop(0).strip('"')
    return any(_compare(v, op, want) for v in values)


def _values(nodes, path):
    for step in path:
        found = []
        for node in nodes:
            if isinstance(node, dict) and step in node:
                found.append(node[step])
            elif isinstance(node, list):
                found += node if step == "*" else node[int(step):int(step) + 1]
        nodes = found
    return nodes


def _compare(value, op, want):
    if op in ("=", "!="):
        equal = fnmatch.fnmatchcase(str(value), want.replace("[", "[[]").replace("?", "[?]"))
        return equal == (op == "=")
    return {">": value > float(want), "<": value < float(want), ">=": value >= float(want), "<=": value <= float(want)}[op]
