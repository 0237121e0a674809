"""Pages of a list after Relay's connection model, with keyset cursors."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import strawberry
from graphql import GraphQLError

from crmkit_schema.cursors import read_cursor
from crmkit_schema.declarations import given
from crmkit_schema.specs import TypeSpec, note
from crmkit_schema.values import bad_input

T = TypeVar("T")
PAGE_DEFAULT = 20
PAGE_MAX = 100


@strawberry.type(description="Where a page lies in its list.")
class PageInfo:
    """Relay's page info."""

    has_next_page: bool = strawberry.field(description="Whether there is more after this page.")
    has_previous_page: bool = strawberry.field(
        description="Whether there is more before this page."
    )
    start_cursor: str | None = strawberry.field(description="Cursor of the first row.")
    end_cursor: str | None = strawberry.field(description="Cursor of the last row.")


@strawberry.type(description="A row of a list, with its cursor.")
class Edge(Generic[T]):
    """Relay's edge."""

    cursor: str = given("Where this row lies; give it as `after` or `before`.")
    node: T = given("The row.")


@strawberry.type(description="A page of a list.")
class Connection(Generic[T]):
    """Relay's connection, with `nodes` as the short way."""

    edges: list[Edge[T]] = given("The rows with their cursors.")
    nodes: list[T] = given("The rows.")
    page_info: PageInfo = given("Where the page lies.")
    total_count: int = given("How many rows there are in all; costs a count.")


for _each in (PageInfo, Edge, Connection):
    note(_each, TypeSpec())


@dataclass(frozen=True, slots=True)
class Page:
    """Which rows are wanted.

    Attributes:
        size: number of rows.
        place: values of the order's columns to start behind; None starts at the end.
        backwards: whether the page lies before `place`.
    """

    size: int
    place: Sequence[Any] | None
    backwards: bool


def read_page(arguments: Mapping[str, Any], order_name: str, types: Sequence[type]) -> Page:
    """Return the page that a connection's arguments ask for.

    Args:
        order_name: names the order; a cursor of another order is refused.
        types: of the order's columns, in Python.

    Raises:
        GraphQLError: the arguments contradict each other or the cursor is not ours.
    """
    first, last = arguments.get("first"), arguments.get("last")
    after, before = arguments.get("after"), arguments.get("before")
    backwards = last is not None or before is not None
    if backwards and (first is not None or after is not None):
        raise bad_input("page forwards with first and after, or backwards with last and before")
    size = last if backwards else first
    size = PAGE_DEFAULT if size is None else size
    if not 0 < size <= PAGE_MAX:
        raise GraphQLError(
            f"a page has 1 to {PAGE_MAX} rows, not {size}", extensions={"code": "PAGE_SIZE"}
        )
    cursor = before if backwards else after
    place = None if cursor is None else read_cursor(cursor, order_name, types)
    return Page(size, place, backwards)
