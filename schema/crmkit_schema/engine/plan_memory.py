"""Remembering plans, those of trusted documents apart."""

from collections.abc import Hashable
from typing import Final, Generic, TypeVar

from crmkit_schema.documents import Documents
from crmkit_schema.remembered import Remembered

PLANS_PER_TRUSTED: Final = 16
PlanT = TypeVar("PlanT")


class PlanMemory(Generic[PlanT]):
    """Plans of documents, by whatever else they depend on.

    Plans of trusted documents make room for each other only, so whatever strangers send, they stay.

    Args:
        documents: tells which of them are trusted.
        most: how many plans of all others are remembered.
    """

    def __init__(self, documents: Documents, most: int) -> None:
        self._documents = documents
        self._trusted = Remembered[Hashable, PlanT](PLANS_PER_TRUSTED * documents.trusted)
        self._others = Remembered[Hashable, PlanT](most)

    def __len__(self) -> int:
        return len(self._trusted) + len(self._others)

    def get(self, text: str, *about: Hashable) -> PlanT | None:
        """Return the plan of a document's text, None if it is not remembered."""
        return self._plans_of(text).get((text, *about))

    def add(self, plan: PlanT, text: str, *about: Hashable) -> None:
        """Remember the plan of a document's text."""
        self._plans_of(text).add((text, *about), plan)

    def _plans_of(self, text: str) -> Remembered[Hashable, PlanT]:
        return self._trusted if self._documents.is_trusted(text) else self._others
