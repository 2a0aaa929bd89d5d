"""Asks a number's own phone for older messages of a chat: an import whose source is the phone's answer."""

import asyncio
from dataclasses import replace
from typing import Final

from orchestrator.domain import errors
from orchestrator.domain.company import CompanyScope
from orchestrator.domain.errors import PonteError, invalid_field
from orchestrator.domain.ids import make_id
from orchestrator.domain.imports import HistoryWish, Import, ImportKind, ImportState, OlderThan
from orchestrator.domain.jid import GROUP_SERVER, LID_SERVER, PHONE_NUMBER_SERVER
from orchestrator.services.contacts import ContactBook
from orchestrator.services.context import Context
from orchestrator.services.history import QUIET
from orchestrator.services.import_progress import ImportProgress
from orchestrator.services.phone_numbers import chat_of
from orchestrator.services.ports import GatewayPort
from orchestrator.services.session_choice import linked_session
from orchestrator.store import imported_messages
from orchestrator.store import imports as import_store
from orchestrator.store import messages as message_store
from orchestrator.store.imports import StoredImport

MOST_ASKED: Final = 50
"""What a phone answers at once, whatever it is asked for (Baileys: fetchMessageHistory)."""

_CHATS: Final = frozenset({PHONE_NUMBER_SERVER, LID_SERVER, GROUP_SERVER})


class OlderMessages:
    """Begins imports of what came before the oldest message of a chat that is here."""

    def __init__(self, context: Context, gateway: GatewayPort) -> None:
        self._context = context
        self._gateway = gateway
        self._book = ContactBook(context)
        self._progress = ImportProgress(context)

    async def request(
        self, scope: CompanyScope, session_id: str, chat: str, count: int, *, media: bool = False
    ) -> Import:
        """Ask for up to `count` messages (0: as many as a phone gives) of a chat (E.164 or jid), and for their files.

        Raises PonteError: INVALID_ARGUMENT, INVALID_PHONE_NUMBER, NOT_FOUND, SESSION_AMBIGUOUS, SESSION_NOT_LINKED,
        CHAT_HAS_NO_MESSAGE, IMPORT_ALREADY_OPEN, GATEWAY_UNAVAILABLE.
        """
        if not 0 <= count <= MOST_ASKED:
            raise invalid_field(errors.INVALID_ARGUMENT, "messages", f"Give 1 to {MOST_ASKED}.")
        jid = _checked_chat(chat)
        session_id = await linked_session(self._context, scope, session_id)
        value, older_than = await self._add(scope, session_id, jid, count or MOST_ASKED, media=media)
        try:
            await self._gateway.request_history(scope, session_id, older_than)
        except BaseException as error:
            reason = error if isinstance(error, PonteError) else PonteError(errors.GATEWAY_UNAVAILABLE)
            await asyncio.shield(self._fail(scope, value.id, reason))
            raise
        return value

    async def _add(
        self, scope: CompanyScope, session_id: str, jid: str, count: int, *, media: bool
    ) -> tuple[Import, OlderThan]:
        """Add the import before the phone is asked: its answer may come first."""
        async with self._context.database.transaction(scope) as tx:
            await message_store.lock_company(tx, scope)
            jid = await self._book.chat_name(tx, scope, jid)
            oldest = await imported_messages.oldest_of(tx, scope, session_id, jid)
            if oldest is None:
                raise PonteError(errors.CHAT_HAS_NO_MESSAGE)
            if await import_store.find_open(tx, scope, session_id, ImportKind.ON_DEMAND):
                raise PonteError(errors.IMPORT_ALREADY_OPEN)
            now = self._context.clock()
            value = Import(
                id=make_id(now, self._context.rng),
                company_id=scope.company_id,
                session_id=session_id,
                kind=ImportKind.ON_DEMAND,
                state=ImportState.WAITING,
                wish=HistoryWish(media=media),
                created_at=now,
                updated_at=now,
                chat_jid=jid,
            )
            await import_store.add(tx, scope, StoredImport(value, next_step_at=now + QUIET))
        return value, replace(oldest, count=count)

    async def _fail(self, scope: CompanyScope, import_id: str, error: PonteError) -> None:
        async with self._context.database.transaction(scope) as tx:
            stored = await self._progress.open(tx, scope, import_id)
            if stored is not None:
                await self._progress.fail(tx, scope, stored, error)


def _checked_chat(chat: str) -> str:
    jid = chat_of(chat, "chat")
    user, _, server = jid.partition("@")
    if not user or server not in _CHATS:
        raise invalid_field(
            errors.INVALID_ARGUMENT, "chat", "Give a phone number, or a person's or group's jid."
        )
    return jid
