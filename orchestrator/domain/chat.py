"""What can be done in a chat besides writing."""

from enum import StrEnum


class ChatAction(StrEnum):
    """Shown to the other side, kept from it, or asked of it."""

    TYPING = "TYPING"
    RECORDING = "RECORDING"
    PAUSED = "PAUSED"
    BLOCK = "BLOCK"
    UNBLOCK = "UNBLOCK"
    WATCH_PRESENCE = "WATCH_PRESENCE"
