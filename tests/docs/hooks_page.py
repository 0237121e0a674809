"""The page `docs/hooks.md`, made from `crmkit.hookspecs`."""

import inspect
import re
from collections.abc import Callable
from typing import Any

from crmkit import hookspecs
from crmkit.builtin import plugin as core

_KINDS = (
    (
        "Asked once at start-up",
        "register_",
        "Every plugin's answer is collected; a plugin that returns None adds nothing.",
    ),
    (
        "May refuse a write",
        "check_",
        "Every plugin is called until one refuses; a refusal is final, and nothing is written.",
    ),
    (
        "Told of what was written",
        "",
        "Every plugin is called, in order; the answer is ignored, and an exception undoes the "
        "whole batch.",
    ),
)


def hooks() -> dict[str, Callable[..., Any]]:
    """Return the hooks in the order of the source."""
    marked = f"{hookspecs.hookspec.project_name}_spec"
    return {name: each for name, each in vars(hookspecs).items() if hasattr(each, marked)}


def page() -> str:
    """Return the page."""
    parts = ["# Hooks", _paragraphs(inspect.getdoc(hookspecs) or "")]
    parts.append(
        f"This is version {core.version} of the plugin contract. "
        "[Writing a plugin](writing-a-plugin.md) shows hooks at work."
    )
    left = hooks()
    for title, prefix, rule in _KINDS:
        parts += [f"## {title}", rule]
        for name in [each for each in left if each.startswith(prefix)]:
            parts.append(_section(name, left.pop(name)))
    return "\n\n".join(parts) + "\n"


def _section(name: str, hook: Callable[..., Any]) -> str:
    signature = str(inspect.signature(hook)).replace("collections.abc.", "")
    signature = re.sub(r"\b(?:[a-z_]+\.)+(?=[A-Z])", "", signature)
    code = f"```python\ndef {name}{signature}\n```"
    return f"### {name}\n\n{code}\n\n{_paragraphs(inspect.getdoc(hook) or '')}"


def _paragraphs(text: str) -> str:
    return "\n\n".join(" ".join(each.split()) for each in text.split("\n\n"))
