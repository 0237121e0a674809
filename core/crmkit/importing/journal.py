"""How far a file has come: read at the start of an import, moved with every chunk of rows.

The row moves in the database transaction that writes the chunk, so what it says is always true.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import CursorResult, insert, select, update
from sqlmodel import Session

from crmkit.bulk import table_of
from crmkit.errors import ImportFailed
from crmkit.ids import new_id
from crmkit.models import ImportRun


@dataclass(frozen=True, slots=True)
class Position:
    """What is settled of a file; units as in `ImportRun`."""

    line_done: int = 0
    scattered_done: int = 0
    taken: int = 0
    known: int = 0
    rejected: int = 0
    reject_bytes: int = 0

    @property
    def lines(self) -> int:
        """Lines that are settled."""
        return self.taken + self.known + self.rejected


_FIELDS = tuple(Position.__dataclass_fields__)


@dataclass(frozen=True, slots=True)
class Journal:
    """The journal entry of one file and mapping."""

    run_id: UUID
    position: Position

    def advance(self, session: Session, position: Position, finished_at: datetime | None) -> None:
        """Move the entry, unless another process has moved it meanwhile.

        Raises:
            ImportFailed: it has.
        """
        table = table_of(ImportRun)
        done = session.execute(
            update(table)
            .where(
                table.c.id == self.run_id,
                table.c.line_done == self.position.line_done,
                table.c.scattered_done == self.position.scattered_done,
                table.c.finished_at.is_(None),
            )
            .values(**_values(position), finished_at=finished_at)
        )
        if cast(CursorResult[Any], done).rowcount != 1:
            raise ImportFailed("another process is importing the same file; let it finish")

    def at(self, position: Position) -> "Journal":
        """Return the entry as it is after `advance` was committed."""
        return replace(self, position=position)


def open_journal(
    session: Session, *, digest: str, mapping: str, file_name: str, now: datetime
) -> Journal:
    """Return where to go on with a file.

    A run that was finished starts again from the first line: what is recorded then turns out to
    be known, and lines that were rejected get another chance.
    """
    table = table_of(ImportRun)
    found = session.execute(
        select(table).where(table.c.file_digest == digest, table.c.mapping == mapping)
    ).one_or_none()
    fresh = {**_values(Position()), "started_at": now, "finished_at": None, "file_name": file_name}
    if found is None:
        id_ = new_id()
        session.execute(insert(table).values(id=id_, file_digest=digest, mapping=mapping, **fresh))
        return Journal(id_, Position())
    if found.finished_at is not None:
        session.execute(update(table).where(table.c.id == found.id).values(**fresh))
        return Journal(found.id, Position())
    return Journal(found.id, Position(*(getattr(found, field) for field in _FIELDS)))


def _values(position: Position) -> dict[str, int]:
    return {field: getattr(position, field) for field in _FIELDS}
