"""Who may do what: tokens, roles and permissions. What is not allowed is refused."""

import hashlib
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlmodel import Session, col, select

from crmkit.errors import PermissionDenied, SettingsError
from crmkit.manifest import Permission
from crmkit.models import AccessToken

ADMIN = "admin"
_PREFIX = "crmkit_"


@dataclass(frozen=True, slots=True)
class Actor:
    """Whoever asks for something.

    Attributes:
        name: the token's name, kept with what the actor writes.
        permissions: names of everything the actor may do.
        expires_at: when the token ends, if it does.
    """

    name: str
    role: str
    permissions: frozenset[str]
    token_id: UUID | None = None
    expires_at: datetime | None = None

    def require(self, permission: str) -> None:
        """Raise PermissionDenied unless the actor has the permission."""
        if permission not in self.permissions:
            raise PermissionDenied(permission)


@dataclass(frozen=True, slots=True)
class Roles:
    """The permissions of each role.

    Attributes:
        by_name: role to its permissions; `admin` has all there are.
    """

    by_name: Mapping[str, frozenset[str]]

    def __getitem__(self, role: str) -> frozenset[str]:
        try:
            return self.by_name[role]
        except KeyError:
            known = ", ".join(sorted(self.by_name))
            raise SettingsError(f"there is no role {role!r}; there are: {known}") from None


def assemble_roles(permissions: Iterable[Permission], chosen: Mapping[str, Iterable[str]]) -> Roles:
    """Return the roles: those the permissions name, overridden by the retailer's own.

    Args:
        chosen: the setting `roles`; a role named there has just these permissions.

    Raises:
        SettingsError: a chosen role misspells a permission of core or of a plugin that is on.
    """
    declared = {permission.name: permission for permission in permissions}
    owners = {_owner(name) for name in declared}
    roles: dict[str, set[str]] = {}
    for permission in declared.values():
        for role in permission.roles:
            roles.setdefault(role, set()).add(permission.name)
    for role, names in chosen.items():
        unknown = [each for each in sorted(set(names) - declared.keys()) if _owner(each) in owners]
        if unknown:
            raise SettingsError(f"role {role!r} has the unknown permission {unknown[0]!r}")
        roles[role] = set(names) & declared.keys()
    roles[ADMIN] = set(declared)
    return Roles({role: frozenset(names) for role, names in roles.items()})


def _owner(permission: str) -> str:
    """Return what a permission belongs to; one of a plugin that is off has no effect."""
    return permission.partition(".")[0]


def create_token(
    session: Session,
    roles: Roles,
    name: str,
    role: str,
    *,
    now: datetime,
    expires_at: datetime | None = None,
) -> str:
    """Make a token for a role and return it; it is shown this once and only its digest kept.

    Raises:
        SettingsError: there is no such role.
    """
    roles[role]
    token = _PREFIX + secrets.token_urlsafe(32)
    session.add(
        AccessToken(
            name=name, digest=_digest(token), role=role, created_at=now, expires_at=expires_at
        )
    )
    return token


def revoke_token(session: Session, name: str, *, now: datetime) -> int:
    """Refuse every token of that name from now on; returns how many there were."""
    statement = select(AccessToken).where(
        col(AccessToken.name) == name, col(AccessToken.revoked_at).is_(None)
    )
    tokens = session.exec(statement).all()
    for token in tokens:
        token.revoked_at = now
    return len(tokens)


def authenticate(session: Session, roles: Roles, token: str, *, now: datetime) -> Actor | None:
    """Return who bears the token, or None if it is unknown, expired or revoked."""
    statement = select(AccessToken).where(col(AccessToken.digest) == _digest(token))
    found = session.exec(statement).first()
    if found is None or found.revoked_at is not None:
        return None
    if found.expires_at is not None and found.expires_at <= now:
        return None
    permissions = roles.by_name.get(found.role, frozenset())
    return Actor(found.name, found.role, permissions, found.id, found.expires_at)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
