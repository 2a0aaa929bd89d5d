"""What a company's numbers may send to groups, as far as is known here; WhatsApp has the last word."""

from collections.abc import Collection, Mapping

from orchestrator.domain import errors
from orchestrator.domain.company import CompanyScope
from orchestrator.domain.content import Content, Delete
from orchestrator.domain.errors import PonteError, invalid_field
from orchestrator.domain.group import ADMINS, Role, SessionGroup
from orchestrator.domain.jid import is_group
from orchestrator.domain.message import Lane
from orchestrator.store import groups as group_store
from orchestrator.store.database import Transaction


class GroupStandings:
    """What some sessions are in the groups that a batch of messages goes to."""

    def __init__(self, known: Mapping[tuple[str, str], SessionGroup], read: Collection[str]) -> None:
        self._known = known
        self._read = read

    @classmethod
    async def load(
        cls, tx: Transaction, scope: CompanyScope, chats: Collection[tuple[str, str]]
    ) -> "GroupStandings":
        """Read what is known of those of these chats, as (session id, jid), that are groups."""
        groups = {(session_id, jid) for session_id, jid in chats if is_group(jid)}
        if not groups:
            return cls({}, ())
        session_ids = {session_id for session_id, _ in groups}
        known = await group_store.find_many(tx, scope, session_ids, {jid for _, jid in groups})
        strangers = {session_id for session_id, jid in groups if (session_id, jid) not in known}
        read = [one for one in sorted(strangers) if await group_store.last_reading(tx, scope, one)]
        return cls(known, read)

    def check(self, session_id: str, chat_jid: str, content: Content, lane: Lane) -> None:
        """Raise GROUP_NOT_MEMBER, GROUP_NOT_ADMIN or INVALID_ARGUMENT where a content may not go to its chat.

        Until a number's groups were read for the first time, nothing is known against any.
        """
        if not is_group(chat_jid):
            if content.mention_all:
                raise invalid_field(
                    errors.INVALID_ARGUMENT, "mention_all", "Only in a group everybody can be mentioned."
                )
            return
        if lane is Lane.CAMPAIGN:
            raise invalid_field(
                errors.INVALID_ARGUMENT, "lane", "Campaigns go to people who agreed to them, not to groups."
            )
        group = self._known.get((session_id, chat_jid))
        if group is None:
            if session_id in self._read:
                raise PonteError(errors.GROUP_NOT_MEMBER)
            return
        if group.role is Role.NONE:
            raise PonteError(errors.GROUP_NOT_MEMBER)
        if group.role not in ADMINS and (group.known.group.settings.only_admins_send or _takes_back(content)):
            raise PonteError(errors.GROUP_NOT_ADMIN)


def _takes_back(content: Content) -> bool:
    """Tell whether it deletes what somebody else wrote."""
    reference = content.reference
    return isinstance(content.body, Delete) and reference is not None and not reference.from_me
