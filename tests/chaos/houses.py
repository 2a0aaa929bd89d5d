"""Ponte as a whole, in one process or apart: what a run starts, asks and stops."""

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Protocol

from tests.chaos.schedule import Way
from tests.chaos.service import Service
from tests.chaos.victims import Victim
from tests.support.ponte import PonteProcess, start_ponte
from tests.support.split import SplitProcess, start_role

GATEWAYS = ("gateway 1", "gateway 2")
ROLES = ("api", "worker", *GATEWAYS)

# On SIGABRT each writes the stack of every thread into its log.
_ALL = {"PYTHONFAULTHANDLER": "1"}


class House(Protocol):
    """Ponte, however it runs."""

    @property
    def http_url(self) -> str:
        """Where REST is, or was before it ended. Raises ConnectionError before the first start."""
        ...

    @property
    def complaints(self) -> Sequence[str]:
        """What its processes did that they must not do."""
        ...

    @property
    def restarts(self) -> int:
        """How often a process of it was started again."""
        ...

    @property
    def longest_stop_s(self) -> float:
        """How long the longest of its orderly stops took."""
        ...

    @property
    def services(self) -> Mapping[str, Victim]:
        """Its processes by name."""
        ...

    async def start(self) -> None:
        """Start it until it serves."""
        ...

    async def stop(self) -> None:
        """Stop it in good order."""
        ...

    async def kill(self) -> None:
        """End it and everything below it at once."""
        ...


class WholePonte:
    """`ponte up` in a data folder; the log of all starts lies beside it."""

    def __init__(self, data_dir: Path, settings: Mapping[str, str], ways: Sequence[Way]) -> None:
        start_once = partial(start_ponte, data_dir, {**settings, **_ALL})
        self.service: Service[PonteProcess] = Service("ponte", start_once, ways)

    @property
    def services(self) -> Mapping[str, Victim]:
        """See House."""
        return {"ponte": self.service}

    @property
    def http_url(self) -> str:
        """See House."""
        if self.service.running is None:
            raise ConnectionError("Ponte was not started")
        return self.service.running.http_url

    @property
    def complaints(self) -> Sequence[str]:
        """See House."""
        return self.service.complaints

    @property
    def restarts(self) -> int:
        """See House."""
        return self.service.starts - 1

    @property
    def longest_stop_s(self) -> float:
        """See House."""
        return self.service.longest_stop_s

    async def start(self) -> None:
        """See House."""
        await self.service.start()

    async def stop(self) -> None:
        """See House."""
        await self.service.stop()

    async def kill(self) -> None:
        """See House."""
        await self.service.kill()


class SplitPonte:
    """`ponte api`, `ponte worker` and two `ponte gateway`, each with a data folder of its own that outlives it."""

    def __init__(self, folder: Path, settings: Mapping[str, str], ways: Mapping[str, Sequence[Way]]) -> None:
        self.parts: dict[str, Service[SplitProcess]] = {}
        for name in ROLES:
            role, folder_name = name.split()[0], name.replace(" ", "-")
            start_once = partial(start_role, role, folder / folder_name, {**settings, **_ALL})
            self.parts[name] = Service(name, start_once, ways[name])

    @property
    def services(self) -> Mapping[str, Victim]:
        """See House."""
        return self.parts

    @property
    def http_url(self) -> str:
        """See House."""
        api = self.parts["api"].running
        if api is None:
            raise ConnectionError("the API was not started")
        return str(api.ready["http_url"])

    @property
    def complaints(self) -> Sequence[str]:
        """See House."""
        return [complaint for part in self.parts.values() for complaint in part.complaints]

    @property
    def restarts(self) -> int:
        """See House."""
        return sum(part.starts - 1 for part in self.parts.values())

    @property
    def longest_stop_s(self) -> float:
        """See House."""
        return max(part.longest_stop_s for part in self.parts.values())

    async def start(self) -> None:
        """See House."""
        await asyncio.gather(*(part.start() for part in self.parts.values()))

    async def stop(self) -> None:
        """See House: each hands over to those that still run."""
        for part in self.parts.values():
            await part.stop()

    async def kill(self) -> None:
        """See House."""
        await asyncio.gather(*(part.kill() for part in self.parts.values()))
