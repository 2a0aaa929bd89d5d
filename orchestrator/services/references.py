"""The messages that new ones are about: quoted, reacted to, edited, deleted, pinned or forwarded."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from orchestrator.domain import errors
from orchestrator.domain.company import CompanyScope
from orchestrator.domain.content import (
    Album,
    Buttons,
    Content,
    Delete,
    Disappearing,
    Edit,
    ListMenu,
    Pin,
    PollVote,
    Reaction,
    Reference,
    Text,
)
from orchestrator.domain.errors import PonteError, invalid_field
from orchestrator.domain.exported_chat.ids import is_exported_id
from orchestrator.domain.jid import (
    STATUS_JID,
    ContactId,
    is_channel,
    is_group,
    is_shared,
    phone_number_to_jid,
)
from orchestrator.domain.message import Direction, Message, MessageStatus
from orchestrator.domain.number_spelling import other_jid
from orchestrator.services.status_posts import about_status
from orchestrator.store import messages as message_store
from orchestrator.store.database import Transaction

_NEVER_SENT = frozenset({MessageStatus.FAILED, MessageStatus.CANCELLED})
_EDITABLE = (Text.kind, Buttons.kind, ListMenu.kind)
_NOT_FORWARDED = (Reaction, Edit, Delete, Pin, PollVote, Disappearing, Album)


@dataclass(frozen=True, slots=True)
class Addressed:
    """A content that is ready to be stored, and where it goes."""

    content: Content
    chat_jid: str
    contact: ContactId


class NamedMessages:
    """The messages that a batch of new ones names, read in one statement."""

    def __init__(self, found: Mapping[str, Message]) -> None:
        self._found = found

    @classmethod
    async def load(cls, tx: Transaction, scope: CompanyScope, message_ids: Iterable[str]) -> "NamedMessages":
        """Read the messages of the company that have these ids; empty ids are none."""
        wanted = set(message_ids) - {""}
        if not wanted:
            return cls({})
        stored = await message_store.get_many(tx, scope, sorted(wanted))
        return cls({message_id: item.message for message_id, item in stored.items()})

    def address(self, content: Content, to: str, session_id: str) -> Addressed:
        """Say where a content goes: to the number or group `to`, or the chat of the message that it is about.

        Raises PonteError(INVALID_ARGUMENT) where that message cannot be used so, EXPORTED_MESSAGE where WhatsApp does
        not know it.
        """
        if not content.message_id:
            return _to_chat(content, to)
        field = "reply_to" if content.reply_to else f"{content.kind}.message_id"
        target = self._usable(content.message_id, session_id, field)
        if to and not _is_chat_of(target, _chat(to)):
            raise _refused(field, "The message is of another chat.")
        _check_rights(content, target, field)
        reference = Reference(
            target.wa_message_id, target.direction is Direction.OUTBOUND, participant=target.participant
        )
        if is_channel(target.chat_jid):
            raise PonteError(
                errors.CONTENT_NOT_SUPPORTED,
                "What is posted in a channel can be neither changed nor answered.",
            )
        if target.chat_jid == STATUS_JID:
            content = about_status(content, target.content or content, field)
        contact = ContactId() if is_shared(target.chat_jid) else target.contact
        return Addressed(replace(content, reference=reference), target.chat_jid, contact)

    def forward(self, message_id: str, to: str, session_id: str) -> Addressed:
        """The content of a message for another chat. Raises as `address`, and CONTENT_NOT_SUPPORTED."""
        source = self._usable(message_id, session_id, "forward.message_id")
        content = source.whole_content
        if content is None or isinstance(content.body, _NOT_FORWARDED):
            raise PonteError(errors.CONTENT_NOT_SUPPORTED, f"A {source.kind} cannot be forwarded.")
        forwarded = Content(content.body, mentions=content.mentions, forwarded=True)
        forwarded.check()
        return _to_chat(forwarded, to)

    def _usable(self, message_id: str, session_id: str, field: str) -> Message:
        target = self._found.get(message_id)
        if target is None:
            raise _refused(field, "No message of yours has this id.")
        if target.session_id != session_id:
            raise _refused(field, "The message is of another session.")
        if target.marks.deleted_at is not None:
            raise _refused(field, "The message was deleted.")
        if target.status in _NEVER_SENT:
            raise _refused(field, "The message was never sent.")
        if is_exported_id(target.wa_message_id):
            raise invalid_field(errors.EXPORTED_MESSAGE, field)
        return target


def _check_rights(content: Content, target: Message, field: str) -> None:
    own = target.direction is Direction.OUTBOUND
    if isinstance(content.body, Edit) and not (own and target.kind in _EDITABLE):
        raise _refused(field, "Only a text that this number sent can be edited.")
    if isinstance(content.body, Delete) and not (own or is_group(target.chat_jid)):
        raise _refused(field, "Only a message that this number sent can be deleted for everyone.")


def _to_chat(content: Content, to: str) -> Addressed:
    jid = _chat(to)
    return Addressed(content, jid, ContactId() if is_shared(jid) else ContactId(pn_jid=jid))


def _is_chat_of(target: Message, jid: str) -> bool:
    if is_shared(target.chat_jid):
        return jid == target.chat_jid
    return not {jid, other_jid(jid)}.isdisjoint({target.chat_jid, target.contact.pn_jid})


def _chat(to: str) -> str:
    return to if is_shared(to) else phone_number_to_jid(to)


def _refused(field: str, sentence: str) -> PonteError:
    return invalid_field(errors.INVALID_ARGUMENT, field, sentence)
