"""Which earning rules are valid when: those of the settings, until others were set."""

from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime
from functools import lru_cache

import orjson
from sqlalchemy import func, select
from sqlmodel import Session

from crmkit import table_of
from crmkit_loyalty.earning_models import EarningRulesVersion
from crmkit_loyalty.earning_rules import EarningRule, RuleSet, rule_set
from crmkit_loyalty.settings import LoyaltySettings

_version = table_of(EarningRulesVersion)


class Programme:
    """The earning rules of some span of time."""

    def __init__(self, own: RuleSet, versions: Sequence[tuple[datetime, RuleSet]] = ()) -> None:
        self._own = own
        self._begins = [begin for begin, _ in versions]
        self._rule_sets = [rules for _, rules in versions]

    def at(self, instant: datetime) -> RuleSet:
        """Return the rules that are valid at an instant of the span."""
        begun = bisect_right(self._begins, instant)
        return self._rule_sets[begun - 1] if begun else self._own

    def happenings(self) -> Iterator[EarningRule]:
        """Give all rules about what is no sale, of whatever part of the span."""
        for each in (self._own, *self._rule_sets):
            yield from each.happenings


def load_programme(
    session: Session,
    settings: LoyaltySettings,
    instants: Collection[datetime],
    *,
    has_set_rules: bool = True,
) -> Programme:
    """Return the rules that are valid at some instants, and between them.

    Rules that give a kind of points which the settings have no more give nothing.

    Args:
        settings: their rules are valid until others are.
        has_set_rules: whether any were ever set, as far as it is known; if not, nothing is read.
    """
    if not instants or not has_set_rules:
        return Programme(settings.rule_set)
    first, last = min(instants), max(instants)
    begun = select(func.max(_version.c.valid_from)).where(_version.c.valid_from <= first)
    wanted = (
        select(_version.c.valid_from, _version.c.version, _version.c.rules)
        .where(
            _version.c.valid_from <= last,
            _version.c.valid_from >= func.coalesce(begun.scalar_subquery(), _version.c.valid_from),
        )
        .order_by(_version.c.valid_from, _version.c.id)
    )
    kinds = tuple(settings.terms)
    return Programme(
        settings.rule_set,
        [
            (begin, _read(version, orjson.dumps(rules).decode(), kinds))
            for begin, version, rules in session.execute(wanted)
        ],
    )


def unique(rule_sets: Iterable[RuleSet]) -> Iterable[RuleSet]:
    """Return each of some rule sets once."""
    return {each.version: each for each in rule_sets}.values()


@lru_cache(maxsize=64)
def _read(version: str, text: str, kinds: tuple[str, ...]) -> RuleSet:
    """Return rules as they were stored, of the kinds of points there are; they were checked."""
    rules = [EarningRule.model_validate(each) for each in orjson.loads(text)]
    known = rule_set([rule for rule in rules if rule.point_kind in kinds])
    return known._replace(text=text, version=version)
