"""The command line, run inside the test's process or as a process of its own."""

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from crmkit_cli.application import application

COMMAND = Path(sys.executable).with_name("crmkit")

PLUGIN = """
import sqlalchemy as sa
import strawberry
from sqlmodel import Field, SQLModel

from crmkit import Migration, Plugin, SchemaContribution, hookimpl
from crmkit_schema import PUBLIC, resolved

plugin = Plugin(name="greeter", version="1.2.3", summary="Says hello.")


class Greeting(SQLModel, table=True):
    __tablename__ = "greeter_greeting"

    id: int = Field(primary_key=True)


@strawberry.type
class Greets:
    @resolved("A greeting.", permission=PUBLIC)
    def greeting(self) -> str:
        return "hello"


@hookimpl
def register_models():
    return [Greeting]


@hookimpl
def register_migrations():
    def up(op):
        op.create_table("greeter_greeting", sa.Column("id", sa.Integer(), primary_key=True))

    return [Migration("0001", up, lambda op: op.drop_table("greeter_greeting"))]


@hookimpl
def register_graphql():
    return SchemaContribution(queries=[Greets])
"""


@dataclass(frozen=True)
class Ran:
    """How a command ended."""

    exit_code: int
    out: str
    err: str

    @property
    def object(self) -> Any:
        return json.loads(self.out)


Run = Callable[..., Ran]


def run(*words: object, stdin: str | None = None) -> Ran:
    result = CliRunner().invoke(application(), [str(word) for word in words], input=stdin)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Ran(result.exit_code, result.stdout, result.stderr)


@pytest.fixture(name="run", scope="session")
def run_anywhere() -> Run:
    """Give a function that runs a command inside this process."""
    return run


@pytest.fixture(scope="session")
def migrated_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cli") / "shop"
    assert run("init", "--data-dir", folder).exit_code == 0
    assert run("db", "upgrade", "--data-dir", folder).exit_code == 0
    return folder


@pytest.fixture
def shop(migrated_dir: Path, tmp_path: Path) -> Path:
    """Give a data directory with settings and all tables, and nothing in them."""
    return Path(shutil.copytree(migrated_dir, tmp_path / "shop"))


@pytest.fixture
def crmkit(shop: Path) -> Run:
    """Give a function that runs a command on the shop, inside this process."""

    def run_on_shop(*words: object, stdin: str | None = None) -> Ran:
        return run(*words, "--data-dir", shop, stdin=stdin)

    return run_on_shop


@pytest.fixture
def greeter(shop: Path) -> Path:
    """Give a plugin file that lies in the shop's folder, its tables not made yet."""
    path = shop / "plugins" / "greeter.py"
    path.write_text(PLUGIN, encoding="utf-8")
    return path


@dataclass(frozen=True)
class Server:
    """A process that serves, with the object it printed."""

    process: "subprocess.Popen[str]"
    printed: dict[str, str]

    def stop(self, number: int = signal.SIGTERM) -> tuple[int, str]:
        """Send a signal; gives the exit code and what stood on standard error."""
        self.process.send_signal(number)
        _, err = self.process.communicate(timeout=20)
        return self.process.returncode, err


Start = Callable[..., AbstractContextManager[Server]]


@contextmanager
def _started(*words: object) -> Iterator[Server]:
    process = subprocess.Popen(
        [COMMAND, *map(str, words), "--json", "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout is not None
        server = Server(process, json.loads(process.stdout.readline()))
        try:
            yield server
        finally:
            if process.poll() is None:
                server.stop()


@pytest.fixture(scope="session")
def start() -> Start:
    """Give a function that starts a command which serves, at a free port, for a block."""
    return _started
