"""JSON in PostgreSQL: rows become objects by their column names, values by their types."""

from collections.abc import Sequence
from itertools import count
from typing import Any

from sqlalchemy import FromClause, and_, case, cast, func, literal_column, null, select, true
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine.interfaces import Dialect
from sqlalchemy.types import JSON, String, Text

from crmkit_schema.engine.concatenation import concatenated
from crmkit_schema.engine.currencies import by_digits
from crmkit_schema.engine.json_sql import ANOMALY, Expression, Members, Scope, quoted

_ANOMALY: Expression = literal_column(f"'{ANOMALY}'::json")
_UTC: Expression = literal_column("'UTC'")
_SECONDS: Expression = literal_column("""'YYYY-MM-DD"T"HH24:MI:SS'""")
_MICROSECONDS: Expression = literal_column("""'YYYY-MM-DD"T"HH24:MI:SS.US'""")
_INT: tuple[Expression, Expression] = (literal_column("-2147483648"), literal_column("2147483647"))


class PostgresScope:
    """A SELECT whose objects are rows joined to it; the planner dissolves them again."""

    def __init__(self, rows: FromClause | None, made: "count[int]") -> None:
        self._joined, self._made = rows, made
        self.own: list[FromClause] = [] if rows is None else [rows]

    def object(self, members: Members) -> Expression:
        """Return a JSON object of members."""
        if not members:
            return literal_column("'{}'::json")
        columns = (made.label(key) for key, made in members)
        row = select(*columns).correlate_except().lateral(f"o{next(self._made)}")
        self._joined = row if self._joined is None else self._joined.join(row, true())
        self.own.append(row)
        return func.row_to_json(row.table_valued(), type_=JSON)

    def select(self, *columns: Expression) -> Any:
        """Return the SELECT of some columns over the scope."""
        found = select(*columns)
        if self._joined is not None:
            found = found.select_from(self._joined)
        return found.correlate_except(*self.own)


class PostgresJson:
    """PostgreSQL's way of making JSON."""

    key_bytes_max = 63
    dialect: Dialect = postgresql.dialect()  # type: ignore[no-untyped-call]

    def __init__(self, home_currency: str) -> None:
        self._home = home_currency
        self._made = count(1)

    def scope(self, rows: FromClause | None) -> Scope:
        """Begin a SELECT."""
        return PostgresScope(rows, self._made)

    def value(self, expression: Expression) -> Expression:
        """Text and numbers become JSON by their type."""
        return expression

    def boolean(self, expression: Expression) -> Expression:
        """So do truth values."""
        return expression

    def whole(self, expression: Expression) -> Expression:
        """Whole numbers of 64 bits are checked."""
        fits = expression.between(*_INT)
        return case(
            (fits, func.to_json(expression)), (expression.is_(None), null()), else_=_ANOMALY
        )

    def number(self, expression: Expression) -> Expression:
        """The shortest digits, with a point as Python; NaN and infinities are no JSON."""
        infinity: Expression = literal_column("'Infinity'::float8")
        is_whole = and_(
            func.trunc(expression) == expression, func.abs(expression) < literal_column("1e15")
        )
        return case(
            (is_whole, cast(concatenated([cast(expression, Text), quoted(".0")]), JSON)),
            (func.abs(expression) < infinity, func.to_json(expression)),
            (expression.is_(None), null()),
            else_=_ANOMALY,
        )

    decimal = number

    def exact(self, expression: Expression) -> Expression:
        """As text nothing is lost."""
        return cast(expression, Text)

    def hex_bytes(self, expression: Expression) -> Expression:
        """PostgreSQL has a function for it."""
        return func.encode(expression, literal_column("'hex'"), type_=Text)

    def instant(self, expression: Expression) -> Expression:
        """The server's time zone does not matter."""
        return _written_instant(expression, literal_column("'Z'"))

    def instant_offset(self, expression: Expression) -> Expression:
        """As Python writes UTC."""
        return _written_instant(expression, literal_column("'+00:00'"))

    def day(self, expression: Expression) -> Expression:
        """Days become ISO text by their type."""
        return expression

    def hex_id(self, expression: Expression) -> Expression:
        """A UUID without its dashes."""
        return func.replace(cast(expression, Text), quoted("-"), quoted(""), type_=Text)

    def document(self, expression: Expression) -> Expression:
        """Both JSON types do."""
        return expression

    def scaled(self, expression: Expression, digits: int) -> Expression:
        """Numbers are exact."""
        scale: Expression = literal_column(f"{10**-digits:.{digits}f}")
        return cast(func.trim_scale(expression * scale), Text)

    def amount(self, minor: Expression, currency: Expression) -> Expression:
        """Multiplying by 0.01 gives a number of exactly two digits."""
        branches = []
        for digits, codes in by_digits(self._home):
            scale: Expression = literal_column(f"{10**-digits:.{digits}f}" if digits else "1")
            text = cast(minor * scale, Text)
            listed: Expression = literal_column(f"'{{{','.join(codes)}}}'::text[]")
            branches.append((currency == func.any(listed), func.to_json(text)))
        return case(*branches, else_=_ANOMALY)

    def choice(self, expression: Expression, names: dict[str, str]) -> Expression:
        """Every branch is JSON already."""
        text = cast(expression, Text)
        branches: list[Any] = [
            (text == quoted(value), literal_column(f"'\"{name}\"'::json"))
            for value, name in names.items()
        ]
        return case(*branches, (expression.is_(None), null()), else_=_ANOMALY)

    def constant(self, text: str) -> Expression:
        """Text needs its type."""
        return literal_column(f"'{text}'::text", type_=String())

    def nothing(self) -> Expression:
        """As SQL writes it."""
        return literal_column("NULL::json")

    def truth(self, value: bool) -> Expression:
        """As SQL writes it."""
        return literal_column("true" if value else "false")

    def present(self, expression: Expression, made: Expression) -> Expression:
        """What is made of null is null."""
        return func.coalesce(func.to_json(made), _ANOMALY)

    def unless_null(self, expression: Expression, made: Expression) -> Expression:
        """A row of nulls would be an object otherwise."""
        return case((expression.is_(None), null()), else_=made)

    def subquery(self, query: Any) -> Expression:
        """Subqueries nest."""
        return query.scalar_subquery()  # type: ignore[no-any-return]

    def nested(self, query: Expression, is_required: bool) -> Expression:
        """No row is null."""
        return func.coalesce(query, _ANOMALY) if is_required else query

    def array(self, values: Sequence[Expression]) -> Expression:
        """Values become JSON by their type."""
        return func.json_build_array(*values)

    def collected(self, made: Expression, where: Expression | None) -> Expression:
        """Rows come in the order of the subquery below."""
        aggregate = func.json_agg(made)
        found = aggregate if where is None else aggregate.filter(where)
        return func.coalesce(found, literal_column("'[]'::json"))

    def hex_text(self, name: str, values: Sequence[Expression]) -> Expression:
        """The list is written without spaces, as orjson does."""
        parts: list[Expression] = [quoted('["' + name + '"')]
        for each in values:
            parts += [quoted(","), cast(func.to_json(each), Text)]
        text = concatenated([*parts, quoted("]")])
        encoded = func.convert_to(text, literal_column("'UTF8'"))
        return func.encode(encoded, literal_column("'hex'"), type_=Text)

    def as_text(self, made: Expression) -> Expression:
        """The driver would parse JSON."""
        return cast(made, Text)


def _written_instant(expression: Expression, ending: Expression) -> Expression:
    at = func.timezone(_UTC, expression)
    is_whole = func.date_trunc(literal_column("'second'"), expression) == expression
    text = case((is_whole, func.to_char(at, _SECONDS)), else_=func.to_char(at, _MICROSECONDS))
    return concatenated([text, ending])
