"""Reading docstrings."""

import inspect
import re
import textwrap


def attributes(model: type) -> dict[str, str]:
    """Return what a class's docstring says about each of its attributes."""
    _, _, listed = (inspect.getdoc(model) or "").partition("Attributes:\n")
    found: dict[str, str] = {}
    for entry in re.split(r"\n(?=\w+: )", textwrap.dedent(listed).strip()):
        name, _, meaning = entry.partition(": ")
        found[name] = " ".join(meaning.split())
    return found
