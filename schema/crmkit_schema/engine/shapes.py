"""What the objects of an answer are: which fields stand under which names."""

from typing import Any

from crmkit_schema.engine.selecting import Choice, Selecting
from crmkit_schema.selections import Selected


class Shape:
    """The objects of one type under one selection.

    Attributes:
        type: their type.
        fields: what is selected by name in the answer; None stands for `__typename`.
    """

    def __init__(self, selecting: Selecting, choice: Choice) -> None:
        self.type = choice.type
        self.fields = {each.key: each.selected for each in choice.members}
        self._selecting = selecting
        self._below: dict[str, Shape] = {}

    def below(self, key: str, selected: Selected) -> "Shape":
        """Return the shape of the objects of one type that a field gives."""
        if key not in self._below:
            self._below[key] = Shape(self._selecting, self._selecting.below(selected))
        return self._below[key]


class Typed(dict[str, Any]):
    """An object of the answer whose type only its value tells."""

    __slots__ = ("shape",)

    def __init__(self, shape: Shape, members: dict[str, Any]) -> None:
        super().__init__(members)
        self.shape = shape


def like(value: dict[str, Any], members: dict[str, Any]) -> dict[str, Any]:
    """Return an object with other members whose type is told as that of another one is."""
    return Typed(value.shape, members) if isinstance(value, Typed) else members
