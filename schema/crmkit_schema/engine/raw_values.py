"""How columns reach Python by way of JSON, as the values that SQLAlchemy would make of them."""

from collections.abc import Callable
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Enum, Numeric
from sqlalchemy.types import TypeDecorator, TypeEngine

from crmkit_schema.engine.codecs import kind_of
from crmkit_schema.engine.json_sql import Expression, JsonSql
from crmkit_schema.engine.uncovered import Uncovered

Encode = Callable[[JsonSql, Expression], Expression]
Decode = Callable[[Any], Any]
_DIGITS = 10


def raw(json: JsonSql, column: Expression) -> tuple[Expression, Decode]:
    """Return a column as JSON, and what makes its Python value of it again.

    Raises:
        Uncovered: it has no form in JSON.
    """
    encode, decode = _ways(json, column.type, column.type)
    return encode(json, column), decode


def _ways(json: JsonSql, stored: TypeEngine[Any], declared: Any) -> tuple[Encode, Decode]:
    kind = kind_of(stored)
    if kind == "exact" and isinstance(stored, Numeric):
        return _NUMBER, _exact(stored)
    if kind == "enum" and isinstance(stored, Enum):
        process: Decode | None = stored.result_processor(json.dialect, None)  # type: ignore[no-untyped-call]
        return _VALUE, process or str
    if kind in _RAW:
        return _RAW[kind]
    if isinstance(stored, TypeDecorator):
        inner = stored.load_dialect_impl(json.dialect)
        encode, decode = _ways(json, inner, declared)
        return encode, lambda value: stored.process_result_value(decode(value), json.dialect)
    raise Uncovered(f"a column of type {declared!r} has no form in JSON")


def _exact(stored: Numeric[Any]) -> Decode:
    """Return what makes the number that SQLAlchemy makes, on SQLite of a float."""
    digits = _DIGITS if stored.scale is None else stored.scale
    if not stored.asdecimal:
        return float
    return lambda value: Decimal(value if isinstance(value, str) else f"{value:.{digits}f}")


_VALUE: Encode = lambda json, column: json.value(column)  # noqa: E731 a table reads better so
_NUMBER: Encode = lambda json, column: json.exact(column)  # noqa: E731 a table reads better so
_RAW: dict[str, tuple[Encode, Decode]] = {
    "text": (_VALUE, str),
    "int": (_VALUE, int),
    "long": (_VALUE, int),
    "float": (lambda json, column: json.number(column), float),
    "truth": (lambda json, column: json.boolean(column), bool),
    "instant": (lambda json, column: json.instant(column), datetime.fromisoformat),
    "moment": (_VALUE, datetime.fromisoformat),
    "day": (lambda json, column: json.day(column), date.fromisoformat),
    "time": (_VALUE, time.fromisoformat),
    "uuid": (lambda json, column: json.value(json.hex_id(column)), lambda text: UUID(hex=text)),
    "bytes": (lambda json, column: json.value(json.hex_bytes(column)), bytes.fromhex),
    "json": (lambda json, column: json.document(column), lambda value: value),
}
