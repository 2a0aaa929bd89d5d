"""Secrets and signatures."""

import base64
from datetime import UTC, datetime, timedelta, timezone

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from orchestrator.domain.errors import PonteError
from orchestrator.webhooks.signing import Signer, checked_secret, make_secret


def secret_of(size: int) -> str:
    return "whsec_" + base64.b64encode(bytes(range(size))).decode()


def test_a_made_secret_has_32_random_bytes_and_passes_the_check() -> None:
    secret = make_secret()

    assert len(base64.b64decode(secret.removeprefix("whsec_"))) == 32
    assert checked_secret(secret) == secret
    assert make_secret() != secret


def test_a_secret_is_made_of_the_bytes_given() -> None:
    assert make_secret(lambda size: bytes(range(size))) == secret_of(32)


@pytest.mark.parametrize("size", [24, 32, 64])
def test_a_given_secret_may_have_24_to_64_bytes(size: int) -> None:
    assert checked_secret(secret_of(size)) == secret_of(size)


@pytest.mark.parametrize(
    "secret",
    [
        secret_of(23),
        secret_of(65),
        secret_of(32).removeprefix("whsec_"),
        secret_of(32)[:-1],
        secret_of(32) + "\n",
        "whsec_",
        "whsec_äöü",
        "whsec_!!!!" + secret_of(32),
    ],
)
def test_another_secret_is_refused_by_field(secret: str) -> None:
    with pytest.raises(PonteError) as refused:
        checked_secret(secret)

    assert refused.value.code.name == "INVALID_ARGUMENT"
    assert [violation.field for violation in refused.value.violations] == ["secret"]


def test_the_standard_library_of_receivers_verifies_what_was_signed() -> None:
    secret, body = make_secret(), '{"text":"olá"}'

    headers = Signer(secret).headers("event-1", body, datetime.now(timezone(timedelta(hours=-3))))

    assert Webhook(secret).verify(body, headers) == {"text": "olá"}
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(body + " ", headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(make_secret()).verify(body, headers)


def test_the_timestamp_is_in_whole_seconds_since_1970() -> None:
    headers = Signer(make_secret()).headers(
        "event-1", "{}", datetime(2026, 1, 5, 12, 0, 0, 999_999, tzinfo=UTC)
    )

    assert headers["webhook-timestamp"] == "1767614400"
    assert headers["webhook-id"] == "event-1"
