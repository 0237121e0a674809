"""How many rows a plan may read, known before it reads any."""

from collections.abc import Callable
from dataclasses import dataclass, field

from crmkit_schema.engine.binding import Given


@dataclass(slots=True)
class Volume:
    """The rows of one relation, for each of its parents, and of the relations below it.

    Attributes:
        most: most rows per parent.
        is_shown: whether each row is an object of the answer.
    """

    most: Callable[[Given], int]
    is_shown: bool = True
    below: list["Volume"] = field(default_factory=list)

    def rows(self, given: Given, parents: int = 1) -> int:
        """Return the most rows there can be."""
        own = parents * self.most(given)
        return own + sum(each.rows(given, own) for each in self.below)

    def hidden(self, given: Given, parents: int = 1) -> int:
        """Return the most rows there can be that are no objects of the answer."""
        own = parents * self.most(given)
        return (0 if self.is_shown else own) + sum(each.hidden(given, own) for each in self.below)
