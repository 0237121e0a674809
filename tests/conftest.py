"""Every test also shows that plans answer what it asks, but for what they leave on purpose.

And data that stand beside the repository.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

LEFT_ON_PURPOSE = re.compile(
    r"introspection: "
    r"|a subscription"
    r"|a directive whose condition is null"
    r"|a value that GraphQL has no form for"  # stored by hand, against what its type says
    r"|up to [\d,]+ rows|so many rows that they must be counted"  # far beyond any page
)


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line("markers", "falls_back: plans are made to fail in this test")


@pytest.fixture(autouse=True)
def nothing_is_left_to_the_reference_executor(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """Fail a test whose operations fell back for another reason than these.

    The marker `falls_back` stands on tests in which plans are made to fail.
    """
    if not {"schema", "plugins", "contract"} & set(request.path.parts[-4:-1]):
        yield
        return
    from crmkit_schema.engine.executor import PlanExecutor
    from crmkit_schema.engine.mutation_calls import MutationCall

    reasons: list[str] = []
    leave, complete = PlanExecutor._leave, MutationCall._by_reference

    def leaving(plans: Any, reason: Exception) -> None:
        reasons.append(f"{type(reason).__name__}: {reason}")
        leave(plans, reason)

    def completing(call: Any, *given: Any) -> Any:
        reasons.append(f"payload: {given[-1]}")
        return complete(call, *given)

    monkeypatch.setattr(PlanExecutor, "_leave", leaving)
    monkeypatch.setattr(MutationCall, "_by_reference", completing)
    yield
    if request.node.get_closest_marker("falls_back") is None:
        assert [each for each in reasons if not LEFT_ON_PURPOSE.search(each)] == []


@pytest.fixture(scope="session")
def online_retail() -> Path:
    """Find the UCI Online Retail data beside the repository."""
    found = Path(__file__).parents[2] / "shared/data/online_retail/online_retail.csv.gz"
    if not found.exists():
        pytest.skip("the Online Retail data are not beside the repository")
    return found
