"""No ring is lost between two processes that send for the same sessions; nothing here looks after lost ones."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from random import Random

from orchestrator.domain.company import CompanyScope
from orchestrator.domain.message import MessageStatus
from orchestrator.domain.page import PageRequest
from orchestrator.services.context import Context
from orchestrator.services.dispatch import DispatchService
from orchestrator.services.messages import MessageFilter, MessageService, SubmitText
from orchestrator.services.ports import OutgoingMessage, SendAnswer
from orchestrator.store.database import Database
from tests.support.bells import RecordingBells
from tests.support.clock import ManualClock
from tests.support.desk import Desk
from tests.support.gateway import FakeGateway

MESSAGES = 120


class Exclusive(FakeGateway):
    """Notices when two dispatchers send to one chat at the same time."""

    def __init__(self, clock: ManualClock) -> None:
        super().__init__(clock)
        self.sending: dict[str, str] = {}
        self.rng = Random(5)

    async def send_messages(
        self, scope: CompanyScope, session_id: str, messages: Sequence[OutgoingMessage]
    ) -> AsyncIterator[SendAnswer]:
        for message in messages:
            assert message.chat_jid not in self.sending, "two at once in one chat"
            self.sending[message.chat_jid] = message.message_id
            await asyncio.sleep(self.rng.choice((0, 0, 0.001, 0.004)))
            del self.sending[message.chat_jid]
            async for answer in super().send_messages(scope, session_id, [message]):
                yield answer


async def test_everything_is_sent_once_whoever_is_rung(
    desk: Desk, database_url: str, clock: ManualClock
) -> None:
    gateway, rng = Exclusive(clock), Random(11)
    other_database = await Database.open(database_url)
    old = desk.context
    other = Context(
        other_database, old.vault, RecordingBells(), clock, Random(12), sending_limits=old.sending_limits
    )
    workers = [DispatchService(desk.context, gateway, "one"), DispatchService(other, gateway, "two")]
    services = [desk.messages, MessageService(other)]
    try:

        async def caller(number: int) -> None:
            await asyncio.sleep(rng.uniform(0, 0.8))
            to = f"+551198765432{rng.randrange(4)}"
            await services[number % 2].submit(desk.scope, SubmitText(desk.session_id, to, str(number)))
            await rng.choice(workers).start(desk.scope, desk.session_id)

        await asyncio.gather(*(caller(number) for number in range(MESSAGES)))
        deadline = asyncio.get_running_loop().time() + 15
        while len(gateway.attempts) < MESSAGES:
            assert asyncio.get_running_loop().time() < deadline, "a ring was lost"
            await asyncio.sleep(0.01)
    finally:
        for worker in workers:
            await worker.stop()
        await other_database.close()
    left = await desk.messages.list(desk.scope, MessageFilter(status=MessageStatus.QUEUED), PageRequest(10))
    assert left.items == []
    assert len(gateway.attempts) == MESSAGES
    order: dict[str, list[str]] = {}
    for _, message in gateway.attempts:
        order.setdefault(message.chat_jid, []).append(message.message_id)
    newest_first = await desk.messages.list(desk.scope, MessageFilter(), PageRequest(500))
    for chat_jid, ids in order.items():
        accepted = [message.id for message in newest_first.items[::-1] if message.chat_jid == chat_jid]
        assert ids == accepted
