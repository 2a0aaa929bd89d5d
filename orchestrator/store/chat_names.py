"""One chat for a contact with several names: what was written under another one moves to the chat of its number."""

from sqlalchemy import Table, bindparam, delete, exists, select, update

from orchestrator.domain.company import CompanyScope
from orchestrator.domain.jid import ContactId
from orchestrator.store.database import Transaction
from orchestrator.store.models import MessageRow, SessionRow

_messages: Table = MessageRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it
_sessions: Table = SessionRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it

_under_number = _messages.alias("under_number")
_OF_THE_OLD_NAME = (
    # By session, which is what the index of chats begins with.
    _messages.c.session_id.in_(
        select(_sessions.c.id).where(_sessions.c.company_id == bindparam("b_company"))
    ),
    _messages.c.chat_jid == bindparam("b_old"),
)
_DROP_DOUBLES = delete(_messages).where(
    *_OF_THE_OLD_NAME,
    exists(
        select(_under_number.c.id).where(
            _under_number.c.session_id == _messages.c.session_id,
            _under_number.c.chat_jid == bindparam("b_pn"),
            _under_number.c.wa_message_id == _messages.c.wa_message_id,
        )
    ),
)
_MOVE = (
    update(_messages)
    .where(*_OF_THE_OLD_NAME)
    .values(chat_jid=bindparam("b_pn"), pn_jid=bindparam("b_pn"), lid_jid=bindparam("b_lid"))
)


async def merge(tx: Transaction, scope: CompanyScope, old_name: str, contact: ContactId) -> None:
    """Give a contact's chat of another name, its lid or its number as it was written, the name of its number's.

    What stands in both is kept once.

    Lock the company before (`messages.lock_company`).
    """
    names = {
        "b_company": scope.company_id,
        "b_old": old_name,
        "b_pn": contact.pn_jid,
        "b_lid": contact.lid_jid,
    }
    await tx.connection.execute(_DROP_DOUBLES, names)
    await tx.connection.execute(_MOVE, names)
