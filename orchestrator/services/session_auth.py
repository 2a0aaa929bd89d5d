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
        return self.open_credentials(session_id, sealed)

    async def load_keys(
        self, scope: CompanyScope, session_id: str, key_type: str, names: Sequence[str]
    ) -> list[AuthKey]:
        """Those of the named keys that are stored."""
        async with self._context.database.reading(scope) as tx:
            found = await auth_state.load_keys(tx, scope, session_id, key_type, names)
        return [self.open_key(session_id, key) for key in found]

    async def store(
        self,
        scope: CompanyScope,
        session_id: str,
        fence: int,
        credentials: str | None,
        keys: Sequence[AuthKey],
    ) -> None:
        """Store all of it or nothing; durable on return. Raises PonteError(STALE_FENCE)."""
        change = self.seal_change(session_id, credentials, keys)
        now = self._context.clock()

        async def write(tx: Transaction) -> bool:
            return await auth_state.write(tx, scope, session_id, fence, change, now)

        if not await self._context.database.shared_transaction(scope, write):
            raise PonteError(errors.STALE_FENCE)

    def seal_change(self, session_id: str, credentials: str | None, keys: Sequence[AuthKey]) -> AuthChange:
        """Encrypt one write; the last of several values of a key counts."""
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

    def open_credentials(self, session_id: str, sealed: Sealed) -> str:
        """Decrypt a session's credentials."""
        return self._context.vault.open(sealed, auth_credentials_binding(session_id)).decode()

    def open_key(self, session_id: str, key: SealedKey) -> AuthKey:
        """Decrypt one key of a session."""
        opened = self._context.vault.open(key.sealed, auth_key_binding(session_id, key.type, key.name))
        return AuthKey(key.type, key.name, opened.decode())

    def _seal_credentials(self, session_id: str, credentials: str | None) -> Sealed | None:
        if credentials is None:
            return None
        return self._context.vault.seal(credentials.encode(), auth_credentials_binding(session_id))
