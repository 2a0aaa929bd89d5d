"""Tables of companies, keys and idempotency."""

from datetime import datetime

from sqlalchemy import JSON, BigInteger, Column, Index, LargeBinary
from sqlmodel import Field, SQLModel

from orchestrator.store.models.base import UtcDateTime


class CompanyRow(SQLModel, table=True):
    """A tenant; `deleted_at` hides it."""

    __tablename__ = "company"

    id: str = Field(primary_key=True, max_length=36)
    name: str = Field(max_length=200)
    max_sessions: int
    created_at: datetime = Field(sa_type=UtcDateTime)
    deleted_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class EventCounterRow(SQLModel, table=True):
    """The last event sequence number given out in a company; locking its row orders the company's transactions."""

    __tablename__ = "event_counter"

    company_id: str = Field(primary_key=True, max_length=36)
    last_sequence: int = Field(default=0, sa_type=BigInteger)


class ApiKeyRow(SQLModel, table=True):
    """A company's key: SHA-256 of the secret (it has 256 random bits, so no slow hash is needed)."""

    __tablename__ = "api_key"

    id: str = Field(primary_key=True, max_length=36)
    company_id: str = Field(index=True, max_length=36)
    name: str = Field(max_length=200)
    prefix: str = Field(max_length=16)
    secret_hash: str = Field(unique=True, max_length=64)
    scopes: list[str] = Field(sa_column=Column(JSON, nullable=False))
    created_at: datetime = Field(sa_type=UtcDateTime)
    revoked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    last_used_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class IdempotencyRow(SQLModel, table=True):
    """A create that was done: written in the same transaction as what it made.

    `company_id` is empty for the administrator.
    """

    __tablename__ = "idempotency"
    __table_args__ = (Index("idempotency_created", "created_at"),)

    company_id: str = Field(primary_key=True, max_length=36)
    key: str = Field(primary_key=True, max_length=255)
    method: str = Field(max_length=100)
    request_hash: str = Field(max_length=64)
    resource_id: str = Field(max_length=36)
    answer: bytes | None = Field(default=None, sa_column=Column(LargeBinary))
    """The encrypted answer, only where it cannot be read back (a secret that is shown once)."""
    created_at: datetime = Field(sa_type=UtcDateTime)


class MetadataRow(SQLModel, table=True):
    """Facts about this database, such as the check value of its encryption key."""

    __tablename__ = "metadata"

    name: str = Field(primary_key=True, max_length=100)
    value: str
