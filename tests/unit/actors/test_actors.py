"""Each job starts its service, on the host's event loop."""

import asyncio
import threading

import pytest

from orchestrator.actors.registry import ActorServices, declare_actors
from orchestrator.domain.company import CompanyScope
from orchestrator.queue.broker import QueueBroker


class Started:
    """Notes what was started, and on which thread."""

    def __init__(self) -> None:
        self.calls: list[tuple[object, ...]] = []

    async def start(self, *arguments: object) -> None:
        self.calls.append((*arguments, threading.current_thread()))


async def test_jobs_start_their_services_on_the_hosts_loop() -> None:
    broker = QueueBroker("unix:///nonexistent/socket", asyncio.get_running_loop())
    dispatch, webhooks = Started(), Started()
    declare_actors(broker, ActorServices(dispatch, webhooks))
    here, scope = threading.current_thread(), CompanyScope("company")
    await asyncio.to_thread(broker.get_actor("dispatch"), "company", "session")
    await asyncio.to_thread(broker.get_actor("webhooks"), "company")
    assert dispatch.calls == [(scope, "session", here)]
    assert webhooks.calls == [(scope, here)]
    assert broker.get_declared_queues() == {"dispatch", "webhooks"}
    broker.client.close()


async def test_a_services_error_is_the_jobs() -> None:
    class Failing(Started):
        async def start(self, *arguments: object) -> None:
            raise TimeoutError("its own, not the waiting's")

    broker = QueueBroker("unix:///nonexistent/socket", asyncio.get_running_loop())
    declare_actors(broker, ActorServices(Failing(), Failing()))
    with pytest.raises(TimeoutError, match="its own"):
        await asyncio.to_thread(broker.get_actor("dispatch"), "company", "session")
    broker.client.close()


def test_a_job_after_the_loop_has_ended_fails() -> None:
    loop = asyncio.new_event_loop()
    loop.close()
    broker = QueueBroker("unix:///nonexistent/socket", loop)
    declare_actors(broker, ActorServices(Started(), Started()))
    with pytest.raises(RuntimeError, match="ended"):
        broker.get_actor("dispatch")("company", "session")
    broker.client.close()
