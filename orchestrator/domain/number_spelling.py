"""Numbers that are written in two ways: WhatsApp knows each by one of them only, and only WhatsApp knows by which.

Brazil put a 9 before mobile numbers, Mexico took the 1 after its country code away. An account keeps the form that it
began with.
"""

import re
from collections.abc import Iterable

from orchestrator.domain.jid import ContactId, jid_to_phone_number, phone_number_to_jid

# Landlines begin with 1 to 5 and never had a ninth digit.
_BRAZIL_SHORT = re.compile(r"\+55([1-9]{2})([6-9][0-9]{7})")
_BRAZIL_LONG = re.compile(r"\+55([1-9]{2})9([6-9][0-9]{7})")
_MEXICO_SHORT = re.compile(r"\+52([2-9][0-9]{9})")
_MEXICO_LONG = re.compile(r"\+521([2-9][0-9]{9})")
_REWRITTEN = (
    (_BRAZIL_SHORT, r"+55\g<1>9\g<2>"),
    (_BRAZIL_LONG, r"+55\g<1>\g<2>"),
    (_MEXICO_SHORT, r"+521\g<1>"),
    (_MEXICO_LONG, r"+52\g<1>"),
)


def other_spelling(phone_number: str) -> str:
    """Give the other way to write an E.164 number; empty where there is but one."""
    for pattern, form in _REWRITTEN:
        match = pattern.fullmatch(phone_number)
        if match:
            return match.expand(form)
    return ""


def other_jid(pn_jid: str) -> str:
    """Give the jid of the other way to write a jid's number; empty where there is but one, and for other jids."""
    other = other_spelling(jid_to_phone_number(pn_jid))
    return phone_number_to_jid(other) if other else ""


def all_names(contacts: Iterable[ContactId]) -> set[str]:
    """Give the jids that some contacts go by: number in each spelling, and lid."""
    contacts = list(contacts)
    names = {jid for contact in contacts for jid in (contact.pn_jid, contact.lid_jid)}
    return (names | {other_jid(contact.pn_jid) for contact in contacts}) - {""}
