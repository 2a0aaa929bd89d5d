"""Tables of sessions, their leases and their auth state."""

from datetime import datetime

from sqlalchemy import JSON, BigInteger, Column, Index, LargeBinary, false
from sqlmodel import Field, SQLModel

from orchestrator.store.models.base import UtcDateTime, UtcTimes


def _times(name: str) -> Column[tuple[datetime, ...]]:
    return Column(name, UtcTimes, nullable=False, default=(), server_default="")


class SessionRow(SQLModel, table=True):
    """A session: what is wanted, what is observed, who holds it, and its breaker."""

    __tablename__ = "session"
    __table_args__ = (
        Index("session_company", "company_id", "id"),
        Index("session_desired", "desired_state", "state"),
    )

    id: str = Field(primary_key=True, max_length=36)
    company_id: str = Field(max_length=36)
    name: str = Field(max_length=200)
    state: str = Field(max_length=20)
    desired_state: str = Field(max_length=10)
    pn_jid: str = Field(default="", max_length=100)
    lid_jid: str = Field(default="", max_length=100)
    push_name: str = Field(default="", max_length=200)
    close_code: int | None = None
    close_reason: str = Field(default="", max_length=60)
    close_permanent: bool = False
    close_advice: str = Field(default="", max_length=300)
    closed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    start_not_before: datetime | None = Field(default=None, sa_type=UtcDateTime)
    created_at: datetime = Field(sa_type=UtcDateTime)
    connected_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    deleted_at: datetime | None = Field(default=None, sa_type=UtcDateTime)

    qr_data: str = Field(default="", max_length=1000)
    qr_expires_at: datetime | None = Field(default=None, sa_type=UtcDateTime)

    lease_owner: str = Field(default="", max_length=80)
    lease_address: str = Field(default="", max_length=200)
    lease_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    fence: int = Field(default=0, sa_type=BigInteger)

    history_days: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    history_groups: bool = Field(default=False, sa_column_kwargs={"server_default": false()})
    history_media: bool = Field(default=False, sa_column_kwargs={"server_default": false()})

    reconnect_failures: int = 0
    reconnect_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    network_closes: tuple[datetime, ...] = Field(default=(), sa_column=_times("network_closes"))
    drops: tuple[datetime, ...] = Field(default=(), sa_column=_times("drops"))
    looping: bool = Field(default=False, sa_column_kwargs={"server_default": false()})

    dispatch_owner: str = Field(default="", max_length=80)
    dispatch_until: datetime | None = Field(default=None, sa_type=UtcDateTime)

    breaker_state: str = Field(default="CLOSED", max_length=10)
    breaker_failures: int = 0
    breaker_pauses: int = 0
    breaker_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    breaker_stale_devices: tuple[datetime, ...] = Field(default=(), sa_column=_times("breaker_stale_devices"))


class AuthCredentialsRow(SQLModel, table=True):
    """A session's whole Baileys credentials, encrypted."""

    __tablename__ = "auth_credentials"

    session_id: str = Field(primary_key=True, max_length=36)
    company_id: str = Field(max_length=36)
    key_id: str = Field(max_length=16)
    ciphertext: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    updated_at: datetime = Field(sa_type=UtcDateTime)


class AuthKeyRow(SQLModel, table=True):
    """One key of Baileys' SignalDataTypeMap, encrypted."""

    __tablename__ = "auth_key"

    session_id: str = Field(primary_key=True, max_length=36)
    type: str = Field(primary_key=True, max_length=40)
    name: str = Field(primary_key=True, max_length=200)
    company_id: str = Field(max_length=36)
    key_id: str = Field(max_length=16)
    ciphertext: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class ArchivedCredentialsRow(SQLModel, table=True):
    """Credentials of a link that has ended, kept encrypted for inspection."""

    __tablename__ = "archived_credentials"

    id: str = Field(primary_key=True, max_length=36)
    session_id: str = Field(index=True, max_length=36)
    company_id: str = Field(max_length=36)
    key_id: str = Field(max_length=16)
    ciphertext: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    why: dict[str, object] = Field(sa_column=Column(JSON, nullable=False))
    archived_at: datetime = Field(sa_type=UtcDateTime)
