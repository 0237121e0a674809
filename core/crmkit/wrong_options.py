"""Saying what is wrong with options, without showing secrets."""

import re
from collections.abc import Mapping

from pydantic import BaseModel, ValidationError

from crmkit.errors import shown

_SECRET = re.compile("pass?w|pwd|passphrase|secret|token|key|credential|auth|url|uri|dsn", re.I)


def explain(error: ValidationError, what: str, model: type[BaseModel] | None = None) -> str:
    """Return one sentence per wrong option of a pydantic model.

    Args:
        what: stands before the option's name, such as `setting plugin.loyalty.`.
        model: what was read; the values of its secrets are not shown.
    """
    fields = model.model_fields.items() if model else ()
    secret = {name for name, field in fields if "Secret" in str(field.annotation)}
    sentences = []
    for detail in error.errors():
        name = ".".join(map(str, detail["loc"]))
        is_shown = detail["type"] != "missing" and not secret.intersection(detail["loc"])
        given = got(name, detail["input"]) if is_shown else ""
        sentences.append(f"{what}{name}: {detail['msg']}{given}")
    return "; ".join(sentences)


def got(name: str, value: object) -> str:
    """Return a remark that shows the value of an option, unless it may be a secret.

    Args:
        name: of the option; empty if the value is a whole section.
    """
    # What a group of options holds has no name of its own to tell by.
    is_group = isinstance(value, Mapping | BaseModel)
    if not name or is_group or _SECRET.search(name):
        return ""
    return f" (got {shown(repr(value))})"
