"""Identifiers: UUIDv7 for Ponte's own things, WhatsApp message ids, API keys' public part."""

import uuid
from datetime import datetime
from random import Random

_WHATSAPP_ID_PREFIX = "3EB0"
_WHATSAPP_ID_RANDOM_BYTES = 9


def make_id(now: datetime, rng: Random) -> str:
    """Make a UUIDv7 (RFC 9562, section 5.7) in canonical text form; ids made later sort later."""
    milliseconds = int(now.timestamp() * 1000) & ((1 << 48) - 1)
    value = milliseconds << 80 | 0x7 << 76 | rng.getrandbits(12) << 64 | 0b10 << 62 | rng.getrandbits(62)
    return str(uuid.UUID(int=value))


def is_id(text: str) -> bool:
    """Tell whether `text` is a UUID in canonical form."""
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False


def make_whatsapp_message_id(rng: Random) -> str:
    """Make a message id of the form that WhatsApp Web clients use: `3EB0` and 18 upper-case hex digits."""
    return _WHATSAPP_ID_PREFIX + rng.randbytes(_WHATSAPP_ID_RANDOM_BYTES).hex().upper()
