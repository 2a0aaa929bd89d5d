"""Messages that phones told of and that are not imported yet."""

from collections.abc import Sequence

from sqlalchemy import Table, bindparam, delete, func, select
from sqlalchemy.dialects import postgresql, sqlite

from orchestrator.domain.company import CompanyScope
from orchestrator.domain.imports import RawHistoryMessage
from orchestrator.store.database import Transaction
from orchestrator.store.models import HistoryMessageRow

_history: Table = HistoryMessageRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it

_OF = (_history.c.company_id == bindparam("b_company")) & (_history.c.import_id == bindparam("b_import"))
_COUNT = select(func.count()).select_from(_history).where(_OF)
_OLDEST = (
    select(
        _history.c.wa_message_id,
        _history.c.chat_jid,
        _history.c.sent_at_ms,
        _history.c.place,
        _history.c.payload,
    )
    .where(_OF)
    .order_by(_history.c.sent_at_ms, _history.c.place, _history.c.chat_jid, _history.c.wa_message_id)
    .limit(bindparam("b_most"))
)
_FORGET = delete(_history).where(
    _OF, _history.c.chat_jid == bindparam("b_chat"), _history.c.wa_message_id == bindparam("b_wa_id")
)


async def add(
    tx: Transaction, scope: CompanyScope, import_id: str, messages: Sequence[RawHistoryMessage]
) -> None:
    """Keep messages until they are imported; those that are kept already stay as they are."""
    if not messages:
        return
    make = sqlite.insert if tx.dialect == "sqlite" else postgresql.insert
    rows = [
        {
            "import_id": import_id,
            "chat_jid": message.chat_jid,
            "wa_message_id": message.wa_message_id,
            "company_id": scope.company_id,
            "sent_at_ms": message.sent_at_ms,
            "place": message.place,
            "payload": message.payload,
        }
        for message in messages
    ]
    await tx.connection.execute(make(_history).on_conflict_do_nothing(), rows)


async def count(tx: Transaction, scope: CompanyScope, import_id: str) -> int:
    """Count what waits to be imported."""
    number: int = (await tx.connection.execute(_COUNT, _of(scope, import_id))).scalar_one()
    return number


async def oldest(tx: Transaction, scope: CompanyScope, import_id: str, most: int) -> list[RawHistoryMessage]:
    """Give the messages that were sent first, at most `most`."""
    rows = await tx.connection.execute(_OLDEST, _of(scope, import_id) | {"b_most": most})
    return [
        RawHistoryMessage(row.wa_message_id, row.chat_jid, row.sent_at_ms, row.place, row.payload)
        for row in rows
    ]


async def forget(
    tx: Transaction, scope: CompanyScope, import_id: str, messages: Sequence[RawHistoryMessage]
) -> None:
    """Remove what is imported."""
    keys = [{"b_chat": message.chat_jid, "b_wa_id": message.wa_message_id} for message in messages]
    if keys:
        await tx.connection.execute(_FORGET, [_of(scope, import_id) | key for key in keys])


async def forget_all(tx: Transaction, scope: CompanyScope, import_id: str) -> None:
    """Remove what an import that was given up has left."""
    await tx.connection.execute(delete(_history).where(_OF), _of(scope, import_id))


def _of(scope: CompanyScope, import_id: str) -> dict[str, object]:
    return {"b_company": scope.company_id, "b_import": import_id}
