"""Everything that a database holds, to be compared with what it holds later."""

import hashlib
from pathlib import Path

from sqlalchemy import MetaData, select

from crmkit import Crm


def all_rows(crm: Crm) -> dict[str, list[str]]:
    """Return every row of every table, as text."""
    found = MetaData()
    with crm.read() as session:
        connection = session.connection()
        found.reflect(connection)
        return {
            table.name: sorted(repr(tuple(row)) for row in connection.execute(select(table)))
            for table in found.sorted_tables
        }


def digest(path: Path) -> str:
    """Return what tells one content of a file from another."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
