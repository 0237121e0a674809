import json
import shlex
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from crmkit import Crm, Settings
from crmkit.testing import sale

Run = Callable[..., Any]
SMALL = ("--customers", "12", "--seed", "7")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo") / "a demo"


@pytest.fixture(scope="module")
def served(start: Run, folder: Path) -> Iterator[dict[str, str]]:
    """Give what a demo printed that is being served."""
    with start("demo", "--data-dir", folder, *SMALL) as server:
        yield server.printed


def _run_curl(line: str) -> Any:
    """Do what a shell and curl make of a printed line."""
    program, silent, url, *rest = shlex.split(line)
    options = list(zip(rest[::2], rest[1::2], strict=True))
    headers = dict(value.split(": ", 1) for name, value in options if name == "-H")
    (body,) = (value for name, value in options if name == "-d")
    assert (program, silent) == ("curl", "-s")
    return httpx2.post(url, content=body, headers=headers, timeout=20).json()


def test_the_printed_line_answers_with_something_to_see(served: dict[str, str]) -> None:
    answer = _run_curl(served["curl"])

    customer = answer["data"]["customer"]
    assert "errors" not in answer
    assert customer["displayName"]
    assert customer["metrics"]["saleCount"] > 1
    assert customer["transactions"]["nodes"][0]["lines"]["nodes"]


def test_the_printed_address_shows_the_editor(served: dict[str, str]) -> None:
    page = httpx2.get(served["graphiql"], headers={"Accept": "text/html"})

    assert page.status_code == 200
    assert "<title>crmkit GraphiQL</title>" in page.text


@pytest.mark.parametrize("path", ["/livez", "/readyz"])
def test_health_is_answered(path: str, served: dict[str, str]) -> None:
    assert httpx2.get(served["graphiql"].replace("/graphql", path)).status_code == 200


def test_the_truth_lies_beside_the_data(served: dict[str, str]) -> None:
    truth = json.loads(Path(served["truth"]).read_text(encoding="utf-8"))

    assert truth["seed"] == 7
    assert len(truth["customers"]) == 12
    assert Path(served["plugins_dir"]).is_dir()


@pytest.fixture(scope="module")
def made_once(run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made") / "demo"
    assert run("demo", "--data-dir", folder, *SMALL, "--no-serve", "--port", "0").exit_code == 0
    return folder


@pytest.fixture
def made(made_once: Path, tmp_path: Path) -> Path:
    """Give the folder of a demo that was made and is not served."""
    return Path(shutil.copytree(made_once, tmp_path / "made"))


def _counts(folder: Path) -> list[int]:
    with Crm(Settings.load(folder)) as crm, crm.read() as session:
        connection = session.connection()
        return [
            connection.exec_driver_sql(f'SELECT count(*) FROM "{table}"').scalar_one()
            for table in ("customer", "transaction", "transaction_line", "interaction")
        ]


def test_a_second_run_adds_nothing_but_a_new_token(made: Path, run: Run) -> None:
    before = _counts(made)

    again = run("demo", "--data-dir", made, "--no-serve", "--port", "0")

    tokens = run("token", "list", "--data-dir", made, "--json").object["tokens"]
    assert again.exit_code == 0
    assert _counts(made) == before
    assert [each["state"] for each in tokens] == ["revoked", "valid"]


def test_an_interrupted_demo_is_completed(made: Path, run: Run) -> None:
    whole = _counts(made)
    (made / "demo_truth.json").rename(made / "demo_truth.unfinished.json")
    with sqlite3.connect(made / "crmkit.sqlite3") as connection:
        connection.execute("DELETE FROM interaction")
    connection.close()

    again = run("demo", "--data-dir", made, "--no-serve", "--port", "0")

    assert again.exit_code == 0
    assert _counts(made) == whole
    assert (made / "demo_truth.json").exists()


def test_other_numbers_need_another_folder(made: Path, run: Run) -> None:
    refused = run("demo", "--data-dir", made, "--customers", "13", "--no-serve", "--port", "0")

    assert refused.exit_code == 1
    assert "has 12 customers of seed 7" in refused.err


@pytest.mark.parametrize("customer", ["ada", None])
def test_real_records_are_never_mixed_with_made_up_ones(
    run: Run, shop: Path, customer: str | None
) -> None:
    with Crm(Settings.load(shop)) as crm:
        crm.record_transactions([sale("T1", customer=customer)], create_missing_customers=True)

    refused = run("demo", "--data-dir", shop, *SMALL, "--no-serve", "--port", "0")

    assert refused.exit_code == 1
    assert "holds records that are not the demo's" in refused.err
    assert _counts(shop)[0] == (customer is not None)


def test_people_are_told_address_token_line_and_where_plugins_go(made: Path, run: Run) -> None:
    shown = run("demo", "--data-dir", made, "--no-serve", "--port", "0").out

    assert "GraphiQL  http://127.0.0.1:" in shown
    assert "\nToken     crmkit_" in shown
    assert "\ncurl -s http://127.0.0.1:" in shown
    assert f"put its Python file into {made / 'plugins'}" in shown
