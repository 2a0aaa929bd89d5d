"""Encryption at rest."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.store.vault import (
    Keyring,
    Sealed,
    Vault,
    VaultError,
    auth_credentials_binding,
    auth_key_binding,
    idempotency_answer_binding,
    webhook_secret_binding,
)

OLD, NEW = bytes(32), bytes(range(32))


@given(st.binary(max_size=5000), st.binary(max_size=50))
def test_what_is_sealed_opens_again(plaintext: bytes, binding: bytes) -> None:
    vault = Vault({"new": NEW}, "new")
    sealed = vault.seal(plaintext, binding)

    assert vault.open(sealed, binding) == plaintext
    assert vault.open(Sealed.unpack(sealed.pack()), binding) == plaintext
    assert sealed.key_id == "new"


def test_the_same_text_is_never_sealed_to_the_same_bytes() -> None:
    vault = Vault({"new": NEW}, "new")

    assert len({vault.seal(b"text", b"").ciphertext for _ in range(100)}) == 100


def test_an_old_key_opens_but_the_current_one_seals() -> None:
    sealed = Vault({"old": OLD}, "old").seal(b"text", b"row")
    both = Vault({"old": OLD, "new": NEW}, "new")

    assert both.open(sealed, b"row") == b"text"
    assert both.seal(b"text", b"row").key_id == "new"
    assert both.key_ids == {"old", "new"}


def test_it_opens_only_where_it_belongs_unchanged_and_with_its_key() -> None:
    vault = Vault({"new": NEW}, "new")
    sealed = vault.seal(b"text", b"row 1")
    changed = Sealed("new", sealed.ciphertext[:-1] + bytes([sealed.ciphertext[-1] ^ 1]))

    for attempt, binding in ((sealed, b"row 2"), (changed, b"row 1"), (Sealed("new", b"short"), b"row 1")):
        with pytest.raises(VaultError):
            vault.open(attempt, binding)
    with pytest.raises(VaultError, match="not among"):
        Vault({"old": OLD}, "old").open(sealed, b"row 1")
    with pytest.raises(VaultError, match="another key"):
        Vault({"new": OLD}, "new").open(sealed, b"row 1")


@pytest.mark.parametrize("packed", [b"", b"\x00rest", b"\x05abc", b"\x02\xff\xffrest"])
def test_what_was_never_packed_is_refused(packed: bytes) -> None:
    with pytest.raises(VaultError):
        Sealed.unpack(packed)


@pytest.mark.parametrize(
    ("keys", "current"),
    [
        ({}, "new"),
        ({"new": b"short"}, "new"),
        ({"": NEW}, ""),
        ({"a name that is too long": NEW}, "a name that is too long"),
    ],
)
def test_bad_keys_are_refused(keys: dict[str, bytes], current: str) -> None:
    with pytest.raises(ValueError, match="key"):
        Vault(keys, current)


def test_no_two_kinds_of_rows_share_a_binding() -> None:
    bindings = [
        auth_credentials_binding("id"),
        auth_key_binding("id", "session", "name"),
        webhook_secret_binding("id"),
        idempotency_answer_binding("id", "key"),
    ]

    assert len(set(bindings)) == len(bindings)


def test_it_asks_for_keys_again_when_it_meets_one_it_does_not_know() -> None:
    rings: list[Keyring | None] = [Keyring({"old": OLD, "new": NEW}, "new")]
    vault = Vault({"old": OLD}, "old", lambda: rings.pop() if rings else None)
    sealed = Vault({"new": NEW}, "new").seal(b"text", b"row")

    assert vault.open(sealed, b"row") == b"text"
    assert vault.seal(b"text", b"row").key_id == "new"
    with pytest.raises(VaultError, match="not among"):
        vault.open(Sealed("unknown", sealed.ciphertext), b"row")


def test_it_seals_with_a_new_current_key_within_a_second_and_still_opens_the_dropped_one() -> None:
    now = [100.0]
    vault = Vault({"old": OLD}, "old", lambda: Keyring({"new": NEW}, "new"), lambda: now[0])
    before = vault.seal(b"text", b"row")
    now[0] += 0.9
    still = vault.seal(b"text", b"row")
    now[0] += 0.2
    after = vault.seal(b"text", b"row")

    assert [before.key_id, still.key_id, after.key_id] == ["old", "old", "new"]
    assert vault.open(before, b"row") == b"text"
