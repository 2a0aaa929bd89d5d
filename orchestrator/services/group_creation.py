"""Making a group, once for each idempotency key."""

from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.domain import errors
from orchestrator.domain.company import CompanyScope
from orchestrator.domain.errors import ErrorKind, PonteError
from orchestrator.domain.group import Group, GroupSettings, SessionGroup, is_same_person
from orchestrator.domain.group.commands import CodedContact, CreateGroup, GroupAnswer
from orchestrator.domain.ids import make_id
from orchestrator.services.context import Context
from orchestrator.services.group_input import check_description, check_subject, checked_participants
from orchestrator.services.group_results import ResultFor, match_results
from orchestrator.services.groups import GroupService
from orchestrator.services.ports import GatewayPort
from orchestrator.services.session_choice import linked_session
from orchestrator.store import groups as group_store
from orchestrator.store.database import Transaction
from orchestrator.store.idempotency import forget, hash_request, remember

_METHOD = "CreateGroup"
_DONE = 200


@dataclass(frozen=True, slots=True)
class NewGroup:
    """What a caller wants: `participants` are E.164 numbers, jids or lids."""

    session_id: str
    subject: str
    participants: Sequence[str]
    description: str = ""
    idempotency_key: str = ""


@dataclass(frozen=True, slots=True)
class CreatedGroup:
    """A group that was made, and what became of those who were to be in it."""

    group: SessionGroup
    results: Sequence[ResultFor]


class GroupCreation:
    """Raises as GroupService does."""

    def __init__(self, context: Context, gateway: GatewayPort, groups: GroupService) -> None:
        self._context = context
        self._gateway = gateway
        self._groups = groups

    async def create(self, scope: CompanyScope, wanted: NewGroup) -> CreatedGroup:
        """Make a group. Who could not be added is told in the results; the group is made nevertheless.

        Where it was made but its description was refused, the error's metadata has `group_id`. Raises OUTCOME_UNKNOWN
        where an earlier request with the same key did not come to its end: WhatsApp makes another group each time.
        """
        check_subject(wanted.subject)
        check_description(wanted.description)
        jids = checked_participants(wanted.participants, at_least=0)
        session_id = await linked_session(self._context, scope, wanted.session_id)
        command = CreateGroup(wanted.subject.strip(), jids)
        request = hash_request(session_id, command.subject, list(jids), wanted.description)
        if (earlier := await self._begun(scope, wanted.idempotency_key, request)) is not None:
            return await self._again(scope, wanted, command, earlier)
        answer = await self._ask(scope, session_id, wanted, command)
        stored = await self._groups.note_entered(scope, session_id, answer.group or Group(""))
        await self._made(scope, wanted.idempotency_key, request, stored)
        asked = await self._groups.named(scope, jids)
        # WhatsApp's answer has who made the group, too.
        answers = [one for one in answer.participants if not is_same_person(one.contact, stored.me)]
        results = match_results(command, wanted.participants, asked, answers)
        if wanted.description:
            stored = await self._describe(scope, stored, wanted.description)
        return CreatedGroup(stored, results)

    async def _ask(
        self, scope: CompanyScope, session_id: str, wanted: NewGroup, command: CreateGroup
    ) -> GroupAnswer:
        try:
            answer = await self._gateway.manage_group(scope, session_id, command)
        except PonteError as error:
            if error.code.kind is not ErrorKind.UNAVAILABLE:
                # WhatsApp has said no: nothing was made, and the key may be used again.
                await self._forget(scope, wanted.idempotency_key)
            raise
        if answer.group is None:
            raise PonteError(errors.OUTCOME_UNKNOWN, "WhatsApp answered without a group; list the groups.")
        return answer

    async def _begun(self, scope: CompanyScope, key: str, request: str) -> str | None:
        """Note that the key is used from now on; gives what an earlier request with it has made or begun."""
        now = self._context.clock()
        attempt = make_id(now, self._context.rng)

        async def note(tx: Transaction) -> str | None:
            earlier = await remember(tx, scope, key, _METHOD, request, attempt, now=now)
            return earlier.resource_id if earlier else None

        return await self._context.database.shared_transaction(scope, note)

    async def _made(self, scope: CompanyScope, key: str, request: str, stored: SessionGroup) -> None:
        """Put what was made in the place of what was begun."""
        if not key:
            return
        now = self._context.clock()

        async def note(tx: Transaction) -> None:
            await forget(tx, scope, key)
            await remember(tx, scope, key, _METHOD, request, stored.id, now=now)

        await self._context.database.shared_transaction(scope, note)

    async def _forget(self, scope: CompanyScope, key: str) -> None:
        async def take_back(tx: Transaction) -> None:
            await forget(tx, scope, key)

        await self._context.database.shared_transaction(scope, take_back)

    async def _again(
        self, scope: CompanyScope, wanted: NewGroup, command: CreateGroup, group_id: str
    ) -> CreatedGroup:
        """The group of the first request, with its participants as they are now."""
        async with self._context.database.reading(scope) as tx:
            stored = await group_store.find_by_id(tx, scope, group_id)
        if stored is None:
            raise PonteError(
                errors.OUTCOME_UNKNOWN,
                "An earlier request with this idempotency key was cut off, and may have made the group: list the "
                "groups before you use another key.",
            )
        asked = await self._groups.named(scope, command.participants)
        present = [
            CodedContact(one.contact, _DONE)
            for one in stored.known.group.participants
            if any(is_same_person(one.contact, contact) for contact in asked)
        ]
        return CreatedGroup(stored, match_results(command, wanted.participants, asked, present))

    async def _describe(self, scope: CompanyScope, stored: SessionGroup, description: str) -> SessionGroup:
        settings = GroupSettings(description=description)
        try:
            return await self._groups.update(scope, stored.jid, stored.session_id, settings)
        except PonteError as error:
            detail = f"The group {stored.jid} was made, but without its description: {error.sentence}"
            raise PonteError(error.code, detail, metadata={"group_id": stored.jid}) from error
