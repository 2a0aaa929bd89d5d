"""Clearing away what has expired, of all companies; each in one bounded statement."""

from datetime import datetime

from sqlalchemy import Table, bindparam, update

from orchestrator.domain.message import MessageStatus
from orchestrator.store.database import SystemScope, Transaction
from orchestrator.store.models import MessageRow, SessionRow
from orchestrator.store.outbox import IS_CLAIMED

_messages: Table = MessageRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it
_sessions: Table = SessionRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it

_TAKE_BACK_CLAIMS = (
    update(_messages)
    .where(IS_CLAIMED, _messages.c.claimed_until <= bindparam("b_now"))
    .values(status=MessageStatus.QUEUED.value, claimed_until=None)
)
_CLEAR_QRS = (
    update(_sessions)
    .where(_sessions.c.qr_data != "", _sessions.c.qr_expires_at <= bindparam("b_now"))
    .values(qr_data="", qr_expires_at=None)
)


async def take_back_claims(tx: Transaction, scope: SystemScope, now: datetime) -> int:
    """Queue again what was claimed and never answered for; gives how many.

    A last resort: a holder answers for its claims in less time, and after one that died the next takes them back.
    """
    del scope
    return (await tx.connection.execute(_TAKE_BACK_CLAIMS, {"b_now": now})).rowcount


async def clear_qrs(tx: Transaction, scope: SystemScope, now: datetime) -> int:
    """Take down the QRs that WhatsApp takes no more; gives how many."""
    del scope
    return (await tx.connection.execute(_CLEAR_QRS, {"b_now": now})).rowcount
