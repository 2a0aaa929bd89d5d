"""Groups: what they are, how they change, what is asked of them, and how WhatsApp refuses."""

from orchestrator.domain.group.group import (
    ADMINS,
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
    "ADMINS",
    "NO_GROUP_SETTINGS",
    "Group",
    "GroupSettings",
    "KnownGroup",
    "Participant",
    "Role",
    "SessionGroup",
    "is_same_person",
]
