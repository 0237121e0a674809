"""The errors crmkit raises on purpose, and the problems it reports as data.

An exception ends an operation; a `Problem` describes one thing wrong with one value,
so that a batch can report all of them at once.
"""

from collections.abc import Sequence
from typing import ClassVar, NamedTuple


class Problem(NamedTuple):
    """One thing wrong with one value of one row.

    Attributes:
        code: stable name in UPPER_SNAKE, for programs.
        message: one sentence for people; says what to do where that is known.
        row: position of the row in the batch, from 0.
        field: path inside the row, such as `lines[2].quantity`; empty for the row itself.
        value: the offending value as text, cut to 100 characters.
    """

    code: str
    message: str
    row: int = 0
    field: str = ""
    value: str | None = None


def shown(value: object) -> str | None:
    """Return `value` as text that is short and can be encoded, whatever was sent."""
    if value is None:
        return None
    try:
        text = str(value)
    except (ValueError, RecursionError):  # an integer too long to print; lists too deep
        text = f"a {type(value).__name__} too large to show"
    text = text if len(text) <= 100 else text[:97] + "..."
    return text.encode("utf-8", "backslashreplace").decode()


class CrmkitError(Exception):
    """Parent of every error crmkit raises on purpose; `code` is stable, the text is not."""

    code: ClassVar[str] = "CRMKIT_ERROR"


class Refused(CrmkitError):
    """A write or a request that the rules do not allow; nothing was written."""

    code: ClassVar[str] = "REFUSED"


class ValidationFailed(Refused):
    """One or more rows of a batch are wrong, and the batch was refused as a whole.

    Attributes:
        problems: every problem found, in row order.
    """

    code: ClassVar[str] = "VALIDATION_FAILED"

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        first = self.problems[0]
        more = f" (and {len(self.problems) - 1} more)" if len(self.problems) > 1 else ""
        super().__init__(f"row {first.row} {first.field}: {first.message} [{first.code}]{more}")


class NotFound(Refused):
    """Something was named that does not exist, or that the caller may not see."""

    code: ClassVar[str] = "NOT_FOUND"

    def __init__(self, kind: str, key: object) -> None:
        self.kind = kind
        self.key = key
        super().__init__(f"there is no {kind} {shown(key)!r}")


class IdempotencyMismatch(Refused):
    """A key was used before with another request; the first one keeps its answer."""

    code: ClassVar[str] = "IDEMPOTENCY_MISMATCH"

    def __init__(self, key: str) -> None:
        self.key = key
        super().__init__(
            f"the idempotency key {shown(key)!r} was used before with another request; "
            "send a new key for a new request"
        )


class PermissionDenied(Refused):
    """The caller's role lacks a permission."""

    code: ClassVar[str] = "FORBIDDEN"

    def __init__(self, permission: str) -> None:
        self.permission = permission
        super().__init__(f"this needs the permission {permission!r}")


class SettingsError(CrmkitError):
    """A setting is missing or wrong; the message names the setting and the value."""

    code: ClassVar[str] = "SETTINGS_ERROR"


class DatabaseBusy(CrmkitError):
    """Another process writes the SQLite file; stop `crmkit serve` to run commands that write.

    Commands that write are import, rebuild, jobs run, token, demo and db upgrade; those that only
    read run beside a server. PostgreSQL takes all of them at once.
    """

    code: ClassVar[str] = "DATABASE_BUSY"


class WriteLost(DatabaseBusy):
    """Something ended the SQLite transaction that several writes share; send yours again.

    It may be stored or gone; what is known already by its `source` and `external_id`, or by its
    idempotency key, changes nothing when it comes again.
    """

    code: ClassVar[str] = "WRITE_LOST"

    def __init__(self) -> None:
        super().__init__(
            "the database transaction that this write shared with others was ended by one of them "
            "or hangs; it may be stored or gone: send it again"
        )


class SessionMisused(CrmkitError):
    """Code that works in somebody else's writing session tried to end it or to open another."""

    code: ClassVar[str] = "SESSION_MISUSED"

    def __init__(self, what: str) -> None:
        super().__init__(
            f"code inside a write may not {what} it; raise an exception to undo the write, and "
            "hand the session on (crm.record_transactions(..., session=session)) to add to it"
        )


class DatabaseNotReady(CrmkitError):
    """The tables are missing or older than the code."""

    code: ClassVar[str] = "DATABASE_NOT_READY"


class ImportFailed(CrmkitError):
    """A file cannot be imported at all; nothing of it was written in this run."""

    code: ClassVar[str] = "IMPORT_FAILED"


class PluginError(CrmkitError):
    """A plugin cannot be used; `plugin` names it.

    Attributes:
        plugin: the plugin's name.
    """

    code: ClassVar[str] = "PLUGIN_ERROR"

    def __init__(self, plugin: str, reason: str) -> None:
        self.plugin = plugin
        self.reason = reason
        super().__init__(f"plugin {plugin!r}: {reason}")


class PluginConflict(PluginError):
    """Two plugins contribute the same name; both are named.

    Attributes:
        other: the plugin that was there first.
    """

    code: ClassVar[str] = "PLUGIN_CONFLICT"

    def __init__(self, plugin: str, other: str, what: str) -> None:
        self.other = other
        super().__init__(plugin, f"{what} is also contributed by plugin {other!r}; rename one")


class HookFailed(PluginError):
    """A plugin's hook raised while a write was under way; the write was undone as a whole."""

    code: ClassVar[str] = "PLUGIN_FAILED"

    def __init__(self, plugin: str, hook: str, cause: BaseException) -> None:
        self.hook = hook
        super().__init__(plugin, f"its hook {hook} failed: {type(cause).__name__}: {cause}")
