"""Group commit: pieces of work that arrive while a transaction runs share the next one, and its one sync to disk."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol

from loguru import logger

MOST_PIECES = 128
"""Pieces in one transaction: a bound on how much is undone and done again when one fails."""

MOST_TRIES = 4
"""How often a piece is run alone while the database says that it came in another transaction's way."""

Hook = Callable[[], Awaitable[None]]


class TransactionFailed(Exception):
    """BEGIN or COMMIT failed: nothing ran, or it is not known whether it was done, so it is not done again."""


class InTheWay(Exception):
    """Two transactions waited for each other and the database undid this one (a deadlock)."""


class Unit(Protocol):
    """An open transaction that pieces run in; leaving it commits, an exception undoes it."""

    async def run(self, piece: "Piece") -> Any:
        """Run one piece and give its result. Raises InTheWay where trying again makes sense."""
        ...


OpenUnit = Callable[[], AbstractAsyncContextManager[Unit]]


@dataclass(slots=True, eq=False)
class Piece:
    """Work that waits for a transaction. `hooks` are called after the commit."""

    work: Callable[[Any], Awaitable[Any]]
    done: asyncio.Future[Any]
    hooks: list[Hook] = field(default_factory=list)


class GroupCommit:
    """One lane: its transactions follow each other, its pieces run in the order they came.

    A piece that raised runs again alone after the others of its batch. One whose caller was cancelled is not run, or,
    where it runs already, kept: its hooks go to `call_unclaimed`.
    """

    def __init__(
        self,
        open_unit: OpenUnit,
        call_unclaimed: Callable[[list[Hook]], None],
        most_pieces: int = MOST_PIECES,
    ) -> None:
        self._open_unit = open_unit
        self._call_unclaimed = call_unclaimed
        self._most_pieces = most_pieces
        self._waiting: deque[Piece] = deque()
        self._drain: asyncio.Task[None] | None = None

    @property
    def idle(self) -> bool:
        """True when nothing waits or runs."""
        return self._drain is None

    def add(self, piece: Piece) -> None:
        """Queue a piece; it runs at once where nothing runs."""
        self._waiting.append(piece)
        if self._drain is None:
            self._drain = asyncio.create_task(self._run_all(), name="group-commit")

    async def drained(self) -> None:
        """Wait until nothing waits or runs."""
        while self._drain is not None:
            await asyncio.wait([self._drain])

    async def _run_all(self) -> None:
        try:
            while self._waiting:
                await self._run_next()
        finally:
            self._drain = None
            while self._waiting:
                self._waiting.popleft().done.cancel()

    async def _run_next(self) -> None:
        batch: list[Piece] = []
        while self._waiting and len(batch) < self._most_pieces:
            piece = self._waiting.popleft()
            if not piece.done.done():
                batch.append(piece)
        try:
            await self._run_batch(batch)
        except BaseException:
            for piece in batch:
                piece.done.cancel()
            raise

    async def _run_batch(self, batch: list[Piece]) -> None:
        """Together; without the first that fails; then each alone."""
        alone: list[Piece] = []
        for _ in range(2):
            if len(batch) < 2:
                break
            culprit = await self._try_together(batch)
            if culprit is None:
                batch = []
                break
            batch = [piece for piece in batch if piece is not culprit]
            alone.append(culprit)
        for piece in batch + alone:
            await self._run_alone(piece)

    async def _try_together(self, batch: list[Piece]) -> Piece | None:
        """Give None when the batch is settled, or the piece because of which nothing was done."""
        results: list[Any] = []
        running = batch[0]
        try:
            async with self._open_unit() as unit:
                for running in batch:
                    running.hooks.clear()
                    results.append(await unit.run(running))
        except TransactionFailed as error:
            for piece in batch:
                _fail(piece, error)
            return None
        except Exception:
            return running
        for piece, result in zip(batch, results, strict=True):
            self._succeed(piece, result)
        return None

    async def _run_alone(self, piece: Piece) -> None:
        error: Exception | None = None
        for _ in range(MOST_TRIES):
            error = None if piece.done.done() else await self._try_alone(piece)
            if not isinstance(error, InTheWay):
                break
        if error is not None:
            _fail(piece, error)

    async def _try_alone(self, piece: Piece) -> Exception | None:
        piece.hooks.clear()
        try:
            async with self._open_unit() as unit:
                result = await unit.run(piece)
        except Exception as error:
            return error
        self._succeed(piece, result)
        return None

    def _succeed(self, piece: Piece, result: Any) -> None:
        if not piece.done.done():
            piece.done.set_result(result)
        elif piece.hooks:
            self._call_unclaimed(piece.hooks)


async def call_hooks(hooks: list[Hook]) -> None:
    """Call what was to happen after a commit; what fails is logged."""
    for hook in hooks:
        try:
            await hook()
        except Exception:
            logger.exception("What was to happen after a commit failed.")


def _fail(piece: Piece, error: BaseException) -> None:
    if isinstance(error, TransactionFailed | InTheWay):
        error = error.__cause__ or error
    if not piece.done.done():
        piece.done.set_exception(error)
