"""Ids that follow from what they stand for, so that work done again after a kill makes the same thing."""

import hashlib
import uuid


def derived_id(*parts: str | int) -> str:
    """Give the UUID (version 8, RFC 9562) that belongs to these parts, in canonical text form."""
    digest = bytearray(_digest(*parts)[:16])
    digest[6] = digest[6] & 0x0F | 0x80
    digest[8] = digest[8] & 0x3F | 0x80
    return str(uuid.UUID(bytes=bytes(digest)))


def derived_whatsapp_id(*parts: str | int) -> str:
    """Give the WhatsApp message id that belongs to these parts: `3EB0` and 18 upper-case hex digits."""
    return "3EB0" + _digest("whatsapp", *parts)[:9].hex().upper()


def _digest(*parts: str | int) -> bytes:
    return hashlib.sha256("\x1f".join(map(str, parts)).encode()).digest()
