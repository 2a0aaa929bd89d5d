"""Re-encryption of what is stored, beside writers."""

import asyncio
from dataclasses import replace

import pytest
from sqlalchemy import update

from orchestrator.domain.auth_state import AuthKey
from orchestrator.services import key_rotation
from orchestrator.services.context import Context
from orchestrator.services.key_rotation import KeyRotation
from orchestrator.services.session_auth import SessionAuth
from orchestrator.startup import StartupError
from orchestrator.store import metadata, sealed_rows
from orchestrator.store.models import AuthKeyRow, IdempotencyRow
from orchestrator.store.sealed_rows import ANSWERS, AUTH_KEYS, SEALED_KINDS
from orchestrator.store.vault import Vault, VaultError
from tests.integration.keys.sealed_world import ALL, make_one_of_each, open_everything, rows_by_key
from tests.support.factories import Factories

OLD, NEW = bytes(range(32)), bytes(range(1, 33))
SEALED_ROWS = 8
"""Credentials, three keys, archived credentials, a webhook's secret, an answer."""


@pytest.fixture
def both() -> Vault:
    """A vault after a rotation: `test` is the old key."""
    return Vault({"test": OLD, "new": NEW}, "new")


async def test_every_kind_of_row_is_sealed_anew_and_opens_with_the_new_key_alone(
    context: Context, make: Factories, both: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(key_rotation, "ROWS_AT_A_TIME", 2)
    await make_one_of_each(context, make)
    before = await open_everything(context.database, context.vault)
    rotation = KeyRotation(context.database, both)
    uses = await rotation.uses()
    assert [(use.key_id, use.total) for use in uses] == [("test", SEALED_ROWS)]
    assert set(uses[0].rows) == {kind.name for kind in SEALED_KINDS}

    looked_at: list[int] = []
    done = await rotation.re_encrypt(looked_at.append)

    assert (done.sealed_anew, sum(looked_at), max(looked_at)) == (SEALED_ROWS, SEALED_ROWS, 2)
    assert await rows_by_key(context.database) == {"new": SEALED_ROWS}
    assert await open_everything(context.database, Vault({"new": NEW}, "new")) == before
    assert (await rotation.re_encrypt(looked_at.append)).sealed_anew == 0


async def test_a_newer_write_is_never_overwritten(context: Context, make: Factories, both: Vault) -> None:
    scope, session_id = await make_one_of_each(context, make)
    async with context.database.reading(ALL) as tx:
        read = await sealed_rows.list_under_other_keys(tx, ALL, AUTH_KEYS, "new", None, 10)
    newer = [AuthKey("session", "0.0", '"newer"'), AuthKey("session", "1.0", None)]
    await SessionAuth(context).store(scope, session_id, 0, None, newer)

    changes = [(row, both.seal(b"older", row.binding)) for row in read]
    async with context.database.transaction(ALL) as tx:
        assert await sealed_rows.replace(tx, ALL, AUTH_KEYS, changes) == 1, "only the row that nobody wrote"

    found = await SessionAuth(context).load_keys(scope, session_id, "session", ["0.0", "1.0"])
    assert [(key.name, key.value) for key in found] == [("0.0", '"newer"')]


async def test_a_rotation_beside_writers_loses_no_write(context: Context, make: Factories) -> None:
    scope, session_id = await make_one_of_each(context, make, auth_keys=300)
    running = replace(context, vault=Vault({"test": OLD, "new": NEW}, "test"))
    auth, written, ended = SessionAuth(running), dict[str, str](), asyncio.Event()

    async def write_on() -> None:
        number = 0
        while not ended.is_set():
            name, value = f"{number * 7 % 300}.0", f'"{number}"'
            await auth.store(scope, session_id, 0, None, [AuthKey("session", name, value)])
            written[name] = value
            number += 1

    writers = asyncio.create_task(write_on())
    await KeyRotation(context.database, Vault({"test": OLD, "new": NEW}, "new")).re_encrypt(lambda _: None)
    ended.set()
    await writers

    assert len(written) > 10
    found = await auth.load_keys(scope, session_id, "session", list(written))
    assert {key.name: key.value for key in found} == written


async def test_an_interrupted_rotation_is_gone_on_with(
    context: Context, make: Factories, both: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(key_rotation, "ROWS_AT_A_TIME", 10)
    await make_one_of_each(context, make, auth_keys=50)
    rotation = KeyRotation(context.database, both)
    steps = 0

    def stop_early(_: int) -> None:
        nonlocal steps
        steps += 1
        if steps == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await rotation.re_encrypt(stop_early)
    half = await rows_by_key(context.database)
    assert 0 < half["test"] < 55
    await rotation.re_encrypt(lambda _: None)
    assert await rows_by_key(context.database) == {"new": 55}


async def test_a_key_is_forgotten_only_when_it_seals_nothing(
    context: Context, make: Factories, both: Vault
) -> None:
    await metadata.verify_encryption_key(context.database, context.vault)
    await make_one_of_each(context, make)
    rotation = KeyRotation(context.database, both)
    await rotation.note_current_key()
    assert await rotation.noted_keys() == ["new", "test"]
    assert not await rotation.forget("test")

    await rotation.re_encrypt(lambda _: None)
    assert await rotation.forget("test")
    assert await rotation.noted_keys() == ["new"]
    await metadata.verify_encryption_key(context.database, Vault({"new": NEW}, "new"))
    with pytest.raises(StartupError, match="not the one"):
        await metadata.verify_encryption_key(context.database, context.vault)


async def test_rows_that_cannot_be_opened_are_counted_and_left_as_they_are(
    context: Context, make: Factories, both: Vault
) -> None:
    await make_one_of_each(context, make)
    keys, answers = AuthKeyRow.__table__, IdempotencyRow.__table__  # type: ignore[attr-defined]
    async with context.database.transaction(ALL) as tx:
        lost = update(keys).where(keys.c.name == "0.0").values(key_id="lost")
        await tx.connection.execute(lost)
        changed = update(keys).where(keys.c.name == "1.0").values(ciphertext=b"x" * 40)
        await tx.connection.execute(changed)
        cut = update(answers).where(answers.c.key == "a").values(answer=b"\x00")
        await tx.connection.execute(cut)

    rotation = KeyRotation(context.database, both)
    done = await rotation.re_encrypt(lambda _: None)

    assert dict(done.unreadable) == {
        (AUTH_KEYS.name, "lost"): 1,
        (AUTH_KEYS.name, "test"): 1,
        (ANSWERS.name, ""): 1,
    }
    assert await rows_by_key(context.database) == {"new": SEALED_ROWS - 3, "lost": 1, "test": 1, "": 1}
    assert not await rotation.forget("test")
    with pytest.raises(VaultError):
        await open_everything(context.database, both)
