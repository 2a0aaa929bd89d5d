"""The variants of a campaign: written by people, visible, and enough of them."""

from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.domain.campaign.template import Template, parse
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


@dataclass(frozen=True, slots=True)
class Variant:
    """One wording. `name` is what results show it under."""

    name: str
    text: str

    @property
    def template(self) -> Template:
        """The parsed text."""
        return parse(self.text)


def checked_variants(texts: Sequence[tuple[str, str]]) -> tuple[Variant, ...]:
    """Give the variants of (name, text) pairs; one without a name is called A, B, C and so on.

    Texts that differ in case or white space only are one variant. Raises PonteError: VARIANTS_TOO_FEW,
    TEMPLATE_INVALID, TEXT_EMPTY, TEXT_TOO_LONG, INVALID_ARGUMENT, naming the field.
    """
    if len(texts) > MOST_VARIANTS:
        raise invalid_field(INVALID_ARGUMENT, "variants", f"Give at most {MOST_VARIANTS} variants.")
    variants = tuple(
        Variant(name.strip()[:60] or _letter(position), checked_text(text, f"variants[{position}].text"))
        for position, (name, text) in enumerate(texts)
    )
    different = len({_folded(variant.text) for variant in variants})
    if different < FEWEST_VARIANTS:
        raise PonteError(
            VARIANTS_TOO_FEW,
            f"The campaign has {different} different variants; write {FEWEST_VARIANTS - different} more, "
            f"so that it has at least {FEWEST_VARIANTS}. Texts that differ in case or spaces only count once.",
        )
    if len({variant.name for variant in variants}) < len(variants):
        raise invalid_field(INVALID_ARGUMENT, "variants", "Two variants have the same name.")
    return variants


def checked_text(text: str, field: str) -> str:
    """Give a text that can be sent and whose variables can be read. Raises PonteError naming `field`."""
    if not text.strip():
        raise invalid_field(TEXT_EMPTY, field)
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
