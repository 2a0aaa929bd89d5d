"""Look-ups of host names."""

import asyncio
import threading

import pytest

from orchestrator.url_guard import name_lookup
from orchestrator.url_guard.name_lookup import LOOK_UPS_AT_ONCE, SystemNames

pytestmark = pytest.mark.usefixtures("nothing_left")


class SlowNames:
    """A name server that answers when it is told to."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.answer = threading.Event()

    def addresses(self, host: str) -> list[str]:
        self.asked.append(host)
        self.answer.wait(30)
        return ["192.0.2.1"]

    async def until_asked(self, count: int) -> None:
        async with asyncio.timeout(30):
            while len(self.asked) < count:
                await asyncio.sleep(0.002)


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> SlowNames:
    slow = SlowNames()
    monkeypatch.setattr(name_lookup, "_addresses", slow.addresses)
    return slow


@pytest.mark.parametrize("address", ["127.0.0.1", "2001:db8::1"])
async def test_an_address_is_its_own_answer(address: str) -> None:
    assert await SystemNames()(address) == (address,)


async def test_a_name_of_this_machine_is_found() -> None:
    assert set(await SystemNames()("localhost")) <= {"127.0.0.1", "::1"}


@pytest.mark.parametrize("host", ["no-such-name.invalid", "x" * 70 + ".example", "a..b"])
async def test_what_is_no_name_has_no_address(host: str) -> None:
    with pytest.raises(OSError, match=r".+"):
        await SystemNames()(host)


async def test_slow_names_are_looked_up_a_few_at_a_time(slow: SlowNames) -> None:
    names = SystemNames()
    waiting = [asyncio.create_task(names(f"host-{number}.example")) for number in range(LOOK_UPS_AT_ONCE + 1)]
    await slow.until_asked(LOOK_UPS_AT_ONCE)
    await asyncio.sleep(0)
    assert len(slow.asked) == LOOK_UPS_AT_ONCE

    slow.answer.set()

    assert await asyncio.gather(*waiting) == [["192.0.2.1"]] * (LOOK_UPS_AT_ONCE + 1)


async def test_a_look_up_that_nobody_waits_for_still_counts(slow: SlowNames) -> None:
    names = SystemNames()
    given_up = [asyncio.create_task(names(f"host-{number}.example")) for number in range(LOOK_UPS_AT_ONCE)]
    await slow.until_asked(LOOK_UPS_AT_ONCE)
    for task in given_up:
        task.cancel()
    await asyncio.wait(given_up)
    next_one = asyncio.create_task(names("next.example"))
    await asyncio.sleep(0.01)
    assert len(slow.asked) == LOOK_UPS_AT_ONCE

    slow.answer.set()

    assert await next_one == ["192.0.2.1"]
