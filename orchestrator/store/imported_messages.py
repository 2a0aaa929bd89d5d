"""What importing asks of the messages that are stored."""

from collections.abc import Collection

from sqlalchemy import Table, bindparam, select

from orchestrator.domain.company import CompanyScope
from orchestrator.store.database import Transaction
from orchestrator.store.id_lists import padded
from orchestrator.store.models import MessageRow

_messages: Table = MessageRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it

_KNOWN = select(
    _messages.c.wa_message_id, _messages.c.chat_jid, _messages.c.pn_jid, _messages.c.lid_jid
).where(
    _messages.c.company_id == bindparam("company"),
    _messages.c.session_id == bindparam("session"),
    _messages.c.wa_message_id.in_(bindparam("wa_ids", expanding=True)),
)
_TAKEN = select(_messages.c.sequence).where(
    _messages.c.company_id == bindparam("company"),
    _messages.c.sequence.in_(bindparam("sequences", expanding=True)),
)


async def known_names(
    tx: Transaction, scope: CompanyScope, session_id: str, wa_message_ids: Collection[str]
) -> set[tuple[str, str]]:
    """Say which of these ids are stored: pairs of a name of the chat and the id. A person's chat has two names."""
    arguments = {
        "company": scope.company_id,
        "session": session_id,
        "wa_ids": padded(sorted(wa_message_ids)),
    }
    found: set[tuple[str, str]] = set()
    for row in await tx.connection.execute(_KNOWN, arguments):
        names = {row.chat_jid}
        if not row.chat_jid.endswith("@g.us"):
            names |= {row.pn_jid, row.lid_jid} - {""}
        found |= {(name, row.wa_message_id) for name in names}
    return found


async def taken_sequences(tx: Transaction, scope: CompanyScope, sequences: Collection[int]) -> set[int]:
    """Say which of these places in the company's order are taken."""
    arguments = {"company": scope.company_id, "sequences": sorted(sequences)}
    return set((await tx.connection.execute(_TAKEN, arguments)).scalars())
