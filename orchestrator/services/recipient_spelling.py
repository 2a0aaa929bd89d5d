"""Before the first message to a number that may be written in two ways: which one is WhatsApp's?

A chat has one name. A number that nothing is known of is asked about once, within the cap of questions; where WhatsApp
cannot be asked now the message leaves as it was written, and the chats come together when WhatsApp's own name is seen.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace

from loguru import logger

from orchestrator.domain import errors
from orchestrator.domain.company import CompanyScope
from orchestrator.domain.errors import PonteError
from orchestrator.domain.jid import ContactId, jid_to_phone_number
from orchestrator.domain.number_spelling import other_jid
from orchestrator.services.contacts import MOST_CHECKED, ContactBook, ContactService
from orchestrator.services.context import Context
from orchestrator.services.ports import GatewayPort, NumberCheck
from orchestrator.store import chat_names
from orchestrator.store.database import Transaction
from orchestrator.store.messages import StoredMessage, lock_company

_ASKED_WITHIN_S = 3.0
_MOST_SETTLED = 50_000


class RecipientSpelling:
    """Gives messages the chat that WhatsApp knows. One for all sessions that a process sends for."""

    def __init__(self, context: Context, gateway: GatewayPort, book: ContactBook) -> None:
        self._context = context
        self._contacts = ContactService(context, gateway)
        self._book = book
        self._settled: OrderedDict[tuple[str, str], None] = OrderedDict()

    async def settle(
        self, scope: CompanyScope, session_id: str, messages: Sequence[StoredMessage]
    ) -> list[StoredMessage]:
        """Give the messages with their chats by WhatsApp's own names; what is stored of those chats moves with them.

        Never raises PonteError: a number that cannot be settled now stays as it is.
        """
        open_jids = {stored.message.chat_jid for stored in messages if self._is_open(scope, stored)}
        if not open_jids:
            return list(messages)
        contacts = await self._known(scope, open_jids)
        contacts |= await self._asked(scope, session_id, sorted(open_jids - contacts.keys()))
        moved = {jid: contact for jid, contact in contacts.items() if contact.pn_jid != jid}
        if moved:
            await self._move(scope, moved)
        for contact in contacts.values():
            self._note(scope, contact.pn_jid)
        return [_renamed(stored, moved.get(stored.message.chat_jid)) for stored in messages]

    def _is_open(self, scope: CompanyScope, stored: StoredMessage) -> bool:
        jid = stored.message.chat_jid
        return bool(other_jid(jid)) and (scope.company_id, jid) not in self._settled

    async def _known(self, scope: CompanyScope, jids: set[str]) -> dict[str, ContactId]:
        """The contacts that are known, by the names that were written."""

        async with self._context.database.reading(scope) as tx:
            return await self._book.known_persons(tx, scope, jids)

    async def _asked(self, scope: CompanyScope, session_id: str, jids: Sequence[str]) -> dict[str, ContactId]:
        """What WhatsApp answers about names that nothing is known of; those without an account are left out."""
        found: dict[str, ContactId] = {}
        for start in range(0, len(jids), MOST_CHECKED):
            some = jids[start : start + MOST_CHECKED]
            checks = await self._checks(scope, session_id, some)
            found |= {
                jid: check.contact
                for jid, check in zip(some, checks, strict=False)
                if check.on_whatsapp and check.contact.pn_jid in (jid, other_jid(jid))
            }
        return found

    async def _checks(self, scope: CompanyScope, session_id: str, jids: Sequence[str]) -> list[NumberCheck]:
        """The answers about the first of these; all of them where the cap allows as many, else as many as it does."""
        numbers = [jid_to_phone_number(jid) for jid in jids]
        checks: list[NumberCheck] = []
        try:
            async with asyncio.timeout(_ASKED_WITHIN_S):
                try:
                    return await self._contacts.check(scope, session_id, numbers)
                except PonteError as error:
                    if error.code is not errors.NUMBER_CHECK_LIMIT_REACHED or len(numbers) == 1:
                        raise
                for number in numbers:
                    checks += await self._contacts.check(scope, session_id, [number])
        except (PonteError, TimeoutError) as error:
            logger.info("Session {} sends to numbers as they were written: {!r}.", session_id, error)
        return checks

    async def _move(self, scope: CompanyScope, moved: dict[str, ContactId]) -> None:
        async def work(tx: Transaction) -> None:
            await lock_company(tx, scope)
            for jid, contact in moved.items():
                await chat_names.merge(tx, scope, jid, contact)

        await self._context.database.shared_transaction(scope, work)

    def _note(self, scope: CompanyScope, jid: str) -> None:
        self._settled[scope.company_id, jid] = None
        while len(self._settled) > _MOST_SETTLED:
            self._settled.popitem(last=False)


def _renamed(stored: StoredMessage, contact: ContactId | None) -> StoredMessage:
    if contact is None:
        return stored
    return replace(stored, message=replace(stored.message, chat_jid=contact.pn_jid, contact=contact))
