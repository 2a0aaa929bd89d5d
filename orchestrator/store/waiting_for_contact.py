"""What is queued for a person, in all sessions of a company."""

from collections.abc import Collection

from sqlalchemy import Table, bindparam, select

from orchestrator.domain.company import CompanyScope
from orchestrator.domain.jid import ContactId
from orchestrator.domain.message import MessageStatus
from orchestrator.domain.number_spelling import all_names
from orchestrator.store.database import Transaction
from orchestrator.store.id_lists import padded
from orchestrator.store.messages import MESSAGE_COLUMNS, StoredMessage, to_message
from orchestrator.store.models import MessageRow, SessionRow
from orchestrator.store.outbox import IS_WAITING

_messages: Table = MessageRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it
_sessions: Table = SessionRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it

_QUEUED = (
    select(*MESSAGE_COLUMNS)
    .where(
        _messages.c.company_id == bindparam("b_company"),
        _messages.c.session_id.in_(
            select(_sessions.c.id).where(_sessions.c.company_id == bindparam("b_company"))
        ),
        _messages.c.chat_jid.in_(bindparam("b_names", expanding=True)),
        IS_WAITING,
        _messages.c.status == MessageStatus.QUEUED.value,
    )
    .order_by(_messages.c.id)
    .with_for_update()
)
_LAST_CAMPAIGN = (
    select(_messages.c.campaign_id)
    .where(
        _messages.c.company_id == bindparam("b_company"),
        _messages.c.session_id == bindparam("b_session"),
        _messages.c.chat_jid == bindparam("b_chat"),
        _messages.c.campaign_id != "",
        _messages.c.sent_at.is_not(None),
    )
    .order_by(_messages.c.sequence.desc())
    .limit(1)
)


async def lock_queued(
    tx: Transaction, scope: CompanyScope, contacts: Collection[ContactId]
) -> list[StoredMessage]:
    """Give what is queued for these persons; nobody else changes it until the transaction ends."""
    names = sorted(all_names(contacts))
    arguments = {"b_company": scope.company_id, "b_names": padded(names)}
    return [to_message(scope, row) for row in await tx.connection.execute(_QUEUED, arguments)]


async def last_campaign(tx: Transaction, scope: CompanyScope, session_id: str, chat_jid: str) -> str:
    """Give the campaign that wrote to a chat last; empty where none did."""
    arguments = {"b_company": scope.company_id, "b_session": session_id, "b_chat": chat_jid}
    return (await tx.connection.execute(_LAST_CAMPAIGN, arguments)).scalar_one_or_none() or ""
