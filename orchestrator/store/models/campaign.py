"""Tables of recipient lists, imports and campaigns."""

from datetime import datetime

from sqlalchemy import JSON, BigInteger, Column, Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from orchestrator.store.models.base import UtcDateTime

_ACTIVE = text("next_round_at IS NOT NULL")


class RecipientListRow(SQLModel, table=True):
    """A list; its recipients are numbered from 1 to `recipients`."""

    __tablename__ = "recipient_list"
    __table_args__ = (Index("recipient_list_company", "company_id", "id"),)

    id: str = Field(primary_key=True, max_length=36)
    company_id: str = Field(max_length=36)
    name: str = Field(max_length=200)
    region: str = Field(max_length=2)
    recipients: int = Field(default=0, sa_type=BigInteger)
    field_counts: dict[str, int] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    zone_counts: dict[str, int] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    created_at: datetime = Field(sa_type=UtcDateTime)
    deleted_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class RecipientRow(SQLModel, table=True):
    """Someone on a list."""

    __tablename__ = "recipient"
    __table_args__ = (UniqueConstraint("list_id", "phone_number", name="recipient_once"),)

    list_id: str = Field(primary_key=True, max_length=36)
    position: int = Field(primary_key=True, sa_type=BigInteger)
    company_id: str = Field(max_length=36)
    phone_number: str = Field(max_length=16)
    name: str = Field(default="", max_length=200)
    fields: dict[str, str] | None = Field(default=None, sa_column=Column("fields", JSON))


class RecipientImportRow(SQLModel, table=True):
    """An import of a file into a list."""

    __tablename__ = "recipient_import"
    __table_args__ = (Index("recipient_import_list", "list_id", "id"),)

    id: str = Field(primary_key=True, max_length=36)
    company_id: str = Field(max_length=36)
    list_id: str = Field(max_length=36)
    file_name: str = Field(max_length=200)
    state: str = Field(max_length=10)
    lines: int = Field(default=0, sa_type=BigInteger)
    accepted: int = Field(default=0, sa_type=BigInteger)
    reported: dict[str, int] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    error: str = Field(default="", max_length=500)
    started_at: datetime = Field(sa_type=UtcDateTime)
    updated_at: datetime = Field(sa_type=UtcDateTime)


class ReportedLineRow(SQLModel, table=True):
    """A line of a file that was not simply taken in."""

    __tablename__ = "recipient_import_line"

    import_id: str = Field(primary_key=True, max_length=36)
    line: int = Field(primary_key=True, sa_type=BigInteger)
    company_id: str = Field(max_length=36)
    given: str = Field(max_length=60)
    reason: str = Field(max_length=20)


class CampaignRow(SQLModel, table=True):
    """A campaign. `next_round_at` is when a worker next looks at it; NULL where there is nothing to look for.
    Events up to `event_cursor` have been counted."""

    __tablename__ = "campaign"
    __table_args__ = (
        Index("campaign_company", "company_id", "id"),
        Index("campaign_due", "next_round_at", sqlite_where=_ACTIVE, postgresql_where=_ACTIVE),
    )

    id: str = Field(primary_key=True, max_length=36)
    company_id: str = Field(max_length=36)
    name: str = Field(max_length=200)
    list_id: str = Field(max_length=36)
    state: str = Field(max_length=10)
    time_zone: str = Field(max_length=60)
    language: str = Field(max_length=5)
    start_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    end_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    confirmation: dict[str, object] | None = Field(default=None, sa_column=Column(JSON))
    recipients: int = Field(default=0, sa_type=BigInteger)
    started_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    stop_cause: str = Field(default="", max_length=20)
    stop_detail: str = Field(default="", max_length=300)
    passed_over: dict[str, int] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    forgiven_sent: int = Field(default=0, sa_type=BigInteger)
    forgiven_opt_outs: int = Field(default=0, sa_type=BigInteger)
    event_cursor: int = Field(default=0, sa_type=BigInteger)
    next_round_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    told_done: int = Field(default=0, sa_type=BigInteger)
    told_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    created_at: datetime = Field(sa_type=UtcDateTime)
    deleted_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class CampaignVariantRow(SQLModel, table=True):
    """A variant with what became of the recipients who got it."""

    __tablename__ = "campaign_variant"

    campaign_id: str = Field(primary_key=True, max_length=36)
    position: int = Field(primary_key=True)
    company_id: str = Field(max_length=36)
    name: str = Field(max_length=60)
    text: str
    file: str | None = None
    queued: int = Field(default=0, sa_type=BigInteger)
    sent: int = Field(default=0, sa_type=BigInteger)
    delivered: int = Field(default=0, sa_type=BigInteger)
    read: int = Field(default=0, sa_type=BigInteger)
    replied: int = Field(default=0, sa_type=BigInteger)
    failed: int = Field(default=0, sa_type=BigInteger)
    cancelled: int = Field(default=0, sa_type=BigInteger)
    opted_out: int = Field(default=0, sa_type=BigInteger)
    confirmed: int = Field(default=0, sa_type=BigInteger)


class CampaignSessionRow(SQLModel, table=True):
    """A number's part in a campaign: its recipients up to position `cursor` were laid in."""

    __tablename__ = "campaign_session"

    campaign_id: str = Field(primary_key=True, max_length=36)
    slot: int = Field(primary_key=True)
    company_id: str = Field(max_length=36)
    session_id: str = Field(max_length=36)
    cursor: int = Field(default=0, sa_type=BigInteger)
    last_variant: int | None = None


class CampaignRecipientRow(SQLModel, table=True):
    """A recipient whose turn has come."""

    __tablename__ = "campaign_recipient"
    __table_args__ = (
        Index("campaign_recipient_message", "message_id"),
        Index("campaign_recipient_contact", "company_id", "phone_number"),
        Index("campaign_recipient_status", "campaign_id", "status", "position"),
    )

    campaign_id: str = Field(primary_key=True, max_length=36)
    position: int = Field(primary_key=True, sa_type=BigInteger)
    company_id: str = Field(max_length=36)
    session_id: str = Field(max_length=36)
    phone_number: str = Field(max_length=16)
    status: str = Field(max_length=12)
    variant: int | None = None
    message_id: str = Field(default="", max_length=36)
    follow_up_id: str = Field(default="", max_length=36)
    generation: int = 0
    reason: str = Field(default="", max_length=20)
    replied: bool = False
    opted_out: bool = False
    updated_at: datetime = Field(sa_type=UtcDateTime)
