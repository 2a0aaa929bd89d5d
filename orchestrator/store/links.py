"""Connections with a transaction of their own making, and a bounded pool that keeps them open."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection

T = TypeVar("T")


class Link(Protocol):
    """One open connection. SQLAlchemy runs it in autocommit; BEGIN and COMMIT are sent by the link itself,
    which saves the round trips and thread changes that the drivers' own way costs."""

    connection: AsyncConnection

    @property
    def lost(self) -> bool:
        """True when the connection is of no more use."""
        ...

    @property
    def in_transaction(self) -> bool:
        """True between `begin` and what ends it."""
        ...

    async def begin(self, *, write: bool, company: str) -> None:
        """Start a transaction for one company, or for all of them (`*`)."""
        ...

    async def commit(self) -> None:
        """Make it durable. When it is cancelled, whether it was done is not known."""
        ...

    async def rollback(self) -> None:
        """Undo it; does nothing where no transaction is open."""
        ...

    async def close(self) -> None:
        """Close the connection."""
        ...


class LinkPool:
    """At most `size` links, opened when needed and kept; who comes first is served first."""

    def __init__(self, open_link: Callable[[], Awaitable[Link]], size: int) -> None:
        self._open_link = open_link
        self._free = asyncio.Semaphore(size)
        self._idle: list[Link] = []
        self._closed = False

    async def begin(self, *, write: bool, company: str) -> Link:
        """Wait for a link and start a transaction on it; a kept one that turns out to be dead is replaced."""
        await self._free.acquire()
        try:
            return await self._begin(write, company)
        except BaseException:
            self._free.release()
            raise

    async def give_back(self, link: Link) -> None:
        """End the use of a link: what was not committed is undone."""
        try:
            if link.in_transaction and not link.lost:
                await finish(link.rollback())
        finally:
            if link.lost or self._closed:
                await finish(link.close())
            else:
                self._idle.append(link)
            self._free.release()

    async def close(self) -> None:
        """Close what is idle now, and what is in use when it comes back."""
        self._closed = True
        while self._idle:
            await self._idle.pop().close()

    async def _begin(self, write: bool, company: str) -> Link:
        if self._closed:
            raise RuntimeError("the database is closed")
        while self._idle:
            link = self._idle.pop()
            if await self._begin_on(link, write, company, tolerate_loss=True):
                return link
        link = await self._open_link()
        await self._begin_on(link, write, company, tolerate_loss=False)
        return link

    async def _begin_on(self, link: Link, write: bool, company: str, *, tolerate_loss: bool) -> bool:
        try:
            await link.begin(write=write, company=company)
        except BaseException as error:
            if not link.lost and isinstance(error, Exception):
                self._idle.append(link)
                raise
            await finish(link.close())
            if tolerate_loss and isinstance(error, Exception):
                return False
            raise
        return True


async def finish(work: Awaitable[T]) -> T:
    """Await `work` to its end even when the caller is cancelled; the cancellation is raised afterwards."""
    future = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not future.done():
        try:
            await asyncio.shield(future)
        except asyncio.CancelledError as error:
            if future.cancelled():
                raise
            cancelled = error
        except Exception:
            break
    result = future.result()
    if cancelled is not None:
        raise cancelled
    return result
