"""Tables of messages and contacts. The outbox is the messages that are QUEUED or SENDING."""

from datetime import datetime

from sqlalchemy import BigInteger, Column, Index, LargeBinary, Text, UniqueConstraint, text
from sqlalchemy import false as sql_false
from sqlmodel import Field, SQLModel

from orchestrator.store.models.base import UtcDateTime

_WAITING = text("status IN ('QUEUED', 'SENDING')")
_OF_A_CAMPAIGN = text("campaign_id <> ''")
_CLAIMED = text("status = 'SENDING'")
_MENU = text("kind IN ('buttons', 'list')")


class MessageRow(SQLModel, table=True):
    """A message of either direction. `sequence` is that of its first event: the order within the company.

    Imported messages have no event: their numbers are negative, in the order of their times (domain/imports.py)."""

    __tablename__ = "message"
    __table_args__ = (
        UniqueConstraint("session_id", "chat_jid", "wa_message_id", name="message_once"),
        Index("message_company", "company_id", "sequence"),
        Index("message_chat", "session_id", "chat_jid", "sequence"),
        Index("message_whatsapp_id", "session_id", "wa_message_id"),
        Index(
            "message_outbox",
            "session_id",
            "lane",
            "due_at",
            "sequence",
            sqlite_where=_WAITING,
            postgresql_where=_WAITING,
        ),
        Index(
            "message_waiting",
            "session_id",
            "chat_jid",
            "sequence",
            sqlite_where=_WAITING,
            postgresql_where=_WAITING,
        ),
        Index(
            "message_menu",
            "session_id",
            "chat_jid",
            "sequence",
            sqlite_where=_MENU,
            postgresql_where=_MENU,
        ),
        Index(
            "message_claimed", "session_id", "claimed_until", sqlite_where=_CLAIMED, postgresql_where=_CLAIMED
        ),
        Index(
            "message_campaign",
            "campaign_id",
            "chat_jid",
            sqlite_where=_OF_A_CAMPAIGN,
            postgresql_where=_OF_A_CAMPAIGN,
        ),
    )

    id: str = Field(primary_key=True, max_length=36)
    company_id: str = Field(max_length=36)
    session_id: str = Field(max_length=36)
    sequence: int = Field(sa_type=BigInteger)
    chat_jid: str = Field(max_length=100)
    wa_message_id: str = Field(max_length=80)
    pn_jid: str = Field(default="", max_length=100)
    lid_jid: str = Field(default="", max_length=100)
    direction: str = Field(max_length=10)
    kind: str = Field(max_length=60)
    text: str = Field(default="")
    content: str | None = Field(default=None, sa_type=Text)
    """JSON of any content but a plain text."""
    marks: str | None = Field(default=None, sa_type=Text)
    """JSON of what happened to the message later: edits, reactions, votes."""
    status: str = Field(max_length=12)
    lane: str = Field(max_length=16)
    campaign_id: str = Field(default="", max_length=36)
    recipient_id: str = Field(default="", max_length=36)
    attempts: int = 0
    error_code: str = Field(default="", max_length=60)
    error_detail: str = Field(default="", max_length=500)
    waiting_code: str = Field(default="", max_length=40, sa_column_kwargs={"server_default": ""})
    waiting_detail: str = Field(default="", max_length=300, sa_column_kwargs={"server_default": ""})
    push_name: str = Field(default="", max_length=200)
    offline: bool = False
    imported: bool = Field(default=False, sa_column_kwargs={"server_default": sql_false()})
    proto: bytes | None = Field(default=None, sa_column=Column(LargeBinary))
    """The protobuf `Message` as sent or received: Baileys asks for it again when a recipient cannot decrypt."""
    created_at: datetime = Field(sa_type=UtcDateTime)
    send_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    due_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    claimed_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    sent_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    delivered_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    read_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    failed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class ContactRow(SQLModel, table=True):
    """A contact of a company: the pair of its WhatsApp names."""

    __tablename__ = "contact"
    __table_args__ = (
        Index("contact_company", "company_id", "id"),
        Index(
            "contact_pn",
            "company_id",
            "pn_jid",
            unique=True,
            sqlite_where=text("pn_jid <> ''"),
            postgresql_where=text("pn_jid <> ''"),
        ),
        Index(
            "contact_lid",
            "company_id",
            "lid_jid",
            unique=True,
            sqlite_where=text("lid_jid <> ''"),
            postgresql_where=text("lid_jid <> ''"),
        ),
    )

    id: str = Field(primary_key=True, max_length=36)
    company_id: str = Field(max_length=36)
    pn_jid: str = Field(default="", max_length=100)
    lid_jid: str = Field(default="", max_length=100)
    push_name: str = Field(default="", max_length=200)
    updated_at: datetime = Field(sa_type=UtcDateTime)
