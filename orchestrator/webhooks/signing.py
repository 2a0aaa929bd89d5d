"""Secrets and signatures by Standard Webhooks (https://www.standardwebhooks.com), with its own library."""

import base64
import binascii
import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from standardwebhooks import Webhook as LibrarySigner

from orchestrator.domain import errors
from orchestrator.domain.errors import invalid_field

SECRET_PREFIX: Final = "whsec_"  # noqa: S105 -- the prefix that marks a secret, not one
SECRET_BYTES: Final = 32
_SHORTEST_SECRET_BYTES: Final = 24
_LONGEST_SECRET_BYTES: Final = 64


def make_secret(random_bytes: Callable[[int], bytes] = secrets.token_bytes) -> str:
    """Make a secret: `whsec_` and base64 of 32 random bytes."""
    return SECRET_PREFIX + base64.b64encode(random_bytes(SECRET_BYTES)).decode()


def checked_secret(secret: str, field_path: str = "secret") -> str:
    """Give the secret back where it is `whsec_` and base64 of 24 to 64 bytes; else raise INVALID_ARGUMENT."""
    if _is_secret(secret):
        return secret
    raise invalid_field(
        errors.INVALID_ARGUMENT, field_path, "Give whsec_ and base64 of 24 to 64 random bytes."
    )


def _is_secret(secret: str) -> bool:
    if not secret.startswith(SECRET_PREFIX):
        return False
    try:
        key = base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        return False
    return _SHORTEST_SECRET_BYTES <= len(key) <= _LONGEST_SECRET_BYTES


class Signer:
    """Signs the deliveries of one endpoint."""

    def __init__(self, secret: str) -> None:
        self._signer = LibrarySigner(secret)

    def headers(self, event_id: str, body: str, at: datetime) -> dict[str, str]:
        """The three headers of Standard Webhooks for one attempt at time `at` (aware)."""
        moment = at.astimezone(UTC)
        return {
            "webhook-id": event_id,
            "webhook-timestamp": str(int(moment.timestamp())),
            "webhook-signature": self._signer.sign(event_id, moment, body),
        }
