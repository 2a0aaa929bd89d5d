"""How long typing is shown before a text."""

from random import Random

from orchestrator.domain.policy.settings import TypingSettings


def typing_time(text_length: int, settings: TypingSettings, rng: Random) -> float:
    """Seconds that fit a text of so many characters, within the bounds after the jitter; 0.0 where nothing
    is typed.

    The bounds are drawn in by the jitter first, so that short and long texts vary as well. Where they lie too
    close together for that, the bounds hold.
    """
    if text_length <= 0:
        return 0.0
    shortest = settings.shortest_s / (1.0 - settings.jitter)
    longest = settings.longest_s / (1.0 + settings.jitter)
    base = min(longest, max(shortest, text_length * settings.per_character_s))
    drawn = base * rng.uniform(1.0 - settings.jitter, 1.0 + settings.jitter)
    return min(settings.longest_s, max(settings.shortest_s, drawn))
