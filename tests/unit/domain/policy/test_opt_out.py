"""Words that opt out."""

import pytest

from orchestrator.domain.policy.opt_out import folded, opt_out_word

ALWAYS = [
    *("STOP", "STOPALL", "UNSUBSCRIBE", "QUIT", "REVOKE", "OPTOUT"),
    *("SAIR", "PARAR", "DESCADASTRAR", "BAJA", "ALTO", "ARRET"),
]


@pytest.mark.parametrize("word", ALWAYS)
@pytest.mark.parametrize("after_campaign", [True, False])
def test_words_that_always_opt_out(word: str, after_campaign: bool) -> None:
    assert opt_out_word(word, last_message_was_campaign=after_campaign) == word


@pytest.mark.parametrize("word", ["END", "CANCEL", "CANCELAR"])
def test_words_that_opt_out_of_campaigns_only(word: str) -> None:
    assert opt_out_word(word, last_message_was_campaign=True) == word
    assert opt_out_word(word, last_message_was_campaign=False) is None


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("stop", "STOP"),
        ("  Stop!  ", "STOP"),
        ("“Stop.”", "STOP"),
        ("opt-out", "OPTOUT"),
        ("Arrêt", "ARRET"),
        ("ARRE\u0302T", "ARRET"),
        ("sair 🛑", "SAIR"),
        ("\u200bSTOP\u200b", "STOP"),
        ("ＳＴＯＰ", "STOP"),  # noqa: RUF001 - full-width letters are what is tested
        ("stop all", "STOPALL"),
        ("descadastrar\n", "DESCADASTRAR"),
    ],
)
def test_case_accents_and_punctuation_do_not_matter(text: str, word: str) -> None:
    assert opt_out_word(text, last_message_was_campaign=False) == word


@pytest.mark.parametrize(
    "text", ["please stop by", "stop it", "", "🛑", "STOP1", "nonstop", "não quero parar"]
)
def test_the_whole_message_has_to_be_the_word(text: str) -> None:
    assert opt_out_word(text, last_message_was_campaign=True) is None


def test_folding_keeps_letters_and_digits() -> None:
    assert folded(" Ção-7 ") == "CAO7"
