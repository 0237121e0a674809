"""Cutting the documents of a file into chunks that fit in memory and in one commit."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from crmkit.importing.grouping import Run
from crmkit.importing.journal import Position
from crmkit.importing.rows import Damage
from crmkit.importing.scratch import Extent, Scratch, repeats
from crmkit.line_rules import LINES_MAX

_LINES = 15_000
_CHARACTERS = 4_000_000
_SCATTERED_LINES = 30_000
"""Lines of a scattered document with all that its file repeats of it; they are held at once."""


class Chunk(NamedTuple):
    """Documents to settle together.

    Attributes:
        line_done, scattered_done: what is settled once these documents are.
    """

    documents: list[Run]
    line_done: int
    scattered_done: int


class _Filling:
    """A chunk that is still growing."""

    def __init__(self, most: int) -> None:
        self._most = most
        self.documents: list[Run] = []
        self._lines = 0
        self._characters = 0

    def add(self, run: Run) -> None:
        """Take a document in."""
        self.documents.append(run)
        self._lines += len(run.rows)
        self._characters += sum(map(len, run.rows[0])) * len(run.rows)  # near enough

    @property
    def is_full(self) -> bool:
        """Tell whether the chunk is as large as one may be."""
        return (
            len(self.documents) >= self._most
            or self._lines >= _LINES
            or self._characters >= _CHARACTERS
        )


def chunks(runs: Iterable[Run], scratch: Scratch, start: Position, most: int) -> Iterator[Chunk]:
    """Give what is left of a file: first the documents in one piece, then the scattered ones.

    Args:
        runs: the whole file, from its first line.
        scratch: what the first reading found; takes the lines of scattered documents.
        start: what is settled already.
        most: documents in one chunk.
    """
    filling, line_done = _Filling(most), start.line_done
    for run in runs:
        extent = scratch.extent(run.document) if run.document else None
        if extent is not None and extent.lines > _most_lines(extent):
            run.damages = _too_many(run, extent.lines)
        elif extent is not None and extent.runs > 1:
            scratch.spool(run, extent)
            continue
        if run.numbers[-1] <= start.line_done:
            continue
        filling.add(run)
        line_done = max(line_done, run.numbers[-1])
        if filling.is_full:
            yield Chunk(filling.documents, line_done, start.scattered_done)
            filling = _Filling(most)
    if filling.documents:
        yield Chunk(filling.documents, line_done, start.scattered_done)
    yield from _scattered(scratch, line_done, start.scattered_done, most)


def _most_lines(extent: Extent) -> int:
    """Return how many lines may be looked at; in several pieces, they may say the same twice."""
    return LINES_MAX if extent.runs == 1 else _SCATTERED_LINES


def _too_many(run: Run, lines: int) -> dict[int, Damage]:
    message = f"a document has at most {LINES_MAX} lines; this one has {lines}"
    return {run.numbers[0]: Damage("TOO_MANY", message)}


def _scattered(scratch: Scratch, line_done: int, done: int, most: int) -> Iterator[Chunk]:
    filling, place = _Filling(most), 0
    for place, pieces in enumerate(scratch.scattered(), 1):
        if place <= done:
            continue
        period = repeats(pieces)
        for start in range(0, len(pieces), period):
            whole = Run(pieces[0].document)
            for piece in pieces[start : start + period]:
                whole.extend(piece)
            if len(whole.rows) > LINES_MAX:
                whole.damages = _too_many(whole, len(whole.rows))
            filling.add(whole)
        if filling.is_full:
            yield Chunk(filling.documents, line_done, place)
            filling = _Filling(most)
    if filling.documents:
        yield Chunk(filling.documents, line_done, place)
