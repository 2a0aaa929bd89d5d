"""Sessions that stop, start, drop and are linked anew, at random: nothing of them is left.

PONTE_TEST_CYCLES says how many (500 for the long form), PONTE_TEST_SEED repeats a run.
"""

import asyncio
import gc
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random

import pytest

from tests.support.heap_probe import used_heap
from tests.support.session_cycles import Cycles, assert_settles, bridge_process, held_by
from tests.support.session_house import SessionHouse, running_house, running_servers
from tests.support.simulator import eventually

CYCLES = int(os.environ.get("PONTE_TEST_CYCLES", "40"))
SEED = int(os.environ.get("PONTE_TEST_SEED", "20"))
SESSIONS = 4
WARM_UP = min(100, CYCLES // 2)
"""Cycles after which memory must be flat. The short form has not met all of its code by then."""
MOST_GROWTH = 1.10 if CYCLES >= 200 else 1.25
SETTLE_S = 90.0
"""Baileys holds the keys of a link for 30 s, by a timer that nobody can end."""

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120 + 8 * CYCLES)]


@pytest.fixture
async def house(tmp_path: Path, database_url: str) -> AsyncIterator[SessionHouse]:
    """All of Ponte in this process, on a real bridge."""
    async with (
        running_servers(tmp_path) as servers,
        running_house(servers, database_url, starts_per_second=50.0) as running,
    ):
        yield running


async def run_cycles(cycles: Cycles, session_ids: list[str], count: int) -> None:
    """Share so many cycles among sessions; each goes its own way at the same time as the others."""
    waiting = iter(range(count))

    async def lane(session_id: str) -> None:
        for _ in waiting:
            await cycles.one(session_id)

    await asyncio.gather(*map(lane, session_ids))


async def open_all_pools(house: SessionHouse) -> None:
    """Connections to the database are opened when they are first needed at once, and kept."""
    await asyncio.gather(*(house.call("GET", "/v1/sessions") for _ in range(100)))


async def in_use(folder: Path) -> dict[str, int]:
    """Of the bridge its bytes, of this process the blocks that Python has allocated; without garbage."""
    heap = await used_heap(bridge_process(), folder)
    gc.collect()
    return {"bridge": heap, "gateway": sys.getallocatedblocks()}


async def assert_flat(folder: Path, early: dict[str, int]) -> None:
    """Fail where more is in use than early on, and stays so."""
    late: dict[str, int] = {}

    async def look() -> bool:
        late.update(await in_use(folder))
        return all(late[name] <= early[name] * MOST_GROWTH for name in early)

    try:
        await eventually(look, timeout_s=SETTLE_S, every_s=5)
    except TimeoutError:
        raise AssertionError(f"in use after {WARM_UP} cycles {early}, after {CYCLES} {late}") from None


async def test_random_cycles_leave_no_socket_stream_task_timer_or_file_behind(
    house: SessionHouse, tmp_path: Path
) -> None:
    await open_all_pools(house)
    without_sessions = await held_by(house)
    session_ids = [await house.link() for _ in range(SESSIONS)]
    with_sessions = await held_by(house)
    assert (with_sessions.sockets, with_sessions.streams) == (SESSIONS, SESSIONS)
    cycles = Cycles(house, Random(SEED))

    await run_cycles(cycles, session_ids, WARM_UP)
    await assert_settles(house, with_sessions)
    early = await in_use(tmp_path)
    await run_cycles(cycles, session_ids, CYCLES - WARM_UP)
    await assert_settles(house, with_sessions)
    held = await held_by(house)
    assert (held.sockets, held.connected, held.streams) == (SESSIONS, SESSIONS, SESSIONS), cycles.done
    assert {(await house.session(id_))["state"] for id_ in session_ids} == {"CONNECTED"}
    await assert_flat(tmp_path, early)

    for session_id in session_ids:
        await house.call("POST", f"/v1/sessions/{session_id}:stop", {})
    await assert_settles(house, without_sessions)
