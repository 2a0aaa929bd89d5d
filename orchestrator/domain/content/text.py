"""Text, and the preview of a link in it."""

import re
from dataclasses import dataclass
from typing import ClassVar

from orchestrator.domain.content import checks

MOST_THUMBNAIL_BYTES = 16 * 1024

_MOST_URL = 2_048
_MOST_TITLE = 1_000
_LINK = re.compile(r"https?://[^\s<>\"]+", re.IGNORECASE)
_AFTER_A_LINK = ".,;:!?'*_~)]}"
_JPEG = b"\xff\xd8\xff"


@dataclass(frozen=True, slots=True)
class LinkPreview:
    """What is shown of a link in the text. `url` stands in the text word for word; `thumbnail` is a JPEG.

    With `fetch` Ponte asks the page for what is not given, and `url` may be left out: the text's first link is meant.
    """

    url: str
    title: str
    description: str = ""
    thumbnail: bytes = b""
    fetch: bool = False

    def check(self, body: str, path: str) -> None:
        """Raise PonteError(INVALID_ARGUMENT) where it cannot go with a text that says `body`."""
        if self.fetch and not self.url:
            if not first_link(body):
                raise checks.refused(
                    f"{path}.fetch", "The text has no link that begins with http:// or https://."
                )
        else:
            checks.named_text(self.url, f"{path}.url", _MOST_URL)
            if self.url not in body:
                raise checks.refused(f"{path}.url", "Give a link that stands in the text.")
        if not (self.fetch and not self.title):
            checks.named_text(self.title, f"{path}.title", _MOST_TITLE)
        checks.short_text(self.description, f"{path}.description", _MOST_TITLE)
        is_picture = self.thumbnail.startswith(_JPEG) and len(self.thumbnail) <= MOST_THUMBNAIL_BYTES
        if self.thumbnail and not is_picture:
            raise checks.refused(f"{path}.thumbnail", f"Give a JPEG of at most {MOST_THUMBNAIL_BYTES} bytes.")


@dataclass(frozen=True, slots=True)
class Text:
    """A text; WhatsApp's marks (*bold*, _italic_, ~struck~, ```code```) stand in it as they are typed."""

    kind: ClassVar[str] = "text"
    body: str
    preview: LinkPreview | None = None

    def check(self, path: str) -> None:
        """Raise PonteError where it cannot be sent: TEXT_EMPTY, TEXT_TOO_LONG, INVALID_ARGUMENT."""
        checks.body_text(self.body, f"{path}.body")
        if self.preview is not None:
            self.preview.check(self.body, f"{path}.preview")


def first_link(text: str) -> str:
    """Give the first link of a text, without what stands behind it in the sentence; empty where there is none."""
    found = _LINK.search(text)
    link = found.group() if found else ""
    while link and link[-1] in _AFTER_A_LINK and not (link[-1] == ")" and link.count("(") >= link.count(")")):
        link = link[:-1]
    return link if len(link) <= _MOST_URL else ""
