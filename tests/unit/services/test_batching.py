"""What arrives together is done together, and fails alone."""

import asyncio
from collections.abc import Sequence

import pytest

from orchestrator.domain.company import CompanyScope
from orchestrator.domain.errors import NOT_FOUND, PonteError
from orchestrator.services.batching import MOST_ITEMS, TransactionBatcher
from orchestrator.store.database import Database, Transaction

ONE, TWO = CompanyScope("one"), CompanyScope("two")


class Work:
    """Doubles numbers; refuses 13 politely and breaks on 99."""

    def __init__(self) -> None:
        self.batches: list[tuple[str, list[int]]] = []

    async def __call__(
        self, tx: Transaction, scope: CompanyScope, items: Sequence[int]
    ) -> list[int | PonteError]:
        self.batches.append((scope.company_id, list(items)))
        await asyncio.sleep(0)
        if 99 in items:
            raise RuntimeError("broken")
        return [PonteError(NOT_FOUND) if item == 13 else item * 2 for item in items]


@pytest.fixture
def work() -> Work:
    return Work()


@pytest.fixture
def batcher(database: Database, work: Work) -> TransactionBatcher[int, int]:
    return TransactionBatcher(database, work)


async def test_a_lone_item_is_done_at_once(batcher: TransactionBatcher[int, int], work: Work) -> None:
    assert await batcher.add(ONE, 4) == 8
    assert work.batches == [("one", [4])]


async def test_items_that_come_together_share_a_batch_up_to_a_bound(
    batcher: TransactionBatcher[int, int], work: Work
) -> None:
    results = await asyncio.gather(*(batcher.add(ONE, number) for number in range(100, 250)))
    assert results == [2 * number for number in range(100, 250)]
    assert [len(items) for _, items in work.batches] == [MOST_ITEMS, MOST_ITEMS, 150 - 2 * MOST_ITEMS]


async def test_companies_are_kept_apart(batcher: TransactionBatcher[int, int], work: Work) -> None:
    await asyncio.gather(batcher.add(ONE, 1), batcher.add(TWO, 2), batcher.add(ONE, 3))
    assert work.batches == [("one", [1, 3]), ("two", [2])]


async def test_a_refusal_is_its_own_callers(batcher: TransactionBatcher[int, int]) -> None:
    outcomes = await asyncio.gather(batcher.add(ONE, 13), batcher.add(ONE, 1), return_exceptions=True)
    assert isinstance(outcomes[0], PonteError)
    assert outcomes[1] == 2


async def test_one_that_breaks_its_batch_fails_alone(batcher: TransactionBatcher[int, int]) -> None:
    outcomes = await asyncio.gather(
        *(batcher.add(ONE, number) for number in (1, 99, 13, 2)), return_exceptions=True
    )
    assert (outcomes[0], outcomes[3]) == (2, 4)
    assert isinstance(outcomes[1], RuntimeError)
    assert isinstance(outcomes[2], PonteError)
    with pytest.raises(RuntimeError):
        await batcher.add(ONE, 99)


async def test_a_caller_that_goes_away_undoes_nothing(
    batcher: TransactionBatcher[int, int], work: Work
) -> None:
    leaver = asyncio.create_task(batcher.add(ONE, 1))
    await asyncio.sleep(0)
    leaver.cancel()
    assert await batcher.add(ONE, 2) == 4
    assert [item for _, items in work.batches for item in items] == [1, 2]


async def test_a_closed_database_fails_its_callers(database: Database, work: Work) -> None:
    batcher: TransactionBatcher[int, int] = TransactionBatcher(database, work)
    await database.close()
    with pytest.raises(RuntimeError):
        await asyncio.wait_for(batcher.add(ONE, 1), 5)
