"""Tries a write again while the database is away for a moment: started again, failed over, out of connections."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from loguru import logger

from orchestrator.domain.errors import PonteError

T = TypeVar("T")

_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 1.0


async def insist(what: str, work: Callable[[], Awaitable[T]], longest_s: float) -> T:
    """Do `work`, which must be repeatable, until it succeeds; `what` names it in the log.

    Raises PonteError at once, which no repetition changes, and any other error once `longest_s` have passed.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + longest_s
    pause_s = _FIRST_PAUSE_S
    while True:
        try:
            return await work()
        except PonteError:
            raise
        except Exception as error:
            if loop.time() + pause_s > deadline:
                raise
            logger.debug("{} failed and is tried again: {}", what, type(error).__name__)
        await asyncio.sleep(pause_s)
        pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)
