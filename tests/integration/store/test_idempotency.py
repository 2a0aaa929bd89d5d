"""Creates that are remembered."""

import asyncio
from datetime import timedelta

import pytest

from orchestrator.domain.company import CompanyScope
from orchestrator.domain.errors import IDEMPOTENCY_KEY_REUSED, INVALID_ARGUMENT, PonteError
from orchestrator.store import idempotency
from orchestrator.store.database import Database, SystemScope
from orchestrator.store.idempotency import Remembered, hash_request
from tests.support.clock import START

MINE, OTHER, ADMIN = CompanyScope("mine"), CompanyScope("other"), SystemScope()


async def remember(
    database: Database,
    scope: CompanyScope | SystemScope = MINE,
    key: str = "key",
    request: str = "request",
    resource: str = "first",
    answer: bytes | None = None,
    age_hours: float = 0,
) -> Remembered | None:
    now = START - timedelta(hours=age_hours)
    async with database.transaction(scope) as tx:
        return await idempotency.remember(tx, scope, key, "Create", request, resource, answer, now=now)


async def test_the_first_is_told_to_go_on_and_the_second_gets_what_the_first_made(database: Database) -> None:
    assert await remember(database, answer=b"sealed") is None
    assert await remember(database, resource="second") == Remembered("first", b"sealed")


async def test_the_same_key_with_another_request_or_method_is_refused(database: Database) -> None:
    await remember(database)

    with pytest.raises(PonteError) as failure:
        await remember(database, request="another")
    assert failure.value.code is IDEMPOTENCY_KEY_REUSED


async def test_keys_of_companies_and_of_the_administrator_are_apart(database: Database) -> None:
    for scope in (MINE, OTHER, ADMIN):
        assert await remember(database, scope) is None
    for scope in (MINE, OTHER, ADMIN):
        assert await remember(database, scope) == Remembered("first", None)


async def test_no_key_remembers_nothing(database: Database) -> None:
    assert await remember(database, key="") is None
    assert await remember(database, key="", request="another") is None


@pytest.mark.parametrize("key", ["x" * 256, "a\0b"])
async def test_a_key_that_cannot_be_stored_is_refused(database: Database, key: str) -> None:
    with pytest.raises(PonteError) as failure:
        await remember(database, key=key)
    assert failure.value.code is INVALID_ARGUMENT
    assert failure.value.violations[0].field == "idempotency_key"


async def test_of_many_at_once_one_makes_it(database: Database) -> None:
    answers = await asyncio.gather(*(remember(database, resource=f"{number}") for number in range(20)))

    made = [number for number, answer in enumerate(answers) if answer is None]
    assert len(made) == 1
    assert {answer.resource_id for answer in answers if answer} == {f"{made[0]}"}


async def test_what_is_old_is_forgotten_a_batch_at_a_time(database: Database) -> None:
    for number in range(5):
        await remember(database, CompanyScope(f"company {number}"), age_hours=25)
    await remember(database, key="young", age_hours=23)

    async with database.transaction(ADMIN) as tx:
        day_ago = START - timedelta(hours=24)
        assert await idempotency.forget_before(tx, ADMIN, day_ago, 3) == 3
        assert await idempotency.forget_before(tx, ADMIN, day_ago, 3) == 2
        assert await idempotency.forget_before(tx, ADMIN, day_ago, 3) == 0
    assert await remember(database, key="young") == Remembered("first", None)
    assert await remember(database, CompanyScope("company 0"), request="another") is None


def test_requests_are_the_same_when_all_their_parts_are() -> None:
    assert hash_request("a", ["b"], {"x": 1, "y": 2}) == hash_request("a", ["b"], {"y": 2, "x": 1})
    different = [("ab",), ("a", "b"), ("a", None), ("a", ["b"]), (START,), (None,)]
    assert len({hash_request(*parts) for parts in different}) == len(different)
