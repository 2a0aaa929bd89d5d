"""What callers give about groups, checked field by field."""

import re
import unicodedata
from collections.abc import Sequence

from orchestrator.domain import errors
from orchestrator.domain.errors import invalid_field, not_found
from orchestrator.domain.group import GroupSettings
from orchestrator.domain.jid import GROUP_SERVER, LID_SERVER, PHONE_NUMBER_SERVER, without_device
from orchestrator.services.phone_numbers import chat_of

LONGEST_SUBJECT = 100
LONGEST_DESCRIPTION = 2048
MOST_PARTICIPANTS = 50
"""In one call. Many strangers added at once is what WhatsApp bans numbers for."""

DISAPPEARING_S = (0, 86_400, 604_800, 7_776_000)
"""The times that WhatsApp offers: off, a day, a week, 90 days."""

_GROUP = re.compile(rf"[0-9]{{5,40}}(-[0-9]{{5,20}})?@{re.escape(GROUP_SERVER)}")
_INVITE = re.compile(r"(?:(?:https?://)?chat\.whatsapp\.com/(?:invite/)?)?([A-Za-z0-9_-]{8,64})/?(?:\?.*)?")
_LINK = "https://chat.whatsapp.com/"


def check_group_jid(text: str) -> str:
    """Give back what can be a group's jid. Raises the NOT_FOUND of an unknown one for anything else."""
    if not _GROUP.fullmatch(text):
        raise not_found()
    return text


def check_group_field(text: str, field: str) -> str:
    """Give back what can be a group's jid. Raises INVALID_ARGUMENT naming `field` for anything else."""
    if not _GROUP.fullmatch(text):
        example = f"120363012345678901@{GROUP_SERVER}"
        raise invalid_field(errors.INVALID_ARGUMENT, field, f"Give a group's jid, such as {example}.")
    return text


def checked_participants(participants: Sequence[str], *, at_least: int = 1) -> list[str]:
    """The jids of people given by E.164 number, jid or lid, each once.

    Raises INVALID_ARGUMENT and INVALID_PHONE_NUMBER naming `participants[i]`.
    """
    if not at_least <= len(participants) <= MOST_PARTICIPANTS:
        bounds = f"{at_least} to {MOST_PARTICIPANTS}"
        raise invalid_field(errors.INVALID_ARGUMENT, "participants", f"Give {bounds} participants.")
    jids: list[str] = []
    for position, text in enumerate(participants):
        field = f"participants[{position}]"
        jid = without_device(chat_of(text, field))
        user, _, server = jid.partition("@")
        if not user.isdigit() or server not in (PHONE_NUMBER_SERVER, LID_SERVER):
            raise invalid_field(
                errors.INVALID_ARGUMENT, field, "Give a phone number, or a person's jid or lid."
            )
        if jid in jids:
            raise invalid_field(errors.INVALID_ARGUMENT, field, "This participant is given twice.")
        jids.append(jid)
    return jids


def check_settings(settings: GroupSettings) -> None:
    """Raise INVALID_ARGUMENT naming the field that WhatsApp would not take, or where nothing is to be changed."""
    if settings == GroupSettings():
        raise invalid_field(errors.INVALID_ARGUMENT, "subject", "Give at least one field to change.")
    if settings.subject is not None:
        check_subject(settings.subject)
    if settings.description is not None:
        check_description(settings.description)
    if settings.disappearing_s is not None and settings.disappearing_s not in DISAPPEARING_S:
        offered = ", ".join(str(seconds) for seconds in DISAPPEARING_S)
        raise invalid_field(errors.INVALID_ARGUMENT, "disappearing_s", f"Give one of {offered}.")


def check_subject(subject: str) -> None:
    """Raise INVALID_ARGUMENT where a subject is empty, too long or not of one line."""
    if not 1 <= len(subject.strip()) <= LONGEST_SUBJECT:
        raise invalid_field(errors.INVALID_ARGUMENT, "subject", f"Give 1 to {LONGEST_SUBJECT} characters.")
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in subject):
        raise invalid_field(errors.INVALID_ARGUMENT, "subject", "Give a subject without control characters.")


def check_description(description: str) -> None:
    """Raise INVALID_ARGUMENT where a description is too long or has NUL."""
    if len(description) > LONGEST_DESCRIPTION or "\0" in description:
        limit = f"Give at most {LONGEST_DESCRIPTION} characters."
        raise invalid_field(errors.INVALID_ARGUMENT, "description", limit)


def invite_code(link: str) -> str:
    """The code in an invite link, which may be given alone. Raises INVALID_ARGUMENT naming `link`."""
    found = _INVITE.fullmatch(link.strip())
    if found is None:
        raise invalid_field(errors.INVALID_ARGUMENT, "link", f"Give a link such as {_LINK}AbCdEf123.")
    return found.group(1)


def invite_link(code: str) -> str:
    """The link that people use."""
    return f"{_LINK}{code}"
