"""The arguments of a connection as a plan needs them: what is fixed, and what requests bring."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from graphql import GraphQLError
from sqlalchemy import ColumnElement, Integer, literal_column

from crmkit_schema.conditions import condition, sort_key
from crmkit_schema.connections import PAGE_DEFAULT, PAGE_MAX, read_page
from crmkit_schema.cursors import python_type, read_cursor
from crmkit_schema.engine.binding import Given, Read, reader, slot
from crmkit_schema.engine.compilation import Compilation
from crmkit_schema.engine.levels import PlanLevel
from crmkit_schema.engine.tags import path_of
from crmkit_schema.specs import order_of


@dataclass(frozen=True, slots=True)
class PageArguments:
    """Which rows of a level are wanted.

    Attributes:
        order_name: names the order in cursors.
        is_placed: whether the page starts behind a cursor.
        backwards: whether it is counted from the end.
        size: reads how many rows are wanted.
        fixed: how many they are, if the document itself says so.
        start: adds the condition that rows lie behind the cursor.
    """

    order_name: str
    is_placed: bool
    backwards: bool
    size: Read
    fixed: int | None
    start: Callable[[], None]

    def limit(self, more: int = 0) -> ColumnElement[Any]:
        """Return the page's size, and some more; PostgreSQL plans ahead for what it can read."""
        if self.fixed is not None:
            return literal_column(str(self.fixed + more), Integer())
        return slot(lambda given: self.size(given) + more, Integer())


def page_arguments(
    made: Compilation, level: PlanLevel, arguments: Mapping[str, Any]
) -> PageArguments:
    """Return the page that arguments ask for, and put their filter and order on the level.

    Raises:
        GraphQLError: the arguments are wrong, or name what the caller may not see.
    """
    name = _sort(made, level, arguments.get("orderBy"))
    if arguments.get("filter"):
        rows = level.level.rows
        meant = condition(made.composition, level.cls, rows, arguments["filter"], made.context)
        level.level.conditions.append(meant)
    types = [python_type(each.type) for each, _ in level.level.order]
    page = read_page(arguments, name, types)
    size = arguments.get("last" if page.backwards else "first")
    cursor = reader(arguments.get("before" if page.backwards else "after"))

    def place(position: int) -> Read:
        def read(given: Given) -> Any:
            values = given.shared(start, lambda: read_cursor(cursor(given), name, types))
            return values[position]

        return read

    def start() -> None:
        dialect = made.context.crm.database.writer.dialect
        slots = [slot(place(at), each.type) for at, (each, _) in enumerate(level.level.order)]
        level.level.start_behind(slots, dialect, backwards=page.backwards)

    is_placed = page.place is not None
    return PageArguments(name, is_placed, page.backwards, _size(size), _fixed(size), start)


def _fixed(given_size: Any) -> int | None:
    if given_size is None:
        return PAGE_DEFAULT
    return None if path_of(given_size) else int(given_size)


def _size(given_size: Any) -> Read:
    if given_size is None:
        return lambda _given: PAGE_DEFAULT
    read = reader(given_size)

    def checked(given: Given) -> int:
        size = read(given)
        if not 0 < size <= PAGE_MAX:
            raise GraphQLError("a page size out of range", extensions={"code": "PAGE_SIZE"})
        return int(size)

    return checked


def _sort(made: Compilation, level: PlanLevel, given: Mapping[str, Any] | None) -> str:
    """Put a level in order and return the order's name, as the reference executor does."""
    name = level.cls.__name__
    if given is None:
        level.level.sort_by(order_of(level.cls))
        return name
    path, direction = _value(given["field"]), _value(given["direction"])
    down = direction == "desc"
    key = sort_key(made.composition, level.cls, level.level.rows, path, made.context)
    level.level.order.append((key, down))
    level.level.sort_by([("-" if down else "") + order_of(level.cls)[-1].lstrip("-")])
    return f"{name} {path} {direction}"


def _value(given: Any) -> Any:
    return given.value if isinstance(given, Enum) else given
