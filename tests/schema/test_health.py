import threading
from collections.abc import Mapping
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from crmkit.database import Database
from crmkit_schema.health import Check, database_check, health_routes


def asking(checks: Mapping[str, Check], seconds_max: float = 5) -> TestClient:
    return TestClient(Starlette(routes=health_routes(checks, seconds_max)))


def well() -> None:
    return None


def behind() -> str:
    return "2 migrations are pending; run crmkit db upgrade"


def failing() -> None:
    raise ConnectionError("password=hunter2 at 10.0.0.7")


def test_a_process_is_alive_whatever_its_checks_say() -> None:
    answer = asking({"database": failing}).get("/livez")

    assert (answer.status_code, answer.json()) == (200, {"status": "alive"})


def test_a_server_is_ready_when_every_check_is_well() -> None:
    answer = asking({"database": well, "migrations": well}).get("/readyz")

    assert (answer.status_code, answer.json()) == (200, {"status": "ready"})


def test_a_server_that_is_not_ready_says_why() -> None:
    answer = asking({"database": well, "migrations": behind}).get("/readyz")

    assert answer.status_code == 503
    assert answer.json()["reasons"] == [{"check": "migrations", "reason": behind()}]


def test_a_failing_check_keeps_its_text_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    answer = asking({"database": failing}).get("/readyz")

    assert (answer.status_code, answer.json()["reasons"][0]["reason"]) == (503, "failed")
    assert "hunter2" not in answer.text
    assert "hunter2" in caplog.text


def test_a_check_that_hangs_counts_as_not_ready() -> None:
    released = threading.Event()

    def hanging() -> None:
        released.wait(10)

    with asking({"database": hanging}, seconds_max=0.1) as client:
        answer = client.get("/readyz")
        released.set()

    assert (answer.status_code, answer.json()["reasons"][0]["reason"]) == (503, "no answer in time")


def test_readiness_comes_back_by_itself() -> None:
    reasons = [None, "starting"]
    client = asking({"database": reasons.pop})

    assert [client.get("/readyz").status_code for _ in range(2)] == [503, 200]


@pytest.mark.parametrize("path", ["/livez", "/readyz"])
def test_health_takes_no_other_method(path: str) -> None:
    assert asking({}).post(path).status_code == 405


def test_an_embedded_database_answers_its_check(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'crmkit.sqlite3'}")
    database.create()

    answer = asking({"database": database_check(database)}).get("/readyz")
    database.close()

    assert answer.status_code == 200


def test_a_database_that_is_not_there_is_not_ready() -> None:
    database = Database("postgresql://nobody@127.0.0.1:1/nothing")

    answer = asking({"database": database_check(database)}).get("/readyz")

    assert (answer.status_code, answer.json()["reasons"][0]["check"]) == (503, "database")
