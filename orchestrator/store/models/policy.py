"""Tables of the sending policy: what it remembers of a session and its chats, and when a session sent."""

from datetime import datetime

from sqlalchemy import Index, false
from sqlmodel import Field, SQLModel

from orchestrator.store.models.base import UtcDateTime


class SessionPolicyRow(SQLModel, table=True):
    """What the policy remembers of a session (JSON), and which figures were changed for it (JSON)."""

    __tablename__ = "session_policy"

    session_id: str = Field(primary_key=True, max_length=36)
    company_id: str = Field(max_length=36, index=True)
    state: str = ""
    overrides: str = ""
    updated_at: datetime = Field(sa_type=UtcDateTime)


class SessionSendRow(SQLModel, table=True):
    """One attempt of a message that was let go, or one number that WhatsApp was asked about (`message_id` its hash)."""

    __tablename__ = "session_send"
    __table_args__ = (Index("session_send_window", "session_id", "at"), Index("session_send_at", "at"))

    message_id: str = Field(primary_key=True, max_length=36)
    at: datetime = Field(primary_key=True, sa_type=UtcDateTime)
    company_id: str = Field(max_length=36)
    session_id: str = Field(max_length=36)
    kind: str = Field(max_length=14)
    new_chat: bool = Field(default=False, sa_column_kwargs={"server_default": false()})


class ChatPolicyRow(SQLModel, table=True):
    """What was exchanged last in a chat. `unanswered_campaigns` are those since the contact wrote last."""

    __tablename__ = "chat_policy"

    session_id: str = Field(primary_key=True, max_length=36)
    chat_jid: str = Field(primary_key=True, max_length=100)
    company_id: str = Field(max_length=36)
    last_inbound_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    last_sent_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    last_campaign_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    unanswered_campaigns: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
