"""Setting webhooks up."""

import base64
from dataclasses import replace

import pytest
from sqlalchemy import select

from orchestrator.domain.company import CompanyScope
from orchestrator.domain.errors import PonteError
from orchestrator.domain.ids import make_id
from orchestrator.domain.page import PageRequest
from orchestrator.services.context import Context, Limits
from orchestrator.services.webhooks import MOST_PATTERNS, SWITCHED_OFF, WebhookService
from orchestrator.store.models import WebhookRow
from orchestrator.url_guard.guard import UrlGuard
from tests.support.bells import RecordingBells
from tests.support.clock import ManualClock
from tests.support.factories import Factories

URL = "http://127.0.0.1:9/hook"
SECRET = "whsec_" + base64.b64encode(b"s" * 32).decode()


@pytest.fixture
async def scope(make: Factories) -> CompanyScope:
    return await make.company()


async def test_a_created_webhook_is_given_with_a_secret_once(
    webhooks: WebhookService, scope: CompanyScope, clock: ManualClock
) -> None:
    webhook, secret = await webhooks.create(scope, URL, ["message.*"])

    assert secret.startswith("whsec_")
    assert (webhook.url, webhook.events, webhook.disabled_reason) == (URL, ("message.*",), "")
    assert webhook.created_at == clock()
    assert await webhooks.get(scope, webhook.id) == webhook


async def test_without_patterns_it_gets_everything(webhooks: WebhookService, scope: CompanyScope) -> None:
    webhook, _ = await webhooks.create(scope, URL)

    assert webhook.events == ("*",)


async def test_a_given_secret_is_kept_and_stored_encrypted(
    webhooks: WebhookService, scope: CompanyScope, context: Context
) -> None:
    _, secret = await webhooks.create(scope, URL, secret=SECRET)

    assert secret == SECRET
    async with context.database.reading(scope) as tx:
        rows = (await tx.connection.execute(select(WebhookRow.__table__))).mappings().all()  # type: ignore[attr-defined]
    assert b"s" * 8 not in rows[0]["secret_ciphertext"]
    assert SECRET.encode() not in rows[0]["secret_ciphertext"]


@pytest.mark.parametrize(
    ("arguments", "code", "field"),
    [
        ({"url": "ftp://example.com/"}, "INVALID_URL", "url"),
        ({"url": "http://169.254.169.254/"}, "URL_NOT_ALLOWED", "url"),
        ({"url": URL, "events": ["nothing"]}, "INVALID_ARGUMENT", "events[0]"),
        ({"url": URL, "events": ["*"] * (MOST_PATTERNS + 1)}, "INVALID_ARGUMENT", "events"),
        ({"url": URL, "secret": "password"}, "INVALID_ARGUMENT", "secret"),
    ],
)
async def test_bad_input_is_refused_with_its_field(
    webhooks: WebhookService, scope: CompanyScope, arguments: dict[str, object], code: str, field: str
) -> None:
    with pytest.raises(PonteError) as refused:
        await webhooks.create(scope, **arguments)  # type: ignore[arg-type]  # a table of mixed arguments

    assert refused.value.code.name == code
    assert [violation.field for violation in refused.value.violations] == [field]
    assert (await webhooks.list(scope, PageRequest())).items == []


async def test_private_addresses_are_refused_unless_allowed(context: Context, scope: CompanyScope) -> None:
    with pytest.raises(PonteError) as refused:
        await WebhookService(context, UrlGuard()).create(scope, URL)

    assert refused.value.code.name == "URL_NOT_ALLOWED"


async def test_the_same_idempotency_key_gives_the_same_webhook_and_secret(
    webhooks: WebhookService, scope: CompanyScope
) -> None:
    first = await webhooks.create(scope, URL, ["message.*"], idempotency_key="k")

    assert await webhooks.create(scope, URL, ["message.*"], idempotency_key="k") == first
    with pytest.raises(PonteError) as refused:
        await webhooks.create(scope, URL, ["session.*"], idempotency_key="k")
    assert refused.value.code.name == "IDEMPOTENCY_KEY_REUSED"
    assert len((await webhooks.list(scope, PageRequest())).items) == 1


async def test_a_company_has_a_bounded_number_of_webhooks(
    context: Context, guard: UrlGuard, scope: CompanyScope
) -> None:
    webhooks = WebhookService(replace(context, limits=Limits(webhooks_per_company=1)), guard)
    webhook, _ = await webhooks.create(scope, URL)

    with pytest.raises(PonteError) as refused:
        await webhooks.create(scope, URL)
    assert refused.value.code.name == "WEBHOOK_LIMIT_REACHED"

    await webhooks.delete(scope, webhook.id)
    await webhooks.create(scope, URL)


async def test_a_list_is_paged_newest_first(
    webhooks: WebhookService, scope: CompanyScope, clock: ManualClock
) -> None:
    made = []
    for _ in range(5):
        clock.advance(1)
        made.append((await webhooks.create(scope, URL))[0])

    first = await webhooks.list(scope, PageRequest(3))
    second = await webhooks.list(scope, PageRequest(3, first.next_token))

    assert [*first.items, *second.items] == made[::-1]
    assert second.next_token == ""


async def test_what_is_given_is_changed(
    webhooks: WebhookService, scope: CompanyScope, bells: RecordingBells
) -> None:
    webhook, _ = await webhooks.create(scope, URL, ["message.*"])

    moved = await webhooks.update(scope, webhook.id, url="http://127.0.0.1:10/")
    assert (moved.url, moved.events) == ("http://127.0.0.1:10/", ("message.*",))
    assert (await webhooks.update(scope, webhook.id, events=["*"])).events == ("*",)
    assert (await webhooks.update(scope, webhook.id, enabled=False)).disabled_reason == SWITCHED_OFF
    assert (await webhooks.get(scope, webhook.id)).disabled_reason == SWITCHED_OFF
    assert (await webhooks.update(scope, webhook.id, enabled=True)).disabled_reason == ""
    assert await webhooks.get(scope, webhook.id) == replace(
        webhook, url="http://127.0.0.1:10/", events=("*",)
    )
    assert scope.company_id in bells.events


async def test_a_change_is_checked_like_a_new_one(webhooks: WebhookService, scope: CompanyScope) -> None:
    webhook, _ = await webhooks.create(scope, URL)

    with pytest.raises(PonteError) as refused:
        await webhooks.update(scope, webhook.id, url="http://[fe80::1]/")
    assert refused.value.code.name == "URL_NOT_ALLOWED"
    with pytest.raises(PonteError):
        await webhooks.update(scope, webhook.id, events=["nothing"])
    assert await webhooks.get(scope, webhook.id) == webhook


async def test_a_deleted_webhook_is_gone(webhooks: WebhookService, scope: CompanyScope) -> None:
    webhook, _ = await webhooks.create(scope, URL)

    await webhooks.delete(scope, webhook.id)

    assert (await webhooks.list(scope, PageRequest())).items == []
    with pytest.raises(PonteError) as refused:
        await webhooks.get(scope, webhook.id)
    assert refused.value.code.name == "NOT_FOUND"


@pytest.mark.parametrize("whose", ["another company's", "unknown", "not an id"])
async def test_unknown_and_other_companies_webhooks_are_not_found(
    webhooks: WebhookService, scope: CompanyScope, make: Factories, context: Context, whose: str
) -> None:
    webhook, _ = await webhooks.create(await make.company("Other"), URL)
    ids = {
        "another company's": webhook.id,
        "unknown": make_id(context.clock(), context.rng),
        "not an id": "a\0b",
    }
    webhook_id = ids[whose]

    for call in (
        webhooks.get(scope, webhook_id),
        webhooks.update(scope, webhook_id, enabled=False),
        webhooks.delete(scope, webhook_id),
        webhooks.test(scope, webhook_id),
        webhooks.list_deliveries(scope, webhook_id, None, PageRequest()),
        webhooks.redeliver(scope, webhook_id, webhook_id),
    ):
        with pytest.raises(PonteError) as refused:
            await call
        assert refused.value.code.name == "NOT_FOUND"
