"""What messages that came in mean: which message they are about, what they chose, and what they change."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from orchestrator.domain.company import CompanyScope
from orchestrator.domain.content import Buttons, Choice, Content, Delete, ListMenu, Reference, Text, choose
from orchestrator.domain.content.apply import CHANGES
from orchestrator.domain.events import EventType, NewEvent
from orchestrator.domain.group import Role
from orchestrator.domain.jid import is_group
from orchestrator.domain.message import Direction, Message
from orchestrator.services.message_changes import change_event, changed, find_target, is_change
from orchestrator.services.message_data import message_event
from orchestrator.store import groups as group_store
from orchestrator.store import message_marks
from orchestrator.store.database import Transaction

MENU_ANSWERED_WITHIN = timedelta(days=1)
"""After that, a number or a word is taken for what it says."""

_LONGEST_ANSWER = 80


class InboundReading:
    """Understands one batch. `stored` has the messages that are known, by session and WhatsApp id."""

    def __init__(self, stored: Mapping[tuple[str, str], Sequence[Message]]) -> None:
        self._stored = {key: list(messages) for key, messages in stored.items()}
        self._roles: dict[str, Role] = {}
        """What the authors of deletions in groups are there, by the deletion's id."""
        self.now: dict[str, Message] = {}
        """Messages by id as the batch leaves them, where it changes them."""

    async def understand(
        self, tx: Transaction, scope: CompanyScope, messages: Sequence[Message]
    ) -> list[Message]:
        """Give the new messages with the ids of those that they are about, and numbered answers as choices."""
        understood: list[Message] = []
        for message in messages:
            if message.content is None or isinstance(message.content.body, Text):
                message = await self._with_choice(tx, scope, message)  # the same message, read further
            message = self._with_reference(message)  # as above
            if _is_deletion_in_group(message):
                self._roles[message.id] = await _role_of(tx, scope, message)
            self._stored.setdefault((message.session_id, message.wa_message_id), []).append(message)
            understood.append(message)
        return understood

    def events(self, messages: Sequence[Message]) -> list[NewEvent]:
        """Apply what the messages change; gives one event each."""
        return [
            self._applied(message) if is_change(message) else message_event(_event_type(message), message)
            for message in messages
        ]

    def _applied(self, change: Message) -> NewEvent:
        target = self._target(change)
        role = self._roles.get(change.id, Role.MEMBER)
        after = changed(self.now.get(target.id, target), change, role) if target else None
        if after is not None:
            self.now[after.id] = after
        return change_event(change, after)

    def _target(self, message: Message) -> Message | None:
        reference = message.content.reference if message.content else None
        if reference is None:
            return None
        return find_target(self._stored.get((message.session_id, reference.wa_message_id), ()), message)

    def _with_reference(self, message: Message) -> Message:
        content, target = message.content, self._target(message)
        if content is None or content.reference is None or target is None:
            return message
        reference = replace(content.reference, from_me=target.direction is Direction.OUTBOUND)
        if isinstance(content.body, (*CHANGES, Choice)):
            body = replace(content.body, message_id=target.id)
            return replace(message, content=replace(content, body=body, reference=reference))
        return replace(message, content=replace(content, reply_to=target.id, reference=reference))

    async def _with_choice(self, tx: Transaction, scope: CompanyScope, message: Message) -> Message:
        """A short answer to the chat's newest menu by number or words means the same as a tap."""
        if message.direction is not Direction.INBOUND or not 0 < len(message.text) <= _LONGEST_ANSWER:
            return message
        menu = await message_marks.latest_menu(tx, scope, message.session_id, message.chat_jid)
        if menu is None or menu.content is None:
            return message
        if message.times.created_at - menu.times.created_at > MENU_ANSWERED_WITHIN:
            return message
        body = menu.content.body
        choice = choose(body, menu.id, message.text) if isinstance(body, Buttons | ListMenu) else None
        if choice is None:
            return message
        content = Content(choice, reference=Reference(menu.wa_message_id, from_me=True))
        return replace(message, kind=content.kind, text=content.text, content=content)


def _is_deletion_in_group(message: Message) -> bool:
    content = message.content
    return content is not None and isinstance(content.body, Delete) and is_group(message.chat_jid)


async def _role_of(tx: Transaction, scope: CompanyScope, message: Message) -> Role:
    """What the author of a message is in its group; nobody's name is this number itself."""
    author = message.contact
    if message.direction is Direction.OUTBOUND:
        author = await group_store.own_names(tx, scope, message.session_id)
    return await group_store.find_role(tx, scope, message.session_id, message.chat_jid, author)


def _event_type(message: Message) -> EventType:
    return EventType.MESSAGE_RECEIVED if message.direction is Direction.INBOUND else EventType.MESSAGE_SENT
