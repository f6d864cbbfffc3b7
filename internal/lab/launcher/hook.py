"""Puts a function of ours around one of MiniStack's."""

import functools
import json


def around(module, name, table=None):
    """Decorator: calls to module.name go to the function, with the original
    as its first argument. Also replaces the entry of a dispatch table that
    holds the original. Raises if either is gone."""

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
    """Whether a MiniStack reply (status, headers, body) is a success."""
    return reply[0] < 300


def with_json(reply, **members):
    """The JSON reply with members added."""
    status, headers, body = reply
    return status, headers, json.dumps({**json.loads(body), **members}).encode()


def page(items, size, token):
    """One page of items and the next token, "" after the last.

    The token is the position, which is all a client may know of it: opaque.
    """
    start = int(token or 0)
    end = start + int(size or len(items) or 1)
    return items[start:end], str(end) if end < len(items) else ""
