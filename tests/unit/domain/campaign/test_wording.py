"""Greetings, dates and answers."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from orchestrator.domain.campaign.wording import Language, folded, is_yes, moment_values

RECIFE = ZoneInfo("America/Recife")


@pytest.mark.parametrize(("hour_utc", "greeting"), [(12, "Bom dia"), (16, "Boa tarde"), (22, "Boa noite")])
def test_the_greeting_follows_the_recipients_clock(hour_utc: int, greeting: str) -> None:
    now = datetime(2026, 3, 2, hour_utc, tzinfo=UTC)

    assert moment_values(Language.PORTUGUESE, RECIFE, now)["greeting"] == greeting


def test_the_date_is_the_recipients() -> None:
    just_after_midnight = datetime(2026, 3, 2, 1, tzinfo=UTC)

    assert moment_values(Language.SPANISH, RECIFE, just_after_midnight)["date"] == "01/03/2026"
    assert moment_values(Language.ENGLISH, RECIFE, just_after_midnight)["date"] == "2026-03-01"


@pytest.mark.parametrize("language", Language)
def test_every_language_has_its_words(language: Language) -> None:
    assert all(moment_values(language, RECIFE, datetime(2026, 3, 2, tzinfo=UTC)).values())


@pytest.mark.parametrize("answer", ["Yes", "sim!", "  SÍ ", "D'accord.", "👍🏽", "ok…", "1"])
def test_a_yes_is_known_in_any_spelling(answer: str) -> None:
    assert is_yes(answer)


@pytest.mark.parametrize("answer", ["no", "yes but later", "", "não", "not ok"])
def test_other_answers_are_no_yes(answer: str) -> None:
    assert not is_yes(answer)


def test_own_words_take_the_place_of_the_known_ones() -> None:
    assert is_yes("Já QUERO", frozenset({"ja quero"}))
    assert not is_yes("yes", frozenset({"ja quero"}))


def test_folding_drops_what_does_not_count() -> None:
    assert folded(" Ça,  VA?! ") == "ca va"
