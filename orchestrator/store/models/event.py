"""Tables of the event log and of webhooks."""

from datetime import datetime

from sqlalchemy import JSON, BigInteger, Column, Index, LargeBinary, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from orchestrator.store.models.base import Json, UtcDateTime

_PENDING = text("status = 'PENDING'")


class EventRow(SQLModel, table=True):
    """An event: append only, numbered without gaps within its company."""

    __tablename__ = "event"

    company_id: str = Field(primary_key=True, max_length=36)
    sequence: int = Field(primary_key=True, sa_type=BigInteger)
    id: str = Field(unique=True, max_length=36)
    session_id: str = Field(max_length=36)
    chat_jid: str = Field(default="", max_length=100)
    type: str = Field(max_length=40)
    at: datetime = Field(sa_type=UtcDateTime)
    data: dict[str, object] = Field(sa_column=Column(Json, nullable=False))


class WebhookRow(SQLModel, table=True):
    """An endpoint. Events up to `cursor` have become deliveries."""

    __tablename__ = "webhook"
    __table_args__ = (Index("webhook_company", "company_id", "id"),)

    id: str = Field(primary_key=True, max_length=36)
    company_id: str = Field(max_length=36)
    url: str = Field(max_length=2000)
    events: list[str] = Field(sa_column=Column(JSON, nullable=False))
    secret_key_id: str = Field(max_length=16)
    secret_ciphertext: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    enabled: bool = True
    disabled_reason: str = Field(default="", max_length=200)
    cursor: int = Field(default=0, sa_type=BigInteger)
    failures: int = 0
    paused_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    claimed_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    claim_owner: str = Field(default="", max_length=80)
    created_at: datetime = Field(sa_type=UtcDateTime)
    deleted_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class WebhookDeliveryRow(SQLModel, table=True):
    """One event on its way to one endpoint: made once, by moving the endpoint's cursor in the same transaction."""

    __tablename__ = "webhook_delivery"
    __table_args__ = (
        UniqueConstraint("webhook_id", "sequence", name="webhook_delivery_once"),
        Index(
            "webhook_delivery_due",
            "webhook_id",
            "next_attempt_at",
            "sequence",
            sqlite_where=_PENDING,
            postgresql_where=_PENDING,
        ),
    )

    id: str = Field(primary_key=True, max_length=36)
    company_id: str = Field(max_length=36)
    webhook_id: str = Field(max_length=36)
    event_id: str = Field(max_length=36)
    sequence: int = Field(sa_type=BigInteger)
    event_type: str = Field(max_length=40)
    chat_jid: str = Field(default="", max_length=100)
    status: str = Field(max_length=10)
    attempts: int = 0
    next_attempt_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    last_status_code: int = 0
    last_error: str = Field(default="", max_length=300)
    created_at: datetime = Field(sa_type=UtcDateTime)
    delivered_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
