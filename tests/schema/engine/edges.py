"""A plugin with a type for every kind of column, whose rows are the edges of what it can hold."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import strawberry
from sqlalchemy import FromClause, literal, null, select, union_all
from sqlalchemy.types import (
    BigInteger,
    Boolean,
    Date,
    Double,
    Integer,
    Numeric,
    String,
    TypeEngine,
    Uuid,
)
from strawberry.scalars import JSON
from tests.schema.engine.extras_moods import Mood

from crmkit import Instant, Plugin, SchemaContribution, hookimpl
from crmkit.columns import Json
from crmkit_schema import (
    PUBLIC,
    Amount,
    Codec,
    Connection,
    Long,
    computed,
    connection,
    mapped,
    object_type,
)

TEXTS = [
    "", " ", "a", "A", "'", '"', "\\", "\n\r\t\x01\x1f\x7f", "\x80\x9f", "é", "e\u0301", "名", "🎈",
    "\U0010ffff", "\u2028\u2029\ufeff\ufffd", "</script>", "%s %(a)s :a ? $1 {0}", "\\u0000",
    "null", "0", "x" * 3000,
]  # fmt: skip
LONGS = [0, 1, -1, 2**31 - 1, -(2**31), 2**31, 2**53, -(2**53), 2**63 - 1, -(2**63)]
FLOATS = [
    0.0, 1.0, -1.5, 0.1, 1 / 3, 1e16, 1e21, 1e22, 123456789012345680.0, 1e-7, 5e-324,
    2.2250738585072014e-308, 1.7976931348623157e308, 100000.0, 1e15, 2**53 + 2.0,
]  # fmt: skip
INSTANTS = [
    datetime(1900, 1, 1, tzinfo=UTC), datetime(2199, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
    datetime(2026, 6, 15, 4, 0, tzinfo=UTC), datetime(2026, 6, 15, 4, 0, 0, 1, tzinfo=UTC),
    datetime(2026, 6, 15, 4, 0, 0, 120_000, tzinfo=UTC), datetime(1969, 12, 31, 23, 59, 59, 500_000,
                                                                  tzinfo=UTC),
]  # fmt: skip
JSONS: list[Any] = [
    {}, [], {"b": 1, "a": [1, 2.5, None, True]}, "名 🎈", 'quo"te\n\x01', 0, -1, 2**53, 2**63 - 1,
    0.1, 1.0, 1e-7, 1e300, True, [[[]]], {"": ""}, "\\u0000",
]  # fmt: skip
IDS = [UUID(int=0), UUID(int=2**128 - 1), UUID("01970000-0000-7000-8000-0123456789ab")]


@dataclass(frozen=True)
class Kind:
    """Columns of one kind, read as one GraphQL type.

    Attributes:
        codec: key in the table of codecs, or the name of a codec of a field.
    """

    codec: tuple[str, str] | str
    annotation: Any
    stored: TypeEngine[Any]
    values: Sequence[Any]
    read_by: Codec | None = None


KINDS: dict[str, Kind] = {
    "Text": Kind(("String", "text"), str, String(), TEXTS),
    "NamedText": Kind(("ID", "text"), strawberry.ID, String(), TEXTS[:8]),
    "AmountText": Kind(("Amount", "text"), Amount, String(), ["0", "-0.05", "12.50"]),
    "Small": Kind(("Int", "int"), int, Integer(), LONGS[:5]),
    "Wide": Kind(("Int", "long"), int, BigInteger(), LONGS),
    "LongSmall": Kind(("Long", "int"), Long, Integer(), LONGS[:5]),
    "LongWide": Kind(("Long", "long"), Long, BigInteger(), LONGS),
    "Real": Kind(("Float", "float"), float, Double(), FLOATS),
    "Truth": Kind(("Boolean", "truth"), bool, Boolean(), [True, False]),
    "Moment": Kind(("DateTime", "instant"), datetime, Instant(), INSTANTS),
    "Day": Kind(("Date", "day"), date, Date(), [date(1, 1, 1), date(2000, 2, 29), date.max]),
    "Anything": Kind(("JSON", "json"), JSON, Json, JSONS),
    "Enum": Kind("enum", Mood, String(), ["good", "bad", "unknown"]),
    "GlobalId": Kind(
        "id", strawberry.ID, Uuid(), IDS, Codec("id:edg", lambda value: f"edg_{value.hex}")
    ),
    "Scaled": Kind(
        "decimal", Amount, BigInteger(), LONGS[:-1],
        Codec("decimal:3", lambda value: format((Decimal(value) / 1000).normalize(), "f")),
    ),
    "Reversed": Kind(
        "python", str, String(), TEXTS[:8], Codec("reversed", lambda value: value[::-1])
    ),
    "Exact": Kind("exact", float, Numeric(12, 3, asdecimal=False), [Decimal("0.125"), Decimal(7)]),
}  # fmt: skip


def _rows(kind: Kind) -> FromClause:
    """Return rows with each value twice: as it is, and missing in the last row."""
    several = [
        select(
            literal(at, Integer()).label("id"),
            literal(value, kind.stored).label("value"),
            literal(value, kind.stored).label("maybe"),
        )
        for at, value in enumerate(kind.values)
    ]
    last = literal(kind.values[0], kind.stored).label("value")
    without = select(literal(len(several), Integer()).label("id"), last, null().label("maybe"))
    return union_all(*several, without).subquery("edges")


def _seen(parents: Sequence[Any], _context: Any) -> list[str]:
    """Say what Python gets."""
    return [repr((each.value, each.maybe)) for each in parents]


def _type_of(name: str, kind: Kind) -> type:
    namespace: dict[str, Any] = {
        "__doc__": "Edges.",
        "__annotations__": {
            "value": kind.annotation | None,
            "maybe": kind.annotation | None,
            "seen": str,
        },
        "value": mapped("A value.", codec=kind.read_by),
        "maybe": mapped("The same, or nothing.", codec=kind.read_by),
        "seen": computed("In Python.", _seen, needs=("value", "maybe")),
    }
    order = ("id",) if name in ("Anything", "Real", "Exact", "Truth") else ("value", "id")
    made = type(f"Edges{name}", (), namespace)
    return object_type(_rows(kind), permission=PUBLIC, sorted_by=order)(made)


def _query() -> type:
    types = {name: _type_of(name, kind) for name, kind in KINDS.items()}
    namespace: dict[str, Any] = {
        "__doc__": "Root fields.",
        "__annotations__": {f"edges_{n.lower()}": Connection[t] for n, t in types.items()},  # type: ignore[valid-type]
        **{f"edges_{name.lower()}": connection("Edges.", permission=PUBLIC) for name in types},
    }
    return strawberry.type(type("EdgesQuery", (), namespace))


plugin = Plugin(name="edges", version="1", summary="For a test.")


@hookimpl
def register_graphql() -> SchemaContribution:
    """A list of every type."""
    return SchemaContribution(queries=(_query(),))
