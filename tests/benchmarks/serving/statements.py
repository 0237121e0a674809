"""How many statements a request takes on PostgreSQL, counted in the server's own log."""

import re
import time
from collections.abc import Callable

from tests.benchmarks.serving.postgres import PostgresServer

_STATEMENT = re.compile(r"LOG:  (?:statement|execute [^:]*): *(\S+)(?!.*pg_reload_conf)")
_FRAME = frozenset({"begin", "commit", "rollback", "savepoint", "release", "set", "start", "alter"})


def count_statements(server: PostgresServer, work: Callable[[], object], times: int) -> float:
    """Return the statements of one call of `work`, without those that frame transactions."""
    _set(server, "all")
    start = server.log.stat().st_size
    for _ in range(times):
        work()
    _set(server, "none")
    with server.log.open() as log:
        log.seek(start)
        words = [word.lower().rstrip(";") for word in _STATEMENT.findall(log.read())]
    return sum(1 for word in words if word not in _FRAME) / times


def _set(server: PostgresServer, what: str) -> None:
    server.execute(f"ALTER SYSTEM SET log_statement = '{what}'", "SELECT pg_reload_conf()")
    time.sleep(0.3)  # each backend takes it over when it next waits
