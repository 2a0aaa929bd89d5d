"""A dramatiq worker inside a process that has an event loop of its own."""

import asyncio
from dataclasses import dataclass

from dramatiq import Worker
from loguru import logger

from orchestrator.queue.broker import NAMESPACE, QueueBroker


@dataclass(frozen=True, slots=True)
class WorkerSettings:
    """`threads` is how many jobs run at once, `poll_s` how often an idle thread looks whether it shall stop."""

    threads: int = 8
    poll_s: float = 0.5
    stop_timeout_s: float = 5.0


class WorkerHost:
    """Runs the actors declared on `broker`. A Redis that is down, at the start or later, is waited for."""

    def __init__(
        self,
        redis_url: str,
        loop: asyncio.AbstractEventLoop,
        settings: WorkerSettings | None = None,
        namespace: str = NAMESPACE,
    ) -> None:
        self.broker = QueueBroker(redis_url, loop, namespace)
        self._settings = settings or WorkerSettings()
        self._worker: Worker | None = None

    async def start(self) -> None:
        """Start the threads; the actors must have been declared."""
        self._worker = Worker(
            self.broker,
            worker_timeout=int(self._settings.poll_s * 1000),
            worker_threads=self._settings.threads,
        )
        self._worker.start()

    async def stop(self) -> None:
        """Finish the running jobs and give back the others. The event loop goes on meanwhile: the jobs need it."""
        worker, self._worker = self._worker, None
        if worker is None:
            return
        try:
            await asyncio.to_thread(worker.stop, int(self._settings.stop_timeout_s * 1000))
        except Exception:
            logger.opt(exception=True).warning(
                "The queue's worker could not give back its jobs; others take them."
            )
        self.broker.client.close()
