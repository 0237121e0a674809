"""How a request names a document instead of sending it.

By the member `documentId`, as the appendix of GraphQL over HTTP on persisted documents says, or by
`extensions.persistedQuery.sha256Hash`, as Apollo's clients do.
"""

from hashlib import sha256
from typing import Any, Final

from crmkit_schema.refusals import bad_request

PREFIX: Final = "sha256:"
_VERSION: Final = 1


def bare(document_id: str) -> str:
    """Return an id without the prefix that says it is a SHA-256."""
    return document_id.removeprefix(PREFIX)


def hash_of(text: str) -> str:
    """Return the SHA-256 of a document's text, in hexadecimal digits."""
    return sha256(text.encode()).hexdigest()


def read_document_id(given: dict[str, Any]) -> str | None:
    """Return the id that the members of a request name a document by, None if they name none.

    Raises:
        RequestRefused: the id is no text, or there are two that differ.
    """
    named = optional_member(given, "documentId", str, "a string")
    extensions = optional_member(given, "extensions", dict, "an object")
    persisted = (extensions or {}).get("persistedQuery")
    if named is None and persisted is None:
        return None
    hashed = None if persisted is None else _hash(persisted)
    if "" in (named, hashed) or (named and hashed and bare(named) != bare(hashed)):
        raise bad_request("name one document, by documentId or by extensions.persistedQuery")
    return bare(named or hashed or "")


def optional_member(given: dict[str, Any], name: str, kind: type, kind_name: str) -> Any:
    """Return a member of a request, None if it has none.

    Raises:
        RequestRefused: it is of another kind.
    """
    value = given.get(name)
    if value is not None and not isinstance(value, kind):
        raise bad_request(f'"{name}" must be {kind_name} or null')
    return value


def _hash(persisted: Any) -> str:
    found = persisted.get("sha256Hash") if isinstance(persisted, dict) else None
    if not isinstance(found, str) or persisted.get("version", _VERSION) != _VERSION:
        message = '"extensions.persistedQuery" must be {"version": 1, "sha256Hash": "..."}'
        raise bad_request(message)
    return found
