"""Commands that plugins add to the command line: `crmkit <plugin> <command>`."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from crmkit.crm import Crm

OWN_WORDS: Final = frozenset(
    "init demo serve import db plugins schema rebuild jobs token version".split()
)
"""Words of crmkit's own command line; a plugin with commands cannot have such a name."""


@dataclass(frozen=True, slots=True)
class Findings:
    """Rows of one kind that a command found.

    Attributes:
        name: plural noun, the key of the rows in JSON, such as `violations`.
        columns: names of the cells, in the form of `stored_points`.
        rows: the cells; None is printed as a dash.
    """

    name: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]


@dataclass(frozen=True, slots=True)
class Report:
    """What a command has to say.

    Attributes:
        is_good: whether the command exits with 0; otherwise with 1.
        findings: what is printed, one table after the other; those without rows are left out,
            but for JSON.
    """

    is_good: bool
    findings: Sequence[Findings]


@dataclass(frozen=True, slots=True)
class Command:
    """Something a plugin does when a person calls it.

    Attributes:
        name: lower-case word behind the plugin's, such as `verify`.
        summary: one sentence.
        run: does it; tables are as new as the code. It may read, and write through the services
            of `Crm`.
    """

    name: str
    summary: str
    run: "Callable[[Crm], Report]"
