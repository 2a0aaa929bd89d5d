"""Facts about the database itself, such as the check values of its encryption keys."""

import base64
import binascii

from sqlalchemy import Table, delete, select
from sqlalchemy.dialects import postgresql, sqlite

from orchestrator.startup import StartupError
from orchestrator.store.database import Database, SystemScope, Transaction
from orchestrator.store.models import MetadataRow
from orchestrator.store.vault import Sealed, Vault, VaultError

_facts: Table = MetadataRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it

_CHECK = "encryption_key:"
_CHECK_TEXT = b"This database belongs to this key."


async def verify_encryption_key(database: Database, vault: Vault) -> None:
    """Make sure that what is stored can be opened, and note the current key.

    Each key that something was sealed with has left a check value. Raises StartupError when one of those keys is
    missing or another key is given under its name.
    """
    scope = SystemScope()
    async with database.transaction(scope) as tx:
        known = await list_facts(tx, scope, _CHECK)
        for name, value in known.items():
            _check(vault, name.removeprefix(_CHECK), value)
        if _CHECK + vault.current not in known:
            await add_fact(tx, scope, _CHECK + vault.current, _check_value(vault))


async def forget_encryption_key(tx: Transaction, scope: SystemScope, key_id: str) -> None:
    """Drop the check value of a key that nothing is sealed with any more."""
    await tx.connection.execute(delete(_facts).where(_facts.c.name == _CHECK + key_id))


async def noted_encryption_keys(tx: Transaction, scope: SystemScope) -> list[str]:
    """Ids of the keys that have left a check value."""
    return sorted(name.removeprefix(_CHECK) for name in await list_facts(tx, scope, _CHECK))


async def list_facts(tx: Transaction, scope: SystemScope, prefix: str) -> dict[str, str]:
    """Give all facts whose name begins with `prefix`."""
    query = select(_facts.c.name, _facts.c.value).where(_facts.c.name.startswith(prefix, autoescape=True))
    return {row.name: row.value for row in await tx.connection.execute(query)}


async def add_fact(tx: Transaction, scope: SystemScope, name: str, value: str) -> None:
    """Note a fact, unless there is one of that name."""
    make = sqlite.insert if tx.dialect == "sqlite" else postgresql.insert
    await tx.connection.execute(make(_facts).values(name=name, value=value).on_conflict_do_nothing())


def _check_value(vault: Vault) -> str:
    return base64.b64encode(vault.seal(_CHECK_TEXT, _CHECK.encode()).ciphertext).decode()


def _check(vault: Vault, key_id: str, value: str) -> None:
    try:
        sealed = Sealed(key_id, base64.b64decode(value, validate=True))
        vault.open(sealed, _CHECK.encode())
    except (VaultError, binascii.Error) as error:
        raise StartupError(
            "The encryption key is not the one that this database was written with; "
            "set PONTE_ENCRYPTION_KEY (and PONTE_ENCRYPTION_OLD_KEYS) to the keys that it was, or restore them."
        ) from error
