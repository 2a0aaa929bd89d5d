"""A bar that follows what goes on in a running Ponte."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from orchestrator.cli.client import Json

LOOK_EVERY_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Standing:
    """How far something is: its state, and `ends` in words, empty where nobody knows."""

    state: str
    done: int
    total: int
    ends: str = ""


async def follow(
    look: Callable[[], Awaitable[Json]],
    first: Json,
    standing_of: Callable[[Json], Awaitable[Standing]],
    goes_on: frozenset[str],
) -> Json:
    """Show how far it is until its state is none of `goes_on`; gives what was seen last. `first` was seen before."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[ends]}"),
    )
    seen = first
    with Progress(*columns) as shown:
        bar = shown.add_task(seen["state"], total=None, ends="")
        while True:
            standing = await standing_of(seen)
            shown.update(
                bar,
                description=standing.state,
                completed=standing.done,
                total=standing.total or None,
                ends=standing.ends,
            )
            if seen["state"] not in goes_on:
                return seen
            await asyncio.sleep(LOOK_EVERY_S)
            seen = await look()
