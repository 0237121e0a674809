"""Settings of GraphQL documents: which are taken, and how much they may ask for."""

from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class DocumentLimits(BaseModel):
    """How much one query may ask for; a larger one is refused before it is looked at closely.

    Attributes:
        tokens_max: words and signs of the document.
        depth_max: fields inside fields.
        fields_max: fields in all, fragments counted as often as they are used.
        aliases_max: renamed fields.
        repeats_max: times one field may occur in one selection set.
        directives_max: directives on one field.
        root_fields_max: fields at the top.
        mutations_max: mutations in one request.
        cost_max: objects that could be fetched, page sizes multiplied.
        variable_objects_max: objects in the values of variables, such as rows to be written.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    tokens_max: int = Field(default=1_500, ge=1)
    depth_max: int = Field(default=12, ge=1)
    fields_max: int = Field(default=500, ge=1)
    aliases_max: int = Field(default=30, ge=0)
    repeats_max: int = Field(default=10, ge=1)
    directives_max: int = Field(default=5, ge=0)
    root_fields_max: int = Field(default=20, ge=1)
    mutations_max: int = Field(default=5, ge=1)
    cost_max: int = Field(default=20_000, ge=1)
    variable_objects_max: int = Field(default=10_000, ge=1)


class DocumentSettings(BaseModel):
    """Which GraphQL documents are taken.

    Attributes:
        trusted: manifests of the front-ends' documents, as graphql-codegen, Relay or Apollo write
            them, or folders of such files; paths start from the data directory.
        only_trusted: whether documents of the manifests are taken only, GraphiQL's own queries
            refused as well.
        automatic_max: automatic persisted queries that are remembered; 0 switches them off.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    trusted: tuple[Path, ...] = ()
    only_trusted: bool = False
    automatic_max: int = Field(default=256, ge=0)

    @model_validator(mode="after")
    def _something_is_taken(self) -> Self:
        if self.only_trusted and not self.trusted:
            raise ValueError("only_trusted needs a manifest in trusted")
        return self
