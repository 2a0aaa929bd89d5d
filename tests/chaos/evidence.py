"""Looks at all that is left of a run through the public doors: the customers' phones, the event logs, the webhooks."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tests.chaos.traffic import Talk
from tests.chaos.verdict import Event, Evidence, received_texts, seen_texts, unread
from tests.support.ponte import RestClient
from tests.support.simulator import SimulatorClient

_BETWEEN_LOOKS_S = 0.5
_STAYS_QUIET_S = 2.0
"""What comes twice comes late: after everything is there, so long nothing more may come."""


class Witness:
    """Takes the evidence of a run."""

    def __init__(
        self,
        talks: Sequence[Talk],
        client: Callable[[str], RestClient],
        simulator: SimulatorClient,
        delivered: Mapping[str, Mapping[str, Event]],
    ) -> None:
        self._talks = talks
        self._client = client
        self._simulator = simulator
        self._delivered = delivered
        self._logs: dict[str, list[Event]] = {talk.chat.company_id: [] for talk in talks}

    async def wait_until_quiet(self, longest_s: float) -> bool:
        """Wait until everything is where it belongs and stays so for a moment; True where that came too late."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + longest_s
        quiet_since: float | None = None
        before = (0, 0)
        while loop.time() < deadline:
            now = await self._sizes()
            if now != before or await self._something_is_missing():
                quiet_since = None
            elif quiet_since is None:
                quiet_since = loop.time()
            elif loop.time() - quiet_since > _STAYS_QUIET_S:
                return False
            before = now
            await asyncio.sleep(_BETWEEN_LOOKS_S)
        return True

    async def take(self) -> Evidence:
        """Take what there is now."""
        phones = {
            talk.chat.customer: await self._simulator.messages(talk.chat.customer) for talk in self._talks
        }
        await self._read_logs()
        return Evidence(self._talks, phones, self._logs, self._delivered)

    async def _sizes(self) -> tuple[int, int]:
        await self._read_logs()
        logged = sum(len(log) for log in self._logs.values())
        return logged, sum(len(events) for events in self._delivered.values())

    async def _something_is_missing(self) -> bool:
        for company_id, log in self._logs.items():
            if any(event["id"] not in self._delivered[company_id] for event in log):
                return True
        for talk in self._talks:
            log = self._logs[talk.chat.company_id]
            if len(received_texts(talk, log)) < len(talk.written):
                return True
            done = {
                event["data"]["id"] for event in log if event["type"] in ("message.sent", "message.failed")
            }
            if any(message_id not in done for _, message_id in talk.accepted) or unread(talk, log):
                return True
        return await self._a_phone_lacks_something()

    async def _a_phone_lacks_something(self) -> bool:
        for talk in self._talks:
            seen = seen_texts(talk, await self._simulator.messages(talk.chat.customer))
            if len(seen) < len(talk.accepted):
                return True
        return False

    async def _read_logs(self) -> None:
        for company_id, log in self._logs.items():
            while True:
                after = int(log[-1]["sequence"]) if log else 0
                page: dict[str, Any] = await self._client(company_id).get(
                    f"/v1/events?after={after}&page_size=500"
                )
                if not page["events"]:
                    break
                log += page["events"]
