"""Every operation of the schema with values that schemathesis makes up; none breaks the server.

`CRMKIT_SCHEMATHESIS_EXAMPLES=1000` makes 1,000 requests for each operation.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.hostile.server import Server, make_shop, serving

from crmkit.lent_databases import create_database, database_of

schemathesis = pytest.importorskip("schemathesis")
nodes = schemathesis.graphql.nodes

SDL = Path(__file__).parents[2] / "schema" / "all.graphql"
EXAMPLES = int(os.environ.get("CRMKIT_SCHEMATHESIS_EXAMPLES", "10"))
TEXTS = {
    "DateTime": st.datetimes().map(lambda moment: f"{moment.isoformat()}Z"),
    "DateTimeInput": st.datetimes().map(lambda moment: f"{moment.isoformat()}Z"),
    "Date": st.dates().map(str),
    "DateInput": st.dates().map(str),
    "Amount": st.decimals(allow_nan=False, allow_infinity=False, places=2).map(str),
}


def operations() -> dict[str, Any]:
    for name, texts in TEXTS.items():
        schemathesis.graphql.scalar(name, (texts | st.text(max_size=9)).map(nodes.String))
    schemathesis.graphql.scalar("Long", st.integers(-(2**60), 2**60).map(nodes.Int))
    schemathesis.graphql.scalar("JSON", st.text(max_size=9).map(nodes.String))
    found = schemathesis.graphql.from_path(str(SDL)).get_all_operations()
    return {each.label: each for each in (result.ok() for result in found)}


OPERATIONS = operations()


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def lenient_server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """Give a server that executes what is far larger than usual, for random queries are."""
    folder, url = tmp_path_factory.mktemp("lenient"), ""
    if request.param == "postgresql":
        server = request.getfixturevalue("postgres_server")
        url = database_of(server, create_database(server))
    limits = {
        f"CRMKIT_LIMITS__{name.upper()}": "100000"
        for name in ("tokens_max", "fields_max", "aliases_max", "cost_max", "repeats_max")
    }
    token = make_shop(folder, url)
    with serving(folder, token, "production", CRMKIT_DATABASE_URL=url, **limits) as served:
        yield served


@pytest.mark.parametrize("name", OPERATIONS)
def test_no_value_breaks_an_operation(lenient_server: Server, name: str) -> None:
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(OPERATIONS[name].as_strategy())
    def check(case: Any) -> None:
        answer = lenient_server.post({"query": case.body})

        assert answer.status_code < 500
        codes = {each["extensions"]["code"] for each in answer.json().get("errors", ())}
        assert "INTERNAL" not in codes

    check()
