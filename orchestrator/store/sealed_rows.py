"""Every row that holds something encrypted, for counting by key and for re-encryption."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, ColumnElement, Table, func, select, tuple_, update

from orchestrator.store.database import SystemScope, Transaction
from orchestrator.store.models import (
    ArchivedCredentialsRow,
    AuthCredentialsRow,
    AuthKeyRow,
    IdempotencyRow,
    PersonKeyRow,
    WebhookRow,
)
from orchestrator.store.vault import (
    Sealed,
    VaultError,
    auth_credentials_binding,
    auth_key_binding,
    idempotency_answer_binding,
    person_key_binding,
    webhook_secret_binding,
)

_credentials: Table = AuthCredentialsRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it
_keys: Table = AuthKeyRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it
_archive: Table = ArchivedCredentialsRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it
_webhooks: Table = WebhookRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it
_person_keys: Table = PersonKeyRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it
_answers: Table = IdempotencyRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it

_PACKED_NAME_BYTES = 17
"""The name of a key in a packed value takes at most so many bytes: its length and 16 characters."""

Place = tuple[str, ...]
"""A row's primary key."""


@dataclass(frozen=True, slots=True)
class SealedKind:
    """One kind of sealed rows. Where `key_id` is None, `ciphertext` holds the key's name too (Sealed.pack)."""

    name: str
    place: tuple[Column[Any], ...]
    key_id: Column[Any] | None
    ciphertext: Column[Any]
    binding_columns: tuple[Column[Any], ...]
    binding: Callable[..., bytes]


@dataclass(frozen=True, slots=True)
class SealedRow:
    """One row as it was read; `sealed` is None where its value is cut off."""

    place: Place
    stored: bytes
    sealed: Sealed | None
    binding: bytes


CREDENTIALS = SealedKind(
    "credentials",
    (_credentials.c.session_id,),
    _credentials.c.key_id,
    _credentials.c.ciphertext,
    (_credentials.c.session_id,),
    auth_credentials_binding,
)
AUTH_KEYS = SealedKind(
    "auth keys",
    (_keys.c.session_id, _keys.c.type, _keys.c.name),
    _keys.c.key_id,
    _keys.c.ciphertext,
    (_keys.c.session_id, _keys.c.type, _keys.c.name),
    auth_key_binding,
)
ARCHIVED_CREDENTIALS = SealedKind(
    "archived credentials",
    (_archive.c.id,),
    _archive.c.key_id,
    _archive.c.ciphertext,
    (_archive.c.session_id,),
    auth_credentials_binding,
)
WEBHOOK_SECRETS = SealedKind(
    "webhook secrets",
    (_webhooks.c.id,),
    _webhooks.c.secret_key_id,
    _webhooks.c.secret_ciphertext,
    (_webhooks.c.id,),
    webhook_secret_binding,
)
PERSON_KEYS = SealedKind(
    "audit names",
    (_person_keys.c.company_id,),
    _person_keys.c.key_id,
    _person_keys.c.ciphertext,
    (_person_keys.c.company_id,),
    person_key_binding,
)
ANSWERS = SealedKind(
    "remembered answers",
    (_answers.c.company_id, _answers.c.key),
    None,
    _answers.c.answer,
    (_answers.c.company_id, _answers.c.key),
    idempotency_answer_binding,
)
SEALED_KINDS = (CREDENTIALS, AUTH_KEYS, ARCHIVED_CREDENTIALS, WEBHOOK_SECRETS, PERSON_KEYS, ANSWERS)


async def count_by_key(tx: Transaction, scope: SystemScope, kind: SealedKind) -> dict[str, int]:
    """Count the rows of all companies by the id of their key; an empty id stands for values that are cut off."""
    del scope  # The transaction was opened for all companies.
    if kind.key_id is not None:
        query = select(kind.key_id, func.count()).where(_is_sealed(kind)).group_by(kind.key_id)
        return {row[0]: row[1] for row in await tx.connection.execute(query)}
    start = func.substr(kind.ciphertext, 1, _PACKED_NAME_BYTES, type_=kind.ciphertext.type)
    starts = (await tx.connection.execute(select(start).where(_is_sealed(kind)))).scalars()
    return dict(Counter(_packed_name(bytes(value)) for value in starts))


async def list_under_other_keys(
    tx: Transaction, scope: SystemScope, kind: SealedKind, key_id: str, after: Place | None, limit: int
) -> list[SealedRow]:
    """List at most `limit` rows that are sealed with another key than this one, in the order of their places."""
    del scope  # The transaction was opened for all companies.
    query = (
        select(*kind.place, *kind.binding_columns, *([] if kind.key_id is None else [kind.key_id]))
        .add_columns(kind.ciphertext)
        .where(_is_sealed(kind), ~_is_under(kind, key_id))
        .order_by(*kind.place)
        .limit(limit)
    )
    if after is not None:
        query = query.where(tuple_(*kind.place) > tuple_(*after))
    return [_to_row(kind, tuple(row)) for row in await tx.connection.execute(query)]


async def replace(
    tx: Transaction, scope: SystemScope, kind: SealedKind, changes: Sequence[tuple[SealedRow, Sealed]]
) -> int:
    """Store rows as sealed anew, except those that were written or deleted since they were read; gives how many.

    Each sealing has a nonce of its own, so the same bytes are the same write.
    """
    del scope  # The transaction was opened for all companies.
    stored = 0
    for row, sealed in changes:
        here = [column == value for column, value in zip(kind.place, row.place, strict=True)]
        values: dict[Any, object] = {kind.ciphertext: sealed.pack()}
        if kind.key_id is not None:
            values = {kind.key_id: sealed.key_id, kind.ciphertext: sealed.ciphertext}
        statement = update(kind.ciphertext.table).where(*here, kind.ciphertext == row.stored).values(values)
        stored += (await tx.connection.execute(statement)).rowcount
    return stored


def _is_sealed(kind: SealedKind) -> ColumnElement[bool]:
    return kind.ciphertext.is_not(None) & (kind.ciphertext != b"")


def _is_under(kind: SealedKind, key_id: str) -> ColumnElement[bool]:
    if kind.key_id is not None:
        return kind.key_id == key_id
    packed = Sealed(key_id, b"").pack()
    return func.substr(kind.ciphertext, 1, len(packed), type_=kind.ciphertext.type) == packed


def _to_row(kind: SealedKind, row: tuple[Any, ...]) -> SealedRow:
    places, bindings = len(kind.place), len(kind.binding_columns)
    stored = bytes(row[-1])
    binding = kind.binding(*row[places : places + bindings])
    if kind.key_id is not None:
        return SealedRow(row[:places], stored, Sealed(row[-2], stored), binding)
    try:
        return SealedRow(row[:places], stored, Sealed.unpack(stored), binding)
    except VaultError:
        return SealedRow(row[:places], stored, None, binding)


def _packed_name(start: bytes) -> str:
    try:
        return Sealed.unpack(start).key_id
    except VaultError:
        return ""
