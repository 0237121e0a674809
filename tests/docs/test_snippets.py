"""Every fenced snippet of the docs is run, read by what would read it, or pulled from a file."""

import json
import re
import shlex
import shutil
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from graphql import OperationDefinitionNode, parse
from typer.main import get_command

from crmkit import Actor, Crm, CustomerInput, Settings
from crmkit.importing import load_mapping
from crmkit.plugin_loading import load_plugins
from crmkit.testing import CrmFactory, sale
from crmkit_cli.application import application
from crmkit_schema.requests import GraphQLRequest, read_request
from crmkit_schema.runtime import ComposedSchema
from crmkit_schema.subscriptions.subscribing import Subscribed, begin

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
GENERATED = "<!-- Made from the code"
FENCE = re.compile(
    r"(?P<mark><!-- pulled: \S+ -->\n)?^```(?P<kind>\w*)\n(?P<text>.*?)^```$", re.M | re.S
)


@dataclass(frozen=True)
class Snippet:
    page: str
    line: int
    kind: str
    text: str
    is_pulled: bool

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def _snippets(*kinds: str) -> list[Any]:
    return list(_found(kinds))


def _found(kinds: Sequence[str]) -> Iterator[Any]:
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for found in FENCE.finditer(text):
            name, line = page.relative_to(ROOT).as_posix(), text.count("\n", 0, found.start()) + 1
            is_pulled = bool(found["mark"]) or text.startswith(GENERATED)
            snippet = Snippet(name, line, found["kind"], found["text"], is_pulled)
            if found["kind"] in kinds:
                yield pytest.param(snippet, id=str(snippet))


def _variables(snippet: Snippet) -> dict[str, Any]:
    """Return the JSON that stands right behind a query, if any does."""
    text = (ROOT / snippet.page).read_text(encoding="utf-8")
    behind = text.partition(snippet.text)[2]
    found = re.match(r"```\n\n```json\n(.*?)^```$", behind, re.M | re.S)
    return json.loads(found[1]) if found else {}


@pytest.fixture
def shop(crm_factory: CrmFactory, tmp_path: Path) -> Crm:
    """Give a crmkit with every plugin of the docs and something of everything in it."""
    (tmp_path / "plugins").mkdir()
    for name in ("greeting", "recall", "followups"):
        shutil.copy(ROOT / "docs" / "examples" / f"{name}.py", tmp_path / "plugins")
    manifest = ROOT / "docs" / "examples" / "frontend" / "persisted-documents.json"
    crm = crm_factory(
        "loyalty", plugin={"recall": {"skus": ["tea"]}}, documents={"trusted": [manifest]}
    )
    crm.upsert_customers([CustomerInput("till", "C-1", display_name="Ann")])
    crm.record_transactions([sale(str(number), customer="C-1") for number in range(3)])
    return crm


def _ask(crm: Crm, request: GraphQLRequest) -> dict[str, Any]:
    admin = Actor("test", "admin", crm.roles["admin"])
    answer = ComposedSchema(crm).execute(request, admin)
    assert answer.errors == []
    assert answer.data is not None
    return answer.data


def _a_customer(crm: Crm) -> str:
    answer = _ask(crm, GraphQLRequest("{ customers(first: 1) { nodes { id } } }"))
    found: str = answer["customers"]["nodes"][0]["id"]
    return found


def _a_case(crm: Crm) -> str:
    query = "{ customers(first: 1) { nodes { recalls { id } } } }"
    answer = _ask(crm, GraphQLRequest(query))
    found: str = answer["customers"]["nodes"][0]["recalls"][0]["id"]
    return found


@pytest.mark.parametrize("snippet", _snippets("graphql"))
def test_a_query_answers_without_errors(snippet: Snippet, shop: Crm) -> None:
    variables = _variables(snippet)
    if "$id: ID!" in snippet.text:
        variables["id"] = _a_case(shop)
    if "$customer: ID!" in snippet.text:
        variables["customer"] = _a_customer(shop)

    (operation,) = parse(snippet.text).definitions
    assert isinstance(operation, OperationDefinitionNode)
    if operation.operation.value == "subscription":
        admin = Actor("test", "admin", shop.roles["admin"])
        request = GraphQLRequest(snippet.text, variables)
        assert isinstance(begin(ComposedSchema(shop), request, admin), Subscribed)
        return

    answer = _ask(shop, GraphQLRequest(snippet.text, variables))

    if operation.operation.value == "mutation":
        assert all("code" not in each for each in answer.values()), answer


@pytest.mark.parametrize("snippet", _snippets("python", "ts"))
def test_programs_are_pulled_from_files_that_are_tested(snippet: Snippet) -> None:
    assert snippet.is_pulled


def test_the_manifest_of_the_front_end_is_of_its_query() -> None:
    folder = ROOT / "docs" / "examples" / "frontend"
    manifest = json.loads((folder / "persisted-documents.json").read_text(encoding="utf-8"))
    (written,) = re.findall("graphql\\(`(.+?)`\\)", (folder / "customers.ts").read_text(), re.S)

    ((document_id, text),) = manifest.items()
    assert sha256(text.encode()).hexdigest() == document_id
    assert _fields(text) == _fields(written)


@pytest.mark.parametrize("snippet", _snippets("toml"))
def test_settings_and_mappings_can_be_read(snippet: Snippet, tmp_path: Path) -> None:
    first = snippet.text.splitlines()[0]
    if not first.startswith("# "):
        assert snippet.is_pulled
        assert tomllib.loads(snippet.text)
        return
    name = first.removeprefix("# ")
    (tmp_path / name).write_text(snippet.text, encoding="utf-8")

    read = Settings.load(tmp_path) if name == "crmkit.toml" else load_mapping(tmp_path / name)

    assert read


def _fields(text: str) -> list[str]:
    """Return the words of a query in alphabetical order: the client preset sorts selections."""
    return sorted(re.findall(r"\w+", text))


def _commands() -> list[Any]:
    return list(_lines())


def _lines() -> Iterator[Any]:
    for parameter in _snippets("bash"):
        (snippet,) = parameter.values
        for line in snippet.text.splitlines():
            yield pytest.param(line, id=f"{snippet} {line[:40]}")


@pytest.mark.parametrize("line", _commands())
def test_a_command_exists_with_the_options_that_are_shown(line: str) -> None:
    program, *words = shlex.split(line.split(" && ")[-1])
    command: Any = get_command(application())
    if not program.endswith("crmkit"):
        assert program in ("curl", "cp", "npm", "npx") or program.endswith("python"), program
        return
    while words and hasattr(command, "commands") and words[0] in command.commands:
        command = command.commands[words.pop(0)]

    of_plugin = _options_of_plugin(words)
    known = {option for each in command.params for option in each.opts} | of_plugin
    assert {word for word in words if word.startswith("--")} <= known
    assert of_plugin or not hasattr(command, "commands") or command.invoke_without_command


def _options_of_plugin(words: Sequence[str]) -> set[str]:
    """Return the options of a plugin's command."""
    registry = load_plugins(Settings(plugins=("loyalty", "tiers"), data_dir=Path("nowhere")))
    return {
        option
        for owner, command in registry.commands
        if [owner.name, command.name] == list(words[:2])
        for option in ("--data-dir", "--json", *(f"--{each.name}" for each in command.options))
    }


@pytest.mark.parametrize(
    "line", [each for each in _commands() if str(each.values[0]).startswith("curl")]
)
def test_a_curl_line_sends_a_request_that_answers(line: str, shop: Crm) -> None:
    words = shlex.split(line)
    headers = {words[at + 1].partition(":")[0] for at, word in enumerate(words) if word == "-H"}

    answer = _ask(shop, read_request(words[words.index("-d") + 1].encode()))

    assert headers == {"Authorization", "Content-Type"}
    assert "errors" not in answer


@pytest.mark.parametrize(
    "snippet", _snippets("", "json", "text", "bash", "python", "toml", "graphql")
)
def test_a_snippet_says_what_it_is(snippet: Snippet) -> None:
    assert snippet.kind, f"{snippet}: name the language, or write text"
    if snippet.kind == "json":
        json.loads(snippet.text)
