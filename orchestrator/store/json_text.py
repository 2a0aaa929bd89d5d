"""JSON as it is stored."""

import json
from typing import Any

_ESCAPED_NUL = "\\u0000"


def dump_json(value: object) -> str:
    """Write JSON without needless spaces or escapes; NUL, which PostgreSQL refuses, becomes U+FFFD."""
    text = _dump(value)
    return _dump(_without_nul(value)) if _ESCAPED_NUL in text else text


def _dump(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _without_nul(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\0", "\ufffd")
    if isinstance(value, dict):
        return {_without_nul(name): _without_nul(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nul(item) for item in value]
    return value
