"""Taking a message in: checked, given its WhatsApp id, and durable with its event before the caller hears of it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from orchestrator.domain import errors
from orchestrator.domain.company import CompanyScope
from orchestrator.domain.content import Content, Delete, plain_text, to_values
from orchestrator.domain.content.albums import announced, items_of
from orchestrator.domain.errors import PonteError, invalid_field, not_found
from orchestrator.domain.events import EventType
from orchestrator.domain.ids import make_id, make_whatsapp_message_id
from orchestrator.domain.jid import STATUS_JID, ContactId, is_channel, is_group, is_shared
from orchestrator.domain.message import (
    Direction,
    Lane,
    Message,
    MessageStatus,
    MessageTimes,
)
from orchestrator.domain.session import LINKED_STATES
from orchestrator.services.batching import TransactionBatcher
from orchestrator.services.channels import check_channel, check_post
from orchestrator.services.contacts import ContactBook
from orchestrator.services.context import Context
from orchestrator.services.group_input import check_group_field
from orchestrator.services.group_sending import GroupStandings
from orchestrator.services.message_data import message_event
from orchestrator.services.phone_numbers import check_recipient
from orchestrator.services.references import Addressed, NamedMessages
from orchestrator.services.session_choice import only_session
from orchestrator.services.status_posts import check_status, without_suppressed
from orchestrator.services.waiting_count import WaitingCount
from orchestrator.store import consent, dispatch_leases, idempotency
from orchestrator.store import events as event_store
from orchestrator.store import messages as message_store
from orchestrator.store.database import Transaction
from orchestrator.store.messages import StoredMessage

LATEST_SEND_AT = timedelta(days=365)

_METHOD = "messages.submit"


@dataclass(frozen=True, slots=True)
class SubmitText:
    """A message to send: a plain text by its `body`, anything else by `content`, or what the message `forward` says.

    `to` is E.164 or a group's jid, or empty where the content is about a message, whose chat is meant. `session_id` may
    be empty while the company has one session. `ready` is the content with its file at hand
    (services/outgoing_files.py).
    """

    session_id: str
    to: str
    body: str
    send_at: datetime | None = None
    lane: Lane = Lane.TRANSACTIONAL
    idempotency_key: str = ""
    content: Content | None = None
    forward: str = ""
    ready: Content | None = None


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A checked message with the ids that it keeps, whatever happens later. `items` are an album's."""

    command: SubmitText
    content: Content
    message_id: str
    wa_message_id: str
    request_hash: str
    items: tuple["_Prepared", ...] = ()


@dataclass(frozen=True, slots=True)
class _Accepted:
    """A message that will be stored: its session is linked, and what it is about is known."""

    prepared: _Prepared
    session_id: str
    addressed: Addressed

    @property
    def with_items(self) -> list["_Accepted"]:
        """It and, where it is an album, its items, in the order in which they leave."""
        items = [
            _Accepted(item, self.session_id, replace(self.addressed, content=item.content))
            for item in self.prepared.items
        ]
        return [self, *items]


class Submissions:
    """Writes new outbound messages; those of one company that come together in a few statements."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._book = ContactBook(context)
        self._waiting = WaitingCount(context.limits.waiting_messages_per_session)
        self._batcher = TransactionBatcher(context.database, self._write)

    async def submit(self, scope: CompanyScope, command: SubmitText) -> Message:
        """Check and write one text. Raises PonteError; see MessageService.submit."""
        return await self._batcher.add(scope, self._prepare(command))

    def _prepare(self, command: SubmitText) -> _Prepared:
        now, rng = self._context.clock(), self._context.rng
        content = command.content or plain_text(command.body)
        if not command.forward:
            content.check()
        if command.forward and is_shared(command.to) and not is_group(command.to):
            raise invalid_field(
                errors.INVALID_ARGUMENT, "forward", "Messages are forwarded to people and groups."
            )
        if command.to == STATUS_JID:
            if not isinstance(content.body, Delete):
                check_status(content)
        elif is_channel(command.to):
            check_post(content)
        if content.audience and command.to != STATUS_JID:
            raise invalid_field(errors.INVALID_ARGUMENT, "audience", "Only a status has an audience.")
        if command.to or command.forward or not content.message_id:
            _check_recipient(command.to)
        if command.send_at and command.send_at > now + LATEST_SEND_AT:
            raise invalid_field(errors.INVALID_ARGUMENT, "send_at", "Give a time within a year.")
        request_hash = _request_hash(command) if command.idempotency_key else ""
        content = command.ready or content
        wa_message_id = make_whatsapp_message_id(rng)
        items = tuple(
            _Prepared(command, item, make_id(now, rng), make_whatsapp_message_id(rng), request_hash)
            for item in items_of(content, wa_message_id)
        )
        whole = announced(content, [item.message_id for item in items])
        return _Prepared(command, whole, make_id(now, rng), wa_message_id, request_hash, items)

    async def _write(
        self, tx: Transaction, scope: CompanyScope, items: Sequence[_Prepared]
    ) -> list[Message | PonteError]:
        results: dict[str, Message | PonteError] = {}
        replays: dict[str, str] = {}
        accepted: list[_Accepted] = []
        sessions = await _Sessions.load(tx, scope, items)
        named = await NamedMessages.load(
            tx, scope, [item.command.forward or item.content.message_id for item in items]
        )
        addressed: list[_Accepted] = []
        for item in items:
            try:
                session_id = sessions.check(item.command.session_id)
                addressed.append(_Accepted(item, session_id, _address(item, named, session_id)))
            except PonteError as error:
                results[item.message_id] = error
        suppressed = await self._suppressed(tx, scope, addressed)
        chats = {(one.session_id, one.addressed.chat_jid) for one in addressed}
        standings = await GroupStandings.load(tx, scope, chats)
        for one in addressed:
            item, goes = one.prepared, one.addressed
            try:
                for part in one.with_items:
                    content = part.addressed.content
                    standings.check(one.session_id, goes.chat_jid, content, item.command.lane)
                if item.message_id in suppressed:
                    raise PonteError(errors.RECIPIENT_SUPPRESSED)
                if goes.chat_jid == STATUS_JID and not isinstance(goes.content.body, Delete):
                    one = await self._shown(tx, scope, one)
                earlier = await self._remember(tx, scope, item)
                if earlier:
                    replays[item.message_id] = earlier
                    continue
                await self._count_in(tx, scope, one)
            except PonteError as error:
                results[item.message_id] = error
            else:
                accepted += one.with_items
        if accepted:
            results |= await self._add(tx, scope, accepted)
        if replays:
            found = await message_store.get_many(tx, scope, list(replays.values()))
            results |= {new: found[earlier].message for new, earlier in replays.items()}
        return [results[item.message_id] for item in items]

    async def _shown(self, tx: Transaction, scope: CompanyScope, one: _Accepted) -> _Accepted:
        """Raises RECIPIENT_SUPPRESSED where a status would be shown to nobody."""
        goes, now = one.addressed, self._context.clock()
        content = await without_suppressed(tx, scope, self._book, goes.content, now)
        return replace(one, addressed=replace(goes, content=content))

    async def _suppressed(
        self, tx: Transaction, scope: CompanyScope, addressed: Sequence[_Accepted]
    ) -> set[str]:
        """Which of the messages would go to somebody on the suppression list, by message id."""
        if not addressed:
            return set()
        contacts = await self._book.complete(tx, scope, [one.addressed.contact for one in addressed])
        listed = await consent.find_suppressed(tx, scope, set(contacts), self._context.clock())
        return {
            one.prepared.message_id
            for one, contact in zip(addressed, contacts, strict=True)
            if listed and (contact.pn_jid in listed or contact.lid_jid in listed)
        }

    async def _remember(self, tx: Transaction, scope: CompanyScope, item: _Prepared) -> str:
        """Note the idempotency key; gives the id of the message that it made before, if it did."""
        command = item.command
        earlier = await idempotency.remember(
            tx,
            scope,
            command.idempotency_key,
            _METHOD,
            item.request_hash,
            item.message_id,
            now=self._context.clock(),
        )
        return earlier.resource_id if earlier else ""

    async def _count_in(self, tx: Transaction, scope: CompanyScope, one: _Accepted) -> None:
        """Raises QUEUE_FULL; the key stands for no message then, and the same request may come again."""
        try:
            now, count = self._context.clock(), len(one.with_items)
            await self._waiting.check(tx, scope, one.session_id, now, count)
        except PonteError:
            await idempotency.forget(tx, scope, one.prepared.command.idempotency_key)
            raise

    async def _add(
        self, tx: Transaction, scope: CompanyScope, accepted: Sequence[_Accepted]
    ) -> dict[str, Message]:
        now = self._context.clock()
        contacts = await self._book.complete(tx, scope, [item.addressed.contact for item in accepted])
        messages = [
            _to_message(scope, item, contact, now) for item, contact in zip(accepted, contacts, strict=True)
        ]
        events = await event_store.append(
            tx,
            scope,
            [message_event(EventType.MESSAGE_QUEUED, message) for message in messages],
            now,
            self._context.rng,
        )
        await message_store.add(
            tx,
            scope,
            [
                StoredMessage(message, event.sequence, due_at=message.times.send_at or now)
                for message, event in zip(messages, events, strict=True)
            ],
        )
        session_ids = {item.session_id for item in accepted}

        async def ring() -> None:
            for session_id in session_ids:
                await self._context.bells.messages_due(scope, session_id)
            await self._context.bells.events_recorded(scope)

        tx.after_commit(ring)
        return {message.id: message for message in messages}


class _Sessions:
    """The sessions that a batch names, read in one statement."""

    def __init__(self, facts: dict[str, dispatch_leases.SessionFacts], unnamed: str | PonteError) -> None:
        self._facts = facts
        self._unnamed = unnamed

    @classmethod
    async def load(cls, tx: Transaction, scope: CompanyScope, items: Sequence[_Prepared]) -> "_Sessions":
        unnamed: str | PonteError = ""
        named = {item.command.session_id for item in items}
        if "" in named:
            try:
                unnamed = await only_session(tx, scope)
            except PonteError as error:
                unnamed = error
        wanted = (named | {unnamed} if isinstance(unnamed, str) else named) - {""}
        return cls(await dispatch_leases.session_facts(tx, scope, wanted), unnamed)

    def check(self, session_id: str) -> str:
        """Give the id of the session meant. Raises NOT_FOUND, SESSION_AMBIGUOUS or SESSION_NOT_LINKED."""
        if not session_id:
            if isinstance(self._unnamed, PonteError):
                raise self._unnamed
            session_id = self._unnamed
        facts = self._facts.get(session_id)
        if facts is None:
            raise not_found()
        if facts.state not in LINKED_STATES:
            raise PonteError(errors.SESSION_NOT_LINKED)
        return session_id


def _check_recipient(to: str) -> None:
    if to == STATUS_JID:
        return
    if is_group(to):
        check_group_field(to, "to")
    elif is_channel(to):
        check_channel(to, "to")
    else:
        check_recipient(to, "to")


def _address(item: _Prepared, named: NamedMessages, session_id: str) -> Addressed:
    command = item.command
    if command.forward:
        return named.forward(command.forward, command.to, session_id)
    return named.address(item.content, command.to, session_id)


def _request_hash(command: SubmitText) -> str:
    plain = (command.session_id, command.to, command.body, command.send_at, command.lane)
    if command.content is None or command.content.is_plain:
        return idempotency.hash_request(*plain, *([command.forward] if command.forward else []))
    return idempotency.hash_request(*plain, to_values(command.content))


def _to_message(scope: CompanyScope, item: _Accepted, contact: ContactId, now: datetime) -> Message:
    command, content = item.prepared.command, item.addressed.content
    return Message(
        id=item.prepared.message_id,
        wa_message_id=item.prepared.wa_message_id,
        company_id=scope.company_id,
        session_id=item.session_id,
        chat_jid=contact.jid or item.addressed.chat_jid,
        contact=contact,
        direction=Direction.OUTBOUND,
        kind=content.kind,
        text=content.text,
        status=MessageStatus.QUEUED,
        lane=command.lane,
        attempts=0,
        times=MessageTimes(created_at=now, send_at=command.send_at),
        content=None if content.is_plain else content,
    )
