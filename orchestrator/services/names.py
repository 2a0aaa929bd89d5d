"""Names that people give to companies, keys and sessions."""

import unicodedata

from orchestrator.domain.errors import INVALID_ARGUMENT, invalid_field

LONGEST_NAME = 200


def checked_name(name: str) -> str:
    """Give a name without outer spaces.

    Raises INVALID_ARGUMENT where it is empty, longer than 200 characters or has control characters.
    """
    name = name.strip()
    if not 1 <= len(name) <= LONGEST_NAME:
        raise invalid_field(INVALID_ARGUMENT, "name", f"Give 1 to {LONGEST_NAME} characters.")
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in name):
        raise invalid_field(INVALID_ARGUMENT, "name", "Give a name without control characters.")
    return name
