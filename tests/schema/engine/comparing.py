"""Whether two answers say the same, to the byte but for what nobody promises."""

import re
from typing import Any

import orjson

from crmkit_schema.requests import GraphQLAnswer

_REFERENCE = re.compile(rb'(finds it as |"reference":")([0-9a-f]{12})')


def said(answer: GraphQLAnswer) -> bytes:
    """Return an answer as JSON without spaces, its random references numbered as they come."""
    text = orjson.dumps(orjson.loads(answer.encoded()))
    seen: dict[bytes, bytes] = {}

    def numbered(found: re.Match[bytes]) -> bytes:
        number = seen.setdefault(found[2], b"%d" % len(seen))
        return found[1] + number

    return _REFERENCE.sub(numbered, text)


def are_same(planned: bytes, expected: bytes) -> bool:
    """Tell whether two answers have the same keys, values and errors, in the same order.

    A number of type Float may lack its fraction where that is zero: both are the same in JSON.
    """
    if planned == expected:
        return True
    return _is_same(orjson.loads(planned), orjson.loads(expected))


def _is_same(planned: Any, expected: Any) -> bool:
    if type(planned) is int and type(expected) is float:
        return planned == expected
    if type(planned) is not type(expected):
        return False
    if isinstance(planned, dict):
        return list(planned) == list(expected) and all(
            _is_same(each, expected[key]) for key, each in planned.items()
        )
    if isinstance(planned, list):
        return len(planned) == len(expected) and all(map(_is_same, planned, expected))
    return bool(planned == expected)
