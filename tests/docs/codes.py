"""Finds the codes of errors and problems in the source, where they are given."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
_CODE = re.compile(r"[A-Z]{4,}(_[A-Z]+)*|[A-Z]+(_[A-Z]+)+")
_ROW_CALLS = frozenset({"fail", "Damage", "Problem", "Refusal", "_read"})
_REQUEST_CALLS = frozenset({"RequestRefused", "bad_request", "refused", "coded", "_limit"})


def row_codes() -> set[str]:
    """Return the codes of problems with rows and with lines of files."""
    return set(_found(_ROW_CALLS))


def request_codes() -> set[str]:
    """Return the codes of whole requests that are refused."""
    return set(_found(_REQUEST_CALLS)) | set(_in_extensions())


def _found(names: frozenset[str]) -> Iterator[str]:
    for node in _nodes():
        if isinstance(node, ast.Call) and _name(node.func) in names:
            for argument in (*node.args, *(each.value for each in node.keywords)):
                yield from _codes_in(argument)
        elif names is _REQUEST_CALLS and isinstance(node, ast.FunctionDef):
            yield from _default_codes(node)


def _in_extensions() -> Iterator[str]:
    for node in _nodes():
        if isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                if isinstance(key, ast.Constant) and key.value == "code":
                    yield from _codes_in(value)


def _default_codes(node: ast.FunctionDef) -> Iterator[str]:
    given = node.args.args[-len(node.args.defaults) :] if node.args.defaults else []
    for argument, default in zip(given, node.args.defaults, strict=True):
        if argument.arg == "error_code":
            yield from _codes_in(default)


def _codes_in(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.IfExp):
        yield from _codes_in(node.body)
        yield from _codes_in(node.orelse)
    elif isinstance(node, ast.Constant) and _CODE.fullmatch(str(node.value)):
        yield str(node.value)


def _name(function: ast.expr) -> str:
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def _nodes() -> Iterator[ast.AST]:
    for folder in ("core", "schema", "plugins"):
        for file in sorted((ROOT / folder).rglob("*.py")):
            yield from ast.walk(ast.parse(file.read_text(encoding="utf-8")))
