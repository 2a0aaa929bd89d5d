"""WhatsApp addresses."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.domain.jid import (
    ContactId,
    jid_to_phone_number,
    person_named,
    phone_number_to_jid,
    without_device,
)

phone_numbers = st.from_regex(r"\A\+[1-9][0-9]{6,14}\Z")


@given(phone_numbers)
def test_a_phone_number_survives_the_way_to_a_jid_and_back(phone_number: str) -> None:
    assert jid_to_phone_number(phone_number_to_jid(phone_number)) == phone_number


@pytest.mark.parametrize(
    ("jid", "phone_number"),
    [
        ("5511987654321:12@s.whatsapp.net", "+5511987654321"),
        ("123456@lid", ""),
        ("120363012345678901@g.us", ""),
        ("@s.whatsapp.net", ""),
        ("5511987654321", ""),
        ("", ""),
    ],
)
def test_only_a_phone_number_jid_has_a_phone_number(jid: str, phone_number: str) -> None:
    assert jid_to_phone_number(jid) == phone_number


@pytest.mark.parametrize(
    ("jid", "bare"),
    [
        ("55119:3@s.whatsapp.net", "55119@s.whatsapp.net"),
        ("77@lid", "77@lid"),
        ("status", "status"),
        ("", ""),
    ],
)
def test_the_device_is_dropped(jid: str, bare: str) -> None:
    assert without_device(jid) == bare
    assert without_device(bare) == bare


def test_a_contact_is_written_to_by_its_phone_number_where_that_is_known() -> None:
    both = ContactId("5511987654321@s.whatsapp.net", "77@lid")

    assert (both.jid, both.phone_number) == ("5511987654321@s.whatsapp.net", "+5511987654321")
    assert (ContactId(lid_jid="77@lid").jid, ContactId(lid_jid="77@lid").phone_number) == ("77@lid", "")
    assert (ContactId().jid, ContactId().phone_number) == ("", "")


def test_a_person_is_named_by_the_hidden_id_or_by_the_number() -> None:
    assert person_named("911@lid") == ContactId(lid_jid="911@lid")
    assert person_named("5511911111111@s.whatsapp.net") == ContactId("5511911111111@s.whatsapp.net")
