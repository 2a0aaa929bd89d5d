"""Ends tasks for good."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

_AGAIN_AFTER_S = 0.5
"""What a task does in its `finally` gets this long before it is cancelled again."""


async def end_tasks(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancel tasks, and return when all have ended, however they did.

    Cancelled again and again: before Python 3.12, asyncio.wait_for forgets a cancellation that comes when what it
    waits for is just done (github.com/python/cpython/issues/86296). redis awaits each write in one, so that a loop
    that tells Redis something goes on after one cancellation, and whoever waits for its end waits for ever.
    """
    left = {task for task in tasks if not task.done()}
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=_AGAIN_AFTER_S)
