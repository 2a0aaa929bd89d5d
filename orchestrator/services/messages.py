"""Messages as callers use them: send, look up, list, cancel, send again, wait."""

import asyncio
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace

from orchestrator.domain import errors
from orchestrator.domain.company import CompanyScope
from orchestrator.domain.content import Album
from orchestrator.domain.errors import PonteError, invalid_field, not_found
from orchestrator.domain.events import EventType
from orchestrator.domain.exported_chat.ids import is_exported_id
from orchestrator.domain.jid import is_group
from orchestrator.domain.message import Direction, Message, MessageStatus
from orchestrator.domain.message_filter import FailedFilter, MessageFilter
from orchestrator.domain.page import Page, PageRequest
from orchestrator.services.contacts import ContactBook
from orchestrator.services.context import Context
from orchestrator.services.event_bell import EventBell, Listener
from orchestrator.services.message_data import message_event
from orchestrator.services.message_receipts import MessageReceipts, Receipts
from orchestrator.services.outgoing_files import OutgoingFiles
from orchestrator.services.phone_numbers import chat_of
from orchestrator.services.submission import Submissions, SubmitText
from orchestrator.store import events as event_store
from orchestrator.store import failed_messages, outbox
from orchestrator.store import messages as message_store
from orchestrator.store.database import Transaction
from orchestrator.store.messages import StoredMessage

__all__ = ["FailedFilter", "MessageFilter", "MessageService", "SubmitText"]

LONGEST_WAIT_S = 60.0
MOST_RETRIED = 500
"""Dead letters in one call."""

_LOOK_EVERY_S = 0.5
_LEAST_BETWEEN_LOOKS_S = 0.02

_PROGRESS = (MessageStatus.SENT, MessageStatus.DELIVERED, MessageStatus.READ, MessageStatus.PLAYED)
_FINAL = frozenset({MessageStatus.FAILED, MessageStatus.CANCELLED})


class MessageService:
    """The messages of a company. Where `bell` is given, waiting for a status costs no polling."""

    def __init__(
        self, context: Context, bell: EventBell | None = None, files: OutgoingFiles | None = None
    ) -> None:
        self._context = context
        self._files = files
        self._bell = bell
        self._book = ContactBook(context)
        self._submissions = Submissions(context)
        self._receipts = MessageReceipts(context, self._book)

    async def submit(self, scope: CompanyScope, command: SubmitText) -> Message:
        """Take a text in: it is durable when this returns. An idempotency key gives the first answer again.

        Raises PonteError: INVALID_PHONE_NUMBER, RECIPIENT_NOT_SUPPORTED, TEXT_EMPTY, TEXT_TOO_LONG, INVALID_ARGUMENT,
        NOT_FOUND, SESSION_AMBIGUOUS, SESSION_NOT_LINKED, IDEMPOTENCY_KEY_REUSED, QUEUE_FULL, and of a content with a
        file what OutgoingFiles.resolve raises.
        """
        return await self._submissions.submit(scope, await self._with_file(scope, command))

    async def _with_file(self, scope: CompanyScope, command: SubmitText) -> SubmitText:
        if command.content is None or self._files is None:
            return command
        command.content.check()
        ready = await self._files.resolve(scope, command.content, command.send_at)
        return command if ready is command.content else replace(command, ready=ready)

    async def get(self, scope: CompanyScope, message_id: str) -> Message:
        """Find a message. Raises PonteError(NOT_FOUND)."""
        async with self._context.database.reading(scope) as tx:
            message = _found(await message_store.get(tx, scope, message_id)).message
            return (await self._with_both_names(tx, scope, [message]))[0]

    async def receipts(self, scope: CompanyScope, message_id: str, page: PageRequest) -> Receipts:
        """Who has a message, and has read or played it. Raises as MessageReceipts.list."""
        return await self._receipts.list(scope, message_id, page)

    async def list(self, scope: CompanyScope, wanted: MessageFilter, page: PageRequest) -> Page[Message]:
        """List messages newest first. Raises PonteError: INVALID_ARGUMENT, INVALID_PHONE_NUMBER, INVALID_PAGE_TOKEN."""
        chat_jid = chat_of(wanted.chat, "chat") if wanted.chat else ""
        async with self._context.database.reading(scope) as tx:
            chat_jid = await self._book.chat_name(tx, scope, chat_jid)
            found = await message_store.list_page(tx, scope, replace(wanted, chat=chat_jid), page)
            return replace(found, items=await self._with_both_names(tx, scope, found.items))

    async def _with_both_names(
        self, tx: Transaction, scope: CompanyScope, messages: Sequence[Message]
    ) -> Sequence[Message]:
        """A member of a group may have been known by the hidden id alone when the message came."""
        lacking = [message for message in messages if _lacks_a_name(message)]
        if not lacking:
            return messages
        contacts = await self._book.complete(tx, scope, [message.contact for message in lacking])
        named = {
            message.id: replace(message, contact=contact)
            for message, contact in zip(lacking, contacts, strict=True)
        }
        return [named.get(message.id, message) for message in messages]

    async def cancel(self, scope: CompanyScope, message_id: str) -> Message:
        """Take a message back that waits, of an album also those items that wait when it has left.

        Raises PonteError: NOT_FOUND, MESSAGE_NOT_CANCELLABLE.
        """

        async def work(tx: Transaction) -> Message:
            stored = await self._locked(tx, scope, message_id)
            waiting = [*await self._waiting_items(tx, scope, stored.message)]
            if stored.message.status is MessageStatus.QUEUED:
                waiting.append(stored)
            if not waiting:
                raise PonteError(errors.MESSAGE_NOT_CANCELLABLE)
            taken_back = {item.message.id: await self._take_back(tx, scope, item) for item in waiting}
            self._ring_after(tx, scope, stored.message.session_id)
            return taken_back.get(stored.message.id, stored.message)

        return await self._context.database.shared_transaction(scope, work)

    async def _waiting_items(
        self, tx: Transaction, scope: CompanyScope, message: Message
    ) -> Sequence[StoredMessage]:
        """Those messages of an album that have not left yet; none of any other message."""
        if message.content is None or not isinstance(message.content.body, Album):
            return []
        items = await message_store.lock_many(tx, scope, message.content.body.message_ids)
        return [item for item in items.values() if item.message.status is MessageStatus.QUEUED]

    async def _take_back(self, tx: Transaction, scope: CompanyScope, stored: StoredMessage) -> Message:
        cancelled = replace(stored.message, status=MessageStatus.CANCELLED)
        await self._save(tx, scope, replace(stored, message=cancelled), EventType.MESSAGE_CANCELLED)
        await outbox.free_chat(tx, stored, self._context.clock())
        return cancelled

    async def retry(self, scope: CompanyScope, message_id: str) -> Message:
        """Queue a dead letter again, with the same WhatsApp id and all its attempts before it.

        Raises PonteError: NOT_FOUND, MESSAGE_NOT_RETRYABLE, EXPORTED_MESSAGE.
        """

        async def work(tx: Transaction) -> Message:
            stored = await self._locked(tx, scope, message_id)
            if is_exported_id(stored.message.wa_message_id):
                raise PonteError(errors.EXPORTED_MESSAGE)
            if stored.message.status is not MessageStatus.FAILED:
                raise PonteError(errors.MESSAGE_NOT_RETRYABLE)
            due = self._queued_again(stored)
            await self._save(tx, scope, due, EventType.MESSAGE_QUEUED)
            self._ring_after(tx, scope, due.message.session_id)
            return due.message

        return await self._context.database.shared_transaction(scope, work)

    async def retry_failed(self, scope: CompanyScope, wanted: FailedFilter) -> tuple[int, bool]:
        """Queue up to MOST_RETRIED dead letters that match again, the oldest first, each as `retry` does.

        Gives how many, and whether there are others. Raises PonteError: INVALID_ARGUMENT.
        """
        if not wanted.restricts:
            raise invalid_field(
                errors.INVALID_ARGUMENT,
                "error_code",
                "Say which: give an error_code, session_id, campaign_id or failed_after.",
            )
        if wanted.error_code and wanted.error_code not in errors.CODES:
            raise invalid_field(errors.INVALID_ARGUMENT, "error_code", "No error has this code.")
        async with self._context.database.transaction(scope) as tx:
            await message_store.lock_company(tx, scope)
            ids = await failed_messages.find_ids(tx, scope, wanted, MOST_RETRIED + 1)
            locked = await message_store.lock_many(tx, scope, ids[:MOST_RETRIED])
            due = [self._queued_again(locked[id_]) for id_ in ids[:MOST_RETRIED]]
            await message_store.save(tx, scope, due)
            queued = [message_event(EventType.MESSAGE_QUEUED, stored.message) for stored in due]
            if queued:
                await event_store.append(tx, scope, queued, self._context.clock(), self._context.rng)
            for session_id in sorted({stored.message.session_id for stored in due}):
                self._ring_after(tx, scope, session_id)
        return len(due), len(ids) > MOST_RETRIED

    def _queued_again(self, failed: StoredMessage) -> StoredMessage:
        times = replace(failed.message.times, failed_at=None)
        queued = replace(failed.message, status=MessageStatus.QUEUED, attempts=0, error=None, times=times)
        return StoredMessage(queued, failed.sequence, due_at=self._context.clock())

    async def wait_for(
        self, scope: CompanyScope, message_id: str, status: MessageStatus, timeout_s: float
    ) -> Message:
        """Give an outbound message once it has come to `status` (SENT, DELIVERED, READ or PLAYED), failed or was
        cancelled; `timeout_s` is above 0 and at most 60.

        Raises PonteError: INVALID_ARGUMENT, NOT_FOUND, WAIT_TIMED_OUT.
        """
        if status not in _PROGRESS:
            raise invalid_field(errors.INVALID_ARGUMENT, "wait", "Wait for SENT, DELIVERED, READ or PLAYED.")
        if not 0 < timeout_s <= LONGEST_WAIT_S:
            raise invalid_field(
                errors.INVALID_ARGUMENT, "timeout_s", f"Give 1 to {LONGEST_WAIT_S:.0f} seconds."
            )
        enough = {*_PROGRESS[_PROGRESS.index(status) :], *_FINAL}
        listening = self._bell.listen(scope.company_id) if self._bell else nullcontext()
        with listening as listener:
            try:
                async with asyncio.timeout(timeout_s):
                    return await self._until(scope, message_id, enough, listener)
            except TimeoutError:
                raise PonteError(errors.WAIT_TIMED_OUT) from None

    async def _until(
        self, scope: CompanyScope, message_id: str, enough: set[MessageStatus], listener: Listener | None
    ) -> Message:
        while True:
            message = await self.get(scope, message_id)
            if message.direction is Direction.INBOUND or message.status in enough:
                return message
            if listener is None:
                await asyncio.sleep(_LOOK_EVERY_S)
                continue
            await asyncio.sleep(_LEAST_BETWEEN_LOOKS_S)
            await listener.wait(_LOOK_EVERY_S)

    async def _locked(self, tx: Transaction, scope: CompanyScope, message_id: str) -> StoredMessage:
        """Read a message that nobody else can change until the transaction ends."""
        await message_store.lock_company(tx, scope)
        return _found((await message_store.lock_many(tx, scope, [message_id])).get(message_id))

    async def _save(
        self, tx: Transaction, scope: CompanyScope, stored: StoredMessage, event_type: EventType
    ) -> None:
        await message_store.save(tx, scope, [stored])
        event = message_event(event_type, stored.message)
        await event_store.append(tx, scope, [event], self._context.clock(), self._context.rng)

    def _ring_after(self, tx: Transaction, scope: CompanyScope, session_id: str) -> None:
        bells = self._context.bells

        async def ring() -> None:
            await bells.messages_due(scope, session_id)
            await bells.events_recorded(scope)

        tx.after_commit(ring)


def _lacks_a_name(message: Message) -> bool:
    contact = message.contact
    return is_group(message.chat_jid) and bool(contact.jid) and not (contact.pn_jid and contact.lid_jid)


def _found(stored: StoredMessage | None) -> StoredMessage:
    if stored is None:
        raise not_found()
    return stored
