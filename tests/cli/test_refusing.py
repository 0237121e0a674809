import pytest
import typer
from typer.testing import CliRunner

from crmkit import Refused
from crmkit_cli.refusing import refusing


def _failing(error: Exception) -> typer.Typer:
    def command(as_json: bool = False) -> None:
        raise error

    app = typer.Typer()
    app.command()(refusing(command))
    return app


def test_an_error_of_crmkit_is_one_line_with_its_code() -> None:
    ended = CliRunner().invoke(_failing(Refused("not\n  now")), [])

    assert ended.exit_code == 1
    assert ended.stderr == "error: not now [REFUSED]\n"


def test_a_bug_keeps_its_traceback() -> None:
    bug = ZeroDivisionError("a bug")

    ended = CliRunner().invoke(_failing(bug), [])

    assert ended.exception is bug


def test_an_unreachable_database_is_one_line_without_its_password(
    shop: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    from crmkit_cli.application import application

    monkeypatch.setenv("CRMKIT_DATABASE_URL", "postgresql://me:secret@127.0.0.1:9/none")

    ended = CliRunner().invoke(application(), ["db", "current", "--data-dir", str(shop)])

    assert ended.exit_code == 1
    assert ended.stderr.startswith("error: the database cannot be used: ")
    assert ended.stderr.count("\n") == 1
    assert "secret" not in ended.stderr
