"""Work that keeps its order within a chat and goes side by side across chats."""

from collections import deque
from collections.abc import Hashable
from typing import Generic, TypeVar

T = TypeVar("T")


class ChatLanes(Generic[T]):
    """Gives out one thing per chat at a time, in the order they were put; chats in the order they came up."""

    def __init__(self) -> None:
        self._ready: deque[tuple[Hashable, T]] = deque()
        self._behind: dict[Hashable, deque[T]] = {}
        """By chat that has something ready or given out: what comes after it."""
        self._waiting = 0

    def __len__(self) -> int:
        """How many things wait to be given out."""
        return len(self._ready) + self._waiting

    def put(self, chat: Hashable, thing: T) -> None:
        """Add a thing behind all others of its chat."""
        behind = self._behind.get(chat)
        if behind is None:
            self._behind[chat] = deque()
            self._ready.append((chat, thing))
            return
        behind.append(thing)
        self._waiting += 1

    def take(self) -> tuple[Hashable, T] | None:
        """Give out the next thing that no other of its chat is before, or None. `done` must follow."""
        return self._ready.popleft() if self._ready else None

    def done(self, chat: Hashable) -> None:
        """What was given out of this chat is finished: the next of the chat may be given out."""
        behind = self._behind[chat]
        if not behind:
            del self._behind[chat]
            return
        self._ready.append((chat, behind.popleft()))
        self._waiting -= 1

    def clear(self) -> list[T]:
        """Take back and give all that waits; what was given out stays so."""
        dropped = [thing for _, thing in self._ready]
        for chat, _ in self._ready:
            dropped.extend(self._behind.pop(chat))
        for behind in self._behind.values():
            dropped.extend(behind)
            behind.clear()
        self._ready.clear()
        self._waiting = 0
        return dropped
