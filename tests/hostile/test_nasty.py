"""Random requests, good and bad; `CRMKIT_HOSTILE_EXAMPLES=5000` sends more of them."""

import os
from pathlib import Path
from typing import Any

from graphql import build_schema
from hypothesis import HealthCheck, given, settings
from tests.hostile.nasty import nasty_requests
from tests.hostile.server import Server

CPU_SECONDS_MAX = 1.0
SCHEMA = build_schema((Path(__file__).parents[2] / "schema" / "all.graphql").read_text())
EXAMPLES = int(os.environ.get("CRMKIT_HOSTILE_EXAMPLES", "100"))


def test_no_request_is_slow_or_breaks_anything(server: Server) -> None:
    slowest = 0.0

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(nasty_requests(SCHEMA))
    def check(body: dict[str, Any]) -> None:
        nonlocal slowest
        before = server.cpu_seconds()
        answer = server.post(body)
        took = server.cpu_seconds() - before
        slowest = max(slowest, took)

        assert answer.status_code in (200, 400, 413)
        codes = {each["extensions"]["code"] for each in answer.json().get("errors", ())}
        assert "INTERNAL" not in codes
        assert took < CPU_SECONDS_MAX

    check()
    print(f"the slowest took {slowest:.3f} s of CPU")
