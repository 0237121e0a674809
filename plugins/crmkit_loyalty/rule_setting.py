"""Setting earning rules: the only code that writes their versions."""

import hashlib
import json
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlmodel import Session, select

from crmkit import IdempotencyMismatch, ValidationFailed
from crmkit.checking import Row
from crmkit_loyalty.earning_models import EarningRulesVersion
from crmkit_loyalty.earning_reading import read_rules
from crmkit_loyalty.settings import LoyaltySettings


def set_rules(
    session: Session,
    given: Sequence[Any],
    valid_from: datetime | str | None,
    *,
    key: str,
    actor: str,
    now: datetime,
    settings: LoyaltySettings,
    interaction_kinds: Collection[str],
) -> EarningRulesVersion:
    """Let rules be valid from some time on; the same key and request give the same for ever.

    Args:
        given: all rules, in the form of the settings; none let money earn as the settings say.
        valid_from: not before `now`, which it is if left out.
        key: idempotency key, unique among those of rules.
        actor: who does it; not part of the request that a key stands for.
        interaction_kinds: that are registered.

    Raises:
        ValidationFailed: the key is empty, or the time none or in the past.
        IdempotencyMismatch: the key was used for other rules or another time.
        WrongEarningRules: the rules make no sense.
    """
    row = Row(0)
    key = row.required_text("idempotencyKey", key)
    begin = now if valid_from is None else row.instant("validFrom", valid_from)
    if row.problems or begin is None:
        raise ValidationFailed(row.problems)
    asked = [list(given), None if valid_from is None else begin.isoformat()]
    fingerprint = hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()
    stored = _version_with(session, key)
    if stored is not None:
        if stored.fingerprint != fingerprint:
            raise IdempotencyMismatch(key)
        return stored
    if begin < now:
        reason = "what was earned stays as it is; let the rules begin now or later"
        row.fail("OUT_OF_RANGE", reason, "validFrom", valid_from)
        raise ValidationFailed(row.problems)
    rules = read_rules(given, settings, interaction_kinds)
    session.add(
        EarningRulesVersion(
            version=rules.version,
            rules=json.loads(rules.text),
            valid_from=begin,
            recorded_at=now,
            actor=actor,
            idempotency_key=key,
            fingerprint=fingerprint,
        )
    )
    session.flush()
    return _version_with(session, key)  # type: ignore[return-value] # just made


def _version_with(session: Session, key: str) -> EarningRulesVersion | None:
    """Return the version that a key led to, free of the session, so that it outlives it."""
    wanted = select(EarningRulesVersion).where(EarningRulesVersion.idempotency_key == key)
    version = session.exec(wanted).one_or_none()
    if version is not None:
        session.expunge(version)
    return version
