"""Cursors: where a row lies in an order, as opaque text that a client may send back."""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy.types import TypeDecorator, TypeEngine

from crmkit_schema.values import bad_input, refuse_unstorable

_INT_MAX = 2**63 - 1


def write_cursor(place: Sequence[Any], order_name: str) -> str:
    """Return the cursor of a row from the values of the order's columns.

    Args:
        order_name: names the order; the cursor is good for no other.
    """
    # Hexadecimal, since both databases can write that too.
    return orjson.dumps([order_name, *(_written(each) for each in place)]).hex()


def read_cursor(cursor: str, order_name: str, types: Sequence[type]) -> list[Any]:
    """Return the values a cursor holds, each of its column's type.

    Raises:
        GraphQLError: it is not a cursor of a list in this order; code BAD_USER_INPUT.
    """
    try:
        text = bytes.fromhex(cursor)
        name, *values = orjson.loads(text)
    except (ValueError, TypeError):
        raise bad_input("that is not a cursor that crmkit gave") from None
    if text.hex() != cursor:  # spaces and capitals are not ours
        raise bad_input("that is not a cursor that crmkit gave")
    if name != order_name or len(values) != len(types):
        raise bad_input("that cursor belongs to a list in another order")
    try:
        return [_READ[type_](value) for type_, value in zip(types, values, strict=True)]
    except (ValueError, TypeError, ArithmeticError):
        raise bad_input("that is not a cursor that crmkit gave") from None


def python_type(stored: TypeEngine[Any]) -> type:
    """Return what Python makes of a column's values; `object` if it cannot stand in a cursor."""
    inner = stored.impl_instance if isinstance(stored, TypeDecorator) else stored
    try:
        return inner.python_type if inner.python_type in _READ else object
    except NotImplementedError:
        return object


def _written(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, UUID):
        return value.hex
    return str(value) if isinstance(value, Decimal) else value


def _exactly(type_: type, value: Any) -> Any:
    if type(value) is not type_:
        raise TypeError(f"not {type_.__name__}")
    return value


def _text(value: Any) -> str:
    refuse_unstorable(_exactly(str, value))
    return str(value)


def _whole(value: Any) -> int:
    if abs(_exactly(int, value)) > _INT_MAX:
        raise ValueError("too large")
    return int(value)


def _instant(value: Any) -> datetime:
    at = datetime.fromisoformat(_exactly(str, value))
    if at.tzinfo is None:
        raise ValueError("naive")
    return at.astimezone(UTC)


_READ: dict[type, Callable[[Any], Any]] = {
    str: _text,
    int: _whole,
    bool: lambda value: _exactly(bool, value),
    float: lambda value: float(_exactly(float, value)),
    Decimal: lambda value: Decimal(_exactly(str, value)),
    datetime: _instant,
    date: lambda value: date.fromisoformat(_exactly(str, value)),
    UUID: lambda value: UUID(hex=_exactly(str, value)),
}
