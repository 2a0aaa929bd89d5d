"""Lines of an exported chat: whether a message begins in one, who wrote it, and when.

iPhones write `[31/12/2024, 23:59:01] Ana: text`, Android `31/12/2024 23:59 - Ana: text`, each in the language, with the
order of dates and the clock of the phone that exported.
"""

import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from enum import StrEnum
from typing import Final

FIRST_YEAR: Final = 2009
"""WhatsApp's first; an earlier date is words of somebody."""

_LAST_YEAR: Final = 2099
"""A later one is of another calendar, such as the Thai, or words as well."""

_CLOCKS_APART: Final = timedelta(days=1)
"""So far ahead may be the clock or the zone of the phone that exported."""

MARKS: Final = "\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff"
"""Characters that nobody sees, which say in which direction text runs."""

_LONGEST_AUTHOR: Final = 120
_CENTURY: Final = 2000
_SHORT_YEAR, _LONG_YEAR = 2, 4
_NOON: Final = 12

_DATE: Final = r"(\d{1,4})(?:[./-]|\.\s)(\d{1,2})(?:[./-]|\.\s)(\d{1,4})\.?"
_TIME: Final = r"(\d{1,2})[:.](\d{2})(?:[:.](\d{2}))?(?:\s?([AaPp])\.?\s?[Mm]\.?)?"
_MOMENT: Final = rf"{_DATE},?\s(?:à\s)?[{MARKS}]*{_TIME}"
_BRACKETED: Final = re.compile(rf"\[[{MARKS}]*{_MOMENT}[{MARKS}]*\]\s?(.*)", re.DOTALL)
_DASHED: Final = re.compile(rf"{_MOMENT}[{MARKS}]*\s[-\u2013]\s(.*)", re.DOTALL)
_AUTHOR: Final = re.compile(rf"([^:]{{1,{_LONGEST_AUTHOR}}}):(?:\s(.*)|$)", re.DOTALL)
_UNCLOSED: Final = re.compile(r"\s(?:\"[^\"]*|\u201c[^\u201d]*|\u201e[^\u201c\u201d]*|\u00ab[^\u00bb]*)$")
"""`Ana changed the subject from "A" to "Plans`: the colon stands within what the app quotes."""

_NO_MARKS: Final = dict.fromkeys(map(ord, MARKS))
_SEEN: Final = _NO_MARKS | {0: None}
"""Without what nobody sees, and without NUL, which PostgreSQL does not take."""


class DateOrder(StrEnum):
    """In which order the numbers of a file's dates stand."""

    DAY_FIRST = "DAY_FIRST"
    MONTH_FIRST = "MONTH_FIRST"
    YEAR_FIRST = "YEAR_FIRST"


@dataclass(frozen=True, slots=True)
class Head:
    """The line in which a message begins. `date` is its numbers as they stand there, `widths` how many digits the first
    and the last have; `second` is None where the file has none. Without an `author` the app itself wrote it."""

    date: tuple[int, int, int]
    widths: tuple[int, int]
    hour: int
    minute: int
    second: int | None
    author: str
    text: str


def read_head(line: str, own_name: str) -> Head | None:
    """Read a line as the beginning of a message; None where it is none, whatever the order of dates.

    `own_name` may have a colon in it, other names may not.
    """
    line = line.lstrip(MARKS)
    found = (_BRACKETED if line.startswith("[") else _DASHED).match(line)
    if found is None:
        return None
    first, middle, last, hour, minute, second, meridiem, rest = found.groups()
    hour_of_day = _hour_of_day(int(hour), meridiem)
    if hour_of_day is None:
        return None
    author, text = _author_and_text(rest.lstrip(MARKS), own_name)
    return Head(
        (int(first), int(middle), int(last)),
        (len(first), len(last)),
        hour_of_day,
        int(minute),
        None if second is None else int(second),
        author,
        text,
    )


def moment_of(
    head: Head, order: DateOrder, zone: tzinfo, exported_by: datetime | None = None
) -> datetime | None:
    """Say when a message was sent, in UTC; None where no calendar has that date, or it is before WhatsApp was there.

    Nor may it be after `exported_by`, when the file was there already. Where a clock was set back the earlier of two
    moments is meant.
    """
    first, middle, last = head.date
    day, month, year, width = last, middle, first, head.widths[0]
    if order is not DateOrder.YEAR_FIRST:
        day, month, year, width = first, middle, last, head.widths[1]
    if order is DateOrder.MONTH_FIRST:
        day, month = month, day
    if width == _SHORT_YEAR:
        year += _CENTURY
    elif width != _LONG_YEAR:
        return None
    if not FIRST_YEAR <= year <= _LAST_YEAR:
        return None
    try:
        local = datetime(year, month, day, head.hour, head.minute, head.second or 0, tzinfo=zone)
    except ValueError:
        return None
    moment = local.astimezone(UTC)
    return None if exported_by is not None and moment > exported_by + _CLOCKS_APART else moment


def plain_name(name: str) -> str:
    """Give a name as people see it, by which two are the same."""
    return " ".join(unicodedata.normalize("NFC", name.translate(_SEEN)).split())


def without_marks(text: str) -> str:
    """Take out what nobody sees."""
    return text.translate(_NO_MARKS)


def _hour_of_day(hour: int, meridiem: str | None) -> int | None:
    if meridiem is None:
        return hour
    if not 1 <= hour <= _NOON:
        return None
    return hour % _NOON + (_NOON if meridiem in "Pp" else 0)


def _author_and_text(rest: str, own_name: str) -> tuple[str, str]:
    if own_name and rest.startswith(f"{own_name}: "):
        return own_name, rest[len(own_name) + 2 :]
    found = _AUTHOR.match(rest)
    if found is None or _UNCLOSED.search(found[1]):
        return "", rest
    return plain_name(found[1]), found[2] or ""
