"""What a child prints: read in bounded lines, handed to the log."""

from __future__ import annotations

import json
from asyncio import StreamReader
from collections.abc import AsyncIterator
from typing import Any

from loguru import logger

from orchestrator.telemetry import BOUND_FIELDS

MAX_LINE_BYTES = 16_384
"""Bytes of a line that are kept; the rest of it is dropped."""

_CHUNK = 65_536
_LEVELS = {10: "DEBUG", 20: "DEBUG", 30: "INFO", 40: "WARNING", 50: "ERROR", 60: "ERROR"}
"""Numeric levels as pino writes them."""


async def bounded_lines(reader: StreamReader) -> AsyncIterator[str]:
    """Yield the lines of `reader` without their ends, each cut at MAX_LINE_BYTES, until it ends."""
    pending = b""
    while chunk := await reader.read(_CHUNK):
        *lines, rest = chunk.split(b"\n")
        for line in lines:
            yield _text(pending + line)
            pending = b""
        pending = (pending + rest)[:MAX_LINE_BYTES]
    if pending:
        yield _text(pending)


def parse_object(line: str) -> dict[str, Any] | None:
    """Return the JSON object that `line` is, None when it is something else."""
    if not line.startswith("{"):
        return None
    try:
        value = json.loads(line)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def forward(process: str, line: str, *, default_level: str = "INFO") -> None:
    """Log one line of a child. JSON lines with `level` and `msg` (or `message`) keep their level and ids."""
    if not line.strip():
        return
    entry = parse_object(line)
    text = (entry.get("msg") or entry.get("message")) if entry else None
    if entry is None or not isinstance(text, str):
        logger.bind(process=process).log(default_level, "{}", line)
        return
    ids = {name: str(entry[name]) for name in BOUND_FIELDS if entry.get(name)}
    logger.bind(process=process, **ids).log(
        _level(entry.get("level"), default_level), "{}", text + _rest(entry)
    )


def _level(level: object, default: str) -> str:
    if isinstance(level, int):
        return _LEVELS.get(level, default)
    name = str(level).upper()
    name = {"WARN": "WARNING", "FATAL": "ERROR", "TRACE": "DEBUG"}.get(name, name)
    return name if name in {"DEBUG", "INFO", "WARNING", "ERROR"} else default


def _rest(entry: dict[str, Any]) -> str:
    known = {*BOUND_FIELDS, "msg", "message", "level", "time", "pid", "hostname", "ts", "timestamp"}
    rest = {name: value for name, value in entry.items() if name not in known}
    return f" {json.dumps(rest, ensure_ascii=False)}" if rest else ""


def _text(line: bytes) -> str:
    return line[:MAX_LINE_BYTES].decode("utf-8", errors="replace").rstrip("\r")
