"""Ids of exported messages, whose own ids WhatsApp does not tell."""

import hashlib
from datetime import datetime
from typing import Final

PREFIX: Final = "EXPORT"
"""No client of WhatsApp makes ids that begin so: theirs are hexadecimal."""

_DIGITS: Final = 32


def exported_id(chat_jid: str, sent_at: datetime, author: str, text: str, equal_before: int) -> str:
    """Give a message the same id in every import of its chat; `equal_before` tells equal ones apart."""
    told = "\0".join((chat_jid, str(int(sent_at.timestamp())), author, text, str(equal_before)))
    return PREFIX + hashlib.sha256(told.encode(errors="surrogatepass")).hexdigest()[:_DIGITS].upper()


def is_exported_id(wa_message_id: str) -> bool:
    """Tell whether WhatsApp does not know a message by this id."""
    return wa_message_id.startswith(PREFIX)
