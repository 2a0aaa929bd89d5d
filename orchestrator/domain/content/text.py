"""Text, and the preview of a link in it."""

from dataclasses import dataclass
from typing import ClassVar

from orchestrator.domain.content import checks

_MOST_URL = 2_048
_MOST_TITLE = 1_000


@dataclass(frozen=True, slots=True)
class LinkPreview:
    """What is shown of a link in the text. `url` stands in the text word for word; nothing is fetched from it."""

    url: str
    title: str
    description: str = ""


@dataclass(frozen=True, slots=True)
class Text:
    """A text; WhatsApp's marks (*bold*, _italic_, ~struck~, ```code```) stand in it as they are typed."""

    kind: ClassVar[str] = "text"
    body: str
    preview: LinkPreview | None = None

    def check(self, path: str) -> None:
        """Raise PonteError where it cannot be sent: TEXT_EMPTY, TEXT_TOO_LONG, INVALID_ARGUMENT."""
        checks.body_text(self.body, f"{path}.body")
        if self.preview is None:
            return
        checks.named_text(self.preview.url, f"{path}.preview.url", _MOST_URL)
        if self.preview.url not in self.body:
            raise checks.refused(f"{path}.preview.url", "Give a link that stands in the text.")
        checks.named_text(self.preview.title, f"{path}.preview.title", _MOST_TITLE)
        checks.short_text(self.preview.description, f"{path}.preview.description", _MOST_TITLE)
