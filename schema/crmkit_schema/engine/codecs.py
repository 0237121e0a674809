"""How values of each kind leave the database: one table for both dialects.

A codec belongs to a GraphQL type together with the type of the column it is read from. Where there
is none, the operation is left to the reference executor.
"""

from collections.abc import Callable
from typing import Any

from graphql import GraphQLEnumType, GraphQLLeafType
from sqlalchemy.types import (
    JSON,
    BigInteger,
    Boolean,
    Date,
    DateTime,
    Double,
    Enum,
    Float,
    Integer,
    LargeBinary,
    Numeric,
    String,
    Time,
    TypeDecorator,
    TypeEngine,
    Uuid,
)

from crmkit import Instant
from crmkit_schema.engine.concatenation import concatenated
from crmkit_schema.engine.json_sql import Expression, JsonSql, quoted
from crmkit_schema.engine.uncovered import Uncovered
from crmkit_schema.sources import Codec

Encode = Callable[[JsonSql, Expression], Expression]
Write = Callable[[JsonSql, Expression], Expression | None]


def encoded(
    json: JsonSql, leaf: GraphQLLeafType, codec: Codec | None, column: Expression
) -> Expression | None:
    """Return a column as JSON of a GraphQL scalar or enum; None if only Python can write it."""
    kind = kind_of(column.type)
    if codec is not None:
        return _by_codec(json, codec, kind, column)
    if isinstance(leaf, GraphQLEnumType) and kind == "text":
        names = enum_names(leaf)
        return None if names is None else json.choice(column, names)
    found = _CODECS.get((leaf.name, kind))
    return None if found is None else found(json, column)


def placed(json: JsonSql, column: Expression) -> Expression:
    """Return a value as cursors hold it.

    Raises:
        Uncovered: cursors of this type are written in Python alone.
    """
    found = _PLACES.get(kind_of(column.type))
    if found is None:
        raise Uncovered(f"no cursor in SQL for a column of type {column.type!r}")
    return found(json, column)


def kind_of(stored: TypeEngine[Any]) -> str:
    """Return the kind of a column's type; empty if codecs do not know it."""
    if isinstance(stored, Instant):
        return "instant"
    if isinstance(stored, TypeDecorator):
        return kind_of(stored.impl_instance) if type(stored).__name__ == "AutoString" else ""
    for type_, kind in _KINDS:
        if isinstance(stored, type_):
            return kind
    return ""


def enum_names(leaf: GraphQLEnumType) -> dict[str, str] | None:
    """Return the GraphQL names of an enum by stored value; None if its values are not text."""
    names = {getattr(each.value, "value", each.value): name for name, each in leaf.values.items()}
    return names if all(isinstance(value, str) for value in names) else None


def _by_codec(json: JsonSql, codec: Codec, kind: str, column: Expression) -> Expression | None:
    name, _, rest = codec.name.partition(":")
    if name == "id" and kind == "uuid":
        return json.value(concatenated([quoted(rest + "_"), json.hex_id(column)]))
    if name == "decimal" and kind in ("int", "long"):
        return json.value(json.scaled(column, int(rest)))
    return None


_KINDS: tuple[tuple[type[TypeEngine[Any]], str], ...] = (
    (Boolean, "truth"),
    (Enum, "enum"),
    (BigInteger, "long"),
    (Integer, "int"),
    (Double, "float"),
    (Float, "float"),
    (Numeric, "exact"),
    (DateTime, "moment"),
    (Date, "day"),
    (Time, "time"),
    (LargeBinary, "bytes"),
    (Uuid, "uuid"),
    (JSON, "json"),
    (String, "text"),
)
_VALUE: Encode = lambda json, column: json.value(column)  # noqa: E731 a table reads better so
_CODECS: dict[tuple[str, str], Write] = {
    ("String", "text"): _VALUE,
    ("ID", "text"): _VALUE,
    ("Amount", "text"): _VALUE,
    ("Int", "int"): lambda json, column: json.whole(column),
    ("Int", "long"): lambda json, column: json.whole(column),
    ("Long", "int"): _VALUE,
    ("Long", "long"): _VALUE,
    ("Float", "float"): lambda json, column: json.decimal(column),
    ("Boolean", "truth"): lambda json, column: json.boolean(column),
    ("DateTime", "instant"): lambda json, column: json.instant(column),
    ("Date", "day"): lambda json, column: json.day(column),
    ("JSON", "json"): lambda json, column: json.document(column),
}
_PLACES: dict[str, Encode] = {
    "text": lambda _json, column: column,
    "int": lambda _json, column: column,
    "long": lambda _json, column: column,
    "instant": lambda json, column: json.instant_offset(column),
    "day": lambda _json, column: column,
    "uuid": lambda json, column: json.hex_id(column),
}
