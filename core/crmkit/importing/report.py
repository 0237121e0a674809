"""What an import tells while it runs and when it is done."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

from crmkit.importing.rejects import Rejected


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an import is.

    Attributes:
        phase: the file is read once to count its lines, and once to record them.
        lines_total: None while counting.
        lines_per_second: in this phase, without what an earlier, interrupted import had done.
    """

    phase: Literal["counting", "recording"]
    lines_done: int
    lines_total: int | None
    lines_per_second: float

    @property
    def seconds_left(self) -> float | None:
        """How long the rest will take at this rate, if that can be told."""
        if self.lines_total is None or self.lines_per_second <= 0:
            return None
        return (self.lines_total - self.lines_done) / self.lines_per_second


ProgressCallback = Callable[[Progress], None]


class Teller:
    """Turns counts into progress."""

    def __init__(self, callback: ProgressCallback) -> None:
        self._callback = callback

    def start(
        self, phase: Literal["counting", "recording"], lines_done: int, total: int | None
    ) -> None:
        """Begin a phase."""
        self._phase, self._first, self._total = phase, lines_done, total
        self._since = time.monotonic()
        self.report(lines_done)

    def report(self, lines_done: int) -> None:
        """Tell how many lines are done."""
        seconds = time.monotonic() - self._since
        rate = (lines_done - self._first) / seconds if seconds else 0.0
        self._callback(Progress(self._phase, lines_done, self._total, rate))


class Subject(NamedTuple):
    """What is imported.

    Attributes:
        mapping: identity of the mapping.
        unused_columns: headings that the mapping does not read.
        started: when the import began, by `time.monotonic`.
    """

    file: Path
    mapping: str
    unused_columns: tuple[str, ...]
    started: float


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What became of the lines of a file; `taken + known + rejected == lines`.

    Counts include what an interrupted import of the same file had settled before.

    Attributes:
        lines: rows of the file without its heading and without empty rows at its end.
        taken: lines whose transaction is new.
        known: lines whose transaction was recorded before, with the same content.
        rejected: lines that could not be taken; the reject file lists each.
        reject_file: None if no line was rejected, and in a dry run.
        reasons: number of rejected lines for each code.
        examples: the first rejected lines of this run, at most 20.
        resumed_at: last line that an interrupted import had settled; None if there was none.
        unused_columns: headings that the mapping does not read.
        unchecked: in a dry run, lines counted as taken although their transaction returns or
            voids another one of the same file, which only a real import can follow.
    """

    file: Path
    mapping: str
    dry_run: bool
    lines: int
    taken: int
    known: int
    rejected: int
    reject_file: Path | None
    reasons: Mapping[str, int]
    examples: tuple[Rejected, ...]
    resumed_at: int | None
    unused_columns: tuple[str, ...]
    unchecked: int
    seconds: float
