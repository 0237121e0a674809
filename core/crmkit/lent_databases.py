"""PostgreSQL databases for tests: made once, emptied after a test, used again.

Making a database costs up to half a second, emptying one some milliseconds.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

from sqlalchemy import Connection, NullPool, create_engine, make_url

_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"
# Everything a migration may leave behind; what is not listed here must not survive a test.
_SHAPE = """
    SELECT table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable
        || ' ' || coalesce(column_default, '')
    FROM information_schema.columns WHERE table_schema = 'public'
    UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
    UNION ALL SELECT conrelid::regclass || ' ' || pg_get_constraintdef(oid) FROM pg_constraint
        WHERE connamespace = 'public'::regnamespace
    UNION ALL SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace
    UNION ALL SELECT tgname FROM pg_trigger WHERE NOT tgisinternal
    UNION ALL SELECT typname FROM pg_type WHERE typnamespace = 'public'::regnamespace
        AND typtype <> 'c' AND typcategory <> 'A'
    UNION ALL SELECT version_num FROM core_schema_version
    ORDER BY 1
"""


class CoreDatabases:
    """Databases of one server that hold core's tables and nothing in them."""

    def __init__(self, server: str, template: str) -> None:
        self._server, self._template = server, template
        self._free: list[str] = []
        with administering(database_of(server, template)) as connection:
            self._tables = _column(connection, _TABLES)
            self._shape = _column(connection, _SHAPE)

    @contextmanager
    def lend(self) -> Iterator[str]:
        """Give the name of a database until the block ends."""
        name = self._free.pop() if self._free else create_database(self._server, self._template)
        try:
            yield name
        finally:
            if self._emptied(name):
                self._free.append(name)
            else:
                drop_database(self._server, name)

    def _emptied(self, name: str) -> bool:
        """Make a database what it was when lent; false if too much has changed in it."""
        with administering(database_of(self._server, name)) as connection:
            connection.exec_driver_sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            tables = _column(connection, _TABLES)
            for table in tables:
                if table not in self._tables:
                    connection.exec_driver_sql(f'DROP TABLE IF EXISTS "{table}" CASCADE')
            if not set(self._tables) <= set(tables) or _column(connection, _SHAPE) != self._shape:
                return False
            connection.exec_driver_sql("SET session_replication_role = replica")  # no references
            kept = (table for table in self._tables if table != "core_schema_version")
            connection.exec_driver_sql(";".join(f'DELETE FROM "{table}"' for table in kept))  # noqa: S608 names are ours
        return True


@contextmanager
def administering(address: str) -> Iterator[Connection]:
    """Connect outside any transaction, as creating databases demands."""
    url = make_url(address).set(drivername="postgresql+psycopg")
    engine = create_engine(url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with engine.connect() as connection:
        yield connection


def forget_on_crash(server: str) -> None:
    """Spare a server whose data live as long as the tests the waiting for the disk."""
    with administering(server) as connection:
        for option in ("fsync", "full_page_writes", "synchronous_commit"):
            connection.exec_driver_sql(f"ALTER SYSTEM SET {option} = off")
        connection.exec_driver_sql("SELECT pg_reload_conf()")


def create_database(server: str, template: str = "template1") -> str:
    """Make a database as a copy of another; returns its name."""
    name = f"test_{uuid4().hex}"
    with administering(server) as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
    return name


def drop_database(server: str, name: str) -> None:
    """Drop a database, whoever is still connected to it."""
    with administering(server) as connection:
        connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")


def database_of(server: str, name: str) -> str:
    """Return the address of a database."""
    return make_url(server).set(database=name).render_as_string(hide_password=False)


def _column(connection: Connection, sql: str) -> list[str]:
    return [value for (value,) in connection.exec_driver_sql(sql)]
