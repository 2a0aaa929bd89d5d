"""Tables of who may be written to: the suppression list and opt-ins; and the audit log."""

from datetime import datetime

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from orchestrator.store.models.base import UtcDateTime

_HAS_PN = text("pn_jid <> ''")
_HAS_LID = text("lid_jid <> ''")


class SuppressionRow(SQLModel, table=True):
    """A person that a company does not write to, by phone number and lid, for ever or until `expires_at`."""

    __tablename__ = "suppression"
    __table_args__ = (
        Index("suppression_company", "company_id", "id"),
        Index("suppression_pn", "company_id", "pn_jid", sqlite_where=_HAS_PN, postgresql_where=_HAS_PN),
        Index("suppression_lid", "company_id", "lid_jid", sqlite_where=_HAS_LID, postgresql_where=_HAS_LID),
    )

    id: str = Field(primary_key=True, max_length=36)
    company_id: str = Field(max_length=36)
    pn_jid: str = Field(default="", max_length=100)
    lid_jid: str = Field(default="", max_length=100)
    cause: str = Field(max_length=20)
    detail: str = Field(default="", max_length=300)
    campaign_id: str = Field(default="", max_length=36)
    confirmation_message_id: str = Field(default="", max_length=36)
    created_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class OptInRow(SQLModel, table=True):
    """A person's consent, with what proves it; `withdrawn_at` once it was taken back."""

    __tablename__ = "opt_in"
    __table_args__ = (
        Index("opt_in_company", "company_id", "id"),
        Index("opt_in_pn", "company_id", "pn_jid", sqlite_where=_HAS_PN, postgresql_where=_HAS_PN),
        Index("opt_in_lid", "company_id", "lid_jid", sqlite_where=_HAS_LID, postgresql_where=_HAS_LID),
    )

    id: str = Field(primary_key=True, max_length=36)
    company_id: str = Field(max_length=36)
    pn_jid: str = Field(default="", max_length=100)
    lid_jid: str = Field(default="", max_length=100)
    source: str = Field(max_length=100)
    purpose: str = Field(default="", max_length=200)
    evidence: str = Field(default="", max_length=1000)
    given_at: datetime = Field(sa_type=UtcDateTime)
    created_at: datetime = Field(sa_type=UtcDateTime)
    withdrawn_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class AuditRow(SQLModel, table=True):
    """Who did what and why; never changed and never removed: triggers refuse it."""

    __tablename__ = "audit"
    __table_args__ = (Index("audit_company", "company_id", "id"),)

    id: str = Field(primary_key=True, max_length=36)
    company_id: str = Field(max_length=36)
    at: datetime = Field(sa_type=UtcDateTime)
    actor: str = Field(max_length=80)
    action: str = Field(max_length=40)
    subject: str = Field(default="", max_length=100)
    detail: str = ""
