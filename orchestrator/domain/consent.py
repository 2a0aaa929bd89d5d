"""Who may be written to: the suppression list, opt-ins with their evidence, and the audit log's entries."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from orchestrator.domain.jid import ContactId

NOT_ON_WHATSAPP_FOR = timedelta(days=30)
"""So long a number that has no WhatsApp account is not tried again."""


class SuppressionCause(StrEnum):
    """Why a person is not written to."""

    OPTED_OUT = "OPTED_OUT"
    NOT_ON_WHATSAPP = "NOT_ON_WHATSAPP"
    MANUAL = "MANUAL"


@dataclass(frozen=True, slots=True)
class Suppression:
    """A person that a company does not write to; `expires_at` None is for ever.

    `confirmation_message_id` is the one message that tells the person that the opt-out worked.
    """

    id: str
    contact: ContactId
    cause: SuppressionCause
    created_at: datetime
    detail: str = ""
    campaign_id: str = ""
    confirmation_message_id: str = ""
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class OptIn:
    """A person's consent: where it came from, for what, when it was given, and what proves it."""

    id: str
    contact: ContactId
    source: str
    given_at: datetime
    created_at: datetime
    purpose: str = ""
    evidence: str = ""
    withdrawn_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Who (`actor`: a key's id, or "ponte") did what to whom. Persons are named by a hash only."""

    id: str
    at: datetime
    actor: str
    action: str
    subject: str = ""
    detail: Mapping[str, object] | None = None
