"""Phone numbers as callers give them."""

import re
from functools import lru_cache

import phonenumbers

from orchestrator.domain import errors
from orchestrator.domain.errors import PonteError, invalid_field
from orchestrator.domain.jid import phone_number_to_jid
from orchestrator.domain.number_spelling import other_spelling

_E164 = re.compile(r"\+[1-9][0-9]{6,14}")


def check_phone_number(text: str, field: str) -> str:
    """Give back a number that is E.164 and of a possible length for its country.

    Raises PonteError(INVALID_PHONE_NUMBER) naming `field`. Whether the number is on WhatsApp only WhatsApp knows.
    """
    if not _is_possible(text):
        raise invalid_field(errors.INVALID_PHONE_NUMBER, field)
    return text


def check_recipient(text: str, field: str) -> str:
    """As `check_phone_number`, for somebody to send to.

    Raises PonteError: INVALID_PHONE_NUMBER, and RECIPIENT_NOT_SUPPORTED for the jid of a broadcast list.
    """
    if text.endswith("@broadcast"):
        raise PonteError(errors.RECIPIENT_NOT_SUPPORTED)
    return check_phone_number(text, field)


def chat_of(text: str, field: str) -> str:
    """Turn an E.164 number or a jid into a chat's jid. Raises PonteError(INVALID_PHONE_NUMBER) naming `field`."""
    if "@" in text:
        return text
    return phone_number_to_jid(check_phone_number(text, field))


@lru_cache(maxsize=4096)
def _is_possible(text: str) -> bool:
    # The library knows one spelling of some numbers, WhatsApp may know the other.
    return _is_possible_as_written(text) or _is_possible_as_written(other_spelling(text))


def _is_possible_as_written(text: str) -> bool:
    if not _E164.fullmatch(text):
        return False
    try:
        number = phonenumbers.parse(text, None)
    except phonenumbers.NumberParseException:
        return False
    # Not is_valid_number: the library's list of ranges in use is always older than the numbers that are.
    return bool(phonenumbers.is_possible_number(number))
