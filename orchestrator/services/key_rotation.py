"""Re-encryption of everything sealed under the current key, in small steps, while Ponte runs."""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from orchestrator.store import metadata, sealed_rows
from orchestrator.store.database import Database, SystemScope
from orchestrator.store.sealed_rows import SEALED_KINDS, Place, SealedKind, SealedRow
from orchestrator.store.vault import Sealed, Vault, VaultError

ROWS_AT_A_TIME = 100
"""Rows of one transaction: SQLite has one writer, and a send waits for it some milliseconds at most."""

PAUSE_S = 0.02
"""Pause after each transaction, so that a running Ponte gets its turn."""

Report = Callable[[int], None]
"""Called with the number of rows that were looked at, after each step."""

_ALL = SystemScope()


@dataclass(frozen=True, slots=True)
class KeyUse:
    """How many rows a key seals, by the kind of row. `key_id` is empty for values that are cut off."""

    key_id: str
    rows: dict[str, int]

    @property
    def total(self) -> int:
        """All of them."""
        return sum(self.rows.values())


@dataclass(slots=True)
class Pass:
    """One walk over all rows: how many were sealed anew, and how many cannot be opened, by kind and key."""

    sealed_anew: int = 0
    unreadable: Counter[tuple[str, str]] = field(default_factory=Counter)


class KeyRotation:
    """Works on the rows of all companies."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault

    async def uses(self) -> list[KeyUse]:
        """What each key seals, the key with the most rows first; keys without rows are not among them."""
        rows: dict[str, dict[str, int]] = {}
        async with self._database.reading(_ALL) as tx:
            for kind in SEALED_KINDS:
                for key_id, count in (await sealed_rows.count_by_key(tx, _ALL, kind)).items():
                    rows.setdefault(key_id, {})[kind.name] = count
        return sorted((KeyUse(*use) for use in rows.items()), key=lambda use: (-use.total, use.key_id))

    async def note_current_key(self) -> None:
        """Note the current key in the database, so that Ponte does not start without it."""
        await metadata.verify_encryption_key(self._database, self._vault)

    async def re_encrypt(self, report: Report) -> Pass:
        """Seal every row anew that is under another key. What is written meanwhile wins; the next pass looks again."""
        done = Pass()
        for kind in SEALED_KINDS:
            await self._re_encrypt_kind(kind, done, report)
        return done

    async def forget(self, key_id: str) -> bool:
        """Drop the database's note of a key that seals nothing; False where it still seals something."""
        async with self._database.transaction(_ALL) as tx:
            for kind in SEALED_KINDS:
                if key_id in await sealed_rows.count_by_key(tx, _ALL, kind):
                    return False
            await metadata.forget_encryption_key(tx, _ALL, key_id)
        return True

    async def noted_keys(self) -> list[str]:
        """Ids of the keys that the database was written with and that were not forgotten."""
        async with self._database.reading(_ALL) as tx:
            return await metadata.noted_encryption_keys(tx, _ALL)

    async def _re_encrypt_kind(self, kind: SealedKind, done: Pass, report: Report) -> None:
        after: Place | None = None
        while True:
            async with self._database.reading(_ALL) as tx:
                rows = await sealed_rows.list_under_other_keys(
                    tx, _ALL, kind, self._vault.current, after, ROWS_AT_A_TIME
                )
            if not rows:
                return
            after = rows[-1].place
            changes = [(row, sealed) for row in rows if (sealed := self._seal_anew(kind, row, done))]
            if changes:
                async with self._database.transaction(_ALL) as tx:
                    done.sealed_anew += await sealed_rows.replace(tx, _ALL, kind, changes)
            report(len(rows))
            await asyncio.sleep(PAUSE_S)

    def _seal_anew(self, kind: SealedKind, row: SealedRow, done: Pass) -> Sealed | None:
        if row.sealed is None:
            done.unreadable[kind.name, ""] += 1
            return None
        try:
            return self._vault.seal(self._vault.open(row.sealed, row.binding), row.binding)
        except VaultError:
            done.unreadable[kind.name, row.sealed.key_id] += 1
            return None
