"""How a kind of content is tried in either direction: the cases are in `sent.py` and `received.py`."""

from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]

START = "2030-01-31T18:00:00Z"


@dataclass(frozen=True)
class Sent:
    """A request's content, and what stands in the protobuf `Message` that the other side decrypts.

    `{picture}`, `{film}` and `{sound}` stand for ids of files.
    `about` says which message it names: `theirs` came in, `ours` went out; `{id}` in the body stands for it.
    """

    kind: str
    body: Json
    arrives: Json
    about: str = ""


@dataclass(frozen=True)
class Received:
    """What raw Baileys sends (`content` of sendMessage or a protobuf `message`), and the content that it becomes.

    `about`: as in Sent, from the other side: `theirs` is what raw Baileys sent before, whose key it names.
    """

    kind: str
    becomes: Json
    content: Json | None = None
    message: Json | None = None
    about: str = ""
    event: str = "message.received"


def filled(value: Any, **words: Any) -> Any:
    """Put words in place of `{name}` in a JSON-like value; a text that is nothing else becomes the word itself."""
    if isinstance(value, dict):
        return {key: filled(item, **words) for key, item in value.items()}
    if isinstance(value, list):
        return [filled(item, **words) for item in value]
    if isinstance(value, str) and value.startswith("{") and value.endswith("}"):
        return words.get(value[1:-1], value)
    return value


def missing(wanted: Any, found: Any, path: str = "") -> list[str]:
    """Where `found` has not what `wanted` says; what it has besides does not matter."""
    if isinstance(wanted, dict):
        inner = found if isinstance(found, dict) else {}
        return [gap for key, item in wanted.items() for gap in missing(item, inner.get(key), f"{path}.{key}")]
    return [] if wanted == found else [f"{path}: {found!r} instead of {wanted!r}"]
