"""Group commit, on transactions in memory."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from orchestrator.store.group_commit import MOST_TRIES, GroupCommit, Hook, InTheWay, Piece, TransactionFailed


class Ledger:
    """What was committed, transaction by transaction, and how the next ones fail."""

    def __init__(self) -> None:
        self.committed: list[list[str]] = []
        self.undone: list[list[str]] = []
        self.fail_begin: Exception | None = None
        self.fail_commit: Exception | None = None
        self.unclaimed: list[Hook] = []
        self.lane = GroupCommit(self.open, self.unclaimed.extend, most_pieces=4)

    @asynccontextmanager
    async def open(self) -> AsyncIterator["Ledger"]:
        if self.fail_begin:
            raise TransactionFailed from self.fail_begin
        self.open_entries: list[str] = []
        try:
            await asyncio.sleep(0)
            yield self
            await asyncio.sleep(0)
            if self.fail_commit:
                raise TransactionFailed from self.fail_commit
        except BaseException:
            self.undone.append(self.open_entries)
            raise
        self.committed.append(self.open_entries)

    async def run(self, piece: Piece) -> Any:
        await asyncio.sleep(0)
        return await piece.work(self)

    def add(self, name: str, *, fail: Callable[[], Exception | None] = lambda: None) -> Piece:
        async def work(ledger: "Ledger") -> str:
            ledger.open_entries.append(name)
            if error := fail():
                raise error
            return name

        piece = Piece(work, asyncio.get_running_loop().create_future())
        self.lane.add(piece)
        return piece


@pytest.fixture
async def ledger() -> Ledger:
    return Ledger()


async def answers(*pieces: Piece) -> list[Any]:
    async with asyncio.timeout(5):
        return await asyncio.gather(*(piece.done for piece in pieces), return_exceptions=True)


def always(error: Exception) -> Callable[[], Exception]:
    return lambda: error


async def test_pieces_share_transactions_of_a_bounded_size_in_their_order(ledger: Ledger) -> None:
    pieces = [ledger.add(f"{number}") for number in range(10)]

    assert await answers(*pieces) == [f"{number}" for number in range(10)]
    assert ledger.committed == [["0", "1", "2", "3"], ["4", "5", "6", "7"], ["8", "9"]]
    assert ledger.undone == []


async def test_what_arrives_while_a_transaction_runs_shares_the_next_one(ledger: Ledger) -> None:
    first = ledger.add("first")
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    later = [ledger.add("second"), ledger.add("third")]

    await answers(first, *later)
    assert ledger.committed == [["first"], ["second", "third"]]


async def test_the_others_of_a_batch_are_done_together_when_one_fails(ledger: Ledger) -> None:
    error = LookupError()
    pieces = [ledger.add("a"), ledger.add("b", fail=always(error)), ledger.add("c"), ledger.add("d")]

    assert await answers(*pieces) == ["a", error, "c", "d"]
    assert ledger.committed == [["a", "c", "d"]]
    assert ledger.undone == [["a", "b"], ["b"]]


async def test_where_several_fail_each_is_done_alone(ledger: Ledger) -> None:
    error = LookupError()
    pieces = [
        ledger.add("a", fail=always(error)),
        ledger.add("b"),
        ledger.add("c", fail=always(error)),
        ledger.add("d"),
    ]

    assert await answers(*pieces) == [error, "b", error, "d"]
    assert ledger.committed == [["b"], ["d"]]


async def test_a_failed_commit_fails_all_and_is_not_done_again(ledger: Ledger) -> None:
    ledger.fail_commit = OSError("disk full")
    pieces = [ledger.add(name) for name in "ab"]

    assert await answers(*pieces) == [ledger.fail_commit] * 2
    assert ledger.undone == [["a", "b"]]
    lonely = ledger.add("c")
    assert await answers(lonely) == [ledger.fail_commit]
    assert ledger.undone == [["a", "b"], ["c"]]


async def test_a_transaction_that_cannot_begin_fails_all_at_once(ledger: Ledger) -> None:
    ledger.fail_begin = OSError("gone")

    assert await answers(*(ledger.add(name) for name in "abcdef")) == [ledger.fail_begin] * 6


async def test_a_piece_that_was_in_anothers_way_is_run_again_a_few_times(ledger: Ledger) -> None:
    cause = RuntimeError("deadlock")
    tries = 0

    def until(last: int) -> Callable[[], Exception | None]:
        def fail() -> Exception | None:
            nonlocal tries
            tries += 1
            if tries >= last:
                return None
            error = InTheWay()
            error.__cause__ = cause
            return error

        return fail

    assert await answers(ledger.add("a", fail=until(MOST_TRIES))) == ["a"]
    tries = 0
    assert await answers(ledger.add("b", fail=until(MOST_TRIES + 1))) == [cause]
    assert tries == MOST_TRIES


async def test_hooks_of_a_piece_that_nobody_waits_for_any_more_are_handed_over(ledger: Ledger) -> None:
    async def hook() -> None:
        """Never called here."""

    piece = ledger.add("a")

    async def work(open_ledger: Ledger) -> None:
        piece.hooks.append(hook)
        piece.done.cancel()

    piece.work = work
    await ledger.lane.drained()

    assert ledger.unclaimed == [hook]


async def test_a_lane_is_idle_until_it_has_work_and_after_it(ledger: Ledger) -> None:
    idle = [ledger.lane.idle]
    piece = ledger.add("a")
    idle.append(ledger.lane.idle)
    await ledger.lane.drained()
    idle.append(ledger.lane.idle)

    assert idle == [True, False, True]
    assert piece.done.result() == "a"


async def test_when_the_loop_ends_nobody_is_left_waiting(ledger: Ledger) -> None:
    pieces = [ledger.add(f"{number}") for number in range(6)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    (task,) = (task for task in asyncio.all_tasks() if task.get_name() == "group-commit")
    task.cancel()
    await asyncio.wait([task])

    assert all(piece.done.cancelled() for piece in pieces)
    assert ledger.committed == []
    assert ledger.lane.idle
