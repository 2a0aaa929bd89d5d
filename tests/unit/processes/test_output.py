import asyncio
from typing import Any

import pytest
from loguru import logger

from orchestrator.processes.output import MAX_LINE_BYTES, bounded_lines, forward, parse_object


async def lines_of(*chunks: bytes) -> list[str]:
    reader = asyncio.StreamReader()
    for chunk in chunks:
        reader.feed_data(chunk)
    reader.feed_eof()
    return [line async for line in bounded_lines(reader)]


async def test_lines_are_put_together_from_chunks() -> None:
    assert await lines_of(b"on", b"e\ntwo\r\nth", b"ree") == ["one", "two", "three"]


async def test_a_long_line_is_cut_and_the_next_one_is_whole() -> None:
    long, short = await lines_of(b"a" * (MAX_LINE_BYTES * 20), b"\nshort\n")
    assert long == "a" * MAX_LINE_BYTES
    assert short == "short"


async def test_bytes_that_are_no_text_do_not_stop_the_log() -> None:
    assert await lines_of(b"\xff\xfe\n") == ["\ufffd\ufffd"]


@pytest.mark.parametrize(("line", "value"), [('{"a": 1}', {"a": 1}), ("{a", None), ("[1]", None), ("", None)])
def test_only_a_json_object_is_parsed(line: str, value: object) -> None:
    assert parse_object(line) == value


@pytest.mark.parametrize(
    ("line", "level", "message"),
    [
        ("plain", "INFO", "plain"),
        ('{"level":"warn","msg":"m"}', "WARNING", "m"),
        ('{"level":10,"message":"m","n":2}', "DEBUG", 'm {"n": 2}'),
        ('{"level":"odd","msg":"{braces}"}', "INFO", "{braces}"),
        ('{"no":"message"}', "INFO", '{"no":"message"}'),
    ],
)
def test_a_line_keeps_its_level_and_text(line: str, level: str, message: str) -> None:
    seen: list[Any] = []
    sink = logger.add(lambda entry: seen.append(entry.record), level="DEBUG")
    forward("bridge", line)
    forward("bridge", "   ")
    logger.remove(sink)
    assert [(record["level"].name, record["message"]) for record in seen] == [(level, message)]
