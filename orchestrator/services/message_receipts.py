"""Who has a message that was sent, and has read or played it."""

from dataclasses import dataclass, replace

from orchestrator.domain.company import CompanyScope
from orchestrator.domain.errors import not_found
from orchestrator.domain.group.receipts import MemberReceipt, ReceiptCounts
from orchestrator.domain.jid import is_shared
from orchestrator.domain.message import Direction, Message, MessageStatus
from orchestrator.domain.page import Page, PageRequest
from orchestrator.services.contacts import ContactBook
from orchestrator.services.context import Context
from orchestrator.store import message_receipts
from orchestrator.store import messages as message_store

_LEFT = (MessageStatus.SENT, MessageStatus.DELIVERED, MessageStatus.READ, MessageStatus.PLAYED)
_NOBODY: Page[MemberReceipt] = Page([], "")


@dataclass(frozen=True, slots=True)
class Receipts:
    """A page of what people have done with a message, and how many have done it."""

    page: Page[MemberReceipt]
    counts: ReceiptCounts


class MessageReceipts:
    """Looks receipts up."""

    def __init__(self, context: Context, book: ContactBook) -> None:
        self._context = context
        self._book = book

    async def list(self, scope: CompanyScope, message_id: str, page: PageRequest) -> Receipts:
        """List what each member of a group has done with a message; of a 1:1 chat that is its contact.

        What was not sent, or came in, has none. Raises PonteError: NOT_FOUND, INVALID_ARGUMENT, INVALID_PAGE_TOKEN.
        """
        async with self._context.database.reading(scope) as tx:
            stored = await message_store.get(tx, scope, message_id)
            if stored is None:
                raise not_found()
            if not is_shared(stored.message.chat_jid):
                return _of_contact(stored.message)
            found = await message_receipts.list_page(tx, scope, message_id, page)
            counts = await message_receipts.count(tx, scope, [message_id])
            contacts = await self._book.complete(tx, scope, [one.contact for one in found.items])
        receipts = [replace(one, contact=contact) for one, contact in zip(found.items, contacts, strict=True)]
        return Receipts(Page(receipts, found.next_token), counts.get(message_id, ReceiptCounts()))


def _of_contact(message: Message) -> Receipts:
    if message.direction is Direction.INBOUND or message.status not in _LEFT:
        return Receipts(_NOBODY, ReceiptCounts())
    times = message.times
    played_at = times.read_at if message.status is MessageStatus.PLAYED else None
    receipt = MemberReceipt(message.contact, True, times.delivered_at, times.read_at, played_at)
    done = (times.delivered_at, times.read_at, played_at)
    return Receipts(Page([receipt], ""), ReceiptCounts(1, *(int(moment is not None) for moment in done)))
