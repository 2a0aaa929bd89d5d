"""Table of calls to the companies' numbers."""

from datetime import datetime

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from orchestrator.store.models.base import UtcDateTime


class CallRow(SQLModel, table=True):
    """A call, kept so that a step which WhatsApp tells twice makes one event."""

    __tablename__ = "call"
    __table_args__ = (Index("call_started", "started_at"),)

    company_id: str = Field(primary_key=True, max_length=36)
    session_id: str = Field(primary_key=True, max_length=36)
    wa_call_id: str = Field(primary_key=True, max_length=100)
    id: str = Field(max_length=36)
    pn_jid: str = Field(default="", max_length=100)
    lid_jid: str = Field(default="", max_length=100)
    group_jid: str = Field(default="", max_length=100)
    video: bool
    state: str = Field(max_length=20)
    offline: bool
    started_at: datetime = Field(sa_type=UtcDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
