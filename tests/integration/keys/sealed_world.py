"""A row of each sealed kind, and whether all of them open."""

from sqlalchemy import insert

from orchestrator.domain.auth_state import AuthKey
from orchestrator.domain.company import CompanyScope
from orchestrator.domain.ids import make_id
from orchestrator.services.context import Context
from orchestrator.services.person_names import person_names
from orchestrator.services.session_auth import SessionAuth
from orchestrator.store import auth_state, idempotency, sealed_rows
from orchestrator.store.database import Database, SystemScope
from orchestrator.store.models import WebhookRow
from orchestrator.store.sealed_rows import SEALED_KINDS
from orchestrator.store.vault import Vault, idempotency_answer_binding, webhook_secret_binding
from tests.support.factories import Factories

ALL = SystemScope()


async def make_one_of_each(context: Context, make: Factories, auth_keys: int = 3) -> tuple[CompanyScope, str]:
    """Rows of every kind under the vault's current key; gives the company and the session."""
    scope = await make.company()
    session = await make.linked_session(scope)
    keys = [AuthKey("session", f"{number}.0", f'{{"n": {number}}}') for number in range(auth_keys)]
    for start in range(0, auth_keys, 500):
        chunk = keys[start : start + 500]
        await SessionAuth(context).store(scope, session.id, 0, '{"me": 1}', chunk)
    now = context.clock()
    async with context.database.transaction(scope) as tx:
        why: dict[str, object] = {"signal": "LOGGED_OUT"}
        archive_id = make_id(now, context.rng)
        await auth_state.archive_credentials(tx, scope, session.id, archive_id, why, now)
        secret = context.vault.seal(b"whsec_x", webhook_secret_binding("webhook"))
        row = WebhookRow(
            id="webhook",
            company_id=scope.company_id,
            url="https://example.com",
            events=[],
            secret_key_id=secret.key_id,
            secret_ciphertext=secret.ciphertext,
            created_at=now,
        )
        gone = row.model_copy(update={"id": "gone", "secret_ciphertext": b"", "deleted_at": now})
        for each in (row, gone):
            await tx.connection.execute(insert(WebhookRow.__table__), each.model_dump())  # type: ignore[attr-defined]
        await person_names(tx, context, scope)
        answer = context.vault.seal(b"secret", idempotency_answer_binding(scope.company_id, "a")).pack()
        await idempotency.remember(tx, scope, "a", "CreateKey", "hash", "id", answer, now=now)
        await idempotency.remember(tx, scope, "b", "SendMessage", "hash", "id", now=now)
    return scope, session.id


async def rows_by_key(database: Database) -> dict[str, int]:
    """How many rows each key seals."""
    totals: dict[str, int] = {}
    async with database.reading(ALL) as tx:
        for kind in SEALED_KINDS:
            for key_id, count in (await sealed_rows.count_by_key(tx, ALL, kind)).items():
                totals[key_id] = totals.get(key_id, 0) + count
    return totals


async def open_everything(database: Database, vault: Vault) -> list[bytes]:
    """What all sealed rows hold; raises VaultError where one cannot be opened."""
    found = []
    async with database.reading(ALL) as tx:
        for kind in SEALED_KINDS:
            for row in await sealed_rows.list_under_other_keys(tx, ALL, kind, "none", None, 100_000):
                assert row.sealed is not None
                found.append(vault.open(row.sealed, row.binding))
    return found
