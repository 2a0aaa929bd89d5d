"""Which numbers have two spellings."""

import pytest

from orchestrator.domain.jid import ContactId
from orchestrator.domain.number_spelling import all_names, other_jid, other_spelling


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("+5531987654321", "+553187654321"),
        ("+5511961234567", "+551161234567"),
        ("+5215512345678", "+525512345678"),
        ("+5218112345678", "+528112345678"),
    ],
)
def test_each_spelling_gives_the_other(one: str, other: str) -> None:
    assert other_spelling(one) == other
    assert other_spelling(other) == one


@pytest.mark.parametrize(
    "number",
    [
        "+553132221111",  # a landline: a 9 before it makes no mobile number of it
        "+5531932221111",  # a mobile number of a range that never had 8 digits
        "+5501987654321",  # no area begins with 0
        "+55318765432",
        "+521512345678",
        "+351912345678",
        "",
    ],
)
def test_other_numbers_have_one_spelling(number: str) -> None:
    assert other_spelling(number) == ""


def test_jids_of_numbers_have_spellings_and_others_have_none() -> None:
    assert other_jid("5531987654321@s.whatsapp.net") == "553187654321@s.whatsapp.net"
    for jid in ("5531987654321@lid", "553187654321@g.us", "351912345678@s.whatsapp.net", ""):
        assert other_jid(jid) == ""


def test_the_names_of_contacts_are_each_spelling_and_the_lid() -> None:
    brazilian = ContactId("5531987654321@s.whatsapp.net", "7@lid")
    portuguese = ContactId("351912345678@s.whatsapp.net")
    assert all_names([brazilian, portuguese]) == {
        "5531987654321@s.whatsapp.net",
        "553187654321@s.whatsapp.net",
        "7@lid",
        "351912345678@s.whatsapp.net",
    }
    assert all_names([ContactId()]) == set()
