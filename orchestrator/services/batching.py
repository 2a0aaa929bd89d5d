"""Writes of one kind that arrive together are done together: fewer statements for each, and one commit."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from orchestrator.domain.company import CompanyScope
from orchestrator.domain.errors import PonteError
from orchestrator.store.database import Database, Transaction

Item = TypeVar("Item")
Result = TypeVar("Result")

MOST_ITEMS = 64
"""Items in one piece of work: a bound on how much is done again when one of them fails."""


class TransactionBatcher(Generic[Item, Result]):
    """Hands what waits of a company to `work` as soon as a transaction is free for it; nothing waits on purpose.

    `work(tx, scope, items)` gives for each item its result, or the PonteError that its caller is to see. It must be
    repeatable. When it raises, its items are done again one by one, so that one cannot fail the others.
    """

    def __init__(
        self,
        database: Database,
        work: Callable[[Transaction, CompanyScope, Sequence[Item]], Awaitable[Sequence[Result | PonteError]]],
    ) -> None:
        self._database = database
        self._work = work
        self._waiting: dict[str, deque[tuple[Item, asyncio.Future[Result]]]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def add(self, scope: CompanyScope, item: Item) -> Result:
        """Do one item and give its result once it is committed. A caller that goes away does not undo it."""
        done: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        waiting = self._waiting.get(scope.company_id)
        if waiting is None:
            self._waiting[scope.company_id] = deque([(item, done)])
            self._start(scope)
        else:
            waiting.append((item, done))
        return await done

    def _start(self, scope: CompanyScope) -> None:
        task = asyncio.create_task(self._commit(scope), name="batch")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _take(self, scope: CompanyScope) -> list[tuple[Item, asyncio.Future[Result]]]:
        """Take what waits now; what comes later, or is too much, goes into the next piece."""
        waiting = self._waiting[scope.company_id]
        taken = [waiting.popleft() for _ in range(min(MOST_ITEMS, len(waiting)))]
        if waiting:
            self._start(scope)
        else:
            del self._waiting[scope.company_id]
        return taken

    async def _commit(self, scope: CompanyScope) -> None:
        taken: list[tuple[Item, asyncio.Future[Result]]] = []

        async def piece(tx: Transaction) -> Sequence[Result | PonteError]:
            if not taken:
                taken.extend(self._take(scope))
            return await self._work(tx, scope, [item for item, _ in taken])

        try:
            results = await self._database.shared_transaction(scope, piece)
        except Exception as error:
            if len(taken) > 1:
                await self._one_by_one(scope, taken)
                return
            for _, done in taken or self._take(scope):
                _settle(done, error)
            return
        for (_, done), result in zip(taken, results, strict=True):
            _settle(done, result)

    async def _one_by_one(
        self, scope: CompanyScope, taken: list[tuple[Item, asyncio.Future[Result]]]
    ) -> None:
        for item, done in taken:

            async def piece(tx: Transaction, item: Item = item) -> Sequence[Result | PonteError]:
                return await self._work(tx, scope, [item])

            try:
                [result] = await self._database.shared_transaction(scope, piece)
            except Exception as error:
                _settle(done, error)
            else:
                _settle(done, result)


def _settle(done: asyncio.Future[Result], result: Result | Exception) -> None:
    if done.done():
        return
    if isinstance(result, Exception):
        done.set_exception(result)
    else:
        done.set_result(result)
