"""Whatever fails, in whatever order: per chat everything arrives in order, nothing is lost, no id changes."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestrator.domain.company import CompanyScope
from orchestrator.domain.errors import GATEWAY_UNAVAILABLE, PonteError
from orchestrator.domain.inbound import Receipt, ReceiptKind
from orchestrator.domain.message import Message, MessageStatus
from orchestrator.domain.page import PageRequest
from orchestrator.domain.retry import Outcome, SendReport
from orchestrator.services.context import Context, SendingLimits
from orchestrator.services.dispatch import DispatchService
from orchestrator.services.dispatch_turn import CLAIM, LEASE
from orchestrator.services.messages import MessageFilter, MessageService, SubmitText
from orchestrator.services.ports import OutgoingMessage, SendAnswer
from orchestrator.services.receipts import ReceiptService
from orchestrator.store import dispatch_leases, outbox
from orchestrator.store.database import Database
from orchestrator.store.vault import Vault
from tests.support.bells import RecordingBells
from tests.support.clock import ManualClock
from tests.support.factories import Factories
from tests.support.gateway import FakeGateway

CHATS = 3

ARRIVED_AND_ACKNOWLEDGED = "acknowledged"
ARRIVED_BUT_AMBIGUOUS = "arrived, ambiguous"
FATES = {
    ARRIVED_AND_ACKNOWLEDGED: SendReport(Outcome.ACKNOWLEDGED),
    ARRIVED_BUT_AMBIGUOUS: SendReport(Outcome.AMBIGUOUS, reason="ack_timeout"),
    "lost, ambiguous": SendReport(Outcome.AMBIGUOUS, reason="connection_lost"),
    "not connected": SendReport(Outcome.NOT_SENT, reason="not_connected"),
    "stale devices": SendReport(Outcome.REJECTED, wa_code=479),
    "too fast": SendReport(Outcome.REJECTED, wa_code=429),
    "locked": SendReport(Outcome.REJECTED, wa_code=463),
    "not on WhatsApp": SendReport(Outcome.NOT_SENT, reason="not_on_whatsapp"),
}
ARRIVED = {ARRIVED_AND_ACKNOWLEDGED, ARRIVED_BUT_AMBIGUOUS}


class WhatsApp(FakeGateway):
    """Does to each message what fate says, and remembers in which order messages came to their recipients."""

    def __init__(self, clock: ManualClock) -> None:
        super().__init__(clock)
        self.fates: list[str] = []
        self.arrived: dict[str, list[str]] = {}
        self.ids: dict[str, set[str]] = {}

    async def send_messages(
        self, scope: CompanyScope, session_id: str, messages: Sequence[OutgoingMessage]
    ) -> AsyncIterator[SendAnswer]:
        stopped: set[str] = set()
        for message in messages:
            if message.chat_jid in stopped:
                yield SendAnswer(message.message_id, SendReport(Outcome.NOT_ATTEMPTED))
                continue
            fate = self.fates.pop() if self.fates else ARRIVED_AND_ACKNOWLEDGED
            if fate == "gone":
                raise PonteError(GATEWAY_UNAVAILABLE)
            if fate != ARRIVED_AND_ACKNOWLEDGED:
                stopped.add(message.chat_jid)
            self.take(message, fate in ARRIVED)
            yield SendAnswer(message.message_id, FATES[fate])

    def take(self, message: OutgoingMessage, arrives: bool) -> None:
        """A message is on the wire."""
        self.ids.setdefault(message.message_id, set()).add(message.wa_message_id)
        chat = self.arrived.setdefault(message.chat_jid, [])
        if arrives and message.wa_message_id not in chat:
            chat.append(message.wa_message_id)


class World:
    """One company's sending, with everything that can happen to it as a step."""

    def __init__(self, database: Database) -> None:
        self.clock = ManualClock()
        self.context = Context(
            database,
            Vault({"t": bytes(32)}, "t"),
            RecordingBells(),
            self.clock,
            Random(7),
            sending_limits=SendingLimits.LIFTED,
        )
        self.whatsapp = WhatsApp(self.clock)
        self.messages = MessageService(self.context)
        self.receipts = ReceiptService(self.context)
        self.submitted: dict[str, Message] = {}
        self.scope = CompanyScope("")
        self.session_id = ""

    async def open(self) -> None:
        make = Factories(self.context)
        self.scope = await make.company()
        self.session_id = (await make.linked_session(self.scope)).id

    async def submit(self, chat: int) -> None:
        command = SubmitText(self.session_id, f"+551198765432{chat}", f"text {len(self.submitted)}")
        message = await self.messages.submit(self.scope, command)
        self.submitted[message.id] = message

    async def send(self, fates: list[str]) -> None:
        self.whatsapp.fates = list(fates)
        dispatch = DispatchService(self.context, self.whatsapp, "worker")
        other = DispatchService(self.context, self.whatsapp, "other worker")
        await asyncio.gather(
            dispatch.run(self.scope, self.session_id), other.run(self.scope, self.session_id)
        )
        await dispatch.stop()
        await other.stop()

    async def crash(self, sent_before: int) -> None:
        """A dispatcher is killed after its claim, with the first messages of each chat on their way."""
        now = self.clock()
        async with self.context.database.transaction(self.scope) as tx:
            held = await dispatch_leases.acquire(tx, self.scope, self.session_id, "dead", now, now + LEASE)
            if held is None:
                return
            claim = await outbox.claim(tx, self.scope, self.session_id, now, now + CLAIM, 64, ())
        per_chat: dict[str, int] = {}
        for stored in claim.messages:
            message = stored.message
            done = per_chat.get(message.chat_jid, 0)
            if done < sent_before:
                outgoing = OutgoingMessage(message.id, message.wa_message_id, message.chat_jid, message.text)
                self.whatsapp.take(outgoing, arrives=True)
                per_chat[message.chat_jid] = done + 1

    async def receipt(self, kind: ReceiptKind) -> None:
        """Everything that has arrived is confirmed."""
        for chat_jid, wa_ids in self.whatsapp.arrived.items():
            if wa_ids:
                receipt = Receipt(tuple(wa_ids), chat_jid, "", kind, self.clock())
                await self.receipts.record(self.scope, self.session_id, receipt)

    async def settle(self) -> None:
        """Let all retries come due, with everything working again."""
        for _ in range(12):
            self.clock.advance(3600)
            await self.send([])

    async def all_messages(self) -> list[Message]:
        page = await self.messages.list(self.scope, MessageFilter(), PageRequest(500))
        return list(page.items)


WHAT_GOES_WRONG = st.one_of(
    st.tuples(st.just("send"), st.lists(st.sampled_from([*FATES, "gone"]), max_size=6)),
    st.tuples(st.just("crash"), st.integers(0, 3)),
    st.tuples(st.just("receipt"), st.sampled_from([ReceiptKind.SERVER_ACK, ReceiptKind.DELIVERED])),
)
ROUNDS = st.lists(
    st.tuples(
        st.lists(st.integers(0, CHATS - 1), min_size=1, max_size=5),
        WHAT_GOES_WRONG,
        st.sampled_from([0, 1, 5, 9, 25, 601]),
    ),
    min_size=3,
    max_size=12,
)
Round = tuple[list[int], tuple[str, Any], int]


async def _play(path: Path, rounds: list[Round]) -> None:
    database = await Database.open(f"sqlite+aiosqlite:///{path}")
    try:
        world = World(database)
        await world.open()
        for chats, (name, argument), seconds in rounds:
            for chat in chats:
                await world.submit(chat)
            await getattr(world, name)(argument)
            world.clock.advance(seconds)
        await world.settle()
        await _check(world)
    finally:
        await database.close()


async def _check(world: World) -> None:
    final = {message.id: message for message in await world.all_messages()}
    order = {message.wa_message_id: number for number, message in enumerate(world.submitted.values())}
    assert final.keys() == world.submitted.keys()
    for message_id, message in final.items():
        assert message.status in (MessageStatus.SENT, MessageStatus.DELIVERED, MessageStatus.FAILED)
        assert message.wa_message_id == world.submitted[message_id].wa_message_id
        arrived = message.wa_message_id in world.whatsapp.arrived.get(message.chat_jid, [])
        assert arrived or message.status is MessageStatus.FAILED, "said to be sent and never arrived"
    for wa_ids in world.whatsapp.ids.values():
        assert len(wa_ids) == 1
    for chat in world.whatsapp.arrived.values():
        assert [order[wa_id] for wa_id in chat] == sorted(order[wa_id] for wa_id in chat)


@pytest.mark.parametrize("database_kind", ["sqlite"])
@settings(
    max_examples=50,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(rounds=ROUNDS)
def test_order_and_ids_survive_any_failures(
    sqlite_template: Path, tmp_path: Path, database_kind: str, rounds: list[Round]
) -> None:
    path = tmp_path / "ponte.db"
    for file in tmp_path.glob("ponte.db*"):
        file.unlink()
    shutil.copyfile(sqlite_template, path)
    asyncio.run(_play(path, rounds))
