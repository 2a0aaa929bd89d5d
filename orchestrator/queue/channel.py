"""A Redis channel between the processes of one Ponte: words that wake who waits elsewhere."""

import asyncio
from collections.abc import Callable

from loguru import logger
from redis.asyncio import Redis
from redis.exceptions import RedisError

_PAUSE_S = 1.0


class Channel:
    """Listens to what other processes say; `process_id` tells them apart. Words have no NUL and are short."""

    def __init__(
        self,
        redis_url: str,
        name: str,
        process_id: str,
        on_word: Callable[[str], None],
        on_gap: Callable[[], None],
    ) -> None:
        self.name = name
        self._redis_url = redis_url
        self._process_id = process_id
        self._on_word = on_word
        self._on_gap = on_gap

    def sign(self, word: str) -> str:
        """Put this process's name before a word, so that it does not listen to itself."""
        return f"{self._process_id} {word}"

    async def listen_for_ever(self) -> None:
        """Listen until cancelled; after every interruption `on_gap` is called, for words were missed."""
        while True:
            redis = Redis.from_url(self._redis_url, decode_responses=True)
            try:
                await self._listen(redis)
            except (RedisError, OSError) as error:
                logger.debug("The channel between processes is down ({}).", error)
            finally:
                await redis.aclose()
            await asyncio.sleep(_PAUSE_S)

    async def _listen(self, redis: "Redis") -> None:
        async with redis.pubsub(ignore_subscribe_messages=True) as pubsub:
            await pubsub.subscribe(self.name)
            self._on_gap()
            async for message in pubsub.listen():
                process_id, _, word = message["data"].partition(" ")
                if process_id != self._process_id:
                    self._on_word(word)
