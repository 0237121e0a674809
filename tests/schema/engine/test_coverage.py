"""Which operations plans answer: all of the docs, and all that are drawn at random."""

import json
import logging
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.schema.conftest import Api
from tests.schema.engine.differential import Round
from tests.schema.engine.twins import Stable

from crmkit import CustomerInput
from crmkit.testing import CrmFactory, sale

ROOT = Path(__file__).parents[3]
EXAMPLES = ROOT / "docs" / "examples"
FENCE = re.compile(r"^```graphql\n(.*?)^```$(?:\n\n```json\n(.*?)^```$)?", re.M | re.S)
IN_PYTHON = re.compile(r'"""((?:query|mutation|\{).*?)"""|"(\{ .*?\})"', re.S)
DRAWN = 400
SEED = 77
LEFT = re.compile(
    r"a value that GraphQL has no form for"  # stored by hand in the drawn shops
    r"|a directive whose condition is null"
)


def written() -> Iterator[Any]:
    """Yield every operation of the docs and of their examples, with its variables.

    Subscriptions are another matter: each delivery is an operation of its own.
    """
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]:
        for at, found in enumerate(FENCE.finditer(page.read_text(encoding="utf-8"))):
            if found[1].startswith("subscription"):
                continue
            variables = json.loads(found[2]) if found[2] else {}
            yield pytest.param(found[1], variables, id=f"{page.relative_to(ROOT)}:{at}")
    for program in sorted(EXAMPLES.rglob("*.py")):
        for at, found in enumerate(IN_PYTHON.finditer(program.read_text(encoding="utf-8"))):
            yield pytest.param(found[1] or found[2], {}, id=f"{program.relative_to(ROOT)}:{at}")
    for manifest in sorted(EXAMPLES.rglob("persisted-documents.json")):
        for text in json.loads(manifest.read_text(encoding="utf-8")).values():
            yield pytest.param(text, {}, id=str(manifest.relative_to(ROOT)))


WRITTEN = list(written())


@pytest.fixture
def documented(crm_factory: CrmFactory, tmp_path: Path) -> Api:
    """Give a schema with every plugin of the docs and something of everything in it."""
    (tmp_path / "plugins").mkdir()
    for name in ("greeting", "recall", "followups"):
        shutil.copy(EXAMPLES / f"{name}.py", tmp_path / "plugins")
    crm = crm_factory("loyalty", plugin={"recall": {"skus": ["tea"]}})
    crm.upsert_customers([CustomerInput("till", "C-1", display_name="Ann")])
    crm.record_transactions([sale(str(number), customer="C-1") for number in range(3)])
    return Api(crm)


@pytest.mark.parametrize(("text", "variables"), WRITTEN)
def test_operations_of_the_docs_are_answered_by_plan(
    documented: Api, text: str, variables: dict[str, Any]
) -> None:
    if "$id: ID!" in text:
        found = documented("{ customers(first: 1) { nodes { recalls { id } } } }")
        variables["id"] = found["customers"]["nodes"][0]["recalls"][0]["id"]
    if "$customer: ID!" in text:
        found = documented("{ customers(first: 1) { nodes { id } } }")
        variables["customer"] = found["customers"]["nodes"][0]["id"]
    if "$known" in text:
        variables["known"] = {"source": "till", "externalId": "C-1"}
    before = documented.schema.plans.covered

    answer = documented.answer(text, **variables)

    assert answer.errors == []
    assert (documented.schema.plans.covered - before, documented.schema.plans.left) == (1, 0)


def test_the_docs_have_operations_of_every_kind() -> None:
    texts = [each.values[0] for each in WRITTEN]

    assert len(texts) >= 9
    assert any(each.startswith("mutation") for each in texts)


@pytest.mark.falls_back
def test_drawn_operations_are_answered_by_plan(tmp_path: Path) -> None:
    logging.disable(logging.CRITICAL)  # fields that fail on purpose would fill the output
    try:
        stable = Stable(tmp_path)
        with stable.twins() as twins:
            tally = Round(twins, "sqlite", SEED).run(DRAWN)
    finally:
        logging.disable(logging.NOTSET)

    assert tally.covered > DRAWN / 2
    assert [each for each in tally.reasons if not LEFT.search(each)] == []
