"""Writes that are tried again while the database is away."""

import pytest

from orchestrator.domain import errors
from orchestrator.domain.errors import PonteError
from orchestrator.gateway.insist import insist


class Failing:
    """Work that fails so many times, then succeeds."""

    def __init__(self, times: int, error: Exception) -> None:
        self.times = times
        self.error = error
        self.runs = 0

    async def __call__(self) -> str:
        self.runs += 1
        if self.runs <= self.times:
            raise self.error
        return "done"


async def test_work_is_tried_again_until_the_database_is_back() -> None:
    work = Failing(2, ConnectionRefusedError())
    assert await insist("Writing", work, longest_s=5) == "done"
    assert work.runs == 3


async def test_an_answer_of_ponte_is_no_reason_to_try_again() -> None:
    work = Failing(9, PonteError(errors.STALE_FENCE))
    with pytest.raises(PonteError):
        await insist("Writing", work, longest_s=5)
    assert work.runs == 1


async def test_what_does_not_succeed_in_time_fails_as_it_did() -> None:
    work = Failing(99, ConnectionRefusedError())
    with pytest.raises(ConnectionRefusedError):
        await insist("Writing", work, longest_s=0.2)
    assert work.runs == 2
