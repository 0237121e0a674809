"""How a field of a GraphQL type says where its data come from.

*Mapped* fields read a column of the rows behind their type, or an SQL expression over them;
*related* ones lead to rows that have an equal column; *computed* ones come out of a Python
function that sees a whole level of rows together. crmkit turns the declarations of core and of all
plugins into statements, never one per row; whoever declares fields need not know how.

The parameter `init` only tells type checkers that constructors do not take these fields.
"""

from collections.abc import Callable, Sequence
from typing import Any, Literal, TypeVar, cast
from uuid import UUID

from strawberry.types.field import StrawberryField

from crmkit import Event
from crmkit_schema.sources import (
    Announced,
    Codec,
    Computed,
    Condition,
    Connected,
    Embedded,
    Expression,
    Found,
    Given,
    Key,
    Mapped,
    Related,
    Resolved,
    Source,
    announced_row,
)
from crmkit_schema.specs import PUBLIC
from crmkit_schema.values import Money

F = TypeVar("F", bound=Callable[..., Any])


class CrmField(StrawberryField):
    """A strawberry field that knows its source and its permission.

    Attributes:
        source: where the data come from.
        permission: what a caller needs beyond the type's permission; None if nothing.
        owner: the plugin that contributes it to somebody else's type.
        needed: every permission a caller needs, once the field is part of a schema.
        is_optional: whether it was declared nullable, which every gated field then becomes.
    """

    source: Source
    permission: str | None = None
    owner: str = ""
    needed: frozenset[str] = frozenset()
    is_optional: bool = False

    @property
    def is_basic_field(self) -> bool:
        """Always False: every field checks its permission."""
        return False

    def __copy__(self) -> "CrmField":
        made = super().__copy__()
        made.source, made.permission, made.owner = self.source, self.permission, self.owner
        made.needed, made.is_optional = self.needed, self.is_optional
        return made

    def get_result(self, source: Any, info: Any, args: list[Any], kwargs: Any) -> Any:
        """Return the field's value, fetching it if its level has not."""
        info.context.require(self.needed)
        return info.context.fetch(info).value(self, source, info._raw_info, args, kwargs)


def declare(source: Source, description: str, permission: str | None) -> Any:
    """Return a field with a source; the functions below are the ways to call it."""
    made = CrmField(description=description)
    made.source, made.permission = source, permission
    made.init = made.repr = made.compare = False  # fetched, never passed to a constructor
    return made


def mapped(
    description: str,
    *,
    column: str = "",
    sql: Expression | None = None,
    codec: Codec | None = None,
    filter: bool = False,
    sort: bool = False,
    permission: str | None = None,
    init: Literal[False] = False,
) -> Any:
    """Declare a field that is a column, or an SQL expression, of its type's source.

    Args:
        column: the column's name where it is not the field's.
        sql: a function from the source's alias to an expression, instead of a column.
        codec: turns stored values into the field's.
        filter: let lists of this type be filtered by it.
        sort: let lists of this type be sorted by it; the column must not be null.
        permission: what a caller needs beyond the type's permission; the field must be nullable.
    """
    return declare(Mapped(column, sql, codec, filter, sort), description, permission)


def money(
    description: str,
    *,
    minor: str,
    currency: str = "currency",
    permission: str | None = None,
    init: Literal[False] = False,
) -> Any:
    """Declare a field of type `Money`, made of a column of minor units and one of currencies."""
    source = Embedded(Money, {"minor": minor, "currency": currency})
    return declare(source, description, permission)


def related(
    description: str,
    *,
    parent: str = "id",
    child: str = "id",
    where: Condition | None = None,
    order: Sequence[str] = (),
    limit: int = 100,
    filter: bool = False,
    permission: str | None = None,
    init: Literal[False] = False,
) -> Any:
    """Declare a field of rows of another type: one row, or a short list, as annotated.

    Args:
        parent: column of this type's source.
        child: column of the other type's source that equals it.
        where: a further condition on the other source.
        order: columns a list is sorted by, `-` in front for descending.
        limit: most rows a list gives.
        filter: let lists of this type be filtered and sorted through this one row.
    """
    source = Related(parent, child, where, tuple(order), limit, filter)
    return declare(source, description, permission)


def connection(
    description: str,
    *,
    parent: str = "id",
    child: str | None = None,
    where: Condition | None = None,
    permission: str | None = None,
    init: Literal[False] = False,
) -> Any:
    """Declare a field of pages of rows of another type, with filters and sorting.

    Args:
        parent: column of this type's source.
        child: column of the other type's source that equals it; leave it out in a root field.
        where: a further condition on the other source.
    """
    return declare(Connected(parent, child, where), description, permission)


def computed(
    description: str,
    function: Callable[..., Sequence[Any]],
    *,
    needs: Sequence[str] = (),
    permission: str | None = None,
    init: Literal[False] = False,
) -> Any:
    """Declare a field computed in Python, once for all parents of a level.

    Args:
        function: called as `function(parents, context, **arguments)`; its keyword-only
            parameters become the field's arguments. Parents have the columns in `needs` as
            attributes. Must return one value per parent, in order.
        needs: columns of this type's source.
    """
    return declare(Computed(function, tuple(needs)), description, permission)


def found_by(description: str, *, permission: str | None = None, **by: Key) -> Any:
    """Declare a root field that gives one row, named by exactly one of the keys."""
    return declare(Found(by), description, permission)


def subscription(
    description: str,
    *,
    event: Event,
    choose: Callable[..., UUID | None] = announced_row,
    permission: str | None = None,
    init: Literal[False] = False,
) -> Any:
    """Declare a root subscription, which delivers the row that an announced event is about.

    Clients get the row as it is when it is delivered, and can ask for one customer's only.

    Args:
        event: what to wait for; hooks announce it by `crmkit.announce`.
        choose: called as `choose(announcement, context, **arguments)` for each announcement; its
            keyword-only parameters become the field's arguments. Returns the stored id of the row
            to deliver, None if this subscriber is not to get it.
    """
    return declare(Announced(event, choose), description, permission)


def resolved(description: str, *, permission: str | None = None) -> Callable[[F], F]:
    """Decorate a method as a field that runs once per object; prefer the other declarations."""
    return cast(Callable[[F], F], declare(Resolved(), description, permission))


def given(description: str) -> Any:
    """Declare a field of a connection or an edge, whose value crmkit sets."""
    return declare(Given(), description, PUBLIC)
