"""What several kinds of content check alike. Each function raises PonteError naming the field at `path`."""

import re

from orchestrator.domain import errors
from orchestrator.domain.errors import PonteError, invalid_field

MAX_TEXT_CHARACTERS = 65_536
"""WhatsApp's own bound for one text message."""

_NUL = "\0"
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")


def body_text(text: str, path: str) -> None:
    """A text that must show something. Raises TEXT_EMPTY, TEXT_TOO_LONG or INVALID_ARGUMENT."""
    if not text.strip():
        raise invalid_field(errors.TEXT_EMPTY, path)
    if len(text) > MAX_TEXT_CHARACTERS:
        raise invalid_field(errors.TEXT_TOO_LONG, path)
    free_of_nul(text, path)


def free_of_nul(text: str, path: str) -> None:
    """Raises INVALID_ARGUMENT for a text that PostgreSQL does not store."""
    if _NUL in text:
        raise refused(path, "The text has a NUL character; leave it out.")


def short_text(text: str, path: str, most: int) -> None:
    """A text of at most `most` characters, perhaps empty. Raises INVALID_ARGUMENT."""
    if len(text) > most:
        raise refused(path, f"Give at most {most} characters.")
    free_of_nul(text, path)


def named_text(text: str, path: str, most: int) -> None:
    """A text of 1 to `most` characters that shows something. Raises INVALID_ARGUMENT."""
    if not text.strip():
        raise refused(path, f"Give 1 to {most} characters.")
    short_text(text, path, most)


def count(number: int, path: str, least: int, most: int) -> None:
    """How many there are of something. Raises INVALID_ARGUMENT."""
    if not least <= number <= most:
        raise refused(path, f"Give {least} to {most}.")


def phone_number(text: str, path: str) -> None:
    """An E.164 number. Raises INVALID_PHONE_NUMBER."""
    if not _E164.fullmatch(text):
        raise invalid_field(errors.INVALID_PHONE_NUMBER, path)


def refused(path: str, sentence: str) -> PonteError:
    """An INVALID_ARGUMENT about one field."""
    return invalid_field(errors.INVALID_ARGUMENT, path, sentence)
