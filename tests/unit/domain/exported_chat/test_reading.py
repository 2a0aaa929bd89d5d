"""Exported chats message by message."""

from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.domain import errors
from orchestrator.domain.errors import ErrorCode, PonteError
from orchestrator.domain.exported_chat.ids import is_exported_id
from orchestrator.domain.exported_chat.lines import DateOrder
from orchestrator.domain.exported_chat.reading import (
    MOST_CHARACTERS,
    ExportedChat,
    ExportedMessage,
    read_messages,
)
from orchestrator.domain.exported_chat.survey import Survey
from orchestrator.domain.media import MediaKind

CHAT = ExportedChat("5511911111111@s.whatsapp.net", "Bia", DateOrder.DAY_FIRST, UTC)
AT = "[31/12/2024, 23:59:01]"


def read(*lines: str, chat: ExportedChat = CHAT) -> list[ExportedMessage | None]:
    return list(read_messages(lines, chat))


def words(*lines: str) -> list[str]:
    return [message.text for message in read(*lines) if message is not None]


def test_a_message_goes_on_until_the_next_begins() -> None:
    assert words(
        "not yet", f"{AT} Ana: one", "", "two", "[32/12/2024, 10:00:00] Bia: no date", f"{AT} Bia: x "
    ) == [
        "one\n\ntwo\n[32/12/2024, 10:00:00] Bia: no date",
        "x",
    ]


def test_nothing_comes_of_no_lines() -> None:
    assert read() == []
    assert read("Hello") == []


def test_what_is_dated_after_the_export_is_words_of_the_message_above() -> None:
    exported_by = datetime(2024, 12, 31, 12, tzinfo=UTC)
    chat = ExportedChat("1@g.us", "Bia", DateOrder.DAY_FIRST, UTC, exported_by)
    later = "[01/01/2025, 12:00:01] Bia: x"
    [message] = read(f"{AT} Ana: one", later, chat=chat)
    assert message is not None
    assert message.text == f"one\n{later}"


def test_own_messages_are_those_of_the_own_name() -> None:
    ana, bia = read(f"{AT} Ana: Hello", f"{AT} \u202aBia\u202c: Hello")
    assert ana is not None
    assert bia is not None
    assert (ana.is_own, bia.is_own) == (False, True)
    assert ana.sent_at == datetime(2024, 12, 31, 23, 59, 1, tzinfo=UTC)


def test_what_the_app_says_is_no_message_even_in_the_name_of_a_person() -> None:
    assert (
        read(
            f"{AT} Messages are end-to-end encrypted.",
            f"{AT} Ana: \u200eMessages are end-to-end encrypted.",
            f"{AT} Ana: \u200e",
            f"{AT} Ana:",
        )
        == [None] * 4
    )
    assert words(
        f"{AT} Ana: \u200ePOLL:",
        "Tea?",
        f"{AT} Ana: \u200eLocation: https://example.com",
        f"{AT} Ana: Hello \u200e<This message was edited>",
        f"{AT} Ana: \u200fمرحب",
    ) == ["POLL:\nTea?", "Location: https://example.com", "Hello", "\u200fمرحب"]


@pytest.mark.parametrize(
    "edited",
    [
        "\u200e<This message was edited>",
        "\u200e<Upravená zpráva>",
        "<Diese Nachricht wurde bearbeitet.>",
        "<Ce message a été modifié>",
        "<Questo messaggio è stato modificato>",
        "<Dit bericht is bewerkt>",
    ],
)
def test_that_a_message_was_edited_is_none_of_its_words(edited: str) -> None:
    assert words(f"{AT} Ana: Hello {edited}") == ["Hello"]
    [message] = read(f"{AT} Ana: Look \u200e<attached: 1.jpg> {edited}")
    assert message is not None
    assert (bool(message.attachment), message.text) == (True, "Look")


def test_words_in_angles_that_somebody_wrote_stay() -> None:
    assert words(f"{AT} Ana: if a <b>", f"{AT} Ana: Hello <you>") == ["if a <b>", "Hello <you>"]


def test_a_file_is_parted_from_its_words() -> None:
    [message] = read(f"{AT} Ana: Look \u200e<attached: 1.jpg>")
    assert message is not None
    assert message.attachment is not None
    assert (message.attachment.file_name, message.text) == ("1.jpg", "Look")


def test_a_message_whose_file_was_left_out_is_there_without_it() -> None:
    messages = read(
        f"{AT} Ana: \u200eContrato.pdf \u2022 \u200e3 pages \u200edocument omitted",
        f"{AT} Ana: Look here \u200eimage omitted",
        f"{AT} Ana: \u200eO cartão de visita do contato omitido",
    )
    assert [(one.attachment and one.attachment.kind, one.text) for one in messages if one] == [
        (MediaKind.DOCUMENT, ""),
        (MediaKind.IMAGE, "Look here"),
        (None, ""),
    ]


def test_a_message_has_no_more_characters_than_whatsapp_takes() -> None:
    [text] = words(f"{AT} Ana: x", *["y" * 40_000] * 5)
    assert len(text) == MOST_CHARACTERS


def test_equal_messages_are_told_apart_and_get_the_same_ids_in_every_reading() -> None:
    lines = [f"{AT} Ana: ok", f"{AT} Ana: ok", f"{AT} Bia: ok", "[31/12/2024, 23:59:02] Ana: ok"]
    first, second = read(*lines), read(*lines)
    assert first == second
    messages = [message for message in first if message is not None]
    assert len({message.wa_message_id for message in messages}) == 4
    assert all(is_exported_id(message.wa_message_id) for message in messages)
    assert [message.alike_before for message in messages] == [0, 1, 0, 0]
    assert [message.place for message in messages] == [0, 1, 2, 0]
    elsewhere = read(*lines, chat=ExportedChat("5@g.us", "Bia", DateOrder.DAY_FIRST, UTC))
    assert {one.wa_message_id for one in elsewhere if one} & {one.wa_message_id for one in messages} == set()


def test_alike_are_those_of_a_minute_where_the_file_has_no_seconds() -> None:
    lines = ("31/12/2024 23:59 - Ana: ok", "31/12/2024 23:59 - Ana: ok", "31/12/2024 23:58 - Ana: ok")
    messages = [message for message in read(*lines) if message is not None]
    assert [message.alike_before for message in messages] == [0, 1, 0]
    assert messages[0].alike_key == messages[1].alike_key != messages[2].alike_key


def test_equal_messages_far_apart_are_counted_no_more() -> None:
    lines = [f"{AT} Ana: ok", *(f"{AT} Ana: {number}" for number in range(10_001)), f"{AT} Ana: ok"]
    first, *_, last = read(*lines)
    assert first is not None
    assert last is not None
    assert last.alike_before == 0


HEADS = st.sampled_from(
    [
        f"{AT} Ana: ",
        "31/12/24 11:59 p. m. - Bia: ",
        f"{AT} Ana: \u200e",
        "1/1/9999 00:00 - ",
        "\u200e[",
        "31/12/",
    ]
)
LINES = st.lists(st.builds(str.__add__, st.one_of(HEADS, st.just("")), st.text(st.characters(codec=None))))


def refusal_of(survey: Survey) -> ErrorCode | None:
    try:
        survey.order()
    except PonteError as refused:
        return refused.code
    return None


@given(LINES, st.text(max_size=20), st.sampled_from(DateOrder))
def test_no_text_makes_the_reading_fail_and_as_much_is_read_as_was_counted(
    lines: list[str], own_name: str, order: DateOrder
) -> None:
    survey = Survey(own_name, UTC, order)
    for line in lines:
        survey.take(line)
    items = read(*lines, chat=ExportedChat("1@g.us", own_name, order, UTC))
    refusal = refusal_of(survey)
    if refusal is None:
        assert survey.total == len(items)
        return
    assert refusal is (errors.EXPORT_DATES_AMBIGUOUS if items else errors.EXPORT_WITHOUT_MESSAGES)


@given(LINES)
def test_no_text_makes_the_order_fail_but_with_its_own_errors(lines: list[str]) -> None:
    survey = Survey("Bia", UTC)
    for line in lines:
        survey.take(line)
    with suppress(PonteError):
        assert survey.order() in DateOrder
