"""What a number may have said last for a campaign: the wordings that its next message must not repeat.

A message that is let go need not leave: a process may die while typing is shown. Until it is answered it stands beside
the one before it, for either may be the last that WhatsApp has.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

MOST_WORDS = 3
"""With the wording that the contact got last, one of the five variants that a campaign has at least is left."""


@dataclass(frozen=True, slots=True)
class Said:
    """A variant, by its place, and the message that left with it or was about to."""

    variant: int
    message_id: str


def let_go(words: Sequence[Said], variant: int, message_id: str) -> tuple[Said, ...]:
    """Give what may have been said last once this message was let go too."""
    return (*others(words, message_id), Said(variant, message_id))[-MOST_WORDS:]


def answered(words: Sequence[Said], arrived: Collection[str], stayed: Collection[str]) -> tuple[Said, ...]:
    """Give what may have been said last, once it is known which messages WhatsApp has, and which never left."""
    known = [word for word in words if word.message_id not in stayed]
    last = max((place for place, word in enumerate(known) if word.message_id in arrived), default=0)
    return tuple(known[last:])


def others(words: Sequence[Said], message_id: str) -> list[Said]:
    """Give what was said in other messages: one that is let go again does not repeat itself."""
    return [word for word in words if word.message_id != message_id]
