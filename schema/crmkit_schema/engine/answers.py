"""Answers that are JSON already."""

from functools import cached_property
from typing import Any

import orjson

from crmkit_schema.requests import GraphQLAnswer


class CompiledAnswer(GraphQLAnswer):
    """The answer of a plan: JSON that goes out as it is, and is parsed only if somebody asks."""

    def __init__(self, text: str | bytes) -> None:
        object.__setattr__(self, "text", text)
        object.__setattr__(self, "errors", [])
        object.__setattr__(self, "was_executed", True)

    text: str | bytes

    @cached_property
    def data(self) -> dict[str, Any]:
        """The data as Python values."""
        found: dict[str, Any] = orjson.loads(self.text)
        return found

    def encoded(self) -> bytes:
        """Return the response object as JSON; its data go out as they came."""
        return orjson.dumps({"data": orjson.Fragment(self.text)})
