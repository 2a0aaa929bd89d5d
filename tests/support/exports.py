"""Exported chats, made as WhatsApp's app makes them."""

import zipfile
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path

from PIL import Image

CHAT_NAME = "WhatsApp Chat with Ana.txt"


def text_file(*lines: str) -> bytes:
    """A chat's text, as iPhones end its lines."""
    return "\r\n".join(lines).encode()


def zip_file(lines: bytes, files: Mapping[str, bytes] | None = None, chat_name: str = "_chat.txt") -> bytes:
    """A zip with a chat's text and its files."""
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in {chat_name: lines, **(files or {})}.items():
            archive.writestr(name, content)
    return packed.getvalue()


def picture() -> bytes:
    """A small PNG."""
    drawn = BytesIO()
    Image.new("RGB", (4, 3)).save(drawn, "PNG")
    return drawn.getvalue()


def long_chat(path: Path, messages: int, own_name: str = "Bia") -> None:
    """Write a chat of so many messages, one in ten minutes, by two people in turn."""
    with path.open("w", encoding="utf-8") as file:
        for number in range(messages):
            days, minutes = divmod(10 * number, 24 * 60)
            months, day = divmod(days, 28)
            years, month = divmod(months, 12)
            moment = f"{day + 1:02}/{month + 1:02}/{2012 + years}, {minutes // 60:02}:{minutes % 60:02}:00"
            file.write(f"[{moment}] {own_name if number % 2 else 'Ana'}: message {number}\n")
