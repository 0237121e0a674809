"""What is wrong with earning rules."""

from collections.abc import Sequence
from typing import Any, ClassVar, NamedTuple

from crmkit_loyalty.errors import LoyaltyError


class RuleFault(LoyaltyError, ValueError):
    """An earning rule makes no sense, by itself or beside others; mend the field that it names.

    Attributes:
        field: of the rule; empty for the rule as a whole.
        value: what stands there.
        position: in the list of rules, from 0; None where the rule was looked at by itself.
        rule: its name.
        reason: what is wrong with it.
    """

    code: ClassVar[str] = "EARNING_RULE_FAULT"

    def __init__(
        self,
        reason: str,
        field: str = "",
        value: Any = None,
        position: int | None = None,
        rule: str = "",
    ) -> None:
        self.reason, self.field, self.value = reason, field, value
        self.position, self.rule = position, rule
        path = f"rules.{position} ({rule}){field and '.' + field}: "
        super().__init__(reason if position is None else path + reason)


class RuleMistake(NamedTuple):
    """One thing wrong with a list of earning rules that was sent.

    Attributes:
        position: of the rule, from 0; None if it is about the list.
        rule: the rule's name, if it has one.
        field: path inside the rule; empty for the rule as a whole.
        value: what stands there, as text, cut to 100 characters.
    """

    position: int | None
    rule: str | None
    field: str
    value: str | None
    message: str


class WrongEarningRules(LoyaltyError):
    """Earning rules that were sent make no sense; nothing was changed.

    Attributes:
        mistakes: everything that was found.
    """

    code: ClassVar[str] = "WRONG_EARNING_RULES"

    def __init__(self, mistakes: Sequence[RuleMistake]) -> None:
        self.mistakes = list(mistakes)
        first = self.mistakes[0]
        place = "rules" if first.position is None else f"rules.{first.position} ({first.rule})"
        path = f"{place}.{first.field}" if first.field else place
        more = f" (and {len(self.mistakes) - 1} more)" if len(self.mistakes) > 1 else ""
        super().__init__(f"{path}: {first.message}{more}")
