"""Tables of conversation imports."""

from datetime import datetime

from sqlalchemy import BigInteger, Column, Index, LargeBinary, text
from sqlmodel import Field, SQLModel

from orchestrator.store.models.base import UtcDateTime

_OPEN = text("state IN ('WAITING', 'RUNNING')")


class ConversationImportRow(SQLModel, table=True):
    """An import. Whoever works on it puts `next_step_at` off meanwhile."""

    __tablename__ = "conversation_import"
    __table_args__ = (
        Index("conversation_import_company", "company_id", "id"),
        Index("conversation_import_due", "kind", "next_step_at", sqlite_where=_OPEN, postgresql_where=_OPEN),
        Index("conversation_import_session", "session_id", sqlite_where=_OPEN, postgresql_where=_OPEN),
    )

    id: str = Field(primary_key=True, max_length=36)
    company_id: str = Field(max_length=36)
    session_id: str = Field(max_length=36)
    kind: str = Field(max_length=12)
    state: str = Field(max_length=10)
    days: int = 0
    groups: bool = False
    media: bool = False
    total: int = Field(default=0, sa_type=BigInteger)
    read: int = Field(default=0, sa_type=BigInteger)
    added: int = Field(default=0, sa_type=BigInteger)
    known: int = Field(default=0, sa_type=BigInteger)
    skipped: int = Field(default=0, sa_type=BigInteger)
    percent: int = 0
    faults: int = 0
    error_code: str = Field(default="", max_length=60)
    error_detail: str = Field(default="", max_length=500)
    next_step_at: datetime = Field(sa_type=UtcDateTime)
    told_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    created_at: datetime = Field(sa_type=UtcDateTime)
    started_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    updated_at: datetime = Field(sa_type=UtcDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    media_id: str = Field(default="", max_length=36, sa_column_kwargs={"server_default": ""})
    """The exported chat's file; this and what follows is of imports of files only."""
    chat_jid: str = Field(default="", max_length=100, sa_column_kwargs={"server_default": ""})
    own_name: str = Field(default="", max_length=100, sa_column_kwargs={"server_default": ""})
    time_zone: str = Field(default="", max_length=60, sa_column_kwargs={"server_default": ""})
    date_order: str = Field(default="", max_length=12, sa_column_kwargs={"server_default": ""})


class HistoryMessageRow(SQLModel, table=True):
    """A message that a phone told of and that is not imported yet, as the bridge gave it; gone once it is."""

    __tablename__ = "history_message"
    __table_args__ = (Index("history_message_order", "import_id", "sent_at_ms", "place"),)

    import_id: str = Field(primary_key=True, max_length=36)
    chat_jid: str = Field(primary_key=True, max_length=100)
    wa_message_id: str = Field(primary_key=True, max_length=200)
    company_id: str = Field(max_length=36)
    sent_at_ms: int = Field(sa_type=BigInteger)
    place: int = Field(sa_type=BigInteger)
    payload: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    """The bridge contract's HistoryMessage."""
