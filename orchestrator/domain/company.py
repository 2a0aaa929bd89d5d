"""Companies (tenants), their API keys, and who is asking."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Scope(StrEnum):
    """What a company's key may do."""

    MESSAGES_SEND = "messages:send"
    MESSAGES_READ = "messages:read"
    SESSIONS_MANAGE = "sessions:manage"
    SESSIONS_READ = "sessions:read"
    EVENTS_READ = "events:read"
    WEBHOOKS_MANAGE = "webhooks:manage"
    CONTACTS_READ = "contacts:read"
    CONTACTS_MANAGE = "contacts:manage"
    AUDIT_READ = "audit:read"
    CAMPAIGNS_MANAGE = "campaigns:manage"
    CAMPAIGNS_READ = "campaigns:read"
    GROUPS_MANAGE = "groups:manage"
    GROUPS_READ = "groups:read"
    IMPORTS_MANAGE = "imports:manage"
    IMPORTS_READ = "imports:read"


ALL_SCOPES = frozenset(Scope)


@dataclass(frozen=True, slots=True)
class CompanyScope:
    """The company that a piece of work is done for; every store function takes one first."""

    company_id: str


@dataclass(frozen=True, slots=True)
class Principal:
    """Who a credential stands for. An administrator has no company; a company's key has no administrator's rights."""

    key_id: str
    company_id: str | None
    scopes: frozenset[Scope]

    @property
    def is_admin(self) -> bool:
        """True for the admin key."""
        return self.company_id is None


@dataclass(frozen=True, slots=True)
class Company:
    """A tenant. `max_sessions` bounds how many numbers it may link."""

    id: str
    name: str
    max_sessions: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class ApiKey:
    """An API key as it is listed: its secret is shown once and stored hashed. `prefix` helps to recognise it."""

    id: str
    company_id: str
    name: str
    prefix: str
    scopes: frozenset[Scope]
    created_at: datetime
    revoked_at: datetime | None
    last_used_at: datetime | None
