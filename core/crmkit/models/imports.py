"""The journal of imports: what has been done of which file, written with the rows themselves."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Index
from sqlmodel import Field, SQLModel

from crmkit.columns import Instant
from crmkit.ids import new_id


class ImportRun(SQLModel, table=True):
    """How far one file has been imported with one mapping.

    Attributes:
        file_digest: SHA-256 of the file's bytes, in hex; with the mapping it names the run.
        mapping: name of the mapping, with a digest of its text.
        line_done: last physical line whose transactions are committed.
        scattered_done: scattered transactions committed after the main pass.
    """

    __tablename__ = "import_run"
    __table_args__ = (Index("uq_import_run_file", "file_digest", "mapping", unique=True),)

    id: UUID = Field(default_factory=new_id, primary_key=True)
    file_name: str
    file_digest: str
    mapping: str
    started_at: datetime = Field(sa_type=Instant)
    finished_at: datetime | None = Field(default=None, sa_type=Instant)
    line_done: int = Field(default=0, sa_type=BigInteger)
    scattered_done: int = Field(default=0, sa_type=BigInteger)
    taken: int = Field(default=0, sa_type=BigInteger)
    known: int = Field(default=0, sa_type=BigInteger)
    rejected: int = Field(default=0, sa_type=BigInteger)
    reject_bytes: int = Field(default=0, sa_type=BigInteger)
