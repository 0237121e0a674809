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
        amount_minor: the money given back for it, as a positive number.
    """

    position: int
    quantity_milli: int
    amount_minor: int


def link_returned_lines(
    row: Row,
    lines: Sequence[RecordedLine],
    sold: Sequence[RecordedLine],
    returned: Iterable[Returned],
) -> tuple[RecordedLine, ...]:
    """Tie each line that comes back to the line it was sold on.

    A line that names no original position goes to the first sold line of the same sku that has
    enough left. More than was sold, over all returns, is a problem: more pieces, and more money
    than was taken for them.

    Args:
        row: takes the problems.
        lines: lines of the return or exchange.
        sold: lines of the original.
        returned: what earlier returns of the same original brought back.
    """
    left = {line.position: line.quantity_milli for line in sold}
    money_left = {line.position: line.amount_minor for line in sold}
    by_sku: dict[str, list[int]] = defaultdict(list)
    for line in sold:
        by_sku[line.sku].append(line.position)
    for earlier, quantity, amount in returned:
        left[earlier] = left.get(earlier, 0) - quantity
        money_left[earlier] = money_left.get(earlier, 0) - amount
    linked = []
    for line in lines:
        named = line.original_position
        if line.quantity_milli >= 0 or (named is None and line.kind != LineKind.PRODUCT):
            linked.append(line)
            continue
        needed, paid_back = -line.quantity_milli, -line.amount_minor
        candidates = [each for each in by_sku[line.sku] if named in (None, each)]
        enough = [each for each in candidates if left[each] >= needed]
        # A sold line below zero is a reduction: giving none of it back is the most there is.
        position = next((each for each in enough if max(money_left[each], 0) >= paid_back), None)
        if position is None:
            _refuse(row, line, is_money=bool(enough))
            continue
        left[position] -= needed
        money_left[position] -= paid_back
        linked.append(line._replace(original_position=position))
    return tuple(linked)


def _refuse(row: Row, line: RecordedLine, *, is_money: bool) -> None:
    at = f"lines[{line.position - 1}]"
    if is_money:
        message = "more money comes back than is left of what was taken for it"
        row.fail("RETURN_EXCEEDS_SALE", message, f"{at}.amount", line.amount_minor)
    else:
        message = "more comes back than is left of what was sold"
        quantity = line.quantity_milli / 1000
        row.fail("RETURN_EXCEEDS_SALE", message, f"{at}.quantity", quantity)
