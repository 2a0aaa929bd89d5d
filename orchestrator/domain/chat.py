"""What can be done in a chat besides writing."""

from enum import StrEnum


class ChatAction(StrEnum):
    """Shown to the other side, or kept from it."""

    TYPING = "TYPING"
    RECORDING = "RECORDING"
    PAUSED = "PAUSED"
    BLOCK = "BLOCK"
    UNBLOCK = "UNBLOCK"
