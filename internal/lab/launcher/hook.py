"""Wraps functions of MiniStack in functions of the launcher."""

import functools
import json


def around(module, name, table=None):
    """Decorator: calls to module.name go to the function, with the original
    as its first argument. It also replaces the entry of a dispatch table that
    contains the original. It raises an error if either does not exist."""

    def place(function):
        original = getattr(module, name)
        replacement = functools.partial(function, original)
        setattr(module, name, replacement)
        if table is not None:
            keys = [key for key, value in table.items() if value is original]
            if not keys:
                raise LookupError(f"{module.__name__}: {name} is in no dispatch table")
            for key in keys:
                table[key] = replacement
        return function

    return place


def ok(reply):
    """Returns whether a MiniStack reply (status, headers, body) is a success."""
    return reply[0] < 300


def with_json(reply, **members):
    """Returns the JSON reply with members added."""
    status, headers, body = reply
    return status, headers, json.dumps({**json.loads(body), **members}).encode()


def page(items, size, token):
    """Returns one page of items and the next token, "" after the last page.

    The token is the position; clients have to treat it as opaque.
    """
    start = int(token or 0)
    end = start + int(size or len(items) or 1)
    return items[start:end], str(end) if end < len(items) else ""
