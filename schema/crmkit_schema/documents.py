"""The documents of one schema: read once, remembered if small and good, named by their hashes."""

import logging
from collections.abc import Iterable, Mapping
from typing import Any, Final

from graphql import GraphQLError, GraphQLSchema

from crmkit import Settings
from crmkit.errors import SettingsError
from crmkit_schema.document_ids import hash_of
from crmkit_schema.document_reader import Document, DocumentReader
from crmkit_schema.remembered import Remembered
from crmkit_schema.requests import GraphQLRequest
from crmkit_schema.trusted_documents import TrustedDocument

log = logging.getLogger("crmkit")
REMEMBERED_MAX: Final = 256
REMEMBERED_LENGTH_MAX: Final = 16_384
_TOLD_MAX: Final = 5


class Documents:
    """The documents of one schema.

    Args:
        schema: what documents are valid against.
        settings: their limits, and which of them are taken.
    """

    def __init__(self, schema: GraphQLSchema, settings: Settings) -> None:
        self._reader, self._limits = DocumentReader(schema, settings), settings.limits
        self._only_trusted = settings.documents.only_trusted
        self._is_automatic = settings.documents.automatic_max > 0 and not self._only_trusted
        self._by_text: Remembered[str, Document] = Remembered(REMEMBERED_MAX)
        self._by_id: Remembered[str, Document] = Remembered(settings.documents.automatic_max)
        self._trusted: set[str] = set()

    def __len__(self) -> int:
        return len(self._by_text)

    @property
    def trusted(self) -> int:
        """How many trusted documents there are."""
        return len(self._trusted)

    def is_trusted(self, text: str) -> bool:
        """Tell whether a document stands in a manifest."""
        return text in self._trusted

    def trust(self, documents: Iterable[TrustedDocument], *, is_lenient: bool = False) -> None:
        """Remember documents for good, under their ids, their SHA-256 and their texts.

        Args:
            is_lenient: leave out, with a line in the log, those that cannot be executed.

        Raises:
            SettingsError: some cannot be executed; it names the first few.
        """
        problems = []
        for each in documents:
            made = self._reader.read(each.text)
            if isinstance(made, Document):
                self._trusted.add(each.text)
                self._by_text.pin(each.text, made)
                self._by_id.pin(hash_of(each.text), made)
                self._by_id.pin(each.id, made)
            else:
                problems.append(f"{each}: {made[0].message}")
        if problems and not is_lenient:
            raise SettingsError("; ".join(_shortened(problems)))
        for sentence in problems:
            log.warning("left out: %s", sentence)

    def read_request(self, request: GraphQLRequest) -> Document | list[GraphQLError]:
        """Return the document that a request brings or names, or why it gets none."""
        known = self.known(request)
        if known is not None:
            return known
        if request.document_id is not None:
            return self._read_named(request.document_id, request.query)
        return [_not_trusted()] if self._only_trusted else self.read(request.query)

    def known(self, request: GraphQLRequest) -> Document | None:
        """Return the document of a request if nothing of it has to be read or refused any more."""
        id_, text = request.document_id, request.query
        if id_ is None:
            return None if self._only_trusted else self._by_text.get(text)
        known = self._by_id.get(id_)
        return known if known is not None and text in ("", known.text) else None

    def read(self, text: str) -> Document | list[GraphQLError]:
        """Return a document that can be executed, or what is wrong with it.

        Good documents of up to `REMEMBERED_LENGTH_MAX` letters are remembered; whoever sends
        bad or huge ones, or a new one each time, can neither fill the memory nor push out
        documents that others ask for again.
        """
        known = self._by_text.get(text)
        if known is not None:
            return known
        made = self._reader.read(text)
        if isinstance(made, Document) and len(text) <= REMEMBERED_LENGTH_MAX:
            self._by_text.add(text, made)
        return made

    def cost_error(
        self, document: Document, operation_name: str | None, variables: Mapping[str, Any]
    ) -> GraphQLError | None:
        """Return why an operation costs too much with these variables, or None if it does not."""
        name = operation_name or next(iter(document.meter.operations))
        try:
            document.meter.check_cost(name, variables, self._limits)
        except GraphQLError as error:
            return error
        return None

    def _read_named(self, id_: str, text: str) -> Document | list[GraphQLError]:
        """Read a document that is to be known by its hash from now on."""
        if self._by_id.get(id_) is not None:
            return [_mismatch()]
        if self._only_trusted:
            return [_not_trusted()]
        if not text:
            return [_not_found() if self._is_automatic else _not_supported()]
        if hash_of(text) != id_:
            return [_mismatch()]
        made = self.read(text)
        is_small = len(text) <= REMEMBERED_LENGTH_MAX
        if self._is_automatic and is_small and isinstance(made, Document):
            self._by_id.add(id_, made)
        return made


def _shortened(sentences: list[str]) -> list[str]:
    rest = len(sentences) - _TOLD_MAX
    return [*sentences[:_TOLD_MAX], f"and {rest} more"] if rest > 0 else sentences


def _not_trusted() -> GraphQLError:
    message = "only trusted documents are taken here; send the documentId of one"
    return GraphQLError(message, extensions={"code": "DOCUMENT_NOT_TRUSTED"})


def _not_found() -> GraphQLError:
    """Return the error upon which Apollo's clients send the text, too; they know its message."""
    extensions = {"code": "PERSISTED_QUERY_NOT_FOUND"}
    return GraphQLError("PersistedQueryNotFound", extensions=extensions)


def _not_supported() -> GraphQLError:
    """Return the error upon which Apollo's clients send texts only; they know its message."""
    extensions = {"code": "PERSISTED_QUERY_NOT_SUPPORTED"}
    return GraphQLError("PersistedQueryNotSupported", extensions=extensions)


def _mismatch() -> GraphQLError:
    message = "the query that was sent is not the one of this id"
    return GraphQLError(message, extensions={"code": "PERSISTED_QUERY_MISMATCH"})
