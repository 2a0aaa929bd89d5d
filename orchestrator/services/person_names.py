"""Names of persons for the audit log, which tell nothing of the number to those who read it."""

import hashlib
import hmac
import os

from orchestrator.domain.company import CompanyScope
from orchestrator.domain.jid import ContactId
from orchestrator.services.context import Context
from orchestrator.store import person_keys
from orchestrator.store.database import Transaction
from orchestrator.store.vault import Sealed, Vault, person_key_binding

_KEY_BYTES = 32
_DIGITS = 32


class PersonNames:
    """Names persons with a company's key: a plain hash of a number is undone by trying all numbers."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def of(self, contact: ContactId) -> str:
        """The same 32 hexadecimal digits for the same person, in this company only."""
        return hmac.new(self._key, contact.jid.encode(), hashlib.sha256).hexdigest()[:_DIGITS]


async def person_names(tx: Transaction, context: Context, scope: CompanyScope) -> PersonNames:
    """Open the company's key, and make it where there is none. Raises VaultError where it cannot be opened."""
    sealed = await person_keys.find(tx, scope) or await _made(tx, context.vault, scope)
    return PersonNames(context.vault.open(sealed, person_key_binding(scope.company_id)))


async def _made(tx: Transaction, vault: Vault, scope: CompanyScope) -> Sealed:
    made = vault.seal(os.urandom(_KEY_BYTES), person_key_binding(scope.company_id))
    await person_keys.add(tx, scope, made)
    # Another process may have been first.
    return await person_keys.find(tx, scope) or made
