"""API keys: made and revoked by the administrator, and turned into a principal with each request."""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from orchestrator.domain.company import ALL_SCOPES, ApiKey, CompanyScope, Principal, Scope
from orchestrator.domain.errors import (
    CREDENTIAL_INVALID,
    INVALID_ARGUMENT,
    PonteError,
    invalid_field,
    not_found,
)
from orchestrator.domain.ids import is_id, make_id
from orchestrator.domain.page import Page, PageRequest
from orchestrator.services.context import Context
from orchestrator.services.names import checked_name
from orchestrator.store import companies, idempotency, keys
from orchestrator.store.database import SystemScope, Transaction
from orchestrator.store.vault import Sealed, idempotency_answer_binding

CACHE_TTL = timedelta(seconds=1)
"""How long another process may still take a key that was revoked here."""

NOTE_USE_EVERY = timedelta(minutes=1)

ADMIN = Principal(key_id="admin", company_id=None, scopes=frozenset())
"""The administrator: no company, so none of the companies' scopes."""

_PREFIX = "ponte_"
_SECRET_BYTES = 32
_SHOWN_CHARACTERS = 12
_LONGEST_SECRET = 200
_MOST_CACHED = 10_000


@dataclass(frozen=True, slots=True)
class _Cached:
    principal: Principal
    until: datetime


class KeyService:
    """Companies' keys, and who a secret stands for."""

    def __init__(self, context: Context, admin_key_hash: str = "") -> None:
        """`admin_key_hash` is `hash_secret` of the admin key; empty where there is none."""
        self._context = context
        self._admin_key_hash = admin_key_hash
        self._cache: dict[str, _Cached] = {}
        self._times_forgotten = 0

    async def create(
        self, scope: CompanyScope, name: str, scopes: Sequence[Scope] = (), idempotency_key: str = ""
    ) -> tuple[ApiKey, str]:
        """Make a key; gives it with its secret, which is shown this once. No scopes means all of them.

        Raises NOT_FOUND for an unknown company, INVALID_ARGUMENT, IDEMPOTENCY_KEY_REUSED.
        """
        _check_company(scope)
        name = checked_name(name)
        granted = _checked_scopes(scopes)
        now = self._context.clock()
        secret = make_secret()
        key = ApiKey(
            id=make_id(now, self._context.rng),
            company_id=scope.company_id,
            name=name,
            prefix=secret[:_SHOWN_CHARACTERS],
            scopes=granted,
            created_at=now,
            revoked_at=None,
            last_used_at=None,
        )
        request = idempotency.hash_request(name, sorted(granted))
        binding = idempotency_answer_binding(scope.company_id, idempotency_key)
        answer = self._context.vault.seal(secret.encode(), binding).pack() if idempotency_key else None
        async with self._context.database.transaction(scope) as tx:
            await _demand_company(tx, scope)
            earlier = await idempotency.remember(
                tx, scope, idempotency_key, "CreateKey", request, key.id, answer, now=now
            )
            if earlier is None:
                await keys.add(tx, scope, key, hash_secret(secret))
                return key, secret
            made = await keys.get(tx, scope, earlier.resource_id)
        if made is None or earlier.answer is None:
            raise not_found()
        return made, self._context.vault.open(Sealed.unpack(earlier.answer), binding).decode()

    async def list(self, scope: CompanyScope, page: PageRequest) -> Page[ApiKey]:
        """List the company's keys, newest first. Raises NOT_FOUND for an unknown company."""
        _check_company(scope)
        async with self._context.database.reading(scope) as tx:
            await _demand_company(tx, scope)
            return await keys.list_page(tx, scope, page)

    async def revoke(self, scope: CompanyScope, key_id: str) -> ApiKey:
        """Refuse a key from now on; other processes do within CACHE_TTL. Doing it again changes nothing.

        Raises NOT_FOUND.
        """
        _check_company(scope)
        if not is_id(key_id):
            raise not_found()
        async with self._context.database.transaction(scope) as tx:
            key = await keys.revoke(tx, scope, key_id, self._context.clock())
        if key is None:
            raise not_found()
        self._forget(lambda principal: principal.key_id == key_id)
        return key

    async def authenticate(self, secret: str) -> Principal:
        """Say who a secret stands for. Raises CREDENTIAL_INVALID where it is unknown or revoked.

        Secrets are looked up by their hash, so the time it takes tells nothing about them.
        """
        if len(secret) > _LONGEST_SECRET:
            raise PonteError(CREDENTIAL_INVALID)
        secret_hash = hash_secret(secret)
        if self._admin_key_hash and hmac.compare_digest(secret_hash, self._admin_key_hash):
            return ADMIN
        now = self._context.clock()
        cached = self._cache.get(secret_hash)
        if cached is not None and now < cached.until:
            return cached.principal
        return await self._look_up(secret_hash, now)

    def forget_company(self, company_id: str) -> None:
        """Drop what is cached of a company's keys."""
        self._forget(lambda principal: principal.company_id == company_id)

    async def _look_up(self, secret_hash: str, now: datetime) -> Principal:
        scope, times_forgotten = SystemScope(), self._times_forgotten
        async with self._context.database.reading(scope) as tx:
            key = await keys.find_usable(tx, scope, secret_hash)
        if key is None:
            self._cache.pop(secret_hash, None)
            raise PonteError(CREDENTIAL_INVALID)
        principal = Principal(key.id, key.company_id, key.scopes)
        if times_forgotten == self._times_forgotten:  # else this may be what a revocation has just ended
            self._keep(secret_hash, _Cached(principal, now + CACHE_TTL))
        self._note_use(key, now)
        return principal

    def _note_use(self, key: ApiKey, now: datetime) -> None:
        noted_before = now - NOTE_USE_EVERY
        if key.last_used_at is not None and key.last_used_at > noted_before:
            return
        scope = CompanyScope(key.company_id)
        write = partial(keys.note_use, scope=scope, key_id=key.id, now=now, not_after=noted_before)
        self._context.database.write_behind(scope, write)

    def _keep(self, secret_hash: str, cached: _Cached) -> None:
        if len(self._cache) >= _MOST_CACHED:
            self._cache.clear()
        self._cache[secret_hash] = cached

    def _forget(self, whose: Callable[[Principal], bool]) -> None:
        self._times_forgotten += 1
        self._cache = {name: kept for name, kept in self._cache.items() if not whose(kept.principal)}


def make_secret() -> str:
    """Make a key's secret: `ponte_` and 256 random bits in base64url."""
    return _PREFIX + base64.urlsafe_b64encode(secrets.token_bytes(_SECRET_BYTES)).decode().rstrip("=")


def hash_secret(secret: str) -> str:
    """Hash a secret as it is stored: SHA-256 in hexadecimal. It has 256 random bits, so no slow hash is needed."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _checked_scopes(scopes: Sequence[Scope]) -> frozenset[Scope]:
    try:
        return frozenset(Scope(scope) for scope in scopes) or ALL_SCOPES
    except ValueError as error:
        known = ", ".join(Scope)
        raise invalid_field(INVALID_ARGUMENT, "scopes", f"The scopes are: {known}.") from error


def _check_company(scope: CompanyScope) -> None:
    if not is_id(scope.company_id):
        raise not_found()


async def _demand_company(tx: Transaction, scope: CompanyScope) -> None:
    if await companies.get(tx, scope) is None:
        raise not_found()
