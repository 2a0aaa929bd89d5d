"""Groups: what they are, how they change, what is asked of them, and how WhatsApp refuses."""

from orchestrator.domain.group.group import (
    NO_GROUP_SETTINGS,
    Group,
    GroupSettings,
    KnownGroup,
    Participant,
    Role,
    SessionGroup,
    is_same_person,
)

__all__ = [
    "NO_GROUP_SETTINGS",
    "Group",
    "GroupSettings",
    "KnownGroup",
    "Participant",
    "Role",
    "SessionGroup",
    "is_same_person",
]
