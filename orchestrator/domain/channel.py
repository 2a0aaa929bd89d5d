"""WhatsApp's channels: what is asked about one, and what one is."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

_LINK: Final = "https://whatsapp.com/channel/"
_POSTING: Final = frozenset({"OWNER", "ADMIN"})
_FOLLOWING: Final = _POSTING | {"SUBSCRIBER"}


class ChannelAction(StrEnum):
    """What is asked of WhatsApp."""

    READ = "READ"
    FOLLOW = "FOLLOW"
    UNFOLLOW = "UNFOLLOW"


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel as a number sees it; `role` is WhatsApp's word for what the number is in it."""

    jid: str
    name: str = ""
    description: str = ""
    followers: int = 0
    invite_code: str = ""
    role: str = ""

    @property
    def link(self) -> str:
        """Where people find it; empty where WhatsApp does not say."""
        return f"{_LINK}{self.invite_code}" if self.invite_code else ""

    @property
    def following(self) -> bool:
        """What is posted there comes in."""
        return self.role in _FOLLOWING

    @property
    def can_post(self) -> bool:
        """Messages can be sent there."""
        return self.role in _POSTING
