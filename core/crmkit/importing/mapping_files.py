"""Mapping files: mappings written in TOML, those that crmkit brings and your own."""

import hashlib
import tomllib
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from pydantic import ValidationError

from crmkit.errors import ImportFailed
from crmkit.importing.mapping import Mapping
from crmkit.wrong_options import explain


@dataclass(frozen=True, slots=True)
class NamedMapping:
    """A mapping with the name it was asked for and a digest of its text."""

    name: str
    digest: str
    mapping: Mapping

    @property
    def identity(self) -> str:
        """Tell this mapping from every other, also from an earlier text of the same name."""
        return f"{self.name}@{self.digest[:16]}"


def mapping_names() -> list[str]:
    """Return the names of the mappings that crmkit brings."""
    return sorted(each.name[:-5] for each in _shipped().iterdir() if each.name.endswith(".toml"))


def load_mapping(name_or_path: str | Path) -> NamedMapping:
    """Read a mapping that crmkit brings, by name, or one of your own, by path.

    Raises:
        ImportFailed: there is none, or it is wrong; the message says where.
    """
    name = str(name_or_path)
    if name in mapping_names():
        return _parsed(name, (_shipped() / f"{name}.toml").read_bytes())
    path = Path(name_or_path)
    try:
        return _parsed(path.stem, path.read_bytes())
    except OSError:
        raise ImportFailed(
            f"there is no mapping {name!r}: give a path, or one of {', '.join(mapping_names())}"
        ) from None


def _shipped() -> Traversable:
    return resources.files("crmkit.importing") / "mappings"


def _parsed(name: str, content: bytes) -> NamedMapping:
    try:
        mapping = Mapping.model_validate(tomllib.loads(content.decode()))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ImportFailed(f"mapping {name!r} is not TOML: {error}") from None
    except ValidationError as error:
        raise ImportFailed(explain(error, f"mapping {name!r}: ")) from None
    return NamedMapping(name, hashlib.sha256(content).hexdigest(), mapping)
