"""Whether the encryption key is the one that the database was written with."""

import pytest

from orchestrator.startup import StartupError
from orchestrator.store.database import Database, SystemScope
from orchestrator.store.metadata import forget_encryption_key, list_facts, verify_encryption_key
from orchestrator.store.vault import Vault

FIRST, SECOND = bytes(32), bytes(range(32))


async def test_the_first_key_is_noted_and_taken_again(database: Database) -> None:
    await verify_encryption_key(database, Vault({"first": FIRST}, "first"))
    await verify_encryption_key(database, Vault({"first": FIRST}, "first"))

    async with database.reading(SystemScope()) as tx:
        facts = await list_facts(tx, SystemScope(), "encryption_key:")
    assert list(facts) == ["encryption_key:first"]


@pytest.mark.parametrize("name", ["first", "second"])
async def test_another_key_is_refused_under_whatever_name(database: Database, name: str) -> None:
    await verify_encryption_key(database, Vault({"first": FIRST}, "first"))

    with pytest.raises(StartupError, match="PONTE_ENCRYPTION_KEY"):
        await verify_encryption_key(database, Vault({name: SECOND}, name))


async def test_a_new_key_is_taken_beside_the_old_one_and_alone_once_that_is_forgotten(
    database: Database,
) -> None:
    await verify_encryption_key(database, Vault({"first": FIRST}, "first"))
    await verify_encryption_key(database, Vault({"first": FIRST, "second": SECOND}, "second"))
    with pytest.raises(StartupError):
        await verify_encryption_key(database, Vault({"second": SECOND}, "second"))

    async with database.transaction(SystemScope()) as tx:
        await forget_encryption_key(tx, SystemScope(), "first")
    await verify_encryption_key(database, Vault({"second": SECOND}, "second"))
