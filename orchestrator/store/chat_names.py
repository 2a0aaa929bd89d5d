"""One chat for a contact whose number became known after its lid: what was written under the lid moves."""

from sqlalchemy import Table, bindparam, delete, exists, select, update

from orchestrator.domain.company import CompanyScope
from orchestrator.domain.jid import ContactId
from orchestrator.store.database import Transaction
from orchestrator.store.models import MessageRow, SessionRow

_messages: Table = MessageRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it
_sessions: Table = SessionRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it

_under_number = _messages.alias("under_number")
_OF_THE_LID = (
    # By session, which is what the index of chats begins with.
    _messages.c.session_id.in_(
        select(_sessions.c.id).where(_sessions.c.company_id == bindparam("b_company"))
    ),
    _messages.c.chat_jid == bindparam("b_lid"),
)
_DROP_DOUBLES = delete(_messages).where(
    *_OF_THE_LID,
    exists(
        select(_under_number.c.id).where(
            _under_number.c.session_id == _messages.c.session_id,
            _under_number.c.chat_jid == bindparam("b_pn"),
            _under_number.c.wa_message_id == _messages.c.wa_message_id,
        )
    ),
)
_MOVE = update(_messages).where(*_OF_THE_LID).values(chat_jid=bindparam("b_pn"), pn_jid=bindparam("b_pn"))


async def merge(tx: Transaction, scope: CompanyScope, contact: ContactId) -> None:
    """Give the chat of a contact's lid the name of its number's; what stands in both is kept once.

    Lock the company before (`messages.lock_company`).
    """
    names = {"b_company": scope.company_id, "b_lid": contact.lid_jid, "b_pn": contact.pn_jid}
    await tx.connection.execute(_DROP_DOUBLES, names)
    await tx.connection.execute(_MOVE, names)
