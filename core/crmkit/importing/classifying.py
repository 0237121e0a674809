"""Telling what a line is by the rules of a mapping. Pure.

Every condition of every rule gets one bit. A column's value decides the bits of the conditions on
that column, and all bits together decide the kinds; both steps are remembered, so that a usual
line costs one look-up per column.
"""

import operator
from collections.abc import Callable, Iterable, Sequence
from collections.abc import Mapping as MappingType
from decimal import Decimal, InvalidOperation
from functools import reduce
from typing import TypeVar

from crmkit.importing.mapping import Mapping
from crmkit.importing.mapping_rules import Condition, LineRule, Rules, TransactionRule

Kinds = tuple[str | None, str | None]
"""Kind of transaction and kind of line; None where no rule fits."""
K = TypeVar("K")
V = TypeVar("V")
_REMEMBERED = 10_000


class _Remembered(dict[K, V]):
    """Answers of a function; forgets everything when it grows too large.

    A look-up in a dictionary costs half of one in `lru_cache`.
    """

    def __init__(self, decide: Callable[[K], V]) -> None:
        super().__init__()
        self._decide = decide

    def __missing__(self, key: K) -> V:
        if len(self) >= _REMEMBERED:
            self.clear()
        answer = self[key] = self._decide(key)
        return answer


class Classifier:
    """The rules of one mapping, for a file with certain columns.

    Args:
        columns: where each column stands.
        number: turns a number as the file writes it into plain notation.
    """

    def __init__(
        self, mapping: Mapping, columns: MappingType[str, int], number: Callable[[str], str]
    ) -> None:
        rules: Rules = (*mapping.transaction_kinds, *mapping.line_kinds)
        conditions = list(dict.fromkeys(each for rule in rules for each in rule.when))
        bit = {condition: 1 << place for place, condition in enumerate(conditions)}
        self._transactions = _masks(mapping.transaction_kinds, bit)
        self._lines = _masks(mapping.line_kinds, bit)
        self._columns: list[tuple[int, _Remembered[str, int]]] = []
        for name in dict.fromkeys(each.column for each in conditions):
            if name in columns:
                own = [(each, bit[each]) for each in conditions if each.column == name]
                self._columns.append((columns[name], _Remembered(_decider(own, number))))
        self._kinds = _Remembered(self._decide)

    def kinds(self, columns: Sequence[Sequence[str]]) -> list[Kinds]:
        """Return the kinds of each line.

        Args:
            columns: the lines' values, column by column.
        """
        masks = [map(bits.__getitem__, columns[at]) for at, bits in self._columns]
        if not masks:
            return [(None, None)] * len(columns[0])
        together = reduce(lambda left, right: map(operator.or_, left, right), masks)
        return list(map(self._kinds.__getitem__, together))

    def _decide(self, mask: int) -> Kinds:
        return _first(self._transactions, mask), _first(self._lines, mask)


def _masks(
    rules: Iterable[TransactionRule | LineRule], bit: dict[Condition, int]
) -> list[tuple[int, str]]:
    return [(sum({bit[each] for each in rule.when}), str(rule.kind)) for rule in rules]


def _first(rules: Iterable[tuple[int, str]], mask: int) -> str | None:
    return next((kind for needed, kind in rules if mask & needed == needed), None)


def _decider(
    conditions: Sequence[tuple[Condition, int]], number: Callable[[str], str]
) -> Callable[[str], int]:
    def decide(value: str) -> int:
        return sum(bit for condition, bit in conditions if _holds(condition, value.strip(), number))

    return decide


def _holds(condition: Condition, value: str, written: Callable[[str], str]) -> bool:
    if condition.equals is not None:
        return value in condition.equals
    if condition.prefix is not None:
        return value.startswith(condition.prefix)
    if condition.matches is not None:
        return condition.matches.fullmatch(value) is not None
    try:
        number = Decimal(written(value))
    except InvalidOperation:
        return False
    if not number.is_finite():
        return False
    if condition.below is not None:
        return number < condition.below
    return condition.above is not None and number > condition.above
