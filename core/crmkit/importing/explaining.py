"""Saying what a service found wrong by line and column of the file. Pure."""

import re
from collections.abc import Iterable

from crmkit.errors import Problem, shown
from crmkit.importing.grouping import Run
from crmkit.importing.reading import Columns
from crmkit.importing.rows import Damage

_OF_A_LINE = re.compile(r"lines\[([0-9]{1,6})\](?:\.(.+))?")
_CAPITAL = re.compile("([A-Z])")


def explain(run: Run, problems: Iterable[Problem], columns: Columns) -> dict[int, Damage]:
    """Return the first problem of each line, by physical line and in the file's own words.

    What is not a problem of one of the lines, a plugin may name anything, is told of the first.
    """
    damages: dict[int, Damage] = {}
    for problem in problems:
        place, field = _place(problem.field, len(run.numbers))
        damages.setdefault(run.numbers[place], _damage(problem, run.rows[place], field, columns))
    return damages


def _place(field: str, lines: int) -> tuple[int, str]:
    """Return which of the lines a problem is about, and the mapping's name of the field."""
    found = _OF_A_LINE.fullmatch(field)
    if found is None or int(found[1]) >= lines:
        return 0, "" if field == "lines" else _snake(field)
    name = _snake(found[2] or "")
    return int(found[1]), "line_kind" if name == "kind" else name


def _damage(problem: Problem, row: list[str], field: str, columns: Columns) -> Damage:
    at = columns.by_field.get(field)
    if at is None:
        own = field and field.removeprefix("line_")
        return Damage(problem.code, _renamed(problem, own), own, problem.value)
    heading = columns.heading[at]
    value = shown(row[at].strip()) or problem.value
    return Damage(problem.code, _renamed(problem, heading), heading, value)


def _renamed(problem: Problem, heading: str) -> str:
    """Return the message, with the file's name of the field where it begins with ours."""
    if problem.field and heading and problem.message.startswith(f"{problem.field} "):
        return heading + problem.message.removeprefix(problem.field)
    return problem.message


def _snake(field: str) -> str:
    """Return the mapping's name of a field: `unitPrice` is `unit_price` there."""
    return _CAPITAL.sub(r"_\1", field.partition(".")[0]).lower()
