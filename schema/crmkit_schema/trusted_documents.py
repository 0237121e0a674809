"""Trusted documents: those that front-ends were built with, as their builds write them down.

A manifest is a JSON file, either an object of texts by id, as graphql-codegen's client preset and
Relay write it, or Apollo's list of operations.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson

from crmkit import Settings
from crmkit.errors import SettingsError
from crmkit_schema.document_ids import PREFIX, bare, hash_of

_APOLLO: Final = "apollo-persisted-query-manifest"


@dataclass(frozen=True, slots=True)
class TrustedDocument:
    """A document of a manifest.

    Attributes:
        id: what the manifest calls it, without the prefix `sha256:`.
        file: the manifest.
    """

    id: str
    text: str
    file: Path

    def __str__(self) -> str:
        return f"trusted document {self.id[:64]} of {self.file}"


def trusted_documents(settings: Settings) -> list[TrustedDocument]:
    """Return the documents of all manifests that the settings name.

    Raises:
        SettingsError: a manifest cannot be read, or an id stands for two texts.
    """
    found: dict[str, TrustedDocument] = {}
    for path in settings.documents.trusted:
        for file in _manifests(settings.data_dir / path):
            for each in _documents(file):
                known = found.setdefault(each.id, each)
                if known.text != each.text:
                    raise SettingsError(f"{each} has another text than in {known.file}")
    return list(found.values())


def _manifests(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    files = sorted(path.glob("*.json"))
    if not files:
        raise SettingsError(f"setting documents.trusted: no *.json file in the folder {path}")
    return files


def _documents(file: Path) -> Iterator[TrustedDocument]:
    for document_id, text in _entries(file):
        if not isinstance(document_id, str) or not document_id or not isinstance(text, str):
            raise SettingsError(f"trusted document {document_id!r} of {file} has no id or no text")
        if document_id.startswith(PREFIX) and bare(document_id) != hash_of(text):
            raise SettingsError(f"trusted document {document_id} of {file} has another SHA-256")
        yield TrustedDocument(bare(document_id), text, file)


def _entries(file: Path) -> Iterable[tuple[Any, Any]]:
    try:
        content = orjson.loads(file.read_bytes())
    except OSError as error:
        reason = error.strerror
        raise SettingsError(f"setting documents.trusted: {file}: {reason}") from None
    except orjson.JSONDecodeError as error:
        raise SettingsError(f"setting documents.trusted: {file} is not JSON: {error}") from None
    if not isinstance(content, Mapping):
        raise SettingsError(f"setting documents.trusted: {file} is not an object of texts by id")
    operations = content.get("operations")
    if content.get("format") != _APOLLO or not isinstance(operations, list):
        return content.items()
    listed = (each if isinstance(each, Mapping) else {} for each in operations)
    return ((each.get("id"), each.get("body")) for each in listed)
