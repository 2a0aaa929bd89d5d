"""The table of what members of a group have done with messages to it."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from orchestrator.store.models.base import UtcDateTime


class MessageReceiptRow(SQLModel, table=True):
    """A member and a message; `name` is the lid, or the phone number's jid where the lid was not known."""

    __tablename__ = "message_receipt"

    message_id: str = Field(primary_key=True, max_length=36)
    name: str = Field(primary_key=True, max_length=100)
    company_id: str = Field(max_length=36)
    pn_jid: str = Field(default="", max_length=100)
    lid_jid: str = Field(default="", max_length=100)
    awaited: bool = True
    """It was in the group when the message was sent."""
    delivered_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    read_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    played_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
