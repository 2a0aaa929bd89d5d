"""Tables of files: what is kept, and what of received messages is still to be fetched."""

from datetime import datetime

from sqlalchemy import BigInteger, Index
from sqlalchemy import false as sql_false
from sqlmodel import Field, SQLModel

from orchestrator.store.models.base import UtcDateTime


class MediaRow(SQLModel, table=True):
    """A file of a company; several rows may refer to one stored file by its hash."""

    __tablename__ = "media"
    __table_args__ = (
        Index("media_company_hash", "company_id", "sha256"),
        Index("media_expiry", "expires_at"),
    )

    id: str = Field(primary_key=True, max_length=36)
    company_id: str = Field(max_length=36)
    sha256: str = Field(max_length=64)
    mime_type: str = Field(max_length=200)
    size: int = Field(sa_type=BigInteger)
    file_name: str = Field(default="", max_length=255)
    source: str = Field(max_length=10)
    width: int = 0
    height: int = 0
    seconds: int = 0
    created_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class MediaDownloadRow(SQLModel, table=True):
    """A received message whose file is still to be fetched; the row is gone once it is stored or given up."""

    __tablename__ = "media_download"
    __table_args__ = (Index("media_download_due", "session_id", "imported", "next_attempt_at"),)

    message_id: str = Field(primary_key=True, max_length=36)
    company_id: str = Field(max_length=36)
    session_id: str = Field(max_length=36)
    attempts: int = 0
    imported: bool = Field(default=False, sa_column_kwargs={"server_default": sql_false()})
    next_attempt_at: datetime = Field(sa_type=UtcDateTime)
    created_at: datetime = Field(sa_type=UtcDateTime)
