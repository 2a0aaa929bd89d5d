"""The id by which logs, answers and errors name one request."""

import re
import secrets

_USABLE = re.compile(r"[A-Za-z0-9._-]{1,64}")


def request_id(given: str | None) -> str:
    """Take the caller's X-Request-Id where it is 1 to 64 of A-Z a-z 0-9 . _ -, else make one."""
    if given and _USABLE.fullmatch(given):
        return given
    return secrets.token_hex(8)
