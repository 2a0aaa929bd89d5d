"""What a variable says by the recipient's own clock and the campaign's language: `{greeting}`, `{date}`, a yes."""

import unicodedata
from datetime import datetime
from enum import StrEnum
from zoneinfo import ZoneInfo


class Language(StrEnum):
    """Languages that greetings, dates and answers are known in."""

    ENGLISH = "en"
    PORTUGUESE = "pt"
    SPANISH = "es"
    FRENCH = "fr"


_GREETINGS = {
    Language.ENGLISH: ("Good morning", "Good afternoon", "Good evening"),
    Language.PORTUGUESE: ("Bom dia", "Boa tarde", "Boa noite"),
    Language.SPANISH: ("Buenos días", "Buenas tardes", "Buenas noches"),
    Language.FRENCH: ("Bonjour", "Bonjour", "Bonsoir"),
}
_DATE_FORMS = {
    Language.ENGLISH: "%Y-%m-%d",
    Language.PORTUGUESE: "%d/%m/%Y",
    Language.SPANISH: "%d/%m/%Y",
    Language.FRENCH: "%d/%m/%Y",
}
_NOON, _EVENING = 12, 18

YES_WORDS = frozenset(
    {
        *("yes", "y", "yeah", "yep", "ok", "okay", "sure", "1", "👍", "✅"),
        *("sim", "s", "claro", "pode", "quero", "aceito"),
        *("si", "dale", "acepto", "oui", "daccord"),
    }
)
"""Whole answers that mean yes, folded."""


def moment_values(language: Language, zone: ZoneInfo, now: datetime) -> dict[str, str]:
    """Give `greeting` and `date` as they stand on the recipient's clock."""
    local = now.astimezone(zone)
    part = 0 if local.hour < _NOON else 1 if local.hour < _EVENING else 2
    return {"greeting": _GREETINGS[language][part], "date": local.strftime(_DATE_FORMS[language])}


def is_yes(answer: str, own_words: frozenset[str] = frozenset()) -> bool:
    """Tell whether a whole message means yes; case, accents and punctuation do not count.

    `own_words`, where there are any, take the place of the known ones.
    """
    return folded(answer) in ({folded(word) for word in own_words} or YES_WORDS)


def folded(text: str) -> str:
    """Drop case, accents, punctuation, outer and double spaces."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    kept = (
        character
        for character in decomposed
        if not unicodedata.combining(character) and unicodedata.category(character)[0] != "P"
    )
    # Variation selectors and skin tones make many forms of one thumb.
    bare = (
        character
        for character in kept
        if character != "\ufe0f" and not "\U0001f3fb" <= character <= "\U0001f3ff"
    )
    return " ".join("".join(bare).split())
