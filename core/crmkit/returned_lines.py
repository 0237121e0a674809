"""Which sold line each returned line brings back. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from crmkit.batches import RecordedLine
from crmkit.checking import Row
from crmkit.models import LineKind


class Returned(NamedTuple):
    """How much of one sold line came back before.

    Attributes:
        quantity_milli: as a positive number.
    """

    position: int
    quantity_milli: int


def link_returned_lines(
    row: Row,
    lines: Sequence[RecordedLine],
    sold: Sequence[RecordedLine],
    returned: Iterable[Returned],
) -> tuple[RecordedLine, ...]:
    """Tie each line that comes back to the line it was sold on.

    A line that names no original position goes to the first sold line of the same sku that has
    enough left. More than was sold, over all returns, is a problem.

    Args:
        row: takes the problems.
        lines: lines of the return or exchange.
        sold: lines of the original.
        returned: what earlier returns of the same original brought back.
    """
    left = {line.position: line.quantity_milli for line in sold}
    by_sku: dict[str, list[int]] = defaultdict(list)
    for line in sold:
        by_sku[line.sku].append(line.position)
    for earlier, quantity in returned:
        left[earlier] = left.get(earlier, 0) - quantity
    linked = []
    for line in lines:
        named = line.original_position
        if line.quantity_milli >= 0 or (named is None and line.kind != LineKind.PRODUCT):
            linked.append(line)
            continue
        needed, at = -line.quantity_milli, f"lines[{line.position - 1}]"
        candidates = [each for each in by_sku[line.sku] if named in (None, each)]
        position = next((each for each in candidates if left.get(each, 0) >= needed), None)
        if position is None:
            row.fail(
                "RETURN_EXCEEDS_SALE",
                "more comes back than is left of what was sold",
                f"{at}.quantity",
                line.quantity_milli / 1000,
            )
            continue
        left[position] -= needed
        linked.append(line._replace(original_position=position))
    return tuple(linked)
