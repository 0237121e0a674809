"""The two ways to settle a chunk: for good, with journal and reject file, or on trial."""

import time
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
from crmkit.importing.report import ImportReport, Subject
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
        resumed_at: last line that an interrupted import had settled; None if there was none.
    """

    position: Position
    examples: list[Rejected]
    unchecked: int
    resumed_at: int | None

    def settle(self, documents: Sequence[Document], line_done: int, scattered_done: int) -> None:
        """Settle a chunk; afterwards everything up to the two positions is settled."""

    def finish(self, subject: Subject, now: datetime) -> ImportReport:
        """Note that the file is done, and report what became of it."""


class JournalledRecorder:
    """Records for good: rows, journal and rejects move together or not at all."""

    def __init__(self, crm: Crm, settler: Settler, journal: Journal, rejects: RejectFile) -> None:
        self.position = journal.position
        self.resumed_at = journal.position.line_done or None
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

    def finish(self, subject: Subject, now: datetime) -> ImportReport:
        """Mark the run as finished, and report."""
        self._rejects.write((), self.position.reject_bytes)
        self._crm.write(lambda session: self._journal.advance(session, self.position, now))
        found = self._rejects.path if self.position.rejected else None
        if found is None:
            self._rejects.path.unlink(missing_ok=True)
        return _report(self, subject, self._rejects.codes(), found, dry_run=False)


class TrialRecorder:
    """Does everything that recording does, chunk by chunk, and undoes it."""

    def __init__(self, crm: Crm, settler: Settler) -> None:
        self.position = Position()
        self.resumed_at: int | None = None
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

    def finish(self, subject: Subject, now: datetime) -> ImportReport:
        """Report what would become of the file."""
        return _report(self, subject, dict(self._reasons), None, dry_run=True)


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


def _report(
    recorder: Recorder,
    subject: Subject,
    reasons: Mapping[str, int],
    reject_file: Path | None,
    *,
    dry_run: bool,
) -> ImportReport:
    position = recorder.position
    return ImportReport(
        file=subject.file,
        mapping=subject.mapping,
        dry_run=dry_run,
        lines=position.lines,
        taken=position.taken,
        known=position.known,
        rejected=position.rejected,
        reject_file=reject_file,
        reasons=reasons,
        examples=tuple(recorder.examples),
        resumed_at=recorder.resumed_at,
        unused_columns=subject.unused_columns,
        unchecked=recorder.unchecked,
        seconds=time.monotonic() - subject.started,
    )


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
