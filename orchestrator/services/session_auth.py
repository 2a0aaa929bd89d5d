"""Auth state, sealed: what Baileys stores and reads while a session runs. The hot path of every message."""

from collections.abc import Sequence

from orchestrator.domain import errors
from orchestrator.domain.auth_state import AuthKey
from orchestrator.domain.company import CompanyScope
from orchestrator.domain.errors import PonteError
from orchestrator.services.context import Context
from orchestrator.store import auth_state
from orchestrator.store.auth_state import AuthChange, SealedKey
from orchestrator.store.database import Transaction
from orchestrator.store.vault import Sealed, auth_credentials_binding, auth_key_binding


class SessionAuth:
    """Seals and opens the auth state of sessions."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def load_credentials(self, scope: CompanyScope, session_id: str) -> str | None:
        """The whole credentials as BufferJSON, or None where there are none."""
        async with self._context.database.reading(scope) as tx:
            sealed = await auth_state.load_credentials(tx, scope, session_id)
        if sealed is None:
            return None
        return self._context.vault.open(sealed, auth_credentials_binding(session_id)).decode()

    async def load_keys(
        self, scope: CompanyScope, session_id: str, key_type: str, names: Sequence[str]
    ) -> list[AuthKey]:
        """Those of the named keys that are stored."""
        async with self._context.database.reading(scope) as tx:
            found = await auth_state.load_keys(tx, scope, session_id, key_type, names)
        return [self._open(session_id, key) for key in found]

    async def store(
        self,
        scope: CompanyScope,
        session_id: str,
        fence: int,
        credentials: str | None,
        keys: Sequence[AuthKey],
    ) -> None:
        """Store all of it or nothing; durable on return. Raises PonteError(STALE_FENCE)."""
        change = self._seal(session_id, credentials, keys)
        now = self._context.clock()

        async def write(tx: Transaction) -> bool:
            return await auth_state.write(tx, scope, session_id, fence, change, now)

        if not await self._context.database.shared_transaction(scope, write):
            raise PonteError(errors.STALE_FENCE)

    def _seal(self, session_id: str, credentials: str | None, keys: Sequence[AuthKey]) -> AuthChange:
        vault = self._context.vault
        last = {(key.type, key.name): key.value for key in keys}
        return AuthChange(
            credentials=self._seal_credentials(session_id, credentials),
            stored=[
                SealedKey(
                    key_type, name, vault.seal(value.encode(), auth_key_binding(session_id, key_type, name))
                )
                for (key_type, name), value in last.items()
                if value is not None
            ],
            deleted=[name for name, value in last.items() if value is None],
        )

    def _seal_credentials(self, session_id: str, credentials: str | None) -> Sealed | None:
        if credentials is None:
            return None
        return self._context.vault.seal(credentials.encode(), auth_credentials_binding(session_id))

    def _open(self, session_id: str, key: SealedKey) -> AuthKey:
        opened = self._context.vault.open(key.sealed, auth_key_binding(session_id, key.type, key.name))
        return AuthKey(key.type, key.name, opened.decode())
