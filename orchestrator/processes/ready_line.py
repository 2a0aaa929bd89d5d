"""Children that say on standard output, in one JSON line with `"ready": true`, that they serve and where."""

from __future__ import annotations

import asyncio
from typing import Any, Unpack

from orchestrator.processes.child import ChildOptions, ChildProcess
from orchestrator.processes.output import parse_object
from orchestrator.startup import StartupError


class ReadyLineProcess(ChildProcess):
    """A child whose first words are its ready line; what it prints later is logged."""

    def __init__(self, **options: Unpack[ChildOptions]) -> None:
        super().__init__(**options)
        self._ready: asyncio.Future[dict[str, Any]] | None = None

    async def wait_ready(self) -> None:
        """See ChildProcess."""
        self._ready = asyncio.get_running_loop().create_future()
        self.on_ready(await self._ready)

    def on_ready(self, said: dict[str, Any]) -> None:
        """See the ready line; raise StartupError when it is not what was expected."""

    def read_line(self, line: str) -> bool:
        """See ChildProcess."""
        said = parse_object(line)
        if said is None or said.get("ready") is not True or self._ready is None or self._ready.done():
            return False
        self._ready.set_result(said)
        return True

    def said_text(self, said: dict[str, Any], name: str) -> str:
        """Return the text under `name` in a ready line; raises StartupError when it is not there."""
        value = said.get(name)
        if not isinstance(value, str) or not value:
            raise StartupError(
                f"{self.name} is ready but did not say its {name}: its version does not match this one."
            )
        return value
