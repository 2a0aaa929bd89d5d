"""What goes on while faults strike: every chat gets texts and sends some, each known by its words."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from random import Random

import aiohttp

from tests.support.ponte import RestClient
from tests.support.simulator import SimulatorClient

_BETWEEN_TRIES_S = 0.1


@dataclass(frozen=True)
class Chat:
    """A customer's conversation with a session. One who `reads` shows it: WhatsApp tells the sender."""

    company_id: str
    session_id: str
    number: str
    customer: str
    reads: bool = True


@dataclass
class Talk:
    """What was said in a chat: texts that Ponte accepted, with their message ids, and texts that the customer sent."""

    chat: Chat
    accepted: list[tuple[str, str]] = field(default_factory=list)
    written: list[str] = field(default_factory=list)


class Traffic:
    """Talks in all chats for a while. `client(company_id)` reaches the Ponte that is up now."""

    def __init__(
        self,
        chats: Sequence[Chat],
        client: Callable[[str], RestClient],
        simulator: SimulatorClient,
        seed: str,
    ) -> None:
        self.talks = [Talk(chat) for chat in chats]
        self._client = client
        self._simulator = simulator
        self._seed = seed

    async def run(self, each_way: int, duration_s: float) -> None:
        """Let `each_way` texts go out and as many come in, at random times within `duration_s`.

        Returns when Ponte has accepted all; texts of one chat follow each other, as a careful caller sends them.
        """
        async with asyncio.TaskGroup() as group:
            for position, talk in enumerate(self.talks):
                numbers = range(position, each_way, len(self.talks))
                for way, say in (("out", self._send), ("in", self._write)):
                    rng = Random(f"{self._seed}/{way}/{position}")
                    times = sorted(rng.uniform(0, duration_s) for _ in numbers)
                    group.create_task(self._talk(talk, way, position, times, say))

    async def _talk(
        self,
        talk: Talk,
        way: str,
        position: int,
        times: Sequence[float],
        say: Callable[[Talk, str], Awaitable[None]],
    ) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        for number, at_s in enumerate(times):
            await asyncio.sleep(max(0.0, began + at_s - loop.time()))
            await say(talk, f"{way} {position:03d} {number:04d}")

    async def _write(self, talk: Talk, text: str) -> None:
        await self._simulator.send(talk.chat.customer, talk.chat.number, text)
        talk.written.append(text)

    async def _send(self, talk: Talk, text: str) -> None:
        talk.accepted.append((text, await self._post_until_accepted(talk.chat, text)))

    async def _post_until_accepted(self, chat: Chat, text: str) -> str:
        """Post with an idempotency key until there is an answer; gives the message's id."""
        body = {"session_id": chat.session_id, "to": chat.customer, "text": {"body": text}}
        while True:
            try:
                status, answer = await self._client(chat.company_id).call(
                    "POST", "/v1/messages", body, {"idempotency-key": text}
                )
            except (TimeoutError, aiohttp.ClientError, ConnectionError):
                await asyncio.sleep(_BETWEEN_TRIES_S)
                continue
            if status == 202:
                return str(answer["id"])
            assert status >= 500 or status == 429, (status, answer)
            await asyncio.sleep(_BETWEEN_TRIES_S)
