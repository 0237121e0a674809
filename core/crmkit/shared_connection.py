"""The driver's side of writes that share one SQLite transaction."""

import sqlite3

from crmkit.errors import SessionMisused


class SharedConnection(sqlite3.Connection):
    """The writing connection, on which each write is a savepoint of a shared transaction.

    SQLAlchemy begins, commits and rolls back a write as if it had a transaction of its own. What
    it commits is durable only after `make_durable`. Whoever uses the connection while no
    transaction is shared meets an ordinary connection.

    Attributes:
        is_shared: a transaction that writes share is under way.
    """

    is_shared = False
    _is_writing = False
    _is_broken = False

    @property
    def is_lost(self) -> bool:
        """Whether something ended the shared transaction, or left a write in it half done."""
        if not self.is_shared:
            return False
        return self._is_broken or self._is_writing or not self.in_transaction

    def begin(self) -> None:
        """Begin a transaction that writes share."""
        self.execute("BEGIN IMMEDIATE")
        self.is_shared = True

    def begin_write(self) -> None:
        """Begin a write in the shared transaction, which is under way."""
        self.execute("SAVEPOINT one_write")
        self._is_writing = True

    def commit(self) -> None:
        """Keep a write in the shared transaction; without one, commit."""
        if self._is_writing:
            self._is_writing = False
            try:
                self.execute("RELEASE one_write")
            except sqlite3.Error as error:
                self._is_broken = True
                raise SessionMisused("end") from error
        elif self.is_shared:
            raise sqlite3.ProgrammingError("the transaction belongs to several writes")
        else:
            super().commit()

    def rollback(self) -> None:
        """Take a write out of the shared transaction; without one, roll back."""
        if self._is_writing:
            self._is_writing = False
            try:
                self.execute("ROLLBACK TO one_write")
                self.execute("RELEASE one_write")
            except sqlite3.Error:
                self._is_broken = True
        elif not self.is_shared:
            super().rollback()

    def close(self) -> None:
        """Close; a shared transaction is lost."""
        self._is_broken = True
        super().close()

    def make_durable(self) -> None:
        """Commit the shared transaction; if that fails, it is undone."""
        try:
            super().commit()
        finally:
            self.give_up()

    def give_up(self) -> None:
        """Undo what is left of the shared transaction."""
        self.is_shared = self._is_writing = False
        try:
            super().rollback()
        except sqlite3.ProgrammingError:
            return  # it was closed, which undid it
        self._is_broken = False
