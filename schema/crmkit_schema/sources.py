"""The sources a declared field may take its data from.

A source is plain data: what to read, never how. `crmkit_schema.declarations` makes fields of them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import ColumnElement, Date, FromClause, String, bindparam

from crmkit import Announcement, Event, Instant

Expression = Callable[[FromClause], ColumnElement[Any]]
Condition = Callable[[FromClause], ColumnElement[bool]]
BoundName = Literal["home_currency", "today", "now"]
_BOUND_TYPES: dict[str, Any] = {"home_currency": String(), "today": Date(), "now": Instant()}


def bound(name: BoundName) -> ColumnElement[Any]:
    """Return a value of the request for use in a declared SQL expression.

    Args:
        name: `home_currency` (text), `today` (the shops' calendar day) or `now` (instant).
    """
    return bindparam(f"request_{name}", required=True, type_=_BOUND_TYPES[name])


@dataclass(frozen=True, slots=True)
class Codec:
    """How a stored value becomes the value of a field.

    Attributes:
        name: tells codecs apart in plans and error messages.
        decode: called with each stored value that is not None.
    """

    name: str
    decode: Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Mapped:
    """A column or SQL expression of the type's source.

    Attributes:
        column: name of the column; empty means the field's own name.
        sql: gives the expression instead, for the source's alias in the statement.
    """

    column: str = ""
    sql: Expression | None = None
    codec: Codec | None = None
    filter: bool = False
    sort: bool = False


@dataclass(frozen=True, slots=True)
class Embedded:
    """A value object made of several columns of the same row.

    Attributes:
        columns: for each parameter of `build`, the column it comes from.
    """

    build: Callable[..., Any]
    columns: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Related:
    """Rows of another type whose column `child` equals the parent's column `parent`.

    Attributes:
        where: a further condition on the child's source.
        limit: most rows of a plain list; connections have pages instead.
        order: columns of the child, `-` in front for descending; empty means its type's own.
        filter: whether the parent can be filtered, and sorted, by fields of this one row.
    """

    parent: str = "id"
    child: str = "id"
    where: Condition | None = None
    order: Sequence[str] = ()
    limit: int = 100
    filter: bool = False


@dataclass(frozen=True, slots=True)
class Connected:
    """Pages of rows of another type; at the root, of all rows.

    Attributes:
        child: column of the child that equals the parent's column `parent`; None at the root.
    """

    parent: str = "id"
    child: str | None = None
    where: Condition | None = None


@dataclass(frozen=True, slots=True)
class Computed:
    """A function called once per level.

    Attributes:
        function: gets the list of parents and the request's context, and by keyword the
            field's arguments; returns a list of the same length.
        needs: columns of the parents that it reads.
    """

    function: Callable[..., Sequence[Any]]
    needs: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Key:
    """One way of naming a row in a root look-up.

    Attributes:
        type: of the argument.
        where: gives the condition for the source's alias and the value, bound; for an input
            object its values, bound, by their GraphQL names.
        coerce: makes the value of the argument; None finds nothing.
    """

    type: Any
    description: str
    where: Callable[[FromClause, Any], ColumnElement[bool]]
    coerce: Callable[[Any, Any], Any] = lambda value, _context: value


@dataclass(frozen=True, slots=True)
class Found:
    """At most one row, named by exactly one of several keys."""

    by: Mapping[str, Key]


@dataclass(frozen=True, slots=True)
class Held:
    """A plain attribute, or method, of an object that Python made."""


@dataclass(frozen=True, slots=True)
class Resolved:
    """A Python function per object; the escape hatch."""


Together = Callable[[Any, Sequence[Any]], Sequence[Any]]
"""Serves several inputs of a mutation: called with the context, returns what each gives."""


@dataclass(frozen=True, slots=True)
class Mutated:
    """A Python function that writes.

    Attributes:
        members: the problem types its result union has beside success.
        together: does the same for several inputs at once; None if it cannot.
    """

    members: tuple[type, ...]
    together: Together | None = None


@dataclass(frozen=True, slots=True)
class Announced:
    """The row that an event is about, as it is when the news of it are delivered.

    Attributes:
        event: what is waited for.
        choose: called as `choose(announcement, context, **arguments)`; returns the stored id of
            the row to deliver, or None if the news are not for this subscriber.
    """

    event: Event
    choose: Callable[..., UUID | None]


def announced_row(announcement: Announcement, _context: Any) -> UUID:
    """Return the row that the event itself is about."""
    return announcement.id


@dataclass(frozen=True, slots=True)
class Given:
    """A value crmkit itself puts on connections and edges."""


Source = (
    Mapped
    | Embedded
    | Related
    | Connected
    | Computed
    | Found
    | Held
    | Resolved
    | Mutated
    | Announced
    | Given
)
