"""Lists with people who opted in."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Table, select, update

from orchestrator.domain.campaign.campaign import Campaign
from orchestrator.domain.campaign.variants import GivenVariant
from orchestrator.domain.company import CompanyScope
from orchestrator.domain.consent import OptIn, Suppression, SuppressionCause
from orchestrator.domain.events import EventType, NewEvent
from orchestrator.domain.ids import make_id
from orchestrator.domain.jid import ContactId, phone_number_to_jid
from orchestrator.services.campaign_rounds import CampaignRounds
from orchestrator.services.campaigns import CampaignDraft, CampaignService
from orchestrator.services.context import Context
from orchestrator.services.media import MediaService
from orchestrator.services.outgoing_files import OutgoingFiles
from orchestrator.services.recipient_imports import GivenRecipient, RecipientImports
from orchestrator.services.recipient_lists import RecipientListService
from orchestrator.store import campaign_recipients as recipient_store
from orchestrator.store import campaigns as campaign_store
from orchestrator.store import consent as consent_store
from orchestrator.store import events as event_store
from orchestrator.store.database import Transaction
from orchestrator.store.models import MessageRow
from tests.support.clock import ManualClock
from tests.support.factories import Factories
from tests.support.files import png
from tests.support.media import make_media

_MESSAGES: Table = MessageRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it


class Consents:
    """Records opt-ins and suppressions as rows."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def opt_in(self, scope: CompanyScope, numbers: Sequence[str]) -> None:
        """These people want messages."""
        now, rng = self._context.clock(), self._context.rng
        entries = [
            OptIn(make_id(now, rng), ContactId(phone_number_to_jid(number)), "form", now, now)
            for number in numbers
        ]
        async with self._context.database.transaction(scope) as tx:
            await consent_store.add_opt_ins(tx, scope, entries)

    async def suppress(self, scope: CompanyScope, number: str) -> None:
        """This person does not."""
        now = self._context.clock()
        contact = ContactId(phone_number_to_jid(number))
        entry = Suppression(make_id(now, self._context.rng), contact, SuppressionCause.OPTED_OUT, now)
        async with self._context.database.transaction(scope) as tx:
            await consent_store.add_suppressions(tx, scope, [entry])


@pytest.fixture
async def scope(make: Factories) -> CompanyScope:
    return await make.company()


@pytest.fixture
def lists(context: Context) -> RecipientListService:
    return RecipientListService(context)


@pytest.fixture
def imports(context: Context) -> RecipientImports:
    return RecipientImports(context)


@pytest.fixture
def consents(context: Context) -> Consents:
    return Consents(context)


VARIANTS = [GivenVariant("", f"Wording {number} for {{first_name|you}}") for number in range(5)]


def numbers(count: int, start: int = 0) -> list[str]:
    """Different phone numbers."""
    return [f"+55119{number:08d}" for number in range(start, start + count)]


class House:
    """A company with sessions, lists and campaigns; what is sent is acknowledged when the test says so."""

    def __init__(self, context: Context, make: Factories, scope: CompanyScope, media: MediaService) -> None:
        self.media = media
        self.context = context
        self.make = make
        self.scope = scope
        self.campaigns = CampaignService(context, OutgoingFiles(media))
        self.rounds = CampaignRounds(context)
        self.lists = RecipientListService(context)
        self.imports = RecipientImports(context)
        self.consents = Consents(context)

    async def list_of(self, people: Sequence[GivenRecipient]) -> str:
        """A list of people who opted in."""
        made = await self.lists.create(self.scope, "Customers", "BR")
        await self.consents.opt_in(self.scope, [person.phone_number for person in people])
        await self.imports.named(self.scope, made.id, people)
        return made.id

    async def draft(self, people: int, sessions: int = 1, **changes: Any) -> CampaignDraft:
        """A campaign to as many people over as many sessions."""
        list_id = await self.list_of([GivenRecipient(number, "Ana Silva") for number in numbers(people)])
        session_ids = [
            (await self.make.linked_session(self.scope, phone_number=f"+5511800000{slot:03d}")).id
            for slot in range(sessions)
        ]
        return replace(CampaignDraft("Spring", list_id, session_ids, VARIANTS), **changes)

    async def running(self, people: int, sessions: int = 1, **changes: Any) -> Campaign:
        """A campaign whose first portion is laid in."""
        campaign = await self.campaigns.create(self.scope, await self.draft(people, sessions, **changes))
        await self.campaigns.start(self.scope, campaign.id)
        await self.rounds.start(self.scope, campaign.id)
        return await self.campaigns.get(self.scope, campaign.id)

    async def next_round(self, campaign: Campaign, seconds: float = 20.0) -> Campaign:
        """Let time pass, and do a round."""
        clock = self.context.clock
        assert isinstance(clock, ManualClock)
        clock.advance(seconds)
        await self.rounds.start(self.scope, campaign.id)
        return await self.campaigns.get(self.scope, campaign.id)

    async def messages(self, **wanted: str) -> list[MessageRow]:
        """The company's messages whose columns have these values, in order."""
        query = select(_MESSAGES).where(_MESSAGES.c.company_id == self.scope.company_id)
        for name, value in wanted.items():
            query = query.where(_MESSAGES.c[name] == value)
        async with self.context.database.reading(self.scope) as tx:
            rows = (await tx.connection.execute(query.order_by(_MESSAGES.c.sequence))).mappings()
            return [MessageRow(**row) for row in rows]

    async def become(self, status: str, rows: Sequence[MessageRow]) -> None:
        """Let messages come to a status, with their events."""
        async with self.context.database.transaction(self.scope) as tx:
            for row in rows:
                await tx.connection.execute(
                    update(_MESSAGES).where(_MESSAGES.c.id == row.id).values(status=status)
                )
            await self._record(tx, f"message.{status.lower()}", [(row, {"id": row.id}) for row in rows])

    async def due_first(self, row: MessageRow) -> None:
        """Let one message be due now, and all others that wait, or whose process died, in a while."""
        now = self.context.clock()
        async with self.context.database.transaction(self.scope) as tx:
            waiting = update(_MESSAGES).where(_MESSAGES.c.status.in_(["QUEUED", "SENDING"]))
            await tx.connection.execute(waiting.values(due_at=now + timedelta(hours=1)))
            await tx.connection.execute(waiting.where(_MESSAGES.c.id == row.id).values(due_at=now))

    async def say_instead(self, row: MessageRow, text: str) -> None:
        """Let a message that waits have the variant of another one's text."""
        async with self.context.database.transaction(self.scope) as tx:
            [recipient] = (
                await recipient_store.by_messages(tx, self.scope, row.campaign_id, [row.id])
            ).values()
            stored = await campaign_store.get(tx, self.scope, row.campaign_id)
            assert stored is not None
            texts = [variant.template.render({"first_name": "Ana"}) for variant in stored.campaign.variants]
            await recipient_store.save(tx, self.scope, [replace(recipient, variant=texts.index(text))])
            changed = update(_MESSAGES).where(_MESSAGES.c.id == row.id).values(text=text)
            await tx.connection.execute(changed)

    async def uploaded(self, content: bytes = b"", name: str = "offer.png") -> str:
        """A file of the company; gives its id."""

        async def chunks() -> AsyncIterator[bytes]:
            yield content or png()

        return (await self.media.add(self.scope, chunks(), file_name=name)).id

    async def send_all(self) -> int:
        """Acknowledge all that waits; gives how many."""
        waiting = await self.messages(status="QUEUED")
        await self.become("SENT", waiting)
        return len(waiting)

    async def answer(self, row: MessageRow, text: str, kind: str = "message.received") -> None:
        """The recipient of a message writes."""
        contact = {"phone_number": f"+{row.chat_jid.partition('@')[0]}"}
        async with self.context.database.transaction(self.scope) as tx:
            await self._record(tx, kind, [(row, {"contact": contact, "text": {"body": text}})])

    async def _record(
        self, tx: Transaction, kind: str, about: Sequence[tuple[MessageRow, dict[str, object]]]
    ) -> None:
        events = [NewEvent(EventType(kind), row.session_id, data, row.chat_jid) for row, data in about]
        await event_store.append(tx, self.scope, events, self.context.clock(), self.context.rng)

    async def events(self) -> list[str]:
        """The types of the company's campaign events, in order."""
        async with self.context.database.reading(self.scope) as tx:
            found = await event_store.list_after(tx, self.scope, 0, 10_000, ["campaign.*"])
        return [event.type.removeprefix("campaign.") for event in found]


@pytest.fixture
def house(context: Context, make: Factories, scope: CompanyScope, tmp_path: Path) -> House:
    return House(context, make, scope, make_media(context, tmp_path / "media"))
