"""A place on disk for what an import must remember about a file, however large the file is.

Which documents are scattered is known only at the end of the file. So it is read twice: once to
count, once to record. The counts, and meanwhile the lines of scattered documents, go to a SQLite
file beside the data.
"""

import shutil
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby, islice
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

import orjson

from crmkit.importing.grouping import Run
from crmkit.importing.rows import Damage

_BATCH = 50
_SCHEMA = """
PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA cache_size=-8192;
CREATE TABLE document (
    number TEXT PRIMARY KEY, first_line INTEGER, runs INTEGER, lines INTEGER
) WITHOUT ROWID;
CREATE TABLE spooled (
    first_line INTEGER, line INTEGER, run INTEGER, number TEXT, row BLOB, damage BLOB,
    PRIMARY KEY (first_line, line)
) WITHOUT ROWID;
BEGIN;
"""


class Extent(NamedTuple):
    """How a document lies in its file.

    Attributes:
        first_line: physical line of its first line.
        runs: how many pieces it is in.
        lines: how many lines it has.
    """

    first_line: int
    runs: int
    lines: int


class Scratch:
    """Counts and spooled lines of one import; gone when the block ends."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        shutil.rmtree(folder, ignore_errors=True)  # of an import that was killed
        folder.mkdir(parents=True, mode=0o700)
        self._database = sqlite3.connect(
            folder / "scratch.sqlite3", isolation_level=None, check_same_thread=False
        )
        self._database.executescript(_SCHEMA)

    def __enter__(self) -> "Scratch":
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._database.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def count(self, runs: Iterator[Run], progress: Callable[[int], None]) -> int:
        """Note where each document lies; returns the number of lines.

        Args:
            progress: is told now and then how many lines were counted.
        """
        total = 0
        while part := list(islice(runs, _BATCH)):
            self._database.executemany(
                "INSERT INTO document VALUES (?, ?, 1, ?) ON CONFLICT (number) DO UPDATE "
                "SET runs = runs + 1, lines = lines + excluded.lines",
                [(run.document, run.numbers[0], len(run.rows)) for run in part if run.document],
            )
            total += sum(len(run.rows) for run in part)
            progress(total)
        return total

    def extent(self, document: str) -> Extent | None:
        """Return how a document lies in the file, or None if the file does not hold it."""
        found = self._database.execute(
            "SELECT first_line, runs, lines FROM document WHERE number = ?", (document,)
        ).fetchone()
        return Extent(*found) if found else None

    def spool(self, run: Run, extent: Extent) -> None:
        """Keep a piece of a scattered document for later."""
        self._database.executemany(
            "INSERT INTO spooled VALUES (?, ?, ?, ?, ?, ?)",
            [
                (
                    extent.first_line,
                    number,
                    run.numbers[0],
                    run.document,
                    orjson.dumps(row),
                    orjson.dumps(tuple(run.damages.get(number, ()))),
                )
                for number, row in zip(run.numbers, run.rows, strict=True)
            ],
        )

    def scattered(self) -> Iterator[list[Run]]:
        """Give the pieces of each scattered document, in the order of their first lines."""
        rows = self._database.execute(
            "SELECT first_line, run, number, line, row, damage FROM spooled "
            "ORDER BY first_line, line"
        )
        for _, document in groupby(rows, lambda row: row[0]):
            yield [_unspooled(piece) for _, piece in groupby(document, lambda row: row[1])]


def _unspooled(rows: Iterable[tuple[int, int, str, int, bytes, bytes]]) -> Run:
    whole = Run("")
    for _, _, number, line, row, damage in rows:
        given = orjson.loads(damage)
        damages = {line: Damage(*given)} if given else {}
        whole.document = number
        whole.extend(Run(number, (line,), (orjson.loads(row),), damages))
    return whole


def repeats(pieces: list[Run]) -> int:
    """Return how many pieces at the front make the document; the rest says the same again.

    Files that were put together from overlapping exports hold whole documents twice; adding their
    lines up would double them. Pure.
    """
    content = [piece.rows for piece in pieces]
    count = len(content)
    for period in range(1, count // 2 + 1):
        if count % period == 0 and content == content[:period] * (count // period):
            return period
    return count
