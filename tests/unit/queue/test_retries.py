"""The fixed schedule of failed jobs."""

import pytest
from dramatiq.brokers.stub import StubBroker
from dramatiq.errors import Retry
from dramatiq.message import Message

from orchestrator.queue.broker import ScheduledRetries


class RememberingBroker(StubBroker):
    """Notes the delays that jobs are enqueued with."""

    def __init__(self) -> None:
        super().__init__(middleware=[])
        self.delays: list[int | None] = []

    def enqueue(self, message: Message[None], *, delay: int | None = None) -> Message[None]:
        self.delays.append(delay)
        return message


class Job:
    """As much of a MessageProxy as retries need."""

    def __init__(self) -> None:
        self.options: dict[str, object] = {}
        self.actor_name, self.message_id = "job", "1"
        self.failed = False

    def fail(self) -> None:
        self.failed = True


@pytest.fixture
def broker() -> RememberingBroker:
    broker = RememberingBroker()

    def job() -> None:
        """Does nothing."""

    import dramatiq

    dramatiq.actor(actor_name="job", broker=broker)(job)
    return broker


def test_a_job_runs_again_after_5_25_and_125_seconds_and_is_then_a_dead_letter(
    broker: RememberingBroker,
) -> None:
    retries, job = ScheduledRetries(), Job()
    for _ in range(4):
        retries.after_process_message(broker, job, exception=RuntimeError("no"))
    assert broker.delays == [5_000, 25_000, 125_000]
    assert job.failed


def test_a_job_may_ask_for_a_delay_of_its_own(broker: RememberingBroker) -> None:
    ScheduledRetries().after_process_message(broker, Job(), exception=Retry(delay=7))
    assert broker.delays == [7]


def test_a_job_that_succeeds_is_not_run_again(broker: RememberingBroker) -> None:
    ScheduledRetries().after_process_message(broker, Job())
    assert broker.delays == []
