"""Measures the data path alone: texts a second through submit (64 at a time) and dispatch, against a gateway that
acknowledges at once, and the Python CPU that each message costs.

    .venv/bin/python -m tests.load.data_path                     # both databases
    .venv/bin/python -m tests.load.data_path --database sqlite --messages 5000 --receipts --profile
"""

import argparse
import asyncio
import cProfile
import pstats
import resource
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from random import Random

from orchestrator.actors.registry import ActorServices, declare_actors
from orchestrator.domain.company import CompanyScope
from orchestrator.domain.inbound import Receipt, ReceiptKind
from orchestrator.domain.jid import ContactId
from orchestrator.domain.message import Message, MessageStatus
from orchestrator.domain.message_filter import MessageFilter
from orchestrator.domain.page import PageRequest
from orchestrator.domain.retry import Outcome, SendReport
from orchestrator.queue.bells import LocalWork, QueueBells
from orchestrator.queue.jobs import DISPATCH
from orchestrator.queue.worker import WorkerHost
from orchestrator.services.context import Context, SendingLimits
from orchestrator.services.dispatch import DispatchService
from orchestrator.services.messages import MessageService, SubmitText
from orchestrator.services.ports import OutgoingMessage, SendAnswer
from orchestrator.services.receipts import ReceiptService
from orchestrator.store.database import Database
from orchestrator.store.migrations import upgrade
from orchestrator.store.vault import Vault
from tests.support.clock import ManualClock
from tests.support.factories import Factories
from tests.support.gateway import FakeGateway
from tests.support.postgresql import running_postgresql
from tests.support.valkey import embedded_valkey

CALLERS = 64
CHATS = 200


def now() -> datetime:
    """The time, as services take it."""
    return datetime.now(UTC)


class PacedGateway(FakeGateway):
    """Acknowledges each message after the event loop has gone round, as a real one would at the earliest."""

    def __init__(self) -> None:
        super().__init__(ManualClock())
        self.sent_at: dict[str, float] = {}

    async def send_messages(
        self, scope: CompanyScope, session_id: str, messages: Sequence[OutgoingMessage]
    ) -> AsyncIterator[SendAnswer]:
        for message in messages:
            self.sent_at[message.message_id] = time.perf_counter()
            await asyncio.sleep(0)
            yield SendAnswer(
                message.message_id,
                SendReport(Outcome.ACKNOWLEDGED),
                now(),
                ContactId(pn_jid=message.chat_jid, lid_jid=message.chat_jid.split("@")[0] + "9@lid"),
                message.text.encode() * 4,
            )


class NoWebhooks:
    """Stands where webhooks are delivered."""

    async def start(self, scope: CompanyScope) -> None:
        """Deliver nothing."""


@dataclass
class Result:
    """What was measured."""

    name: str
    messages: int
    submit_s: float
    total_s: float
    cpu_s: float
    ring_ms: list[float]

    def __str__(self) -> str:
        idle = sorted(self.ring_ms)
        return (
            f"{self.name:12} {self.messages} texts: accepted {self.messages / self.submit_s:6.0f}/s, "
            f"accepted and sent {self.messages / self.total_s:6.0f}/s, "
            f"CPU {1000 * self.cpu_s / self.messages:.2f} ms a text; "
            f"idle, from submit to the gateway: p50 {idle[len(idle) // 2]:.1f} ms, "
            f"p95 {idle[int(len(idle) * 0.95)]:.1f} ms"
        )


async def measure(
    name: str, database_url: str, redis_url: str, messages: int, receipts: bool, profile: bool
) -> Result:
    """Run the data path of one process on one database."""
    database = await Database.open(database_url)
    bells = QueueBells(redis_url, ring_events=lambda _: None, ring_session=lambda _: None)
    context = Context(
        database, Vault({"k": bytes(32)}, "k"), bells, now, Random(1), sending_limits=SendingLimits.LIFTED
    )
    gateway = PacedGateway()
    dispatch = DispatchService(context, gateway, "load")
    bells.attach(DISPATCH, LocalWork(dispatch.start, dispatch.take))
    host = WorkerHost(redis_url, asyncio.get_running_loop())
    declare_actors(host.broker, ActorServices(dispatch, NoWebhooks()))
    await bells.start()
    await host.start()
    try:
        make = Factories(context)
        scope = await make.company()
        session = await make.linked_session(scope)
        service = MessageService(context)
        ring_ms = await _idle_latency(service, scope, session.id, gateway)
        with _profiled(profile):
            started, cpu = time.perf_counter(), _cpu()
            await _submit(service, scope, session.id, messages)
            submitted = time.perf_counter()
            await _until_all_have(service, scope, MessageStatus.QUEUED, MessageStatus.SENDING)
            if receipts:
                await _deliver_and_read(context, scope, session.id)
            total, cpu = time.perf_counter() - started, _cpu() - cpu
        return Result(name, messages, submitted - started, total, cpu, ring_ms)
    finally:
        await host.stop()
        await bells.stop()
        await dispatch.stop()
        await database.close()


async def _idle_latency(
    service: MessageService, scope: CompanyScope, session_id: str, gateway: PacedGateway
) -> list[float]:
    measured = []
    for number in range(60):
        await asyncio.sleep(0.02)
        started = time.perf_counter()
        message = await service.submit(scope, SubmitText(session_id, "+5511987650000", f"idle {number}"))
        while message.id not in gateway.sent_at:
            await asyncio.sleep(0.001)
        measured.append(1000 * (gateway.sent_at[message.id] - started))
    return measured[10:]


async def _submit(service: MessageService, scope: CompanyScope, session_id: str, messages: int) -> None:
    numbers: Iterator[int] = iter(range(messages))

    async def caller() -> None:
        for number in numbers:
            to = f"+55119876{number % CHATS:05d}"
            await service.submit(scope, SubmitText(session_id, to, f"text number {number} of a load test"))

    await asyncio.gather(*(caller() for _ in range(CALLERS)))


async def _until_all_have(service: MessageService, scope: CompanyScope, *left: MessageStatus) -> None:
    for status in left:
        while (await service.list(scope, MessageFilter(status=status), PageRequest(1))).items:
            await asyncio.sleep(0.02)


async def _deliver_and_read(context: Context, scope: CompanyScope, session_id: str) -> None:
    """Two receipts for every message, as phones send them: one each, 32 on their way at a time."""
    service, receipts = MessageService(context), ReceiptService(context)
    token, sent = "", list[Message]()
    while True:
        page = await service.list(scope, MessageFilter(status=MessageStatus.SENT), PageRequest(500, token))
        sent += page.items
        token = page.next_token
        if not token:
            break
    for kind in (ReceiptKind.DELIVERED, ReceiptKind.READ):
        queue = iter(sent)

        async def sender(kind: ReceiptKind = kind, queue: Iterator[Message] = queue) -> None:
            for message in queue:
                receipt = Receipt((message.wa_message_id,), message.chat_jid, "", kind, now())
                await receipts.record(scope, session_id, receipt)

        await asyncio.gather(*(sender() for _ in range(32)))


def _cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


@contextmanager
def _profiled(wanted: bool) -> Iterator[None]:
    if not wanted:
        yield
        return
    profiler = cProfile.Profile()
    profiler.enable()
    yield
    profiler.disable()
    pstats.Stats(profiler).sort_stats("tottime").print_stats(45)


def main() -> None:
    """Measure what the arguments ask for, and print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", choices=["sqlite", "postgresql"])
    parser.add_argument("--messages", type=int, default=3000)
    parser.add_argument(
        "--receipts", action="store_true", help="with a delivery and a read receipt for each text"
    )
    parser.add_argument("--profile", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, embedded_valkey() as redis_url:
        if options.database != "postgresql":
            url = f"sqlite+aiosqlite:///{Path(folder) / 'load.db'}"
            upgrade(url)
            print(asyncio.run(_measure("SQLite", url, redis_url, options)))
        if options.database != "sqlite":
            with running_postgresql() as server:
                print(asyncio.run(_measure("PostgreSQL", server.create_database(), redis_url, options)))


async def _measure(name: str, url: str, redis_url: str, options: argparse.Namespace) -> Result:
    return await measure(name, url, redis_url, options.messages, options.receipts, options.profile)


if __name__ == "__main__":
    main()
