import io
import json
import logging
from collections.abc import Iterator

import pytest
from loguru import logger

from orchestrator.telemetry import MAX_LINE, configure_logging, mask_phone_number, mask_text


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    yield io.StringIO()
    configure_logging()


@pytest.mark.parametrize(
    ("number", "masked"),
    [
        ("+5511987654321", "+5511*******21"),
        ("5511987654321", "5511*******21"),
        ("+123456789", "+1234***89"),
        ("+1234567", "+*******"),
        ("", ""),
    ],
)
def test_a_number_keeps_its_first_four_and_last_two_digits(number: str, masked: str) -> None:
    assert mask_phone_number(number) == masked


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("to +5511987654321.", "to +5511*******21."),
        ("from 5511987654321@s.whatsapp.net", "from 5511*******21@s.whatsapp.net"),
        ("5511987654321:7@s.whatsapp.net", "5511*******21:7@s.whatsapp.net"),
        ("id 019ab3c1-0000-7000-8000-123456789012", "id 019ab3c1-0000-7000-8000-123456789012"),
        ("took 1234567890 ns on port 8080", "took 1234567890 ns on port 8080"),
    ],
)
def test_numbers_in_a_text_are_masked_and_nothing_else(text: str, masked: str) -> None:
    assert mask_text(text) == masked


def test_text_lines_carry_the_bound_ids(stream: io.StringIO) -> None:
    configure_logging(stream=stream)
    with logger.contextualize(company_id="c-1", session_id=""):
        logger.bind(message_id="m-1", other="x").info("sent to {}", "+5511987654321")
    line = stream.getvalue()
    assert line.endswith("INFO    sent to +5511*******21 company_id=c-1 message_id=m-1\n")


def test_json_lines_are_one_object_each_with_ids_and_exception(stream: io.StringIO) -> None:
    configure_logging(form="json", stream=stream)
    try:
        raise ValueError("call +5511987654321")
    except ValueError:
        logger.bind(session_id="s-1").exception("went wrong")
    entry = json.loads(stream.getvalue())
    assert entry["level"] == "ERROR"
    assert entry["message"] == "went wrong"
    assert entry["session_id"] == "s-1"
    assert "ValueError" in entry["exception"]
    assert "+5511987654321" not in stream.getvalue()


def test_lines_below_the_level_are_left_out(stream: io.StringIO) -> None:
    configure_logging(level="WARNING", stream=stream)
    logger.info("quiet")
    assert stream.getvalue() == ""


def test_the_standard_librarys_log_goes_the_same_way(stream: io.StringIO) -> None:
    configure_logging(form="json", stream=stream)
    logging.getLogger("a.library").warning("told %s {braces}", "+5511987654321")
    entry = json.loads(stream.getvalue())
    assert entry["message"] == "told +5511*******21 {braces}"
    assert entry["level"] == "WARNING"


def test_a_line_is_bounded(stream: io.StringIO) -> None:
    configure_logging(stream=stream)
    logger.info("x" * (MAX_LINE * 3))
    assert len(stream.getvalue()) < MAX_LINE + 200
