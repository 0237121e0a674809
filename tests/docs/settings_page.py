"""The page `docs/settings.md`, made from `crmkit.Settings` and the plugins' own models."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any, get_args, get_origin

from docstrings import attributes
from pydantic import BaseModel

from crmkit import Settings, discovery

_INTRO = """\
Settings stand in `crmkit.toml` in the data directory; `crmkit init` writes one with comments.
The environment overrides the file: `CRMKIT_TIMEZONE` sets `timezone`, and two underscores lead
inside, as in `CRMKIT_PLUGIN__LOYALTY__LIFETIME_MONTHS`. Lists and tables are written there as
JSON. A name that crmkit does not know, or a value it cannot use, stops the start with one
sentence that names it.

```toml
# crmkit.toml
timezone = "Asia/Shanghai"
currency = "CNY"
plugins = ["loyalty"]

[plugin.loyalty]
points_per_major_unit = "0.5"

[roles]
cashier = ["core.use", "customers.read", "transactions.write"]
```"""


def page() -> str:
    """Return the page."""
    parts = ["# Settings", _INTRO, *_sections(Settings, "")]
    for name in sorted(discovery.installed()):
        options = import_module(discovery.installed()[name]).plugin.settings
        if options is not None:
            parts += [f"## Plugin {name}", *_sections(options, f"plugin.{name}.")]
    return "\n\n".join(parts) + "\n"


def _sections(
    model: type[BaseModel], prefix: str, outer: frozenset[type[BaseModel]] = frozenset()
) -> list[str]:
    bases = [each for each in model.__mro__[::-1] if issubclass(each, BaseModel)][1:]
    meanings = {name: meaning for each in bases for name, meaning in attributes(each).items()}
    parts = []
    for name, field in model.model_fields.items():
        option = f"{prefix}{field.alias or name}"
        parts.append(f"### {option}\n\n{_sentence(meanings[name])}")
        inner = _models(field.annotation, option)
        if not (isinstance(field.annotation, type) and inner) and not field.is_required():
            default = field.get_default(call_default_factory=True)
            parts[-1] += f" Default: `{_toml(default)}`."
        for below, each in inner.items():
            if each not in outer and each is not model:  # conditions hold conditions
                parts += _sections(each, below, outer | {model})
    return parts


def _models(annotation: Any, option: str) -> dict[str, type[BaseModel]]:
    """Return the models that an option holds, each with what stands before its options."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return {f"{option}.": annotation}
    found: dict[str, type[BaseModel]] = {}
    place = {dict: "[name]", Mapping: "[name]", tuple: "[number]"}.get(get_origin(annotation))
    for inner in get_args(annotation):
        found |= _models(inner, f"{option}.{place}" if place else option)
    return found


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:].rstrip(".") + "."


def _toml(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "{}"
    if isinstance(value, tuple | list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return f'"{value}"' if not isinstance(value, int | float) else str(value)
