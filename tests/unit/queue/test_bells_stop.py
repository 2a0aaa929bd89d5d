"""Bells stop although the Redis client forgets that it was cancelled."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from orchestrator.domain.company import CompanyScope
from orchestrator.queue.bells import QueueBells


async def test_bells_stop_while_they_tell_redis_something(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bells = QueueBells(f"unix://{tmp_path}/no.sock", ring_events=lambda _: None, ring_session=lambda _: None)
    telling = asyncio.Event()

    async def tell(*_: Any) -> None:
        # As redis' write in asyncio.wait_for before Python 3.12: cancelled when the write is just done.
        telling.set()
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            return

    monkeypatch.setattr(bells, "_tell", tell)
    await bells.start()
    await bells.events_recorded(CompanyScope("a company"))
    async with asyncio.timeout(10):
        await telling.wait()
        await bells.stop()
