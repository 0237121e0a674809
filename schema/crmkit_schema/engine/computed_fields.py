"""What Python adds to what a statement gave: values of computed fields, and errors."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from crmkit_schema.engine.projection import FieldProjection
from crmkit_schema.engine.python_fields import Values
from crmkit_schema.engine.running import Run
from crmkit_schema.engine.shapes import like

EACH = "[]"
"""Step of a place that goes to every element of a list."""

Place = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ComputedField:
    """A field that Python gives for rows.

    Attributes:
        place: where it stands in the answer; the statement put the needed columns there.
        cls: of its parents.
        needs: the parents' columns, with what makes their Python values of JSON.
        values: gives its values for all parents at once.
        projection: completes them.
    """

    place: Place
    cls: type
    needs: Sequence[tuple[str, Callable[[Any], Any]]]
    values: Values
    projection: FieldProjection

    def fill(self, data: Any, run: Run) -> None:
        """Put the field's values into an answer that has the needed columns in their places."""
        *way, key = self.place
        holders = list(_holders(data, way))
        if not holders:
            return
        parents = [self._parent(each[key]) for each in holders]
        made = self.projection.complete(self.values(parents, run), run)
        for holder, value in zip(holders, made, strict=True):
            holder[key] = value

    def _parent(self, columns: Sequence[Any]) -> Any:
        made: Any = object.__new__(self.cls)
        vars(made).update(
            (name, None if value is None else decode(value))
            for (name, decode), value in zip(self.needs, columns, strict=True)
        )
        return made


@dataclass(frozen=True, slots=True)
class RefusedField:
    """A field that fails for whoever asks, or with these arguments.

    Attributes:
        place: where it stands in the answer.
    """

    place: Place
    error: Exception

    def fill(self, data: Any, run: Run) -> None:
        """Put the failure into an answer, wherever the field stands."""
        *way, key = self.place
        for holder in _holders(data, way):
            holder[key] = run.failure(self.error)


def renamed(data: Any, names: Mapping[str, str]) -> Any:
    """Return an answer of a statement in which some names stand for longer ones."""
    if isinstance(data, dict):
        members = {names.get(key, key): renamed(each, names) for key, each in data.items()}
        return like(data, members)
    return [renamed(each, names) for each in data] if isinstance(data, list) else data


def _holders(data: Any, way: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Yield the objects at the end of a way; none where there is a null."""
    if data is None:
        return
    if not way:
        yield data
        return
    step, *rest = way
    if step == EACH:
        for each in data:
            yield from _holders(each, rest)
    else:
        yield from _holders(data[step], rest)
