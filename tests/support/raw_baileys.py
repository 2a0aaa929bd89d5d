"""One number on raw Baileys, as people use it by its own documentation: `useMultiFileAuthState` and a folder."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.support.node_process import ROOT, NodeProcess, run_node
from tests.support.simulator import SimulatorClient

_SCRIPT = ROOT / "tests" / "support" / "raw_baileys.mjs"
_ANSWER_S = 40.0


class RawBaileys:
    """A running process with at most one connection."""

    def __init__(self, node: NodeProcess, simulator: SimulatorClient) -> None:
        self._node = node
        self._simulator = simulator

    async def link(self, number: str, folder: Path) -> None:
        """Link a phone to a new folder, and stay connected."""
        answer = await self._do("connect", folder=str(folder))
        await self._simulator.scan(number, answer["qr"])
        await self._do("opened")

    async def connect(self, folder: Path) -> dict[str, Any]:
        """Connect with a linked folder; gives its `me`."""
        answer = await self._do("connect", folder=str(folder))
        assert "me" in answer, "the folder is not linked"
        me: dict[str, Any] = answer["me"]
        return me

    async def send(self, to: str, text: str) -> None:
        """Send a text and wait for the server's ack."""
        await self._do("send", to=to, text=text)

    async def received(self, count: int) -> list[str]:
        """The texts that came in, once there are so many."""
        answer = await self._do("received", count=count)
        texts: list[str] = answer["texts"]
        return texts

    async def post(self, to: str, content: dict[str, Any], **options: object) -> str:
        """Send any content of `sendMessage`; gives its id once the server has it."""
        answer = await self._do("post", to=to, content=content, options=options)
        return str(answer["id"])

    async def relay(self, to: str, message: dict[str, Any]) -> str:
        """Send any protobuf `Message`, bytes as base64; gives its id once the server has it."""
        return str((await self._do("relay", to=to, message=message))["id"])

    async def vote(self, poll_id: str, *options: str) -> str:
        """Vote in a poll that came in; gives the vote's id."""
        return str((await self._do("vote", id=poll_id, options=options))["id"])

    async def message(self, message_id: str) -> dict[str, Any]:
        """The key and the protobuf `Message` of what came in with this id, once it has."""
        return await self._do("message", id=message_id)

    async def show(self, to: str, activity: str) -> None:
        """Show `composing`, `recording` or `paused` in a chat."""
        await self._do("show", to=to, activity=activity)

    async def was_read(self, message_id: str) -> None:
        """Wait until a message that was sent is read."""
        await self._do("read", id=message_id)

    async def close(self) -> None:
        """End the connection; the folder is complete."""
        await self._do("close")

    async def _do(self, command: str, **arguments: object) -> dict[str, Any]:
        stdin, stdout = self._node.process.stdin, self._node.process.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(json.dumps({"do": command, **arguments}).encode() + b"\n")
        async with asyncio.timeout(_ANSWER_S):
            answer: dict[str, Any] = json.loads(await stdout.readline())
        assert "error" not in answer, answer["error"]
        return answer


@asynccontextmanager
async def running_raw_baileys(folder: Path, simulator: SimulatorClient) -> AsyncIterator[RawBaileys]:
    """Run it until the block ends; its log is `raw-baileys.log` in the folder."""
    arguments = (str(_SCRIPT), simulator.ws_url)
    log = folder / "raw-baileys.log"
    async with run_node(arguments, ROOT / "bridge-node", log, simulator.bridge_environment) as node:
        yield RawBaileys(node, simulator)
