"""The variants that a campaign must have."""

import pytest

from orchestrator.domain.campaign.variants import (
    LONGEST_TEXT,
    MOST_VARIANTS,
    GivenVariant,
    Variant,
    checked_variants,
)
from orchestrator.domain.content import Content, Document, Image, MediaRef
from orchestrator.domain.errors import PonteError

FIVE = [GivenVariant("", f"Text {number} for {{name}}") for number in range(5)]


def code_of(texts: list[GivenVariant]) -> tuple[str, list[str]]:
    with pytest.raises(PonteError) as refused:
        checked_variants(texts)
    return refused.value.code.name, [violation.field for violation in refused.value.violations]


def test_five_different_variants_are_taken_and_named_by_letters() -> None:
    variants = checked_variants([*FIVE[:4], GivenVariant("Short", "Hi")])

    assert [variant.name for variant in variants] == ["A", "B", "C", "D", "Short"]
    assert variants[0].template.needed == {"name"}


def test_after_z_comes_a_number() -> None:
    variants = checked_variants([GivenVariant("", f"Text {number}") for number in range(27)])

    assert (variants[25].name, variants[26].name) == ("Z", "V27")


def test_fewer_than_five_are_refused_with_what_to_do() -> None:
    with pytest.raises(PonteError, match="write 2 more") as refused:
        checked_variants(FIVE[:3])
    assert refused.value.code.name == "VARIANTS_TOO_FEW"


def test_texts_that_differ_in_case_or_spaces_only_count_once() -> None:
    assert code_of([*FIVE[:4], GivenVariant("", "TEXT  0 for {name} ")])[0] == "VARIANTS_TOO_FEW"


@pytest.mark.parametrize(
    ("text", "code"),
    [(" ", "TEXT_EMPTY"), ("x" * (LONGEST_TEXT + 1), "TEXT_TOO_LONG"), ("Hi {", "TEMPLATE_INVALID")],
)
def test_a_bad_text_is_refused_by_its_place(text: str, code: str) -> None:
    assert code_of([*FIVE, GivenVariant("", text)]) == (code, ["variants[5].text"])


def test_too_many_and_doubled_names_are_refused() -> None:
    assert code_of([GivenVariant("", f"Text {n}") for n in range(MOST_VARIANTS + 1)]) == (
        "INVALID_ARGUMENT",
        ["variants"],
    )
    assert code_of([*FIVE, GivenVariant("A", "Another")]) == ("INVALID_ARGUMENT", ["variants"])


def test_a_file_makes_the_same_words_another_variant_and_may_stand_alone() -> None:
    pictures = [GivenVariant("", "", Image(media=MediaRef(media_id=f"m{n}"))) for n in range(3)]
    variants = checked_variants([*FIVE[:1], GivenVariant("", FIVE[0].text, pictures[0].file), *pictures])

    assert len({variant.key for variant in variants}) == 5


def test_the_same_file_with_the_same_words_counts_once_whatever_its_id() -> None:
    twins = [GivenVariant("", "Hi", Image(media=MediaRef(media_id=f"m{n}", sha256="aa"))) for n in range(2)]
    assert code_of([*FIVE[:3], *twins])[0] == "VARIANTS_TOO_FEW"


def test_a_bad_caption_is_refused_by_its_place() -> None:
    bad = GivenVariant("", "Hi {", Image(media=MediaRef(media_id="m")))
    assert code_of([*FIVE, bad]) == ("TEMPLATE_INVALID", ["variants[5].text"])


def test_a_file_is_sent_with_the_filled_in_words_as_its_caption() -> None:
    file = Document(media=MediaRef(media_id="m"))
    assert Variant("A", "Hi {name}", file).content("Hi Ana") == Content(
        Document(media=MediaRef(media_id="m"), caption="Hi Ana")
    )
    assert Variant("A", "Hi {name}").content("Hi Ana") is None
