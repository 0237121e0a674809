"""Settings as a person would write them into a file."""

import json
from collections.abc import Mapping
from typing import Any


def section(plugin: str, options: Mapping[str, Any]) -> str:
    """Return the section of a plugin."""
    lines = [f"{name} = {_text(value)}" for name, value in options.items()]
    return "\n".join([f"[plugin.{plugin}]", *lines, ""])


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{name} = {_text(each)}" for name, each in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_text, value)) + "]"
    return json.dumps(value) if isinstance(value, str | bool) else str(value)
