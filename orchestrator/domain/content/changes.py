"""Contents about another message of the chat; `message_id` is its id here, empty where it is not known here."""

from dataclasses import dataclass
from typing import ClassVar

from orchestrator.domain.content import checks

PIN_DURATIONS_S = (86_400, 604_800, 2_592_000)
"""A day, a week, 30 days: what WhatsApp offers."""

DISAPPEARING_S = (0, 86_400, 604_800, 7_776_000)
"""Off, a day, a week, 90 days: what WhatsApp offers."""

_MOST_EMOJI = 40


@dataclass(frozen=True, slots=True)
class Reaction:
    """An emoji on a message; empty takes it back."""

    kind: ClassVar[str] = "reaction"
    message_id: str = ""
    emoji: str = ""

    def check(self, path: str) -> None:
        """Raise PonteError(INVALID_ARGUMENT) where it cannot be sent."""
        checks.named_text(self.message_id, f"{path}.message_id", 36)
        checks.short_text(self.emoji, f"{path}.emoji", _MOST_EMOJI)


@dataclass(frozen=True, slots=True)
class Edit:
    """A new text for a message that the company sent (or, inbound, that the contact sent)."""

    kind: ClassVar[str] = "edit"
    message_id: str = ""
    body: str = ""

    def check(self, path: str) -> None:
        """Raise PonteError where it cannot be sent: TEXT_EMPTY, TEXT_TOO_LONG, INVALID_ARGUMENT."""
        checks.named_text(self.message_id, f"{path}.message_id", 36)
        checks.body_text(self.body, f"{path}.body")


@dataclass(frozen=True, slots=True)
class Delete:
    """Takes a message back for everyone."""

    kind: ClassVar[str] = "delete"
    message_id: str = ""

    def check(self, path: str) -> None:
        """Raise PonteError(INVALID_ARGUMENT) where it cannot be sent."""
        checks.named_text(self.message_id, f"{path}.message_id", 36)


@dataclass(frozen=True, slots=True)
class Pin:
    """Pins a message for `duration_s` (0: a day), or unpins it."""

    kind: ClassVar[str] = "pin"
    message_id: str = ""
    duration_s: int = 0
    unpin: bool = False

    def check(self, path: str) -> None:
        """Raise PonteError(INVALID_ARGUMENT) where it cannot be sent."""
        checks.named_text(self.message_id, f"{path}.message_id", 36)
        if self.duration_s and self.duration_s not in PIN_DURATIONS_S:
            raise checks.refused(f"{path}.duration_s", "Give 86400, 604800 or 2592000 seconds.")


@dataclass(frozen=True, slots=True)
class PollVote:
    """Somebody's present choice in a poll: it replaces the one before, and may be empty. Only received."""

    kind: ClassVar[str] = "poll_vote"
    message_id: str = ""
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Disappearing:
    """Sets after how long new messages of the chat disappear; 0 turns that off."""

    kind: ClassVar[str] = "disappearing"
    seconds: int = 0

    def check(self, path: str) -> None:
        """Raise PonteError(INVALID_ARGUMENT) where it cannot be sent."""
        if self.seconds not in DISAPPEARING_S:
            raise checks.refused(f"{path}.seconds", "Give 0, 86400, 604800 or 7776000 seconds.")
