"""How many statements requests take on PostgreSQL, counted in the server's own log."""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.benchmarks.serving.postgres import PostgresServer

_STATEMENT = re.compile(r"LOG:  (?:statement|execute [^:]*): *(\S+)(?!.*pg_reload_conf)")
_FRAME = frozenset({"begin", "commit", "rollback", "savepoint", "release", "set", "start", "alter"})


@contextmanager
def counted_statements(server: PostgresServer) -> Iterator[list[int]]:
    """Count the statements that are run in the block, without those that frame transactions.

    The list that is given holds the count when the block has ended.
    """
    counted: list[int] = []
    _log(server, "all")
    start = server.log.stat().st_size
    yield counted
    _log(server, "none")
    with server.log.open() as log:
        log.seek(start)
        words = [word.lower().rstrip(";") for word in _STATEMENT.findall(log.read())]
    counted.append(sum(1 for word in words if word not in _FRAME))


def _log(server: PostgresServer, what: str) -> None:
    server.execute(f"ALTER SYSTEM SET log_statement = '{what}'", "SELECT pg_reload_conf()")
    time.sleep(0.3)  # each backend takes it over when it next waits
