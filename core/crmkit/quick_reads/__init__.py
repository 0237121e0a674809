"""Reads of one statement whose one value is text, run on the event loop itself.

A statement of some hundred microseconds costs less than handing it to a thread and back. Nothing
here is needed for a right answer: where a quick read gives none, the caller reads as usual.
"""

from typing import Any, Protocol

from sqlalchemy import Engine


class QuickReads(Protocol):
    """The quick way to one database."""

    async def text(self, sql: str, values: Any) -> str | bytes | None:
        """Return the one value of a statement that reads.

        Args:
            sql: as SQLAlchemy's driver for the database takes it.
            values: its parameters, as the driver takes them.

        Returns:
            None if it must be read otherwise: it takes too long for the event loop, the
            connections are used up, or something failed.
        """

    def close(self) -> None:
        """Close the connections."""


def quick_reads(reader: Engine) -> QuickReads:
    """Return the quick way to a database.

    Args:
        reader: gives connections that are set up for reading, without transactions.
    """
    if reader.dialect.name == "sqlite":
        from crmkit.quick_reads.sqlite import SqliteQuickReads

        return SqliteQuickReads(reader)
    from crmkit.quick_reads.postgres import PostgresQuickReads

    return PostgresQuickReads(reader)
