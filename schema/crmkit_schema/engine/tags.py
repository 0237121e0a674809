"""Variables that remember who they are, and the part of them that a plan depends on.

A plan is compiled with the values of one request. Values are wrapped so that those which end up
bound in the statement can be told apart and be read anew from the next request's variables.
"""

from collections.abc import Hashable, Mapping
from datetime import date, datetime
from typing import Any

Path = tuple[str | int, ...]


class TaggedText(str):
    """Text from a variable."""

    path: Path


class TaggedInt(int):
    """A whole number from a variable."""

    path: Path


class TaggedFloat(float):
    """A number from a variable."""

    path: Path


class TaggedDate(date):
    """A day from a variable."""

    path: Path


class TaggedInstant(datetime):
    """A moment from a variable."""

    path: Path


def tagged(value: Any, path: Path = ()) -> Any:
    """Return a variable's value whose parts know their path in the variables."""
    if isinstance(value, Mapping):
        return {name: tagged(each, (*path, name)) for name, each in value.items()}
    if isinstance(value, list):
        return [tagged(each, (*path, index)) for index, each in enumerate(value)]
    made = _copy(value)
    if made is not None:
        made.path = path
    return value if made is None else made


def path_of(value: Any) -> Path | None:
    """Return the path of a tagged value, None for what came from elsewhere."""
    return getattr(value, "path", None)


def read_path(values: Any, path: Path) -> Any:
    """Return what stands at a path of the variables."""
    for step in path:
        values = values[step]
    return values


def shape(value: Any) -> Hashable:
    """Return what the text of a statement may depend on: never a value that is bound in it."""
    kind = type(value)
    if kind is str:
        return bool(value)
    if kind is dict:
        return tuple((name, shape(each)) for name, each in value.items())
    if kind is list:
        return ("list", *map(shape, value))
    if kind in _BOUND:
        return kind.__name__
    return kind.__name__, value if isinstance(value, Hashable) else repr(value)


_BOUND = frozenset({int, float, date, datetime})


def _copy(value: Any) -> Any:
    """Return a copy that takes attributes, None of a value that is never bound by its path."""
    kind = type(value)
    if kind is str:
        return TaggedText(value)
    if kind is int:
        return TaggedInt(value)
    if kind is float:
        return TaggedFloat(value)
    if kind is datetime:
        return TaggedInstant.combine(value.date(), value.timetz())
    return TaggedDate(value.year, value.month, value.day) if kind is date else None
