"""What a company does with its webhooks: set them up, try them, look at deliveries, deliver again."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from orchestrator.domain import errors
from orchestrator.domain.company import CompanyScope
from orchestrator.domain.endpoint_health import forgiven
from orchestrator.domain.errors import PonteError, invalid_field, not_found
from orchestrator.domain.event_types import checked_patterns
from orchestrator.domain.events import EventType, NewEvent
from orchestrator.domain.ids import is_id, make_id
from orchestrator.domain.page import Page, PageRequest
from orchestrator.domain.webhook import Delivery, DeliveryStatus, Webhook
from orchestrator.services.context import Context
from orchestrator.store import events as event_store
from orchestrator.store import idempotency
from orchestrator.store import webhook_deliveries as delivery_store
from orchestrator.store import webhooks as webhook_store
from orchestrator.store.database import Transaction
from orchestrator.store.vault import webhook_secret_binding
from orchestrator.store.webhooks import Endpoint
from orchestrator.url_guard.guard import UrlGuard
from orchestrator.webhooks.signing import checked_secret, make_secret

SWITCHED_OFF: Final = "Switched off by the company."

MOST_PATTERNS: Final = 50


class WebhookService:
    """Endpoints of a company and their deliveries."""

    def __init__(self, context: Context, guard: UrlGuard) -> None:
        self._context = context
        self._guard = guard

    async def create(
        self,
        scope: CompanyScope,
        url: str,
        events: Sequence[str] = (),
        secret: str = "",
        idempotency_key: str = "",
    ) -> tuple[Webhook, str]:
        """Set an endpoint up for the events from now on, all types where no pattern is given.

        Gives it with its secret, which is made where none is given and never shown again.
        Raises INVALID_URL, URL_NOT_ALLOWED, INVALID_ARGUMENT (a pattern, the secret), WEBHOOK_LIMIT_REACHED,
        IDEMPOTENCY_KEY_REUSED.
        """
        patterns = _checked_events(events)
        request = idempotency.hash_request(url, patterns, secret)
        secret = checked_secret(secret) if secret else make_secret()
        await self._guard.check(url)
        now = self._context.clock()
        webhook = Webhook(make_id(now, self._context.rng), scope.company_id, url, patterns, now)
        async with self._context.database.transaction(scope) as tx:
            earlier = await idempotency.remember(
                tx, scope, idempotency_key, "CreateWebhook", request, webhook.id, now=now
            )
            if earlier is not None:
                endpoint = await _found(tx, scope, earlier.resource_id)
                return endpoint.webhook, self._secret_of(endpoint)
            # Taking no number locks the company's counter: the count below holds, and the cursor is exact.
            last = await event_store.reserve(tx, scope, 0)
            if await webhook_store.count(tx, scope) >= self._context.limits.webhooks_per_company:
                raise PonteError(errors.WEBHOOK_LIMIT_REACHED)
            sealed = self._context.vault.seal(secret.encode(), webhook_secret_binding(webhook.id))
            await webhook_store.add(tx, scope, webhook, sealed, last)
        return webhook, secret

    async def get(self, scope: CompanyScope, webhook_id: str) -> Webhook:
        """Give one endpoint. Raises NOT_FOUND."""
        async with self._context.database.reading(scope) as tx:
            return (await _found(tx, scope, webhook_id)).webhook

    async def list(self, scope: CompanyScope, page: PageRequest) -> Page[Webhook]:
        """List endpoints, newest first. Raises INVALID_ARGUMENT or INVALID_PAGE_TOKEN for a bad page."""
        async with self._context.database.reading(scope) as tx:
            return await webhook_store.list_page(tx, scope, page)

    async def update(
        self,
        scope: CompanyScope,
        webhook_id: str,
        url: str | None = None,
        events: Sequence[str] | None = None,
        enabled: bool | None = None,
    ) -> Webhook:
        """Change what is given; the endpoint's record of failures is forgotten.

        One that is switched on again gets what was waiting and the events from now on, not those in between.
        Raises NOT_FOUND, INVALID_URL, URL_NOT_ALLOWED, INVALID_ARGUMENT.
        """
        patterns = None if events is None else _checked_events(events)
        if url is not None:
            await self._guard.check(url)
        async with self._context.database.transaction(scope) as tx:
            before = (await _found(tx, scope, webhook_id)).webhook
            after = replace(
                before,
                url=before.url if url is None else url,
                events=before.events if patterns is None else patterns,
                disabled_reason=_reason(before.disabled_reason, enabled),
            )
            is_back = bool(before.disabled_reason) and not after.disabled_reason
            await webhook_store.change(
                tx,
                scope,
                webhook_id,
                url=after.url,
                events=after.events,
                disabled_reason=after.disabled_reason,
                not_before=await event_store.last_sequence(tx, scope) if is_back else 0,
            )
            self._ring_after(tx, scope)
        return after

    async def delete(self, scope: CompanyScope, webhook_id: str) -> None:
        """Remove an endpoint with its deliveries. Raises NOT_FOUND."""
        async with self._context.database.transaction(scope) as tx:
            if not is_id(webhook_id) or not await webhook_store.remove(
                tx, scope, webhook_id, self._context.clock()
            ):
                raise not_found()

    async def test(self, scope: CompanyScope, webhook_id: str) -> Delivery:
        """Record a webhook.test event and deliver it to this endpoint alone, also while it is paused.

        Raises NOT_FOUND, WEBHOOK_DISABLED.
        """
        now, rng = self._context.clock(), self._context.rng
        async with self._context.database.transaction(scope) as tx:
            endpoint = await _enabled(tx, scope, webhook_id)
            event = NewEvent(EventType.WEBHOOK_TEST, session_id="", data={"webhook_id": webhook_id})
            recorded = await event_store.append(tx, scope, [event], now, rng)
            await webhook_store.save_health(tx, scope, webhook_id, forgiven(endpoint.health))
            (made,) = await delivery_store.add(tx, scope, webhook_id, recorded, now, rng)
            self._ring_after(tx, scope)
            return await _delivery(tx, scope, webhook_id, made.id)

    async def list_deliveries(
        self, scope: CompanyScope, webhook_id: str, status: DeliveryStatus | None, page: PageRequest
    ) -> Page[Delivery]:
        """List deliveries, newest event first, of one status where it is given.

        Raises NOT_FOUND, INVALID_ARGUMENT, INVALID_PAGE_TOKEN.
        """
        async with self._context.database.reading(scope) as tx:
            await _found(tx, scope, webhook_id)
            return await delivery_store.list_page(tx, scope, webhook_id, status, page)

    async def redeliver(self, scope: CompanyScope, webhook_id: str, delivery_id: str) -> Delivery:
        """Deliver again with the same webhook-id and a fresh schedule of attempts, whatever became of it before.

        Raises NOT_FOUND, WEBHOOK_DISABLED.
        """
        async with self._context.database.transaction(scope) as tx:
            endpoint = await _enabled(tx, scope, webhook_id)
            await _delivery(tx, scope, webhook_id, delivery_id)
            # The webhook before the delivery: the order in which deliverers lock them.
            await webhook_store.save_health(tx, scope, webhook_id, forgiven(endpoint.health))
            await delivery_store.start_again(tx, scope, delivery_id, self._context.clock())
            self._ring_after(tx, scope)
            return await _delivery(tx, scope, webhook_id, delivery_id)

    def _secret_of(self, endpoint: Endpoint) -> str:
        return self._context.vault.open(endpoint.secret, webhook_secret_binding(endpoint.webhook.id)).decode()

    def _ring_after(self, tx: Transaction, scope: CompanyScope) -> None:
        tx.after_commit(lambda: self._context.bells.events_recorded(scope))


def _checked_events(events: Sequence[str]) -> tuple[str, ...]:
    if len(events) > MOST_PATTERNS:
        raise invalid_field(errors.INVALID_ARGUMENT, "events", f"Give at most {MOST_PATTERNS} patterns.")
    return checked_patterns(events, "events")


def _reason(before: str, enabled: bool | None) -> str:
    if enabled is None:
        return before
    return "" if enabled else before or SWITCHED_OFF


async def _found(tx: Transaction, scope: CompanyScope, webhook_id: str) -> Endpoint:
    endpoint = await webhook_store.get(tx, scope, webhook_id) if is_id(webhook_id) else None
    if endpoint is None:
        raise not_found()
    return endpoint


async def _enabled(tx: Transaction, scope: CompanyScope, webhook_id: str) -> Endpoint:
    endpoint = await _found(tx, scope, webhook_id)
    if endpoint.webhook.disabled_reason:
        raise PonteError(errors.WEBHOOK_DISABLED)
    return endpoint


async def _delivery(tx: Transaction, scope: CompanyScope, webhook_id: str, delivery_id: str) -> Delivery:
    delivery = await delivery_store.get(tx, scope, webhook_id, delivery_id) if is_id(delivery_id) else None
    if delivery is None:
        raise not_found()
    return delivery
