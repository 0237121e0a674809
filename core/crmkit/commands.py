"""Commands that plugins add to the command line: `crmkit <plugin> <command>`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

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
class Chart:
    """Figures to be drawn as bars, in a report that is a page.

    Attributes:
        labels: what stands along the axis, such as months; a few letters each.
        series: figures by name, one for each label; none is below 0.
    """

    title: str
    labels: Sequence[str]
    series: Mapping[str, Sequence[int]]


@dataclass(frozen=True, slots=True)
class Matrix:
    """Counts from somewhere to somewhere, in a report that is a page.

    Attributes:
        down: what the rows are; `across` what the columns are.
        counts: one row of figures for each of `rows`.
    """

    title: str
    down: str
    across: str
    rows: Sequence[str]
    columns: Sequence[str]
    counts: Sequence[Sequence[int]]


@dataclass(frozen=True, slots=True)
class Report:
    """What a command has to say.

    Attributes:
        is_good: whether the command exits with 0; otherwise with 1.
        findings: what is printed, one table after the other; those without rows are left out,
            but for JSON.
        notes: sentences above the tables.
        charts: drawn above the tables of a page.
        matrices: likewise.
    """

    is_good: bool
    findings: Sequence[Findings]
    notes: Sequence[str] = ()
    charts: Sequence[Chart] = ()
    matrices: Sequence[Matrix] = ()


OptionKind = Literal["text", "date", "file"]
"""What an option takes: any text; a day such as 2026-03-31; a file that can be read."""

OPTION_NAME: Final = "[a-z][a-z0-9]*(-[a-z0-9]+)*"
"""How options are named."""

TAKEN_OPTIONS: Final = frozenset({"help", "data-dir", "json", "report"})
"""Options that every command has."""


@dataclass(frozen=True, slots=True)
class Option:
    """A named value that a command takes, written `--name VALUE`.

    Attributes:
        name: lower-case words joined by dashes; the key of the value.
        kind: what is taken, and checked before the command runs.
        summary: one sentence, for the help.
        is_required: whether the command cannot do without it.
        default: the value if it is not given; a `date` or `Path` for the kinds that give one.
    """

    name: str
    kind: OptionKind
    summary: str
    is_required: bool = False
    default: Any = None


@dataclass(frozen=True, slots=True)
class Command:
    """Something a plugin does when a person calls it.

    Attributes:
        name: lower-case word behind the plugin's, such as `verify`.
        summary: one sentence.
        run: does it, given a value for each option by its name: a text, a `date` or a `Path`.
            Tables are as new as the code. It may read, and write through the services of `Crm`.
        options: what it takes.
    """

    name: str
    summary: str
    run: "Callable[[Crm, Mapping[str, Any]], Report]"
    options: Sequence[Option] = ()
