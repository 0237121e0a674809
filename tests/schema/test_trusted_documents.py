"""Documents of manifests: read at the start, named by their ids, and if so wanted the only ones."""

import json
import logging
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson
import pytest

from crmkit import Actor, Settings
from crmkit.errors import SettingsError
from crmkit.testing import CrmFactory
from crmkit_schema.documents import REMEMBERED_MAX
from crmkit_schema.requests import GraphQLAnswer, read_request

MANIFESTS = Path(__file__).parent / "manifests"
SHA1, SHA256 = MANIFESTS / "client-preset-sha1.json", MANIFESTS / "client-preset-sha256.json"
NAME = "query Name($id: ID!) { node(id: $id) { id } }"
VERSION = "query Version { modules { apiVersion } }"


@pytest.fixture(params=["sqlite"])
def database_url(request: pytest.FixtureRequest, core_on_sqlite: Any, tmp_path: Any) -> str:
    """Give one kind of database: documents are found before any is asked."""
    path = tmp_path / "crmkit.sqlite3"
    path.write_bytes(core_on_sqlite.read_bytes())
    return f"sqlite:///{path}"


class Front:
    """A front-end that sends bodies to a server with certain settings."""

    def __init__(self, api: Any) -> None:
        self.api = api
        self.documents = api.schema.documents

    def __call__(self, **members: Any) -> GraphQLAnswer:
        actor = Actor("tester", "test", self.api.everything)
        answer: GraphQLAnswer = self.api.schema.execute(read_request(orjson.dumps(members)), actor)
        return answer

    def code(self, **members: Any) -> str:
        (error,) = self(**members).errors
        code: str = error["extensions"]["code"]
        return code


@pytest.fixture
def front(crm_factory: CrmFactory, api_of: Any) -> Any:
    """Give a function that makes a front-end of manifests and other settings of documents."""

    def make(*trusted: Path, profile: str = "production", **documents: Any) -> Front:
        settings = {"trusted": trusted, **documents}
        return Front(api_of(crm_factory(profile=profile, documents=settings)))

    return make


@pytest.fixture
def manifest(tmp_path: Path) -> Any:
    """Give a function that writes a manifest of texts by id."""

    def write(entries: Any, name: str = "manifest.json") -> Path:
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(entries if isinstance(entries, str) else json.dumps(entries))
        return file

    return write


def hash_of(text: str) -> str:
    return sha256(text.encode()).hexdigest()


@pytest.mark.parametrize("file", [SHA1, SHA256], ids=lambda file: file.stem)
def test_a_manifest_of_the_client_preset_is_taken_as_it_is(front: Any, file: Path) -> None:
    ask = front(file)
    for document_id, text in json.loads(file.read_text()).items():
        variables = (
            {"first": 5} if "first" in text else {"known": {"source": "a", "externalId": "b"}}
        )
        hashed = {"persistedQuery": {"version": 1, "sha256Hash": document_id}}

        for named in ({"documentId": document_id}, {"extensions": hashed}):
            answer = ask(variables=variables, **named)
            assert (answer.errors, answer.was_executed) == ([], True)
            assert set(answer.data or {}) <= {"customer", "customers"}


@pytest.mark.parametrize("prefix", ["", "sha256:"])
def test_every_trusted_document_is_known_by_its_sha256_too(front: Any, prefix: str) -> None:
    ask = front(SHA1)
    text = next(each for each in json.loads(SHA1.read_text()).values() if "$first" in each)

    answer = ask(documentId=prefix + hash_of(text), variables={"first": 1})

    assert answer.data == {"customers": {"nodes": []}}


def test_apollos_manifest_is_taken(front: Any, manifest: Any) -> None:
    operation = {"id": hash_of(VERSION), "name": "Version", "type": "query", "body": VERSION}
    entries = {"format": "apollo-persisted-query-manifest", "version": 1, "operations": [operation]}

    assert front(manifest(entries))(documentId=hash_of(VERSION)).errors == []


def test_a_folder_keeps_the_documents_of_old_releases(front: Any, manifest: Any) -> None:
    manifest({"a1": VERSION}, "releases/1.json")
    last = manifest({"b2": NAME, "a1": VERSION}, "releases/2.json")
    ask = front(last.parent)

    assert ask(documentId="a1").errors == []
    assert ask(documentId="b2", variables={"id": "cus_" + "0" * 32}).errors == []


def test_paths_start_from_the_data_directory(tmp_path: Path, manifest: Any) -> None:
    manifest({"a1": VERSION})
    (tmp_path / "crmkit.toml").write_text('[documents]\ntrusted = ["manifest.json"]\n')

    from crmkit_schema.trusted_documents import trusted_documents

    (found,) = trusted_documents(Settings.load(tmp_path))
    assert (found.id, found.text) == ("a1", VERSION)


WRONG = {
    "a syntax error": ({"a1": "{ modules {"}, r"trusted document a1 of .*manifest.json: Syntax"),
    "an unknown field": ({"a1": "{ nobody }"}, "trusted document a1 .*Cannot query field 'nobody'"),
    "too deep": ({"a1": "{ node(id: 1) " + "{ a " * 20 + "}" * 21}, "trusted document a1 .*levels"),
    "no text": ({"a1": None}, "trusted document 'a1' of .* has no id or no text"),
    "another hash": ({"sha256:" + "0" * 64: VERSION}, "trusted document sha256:000.*another SHA"),
    "no JSON": ("{", "manifest.json is not JSON"),
    "a list": ([VERSION], "manifest.json is not an object"),
    "an operation without a body": (
        {"format": "apollo-persisted-query-manifest", "operations": [{"id": "a1"}, 7]},
        "trusted document 'a1' of .* has no id or no text",
    ),
}


@pytest.mark.parametrize(("entries", "told"), WRONG.values(), ids=WRONG)
def test_a_wrong_manifest_stops_the_start_and_says_why(
    front: Any, manifest: Any, entries: Any, told: str
) -> None:
    with pytest.raises(SettingsError, match=told):
        front(manifest(entries))


def test_no_more_than_a_few_problems_are_told(front: Any, manifest: Any) -> None:
    entries = {f"a{number}": f"{{ nobody{number} }}" for number in range(9)}

    with pytest.raises(SettingsError, match=r"a4 of .*; and 4 more$"):
        front(manifest(entries))


def test_one_id_cannot_stand_for_two_texts(front: Any, manifest: Any) -> None:
    files = manifest({"a1": VERSION}, "1.json"), manifest({"a1": NAME}, "2.json")

    with pytest.raises(SettingsError, match=r"a1 of .*2.json has another text than in .*1.json"):
        front(*files)


def test_a_manifest_that_is_missing_stops_the_start(front: Any, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"nothing.json: No such file"):
        front(tmp_path / "nothing.json")
    (tmp_path / "empty").mkdir()
    with pytest.raises(SettingsError, match=r"no \*\.json file in the folder"):
        front(tmp_path / "empty")


def test_beside_a_broken_plugin_that_was_put_aside_its_documents_are_left_out(
    crm_factory: CrmFactory, api_of: Any, manifest: Any, caplog: pytest.LogCaptureFixture
) -> None:
    file = manifest({"good": VERSION, "lost": "{ nobody }"})
    crm = crm_factory(documents={"trusted": [file]})
    crm.registry.broken["other"] = "for a test"

    with caplog.at_level(logging.WARNING):
        ask = Front(api_of(crm))

    assert ask(documentId="good").errors == []
    assert ask.code(documentId="lost") == "PERSISTED_QUERY_NOT_FOUND"
    assert "trusted document lost" in caplog.text


@pytest.mark.parametrize("profile", ["production", "development"])
def test_only_trusted_means_nothing_else_in_either_profile(front: Any, profile: str) -> None:
    ask = front(SHA256, only_trusted=True, profile=profile)
    document_id, text = next(iter(json.loads(SHA256.read_text()).items()))
    unknown = hash_of(VERSION)

    codes = {
        ask.code(query=VERSION),
        ask.code(query=text),
        ask.code(query="{ { not even GraphQL"),
        ask.code(query="{ __schema { types { name } } }"),
        ask.code(documentId=unknown),
        ask.code(documentId=unknown, query=VERSION),
        ask.code(extensions={"persistedQuery": {"version": 1, "sha256Hash": unknown}}),
    }

    assert codes == {"DOCUMENT_NOT_TRUSTED"}
    assert ask.code(documentId=document_id, query=VERSION) == "PERSISTED_QUERY_MISMATCH"
    variables = {"known": {"source": "a", "externalId": "b"}}
    assert ask(documentId=document_id, variables=variables).errors == []
    assert ask(documentId=document_id, query=text, variables=variables).errors == []


def test_what_is_not_trusted_is_refused_unread(front: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    ask = front(SHA256, only_trusted=True)
    monkeypatch.setattr("crmkit_schema.document_reader.parse", None)

    assert ask.code(query=VERSION) == "DOCUMENT_NOT_TRUSTED"


def test_only_trusted_needs_manifests(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="only_trusted needs a manifest"):
        Settings.load(tmp_path, documents={"only_trusted": True})


def test_a_trusted_document_is_the_same_by_text_and_outlives_all_others(
    front: Any, manifest: Any
) -> None:
    ask = front(manifest({"a1": VERSION}))
    kept = ask.documents.read(VERSION)
    for number in range(REMEMBERED_MAX * 3):
        text = f"query Q{number} {{ __typename }}"
        for _ in range(2):
            ask.documents.read(text)

    assert ask.documents.read(VERSION) is kept
    assert ask.documents.read_request(read_request(b'{"documentId": "a1"}')) is kept
    assert len(ask.documents) == REMEMBERED_MAX


def test_a_trusted_document_keeps_to_limits_and_permissions(front: Any, manifest: Any) -> None:
    text = "query C($n: Int) { customers(first: $n) { nodes { transactions { totalCount } } } }"
    ask = front(manifest({"a1": text}))
    nobody = Actor("nobody", "test", frozenset())

    refused = ask.api.schema.execute(read_request(b'{"documentId": "a1"}'), nobody)

    assert [each["extensions"]["code"] for each in refused.errors] == ["FORBIDDEN"]


def test_of_several_operations_one_must_be_named(front: Any, manifest: Any) -> None:
    ask = front(manifest({"a1": f"{VERSION} query Other {{ __typename }}"}))

    assert ask.code(documentId="a1") == "OPERATION_NOT_FOUND"
    assert ask(documentId="a1", operationName="Other").data == {"__typename": "Query"}


def test_two_documents_named_by_ids_get_each_their_own_answer(front: Any, manifest: Any) -> None:
    ask = front(manifest({"a1": "{ __typename }", "b2": "{ other: __typename }"}))

    answers = [ask(documentId=each).data for each in ("a1", "b2", "a1", "b2")]

    assert answers == [{"__typename": "Query"}, {"other": "Query"}] * 2
