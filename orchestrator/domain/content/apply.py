"""What an edit, a deletion, a reaction, a pin or a vote makes of the message that it is about."""

from dataclasses import replace
from datetime import datetime, timedelta

from orchestrator.domain.content.changes import PIN_DURATIONS_S, Delete, Edit, Pin, PollVote, Reaction
from orchestrator.domain.content.content import Content, plain_text
from orchestrator.domain.content.marks import Marks, MessageReaction, Vote
from orchestrator.domain.content.media import Document, Image, Video

Change = Edit | Delete | Reaction | Pin | PollVote
"""Contents that say nothing themselves but change another message."""

CHANGES = (Edit, Delete, Reaction, Pin, PollVote)


def apply(
    change: Change, said: Content | None, marks: Marks, at: datetime, author: str, from_me: bool
) -> tuple[Content | None, Marks]:
    """Give what a message says after a change, and its marks.

    `said` is what it says now, None once it was deleted; `author` is the jid of who made the change.
    """
    if isinstance(change, Edit):
        return _edited(said, change.body), replace(marks, edited_at=at)
    if isinstance(change, Delete):
        return None, replace(marks, deleted_at=at)
    if isinstance(change, Reaction):
        return said, marks.with_reaction(MessageReaction(change.emoji, from_me, author, at))
    if isinstance(change, PollVote):
        return said, marks.with_vote(Vote(author, change.options, at))
    until = at + timedelta(seconds=change.duration_s or PIN_DURATIONS_S[0])
    return said, replace(marks, pinned_until=None if change.unpin else until)


def _edited(said: Content | None, text: str) -> Content | None:
    if said is None:
        return None
    if isinstance(said.body, Image | Video | Document):
        return replace(said, body=replace(said.body, caption=text))
    return replace(said, body=plain_text(text).body)
