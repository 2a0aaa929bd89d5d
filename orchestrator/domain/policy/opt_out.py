"""Words by which a contact opts out. The whole message has to be the word: "please stop by" is none."""

import unicodedata

ALWAYS = frozenset(
    {
        *("STOP", "STOPALL", "UNSUBSCRIBE", "QUIT", "REVOKE", "OPTOUT"),
        *("SAIR", "PARAR", "DESCADASTRAR"),
        *("BAJA", "ALTO", "ARRET"),
    }
)
"""English (as carriers demand it of SMS senders), Portuguese, Spanish, French."""

AFTER_CAMPAIGN = frozenset({"END", "CANCEL", "CANCELAR"})
"""Words that answer other questions too, such as the offer of an appointment."""


def opt_out_word(text: str, *, last_message_was_campaign: bool) -> str | None:
    """The opt-out word that a message is, None where it is none. `last_message_was_campaign` is about our
    last one."""
    word = folded(text)
    if word in ALWAYS or (last_message_was_campaign and word in AFTER_CAMPAIGN):
        return word
    return None


def folded(text: str) -> str:
    """Letters and digits only, upper case, without accents: "  Opt-out! " and "ÓPTOUT" are OPTOUT."""
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(character for character in decomposed if character.isalnum()).upper()
