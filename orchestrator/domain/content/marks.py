"""What happened to a message after it was written: edits, deletion, pins, reactions and votes of a poll."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

MOST_MARKS = 2_000
"""Reactions, and votes, kept for one message: a group has at most 1,024 members."""


@dataclass(frozen=True, slots=True)
class MessageReaction:
    """Somebody's emoji on a message. `sender` is a jid; `from_me` means that the company's number reacted."""

    emoji: str
    from_me: bool = False
    sender: str = ""
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Vote:
    """Somebody's present choice in a poll."""

    voter: str
    options: tuple[str, ...] = ()
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class PollResult:
    """How many chose an option, and who."""

    option: str
    votes: int = 0
    voters: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Marks:
    """All of it for one message; times are None while nothing of the sort happened."""

    edited_at: datetime | None = None
    deleted_at: datetime | None = None
    pinned_until: datetime | None = None
    reactions: tuple[MessageReaction, ...] = ()
    votes: tuple[Vote, ...] = ()

    def with_reaction(self, reaction: MessageReaction) -> "Marks":
        """The marks after somebody reacted: one reaction each, an empty emoji takes it back."""
        earlier = next((known for known in self.reactions if known.sender == reaction.sender), None)
        if earlier and earlier.at and reaction.at and earlier.at > reaction.at:
            return self
        others = tuple(known for known in self.reactions if known is not earlier)
        added = (reaction,) if reaction.emoji else ()
        return replace(self, reactions=(others + added)[-MOST_MARKS:])

    def with_vote(self, vote: Vote) -> "Marks":
        """The marks after somebody voted: one vote each, the newest counts."""
        earlier = next((known for known in self.votes if known.voter == vote.voter), None)
        if earlier and earlier.at and vote.at and earlier.at > vote.at:
            return self
        others = tuple(known for known in self.votes if known is not earlier)
        return replace(self, votes=(*others, vote)[-MOST_MARKS:])


NO_MARKS = Marks()
"""Nothing happened."""


def poll_results(options: Sequence[str], votes: Sequence[Vote]) -> tuple[PollResult, ...]:
    """Count the votes for each option, in the options' order."""
    return tuple(
        PollResult(option, len(voters), voters)
        for option in options
        for voters in [tuple(vote.voter for vote in votes if option in vote.options)]
    )
