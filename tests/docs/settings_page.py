"""The page `docs/settings.md`, made from `crmkit.Settings` and the plugins' own models."""

from importlib import import_module
from typing import Any

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


def _sections(model: type[BaseModel], prefix: str) -> list[str]:
    meanings = attributes(model)
    parts = []
    for name, field in model.model_fields.items():
        parts.append(f"### {prefix}{name}\n\n{_sentence(meanings[name])}")
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            parts += _sections(field.annotation, f"{prefix}{name}.")
        else:
            default = field.get_default(call_default_factory=True)
            parts[-1] += f" Default: `{_toml(default)}`."
    return parts


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
