"""The page `docs/errors.md`, made from error classes, codes in the source and `codes.toml`."""

import inspect
import pkgutil
import tomllib
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import codes
from docstrings import attributes

import crmkit
import crmkit_cli
import crmkit_schema
from crmkit import CrmkitError, discovery

MEANINGS = Path(__file__).parent / "codes.toml"
_INTRO = """\
Programs go by the `code`: it is stable. The sentence beside it is for people and may change.
There are three places where codes appear:

- a **problem** with one value of one row, in the answer of a mutation or in an import's reject
  file;
- an **error** that ends an operation, as an exception in Python and as a member of a mutation's
  result union in GraphQL;
- a **refused request**, as `errors[0].extensions.code` of the HTTP answer."""


def page() -> str:
    """Return the page."""
    meanings = tomllib.loads(MEANINGS.read_text(encoding="utf-8"))
    parts = ["# Errors", _INTRO, "## Problems with rows"]
    parts += _coded(codes.row_codes(), meanings["rows"])
    parts.append("## Refused requests")
    parts += _coded(codes.request_codes(), meanings["requests"])
    parts.append("## Errors in Python")
    parts += [_section(error) for error in errors()]
    return "\n\n".join(parts) + "\n"


def _coded(found: set[str], meanings: dict[str, str]) -> Iterator[str]:
    if found != meanings.keys():
        missing, stale = sorted(found - meanings.keys()), sorted(meanings.keys() - found)
        raise SystemExit(f"{MEANINGS.name}: no meaning for {missing}; no longer given: {stale}")
    for code in sorted(found):
        yield f"### {code}\n\n{meanings[code]}"


def errors() -> list[type[CrmkitError]]:
    """Return every error class of core, of the schema and of the installed plugins, by code."""
    plugins = [import_module(name) for name in discovery.installed().values()]
    for package in (crmkit, crmkit_schema, crmkit_cli, *plugins):
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if ".migrations" not in found.name and not found.name.endswith(".testing"):
                _import(found.name)
    return sorted(_below(CrmkitError), key=lambda error: error.code)


def _import(module: str) -> None:
    try:
        import_module(module)
    except ModuleNotFoundError as error:
        if str(error.name).startswith("crmkit"):
            raise  # anything else belongs to an extra that need not be installed


def _below(error: type[CrmkitError]) -> Iterator[type[CrmkitError]]:
    yield error
    for child in error.__subclasses__():
        yield from _below(child)


def _section(error: type[CrmkitError]) -> str:
    meaning = " ".join((inspect.getdoc(error) or "").partition("Attributes:\n")[0].split())
    kind = "" if error is CrmkitError else f" A kind of `{error.__bases__[0].__name__}`."
    listed = [f"- `{name}`: {about}" for name, about in attributes(error).items() if name]
    head = f"### {error.code}: `{error.__name__}`\n\n{meaning}{kind}"
    return "\n\n".join([head, "\n".join(listed)]) if listed else head
