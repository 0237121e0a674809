"""Putting the lines of a file together into documents. Pure.

A run is an unbroken sequence of lines of one document; most documents are one run. A line whose
document cannot be made out belongs to the document on both sides of it, if that is the same one,
because recording that document without the line would get its total wrong.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

from crmkit.importing.rows import Block, Damage
from crmkit.line_rules import LINES_MAX

_ORPHANS_MAX = 1_000


class Run:
    """Consecutive lines of one document.

    Attributes:
        document: its number; empty for lines whose document is unknown.
        numbers: the physical line of each row.
        damages: what is wrong with its damaged lines, by physical line.
    """

    __slots__ = ("damages", "document", "numbers", "rows")

    def __init__(
        self,
        document: str,
        numbers: Sequence[int] = (),
        rows: Sequence[list[str]] = (),
        damages: dict[int, Damage] | None = None,
    ) -> None:
        self.document = document
        self.numbers = list(numbers)
        self.rows = list(rows)
        self.damages = damages or {}

    def extend(self, other: "Run") -> None:
        """Append the lines of another run."""
        self.numbers += other.numbers
        self.rows += other.rows
        self.damages.update(other.damages)


def runs(blocks: Iterable[Block], column: int, heading: str) -> Iterator[Run]:
    """Group lines into runs, in the order of the file.

    A run is cut when it has more lines than a transaction may have.

    Args:
        column: position of the document number.
        heading: name of that column, for messages.
    """
    current = Run("")
    orphans: Run | None = None
    for part in _parts(blocks, column):
        if not part.document:
            _explain_orphans(part, heading)
            if orphans is None and current.document:
                orphans = part
            elif orphans is not None and len(orphans.rows) < _ORPHANS_MAX:
                orphans.extend(part)
            else:
                yield from filter(_filled, (current, orphans, part))
                current, orphans = Run(""), None
        elif part.document == current.document and len(current.rows) <= LINES_MAX:
            if orphans is not None:
                blanks = _take_in(current, orphans)
                yield from filter(_filled, (blanks,))
                orphans = None
            current.extend(part)
        else:
            yield from filter(_filled, (current, orphans))
            current, orphans = part, None
    yield from filter(_filled, (current, orphans))


def _filled(run: Run | None) -> bool:
    return run is not None and bool(run.rows)


def _parts(blocks: Iterable[Block], column: int) -> Iterator[Run]:
    """Give the runs of each block by itself."""
    document_of: Any = itemgetter(column)
    for numbers, rows, damages in blocks:
        start = 0
        for document, group in groupby(map(document_of, rows)):
            end = start + len(list(group))
            here = numbers[start:end]
            own = {each: damages[each] for each in here if each in damages} if damages else None
            yield Run(document.strip(), here, rows[start:end], own)
            start = end


def _explain_orphans(part: Run, heading: str) -> None:
    for number, row in zip(part.numbers, part.rows, strict=True):
        if number not in part.damages:
            part.damages[number] = (
                Damage("REQUIRED", "the document number must not be empty", heading)
                if any(row)
                else Damage("EMPTY_LINE", "the line is empty")
            )


def _take_in(current: Run, orphans: Run) -> Run:
    """Give damaged lines to the document around them; returns the empty lines among them."""
    mine, blanks = Run(current.document), Run("")
    for number, row in zip(orphans.numbers, orphans.rows, strict=True):
        damage = orphans.damages[number]
        (blanks if damage.code == "EMPTY_LINE" else mine).extend(
            Run("", (number,), (row,), {number: damage})
        )
    current.extend(mine)
    return blanks
