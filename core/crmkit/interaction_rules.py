"""When an interaction is well formed. Pure."""

import hashlib
from collections.abc import Mapping
from typing import NamedTuple
from uuid import UUID

import orjson

from crmkit.batches import RecordedInteraction
from crmkit.checking import TEXT_MAX, Row
from crmkit.contributions import InteractionKind
from crmkit.errors import Problem
from crmkit.ids import new_id
from crmkit.inputs import InteractionInput
from crmkit.models import Direction
from crmkit.payloads import PayloadError, encode_payload


class CheckedInteraction(NamedTuple):
    """An interaction whose own values are all well formed; nothing was looked up yet.

    Attributes:
        recorded: as it will be stored, but for the ids of customer and transaction.
        customer: id, or (source, external id), or None.
        transaction: (source, external id) of the transaction it is about, or None.
        payload: JSON text, or None.
        fingerprint: digest of everything that was sent.
    """

    row: int
    recorded: RecordedInteraction
    customer: UUID | tuple[str, str] | None
    transaction: tuple[str, str] | None
    payload: str | None
    fingerprint: str

    @property
    def key(self) -> tuple[str, str]:
        """Source and external id, which together name the interaction."""
        return (self.recorded.source, self.recorded.external_id)


def check_interaction(
    number: int, given: InteractionInput, kinds: Mapping[str, InteractionKind]
) -> CheckedInteraction | tuple[Problem, ...]:
    """Read one interaction, or return everything that is wrong with it.

    Args:
        number: the row's position in its batch.
        kinds: the registered kinds, by name.
    """
    row = Row(number)
    kind = kinds.get(given.kind) if isinstance(given.kind, str) else None
    if kind is None:
        row.fail("UNKNOWN_VALUE", f"use one of: {', '.join(sorted(kinds))}", "kind", given.kind)
    source = row.required_text("source", given.source)
    external_id = row.required_text("externalId", given.external_id)
    occurred_at = row.instant("occurredAt", given.occurred_at)
    customer = row.customer_ref(given.customer, source)
    transaction = row.text("transaction", given.transaction)
    places = tuple(row.text(name, getattr(given, name)) for name in ("channel", "sku", "staff"))
    direction = row.choice("direction", given.direction, Direction)
    subject = row.text("subject", given.subject)
    content = row.text("content", given.content, TEXT_MAX)
    rating = _rating(row, given, kind)
    payload = _payload(row, given, kind)
    if row.problems or occurred_at is None or kind is None:
        return tuple(row.problems)
    channel, sku, staff = places
    recorded = RecordedInteraction(
        new_id(), kind.name, source, external_id, None, occurred_at, channel, direction, subject,
        content, rating, sku, None, staff, None,
    )  # fmt: skip
    about = None if transaction is None else (source, transaction)
    sent = (*recorded[1:], customer, transaction, payload)
    digest = hashlib.blake2b(orjson.dumps(sent), digest_size=16).hexdigest()
    if payload is not None:
        recorded = recorded._replace(payload=orjson.loads(payload))
    return CheckedInteraction(number, recorded, customer, about, payload, digest)


def _rating(row: Row, given: InteractionInput, kind: InteractionKind | None) -> int | None:
    rating = given.rating
    if rating is None or kind is None:
        return None
    if not kind.has_rating:
        row.fail("NOT_ALLOWED", f"a {kind.name} has no rating", "rating", rating)
    elif type(rating) is not int or not 1 <= rating <= 5:
        row.fail("UNKNOWN_VALUE", "a rating is 1, 2, 3, 4 or 5", "rating", rating)
    return rating


def _payload(row: Row, given: InteractionInput, kind: InteractionKind | None) -> str | None:
    if given.payload is None or kind is None:
        return None
    if not isinstance(given.payload, Mapping):
        row.fail("UNKNOWN_VALUE", "a payload is a JSON object", "payload", given.payload)
        return None
    try:
        encoded = encode_payload(dict(given.payload)).decode()
    except PayloadError as error:
        row.fail("INVALID_PAYLOAD", str(error), "payload", given.payload)
        return None
    if kind.payload_keys is not None:
        for key in sorted(given.payload.keys() - kind.payload_keys):
            row.fail("NOT_ALLOWED", f"a {kind.name} takes no such key", "payload", key)
    return encoded
