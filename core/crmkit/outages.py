"""Telling a database that cannot be used now from a statement that is wrong."""

from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from crmkit.errors import DatabaseBusy, DatabaseNotReady

# A lock that did not become free, a statement that took longer than it may: nothing was done.
_WAITED_TOO_LONG = frozenset({"55P03", "57014"})
# Primary result codes: busy, locked, no memory, read-only, I/O, corrupt, full, cannot open, no
# database.
_SQLITE_OUTAGES = frozenset({5, 6, 7, 8, 10, 11, 13, 14, 26})


def is_outage(error: BaseException) -> bool:
    """Tell whether an error says that the database cannot be used, not that a statement is wrong.

    SQLite's driver reports a full disk and a misspelt table by one class.
    """
    if isinstance(error, DatabaseBusy | DatabaseNotReady | PoolTimeout):
        return True
    if not isinstance(error, OperationalError):
        return False
    code = getattr(error.orig, "sqlite_errorcode", None)
    if code is not None:
        return (code & 0xFF) in _SQLITE_OUTAGES
    state = getattr(error.orig, "sqlstate", None) or ""
    return not state or state in _WAITED_TOO_LONG or state.startswith(("08", "53", "57P"))
