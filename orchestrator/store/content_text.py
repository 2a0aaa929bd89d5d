"""Contents and marks of messages as the text of their columns."""

import json

from orchestrator.domain.campaign.variants import File
from orchestrator.domain.content import Content, from_values, to_values
from orchestrator.domain.content.codec import record_from_values, record_to_values
from orchestrator.domain.content.marks import NO_MARKS, Marks
from orchestrator.store.json_text import dump_json


def write_content(content: Content | None) -> str | None:
    """Give a content as text; None stays None."""
    return None if content is None else dump_json(to_values(content))


def read_content(text: str | None) -> Content | None:
    """Read what `write_content` gave."""
    return None if text is None else from_values(json.loads(text))


def read_variant_file(text: str | None) -> File | None:
    """Read the file of a campaign's variant, which `write_content` gave as a content."""
    content = read_content(text)
    return content.body if content and isinstance(content.body, File) else None


def write_marks(marks: Marks) -> str | None:
    """Give marks as text, None where there are none."""
    return None if marks == NO_MARKS else dump_json(record_to_values(marks))


def read_marks(text: str | None) -> Marks:
    """Read what `write_marks` gave."""
    if text is None:
        return NO_MARKS
    marks: Marks = record_from_values(Marks, json.loads(text))
    return marks
