"""Whatever strangers send, documents and plans in use stay: each document is made only once."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from crmkit import Actor
from crmkit.testing import CrmFactory
from crmkit_schema import document_reader
from crmkit_schema.document_reader import DocumentReader
from crmkit_schema.engine import executor, plans
from crmkit_schema.engine.executor import PLANS_MAX, PlanExecutor
from crmkit_schema.requests import GraphQLRequest

HOT = "query Hot { customers(first: 1) { nodes { displayName } } }"


@pytest.fixture(params=["sqlite"])
def database_url(request: pytest.FixtureRequest, core_on_sqlite: Any, tmp_path: Any) -> str:
    """Give one kind of database: it is about what happens before any is asked."""
    path = tmp_path / "crmkit.sqlite3"
    path.write_bytes(core_on_sqlite.read_bytes())
    return f"sqlite:///{path}"


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Count how often each document is read and how often its plan is compiled."""
    counted: Counter[str] = Counter()
    read: Callable[..., Any] = DocumentReader.read
    compiled: Callable[..., Any] = PlanExecutor._compiled

    def counting_read(self: Any, text: str) -> Any:
        counted[f"read {text}"] += 1
        return read(self, text)

    def counting_compiled(self: Any, document: Any, *rest: Any) -> Any:
        counted[f"compiled {document.loc.source.body}"] += 1
        return compiled(self, document, *rest)

    monkeypatch.setattr(DocumentReader, "read", counting_read)
    monkeypatch.setattr(PlanExecutor, "_compiled", counting_compiled)
    return counted


def once(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that gives every time what another one gave the first time."""
    given: list[Any] = []

    def first(*arguments: Any) -> Any:
        given[:] = given or [function(*arguments)]
        return given[0]

    return first


def test_ten_thousand_documents_leave_one_in_use_and_its_plan_in_place(
    api: Any, made: Counter[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(2):
        api(HOT)
    # Strangers' documents are good and alike; to find that out each time is what would take long.
    monkeypatch.setattr(document_reader, "validate", lambda *_args, **_options: [])
    monkeypatch.setattr(executor, "compile_plan", once(plans.compile_plan))
    for number in range(10_000):
        api(f"{{ a{number}: __typename }}")
    api(HOT)

    assert sum(made.values()) == 2 * 10_000 + 2
    assert (made[f"read {HOT}"], made[f"compiled {HOT}"]) == (1, 1)
    assert len(api.schema.plans) == PLANS_MAX


def test_documents_in_use_outlive_strangers_who_send_each_of_theirs_again(
    api: Any, made: Counter[str]
) -> None:
    for number in range(600):
        for _ in range(2):
            api(f"{{ a{number}: __typename }}")
        if number % 10 == 0:
            api(HOT)

    assert (made[f"read {HOT}"], made[f"compiled {HOT}"]) == (1, 1)


def test_a_trusted_document_and_its_plan_stay_even_while_nobody_asks(
    crm_factory: CrmFactory, api_of: Any, tmp_path: Path, made: Counter[str]
) -> None:
    (tmp_path / "manifest.json").write_text(f'{{"hot": "{HOT}"}}')
    trusted = {"trusted": [tmp_path / "manifest.json"]}
    api = api_of(crm_factory(documents=trusted))
    actor = Actor("tester", "test", api.everything)

    def ask() -> None:
        assert api.schema.execute(GraphQLRequest("", document_id="hot"), actor).errors == []

    ask()
    for number in range(PLANS_MAX + 100):
        for _ in range(3):
            api(f"{{ a{number}: __typename }}")
    ask()

    assert (made[f"read {HOT}"], made[f"compiled {HOT}"]) == (1, 1)
