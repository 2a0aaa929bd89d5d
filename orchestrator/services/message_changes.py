"""Edits, deletions, reactions, pins and votes, applied to the stored messages that they are about."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from orchestrator.domain.company import CompanyScope
from orchestrator.domain.content import Delete, Edit
from orchestrator.domain.content.apply import CHANGES, apply
from orchestrator.domain.events import EventType, NewEvent
from orchestrator.domain.group import ADMINS, Role
from orchestrator.domain.jid import is_group
from orchestrator.domain.message import Direction, Message
from orchestrator.services.message_data import message_data
from orchestrator.store import message_marks
from orchestrator.store import messages as message_store
from orchestrator.store.database import Transaction

_EVENTS = {
    "edit": EventType.MESSAGE_EDITED,
    "delete": EventType.MESSAGE_DELETED,
    "reaction": EventType.MESSAGE_REACTION,
    "pin": EventType.MESSAGE_PINNED,
    "poll_vote": EventType.MESSAGE_POLL_VOTE,
}


def is_change(message: Message) -> bool:
    """Tell whether a message says nothing itself but changes another."""
    return message.content is not None and isinstance(message.content.body, CHANGES)


def change_event(change: Message, target: Message | None) -> NewEvent:
    """Tell of a change, with the message as it is now, where it is known and the change was allowed."""
    data = message_data(change)
    if target is not None:
        data["target"] = message_data(target)
    return NewEvent(_EVENTS[change.kind], change.session_id, data, change.chat_jid)


def changed(target: Message, change: Message, role: Role = Role.MEMBER) -> Message | None:
    """Give a message after a change, or None where its author may not make it.

    Texts are edited and deleted by who wrote them; a vote and a reaction is anybody's of the chat. `role` is what the
    change's author is in its group: admins delete what others wrote.
    """
    content = change.content
    if content is None or not isinstance(content.body, CHANGES) or target.marks.deleted_at is not None:
        return None
    is_admins = isinstance(content.body, Delete) and is_group(change.chat_jid) and role in ADMINS
    if isinstance(content.body, Edit | Delete) and not (is_admins or _same_author(target, change)):
        return None
    from_me = change.direction is Direction.OUTBOUND
    at = change.times.sent_at or change.times.created_at
    author = "" if from_me else change.contact.jid
    said, marks = apply(content.body, target.whole_content, target.marks, at, author, from_me)
    if not isinstance(content.body, Edit | Delete):
        return replace(target, marks=marks)
    text = said.text if said else ""
    return replace(target, text=text, content=None if said is None or said.is_plain else said, marks=marks)


async def apply_sent(tx: Transaction, scope: CompanyScope, sent: Iterable[Message]) -> list[NewEvent]:
    """Apply what this number itself has changed, once WhatsApp's server has it; gives the events that tell of it."""
    changes = [message for message in sent if is_change(message)]
    if not changes:
        return []
    wanted = {message.content.message_id for message in changes if message.content}
    targets = {
        message_id: stored.message
        for message_id, stored in (await message_store.lock_many(tx, scope, sorted(wanted))).items()
    }
    touched: dict[str, Message] = {}
    events: list[NewEvent] = []
    for change in changes:
        message_id = change.content.message_id if change.content else ""
        target = targets.get(message_id)
        # What may be deleted of others' was checked when it was accepted, and WhatsApp's server has taken it.
        after = changed(target, change, Role.ADMIN) if target else None
        if after is not None:
            targets[message_id] = touched[message_id] = after
        events.append(change_event(change, after))
    await message_marks.save_said(tx, scope, list(touched.values()))
    return events


def find_target(candidates: Sequence[Message], change: Message) -> Message | None:
    """The message of the change's chat among those that have the WhatsApp id it names."""
    if is_group(change.chat_jid):
        return next((known for known in candidates if known.chat_jid == change.chat_jid), None)
    names = {change.chat_jid, change.contact.pn_jid, change.contact.lid_jid} - {""}
    return next(
        (
            known
            for known in candidates
            if names & {known.chat_jid, known.contact.pn_jid, known.contact.lid_jid}
        ),
        None,
    )


def _same_author(target: Message, change: Message) -> bool:
    if target.direction is not change.direction:
        return False
    if target.direction is Direction.OUTBOUND:
        return True
    theirs = {target.contact.pn_jid, target.contact.lid_jid} - {""}
    return bool(theirs & {change.contact.pn_jid, change.contact.lid_jid})
