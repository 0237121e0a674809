"""`crmkit rebuild`: derived rows made again from facts, or compared with them."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crmkit_cli.opening import opened
from crmkit_cli.options import HERE, AsJson, DataDir
from crmkit_cli.printing import print_json, print_table
from crmkit_cli.refusing import REFUSED

if TYPE_CHECKING:
    from crmkit import Crm, Difference, Rebuilder

_SHOWN_MAX = 20
_LISTED_MAX = 1_000


def rebuild(
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; list rows that differ, 1 if any.")
    ] = False,
    only: Annotated[
        str | None, typer.Option("--only", help="Just this one, such as metrics.")
    ] = None,
    data_dir: DataDir = HERE,
    as_json: AsJson = False,
) -> None:
    """Make figures, balances and other derived rows again from the facts."""
    with opened(data_dir, must_be_ready=True) as crm:
        chosen = _chosen(crm, only)
        if check:
            _check(crm, chosen, as_json)
            return
        written = {each.name: crm.write(each.rebuild, unhurried=True) for each in chosen}
    if as_json:
        print_json({"written": written})
    else:
        print_table(("Rebuilt", "Rows written"), [(n, f"{c:,}") for n, c in written.items()])


def _chosen(crm: "Crm", only: str | None) -> "list[Rebuilder]":
    known = [rebuilder for _, rebuilder in crm.registry.rebuilders]
    chosen = [each for each in known if only in (None, each.name)]
    if not chosen:
        names = ", ".join(each.name for each in known)
        raise typer.BadParameter(
            f"nothing is named {only!r}; there are: {names}", param_hint="--only"
        )
    return chosen


def _check(crm: "Crm", chosen: "Sequence[Rebuilder]", as_json: bool) -> None:
    with crm.read(unhurried=True) as session:
        found = {each.name: each.check(session) for each in chosen}
    differences = [(name, each) for name, some in found.items() for each in some]
    if as_json:
        print_json(
            {
                "checked": list(found),
                "difference_count": len(differences),
                "differences": [_listed(*each) for each in differences[:_LISTED_MAX]],
            }
        )
    elif differences:
        rows = [(name, d.table, d.key, _changes(d)) for name, d in differences[:_SHOWN_MAX]]
        print_table(("Check", "Table", "Row", "Stored, and what the facts give"), rows)
        if len(differences) > _SHOWN_MAX:
            print(f"and {len(differences) - _SHOWN_MAX:,} more; --json lists them")
    else:
        print(f"What is stored is what the facts give: {', '.join(found)}.")
    if differences:
        raise typer.Exit(REFUSED)


def _listed(name: str, difference: "Difference") -> dict[str, Any]:
    return {
        "check": name,
        "table": difference.table,
        "key": difference.key,
        "stored": difference.stored and dict(difference.stored),
        "expected": difference.expected and dict(difference.expected),
    }


def _changes(difference: "Difference") -> str:
    """Say in which columns a row differs."""
    stored, expected = difference.stored, difference.expected
    if stored is None:
        return "is missing"
    if expected is None:
        return "should not be there"
    return _pairs(stored, expected)


def _pairs(stored: Mapping[str, Any], expected: Mapping[str, Any]) -> str:
    return ", ".join(
        f"{name} {stored[name]}, not {expected[name]}"
        for name in stored
        if stored[name] != expected.get(name)
    )
