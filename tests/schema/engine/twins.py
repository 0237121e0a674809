"""Two equal shops: one answers by plans, the other by the reference executor."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch
from uuid import UUID

from sqlalchemy import inspect
from tests.schema.engine import extras
from tests.schema.engine.shop_data import fill

from crmkit import Crm, Settings
from crmkit.clock import FixedClock
from crmkit.lent_databases import create_database, database_of, drop_database
from crmkit.migrating import upgrade
from crmkit.testing import NOON
from crmkit_schema.runtime import ComposedSchema

IDS_EACH = 100_000  # that one operation may make at most


class CountedIds:
    """Makes ids by counting, so that two shops give what they record the same ids."""

    def __init__(self) -> None:
        self._next = 0

    def __call__(self) -> UUID:
        self._next += 1
        return UUID(int=(0x0197 << 112) | (7 << 76) | (2 << 62) | self._next)

    def begin(self, operation: int) -> None:
        """Count from the number that an operation begins with."""
        self._next = operation * IDS_EACH

    @contextmanager
    def used(self) -> Iterator[None]:
        """Let crmkit make ids by counting until the block ends."""
        with patch("crmkit.ids.uuid7", self):
            yield


class Twins:
    """Two schemas of the same plugins over two databases of the same content.

    Attributes:
        planned: the schema that answers by plans where it can.
        reference: the schema that is only asked by its reference executor.
    """

    def __init__(self, planned: Crm, reference: Crm, clock: FixedClock) -> None:
        self.clock, self.ids, self._crms = clock, CountedIds(), (planned, reference)
        self.planned, self.reference = ComposedSchema(planned), ComposedSchema(reference)
        with planned.read() as session:
            self._tables = sorted(inspect(session.connection()).get_table_names())

    def contents(self, crm: Crm) -> dict[str, list[str]]:
        """Return every row of every table of one shop as text."""
        found = {}
        with crm.read() as session:
            connection = session.connection()
            for name in self._tables:
                rows = connection.exec_driver_sql(f'SELECT * FROM "{name}"')
                found[name] = sorted(map(repr, rows))
        return found

    def differing_tables(self) -> list[str]:
        """Return the tables whose rows are not the same in both shops."""
        ours, theirs = (self.contents(each) for each in self._crms)
        return [name for name in self._tables if ours[name] != theirs[name]]


class Stable:
    """Makes twins of one kind of database; filled once, copied for each pair.

    Args:
        server: address of a PostgreSQL server; empty for SQLite files in `folder`.
    """

    def __init__(self, folder: Path, server: str = "") -> None:
        self._folder, self._server = folder, server
        self._made: list[str] = []
        self._template = create_database(server) if server else "template"
        with CountedIds().used(), self._open(self._template, FixedClock(NOON)) as crm:
            upgrade(crm.database, crm.registry)
            fill(crm)

    @contextmanager
    def twins(self) -> Iterator[Twins]:
        """Give twins until the block ends."""
        names, clock = [self._copy(), self._copy()], FixedClock(NOON)
        with self._open(names[0], clock) as one, self._open(names[1], clock) as other:
            twins = Twins(one, other, clock)
            with twins.ids.used():
                yield twins
        for name in names:
            self._drop(name)

    def close(self) -> None:
        """Drop what the pairs were copied from."""
        self._drop(self._template)

    def _open(self, name: str, clock: FixedClock) -> Crm:
        url = (
            database_of(self._server, name)
            if self._server
            else f"sqlite:///{self._folder / name}.sqlite3"
        )
        settings = Settings.load(
            self._folder, database_url=url, plugins=("loyalty",), timezone="Asia/Shanghai"
        )
        return Crm(settings, clock=clock, plugins=[extras])

    def _copy(self) -> str:
        if self._server:
            return create_database(self._server, self._template)
        self._made.append(f"copy{len(self._made)}")
        name = self._made[-1]
        shutil.copyfile(self._folder / "template.sqlite3", self._folder / f"{name}.sqlite3")
        return name

    def _drop(self, name: str) -> None:
        if self._server:
            drop_database(self._server, name)
            return
        for file in self._folder.glob(f"{name}.sqlite3*"):
            file.unlink()
