"""Table of what WhatsApp answered about phone numbers."""

from datetime import datetime

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from orchestrator.store.models.base import UtcDateTime


class NumberCheckRow(SQLModel, table=True):
    """The last answer about a number, kept so that WhatsApp is asked seldom."""

    __tablename__ = "number_check"
    __table_args__ = (Index("number_check_at", "checked_at"),)

    company_id: str = Field(primary_key=True, max_length=36)
    phone_number: str = Field(primary_key=True, max_length=20)
    on_whatsapp: bool
    pn_jid: str = Field(default="", max_length=100)
    lid_jid: str = Field(default="", max_length=100)
    checked_at: datetime = Field(sa_type=UtcDateTime)
