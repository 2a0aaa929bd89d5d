"""Which numbers are taken."""

import pytest

from orchestrator.domain.errors import INVALID_PHONE_NUMBER, RECIPIENT_NOT_SUPPORTED, PonteError
from orchestrator.services.phone_numbers import chat_of, check_phone_number, check_recipient


@pytest.mark.parametrize(
    "number",
    [
        "+5511987654321",
        "+551187654321",
        "+12025550123",
        "+351912345678",
        "+4915123456789",
        "+525512345678",
        "+5215512345678",
    ],
)
def test_e164_is_taken(number: str) -> None:
    assert check_phone_number(number, "to") == number


@pytest.mark.parametrize(
    "text",
    [
        "",
        "+",
        "5511987654321",
        "+55 11987654321",
        "+0123456789",
        "+1",
        "+12",
        "abc",
        "+\uff15511987654321",
        "+5511987654321\n",
    ],
)
def test_anything_else_is_refused_with_the_field(text: str) -> None:
    with pytest.raises(PonteError) as refused:
        check_phone_number(text, "numbers[2]")
    assert refused.value.code is INVALID_PHONE_NUMBER
    assert refused.value.violations[0].field == "numbers[2]"


def test_a_chat_is_named_by_number_or_jid() -> None:
    assert chat_of("+5511987654321", "chat") == "5511987654321@s.whatsapp.net"
    assert chat_of("120@g.us", "chat") == "120@g.us"


@pytest.mark.parametrize("jid", ["status@broadcast", "1700000000@broadcast"])
def test_nobody_sends_to_broadcast_lists(jid: str) -> None:
    with pytest.raises(PonteError) as refused:
        check_recipient(jid, "to")
    assert refused.value.code is RECIPIENT_NOT_SUPPORTED


def test_whom_to_send_to_is_a_number() -> None:
    assert check_recipient("+5511987654321", "to") == "+5511987654321"
    with pytest.raises(PonteError) as refused:
        check_recipient("5511987654321@s.whatsapp.net", "to")
    assert refused.value.code is INVALID_PHONE_NUMBER
