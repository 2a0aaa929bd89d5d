"""What was exchanged last in a chat: written with each message in or out, read before the next one goes out."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Table, bindparam, case, select
from sqlalchemy.dialects import postgresql, sqlite

from orchestrator.domain.company import CompanyScope
from orchestrator.store.database import Transaction
from orchestrator.store.id_lists import padded
from orchestrator.store.models import ChatPolicyRow

_chats: Table = ChatPolicyRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it


@dataclass(frozen=True, slots=True)
class ChatFacts:
    """A chat's last messages by kind; None for never."""

    last_inbound_at: datetime | None = None
    last_sent_at: datetime | None = None
    last_campaign_at: datetime | None = None
    unanswered_campaigns: int = 0

    @property
    def is_new(self) -> bool:
        """True where no message was ever exchanged."""
        return self.last_inbound_at is None and self.last_sent_at is None

    @property
    def is_unanswered(self) -> bool:
        """True where the contact wrote last."""
        return self.last_inbound_at is not None and (
            self.last_sent_at is None or self.last_sent_at < self.last_inbound_at
        )


@dataclass(frozen=True, slots=True)
class Exchanged:
    """A message in a chat at a time; `inbound` from the contact, `campaign` one of a campaign to it."""

    session_id: str
    chat_jid: str
    at: datetime
    inbound: bool = False
    campaign: bool = False


NO_FACTS = ChatFacts()

_FIND = select(
    _chats.c.chat_jid,
    _chats.c.last_inbound_at,
    _chats.c.last_sent_at,
    _chats.c.last_campaign_at,
    _chats.c.unanswered_campaigns,
).where(
    _chats.c.company_id == bindparam("b_company"),
    _chats.c.session_id == bindparam("b_session"),
    _chats.c.chat_jid.in_(bindparam("b_chats", expanding=True)),
)


async def find(
    tx: Transaction, scope: CompanyScope, session_id: str, chat_jids: Collection[str]
) -> dict[str, ChatFacts]:
    """Give the facts of those of the chats that something was exchanged in."""
    arguments = {"b_company": scope.company_id, "b_session": session_id, "b_chats": padded(chat_jids)}
    rows = await tx.connection.execute(_FIND, arguments)
    return {
        row.chat_jid: ChatFacts(
            row.last_inbound_at, row.last_sent_at, row.last_campaign_at, row.unanswered_campaigns
        )
        for row in rows
    }


async def note(tx: Transaction, scope: CompanyScope, exchanged: Sequence[Exchanged]) -> None:
    """Note messages, one statement; a chat that is named twice counts with its last message of each kind."""
    if not exchanged:
        return
    make = sqlite.insert if tx.dialect == "sqlite" else postgresql.insert
    new = make(_chats)
    inbound = new.excluded.last_inbound_at.is_not(None)
    put = new.on_conflict_do_update(
        index_elements=["session_id", "chat_jid"],
        set_={
            "last_inbound_at": _later(_chats.c.last_inbound_at, new.excluded.last_inbound_at),
            "last_sent_at": _later(_chats.c.last_sent_at, new.excluded.last_sent_at),
            "last_campaign_at": _later(_chats.c.last_campaign_at, new.excluded.last_campaign_at),
            "unanswered_campaigns": case(
                (inbound, 0), else_=_chats.c.unanswered_campaigns + new.excluded.unanswered_campaigns
            ),
        },
    )
    await tx.connection.execute(put, [_to_row(scope, one) for one in exchanged])


def _later(known: ColumnElement[Any], told: ColumnElement[Any]) -> ColumnElement[Any]:
    return case((known.is_(None), told), (told > known, told), else_=known)


def _to_row(scope: CompanyScope, exchanged: Exchanged) -> dict[str, object]:
    return {
        "session_id": exchanged.session_id,
        "chat_jid": exchanged.chat_jid,
        "company_id": scope.company_id,
        "last_inbound_at": exchanged.at if exchanged.inbound else None,
        "last_sent_at": None if exchanged.inbound else exchanged.at,
        "last_campaign_at": exchanged.at if exchanged.campaign else None,
        "unanswered_campaigns": int(exchanged.campaign),
    }
