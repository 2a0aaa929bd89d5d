"""Changes to messages that came or went before: edited, deleted, reacted to, voted on."""

from collections.abc import Sequence

from sqlalchemy import Table, bindparam, select, text, update

from orchestrator.domain.company import CompanyScope
from orchestrator.domain.message import Direction, Message
from orchestrator.store.content_text import write_content, write_marks
from orchestrator.store.database import Transaction
from orchestrator.store.messages import MESSAGE_COLUMNS, to_message
from orchestrator.store.models import MessageRow

_messages: Table = MessageRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it

_IS_MENU = text("message.kind IN ('buttons', 'list')")
"""Word for word the condition of the partial index."""

_SAVE = (
    update(_messages)
    .where(_messages.c.company_id == bindparam("b_company"), _messages.c.id == bindparam("b_id"))
    .values(text=bindparam("b_text"), content=bindparam("b_content"), marks=bindparam("b_marks"))
)
_FORGET_PROTO = (
    update(_messages)
    .where(_messages.c.company_id == bindparam("b_company"), _messages.c.id == bindparam("b_id"))
    .values(proto=None)
)
_LATEST_MENU = (
    select(*MESSAGE_COLUMNS)
    .where(
        _messages.c.company_id == bindparam("company"),
        _messages.c.session_id == bindparam("session"),
        _messages.c.chat_jid == bindparam("chat"),
        _IS_MENU,
        _messages.c.direction == Direction.OUTBOUND.value,
    )
    .order_by(_messages.c.sequence.desc())
    .limit(1)
)


async def save_said(tx: Transaction, scope: CompanyScope, messages: Sequence[Message]) -> None:
    """Write what messages say now, and their marks; of a deleted one nothing is kept. Lock them before."""
    for message in messages:
        arguments = {
            "b_company": scope.company_id,
            "b_id": message.id,
            "b_text": message.text,
            "b_content": write_content(message.content),
            "b_marks": write_marks(message.marks),
        }
        await tx.connection.execute(_SAVE, arguments)
        if message.marks.deleted_at is not None:
            await tx.connection.execute(
                _FORGET_PROTO, {name: arguments[name] for name in ("b_company", "b_id")}
            )


async def latest_menu(tx: Transaction, scope: CompanyScope, session_id: str, chat_jid: str) -> Message | None:
    """The newest message to a chat that has buttons or a list."""
    arguments = {"company": scope.company_id, "session": session_id, "chat": chat_jid}
    row = (await tx.connection.execute(_LATEST_MENU, arguments)).one_or_none()
    return to_message(scope, row).message if row else None
