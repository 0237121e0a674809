"""The rules of a mapping that tell returns from sales and postage from products."""

import re
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, model_validator

from crmkit.models import LineKind, TransactionKind


def _listed(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


Texts = Annotated[tuple[str, ...], BeforeValidator(_listed)]
"""One text, or several of which the first that fits counts."""


class Part(BaseModel):
    """A section of a mapping file; knows all its keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Condition(Part):
    """A test of one column; exactly one of the tests is given.

    Attributes:
        matches: regular expression for the whole value.
        below: the value is a number smaller than this.
    """

    column: str
    equals: Texts | None = None
    prefix: str | None = None
    matches: re.Pattern[str] | None = None
    below: Decimal | None = None
    above: Decimal | None = None

    @model_validator(mode="after")
    def _one_test(self) -> "Condition":
        tests = (self.equals, self.prefix, self.matches, self.below, self.above)
        if sum(test is not None for test in tests) != 1:
            raise ValueError("give exactly one of equals, prefix, matches, below, above")
        return self


class TransactionRule(Part):
    """The kind of transaction that a line fulfilling all conditions belongs to."""

    kind: TransactionKind
    when: tuple[Condition, ...]


class LineRule(Part):
    """The kind of a line that fulfils all conditions."""

    kind: LineKind
    when: tuple[Condition, ...]


Rules = tuple[TransactionRule | LineRule, ...]
