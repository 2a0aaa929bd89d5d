"""From a submit to the gateway through the queue, and what happens when Redis is not there."""

import asyncio
import os
import signal
import statistics
import time
from pathlib import Path

import pytest
from redis import Redis

from tests.integration.queue.conftest import Plant, eventually, start_plant
from tests.support import valkey
from tests.support.desk import Desk
from tests.support.servers import start_server, stop_server, wait_until

pytestmark = [pytest.mark.parametrize("database_kind", ["sqlite"])]


async def test_a_submitted_text_is_sent_by_a_job(desk: Desk, plant: Plant) -> None:
    message_id = await desk.submit("Hello")

    async def sent() -> bool:
        return await desk.status(message_id) == "SENT"

    await eventually(sent)


async def test_an_idle_system_starts_to_send_within_milliseconds(desk: Desk, plant: Plant) -> None:
    took = []
    for number in range(20):
        await asyncio.sleep(0.02)
        await desk.submit(f"text {number}")
        started = time.perf_counter()
        while len(desk.gateway.attempts) <= number:
            await asyncio.sleep(0.0005)
        took.append(time.perf_counter() - started)
    # A few milliseconds where the machine is free; a polling queue would need some 300.
    assert statistics.median(took) < 0.1


async def test_ringing_takes_no_time_and_rings_of_a_burst_become_few_jobs(
    desk: Desk, plant: Plant, redis_url: str
) -> None:
    await plant.host.stop()
    started = time.perf_counter()
    for _ in range(1000):
        await plant.bells.messages_due(desk.scope, desk.session_id)
        await plant.bells.events_recorded(desk.scope)
    assert (time.perf_counter() - started) / 1000 < 0.001
    with Redis.from_url(redis_url) as redis:

        async def enqueued() -> bool:
            return bool(redis.llen("ponte:dispatch")) and bool(redis.llen("ponte:webhooks"))

        await eventually(enqueued)
        await asyncio.sleep(0.2)  # For more jobs to come, were there any.
        assert (redis.llen("ponte:dispatch"), redis.llen("ponte:webhooks")) == (1, 1)


async def test_rings_after_a_job_was_taken_become_jobs_again(desk: Desk, plant: Plant) -> None:
    for number in range(5):
        message_id = await desk.submit(f"text {number}")

        async def sent(message_id: str = message_id) -> bool:
            return await desk.status(message_id) == "SENT"

        await eventually(sent, 5)


async def test_webhooks_are_rung_for_events_and_by_maintenance(desk: Desk, plant: Plant) -> None:
    async def rung() -> bool:
        return plant.webhooks.rung == [desk.scope.company_id]

    await plant.bells.events_recorded(desk.scope)
    await eventually(rung)
    plant.webhooks.rung.clear()
    await plant.bells.webhooks_due(desk.scope)
    await eventually(rung)


async def test_what_a_flush_loses_maintenance_rings_again(desk: Desk, plant: Plant, redis_url: str) -> None:
    await plant.host.stop()
    ids = [await desk.submit(f"text {number}", to=f"+55119876543{number:02d}") for number in range(20)]
    with Redis.from_url(redis_url) as redis:
        await eventually(lambda: _true(redis.llen("ponte:dispatch") == 1))
        redis.flushall()
    await plant.host.start()
    await plant.maintenance.run_once()

    async def all_sent() -> bool:
        return all([await desk.status(message_id) == "SENT" for message_id in ids])

    await eventually(all_sent)
    assert len(desk.gateway.attempts) == 20


async def _true(value: bool) -> bool:
    return value


async def test_other_processes_hear_of_events_and_sessions(desk: Desk, plant: Plant, redis_url: str) -> None:
    other = await start_plant(desk, redis_url, local=False)
    try:
        company, session = f"events {desk.scope.company_id}", f"session {desk.session_id}"

        async def heard() -> bool:
            await plant.bells.session_changed(desk.scope, desk.session_id)
            await plant.bells.events_recorded(desk.scope)
            return {company, session} <= set(other.heard)

        await eventually(heard)
        await asyncio.sleep(0.05)
        rung_here = len(plant.heard)
        await plant.bells.session_changed(desk.scope, desk.session_id)
        await asyncio.sleep(0.1)
        assert len(plant.heard) == rung_here + 1, "it listened to itself"
    finally:
        await other.stop()


class Server:
    """A Redis that the test starts and kills."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.url = f"unix://{folder / 'socket'}?db=0"

    def __enter__(self) -> "Server":
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        stop_server(self.process)

    def start(self) -> None:
        path, log = self.folder / "socket", self.folder / "log"
        path.unlink(missing_ok=True)
        command = [valkey._binary(), "--port", "0", "--unixsocket", str(path), "--dir", str(self.folder)]
        self.process = start_server([*command, "--save", ""], log, death_signal=signal.SIGKILL)
        wait_until(lambda: valkey._accepts(path), self.process, log)

    def kill(self) -> None:
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()


@pytest.mark.slow
async def test_a_redis_that_is_killed_and_comes_back_needs_no_restart(desk: Desk, tmp_path: Path) -> None:
    with Server(tmp_path) as server:
        plant = await start_plant(desk, server.url, local=False)
        try:
            server.kill()
            started = time.perf_counter()
            message_id = await desk.submit("while it is down")
            assert time.perf_counter() - started < 1, "a request waited for Redis"
            server.start()

            async def sent() -> bool:
                await plant.maintenance.run_once()
                return await desk.status(message_id) == "SENT"

            await eventually(sent, 20)
        finally:
            await plant.stop()


async def test_with_redis_down_the_process_sends_by_itself(desk: Desk, tmp_path: Path) -> None:
    plant = await start_plant(desk, f"unix://{tmp_path / 'nothing'}", local=True)
    try:
        message_id = await desk.submit("Hello")

        async def sent() -> bool:
            return await desk.status(message_id) == "SENT"

        await eventually(sent)
    finally:
        await plant.stop()
