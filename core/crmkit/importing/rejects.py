"""The reject file: every line that was not taken, with the reason and the line itself.

It holds personal data like the database beside it, so only its owner may read it. It opens in a
spreadsheet, so no cell may be read as a formula.
"""

import csv
import io
import os
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

from crmkit.importing.rows import Damage

HEADING = ("line", "code", "field", "value", "message", "record")
_BOM = b"\xef\xbb\xbf"  # without it Excel shows Chinese as something else
_READABLE_BYTES = 100
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class Rejected(NamedTuple):
    """One line that was not taken.

    Attributes:
        line: physical line in the file, from 1.
        record: the line as it was read, its fields separated by commas.
    """

    line: int
    damage: Damage
    record: str


class RejectFile:
    """The rejects of one run, of which a known number of bytes is certain."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, rejected: Iterable[Rejected], at: int) -> int:
        """Append lines after the first `at` bytes and make them durable; returns the new length.

        What stood behind `at` came from a chunk that was never committed, and is dropped.
        """
        lines = list(rejected)
        if not lines and self.size() == at:
            return at
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        new = not self.path.exists()
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "r+b") as file:
            os.fchmod(file.fileno(), 0o600)
            file.truncate(at)
            file.seek(at)
            if lines:
                file.write((b"" if at else _BOM) + _csv([HEADING] if not at else [], lines))
            file.flush()
            os.fsync(file.fileno())
            end = file.tell()
        if new:
            _sync_folder(self.path.parent)
        return end

    def size(self) -> int:
        """Return the file's length in bytes; 0 if there is none."""
        try:
            return self.path.stat().st_size
        except FileNotFoundError:
            return 0

    def codes(self) -> dict[str, int]:
        """Return how many lines were rejected for each reason."""
        if self.size() == 0:
            return {}
        with self.path.open(encoding="utf-8-sig", newline="") as file:
            return dict(Counter(row["code"] for row in csv.DictReader(file)))


def reject_name(file_name: str, run_id: UUID) -> str:
    """Return the name of a run's reject file, which no other run has.

    Args:
        file_name: of the file that is imported; as much of it is kept as any folder can hold.
    """
    readable = re.sub(r"[^\w-]+", "_", file_name).encode()[:_READABLE_BYTES].decode(errors="ignore")
    return f"{readable}-{run_id}.csv"


def neutral(cell: str | None) -> str:
    """Return a cell that no spreadsheet takes for a formula."""
    if cell is None:
        return ""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def record_text(fields: Iterable[str]) -> str:
    """Return the fields of a line as CSV."""
    out = io.StringIO()
    csv.writer(out, lineterminator="").writerow(fields)
    return out.getvalue()


def _csv(head: list[tuple[str, ...]], rejected: Iterable[Rejected]) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerows(head)
    for line, damage, record in rejected:
        cells = (damage.code, damage.field, damage.value, damage.message, record)
        writer.writerow((line, *map(neutral, cells)))
    return out.getvalue().encode("utf-8", "replace")


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
