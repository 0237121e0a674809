"""The two ways to settle a chunk: for good, with journal and reject file, or on trial."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Protocol, TypeVar

from sqlmodel import Session

from crmkit.crm import Crm
from crmkit.errors import Refused
from crmkit.importing.converting import Document
from crmkit.importing.journal import Journal, Position
from crmkit.importing.rejects import Rejected, RejectFile
from crmkit.importing.settling import Settled, Settler
from crmkit.inputs import Outcome

T = TypeVar("T")
_EXAMPLES = 20


class Recorder(Protocol):
    """Settles chunks and keeps count.

    Attributes:
        position: what is settled so far.
        examples: some rejected lines.
        unchecked: lines that could not be followed to the end.
    """

    position: Position
    examples: list[Rejected]
    unchecked: int

    def settle(self, documents: Sequence[Document], line_done: int, scattered_done: int) -> None:
        """Settle a chunk; afterwards everything up to the two positions is settled."""

    def finish(self, now: datetime) -> tuple[Mapping[str, int], Path | None]:
        """Note that the file is done; returns rejected lines by reason, and the reject file."""


class JournalledRecorder:
    """Records for good: rows, journal and rejects move together or not at all."""

    def __init__(self, crm: Crm, settler: Settler, journal: Journal, rejects: RejectFile) -> None:
        self.position = journal.position
        self.examples: list[Rejected] = []
        self.unchecked = 0
        self._crm = crm
        self._settler = settler
        self._journal = journal
        self._rejects = rejects

    def settle(self, documents: Sequence[Document], line_done: int, scattered_done: int) -> None:
        """Record a chunk in one database transaction."""

        def work(session: Session, singly: bool) -> tuple[Settled, Position]:
            settled = self._settler.settle(session, documents, singly=singly)
            position = _moved(self.position, settled, line_done, scattered_done)
            length = self._rejects.write(settled.rejected, self.position.reject_bytes)
            position = replace(position, reject_bytes=length)
            self._journal.advance(session, position, None)
            return settled, position

        settled, self.position = _with_refusals_apart(self._crm, work)
        self._journal = self._journal.at(self.position)
        _add_examples(self.examples, settled)

    def finish(self, now: datetime) -> tuple[Mapping[str, int], Path | None]:
        """Mark the run as finished."""
        self._rejects.write((), self.position.reject_bytes)
        self._crm.write(lambda session: self._journal.advance(session, self.position, now))
        found = self._rejects.path if self.position.rejected else None
        if found is None:
            self._rejects.path.unlink(missing_ok=True)
        return self._rejects.codes(), found


class TrialRecorder:
    """Does everything that recording does, chunk by chunk, and undoes it."""

    def __init__(self, crm: Crm, settler: Settler) -> None:
        self.position = Position()
        self.examples: list[Rejected] = []
        self.unchecked = 0
        self._crm = crm
        self._settler = settler
        self._reasons: Counter[str] = Counter()

    def settle(self, documents: Sequence[Document], line_done: int, scattered_done: int) -> None:
        """Record a chunk and undo it."""

        def work(session: Session, singly: bool) -> None:
            raise _Undone(self._settler.settle(session, documents, singly=singly))

        try:
            _with_refusals_apart(self._crm, work)
        except _Undone as undone:
            settled = undone.settled
        self.position = _moved(self.position, settled, line_done, scattered_done)
        self.unchecked += settled.unchecked
        self._reasons.update(each.damage.code for each in settled.rejected)
        _add_examples(self.examples, settled)

    def finish(self, now: datetime) -> tuple[Mapping[str, int], Path | None]:
        """Return what would be rejected."""
        return dict(self._reasons), None


def _with_refusals_apart(crm: Crm, work: Callable[[Session, bool], T]) -> T:
    """Write a chunk in one go, or if a plugin refuses a part of it, again without that part.

    The second way needs savepoints, which make SQLite copy every page that it changes.
    """
    try:
        return crm.write(lambda session: work(session, False))
    except Refused:
        return crm.write(lambda session: work(session, True))


class _Undone(Exception):
    """Ends a trial, so that nothing of it is kept."""

    def __init__(self, settled: Settled) -> None:
        self.settled = settled


def _moved(position: Position, settled: Settled, line: int, scattered: int) -> Position:
    return replace(
        position,
        line_done=line,
        scattered_done=scattered,
        taken=position.taken + settled.counts[Outcome.TAKEN],
        known=position.known + settled.counts[Outcome.KNOWN],
        rejected=position.rejected + settled.counts[Outcome.REJECTED],
    )


def _add_examples(examples: list[Rejected], settled: Settled) -> None:
    examples += settled.rejected[: max(0, _EXAMPLES - len(examples))]
