"""Tables of the groups that a company's numbers are in."""

from datetime import datetime

from sqlalchemy import Index, Text, UniqueConstraint
from sqlmodel import Field, SQLModel

from orchestrator.store.models.base import UtcDateTime


class ChatGroupRow(SQLModel, table=True):
    """A group as one session knows it; kept after the number has left."""

    __tablename__ = "chat_group"
    __table_args__ = (
        UniqueConstraint("session_id", "group_jid", name="chat_group_once"),
        Index("chat_group_company", "company_id", "id"),
        Index("chat_group_jid", "company_id", "group_jid"),
    )

    id: str = Field(primary_key=True, max_length=36)
    company_id: str = Field(max_length=36)
    session_id: str = Field(max_length=36)
    group_jid: str = Field(max_length=100)
    settings: str = Field(sa_type=Text)
    """JSON of the settings that are known, by name."""
    owner_pn_jid: str = Field(default="", max_length=100)
    owner_lid_jid: str = Field(default="", max_length=100)
    created_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    community_jid: str = Field(default="", max_length=100)
    is_community: bool = False
    size: int = 0
    is_member: bool = True
    stale: bool = False
    seen: str = Field(default="", sa_type=Text)
    """JSON of the newest notifications' ids."""
    read_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    updated_at: datetime = Field(sa_type=UtcDateTime)


class ChatGroupParticipantRow(SQLModel, table=True):
    """Somebody in a group; `name` is the lid, or the phone number's jid while the lid is not known."""

    __tablename__ = "chat_group_participant"

    group_id: str = Field(primary_key=True, max_length=36)
    name: str = Field(primary_key=True, max_length=100)
    company_id: str = Field(max_length=36)
    pn_jid: str = Field(default="", max_length=100)
    lid_jid: str = Field(default="", max_length=100)
    role: str = Field(max_length=10)


class GroupReadingRow(SQLModel, table=True):
    """When all groups of a session were read last."""

    __tablename__ = "group_reading"

    session_id: str = Field(primary_key=True, max_length=36)
    company_id: str = Field(max_length=36)
    read_at: datetime = Field(sa_type=UtcDateTime)
