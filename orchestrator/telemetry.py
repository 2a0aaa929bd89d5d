"""Logs: one set-up for all processes, ids bound to lines, phone numbers masked."""

from __future__ import annotations

import json
import logging
import re
import sys
from types import FrameType
from typing import TYPE_CHECKING, Literal, TextIO

from loguru import logger

if TYPE_CHECKING:
    from loguru import Message, Record

BOUND_FIELDS = ("company_id", "session_id", "contact_id", "message_id", "request_id", "process")
"""The ids that lines carry; bind them with `logger.contextualize(session_id=...)` or `logger.bind(...)`."""

MAX_LINE = 8_192
"""Characters of a log message that are kept, so that no peer can fill a disk with one line."""

_PHONE_NUMBER = re.compile(
    r"(?<![\w-])\+?(\d{7,15})(?=(?::\d+)?@(?:s\.whatsapp\.net|c\.us)\b)|(?<![\w+-])\+(\d{7,15})\b"
)


def mask_phone_number(number: str) -> str:
    """Return `number` with all but its first four and last two digits starred: +5511*******21.

    Short inputs are starred whole. What is not a digit stays.
    """
    digits = sum(character.isdecimal() for character in number)
    shown_head, shown_tail = (4, 2) if digits >= 9 else (0, 0)
    seen = 0
    masked = []
    for character in number:
        if character.isdecimal():
            seen += 1
            character = character if seen <= shown_head or seen > digits - shown_tail else "*"
        masked.append(character)
    return "".join(masked)


def mask_text(text: str) -> str:
    """Return `text` with every phone number in it (E.164 or the user part of a jid) masked."""
    return _PHONE_NUMBER.sub(lambda match: mask_phone_number(match.group(0)), text)


def configure_logging(
    *, form: Literal["text", "json"] = "text", level: str = "INFO", stream: TextIO | None = None
) -> None:
    """Send all logs of this process, the standard library's too, to `stream` (standard error by default)."""
    target = stream or sys.stderr
    logger.remove()
    logger.configure(patcher=_prepare)
    if form == "json":
        logger.add(
            lambda message: _write_json(target, message),
            level=level,
            format="{message}",
            diagnose=False,
            backtrace=False,
        )
    else:
        logger.add(target, level=level, format=_text_format, colorize=None, backtrace=False, diagnose=False)
    logging.basicConfig(handlers=[_StandardLibraryHandler()], level=logging.INFO, force=True)
    for chatty in ("aiosqlite", "asyncio", "alembic", "grpc", "aiohttp.access", "sqlalchemy"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


class _StandardLibraryHandler(logging.Handler):
    """Hands lines of libraries that use `logging` to loguru."""

    def emit(self, record: logging.LogRecord) -> None:
        frame: FrameType | None = logging.currentframe()
        depth = 0
        while frame and (depth == 0 or frame.f_code.co_filename == logging.__file__):
            frame = frame.f_back
            depth += 1
        level = record.levelname if record.levelname in logging.getLevelNamesMapping() else record.levelno
        logger.opt(depth=depth, exception=record.exc_info).log(level, "{}", record.getMessage())


def _prepare(record: Record) -> None:
    message = mask_text(record["message"])
    record["message"] = message if len(message) <= MAX_LINE else f"{message[:MAX_LINE]}... (cut)"


def _bound(record: Record) -> dict[str, str]:
    return {name: str(record["extra"][name]) for name in BOUND_FIELDS if record["extra"].get(name)}


def _text_format(record: Record) -> str:
    ids = " ".join(f"{name}={value}" for name, value in _bound(record).items())
    record["extra"]["_ids"] = f" {ids}" if ids else ""
    return (
        "<dim>{time:HH:mm:ss.SSS}</dim> <level>{level: <7}</level> {message}"
        "<dim>{extra[_ids]}</dim>\n{exception}"
    )


def _write_json(target: TextIO, message: Message) -> None:
    record = message.record
    line: dict[str, str] = {
        "time": record["time"].astimezone().isoformat(timespec="milliseconds"),
        "level": record["level"].name,
        "logger": record["name"] or "",
        "message": record["message"],
        **_bound(record),
    }
    if record["exception"]:
        # The formatted message carries the traceback after its first line.
        line["exception"] = mask_text(str(message).removeprefix(record["message"]).strip())
    target.write(json.dumps(line, ensure_ascii=False) + "\n")
    target.flush()
