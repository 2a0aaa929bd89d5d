"""Writes imported messages: once each, with their contacts, without events, opt-outs or answers to campaigns."""

from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.domain.company import CompanyScope
from orchestrator.domain.content import Content
from orchestrator.domain.ids import make_id
from orchestrator.domain.imports import ImportedMessage, sequence_of
from orchestrator.domain.jid import ContactId
from orchestrator.domain.message import Direction, Lane, Message, MessageTimes
from orchestrator.services.contacts import ContactBook, Sighting
from orchestrator.services.context import Context
from orchestrator.services.received_files import carries_file
from orchestrator.store import imported_messages, media_downloads
from orchestrator.store import messages as message_store
from orchestrator.store.database import Transaction
from orchestrator.store.messages import StoredMessage

_NUL_SHOWN_AS = "\ufffd"


@dataclass(frozen=True, slots=True)
class Written:
    """How many of a batch are new, and how many were there."""

    added: int
    known: int


class ImportWriter:
    """Writes batches. A company is locked meanwhile, so nothing of it is recorded at the same time."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._book = ContactBook(context)

    async def write(
        self,
        tx: Transaction,
        scope: CompanyScope,
        session_id: str,
        batch: Sequence[ImportedMessage],
        *,
        fetches_files: bool,
    ) -> Written:
        """Store what is new of a batch; the company is locked (`lock_company`).

        `fetches_files`: the files of the messages are to be fetched from WhatsApp, after those of live ones.
        """
        if not batch:
            return Written(0, 0)
        contacts = await self._contacts(tx, scope, batch)
        known = await imported_messages.known_names(
            tx, scope, session_id, {message.wa_message_id for message in batch}
        )
        new: list[tuple[ImportedMessage, Message]] = []
        for imported in batch:
            contact = contacts[_who(imported)]
            names = {imported.chat_jid}
            if not imported.is_group:
                names |= {contact.pn_jid, contact.lid_jid} - {""}
            keys = {(name, imported.wa_message_id) for name in names}
            if keys & known:
                continue
            known |= keys
            new.append((imported, self._to_message(scope, session_id, imported, contact)))
        await self._add(tx, scope, new)
        if fetches_files:
            files = [message for _, message in new if carries_file(message.content)]
            await media_downloads.add(tx, scope, files, self._context.clock())
        return Written(len(new), len(batch) - len(new))

    async def _contacts(
        self, tx: Transaction, scope: CompanyScope, batch: Sequence[ImportedMessage]
    ) -> dict[ContactId, ContactId]:
        """Learn who is in the batch; gives both names of each by those that the source has."""
        push_names: dict[ContactId, str] = {}
        for imported in batch:
            who = _who(imported)
            names_itself = imported.names_itself and not imported.from_me
            told = imported.push_name.replace("\0", _NUL_SHOWN_AS) if names_itself else ""
            push_names[who] = told or push_names.get(who, "")
        learnt = await self._book.learn(tx, scope, [Sighting(who, name) for who, name in push_names.items()])
        return dict(zip(push_names, learnt, strict=True))

    async def _add(
        self, tx: Transaction, scope: CompanyScope, new: Sequence[tuple[ImportedMessage, Message]]
    ) -> None:
        if not new:
            return
        sequences = await _free_sequences(tx, scope, [sequence_of(imported) for imported, _ in new])
        await message_store.add(
            tx,
            scope,
            [
                StoredMessage(message, sequence, proto=imported.message_proto)
                for (imported, message), sequence in zip(new, sequences, strict=True)
            ],
        )

    def _to_message(
        self, scope: CompanyScope, session_id: str, imported: ImportedMessage, contact: ContactId
    ) -> Message:
        at, status = imported.sent_at, imported.status
        return Message(
            id=make_id(self._context.clock(), self._context.rng),
            wa_message_id=imported.wa_message_id,
            company_id=scope.company_id,
            session_id=session_id,
            chat_jid=imported.chat_jid if imported.is_group else contact.jid or imported.chat_jid,
            contact=contact,
            direction=Direction.OUTBOUND if imported.from_me else Direction.INBOUND,
            kind=imported.content.kind if imported.content else imported.kind,
            text=_text(imported.content, imported.text),
            status=status,
            lane=Lane.TRANSACTIONAL,
            attempts=0,
            # The source says when a message was sent, and not when it came or was read.
            times=MessageTimes(created_at=at, sent_at=at),
            push_name="" if imported.from_me else imported.push_name.replace("\0", _NUL_SHOWN_AS),
            content=imported.content,
            imported=True,
        )


def _who(imported: ImportedMessage) -> ContactId:
    """Whom the message shows: in a group its sender, else the other side of the chat."""
    return ContactId() if imported.is_group and imported.from_me else imported.contact


def _text(content: Content | None, text: str) -> str:
    return (content.text if content else text).replace("\0", _NUL_SHOWN_AS)


async def _free_sequences(tx: Transaction, scope: CompanyScope, wanted: Sequence[int]) -> list[int]:
    """Give each its number, or the next that nobody has."""
    sequences: list[int] = []
    given: set[int] = set()
    for number in wanted:
        while number in given:
            number += 1
        given.add(number)
        sequences.append(number)
    taken = await imported_messages.taken_sequences(tx, scope, sequences)
    if not taken:
        return sequences
    return await _free_sequences(tx, scope, [number + (number in taken) for number in sequences])
