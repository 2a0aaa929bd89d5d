"""The variants of a campaign: written by people, visible, and enough of them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from orchestrator.domain.campaign.template import Template, parse
from orchestrator.domain.content import Content, Document, Image, Video
from orchestrator.domain.errors import (
    INVALID_ARGUMENT,
    TEMPLATE_INVALID,
    TEXT_EMPTY,
    TEXT_TOO_LONG,
    VARIANTS_TOO_FEW,
    PonteError,
    invalid_field,
)

FEWEST_VARIANTS = 5
MOST_VARIANTS = 50
LONGEST_TEXT = 4_096
"""Characters of a variant before its variables are filled in."""


File = Image | Video | Document
"""What a variant may carry: the contents with a caption."""


class GivenVariant(NamedTuple):
    """A variant as a company writes it down; `name` may be empty."""

    name: str
    text: str
    file: File | None = None


@dataclass(frozen=True, slots=True)
class Variant:
    """One wording. `name` is what results show it under; the text is the caption of its file, where it has one."""

    name: str
    text: str
    file: File | None = None

    @property
    def key(self) -> str:
        """The same for variants that a recipient cannot tell apart."""
        return wording_key(self.text, self.file)

    def content(self, text: str) -> Content | None:
        """What is sent besides `text`, its words with the variables filled in; None for a plain text."""
        return None if self.file is None else Content(replace(self.file, caption=text))

    @property
    def template(self) -> Template:
        """The parsed text."""
        return parse(self.text)


def checked_variants(given: Sequence[GivenVariant]) -> tuple[Variant, ...]:
    """Give the variants with their names; one without a name is called A, B, C and so on.

    Texts that differ in case or white space only are one variant, unless their files differ. Raises PonteError:
    VARIANTS_TOO_FEW, TEMPLATE_INVALID, TEXT_EMPTY, TEXT_TOO_LONG, INVALID_ARGUMENT, naming the field.
    """
    if len(given) > MOST_VARIANTS:
        raise invalid_field(INVALID_ARGUMENT, "variants", f"Give at most {MOST_VARIANTS} variants.")
    variants = tuple(
        Variant(one.name.strip()[:60] or _letter(position), _checked_words(one, position), one.file)
        for position, one in enumerate(given)
    )
    different = len({wording_key(_folded(variant.text), variant.file) for variant in variants})
    if different < FEWEST_VARIANTS:
        raise PonteError(
            VARIANTS_TOO_FEW,
            f"The campaign has {different} different variants; write {FEWEST_VARIANTS - different} more, "
            f"so that it has at least {FEWEST_VARIANTS}. Texts that differ in case or spaces only count once.",
        )
    if len({variant.name for variant in variants}) < len(variants):
        raise invalid_field(INVALID_ARGUMENT, "variants", "Two variants have the same name.")
    return variants


def wording_key(text: str, file: File | None) -> str:
    """Give what makes a wording another one: its text, and the bytes of its file."""
    return text if file is None else f"{file.media.sha256 or file.media.media_id} {text}"


def checked_text(text: str, field: str) -> str:
    """Give a text that can be sent and whose variables can be read. Raises PonteError naming `field`."""
    if not text.strip():
        raise invalid_field(TEXT_EMPTY, field)
    return _checked_template(text, field)


def _checked_words(given: GivenVariant, position: int) -> str:
    field = f"variants[{position}].text"
    return checked_text(given.text, field) if given.file is None else _checked_template(given.text, field)


def _checked_template(text: str, field: str) -> str:
    if len(text) > LONGEST_TEXT:
        raise invalid_field(TEXT_TOO_LONG, field, f"Give at most {LONGEST_TEXT} characters.")
    try:
        parse(text)
    except PonteError as error:
        raise invalid_field(TEMPLATE_INVALID, field, error.sentence) from None
    return text


def _folded(text: str) -> str:
    return " ".join(text.split()).casefold()


def _letter(position: int) -> str:
    return chr(ord("A") + position) if position < 26 else f"V{position + 1}"
