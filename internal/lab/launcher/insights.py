"""Queries of CloudWatch Logs Insights over the fields of JSON log events.

MiniStack filters and sorts by the fields that it makes itself, such as @timestamp, and
skips any other condition. Here fields, filter, sort and limit are evaluated over the JSON
of each stored event; a command or function that is not evaluated is an error.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax.html
https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax-Filter.html
https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_AnalyzeLogData-discoverable-fields.html
"""

import json
import re

from ministack.core.responses import error_response_json, get_account_id
from ministack.services import cloudwatch_logs as cwl

from hook import around, ok

TOKEN = re.compile(r"""\s*(?:(?P<string>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')|(?P<regex>/(?:\\.|[^/\\])+/i?)|(?P<tick>`[^`]+`)
                       |(?P<number>-?\d+(?:\.\d+)?(?![\w@]))|(?P<word>[@\w][\w.@:-]*)|(?P<sign>!=|<=|>=|=~|[=<>(),|\[\]]))""", re.X)
COMPARE = {
    "=": lambda a, b: a == b, "!=": lambda a, b: a != b, "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b, ">": lambda a, b: a > b, ">=": lambda a, b: a >= b,
}
MOST = 10_000


def install():
    @around(cwl, "_start_query")
    def start_query(original, data):
        try:
            query = Query(data.get("queryString") or "")
        except (Malformed, IndexError) as error:
            return error_response_json("MalformedQueryException", f"The query is not valid: {error}", 400)
        reply = original(data)
        if ok(reply):
            stored = cwl._queries[json.loads(reply[2])["queryId"]]
            records = cwl._collect_query_records(cwl._resolve_query_log_groups(data), data["startTime"], data["endTime"] + 1)
            matched, rows = query.run(records, min(int(data.get("limit") or MOST), MOST))
            stored["results"] = rows
            stored["statistics"]["recordsMatched"] = float(matched)
        return reply


class Malformed(Exception):
    """A query that has an error, or is not evaluated here."""


class Query:
    def __init__(self, text):
        self.tokens, at = [], 0
        text = re.sub(r"(?m)^\s*#.*$", "", text).strip()
        while at < len(text):
            found = TOKEN.match(text, at)
            if not found:
                raise Malformed(f"unexpected {text[at:at + 20]!r}")
            self.tokens.append((found.lastgroup, found[found.lastgroup]))
            at = found.end()
        self.fields, self.conditions, self.order, self.limit = ["@timestamp", "@message"], [], [], MOST
        while self.tokens:
            self.command()
            if self.tokens:
                self.expect("|")

    def peek(self):
        return self.tokens[0][1].lower() if self.tokens and self.tokens[0][0] in ("word", "sign") else ""

    def take(self, *kinds):
        if not self.tokens or kinds and self.tokens[0][0] not in kinds:
            raise Malformed(f"unexpected {self.tokens[0][1] if self.tokens else 'end'!r}")
        return self.tokens.pop(0)

    def accept(self, *signs):
        return self.take()[1].lower() if self.peek() in signs else ""

    def expect(self, sign):
        if not self.accept(sign):
            raise Malformed(f"{sign!r} expected")

    def field(self):
        kind, text = self.take("word", "tick")
        return text.strip("`") if kind == "tick" else text

    def command(self):
        name = self.take("word")[1].lower()
        if name == "fields":
            self.fields = self.listed(self.field)
        elif name == "filter":
            self.conditions.append(self.either())
        elif name == "sort":
            self.order = self.listed(self.direction)
        elif name == "limit":
            self.limit = int(self.take("number")[1])
        else:
            raise Malformed(f"{name} is not evaluated in the local cloud")

    def direction(self):
        field, word = self.field(), self.accept("asc", "desc")
        if not word:
            raise Malformed("the local cloud sorts asc or desc, and has no default")
        return field, word == "desc"

    def listed(self, item):
        items = [item()]
        while self.accept(","):
            items.append(item())
        return items

    def either(self):
        options = [self.both()]
        while self.accept("or"):
            options.append(self.both())
        return lambda event: any(option(event) for option in options)

    def both(self):
        parts = [self.single()]
        while self.accept("and"):
            parts.append(self.single())
        return lambda event: all(part(event) for part in parts)

    def single(self):
        if self.accept("not"):
            inner = self.single()
            return lambda event: not inner(event)
        if self.accept("("):
            inner = self.either()
            self.expect(")")
            return inner
        name = self.field()
        if self.peek() == "(":
            return self.function(name)
        negated = bool(self.accept("not"))
        sign = self.accept("in", "like", "=~", *COMPARE)
        if sign == "in":
            self.expect("[")
            values = self.listed(self.value)
            self.expect("]")
            found = lambda event: name in event and any(compare("=", event[name], value) for value in values)
        elif sign in ("like", "=~"):
            kind, text = self.take("string", "regex")
            if kind == "string":
                part = unquoted(text)
                found = lambda event: part in event.get(name, "")
            else:
                pattern = re.compile(text.rstrip("i")[1:-1], re.I if text.endswith("i") else 0)
                found = lambda event: bool(pattern.search(event.get(name, "")))
        elif sign and not negated:
            value = self.value()
            return lambda event: name in event and compare(sign, event[name], value)
        else:
            raise Malformed(f"no operator after {name!r}")
        return (lambda event: not found(event)) if negated else found

    def function(self, name):
        self.expect("(")
        field = self.field()
        self.expect(")")
        if name.lower() not in ("ispresent", "isempty"):
            raise Malformed(f"{name} is not evaluated in the local cloud")
        return lambda event: (field in event) if name.lower() == "ispresent" else not event.get(field)

    def value(self):
        kind, text = self.take("string", "number")
        return unquoted(text) if kind == "string" else text

    def run(self, records, limit):
        """Returns how many records match, and the rows of the result."""
        events = [flat(record) for record in records]
        events = [event for event in events if all(condition(event) for condition in self.conditions)]
        for field, descending in reversed(self.order):
            events.sort(key=lambda event: sortable(event.get(field)), reverse=descending)
        rows = [[{"field": field, "value": event[field]} for field in [*self.fields, "@ptr"] if field in event]
                for event in events[:min(limit, self.limit)]]
        return len(events), rows


def unquoted(text):
    return re.sub(r"\\(.)", r"\1", text[1:-1])


def number(text):
    try:
        return float(text)
    except (TypeError, ValueError):
        return None


def compare(sign, have, want):
    """Compares numbers as numbers and everything else as text."""
    if number(have) is not None and number(want) is not None:
        return COMPARE[sign](number(have), number(want))
    return COMPARE[sign](have, want)


def sortable(value):
    return (0, 0.0, "") if value is None else (1, number(value), "") if number(value) is not None else (2, 0.0, value)


def flat(record):
    """Returns the fields of a log event: those that Logs makes, and those of its JSON, with dotted names."""
    fields = {key: str(value) for key, value in cwl._public_log_record(record).items()}
    fields["@log"] = f"{get_account_id()}:{record['@log']}"

    def add(name, value):
        if isinstance(value, dict):
            for key, inner in value.items():
                add(f"{name}.{key}" if name else key, inner)
        elif isinstance(value, list):
            for i, inner in enumerate(value):
                add(f"{name}.{i}", inner)
        elif value is not None and name:
            fields[name] = value if isinstance(value, str) else json.dumps(value)

    message = record["@message"]
    try:
        add("", json.loads(message[message.index("{"):]))
    except ValueError:  # no JSON
        pass
    return fields
