"""Settings: one file `crmkit.toml` in the data directory, overridden by the environment.

`CRMKIT_DATABASE_URL` overrides `database_url`, `CRMKIT_PLUGIN__LOYALTY__POINTS_PER_MAJOR_UNIT`
the option of that name in `[plugin.loyalty]`.
"""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)
from pydantic_settings import SettingsError as SourceError
from sqlalchemy.engine import URL

from crmkit.document_settings import DocumentLimits, DocumentSettings
from crmkit.errors import SettingsError
from crmkit.option_types import Currency, Zone
from crmkit.wrong_options import explain

FILE_NAME = "crmkit.toml"


class SubscriptionSettings(BaseModel):
    """Who may listen to what happens, and how many.

    Attributes:
        origins: web pages that may open WebSockets, such as `https://desk.example`, beside those
            of the server's own host.
        connections_max: WebSockets and event streams of one server, together; what is left of 400
            connections, and 200 at least, is for requests.
        operations_max: subscriptions and queries that one WebSocket carries at once.
        waiting_max: news that may wait for a subscriber who takes them too slowly.
        hello_seconds_max: time a WebSocket has to say whose it is.
        recheck_seconds: how often the token of a silent connection is looked at.
        heartbeat_seconds: how often a silent event stream gives a sign of life.
        across_processes: whether subscribers hear of what other servers write to the same
            PostgreSQL database; SQLite has one server only.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    origins: tuple[str, ...] = ()
    connections_max: int = Field(default=200, ge=0)
    operations_max: int = Field(default=20, ge=1)
    waiting_max: int = Field(default=1_000, ge=1)
    hello_seconds_max: float = Field(default=10.0, gt=0)
    recheck_seconds: float = Field(default=30.0, gt=0, le=60)
    heartbeat_seconds: float = Field(default=15.0, gt=0)
    across_processes: bool = False


class Settings(BaseSettings):
    """Everything a retailer can choose without writing code.

    Attributes:
        data_dir: folder of the SQLite file, the local plugins and the reject files.
        database_url: empty for the SQLite file `crmkit.sqlite3` in the data directory.
        timezone: the shops' zone; it decides which day a sale belongs to.
        currency: the home currency, in which `Customer.metrics` is given.
        country: ISO 3166 country of phone numbers written without a country code.
        plugins: names of installed plugins that are on; files in the plugins folder always are.
        plugins_disabled: names of local plugin files to leave out.
        plugin: for each plugin, its own options.
        roles: for each role of your own, the permissions it has.
        profile: `production` shows no schema, no editor and no suggestions; `development` does.
        body_bytes_max: largest request body taken.
        request_seconds_max: time after which a request is answered without its result.
        plugin_seconds_max: time after which a plugin's function behind a field is given up.
        workers: requests executed in threads at the same time; small reads need no thread.
        limits: how much one query may ask for.
        documents: which GraphQL documents are taken.
        subscriptions: who may listen to what happens, and how many.
    """

    model_config = SettingsConfigDict(
        env_prefix="CRMKIT_", env_nested_delimiter="__", extra="forbid", frozen=True
    )

    data_dir: Path = Path()
    database_url: str = ""
    timezone: Zone = "UTC"
    currency: Currency = "CNY"
    country: str = "CN"
    plugins: tuple[str, ...] = ("loyalty",)
    plugins_disabled: tuple[str, ...] = ()
    plugin: dict[str, dict[str, Any]] = Field(default_factory=dict)
    roles: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    profile: Literal["production", "development"] = "production"
    body_bytes_max: int = Field(default=200_000, ge=1_000)
    request_seconds_max: float = Field(default=20.0, gt=0)
    plugin_seconds_max: float = Field(default=3.0, gt=0)
    workers: int = Field(default=8, ge=1, le=64)
    limits: DocumentLimits = DocumentLimits()
    documents: DocumentSettings = DocumentSettings()
    subscriptions: SubscriptionSettings = SubscriptionSettings()

    @field_validator("country")
    @classmethod
    def _country_code(cls, value: str) -> str:
        if not re.fullmatch("[A-Z]{2}", value, re.ASCII):
            raise ValueError("not a country in two capitals such as CN")
        return value

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take arguments first, then the environment, then the file in the data directory."""
        folder = Path(init_settings.init_kwargs.get("data_dir", "."))  # type: ignore[attr-defined]
        file = TomlConfigSettingsSource(settings_cls, toml_file=folder / FILE_NAME)
        return init_settings, env_settings, file_secret_settings, file

    @classmethod
    def load(cls, data_dir: Path, **overrides: Any) -> "Settings":
        """Read the settings of a data directory.

        Raises:
            SettingsError: a name is unknown or a value is wrong; the message names it.
        """
        try:
            return cls(data_dir=data_dir, **overrides)
        except ValidationError as error:
            raise SettingsError(explain(error, "setting ")) from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise SettingsError(f"{data_dir / FILE_NAME} is not TOML: {error}") from None
        except OSError as error:
            raise SettingsError(f"{error.filename} cannot be read: {error.strerror}") from None
        except SourceError as error:
            raise SettingsError(f"{error}: write it as JSON") from None

    @property
    def url(self) -> str:
        """The database address, with the embedded default filled in."""
        if self.database_url:
            return self.database_url
        path = (self.data_dir / "crmkit.sqlite3").absolute()
        return str(URL.create("sqlite", database=str(path)))  # a folder may be named a?b

    @property
    def zone(self) -> ZoneInfo:
        """The shops' time zone."""
        return ZoneInfo(self.timezone)

    @property
    def plugins_dir(self) -> Path:
        """Folder of local plugin files."""
        return self.data_dir / "plugins"


def plugin_section(settings: Settings, name: str) -> Mapping[str, Any]:
    """Return what the settings say about one plugin."""
    return settings.plugin.get(name, {})
