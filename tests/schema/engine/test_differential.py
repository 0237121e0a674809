"""Random queries give by plan what the reference executor gives, in one statement each."""

from collections.abc import Callable
from random import Random

import pytest
from tests.schema.engine import extras
from tests.schema.engine.differential import Differential, fill

from crmkit import Actor
from crmkit.testing import CrmFactory
from crmkit_schema.engine import codecs, levels
from crmkit_schema.runtime import ComposedSchema

OPERATIONS = 1000  # on each of the two databases


@pytest.fixture
def differential(crm_factory: CrmFactory) -> Differential:
    """Give a run over core, every built-in plugin and one that tries everything."""
    crm = crm_factory("loyalty", extras)
    fill(crm)
    actor = Actor("tester", "test", frozenset(crm.registry.permissions))
    return Differential(ComposedSchema(crm), actor, Random(7))


def test_plans_give_what_the_reference_executor_gives(differential: Differential) -> None:
    differential.run(OPERATIONS)

    share = differential.covered / differential.compared
    print(f"\n{share:.1%} of {differential.compared:,} operations by plan")
    for reason, count in differential.reasons.most_common():
        print(f"{count:6,} {reason}")
    assert share > 0.8


def wrong_codec(patch: pytest.MonkeyPatch) -> None:
    right = codecs._CODECS["DateTime", "instant"]
    patch.setitem(codecs._CODECS, ("DateTime", "day"), right)
    patch.setitem(codecs._CODECS, ("DateTime", "instant"), codecs._CODECS["Date", "day"])


def wrong_order(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(levels.PlanLevel, "turned", lambda _level, rows, _limit: rows)


@pytest.mark.parametrize("plant", [wrong_codec, wrong_order])
def test_a_planted_mistake_is_found(
    differential: Differential,
    monkeypatch: pytest.MonkeyPatch,
    plant: Callable[[pytest.MonkeyPatch], None],
) -> None:
    plant(monkeypatch)

    with pytest.raises(AssertionError):
        differential.run(OPERATIONS)
