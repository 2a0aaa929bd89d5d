"""Groups of a company's sessions: looked up as stored, made, changed and left at WhatsApp."""

from collections.abc import Callable, Sequence
from dataclasses import fields

from loguru import logger

from orchestrator.domain import errors
from orchestrator.domain.company import CompanyScope
from orchestrator.domain.errors import PonteError, not_found
from orchestrator.domain.group import Group, GroupSettings, Participant, Role, SessionGroup, is_same_person
from orchestrator.domain.group.changes import (
    Change,
    Entered,
    Gone,
    GroupChange,
    InviteRevoked,
    ParticipantAction,
    ParticipantsChanged,
    PictureChanged,
    Read,
    SettingsChanged,
)
from orchestrator.domain.group.commands import (
    ChangeParticipants,
    ChangeSettings,
    GroupAnswer,
    GroupCommand,
    LeaveGroup,
    ParticipantResult,
    ReadGroup,
    SetPicture,
)
from orchestrator.domain.jid import ContactId, person_named
from orchestrator.domain.page import Page, PageRequest
from orchestrator.services.contacts import ContactBook
from orchestrator.services.context import Context
from orchestrator.services.group_input import (
    check_group_jid,
    check_settings,
    checked_participants,
)
from orchestrator.services.group_records import GroupRecords
from orchestrator.services.group_results import ResultFor, match_results
from orchestrator.services.outgoing_files import OutgoingFiles
from orchestrator.services.ports import GatewayPort
from orchestrator.services.session_choice import linked_session
from orchestrator.store import groups as group_store

_HAS = {
    ParticipantAction.ADD: ParticipantResult.ALREADY_IN_GROUP,
    ParticipantAction.REMOVE: ParticipantResult.NOT_IN_GROUP,
}
"""What says that a participant is already as was asked for."""


class GroupService:
    """Every method raises the same NOT_FOUND for an unknown and another company's group.

    What asks WhatsApp also raises SESSION_NOT_LINKED, GATEWAY_UNAVAILABLE, WHATSAPP_RATE_LIMITED, and GROUP_NOT_MEMBER,
    GROUP_NOT_ADMIN, GROUP_FULL, GROUP_GONE or GROUP_REFUSED where it is refused. SESSION_AMBIGUOUS where no session is
    named and several could be meant.
    """

    def __init__(self, context: Context, gateway: GatewayPort, files: OutgoingFiles | None = None) -> None:
        self._context = context
        self._gateway = gateway
        self._files = files
        self._records = GroupRecords(context)
        self._book = ContactBook(context)

    async def list(
        self, scope: CompanyScope, session_id: str, page: PageRequest, *, include_left: bool = False
    ) -> Page[SessionGroup]:
        """The company's groups as stored, newest known first; of all sessions where none is named."""
        async with self._context.database.reading(scope) as tx:
            return await group_store.list_page(tx, scope, session_id, page, include_left=include_left)

    async def get(self, scope: CompanyScope, group_jid: str, session_id: str = "") -> SessionGroup:
        """A group as stored. What is known to be out of date is read first, where the session is connected."""
        stored = await self.find(scope, group_jid, session_id)
        if not stored.known.stale or not stored.known.is_member:
            return stored
        try:
            return await self._read(scope, stored)
        except PonteError as error:
            logger.bind(company_id=scope.company_id, session_id=stored.session_id).info(
                "A group is given as it was known: {}", error
            )
            return stored

    async def refresh(self, scope: CompanyScope, group_jid: str, session_id: str = "") -> SessionGroup:
        """Read a group from WhatsApp anew."""
        return await self._read(scope, await self.find(scope, group_jid, session_id))

    async def update(
        self, scope: CompanyScope, group_jid: str, session_id: str, settings: GroupSettings
    ) -> SessionGroup:
        """Change what is not None, field by field; the first that WhatsApp refuses ends it."""
        check_settings(settings)
        stored = await self.find_member(scope, group_jid, session_id)
        for field in fields(GroupSettings):
            value = getattr(settings, field.name)
            if value is None:
                continue
            one = GroupSettings(**{field.name: value.strip() if field.name == "subject" else value})
            await self.ask(scope, stored, ChangeSettings(stored.jid, one))
            stored = await self._note(scope, stored.session_id, stored.jid, SettingsChanged(one))
        return stored

    async def set_picture(self, scope: CompanyScope, group_jid: str, session_id: str, media_id: str) -> None:
        """Set a stored picture as the group's, cut to a square; an empty id removes it. Raises as for media too."""
        stored = await self.find_member(scope, group_jid, session_id)
        picture = ""
        if media_id:
            if self._files is None:
                raise PonteError(errors.NOT_IMPLEMENTED)
            picture = await self._files.group_picture(scope, media_id)
        await self.ask(scope, stored, SetPicture(stored.jid, picture))
        await self._note(scope, stored.session_id, stored.jid, PictureChanged(removed=not picture))

    async def change_participants(
        self,
        scope: CompanyScope,
        group_jid: str,
        session_id: str,
        action: ParticipantAction,
        participants: Sequence[str],
    ) -> Sequence[ResultFor]:
        """Add, remove, promote or demote; gives a result for each, in the order given."""
        jids = checked_participants(participants)
        stored = await self.find_member(scope, group_jid, session_id)

        def make(names: Sequence[str]) -> GroupCommand:
            return ChangeParticipants(stored.jid, action, names)

        results = await self.ask_about_people(scope, stored, make, participants, jids)
        # Who is already as was asked for may be so without our knowing it.
        wanted = {ParticipantResult.DONE, _HAS.get(action, ParticipantResult.DONE)}
        done = tuple(Participant(one.contact) for one in results if one.result in wanted)
        if done:
            await self._note(scope, stored.session_id, stored.jid, ParticipantsChanged(action, done))
        return results

    async def leave(self, scope: CompanyScope, group_jid: str, session_id: str = "") -> SessionGroup:
        """Leave a group; what is known of it stays."""
        stored = await self.find_member(scope, group_jid, session_id)
        await self.ask(scope, stored, LeaveGroup(stored.jid))
        left = ParticipantsChanged(ParticipantAction.REMOVE, (Participant(stored.me),))
        return await self._note(scope, stored.session_id, stored.jid, left)

    async def find(self, scope: CompanyScope, group_jid: str, session_id: str) -> SessionGroup:
        """A group as stored, of the session named or of the only one that is in it."""
        check_group_jid(group_jid)
        async with self._context.database.reading(scope) as tx:
            if not session_id:
                known = await group_store.find_sessions(tx, scope, group_jid, 2)
                if len(known) > 1 and known[1][1]:
                    raise PonteError(
                        errors.SESSION_AMBIGUOUS, "More than one session is in the group; name one."
                    )
                session_id = known[0][0] if known else ""
            stored = await group_store.find(tx, scope, session_id, group_jid) if session_id else None
        if stored is None:
            raise not_found()
        return stored

    async def find_member(self, scope: CompanyScope, group_jid: str, session_id: str) -> SessionGroup:
        """As `find`, where the session's number is in the group. Raises GROUP_NOT_MEMBER otherwise."""
        stored = await self.find(scope, group_jid, session_id)
        if stored.role is Role.NONE:
            raise PonteError(errors.GROUP_NOT_MEMBER)
        return stored

    async def ask(self, scope: CompanyScope, stored: SessionGroup, command: GroupCommand) -> GroupAnswer:
        """Ask WhatsApp through the group's session."""
        session_id = await linked_session(self._context, scope, stored.session_id)
        return await self._gateway.manage_group(scope, session_id, command)

    async def ask_about_people(
        self,
        scope: CompanyScope,
        stored: SessionGroup,
        make: Callable[[Sequence[str]], GroupCommand],
        given: Sequence[str],
        jids: Sequence[str],
    ) -> Sequence[ResultFor]:
        """Ask something about people, and give a result for each in the order given.

        `make` makes the command of the names that WhatsApp knows them by in this group.
        """
        asked = await self.named(scope, jids)
        command = make([_name_in(stored.known.group, contact) for contact in asked])
        answer = await self.ask(scope, stored, command)
        return match_results(command, given, asked, answer.participants)

    async def enter(self, scope: CompanyScope, session_id: str, group_jid: str) -> SessionGroup:
        """Read and note a group that the session's number has just joined."""
        answer = await self._gateway.manage_group(scope, session_id, ReadGroup(group_jid))
        return await self.note_entered(scope, session_id, answer.group or Group(group_jid))

    async def note_entered(self, scope: CompanyScope, session_id: str, group: Group) -> SessionGroup:
        """Record a group that the session's number has just made or joined."""
        return await self._note(scope, session_id, group.jid, Entered(group))

    async def note_link_revoked(self, scope: CompanyScope, stored: SessionGroup) -> None:
        """Record that the invite link is another."""
        await self._note(scope, stored.session_id, stored.jid, InviteRevoked())

    async def _read(self, scope: CompanyScope, stored: SessionGroup) -> SessionGroup:
        try:
            answer = await self.ask(scope, stored, ReadGroup(stored.jid))
        except PonteError as error:
            if error.code in (errors.GROUP_NOT_MEMBER, errors.GROUP_GONE):
                await self._note(scope, stored.session_id, stored.jid, Gone())
            raise
        if answer.group is None:
            raise PonteError(errors.GROUP_REFUSED, "WhatsApp answered without a group.")
        return await self._note(scope, stored.session_id, stored.jid, Read(answer.group))

    async def named(self, scope: CompanyScope, jids: Sequence[str]) -> Sequence[ContactId]:
        """The people of some jids with their other names, where they are known."""
        async with self._context.database.reading(scope) as tx:
            return await self._book.complete(tx, scope, [person_named(jid) for jid in jids])

    async def _note(
        self, scope: CompanyScope, session_id: str, group_jid: str, change: Change
    ) -> SessionGroup:
        """Record what WhatsApp has just done for us: it need not tell who asked for it."""
        now = self._context.clock()
        author = ContactId() if isinstance(change, Read | Gone) else await self._me(scope, session_id)
        told = GroupChange(group_jid, change, now, author=author)
        stored = await self._records.record(scope, session_id, None, told)
        if stored is None:
            raise not_found()
        return stored

    async def _me(self, scope: CompanyScope, session_id: str) -> ContactId:
        async with self._context.database.reading(scope) as tx:
            return await group_store.own_names(tx, scope, session_id)


def _name_in(group: Group, contact: ContactId) -> str:
    """The name by which a group has somebody: WhatsApp knows no other there; of strangers the phone number."""
    member = next((one for one in group.participants if is_same_person(one.contact, contact)), None)
    if member is not None:
        return member.contact.lid_jid or member.contact.pn_jid
    return contact.pn_jid or contact.lid_jid
