"""Lines of exported chats of many phones: where a message begins, who wrote it, and when."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from orchestrator.domain.exported_chat.lines import DateOrder, Head, moment_of, plain_name, read_head

SAO_PAULO = ZoneInfo("America/Sao_Paulo")
NEW_YEARS_EVE = datetime(2024, 12, 31, 23, 59, tzinfo=UTC)


def head_of(line: str, own_name: str = "Bia") -> Head:
    head = read_head(line, own_name)
    assert head is not None
    return head


@pytest.mark.parametrize(
    ("line", "order"),
    [
        ("[31/12/2024, 23:59:00] Ana: Hello", DateOrder.DAY_FIRST),
        ("\u200e[31/12/2024, 23:59:00] Ana: Hello", DateOrder.DAY_FIRST),
        ("[31.12.24, 23:59:00] Ana: Hello", DateOrder.DAY_FIRST),
        ("[31/12/2024 23:59:00] Ana: Hello", DateOrder.DAY_FIRST),
        ("[31.12.24, 11:59:00\u202fPM] Ana: Hello", DateOrder.DAY_FIRST),
        ("[2024-12-31, 11:59:00 p.\u00a0m.] Ana: Hello", DateOrder.YEAR_FIRST),
        ("31/12/2024 23:59 - Ana: Hello", DateOrder.DAY_FIRST),
        ("31/12/2024, 23:59 - Ana: Hello", DateOrder.DAY_FIRST),
        ("12/31/24, 11:59\u202fPM - Ana: Hello", DateOrder.MONTH_FIRST),
        ("12/31/24, 11:59 p. m. - Ana: Hello", DateOrder.MONTH_FIRST),
        ("31/12/2024 à 23:59 - Ana: Hello", DateOrder.DAY_FIRST),
        ("[31/12/2024 à 23:59:00] Ana: Hello", DateOrder.DAY_FIRST),
        ("2024/12/31, 23:59 - Ana: Hello", DateOrder.YEAR_FIRST),
        ("2024. 12. 31. 23:59 - Ana: Hello", DateOrder.YEAR_FIRST),
        ("24/12/31, 23:59 - Ana: Hello", DateOrder.YEAR_FIRST),
        ("31.12.2024, 23.59 \u2013 \u202aAna\u202c: Hello", DateOrder.DAY_FIRST),
        ("\u200f31/12/2024, \u200f23:59 - Ana: Hello", DateOrder.DAY_FIRST),
    ],
)
def test_every_way_in_which_phones_write_a_moment_is_read(line: str, order: DateOrder) -> None:
    head = head_of(line)
    assert moment_of(head, order, UTC) == NEW_YEARS_EVE
    assert (head.author, head.text) == ("Ana", "Hello")


@pytest.mark.parametrize(
    ("clock", "hour"), [("12:05 AM", 0), ("1:05 am", 1), ("12:05 PM", 12), ("11:05 pm", 23), ("00:05", 0)]
)
def test_midnight_and_noon_are_told_apart(clock: str, hour: int) -> None:
    assert head_of(f"31/12/2024, {clock} - Ana: Hello").hour == hour


@pytest.mark.parametrize(
    "line",
    [
        "",
        "Hello",
        "[Hello] Ana: Hello",
        "31/12/2024 Ana: Hello",
        "31/12/2024 23:59 Ana: Hello",
        "[31/12/2024, 13:05:00 PM] Ana: Hello",
        "31/12/2024, 0:05 AM - Ana: Hello",
    ],
)
def test_other_lines_begin_no_message(line: str) -> None:
    assert read_head(line, "Bia") is None


@pytest.mark.parametrize(
    "line",
    [
        "32/12/2024 23:59 - Ana: x",
        "31/13/2024 23:59 - Ana: x",
        "29/02/2023 23:59 - Ana: x",
        "31/12/2024 24:00 - Ana: x",
        "31/12/2024 23:60 - Ana: x",
        "31/12/024 23:59 - Ana: x",
        "31/12/2008 23:59 - Ana: x",
        "31/12/08 23:59 - Ana: x",
        "31/12/2567 23:59 - Ana: x",
        "31/12/9999 23:59 - Ana: x",
    ],
)
def test_a_date_that_cannot_be_is_no_moment(line: str) -> None:
    assert moment_of(head_of(line), DateOrder.DAY_FIRST, SAO_PAULO) is None


def test_nothing_was_sent_after_the_export_but_for_a_day_by_which_clocks_differ() -> None:
    head = head_of("31/12/2024 23:59 - Ana: x")
    exported_by = datetime(2024, 12, 30, 23, 59, tzinfo=UTC)
    assert moment_of(head, DateOrder.DAY_FIRST, UTC, exported_by) == NEW_YEARS_EVE
    assert moment_of(head, DateOrder.DAY_FIRST, UTC, exported_by - timedelta(seconds=1)) is None


def test_times_are_of_the_zone_and_of_two_the_earlier() -> None:
    head = head_of("31/12/2024 23:59 - Ana: x")
    assert moment_of(head, DateOrder.DAY_FIRST, SAO_PAULO) == datetime(2025, 1, 1, 2, 59, tzinfo=UTC)
    twice = head_of("17/02/2018 23:30 - Ana: x")
    assert moment_of(twice, DateOrder.DAY_FIRST, SAO_PAULO) == datetime(2018, 2, 18, 1, 30, tzinfo=UTC)


def test_seconds_are_known_only_where_they_stand_there() -> None:
    assert head_of("[31/12/2024, 23:59:07] Ana: x").second == 7
    assert head_of("31/12/2024 23:59 - Ana: x").second is None


@pytest.mark.parametrize(
    ("rest", "author", "text"),
    [
        ("Ana: Hello: you", "Ana", "Hello: you"),
        ("Ana:", "Ana", ""),
        ("Bia: the second: Hello", "Bia: the second", "Hello"),
        ("~\u202fAna\u00a0Lima: Hello", "~ Ana Lima", "Hello"),
        ("\u202a+55 11 91234-5678\u202c: \u200eHello", "+55 11 91234-5678", "\u200eHello"),
        ("Messages are end-to-end encrypted.", "", "Messages are end-to-end encrypted."),
        ('Ana changed it from "A" to "Plans: 2025"', "", 'Ana changed it from "A" to "Plans: 2025"'),
        ("Ana hat \u201eA\u201c in \u201eB: C\u201c", "", "Ana hat \u201eA\u201c in \u201eB: C\u201c"),
        ("Ana: \u201cPlans: 2025\u201d", "Ana", "\u201cPlans: 2025\u201d"),
        ('Ana "Annie" Lima: Hello', 'Ana "Annie" Lima', "Hello"),
        ("Ana \u00abAnnie\u00bb: Hello", "Ana \u00abAnnie\u00bb", "Hello"),
        ('Ana 5": Hello', 'Ana 5"', "Hello"),
        ("https://example.com", "", "https://example.com"),
    ],
)
def test_who_wrote_stands_before_the_first_colon_that_nothing_quotes(
    rest: str, author: str, text: str
) -> None:
    head = head_of(f"31/12/2024 23:59 - {rest}", own_name="Bia: the second")
    assert (head.author, head.text) == (author, text)


def test_names_that_look_alike_are_one() -> None:
    assert plain_name(" \u202aJose\u0301\u00a0 Lima\u202c") == "José Lima"
