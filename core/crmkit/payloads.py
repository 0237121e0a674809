"""What an interaction's payload may hold: JSON that both databases keep unchanged. Pure."""

import math
from collections.abc import Mapping
from typing import Any

import orjson

from crmkit.checking import TextError, clean_text

BYTES_MAX = 20_000
_DEPTH_MAX = 20
_INTEGER_MAX = 2**63


class PayloadError(ValueError):
    """A payload that is not plain JSON; the message says why."""


def encode_payload(payload: Mapping[str, Any]) -> bytes:
    """Return a payload as JSON with sorted keys, so that equal payloads give equal bytes.

    Raises:
        PayloadError: too long, too deep, or holding what JSON or a database cannot.
    """
    _check(payload, _DEPTH_MAX)
    encoded = orjson.dumps(payload, option=orjson.OPT_SORT_KEYS)
    if len(encoded) > BYTES_MAX:
        raise PayloadError(f"at most {BYTES_MAX} bytes of JSON, got {len(encoded)}")
    return encoded


def _check(value: object, depth: int) -> None:
    if depth == 0:
        raise PayloadError(f"at most {_DEPTH_MAX} levels deep")
    if isinstance(value, dict):
        for key, each in value.items():
            if not isinstance(key, str):
                raise PayloadError("a key must be text")
            _check_text(key)
            _check(each, depth - 1)
    elif isinstance(value, list):
        for each in value:
            _check(each, depth - 1)
    elif isinstance(value, str):
        _check_text(value)
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise PayloadError("JSON has no NaN and no infinity")
    elif isinstance(value, int):
        if not -_INTEGER_MAX <= value < _INTEGER_MAX:
            raise PayloadError("a whole number has at most 64 bits")
    elif value is not None:
        raise PayloadError(f"a {type(value).__name__} is not JSON")


def _check_text(text: str) -> None:
    try:
        clean_text(text, BYTES_MAX)
    except TextError as error:
        raise PayloadError(str(error)) from None
