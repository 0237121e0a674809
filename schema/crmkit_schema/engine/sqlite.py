"""JSON in SQLite: text put together, since its functions would parse nested JSON at every level."""

import sqlite3
from collections.abc import Sequence
from itertools import count
from typing import Any

from sqlalchemy import FromClause, case, cast, func, literal_column, select
from sqlalchemy.dialects import sqlite
from sqlalchemy.engine.interfaces import Dialect
from sqlalchemy.types import Text

from crmkit_schema.engine.concatenation import concatenated
from crmkit_schema.engine.currencies import by_digits
from crmkit_schema.engine.json_sql import ANOMALY, Expression, Members, Scope, quoted
from crmkit_schema.engine.sqlite_values import in_units, untyped, written_instant

_ANOMALY = quoted(ANOMALY)
_NULL = quoted("null")
_INT: tuple[Expression, Expression] = (literal_column("-2147483648"), literal_column("2147483647"))


class SqliteScope:
    """A SELECT whose objects are text."""

    def __init__(self, rows: FromClause | None) -> None:
        self._rows = rows
        self.own: list[FromClause] = [] if rows is None else [rows]

    def object(self, members: Members) -> Expression:
        """Return a JSON object of members."""
        parts: list[Expression] = [quoted("{")]
        for position, (key, made) in enumerate(members):
            parts += [quoted(f'{"," if position else ""}"{key}":'), made]
        return concatenated([*parts, quoted("}")])

    def select(self, *columns: Expression) -> Any:
        """Return the SELECT of some columns over the scope."""
        found = select(*columns)
        if self._rows is not None:
            found = found.select_from(self._rows)
        return found.correlate_except(*self.own)


class SqliteJson:
    """SQLite's way of making JSON. Everything that is JSON is text and never null."""

    key_bytes_max = 10_000
    dialect: Dialect = sqlite.dialect()

    def __init__(self, home_currency: str) -> None:
        self._home = home_currency
        self._made = count(1)

    def scope(self, rows: FromClause | None) -> Scope:
        """Begin a SELECT."""
        return SqliteScope(rows)

    def value(self, expression: Expression) -> Expression:
        """Quoted by SQLite itself."""
        return func.json_quote(untyped(expression))

    def boolean(self, expression: Expression) -> Expression:
        """SQLite has 0 and 1."""
        plain = untyped(expression)
        return case((plain.is_(None), _NULL), (plain, quoted("true")), else_=quoted("false"))

    def whole(self, expression: Expression) -> Expression:
        """Columns hold 64 bits, whatever they are declared as."""
        plain = untyped(expression)
        fits = plain.between(*_INT) & (func.typeof(plain) == quoted("integer"))
        return case((fits, plain), (plain.is_(None), _NULL), else_=_ANOMALY)

    def decimal(self, expression: Expression) -> None:
        """SQLite does not know how few digits would do."""
        return None

    def number(self, expression: Expression) -> Expression:
        """With 19 digits, more than enough."""
        plain = untyped(expression)
        is_finite = func.abs(plain) <= literal_column("1.7976931348623157e308")
        digits = func.printf(quoted("%!.19g"), plain)
        is_whole = func.typeof(plain) == quoted("integer")
        return case(
            (plain.is_(None), _NULL),
            (is_whole, cast(plain, Text)),
            (is_finite, digits),
            else_=_ANOMALY,
        )

    def exact(self, expression: Expression) -> Expression:
        """SQLite has floats only."""
        return self.number(expression)

    def hex_bytes(self, expression: Expression) -> Expression:
        """SQLite has a function for it."""
        return func.hex(untyped(expression))

    def instant(self, expression: Expression) -> Expression:
        """Stored with six digits."""
        return func.json_quote(written_instant(expression, "Z"))

    def instant_offset(self, expression: Expression) -> Expression:
        """As Python writes UTC."""
        return written_instant(expression, "+00:00")

    def day(self, expression: Expression) -> Expression:
        """Stored as ISO text."""
        return self.value(expression)

    def hex_id(self, expression: Expression) -> Expression:
        """Stored as 32 digits."""
        return untyped(expression)

    def document(self, expression: Expression) -> Expression:
        """Stored as text; Python writes NaN, which is no JSON."""
        plain = untyped(expression)
        return case((plain.is_(None), _NULL), (func.json_valid(plain), plain), else_=_ANOMALY)

    def scaled(self, expression: Expression, digits: int) -> Expression:
        """Whole numbers only; a float would round."""
        text = in_units(untyped(expression), digits)
        return func.rtrim(func.rtrim(text, quoted("0")), quoted("."))

    def amount(self, minor: Expression, currency: Expression) -> Expression:
        """Whole numbers only; a float would round."""
        branches = []
        minor, currency = untyped(minor), untyped(currency)
        for digits, codes in by_digits(self._home):
            listed: Expression = literal_column("(" + ",".join(f"'{code}'" for code in codes) + ")")
            text = in_units(minor, digits) if digits else minor
            made = concatenated([quoted('"'), text, quoted('"')])
            branches.append((currency.op("IN")(listed), made))
        return case(*branches, else_=_ANOMALY)

    def choice(self, expression: Expression, names: dict[str, str]) -> Expression:
        """Unknown values are an anomaly."""
        plain = untyped(expression)
        branches = [(plain == quoted(value), quoted(f'"{name}"')) for value, name in names.items()]
        return case(*branches, (plain.is_(None), _NULL), else_=_ANOMALY)

    def constant(self, text: str) -> Expression:
        """Names need no escaping."""
        return quoted(f'"{text}"')

    def nothing(self) -> Expression:
        """As JSON writes it."""
        return _NULL

    def truth(self, value: bool) -> Expression:
        """As JSON writes it."""
        return quoted("true" if value else "false")

    def present(self, expression: Expression, made: Expression) -> Expression:
        """Null would be written as null."""
        return case((untyped(expression).is_(None), _ANOMALY), else_=made)

    def unless_null(self, expression: Expression, made: Expression) -> Expression:
        """Null is text too."""
        return case((untyped(expression).is_(None), _NULL), else_=made)

    def subquery(self, query: Any) -> Expression:
        """Before 3.46 SQLite's parser takes few levels, so each is written down on its own.

        SQLite resolves the names of a common table expression where it is used, which lets it
        refer to the rows around.
        """
        if sqlite3.sqlite_version_info >= (3, 46):
            return query.scalar_subquery()  # type: ignore[no-any-return]
        apart = query.cte(f"n{next(self._made)}")
        return select(next(iter(apart.c))).scalar_subquery()

    def nested(self, query: Expression, is_required: bool) -> Expression:
        """No row is null."""
        return func.coalesce(query, _ANOMALY if is_required else _NULL)

    def array(self, values: Sequence[Expression]) -> Expression:
        """A list as text."""
        parts: list[Expression] = [quoted("[")]
        for position, made in enumerate(values):
            parts += [quoted("," if position else ""), made]
        return concatenated([*parts, quoted("]")])

    def collected(self, made: Expression, where: Expression | None) -> Expression:
        """Rows come in the order of the subquery below; an aggregate cannot order them here."""
        joined = func.group_concat(made, quoted(","))
        found = joined if where is None else joined.filter(where)
        return concatenated([quoted("["), func.coalesce(found, quoted("")), quoted("]")])

    def hex_text(self, name: str, values: Sequence[Expression]) -> Expression:
        """The list is written without spaces, as orjson does."""
        parts: list[Expression] = [quoted('["' + name + '"')]
        for each in values:
            parts += [quoted(","), func.json_quote(each)]
        return func.lower(func.hex(concatenated([*parts, quoted("]")])))

    def as_text(self, made: Expression) -> Expression:
        """It is text."""
        return made
