"""Data directories with the made-up shop in them, made once and used again by later runs."""

import hashlib
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from tests.benchmarks.serving import shop_rows
from tests.benchmarks.serving.postgres import PostgresServer
from tests.benchmarks.serving.shop_rows import COLUMNS, CURRENCY, SIZES

from crmkit import Crm, Settings
from crmkit.access import ADMIN, create_token
from crmkit.metrics import rebuild
from crmkit.migrating import upgrade

DIALECTS = ("sqlite", "postgresql")
STAND_INS = Path(__file__).with_name("stand_ins.py")
FOLDER = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "crmkit-serving"


@dataclass(frozen=True, slots=True)
class Shop:
    """A data directory of crmkit that is filled.

    Attributes:
        database: file of the SQLite database, or name of the PostgreSQL database.
    """

    dialect: str
    size: str
    data_dir: Path
    database: str


def filled(folder: Path, size: str, dialect: str, postgres: PostgresServer) -> Shop:
    """Return a shop, after filling it if no earlier run has."""
    data_dir = folder / size / dialect
    name = f"serving_{size.lower()}"
    is_sqlite = dialect == "sqlite"
    database = str(data_dir / "crmkit.sqlite3") if is_sqlite else name
    mark = data_dir / "filled"
    if not mark.exists() or mark.read_text() != _version():
        shutil.rmtree(data_dir, ignore_errors=True)
        (data_dir / "plugins").mkdir(parents=True)
        shutil.copy(STAND_INS, data_dir / "plugins")
        if not is_sqlite:
            postgres.create_database(name)
        url = f'database_url = "{postgres.url(name)}"\n' if not is_sqlite else ""
        options = f'currency = "{CURRENCY}"\ntimezone = "UTC"\n{url}'
        (data_dir / "crmkit.toml").write_text(options)
        _fill(data_dir, size)
        mark.write_text(_version())
    return Shop(dialect, size, data_dir, database)


def _version() -> str:
    """Return a digest of what decides which rows and tables there are."""
    digest = hashlib.sha256()
    for path in (STAND_INS, Path(shop_rows.__file__)):
        digest.update(path.read_bytes())
    for folder in ("core/crmkit", "plugins/crmkit_loyalty"):
        root = Path(__file__).parents[3] / folder / "migrations" / "versions"
        for path in sorted(root.glob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()


def _fill(data_dir: Path, size: str) -> None:
    with Crm(Settings.load(data_dir)) as crm:
        crm.database.create()
        upgrade(crm.database, crm.registry)
        url = crm.database.url
    is_sqlite = url.get_backend_name() == "sqlite"
    address = url.database if is_sqlite else url.set(drivername="postgresql").render_as_string()
    (_sqlite if is_sqlite else _postgres)(str(address), size)
    with Crm(Settings.load(data_dir)) as crm:
        crm.write(rebuild, unhurried=True)
        roles, now = crm.roles, crm.clock.now()
        token = crm.write(lambda session: create_token(session, roles, "b", ADMIN, now=now))
        (data_dir / "token").write_text(token)
    # PostgreSQL would vacuum by itself soon, while something is measured.
    if is_sqlite:
        with closing(sqlite3.connect(str(address), isolation_level=None)) as file:
            file.execute("ANALYZE")
    else:
        with psycopg.connect(str(address), autocommit=True) as connection:
            connection.execute("VACUUM ANALYZE")


def _sqlite(path: str, size: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for pragma in ("journal_mode=OFF", "synchronous=OFF", "cache_size=-500000"):
            connection.execute(f"PRAGMA {pragma}")
        found = connection.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
        )
        with _without_indexes(connection, found.fetchall()):
            connection.execute("BEGIN")
            for table, rows in _parts(size):
                marks = ", ".join("?" * len(COLUMNS[table]))
                names = ", ".join(COLUMNS[table])
                connection.executemany(f'INSERT INTO "{table}" ({names}) VALUES ({marks})', rows)
            connection.execute("COMMIT")


def _postgres(address: str, size: str) -> None:
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")  # references are right
        connection.execute("SET maintenance_work_mem = '512MB'")
        found = connection.execute(
            "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'"
            " AND indexname NOT IN (SELECT conname FROM pg_constraint)"
        )
        with _without_indexes(connection, found.fetchall()):
            for table, rows in _parts(size):
                names = ", ".join(COLUMNS[table])
                with connection.cursor().copy(f'COPY "{table}" ({names}) FROM STDIN') as copy:
                    for row in rows:
                        copy.write_row(row)


def _parts(size: str) -> Iterator[tuple[str, list[shop_rows.Row]]]:
    for chunk in shop_rows.shop(SIZES[size]):
        yield from ((table, chunk[table]) for table in COLUMNS if chunk.get(table))


@contextmanager
def _without_indexes(connection: Any, indexes: list[tuple[str, str]]) -> Iterator[None]:
    """Make indexes when all rows are there, which takes a fraction of the time."""
    for name, _ in indexes:
        connection.execute(f'DROP INDEX "{name}"')
    yield
    for _, sql in indexes:
        connection.execute(sql)
