"""What a dialect must be able to say so that a statement can give JSON."""

from collections.abc import Sequence
from typing import Any, Final, Protocol

from sqlalchemy import ColumnElement, FromClause, literal_column
from sqlalchemy.engine.interfaces import Dialect

Expression = ColumnElement[Any]
Members = Sequence[tuple[str, Expression]]

ANOMALY: Final = '"\\u0000"'
"""Stands where the reference executor would report an error. No stored text holds a NUL, and
escaped text has a second backslash, so an answer that contains it is never a good one."""


def quoted(text: str) -> Expression:
    """Return text of our own as an SQL literal."""
    escaped = text.replace("'", "''")
    return literal_column(f"'{escaped}'")


class Scope(Protocol):
    """One SELECT that is being made.

    Attributes:
        own: what stands in its FROM.
    """

    own: list[FromClause]

    def object(self, members: Members) -> Expression:
        """Return a JSON object of members that are JSON."""

    def select(self, *columns: Expression) -> Any:
        """Return the SELECT of some columns over the scope."""


class JsonSql(Protocol):
    """How one dialect makes JSON. What its functions return may stand in an object or a list."""

    key_bytes_max: int
    dialect: Dialect

    def scope(self, rows: FromClause | None) -> Scope:
        """Begin a SELECT over some rows."""

    def value(self, expression: Expression) -> Expression:
        """Return text or a number as JSON; null stays null."""

    def boolean(self, expression: Expression) -> Expression:
        """Return a truth value as JSON."""

    def whole(self, expression: Expression) -> Expression:
        """Return a whole number as JSON, an anomaly if GraphQL's `Int` is too small for it."""

    def decimal(self, expression: Expression) -> Expression | None:
        """Return a floating point number as Python writes it; None if Python has to."""

    def number(self, expression: Expression) -> Expression:
        """Return a number as JSON from which Python reads exactly it."""

    def exact(self, expression: Expression) -> Expression:
        """Return a decimal number as JSON: a text, or a number where the database has floats."""

    def hex_bytes(self, expression: Expression) -> Expression:
        """Return bytes as hexadecimal digits."""

    def instant(self, expression: Expression) -> Expression:
        """Return a moment as JSON in UTC, with a fraction only where there is one."""

    def instant_offset(self, expression: Expression) -> Expression:
        """Return a moment as text in UTC as cursors write it."""

    def day(self, expression: Expression) -> Expression:
        """Return a day as JSON."""

    def hex_id(self, expression: Expression) -> Expression:
        """Return an id as 32 hexadecimal digits."""

    def document(self, expression: Expression) -> Expression:
        """Return stored JSON as JSON."""

    def scaled(self, expression: Expression, digits: int) -> Expression:
        """Return expression / 10**digits as text without zeros at the end."""

    def amount(self, minor: Expression, currency: Expression) -> Expression:
        """Return minor units as JSON text in major units, an anomaly for unknown currencies."""

    def choice(self, expression: Expression, names: dict[str, str]) -> Expression:
        """Return the name of a stored enum value as JSON, an anomaly for unknown values."""

    def constant(self, text: str) -> Expression:
        """Return text of our own as JSON."""

    def nothing(self) -> Expression:
        """Return null as JSON."""

    def truth(self, value: bool) -> Expression:
        """Return true or false as JSON."""

    def present(self, expression: Expression, made: Expression) -> Expression:
        """Return JSON made of an expression, an anomaly where the expression is null."""

    def unless_null(self, expression: Expression, made: Expression) -> Expression:
        """Return JSON made of an expression, null where the expression is null."""

    def subquery(self, query: Any) -> Expression:
        """Return the one value of a SELECT that refers to the rows around."""

    def nested(self, query: Expression, is_required: bool) -> Expression:
        """Return the JSON of a subquery, which gives no row for null."""

    def array(self, values: Sequence[Expression]) -> Expression:
        """Return a JSON list of given values."""

    def collected(self, made: Expression, where: Expression | None) -> Expression:
        """Return the aggregate that makes a JSON list of all rows for which `where` holds."""

    def hex_text(self, name: str, values: Sequence[Expression]) -> Expression:
        """Return the cursor text of a JSON list of a name and values, in hexadecimal."""

    def as_text(self, made: Expression) -> Expression:
        """Return JSON as the text that leaves the database."""
